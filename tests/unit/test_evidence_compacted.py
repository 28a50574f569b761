"""Bundles of what was compacted: as it first was where that can be had again, else by what the moving commit says."""

from __future__ import annotations

import gzip
import json
import tracemalloc
import zlib
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from config.errors import ConfigError, DamageFound
from jobs.archive.commit import commit_key
from jobs.archive.ends import LogEnd
from jobs.archive.heads import append_head
from jobs.archive.identity import create_archive, read_info
from jobs.archive.keys import KeyRing, append_key
from jobs.archive.log import Log
from jobs.archive.ranges import COMPACTED
from jobs.archive.signing import Signer
from jobs.compaction import packing, running
from jobs.evidence import BundleReport, verify_bundle
from jobs.redaction.redacting import RedactRequest, redact_articles
from jobs.store.memory import MemoryStore
from jobs.verify import verify_archive
from tests.archives import NOON, SOURCE, Page, commit_segment, file_keys, put, write_segment
from tests.bundles import (
    ARTICLE,
    LATER,
    OTHER,
    WORDS,
    build_edited,
    build_otherwise,
    compact_archive,
    edit_manifest,
    make_bundle,
    open_store_as_archive,
    read_parts,
    repack,
)
from tests.faults import damage

if TYPE_CHECKING:
    from pathlib import Path

SIGNER = Signer.generate()
TRUSTED = (SIGNER.public.key_id,)
compact = partial(compact_archive, signer=SIGNER)
BESIDE = Page("/2026/harbour", "Nobody asked for this one to go.")


def list_keys(store: MemoryStore) -> list[str]:
    return [one.key for one in store.list("segments/")]


def redact(store: MemoryStore, folder: Path, url: str = OTHER.url) -> None:
    with open_store_as_archive(store, folder / "state", signer=SIGNER) as archive:
        redact_articles(archive, RedactRequest(SOURCE, frozenset({url}), "asked for", timedelta(0)))


def check(path: Path) -> BundleReport:
    report = verify_bundle(path, trusted=TRUSTED)
    assert [str(one) for one in report.findings.damages] == []
    assert report.manifest
    return report


def movers(report: BundleReport) -> list[int | None]:
    assert report.manifest
    return [one.moved_by for one in report.manifest.segments]


@pytest.mark.parametrize("whole", [False, True])
def test_what_was_compacted_makes_the_same_bundle_byte_for_byte(tmp_path: Path, whole: bool) -> None:
    store = build_edited(tmp_path / "spool", signer=SIGNER)
    end = list(Log(store, read_info(store), SOURCE).read())[-1]
    append_head(store, read_info(store), None, {SOURCE: LogEnd(3, end.digest)}, signer=SIGNER, now=LATER)
    before = make_bundle(store, tmp_path, "before.wacz", whole_segments=whole).path
    first = {key: store.get(key) for key in file_keys(store, ".warc.gz")}
    compact(store, tmp_path)
    assert [key.endswith(COMPACTED) for key in list_keys(store)] == [True]
    after = make_bundle(store, tmp_path, "after.wacz", whole_segments=whole).path
    assert after.read_bytes() == before.read_bytes()
    report = check(after)
    assert movers(report) == [None] * 3
    assert report.held.whole is whole
    assert all(one.headers_proven and one.payload_proven and one.seq <= 3 for one in report.held.captures.values())
    if whole:
        assert {data for name, data in read_parts(after).items() if name.startswith("archive/")} == {*first.values()}
    compact(store, tmp_path, restore=True)
    assert not {*first} & {*list_keys(store)}
    again = make_bundle(store, tmp_path, "again.wacz", whole_segments=whole).path
    assert again.read_bytes() == before.read_bytes()
    assert sorted(one.name for one in tmp_path.glob(".ofrecord*")) == []


def test_some_segments_compacted_and_some_not(tmp_path: Path) -> None:
    store = build_edited(tmp_path / "spool", signer=SIGNER)
    before = read_parts(make_bundle(store, tmp_path, "before.wacz").path)
    compact(store, tmp_path, NOON + timedelta(minutes=90))
    assert sorted(key.rpartition(".")[2] for key in list_keys(store)) == ["gz", "zst"]
    path = make_bundle(store, tmp_path).path
    assert movers(check(path)) == [None] * 3
    after = read_parts(path)
    proofs = ("evidence/rows-", "evidence/text-", "archive/", "evidence/change-")
    assert {name for name in after if name.startswith(proofs)} == {name for name in before if name.startswith(proofs)}
    assert all(after[name] == before[name] for name in before if name.startswith(proofs))


def test_what_cannot_be_had_as_it_was_is_proven_from_the_commit_that_moved_it(tmp_path: Path) -> None:
    store = build_otherwise(tmp_path, signer=SIGNER)
    before = check(make_bundle(store, tmp_path, "before.wacz").path)
    compact(store, tmp_path)
    assert damage(verify_archive(store, full=True)) == []
    path = make_bundle(store, tmp_path).path
    report = check(path)
    assert movers(report) == [4, 4, 4]
    assert report.chain.commits[4].kind == "replace"
    assert [(one.seq, one.brought_by) for one in report.held.captures.values()] == [(4, 1), (4, 2), (4, 3)]
    assert all(one.headers_proven and one.payload_proven for one in report.held.captures.values())
    assert before.manifest
    assert report.manifest
    assert report.manifest.texts == before.manifest.texts
    told = " ".join(report.statements.unproven)
    assert "That 3 captures were the same before " in told
    assert "commit 4 put their segments elsewhere then, in another form, and says that every record" in told
    assert report.statements.proven[0].startswith("Nothing was altered since it was committed, or moved as is said")
    assert before.statements.proven[0].startswith("Nothing was altered since it was committed: ")
    assert "put their segments elsewhere" not in " ".join(before.statements.unproven)
    parts = read_parts(path)
    page = parts["evidence/report.html"].decode()
    assert "number 4: put elsewhere; brought" in page
    assert "zcat evidence/rows-" in page
    for name in (one for one in parts if one.startswith("evidence/rows-")):
        lines = [one for one in gzip.decompress(parts[name]).split(b"\n") if one.startswith(b"{")]
        assert sum(json.loads(one)["type"] == "capture" for one in lines) == 2
    with pytest.raises(ConfigError, match="leave --whole-segments out"):
        make_bundle(store, tmp_path, "whole.wacz", whole_segments=True)
    compact(store, tmp_path, restore=True)
    restored = check(make_bundle(store, tmp_path, "restored.wacz").path)
    assert [one and report.chain.commits.get(one) for one in movers(restored)] == [None] * 3  # commits behind those
    assert None not in movers(restored)
    assert all(one.headers_proven for one in restored.held.captures.values())


def test_a_stamped_head_before_the_move_says_nothing_of_what_is_proven_from_it_on(tmp_path: Path) -> None:
    store = build_otherwise(tmp_path, signer=SIGNER)
    stored = list(Log(store, read_info(store), SOURCE).read())
    append_head(store, read_info(store), None, {SOURCE: LogEnd(3, stored[-1].digest)}, signer=SIGNER, now=LATER)
    compact(store, tmp_path)
    report = check(make_bundle(store, tmp_path).path)
    assert report.manifest
    assert [(one.first, one.last, one.head) for one in report.manifest.runs] == [(1, 3, 1), (4, 5, None)]
    assert [report.chain.find_head(one.seq) for one in report.held.captures.values()] == [None] * 3


def test_what_an_earlier_version_compacted_is_brought_back_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def describe(*told: Any) -> dict[str, object]:
        return {name: value for name, value in packing.describe_segment(*told).items() if name != "inflated"}

    monkeypatch.setattr(running, "describe_segment", describe)
    store = build_otherwise(tmp_path, signer=SIGNER)
    compact(store, tmp_path)
    assert damage(verify_archive(store, full=True)) == []
    with pytest.raises(ConfigError, match="run ofrecord compact --restore, then cite"):
        make_bundle(store, tmp_path)
    compact(store, tmp_path, restore=True)
    check(make_bundle(store, tmp_path).path)
    other = build_edited(tmp_path / "other", signer=SIGNER)  # what can be had as it was needs no such digest
    compact(other, tmp_path / "more")
    assert movers(check(make_bundle(other, tmp_path / "more").path)) == [None] * 3


@pytest.mark.parametrize("first", ["compact", "redact"])
def test_beside_what_was_redacted(tmp_path: Path, first: str) -> None:
    store = MemoryStore()
    info = create_archive(store, single_writer=False, now=NOON)
    append_key(store, info, KeyRing(), (SIGNER,), {}, now=NOON)
    last = None
    for number, said in enumerate(WORDS):
        now = NOON + timedelta(hours=number)
        pages = [replace(ARTICLE, words=said), BESIDE if number == 1 else replace(OTHER, words=f"Secret {number}.")]
        closed = write_segment(tmp_path / "spool", pages, archive=info.archive, now=now)
        last = commit_segment(store, info, closed, now=now, after=last, signer=SIGNER)
    for step in (compact, redact) if first == "compact" else (redact, compact):
        step(store, tmp_path)
    assert damage(verify_archive(store, full=True)) == []
    path = make_bundle(store, tmp_path).path
    report = check(path)
    assert [bool(one) for one in movers(report)] == [True, False, True]
    kinds = {report.chain.commits[one].kind for one in movers(report) if one}
    assert kinds == {"redact" if first == "compact" else "replace"}
    assert all(one.headers_proven for one in report.held.captures.values())
    for name, data in read_parts(path).items():
        assert b"Secret" not in (gzip.decompress(data) if name.endswith(".gz") else data), name
    redact(store, tmp_path, ARTICLE.url)
    with pytest.raises(ConfigError, match="was redacted"):
        make_bundle(store, tmp_path, "other.wacz")


def test_a_damaged_compacted_object_is_not_cited(tmp_path: Path) -> None:
    store = build_otherwise(tmp_path, signer=SIGNER)
    compact(store, tmp_path)
    (key,) = file_keys(store, COMPACTED)
    data = store.get(key)
    places = json.loads(store.get(commit_key(SOURCE, 4)).splitlines()[0])["detail"]["segments"]
    row = places[1]["rows"]
    for at in (
        row["offset"] + row["size_bytes"] // 2,
        places[0]["rows"]["offset"] + places[0]["rows"]["size_bytes"] + 900,
    ):
        wrong = bytearray(data)
        wrong[at] ^= 1
        put(store, key, bytes(wrong))
        with pytest.raises(DamageFound, match=r"run ofrecord verify|not as it was committed"):
            make_bundle(store, tmp_path / "x")
    store.delete(key)
    with pytest.raises(DamageFound, match="missing, though it was committed"):
        make_bundle(store, tmp_path)
    assert [one.name for one in tmp_path.glob("**/*.wacz")] == []


def test_another_dictionary_proves_nothing(tmp_path: Path) -> None:
    """The digest of frames holds whatever dictionary stands before them: what they inflate to must be told."""
    store = build_otherwise(tmp_path)
    compact(store, tmp_path, signer=None)
    path = make_bundle(store, tmp_path).path
    name = "evidence/commit-000000000004.json"
    line, signature = read_parts(path)[name].splitlines()
    told = json.loads(line)
    for one in told["detail"]["segments"]:
        del one["inflated"]
    last = json.loads(read_parts(path)["evidence/manifest.json"])["runs"]
    forged = repack(
        edit_manifest(path, tmp_path / "x.wacz", runs=[last[0] | {"last": 4}]),
        {name: json.dumps(told).encode() + b"\n" + signature + b"\n", "evidence/commit-000000000005.json": None},
        tmp_path / "y.wacz",
    )
    damages = [str(one) for one in verify_bundle(forged).findings.damages]
    assert sum("does not say what they inflate to" in one for one in damages) == 3


def test_what_is_altered_in_compacted_parts_is_found(tmp_path: Path) -> None:
    store = build_otherwise(tmp_path, signer=SIGNER)
    compact(store, tmp_path)
    path = make_bundle(store, tmp_path).path
    parts = read_parts(path)
    rows = sorted(name for name in parts if name.startswith("evidence/rows-"))
    for name in [*rows, "archive/records.warc.gz"]:
        for share in (0.02, 0.2, 0.4, 0.5, 0.6, 0.8, 0.98):
            wrong = bytearray(parts[name])
            wrong[int(len(wrong) * share)] ^= 4
            assert not verify_bundle(repack(path, {name: bytes(wrong)}, tmp_path / "x.wacz"), trusted=TRUSTED).sound
    said = gzip.decompress(parts[rows[0]])
    forgeries: list[dict[str, bytes | None]] = [
        {rows[0]: gzip.compress(said.replace(b"two per cent", b"six per cent"))},
        {rows[0]: gzip.compress(said) + b"x"},
        {rows[0]: gzip.compress(said) + gzip.compress(said)},
        {rows[0]: gzip.compress(said)[:-4]},
        {rows[0]: b""},
        {rows[0]: parts[rows[1]], rows[1]: parts[rows[0]]},
        {"archive/records.warc.gz": gzip.compress(gzip.decompress(parts["archive/records.warc.gz"]))},
    ]
    for forged in forgeries:
        assert not verify_bundle(repack(path, forged, tmp_path / "x.wacz"), trusted=TRUSTED).sound, forged.keys()
    segments = json.loads(parts["evidence/manifest.json"])["segments"]
    for moved_by in (None, 1, 2, 3, 5, 99):
        changed = [one | {"moved_by": moved_by} for one in segments]
        assert not verify_bundle(edit_manifest(path, tmp_path / "x.wacz", segments=changed), trusted=TRUSTED).sound


def test_a_bomb_in_place_of_rows_takes_no_memory(tmp_path: Path) -> None:
    store = build_otherwise(tmp_path, signer=SIGNER)
    compact(store, tmp_path)
    path = make_bundle(store, tmp_path).path
    name = min(one for one in read_parts(path) if one.startswith("evidence/rows-"))
    squeezer = zlib.compressobj(9, zlib.DEFLATED, 31)
    bomb = squeezer.compress(bytes(200 << 20)) + squeezer.flush()
    forged = repack(path, {name: bomb}, tmp_path / "x.wacz")
    tracemalloc.start()
    found = verify_bundle(forged, trusted=TRUSTED).findings.damages
    assert tracemalloc.get_traced_memory()[1] < 100 << 20
    tracemalloc.stop()
    assert "was altered: found" in str(found[0])

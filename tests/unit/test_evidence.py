"""What a bundle holds and says: whole histories and one moment, signed and not, old rows, whole segments, report."""

from __future__ import annotations

import json
import subprocess
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from config.errors import ConfigError, DamageFound
from jobs.archive.ends import LogEnd
from jobs.archive.heads import append_head, stamp_key
from jobs.archive.identity import read_info
from jobs.archive.log import Log
from jobs.archive.signing import Signer
from jobs.archive.stamps import make_request
from jobs.evidence import verify_bundle
from jobs.evidence.changes import apply_change, encode_change
from jobs.evidence.manifest import ChangeTold, name_part
from jobs.redaction.redacting import RedactRequest, redact_articles
from tests.archives import (
    NOON,
    SOURCE,
    commit_segment,
    cover_up,
    file_keys,
    put,
    read_lines,
    split_file,
    write_lines,
    write_segment,
)
from tests.authorities import make_files
from tests.bundles import (
    ARTICLE,
    LATER,
    OTHER,
    WORDS,
    build_edited,
    digest,
    make_bundle,
    open_store_as_archive,
    read_parts,
    repack,
)

if TYPE_CHECKING:
    from pathlib import Path

SIGNER = Signer.generate()
CHANGE = ChangeTold(before=1, after=2)


def test_a_whole_history_is_in_the_bundle_and_sound(tmp_path: Path) -> None:
    store = build_edited(tmp_path / "spool", signer=SIGNER)
    bundle = make_bundle(store, tmp_path)
    report = verify_bundle(bundle.path, trusted=[SIGNER.public.key_id])
    assert [str(one) for one in report.findings.damages] == []
    assert report.manifest
    assert [one.number for one in report.manifest.captures] == [1, 2, 3]
    assert all(one.payload_proven and one.headers_proven for one in report.held.captures.values())
    parts = read_parts(bundle.path)
    texts = [parts[f"evidence/text-{one.text_digest[7:]}.txt"].decode() for one in report.manifest.texts]
    assert texts == [f"{ARTICLE.path}\n{words}" for words in WORDS]
    assert all(
        digest(text.encode()) == told.text_digest for text, told in zip(texts, report.manifest.texts, strict=True)
    )
    assert apply_change(parts["evidence/change-1-2.diff"].decode(), CHANGE) == (texts[0], texts[1])
    for key in ("ofrecord.json", "keys/000001.json", "log/gazette/000000000001", "log/gazette/000000000003"):
        assert parts[name_part(key) or ""] == store.get(key)
    segment = store.get(file_keys(store, ".warc.gz")[0])
    members, rows = split_file(segment)
    assert parts["archive/records.warc.gz"].count(b"".join(members[1:3])) == 1
    assert b"".join(rows) in parts.values()


def test_what_is_proven_is_said_exactly(tmp_path: Path) -> None:
    signed = make_bundle(build_edited(tmp_path / "spool", signer=SIGNER), tmp_path, "signed.wacz").path
    anchored = verify_bundle(signed, trusted=[SIGNER.public.key_id]).statements
    assert anchored.proven[0].startswith("Nothing was altered since it was committed")
    assert SIGNER.public.key_id in anchored.proven[-1]
    loose = verify_bundle(signed).statements
    assert loose.proven[0].startswith("The bundle agrees with itself")
    assert "not anchored" in loose.unproven[0]
    assert any("publisher served this" in one for one in loose.unproven)
    unsigned = make_bundle(build_edited(tmp_path / "other"), tmp_path / "more", "unsigned.wacz").path
    told = verify_bundle(unsigned).statements
    assert "anybody could have made the whole bundle" in told.unproven[0]
    stranger = verify_bundle(signed, trusted=["0" * 64])
    assert not stranger.sound
    assert "not signed by the key that is trusted" in str(stranger.findings.damages[0])
    assert stranger.statements.proven == ()


@pytest.mark.parametrize(
    ("hours", "numbers", "others"), [(0.5, [1, 2], 1), (1.5, [2, 3], 1), (30.0, [3], 2), (1.0, [1, 2], 1)]
)
def test_one_moment_has_the_text_of_then_and_the_next(
    tmp_path: Path, hours: float, numbers: list[int], others: int
) -> None:
    at = NOON + timedelta(hours=hours)
    bundle = make_bundle(build_edited(tmp_path / "spool"), tmp_path, at=at)
    report = verify_bundle(bundle.path)
    assert report.sound
    assert report.manifest
    assert [one.number for one in report.manifest.captures] == numbers
    assert report.manifest.others == others
    assert f"holds {others} further capture" in " ".join(report.statements.unproven)
    page = read_parts(bundle.path)["evidence/report.html"].decode()
    assert f"Text {numbers[0]}, seen" in page


def test_there_is_nothing_to_cite_before_the_first_text(tmp_path: Path) -> None:
    store = build_edited(tmp_path / "spool")
    with pytest.raises(ConfigError, match="the first is of 2026-11-22 12:00:00Z"):
        make_bundle(store, tmp_path, at=NOON - timedelta(days=1))
    assert not (tmp_path / "bundle.wacz").exists()


def test_rows_of_before_prove_the_page_alone(tmp_path: Path) -> None:
    store = build_edited(tmp_path / "spool")
    for key in file_keys(store, ".warc.gz"):
        lines = read_lines(store, key)
        for line in lines:
            if line["type"] == "capture":
                del line["warc"]["response"]["head"]
        write_lines(store, key, lines)
    cover_up(store)
    report = verify_bundle(make_bundle(store, tmp_path).path)
    assert report.sound
    assert all(one.payload_proven and not one.headers_proven for one in report.held.captures.values())
    assert "Of 0 of 3 answers the HTTP status and headers are proven" in " ".join(report.statements.proven)


def test_whole_segments_prove_every_record(tmp_path: Path) -> None:
    store = build_edited(tmp_path / "spool")
    bundle = make_bundle(store, tmp_path, whole_segments=True)
    report = verify_bundle(bundle.path)
    assert [str(one) for one in report.findings.damages] == []
    assert report.held.whole
    parts = read_parts(bundle.path)
    for key in file_keys(store, ".warc.gz"):
        assert parts[f"archive/{key.rpartition('/')[2]}"] == store.get(key)
    assert all(ARTICLE.url in line for line in parts["indexes/index.cdx"].decode().splitlines())


def test_captures_without_an_answer_or_a_text_are_evidence_too(tmp_path: Path) -> None:
    store = build_edited(tmp_path / "spool", WORDS[:1])
    for hours, status in ((5, 404), (6, None), (7, 404)):
        info, now = read_info(store), NOON + timedelta(hours=hours)
        run = f"gazette-2026112{hours}T120000Z-0123456789abcdef"
        closed = write_segment(
            tmp_path / "spool", [replace(ARTICLE, status=status)], archive=info.archive, now=now, run=run
        )
        commit_segment(store, info, closed, now=now, after=Log(store, info, SOURCE).find_end())
    bundle = make_bundle(store, tmp_path)
    report = verify_bundle(bundle.path)
    assert [str(one) for one in report.findings.damages] == []
    assert report.manifest
    assert [(one.status, one.verdict, one.number) for one in report.manifest.captures] == [
        (200, "new", 1),
        (404, "suspected", None),
        (None, "bad", None),
        (404, "gone", None),
    ]
    page = read_parts(bundle.path)["evidence/report.html"].decode()
    assert "perhaps gone" in page
    assert "that no answer came (no answer)" in page


def test_a_damaged_archive_is_not_cited(tmp_path: Path) -> None:
    store = build_edited(tmp_path / "spool")
    key = file_keys(store, ".warc.gz")[1]
    data = bytearray(store.get(key))
    for place, message in ((len(data) - 40, "run ofrecord verify"), (700, "damaged")):
        wrong = bytearray(data)
        wrong[place] ^= 1
        put(store, key, bytes(wrong))
        with pytest.raises(DamageFound, match=message):
            make_bundle(store, tmp_path)
    assert [one.name for one in tmp_path.glob("*bundle*")] == []
    assert [one.name for one in tmp_path.glob(".ofrecord*")] == []


def test_what_was_redacted_is_not_cited_and_what_lies_beside_it_is(tmp_path: Path) -> None:
    store = build_edited(tmp_path / "spool", signer=SIGNER)
    with open_store_as_archive(store, tmp_path / "state", signer=SIGNER) as archive:
        request = RedactRequest(SOURCE, frozenset({OTHER.url}), "asked for", timedelta(0))
        assert redact_articles(archive, request).captures == 3
    report = verify_bundle(make_bundle(store, tmp_path).path, trusted=[SIGNER.public.key_id])
    assert [str(one) for one in report.findings.damages] == []
    assert report.manifest
    assert [one.moved_by for one in report.manifest.segments] == [4, 4, 4]
    assert report.chain.commits[4].kind == "redact"
    assert all(one.headers_proven for one in report.held.captures.values())
    with open_store_as_archive(store, tmp_path / "state", signer=SIGNER) as archive:
        redact_articles(archive, RedactRequest(SOURCE, frozenset({ARTICLE.url}), "asked for", timedelta(0)))
    with pytest.raises(ConfigError, match="was redacted"):
        make_bundle(store, tmp_path, "other.wacz")


def test_a_head_and_its_stamp_say_since_when_it_exists(tmp_path: Path) -> None:
    store = build_edited(tmp_path / "spool", signer=SIGNER)
    stored = list(Log(store, read_info(store), SOURCE).read())
    ends = {SOURCE: LogEnd(2, stored[1].digest)}
    head = append_head(store, read_info(store), None, ends, signer=SIGNER, now=LATER)
    assert head
    report = verify_bundle(make_bundle(store, tmp_path, at=NOON + timedelta(minutes=30)).path)
    assert report.sound
    assert report.manifest
    assert [(one.last, one.head, one.ends) for one in report.manifest.runs] == [(2, 1, "head")]
    whole = verify_bundle(make_bundle(store, tmp_path, "whole.wacz").path)
    assert whole.manifest
    assert [(one.last, one.ends) for one in whole.manifest.runs] == [(2, "head"), (3, "log")]
    assert "no outside time stamp" in " ".join(whole.statements.unproven)
    folder = tmp_path / "authority"
    folder.mkdir()
    root = make_files(folder)
    (folder / "query.tsq").write_bytes(make_request(head.data))
    command = "openssl ts -reply -config tsa.cnf -section one -queryfile query.tsq -out reply.tsr"
    subprocess.run(command.split(), cwd=folder, check=True, capture_output=True)
    put(store, stamp_key(1), (folder / "reply.tsr").read_bytes())
    path = make_bundle(store, tmp_path, "stamped.wacz", at=NOON + timedelta(minutes=30)).path
    checked = verify_bundle(path, ca_file=root)
    assert [str(one) for one in checked.findings.damages] == []
    assert "an authority whose root you gave" in checked.statements.proven[-1]
    assert checked.statements.proven[0].startswith("Nothing was altered")
    assert "was not checked" in " ".join(verify_bundle(path).statements.unproven)
    stamp = read_parts(path)["evidence/head-000000000001.tsr"]
    wrong = repack(path, {"evidence/head-000000000001.tsr": stamp[:-9] + b"x" + stamp[-8:]}, tmp_path / "x.wacz")
    assert "head-000000000001.tsr" in str(verify_bundle(wrong, ca_file=root).findings.damages[0])
    other = read_parts(path)["evidence/head-000000000001.json"].replace(b'"n":1', b'"n": 1')
    moved = repack(path, {"evidence/head-000000000001.json": other}, tmp_path / "x.wacz")
    assert len(verify_bundle(moved, ca_file=root).findings.damages) == 2


def test_the_report_escapes_what_a_page_says(tmp_path: Path) -> None:
    arabic = "\u0627\u0644\u0639\u0631\u0628\u064a\u0629"
    words = ("Safe.", '<script>alert("x")</script> & \u202egnihton \u2066x', f"\u200f{arabic}")
    bundle = make_bundle(build_edited(tmp_path / "spool", words), tmp_path)
    page = read_parts(bundle.path)["evidence/report.html"].decode()
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    assert "\u202e" not in page
    assert "\u2066" not in page
    assert 'dir="auto"' in page
    assert "default-src 'none'" in page
    assert arabic in page
    assert '<p class="rtl" dir="auto">' in page
    assert "src=" not in page


def test_the_same_archive_makes_the_same_bundle(tmp_path: Path) -> None:
    store = build_edited(tmp_path / "spool", signer=SIGNER)
    one, other = (make_bundle(store, tmp_path, name).path.read_bytes() for name in ("a.wacz", "b.wacz"))
    assert one == other


def test_a_manifest_is_read_by_others(tmp_path: Path) -> None:
    parts = read_parts(make_bundle(build_edited(tmp_path / "spool"), tmp_path).path)
    manifest = json.loads(parts["evidence/manifest.json"])
    assert manifest["format"] == "1.1"
    assert manifest["created"] == LATER.isoformat().replace("+00:00", "Z")
    assert manifest["runs"] == [{"first": 1, "last": 3, "head": None, "ends": "log"}]
    assert set(manifest["captures"][0]) == {
        *("segment", "n", "captured_at", "target_uri", "status", "verdict", "number", "text", "records", "why"),
    }


@pytest.mark.parametrize(
    ("before", "after"),
    [("a\nb\nc", "a\nB\nc"), ("a", "b"), ("", "a"), ("a\n+b\n-c\n d", "+b\n d\n\\ x"), ("a\rb", "a\u2028b")],
)
def test_both_texts_come_out_of_a_change(before: str, after: str) -> None:
    assert apply_change(encode_change(before, after, CHANGE), CHANGE) == (before, after)


@pytest.mark.parametrize("text", ["", "x", "--- a\n+++ b\n@@ x\n*y\n", "--- a\n+++ b\n@@ x\n y"])
def test_what_is_no_change_is_refused(text: str) -> None:
    with pytest.raises(DamageFound):
        apply_change(text, CHANGE)

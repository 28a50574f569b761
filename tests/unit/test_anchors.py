"""Heads kept outside, the archive's own ones and stamps: what verify finds by them that the log alone does not tell."""

from __future__ import annotations

import json
import shutil
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from config.errors import ConfigError, DamageFound
from config.settings import Settings
from jobs.archive.commit import commit_key, digest
from jobs.archive.ends import LogEnd
from jobs.archive.heads import append_head, head_key, read_head, stamp_key
from jobs.archive.identity import read_info
from jobs.archive.stamps import make_request
from jobs.heads.post import Posting, post_all
from jobs.verify import check_anchors, verify_archive
from tests.archives import NOON, append_commit, commit_keys, copy_store, put, rechain
from tests.authorities import run_authority
from tests.faults import damage, notices
from tests.signed import FIRST, FOREIGN, SECOND, build_signed, resign

if TYPE_CHECKING:
    from pathlib import Path

    from jobs.archive.heads import ArchiveHead
    from jobs.archive.signing import Signer
    from jobs.store.memory import MemoryStore
    from jobs.verify import VerifyReport


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> MemoryStore:
    store = build_signed(tmp_path_factory.mktemp("spool"))
    write(store, None, SECOND)
    return store


@pytest.fixture
def store(made: MemoryStore) -> MemoryStore:
    return copy_store(made)


def write(store: MemoryStore, before: ArchiveHead | None, signer: Signer | None, **ends: int) -> ArchiveHead:
    """Put a head of the ends as they are, or as *ends* name them."""
    found: dict[str, LogEnd] = {}
    for key in commit_keys(store):
        source, seq = key.split("/")[1], int(key[-12:])
        if seq <= ends.get(source, seq):
            found[source] = LogEnd(seq, digest(store.get(key)))
    now = NOON + timedelta(days=5 + (before.n if before else 0))
    head = append_head(store, read_info(store), before, found, signer=signer, now=now)
    assert head is not None
    return head


def keep_outside(store: MemoryStore, folder: Path, n: int = 1) -> Path:
    """Put head *n* where a second place has it; return that place."""
    inner = folder / "heads" / read_info(store).archive
    inner.mkdir(parents=True)
    (inner / f"{n:012d}.json").write_bytes(store.get(head_key(n)))
    return folder


def check(store: MemoryStore, *places: Path, settings: Settings | None = None) -> VerifyReport:
    report = verify_archive(store, full=False)
    check_anchors(store, report, settings or Settings(), places=[str(place) for place in places])
    return report


def test_a_sound_archive_and_what_its_outside_head_covers(store: MemoryStore, tmp_path: Path) -> None:
    place = keep_outside(store, tmp_path)
    report = check(store, place, settings=Settings(heads_to=str(place)))  # named twice, and told once
    assert damage(report) == []
    assert [(one.n, one.sha256) for one in report.anchors.outside] == [(1, digest(store.get(head_key(1))))]
    assert report.anchors.uncovered == {}
    append_commit(store, source="herald", signer=SECOND, kind="ledger")
    report = check(store, place)
    assert damage(report) == []
    assert "herald: no outside head covers commits 2 to 2 yet" in notices(report)
    assert report.to_json()["anchors"]["uncovered"] == {"herald": [2, 2]}


def test_second_places_of_the_settings_are_read_and_told_where_they_cannot(store: MemoryStore, tmp_path: Path) -> None:
    place = keep_outside(store, tmp_path / "there")
    (tmp_path / "empty").mkdir()
    places = f"{place} {tmp_path / 'empty'} {tmp_path / 'gone'} https://hooks.example/x"
    report = check(store, settings=Settings(heads_to=places))
    assert damage(report) == []
    assert len(report.anchors.outside) == 1
    assert "has no head of this archive yet" in notices(report)
    assert "cannot be read: --heads: " in notices(report)


def test_a_file_a_folder_of_files_and_what_is_none(store: MemoryStore, tmp_path: Path) -> None:
    place = keep_outside(store, tmp_path)
    folder = place / "heads" / read_info(store).archive
    for one in (folder, folder / "000000000001.json"):
        assert len(check(store, one).anchors.outside) == 1
    (tmp_path / "none").mkdir()
    with pytest.raises(ConfigError, match="no head of this archive is there"):
        check(store, tmp_path / "none")
    with pytest.raises(ConfigError, match="no such file or folder"):
        check(store, tmp_path / "nowhere")
    (tmp_path / "garbage").write_bytes(b"{}\n-\n")
    with pytest.raises(DamageFound, match="garbage: "):
        check(store, tmp_path / "garbage")


def test_a_cut_tail_is_found_and_named_with_commit_and_head(store: MemoryStore, tmp_path: Path) -> None:
    place = keep_outside(store, tmp_path)
    store.delete(head_key(1))
    store.delete(commit_key("gazette", 5))
    assert damage(verify_archive(store, full=False)) == []
    found = damage(check(store, place))
    assert f"heads/000000000001.json: missing, but {place}/heads/" in found[0]
    assert "log/gazette/000000000005: missing, but head 1 of 2026-11-27T12:00:00Z" in found[1]
    assert "the end of the log was taken away" in found[1]


def test_a_log_written_anew_by_who_has_the_key_is_found(store: MemoryStore, tmp_path: Path) -> None:
    place = keep_outside(store, tmp_path)
    line = store.get(commit_key("herald", 1)).splitlines()[0]
    resign(store, commit_key("herald", 1), [SECOND], line=line.replace(b'"epoch":0', b'"epoch": 0'))
    store.delete(head_key(1))
    write(store, None, SECOND)
    assert damage(check(store)) == []
    found = "\n".join(damage(check(store, place)))
    assert "heads/000000000001.json: is another than the one at" in found
    assert "log/herald/000000000001: found sha256:" in found
    assert "the log was written anew" in found


def test_an_archive_stripped_of_keys_and_signatures_is_found(store: MemoryStore, tmp_path: Path) -> None:
    place = keep_outside(store, tmp_path)
    for item in list(store.list("keys/")) + list(store.list("heads/")):
        store.delete(item.key)
    rechain(store, {2: {"kind": "pack", "detail": {}}, 4: {"kind": "pack", "detail": {}}})
    assert damage(verify_archive(store, full=False)) == []
    found = "\n".join(damage(check(store, place)))
    assert "signature: signed by" in found
    assert "log/gazette/000000000005: found" in found


@pytest.mark.parametrize(
    ("signer", "message"),
    [
        (FOREIGN, "a key that keys/ does not have, expected a signature by key 2"),
        (FIRST, "which was rotated out before that, expected a signature by key 2"),
        (None, "signature: unsigned, expected a signature by key 2"),
    ],
)
def test_a_head_by_another_key(store: MemoryStore, tmp_path: Path, signer: Signer | None, message: str) -> None:
    resign(store, head_key(1), [signer] if signer else [])
    found = damage(check(store, keep_outside(store, tmp_path)))
    assert [message in one for one in found] == [True, True]
    assert found[0].startswith("heads/000000000001.json: ")


def test_a_head_of_another_archive(store: MemoryStore, tmp_path: Path) -> None:
    line = json.loads(store.get(head_key(1)).splitlines()[0])
    (tmp_path / "head").write_bytes(json.dumps({**line, "archive": "0" * 32}).encode() + b"\n-\n")
    assert f"head: is of archive '{'0' * 32}'" in damage(check(store, tmp_path / "head"))[0]


def test_the_chain_of_its_own_heads(store: MemoryStore) -> None:
    for n in (1, 2, 3):
        append_commit(store, source="herald", signer=SECOND, kind="ledger")
        write(store, read_head(store, n), SECOND)
    assert damage(check(store)) == []
    whole = copy_store(store)
    store.delete(head_key(2))
    assert damage(check(store)) == ["heads/000000000002.json: missing, but later heads are there"]
    line = json.loads(whole.get(head_key(4)).splitlines()[0])
    line["previous"] = "sha256:" + "0" * 64
    store = copy_store(whole)
    resign(store, head_key(4), [SECOND], line=json.dumps(line).encode())
    assert "heads/000000000004.json: the chain breaks" in damage(check(store))[0]
    store = copy_store(whole)
    line = json.loads(whole.get(head_key(4)).splitlines()[0])
    line["heads"] = json.loads(whole.get(head_key(2)).splitlines()[0])["heads"]
    resign(store, head_key(4), [SECOND], line=json.dumps(line).encode())
    assert "says that herald ends at commit 2, the one before it at 3" in damage(check(store))[0]
    store = copy_store(whole)
    put(store, head_key(3), b"garbage")
    assert "heads/000000000003.json: not a head" in damage(check(store))[0]


def test_a_manifest_by_a_rotated_out_key_or_none(store: MemoryStore) -> None:
    line = json.loads(store.get(head_key(1)).splitlines()[0])
    key = "tables/manifest-000000000001"
    put(store, key, b"{}\n-\n")
    for signers, message in (([FIRST], "rotated out"), ([], "unsigned"), ([SECOND], "")):
        resign(store, key, signers, line=json.dumps(line).encode())
        found = "\n".join(damage(check(store)))
        assert message in found
        assert bool(found) == bool(message)


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")
def test_stamps_say_by_when_all_of_it_existed(store: MemoryStore, tmp_path: Path) -> None:
    (tmp_path / "tsa").mkdir()
    place = keep_outside(store, tmp_path / "outside")
    data = store.get(head_key(1))
    with run_authority(tmp_path / "tsa") as authority:
        (posted,) = post_all([Posting(authority.url, make_request(data))])
        assert posted.reason is None
        put(store, stamp_key(1), posted.body)
        report = check(store)
        assert "1 stamp not checked to its root: set stamp_ca_file" in notices(report)
        trusting = Settings(stamp_ca_file=authority.root)
        report = check(store, settings=trusting)
        assert damage(report) == []
        assert report.anchors.stamped is not None
        assert "all that head 1 names existed by 20" in notices(report)
        store.delete(stamp_key(1))
        (place / "heads" / read_info(store).archive / "000000000001.tsr").write_bytes(posted.body)
        report = check(store, place, settings=trusting)
        assert report.anchors.stamped is not None
        assert str(place) in report.anchors.stamped.where
    put(store, stamp_key(1), posted.body[:-3] + b"abc")
    assert "heads/000000000001.tsr: " in damage(check(store, settings=trusting))[0]
    put(store, stamp_key(1), b"nothing")
    assert "heads/000000000001.tsr: not a time stamp" in damage(check(store))[0]

"""What verify reports beside damage, and that archives of every sound shape are sound."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from config.errors import ArchiveMissing, FormatTooNew
from jobs.archive.commit import CommittedFile, commit_key, decode_commit, digest, encode_commit, warc_key
from jobs.archive.identity import create_archive
from jobs.store.local import LocalStore
from jobs.store.memory import MemoryStore
from jobs.verify import Severity, Step, verify_archive
from tests.archives import (
    DERIVATION,
    NOON,
    SOURCE,
    append_commit,
    build_archive,
    commit_keys,
    cover_up,
    file_keys,
    put,
    read_lines,
    rechain,
    write_lines,
)
from tests.faults import damage, notices

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def store(tmp_path: Path) -> MemoryStore:
    return build_archive(tmp_path / "spool", segments=2)


# --- archives as a whole


def test_no_archive() -> None:
    with pytest.raises(ArchiveMissing, match="no archive here"):
        verify_archive(MemoryStore(), full=False)


def test_no_archive_in_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ArchiveMissing, match="no archive here"):
        verify_archive(LocalStore(tmp_path / "nowhere"), full=False)


def test_empty_archive_is_sound() -> None:
    store = MemoryStore()
    create_archive(store, single_writer=False, now=NOON)
    report = verify_archive(store, full=True)
    assert (damage(report), report.heads, report.uncommitted) == ([], {}, [])


def test_later_format_is_refused(store: MemoryStore) -> None:
    put(store, "ofrecord.json", b'{"format":"2.0"}')
    with pytest.raises(FormatTooNew):
        verify_archive(store, full=False)


def test_a_commit_cannot_give_up_a_lease_that_nobody_held(store: MemoryStore) -> None:
    key = commit_keys(store)[-1]
    commit = decode_commit(store.get(key), key).commit
    for epoch, found in ((1, 0), (0, 1)):
        put(store, key, encode_commit(replace(commit, epoch=epoch, releases=True)))
        faults = damage(verify_archive(store, full=False))
        assert len(faults) == found
        assert all(key in str(one) and "releases is true, epoch 0" in str(one) for one in faults)


def test_unsigned_is_said(store: MemoryStore) -> None:
    report = verify_archive(store, full=False)
    assert report.unsigned
    assert "keys/: unsigned" in notices(report)
    put(store, "keys/000001.json", b"{}\n")
    report = verify_archive(store, full=False)
    assert not report.unsigned
    assert "keys/000001.json: not a key" in damage(report)[0]


def test_heads_are_what_the_next_commit_will_name(store: MemoryStore) -> None:
    report = verify_archive(store, full=False)
    stored = append_commit(store, kind="ledger")
    assert report.heads[SOURCE].digest == stored.commit.previous
    assert report.heads[SOURCE].seq + 1 == stored.commit.seq


def test_report_is_json(store: MemoryStore) -> None:
    store.delete(file_keys(store, ".warc.gz")[0])
    data = verify_archive(store, full=True).to_json()
    assert json.loads(json.dumps(data)) == data
    assert data["damaged"] is True
    assert data["counts"]["commits"] == 2
    assert {"severity", "key", "message"} <= data["findings"][0].keys()


def test_only_the_sources_asked_for(store: MemoryStore) -> None:
    store.delete(file_keys(store, ".warc.gz")[0])
    put(store, commit_key("herald", 1), b"no commit")
    assert {finding.key.split("/")[1] for finding in verify_archive(store, full=True).findings} >= {SOURCE, "herald"}
    report = verify_archive(store, full=True, sources=["herald"])
    assert [finding.key for finding in report.findings if finding.severity is Severity.DAMAGE] == [
        "log/herald/000000000001"
    ]
    assert "log/nobody/: this source has no log" in notices(verify_archive(store, full=False, sources=["nobody"]))


def test_progress_tells_every_file(store: MemoryStore) -> None:
    told: list[Step] = []
    keys = [file.key for key in commit_keys(store) for file in decode_commit(store.get(key), key).commit.files]
    put(store, keys[0], store.get(keys[0])[:-1])
    verify_archive(store, full=True, progress=told.append)
    assert [step.key for step in told] == [key for key in keys for _ in range(2)]
    assert [step.files for step in told] == [0, 1, 1, 2]
    sizes = [len(store.get(key)) + (key == keys[0]) for key in keys]
    assert [step.bytes for step in told[1::2]] == [sum(sizes[:n]) for n in range(1, 3)]
    assert {(step.source, step.files_known, step.bytes_known) for step in told} == {(SOURCE, 2, sum(sizes))}
    assert told[0].damages >= 1  # the size, seen before anything is read
    assert told[-1].damages > told[0].damages
    told.clear()
    verify_archive(store, full=False, progress=told.append)
    assert told == []


# --- quick


def test_quick_sees_sizes_and_the_digests_that_the_store_proves(store: MemoryStore, tmp_path: Path) -> None:
    key = file_keys(store, ".warc.gz")[0]
    local = LocalStore(tmp_path / "archive")
    for item in store.list(""):
        local.create(item.key, store.get(item.key), sha256=digest(store.get(item.key)))
    changed = store.get(key)[:-1] + b"?"
    put(store, key, changed)
    (tmp_path / "archive" / key).write_bytes(changed)
    assert "the bytes were changed" in damage(verify_archive(store, full=False))[0]
    assert damage(verify_archive(local, full=False)) == []
    assert "the bytes were changed" in damage(verify_archive(local, full=True))[0]
    (tmp_path / "archive" / key).write_bytes(changed[:-1])
    assert "bytes, commit 1 says" in damage(verify_archive(local, full=False))[0]


# --- uncommitted, repeats, late facts, kinds


def test_files_without_a_commit_are_no_damage(store: MemoryStore) -> None:
    keys = [f"segments/{SOURCE}/sealed=2026-11-22/gazette-left.warc.gz", "segments/herald/sealed=2026-11-22/x.warc.gz"]
    for key in keys:
        put(store, key, b"left over")
    for full in (False, True):
        report = verify_archive(store, full=full)
        assert (damage(report), report.uncommitted) == ([], keys)
        assert report.counts.files == 2


def test_repeat_of_a_segment_is_noticed(store: MemoryStore) -> None:
    commit = decode_commit(store.get(commit_keys(store)[0]), "commit").commit
    append_commit(
        store, segment=commit.segment, files=commit.files, rows=commit.rows, run=commit.run, counts=commit.counts
    )
    report = verify_archive(store, full=True)
    assert damage(report) == []
    assert f"log/gazette/000000000003: repeats segment {commit.segment} of commit 1; it counts once" in notices(report)
    assert (report.counts.segments, report.counts.files) == (2, 2)


def test_two_commits_that_contradict_each_other(store: MemoryStore) -> None:
    commit = decode_commit(store.get(commit_keys(store)[0]), "commit").commit
    files = (replace(commit.files[0], sha256=digest(b"another")),)
    append_commit(store, segment=commit.segment, files=files, rows=commit.rows)
    assert f"says of {files[0].key} what commit 1 contradicts" in damage(verify_archive(store, full=False))[0]


def test_late_commit_is_noticed(store: MemoryStore) -> None:
    append_commit(store, kind="ledger", epoch=5)
    append_commit(store, kind="ledger", epoch=4)
    report = verify_archive(store, full=True)
    assert damage(report) == []
    assert "000000000004: late: of lease epoch 4, after one of epoch 5" in notices(report)


def test_unknown_kind_stays_in_the_chain(store: MemoryStore) -> None:
    data = b"whatever it is"
    key = f"segments/{SOURCE}/sealed=2026-11-22/gazette-later.bin"
    put(store, key, data)
    append_commit(store, kind="later", files=(CommittedFile(key, len(data), digest(data), 1),))
    report = verify_archive(store, full=True)
    assert (damage(report), report.uncommitted) == ([], [])
    assert "of a kind that this version does not know: 'later'" in notices(report)
    put(store, key, b"whatever it's")
    assert key in damage(verify_archive(store, full=True))[0]


@pytest.mark.parametrize("kind", ["replace", "redact"])
def test_what_is_replaced_by_an_unsound_commit_may_not_be_gone(store: MemoryStore, kind: str) -> None:
    old, other = file_keys(store, ".warc.gz")
    key = old.replace(".warc.gz", "-again.warc.gz")
    put(store, key, b"in its place")
    files = (CommittedFile(key, 12, digest(b"in its place"), 1),)
    append_commit(store, kind=kind, files=files, replaces=(old, {"key": other}))
    assert any(f"not a {kind} commit" in one for one in damage(verify_archive(store, full=True)))
    store.delete(old)
    store.delete(other)
    found = damage(verify_archive(store, full=True))
    assert {one.partition(":")[0] for one in found} >= {old, other}


def test_named_checkpoint_is_read(store: MemoryStore) -> None:
    checkpoint = "checkpoint/gazette/000000000002"
    put(store, checkpoint, b"checkpoint")
    put(store, "checkpoint/gazette/000000000001", b"named by none")
    named = {"key": checkpoint, "size_bytes": 10, "sha256": digest(b"checkpoint"), "seq": 2}
    append_commit(store, kind="ledger", checkpoint=named)
    assert damage(verify_archive(store, full=True)) == []
    put(store, checkpoint, b"checkpaint")
    assert damage(verify_archive(store, full=False)) == []
    assert "commit 3 says" in damage(verify_archive(store, full=True))[0]
    put(store, checkpoint, b"check")
    assert "found 5 bytes, commit 3 says 10" in damage(verify_archive(store, full=False))[0]
    store.delete(checkpoint)
    assert f"{checkpoint}: missing; commit 3 names it" in damage(verify_archive(store, full=False))


def test_commit_may_not_name_a_checkpoint_elsewhere(store: MemoryStore) -> None:
    append_commit(store, kind="ledger", checkpoint={"key": "../../etc/passwd", "sha256": digest(b""), "seq": 1})
    append_commit(store, kind="ledger", checkpoint={"key": "checkpoint/herald/x", "sha256": digest(b""), "seq": 2})
    assert len(damage(verify_archive(store, full=True))) == 2


def test_repair_leaves_a_segment_as_it_was(store: MemoryStore) -> None:
    """What was put back is looked into like everything else, and must be what was committed."""
    files = decode_commit(store.get(commit_keys(store)[0]), "commit").commit.files
    append_commit(store, kind="repair", files=files)
    report = verify_archive(store, full=True)
    assert damage(report) == []
    assert report.counts.records == 16
    append_commit(store, kind="repair", files=(replace(files[0], sha256=digest(b"another")),))
    assert "what commit 1 contradicts" in damage(verify_archive(store, full=False))[0]


@pytest.mark.parametrize("kind", ["segment", "adopt"])
def test_segment_commit_says_where_its_rows_are(store: MemoryStore, kind: str) -> None:
    rechain(store, {1: {"rows": None, "kind": kind}})
    assert damage(verify_archive(store, full=False)) == [f"{commit_keys(store)[0]}: does not say where its rows are"]
    report = verify_archive(store, full=True)
    assert damage(report) == [f"{commit_keys(store)[0]}: does not say where its rows are"]
    assert report.counts.rows == 24


def test_segment_commit_has_a_file(store: MemoryStore) -> None:
    rechain(store, {1: {"rows": None, "files": ()}})
    found = damage(verify_archive(store, full=False))
    assert "names 0 files that end with .warc.gz, expected one" in found[0]


def test_rows_have_a_digest_and_are_in_a_warc_file(store: MemoryStore) -> None:
    commit = decode_commit(store.get(commit_keys(store)[0]), "commit").commit
    assert commit.rows is not None
    other = replace(commit.files[0], key=commit.files[0].key.replace(".warc.gz", ".bin"))
    for change, message in (
        ({"rows": replace(commit.rows, sha256="sha256:x")}, "its rows have 'sha256:x', expected a digest"),
        (
            {"files": (*commit.files, other), "rows": replace(commit.rows, key=other.key)},
            "expected a file that ends with .warc.gz",
        ),
    ):
        rechain(store, {1: change})
        assert message in "\n".join(damage(verify_archive(store, full=False)))


def test_rows_too_long_to_be_read_are_named(store: MemoryStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("jobs.verify.segment.MAX_ROWS_BYTES", 100)
    assert "bytes of rows; at most 100 are read" in damage(verify_archive(store, full=True))[0]


@pytest.mark.parametrize("kind", ["segment", "adopt"])
def test_commit_with_files_names_its_segment(store: MemoryStore, kind: str) -> None:
    rechain(store, {1: {"segment": None, "kind": kind}})
    assert f"{commit_keys(store)[0]}: names no segment" in damage(verify_archive(store, full=False))


def test_commit_of_two_segments_is_none(store: MemoryStore) -> None:
    commits = [decode_commit(store.get(key), key).commit for key in commit_keys(store)]
    rechain(store, {1: {"kind": "adopt", "files": commits[0].files + commits[1].files}})
    assert "names 2 files that end with .warc.gz, expected one" in damage(verify_archive(store, full=False))[0]


def test_signature_line_is_checked_for_shape(store: MemoryStore) -> None:
    key = commit_keys(store)[-1]
    put(store, key, store.get(key)[:-2] + b"trust me\n")
    assert "line 2: found 'trust me', expected - or at most" in damage(verify_archive(store, full=False))[0]
    put(store, key, store.get(key)[:-9] + b"ed25519 " + b"0" * 64 + b" " + b"A" * 86 + b"==\n")
    assert "but the archive has no sound key" in damage(verify_archive(store, full=False))[0]


def test_a_row_proves_its_record_whole(store: MemoryStore) -> None:
    key = file_keys(store, ".warc.gz")[0]
    lines = read_lines(store, key)
    row = next(line for line in lines if line["type"] == "capture")
    assert row["warc"]["response"]["head"].startswith("sha256:")
    assert "head" not in row["warc"]["request"]
    row["warc"]["response"]["head"] = "sha256:" + "0" * 64
    write_lines(store, key, lines)
    cover_up(store)
    assert "head: the row says 'sha256:000" in damage(verify_archive(store, full=True))[0]
    for line in lines:
        if line["type"] == "capture" and line["warc"] and line["warc"]["response"]:
            del line["warc"]["response"]["head"]
    write_lines(store, key, lines)
    cover_up(store)
    assert damage(verify_archive(store, full=True)) == []


def test_derivation_must_have_its_digest(store: MemoryStore) -> None:
    rechain(store, {1: {"derivations": {DERIVATION.digest: {"extractor": "another"}}}})
    assert "does not have the digest of what it stands for" in damage(verify_archive(store, full=False))[0]


def test_a_huge_object_in_place_of_a_file_is_not_fetched(store: MemoryStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("jobs.verify.files.MAX_EXCESS_BYTES", 100)
    key = file_keys(store, ".warc.gz")[0]
    put(store, key, store.get(key) + bytes(101))
    fetched: list[str] = []
    fetch = store.fetch

    def watch(name: str, target: Path) -> None:
        fetched.append(name)
        fetch(name, target)

    monkeypatch.setattr(store, "fetch", watch)
    report = verify_archive(store, full=True)
    assert key not in fetched
    assert len(fetched) == 1
    assert [finding.key for finding in report.findings if finding.severity is Severity.DAMAGE] == [key]


def test_keys_of_the_format() -> None:
    """The places that verify holds commits to are those that the writer uses."""
    assert warc_key(SOURCE, NOON, "x").startswith(f"segments/{SOURCE}/sealed=")


def test_commit_without_its_own_fields_is_told_apart(store: MemoryStore) -> None:
    key = commit_keys(store)[0]
    commit = decode_commit(store.get(key), key).commit
    put(store, key, encode_commit(replace(commit, seq=9)))
    assert f"{key}: holds commit 9, expected 1" in damage(verify_archive(store, full=False))

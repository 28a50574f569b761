"""What verify reports beside damage, that archives of every sound shape are sound, and how it reads members."""

from __future__ import annotations

import json
import zlib
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
import zstandard

from config.errors import ArchiveMissing, FormatTooNew
from crawler.rows import CaptureReference, SnapshotRow
from crawler.segment import SegmentWriter, recover_segments
from jobs.archive import (
    Commit,
    CommittedFile,
    Log,
    commit_key,
    create_archive,
    decode_commit,
    digest,
    encode_commit,
    read_info,
    rows_key,
    warc_key,
)
from jobs.seal import seal_segment
from jobs.store.local import LocalStore
from jobs.store.memory import MemoryStore
from jobs.verify import Finding, Severity, VerifyReport, verify_archive
from jobs.verify.members import Record, walk_records
from jobs.verify.report import MAX_FINDINGS_PER_OBJECT, Notes
from tests.archives import (
    DERIVATION,
    MEANING,
    NOON,
    SOURCE,
    Page,
    build_archive,
    commit_keys,
    commit_segment,
    derivation_of,
    file_keys,
    put,
    rechain,
    write_segment,
)

if TYPE_CHECKING:
    from pathlib import Path

    from jobs.archive import ArchiveInfo, StoredCommit


@pytest.fixture
def store(tmp_path: Path) -> MemoryStore:
    return build_archive(tmp_path / "spool", segments=2)


def _damage(report: VerifyReport) -> list[str]:
    return [str(finding) for finding in report.findings if finding.severity is Severity.DAMAGE]


def _notices(report: VerifyReport) -> str:
    return "\n".join(str(finding) for finding in report.findings if finding.severity is Severity.NOTICE)


def _append(store: MemoryStore, **fields: Any) -> StoredCommit:
    """Put one more commit at the end of the log."""
    info = read_info(store)
    *_, last = Log(store, info, SOURCE).read()
    draft = Commit(source=SOURCE, committed=NOON, archive=info.archive, **{"kind": "segment", **fields})
    return Log(store, info, SOURCE).append(draft, after=last.commit.seq, head=last.digest)[0]


def _make(info_store: MemoryStore) -> ArchiveInfo:
    return create_archive(info_store, single_writer=False, now=NOON)


# --- archives as a whole


def test_no_archive() -> None:
    with pytest.raises(ArchiveMissing, match="no archive here"):
        verify_archive(MemoryStore(), full=False)


def test_no_archive_in_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ArchiveMissing, match="no archive here"):
        verify_archive(LocalStore(tmp_path / "nowhere"), full=False)


def test_empty_archive_is_sound() -> None:
    store = MemoryStore()
    _make(store)
    report = verify_archive(store, full=True)
    assert (_damage(report), report.heads, report.uncommitted) == ([], {}, [])


def test_later_format_is_refused(store: MemoryStore) -> None:
    put(store, "ofrecord.json", b'{"format":"2.0"}')
    with pytest.raises(FormatTooNew):
        verify_archive(store, full=False)


def test_unsigned_is_said(store: MemoryStore) -> None:
    report = verify_archive(store, full=False)
    assert report.unsigned
    assert "keys/: unsigned" in _notices(report)
    put(store, "keys/000001.json", b"{}\n")
    report = verify_archive(store, full=False)
    assert not report.unsigned
    assert "checks no signatures" in _notices(report)


def test_heads_are_what_the_next_commit_will_name(store: MemoryStore) -> None:
    report = verify_archive(store, full=False)
    stored = _append(store, kind="ledger")
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
    assert "log/nobody/: this source has no log" in _notices(verify_archive(store, full=False, sources=["nobody"]))


def test_progress_tells_every_file(store: MemoryStore) -> None:
    told: dict[str, int] = {}
    verify_archive(store, full=True, progress=told.__setitem__)
    keys = file_keys(store, ".gz") + file_keys(store, ".zst")
    assert told == {key: len(store.get(key)) for key in keys}
    told.clear()
    verify_archive(store, full=False, progress=told.__setitem__)
    assert told == {}


# --- quick


def test_quick_sees_sizes_and_the_digests_that_the_store_proves(store: MemoryStore, tmp_path: Path) -> None:
    key = file_keys(store, ".warc.gz")[0]
    local = LocalStore(tmp_path / "archive")
    for item in store.list(""):
        local.create(item.key, store.get(item.key), sha256=digest(store.get(item.key)))
    changed = store.get(key)[:-1] + b"?"
    put(store, key, changed)
    (tmp_path / "archive" / key).write_bytes(changed)
    assert "the bytes were changed" in _damage(verify_archive(store, full=False))[0]
    assert _damage(verify_archive(local, full=False)) == []
    assert "the bytes were changed" in _damage(verify_archive(local, full=True))[0]
    (tmp_path / "archive" / key).write_bytes(changed[:-1])
    assert "bytes, commit 1 says" in _damage(verify_archive(local, full=False))[0]


# --- uncommitted, repeats, late facts, kinds


def test_files_without_a_commit_are_no_damage(store: MemoryStore) -> None:
    keys = [f"segments/{SOURCE}/sealed=2026-11-22/gazette-left.warc.gz", "segments/herald/sealed=2026-11-22/x.warc.gz"]
    for key in keys:
        put(store, key, b"left over")
    for full in (False, True):
        report = verify_archive(store, full=full)
        assert (_damage(report), report.uncommitted) == ([], keys)
        assert report.counts.files == 4


def test_repeat_of_a_segment_is_noticed(store: MemoryStore) -> None:
    commit = decode_commit(store.get(commit_keys(store)[0]), "commit").commit
    _append(store, segment=commit.segment, files=commit.files, run=commit.run, counts=commit.counts)
    report = verify_archive(store, full=True)
    assert _damage(report) == []
    assert f"log/gazette/000000000003: repeats segment {commit.segment} of commit 1; it counts once" in _notices(report)
    assert (report.counts.segments, report.counts.files) == (2, 4)


def test_two_commits_that_contradict_each_other(store: MemoryStore) -> None:
    commit = decode_commit(store.get(commit_keys(store)[0]), "commit").commit
    files = (replace(commit.files[0], sha256=digest(b"another")), commit.files[1])
    _append(store, segment=commit.segment, files=files)
    assert f"says of {files[0].key} what commit 1 contradicts" in _damage(verify_archive(store, full=False))[0]


def test_late_commit_is_noticed(store: MemoryStore) -> None:
    _append(store, kind="ledger", epoch=5)
    _append(store, kind="ledger", epoch=4)
    report = verify_archive(store, full=True)
    assert _damage(report) == []
    assert "000000000004: late: of lease epoch 4, after one of epoch 5" in _notices(report)


def test_unknown_kind_stays_in_the_chain(store: MemoryStore) -> None:
    data = b"whatever it is"
    key = f"segments/{SOURCE}/sealed=2026-11-22/gazette-later.bin"
    put(store, key, data)
    _append(store, kind="later", files=(CommittedFile(key, len(data), digest(data), 1),))
    report = verify_archive(store, full=True)
    assert (_damage(report), report.uncommitted) == ([], [])
    assert "of a kind that this version does not know: 'later'" in _notices(report)
    put(store, key, b"whatever it's")
    assert key in _damage(verify_archive(store, full=True))[0]


@pytest.mark.parametrize("kind", ["replace", "redact"])
@pytest.mark.parametrize("removed", [False, True])
def test_what_was_replaced_may_be_gone(store: MemoryStore, kind: str, removed: bool) -> None:
    old, other = file_keys(store, ".warc.gz")
    key = old.replace(".warc.gz", "-again.warc.gz")
    put(store, key, b"in its place")
    files = (CommittedFile(key, 12, digest(b"in its place"), 1),)
    _append(store, kind=kind, files=files, replaces=(old, {"key": other}))
    if removed:
        store.delete(old)
        store.delete(other)
    report = verify_archive(store, full=True)
    assert (_damage(report), report.uncommitted) == ([], [])


def test_named_pack_and_checkpoint_are_read(store: MemoryStore) -> None:
    pack, checkpoint = "log/gazette/pack-000000000001-000000001000", "checkpoint/gazette/000000000002"
    put(store, pack, b"pack")
    put(store, checkpoint, b"checkpoint")
    put(store, "checkpoint/gazette/000000000001", b"named by none")
    _append(store, kind="pack", pack={"key": pack, "sha256": digest(b"pack"), "first": 1, "last": 1000})
    _append(store, kind="ledger", checkpoint={"key": checkpoint, "sha256": digest(b"checkpoint")})
    assert _damage(verify_archive(store, full=True)) == []
    put(store, pack, b"pick")
    store.delete(checkpoint)
    found = _damage(verify_archive(store, full=True))
    assert any(pack in line and "the commit that names it says" in line for line in found)
    assert any(checkpoint in line for line in found)


def test_commit_may_not_name_a_pack_elsewhere(store: MemoryStore) -> None:
    _append(store, kind="pack", pack={"key": "../../etc/passwd", "sha256": digest(b"")})
    _append(store, kind="pack", pack={"key": "log/herald/x", "sha256": digest(b"")})
    assert len(_damage(verify_archive(store, full=True))) == 2


def test_segment_commit_needs_both_files(store: MemoryStore) -> None:
    commit = decode_commit(store.get(commit_keys(store)[0]), "commit").commit
    rechain(store, {1: {"files": commit.files[:1]}})
    assert "names 0 files that end with .rows.jsonl.zst, expected one" in _damage(verify_archive(store, full=False))[0]


def test_signature_line_is_checked_for_shape(store: MemoryStore) -> None:
    key = commit_keys(store)[-1]
    put(store, key, store.get(key)[:-2] + b"trust me\n")
    assert "line 2: found 'trust me', expected - or a signature" in _damage(verify_archive(store, full=False))[0]
    put(store, key, store.get(key)[:-9] + b"ed25519 " + b"0" * 64 + b" " + b"A" * 86 + b"==\n")
    assert _damage(verify_archive(store, full=False)) == []


def test_derivation_must_have_its_digest(store: MemoryStore) -> None:
    rechain(store, {1: {"derivations": {DERIVATION.digest: {"extractor": "another"}}}})
    assert "does not have the digest of what it stands for" in _damage(verify_archive(store, full=False))[0]


# --- sound segments of every shape


def test_captures_without_an_answer_are_sound(tmp_path: Path) -> None:
    store = MemoryStore()
    info = _make(store)
    pages = [Page("/a", status=None), Page("/b"), Page("/c", status=None), Page("/d", status=410)]
    commit_segment(store, info, write_segment(tmp_path, pages, archive=info.archive))
    report = verify_archive(store, full=True)
    assert _damage(report) == []
    assert report.counts.records == 5


def test_segment_with_no_capture_is_sound(tmp_path: Path) -> None:
    store = MemoryStore()
    info = _make(store)
    commit_segment(store, info, write_segment(tmp_path, [], archive=info.archive))
    assert _damage(verify_archive(store, full=True)) == []


def test_segment_of_one_that_did_not_know_its_archive_is_sound(tmp_path: Path) -> None:
    store = MemoryStore()
    info = _make(store)
    commit_segment(store, info, write_segment(tmp_path, archive=""))
    assert _damage(verify_archive(store, full=True)) == []


@pytest.mark.parametrize("torn_bytes", [0, 1, 200, 700, 1500])
def test_recovered_segment_is_sound(tmp_path: Path, torn_bytes: int) -> None:
    store = MemoryStore()
    info = _make(store)
    closed = write_segment(tmp_path, archive=info.archive)
    opened = tmp_path / "open" / closed.name
    closed.rename(opened)
    warc = opened / "records.warc.gz"
    warc.write_bytes(warc.read_bytes()[: warc.stat().st_size - torn_bytes])
    rows = opened / "rows.jsonl"
    rows.write_bytes(rows.read_bytes().rpartition(b'{"closed"')[0])
    for folder in recover_segments(tmp_path, NOON + timedelta(hours=1)):
        commit_segment(store, info, folder)
    report = verify_archive(store, full=True)
    assert _damage(report) == []
    assert report.counts.commits == 1


def test_rederived_snapshots_are_sound_or_found(tmp_path: Path) -> None:
    store = MemoryStore()
    info = _make(store)
    first = commit_segment(store, info, write_segment(tmp_path, archive=info.archive))
    newer = derivation_of(MEANING | {"language": "en"})
    text = "Derived again."
    row = SnapshotRow(
        url="https://gazette.example/2026/budget",
        captured_at=NOON,
        derivation=newer.digest,
        text=text,
        text_digest=digest(text.encode()),
        page_class="article",
        class_reason="test",
        of=CaptureReference(first.commit.segment or "", 2),
    )
    later = NOON + timedelta(hours=1)
    closed = write_segment(tmp_path, archive=info.archive, now=later, derivation=newer)
    second = commit_segment(store, info, closed, now=later, after=first, derived=[row])
    assert _damage(verify_archive(store, full=True)) == []
    closed = write_segment(tmp_path, archive=info.archive, now=later, derivation=newer)
    too_high = replace(row, of=CaptureReference(first.commit.segment or "", 3))
    commit_segment(store, info, closed, now=later, after=second, derived=[too_high])
    assert "a snapshot of capture 3 of segment" in _damage(verify_archive(store, full=True))[0]


def test_rows_in_several_frames_are_sound(store: MemoryStore) -> None:
    key = file_keys(store, ".rows.jsonl.zst")[0]
    text = zstandard.ZstdDecompressor().decompressobj().decompress(store.get(key))
    put(store, key, b"".join(zstandard.compress(text[n : n + 100]) for n in range(0, len(text), 100)))
    rechain(store)
    assert _damage(verify_archive(store, full=True)) == []


def test_rows_of_later_versions_are_passed_over(store: MemoryStore) -> None:
    key = file_keys(store, ".rows.jsonl.zst")[0]
    lines = zstandard.ZstdDecompressor().decompressobj().decompress(store.get(key)).splitlines(keepends=True)
    put(store, key, zstandard.compress(b"".join([*lines[:2], b'{"type":"weather","rain":true}\n', *lines[2:]])))
    commit = decode_commit(store.get(commit_keys(store)[0]), "commit").commit
    rechain(store)
    files = decode_commit(store.get(commit_keys(store)[0]), "commit").commit.files
    rechain(store, {1: {"files": (files[0], replace(files[1], records=commit.files[1].records + 1))}})
    assert _damage(verify_archive(store, full=True)) == []


def test_ledger_with_rows_only_is_sound(tmp_path: Path) -> None:
    store = MemoryStore()
    info = _make(store)
    writer = SegmentWriter.open(tmp_path, source=SOURCE, run="run-1", archive=info.archive, writer="test", now=NOON)
    sealed = seal_segment(writer.close(NOON), now=NOON)
    rows = sealed.draft.files[1]
    store.create(rows.key, sealed.local_file(rows), sha256=rows.sha256)
    draft = replace(sealed.draft, kind="ledger", files=(rows,))
    Log(store, info, SOURCE).append(draft, after=0, head="")
    assert "warc_records: the row says 1, found 0" in _damage(verify_archive(store, full=True))[0]


# --- members


def _walk(path: Path, data: bytes) -> tuple[list[Record], list[Finding]]:
    path.write_bytes(data)
    report = VerifyReport(full=True)
    return list(walk_records(path, Notes(report, "x.warc.gz"))), report.findings


def _record(block: bytes = b"x", **headers: str) -> bytes:
    fields = {
        "WARC-Type": "metadata",
        "WARC-Record-ID": "<urn:uuid:1>",
        "WARC-Date": "2026-11-22T12:00:00Z",
        "WARC-Block-Digest": digest(block),
        "Content-Length": str(len(block)),
    }
    fields.update({name.replace("_", "-"): value for name, value in headers.items()})
    head = "".join(f"{name}: {value}\r\n" for name, value in fields.items() if value != "-")
    return b"WARC/1.1\r\n" + head.encode() + b"\r\n" + block + b"\r\n\r\n"


def _zip(data: bytes) -> bytes:
    compressor = zlib.compressobj(6, zlib.DEFLATED, 31)
    return compressor.compress(data) + compressor.flush()


def test_member_places_are_exact(tmp_path: Path) -> None:
    members = [_zip(_record(bytes([n]) * n * 1000)) for n in range(200)]
    records, findings = _walk(tmp_path / "x", b"".join(members))
    assert findings == []
    assert [record.length for record in records] == [len(member) for member in members]
    assert [record.offset for record in records] == [len(b"".join(members[:n])) for n in range(200)]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "found an empty file"),
        (b"WARC/1.1\r\n", "incorrect header check"),
        (_record(), "incorrect header check"),
        (_zip(b""), "no end of headers"),
        (_zip(b"x" * 3_000_000), "no end of headers"),
        (_zip(b"HTTP/1.1 200 OK\r\n\r\n"), "expected WARC/1.1"),
        (_zip(_record(WARC_Type="-")), "header warc-type is missing"),
        (_zip(_record(WARC_Block_Digest="-")), "header warc-block-digest is missing"),
        (_zip(_record(Content_Length="-")), "header content-length is missing"),
        (_zip(_record(Content_Length="1e3")), "Content-Length: found '1e3'"),
        (_zip(_record(Content_Length="+1")), "Content-Length: found '+1'"),
        (_zip(_record(Content_Length="9" * 5000)), "Content-Length: found '999"),
        (_zip(_record(Content_Length="7")), "found 5 bytes of block"),
        (_zip(_record(Content_Length="0")), "after the block"),
        (_zip(_record(Content_Length="1\r\nContent-Length: 2")), "stands twice"),
        (_zip(_record(WARC_Block_Digest=digest(b"y"))), "WARC-Block-Digest: found"),
        (_zip(_record(WARC_Block_Digest="sha1:ABC")), "WARC-Block-Digest: found"),
        (_zip(_record(X="1\r\nno colon")), "a header line without a colon"),
        (_zip(_record() + _record()), "after the block"),
        (_zip(_record()[:-2]), "after the block"),
        (
            _zip(_record(WARC_Type="response", WARC_Target_URI="https://x.example/")),
            "without the end of its HTTP headers",
        ),
        (_zip(_record(b"HTTP/1.1 200 OK\r\n\r\nx", WARC_Type="response")), "without WARC-Target-URI"),
        (_zip(_record(b"HTTP/1.1 200 OK\r\n\r\nx", WARC_Type="response")), "WARC-Payload-Digest: found"),
        (_zip(_record())[:-1], "the file ends inside a gzip member"),
        (_zip(_record()) + b"\0", "1 bytes cannot be read"),
        (_zip(_record()) + bytes(9), "incorrect header check"),
        (_zip(_record()) + _zip(_record())[:12], "the file ends inside a gzip member"),
    ],
)
def test_bad_members_are_found(tmp_path: Path, data: bytes, message: str) -> None:
    _, findings = _walk(tmp_path / "x", data)
    assert any(message in finding.message for finding in findings), findings


def test_member_that_inflates_without_end_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("jobs.verify.members.MAX_RECORD_BYTES", 1 << 22)
    records, findings = _walk(tmp_path / "x", _zip(_record(bytes(1 << 23))) + _zip(_record()))
    assert [record.number for record in records] == [2]
    assert [(finding.record, finding.offset) for finding in findings] == [(1, 0)]
    assert "inflates to more than" in findings[0].message


def test_garbage_is_not_worth_a_million_lines(tmp_path: Path) -> None:
    _, findings = _walk(tmp_path / "x", _zip(b"garbage") * 1000)
    assert len(findings) == MAX_FINDINGS_PER_OBJECT + 1
    assert "the rest is left out" in findings[-1].message


def test_too_many_records_are_not_held(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("jobs.verify.members.MAX_RECORDS", 10)
    records, findings = _walk(tmp_path / "x", _zip(_record()) * 20)
    assert len(records) == 10
    assert "more than 10 records" in findings[0].message


def test_a_huge_object_in_place_of_a_file_is_not_fetched(store: MemoryStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("jobs.verify.archive.MAX_EXCESS_BYTES", 100)
    key = file_keys(store, ".warc.gz")[0]
    put(store, key, store.get(key) + bytes(101))
    fetched: list[str] = []
    report = verify_archive(store, full=True, progress=lambda name, _size: fetched.append(name))
    assert key not in fetched
    assert [finding.key for finding in report.findings if finding.severity is Severity.DAMAGE] == [key]


def test_keys_of_the_format() -> None:
    """The places that verify holds commits to are those that the writer uses."""
    assert warc_key(SOURCE, NOON, "x").startswith(f"segments/{SOURCE}/sealed=")
    assert rows_key(SOURCE, NOON, "x").startswith(f"segments/{SOURCE}/sealed=")


def test_commit_without_its_own_fields_is_told_apart(store: MemoryStore) -> None:
    key = commit_keys(store)[0]
    commit = decode_commit(store.get(key), key).commit
    put(store, key, encode_commit(replace(commit, seq=9)))
    assert f"{key}: holds commit 9, expected 1" in _damage(verify_archive(store, full=False))

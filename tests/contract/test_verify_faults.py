"""Every fault that verify promises to find, planted in a real archive: as bits rot, and as one who covers up would."""

from __future__ import annotations

import json
import random
import zlib
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
import zstandard

from jobs.archive import decode_commit, digest, encode_commit
from jobs.store.local import LocalStore
from jobs.verify import Severity, VerifyReport, verify_archive
from tests import archives
from tests.archives import build_archive, commit_keys, copy_store, file_keys, put, rechain, split_members

if TYPE_CHECKING:
    from pathlib import Path

    from jobs.store.memory import MemoryStore

WARC, ROWS = ".warc.gz", ".rows.jsonl.zst"
FLIPS = 200


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> MemoryStore:
    return build_archive(tmp_path_factory.mktemp("spool"))


@pytest.fixture
def store(sound: MemoryStore) -> MemoryStore:
    return copy_store(sound)


def _damage(report: VerifyReport) -> list[str]:
    return [str(finding) for finding in report.findings if finding.severity is Severity.DAMAGE]


def _damaged_keys(report: VerifyReport) -> set[str]:
    return {finding.key for finding in report.findings if finding.severity is Severity.DAMAGE}


def _cover_up(store: MemoryStore, *, count_records: bool = True) -> None:
    """Write the log anew so that sizes, digests and, if asked, record counts agree with what lies there now."""
    changes: dict[int, dict[str, Any]] = {}
    rechain(store)
    if count_records:
        for key in commit_keys(store):
            commit = decode_commit(store.get(key), key).commit
            warc = next(file for file in commit.files if file.key.endswith(WARC))
            found = len(_try_split(store.get(warc.key))) or warc.records
            files = tuple(_with_records(file, found) if file is warc else file for file in commit.files)
            changes[commit.seq] = {"files": files}
        rechain(store, changes)


def _with_records(file: Any, records: int) -> Any:
    return type(file)(file.key, file.size_bytes, file.sha256, records)


def _try_split(data: bytes) -> list[bytes]:
    try:
        return split_members(data)
    except Exception:  # noqa: BLE001 — a foreign reader, on damage
        return []


@pytest.mark.parametrize("full", [False, True])
def test_sound_archive_has_no_damage(store: MemoryStore, full: bool) -> None:
    report = verify_archive(store, full=full)
    assert _damage(report) == []
    assert report.uncommitted == []
    assert (report.counts.commits, report.counts.segments, report.counts.files) == (3, 3, 6)
    assert report.counts.records == (21 if full else 0)


def test_cover_up_alone_is_sound(store: MemoryStore) -> None:
    rechain(store)
    assert _damage(verify_archive(store, full=True)) == []


def test_finds_flipped_bits(tmp_path: Path) -> None:
    """Each of 200 seeded bits gives damage; those of the last commit are left out, since only an outside head tells."""
    memory = build_archive(tmp_path / "spool", segments=2)
    for item in memory.list(""):
        LocalStore(tmp_path / "archive").create(item.key, memory.get(item.key), sha256=digest(memory.get(item.key)))
    store = LocalStore(tmp_path / "archive")
    assert _damage(verify_archive(store, full=True)) == []
    last = commit_keys(memory)[-1]
    bits = [(item.key, bit) for item in memory.list("") if item.key != last for bit in range(item.size_bytes * 8)]
    for key, bit in random.Random(20261122).sample(bits, FLIPS):
        path = tmp_path / "archive" / key
        whole = path.read_bytes()
        path.write_bytes(_flip(whole, bit))
        report = verify_archive(store, full=True)
        path.write_bytes(whole)
        found = _damaged_keys(report)
        assert found, (key, bit)
        if key.startswith("segments/"):
            assert key in found, (key, bit, found)


def test_finds_flipped_bits_that_were_covered_up(sound: MemoryStore) -> None:
    """Inside a WARC file whose digest was fixed in the commit, a flip is found wherever it changes what is inflated."""
    key = file_keys(sound, WARC)[0]
    whole = sound.get(key)
    before = _inflate(whole)
    for bit in random.Random(7).sample(range(len(whole) * 8), 60):
        store = copy_store(sound)
        put(store, key, _flip(whole, bit))
        _cover_up(store, count_records=False)
        if _inflate(_flip(whole, bit)) != before:
            assert key in _damaged_keys(verify_archive(store, full=True)), bit


def _flip(data: bytes, bit: int) -> bytes:
    changed = bytearray(data)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


def _inflate(data: bytes) -> list[bytes] | None:
    found = []
    try:
        while data:
            inflater = zlib.decompressobj(31)
            found.append(inflater.decompress(data) + inflater.flush())
            if not inflater.eof:
                return None
            data = inflater.unused_data
    except zlib.error:
        return None
    return found


def _drop(members: list[bytes]) -> list[bytes]:
    return members[:2] + members[3:]


def _drop_pair(members: list[bytes]) -> list[bytes]:
    return members[:3] + members[5:]


def _drop_last(members: list[bytes]) -> list[bytes]:
    return members[:-1]


def _double(members: list[bytes]) -> list[bytes]:
    return [*members[:2], members[1], *members[2:]]


def _double_last(members: list[bytes]) -> list[bytes]:
    return [*members, members[-1]]


def _swap(members: list[bytes]) -> list[bytes]:
    return [members[0], members[3], *members[2:3], members[1], *members[4:]]


def _swap_pair(members: list[bytes]) -> list[bytes]:
    return [members[0], members[2], members[1], *members[3:]]


def _truncate(members: list[bytes]) -> list[bytes]:
    return [*members[:-1], members[-1][:-9]]


def _cut_tail(members: list[bytes]) -> list[bytes]:
    return [*members[:-1], members[-1][:-1]]


def _append_garbage(members: list[bytes]) -> list[bytes]:
    return [*members, b"garbage"]


def _append_zeros(members: list[bytes]) -> list[bytes]:
    return [*members, bytes(512)]


def _put_garbage_between(members: list[bytes]) -> list[bytes]:
    return [*members[:3], b"\x1f\x8b\x08garbage", *members[3:]]


def _join_members(members: list[bytes]) -> list[bytes]:
    both = zlib.decompress(members[1], 31) + zlib.decompress(members[2], 31)
    compressor = zlib.compressobj(9, zlib.DEFLATED, 31)
    return [members[0], compressor.compress(both) + compressor.flush(), *members[3:]]


def _change_body(members: list[bytes]) -> list[bytes]:
    record = zlib.decompress(members[1], 31).replace(b"The tax will rise", b"The tax will fall")
    compressor = zlib.compressobj(9, zlib.DEFLATED, 31)
    return [members[0], compressor.compress(record) + compressor.flush(), *members[2:]]


def _change_uri(members: list[bytes]) -> list[bytes]:
    record = zlib.decompress(members[1], 31).replace(b"example/2026/budget\r\n", b"example/2026/fudget\r\n", 1)
    compressor = zlib.compressobj(9, zlib.DEFLATED, 31)
    return [members[0], compressor.compress(record) + compressor.flush(), *members[2:]]


def _empty(members: list[bytes]) -> list[bytes]:
    return members[:0]


CHANGES = [
    _drop,
    _drop_pair,
    _drop_last,
    _double,
    _double_last,
    _swap,
    _swap_pair,
    _truncate,
    _cut_tail,
    _append_garbage,
    _append_zeros,
    _put_garbage_between,
    _join_members,
    _change_body,
    _change_uri,
    _empty,
]


@pytest.mark.parametrize("covered", [False, True], ids=["rotten", "covered"])
@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__.strip("_"))
def test_finds_changed_warc(
    store: MemoryStore,
    change: Callable[[list[bytes]], list[bytes]],
    covered: bool,
) -> None:
    key = file_keys(store, WARC)[1]
    put(store, key, b"".join(change(split_members(store.get(key)))))
    if covered:
        _cover_up(store)
    report = verify_archive(store, full=True)
    assert _damaged_keys(report) & {key, key.replace(WARC, ROWS)}
    if not covered:
        assert key in _damaged_keys(report)


def test_names_record_and_offset(store: MemoryStore) -> None:
    key = file_keys(store, WARC)[1]
    members = split_members(store.get(key))
    put(store, key, b"".join(_change_body(members)))
    _cover_up(store)
    found = [finding for finding in verify_archive(store, full=True).findings if finding.key == key]
    assert {(finding.record, finding.offset) for finding in found} == {(2, len(members[0]))}
    assert f"{key}: record 2: offset {len(members[0])}: " in str(found[0])
    assert "Digest" in found[0].message or "Content-Length" in found[0].message


def test_goes_on_after_a_damaged_member(store: MemoryStore) -> None:
    key = file_keys(store, WARC)[1]
    members = split_members(store.get(key))
    members[2] = members[2][:30] + bytes(20) + members[2][50:]
    members[5] = members[5][:30] + bytes(20) + members[5][50:]
    put(store, key, b"".join(members))
    report = verify_archive(store, full=True, sources=["gazette"])
    offsets = {finding.offset for finding in report.findings if finding.key == key and finding.offset}
    assert {len(b"".join(members[:2])), len(b"".join(members[:5]))} <= offsets
    assert report.counts.records == 19


@pytest.mark.parametrize("suffix", [WARC, ROWS])
@pytest.mark.parametrize("full", [False, True])
def test_finds_missing_file(store: MemoryStore, suffix: str, full: bool) -> None:
    key = file_keys(store, suffix)[1]
    store.delete(key)
    report = verify_archive(store, full=full)
    assert _damaged_keys(report) == {key}
    assert "missing; commit 2 says" in _damage(report)[0]


@pytest.mark.parametrize("covered", [False, True], ids=["rotten", "covered"])
@pytest.mark.parametrize("suffix", [WARC, ROWS])
def test_finds_a_file_of_another_segment(
    store: MemoryStore,
    suffix: str,
    covered: bool,
) -> None:
    keys = file_keys(store, suffix)
    put(store, keys[1], store.get(keys[0]))
    if covered:
        rechain(store)
    assert keys[1] in _damaged_keys(verify_archive(store, full=True))


@pytest.mark.parametrize("number", [0, 1])
def test_finds_missing_commit(store: MemoryStore, number: int) -> None:
    key = commit_keys(store)[number]
    store.delete(key)
    report = verify_archive(store, full=False)
    assert f"{key}: missing, but commit {number + 2} is there" in _damage(report)
    assert len(report.uncommitted) == 2


def test_says_where_the_log_ends_when_the_tail_is_gone(store: MemoryStore) -> None:
    """Nothing inside an archive tells that its last commits were taken away: the head is for keeping outside."""
    keys = commit_keys(store)
    store.delete(keys[-1])
    report = verify_archive(store, full=True)
    assert _damage(report) == []
    assert len(report.uncommitted) == 2
    assert (report.heads["gazette"].seq, report.heads["gazette"].digest) == (2, digest(store.get(keys[1])))
    assert any("only a head kept outside" in finding.message for finding in report.findings)


@pytest.mark.parametrize("number", [0, 1])
def test_finds_altered_commit(store: MemoryStore, number: int) -> None:
    key = commit_keys(store)[number]
    put(store, key, store.get(key).replace(b'"epoch":0', b'"epoch":7'))
    report = verify_archive(store, full=False)
    assert any("the chain breaks" in line and key in line for line in _damage(report))


def test_finds_altered_last_commit_where_its_segment_contradicts_it(store: MemoryStore) -> None:
    key = commit_keys(store)[-1]
    put(store, key, store.get(key).replace(b'"captures":3', b'"captures":4'))
    assert _damage(verify_archive(store, full=False)) == []
    assert any(
        "commit: captures: the row says 4, found 3" in line for line in _damage(verify_archive(store, full=True))
    )


def test_finds_swapped_commits(store: MemoryStore) -> None:
    first, second, _ = commit_keys(store)
    one, two = store.get(first), store.get(second)
    put(store, first, two)
    put(store, second, one)
    assert {first, second} <= _damaged_keys(verify_archive(store, full=False))


def test_goes_on_after_a_commit_that_is_none(store: MemoryStore) -> None:
    first, second, third = commit_keys(store)
    put(store, first, b"no commit\n")
    put(store, second, store.get(second).replace(b'"writer":"', b'"writer":"x'))
    damaged = _damaged_keys(verify_archive(store, full=False))
    assert {first, second, third} <= damaged


def test_finds_altered_identity(store: MemoryStore) -> None:
    put(store, "ofrecord.json", store.get("ofrecord.json").replace(b"false", b"true"))
    assert _damaged_keys(verify_archive(store, full=False)) == {commit_keys(store)[0]}
    put(store, "ofrecord.json", b"{}\n")
    assert "ofrecord.json" in _damaged_keys(verify_archive(store, full=False))
    store.delete("ofrecord.json")
    assert "ofrecord.json: missing, but there are logs" in _damage(verify_archive(store, full=False))


RowChange = Callable[[list[dict[str, Any]]], list[dict[str, Any]]]


def _set(row_type: str, **fields: Any) -> RowChange:
    def change(lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
        row = next(line for line in lines if line["type"] == row_type)
        assert any(row.get(name) != value for name, value in fields.items())
        row.update(fields)
        return lines

    return change


def _edit_index(old: str, new: str) -> RowChange:
    def change(lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
        row = next(line for line in lines if line["type"] == "cdxj")
        assert old in row["line"]
        row["line"] = row["line"].replace(old, new)
        return lines

    return change


def _without(row_type: str) -> RowChange:
    def change(lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
        lines.remove(next(line for line in lines if line["type"] == row_type))
        return lines

    return change


def _twice(row_type: str) -> RowChange:
    def change(lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
        place, row = next((place, line) for place, line in enumerate(lines) if line["type"] == row_type)
        return [*lines[:place], row, *lines[place:]]

    return change


OTHER_DIGEST = "sha256:" + "0" * 64
PLACE = {"offset": 0, "length": 10}

ROW_CHANGES: dict[str, RowChange] = {
    "capture url of its snapshot": _set("capture", url="https://gazette.example/2026/other"),
    "capture target": _set("capture", target_uri="https://gazette.example/2026/other"),
    "capture time": _set("capture", captured_at="2026-11-22T12:00:00.125001Z"),
    "capture time without a zone": _set("capture", captured_at="2026-11-22T12:00:00.125000"),
    "capture time out of range": _set("capture", captured_at="0001-01-01T00:00:00+14:00"),
    "capture reason with half a character": _set("capture", class_reason="\ud800"),
    "capture number": _set("capture", n=5),
    "capture digest": _set("capture", payload_digest=OTHER_DIGEST),
    "capture status": _set("capture", status=503),
    "capture size": _set("capture", size_bytes=1),
    "capture pointer": _set("capture", warc={"request": None, "response": PLACE}),
    "capture without records": _set("capture", warc=None),
    "capture error": _set("capture", error="made up"),
    "capture purpose": _set("capture", purpose="feed"),
    "snapshot text": _set("snapshot", text="The tax will fall."),
    "snapshot digest": _set("snapshot", text_digest=OTHER_DIGEST),
    "snapshot of no capture": _set("snapshot", n=17),
    "snapshot of a negative capture": _set("snapshot", n=-1),
    "snapshot of another capture": _set("snapshot", n=1),
    "snapshot of an unknown segment": _set("snapshot", of={"segment": "gazette-x", "n": 0}),
    "snapshot time": _set("snapshot", captured_at="2026-11-22T12:00:00Z"),
    "snapshot derivation": _set("snapshot", derivation=OTHER_DIGEST),
    "snapshot with half a character": _set("snapshot", text="\ud800"),
    "segment id": _set("segment", segment="gazette-20261122T120000Z-0000000000000000"),
    "segment source": _set("segment", source="herald"),
    "segment run": _set("segment", run="gazette-20261122T120000Z-ffffffffffffffff"),
    "segment archive": _set("segment", archive="0" * 32),
    "segment opened": _set("segment", opened="2026-11-22T00:00:00Z"),
    "segment format": _set("segment", format="2.0"),
    "segment derivation": _set("segment", derivations={archives.DERIVATION.digest: {"extractor": "other"}}),
    "run id": _set("run", run="gazette-20261122T120000Z-ffffffffffffffff"),
    "end time": _set("end", closed="2026-11-22T00:00:00Z"),
    "end records": _set("end", warc_records=6),
    "end counts": _set("end", counts={"captures": 2}),
    "index offset": _edit_index('"offset": "', '"offset": "1'),
    "index length": _edit_index('"length": "', '"length": "1'),
    "index digest": _edit_index("sha256:", "sha256:0"),
    "index url": _edit_index("https://gazette.example/2026/budget", "https://gazette.example/2026/other"),
    "index key": _edit_index("example,gazette)/", "example,gazette)/a"),
    "index time": _edit_index(" 20261122", " 20261123"),
    "index status": _edit_index('"200"', '"204"'),
    "index file": _edit_index(".warc.gz", ".warc"),
    "index garbage": _edit_index("{", ""),
    "no segment row": _without("segment"),
    "no capture row": _without("capture"),
    "no snapshot row": _without("snapshot"),
    "no index row": _without("cdxj"),
    "no link row": _without("link"),
    "no end row": _without("end"),
    "two segment rows": _twice("segment"),
    "two captures": _twice("capture"),
    "two snapshots": _twice("snapshot"),
    "two index lines": _twice("cdxj"),
    "two links": _twice("link"),
    "two ends": _twice("end"),
    "a row after the end": lambda lines: [*lines, {"type": "later"}],
    "an unknown row first": lambda lines: [{"type": "later"}, *lines],
    "no rows": lambda _lines: [],
}


@pytest.mark.parametrize("name", ROW_CHANGES)
def test_finds_changed_row_that_was_covered_up(store: MemoryStore, name: str) -> None:
    """The file's digest, size and number of rows are fixed in the commit: only what the rows say gives it away."""
    key = file_keys(store, ROWS)[0]
    lines = archives.read_lines(store, key)
    changed = ROW_CHANGES[name](lines)
    if "half" in name:
        text = b"".join(json.dumps(line).encode() + b"\n" for line in changed)
        put(store, key, zstandard.compress(text))
    else:
        archives.write_lines(store, key, changed)
    rechain(store)
    commit = decode_commit(store.get(commit_keys(store)[0]), "commit").commit
    files = tuple(_with_records(f, len(changed) if f.key == key else f.records) for f in commit.files)
    rechain(store, {1: {"files": files}})
    assert _damaged_keys(verify_archive(store, full=True)) == {key}


def test_finds_changed_row(store: MemoryStore) -> None:
    key = file_keys(store, ROWS)[0]
    lines = archives.read_lines(store, key)
    lines[1]["class_reason"] = "another"
    archives.write_lines(store, key, lines)
    assert key in _damaged_keys(verify_archive(store, full=True))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda data: data[:-3], "the file ends inside a zstd frame"),
        (lambda data: data[: len(data) // 2], "the file ends inside a zstd frame"),
        (lambda data: data + b"garbage", "not zstd"),
        (lambda data: data + zstandard.compress(b'{"type":"later"}\n'), "expected segment first and end last"),
        (lambda data: b"\0" * len(data), "not zstd"),
        (lambda _data: zstandard.compress(b"[" * 100_000 + b"\n"), "not JSON"),
        (lambda _data: zstandard.compress(bytes(65 * 1024 * 1024)), "a line of more than"),
        (lambda _data: zstandard.compress(b'{"type":"segment"}'), "the last line does not end"),
    ],
)
def test_finds_rows_file_that_is_none(store: MemoryStore, change: Callable[[bytes], bytes], message: str) -> None:
    key = file_keys(store, ROWS)[0]
    put(store, key, change(store.get(key)))
    rechain(store)
    assert any(message in line for line in _damage(verify_archive(store, full=True)))


def test_finds_a_commit_that_names_files_elsewhere(store: MemoryStore) -> None:
    key = commit_keys(store)[-1]
    commit = decode_commit(store.get(key), key).commit
    files = (
        _moved(commit.files[0], "../../etc/passwd"),
        _moved(commit.files[1], "segments/herald/sealed=2026-11-22/x"),
    )
    put(store, key, encode_commit(replace(commit, files=files)))
    damage = "\n".join(_damage(verify_archive(store, full=True)))
    assert f"{key}: not a commit: names files that are not below segments/gazette/" in damage


def _moved(file: Any, key: str) -> Any:
    return type(file)(key, file.size_bytes, file.sha256, file.records)

"""Rows that say another thing than the records, the commit or the other rows, though the edit was covered up."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from jobs.verify import verify_archive
from tests.archives import (
    DERIVATION,
    copy_store,
    cover_up,
    file_keys,
    put,
    put_blocks,
    read_blocks,
    read_lines,
    split_file,
    write_lines,
)
from tests.faults import OTHER_DIGEST, WARC, damage, damaged_keys, flip
from tests.faults.rows import ROW_FIELDS, has_records
from tests.real_archives import build_revisited

if TYPE_CHECKING:
    from jobs.store.memory import MemoryStore


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


PLACE = {"offset": 0, "length": 10}

ROW_CHANGES: dict[str, RowChange] = {
    "capture url of its snapshot": _set("capture", url="https://gazette.example/2026/other"),
    "capture target": _set("capture", target_uri="https://gazette.example/2026/other"),
    "capture time": _set("capture", captured_at="2026-11-22T12:00:00.125001Z"),
    "capture time without a zone": _set("capture", captured_at="2026-11-22T12:00:00.125000"),
    "capture time out of range": _set("capture", captured_at="0001-01-01T00:00:00+14:00"),
    "capture reason with half a character": _set("capture", class_reason="\ud800"),
    "capture number": _set("capture", n=5),
    "capture led elsewhere": _set("capture", redirect="https://gazette.example/elsewhere"),
    "index offset without end": _edit_index('"offset": "', '"offset": Infinity, "x": "'),
    "index URL that takes long to key": _edit_index(
        '"url": "', '"url": "https://gazette.example/?' + "cfid=" * 200_000
    ),
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
    "segment derivation": _set("segment", derivations={DERIVATION.digest: {"extractor": "other"}}),
    "run id": _set("run", run="gazette-20261122T120000Z-ffffffffffffffff"),
    "end time": _set("end", closed="2026-11-22T00:00:00Z"),
    "segment epoch": _set("segment", epoch=3),
    "end records": _set("end", warc_records=6),
    "end bytes": _set("end", warc_bytes=6),
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
    """The digests, sizes and number of rows are fixed in the commit: only what the rows say gives it away."""
    key = file_keys(store, WARC)[0]
    lines = read_lines(store, key)
    changed = ROW_CHANGES[name](lines)
    if "half" in name:
        text = b"".join(json.dumps(line).encode() + b"\n" for line in changed)
        put_blocks(store, key, [text])
    else:
        write_lines(store, key, changed)
    cover_up(store)
    report = verify_archive(store, full=True)
    assert damaged_keys(report) == {key}
    assert {finding.record for finding in report.findings} == {None}


def test_finds_changed_row(store: MemoryStore) -> None:
    key = file_keys(store, WARC)[0]
    lines = read_lines(store, key)
    lines[1]["class_reason"] = "another"
    write_lines(store, key, lines)
    assert key in damaged_keys(verify_archive(store, full=True))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda text: [text[:-1]], "record 8 at offset {start}: the last line does not end"),
        (lambda text: [text[:-1], b"\n"], "record 8 at offset {start}: the last line does not end"),
        (lambda text: [b"", text], "record 8 at offset {start}: the last line does not end: 0 bytes"),
        (lambda text: [text, b'{"type":"later"}\n'], "expected segment first and end last"),
        (lambda text: [text, b"\n"], "not JSON"),
        (lambda _text: [b"[" * 100_000 + b"\n"], "not JSON"),
        (lambda _text: [bytes(65 << 20)], "a line of more than"),
        (lambda _text: [b'{"type":"segment"}'], "the last line does not end"),
        (lambda _text: [(b" " * 999 + b"\n") * 5_000], "several lines of 5000000 bytes, at most 4194304"),
    ],
)
def test_finds_rows_that_are_none(store: MemoryStore, change: Callable[[bytes], list[bytes]], message: str) -> None:
    key = file_keys(store, WARC)[0]
    start = len(b"".join(split_file(store.get(key))[0]))
    put_blocks(store, key, change(b"".join(read_blocks(store, key))))
    cover_up(store)
    assert any(message.format(start=start) in line for line in damage(verify_archive(store, full=True)))


def test_finds_rows_that_were_cut_or_are_garbage(store: MemoryStore) -> None:
    key = file_keys(store, WARC)[0]
    others, (rows,) = split_file(store.get(key))
    for changed in (rows[:-3], rows[: len(rows) // 2], b"\0" * len(rows), b""):
        put(store, key, b"".join([*others, changed]))
        cover_up(store)
        found = damage(verify_archive(store, full=True))
        assert any("the rows stop without an end row" in line for line in found)
        assert any(f"record 8: offset {len(b''.join(others))}: " in line for line in found) == bool(changed)


# --- real rows


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> MemoryStore:
    return build_revisited(tmp_path_factory.mktemp("spool")).store


def test_finds_an_edit_of_every_field_of_every_row(real: MemoryStore) -> None:
    key = file_keys(real, WARC)[1]
    lines = read_lines(real, key)
    assert {line["type"] for line in lines} == {"segment", "capture", "snapshot", "cdxj", "link", "run", "end"}
    for number, line in enumerate(lines):
        for name, value in line.items():
            store = copy_store(real)
            edited = {**line, name: "other" if value != "other" else None}
            write_lines(store, key, [*lines[:number], edited, *lines[number + 1 :]])
            assert key in damaged_keys(verify_archive(store, full=True)), (number, name)


@pytest.mark.parametrize("segment", [0, 1])
def test_finds_an_edit_that_something_else_contradicts(real: MemoryStore, segment: int) -> None:
    key = file_keys(real, WARC)[segment]
    lines = read_lines(real, key)
    for number, line in enumerate(lines):
        for name, change in ROW_FIELDS.get(line["type"], {}).items():
            if not has_records(line) or line["type"] == "cdxj":
                continue
            store = copy_store(real)
            write_lines(store, key, [*lines[:number], {**line, name: change(line.get(name))}, *lines[number + 1 :]])
            cover_up(store)
            found = [one for one in verify_archive(store, full=True).findings if one.severity == "damage"]
            assert key in {one.key for one in found}, (number, name)
            if line["type"] in {"segment", "snapshot"} or name in {"status", "etag", "peer", "size_bytes"}:
                assert number + 1 in {one.line for one in found if one.key == key}, (number, name)


def test_finds_a_bit_of_each_row(real: MemoryStore) -> None:
    for key in file_keys(real, WARC):
        lines = b"".join(read_blocks(real, key)).splitlines(keepends=True)
        for number, line in enumerate(lines):
            store = copy_store(real)
            changed = [*lines[:number], flip(line, len(line) * 4 + 1), *lines[number + 1 :]]
            put_blocks(store, key, [b"".join(changed)])
            assert key in damaged_keys(verify_archive(store, full=True)), number

"""A segment's rows as the last records of its WARC file: written, read back, and refused where they are damaged."""

from __future__ import annotations

import io
from datetime import UTC, datetime

import pytest

from config.errors import RecordError
from crawler.warc import encode_facts, facts_uri, read_facts, read_records
from crawler.warc.facts import BLOCK_BYTES, MAX_BLOCK_BYTES, MEDIA_TYPE
from crawler.warc.writer import encode_metadata

NOON = datetime(2026, 11, 22, 12, 0, 0, 125_000, tzinfo=UTC)
SEGMENT = "gazette-20261122T120000Z-0123456789abcdef"
URI = f"urn:x-ofrecord:{SEGMENT}:rows"
LINES = [b'{"type":"segment"}\n', b"\n", '{"title":"Élections"}\n'.encode(), b'{"type":"end"}\n']


def _encode(lines: list[bytes]) -> list[bytes]:
    return list(encode_facts(lines, segment=SEGMENT, date=NOON))


def _member(block: bytes, *, content_type: str = MEDIA_TYPE) -> bytes:
    return encode_metadata(block, seed="x", date=NOON, target_uri=URI, content_type=content_type)


def _read(*members: bytes) -> list[bytes]:
    return list(read_facts(io.BytesIO(b"".join(members))))


def test_lines_are_read_back() -> None:
    members = _encode(LINES)
    assert len(members) == 1
    assert _read(*members) == LINES
    assert _encode(LINES) == members
    assert (_encode([]), _read()) == ([], [])


def test_a_record_says_whose_rows_it_holds() -> None:
    (record,) = read_records(io.BytesIO(_encode(LINES)[0]))
    assert (record.type, record.header("WARC-Target-URI")) == ("metadata", URI)
    assert facts_uri(SEGMENT) == URI
    assert record.header("Content-Type") == "application/x-ndjson"
    assert record.header("WARC-Date") == "2026-11-22T12:00:00.125000Z"
    assert record.find_faults() == []
    assert record.block == b"".join(LINES)


def test_records_are_bounded_and_hold_whole_lines() -> None:
    line = b"x" * (BLOCK_BYTES // 3) + b"\n"
    members = _encode([line] * 7)
    records = list(read_records(io.BytesIO(b"".join(members))))
    assert [record.block.count(b"\n") for record in records] == [2, 2, 2, 1]
    assert len({record.header("WARC-Record-ID") for record in records}) == 4
    assert max(len(record.block) for record in records) <= BLOCK_BYTES
    assert _read(*members) == [line] * 7


def test_a_line_that_fills_a_record_exactly() -> None:
    line = b"x" * (BLOCK_BYTES // 2 - 1) + b"\n"
    assert [len(_encode([line] * n)) for n in (1, 2, 3)] == [1, 1, 2]


def test_a_line_longer_than_a_record_has_one_of_its_own() -> None:
    lines = [LINES[0], b"x" * (5 << 20) + b"\n", LINES[-1]]
    members = _encode(lines)
    assert len(members) == 3
    assert _read(*members) == lines


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (_encode(LINES)[0][:-1], "the file ends inside a gzip member"),
        (_encode(LINES)[0] + b"garbage", "damaged gzip member"),
        (_member(b'{"type":"end"}'), "the last line of the record does not end"),
        (_member(b""), "the last line of the record does not end"),
        (_member(b"tls-version: TLSv1.3\r\n", content_type="application/warc-fields"), "expected one that holds rows"),
    ],
)
def test_what_is_no_rows_is_refused(data: bytes, message: str) -> None:
    with pytest.raises(RecordError, match=message):
        _read(data)


def test_each_changed_bit_of_a_member_is_refused_or_says_nothing() -> None:
    member = _encode([b'{"type":"link","url":"https://gazette.example/%d"}\n' % n for n in range(50)])[0]
    lines, refused = _read(member), 0
    for bit in range(0, len(member) * 8, 7):
        changed = bytearray(member)
        changed[bit // 8] ^= 1 << bit % 8
        try:
            assert _read(bytes(changed)) == lines, bit  # some bits of a gzip header say nothing
        except RecordError:
            refused += 1
    assert refused > len(member) * 8 // 7 * 0.9


def test_lines_before_the_damage_are_read() -> None:
    whole, torn = _encode(LINES)[0], _encode(LINES)[0][:-1]
    reader = read_facts(io.BytesIO(whole + torn))
    assert [next(reader) for _ in LINES] == LINES
    with pytest.raises(RecordError, match=f"offset {len(whole)}"):
        next(reader)


def test_a_record_that_inflates_to_more_than_a_line_may_have_is_refused() -> None:
    with pytest.raises(RecordError, match="inflates to more than"):
        _read(_member(bytes(MAX_BLOCK_BYTES + (1 << 16)) + b"\n"))

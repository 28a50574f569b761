"""Records with the faults that tools are known for: read all the same, or told; and the next one is found."""

from __future__ import annotations

import gzip
from dataclasses import replace

import pytest

from crawler.imports import records as reading
from crawler.imports.records import MAX_HEAD_BYTES
from tests.foreign import Record, gzipped, make_response, plain, read_records

RECORDS = [make_response(number) for number in range(6)]
IDS = [record.record_id.strip("<>") for record in RECORDS]


def changed(number: int, **values: object) -> list[Record]:
    """Return the records, one of them with other *values*."""
    return [replace(one, **values) if n == number else one for n, one in enumerate(RECORDS)]  # type: ignore[arg-type]


@pytest.mark.parametrize("version", ["WARC/0.17", "WARC/0.18", "WARC/1.0", "WARC/1.1"])
@pytest.mark.parametrize("line_end", ["\r\n", "\n"])
@pytest.mark.parametrize("end", [b"\r\n\r\n", b"\r\n", b"\n\n", b"", b"\r\n\r\n\r\n\r\n"])
def test_versions_line_ends_and_ends_of_records_may_be_others(version: str, line_end: str, end: bytes) -> None:
    data = plain([replace(one, version=version, line_end=line_end, end=end) for one in RECORDS])
    records, faults = read_records(data)
    assert [one.record_id for one in records] == IDS
    assert [one.block for one in records] == [one.block for one in RECORDS]
    assert faults == []


def test_names_in_any_case_values_in_brackets_and_lines_that_go_on() -> None:
    one = RECORDS[0]
    headers = {"warc-target-uri": f"<{one.headers['WARC-Target-URI']}>", "WARC-DATE": one.headers["WARC-Date"]}
    (record,), faults = read_records(replace(one, headers={**headers, "X-Long": "one\r\n\ttwo"}).encode())
    assert record.target == one.headers["WARC-Target-URI"]
    assert record.get("warc-date") == one.headers["WARC-Date"]
    assert record.get("x-long") == "one two"
    assert faults == []


@pytest.mark.parametrize("squeeze", [plain, gzipped])
@pytest.mark.parametrize("more", [-400, 700])
def test_a_wrong_length_costs_that_record_and_no_other(more: int, squeeze: object) -> None:
    data = squeeze(changed(2, length=len(RECORDS[2].block) + more))  # type: ignore[operator]
    records, faults = read_records(data)
    assert [one.record_id for one in records] == [*IDS[:2], *IDS[3:]]
    assert len(faults) == 1
    assert "Content-Length" in faults[0].reason
    if squeeze is plain:
        assert faults[0].offset == len(plain(RECORDS[:2]))


@pytest.mark.parametrize("length", ["", "many", "-1", "9" * 30])
def test_a_length_that_is_none_costs_that_record_and_no_other(length: str) -> None:
    data = plain(RECORDS).replace(
        f"Content-Length: {len(RECORDS[2].block)}".encode(), f"Content-Length: {length}".encode()
    )
    records, faults = read_records(data)
    assert {one.record_id for one in records} == {
        id_ for id_, one in zip(IDS, RECORDS, strict=True) if len(one.block) != len(RECORDS[2].block)
    }
    assert all("Content-Length" in fault.reason for fault in faults)


def test_noise_between_records_is_told_and_passed_over() -> None:
    parts = [record.encode() for record in RECORDS]
    data = b"".join([*parts[:3], b"<html>\n" * 50_000, b"\r\n", *parts[3:]])
    records, faults = read_records(data)
    assert [one.record_id for one in records] == [*IDS[:2], *IDS[3:]]  # the third is not known to end there
    assert len(faults) == 1


def test_a_head_that_does_not_end_is_told() -> None:
    endless = b"WARC/1.0\r\n" + b"X-Header: value\r\n" * (MAX_HEAD_BYTES // 10)
    records, faults = read_records(b"".join([endless, b"\r\n", plain(RECORDS)]))
    assert [one.record_id for one in records] == IDS
    assert [fault.reason for fault in faults] == ["the head of a record does not end"]


def test_of_a_record_that_is_too_long_the_head_is_read_alone() -> None:
    records, faults = read_records(plain(changed(2, block=b"x" * 300_000)), limit=100_000)
    assert [one.block is None for one in records] == [False, False, True, False, False, False]
    assert records[2].size == 300_000
    assert faults == []


def test_a_record_about_records_is_one_record() -> None:
    inner = plain(RECORDS[:2])
    records, faults = read_records(plain(changed(2, block=b"HTTP/1.1 200 OK\r\n\r\n" + inner)))
    assert [one.record_id for one in records] == IDS
    assert faults == []


def test_blocks_with_wrong_lengths_within_one_another_are_gone_over_again_a_limited_number_of_times(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(reading, "_MOST_REWOUND_BYTES", 200_000)
    nested = [replace(RECORDS[0], block=b"x" * 900, length=100_000) for _ in range(100)]
    records, faults = read_records(plain([*nested, *RECORDS]) + b"x" * 100_000 + b"\r\n" + plain(RECORDS))
    assert len(faults) < 10
    assert [one.record_id for one in records] == IDS


@pytest.mark.parametrize("letters", range(1, 6))
def test_a_file_that_ends_within_the_first_letters_of_a_record_has_one_fault(letters: int) -> None:
    data = gzipped(RECORDS)
    cut = gzip.compress(b"WARC/"[:letters])[:-9]  # all letters come out of it, and no end
    for found in (plain(RECORDS) + b"WARC/"[:letters], data + cut):
        records, faults = read_records(found)
        assert [one.record_id for one in records] == IDS
        assert [fault.reason.partition(" inside")[0] for fault in faults] == ["the file ends"]

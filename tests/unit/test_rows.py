"""Rows go out as JSON lines and come back checked: a bucket is no place to trust."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest

from config.errors import RecordError
from crawler.rows import (
    CaptureReference,
    CaptureRow,
    Extent,
    SnapshotRow,
    WarcPlace,
    decode_row,
    encode_row,
    format_time,
)

WHEN = datetime(2026, 11, 22, 3, 45, 0, 123456, tzinfo=UTC)
CAPTURE = CaptureRow(
    n=0,
    url="https://gazette.example/1",
    target_uri="https://gazette.example/1",
    captured_at=WHEN,
    purpose="article",
    page_class="article",
    class_reason="17 blocks",
    status=200,
    warc=WarcPlace(Extent(0, 10), Extent(10, 90)),
)


def test_a_capture_comes_back_equal() -> None:
    line = encode_row(CAPTURE)
    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    assert b'"class":"article"' in line
    assert b"read_with" not in line  # older versions wrote none
    read = replace(CAPTURE, read_with={"content-type": ["text/html"], "product": ["ofrecord"]})
    assert decode_row(encode_row(read)) == read
    assert decode_row(line) == CAPTURE
    assert b"head" not in line
    proven = replace(CAPTURE, warc=WarcPlace(Extent(0, 10), Extent(10, 90, "sha256:" + "0" * 64)))
    assert encode_row(proven).count(b'"head"') == 1
    assert decode_row(encode_row(proven)) == proven


@pytest.mark.parametrize("place", [{"n": 3}, {"of": CaptureReference("gazette-20261122T034500Z-0123456789abcdef", 4)}])
def test_a_snapshot_names_its_capture_or_an_earlier_one(place: dict[str, object]) -> None:
    row = SnapshotRow(
        url="https://gazette.example/1",
        captured_at=WHEN,
        derivation="sha256:" + "0" * 64,
        text="نص\nline",
        text_digest="sha256:" + "1" * 64,
        page_class="article",
        class_reason="",
        **place,  # type: ignore[arg-type]
    )
    line = encode_row(row)
    assert (b'"of"' in line) == ("of" in place)
    assert decode_row(line) == row


def test_unknown_types_are_passed_over() -> None:
    assert decode_row(b'{"type":"tomorrow","x":1}\n') is None


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ((b'"captured_at":"2026-11-22T03:45:00.123456Z"', b'"captured_at":"2026-11-22T03:45:00"'), "without a zone"),
        ((b"2026-11-22T03:45:00.123456Z", b"0001-01-01T00:00:00+14:00"), "out of range"),
        ((b'"status":200', b'"status":99999999999999999999'), "status"),
        ((b"17 blocks", rb"\ud800"), "surrogates"),
        ((b'"seconds":0.0', b'"seconds":NaN'), "NaN"),
        ((b'"n":0', b'"n":"many"'), "n"),
        ((b'"type":"capture"', b'"type":7'), "type"),
        ((b'{"n":0', b'["n":0'), "not JSON"),
    ],
)
def test_what_is_no_row_is_refused(change: tuple[bytes, bytes], message: str) -> None:
    line = encode_row(CAPTURE)
    assert change[0] in line
    with pytest.raises(RecordError, match=message):
        decode_row(line.replace(*change))


def test_times_are_written_in_utc_with_z() -> None:
    assert format_time(datetime(2026, 11, 22, 5, 45, tzinfo=UTC)) == "2026-11-22T05:45:00Z"
    with pytest.raises(ValueError, match="naive"):
        format_time(datetime(2026, 11, 22))  # noqa: DTZ001 - the fault under test


SNAPSHOT = SnapshotRow(
    url="https://gazette.example/1",
    captured_at=WHEN,
    derivation="sha256:" + "0" * 64,
    text="line",
    text_digest="sha256:" + "1" * 64,
    page_class="article",
    class_reason="",
    n=3,
)


def test_lines_of_a_later_version_are_read_as_far_as_they_are_known() -> None:
    line = encode_row(CAPTURE)
    later = line.replace(b'{"n":0', b'{"mood": "calm", "n": 0')
    assert decode_row(later) == CAPTURE


def test_no_key_may_stand_twice() -> None:
    line = encode_row(CAPTURE)
    with pytest.raises(RecordError, match="twice"):
        decode_row(line.replace(b'{"n":0', b'{"n":0,"n":0'))


def test_half_a_surrogate_pair_is_replaced_and_no_number_is_null() -> None:
    halved = decode_row(encode_row(replace(SNAPSHOT, text="a\ud800b")))
    assert isinstance(halved, SnapshotRow)
    assert halved.text == "a?b"
    strange = decode_row(encode_row(replace(SNAPSHOT, fields={"length": {"value": float("nan"), "from": "meta"}})))
    assert isinstance(strange, SnapshotRow)
    assert strange.fields["length"]["value"] is None


def test_a_time_of_another_zone_is_written_in_utc() -> None:
    row = replace(SNAPSHOT, captured_at=WHEN.astimezone(timezone(timedelta(hours=5, minutes=30))))
    assert b'"captured_at":"2026-11-22T03:45:00.123456Z"' in encode_row(row)

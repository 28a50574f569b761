"""Bytes of foreign files: every squeezing, every place to go on from, damage told and passed over, all bounded."""

from __future__ import annotations

import gzip
import io
import zlib
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from config.errors import RecordError
from crawler.imports.flows import BEGINNING, Fault, Position
from crawler.imports.records import RecordReader
from crawler.imports.streams import open_flow
from tests.foreign import (
    gzipped,
    gzipped_whole,
    make_info,
    make_page,
    make_request,
    make_response,
    plain,
    read_records,
    train_dictionary,
    zstd,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.foreign import Record

RECORDS = [make_info()]
for _number in range(40):
    _response = make_response(_number)
    RECORDS += [_response, make_request(_response)]
IDS = [record.record_id.strip("<>") for record in RECORDS]
DICTIONARY = train_dictionary()

SQUEEZED: dict[str, Callable[[list[Record]], bytes]] = {
    "plain": plain,
    "gzip": gzipped,
    "one member": gzipped_whole,
    "two members": lambda records: gzipped_whole(records[:11]) + gzipped_whole(records[11:]),
    "zstd": zstd,
    "zstd with a dictionary": lambda records: zstd(records, dictionary=DICTIONARY),
    "zstd with a squeezed dictionary": lambda records: zstd(records, dictionary=DICTIONARY, squeeze_dictionary=True),
}


def read(data: bytes, start: Position = BEGINNING, *, begins_at: int | None = None) -> tuple[list[str], list[Fault]]:
    """Return the ids of all records from *start* on, and the faults; each record whole."""
    records, faults = read_records(data, start, begins_at=start.raw if begins_at is None else begins_at)
    assert all(record.block is not None and len(record.block) == record.size for record in records)
    return [record.record_id for record in records], faults


def positions(data: bytes) -> list[Position]:
    reader = RecordReader(
        open_flow(io.BytesIO(data), start=BEGINNING, begins_at=0), limit=1 << 20, wanted=lambda _: False
    )
    found = []
    while reader.read() is not None:
        found.append(reader.position)
    return found


@pytest.mark.parametrize("kind", SQUEEZED)
def test_all_records_are_read(kind: str) -> None:
    assert read(SQUEEZED[kind](RECORDS)) == (IDS, [])


@pytest.mark.parametrize("kind", SQUEEZED)
def test_reading_goes_on_at_each_record_wherever_the_bytes_begin(kind: str) -> None:
    data = SQUEEZED[kind](RECORDS)
    found = positions(data)
    assert all(before.flat < after.flat for before, after in pairwise(found))
    for number, position in enumerate(found):
        assert read(data, position) == (IDS[number:], [])
        assert read(data, position, begins_at=0) == (IDS[number:], [])


def test_a_place_in_a_file_with_a_member_a_record_needs_nothing_before_it() -> None:
    assert all(position.skip == 0 for position in positions(gzipped(RECORDS)))


@pytest.mark.parametrize("kind", SQUEEZED)
def test_a_file_that_is_cut_gives_the_records_that_came_whole(kind: str) -> None:
    data = SQUEEZED[kind](RECORDS)
    for at in range(len(data) - 1, len(data) // 2, -997):
        ids, faults = read(data[:at])
        assert ids == IDS[: len(ids)]
        assert len(faults) <= 1
    assert len(read(data[:-1])[0]) >= len(IDS) - 1
    assert "ends inside" in read(data[: -len(data) // 3])[1][0].reason


def test_damage_in_a_gzip_member_costs_that_record_and_no_other() -> None:
    members = [gzip.compress(record.encode(), mtime=0) for record in RECORDS]
    offset = sum(map(len, members[:7]))
    damaged = members[7][: len(members[7]) // 2] + b"\xff" * 40 + members[7][len(members[7]) // 2 + 40 :]
    ids, faults = read(b"".join([*members[:7], damaged, *members[8:]]))
    assert ids == [*IDS[:7], *IDS[8:]]
    assert [fault.offset for fault in faults] == [offset]
    assert "damaged gzip member" in faults[0].reason


def test_what_stands_between_gzip_members_is_told_and_nuls_are_not() -> None:
    members = [gzip.compress(record.encode(), mtime=0) for record in RECORDS]
    ids, faults = read(b"".join([*members[:3], b"\0" * 500, *members[3:9], b"<html>no", *members[9:], b"\0" * 70_000]))
    assert ids == IDS
    assert [fault.reason for fault in faults] == ["found no gzip member where one is to begin"]


def test_damage_in_a_zstd_frame_is_told() -> None:
    frames = [zstd([record]) for record in RECORDS]
    ids, faults = read(b"".join([*frames[:9], b"\x28\xb5\x2f\xfd" + b"\xff" * 60, *frames[9:]]))
    assert ids == IDS[:9]
    assert len(faults) == 1
    assert "damaged zstd frame" in faults[0].reason


def test_frames_that_are_to_be_skipped_are() -> None:
    skipped = b"\x5a\x2a\x4d\x18" + (70_000).to_bytes(4, "little") + b"x" * 70_000
    frames = [zstd([record]) for record in RECORDS]
    assert read(skipped + b"".join([*frames[:5], skipped, *frames[5:]])) == (IDS, [])


@pytest.mark.parametrize(
    ("data", "named"),
    [
        (b"", "empty"),
        (b"PK\x03\x04" + b"\0" * 90, "zip"),
        (b"filedesc://x.arc 0.0.0.0 20190304 text/plain 73\n", "ARC"),
        (make_page(1), "page"),
        (b"BZh91AY&SY", "bzip2"),
        (b"\xfd7zXZ\0\0", "xz"),
        (b"\x93NUMPY\1\0", "NUMPY"),
    ],
)
def test_what_is_no_warc_file_is_refused_by_name(data: bytes, named: str) -> None:
    with pytest.raises(RecordError, match=named):
        open_flow(io.BytesIO(data), start=BEGINNING, begins_at=0)


def test_a_bomb_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("crawler.imports.flows._LEAST_BOMB_BYTES", 1 << 24)
    zeros = zlib.compressobj(9, zlib.DEFLATED, 31)
    bomb = b"".join(
        [zeros.compress(b"WARC/1.0\r\n"), *(zeros.compress(bytes(1 << 20)) for _ in range(64)), zeros.flush()]
    )
    with pytest.raises(RecordError, match="a bomb"):
        read(bomb)
    with pytest.raises(RecordError, match="a bomb"):
        read(zstd([make_response(1, body=bytes(1 << 26))]))


def test_a_dictionary_that_is_a_bomb_is_refused_before_memory_is_taken_for_it() -> None:
    squeezed = zstandard.ZstdCompressor().compress(b"\x37\xa4\x30\xec" + bytes(17 * 1024 * 1024))
    data = b"\x5d\x2a\x4d\x18" + len(squeezed).to_bytes(4, "little") + squeezed
    with pytest.raises(RecordError, match="a dictionary of more than"):
        open_flow(io.BytesIO(data), start=BEGINNING, begins_at=0)


def test_what_looks_like_members_again_and_again_is_given_up() -> None:
    with pytest.raises(RecordError, match="too much of the file is damaged"):
        read(gzipped(RECORDS[:1]) + b"xx" + b"\x1f\x8b\x08" * 20_000)


@given(st.binary(max_size=400), st.integers(0, 3_000))
def test_no_bytes_whatever_end_in_anything_but_faults(noise: bytes, at: int) -> None:
    for squeeze in (gzipped, plain, zstd):
        data = squeeze(RECORDS[:6])
        at %= len(data)
        try:
            ids, _ = read(data[:at] + noise + data[at + len(noise) // 2 :])
        except RecordError:
            continue
        assert set(ids) <= {*IDS[:6]} or squeeze is plain

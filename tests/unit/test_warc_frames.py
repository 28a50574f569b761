"""Records as zstd frames behind a dictionary: read one by one, whole files, rows; hostile frames are refused."""

from __future__ import annotations

import gzip
import io
import shutil
import subprocess
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from config.errors import RecordError
from crawler.model import Exchange, Purpose
from crawler.warc import (
    encode_exchange,
    encode_facts,
    gzip_members,
    gzip_record,
    inflate_member,
    read_facts,
    read_member,
    read_records,
    read_response,
)
from crawler.warc.frames import DICTIONARY_FRAME, FrameWriter, measure_frame
from jobs.archive.ranges import fetch_dictionary, fetch_range
from jobs.store.memory import MemoryStore
from tests.archives import put

NOW = datetime(2026, 11, 22, 3, 45, tzinfo=UTC)


def make_exchange(number: int) -> Exchange:
    words = " ".join(f"word{(number * 7 + n) % 97}" for n in range(200))
    return Exchange(
        url=f"https://gazette.example/{number}",
        purpose=Purpose.ARTICLE,
        started_at=NOW + timedelta(seconds=number),
        seconds=0.1,
        request_head=f"GET /{number} HTTP/1.1\r\nHost: gazette.example\r\n\r\n".encode(),
        status=200,
        response_head=b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n",
        body=f"<p>{number} {words}</p>".encode(),
    )


GZIPPED = [encode_exchange(make_exchange(number)).data for number in range(60)]
VIEWS = [view for data in GZIPPED for view in read_records(io.BytesIO(data))]
RECORDS: list[Any] = [
    inflate_member(data[view.offset : view.offset + view.length])
    for data in GZIPPED
    for view in read_records(io.BytesIO(data))
]
DICTIONARY = zstandard.train_dictionary(8_192, RECORDS)
WRITER = FrameWriter(DICTIONARY, 9)
FRAMES = [WRITER.squeeze(record) for record in RECORDS]
FILE = WRITER.begin() + b"".join(FRAMES)


def test_a_file_of_frames_has_the_records_of_its_gzip_members() -> None:
    views = list(read_records(io.BytesIO(FILE)))
    assert [(view.headers, view.block) for view in views] == [(view.headers, view.block) for view in VIEWS]
    assert not any(view.find_faults() for view in views)
    assert views[0].offset == len(WRITER.begin())
    assert [FILE[view.offset : view.offset + view.length] for view in views] == FRAMES
    assert len(FILE) < sum(map(len, GZIPPED)) / 2


def test_a_frame_is_read_alone_behind_its_dictionary() -> None:
    assert inflate_member(WRITER.begin() + FRAMES[4]) == RECORDS[4]
    assert read_member(WRITER.begin() + FRAMES[4]).block == VIEWS[4].block
    assert read_response(WRITER.begin() + FRAMES[0]).body == make_exchange(0).body
    assert read_response(FrameWriter(None, 3).squeeze(RECORDS[0])).body == make_exchange(0).body


def test_frames_become_gzip_members_again() -> None:
    again = gzip_members(FILE, limit=1 << 24)
    assert again == b"".join(GZIPPED)
    assert gzip_members(GZIPPED[0], limit=1) == GZIPPED[0]
    with pytest.raises(RecordError, match="more than 5000 bytes"):
        gzip_members(FILE, limit=5_000)


@pytest.mark.parametrize("coding", ["", "Content-Encoding: BR\r\n", "Content-Type: image/jpeg\r\n"])
@pytest.mark.parametrize("body", [b"", b"<p>one</p>\r\n\r\n", bytes(range(256)) * 4_000])
def test_a_record_becomes_the_gzip_member_that_it_was(coding: str, body: bytes) -> None:
    head = f"HTTP/1.1 200 OK\r\n{coding}\r\n".encode()
    data = encode_exchange(replace(make_exchange(1), response_head=head, body=body)).data
    for view in read_records(io.BytesIO(data)):
        member = data[view.offset : view.offset + view.length]
        assert gzip_record(inflate_member(member)) == member


@given(data=st.binary(max_size=200))
def test_whatever_is_no_record_becomes_a_member_too(data: bytes) -> None:
    for record in (data, b"WARC/1.1\r\nWARC-Type: response\r\n\r\n" + data, data + b"\r\n\r\n"):
        assert gzip.decompress(gzip_record(record)) == record


def test_extension_frames_are_passed_over() -> None:
    extension = b"\x50\x2a\x4d\x18" + (5).to_bytes(4, "little") + b"other"
    data = WRITER.begin() + extension + FRAMES[0] + extension * 2 + FRAMES[1] + extension
    assert [view.block for view in read_records(io.BytesIO(data))] == [view.block for view in VIEWS[:2]]


def test_rows_are_read_from_frames() -> None:
    lines = [b'{"type":"link","n":%d}\n' % number for number in range(5_000)]
    members = b"".join(encode_facts(lines, segment="s", date=NOW))
    frames = [
        WRITER.squeeze(inflate_member(members[view.offset : view.offset + view.length]))
        for view in read_records(io.BytesIO(members))
    ]
    assert list(read_facts(io.BytesIO(WRITER.begin() + b"".join(frames)))) == lines


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (FILE[:-3], "the file ends inside a zstd frame"),
        (WRITER.begin() + FRAMES[0][:30], "the file ends inside a zstd frame"),
        (WRITER.begin()[:-5], "the file ends inside its dictionary"),
        (b"".join(FRAMES[:2]), "damaged zstd frame"),
        (DICTIONARY_FRAME + (9 << 20).to_bytes(4, "little"), "at most 8388608 are read"),
        (DICTIONARY_FRAME + (4).to_bytes(4, "little") + b"none" + FRAMES[0], "damaged|frame"),
        (WRITER.begin() + b"WARC/1.1\r\n", "expected a zstd frame"),
        (zstandard.ZstdCompressor(write_content_size=False).compress(RECORDS[0]), "does not say how long"),
        (zstandard.ZstdCompressor().compress(bytes(3 << 20)), "inflates to more than 2097152 bytes"),
        (FrameWriter(None, 3).squeeze(b"no record"), "expected the headers of a WARC/1.1 record"),
        (FrameWriter(None, 3).squeeze(RECORDS[0] + RECORDS[1]), "Content-Length is"),
    ],
)
def test_what_cannot_be_read_is_refused(data: bytes, reason: str) -> None:
    with pytest.raises(RecordError, match=reason):
        list(read_records(io.BytesIO(data), limit=2 << 20))


def test_a_wide_window_is_refused() -> None:
    parameters = zstandard.ZstdCompressionParameters.from_level(3, window_log=27)
    squeezed = bytearray(zstandard.ZstdCompressor(compression_params=parameters).compress(bytes(200 << 20)))
    assert zstandard.get_frame_parameters(bytes(squeezed[:18])).window_size == 1 << 27
    with pytest.raises(RecordError, match="a zstd window of 134217728 bytes"):
        measure_frame(bytes(squeezed), 0, 1 << 30)


@given(st.binary(max_size=60), st.integers(0, 400), st.integers(0, 255))
def test_damage_is_told_or_harmless(junk: bytes, at: int, value: int) -> None:
    frame = bytearray(FRAMES[0])
    frame[at % len(frame)] = value
    for data in (WRITER.begin() + bytes(frame), WRITER.begin() + junk, junk):
        try:
            found = list(read_records(io.BytesIO(data), limit=1 << 20))
        except RecordError:
            continue
        assert not found or found[0].block == VIEWS[0].block


class CountingStore(MemoryStore):
    """Notes what was asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[tuple[str, int]] = []

    def get(self, key: str, *, offset: int = 0, length: int | None = None) -> bytes:
        self.asked.append((key, offset))
        return super().get(key, offset=offset, length=length)


def test_a_dictionary_is_fetched_once_an_object() -> None:
    store = CountingStore()
    key = "segments/gazette/sealed=2026-11-22/a.warc.zst"
    put(store, key, FILE)
    put(store, key.removesuffix("zst") + "gz", b"".join(GZIPPED))
    for view in list(read_records(io.BytesIO(FILE)))[:5]:
        data = fetch_range(store, key, view.offset, view.length)
        assert read_member(data).block == view.block
    assert store.asked.count((key, 0)) == 1
    assert len(store.asked) == 6
    assert fetch_range(store, key.removesuffix("zst") + "gz", 0, 20) == GZIPPED[0][:20]
    assert fetch_dictionary(store, key) == WRITER.begin()


def test_a_long_dictionary_takes_two_requests() -> None:
    store = CountingStore()
    long = zstandard.ZstdCompressionDict(DICTIONARY.as_bytes() + bytes(range(256)) * 1_200)
    frame = DICTIONARY_FRAME + len(long.as_bytes()).to_bytes(4, "little") + long.as_bytes()
    put(store, "a.warc.zst", frame + FrameWriter(long, 3).squeeze(RECORDS[0]))
    data = fetch_range(store, "a.warc.zst", len(frame), 1 << 20)
    assert read_member(data).block == VIEWS[0].block
    assert len(store.asked) == 3
    put(store, "b.warc.zst", frame[:-9])
    with pytest.raises(RecordError, match=r"b\.warc\.zst: the object ends inside its dictionary"):
        fetch_range(store, "b.warc.zst", 0, 10)


@pytest.mark.skipif(shutil.which("zstd") is None, reason="zstd's own program is not installed")
def test_zstds_own_program_reads_it_with_the_dictionary_that_stands_first(tmp_path: Path) -> None:
    (tmp_path / "a.warc.zst").write_bytes(FILE)
    (tmp_path / "dictionary").write_bytes(DICTIONARY.as_bytes())
    command = ["zstd", "-dc", "-D", str(tmp_path / "dictionary"), str(tmp_path / "a.warc.zst")]
    found = subprocess.run(command, capture_output=True, check=True, timeout=60)
    assert found.stdout == b"".join(RECORDS)

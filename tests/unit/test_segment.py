"""Segments on disk: what is written where, when a segment ends, and what a full disk leaves behind."""

from __future__ import annotations

import fcntl
import os
import resource
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from config.errors import RecordError
from crawler.ids import new_id, split_id
from crawler.model import Exchange, FieldValue, PageClass, Purpose, Snapshot
from crawler.normalise import digest_text
from crawler.rows import (
    CaptureReference,
    CaptureRow,
    CdxjRow,
    EndRow,
    LinkRow,
    RunRow,
    SegmentRow,
    decode_row,
)
from crawler.segment import SegmentStream, SegmentWriter, recover_segments, snapshot_row
from crawler.warc import NOTHING_RECORDED, Recorded, encode_exchange, read_records

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from crawler.rows import Row

NOW = datetime(2026, 11, 22, 3, 45, tzinfo=UTC)
TEXT = "Budget\nThe tax will rise by 2 %."
SNAPSHOT = Snapshot(
    page_class=PageClass.ARTICLE,
    class_reason="one block",
    title="Budget",
    lead=None,
    text=TEXT,
    text_digest=digest_text(TEXT),
    derivation="sha256:" + "0" * 64,
    fields={
        "authors": FieldValue(["A. Writer"], "json-ld", confidence=0.93),
        "published": FieldValue("2026-11-22T03:00:00+02:00", "visible", "Asia/Beirut"),
    },
    confidence=0.9,
)
LINK = LinkRow(url="https://gazette.example/2026/next", via="https://gazette.example/rss", found_at=NOW)
RUN = RunRow(run="run-1", trigger="crawl", started=NOW, finished=NOW, reason="finished")


def exchange_of(number: int, body: bytes = b"<p>The tax will rise by 2 %.</p>") -> Exchange:
    return Exchange(
        url=f"https://gazette.example/2026/{number}",
        purpose=Purpose.ARTICLE,
        started_at=NOW + timedelta(seconds=number),
        seconds=0.1,
        request_head=b"GET / HTTP/1.1\r\nHost: gazette.example\r\n\r\n",
        status=200,
        response_head=b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n",
        body=body,
    )


def row_of(exchange: Exchange, recorded: Recorded) -> CaptureRow:
    return CaptureRow(
        n=0,
        url=exchange.url,
        target_uri=exchange.url,
        captured_at=exchange.started_at,
        purpose="article",
        page_class="article",
        class_reason="",
        status=exchange.status,
        payload_digest=recorded.payload_digest,
        size_bytes=len(exchange.body),
    )


def append(writer: SegmentWriter | SegmentStream, number: int, *, body: bytes = b"<p>x</p>") -> int | CaptureReference:
    exchange = exchange_of(number, body)
    recorded = encode_exchange(exchange)
    return writer.append(row_of(exchange, recorded), recorded, SNAPSHOT)


def open_writer(spool: Path) -> SegmentWriter:
    return SegmentWriter.open(
        spool,
        source="gazette",
        run="run-1",
        archive="a" * 32,
        writer="ofrecord/0.1.0",
        now=NOW,
        derivations={SNAPSHOT.derivation: {"rules": {}}},
    )


def open_stream(spool: Path, *, max_bytes: int = 1 << 30, max_seconds: float = 300, **more: object) -> SegmentStream:
    return SegmentStream(
        spool,
        source="gazette",
        run="run-1",
        archive=None,
        writer="ofrecord/0.1.0",
        max_bytes=max_bytes,
        max_seconds=max_seconds,
        **more,  # type: ignore[arg-type]
    )


def read_rows(folder: Path) -> list[Row]:
    rows = [decode_row(line) for line in (folder / "rows.jsonl").read_bytes().splitlines()]
    assert None not in rows
    return [row for row in rows if row is not None]


@contextmanager
def file_size_limit(size: int) -> Iterator[None]:
    """Let the kernel refuse to write any file beyond *size*, in the middle of a write, as a full disk does."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_ids() -> None:
    one, other = new_id("gazette-2", NOW), new_id("gazette-2", NOW)
    assert one.startswith("gazette-2-20261122T034500Z-")
    assert one != other
    assert split_id(one) == ("gazette-2", NOW)
    for wrong in ("gazette", one[:-1], one.upper(), one.replace("1122", "1322"), "-" + one):
        with pytest.raises(RecordError, match="no id of a run or segment"):
            split_id(wrong)


def test_a_whole_segment(tmp_path: Path) -> None:
    writer = open_writer(tmp_path)
    assert append(writer, 0) == 0
    failed = replace(exchange_of(1), status=None, response_head=b"", body=b"", error="time-out")
    no_answer = replace(row_of(failed, NOTHING_RECORDED), error="time-out", page_class="error")
    assert writer.append(no_answer, NOTHING_RECORDED) == 1
    assert append(writer, 2) == 2
    writer.add(LINK)
    writer.add(RUN)
    folder = writer.close(NOW + timedelta(seconds=9))

    assert folder == tmp_path / "closed" / writer.segment
    assert sorted(path.name for path in folder.iterdir()) == ["records.warc.gz", "rows.jsonl"]
    assert list((tmp_path / "open").iterdir()) == []
    rows = read_rows(folder)
    assert [row.type for row in rows] == [
        "segment", "capture", "snapshot", "cdxj", "capture", "capture", "snapshot", "cdxj", "link", "run", "end",
    ]  # fmt: skip
    head, end = rows[0], rows[-1]
    assert isinstance(head, SegmentRow)
    assert isinstance(end, EndRow)
    assert (head.segment, head.opened, head.archive) == (writer.segment, NOW, "a" * 32)
    assert head.derivations == {SNAPSHOT.derivation: {"rules": {}}}
    assert (end.closed, end.warc_records, end.cut) == (NOW + timedelta(seconds=9), 5, None)
    assert end.counts == {"captures": 3, "snapshots": 2, "links": 1, "errors": 1}


def test_rows_say_where_the_records_lie(tmp_path: Path) -> None:
    writer = open_writer(tmp_path)
    append(writer, 0)
    append(writer, 1)
    folder = writer.close(NOW)
    views = list(read_records(folder / "records.warc.gz"))
    assert [view.type for view in views] == ["warcinfo", "response", "request", "response", "request"]
    assert views[0].header("WARC-Filename") == f"{writer.segment}.warc.gz"
    places = {(view.offset, view.length): view for view in views}
    rows = read_rows(folder)
    captures = [row for row in rows if isinstance(row, CaptureRow)]
    for number, row in enumerate(captures):
        assert row.n == number
        assert row.warc is not None
        for extent, kind in ((row.warc.request, "request"), (row.warc.response, "response")):
            assert extent is not None
            view = places[extent.offset, extent.length]
            assert (view.type, view.header("WARC-Target-URI")) == (kind, row.target_uri)
    lines = [row.line for row in rows if isinstance(row, CdxjRow)]
    assert f'"offset": "{views[3].offset}", "filename": "{writer.segment}.warc.gz"}}' in lines[1]


def test_snapshot_rows() -> None:
    row = snapshot_row(SNAPSHOT, url="u", captured_at=NOW, n=3)
    assert (row.n, row.of, row.text, row.page_class) == (3, None, TEXT, "article")
    assert row.fields == {
        "authors": {"value": ["A. Writer"], "from": "json-ld", "confidence": 0.93},
        "published": {"value": "2026-11-22T03:00:00+02:00", "from": "visible", "assumed_zone": "Asia/Beirut"},
    }
    earlier = CaptureReference("s", 4)
    assert snapshot_row(SNAPSHOT, url="u", captured_at=NOW, of=earlier).of == earlier
    with pytest.raises(ValueError, match="exactly one"):
        snapshot_row(SNAPSHOT, url="u", captured_at=NOW)


def test_a_snapshot_needs_its_response(tmp_path: Path) -> None:
    writer = open_writer(tmp_path)
    with pytest.raises(RecordError, match="without a response"):
        writer.append(row_of(exchange_of(0), NOTHING_RECORDED), NOTHING_RECORDED, SNAPSHOT)
    writer.abandon()


@pytest.mark.parametrize("body", [b"x" * 100_000, os.urandom(100_000)], ids=["rows", "records"])
def test_a_full_disk_leaves_the_last_whole_capture(tmp_path: Path, body: bytes) -> None:
    writer = open_writer(tmp_path)
    append(writer, 0)
    folder = tmp_path / "open" / writer.segment
    sizes = [(folder / name).stat().st_size for name in ("records.warc.gz", "rows.jsonl")]
    exchange = exchange_of(1, body)
    recorded = encode_exchange(exchange)
    text = "word " * 20_000
    large = replace(SNAPSHOT, text=text, text_digest=digest_text(text))
    with file_size_limit(50_000), pytest.raises(OSError, match="File too large"):
        writer.append(row_of(exchange, recorded), recorded, large)
    assert [(folder / name).stat().st_size for name in ("records.warc.gz", "rows.jsonl")] == sizes
    assert append(writer, 1) == 1
    rows = read_rows(writer.close(NOW))
    assert isinstance(rows[-1], EndRow)
    assert (rows[-1].counts["captures"], rows[-1].warc_records) == (2, 5)


def test_a_stream_opens_nothing_before_it_has_something(tmp_path: Path) -> None:
    stream = open_stream(tmp_path)
    stream.rotate()
    stream.close()
    assert list(tmp_path.iterdir()) == []
    stream.add(RUN)
    stream.close()
    (folder,) = (tmp_path / "closed").iterdir()
    assert [row.type for row in read_rows(folder)] == ["segment", "run", "end"]


def test_a_stream_rotates_by_size(tmp_path: Path) -> None:
    closed: list[Path] = []
    stream = open_stream(tmp_path, max_bytes=25_000, on_close=closed.append)
    places = [append(stream, number, body=os.urandom(9_000)) for number in range(7)]
    stream.add(RUN)
    stream.close()
    assert [place.n for place in places if isinstance(place, CaptureReference)] == [0, 1, 2, 0, 1, 2, 0]
    assert [len(read_rows(folder)) for folder in closed] == [11, 11, 6]
    assert stream.closed == 3
    assert isinstance(read_rows(closed[-1])[-2], RunRow)


def test_a_stream_rotates_by_age_and_keeps_the_runs_row_with_the_last_capture(tmp_path: Path) -> None:
    times = iter(range(1_000))
    stream = open_stream(tmp_path, max_seconds=4, clock=lambda: NOW + timedelta(seconds=next(times)))
    for number in range(6):
        append(stream, number)
    for _ in range(9):
        stream.add(RUN)
    stream.close()
    folders = sorted((tmp_path / "closed").iterdir())
    captures = [sum(isinstance(row, CaptureRow) for row in read_rows(folder)) for folder in folders]
    assert sum(captures) == 6
    assert all(captures)
    assert len(captures) > 1


def test_an_open_segment_is_left_alone_while_its_writer_lives(tmp_path: Path) -> None:
    writer = open_writer(tmp_path)
    append(writer, 0)
    assert recover_segments(tmp_path, NOW) == []
    with (tmp_path / "open" / writer.segment / "lock").open() as lock, pytest.raises(BlockingIOError):
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    append(writer, 1)
    writer.close(NOW)
    assert recover_segments(tmp_path, NOW) == []


def test_recovery_of_a_spool_that_is_not_there(tmp_path: Path) -> None:
    assert recover_segments(tmp_path / "none", NOW) == []


def test_recovery_ends_what_a_dead_writer_left_whole(tmp_path: Path) -> None:
    writer = open_writer(tmp_path)
    append(writer, 0)
    writer.add(LINK)
    writer.abandon()
    (folder,) = recover_segments(tmp_path, NOW + timedelta(hours=1))
    rows = read_rows(folder)
    assert isinstance(rows[-1], EndRow)
    assert (rows[-1].cut, rows[-1].closed) == (None, NOW + timedelta(hours=1))
    assert rows[-1].counts == {"captures": 1, "snapshots": 1, "links": 1, "errors": 0}
    assert rows[-1].warc_records == 3
    assert sorted(path.name for path in folder.iterdir()) == ["records.warc.gz", "rows.jsonl"]


def test_recovery_removes_what_holds_nothing(tmp_path: Path) -> None:
    open_writer(tmp_path).abandon()
    (tmp_path / "open" / "gazette-empty").mkdir()
    links = open_writer(tmp_path)
    links.add(LINK)
    links.abandon()
    assert recover_segments(tmp_path, NOW) == []
    assert list((tmp_path / "open").iterdir()) == []


def test_recovery_keeps_a_runs_row_without_captures(tmp_path: Path) -> None:
    writer = open_writer(tmp_path)
    writer.add(RUN)
    writer.abandon()
    (folder,) = recover_segments(tmp_path, NOW)
    assert [row.type for row in read_rows(folder)] == ["segment", "run", "end"]


def test_recovery_does_not_believe_a_damaged_record(tmp_path: Path) -> None:
    writer = open_writer(tmp_path)
    append(writer, 0)
    first = (tmp_path / "open" / writer.segment / "records.warc.gz").stat().st_size
    append(writer, 1)
    append(writer, 2)
    writer.abandon()
    path = tmp_path / "open" / writer.segment / "records.warc.gz"
    data = bytearray(path.read_bytes())
    data[first + 60] ^= 4
    path.write_bytes(data)
    (folder,) = recover_segments(tmp_path, NOW)
    end = read_rows(folder)[-1]
    assert isinstance(end, EndRow)
    assert end.counts["captures"] == 1
    assert end.cut is not None
    assert end.cut["warc_bytes"] == len(data) - first
    assert (folder / "records.warc.gz").stat().st_size == first

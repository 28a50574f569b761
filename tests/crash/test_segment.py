"""A writer that dies at any byte: recovery keeps every capture that both files hold whole, and nothing else."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from crawler.model import Exchange, PageClass, Purpose, Snapshot
from crawler.normalise import digest_text
from crawler.rows import CaptureRow, CdxjRow, EndRow, LinkRow, RunRow, SnapshotRow, decode_row
from crawler.segment import SegmentWriter, recover_segments
from crawler.warc import NOTHING_RECORDED, encode_exchange, read_records

if TYPE_CHECKING:
    from pathlib import Path

NOW = datetime(2026, 11, 22, 3, 45, tzinfo=UTC)
FILES = ("records.warc.gz", "rows.jsonl")


@dataclass(frozen=True)
class Written:
    """An abandoned segment and the lengths of both files after each capture."""

    folder: Path
    sizes: list[tuple[int, int]]


def write_segment(spool: Path, captures: int = 3, *, run: bool = False) -> Written:
    writer = SegmentWriter.open(spool, source="gazette", run="r", archive=None, writer="ofrecord/0", now=NOW)
    folder = spool / "open" / writer.segment
    sizes = []
    for number in range(captures):
        append(writer, number, answered=number != 1)
        sizes.append(tuple((folder / name).stat().st_size for name in FILES))
    if run:
        writer.add(LinkRow(url="https://gazette.example/x", via="https://gazette.example/rss", found_at=NOW))
        writer.add(RunRow(run="r", trigger="crawl", started=NOW, finished=NOW, reason="finished"))
    writer.abandon()
    return Written(folder, [(size[0], size[1]) for size in sizes])


def append(writer: SegmentWriter, number: int, *, answered: bool = True) -> None:
    exchange = Exchange(
        url=f"https://gazette.example/{number}",
        purpose=Purpose.ARTICLE,
        started_at=NOW + timedelta(seconds=number),
        seconds=0.1,
        request_head=b"GET / HTTP/1.1\r\nHost: gazette.example\r\n\r\n",
        status=200,
        response_head=b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n",
        body=b"<p>The tax will rise.</p>",
    )
    recorded = encode_exchange(exchange) if answered else NOTHING_RECORDED
    row = CaptureRow(
        n=0, url=exchange.url, target_uri=exchange.url, captured_at=exchange.started_at, purpose="article",
        page_class="article", class_reason="", status=200 if answered else None,
    )  # fmt: skip
    snapshot = Snapshot(
        page_class=PageClass.ARTICLE, class_reason="", title=None, lead=None, text="The tax will rise.",
        text_digest=digest_text("The tax will rise."), derivation="sha256:0", fields={}, confidence=1.0,
    )  # fmt: skip
    writer.append(row, recorded, snapshot if answered else None)


def check_segment(folder: Path) -> EndRow:
    """Assert that the recovered segment holds together; return its end row."""
    rows = [decode_row(line) for line in (folder / "rows.jsonl").read_bytes().splitlines(keepends=True)]
    end = rows[-1]
    assert isinstance(end, EndRow)
    assert rows[0] is not None
    assert rows[0].type == "segment"
    views = list(read_records(folder / "records.warc.gz"))
    assert not any(view.find_faults() for view in views)
    assert len(views) == end.warc_records
    captures = [row for row in rows if isinstance(row, CaptureRow)]
    assert [row.n for row in captures] == list(range(end.counts["captures"]))
    places = [extent for row in captures if row.warc for extent in (row.warc.response, row.warc.request) if extent]
    assert [(place.offset, place.length) for place in places] == [(view.offset, view.length) for view in views[1:]]
    answered = [row.n for row in captures if row.warc]
    assert [row.n for row in rows if isinstance(row, SnapshotRow)] == answered
    assert sum(isinstance(row, CdxjRow) for row in rows) == len(answered)
    return end


def recover_copy(written: Written, spool: Path, sizes: tuple[int, int]) -> Path | None:
    """Recover a copy of the segment whose files end at *sizes*, twice; return where it is."""
    folder = spool / "open" / written.folder.name
    shutil.copytree(written.folder, folder)
    for name, size in zip(FILES, sizes, strict=True):
        os.truncate(folder / name, size)
    found = recover_segments(spool, NOW)
    assert recover_segments(spool, NOW) == []
    assert not folder.exists()
    return found[0] if found else None


def check_cut(written: Written, spool: Path, sizes: tuple[int, int]) -> None:
    whole = [kept for kept in written.sizes if kept[0] <= sizes[0] and kept[1] <= sizes[1]]
    folder = recover_copy(written, spool, sizes)
    if not whole:
        assert folder is None
        return
    assert folder is not None
    end = check_segment(folder)
    assert end.counts["captures"] == len(whole)
    torn = sizes[0] - whole[-1][0], sizes[1] - whole[-1][1]
    assert (end.cut and (end.cut["warc_bytes"], end.cut["rows_bytes"])) == (torn if any(torn) else None)
    shutil.rmtree(folder)


@pytest.mark.slow
@pytest.mark.parametrize("step", [5, pytest.param(1, marks=pytest.mark.soak)])
@pytest.mark.parametrize("which", [0, 1], ids=FILES)
def test_every_byte_of_the_last_capture(tmp_path: Path, which: int, step: int) -> None:
    written = write_segment(tmp_path / "made")
    before, after = written.sizes[-2:]
    for size in sorted(
        {*range(before[which], after[which] + 1, step), before[which] + 1, after[which] - 1, after[which]}
    ):
        sizes = (size, after[1]) if which == 0 else (after[0], size)
        check_cut(written, tmp_path / "spool", sizes)


def test_every_byte_as_a_writer_leaves_them(tmp_path: Path) -> None:
    """Records first, then rows: the moments that a kill can really leave, from the first byte on."""
    written = write_segment(tmp_path / "made", 1)
    end = written.sizes[-1]
    for size in range(0, end[0], 7):
        check_cut(written, tmp_path / "spool", (size, 0))
    for size in range(0, end[1] + 1, 7):
        check_cut(written, tmp_path / "spool", (end[0], size))


def test_any_two_lengths(tmp_path: Path) -> None:
    written = write_segment(tmp_path / "made")
    chance = random.Random(20261122)
    for _ in range(150):
        check_cut(
            written,
            tmp_path / "spool",
            (chance.randint(0, written.sizes[-1][0]), chance.randint(0, written.sizes[-1][1])),
        )


def test_a_recovery_that_dies_at_any_byte_is_finished_by_the_next(tmp_path: Path) -> None:
    written = write_segment(tmp_path / "made")
    torn = (written.sizes[-1][0] - 5, written.sizes[-1][1] - 5)
    folder = recover_copy(written, tmp_path / "straight", torn)
    assert folder is not None
    expected = [(folder / name).read_bytes() for name in FILES]
    kept = written.sizes[1]
    rows, tail = expected[1][kept[1] :], (written.folder / "rows.jsonl").read_bytes()[kept[1] : torn[1]]
    for size in range(len(rows) + 1):
        spool = tmp_path / "again"
        copy = spool / "open" / written.folder.name
        shutil.copytree(written.folder, copy)
        os.truncate(copy / "records.warc.gz", torn[0])
        # the end row's first bytes stand over the torn rows; what lies behind it is not cut off yet
        (copy / "rows.jsonl").write_bytes(expected[1][: kept[1]] + rows[:size] + tail[size:])
        (found,) = recover_segments(spool, NOW)
        assert [(found / name).read_bytes() for name in FILES] == expected
        shutil.rmtree(spool)


def test_a_writer_that_dies_while_it_closes(tmp_path: Path) -> None:
    made = write_segment(tmp_path / "made", run=True)
    open_rows = (made.folder / "rows.jsonl").read_bytes()
    folder = recover_copy(made, tmp_path / "whole", (made.sizes[-1][0], len(open_rows)))
    assert folder is not None
    ended = (folder / "rows.jsonl").read_bytes()
    assert ended.startswith(open_rows)
    for size in range(len(open_rows), len(ended) + 1, 3):
        (made.folder / "rows.jsonl").write_bytes(ended)
        again = recover_copy(made, tmp_path / "again", (made.sizes[-1][0], size))
        assert again is not None
        end = check_segment(again)
        assert end.counts == {"captures": 3, "snapshots": 2, "links": 1, "errors": 0}
        shutil.rmtree(again)


WRITER = """
import sys
from datetime import UTC, datetime
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from test_segment import append
from crawler.segment import SegmentWriter
spool = Path(sys.argv[1])
writer = SegmentWriter.open(spool, source="gazette", run="r", archive=None, writer="ofrecord/0", now=datetime.now(UTC))
number = 0
while True:
    append(writer, number)
    number += 1
    print(number, flush=True)
"""


@pytest.mark.parametrize("after", [1, 40, 200])
def test_a_killed_writer(tmp_path: Path, after: int) -> None:
    command = [sys.executable, "-c", WRITER, str(tmp_path), os.path.dirname(__file__)]  # noqa: PTH120 - a plain string
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for _ in range(after):
            assert process.stdout.readline()
        assert recover_segments(tmp_path, NOW) == []
        process.send_signal(signal.SIGKILL)
        told = after + len(process.stdout.read().splitlines())
    (folder,) = recover_segments(tmp_path, NOW)
    assert check_segment(folder).counts["captures"] >= told


def test_rows_that_claim_more_than_the_records_hold(tmp_path: Path) -> None:
    """Rows whose extents do not fit are not believed, whatever their form."""
    written = write_segment(tmp_path)
    path = written.folder / "rows.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    row = decode_row(lines[-3])
    assert isinstance(row, CaptureRow)
    assert row.warc is not None
    assert row.warc.response is not None
    path.write_bytes(path.read_bytes().replace(f'"length":{row.warc.response.length}'.encode(), b'"length":17'))
    (folder,) = recover_segments(tmp_path, NOW)
    end = check_segment(folder)
    assert end.counts["captures"] == 2
    assert end.cut is not None

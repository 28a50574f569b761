"""The line that shows how a crawl goes: what it says, in how many columns, how often, and where it comes from."""

from __future__ import annotations

import os
import pty
import select
import tty
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from crawler.items import PageItem, Tally
from crawler.model import Exchange, Purpose
from crawler.progress import PREFIX, CrawlProgress
from jobs.cli.progress import ProgressLine, find_columns
from jobs.cli.watching import Pace, describe_run_step, show_duration
from jobs.runs.progress import Phase, Reporter, RunStep
from tests.terminals import Screen, resize

if TYPE_CHECKING:
    from collections.abc import Iterator

CRAWL = CrawlProgress(
    pages=1204, new=1100, revised=12, failed=3, size_bytes=126_000_000, listed=0, waiting=1916, discovering=False
)
STEP = RunStep("gazette", Phase.CRAWLING, CRAWL, left=1916, spool_bytes=14_900_000)


def pace_of(*notes: tuple[float, int]) -> Pace:
    pace = Pace()
    for now, pages in notes:
        pace.note(pages, now=now)
    return pace


STEADY = pace_of((0, 0), (30, 1204))


def test_a_step_in_one_line() -> None:
    assert describe_run_step(STEP, STEADY, 200) == (
        "gazette · 1204/3120 pages · 40.1/s · 1100 new · 12 revised · 3 failed · 120.2 MiB · spool 14.2 MiB · 48 s left"
    )


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        (105, "gazette · 1204/3120 pages · 40.1/s · 1100 new · 12 revised · 3 failed · 120.2 MiB · 48 s left"),
        (89, "1204/3120 pages · 40.1/s · 1100 new · 12 revised · 3 failed · 120.2 MiB · 48 s left"),
        (79, "1204/3120 pages · 40.1/s · 1100 new · 12 revised · 3 failed · 48 s left"),
        (60, "1204/3120 pages · 40.1/s · 1100 new · 3 failed · 48 s left"),
        (27, "1204/3120 pages · 48 s left"),
        (9, "1204/3120"),
        (0, ""),
    ],
)
def test_a_narrow_terminal_gets_what_matters_most(columns: int, expected: str) -> None:
    shown = describe_run_step(STEP, STEADY, columns)
    assert shown == expected
    assert len(shown) <= columns


def test_what_nobody_knows_yet_is_not_guessed() -> None:
    discovering = replace(STEP, crawl=replace(CRAWL, discovering=True))
    assert "1204/3120+ pages" in describe_run_step(discovering, STEADY, 200)
    assert describe_run_step(discovering, STEADY, 200).endswith(" · ? left")
    assert describe_run_step(STEP, pace_of((0, 0), (9, 900)), 200).endswith(" · 100.0/s · " + REST + " · ? left")
    assert describe_run_step(STEP, pace_of((0, 0), (90, 0)), 200).endswith(" · ? left")
    begun = RunStep("gazette", Phase.CRAWLING, CrawlProgress(), left=0)
    assert describe_run_step(begun, Pace(), 200).startswith("gazette · 0 pages · 0.0/s · 0 new")


REST = "1100 new · 12 revised · 3 failed · 120.2 MiB · spool 14.2 MiB"


def test_other_phases() -> None:
    nothing = RunStep("gazette", Phase.CATCHING_UP, CrawlProgress(), left=0)
    assert describe_run_step(nothing, Pace(), 80) == "gazette · catching up"
    waiting = replace(nothing, spool_bytes=2048)
    assert describe_run_step(waiting, Pace(), 80) == "gazette · catching up · spool 2.0 KiB"
    starting = replace(waiting, phase=Phase.STARTING)
    assert describe_run_step(starting, Pace(), 80) == "gazette · starting"
    done = replace(STEP, phase=Phase.FINISHING, left=0)
    assert describe_run_step(done, STEADY, 200) == "gazette · committing · 1204 pages · " + REST
    held = replace(STEP, paused=True)
    assert " · waiting for room · " in describe_run_step(held, STEADY, 200)


def test_the_speed_is_the_last_minutes() -> None:
    pace = Pace()
    for second in range(601):
        pace.note(10 * second if second <= 300 else 3000 + second - 300, now=1000.0 + second)
    assert 60 <= pace.seconds <= 61
    assert pace.speed == pytest.approx(1.0)
    assert pace.find_seconds_left(90) == pytest.approx(90)
    pace.note(3300, now=9000.0)
    assert pace.speed == 0
    assert pace.find_seconds_left(90) is None
    assert Pace().speed == 0


def test_a_long_run_keeps_a_minute_of_samples() -> None:
    pace = Pace()
    for step in range(10_000):
        pace.note(step, now=step / 10)
    assert len(pace._samples) < 70


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(0, "0 s"), (0.2, "1 s"), (99, "99 s"), (99.5, "2 min"), (5_940, "99 min"), (5_941, "2 h"), (172_800, "48 h"),
     (172_801, "3 d")],
)  # fmt: skip
def test_durations(seconds: float, shown: str) -> None:
    assert show_duration(seconds) == shown


# --- what is left to do


def test_pages_of_a_list_that_were_not_taken_in_yet_are_left_within_the_limit() -> None:
    told: list[RunStep] = []
    reporter = Reporter("gazette", told.append, limit=None)
    reporter.given = 100
    reporter.tell(Phase.CRAWLING, CrawlProgress(pages=10, listed=30, waiting=20))
    reporter.tell(Phase.FINISHING)
    limited = Reporter("gazette", told.append, limit=40)
    limited.given = 100
    limited.tell(Phase.CRAWLING, CrawlProgress(pages=10, listed=100, waiting=30))
    limited.tell(Phase.CRAWLING, CrawlProgress(pages=41, listed=100))
    assert [step.left for step in told] == [90, 90, 30, 0]
    assert told[1].crawl.pages == 10


def test_a_tally_counts_what_workers_are_at() -> None:
    tally = Tally(arrived=3)
    exchange = Exchange("http://a.example/", Purpose.ARTICLE, None, 0.1, b"", 200)  # type: ignore[arg-type]
    tally.count_page(PageItem(exchange, exchange.url, hint="revised"))
    tally.count_loss(PageItem(exchange, exchange.url))
    assert (tally.arrived - tally.recorded, tally.articles, tally.hints["revised"]) == (1, 2, 1)


# --- what the child says


def test_a_line_says_it_and_comes_back() -> None:
    line = CRAWL.encode()
    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    most = 2**62
    long = replace(CRAWL, pages=most, new=most, revised=most, failed=most, size_bytes=most, listed=most, waiting=most)
    assert len(long.encode()) < select.PIPE_BUF
    assert CrawlProgress.decode(line) == CRAWL


@pytest.mark.parametrize(
    "line",
    [
        b'{"type":"run"}\n',
        b"",
        PREFIX,
        PREFIX + b"1}\n",
        PREFIX + b"[]}\n",
        PREFIX + b'{"pages":1}}\n',
        CRAWL.encode().replace(b"1204", b'"x"'),
        CRAWL.encode().replace(b'"new"', b'"old"'),
        CRAWL.encode()[:-2] + b"\xff",
    ],
)
def test_other_lines_say_nothing(line: bytes) -> None:
    assert CrawlProgress.decode(line) is None


# --- on a terminal


@pytest.fixture
def terminal() -> Iterator[tuple[int, Any]]:
    """What the terminal shows can be read from the first; the second is a stream that writes to it."""
    master, slave = pty.openpty()
    tty.setraw(slave)
    resize(slave, 40)
    with os.fdopen(slave, "w", encoding="utf-8") as stream:
        yield master, stream
    os.close(master)


def test_it_is_written_four_times_a_second_at_most_and_fits(terminal: tuple[int, Any]) -> None:
    master, stream = terminal
    now = [100.0]
    line = ProgressLine(stream, clock=lambda: now[0])
    asked: list[int] = []

    def describe(columns: int) -> str:
        asked.append(columns)
        return "·" * 100

    for _ in range(100):
        line.show(describe)
        now[0] += 0.01
    assert asked == [39] * 4
    screen = Screen()
    screen.feed(os.read(master, 65536).decode())
    assert screen.text == "·" * 39
    resize(stream.fileno(), 20)
    now[0] += 1
    line.show(describe)
    line.clear()
    line.clear()
    screen.feed(os.read(master, 65536).decode())
    assert screen.frames[-1] == "·" * 19
    assert screen.text == ""
    assert asked[-1] == 19


def test_a_stopped_terminal_holds_nobody_up(terminal: tuple[int, Any]) -> None:
    master, stream = terminal
    now = [0.0]
    line = ProgressLine(stream, clock=lambda: now[0])
    for _ in range(2000):  # nobody reads: a terminal holds some kilobytes
        now[0] += 1
        line.show(lambda columns: "x" * columns)
    assert 0 < len(os.read(master, 1 << 20)) < 2000 * 40


def test_a_closed_terminal_ends_nothing() -> None:
    master, slave = pty.openpty()
    stream = os.fdopen(slave, "w", encoding="utf-8")
    line = ProgressLine(stream)
    os.close(master)
    line.show(lambda _: "gone")
    line.clear()
    with pytest.raises(OSError, match="Input/output"):
        stream.close()


def test_columns_of_what_is_no_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "33")
    with Path(os.devnull).open(encoding="utf-8") as stream:
        assert find_columns(stream) == 33

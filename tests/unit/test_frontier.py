"""The frontier: marks and a queue on disk as a set and two lists would have them, and memory that does not grow."""

from __future__ import annotations

import errno
import random
import resource
import subprocess
import sys
from collections import deque
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from crawler.frontier import ASSET, BATCH, FOUND, TAKEN, Frontier, WaitingAsset, WaitingLink
from crawler.rows import LinkRow, encode_row
from tests.installation import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.fixture
def frontier(tmp_path: Path) -> Iterator[Frontier]:
    frontier = Frontier(tmp_path / "spool" / "frontier")
    yield frontier
    frontier.close()


def link_of(number: int, *, listed: bool = False) -> WaitingLink:
    url = f"https://gazette.example/2026/{number}"
    row = LinkRow(url, "https://gazette.example/rss.xml", NOW, title=f"Number {number} ☂", modified=NOW)
    return WaitingLink(row, url + "?utm_source=feed" * (number % 2), listed)


def test_marks_are_what_was_noted_before(frontier: Frontier) -> None:
    assert frontier.mark(["a", "b", "a"], FOUND) == [0, 0, FOUND]
    assert frontier.mark(["b", "c"], TAKEN) == [FOUND, 0]
    assert frontier.mark(["a", "b", "c", "d"], FOUND) == [FOUND, FOUND | TAKEN, TAKEN, 0]
    assert frontier.mark([], FOUND) == []


def test_what_is_found_goes_before_what_is_listed_each_in_its_order(frontier: Frontier) -> None:
    frontier.add([link_of(1, listed=True), link_of(2), link_of(3, listed=True)])
    assert frontier.pop() == link_of(2)
    assert frontier.pop() == link_of(1, listed=True)
    frontier.add([link_of(4)])
    assert len(frontier) == 2
    assert [frontier.pop(), frontier.pop(), frontier.pop()] == [link_of(4), link_of(3, listed=True), None]
    frontier.add([link_of(5)])
    assert frontier.pop() == link_of(5)


def test_assets_wait_apart_from_pages(frontier: Frontier) -> None:
    assets = [WaitingAsset(f"https://cdn.example/{n}", "https://gazette.example/1", "page", n % 3) for n in range(120)]
    waiting = [frontier.has_waiting]
    frontier.add_assets(assets[:70])
    waiting.append(frontier.has_waiting)
    assert (len(frontier), frontier.pop(), list(frontier.take_rows())) == (0, None, [])
    taken = [frontier.pop_asset() for _ in range(60)]
    frontier.add_assets(assets[70:])
    assert taken + [frontier.pop_asset() for _ in range(60)] == assets
    assert frontier.pop_asset() is None
    assert [*waiting, frontier.has_waiting] == [False, True, False]
    assert frontier.mark(["a"], ASSET) == [0]
    assert frontier.mark(["a"], TAKEN) == [ASSET]


@pytest.mark.parametrize("seed", range(5))
def test_it_gives_back_all_that_was_put_in_once(frontier: Frontier, seed: int) -> None:
    chance = random.Random(seed)
    expected: tuple[deque[WaitingLink], deque[WaitingLink]] = (deque(), deque())
    for step in range(40):
        links = [link_of(1_000 * step + n, listed=chance.random() < 0.4) for n in range(chance.randrange(150))]
        frontier.add(links)
        for link in links:
            expected[link.listed].append(link)
        for _ in range(chance.randrange(120)):
            queue = expected[0] or expected[1]
            assert frontier.pop() == (queue.popleft() if queue else None)
        assert len(frontier) == sum(map(len, expected))
    lines = [line for lot in frontier.take_rows() for line in lot]
    assert lines == [encode_row(link.row) for queue in expected for link in queue]
    assert len(frontier) == 0


def test_rows_come_in_lots_and_wait_until_they_are_asked_for(frontier: Frontier) -> None:
    frontier.add(link_of(number) for number in range(2 * BATCH + 10))
    lots = frontier.take_rows()
    assert len(next(lots)) == BATCH
    assert len(frontier) == BATCH + 10
    assert [len(lot) for lot in lots] == [BATCH, 10]


def test_a_small_frontier_is_a_file_that_hardly_grows_and_goes(tmp_path: Path) -> None:
    path = tmp_path / "frontier"
    path.write_bytes(b"left by a run that was killed")
    frontier = Frontier(path)
    frontier.add([link_of(1)])
    assert path.stat().st_size < 4_096
    frontier.close()
    frontier.close()
    assert not path.exists()


def test_a_full_disk_is_an_error_of_the_system(tmp_path: Path) -> None:
    """In a process of its own, whose files may not grow: SQLite calls that a failing disk."""
    script = (
        "import signal, sys; signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "from pathlib import Path; from crawler.frontier import Frontier\n"
        "from tests.unit.test_frontier import link_of\n"
        "frontier = Frontier(Path(sys.argv[1]))\n"
        "try:\n"
        "    for step in range(200): frontier.add(link_of(1_000 * step + n) for n in range(1_000))\n"
        "except OSError as error: print(error.errno)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path / "frontier")],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20)),
    )
    assert int(done.stdout) in {errno.ENOSPC, errno.EIO}


GROWTH = """
import resource, sys
from pathlib import Path
from crawler.frontier import FOUND, TAKEN, Frontier
from tests.unit.test_frontier import link_of

frontier = Frontier(Path(sys.argv[1]))
for start in range(0, int(sys.argv[2]), 500):
    if start == 100_000:
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    links = [link_of(number) for number in range(start, start + 500)]
    assert not any(frontier.mark([link.row.url for link in links], FOUND))
    frontier.add(links)
for _ in range(1_000):
    frontier.pop()
for lot in frontier.take_rows():
    pass
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


@pytest.mark.parametrize("links", [200_000, pytest.param(5_000_000, marks=pytest.mark.soak)])
def test_memory_does_not_grow_with_the_links(tmp_path: Path, links: int) -> None:
    """After the first 100,000, which fill the cache: 100,000 more in memory would take 40 MB."""
    done = subprocess.run(
        [sys.executable, "-c", GROWTH, str(tmp_path / "frontier"), str(links)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert int(done.stdout) < 8 * 1024

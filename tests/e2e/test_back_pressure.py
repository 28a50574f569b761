"""What happens where pages come faster than they can be read: nothing piles up, and nothing is lost."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from crawler.settings import SCRAPER_SLOT_MAX_ACTIVE_SIZE
from crawler.throttle import HOSTS_AT_A_TIME
from crawler.workers.pool import PAGES_AHEAD
from tests.crawls import Answer, Crawl, Site, page, serve_site, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

PAGES, CONCURRENT = 500, 4
MEGABYTE = 1_000_000


@pytest.fixture
def site() -> Iterator[Site]:
    with serve_site() as site:
        yield site


def list_workers(pid: int) -> list[int]:
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text("ascii").split()
    return [int(child) for child in children if b"crawler.workers.main" in Path(f"/proc/{child}/cmdline").read_bytes()]


def resident(pid: int) -> int:
    return int(Path(f"/proc/{pid}/statm").read_text("ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")


def count_captured(folder: Path) -> int:
    return sum(path.read_bytes().count(b'"type":"capture"') for path in folder.glob("spool/*/*/rows.jsonl"))


@pytest.mark.slow
@pytest.mark.parametrize("filling", [0, 400_000])
def test_pages_are_not_fetched_while_workers_stand_still(
    site: Site, crawl: Crawl, tmp_path: Path, filling: int
) -> None:
    pages = PAGES if not filling else 120
    urls = tmp_path / "urls"
    for number in range(pages):
        site.answers[f"/2026/{number}"] = Answer(page(f"Page {number}") + b"<!--" + b"news " * (filling // 5) + b"-->")
    urls.write_text("".join(f"{site.root}/2026/{number}\n" for number in range(pages)), "utf-8")
    crawl.plan = {"urls_file": str(urls)}
    crawl.source = {"politeness": {"delay_seconds": 0, "concurrent_requests": CONCURRENT}}
    crawl.settings = {"page_seconds": 60, "page_cpu_seconds": 30}
    child = crawl.start()
    wait_until(lambda: len(site.times) > 10)
    (worker,) = list_workers(child.pid)
    before = resident(child.pid)
    os.kill(worker, signal.SIGSTOP)
    try:
        fetched = -1
        while fetched != len(site.times):  # until no more come
            fetched = len(site.times)
            time.sleep(2)
        held = fetched - count_captured(tmp_path)
        grown = resident(child.pid) - before
    finally:
        os.kill(worker, signal.SIGCONT)
    in_work = CONCURRENT * HOSTS_AT_A_TIME
    assert fetched < pages
    assert held <= PAGES_AHEAD + 2 * in_work  # what is being fetched, and what is on its way to the workers
    if filling:  # then bytes bound them: one page goes beyond, and those that were on their way
        assert held <= SCRAPER_SLOT_MAX_ACTIVE_SIZE // filling + 1 + in_work
    assert grown < SCRAPER_SLOT_MAX_ACTIVE_SIZE + in_work * filling + 20 * MEGABYTE
    result = crawl.finish(child)
    assert result.run is not None
    assert (result.run.counts["articles"], result.run.counts["failed"]) == (pages, 0)
    assert sum(site.paths[f"/2026/{number}"] for number in range(pages)) == pages

"""Crawls of very many URLs by the real command: memory stays, and a long sitemap is no reason to wait for its end."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from jobs.archive.identity import read_info
from jobs.archive.log import Log
from jobs.store.local import LocalStore
from tests.crowd import MemoryWatch, serve_crowd
from tests.installation import Ofrecord, install

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.slow

MOST_MB = 350
"""Of all processes together, with two workers."""


@dataclass(frozen=True)
class Crawled:
    report: dict[str, Any]
    memory: MemoryWatch


def install_crowd(folder: Path, root: str) -> Ofrecord:
    source = {
        "home": f"{root}/",
        "discover": [{"sitemap": f"{root}/index.xml"}],
        "articles": {"include": ["/2026/"]},
        "politeness": {"delay_seconds": 0, "concurrent_requests": 8},
    }
    return install(folder, source, workers=2)


def crawl(ofrecord: Ofrecord, *options: str) -> Crawled:
    process = ofrecord.start("crawl", "gazette", "--json", *options)
    memory = MemoryWatch(process.pid)
    out, log = process.communicate()
    memory.stop()
    assert process.returncode == 0, log
    return Crawled(json.loads(out.splitlines()[-1]), memory)


def count_links(folder: Path) -> int:
    """Return how many links the archive's segments hold, by their commits."""
    store = LocalStore(folder / "archive")
    return sum(one.commit.counts.get("links", 0) for one in Log(store, read_info(store), "gazette").read())


@pytest.mark.parametrize(
    ("pages", "a_map", "limit"), [(20_000, 5_000, 50), pytest.param(1_000_000, 50_000, 500, marks=pytest.mark.soak)]
)
def test_of_a_long_sitemap_the_rest_is_written_down(tmp_path: Path, pages: int, a_map: int, limit: int) -> None:
    with serve_crowd(pages, a_map) as root:
        ofrecord = install_crowd(tmp_path, root)
        first = crawl(ofrecord, "--limit", str(limit))
        assert (first.report["new"], first.report["reason"]) == (limit, "limit")
        assert first.report["links"] == count_links(tmp_path) == pages - limit
        assert first.memory.peak_mb <= MOST_MB
        assert not list(tmp_path.glob("state/*/spool/gazette/frontier"))
        if pages <= 20_000:
            second = crawl(ofrecord, "--limit", str(limit))  # what is known is passed over, so it goes on
            assert (second.report["new"], second.report["links"]) == (limit, pages - 2 * limit)


@pytest.mark.parametrize("pages", [1_000, pytest.param(200_000, marks=pytest.mark.soak)])
def test_memory_is_bounded_however_many_pages_wait(tmp_path: Path, pages: int) -> None:
    with serve_crowd(pages) as root:
        crawled = crawl(install_crowd(tmp_path, root))
    assert (crawled.report["new"], crawled.report["reason"]) == (pages, "finished")
    assert crawled.memory.peak_mb <= MOST_MB, crawled.memory.peaks

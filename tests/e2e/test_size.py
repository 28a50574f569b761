"""Crawls of very many URLs by the real command: memory stays, and a long sitemap is no reason to wait for its end."""

from __future__ import annotations

import json
import random
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from jobs.archive.identity import read_info
from jobs.archive.log import Log
from jobs.store.local import LocalStore
from tests.crowd import MemoryWatch, serve_crowd
from tests.foreign import HOST, make_info, make_page, make_response
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


def write_foreign(path: Path, size_bytes: int) -> int:
    """Write a WARC file of articles with four pictures each, of at least that size; return how many articles."""
    rolled, number = random.Random(9), 0
    with path.open("wb") as file:
        file.write(make_info().encode())
        while file.tell() < size_bytes:
            script = b"<script>%b</script></head>" % rolled.randbytes(15_000).hex().encode()
            page = make_page(number).replace(b"</head>", script)
            file.write(make_response(number, body=page).encode())
            head = b"HTTP/1.1 200 OK\r\nContent-Type: image/jpeg\r\n\r\n"
            for part in range(4):
                url = f"{HOST}/pictures/{number}-{part}.jpg"
                file.write(make_response(number, body=rolled.randbytes(60_000), head=head, url=url).encode())
            number += 1
    return number


@pytest.mark.parametrize("size_bytes", [32_000_000, pytest.param(1_000_000_000, marks=pytest.mark.soak)])
def test_an_import_takes_no_more_memory_for_a_long_file(tmp_path: Path, size_bytes: int) -> None:
    articles = write_foreign(tmp_path / "dump.warc", size_bytes)
    source = {"home": f"{HOST}/", "discover": [{"feed": f"{HOST}/feed.xml"}], "articles": {"include": ["/2019/"]}}
    ofrecord = install(tmp_path / "here", source, workers=2)
    process = ofrecord.start("import", str(tmp_path / "dump.warc"), "--json")
    memory = MemoryWatch(process.pid)
    out, log = process.communicate()
    memory.stop()
    assert process.returncode == 0, log
    assert json.loads(out.splitlines()[-1])["captures"] == articles
    print(f"{size_bytes / 1e6:.0f} MB: {memory.peak_mb:.0f} MB in all, {memory.peaks}")  # noqa: T201 - the figure
    assert memory.peak_mb < MOST_MB, memory.peaks
    assert memory.peaks["jobs.imports.child"] < 150

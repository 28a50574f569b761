"""Captured pages are read by real workers: from many threads, again after an end, and hostile ones cost an answer."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from config.errors import ExtractError
from crawler.model import Exchange, Purpose
from crawler.workers.batch import SharedPool
from jobs.archive.identity import create_archive
from jobs.archive.log import Log
from jobs.catalog import Catalog
from jobs.room.raw.showing import SANDBOX
from jobs.room.views.capture import CaptureAsked, PageAsked, view_capture, view_page
from jobs.search.index import SearchIndex
from jobs.store.memory import MemoryStore
from tests.archives import NOON, SOURCE, Page, commit_segment, write_segment
from tests.rooms import lay_desk

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from jobs.room.desk import Desk

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n"
PAGES = (
    Page("/2026/harmless", "<img src=a.png onerror=x()>The tax will rise."),
    Page("/2026/deep", "<div>" * 400),
    Page("/2026/formatted", "<b>" * 400 + "<p>" * 400),
)


def make_exchange(body: bytes) -> Exchange:
    return Exchange(
        "https://gazette.example/", Purpose.ARTICLE, datetime.now(UTC), 0.0, b"", 200, response_head=HEAD, body=body
    )


@pytest.fixture
def pool() -> Iterator[SharedPool]:
    pool = SharedPool(2, 60.0, 1 << 30, cpu_seconds=5.0)
    yield pool
    pool.close()


@pytest.fixture
def desk(pool: SharedPool, tmp_path: Path) -> Iterator[Desk]:
    store = MemoryStore()
    info = create_archive(store, single_writer=False, now=NOON)
    commit_segment(store, info, write_segment(tmp_path / "spool", PAGES, archive=info.archive))
    with Catalog.open(tmp_path / "catalog.sqlite") as catalog, SearchIndex.open(tmp_path / "search.sqlite") as index:
        catalog.refresh(store, Log(store, info, SOURCE))
        yield replace(lay_desk(catalog, index, store, info, tmp_path, NOON), pool=pool)


def test_many_threads_ask_one_pool(pool: SharedPool) -> None:
    def ask(number: int) -> str:
        exchange = make_exchange(f"<p>{number}<script>x()</script>".encode())
        return pool.ask(lambda workers: workers.replay(exchange, [], "asset-"))

    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(ask, range(40)))
    assert found == [f"<html><head></head><body><p>{number}</p></body></html>" for number in range(40)]


def test_a_pool_that_was_closed_starts_anew(pool: SharedPool) -> None:
    for _ in range(2):
        assert "<p>a</p>" in pool.ask(lambda workers: workers.replay(make_exchange(b"<p>a"), [], "asset-"))
        pool.close()
    pool.close()


def test_what_is_refused_is_raised_and_the_pool_goes_on(pool: SharedPool) -> None:
    with pytest.raises(ExtractError, match="elements open"):
        pool.ask(lambda workers: workers.replay(make_exchange(b"<div>" * 5_000), [], "asset-"))
    assert "<p>a</p>" in pool.ask(lambda workers: workers.replay(make_exchange(b"<p>a"), [], "asset-"))


def test_a_hostile_page_is_told_not_shown(desk: Desk) -> None:
    segment = desk.catalog.list_dated(PAGES[0].url)[0].segment
    shown = view_page(desk, PageAsked(segment=segment, n=0))
    assert b"The tax will rise." in shown.body
    assert b"onerror" not in shown.body
    for n in (1, 2):
        answer = view_page(desk, PageAsked(segment=segment, n=n))
        assert (answer.status, answer.media_type) == (200, "text/plain; charset=utf-8")
        assert answer.headers["Content-Security-Policy"] == SANDBOX
        assert answer.body.startswith(b"This page cannot be shown here: page: more than ")
        told = view_capture(desk, CaptureAsked(segment=segment, n=n))
        assert told.fault is None
        assert told.place is not None

"""Every hostile document through real workers: it ends in 2 s of CPU time, kept as served, read or refused in words."""

from __future__ import annotations

import asyncio
import io
import os
import threading
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import pytest

from config.rules import ExtractRules
from crawler.model import Purpose
from crawler.outcome import PageContext
from crawler.warc import digest_bytes, read_records
from crawler.workers.pool import WorkerPool
from tests.hostile import HOSTILE, Hostile
from tests.hostile.case import page
from tests.meters import scale_seconds

if TYPE_CHECKING:
    from collections.abc import Coroutine, Iterator

    from crawler.announcement import LinkStream
    from crawler.model import Exchange
    from crawler.outcome import PageOutcome

_T = TypeVar("_T")

pytestmark = pytest.mark.slow

MOST_SECONDS = 2.0
CONTEXT = PageContext(ExtractRules(), timezone=None, language="en", derivation="sha256:0")
HONEST = Hostile("honest", lambda: page("", story=True))


class Readers:
    """Two workers, and what they have taken of CPU time."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()
        self.pool = WorkerPool(2, 60, 1 << 30, cpu_seconds=3 * MOST_SECONDS)
        self._wait(self.pool.start())

    @property
    def pids(self) -> list[int]:
        return [worker.pid for worker in self.pool._workers]

    @property
    def seconds(self) -> float:
        return sum(read_seconds(pid) for pid in self.pids)

    def page(self, exchange: Exchange) -> PageOutcome:
        return self._wait(self.pool.page(exchange, CONTEXT))

    def links(self, exchange: Exchange) -> LinkStream:
        return self._wait(self.pool.links(exchange, 100_000))

    def stop(self) -> None:
        self._wait(self.pool.close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _wait(self, work: Coroutine[None, None, _T]) -> _T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()


def read_seconds(pid: int) -> float:
    """Return the CPU time that a process has taken, by the kernel's account."""
    times = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(times[11]) + int(times[12])) / os.sysconf("SC_CLK_TCK")


@pytest.fixture(scope="module")
def readers() -> Iterator[Readers]:
    readers = Readers()
    try:
        for _ in range(2):  # whatever libraries load once, they have loaded
            readers.page(HOSTILE["words, months"].exchange())
        yield readers
    finally:
        readers.stop()


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_document_is_kept_as_served_and_read_or_refused_in_time(readers: Readers, name: str) -> None:
    exchange = HOSTILE[name].exchange()
    pids, seconds = readers.pids, readers.seconds
    outcome = readers.page(exchange)
    found = readers.links(exchange) if exchange.purpose is not Purpose.ARTICLE else None
    seconds = scale_seconds(readers.seconds - seconds, MOST_SECONDS)

    assert readers.pids == pids, f"a worker was killed: {outcome.class_reason}"
    assert seconds <= MOST_SECONDS, outcome.class_reason
    check_records(outcome, exchange)
    assert outcome.class_reason
    assert not outcome.class_reason.startswith(("time-out", "the worker"))
    if found is not None:
        assert all(link.url.startswith(("http://", "https://")) for links in found for link in links)
        assert found.error != ""
    elif outcome.snapshot is not None:
        assert outcome.snapshot.text
        assert "\0" not in outcome.snapshot.text


def check_records(outcome: PageOutcome, exchange: Exchange) -> None:
    records = list(read_records(io.BytesIO(outcome.recorded.data)))
    assert sorted(record.type for record in records) == ["request", "response"]
    assert [fault for record in records for fault in record.find_faults()] == []
    (response,) = [record for record in records if record.type == "response"]
    assert response.payload == exchange.body
    assert response.header("WARC-Payload-Digest") == digest_bytes(exchange.body)


def test_after_them_all_an_honest_page_is_read_by_each_worker(readers: Readers) -> None:
    for _ in range(2):
        outcome = readers.page(HONEST.exchange())
        assert outcome.snapshot is not None
        assert outcome.snapshot.title == "Library opens"
        assert outcome.snapshot.text.count("The council opened the new library on Monday") == 15


def test_what_stands_beside_an_article_does_not_change_its_text(readers: Readers) -> None:
    expected = readers.page(HONEST.exchange()).snapshot
    assert expected is not None
    read = 0
    for name in (
        "JSON-LD of wrong types", "JSON-LD of depth 100000", "50000 meta elements", "a title that never ends",
        "combining marks in a title", "options never closed", "a quote that never ends",
        "headlines that are nearly the title", "a comment that never ends", "NULs after a while",
    ):  # fmt: skip
        outcome = readers.page(HOSTILE[name].exchange())
        if outcome.snapshot is not None:
            assert outcome.snapshot.text == expected.text, name
            read += 1
    assert read >= 8

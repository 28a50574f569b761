"""Real worker processes under real misuse: slow pages, greedy pages, kills, cancels, dead parents."""

from __future__ import annotations

import _thread
import asyncio
import contextlib
import gzip
import os
import re
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from config.errors import ExtractError, RecordError
from config.rules import ExtractRules
from crawler.model import Exchange, PageClass, Purpose
from crawler.outcome import PageContext
from crawler.workers.batch import run_pages
from crawler.workers.listings import discover
from crawler.workers.pool import WorkerPool
from crawler.workers.task import process_page

pytestmark = pytest.mark.slow

if TYPE_CHECKING:
    from collections.abc import Iterator

    from crawler.workers.worker import WorkerProcess

MEMORY = 1 << 30
CONTEXT = PageContext(ExtractRules(), timezone=None, language="en", derivation="sha256:0")
SLOW = b"".join([b"<p class='date-%d info' id=n%d>some text" % (number, number) for number in range(50_000)])
"""Just within the limits of a page: takes a second or two."""


LINK = b'<p>The mayor says that books are here. <a href="/x">one long text of a link after the other</a></p>'
POOR = b"<html><body><p>12 November 2025</p><div>" + LINK * 4 + b"</div></body></html>"
"""A page of which trafilatura is asked: the first one loads it."""


def exchange_of(number: int = 0, body: bytes | None = None, *, purpose: Purpose = Purpose.ARTICLE) -> Exchange:
    text = f"<p>The council of town {number} opened its new library on Monday, with books for everyone.</p>" * 6
    page = f"<html><body><article><h1>Library {number}</h1>{text}</article></body></html>".encode()
    return Exchange(
        url=f"https://gazette.example/{number}",
        purpose=purpose,
        started_at=datetime(2026, 11, 22, 3, 45, tzinfo=UTC),
        seconds=0.1,
        request_head=b"GET / HTTP/1.1\r\nHost: gazette.example\r\n\r\n",
        status=200,
        response_head=b"HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\n\r\n",
        body=page if body is None else body,
    )


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def wait_for_end(*pids: int) -> None:
    end = time.monotonic() + 20
    while any(is_alive(pid) for pid in pids):
        assert time.monotonic() < end, f"still there: {[pid for pid in pids if is_alive(pid)]}"
        time.sleep(0.02)


def read_environment(pid: int) -> bytes:
    return Path(f"/proc/{pid}/environ").read_bytes()


def pids_of(pool: WorkerPool) -> list[int]:
    return [worker.pid for worker in pool._workers]


def test_a_worker_gives_what_the_function_gives_and_hides_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "swordfish")

    async def scenario() -> None:
        async with WorkerPool(1, 10, MEMORY) as pool:
            assert await pool.page(exchange_of(), CONTEXT) == process_page(exchange_of(), CONTEXT)
            listing = exchange_of(body=b'<a href="/1">one</a> <a href="/2">two</a>', purpose=Purpose.SECTION)
            (found,) = await pool.links(listing, 10)
            assert [link.url for link in found] == ["https://gazette.example/1", "https://gazette.example/2"]
            (pid,) = pids_of(pool)
            assert b"swordfish" not in read_environment(pid)
            assert pool._idle.qsize() == 1
        wait_for_end(pid)

    asyncio.run(scenario())


def test_a_page_over_the_deadline_is_killed_and_kept_raw() -> None:
    async def scenario() -> None:
        async with WorkerPool(1, 1.0, MEMORY, cpu_seconds=60) as pool:
            (first,) = pids_of(pool)
            os.kill(first, signal.SIGSTOP)  # it can do nothing, as in a parser that never ends
            started = time.monotonic()
            outcome = await pool.page(exchange_of(body=SLOW), CONTEXT)
            assert time.monotonic() - started < 8
            assert (outcome.page_class, outcome.snapshot) == (PageClass.ERROR, None)
            assert outcome.extraction_error == "time-out: not done within 1 s"
            assert outcome.recorded.records == 2
            assert not is_alive(first)
            assert (await pool.page(exchange_of(1), CONTEXT)).snapshot is not None

    asyncio.run(scenario())


def test_a_page_that_takes_too_much_cpu_time_is_killed_by_the_kernel_and_kept_raw() -> None:
    async def scenario() -> None:
        async with WorkerPool(1, 60, MEMORY, cpu_seconds=0.3) as pool:
            (first,) = pids_of(pool)
            outcome = await pool.page(exchange_of(body=SLOW), CONTEXT)
            assert (outcome.page_class, outcome.snapshot) == (PageClass.ERROR, None)
            assert outcome.extraction_error == "time-out: more than 0.3 s of CPU time"
            assert outcome.recorded.records == 2
            assert not is_alive(first)
            (found,) = await pool.links(exchange_of(body=b"<a href=/1>one</a>", purpose=Purpose.SECTION), 10)
            assert len(found) == 1
            assert (await pool.page(exchange_of(1), CONTEXT)).snapshot is not None

    asyncio.run(scenario())


def test_a_listing_may_take_more_cpu_time_than_a_page() -> None:
    """A sitemap of 50,000 links, as many as its protocol allows, takes a slow machine longer than a page may."""
    links = b"".join([b"<url><loc>http://127.0.0.17:18090/2026/%d</loc></url>" % number for number in range(20_000)])
    sitemap = exchange_of(body=b"<urlset>%b</urlset>" % links, purpose=Purpose.SITEMAP)
    started = time.process_time()
    assert len(discover(sitemap, 50_000).links) == 20_000
    seconds = time.process_time() - started

    async def scenario() -> None:
        async with WorkerPool(1, 60, MEMORY, cpu_seconds=seconds / 2) as pool:
            found = await pool.links(sitemap, 50_000)
            assert sum(map(len, found)) == 20_000
            assert found.error is None
        async with WorkerPool(1, 60, MEMORY, cpu_seconds=0.01) as pool:
            found = await pool.links(sitemap, 50_000)
            assert (list(found), found.error) == ([], "time-out: more than 0.05 s of CPU time")

    asyncio.run(scenario())


def test_cpu_time_is_counted_for_each_page_alone_and_not_while_libraries_load() -> None:
    def read_seconds(pid: int) -> float:
        times = read_process(pid, "stat").rpartition(")")[2].split()
        return (int(times[11]) + int(times[12])) / os.sysconf("SC_CLK_TCK")

    async def scenario() -> None:
        async with WorkerPool(1, 60, MEMORY, cpu_seconds=0.04) as pool:
            (pid,) = pids_of(pool)
            assert "/lxml/" not in read_process(pid, "maps")
            started = read_seconds(pid)
            assert (await pool.page(exchange_of(body=POOR), CONTEXT)).extraction_error is None
            assert read_seconds(pid) - started > 0.04
            assert "/lxml/" in read_process(pid, "maps")
            for number in range(200):
                assert (await pool.page(exchange_of(number), CONTEXT)).extraction_error is None
            assert pids_of(pool) == [pid]

    asyncio.run(scenario())


def test_while_one_worker_starts_anew_the_others_have_the_pages() -> None:
    async def scenario() -> None:
        async with WorkerPool(2, 60, MEMORY) as pool:
            first, second = pids_of(pool)
            os.kill(first, signal.SIGKILL)
            outcomes = [await pool.page(exchange_of(number), CONTEXT) for number in range(2)]
            assert sum(outcome.snapshot is None for outcome in outcomes) == 1
            replaced = pids_of(pool)[0]
            assert replaced != first
            os.kill(replaced, signal.SIGSTOP)  # before it is ready: only the second can read
            for number in range(20):
                assert (await asyncio.wait_for(pool.page(exchange_of(number), CONTEXT), 20)).snapshot is not None
            assert pids_of(pool) == [replaced, second]
            os.kill(replaced, signal.SIGCONT)

    asyncio.run(scenario())


def test_a_page_over_the_memory_limit_is_a_fact_and_the_next_page_is_read() -> None:
    greedy = gzip.compress(b"<p>" + b"word " * 6_000_000)

    async def scenario() -> None:
        async with WorkerPool(1, 60, 400 << 20) as pool:
            exchange = exchange_of(body=greedy)
            head = exchange.response_head.replace(b"\r\n\r\n", b"\r\nContent-Encoding: gzip\r\n\r\n")
            outcome = await pool.page(replace(exchange, response_head=head), CONTEXT)
            assert (outcome.page_class, outcome.snapshot) == (PageClass.ERROR, None)
            assert outcome.extraction_error
            assert outcome.recorded.records == 2
            assert (await pool.page(exchange_of(1), CONTEXT)).snapshot is not None

    asyncio.run(scenario())


def test_a_worker_killed_in_the_middle_of_a_page() -> None:
    async def scenario() -> None:
        async with WorkerPool(1, 30, MEMORY) as pool:
            task = asyncio.ensure_future(pool.page(exchange_of(body=SLOW), CONTEXT))
            await asyncio.sleep(0.3)
            os.kill(pids_of(pool)[0], signal.SIGKILL)
            outcome = await task
            assert outcome.extraction_error == "the worker ended (signal: Killed)"
            assert outcome.recorded.records == 2
            assert (await pool.page(exchange_of(1), CONTEXT)).snapshot is not None

    asyncio.run(scenario())


def test_a_worker_killed_between_pages() -> None:
    async def scenario() -> None:
        async with WorkerPool(1, 30, MEMORY) as pool:
            os.kill(pids_of(pool)[0], signal.SIGKILL)
            outcomes = [await pool.page(exchange_of(number), CONTEXT) for number in range(2)]
            assert (outcomes[0].extraction_error or "").startswith("the worker ended")
            assert outcomes[1].snapshot is not None

    asyncio.run(scenario())


def test_a_cancelled_page_leaves_no_process_and_a_usable_pool() -> None:
    async def scenario() -> None:
        async with WorkerPool(1, 30, MEMORY) as pool:
            (first,) = pids_of(pool)
            task = asyncio.ensure_future(pool.page(exchange_of(body=SLOW), CONTEXT))
            waiting = asyncio.ensure_future(pool.page(exchange_of(1), CONTEXT))
            await asyncio.sleep(0.3)
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
            assert task.cancelled()
            assert not is_alive(first)
            assert (await waiting).snapshot is not None

    asyncio.run(scenario())


def test_closing_ends_who_is_read_and_who_waits() -> None:
    async def scenario() -> None:
        pool = WorkerPool(1, 30, MEMORY)
        await pool.start()
        pids = pids_of(pool)
        tasks = [asyncio.ensure_future(pool.page(exchange_of(body=SLOW), CONTEXT)) for _ in range(3)]
        await asyncio.sleep(0.1)
        await pool.close()
        outcomes = await asyncio.wait_for(asyncio.gather(*tasks), 5)
        assert [outcome.snapshot for outcome in outcomes] == [None] * 3
        assert all(outcome.recorded.records == 2 for outcome in outcomes)
        assert "stopped" in ((await pool.links(exchange_of(), 1)).error or "")
        wait_for_end(*pids, *pids_of(pool))
        await pool.close()

    asyncio.run(scenario())


def test_workers_are_replaced_after_many_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("crawler.workers.pool.PAGES_PER_WORKER", 2)

    async def scenario() -> None:
        async with WorkerPool(1, 10, MEMORY) as pool:
            seen = set()
            for number in range(4):
                seen.update(pids_of(pool))
                assert (await pool.page(exchange_of(number), CONTEXT)).snapshot is not None
            assert len(seen) == 2

    asyncio.run(scenario())


def test_a_worker_that_cannot_start_says_so() -> None:
    async def scenario() -> None:
        pool = WorkerPool(2, 10, 40 << 20)
        with pytest.raises(ExtractError, match="the worker ended"):
            await pool.start()
        wait_for_end(*pids_of(pool))

    asyncio.run(scenario())


def test_workers_launched_before_there_is_a_loop_are_the_ones_that_start() -> None:
    pool = WorkerPool(2, 10, MEMORY)
    pool.launch()
    pids = pids_of(pool)
    assert len(set(pids)) == 2

    async def scenario() -> None:
        waiting = asyncio.ensure_future(pool.page(exchange_of(), CONTEXT))  # asked before anyone is ready
        await asyncio.sleep(0)
        await pool.start()
        assert pids_of(pool) == pids
        assert (await waiting).snapshot is not None
        await pool.close()

    asyncio.run(scenario())
    wait_for_end(*pids)
    pool.kill()


def test_a_launched_pool_can_be_killed_without_a_loop() -> None:
    pool = WorkerPool(2, 10, MEMORY)
    pool.launch()
    pids = pids_of(pool)
    pool.kill()
    pool.kill()
    assert not any(is_alive(pid) for pid in pids)
    with pytest.raises(ExtractError, match="the workers were stopped"):
        asyncio.run(pool.start())


def test_no_room_for_the_second_worker_ends_the_first(monkeypatch: pytest.MonkeyPatch) -> None:
    pool, launch = WorkerPool(2, 10, MEMORY), WorkerPool._launch
    made: list[WorkerProcess] = []

    def launch_one(self: WorkerPool) -> WorkerProcess:
        if made:
            raise BlockingIOError("no room for a process")
        made.append(launch(self))
        return made[0]

    monkeypatch.setattr(WorkerPool, "_launch", launch_one)
    with pytest.raises(BlockingIOError):
        pool.launch()
    assert not is_alive(made[0].pid)


def test_a_pool_closed_while_it_starts_lets_nobody_wait() -> None:
    async def scenario() -> None:
        pool = WorkerPool(2, 10, MEMORY)
        pool.launch()
        starting = asyncio.ensure_future(pool.start())
        waiting = [asyncio.ensure_future(pool.page(exchange_of(), CONTEXT)) for _ in range(3)]
        await asyncio.sleep(0)
        await pool.close()
        outcomes = await asyncio.wait_for(asyncio.gather(*waiting), 5)
        assert {outcome.extraction_error for outcome in outcomes} == {"the workers were stopped"}
        with pytest.raises(ExtractError, match="the worker"):
            await asyncio.wait_for(starting, 5)
        wait_for_end(*pids_of(pool))

    asyncio.run(scenario())


def test_a_worker_that_cannot_start_fails_who_waits_for_it() -> None:
    async def scenario() -> None:
        pool = WorkerPool(2, 10, 40 << 20)
        waiting = [asyncio.ensure_future(pool.page(exchange_of(), CONTEXT)) for _ in range(3)]
        with pytest.raises(ExtractError, match="the worker ended"):
            await pool.start()
        outcomes = await asyncio.wait_for(asyncio.gather(*waiting), 5)
        assert {outcome.extraction_error for outcome in outcomes} == {"the workers were stopped"}

    asyncio.run(scenario())


def read_process(pid: int, name: str) -> str:
    return Path(f"/proc/{pid}/{name}").read_text()


def list_files(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_fall_backs_are_loaded_by_the_first_page_that_needs_them_under_the_limits() -> None:
    link = b'<p>The mayor says that books are here. <a href="/x">one long text of a link after the other</a></p>'
    page = exchange_of(body=b"<html><body><p>12 November 2025</p><div>" + link * 4 + b"</div></body></html>")

    async def scenario() -> None:
        async with WorkerPool(1, 20, 128 << 20) as pool:  # the least that the settings allow
            (pid,) = pids_of(pool)
            assert re.search(r"^Max file size +0 +0 ", read_process(pid, "limits"), re.MULTILINE)
            assert "/lxml/" not in read_process(pid, "maps")  # which both are built on
            outcome = await pool.page(page, CONTEXT)
            assert outcome.extraction_error is None
            assert "/lxml/" in read_process(pid, "maps")
            assert outcome == process_page(page, CONTEXT)
            assert pids_of(pool) == [pid]

    asyncio.run(scenario())


def test_a_worker_keeps_what_python_compiles_of_our_own_code_and_nothing_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PYTHONDONTWRITEBYTECODE", raising=False)
    monkeypatch.setenv("PYTHONPYCACHEPREFIX", str(tmp_path))

    async def scenario() -> None:
        async with WorkerPool(1, 30, MEMORY) as pool:
            kept = list_files(tmp_path)
            assert [path for path in kept if "/crawler/extract/article." in path]
            assert (await pool.page(exchange_of(body=POOR), CONTEXT)).snapshot is not None
            assert "/lxml/" in read_process(pids_of(pool)[0], "maps")
            assert list_files(tmp_path) == kept

    asyncio.run(scenario())


def test_what_cannot_be_recorded_is_the_callers_to_know() -> None:
    async def scenario() -> None:
        async with WorkerPool(1, 10, MEMORY) as pool:
            with pytest.raises(RecordError, match="control character"):
                await pool.page(replace(exchange_of(), url="https://gazette.example/\n"), CONTEXT)

    asyncio.run(scenario())


def test_pages_come_in_order_and_are_taken_only_a_few_ahead() -> None:
    taken = 0

    def items() -> Iterator[tuple[Exchange, PageContext]]:
        nonlocal taken
        for number in range(12):
            taken += 1
            yield exchange_of(number), CONTEXT

    towns: list[str] = []
    for outcome in run_pages(items(), count=2, deadline_seconds=10, memory_bytes=MEMORY):
        assert taken <= len(towns) + 4
        assert outcome.snapshot is not None
        towns.append(outcome.snapshot.text.partition("town ")[2].split()[0])
    assert towns == [str(number) for number in range(12)]


def test_an_abandoned_run_of_pages_leaves_no_process() -> None:
    pages = run_pages(
        ((exchange_of(number, SLOW if number else None), CONTEXT) for number in range(9)),
        count=1,
        deadline_seconds=30,
        memory_bytes=MEMORY,
    )
    assert next(pages).snapshot is not None
    assert [line for line in list_children(os.getpid()) if "crawler.workers.main" in line]
    pages.close()  # type: ignore[attr-defined]  # it is a generator
    assert not [line for line in list_children(os.getpid()) if "crawler.workers.main" in line]


def test_a_ctrl_c_that_the_wait_itself_does_not_notice_is_seen_soon() -> None:
    """Python notes a signal; a wait that begins just after would notice it only when it ends."""
    pages = run_pages([(exchange_of(1, SLOW), CONTEXT)], count=1, deadline_seconds=60, memory_bytes=MEMORY)
    stopped: list[int] = []

    def interrupt() -> None:
        while not (children := [line for line in list_children(os.getpid()) if "crawler.workers.main" in line]):
            time.sleep(0.01)
        pid = int(children[0].split()[0])
        os.kill(pid, signal.SIGSTOP)  # so that nothing else ends the wait
        stopped.append(pid)
        _thread.interrupt_main()  # noted, yet no system call is interrupted

    threading.Thread(target=interrupt, daemon=True).start()
    started = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        next(pages)
    assert time.monotonic() - started < 20
    assert not Path(f"/proc/{stopped[0]}").exists()


def list_children(parent: int) -> list[str]:
    found = []
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit():
            continue
        with contextlib.suppress(OSError):
            if int((folder / "stat").read_text().rpartition(")")[2].split()[1]) == parent and is_alive(
                int(folder.name)
            ):
                found.append(f"{folder.name} {(folder / 'cmdline').read_text()}")
    return found


PARENT = """
import asyncio, os, signal, sys
sys.path.insert(0, sys.argv[1])
from test_workers import CONTEXT, SLOW, MEMORY, exchange_of, pids_of
from crawler.workers.pool import WorkerPool
async def main():
    async with WorkerPool(2, 600, MEMORY) as pool:
        busy = asyncio.ensure_future(pool.page(exchange_of(body=SLOW), CONTEXT))
        await asyncio.sleep(0.5)
        for pid in pids_of(pool):
            os.kill(pid, signal.SIGSTOP)  # as deaf to its socket as in a parser that never ends
        print(*pids_of(pool), flush=True)
        await busy
asyncio.run(main())
"""


def test_workers_die_with_their_parent_even_inside_a_parser() -> None:
    command = [sys.executable, "-c", PARENT, str(Path(__file__).parent)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        pids = [int(word) for word in parent.stdout.readline().split()]
        assert len(pids) == 2
        assert all(is_alive(pid) for pid in pids)
        parent.kill()
    wait_for_end(*pids)

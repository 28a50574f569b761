"""The report of a run that is over: what it says is not lost where the store fails after the last commit."""

from __future__ import annotations

import tracemalloc
from typing import TYPE_CHECKING

from config.errors import ExitCode, StoreUnavailable
from config.settings import Settings
from config.sources import Source
from jobs.archive.identity import create_archive
from jobs.catalog import Catalog
from jobs.checkpoint import writing
from jobs.cli.crawling import describe_run
from jobs.context import OpenArchive
from jobs.runs import crawl
from jobs.runs.uploading import Uploader
from jobs.store.memory import MemoryStore
from tests.machines import SOURCE, START, CountingStore, Look, Machine

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator
    from pathlib import Path

    import pytest

    from jobs.store import StoredObject

GAZETTE = Source(
    id=SOURCE,
    name="Gazette",
    home="https://gazette.example/",
    discover=[{"feed": "https://gazette.example/rss"}],
    articles={"include": ["."]},
)


class Down(CountingStore):
    def list(self, prefix: str, *, after: str = "") -> Iterator[StoredObject]:
        raise StoreUnavailable(f"no answer to {prefix} after {after}")


def bring_nothing() -> Generator[bool, None, None]:
    yield from ()


def test_verdicts_that_all_facts_must_make_are_left_to_the_next_run_if_the_store_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writing, "LEVEL_COMMITS", (3, 9, 1_000))
    store = MemoryStore()
    info = create_archive(store, single_writer=False, now=START)
    with Catalog.open(tmp_path / "writer.sqlite") as catalog:
        machine = Machine(store, info, catalog)
        for number in range(5):
            machine.commit([Look("budget", f"*{number}")], number=number)
    with Catalog.open(tmp_path / "job.sqlite") as catalog:
        machine = Machine(store, info, catalog)
        machine.prepare()
        stored = machine.commit([Look("budget", "*3")], number=9, opened=START)  # late: before what is known
        assert catalog.is_wanting(SOURCE)
        archive = OpenArchive(Down(store), info, Settings(), tmp_path / "state", catalog)
        archive.spool(SOURCE).mkdir(parents=True)
        uploader = Uploader(bring_nothing, lambda: False, grace_seconds=1)
        ended: tuple[str, ExitCode, list[str]] = ("finished", ExitCode.DONE, [])
        run = stored.commit.run or ""
        report = crawl._report(archive, run, GAZETTE, None, ended=ended, uploader=uploader, seconds=1.0, asked=(0, 0))
    assert (report.run, report.pages, report.exit_code) == (run, 1, ExitCode.STORE_REFUSED)
    assert [problem for problem in report.problems if "not final: no answer to log/" in problem]


def test_a_run_of_many_pages_is_told_in_little_memory() -> None:
    report = crawl.RunReport(
        run="r",
        source=SOURCE,
        pages=100_000,
        verdicts={"new": 90_000, "bad": 10_000},
        counts={},
        discovery=[],
        segments=9,
        seconds=9.0,
        reason="finished",
        exit_code=0,
    )
    verdicts = (
        {
            "url": f"https://gazette.example/2026/{number}",
            "verdict": "bad" if number % 10 == 9 else "new",
            "class_reason": f"status {500 + number % 3}",
        }
        for number in range(100_000)
    )
    tracemalloc.start()
    try:
        told = describe_run(report, verdicts)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    lines = told.splitlines()
    assert len(lines) == 1 + 50 + 1 + 3 + 1
    assert lines[50].split() == ["new", "https://gazette.example/2026/54"]
    assert lines[51] == f"  … and 89950 more: ofrecord list --source {SOURCE}"
    assert lines[52].startswith("  bad        3334 × status 5")
    assert peak < 1_000_000

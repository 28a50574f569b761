"""Asks an archive for the TimeMap of each page in a list, and has copies of it kept: of each text one, or all."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import structlog

from crawler.backfill.keeping import ArchiveUnwell, AskedInVain
from crawler.urls import normalise_url
from crawler.webarchive import NotACopy, raw_form

if TYPE_CHECKING:
    from collections.abc import Iterator

    from config.webarchives import WebArchive
    from crawler.backfill.keeping import Keeper
    from crawler.backfill.plan import ArchiveReport
    from crawler.webarchive import Copy

log = structlog.get_logger()

MAX_PARTS = 50
"""Of one page's TimeMap."""


async def ask_timemaps(keeper: Keeper, archive: WebArchive, report: ArchiveReport) -> None:
    """Keep what *archive* has of the plan's pages. Raises ArchiveUnwell, BackfillOver, VisitOver, OSError."""
    plan = keeper.plan
    until = "now" if plan.open_end else plan.end.isoformat()
    key = f"{archive.timemap} {plan.begin.isoformat()} {until}{' every' if plan.every else ''}"
    done = keeper.position.pages.setdefault(key, set())
    if plan.again:
        done.clear()
    left = False
    for page in _read_pages(plan.pages_file):
        if page in done or (plan.below and not page.startswith(plan.below)):
            continue
        try:
            copies = await _list_copies(keeper, archive, page, report)
        except AskedInVain as error:
            log.info("failed_discovery", url=page, error=str(error))
            report.refused["the TimeMap could not be had"] += 1
            left = True
            continue
        report.listed += len(copies)
        wanted = sorted(
            (copy for copy in copies if plan.begin <= copy.captured_at < plan.end), key=lambda copy: copy.captured_at
        )
        if await _Page(keeper, page, wanted, report).keep():
            done.add(page)
        else:
            left = True
        keeper.save()
    report.done = not left


async def _list_copies(keeper: Keeper, archive: WebArchive, page: str, report: ArchiveReport) -> list[Copy]:
    """Return the copies in the TimeMap of *page* and what goes on from it; those on other hosts are refused."""
    parts = [f"{archive.timemap}{page}"]
    host = urlsplit(parts[0]).netloc
    copies: list[Copy] = []
    for number in range(MAX_PARTS):
        if number >= len(parts):
            break
        answer = await keeper.ask(parts[number])
        if answer.status == 404:
            continue
        found = await keeper.visit.pool.copies(answer, page)
        if found.error is not None and not found.copies and not number:
            raise ArchiveUnwell(f"{parts[0]}: {found.error}")
        near = [copy for copy in found.copies if urlsplit(copy.memento or "").netloc == host]
        if far := len(found.copies) - len(near):
            report.refused["on another host"] += far
        copies += near
        parts += [part for part in found.pages if part not in parts and urlsplit(part).netloc == host]
    return copies


class _Page:
    """The copies of one page, oldest first: a TimeMap does not say which of them are the same.

    So the first and the last are looked at and, where they differ, the one in the middle, and so on.
    """

    def __init__(self, keeper: Keeper, page: str, copies: list[Copy], report: ArchiveReport) -> None:
        self._keeper = keeper
        self._page = page
        self._copies = copies
        self._report = report
        self._texts: dict[int, str | None] = {}
        """What those that were looked at came to; `None`: nobody knows, so they differ from all others."""
        self._complete = True

    async def keep(self) -> bool:
        """Keep what is wanted; tell whether all that can be had is."""
        last = len(self._copies) - 1
        if self._keeper.plan.every:
            for number in range(last, -1, -1):
                await self._look(number)
            return self._complete
        stretches = [(0, last)] if last >= 0 else []
        while stretches:
            begin, end = stretches.pop()
            differs = await self._differ(begin, end)
            if differs and end - begin > 1:
                middle = (begin + end) // 2
                stretches += [(begin, middle), (middle, end)]
        return self._complete

    async def _differ(self, begin: int, end: int) -> bool:
        later, earlier = await self._look(end), await self._look(begin)
        return later is None or later != earlier

    async def _look(self, number: int) -> str | None:
        if number in self._texts:
            return self._texts[number]
        copy = self._copies[number]
        text = None
        if self._keeper.has(self._page, copy):
            self._report.chosen += 1
            self._report.had += 1
        else:
            self._keeper.require_room()
            self._report.chosen += 1
            try:
                kept = await self._keeper.keep(self._page, copy, raw_form(copy.memento or ""), self._report)
            except NotACopy:
                self._complete, kept = False, None
            if kept is not None:
                snapshot = kept.outcome.snapshot
                text = snapshot.text_digest if snapshot is not None else kept.row.payload_digest
        self._texts[number] = text
        return text


def _read_pages(path: str | None) -> Iterator[str]:
    """Yield the normalised URLs of the file *path*, one a line, comments left out."""
    if path is not None:
        with Path(path).open(encoding="utf-8", errors="replace") as lines:
            for line in lines:
                if (url := line.strip()) and not url.startswith("#"):
                    yield normalise_url(url)

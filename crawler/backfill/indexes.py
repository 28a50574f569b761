"""Asks a CDX server for the copies of a source's articles, window by window from the newest, and has them kept."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode, urlsplit

import structlog

from crawler.backfill.keeping import ArchiveUnwell, AskedInVain
from crawler.sites import bare_host
from crawler.webarchive import NotACopy, Pending, Windows, raw_url, write_stamp

if TYPE_CHECKING:
    from config.sources import Source
    from config.webarchives import WebArchive
    from crawler.backfill.keeping import Keeper
    from crawler.backfill.plan import ArchiveReport
    from crawler.webarchive import Copy, Window

log = structlog.get_logger()

LINES = 10_000
"""That a server is asked for at a time."""
MAX_ANSWERS = 8
"""Of one window; of a window with more, half is taken."""
MAX_PENDING = 200_000
"""Copies that wait at a time, some 300 bytes each; then these are asked for before more is listed."""
_PAGES_ONLY = "mimetype:text/html"


async def ask_index(keeper: Keeper, source: Source, archive: WebArchive, report: ArchiveReport) -> None:
    """Keep what *archive* has of *source*. Raises ArchiveUnwell, BackfillOver, VisitOver, OSError."""
    done = True
    for scope in list_scopes(source, keeper.plan.below):
        done &= await _Index(keeper, source, archive, scope, report).ask()
    report.done = done


class _Index:
    """What a CDX server has of one scope: listed from the newest to the oldest, then asked for in that order.

    All is listed before anything is asked for, as far as memory allows: so of copies with the same content the oldest
    is known. What is listed is written down, and no run has to list it again.
    """

    def __init__(
        self, keeper: Keeper, source: Source, archive: WebArchive, scope: dict[str, str], report: ArchiveReport
    ) -> None:
        plan = keeper.plan
        self._keeper = keeper
        self._source = source
        self._archive = archive
        self._scope = scope
        self._report = report
        asked = f"{archive.cdx} {scope['matchType']} {scope['url']}{' every' if plan.every else ''} "
        key = f"{asked}{source.articles.digest}"
        keeper.position.forget_others(asked, key)
        done = keeper.position.windows.setdefault(key, [])
        if plan.again:
            done.clear()
        self._windows = Windows(_second(plan.begin), _second(plan.end), done)
        self._pending = keeper.position.pending.setdefault(key, Pending())
        self._enough = MAX_PENDING if plan.max_pages is None else min(MAX_PENDING, LINES + 4 * plan.max_pages)

    async def ask(self) -> bool:
        """List and keep; tell whether nothing is left to do."""
        plan, complete = self._keeper.plan, True
        while True:
            await self._list()
            complete &= await self._keep_all(self._pending.list_newest_first(plan.begin, plan.end))
            if self._windows.next() is None:
                return complete

    async def _list(self) -> None:
        before = len(self._pending)
        while len(self._pending) - before < self._enough and (window := self._windows.next()) is not None:
            try:
                copies = await _list_window(self._keeper, self._archive, self._scope, window)
            except AskedInVain as error:  # many a server does not get through too long a time
                log.info("failed_discovery", url=self._archive.address, error=str(error))
                self._windows.narrow(window)
                continue
            if copies is None:
                if not self._windows.narrow(window):
                    raise ArchiveUnwell(f"{self._archive.cdx}: more copies of one second than it lists")
                continue
            self._report.listed += len(copies)
            self._pending.add(copies, is_article=self._source.is_article, every=self._keeper.plan.every)
            self._windows.finish(window, found=len(copies), usual=LINES)
            self._keeper.save()

    async def _keep_all(self, chosen: list[tuple[str, Copy]]) -> bool:
        """Keep those of *chosen* that are not had; tell whether all that can be had is."""
        keeper, report, complete = self._keeper, self._report, True
        for number, (page, copy) in enumerate(chosen):
            keeper.waiting = len(chosen) - number
            if keeper.has(page, copy):
                report.chosen += 1
                report.had += 1
            elif self._source.is_article(page):  # by the patterns of today
                keeper.require_room()
                report.chosen += 1
                try:
                    await keeper.keep(page, copy, raw_url(self._archive.replay or "", copy), report)
                except NotACopy:
                    complete = False
                    continue
            self._pending.remove(page, copy)
            keeper.save()
        keeper.waiting = 0
        return complete


def list_scopes(source: Source, below: tuple[str, ...] = ()) -> list[dict[str, str]]:
    """Return what a CDX server is to be asked for: pages *below* some URLs, or all of the source's sites."""
    if below:
        return [{"url": url, "matchType": "prefix"} for url in below]
    hosts: dict[str, str] = {}
    for url in (source.home, *(entry.url for entry in source.discover)):
        parts = urlsplit(url)
        port = f":{parts.port}" if parts.port not in {None, 80, 443} else ""
        hosts.setdefault(bare_host(url) + port, bare_host(url))
    names = set(hosts.values())
    tops = {place for place, host in hosts.items() if not any(host.endswith("." + other) for other in names)}
    return [{"url": place, "matchType": "host" if ":" in place else "domain"} for place in sorted(tops)]


async def _list_window(keeper: Keeper, archive: WebArchive, scope: dict[str, str], window: Window) -> list[Copy] | None:
    """Return the copies of *window*; `None` if there are more than an answer, or some, can hold.

    Copies of other times, by servers that heed no range, are left out: each comes in its own window.
    """
    query = {
        **scope,
        "output": "json",
        "from": _stamp(window.begin),
        "to": _stamp(window.end - 1),
        "limit": str(LINES),
        "showResumeKey": "true",
    }
    if not keeper.plan.every:
        query["filter"] = _PAGES_ONLY
    copies: list[Copy] = []
    for _ in range(MAX_ANSWERS):
        separator = "&" if "?" in (archive.cdx or "") else "?"
        answer = await keeper.ask(f"{archive.cdx}{separator}{urlencode(query, quote_via=quote)}")
        if answer.status == 404:
            return copies
        found = await keeper.visit.pool.copies(answer)
        if answer.truncated is not None or found.truncated:
            return None
        if found.error is not None and not found.copies:
            raise ArchiveUnwell(f"{archive.cdx}: its answer is no list of copies: {found.error}")
        copies += [copy for copy in found.copies if window.begin <= _second(copy.captured_at) < window.end]
        if found.resume is None:
            return None if found.lines >= LINES else copies
        query["resumeKey"] = found.resume
    return None


def _second(instant: datetime) -> int:
    return int(instant.timestamp())


def _stamp(second: int) -> str:
    return write_stamp(datetime.fromtimestamp(second, UTC))

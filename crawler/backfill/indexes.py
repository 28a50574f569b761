"""Asks a CDX server for all copies of a source's articles, window by window from the newest, and has them kept."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode, urlsplit

from crawler.backfill.keeping import ArchiveUnwell
from crawler.sites import bare_host
from crawler.webarchive import NotACopy, Windows, choose_copies, raw_url, write_stamp

if TYPE_CHECKING:
    from collections.abc import Iterator

    from config.sources import Source
    from config.webarchives import WebArchive
    from crawler.backfill.keeping import Keeper
    from crawler.backfill.plan import ArchiveReport
    from crawler.webarchive import Copy, Window

LINES = 10_000
"""That a server is asked for at a time."""
MAX_ANSWERS = 8
"""Of one window; of a window with more, half is taken. So there are 80,000 copies in memory at the most."""
_PAGES_ONLY = "mimetype:text/html"


async def ask_index(keeper: Keeper, source: Source, archive: WebArchive, report: ArchiveReport) -> None:
    """Keep what *archive* has of *source*. Raises ArchiveUnwell, BackfillOver, VisitOver, OSError."""
    plan = keeper.plan
    done = True
    for scope in list_scopes(source, plan.below):
        key = f"{archive.cdx} {scope['matchType']} {scope['url']}{' every' if plan.every else ''}"
        windows = Windows(
            _second(plan.begin), _second(plan.end), [] if plan.again else keeper.position.windows.get(key, [])
        )
        keeper.position.windows[key] = windows.done
        later: dict[str, str] = {}
        while (window := windows.next()) is not None:
            copies = await _list_window(keeper, archive, scope, window)
            if copies is None:
                if windows.narrow(window):
                    continue
                raise ArchiveUnwell(f"{archive.cdx}: more copies of one second than it lists")
            report.listed += len(copies)
            chosen = choose_copies(copies, is_article=source.is_article, later=later, every=plan.every)
            complete = await _keep_all(keeper, archive, chosen, report)
            windows.finish(window, found=len(copies), usual=LINES, complete=complete)
            done = done and complete
            keeper.save()
    report.done = done


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
    """Return the copies of *window*; `None` if there are more than an answer, or some, can hold."""
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
        copies += found.copies
        if found.resume is None:
            return None if found.lines >= LINES else copies
        query["resumeKey"] = found.resume
    return None


async def _keep_all(keeper: Keeper, archive: WebArchive, chosen: list[tuple[str, Copy]], report: ArchiveReport) -> bool:
    """Keep those of *chosen* that are not had; tell whether all that can be had is."""
    complete = True
    for page, copy in _count_down(keeper, chosen):
        if keeper.has(page, copy):
            report.chosen += 1
            report.had += 1
            continue
        keeper.require_room()
        report.chosen += 1
        try:
            await keeper.keep(page, copy, raw_url(archive.replay or "", copy), report)
        except NotACopy:
            complete = False
    return complete


def _count_down(keeper: Keeper, chosen: list[tuple[str, Copy]]) -> Iterator[tuple[str, Copy]]:
    for number, pair in enumerate(chosen):
        keeper.waiting = len(chosen) - number
        yield pair
    keeper.waiting = 0


def _second(instant: datetime) -> int:
    return int(instant.timestamp())


def _stamp(second: int) -> str:
    return write_stamp(datetime.fromtimestamp(second, UTC))

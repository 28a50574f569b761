"""What pages are shown with: which of it waits to be fetched. Pictures, style sheets, scripts, fonts; of any host.

Bounded for each page and in hosts, since pages name what they like; none of it is ever taken for a page.
"""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import structlog

from crawler.frontier import ASSET, TAKEN, WaitingAsset
from crawler.model import Purpose
from crawler.outcome import media_type_of
from crawler.sites import Sites, list_own_urls
from crawler.urls import normalise_url

if TYPE_CHECKING:
    from collections.abc import Iterable

    from config.settings import Settings
    from config.sources import Source
    from crawler.compare import LastAsset, LastVersions
    from crawler.frontier import Frontier
    from crawler.model import Exchange, Snapshot
    from crawler.workers.pool import WorkerPool

log = structlog.get_logger()

MAX_SHEETS = 3
"""Style sheets that import one another."""
MAX_HOSTS = 50
"""Beside the source's own, in one run: no page makes us knock at the doors of all the world."""
MISSED = timedelta(days=1)
"""What could not be had is not asked for again before that."""
TOO_MANY_HOSTS = f"assets of more than {MAX_HOSTS} hosts that are not the source's"
_MAX_COUNTED = 100_000


class AssetList:
    """Lets wait what the pages of one run are shown with, as far as its source asks for that."""

    def __init__(
        self, source: Source, settings: Settings, *, frontier: Frontier, pool: WorkerPool, known: LastVersions
    ) -> None:
        self.hosts: set[str] = set()
        """Those that are asked and are not the source's own, with their ports."""
        self._source = source
        self._whole = source.assets == "page"
        self._most = settings.max_assets
        self._young = timedelta(seconds=settings.asset_seconds)
        self._frontier = frontier
        self._pool = pool
        self._known = known
        self._own = Sites(list_own_urls(source))
        self._counts: Counter[int] = Counter()
        """By page."""

    async def take(self, exchange: Exchange, snapshot: Snapshot | None, *, page: str, depth: int) -> None:
        """Let wait what *exchange* names: a page that was read, with its *snapshot*, or a style sheet.

        *page*: the normalised URL of the page that it is all for. *depth*: of a style sheet. Raises OSError if the disk
        refuses.
        """
        room = self._most - self._counts[hash(page)]
        if room <= 0 or exchange.status != 200 or exchange.truncated:
            return
        if exchange.purpose is Purpose.ARTICLE:
            urls, depth = await self._list_of_page(exchange, snapshot, room), 0
        else:
            urls, depth = await self._list_of_sheet(exchange, depth, room), depth + 1
        if not urls:
            return
        found = self._choose(dict.fromkeys(urls), room)
        if len(self._counts) >= _MAX_COUNTED:
            self._counts.clear()
        self._counts[hash(page)] += len(found)
        self._frontier.add_assets(WaitingAsset(target, exchange.url, page, depth) for target in found)

    async def _list_of_page(self, exchange: Exchange, snapshot: Snapshot | None, room: int) -> list[str]:
        if snapshot is None:
            return []
        lead = list(_list_lead_images(snapshot))
        return [*lead, *await self._pool.requisites(exchange.as_rendered(), room)] if self._whole else lead

    async def _list_of_sheet(self, exchange: Exchange, depth: int, room: int) -> list[str]:
        is_sheet = exchange.purpose is Purpose.ASSET and media_type_of(exchange) == "text/css"
        return await self._pool.requisites(exchange, room) if is_sheet and self._whole and depth < MAX_SHEETS else []

    def _choose(self, urls: Iterable[str], room: int) -> list[str]:
        """Return those of *urls* that are to be fetched: new to this run, no articles, not had lately, of few hosts."""
        named: dict[str, str] = {}
        for url in urls:
            try:
                normal = normalise_url(url)
            except ValueError:
                continue
            if self.may_ask(normal):
                named.setdefault(normal, url)
            else:
                log.info("skipped_page", url=url, reason=TOO_MANY_HOSTS)
        before = self._frontier.mark(list(named), ASSET)
        new = [url for url, marks in zip(named, before, strict=True) if not marks & (ASSET | TAKEN)]
        if not new:
            return []
        known, articles, now = self._known.find_assets(new), self._known.find_looks(new), datetime.now(UTC)
        wanted = (url for url in new if url not in articles and not self._is_young(known.get(url), now))
        return [named[url] for url in islice(wanted, room)]

    def may_ask(self, url: str) -> bool:
        """Tell whether the host of *url* may be asked for an asset: one of the source's own, or of the first others."""
        if url in self._own:
            return True
        host = urlsplit(url).netloc
        if host not in self.hosts and len(self.hosts) >= MAX_HOSTS:
            return False
        self.hosts.add(host)
        return True

    def _is_young(self, last: LastAsset | None, now: datetime) -> bool:
        return last is not None and now - last.captured_at < (self._young if last.had else min(self._young, MISSED))


def _list_lead_images(snapshot: Snapshot) -> Iterable[str]:
    """Yield where the page's main picture is, as far as it says."""
    image = snapshot.fields.get("image")
    url = image.value.get("url") if image is not None and isinstance(image.value, dict) else None
    if isinstance(url, str):
        yield url

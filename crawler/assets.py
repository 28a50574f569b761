"""What pages are shown with: which of it waits to be fetched. Pictures, style sheets, scripts, fonts; of any host.

Bounded for each page and in hosts, since pages name what they like; none of it is ever taken for a page.
"""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
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

    from crawler.compare import LastAsset
    from crawler.items import PageItem, Run
    from crawler.model import Snapshot

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
    """Lets wait what the pages of a run are shown with, as far as the source asks for that."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._own = Sites(list_own_urls(run.source))
        self._counts: Counter[int] = Counter()
        """By page."""
        self._young = timedelta(seconds=run.settings.asset_seconds)

    async def take(self, item: PageItem) -> None:
        """Let wait what *item*, a page that was read or a style sheet, names. Raises OSError if the disk refuses."""
        exchange, page = item.exchange, item.page or item.url
        room = self._run.settings.max_assets - self._counts[hash(page)]
        if room <= 0 or exchange.status != 200 or exchange.truncated or self._run.stopping:
            return
        urls = await self._list_urls(item, room)
        if not urls:
            return
        depth = item.depth + 1 if exchange.purpose is Purpose.ASSET else 0
        found = self._choose(dict.fromkeys(urls), room)
        if len(self._counts) >= _MAX_COUNTED:
            self._counts.clear()
        self._counts[hash(page)] += len(found)
        self._run.frontier.add_assets(WaitingAsset(target, exchange.url, page, depth) for target in found)

    async def _list_urls(self, item: PageItem, room: int) -> list[str]:
        exchange, whole = item.exchange, self._run.source.assets == "page"
        if exchange.purpose is Purpose.ASSET:
            is_sheet = whole and media_type_of(exchange) == "text/css" and item.depth < MAX_SHEETS
            return await self._run.pool.requisites(exchange, room) if is_sheet else []
        snapshot = item.outcome.snapshot if item.outcome is not None else None
        if exchange.purpose is not Purpose.ARTICLE or snapshot is None:
            return []
        lead = list(_list_lead_images(snapshot))
        return [*lead, *await self._run.pool.requisites(exchange.as_rendered(), room)] if whole else lead

    def _choose(self, urls: Iterable[str], room: int) -> list[str]:
        """Return those of *urls* that are to be fetched: new to this run, no pages, not had lately, of known hosts."""
        named: dict[str, str] = {}
        for url in urls:
            try:
                normal = normalise_url(url)
            except ValueError:
                continue
            if self._run.source.is_article(normal):  # that is fetched as one, or not at all
                continue
            if self.may_ask(normal):
                named.setdefault(normal, url)
            else:
                log.info("skipped_page", url=url, reason=TOO_MANY_HOSTS)
        before = self._run.frontier.mark(list(named), ASSET)
        new = [url for url, marks in zip(named, before, strict=True) if not marks & (ASSET | TAKEN)]
        known, now = self._run.last_versions.find_assets(new) if new else {}, datetime.now(UTC)
        return [named[url] for url in new if not self._is_young(known.get(url), now)][:room]

    def may_ask(self, url: str) -> bool:
        """Tell whether the host of *url* may be asked for an asset: one of the source's own, or of the first others."""
        if url in self._own:
            return True
        host, hosts = urlsplit(url).netloc, self._run.asset_hosts
        if host not in hosts and len(hosts) >= MAX_HOSTS:
            return False
        hosts.add(host)
        return True

    def _is_young(self, last: LastAsset | None, now: datetime) -> bool:
        return last is not None and now - last.captured_at < (self._young if last.had else min(self._young, MISSED))


def _list_lead_images(snapshot: Snapshot) -> Iterable[str]:
    """Yield where the page's main picture is, as far as it says."""
    image = snapshot.fields.get("image")
    url = image.value.get("url") if image is not None and isinstance(image.value, dict) else None
    if isinstance(url, str):
        yield url

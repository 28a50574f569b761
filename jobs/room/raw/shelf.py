"""What a page is shown with: its recorded assets as addresses that hold them (`data:`), so that nothing is asked for.

Bounded in number, in bytes, and in what comes of a page that names one picture a thousand times.
"""

from __future__ import annotations

import re
import secrets
from base64 import b64encode
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeAlias

import structlog

from config.errors import ExtractError, RecordError, StoreError
from crawler.outcome import media_type_of
from crawler.replay.assets import NOTHING
from crawler.urls import find_normal
from jobs.requisites import list_named
from jobs.room.endpoints import NotThere
from jobs.room.raw.media import FONTS, PICTURES, SHEET, find_kind
from jobs.room.raw.reading import read_body, read_page
from jobs.room.raw.turns import Patience

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from crawler.model import Exchange
    from jobs.catalog import StoredCapture
    from jobs.room.desk import Desk

log = structlog.get_logger()

MAX_ASSETS = 200
MAX_ASSET_BYTES = 8 * 1024 * 1024
MAX_ALL_BYTES = 12 * 1024 * 1024
MAX_SHEETS = 3
"""Sheets that import one another."""
MAX_PAGE_CHARS = 24 * 1024 * 1024
MAX_SHEET_CHARS = 6 * 1024 * 1024
_THREADS = 8
_Read: TypeAlias = "tuple[Exchange, bytes, str]"


class Shelf:
    """The assets of one page of *source*, captured *at* some time."""

    def __init__(self, desk: Desk, source: str, at: datetime) -> None:
        self._desk = desk
        self._source = source
        self._at = at
        self._made: dict[str, str] = {}
        """URL → its address, or NOTHING."""
        self._left = MAX_ALL_BYTES
        self._patience = Patience()

    def fill(self, exchange: Exchange) -> str:
        """Return the page of *exchange* with what is at hand for it. Raises ExtractError."""
        return self._replay(exchange, depth=0, limit=MAX_PAGE_CHARS)

    def _replay(self, exchange: Exchange, *, depth: int, limit: int) -> str:
        named = list_named(exchange, self._desk.pool)
        self._get_all(named, depth)
        urls = [url for url in named if self._made.get(url, NOTHING) != NOTHING]
        mark = f"asset-{secrets.token_hex(16)}-"
        text = self._desk.pool.ask(lambda pool: pool.replay(exchange, urls, mark))
        return put_in(text, mark, [self._made[url] for url in urls], limit)

    def _get_all(self, urls: Iterable[str], depth: int) -> None:
        new = [url for url in urls if url not in self._made][: max(0, MAX_ASSETS - len(self._made))]
        self._made |= dict.fromkeys(new, NOTHING)  # a sheet that imports itself finds nothing
        normal = {url: found for url in new if (found := find_normal(url)) is not None}
        captures = self._desk.catalog.find_shown_with(self._source, sorted(set(normal.values())), self._at)
        wanted = self._choose({url: captures[one][-1] for url, one in normal.items() if one in captures})
        with ThreadPoolExecutor(_THREADS) as threads:  # a store is asked over a network
            reads = list(zip(wanted, threads.map(self._read, [one for _, one in wanted]), strict=True))
        # sheets last: they may take what the page itself takes
        for (url, _), read in sorted(reads, key=lambda one: one[1] is not None and one[1][2] == SHEET):
            self._made[url] = NOTHING if read is None else self._make_address(*read, depth=depth)

    def _choose(self, captures: dict[str, StoredCapture]) -> list[tuple[str, StoredCapture]]:
        """Return those of *captures* that there is room for, as far as their records tell."""
        chosen, left = [], self._left
        for url, capture in captures.items():
            size = capture.payload_length or 0
            if size <= min(MAX_ASSET_BYTES, left):
                chosen.append((url, capture))
                left -= size
        return chosen

    def _read(self, capture: StoredCapture) -> _Read | None:
        """Return an asset with its body and kind; `None` where it cannot be had: the page is shown without it."""
        try:
            exchange = read_page(self._desk, capture, limit=2 * MAX_ASSET_BYTES)
            body = read_body(exchange, limit=MAX_ASSET_BYTES)
        except (RecordError, StoreError, NotThere) as error:
            log.warning("failed_asset", url=capture.url, error=str(error))
            return None
        return exchange, body, find_kind(media_type_of(exchange), body)

    def _make_address(self, exchange: Exchange, body: bytes, kind: str, *, depth: int) -> str:
        if kind == SHEET:
            if depth >= MAX_SHEETS or self._patience.is_over():
                return NOTHING
            try:
                body = self._replay(exchange, depth=depth + 1, limit=MAX_SHEET_CHARS).encode("utf-8", "replace")
            except ExtractError:
                return NOTHING
            kind = f"{SHEET};charset=utf-8"
        elif kind not in PICTURES | FONTS:
            return NOTHING
        if len(body) > min(MAX_ASSET_BYTES, self._left):
            return NOTHING
        self._left -= len(body)
        return f"data:{kind};base64,{b64encode(body).decode('ascii')}"


def put_in(text: str, mark: str, addresses: list[str], limit: int) -> str:
    """Return *text* with address n in place of *mark* and n, as long as it does not grow beyond *limit* characters."""
    left = limit - len(text)

    def put(found: re.Match[str]) -> str:
        nonlocal left
        number = int(found[1])
        address = addresses[number] if number < len(addresses) else NOTHING
        if len(address) > left:
            return NOTHING
        left -= len(address)
        return address

    return re.sub(rf"{re.escape(mark)}(\d{{1,5}})", put, text)

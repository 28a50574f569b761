"""A room of two articles, with the smallest archive there is, and who comes to its door."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import httpx

from config.settings import Settings
from jobs.archive.identity import create_archive
from jobs.catalog import Catalog
from jobs.context import CATALOG_FILE
from jobs.room.library import Library
from jobs.room.reading_store import OnlyReading
from jobs.search.index import INDEX_FILE, SearchIndex
from jobs.store.memory import MemoryStore
from tests.machines import SOURCE, START, Look, Machine

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from starlette.types import ASGIApp

ARTICLE = f"/sources/{SOURCE}/article?url=https://gazette.example/one"


@contextmanager
def open_small_library(state: Path) -> Iterator[Library]:
    """Lend what a room reads in: two articles of the source `gazette`, with catalog and index in *state*."""
    store = MemoryStore()
    info = create_archive(store, single_writer=False, now=START)
    with Catalog.open(state / CATALOG_FILE) as catalog:
        machine = Machine(store, info, catalog)
        machine.commit([Look("one", "The bridge will be built"), Look("two", "It opens on Monday")], number=1)
        fold_index(state, catalog, info.archive)
    library = Library(OnlyReading(store), info, Settings(), {}, state)
    yield library
    library.close()


def fold_index(state: Path, catalog: Catalog, archive: str) -> None:
    """Bring the index in *state* up to *catalog*."""
    with SearchIndex.open(state / INDEX_FILE) as index:
        index.fold(catalog, archive)


class Visitor:
    """A browser at the door: asks without a socket, keeps cookies, follows nothing."""

    def __init__(self, app: ASGIApp, base: str, peer: str) -> None:
        self.app = app
        self._transport = httpx.ASGITransport(app, client=(peer, 50_000))
        self._base = base
        self._cookies = httpx.Cookies()

    def get(self, path: str, headers: Any = None) -> httpx.Response:
        return self.request("GET", path, headers=headers)

    def post(self, path: str, **sent: Any) -> httpx.Response:
        return self.request("POST", path, **sent)

    def request(self, method: str, path: str, **sent: Any) -> httpx.Response:
        async def ask() -> httpx.Response:
            async with httpx.AsyncClient(
                transport=self._transport, base_url=self._base, cookies=self._cookies
            ) as client:
                answer = await client.request(method, path, **sent)
                self._cookies = client.cookies
                return answer

        return asyncio.run(ask())

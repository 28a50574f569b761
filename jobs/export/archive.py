"""Texts → one WACZ: a page for each, the raw records of the captures that they were first seen in, and what these need.

What they need: the record that a revisit refers to, and the recorded assets that a page names.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import IO, TYPE_CHECKING

import structlog

from config.settings import program_version
from crawler.warc import encode_warcinfo
from jobs.export.records import Places, RecordsPlace, read_places
from jobs.wacz import Package, Page, write_wacz

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from jobs.catalog import Catalog, StoredCapture
    from jobs.catalog.replays import StoredExchange
    from jobs.export.records import RangeReader
    from jobs.export.selection import Text

log = structlog.get_logger()

WARC = "data.warc.gz"
REDACTED = "redacted"
"""Class of captures that were taken out on request: their records hold nothing."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(slots=True)
class Packed:
    """What is in the file."""

    captures: int = 0
    """Of which there are records: those of pages, of what they refer to, of assets."""
    records: int = 0
    damaged: list[str] = field(default_factory=list)
    """What is wrong with records that are left out: the first hundred."""
    left_out: int = 0
    """Captures whose records are damaged or missing."""


class Packer:
    """Makes the file. *list_assets*: returns the captures that a page is shown with."""

    def __init__(
        self,
        store: RangeReader,
        catalog: Catalog,
        list_assets: Callable[[StoredCapture], Iterable[StoredCapture]],
        *,
        archive: str,
        every_capture: bool = False,
        scratch: Path | None = None,
    ) -> None:
        """*archive*: its id. *every_capture*: of the articles that texts are of."""
        self._store = store
        self._catalog = catalog
        self._list_assets = list_assets
        self._archive = archive
        self._every_capture = every_capture
        self._scratch = scratch

    def write(self, texts: Iterable[Text], file: IO[bytes]) -> Packed:
        """Write *texts* into *file*. Raises StoreError, OSError."""
        software = f"ofrecord/{program_version()}"
        package = Package("", _EPOCH, software, f"Out of the archive {self._archive}.")
        packed = Packed()
        with write_wacz(file, package, scratch=self._scratch) as wacz, Places(self._scratch) as places:
            article: tuple[str, str] | None = None
            count = 0
            for text in texts:
                page = self._make_page(text)
                wacz.add_page(page)
                count += 1
                package = replace(
                    package, main=package.main or page, created=max(package.created, text.found.captured_at)
                )
                self._place(text, places, whole=self._every_capture and article != (text.found.source, text.found.url))
                article = text.found.source, text.found.url
            title = package.main.title if package.main and count == 1 else f"{count} texts"
            wacz.package = package = replace(package, title=title)
            info, _ = encode_warcinfo(
                filename=WARC, run=self._archive, source="*", software=software, created=package.created
            )
            with wacz.open_warc(WARC, info) as warc:
                for place, found in read_places(self._store, places):
                    if isinstance(found, tuple):
                        warc.append(*found)
                        packed.captures += 1
                        packed.records += len(found[1])
                        continue
                    log.warning("failed_record", url=place.url, error=str(found))
                    packed.left_out += 1
                    if len(packed.damaged) < 100:
                        packed.damaged.append(str(found))
        return packed

    def _place(self, text: Text, places: Places, *, whole: bool) -> None:
        found = text.found
        if whole:
            for capture in self._catalog.list_captures(found.source, found.url):
                self._add(*capture.place, places, with_assets=capture.place == (found.segment, found.n))
        self._add(found.segment, found.n, places, with_assets=True)

    def _add(self, segment: str, n: int, places: Places, *, with_assets: bool) -> None:
        """Take in where the records of a capture are, and of those that it needs."""
        stored = self._catalog.find_exchange(segment, n)
        self._add_records(stored, places)
        if stored is None:
            return
        referred = self._catalog.find_exchange(*stored.revisit_of) if stored.revisit_of else None
        if referred is not None and referred.revisit_of is None and referred.capture.source == stored.capture.source:
            self._add_records(referred, places)
        if with_assets:
            for asset in self._list_assets(stored.capture):
                self._add(*asset.place, places, with_assets=False)

    def _add_records(self, stored: StoredExchange | None, places: Places) -> None:
        place = None if stored is None else RecordsPlace.of(stored, self._store)
        if stored is not None and place is not None and stored.capture.page_class != REDACTED:
            places.add(place)

    def _make_page(self, text: Text) -> Page:
        found, snapshot = text.found, text.snapshot
        capture = self._catalog.find_capture(found.segment, found.n)
        return Page(
            f"{found.segment}-{found.n}",
            capture.target_uri if capture is not None else found.url,
            found.captured_at,
            snapshot["title"] or found.url,
            snapshot["text"],
        )

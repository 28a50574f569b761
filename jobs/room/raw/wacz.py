"""A capture and what it is shown with → one WACZ 1.1.1 file: records as they are, and an index, for other tools."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from config.errors import RecordError, StoreError
from config.settings import program_version
from crawler.outcome import media_type_of
from crawler.urls import find_normal
from crawler.warc import encode_warcinfo
from jobs.requisites import is_leaf, list_named
from jobs.room.endpoints import NotThere
from jobs.room.raw.media import SHEET
from jobs.room.raw.reading import MAX_FETCHED_BYTES, fetch_bytes, read_page, split_records
from jobs.room.raw.turns import Patience
from jobs.wacz import Package, Page, write_wacz

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from crawler.model import Exchange
    from jobs.catalog import StoredCapture
    from jobs.catalog.replays import StoredExchange
    from jobs.room.desk import Desk
    from jobs.wacz import WarcPart

MAX_CAPTURES = 300
"""In one file, those that others refer to among them."""
MAX_SHEETS = 4
"""Sheets that import one another."""
_WARC = "data.warc.gz"


def pack_capture(desk: Desk, stored: StoredExchange) -> bytes:
    """Return the file. Raises NotThere where the capture has no record, RecordError, StoreError.

    What of its assets cannot be read, or is more than may be in it, is left out.
    """
    capture = stored.capture
    software = f"ofrecord/{program_version()}"
    warcinfo, _ = encode_warcinfo(
        filename=_WARC, run=capture.run, source=capture.source, software=software, created=capture.captured_at
    )
    title = desk.catalog.find_title(capture.place) or capture.target_uri
    page = Page(f"{capture.segment}-{capture.n}", capture.target_uri, capture.captured_at, title)
    description = f"One capture of {capture.target_uri}, out of the archive {desk.info.archive}."
    file = io.BytesIO()
    with write_wacz(file, Package(title, capture.captured_at, software, description, page)) as wacz:
        with wacz.open_warc(_WARC, warcinfo) as warc:
            pack = _Pack(desk, capture, warc)
            pack.add(stored)
            for exchange in _list_sheets(desk, capture, pack):
                pack.add_shown_with(list_named(exchange, desk.pool))
        wacz.add_page(page)
    return file.getvalue()


class _Pack:
    """The file as it grows."""

    def __init__(self, desk: Desk, capture: StoredCapture, warc: WarcPart) -> None:
        self._desk = desk
        self._capture = capture
        self._warc = warc
        self._taken: set[tuple[str, int]] = set()
        self.sheets: list[Exchange] = []
        """What was put in and may name more."""

    def add(self, stored: StoredExchange) -> None:
        """Put in a capture, and the one that its record refers to. Raises NotThere, RecordError, StoreError."""
        if stored.capture.place in self._taken:
            return
        data = fetch_bytes(self._desk, stored)
        if self._warc.size_bytes + len(data) > MAX_FETCHED_BYTES or len(self._taken) >= MAX_CAPTURES:
            raise NotThere(f"{stored.capture.url}: more than {MAX_FETCHED_BYTES} bytes or {MAX_CAPTURES} captures")
        records = split_records(data, stored.capture.warc_key)
        self._taken.add(stored.capture.place)
        self._warc.append(data, records)
        referred = self._desk.catalog.find_exchange(*stored.revisit_of) if stored.revisit_of else None
        if referred is not None:
            self.add(referred)

    def add_shown_with(self, urls: Iterable[str]) -> None:
        """Put in what there is of *urls*, as far as it can be read and there is room."""
        normal = dict.fromkeys(found for url in urls if (found := find_normal(url)) is not None)
        catalog, capture = self._desk.catalog, self._capture
        for way in catalog.find_shown_with(capture.source, normal, capture.captured_at).values():
            for one in way:
                stored = catalog.find_exchange(*one.place)
                if stored is None or one.place in self._taken:
                    continue
                try:
                    self.add(stored)
                    self._note_sheet(one)
                except (NotThere, RecordError, StoreError):
                    continue

    def _note_sheet(self, capture: StoredCapture) -> None:
        if is_leaf(capture.url):
            return
        exchange = read_page(self._desk, capture)
        if media_type_of(exchange) == SHEET:
            self.sheets.append(exchange)


def _list_sheets(desk: Desk, capture: StoredCapture, pack: _Pack) -> Iterator[Exchange]:
    """Yield the page, then the sheets that were put in for it, then those of these: what may name more."""
    try:
        yield read_page(desk, capture)
    except (NotThere, RecordError):
        return
    patience = Patience()
    for _ in range(MAX_SHEETS):
        sheets, pack.sheets = pack.sheets, []
        for sheet in sheets:
            if patience.is_over():
                return
            yield sheet

"""A capture and what it is shown with → one WACZ 1.1.1 file: records as they are, and an index, for other tools."""

from __future__ import annotations

import io
import json
import re
import zipfile
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from config.errors import RecordError, StoreError
from config.settings import program_version
from crawler.model import Exchange, Purpose
from crawler.outcome import media_type_of
from crawler.rows import format_time
from crawler.urls import find_normal, surt
from crawler.warc import digest_bytes, encode_warcinfo
from jobs.room.endpoints import NotThere
from jobs.room.raw.media import SHEET
from jobs.room.raw.reading import MAX_FETCHED_BYTES, fetch_bytes, read_page, split_records
from jobs.room.raw.turns import Patience

if TYPE_CHECKING:
    from collections.abc import Coroutine, Iterable, Iterator

    from crawler.warc import RecordView
    from crawler.workers import WorkerPool
    from jobs.catalog import StoredCapture
    from jobs.catalog.replays import StoredExchange
    from jobs.room.desk import Desk

VERSION = "1.1.1"
MAX_NAMED = 400
MAX_CAPTURES = 300
"""In one file, those that others refer to among them."""
MAX_SHEETS = 4
"""Sheets that import one another."""
_PICTURE_ENDINGS = (".jpg", ".jpeg", ".png", ".gif", ".webp", ".avif", ".svg", ".woff", ".woff2", ".js", ".ico")
_STATUS = re.compile(rb"HTTP/\d(?:\.\d)? +(\d{3})(?:[ \r]|$)")
_WARC = "data.warc.gz"
_EPOCH = (1980, 1, 1, 0, 0, 0)
"""Of all parts: the same capture makes the same file."""


def pack_capture(desk: Desk, stored: StoredExchange) -> bytes:
    """Return the file. Raises NotThere where the capture has no record, RecordError, StoreError.

    What of its assets cannot be read, or is more than may be in it, is left out.
    """
    pack = _Pack(desk, stored.capture)
    pack.add(stored)
    for exchange in _list_sheets(desk, stored.capture, pack):
        pack.add_shown_with(desk.pool.ask(partial(_list_named, exchange)))
    return pack.zip()


class _Pack:
    """The file as it grows."""

    def __init__(self, desk: Desk, capture: StoredCapture) -> None:
        self._desk = desk
        self._capture = capture
        self._writer = f"ofrecord/{program_version()}"
        member, _ = encode_warcinfo(
            filename=_WARC,
            run=capture.run,
            source=capture.source,
            software=self._writer,
            created=capture.captured_at,
        )
        self._members = [member]
        self._size = len(member)
        self._lines: list[str] = []
        self._taken: set[tuple[str, int]] = set()
        self.sheets: list[Exchange] = []
        """What was put in and may name more."""

    def add(self, stored: StoredExchange) -> None:
        """Put in a capture, and the one that its record refers to. Raises NotThere, RecordError, StoreError."""
        if stored.capture.place in self._taken:
            return
        data = fetch_bytes(self._desk, stored)
        if self._size + len(data) > MAX_FETCHED_BYTES or len(self._taken) >= MAX_CAPTURES:
            raise NotThere(f"{stored.capture.url}: more than {MAX_FETCHED_BYTES} bytes or {MAX_CAPTURES} captures")
        records = split_records(data, stored.capture.warc_key)
        self._taken.add(stored.capture.place)
        self._lines += [line for one in records if (line := _index_record(one, self._size))]
        self._members.append(data)
        self._size += len(data)
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
        if urlsplit(capture.url).path.endswith(_PICTURE_ENDINGS):  # most assets: not to be read twice
            return
        exchange = read_page(self._desk, capture)
        if media_type_of(exchange) == SHEET:
            self.sheets.append(exchange)

    def zip(self) -> bytes:
        """Return all as a zip file, the WARC file in it stored as it is."""
        capture = self._capture
        parts = {
            f"archive/{_WARC}": b"".join(self._members),
            "indexes/index.cdx": "".join(f"{line}\n" for line in sorted(self._lines)).encode(),
            "pages/pages.jsonl": self._write_pages(),
        }
        package = {
            "profile": "data-package",
            "wacz_version": VERSION,
            "title": self._find_title(),
            "description": f"One capture of {capture.target_uri}, out of the archive {self._desk.info.archive}.",
            "created": format_time(capture.captured_at),
            "software": self._writer,
            "mainPageUrl": capture.target_uri,
            "mainPageDate": _tell_second(capture.captured_at),
            "resources": [
                {"name": path.rpartition("/")[2], "path": path, "hash": digest_bytes(data), "bytes": len(data)}
                for path, data in parts.items()
            ],
        }
        parts["datapackage.json"] = _encode(package)
        digest = {"path": "datapackage.json", "hash": digest_bytes(parts["datapackage.json"])}
        parts["datapackage-digest.json"] = _encode(digest)
        return _zip(parts)

    def _find_title(self) -> str:
        return self._desk.catalog.find_title(self._capture.place) or self._capture.target_uri

    def _write_pages(self) -> bytes:
        capture = self._capture
        head = {"format": "json-pages-1.0", "id": "pages", "title": "All pages"}
        page = {
            "id": f"{capture.segment}-{capture.n}",
            "url": capture.target_uri,
            "title": self._find_title(),
            "ts": _tell_second(capture.captured_at),
        }
        return b"".join(
            json.dumps(line, ensure_ascii=False).encode("utf-8", "replace") + b"\n" for line in (head, page)
        )


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


def _list_named(exchange: Exchange, pool: WorkerPool) -> Coroutine[None, None, list[str]]:
    return pool.requisites(exchange, MAX_NAMED)


def _index_record(record: RecordView, start: int) -> str | None:
    """Return the CDXJ line of a record that lies *start* bytes behind where its member says; `None`: it has none."""
    url = record.header("WARC-Target-URI")
    status = _STATUS.match(record.block)
    if record.type not in {"response", "revisit"} or url is None or status is None:
        return None
    try:
        key, at = surt(url), datetime.fromisoformat(record.header("WARC-Date") or "").astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise RecordError(f"{record.where}: no line of an index can be made of it: {error}") from error
    stated = Exchange(url, Purpose.ASSET, at, 0.0, b"", response_head=record.block.partition(b"\r\n\r\n")[0])
    fields = {
        "url": url,
        "mime": "warc/revisit" if record.type == "revisit" else media_type_of(stated) or "unk",
        "status": status[1].decode(),
        "digest": record.header("WARC-Payload-Digest"),
        "length": str(record.length),
        "offset": str(start + record.offset),
        "filename": _WARC,
    }
    told = {name: value for name, value in fields.items() if value is not None}
    return f"{key} {at:%Y%m%d%H%M%S} {json.dumps(told)}"


def _zip(parts: dict[str, bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for path, data in parts.items():
            entry = zipfile.ZipInfo(path, _EPOCH)
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, data, zipfile.ZIP_STORED)
    return file.getvalue()


def _tell_second(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def _encode(data: dict[str, Any]) -> bytes:
    return json.dumps(data, ensure_ascii=False, indent=1).encode("utf-8", "replace") + b"\n"

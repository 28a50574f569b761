"""A capture: what was asked and answered, where that is kept, and the page as it was, in a sandbox."""

from __future__ import annotations

import shlex
from datetime import datetime
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from config.errors import ObjectMissing, RecordError, StoreError
from crawler.markup import HTML_TYPES
from crawler.model import PageClass, Purpose
from crawler.urls import find_normal
from crawler.warc.frames import FRAME_HEAD_BYTES
from jobs.archive.ranges import COMPACTED
from jobs.room import addresses
from jobs.room.endpoints import Asked, Document, Download, NotThere, Page, Told
from jobs.room.raw.media import PICTURES, find_kind, is_text
from jobs.room.raw.reading import fetch_bytes, fetch_stored, find_stored, read_page, split_records
from jobs.room.raw.showing import show_exchange
from jobs.room.raw.turns import take_turn
from jobs.room.raw.wacz import pack_capture
from jobs.room.views.redactions import RedactionTold, find_redaction

if TYPE_CHECKING:
    from crawler.warc import RecordView
    from jobs.catalog import StoredCapture
    from jobs.catalog.replays import StoredExchange
    from jobs.room.desk import Desk

WARC_TYPE = "application/warc"
WACZ_TYPE = "application/wacz"
MAX_HEAD_CHARS = 64 * 1024
_STEPS = 2
"""Captures before and after this one that are named."""
Form = Literal["served", "rendered"]


class CaptureAsked(Asked):
    """Which capture: its segment, and its number there."""

    segment: str = Field(max_length=300)
    n: int = Field(ge=0, lt=1 << 31)


class PageAsked(CaptureAsked):
    """And whether its page as served is wanted, or as a browser made it; where nothing is said, the second if it is."""

    form: Form | None = None


class AssetAsked(CaptureAsked):
    """And the URL of something that the page is shown with."""

    url: str = Field(max_length=8_192)


class CaptureName(Told):
    """Another capture."""

    segment: str
    n: int
    url: str
    captured_at: datetime
    status: int | None
    verdict: str | None


class RecordTold(Told):
    """A WARC record of the capture."""

    type: str
    id: str
    offset: int
    """Of its gzip member or zstd frame in the file."""
    length: int
    block_digest: str
    payload_digest: str | None


class RecordsTold(Told):
    """Where the records of a capture lie, and what they say."""

    key: str
    """Of the WARC file in the archive."""
    offset: int
    length: int
    """Of all its records, one behind the other."""
    dictionary_bytes: int
    """Of the frame that the file begins with, and that holds the dictionary for its zstd frames; 0: there is none."""
    records: tuple[RecordTold, ...]
    address: str | None
    """Of whoever answered."""
    request: str | None
    """Request line and header lines as sent; secrets masked."""
    response: str
    """Status line and header lines as received."""
    security: str | None
    """How the connection was secured."""
    browser: str | None
    """What made a document of the page, if it was rendered."""


class CapturedTold(Told):
    """A capture with its exchange and its records."""

    source: str
    url: str
    title: str | None
    """Of the text that was read of it."""
    target_uri: str
    segment: str
    n: int
    run: str
    captured_at: datetime
    purpose: str
    status: int | None
    page_class: str
    class_reason: str
    verdict: str | None
    revision: int | None
    media_type: str | None
    payload_digest: str | None
    size_bytes: int
    seconds: float
    truncated: str | None
    error: str | None
    extraction_error: str | None
    redirect: str | None
    origin: dict[str, str | None] | None
    """Where it was imported or backfilled from."""
    revisit_of: CaptureName | None
    """The capture that has the payload, where this one's record refers to it."""
    blocked_by: tuple[CaptureName, ...]
    """The answers for the robots.txt that forbids the page."""
    earlier: CaptureName | None
    later: CaptureName | None
    place: RecordsTold | None
    redacted: RedactionTold | None
    """By what it was taken out of the archive."""
    fault: str | None
    """Why its records cannot be read: they are damaged, out of reach, or too long for this room."""
    shown: Literal["page", "picture", "text", "file", "nothing"]
    """As what its body can be looked at."""
    command: str | None
    """What gets the records out of a copy of the archive."""
    download: str | None
    """What gets them from this room."""


def view_capture(desk: Desk, asked: CaptureAsked) -> CapturedTold:
    """Return a capture. Raises NotThere."""
    stored = find_stored(desk, asked.segment, asked.n)
    capture = stored.capture
    with take_turn():
        place, fault = _read_place(desk, stored)
    earlier, later = _find_neighbours(desk, capture) if stored.purpose == Purpose.ARTICLE else (None, None)
    media_type = None if place is None else _find_media_type(place.response)
    return CapturedTold(
        source=capture.source,
        url=capture.url,
        title=desk.catalog.find_title(capture.place),
        target_uri=capture.target_uri,
        segment=capture.segment,
        n=capture.n,
        run=capture.run,
        captured_at=capture.captured_at,
        purpose=stored.purpose,
        status=capture.status,
        page_class=capture.page_class,
        class_reason=capture.class_reason,
        verdict=capture.verdict,
        revision=capture.revision,
        media_type=media_type,
        payload_digest=stored.payload_digest,
        size_bytes=stored.size_bytes,
        seconds=stored.seconds,
        truncated=stored.truncated,
        error=capture.error,
        extraction_error=stored.extraction_error,
        redirect=capture.redirect,
        origin=capture.origin,
        revisit_of=_find_referred(desk, stored),
        blocked_by=_list_rules(desk, capture),
        earlier=earlier,
        later=later,
        place=place,
        redacted=find_redaction(desk, capture),
        fault=fault,
        shown=_find_look(media_type, stored, place),
        command=None if place is None else _write_command(place),
        download=None if place is None else _write_download(desk, capture),
    )


def view_page(desk: Desk, asked: PageAsked) -> Document:
    """Return the page of a capture, in a sandbox. Raises NotThere, RecordError, StoreError, TookTooLong."""
    capture = find_stored(desk, asked.segment, asked.n).capture
    with take_turn():
        return show_exchange(desk, capture, read_page(desk, capture, rendered=asked.form != "served"))


def view_asset(desk: Desk, asked: AssetAsked) -> Document:
    """Return what a page is shown with, as it was recorded nearest to the page. Raises as `view_page`."""
    capture = find_stored(desk, asked.segment, asked.n).capture
    url = find_normal(asked.url)
    found = desk.catalog.find_shown_with(capture.source, [url], capture.captured_at) if url else {}
    if url not in found:
        raise NotThere(f"{asked.url}: not recorded for pages of {capture.source}; nothing is fetched for this room")
    asset = found[url][-1]
    with take_turn():
        return show_exchange(desk, asset, read_page(desk, asset), as_page=False)


def view_record(desk: Desk, asked: CaptureAsked) -> Document:
    """Return the records of a capture as they lie in the archive, each a gzip member. Raises as `view_page`."""
    stored = find_stored(desk, asked.segment, asked.n)
    with take_turn():
        data = fetch_bytes(desk, stored)
        split_records(data, _name_place(stored))
    return Document(data, WARC_TYPE, filename=f"{asked.segment}-{asked.n}.warc.gz")


def view_wacz(desk: Desk, asked: CaptureAsked) -> Document:
    """Return a capture with all that it is shown with, as one WACZ file. Raises as `view_page`."""
    stored = find_stored(desk, asked.segment, asked.n)
    with take_turn():
        data = pack_capture(desk, stored)
    return Document(data, WACZ_TYPE, filename=f"{asked.segment}-{asked.n}.wacz")


def _read_place(desk: Desk, stored: StoredExchange) -> tuple[RecordsTold | None, str | None]:
    capture = stored.capture
    if capture.response_offset is None or stored.end is None:
        return None, None
    try:
        dictionary, data = fetch_stored(desk, stored)
        records = split_records(dictionary + data, _name_place(stored))
    except (ObjectMissing, RecordError) as error:
        return None, f"The record is damaged: {error}"
    except StoreError:
        return None, "The archive's store does not give the record just now."
    except NotThere as error:
        return None, str(error)
    response = next((one for one in records if one.type in {"response", "revisit"}), None)
    if response is None:
        return None, f"The record is damaged: found no response at {_name_place(stored)}"
    by_type = {one.type: one for one in reversed(records)}
    conversion = by_type.get("conversion")
    told = RecordsTold(
        key=capture.warc_key,
        offset=capture.response_offset,
        length=len(data),
        dictionary_bytes=len(dictionary),
        records=tuple(_tell_record(one, capture.response_offset - len(dictionary)) for one in records),
        address=response.header("WARC-IP-Address"),
        request=_read_head(by_type.get("request")),
        response=_read_head(response) or "",
        security=_read_security(by_type.get("metadata")),
        browser=conversion.header("WARC-Rendered-By") if conversion else None,
    )
    return told, None


def _tell_record(record: RecordView, start: int) -> RecordTold:
    return RecordTold(
        type=record.type,
        id=record.header("WARC-Record-ID") or "",
        offset=start + record.offset,
        length=record.length,
        block_digest=record.header("WARC-Block-Digest") or "",
        payload_digest=record.header("WARC-Payload-Digest"),
    )


def _read_head(record: RecordView | None) -> str | None:
    if record is None:
        return None
    return record.block.partition(b"\r\n\r\n")[0].decode("latin-1").replace("\r\n", "\n")[:MAX_HEAD_CHARS]


def _read_security(record: RecordView | None) -> str | None:
    if record is None or record.header("Content-Type") != "application/warc-fields":
        return None
    return record.block.decode("utf-8", "replace").replace("\r\n", "\n").strip()[:MAX_HEAD_CHARS]


def _find_media_type(head: str) -> str | None:
    for line in head.split("\n")[1:]:
        name, _, value = line.partition(":")
        if name.strip().lower() == "content-type":
            return value.partition(";")[0].strip().lower() or None
    return None


def _find_look(
    media_type: str | None, stored: StoredExchange, place: RecordsTold | None
) -> Literal["page", "picture", "text", "file", "nothing"]:
    if place is None or stored.capture.payload_length is None:
        return "nothing"
    kind = find_kind(media_type, b"")
    if place.browser or kind in {"", *HTML_TYPES}:
        return "page" if stored.purpose != Purpose.ASSET else "text"
    if kind in PICTURES:
        return "picture"
    return "text" if is_text(kind) else "file"


def _find_neighbours(desk: Desk, capture: StoredCapture) -> tuple[CaptureName | None, CaptureName | None]:
    captures = desk.catalog.list_captures(capture.source, capture.url)
    at = next((n for n, one in enumerate(captures) if one.place == capture.place), None)
    if at is None:
        return None, None
    return (
        _name(captures[at - 1]) if at else None,
        _name(captures[at + 1]) if at + 1 < len(captures) else None,
    )


def _find_referred(desk: Desk, stored: StoredExchange) -> CaptureName | None:
    if stored.revisit_of is None:
        return None
    referred = desk.catalog.find_capture(*stored.revisit_of)
    return None if referred is None else _name(referred)


def _list_rules(desk: Desk, capture: StoredCapture) -> tuple[CaptureName, ...]:
    if capture.page_class != PageClass.BLOCKED:
        return ()
    return tuple(_name(one) for one in desk.catalog.list_rules(capture))


def _name(capture: StoredCapture) -> CaptureName:
    return CaptureName(
        segment=capture.segment,
        n=capture.n,
        url=capture.url,
        captured_at=capture.captured_at,
        status=capture.status,
        verdict=capture.verdict,
    )


def _name_place(stored: StoredExchange) -> str:
    return f"{stored.capture.warc_key}: capture {stored.capture.n}"


def _write_command(place: RecordsTold) -> str:
    name = shlex.quote(place.key)
    cut = f"tail -c +{place.offset + 1} {name} | head -c {place.length}"
    if not place.key.endswith(COMPACTED):
        return f"{cut} | gzip -dc"
    if not place.dictionary_bytes:
        return f"{cut} | zstd -dc"
    inner = f"tail -c +{FRAME_HEAD_BYTES + 1} {name} | head -c {place.dictionary_bytes - FRAME_HEAD_BYTES}"
    return f"{inner} | zstd -dc > dictionary; {cut} | zstd -dc -D dictionary"


def _write_download(desk: Desk, capture: StoredCapture) -> str:
    path = addresses.capture(capture.segment, capture.n, "record")
    return f"curl -o record.warc.gz {shlex.quote(desk.base + path)}"


_PATH = "/captures/{segment}/{n}"
_SHOWN = ("text/html", "text/plain", *sorted(PICTURES), "application/octet-stream")
# what lies below a capture comes first: the twin of the capture itself ends in its number and .json
ENDPOINTS = (
    Download("capture_page", f"{_PATH}/page", PageAsked, view_page, _SHOWN, "The page of a capture, in a sandbox"),
    Download("capture_asset", f"{_PATH}/asset", AssetAsked, view_asset, _SHOWN, "What a page is shown with"),
    Download("capture_record", f"{_PATH}/record", CaptureAsked, view_record, (WARC_TYPE,), "The records of a capture"),
    Download("capture_wacz", f"{_PATH}/wacz", CaptureAsked, view_wacz, (WACZ_TYPE,), "A capture as a WACZ file"),
    Page("capture", _PATH, CaptureAsked, CapturedTold, view_capture, "A capture: exchange, records, digests"),
)

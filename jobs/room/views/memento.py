"""Memento (RFC 7089): a TimeGate that leads to the capture nearest to a time, TimeMaps of all, and the Mementos."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING
from urllib.parse import unquote

from pydantic import Field

from crawler.urls import find_normal
from jobs.room import addresses
from jobs.room.endpoints import Asked, BadRequest, Document, Download, NotThere
from jobs.room.mementos import PAGE, Mementos, read_http_date, read_stamp, to_http_date, to_stamp
from jobs.room.raw.reading import find_stored, read_page
from jobs.room.raw.showing import show_exchange
from jobs.room.raw.turns import take_turn

if TYPE_CHECKING:
    from jobs.room.desk import Desk

LINK_FORMAT = "application/link-format"
_JSON = "application/json"
_PAGED = re.compile(r"(\d{1,9})/+(.+)", re.DOTALL | re.ASCII)
_REDIRECTS = frozenset({301, 302, 303, 307, 308})


class MementoAsked(Asked):
    """Which URL, as it stands behind the path: with its query, escaped or not."""

    url: str = Field(max_length=8_192)


class DatedAsked(MementoAsked):
    """And which Memento."""

    stamp: str = Field(pattern=r"^\d{14}$")
    """Fourteen digits, UTC."""


def view_timegate(desk: Desk, asked: MementoAsked) -> Document:
    """Return where the Memento is that is nearest to the time in Accept-Datetime. Raises NotThere, BadRequest."""
    mementos = _find_mementos(desk, asked.url)
    at = None
    if desk.wanted_time is not None:
        at = read_http_date(desk.wanted_time)
        if at is None:
            raise BadRequest(
                f"Accept-Datetime: found {desk.wanted_time[:60]!a}, expected a time as Tue, 07 Nov 2023 12:00:00 GMT"
            )
    chosen = mementos.captures[mementos.find_nearest(at)]
    headers = {
        "Location": desk.base + addresses.memento(to_stamp(chosen.captured_at), mementos.url),
        "Vary": "accept-datetime",
        "Link": mementos.write_header(desk.base),
        "Cache-Control": "private, no-cache",
    }
    return Document(b"", "text/plain; charset=utf-8", headers, status=302)


def view_link_timemap(desk: Desk, asked: MementoAsked) -> Document:
    """Return all Mementos of a URL as links; of more than a thousand, from the one whose number stands before it."""
    start, mementos = _find_page(desk, asked.url)
    self_url = _name_page(desk, mementos, start, "link")
    count = len(mementos.captures)
    end = min(start + PAGE, count)
    links = [
        f'<{mementos.url}>; rel="original"',
        f'<{self_url}>; rel="self"; type="{LINK_FORMAT}"; {_tell_span(mementos, start, end)}',
        f'<{desk.base}{addresses.timegate(mementos.url)}>; rel="timegate"',
    ]
    for other in range(0, count, PAGE) if count > PAGE else ():
        if other != start:
            span = _tell_span(mementos, other, min(other + PAGE, count))
            links.append(f'<{_name_page(desk, mementos, other, "link")}>; rel="timemap"; type="{LINK_FORMAT}"; {span}')
    for number in range(start, end):
        rels = [*(["first"] if number == 0 else []), *(["last"] if number == count - 1 else [])]
        links.append(mementos.link(number, desk.base, *rels))
    return Document(",\n".join(links).encode() + b"\n", LINK_FORMAT)


def view_json_timemap(desk: Desk, asked: MementoAsked) -> Document:
    """Return the same as JSON, as other archives have it."""
    start, mementos = _find_page(desk, asked.url)
    count = len(mementos.captures)
    told = [_tell(desk, mementos, number) for number in range(start, min(start + PAGE, count))]
    data = {
        "original_uri": mementos.url,
        "self": _name_page(desk, mementos, start, "json"),
        "timegate_uri": desk.base + addresses.timegate(mementos.url),
        "timemap_uri": {
            "link_format": _name_page(desk, mementos, start, "link"),
            "json_format": _name_page(desk, mementos, start, "json"),
        },
        "timemap_index": [
            {
                "uri": _name_page(desk, mementos, other, "json"),
                "from": _tell(desk, mementos, other)["datetime"],
                "until": _tell(desk, mementos, min(other + PAGE, count) - 1)["datetime"],
            }
            for other in range(0, count, PAGE)
        ],
        "mementos": {"first": _tell(desk, mementos, 0), "last": _tell(desk, mementos, count - 1), "list": told},
    }
    return Document(json.dumps(data, ensure_ascii=False).encode(), _JSON)


def view_memento(desk: Desk, asked: DatedAsked) -> Document:
    """Return a page as it was at a time, in a sandbox; where it was not captured then, lead to when it was.

    With the status that it had; redirects lead to the Memento of their target. Raises as `view_page` of a capture.
    """
    mementos = _find_mementos(desk, asked.url)
    at = read_stamp(asked.stamp)
    if at is None:
        raise BadRequest(f"stamp: found {asked.stamp}, expected a time as 20231107120000")
    number = mementos.find_nearest(at)
    chosen = mementos.captures[number]
    stamp = to_stamp(chosen.captured_at)
    links = mementos.write_header(desk.base, number)
    if stamp != asked.stamp:
        to = desk.base + addresses.memento(stamp, mementos.url)
        return Document(b"", "text/plain; charset=utf-8", {"Location": to, "Link": links}, status=302)
    headers = {"Memento-Datetime": to_http_date(chosen.captured_at), "Link": links}
    capture = find_stored(desk, chosen.segment, chosen.n).capture
    target = find_normal(capture.redirect or "") if chosen.status in _REDIRECTS else None
    if target is not None:
        headers["Location"] = desk.base + addresses.memento(stamp, target)
        return Document(b"", "text/plain; charset=utf-8", headers, status=302)
    with take_turn():
        shown = show_exchange(desk, capture, read_page(desk, capture, rendered=True))
    return Document(
        shown.body,
        shown.media_type,
        shown.headers | headers,
        filename=shown.filename,
        status=chosen.status if 400 <= chosen.status < 600 else 200,
    )


def _find_mementos(desk: Desk, written: str) -> Mementos:
    """Return the Mementos of the URL that is *written* behind a path. Raises NotThere, BadRequest."""
    url = find_normal(written) or find_normal(unquote(written))
    if url is None:
        raise BadRequest(f"url: found {written[:200]!a}, expected an address as https://gazette.example/2026/a")
    captures = desk.catalog.list_dated(url)
    if not captures:
        raise NotThere(f"{url}: no capture of it in this archive")
    return Mementos.of(url, captures)


def _find_page(desk: Desk, written: str) -> tuple[int, Mementos]:
    paged = _PAGED.fullmatch(written)
    mementos = _find_mementos(desk, paged[2] if paged else written)
    start = int(paged[1]) if paged else 0
    if start % PAGE or start >= len(mementos.captures):
        raise NotThere(f"{mementos.url}: no TimeMap begins with Memento {start}")
    return start, mementos


def _name_page(desk: Desk, mementos: Mementos, start: int, form: str) -> str:
    path = addresses.timemap(mementos.url, form)
    folder = addresses.timemap("", form)
    return desk.base + (path if not start else f"{folder}{start}/{path.removeprefix(folder)}")


def _tell_span(mementos: Mementos, start: int, end: int) -> str:
    first, last = (to_http_date(mementos.captures[number].captured_at) for number in (start, end - 1))
    return f'from="{first}"; until="{last}"'


def _tell(desk: Desk, mementos: Mementos, number: int) -> dict[str, str]:
    at = mementos.captures[number].captured_at
    return {
        "datetime": f"{at:%Y-%m-%dT%H:%M:%SZ}",
        "uri": desk.base + addresses.memento(to_stamp(at), mementos.url),
    }


_SHOWN = ("text/html", "text/plain", "application/octet-stream")
ENDPOINTS = (
    Download(
        "timegate",
        "/timegate/{url:path}",
        MementoAsked,
        view_timegate,
        (),
        "Leads to a Memento: Accept-Datetime",
        rest=True,
    ),
    Download(
        "timemap_link",
        "/timemap/link/{url:path}",
        MementoAsked,
        view_link_timemap,
        (LINK_FORMAT,),
        "Mementos of a URL",
        rest=True,
    ),
    Download(
        "timemap_json",
        "/timemap/json/{url:path}",
        MementoAsked,
        view_json_timemap,
        (_JSON,),
        "Mementos of a URL, as JSON",
        rest=True,
    ),
    Download(
        "memento",
        "/memento/{stamp}/{url:path}",
        DatedAsked,
        view_memento,
        _SHOWN,
        "A page as it was at a time",
        rest=True,
    ),
)

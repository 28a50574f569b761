"""A Memento TimeMap (RFC 7089, application/link-format) → copies and the TimeMaps that go on from it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import urljoin

from crawler.throttle import parse_http_date
from crawler.urls import normalise_url
from crawler.webarchive.copies import MAX_COPIES, MAX_NEXT, Copy, CopyList

if TYPE_CHECKING:
    from collections.abc import Iterator

_TARGET = re.compile(r"<([^<>]{0,8192})>")
_ATTRIBUTE = re.compile(r"\s*;\s*([A-Za-z*-]{1,40})\s*=\s*(?:\"([^\"]{0,8192})\"|([^\s;,\"]{1,8192}))")
_MORE = frozenset({"timemap", "next"})
_MAX_LINKS = 1_000_000


def read_timemap(text: str, *, url: str, original: str) -> CopyList:
    """Return what the TimeMap *text*, which was served at *url*, names. Never raises.

    *original*: of which page it was asked for. A link without a date is no copy; of an answer that was cut, all whole
    links count.
    """
    copies: list[Copy] = []
    pages: dict[str, None] = {}
    here = {url, urljoin(url, "")}
    faulty = lines = 0
    found = truncated = False
    for target, attributes in _read_links(text):
        relations = attributes.get("rel", "").lower().split()
        address = _absolute(url, target)
        found = found or "original" in relations  # which each TimeMap names
        if "self" in relations and address is not None:
            here.add(address)
        elif "memento" in relations:
            lines += 1
            captured_at = parse_http_date(attributes.get("datetime"))
            if captured_at is None or address is None:
                faulty += 1
            elif len(copies) >= MAX_COPIES:
                truncated = True
                break
            else:
                copies.append(Copy(original, captured_at, memento=address))
        elif not _MORE.isdisjoint(relations) and address is not None and len(pages) < MAX_NEXT:
            pages[address] = None
    error = None if found or lines or pages else "found no TimeMap"
    if faulty:
        error = f"{faulty} of {lines} mementos have no date or no address"
    return CopyList(
        tuple(copies),
        pages=tuple(page for page in pages if page not in here),
        lines=lines,
        error=error,
        truncated=truncated,
    )


def _read_links(text: str) -> Iterator[tuple[str, dict[str, str]]]:
    at = 0
    for _ in range(_MAX_LINKS):
        target = _TARGET.search(text, at)
        if target is None:
            return
        at = target.end()
        attributes: dict[str, str] = {}
        while (match := _ATTRIBUTE.match(text, at)) is not None:
            attributes.setdefault(match[1].lower(), match[2] if match[2] is not None else match[3])
            at = match.end()
        yield target[1].strip(), attributes


def _absolute(url: str, target: str) -> str | None:
    """Return where a link of the TimeMap at *url* leads; what is written into a replay address stays as it is."""
    try:
        found = urljoin(url, target)
        normalise_url(found)
    except ValueError:
        return None
    return found

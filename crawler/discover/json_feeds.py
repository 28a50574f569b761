"""JSON Feeds → links, item by item: what stands before a fault or a cut counts."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from crawler.discover.markup import MAX_TEXT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from crawler.discover.finder import Finder

MAX_JSON_BYTES = 8 * 1024 * 1024
"""A parsed value may take 24 times its text."""

_DECODER = json.JSONDecoder(parse_int=float, strict=False)
_SPACE = re.compile(r"[ \t\r\n]*")
_NEXT = re.compile(r"[ \t\r\n]*,[ \t\r\n]*")
_COLON = re.compile(r"[ \t\r\n]*:[ \t\r\n]*")


def read_json_feed(text: bytes, finder: Finder) -> str | None:
    """Read *text* (UTF-8, an object or an array); return what is wrong with it."""
    source = text[:MAX_JSON_BYTES].decode("utf-8", "replace")
    if not source.startswith("{"):
        return "not a JSON Feed: found an array, expected an object with a list of items"
    items = None
    try:
        for key, at in _walk(source, 1, named=True):
            if key == "items":
                items = source.startswith("[", at)
                if items and not _read_items(source, at + 1, finder):
                    return None
    except (ValueError, RecursionError) as error:
        cut = f"; the first {MAX_JSON_BYTES} bytes were read" if len(text) > MAX_JSON_BYTES else ""
        return f"{'damaged' if items else 'not a'} JSON Feed: {error}{cut}"
    return None if items else "not a JSON Feed: it has no list of items"


def _walk(source: str, at: int, *, named: bool) -> Iterator[tuple[Any, int]]:
    """Yield the key and the place of each member of an object, or the value and the place of each of an array."""
    closing = "}" if named else "]"
    at = _skip(_SPACE, source, at)
    while not source.startswith(closing, at):
        value, after = _DECODER.raw_decode(source, at)
        if named:
            at = _skip(_COLON, source, after)
            yield value, at
            _, after = _DECODER.raw_decode(source, at)
        else:
            yield value, at
        at = _skip(_SPACE, source, after)
        if not source.startswith(closing, at):
            at = _skip(_NEXT, source, at)


def _read_items(source: str, at: int, finder: Finder) -> bool:
    """Take the items of an array; tell whether there is room for more links."""
    return all(_take(item, finder) for item, _ in _walk(source, at, named=False))


def _take(item: object, finder: Finder) -> bool:
    finder.spend(3)
    if not isinstance(item, dict):
        return True
    identifier = _text(item.get("id"))
    if identifier and not identifier.startswith(("http://", "https://")):
        identifier = None
    for href in (_text(item.get("url")), _text(item.get("external_url")), identifier):
        target = finder.resolve_announced(href) if href else None
        if target is not None:
            return finder.take(
                target,
                title=finder.clean_title(_text(item.get("title"))),
                published=finder.read_time(_text(item.get("date_published"))),
                modified=finder.read_time(_text(item.get("date_modified"))),
            )
    return True


def _text(value: object) -> str | None:
    return value[:MAX_TEXT] if isinstance(value, str) and value.strip() else None


def _skip(pattern: re.Pattern[str], source: str, at: int) -> int:
    match = pattern.match(source, at)
    if match is None:
        raise json.JSONDecodeError("expected a delimiter", source, at)
    return match.end()

"""Feeds that break XML's rules → links, by feedparser, which forgives more than a parser should. Its only importer."""

from __future__ import annotations

import io
from calendar import timegm
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from crawler.discover.markup import find_crowd

if TYPE_CHECKING:
    from collections.abc import Iterable

    from crawler.discover.finder import Finder

MAX_LOOSE_BYTES = 256 * 1024
"""feedparser is slow on what it has to forgive: this much takes up to a second."""
MAX_LOOSE_ATTRIBUTES = 500
"""Of one element: its time grows with their square."""
_ENDS = (b"</item>", b"</entry>")


def read_loosely(text: bytes, finder: Finder) -> None:
    """Add the links that feedparser makes of *text* (UTF-8), of a long one of its beginning."""
    if len(text) > MAX_LOOSE_BYTES:
        text = text[: max(text.rfind(end, 0, MAX_LOOSE_BYTES) + len(end) for end in _ENDS)]
    text = text[: find_crowd(text, MAX_LOOSE_ATTRIBUTES)]
    import feedparser  # noqa: PLC0415 - 3 MB and 20 ms for every worker, and few feeds need it

    parsed = feedparser.parse(
        io.BytesIO(text),
        response_headers={"content-type": "application/xml; charset=utf-8"},
        resolve_relative_uris=False,
        sanitize_html=False,
    )
    for entry in parsed.entries:
        # not entry.get(): feedparser's own hands out `published` for a missing `updated`
        href = _find_link(entry)
        target = finder.resolve_announced(href) if href else None
        if target is not None and not finder.take(
            target,
            title=finder.clean_title(_text(dict.get(entry, "title"))),
            published=_from_struct(dict.get(entry, "published_parsed")),
            modified=_from_struct(dict.get(entry, "updated_parsed")),
        ):
            return


def _find_link(entry: Any) -> str | None:  # noqa: ANN401 - feedparser has no types
    for candidate in (dict.get(entry, "feedburner_origlink"), dict.get(entry, "link")):
        if isinstance(candidate, str) and candidate.strip():
            return candidate
    for link in dict.get(entry, "links") or []:
        if link.get("rel", "alternate") == "alternate" and link.get("href"):
            return str(link["href"])
    identifier = _text(dict.get(entry, "id"))
    return identifier if identifier and identifier.startswith(("http://", "https://")) else None


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _from_struct(value: Iterable[int] | None) -> datetime | None:
    if value is None:
        return None
    try:
        return datetime.fromtimestamp(timegm(tuple(value)), tz=UTC)
    except (ValueError, OverflowError, OSError):
        return None

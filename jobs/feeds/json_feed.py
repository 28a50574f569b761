"""Entries ⇄ a JSON feed (version 1.1). What is read may be anything: it is bounded and checked."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter, ValidationError

from crawler.rows import format_time
from jobs.feeds.items import FeedItem

if TYPE_CHECKING:
    from collections.abc import Iterable

VERSION = "https://jsonfeed.org/version/1.1"
MEDIA_TYPE = "application/feed+json"
_ANYTHING: TypeAdapter[Any] = TypeAdapter(Any)


def encode_item(item: FeedItem, *, page_url: str | None = None) -> str:
    """Return an entry as JSON. *page_url*: a page about what happened; the article is its `external_url` then."""
    data = {
        "id": item.id,
        **({"url": page_url, "external_url": item.url} if page_url else {"url": item.url}),
        "title": item.title,
        "summary": item.summary,
        "content_html": item.html,
        "date_published": format_time(item.told.since),
        "date_modified": format_time(item.told.at),
        "tags": item.tags,
        "_ofrecord": item.told.model_dump(mode="json"),
    }
    return json.dumps(data, ensure_ascii=False)


def encode_feed(title: str, items: Iterable[str], *, feed_url: str | None, page_url: str | None = None) -> bytes:
    """Return a feed of encoded *items*. *page_url*: a page that tells the same."""
    head = {"version": VERSION, "title": title}
    head |= {name: url for name, url in (("home_page_url", page_url), ("feed_url", feed_url)) if url}
    start = json.dumps(head, ensure_ascii=False).removesuffix("}")
    return (start + ', "items": [\n' + ",\n".join(items) + "\n]}\n").encode()


def decode_feed(data: bytes) -> list[FeedItem]:
    """Return the entries of a feed that are such as we write; none of what is no feed. Raises nothing."""
    try:
        # pydantic's parser: it bounds how deep things may lie in one another, and takes no halves of characters
        found = _ANYTHING.validate_json(data)
    except ValidationError:
        return []
    items = found.get("items") if isinstance(found, dict) else None
    read = []
    for one in items if isinstance(items, list) else []:
        try:
            read.append(FeedItem.model_validate(one))
        except ValidationError:
            continue
    return read

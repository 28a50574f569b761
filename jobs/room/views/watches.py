"""Watches: what happens to articles, or new texts that a search finds, as feeds that readers subscribe to."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import StringConstraints

from config.settings import program_version
from crawler.rows import format_time
from jobs.feeds import atom, json_feed
from jobs.feeds.items import clean, make_text
from jobs.feeds.writing import MAX_FEED_BYTES
from jobs.room import addresses
from jobs.room.asking import Text
from jobs.room.endpoints import Document, Download, NotThere
from jobs.room.views.events import GROUPS, EventsAsked, to_filter
from jobs.search import Query

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from jobs.feeds.items import FeedItem
    from jobs.room.desk import Desk
    from jobs.search import Event, EventFilter, Hit

MAX_HITS = 50
"""Of a search: a text is read for each."""
LATELY = (*GROUPS["changed"], *GROUPS["removed"], *GROUPS["new"])
"""What happened, where nothing else is asked for."""
_MAX_TITLE_CHARS = 200
_HEAD_BYTES = 16_384
"""Room for what stands around the entries."""


class WatchAsked(EventsAsked):
    """What to follow: an article by its URL, new texts that a search finds, or else what happens to articles."""

    url: Annotated[str, StringConstraints(max_length=4_096)] = ""
    """Of an article, as the archive has it."""
    texts: bool = False
    """New texts in place of what happened; so it is, too, where any of the following is given."""
    words: Annotated[str, StringConstraints(max_length=500)] = ""
    """As in a search."""
    language: Text = ""
    section: Text = ""
    author: Text = ""
    deleted: bool = False
    """Only texts of articles that are gone, or perhaps gone."""


@dataclass(frozen=True, slots=True)
class _Watch:
    """What a feed holds, whatever its form."""

    title: str
    page: str
    """Path of the page that tells the same."""
    entries: Iterable[tuple[FeedItem, str]]
    """The newest first, each with the path of a page about it."""


def view_atom(desk: Desk, asked: WatchAsked) -> Document:
    """Return a watch as an Atom feed. Raises NotThere, BadRequest, QueryError."""
    watch = _find_watch(desk, asked)
    fit = _fit((item, atom.encode_entry(item, page_url=f"{desk.base}{path}")) for item, path in watch.entries)
    entries = list(fit)
    given = _list_given(asked)
    body = atom.encode_feed(
        watch.title,
        uuid.uuid5(uuid.UUID(desk.info.archive), f"watch {json.dumps(given, sort_keys=True)}").urn,
        format_time(max((item.told.at for item, _ in entries), default=desk.info.created)),
        [entry for _, entry in entries],
        feed_url=f"{desk.base}{addresses.watch('atom', **given)}",
        generator=f"ofrecord/{program_version()}",
        page_url=f"{desk.base}{watch.page}",
    )
    return Document(body, atom.MEDIA_TYPE)


def view_json(desk: Desk, asked: WatchAsked) -> Document:
    """Return a watch as a JSON feed. Raises NotThere, BadRequest, QueryError."""
    watch = _find_watch(desk, asked)
    fit = _fit((item, json_feed.encode_item(item, page_url=f"{desk.base}{path}")) for item, path in watch.entries)
    body = json_feed.encode_feed(
        watch.title,
        [entry for _, entry in fit],
        feed_url=f"{desk.base}{addresses.watch('json', **_list_given(asked))}",
        page_url=f"{desk.base}{watch.page}",
    )
    return Document(body, json_feed.MEDIA_TYPE)


def _find_watch(desk: Desk, asked: WatchAsked) -> _Watch:
    if asked.url:
        return _watch_article(desk, asked)
    if asked.texts or asked.words or asked.language or asked.section or asked.author or asked.deleted:
        return _watch_search(desk, asked)
    wanted = to_filter(asked if asked.what else asked.model_copy(update={"what": LATELY}))
    given = {name: value for name, value in _list_given(asked).items() if name in EventsAsked.model_fields}
    title = _name_watch("what happened to articles", given)
    return _Watch(title, addresses.front(**given), _list_events(desk, wanted))


def _watch_article(desk: Desk, asked: WatchAsked) -> _Watch:
    owners = [one for one in desk.catalog.find_sources(asked.url) if one in (asked.source or (one,))]
    if not owners:
        raise NotThere(f"{asked.url}: no such article" + (f" from {', '.join(asked.source)}" if asked.source else ""))
    entries = list(_list_events(desk, replace(to_filter(asked), url=asked.url)))
    headline = next((item.told.headline for item, _ in entries if item.told.headline), None)
    return _Watch(_name_watch(headline or asked.url, {}), addresses.article(owners[0], asked.url), entries)


def _watch_search(desk: Desk, asked: WatchAsked) -> _Watch:
    to_filter(asked)  # refuses kinds that there are not
    query = Query(
        words=asked.words,
        sources=asked.source,
        language=asked.language,
        section=asked.section,
        author=asked.author,
        kinds=asked.kind,
        silent=asked.silent,
        deleted=asked.deleted,
        since=asked.since,
        until=asked.until,
        newest=True,
    )
    limit = min(MAX_HITS, desk.settings.feed_entries)
    hits = desk.index.search(query, desk.catalog, limit=limit).hits
    given = {name: value for name, value in _list_given(asked).items() if name not in {"texts", "what"}}
    title = _name_watch(f"new texts with {asked.words}" if asked.words else "new texts", given)
    return _Watch(title, addresses.search(**given), _list_hits(desk, hits))


def _list_events(desk: Desk, wanted: EventFilter) -> Iterator[tuple[FeedItem, str]]:
    for event in desk.index.list_events(wanted, limit=desk.settings.feed_entries).events:
        if event.item is not None:
            yield event.item, _locate_event(event)


def _locate_event(event: Event) -> str:
    if event.before and event.after and event.before != event.after:
        return addresses.compare(event.source, event.url, event.before, event.after)
    return addresses.article(event.source, event.url)


def _list_hits(desk: Desk, hits: Iterable[Hit]) -> Iterator[tuple[FeedItem, str]]:
    for hit in hits:
        item = make_text(
            hit.source,
            hit.url,
            hit.captured_at,
            hit.text_digest,
            number=hit.number,
            headline="".join(run.text for run in hit.title),
            words="".join(run.text for run in hit.snippet),
            kinds=hit.kinds,
            silent=hit.silent,
            archive=desk.info.archive,
        )
        if item is not None:
            yield item, addresses.article(hit.source, hit.url, digest=hit.text_digest)


def _fit(entries: Iterable[tuple[FeedItem, str]]) -> Iterator[tuple[FeedItem, str]]:
    """Yield the first of *entries*, as many as the feed is not too long with."""
    size = _HEAD_BYTES
    for item, entry in entries:
        size += len(entry.encode()) + 2
        if size > MAX_FEED_BYTES:
            return
        yield item, entry


def _list_given(asked: WatchAsked) -> dict[str, Any]:
    told = asked.model_dump(exclude_defaults=True)
    return {name: value.isoformat() if isinstance(value, datetime) else value for name, value in told.items()}


def _name_watch(what: str, given: dict[str, Any]) -> str:
    """Return the title of a feed: *what*, and what of it alone."""
    narrow = [
        name if value is True else ", ".join(value) if isinstance(value, tuple) else f"{name} {value}"
        for name, value in given.items()
        if name != "words"
    ]
    return clean(" · ".join([f"ofrecord: {what}", *narrow]), _MAX_TITLE_CHARS)


ENDPOINTS = (
    Download("watch_atom", "/watch.atom", WatchAsked, view_atom, (atom.MEDIA_TYPE,), "A watch as an Atom feed"),
    Download("watch_json", "/watch.json", WatchAsked, view_json, (json_feed.MEDIA_TYPE,), "A watch as a JSON feed"),
)

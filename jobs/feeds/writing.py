"""The newest changes of a source, and of all, → Atom and JSON feeds below `feeds/`. They prove nothing.

A source's feed is folded from its facts. That of all sources cannot be by a machine that knows one: it keeps the other
sources' entries of the feed that is there. Changes of metadata alone and moves are none of a feed's. Trouble is told
and logged, never raised: the archive is whole without it.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

import structlog

from config.errors import ArchiveError, ObjectMissing
from config.settings import program_version
from crawler.rows import format_time
from jobs.changes import ChangeLister, EditReporter, What
from jobs.feeds import atom, json_feed
from jobs.feeds.items import make_item

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from config.settings import Settings
    from jobs.catalog import Catalog
    from jobs.changes import Change
    from jobs.feeds.items import FeedItem
    from jobs.store import ObjectStore

log = structlog.get_logger()

ALL = "all"
"""The feed of all sources. (A source of that id has none of its own.)"""
MAX_FEED_BYTES = 1024**2
MAX_FETCHES = 20
"""Segments whose rows are fetched for texts that a machine without state does not have."""
_OF_TEXTS = frozenset({What.REVISED, What.REVERTED, What.ALTERNATING})
_AHEAD = timedelta(days=1)
"""An entry from later than that would stand above all others for ever."""


@dataclass(slots=True)
class FeedsReport:
    """What became of the feeds."""

    written: list[str] = field(default_factory=list)
    """Keys."""
    problems: list[str] = field(default_factory=list)


def write_feeds(
    catalog: Catalog, store: ObjectStore, archive: str, settings: Settings, source: str, *, after: int, now: datetime
) -> FeedsReport:
    """Write the feeds of *source* and of all sources, if commits of that source beyond number *after* brought changes.

    *archive*: its id. At most four puts, and two reads beside those of texts.
    """
    report = FeedsReport()
    if not settings.feeds or next(catalog.list_changed_after(source, after, metadata=False), None) is None:
        return report
    try:
        _write_both(_Feeds(catalog, store, archive, settings, now, report), source)
    except (ArchiveError, OSError) as error:
        report.problems.append(f"the change feeds below {store.url}/feeds were not all written: {error}")
        log.warning("failed_feed", source=source, error=str(error))
    if report.written:
        log.debug("wrote_feed", source=source, keys=report.written)
    return report


def _write_both(feeds: _Feeds, source: str) -> None:
    own = feeds.list_own(source)
    if source != ALL:
        feeds.write(source, own)
    others = [item for item in feeds.read(ALL) if item.told.source != source]
    feeds.write(ALL, _sort([*own, *others]))


@dataclass(slots=True)
class _Feeds:
    catalog: Catalog
    store: ObjectStore
    archive: str
    settings: Settings
    now: datetime
    report: FeedsReport
    present: dict[str, bytes] = field(default_factory=dict)
    """Name → the JSON feed that is there, as far as it was read."""

    def list_own(self, source: str) -> list[FeedItem]:
        """Return the newest entries of *source*, the newest first."""
        lister = ChangeLister(self.catalog, metadata=False)
        there = self._list_kept(source, lister) if self.catalog.thin_until(source) and source != ALL else {}
        reporter = EditReporter(self.catalog, self.store, fetches=MAX_FETCHES)
        items = dict(there)
        for change in lister.list_newest([source], self.settings.feed_entries):
            name = change.make_id(self.archive)
            known = there.get(name)
            if known is not None and (known.told.what, known.told.at) == (change.what, change.at):
                continue
            if item := self._make_item(change, reporter):
                items[name] = item
        reporter.flush()
        return _sort(items.values())

    def _list_kept(self, source: str, lister: ChangeLister) -> dict[str, FeedItem]:
        """Return by id those entries of the feed of *source* that is there which stand beside what thin facts tell.

        Thin facts tell all changes of text, but not their kinds, and no evidence of deletion that is over. So all stay
        but changes of text that are no event any more: those that an alternation took in.
        """
        kept = {}
        for item in self.read(source):
            ids = {change.make_id(self.archive) for change in lister.list_article(source, item.url)}
            if item.told.source == source and (item.told.what not in _OF_TEXTS or item.id in ids):
                kept[item.id] = item
        return kept

    def read(self, name: str) -> list[FeedItem]:
        """Return the entries of the feed that is there, as far as they are such as we write."""
        try:
            data = self.store.get(name_feed(name, "json"), length=2 * MAX_FEED_BYTES + 1)
        except ObjectMissing:
            return []
        if len(data) > 2 * MAX_FEED_BYTES:
            log.warning(
                "failed_feed", feed=name, error=f"more than {2 * MAX_FEED_BYTES} bytes: none of ours; made anew"
            )
            return []
        self.present[name] = data
        latest = self.now + _AHEAD
        return [item for item in json_feed.decode_feed(data) if item.told.at <= latest]

    def write(self, name: str, items: list[FeedItem]) -> None:
        """Write both feeds of that *name*, unless they are there as they would be."""
        chosen = list(_fit(items[: self.settings.feed_entries]))
        if not chosen:
            return
        as_json, as_atom = encode_feeds(
            self.archive,
            self.settings,
            name,
            [item for item, _, _ in chosen],
            ([one for _, one, _ in chosen], [one for _, _, one in chosen]),
        )
        if as_json == self.present.get(name):
            return
        for ending, data, media_type in (("json", as_json, json_feed.MEDIA_TYPE), ("atom", as_atom, atom.MEDIA_TYPE)):
            self.store.rewrite(name_feed(name, ending), data, media_type=media_type)
            self.report.written.append(name_feed(name, ending))

    def _make_item(self, change: Change, reporter: EditReporter) -> FeedItem | None:
        shown = change.after if change.what not in {What.SUSPECTED, What.GONE} else change.before
        titles = (self.catalog.find_title(place) for place in (shown.places if shown else ()))
        headline = next((title for title in titles if title), None)
        return make_item(change, reporter.summarise(change), headline=headline, archive=self.archive)


def name_feed(name: str, ending: str) -> str:
    """Return the key of the feed of source *name*, or of all; *ending*: `json` or `atom`."""
    return f"feeds/{name}.{ending}"


def encode_feeds(
    archive: str, settings: Settings, name: str, items: Sequence[FeedItem], encoded: tuple[list[str], list[str]]
) -> tuple[bytes, bytes]:
    """Return the JSON feed and the Atom feed of *items*, at least one. *encoded*: these, as either feed has them."""
    title = f"ofrecord: changes of {'all sources' if name == ALL else name}"
    base = settings.feed_base_url
    places = [f"{base.rstrip('/')}/{name_feed(name, ending)}" if base else None for ending in ("json", "atom")]
    as_atom = atom.encode_feed(
        title,
        uuid.uuid5(uuid.UUID(archive), f"feed {name}").urn,
        format_time(max(item.told.at for item in items)),
        encoded[1],
        feed_url=places[1],
        generator=f"ofrecord/{program_version()}",
    )
    return json_feed.encode_feed(title, encoded[0], feed_url=places[0]), as_atom


def _sort(items: Iterable[FeedItem]) -> list[FeedItem]:
    return sorted(items, key=lambda item: (item.told.at, item.id), reverse=True)


def _fit(items: Iterable[FeedItem]) -> Iterable[tuple[FeedItem, str, str]]:
    """Yield the first of *items* with both their forms, as many as neither feed is too long with."""
    sizes = [0, 0]
    for item in items:
        forms = json_feed.encode_item(item), atom.encode_entry(item)
        sizes = [size + len(form.encode()) + 2 for size, form in zip(sizes, forms, strict=True)]
        if max(sizes) > MAX_FEED_BYTES - 4_096:
            return
        yield item, *forms

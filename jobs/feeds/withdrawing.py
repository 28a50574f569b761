"""Entries of articles that were taken out of the archive leave the feeds, and older versions of these the store."""

from __future__ import annotations

from typing import TYPE_CHECKING

from config.errors import ObjectMissing
from jobs.feeds import atom, json_feed
from jobs.feeds.writing import ALL, MAX_FEED_BYTES, encode_feeds, name_feed

if TYPE_CHECKING:
    from collections.abc import Collection

    from config.settings import Settings
    from jobs.feeds.items import FeedItem
    from jobs.store import ObjectStore

ENDINGS = ("json", "atom")


def withdraw_entries(
    store: ObjectStore, archive: str, settings: Settings, source: str, urls: Collection[str], *, bypass: bool = False
) -> tuple[list[str], list[str]]:
    """Write the feeds of *source* and of all sources without the entries of *urls*; return keys written, keys purged.

    *archive*: its id. A feed that nobody can read, or of which nothing is left, is purged; of the others all versions
    but the newest, also where nothing had to be taken out now: an earlier one may have told of it. Raises StoreError.
    """
    written: list[str] = []
    purged: list[str] = []
    for name in dict.fromkeys((source, ALL)):
        items = _read(store, name)
        kept = [one for one in items or () if one.told.source != source or one.url not in urls]
        if items is not None and kept and len(kept) == len(items):
            whole = True
        elif kept:
            _write(store, archive, settings, name, kept)
            written += [name_feed(name, ending) for ending in ENDINGS]
            whole = True
        else:
            whole = False
        keys = [name_feed(name, ending) for ending in ENDINGS]
        purged += [key for key in keys if store.purge(key, keep_newest=whole, bypass=bypass)]
    return written, purged


def _read(store: ObjectStore, name: str) -> list[FeedItem] | None:
    """Return the entries of the feed that is there; `None` if there is none that could be read."""
    try:
        data = store.get(name_feed(name, "json"), length=2 * MAX_FEED_BYTES + 1)
    except ObjectMissing:
        return None
    return json_feed.decode_feed(data) if len(data) <= 2 * MAX_FEED_BYTES else None


def _write(store: ObjectStore, archive: str, settings: Settings, name: str, items: list[FeedItem]) -> None:
    encoded = [json_feed.encode_item(one) for one in items], [atom.encode_entry(one) for one in items]
    as_json, as_atom = encode_feeds(archive, settings, name, items, encoded)
    store.rewrite(name_feed(name, "json"), as_json, media_type=json_feed.MEDIA_TYPE)
    store.rewrite(name_feed(name, "atom"), as_atom, media_type=atom.MEDIA_TYPE)

"""Feeds after a redaction: without the article's entries, and older versions gone; what nobody can read goes whole."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from config.settings import Settings
from jobs.feeds import atom, json_feed
from jobs.feeds.items import FeedItem, make_news
from jobs.feeds.withdrawing import withdraw_entries
from jobs.feeds.writing import encode_feeds, name_feed
from jobs.store.memory import MemoryStore

ARCHIVE = "0123456789abcdef0123456789abcdef"
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
SECRET = "https://gazette.example/2026/affair"
OTHER = "https://gazette.example/2026/budget"


class Versions(MemoryStore):
    """Takes down what was purged, and of what the newest was kept."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[tuple[str, bool]] = []

    def purge(self, key: str, *, keep_newest: bool = False, bypass: bool = False) -> int:
        self.asked.append((key, keep_newest))
        return super().purge(key, keep_newest=keep_newest, bypass=bypass)


def entry(url: str, source: str = "gazette", number: int = 0) -> FeedItem:
    place = (f"{source}-20261122T120000Z-0123456789abcdef", number)
    item = make_news(source, url, NOON + timedelta(hours=number), place, headline=f"About {url}", archive=ARCHIVE)
    assert item is not None
    return item


def put(store: MemoryStore, name: str, *items: FeedItem) -> None:
    encoded = [json_feed.encode_item(one) for one in items], [atom.encode_entry(one) for one in items]
    for ending, data in zip(("json", "atom"), encode_feeds(ARCHIVE, Settings(), name, items, encoded), strict=True):
        store.rewrite(name_feed(name, ending), data, media_type="text/plain")


@pytest.fixture
def store() -> Versions:
    return Versions()


def withdraw(store: MemoryStore) -> tuple[list[str], list[str]]:
    return withdraw_entries(store, ARCHIVE, Settings(), "gazette", [SECRET])


def read(store: MemoryStore, name: str) -> list[tuple[str, str]]:
    items = json_feed.decode_feed(store.get(name_feed(name, "json")))
    assert len(items) == store.get(name_feed(name, "atom")).count(b"<entry>")
    return [(one.told.source, one.url) for one in items]


def test_its_entries_go_and_all_others_stay(store: Versions) -> None:
    put(store, "gazette", entry(SECRET), entry(OTHER, number=1), entry(SECRET, number=2))
    put(store, "all", entry(SECRET, "herald"), entry(SECRET, number=2), entry(OTHER, number=1))
    written, purged = withdraw(store)
    assert written == ["feeds/gazette.json", "feeds/gazette.atom", "feeds/all.json", "feeds/all.atom"]
    assert purged == []
    assert store.asked == [(key, True) for key in written], "older versions are purged, the newest stays"
    assert read(store, "gazette") == [("gazette", OTHER)]
    assert read(store, "all") == [("herald", SECRET), ("gazette", OTHER)]
    before = store.get("feeds/all.json")
    assert withdraw(store) == ([], [])
    assert store.get("feeds/all.json") == before


def test_a_feed_of_nothing_else_and_one_that_nobody_can_read_are_purged(store: Versions) -> None:
    put(store, "gazette", entry(SECRET))
    store.rewrite("feeds/all.json", b"\x00 no feed", media_type="text/plain")
    store.rewrite("feeds/all.atom", b"<feed>About the affair</feed>", media_type="text/plain")
    written, purged = withdraw(store)
    assert written == []
    assert purged == ["feeds/gazette.json", "feeds/gazette.atom", "feeds/all.json", "feeds/all.atom"]
    assert list(store.list("feeds/")) == []


def test_where_there_are_no_feeds_only_older_versions_are_looked_for(store: Versions) -> None:
    assert withdraw(store) == ([], [])
    assert [key for key, _ in store.asked] == [
        f"feeds/{name}.{end}" for name in ("gazette", "all") for end in ("json", "atom")
    ]
    assert not any(keep for _, keep in store.asked)

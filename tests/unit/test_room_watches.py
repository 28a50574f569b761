"""Watches as feeds: what is in them, that feed readers take them, and that their ids stay."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import feedparser
import pytest
from pydantic import ValidationError

from config.settings import Settings
from jobs.changes import ChangeLister
from jobs.feeds.writing import MAX_FEED_BYTES
from jobs.room import addresses
from jobs.room.endpoints import BadRequest, NotThere
from jobs.room.views.watches import ENDPOINTS, MAX_HITS, WatchAsked, view_atom, view_json
from jobs.search.index import SearchIndex
from jobs.search.queries import QueryError
from tests.feeds import check_atom, check_json_feed
from tests.machines import SOURCE, START, Look, Machine
from tests.rooms import BASE, lay_desk

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from jobs.archive.identity import ArchiveInfo
    from jobs.store.memory import MemoryStore
    from tests.unit.conftest import MakeCatalog

HOSTILE = "<script>alert(1)</script> \u202e]]> & \x07\ufffe"
TAX, BRIDGE = Look("tax").url, Look("bridge").url


class Watched:
    """A desk with an index, over an archive that more is committed to."""

    def __init__(self, machine: Machine, index: SearchIndex, info: ArchiveInfo, state: Path) -> None:
        self.machine = machine
        self.index = index
        self.desk = lay_desk(machine.catalog, index, machine.store, info, state, START, base=BASE)
        self.numbers = iter(range(1, 10_000))

    def commit(self, *looks: Look) -> None:
        self.machine.commit(looks, number=next(self.numbers))
        self.index.fold(self.machine.catalog, self.desk.info.archive)

    def read_json(self, **asked: Any) -> dict[str, Any]:
        document = view_json(self.desk, WatchAsked(**asked))
        assert document.media_type == "application/feed+json"
        found: dict[str, Any] = check_json_feed(document.body)
        return found

    def read_atom(self, **asked: Any) -> Any:
        document = view_atom(self.desk, WatchAsked(**asked))
        assert document.media_type == "application/atom+xml"
        check_atom(document.body)
        return feedparser.parse(document.body)

    def list_titles(self, **asked: Any) -> list[str]:
        titles = [item["title"] for item in self.read_json(**asked)["items"]]
        assert [entry.title for entry in self.read_atom(**asked).entries] == titles
        return titles


@pytest.fixture
def watched(store: MemoryStore, info: ArchiveInfo, catalogs: MakeCatalog, tmp_path: Path) -> Iterator[Watched]:
    with SearchIndex.open(tmp_path / "search.sqlite") as index:
        found = Watched(Machine(store, info, catalogs("room")), index, info, tmp_path)
        found.commit(Look("tax", "The tax will rise by two."), Look("bridge", "The bridge is open."))
        found.commit(Look("tax", "The tax will rise by three."))
        found.commit(Look("bridge", None, status=404))
        yield found


def test_what_happened_is_told_the_newest_first(watched: Watched) -> None:
    assert watched.list_titles() == [
        "Perhaps gone: The bridge is open.",
        "Revised: The tax will rise by three.",
        "New: The bridge is open.",
        "New: The tax will rise by two.",
    ]
    assert watched.list_titles(what=("revised",)) == ["Revised: The tax will rise by three."]
    assert watched.list_titles(source=("other",)) == []
    assert watched.list_titles(since="2026-11-22T13:15:00Z") == ["Perhaps gone: The bridge is open."]


def test_an_article_is_watched_by_its_url(watched: Watched) -> None:
    assert watched.list_titles(source=(SOURCE,), url=TAX) == [
        "Revised: The tax will rise by three.",
        "New: The tax will rise by two.",
    ]
    found = watched.read_json(source=(SOURCE,), url=TAX)
    assert found["title"] == "ofrecord: The tax will rise by three."
    assert found["home_page_url"] == f"{BASE}{addresses.article(SOURCE, TAX)}"
    for asked in ({"url": TAX, "source": ("other",)}, {"url": "https://gazette.example/never"}):
        with pytest.raises(NotThere, match="no such article"):
            watched.read_json(**asked)


def test_a_search_is_watched_for_new_texts(watched: Watched) -> None:
    assert watched.list_titles(words="rise") == [
        "Revised: The tax will rise by three.",
        "New: The tax will rise by two.",
    ]
    assert watched.list_titles(words="rise -three") == ["New: The tax will rise by two."]
    watched.commit(Look("rain", "Prices rise with the rain."))
    assert watched.list_titles(words="rise")[0] == "New: Prices rise with the rain."
    assert watched.list_titles(texts=True, source=("other",)) == []
    assert len(watched.list_titles(texts=True)) == 4
    assert watched.list_titles(deleted=True) == ["New: The bridge is open."]


def test_rare_words_are_told_by_date_too(watched: Watched) -> None:
    """A search by itself would put first the text that has the word in its title, and most often."""
    watched.commit(Look("rare", "Ermine, ermine, ermine"))
    watched.commit(*(Look(f"filler-{number}", f"Nothing of that kind in number {number}.") for number in range(100)))
    watched.commit(Look("later", "A long line that comes first and says nothing of it at all.\nAnd then an ermine."))
    assert [title.partition(" ")[2][:6] for title in watched.list_titles(words="ermine")] == ["A long", "Ermine"]


def test_entries_lead_into_the_room_and_to_the_publisher(watched: Watched) -> None:
    revised, new = watched.read_json(url=TAX)["items"]
    assert revised["url"] == f"{BASE}{addresses.compare(SOURCE, TAX, 1, 2)}"
    assert (new["url"], new["external_url"]) == (f"{BASE}{addresses.article(SOURCE, TAX)}", TAX)
    links = {link.rel: link.href for link in watched.read_atom(url=TAX).entries[0].links}
    assert links == {"alternate": revised["url"], "related": TAX}
    (hit,) = watched.read_json(words="bridge")["items"]
    assert hit["url"].startswith(f"{BASE}{addresses.article(SOURCE, BRIDGE)}&digest=sha256")
    assert "as all see it" in hit["content_html"]  # what the text says beside its title


def test_a_feed_says_where_it_is(watched: Watched) -> None:
    asked: dict[str, Any] = {"source": (SOURCE,), "what": ("gone", "revised"), "silent": False}
    path = addresses.watch("atom", source=[SOURCE], what=["gone", "revised"])
    feed = watched.read_atom(**asked).feed
    links = {link.rel: link.href for link in feed.links}
    assert links["self"] == f"{BASE}{path}"
    assert links["alternate"] == f"{BASE}{addresses.front(source=[SOURCE], what=['gone', 'revised'])}"
    found = watched.read_json(**asked)
    assert found["version"] == "https://jsonfeed.org/version/1.1"
    assert found["feed_url"] == f"{BASE}{path.replace('.atom', '.json')}"
    assert found["title"] == "ofrecord: what happened to articles · gazette · gone, revised"


def test_ids_stay_and_are_those_of_the_feeds_in_the_archive(watched: Watched, tmp_path: Path) -> None:
    before = {item["id"]: item["title"] for item in watched.read_json()["items"]}
    changes = ChangeLister(watched.machine.catalog).list_newest([SOURCE], 10)
    ids = {change.make_id(watched.desk.info.archive) for change in changes}
    assert len(ids) == 2
    assert ids < before.keys()
    feed_id = watched.read_atom(words="rise").feed.id
    hits = [item["id"] for item in watched.read_json(words="rise")["items"]]
    assert hits == [entry.id for entry in watched.read_atom(words="rise").entries]
    assert hits == [
        item["id"] for item in watched.read_json(texts=True, url="", language="")["items"] if "rise" in item["title"]
    ]
    watched.commit(Look("rain", "It rains."))
    after = {item["id"]: item["title"] for item in watched.read_json()["items"]}
    assert before.items() < after.items()
    assert watched.read_atom(words="rise").feed.id == feed_id != watched.read_atom(words="rain").feed.id
    with SearchIndex.open(tmp_path / "anew.sqlite") as index:
        watched.index = index
        index.fold(watched.machine.catalog, watched.desk.info.archive)
        assert {item["id"]: item["title"] for item in watched.read_json()["items"]} == after


def test_a_feed_without_entries_is_one(watched: Watched) -> None:
    found = watched.read_atom(words="nowhere")
    assert found.entries == []
    assert found.feed.updated.startswith(START.isoformat()[:19])
    assert watched.read_json(words="nowhere")["items"] == []


def test_nothing_of_a_page_is_markup(watched: Watched) -> None:
    watched.commit(Look("hostile", f"{HOSTILE} was said."))
    watched.commit(Look("hostile", f"{HOSTILE} was not said."))
    for asked in ({"url": Look("hostile").url}, {"words": "said"}):
        body = view_atom(watched.desk, WatchAsked(**asked)).body.decode()
        found = watched.read_atom(**asked)
        assert len(found.entries) == 2
        for entry in found.entries:
            assert "<script" not in entry.content[0].value
        for text in (body, view_json(watched.desk, WatchAsked(**asked)).body.decode()):
            assert not {"\u202e", "\x07", "\ufffe"} & set(text)
        assert "<script" not in "".join(item["content_html"] for item in watched.read_json(**asked)["items"])
    title = watched.read_atom(words=f'"{HOSTILE}"').feed.title
    assert "\u202e" not in title


def test_feeds_are_bounded(watched: Watched) -> None:
    watched.commit(*(Look(f"many/{number}", f"The {'tax ' * 400}{number}") for number in range(150)))
    assert len(watched.read_json(words="tax")["items"]) == MAX_HITS
    assert len(watched.read_json()["items"]) == watched.desk.settings.feed_entries
    watched.commit(*(Look(f"far/{number}/{'x' * 3_500}", "Far") for number in range(150)))
    desk = replace(watched.desk, settings=Settings(feed_entries=200))
    for view in (view_atom, view_json):
        assert MAX_FEED_BYTES * 0.9 < len(view(desk, WatchAsked()).body) < MAX_FEED_BYTES


def test_what_makes_no_sense_is_refused(watched: Watched) -> None:
    for asked in ({"what": ("eaten",)}, {"kind": ("eaten",)}, {"kind": ("eaten",), "words": "tax"}):
        with pytest.raises(BadRequest, match="eaten"):
            watched.read_json(**asked)
    with pytest.raises(QueryError):
        watched.read_json(words='"not closed')
    with pytest.raises(ValidationError):
        WatchAsked(url="x" * 5_000)


def test_both_forms_have_a_path() -> None:
    assert [one.path for one in ENDPOINTS] == [addresses.watch("atom"), addresses.watch("json")]

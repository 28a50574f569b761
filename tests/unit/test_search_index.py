"""The index finds every text of every article, and what happened to them, as the catalog has it now."""

from __future__ import annotations

import sqlite3
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from config.errors import CatalogDamaged
from jobs.search import Event, EventFilter, Hits, Order, Query, QueryError
from jobs.search import folding as folding_module
from jobs.search.finding import MAX_COUNTED
from jobs.search.index import INDEX_FILE, SearchIndex
from jobs.search.schema import VERSION
from tests.machines import SOURCE, START, Look, Machine

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from jobs.archive.identity import ArchiveInfo
    from jobs.catalog import Catalog
    from jobs.store.memory import MemoryStore

LONG = "Council votes on the bridge\nThe vote was close, and the river rose.\nNobody spoke against it."
EDITED = LONG.replace("Nobody spoke against it.", "Three members spoke against it.")


class Desk:
    """A log that grows, its catalog, and the index."""

    def __init__(self, store: MemoryStore, info: ArchiveInfo, catalog: Catalog, path: Path) -> None:
        self.catalog = catalog
        self.path = path
        self.archive = info.archive
        self._store, self._info = store, info
        self._machines: dict[str, Machine] = {}
        self._commits = 0

    def commit(self, *looks: Look, source: str = SOURCE) -> None:
        machine = self._machines.setdefault(
            source, Machine(self._store, self._info, self.catalog, sums_up=False, source=source)
        )
        machine.commit(looks, number=self._commits)
        self._commits += 1

    @contextmanager
    def open(self) -> Iterator[SearchIndex]:
        with SearchIndex.open(self.path) as index:
            yield index

    def fold(self) -> int:
        with self.open() as index:
            return index.fold(self.catalog, self.archive)

    def search(self, words: str = "", *, limit: int = 20, after: str | None = None, **filters: Any) -> Hits:
        with SearchIndex.open(self.path, read_only=True) as index:
            return index.search(Query(words, **filters), self.catalog, limit=limit, after=after)

    def find(self, words: str = "", **filters: Any) -> list[tuple[str, int]]:
        return [(hit.url.rpartition("/")[2], hit.number) for hit in self.search(words, **filters).hits]

    def list_events(self, **filters: Any) -> list[Event]:
        with SearchIndex.open(self.path, read_only=True) as index:
            return list(index.list_events(EventFilter(**filters)).events)

    def dump(self) -> list[tuple[Any, ...]]:
        """Return all that is in the index, whatever its rows are called."""
        with closing(sqlite3.connect(self.path)) as db:
            db.execute("CREATE VIRTUAL TABLE temp.places USING fts5vocab (main, words, instance)")
            texts = (
                "SELECT a.source, a.url, a.state, a.latest, d.* FROM documents d JOIN articles a ON a.id = d.article"
            )
            found = {row[4]: (*row[:4], *row[6:]) for row in db.execute(texts)}
            words = [
                (*found.get(doc, ("dead",)), term, column, offset)
                for term, doc, column, offset in db.execute("SELECT term, doc, col, offset FROM places")
            ]
            events = db.execute(
                "SELECT e.source, a.url, what, at, kinds, silent, backdated, title, before, after, evidence, target,"
                " run, segment, n, item FROM events e JOIN articles a ON a.id = e.article"
            ).fetchall()
            return sorted(map(str, [*found.values(), *words, *events]))  # type: ignore[arg-type]


@pytest.fixture
def desk(store: MemoryStore, info: ArchiveInfo, catalogs: Callable[[str], Catalog], tmp_path: Path) -> Desk:
    return Desk(store, info, catalogs("catalog"), tmp_path / "search.sqlite")


def field(value: object) -> dict[str, Any]:
    return {"value": value, "from": "meta", "confidence": 0.9}


def test_every_text_of_every_article_is_found_the_newest_first_where_nothing_ranks_them(desk: Desk) -> None:
    desk.commit(Look("a", LONG), Look("b", "Harbour reopens\nAll ships are back.", minutes=1))
    desk.commit(Look("a", EDITED))
    assert desk.fold() == 2
    assert desk.find() == [("a", 2), ("b", 1), ("a", 1)]
    assert desk.find("nobody") == [("a", 1)]
    assert desk.find("three members") == [("a", 2)]
    assert sorted(desk.find("vote close")) == [("a", 1), ("a", 2)]
    assert desk.find('"close vote"') == []
    assert sorted(desk.find('"vote was close"')) == [("a", 1), ("a", 2)]
    assert desk.find("ship*") == desk.find("harbour -vote") == [("b", 1)]
    assert desk.find("-vote") == [("b", 1)]
    assert desk.find("title:reopens") == [("b", 1)]
    assert desk.find("title:ships") == []
    hit = desk.search("members").hits[0]
    assert (hit.number, hit.latest, hit.state, hit.silent) == (2, 2, "live", False)
    assert "wording" in hit.kinds
    assert "".join(run.text for run in hit.title) == "Council votes on the bridge"


def test_what_was_folded_bit_by_bit_is_what_is_folded_at_once(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folding_module, "BATCH", 2)
    for step in (
        [Look("a", LONG), Look("b", "Harbour"), Look("c", "Market day")],
        [Look("a", EDITED), Look("b", None, 404)],
        [Look("b", None, 404), Look("d", "New", fields={"language": field("en"), "authors": field(["Ana Mora"])})],
        [Look("b", "Harbour"), Look("a", LONG), Look("c", "Market day, revised", minutes=-500)],
        [Look("c", None, 410)],
    ):
        desk.commit(*step)
        desk.fold()
    assert desk.fold() == 0
    grown = desk.dump()
    assert not any("dead" in row for row in grown)
    desk.path.unlink()
    assert desk.fold() == 4
    assert desk.dump() == grown


def test_a_fold_that_was_killed_goes_on_where_it_was(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.commit(*(Look(f"p{number}", f"Text {number}\nbody") for number in range(7)))
    monkeypatch.setattr(folding_module, "BATCH", 2)

    class KilledError(Exception):
        pass

    def kill(number: int) -> None:
        if number >= 4:
            raise KilledError

    with desk.open() as index, pytest.raises(KilledError):
        index.fold(desk.catalog, desk.archive, tell=kill)
    assert len(desk.find("body")) == 4
    assert desk.fold() == 3
    assert len(desk.find("body")) == 7


def test_texts_are_chosen_by_what_is_known_of_them(desk: Desk) -> None:
    stated = {"language": field("en-GB"), "section": field("Arts & Culture"), "authors": field(["Ana Mora", "Bo Li"])}
    desk.commit(Look("a", "One text", fields=stated), Look("b", "One text", fields={"language": field("eng")}))
    desk.commit(Look("a", "One text more", fields=stated))
    desk.commit(Look("c", "One text elsewhere"), source="courier")
    desk.fold()
    assert desk.find(language="en") == desk.find(language="EN-gb") == [("a", 2), ("a", 1)]
    assert desk.find(language="en-US") == desk.find(language="e") == []
    assert desk.find(section="arts culture") == [("a", 2), ("a", 1)]
    assert desk.find(author="bo li", language="en") == [("a", 2), ("a", 1)]
    assert desk.find(sources=("courier",)) == [("c", 1)]
    assert len(desk.find("one", sources=("courier", SOURCE))) == 4
    assert desk.find(kinds=("headline",)) == [("a", 2)]
    assert desk.find(kinds=("headline", "typo"), section="Sport") == []
    first, second = (hit.captured_at for hit in reversed(desk.search(section="arts culture").hits))
    assert desk.find(since=second, language="en") == [("a", 2)]
    assert desk.find(until=first, language="en") == [("a", 1)]
    assert desk.find(until=first - timedelta(days=1)) == []


def test_what_is_gone_is_found_as_gone_and_what_is_back_is_not(desk: Desk) -> None:
    desk.commit(Look("a", LONG))
    desk.commit(Look("a", None, 404))
    desk.fold()
    assert desk.find(deleted=True) == [("a", 1)]
    assert desk.search("vote", deleted=True).hits[0].state == "suspected"
    desk.commit(Look("a", None, 404))
    desk.fold()
    assert desk.search("vote", deleted=True).hits[0].state == "gone"
    desk.commit(Look("a", LONG))
    desk.fold()
    assert desk.find(deleted=True) == []
    assert desk.find("vote") == [("a", 1)]


def test_common_words_are_ordered_by_date_and_rare_ones_by_rank(desk: Desk) -> None:
    desk.commit(*(Look(f"p{number}", f"Common {number}\nbody of {number}", minutes=number) for number in range(30)))
    desk.commit(Look("q", "Rare\nbody"), Look("r", "Other\nbody with a rare word in a longer text"))
    desk.fold()
    assert desk.search("rare").order is Order.RELEVANCE
    assert desk.find("rare") == [("q", 1), ("r", 1)]
    found = desk.search("common")
    assert (found.order, found.total, found.exact) == (Order.DATE, 30, True)
    assert [hit.url[-3:] for hit in found.hits[:2]] == ["p29", "p28"]


@pytest.mark.parametrize("words", ["body", "rare", ""])
def test_pages_follow_one_another_without_a_gap(desk: Desk, words: str) -> None:
    desk.commit(*(Look(f"p{number}", f"Number {number}\nbody {'rare' if number % 2 else ''}") for number in range(24)))
    desk.fold()
    whole = desk.find(words, limit=50)
    pages, after = [], None
    while True:
        page = desk.search(words, limit=5, after=after)
        pages += [hit.url.rpartition("/")[2] for hit in page.hits]
        after = page.after
        if after is None:
            break
    assert pages == [url for url, _ in whole]
    assert len(set(pages)) == len(pages) == page.total


def test_a_page_that_no_page_names_is_refused(desk: Desk) -> None:
    desk.commit(Look("a", "rare"))
    desk.fold()
    for after in ("x", "-1", "9" * 19, str(MAX_COUNTED + 1), "²"):
        with pytest.raises(QueryError, match="after: found"):
            desk.search("rare", after=after)


def test_texts_of_one_instant_all_have_a_row(desk: Desk) -> None:
    number = 100
    desk.commit(*(Look(f"p{at}", f"Text {at}") for at in range(number)))
    desk.fold()
    with desk.open() as index:
        assert index.count_texts() == number
    assert desk.search("text").total == number


def test_what_happened_is_told_the_newest_first(desk: Desk) -> None:
    desk.commit(Look("a", LONG), Look("b", "Harbour"))
    desk.commit(Look("a", EDITED))
    desk.commit(Look("b", None, 404))
    desk.commit(Look("b", None, 404), Look("c", "Courier"), source=SOURCE)
    desk.fold()
    told = [(event.what, event.url[-1]) for event in desk.list_events()]
    assert told == [("new", "c"), ("gone", "b"), ("suspected", "b"), ("revised", "a"), ("new", "b"), ("new", "a")]
    assert [event.what for event in desk.list_events(whats=("gone", "new"))] == ["new", "gone", "new", "new"]
    assert [event.what for event in desk.list_events(url="https://gazette.example/a")] == ["revised", "new"]
    (edit,) = desk.list_events(kinds=("number", "wording", "negation"))
    assert (edit.before, edit.after, edit.url[-1]) == (1, 2, "a")
    assert edit.item is not None
    assert edit.item.told.words
    assert desk.list_events(kinds=("caption",)) == []
    assert desk.list_events(sources=("courier",)) == []
    assert desk.list_events(sources=(SOURCE,), whats=("gone",))[0].evidence == "404"
    assert desk.list_events(since=edit.at, until=edit.at) == [edit]
    new = desk.list_events(whats=("new",))
    assert all(event.item is not None and event.item.told.what == "new" for event in new)
    assert len({event.item.id for event in new if event.item}) == 3
    with pytest.raises(QueryError, match="what: found 'nonsense'"):
        desk.list_events(whats=("nonsense",))


@pytest.mark.parametrize("after", ["", "5", "5-", "x-1", "²-1", "1-1-1", f"{10**18}-1"])
def test_a_page_of_events_that_no_page_names_is_refused(desk: Desk, after: str) -> None:
    desk.fold()
    with desk.open() as index, pytest.raises(QueryError, match="after: found"):
        index.list_events(EventFilter(), after=after)


def test_events_of_many_sources_and_kinds_come_in_pages_without_a_gap(desk: Desk) -> None:
    for turn in range(4):
        for source in ("a", "b", "c"):
            desk.commit(*(Look(f"{n}", f"Text {n} {turn if n % 2 else ''}\nbody") for n in range(4)), source=source)
    desk.fold()
    everything = desk.list_events()
    assert {event.what for event in everything} == {"new", "revised"}
    for wanted in (
        EventFilter(),
        EventFilter(sources=("a", "c")),
        EventFilter(whats=("new", "revised", "gone"), sources=("a", "b", "c")),
        EventFilter(kinds=("headline", "number")),
        EventFilter(sources=("b",), kinds=("headline", "number"), whats=("revised",)),
        EventFilter(whats=("new",)),
        EventFilter(
            sources=tuple("abcdefghij"), whats=("new", "revised", "gone", "moved", "metadata", "reverted", "returned")
        ),
    ):
        expected = [
            event
            for event in everything
            if (not wanted.sources or event.source in wanted.sources)
            and (not wanted.whats or event.what in wanted.whats)
            and (not wanted.kinds or set(wanted.kinds) & set(event.kinds))
        ]
        assert expected
        found: list[Event] = []
        after: str | None = None
        with SearchIndex.open(desk.path, read_only=True) as index:
            while True:
                page = index.list_events(wanted, limit=5, after=after)
                found += page.events
                after = page.after
                if after is None:
                    break
        assert found == expected


def test_a_move_is_told_when_the_article_that_it_leads_to_is_there(desk: Desk) -> None:
    old, new = Look("old", LONG), Look("new", LONG, fields={"canonical_url": field("https://gazette.example/new")})
    desk.commit(old)
    desk.commit(Look("old", None, 301, redirect=new.url))
    desk.fold()
    assert [event.what for event in desk.list_events(url=old.url)] == ["new"]
    desk.commit(replace(new, minutes=5))
    desk.fold()
    (moved, _) = desk.list_events(url=old.url)
    assert (moved.what, moved.target) == ("moved", new.url)


@pytest.mark.parametrize("content", [b"", b"no database", b"SQLite format 3\x00" + bytes(5_000)])
def test_a_file_that_is_no_index_is_made_anew(desk: Desk, content: bytes) -> None:
    desk.commit(Look("a", LONG))
    desk.path.write_bytes(content)
    assert desk.fold() == 1
    assert desk.find("vote") == [("a", 1)]


def test_an_index_that_another_process_is_making_is_left_to_it(tmp_path: Path) -> None:
    path = tmp_path / INDEX_FILE
    with closing(sqlite3.connect(path)) as maker:
        maker.execute("PRAGMA journal_mode = WAL")  # so far it is: no table yet
        before = path.stat().st_ino
        with SearchIndex.open(path) as index:
            assert path.stat().st_ino == before
            assert index.count_texts() == 0


def test_an_index_of_another_version_is_made_anew(desk: Desk) -> None:
    desk.commit(Look("a", LONG))
    desk.fold()
    with closing(sqlite3.connect(desk.path)) as db, db:
        db.execute("UPDATE facts SET value = ? WHERE name = 'version'", (VERSION + " x",))
    assert desk.fold() == 1
    assert desk.find("vote") == [("a", 1)]


def test_an_index_that_is_damaged_inside_is_taken_away(desk: Desk) -> None:
    desk.commit(*(Look(f"p{number}", f"Text {number}\n" + "many words " * 50) for number in range(300)))
    desk.fold()
    size = desk.path.stat().st_size
    with desk.path.open("r+b") as file:
        file.seek(8_192)
        file.write(b"\xff" * (size - 12_288))
    desk.commit(Look("a", LONG))
    with pytest.raises(CatalogDamaged, match="taken away"):
        desk.fold()
    assert desk.fold() == 301


def test_a_catalog_that_is_made_anew_is_waited_for(
    desk: Desk, catalogs: Callable[[str], Catalog], store: MemoryStore, info: ArchiveInfo
) -> None:
    desk.commit(Look("a", LONG))
    desk.commit(Look("b", "Harbour"))
    desk.fold()
    before = desk.dump()
    empty = catalogs("other")
    with desk.open() as index:
        assert index.fold(empty, desk.archive) == 0
    assert desk.dump() == before
    log = Machine(store, info, empty, sums_up=False).log
    empty.refresh(store, log)
    with desk.open() as index:
        assert index.fold(empty, desk.archive) == 0
    assert desk.dump() == before


def test_values_that_pages_state_are_offered_by_how_many_texts_state_them(desk: Desk) -> None:
    looks = [Look(f"p{n}", f"Text {n}", fields={"section": field("World" if n else "Local")}) for n in range(3)]
    desk.commit(*looks)
    desk.fold()
    with desk.open() as index:
        assert index.list_values("section") == ("Local", "World")
        assert index.list_values("section", 1) == ("World",)
        assert index.count_heads() == {SOURCE: 1}


def test_times_before_1970_and_after_all_ages_are_bounds_like_others(desk: Desk) -> None:
    desk.commit(Look("a", LONG))
    desk.fold()
    long_ago = START.replace(year=1)
    assert desk.find(since=long_ago, until=START.replace(year=9999)) == [("a", 1)]
    assert desk.find(until=long_ago) == []
    assert desk.list_events(since=long_ago, until=START.replace(year=9999))


def test_a_text_that_better_rules_read_is_found_as_they_read_it(desk: Desk) -> None:
    desk.commit(Look("a", "*Council votes"))
    desk.fold()
    assert desk.find('"as a see it"') == [("a", 1)]
    desk.commit(Look("a", "*Council votes", derivation="b", also=("a",)))
    assert desk.fold() == 1
    assert desk.find('"as b see it"') == [("a", 1)]
    assert desk.find('"as a see it"') == []

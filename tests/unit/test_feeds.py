"""Change feeds: what stands in them, that any reader can read them, whatever pages say and whatever lies there."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree  # type: ignore[import-untyped]

from config.errors import StoreRefused, StoreUnavailable
from config.settings import Settings
from jobs.changes import Change, ChangeLister, EditSummary, TextSeen, What
from jobs.checkpoint.restoring import refresh_catalog
from jobs.feeds import FeedsReport, atom, json_feed, write_feeds, writing
from jobs.feeds.items import FeedItem, make_item
from tests.feeds import ATOM, check_atom, check_json_feed
from tests.machines import SOURCE, START, CountingStore, Look, Machine

if TYPE_CHECKING:
    from jobs.archive.identity import ArchiveInfo
    from jobs.catalog import Catalog
    from jobs.store import ObjectStore
    from jobs.store.memory import MemoryStore
    from tests.unit.conftest import MakeCatalog

NOW = START + timedelta(days=1)
ARCHIVE = "0123456789abcdef" * 2
HOSTILE = [
    "]]><script>alert(1)</script>",
    "\x00\x07\x1b[31m\x85\ufffe\uffff",
    "\u202egnp.exe\u2066 ",
    "\ud800 half \udfff",
    "<b>&amp;&lt;</b> \"'",
    "&#x0; <!-- --> <?x ?>",
    "x" * 100_000,
    "e\u0301" * 5_000 + "\u200f",
]


def write(
    catalog: Catalog, store: ObjectStore, info: ArchiveInfo, *, after: int = 0, source: str = SOURCE, **settings: Any
) -> FeedsReport:
    return write_feeds(catalog, store, info.archive, Settings(**settings), source, after=after, now=NOW)


def read_json(store: ObjectStore, name: str = SOURCE) -> Any:
    return json.loads(store.get(f"feeds/{name}.json"))


def list_ids(store: ObjectStore, name: str = SOURCE) -> list[str]:
    return [item["id"] for item in read_json(store, name)["items"]]


@pytest.fixture
def machine(store: MemoryStore, info: ArchiveInfo, catalogs: MakeCatalog) -> Machine:
    return Machine(store, info, catalogs("first"))


def commit_edits(machine: Machine, count: int = 2) -> None:
    """Commit an article, its deletion, and another that is edited *count* times."""
    machine.commit([Look("a", "Three people saw it."), Look("b", "one")], number=1)
    for number in range(2, 2 + count):
        machine.commit([Look("a", f"{number} people saw it."), Look("b", None, 404)], number=number)


def test_a_feed_tells_the_newest_changes(machine: Machine, store: MemoryStore, info: ArchiveInfo) -> None:
    commit_edits(machine)
    report = write(machine.catalog, store, info, feed_base_url="https://news.example/archive/")
    assert report.problems == []
    assert report.written == [f"feeds/{name}.{form}" for name in (SOURCE, "all") for form in ("json", "atom")]
    feed = check_json_feed(store.get(f"feeds/{SOURCE}.json"))
    assert feed["feed_url"] == f"https://news.example/archive/feeds/{SOURCE}.json"
    told = [(item["tags"][0], item["url"][-1]) for item in feed["items"]]
    assert sorted(told) == [("gone", "b"), ("revised", "a"), ("revised", "a"), ("suspected", "b")]
    newest = next(item for item in feed["items"] if item["tags"][0] == "revised")
    assert newest["title"] == "Revised: 3 people saw it."
    assert newest["summary"].startswith("revised: text 2 → text 3 · ")
    assert "<del>2</del><ins>3</ins>" in newest["content_html"]
    root = check_atom(store.get("feeds/all.atom"))
    assert [one.findtext(f"{ATOM}id") for one in root.iter(f"{ATOM}entry")] == list_ids(store, "all")
    (link,) = root.findall(f"{ATOM}link")
    assert (link.get("rel"), link.get("href")) == ("self", "https://news.example/archive/feeds/all.atom")
    assert root.findtext(f"{ATOM}updated") == feed["items"][0]["date_modified"]


def test_silent_edits_are_marked(machine: Machine, store: MemoryStore, info: ArchiveInfo) -> None:
    fields = {"modified": {"value": "2026-11-22T08:00:00+00:00", "from": "json-ld"}}
    machine.commit([Look("a", "Three people saw it.", fields=fields)], number=1)
    machine.commit([Look("a", "Five people saw it.", fields=fields)], number=2)
    write(machine.catalog, store, info)
    (item,) = read_json(store)["items"]
    assert item["title"].startswith("Revised silently: ")
    assert "silent" in item["tags"]
    assert item["_ofrecord"]["silent"] is True
    entry = check_atom(store.get("feeds/all.atom")).find(f"{ATOM}entry")
    assert entry is not None
    assert "silent" in [one.get("term") for one in entry.findall(f"{ATOM}category")]


def test_a_quiet_run_asks_the_store_nothing(machine: Machine, store: MemoryStore, info: ArchiveInfo) -> None:
    commit_edits(machine)
    counting = CountingStore(store)
    assert write(machine.catalog, counting, info, after=machine.catalog.head(SOURCE)[0]) == FeedsReport()
    machine.commit([Look("a", "3 people saw it."), Look("new", "new")], number=9)
    assert write(machine.catalog, counting, info, after=machine.catalog.head(SOURCE)[0] - 1) == FeedsReport()
    assert write(machine.catalog, counting, info, feeds=False) == FeedsReport()
    assert counting.asked == []


def test_a_run_with_changes_puts_four_objects(machine: Machine, store: MemoryStore, info: ArchiveInfo) -> None:
    commit_edits(machine)
    counting = CountingStore(store)
    write(machine.catalog, counting, info)
    puts = [one for one in counting.asked if one.startswith("PUT")]
    assert puts == [f"PUT feeds/{name}.{form}" for name in (SOURCE, "all") for form in ("json", "atom")]
    assert len(counting.asked) == 5  # and what stands in the feed of all


def test_the_same_facts_write_the_same_feeds(machine: Machine, store: MemoryStore, info: ArchiveInfo) -> None:
    commit_edits(machine)
    write(machine.catalog, store, info)
    first = {one.key: store.get(one.key) for one in store.list("feeds/")}
    report = write(machine.catalog, store, info)
    assert report.written == [f"feeds/{SOURCE}.json", f"feeds/{SOURCE}.atom"]  # that of all is as it would be
    assert {one.key: store.get(one.key) for one in store.list("feeds/")} == first


def test_the_feed_of_all_keeps_what_other_sources_tell(machine: Machine, store: MemoryStore, info: ArchiveInfo) -> None:
    commit_edits(machine)
    other = make_item(make_change(source="herald", at=NOW - timedelta(hours=1)), None, headline="Ours", archive=ARCHIVE)
    stale = make_item(make_change(source=SOURCE, at=NOW - timedelta(hours=2)), None, headline="Was", archive=ARCHIVE)
    assert other is not None
    assert stale is not None
    items = [json_feed.encode_item(one) for one in (other, stale)]
    store.rewrite("feeds/all.json", json_feed.encode_feed("all", items, feed_url=None), media_type="x")
    write(machine.catalog, store, info)
    assert list_ids(store, "all") == [other.id, *list_ids(store)]
    write(machine.catalog, store, info, feed_entries=3)
    assert list_ids(store, "all") == [other.id, *list_ids(store)[:2]]
    assert len(list_ids(store)) == 3


def test_an_entry_from_far_ahead_does_not_stay_on_top(machine: Machine, store: MemoryStore, info: ArchiveInfo) -> None:
    commit_edits(machine)
    ahead = make_item(make_change(source="herald", at=NOW + timedelta(days=900)), None, headline="x", archive=ARCHIVE)
    assert ahead is not None
    data = json_feed.encode_feed("all", [json_feed.encode_item(ahead)], feed_url=None)
    store.rewrite("feeds/all.json", data, media_type="x")
    write(machine.catalog, store, info)
    assert list_ids(store, "all") == list_ids(store)


@pytest.mark.parametrize(
    "left",
    [
        b"",
        b"\xff\xfe\x00",
        b"[" * 100_000,
        b'{"items": ' * 5_000,
        b'{"items": {"a": 1}}',
        b'{"items": [null, 1, "x", {}, {"id": "urn:uuid:1"}]}',
        b'{"items": [{"id": 1e999, "url": "javascript:alert(1)", "_ofrecord": {"source": "../../x", "what": "gone"}}]}',
        b'{"items": "' + b"x" * (3 * 1024**2) + b'"}',
        json.dumps({"items": [{"url": "\ud800"}]}).encode(),
    ],
    ids=lambda left: left[:12].decode("ascii", "replace"),
)
def test_what_lies_there_may_be_anything(machine: Machine, store: MemoryStore, info: ArchiveInfo, left: bytes) -> None:
    commit_edits(machine)
    for name in ("all", SOURCE):
        store.rewrite(f"feeds/{name}.json", left, media_type="x")
    assert write(machine.catalog, store, info).problems == []
    assert list_ids(store, "all") == list_ids(store)
    assert len(list_ids(store)) == 4


@pytest.mark.parametrize("words", HOSTILE, ids=lambda words: ascii(words[:8]))
def test_hostile_titles_and_words_break_no_reader(words: str) -> None:
    item = make_item(make_change(), make_summary(words), headline=words, archive=ARCHIVE)
    assert item is not None
    check_feeds(item)


@given(st.text(max_size=300), st.text(max_size=300))
def test_any_words_can_be_told_and_read_back(headline: str, words: str) -> None:
    item = make_item(make_change(), make_summary(words), headline=headline, archive=ARCHIVE)
    assert item is not None
    check_feeds(item)


def check_feeds(item: FeedItem) -> None:
    as_json = json_feed.encode_feed("t", [json_feed.encode_item(item)], feed_url=None)
    check_json_feed(as_json)
    assert json_feed.decode_feed(as_json) == [item]
    root = check_atom(
        atom.encode_feed(
            "t",
            "urn:x",
            "2026-11-22T12:00:00Z",
            [atom.encode_entry(item)],
            feed_url="https://a.example/",
            generator="g",
        )
    )
    (entry,) = root.findall(f"{ATOM}entry")
    shown = [entry.findtext(f"{ATOM}{name}") or "" for name in ("title", "summary", "content")]
    assert not set("".join(shown)) & set("\x00\x07\x1b\x85\u202e\u2066\ufffe\uffff")
    assert len("".join(shown)) < 10_000
    content = etree.HTML(f"<div>{shown[2]}</div>")  # no markup but ours
    assert {one.tag for one in content.iter(etree.Element)} <= {"html", "body", "div", "p", "ul", "li", "del", "ins"}


def test_an_address_that_no_feed_can_link_to_is_left_out() -> None:
    for url in ("ftp://gazette.example/1", "https://gazette.example/a b", "https://gazette.example/\n"):
        assert make_item(make_change(url=url), None, headline="x", archive=ARCHIVE) is None


def test_what_a_later_version_tells_stays(machine: Machine, store: MemoryStore, info: ArchiveInfo) -> None:
    commit_edits(machine)
    item = make_item(make_change(source="herald"), None, headline="x", archive=ARCHIVE)
    assert item is not None
    data = json.loads(json_feed.encode_item(item))
    data["_ofrecord"] |= {"what": "moved_away", "kinds": ["rewritten"], "more_to_come": {}}
    store.rewrite("feeds/all.json", json_feed.encode_feed("t", [json.dumps(data)], feed_url=None), media_type="x")
    write(machine.catalog, store, info)
    kept = next(one for one in read_json(store, "all")["items"] if one["id"] == item.id)
    assert kept["tags"] == ["moved_away", "rewritten"]
    check_atom(store.get("feeds/all.atom"))


def test_a_feed_has_at_most_so_many_bytes(
    machine: Machine, store: MemoryStore, info: ArchiveInfo, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit_edits(machine, count=12)
    write(machine.catalog, store, info)
    whole = list_ids(store)
    monkeypatch.setattr(writing, "MAX_FEED_BYTES", 4_096 + 6_000)
    write(machine.catalog, store, info)
    cut = list_ids(store)
    assert 0 < len(cut) < len(whole)
    assert cut == whole[: len(cut)]
    assert all(one.size_bytes <= 4_096 + 6_000 for one in store.list("feeds/"))


@pytest.mark.parametrize("error", [StoreRefused("no right to"), StoreUnavailable("no answer"), OSError(28, "full")])
def test_a_store_that_refuses_is_a_problem_and_no_failure(
    machine: Machine, store: MemoryStore, info: ArchiveInfo, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    commit_edits(machine)

    def refuse(*_: Any, **__: Any) -> None:
        raise error

    monkeypatch.setattr(store, "rewrite", refuse)
    report = write(machine.catalog, store, info)
    assert report.written == []
    (problem,) = report.problems
    assert "feeds" in problem
    assert str(error) in problem


def test_an_alternation_takes_the_place_of_the_edits_that_it_was(
    machine: Machine, store: MemoryStore, info: ArchiveInfo
) -> None:
    for number, words in enumerate("ABA"):
        machine.commit([Look("a", words)], number=number + 1)
    write(machine.catalog, store, info)
    before = list_ids(store)
    machine.commit([Look("a", "B")], number=4)
    write(machine.catalog, store, info)
    assert len(before) == 2
    assert list_ids(store) == list_ids(store, "all") == before[1:]
    (item,) = read_json(store)["items"]
    assert item["summary"].startswith("alternating between texts 1 and 2, 3 times since 2026-11-22 13:00Z")
    assert item["date_published"] < item["date_modified"]


class TestWithoutState:
    """A machine that has thin facts only, as a cloud job has."""

    @pytest.fixture
    def job(self, machine: Machine, info: ArchiveInfo, catalogs: MakeCatalog, store: MemoryStore) -> Machine:
        """One that comes after twelve commits and a feed, and commits two changes more."""
        commit_edits(machine, count=3)
        machine.commit([Look("b", "one"), Look("flips", "A")], number=5)
        machine.commit([Look("flips", "B")], number=6)
        machine.commit([Look("flips", "A")], number=7)
        write(machine.catalog, store, info)
        for number in range(8, 13):
            machine.commit([Look(f"other-{number}")], number=number)
        job = Machine(store, info, catalogs("job"))
        refresh_catalog(job.catalog, store, job.log, full=False)
        assert job.catalog.thin_until(SOURCE) > 0
        job.commit([Look("a", "Fifty people saw it."), Look("flips", "B")], number=13)
        return job

    def write_whole(self, machine: Machine, store: MemoryStore, info: ArchiveInfo) -> dict[str, bytes]:
        """Return the feeds that a machine with all facts writes."""
        refresh_catalog(machine.catalog, store, machine.log, full=True)
        write(machine.catalog, store, info)
        return {one.key: store.get(one.key) for one in store.list("feeds/")}

    def test_its_feed_is_that_of_a_machine_with_all_facts(
        self, machine: Machine, job: Machine, store: MemoryStore, info: ArchiveInfo
    ) -> None:
        report = write(job.catalog, store, info, after=12)
        assert len(report.written) == 4
        thin = {one.key: store.get(one.key) for one in store.list("feeds/")}
        told = [item["_ofrecord"] for item in read_json(store)["items"]]
        assert {one["what"] for one in told} == {"revised", "suspected", "gone", "returned", "alternating"}
        assert all(one["kinds"] for one in told if one["what"] in {"revised", "alternating"})
        assert thin == self.write_whole(machine, store, info)

    def test_a_feed_that_was_lost_comes_again_without_old_kinds(
        self, machine: Machine, job: Machine, store: MemoryStore, info: ArchiveInfo, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for one in list(store.list("feeds/")):
            store.delete(one.key)
        monkeypatch.setattr(writing, "MAX_FETCHES", 2)
        write(job.catalog, store, info, after=12)
        told = [item["_ofrecord"] for item in read_json(store)["items"]]
        assert sum(one["what"] == "revised" for one in told) == 4
        assert next(one for one in told if one["what"] == "revised")["kinds"]
        self.write_whole(machine, store, info)
        assert all(
            one["kinds"] for one in (item["_ofrecord"] for item in read_json(store)["items"]) if one["after"] == 4
        )


def make_change(*, source: str = SOURCE, url: str = "https://gazette.example/1", at: datetime = START) -> Change:
    seen = TextSeen(1, at, (("s", 1),)), TextSeen(2, at, (("s", 2),))
    return Change(source, url, What.REVISED, at, "run", ("s", 2), ("s", 2), at, *seen)


def make_summary(words: str) -> EditSummary:
    edit = {"kind": "wording", "place": "line 1", "before": words, "after": words}
    runs = [[("same", words), ("removed", words), ("added", words)], [("added", words)]]
    return EditSummary([edit], silent=True, backdated=True, digests=("a", "b"), words=runs, more=3)


def test_a_feed_has_what_is_listed(machine: Machine, store: MemoryStore, info: ArchiveInfo) -> None:
    commit_edits(machine)
    write(machine.catalog, store, info)
    told = [change.make_id(info.archive) for change in ChangeLister(machine.catalog).walk([SOURCE])]
    assert sorted(told) == sorted(list_ids(store))

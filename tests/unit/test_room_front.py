"""The front page: events in groups or by cursor, filters as addresses, sources at a glance; small in all."""

from __future__ import annotations

import re
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from html import escape
from typing import TYPE_CHECKING, Any

import pytest

from jobs.catalog import Catalog
from jobs.room import addresses
from jobs.room.app import make_app
from jobs.room.endpoints import BadRequest
from jobs.room.library import Library
from jobs.room.rendering import render_page
from jobs.room.static_files import find_static, link_static
from jobs.room.views.about import ENDPOINTS as ABOUT
from jobs.room.views.events import GROUPS, EventTold
from jobs.room.views.front import ENDPOINTS, MAX_GLANCES, OVERVIEW, EventGroup, FrontAsked, FrontTold, view_front
from jobs.search import ARTICLE_EVENTS
from jobs.search.index import SearchIndex
from tests.machines import SOURCE
from tests.newsdesks import Newsdesk, Seen
from tests.rooms import Client, lay_desk

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from jobs.archive.identity import ArchiveInfo
    from jobs.room.desk import Desk
    from jobs.store.memory import MemoryStore
    from tests.unit.conftest import MakeCatalog

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
DAY = timedelta(days=1)
PAGES = 60
MOST_BYTES = 60_000


@pytest.fixture
def desk(store: MemoryStore, info: ArchiveInfo, catalogs: MakeCatalog, tmp_path: Path) -> Iterator[Desk]:
    """Return one of an archive with a gazette that brought articles on two days, one of which went."""
    news = Newsdesk(store, info, catalogs("room"))
    news.run(NOON - 2 * DAY, [Seen(f"page-{number}") for number in range(PAGES)])
    news.run(NOON - DAY, [Seen("late", letters=2_000), *(Seen("page-0", "error", 404) for _ in range(1))])
    news.run(NOON, [Seen("page-0", "error", 404)])
    news.machine.catalog.tally_health(SOURCE, NOON)
    with ExitStack() as stack:
        index = stack.enter_context(SearchIndex.open(tmp_path / "search.sqlite"))
        index.fold(news.machine.catalog, info.archive)
        catalog = stack.enter_context(Catalog.open(tmp_path / "room.sqlite", read_only=True))
        yield lay_desk(catalog, index, store, info, tmp_path, NOON)


def show(desk: Desk, told: FrontTold) -> str:
    return render_page("front", told, desk=desk, page=ENDPOINTS[0], twin="/index.json").decode()


def test_the_last_of_each_group_are_shown(desk: Desk) -> None:
    told = view_front(desk, FrontAsked())
    groups = {group.key: group for group in told.groups}
    assert list(groups) == list(OVERVIEW)
    assert [event.what for event in groups["removed"].events] == ["gone", "suspected"]
    assert [event.url.rpartition("/")[2] for event in groups["new"].events[:2]] == ["late", "page-59"]
    assert len(groups["new"].events) == OVERVIEW["new"]
    assert groups["new"].after
    assert groups["changed"].events == ()
    assert told.last_capture is not None
    assert told.last_capture >= NOON
    page = show(desk, told)
    assert page.count('<li class="line') == OVERVIEW["new"] + 2
    assert 'class="badge bad">Taken down<' in page
    assert "404" in page


def test_pages_of_one_kind_end_where_all_were_shown(desk: Desk) -> None:
    asked, seen = FrontAsked(what=("new",)), []
    for _ in range(5):
        told = view_front(desk, asked)
        assert not told.overview
        seen += [event.url for event in told.groups[0].events]
        if told.groups[0].after is None:
            break
        assert f"after={told.groups[0].after}" in show(desk, told)
        asked = asked.model_copy(update={"after": told.groups[0].after})
    assert len(seen) == len(set(seen)) == PAGES + 1


@pytest.mark.parametrize(
    ("asked", "whats"),
    [
        ({"what": ["gone", "suspected"]}, ["gone", "suspected"]),
        ({"what": ["gone"], "since": "2026-11-20"}, ["gone"]),
        ({"what": ["gone"], "until": "2026-11-19"}, []),
        ({"what": ["suspected"], "until": "2026-11-19"}, ["suspected"]),
        ({"what": ["gone"], "source": [SOURCE]}, ["gone"]),
        ({"what": ["gone"], "source": ["courier"]}, []),
        ({"what": ["gone"], "source": [""], "kind": [""], "since": "", "until": ""}, ["gone"]),
        ({"silent": "true"}, []),
        ({"kind": ["typo"]}, []),
    ],
)
def test_what_is_asked_for_is_told(desk: Desk, asked: dict[str, Any], whats: list[str]) -> None:
    told = view_front(desk, FrontAsked.model_validate(asked))
    assert [event.what for event in told.groups[0].events] == whats
    assert ("Nothing of that kind" in show(desk, told)) == (not whats)


@pytest.mark.parametrize("asked", [{"what": ("deleted",)}, {"kind": ("new",)}, {"what": ("new",), "after": "x"}])
def test_what_makes_no_sense_is_said(desk: Desk, asked: dict[str, Any]) -> None:
    with pytest.raises(BadRequest, match=f"{list(asked)[-1]}: found"):
        view_front(desk, FrontAsked(**asked))


def test_groups_are_addresses_that_keep_what_is_asked_for(desk: Desk) -> None:
    told = view_front(desk, FrontAsked(source=(SOURCE,), what=("removed",), kind=("typo",), silent=True))
    assert told.groups[0].key == "removed"
    assert told.ways["changed"] == addresses.front(source=[SOURCE], what="changed", kind=["typo"], silent=True)
    assert told.ways["latest"] == addresses.front(source=[SOURCE])
    assert set(told.ways) == {"latest", *GROUPS}
    feed = addresses.watch("atom", source=[SOURCE], what=GROUPS["removed"], kind=["typo"], silent=True)
    assert escape(feed) in show(desk, told)


def test_groups_stand_for_their_events(desk: Desk) -> None:
    told = view_front(desk, FrontAsked(what=("removed", "new", "gone")))
    assert told.groups[0].what == (*GROUPS["removed"], "new")
    assert told.groups[0].key == ""
    assert told.groups[0].events[0].what == "gone"
    assert set(view_front(desk, FrontAsked(what=("all",))).groups[0].what) == set(ARTICLE_EVENTS)


def test_sources_are_told_at_a_glance(desk: Desk) -> None:
    (glance,) = view_front(desk, FrontAsked()).sources
    assert (glance.source, glance.state) == (SOURCE, "ok")
    assert glance.captures[-3:] == (PAGES, 2, 1)
    assert sum(glance.captures[:-3]) == 0
    assert glance.sparkline.label == f"Pages captured in 28 days: {PAGES + 3}, on one day {PAGES} at most"


def test_nothing_captured_yet_is_said(desk: Desk, catalogs: MakeCatalog, tmp_path: Path) -> None:
    catalogs("empty")
    with (
        Catalog.open(tmp_path / "empty.sqlite", read_only=True) as catalog,
        SearchIndex.open(tmp_path / "other.sqlite") as index,
    ):
        empty = replace(desk, catalog=catalog, index=index)
        assert "Nothing is captured yet" in show(empty, view_front(empty, FrontAsked()))


def make_full(told: FrontTold) -> FrontTold:
    """Return a front page as a busy archive has it: all groups full, of long titles and many changes."""
    title = "Le conseil municipal adopte le budget après une longue nuit de débats sur l’école"
    words = (("same", "… l’impôt augmentera de "), ("removed", "2"), ("added", "3"), ("same", " pour cent dès …"))
    event = EventTold(
        source="courrier-de-la-cote",
        source_name="Le Courrier de la Côte",
        url=f"https://www.courrier.example/politique/2026/11/20/{'budget-municipal-' * 4}123456.html",
        what="revised",
        at=NOON,
        title=title,
        language="fr",
        before=2,
        after=3,
        kinds=("wording", "number", "paragraph_removed"),
        silent=True,
        backdated=False,
        evidence=None,
        target=None,
        words=(words,) * 5,
        more=3,
        segment="",
        n=1,
    )
    glance = told.sources[0].model_copy(
        update={
            "name": event.source_name,
            "source": event.source,
            "reasons": ("no run for 9 hours, expected one an hour",),
            "state": "degraded",
            "captures": tuple(number * 37 % 101 for number in range(28)),
        }
    )
    plain = event.model_copy(update={"kinds": (), "silent": None, "words": (), "more": 0})
    events = {"changed": event, "removed": plain.model_copy(update={"evidence": "404"}), "new": plain}
    groups = tuple(
        EventGroup(key=key, what=GROUPS[key], events=(events[key],) * number, after="1-2")
        for key, number in OVERVIEW.items()
    )
    return told.model_copy(
        update={"groups": groups, "sources": (glance,) * MAX_GLANCES, "choices": (("courrier", "Le Courrier"),) * 40}
    )


def test_a_full_front_page_is_small_in_all(desk: Desk) -> None:
    page = show(desk, make_full(view_front(desk, FrontAsked())))
    linked = set(re.findall(r'(?:src|href)="/static/([^"#]+)', page))
    assert {name.split(".")[0] for name in linked} == {"room", "icons", "mark"}
    client = Client(make_app(Library(desk.store, desk.info, desk.settings, {}, desk.state)))
    sizes = [len(page.encode())]
    for name in linked:
        answer = client.get(f"/static/{name}", accept_encoding="gzip")
        assert answer.headers["Content-Encoding"] == "gzip"
        sizes.append(int(answer.headers["Content-Length"]))
    assert sum(sizes) <= MOST_BYTES, sizes


def test_pages_ask_nobody_else(desk: Desk) -> None:
    about = ABOUT[0]
    pages = [
        show(desk, view_front(desk, FrontAsked())),
        render_page("about", about.view(desk, about.asked()), desk=desk, page=about, twin="/about.json").decode(),
    ]
    for page in pages:
        assert not re.findall(r"<(?:img|script|link|iframe|use)\b[^>]*(?:src|href)=\"(?!/)", page)
        assert not re.search(r"<style|style=|<script>|\son\w+=", page)
    sheet = find_static(link_static("room.css").rpartition("/")[2])
    assert sheet is not None
    assert b"url(" not in sheet.body
    assert b"@import" not in sheet.body

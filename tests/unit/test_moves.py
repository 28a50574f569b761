"""Which articles moved, and that no page can say so of another."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from jobs.moves import MAX_HOPS, find_move, list_origins
from tests.machines import SOURCE, Look, Machine

if TYPE_CHECKING:
    from jobs.archive.identity import ArchiveInfo
    from jobs.catalog import Catalog
    from jobs.store.memory import MemoryStore
    from tests.unit.conftest import MakeCatalog

OLD, NEW, THIRD = (Look(path).url for path in ("old", "new", "third"))


def led(path: str, target: str | None, status: int | None = 301, **more: Any) -> Look:
    return Look(path, None, status=status, redirect=target, **more)


def at(path: str, words: str = "one", canonical: str | None = "", **more: Any) -> Look:
    """A page that names itself, or *canonical*."""
    named = Look(path).url if canonical == "" else canonical
    fields = {} if named is None else {"canonical_url": {"value": named, "from": "meta"}}
    return Look(path, words, fields=fields, **more)


@pytest.fixture
def machine(store: MemoryStore, info: ArchiveInfo, catalogs: MakeCatalog) -> Machine:
    return Machine(store, info, catalogs("whole"), sums_up=False)


def commit(machine: Machine, *runs: list[Look]) -> Catalog:
    for number, looks in enumerate(runs):
        machine.commit(looks, number=number)
    return machine.catalog


def moves(catalog: Catalog) -> dict[str, str]:
    """Return from where to where; both ways of asking say the same."""
    urls = [row["url"] for row in catalog.list_articles(SOURCE)]
    found = {url: target for url in urls if (target := find_move(catalog, SOURCE, url))}
    assert {(one, url) for url in urls for one in list_origins(catalog, SOURCE, url)} == set(found.items())
    return found


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_an_article_moves_by_redirect_to_its_text(machine: Machine, status: int) -> None:
    assert moves(commit(machine, [at("old")], [led("old", NEW, status), at("new", minutes=1)])) == {OLD: NEW}


def test_by_the_last_text_that_it_had(machine: Machine) -> None:
    runs = [at("old")], [at("old", "two")], [led("old", NEW), at("new", "two")]
    assert moves(commit(machine, *runs)) == {OLD: NEW}


def test_what_it_moved_to_may_be_edited_later(machine: Machine) -> None:
    assert moves(commit(machine, [at("old")], [led("old", NEW), at("new")], [at("new", "two")])) == {OLD: NEW}


def test_addresses_are_compared_in_normal_form(machine: Machine) -> None:
    target = f"{NEW}?utm_source=rss#top"
    runs = [at("old")], [led("old", target), at("new", canonical=f"{NEW}#top")]
    catalog = commit(machine, *runs)
    assert find_move(catalog, SOURCE, OLD) == NEW


def test_over_several_redirects(machine: Machine) -> None:
    runs = [at("old")], [led("old", THIRD), led("third", NEW), at("new")]
    assert moves(commit(machine, *runs)) == {OLD: NEW}


def test_failures_tell_nothing(machine: Machine) -> None:
    failures = [led("old", None, 503)], [led("old", None, None)], [led("old", None, 403, without="challenge")]
    runs = [at("old")], [led("old", NEW), at("new")], *failures
    assert moves(commit(machine, *runs)) == {OLD: NEW}


@pytest.mark.parametrize(
    "runs",
    [
        ([at("old")], [led("old", NEW), at("new", "other words")]),
        ([at("old")], [led("old", NEW), at("new", canonical=OLD)]),
        ([at("old")], [led("old", NEW), at("new", canonical=None)]),
        ([at("old")], [led("old", NEW), at("new", canonical="no URL")]),
        ([at("old")], [led("old", NEW)]),
        ([at("old")], [led("old", NEW), led("new", None, 404)]),
        ([at("old")], [led("old", "https://elsewhere.example/new"), at("new")]),
        ([at("old")], [led("old", OLD)]),
        ([at("old")], [led("old", THIRD), led("third", OLD)]),
        ([at("old")], [led("old", NEW), at("new")], [at("old")]),
        ([at("old")], [led("old", NEW), at("new")], [led("old", None, 404)]),
        ([at("old")], [led("old", "https://gazette.example/", without="soft-404"), at("")]),
        ([at("old", derivation="a")], [led("old", NEW), at("new", derivation="b")]),
        ([led("old", NEW), at("new")],),
    ],
    ids=[
        *("another text", "names the old one", "names nobody", "names what is no URL", "was not fetched"),
        *("is not there", "of another site", "to itself", "in a circle", "it is back", "it is gone", "home"),
        *("not to be compared", "had no text"),
    ],
)
def test_all_else_is_no_move(machine: Machine, runs: tuple[list[Look], ...]) -> None:
    assert moves(commit(machine, *runs)) == {}


def test_a_page_that_copies_another_and_leads_to_it_came_from_nowhere(machine: Machine) -> None:
    """Whoever writes a page of the site, but not that one, cannot make it a copy of theirs."""
    assert moves(commit(machine, [at("new")], [at("old")], [led("old", NEW), at("new")])) == {}


def test_redirects_without_end_are_left(machine: Machine) -> None:
    names = [f"hop-{number}" for number in range(MAX_HOPS + 1)]
    hops = [led(one, Look(other).url) for one, other in zip(["old", *names], [*names, "new"], strict=True)]
    assert moves(commit(machine, [at("old")], [*hops, at("new")])) == {}


def test_another_source_is_asked_nothing(machine: Machine) -> None:
    catalog = commit(machine, [at("old")], [led("old", NEW), at("new")])
    assert find_move(catalog, "herald", OLD) is None
    assert list_origins(catalog, "herald", NEW) == []

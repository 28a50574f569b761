"""What a page of the room asks of the index costs the same however large it is: counted, not timed."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

from jobs.archive.identity import create_archive
from jobs.catalog import Catalog
from jobs.search import EventFilter, Query
from jobs.search.index import SearchIndex
from jobs.store.memory import MemoryStore
from tests.machines import SOURCE, START, Look, Machine
from tests.meters import Meter

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

SIZES = 150, 1_500
_SMALL = r"marks\b|m\b|j\b|json_each\b|CONSTANT|[wf] VIRTUAL|words VIRTUAL|\(subquery"
"""Marks: one for each source. `w`, `f`: the words, by their own index."""
ASKED: dict[str, Callable[[SearchIndex, Catalog], object]] = {
    "events": lambda index, _: index.list_events(EventFilter()),
    "of a source": lambda index, _: index.list_events(EventFilter(sources=(SOURCE,))),
    "of a kind of event": lambda index, _: index.list_events(EventFilter(whats=("revised", "gone"))),
    "of both": lambda index, _: index.list_events(EventFilter(sources=(SOURCE, "other"), whats=("new", "gone"))),
    "of an article": lambda index, _: index.list_events(EventFilter(url="https://gazette.example/7")),
    "of a kind of edit": lambda index, _: index.list_events(EventFilter(kinds=("number",))),
    "silent": lambda index, _: index.list_events(EventFilter(silent=True)),
    "all texts": lambda index, catalog: index.search(Query(), catalog),
    "a common word": lambda index, catalog: index.search(Query("body"), catalog),
    "two": lambda index, catalog: index.search(Query("body text"), catalog),
    "a filter": lambda index, catalog: index.search(Query(sources=(SOURCE,)), catalog),
    "a rare word": lambda index, catalog: index.search(Query("number7 body"), catalog),
    "values": lambda index, _: index.list_values("language"),
}


MORE = dict.fromkeys(("all texts", "a common word", "two", "a filter"), 15_000) | {"a rare word": 2_000}
"""Hits are counted up to a thousand, texts with a word up to one in fifty."""


@pytest.fixture(scope="module")
def indexes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[tuple[SearchIndex, Catalog]]]:
    with ExitStack() as stack:
        made = []
        for size in SIZES:
            folder: Path = tmp_path_factory.mktemp("index")
            catalog = stack.enter_context(Catalog.open(folder / "catalog.sqlite"))
            index = stack.enter_context(SearchIndex.open(folder / "search.sqlite"))
            store = MemoryStore()
            info = create_archive(store, single_writer=False, now=START)
            machine = Machine(store, info, catalog, sums_up=False)
            looks = [Look(f"{number}", f"Text number{number}\nbody of it") for number in range(size)]
            machine.commit(looks, number=0)
            machine.commit([Look(look.path, f"{look.words} 5") for look in looks[:120]], number=1)
            index.fold(catalog, info.archive)
            made.append((index, catalog))
        yield made


@pytest.mark.parametrize("name", ASKED)
def test_what_is_asked_costs_the_same_however_large_the_index_is(
    indexes: list[tuple[SearchIndex, Catalog]], name: str
) -> None:
    steps = []
    for index, catalog in indexes:
        meter = Meter(index._db, _SMALL)
        with meter.watch():
            ASKED[name](index, catalog)
        assert meter.list_scans() == []
        steps.append(meter.steps)
    assert steps[1] <= 1.2 * steps[0] + MORE.get(name, 50)

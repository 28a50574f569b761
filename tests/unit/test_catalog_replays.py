"""What the catalog tells of pages as captured: where records end, what was recorded nearest, when a URL was seen."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from jobs.archive.identity import read_info
from jobs.archive.log import Log
from jobs.catalog import Catalog
from tests.archives import NOON, PAGES, SOURCE, build_archive, split_members

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from jobs.store.memory import MemoryStore


@pytest.fixture
def store(tmp_path: Path) -> MemoryStore:
    return build_archive(tmp_path / "spool", segments=2)


@pytest.fixture
def catalog(store: MemoryStore, tmp_path: Path) -> Iterator[Catalog]:
    with Catalog.open(tmp_path / "catalog.sqlite") as opened:
        opened.refresh(store, Log(store, read_info(store), SOURCE))
        yield opened


def test_records_end_where_the_next_begin(store: MemoryStore, catalog: Catalog) -> None:
    dated = catalog.list_dated(PAGES[0].url)
    segment = dated[0].segment
    for n in range(len(PAGES)):
        stored = catalog.find_exchange(segment, n)
        assert stored is not None
        assert stored.end is not None
        start = stored.capture.response_offset or 0
        data = store.get(stored.capture.warc_key, offset=start, length=stored.end - start)
        assert len(split_members(data)) == 2
    assert catalog.find_exchange(segment, len(PAGES)) is None
    assert catalog.find_exchange("nobody", 0) is None


def test_a_url_was_captured_at_these_times(catalog: Catalog) -> None:
    dated = catalog.list_dated(PAGES[0].url)
    assert [one.captured_at.hour for one in dated] == [NOON.hour, NOON.hour + 1]
    assert {(one.source, one.status) for one in dated} == {(SOURCE, 200)}
    assert {one.status for one in catalog.list_dated(PAGES[2].url)} == {404}
    assert catalog.list_dated("https://gazette.example/nothing") == []


def test_an_article_is_no_asset(catalog: Catalog) -> None:
    assert catalog.find_shown_with(SOURCE, [PAGES[0].url, "https://gazette.example/nothing"], NOON) == {}

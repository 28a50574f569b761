"""What was redacted leaves no word in the index: not in its rows, its full-text segments or its free pages."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from jobs.archive.identity import read_info
from jobs.archive.log import Log
from jobs.catalog import Catalog
from jobs.search import Query
from jobs.search.index import SearchIndex, discard_redacted
from tests.archives import NOON, PAGES, build_archive, commit_segment, write_segment
from tests.hunting import Hunter
from tests.replacements import list_segments, replace_segments, withdraw

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from jobs.store.memory import MemoryStore

WORD = "quorvashtel"
SECRET = replace(PAGES[0], path="/2026/secret", words=f"Nobody may know {WORD} any more.")


@pytest.fixture
def store(tmp_path: Path) -> MemoryStore:
    """An archive of which one article is to be redacted."""
    store = build_archive(tmp_path / "spool", segments=2)
    commit_pages(store, tmp_path, SECRET, *PAGES)
    return store


@pytest.fixture
def catalog(tmp_path: Path) -> Iterator[Catalog]:
    with Catalog.open(tmp_path / "catalog.sqlite") as catalog:
        yield catalog


def commit_pages(store: MemoryStore, folder: Path, *pages: object) -> None:
    info = read_info(store)
    last = [*Log(store, info, "gazette").read()][-1]
    now = NOON + timedelta(hours=last.commit.seq)
    closed = write_segment(folder / "spool", pages, archive=info.archive, now=now)  # type: ignore[arg-type]
    commit_segment(store, info, closed, now=now, after=last)


def refresh(store: MemoryStore, catalog: Catalog) -> None:
    catalog.refresh(store, Log(store, read_info(store), "gazette"))


def fold(path: Path, store: MemoryStore, catalog: Catalog) -> int:
    with SearchIndex.open(path) as index:
        index.fold(catalog, read_info(store).archive)
        return len(index.search(Query(words=WORD), catalog).hits)


def redact(store: MemoryStore) -> None:
    info = read_info(store)
    last = list_segments(Log(store, info, "gazette").read())[-1]
    replace_segments(store, info, [last], change=withdraw([SECRET.url]))


def holds(path: Path) -> bool:
    hunter = Hunter([], [WORD])
    for one in path.parent.glob(f"{path.name}*"):
        hunter.look(str(one), one.read_bytes())
    return bool(hunter.found)


def test_the_index_is_taken_away_and_made_anew_without_the_words(
    store: MemoryStore, catalog: Catalog, tmp_path: Path
) -> None:
    path = tmp_path / "search.sqlite"
    refresh(store, catalog)
    assert fold(path, store, catalog) == 1
    assert not discard_redacted(path, catalog), "nothing was redacted"
    assert holds(path)
    redact(store)
    refresh(store, catalog)
    with SearchIndex.open(path) as index:
        assert index.holds_redacted(catalog)
        assert discard_redacted(path, catalog)
    assert not [*tmp_path.glob("search.sqlite*")]
    assert fold(path, store, catalog) == 0
    assert not holds(path)
    assert not discard_redacted(path, catalog), "once is enough"
    commit_pages(store, tmp_path, *PAGES)
    refresh(store, catalog)
    assert fold(path, store, catalog) == 0
    assert not discard_redacted(path, catalog)


def test_an_index_that_only_dropped_the_words_is_taken_away_too(
    store: MemoryStore, catalog: Catalog, tmp_path: Path
) -> None:
    path = tmp_path / "search.sqlite"
    refresh(store, catalog)
    fold(path, store, catalog)
    redact(store)
    refresh(store, catalog)
    assert fold(path, store, catalog) == 0
    assert holds(path), "SQLite keeps deleted words: or this test is of no use"
    assert discard_redacted(path, catalog)


def test_an_index_that_cannot_be_read_is_taken_away(store: MemoryStore, catalog: Catalog, tmp_path: Path) -> None:
    path = tmp_path / "search.sqlite"
    path.write_bytes(b"no database, but it may have been one")
    refresh(store, catalog)
    assert not discard_redacted(path, catalog)
    redact(store)
    refresh(store, catalog)
    assert discard_redacted(path, catalog)
    assert not path.exists()

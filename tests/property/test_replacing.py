"""Whatever is replaced in a log, and when: a catalog that went along, and one that folds what is left, are the same."""

from __future__ import annotations

import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crawler.rows import CaptureRow, SnapshotRow
from jobs.archive.facts import read_rows
from jobs.archive.identity import create_archive
from jobs.archive.log import Log
from jobs.archive.replacing import Replacements, fetch_segment
from jobs.catalog import Catalog
from jobs.checkpoint import writing
from jobs.checkpoint.restoring import refresh_catalog
from jobs.store.memory import MemoryStore
from tests.machines import SOURCE, START, Look, Machine, fold_log
from tests.property.test_checkpoint import PATHS, Past, Step, _assert_crawls_alike, _commit, steps
from tests.replacements import drop_replaced, list_segments, replace_segments, withdraw

if TYPE_CHECKING:
    from collections.abc import Iterator

    from jobs.archive.identity import ArchiveInfo


@dataclass(frozen=True)
class Redaction:
    """All captures of an article, and what was derived of them, are taken out."""

    path: str


@dataclass(frozen=True)
class Repacking:
    """A segment's records lie elsewhere from now on."""

    index: int


changes = st.one_of(
    steps, steps, steps, st.builds(Redaction, st.sampled_from(PATHS)), st.builds(Repacking, st.integers(0, 30))
)


@pytest.fixture(autouse=True)
def _short_levels(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writing, "LEVEL_COMMITS", (2, 5, 12))
    monkeypatch.setattr(writing, "PACK_COMMITS", 1_000_000)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(steps, min_size=1, max_size=4), st.lists(changes, min_size=2, max_size=16))
def test_what_went_along_is_what_is_left(first: list[Step], rest: list[Step | Redaction | Repacking]) -> None:
    with _archive() as (store, info, folder), _open(folder, "along") as along, _open(folder, "machine") as catalog:
        machine, past = Machine(store, info, catalog), Past()
        for number, change in enumerate((*first, *rest)):
            machine.prepare()
            if isinstance(change, Step):
                _commit(machine, number, change, past)
            else:
                _replace(store, info, change)
            along.refresh(store, machine.log)
        expected = along.dump()
        with _open(folder, "with") as fresh:
            assert fold_log(fresh, store, info) == expected
        drop_replaced(store, info)
        refresh_catalog(catalog, store, machine.log, full=True)
        assert catalog.dump() == expected
        with _open(folder, "without") as fresh, _open(folder, "thin") as thin:
            assert fold_log(fresh, store, info) == expected
            refresh_catalog(thin, store, machine.log, full=False)
            _assert_crawls_alike(fresh, thin)
            refresh_catalog(thin, store, machine.log, full=True)
            assert thin.dump() == expected


def _replace(store: MemoryStore, info: ArchiveInfo, change: Redaction | Repacking) -> None:
    commits = list(Log(store, info, SOURCE).read())
    names = list(dict.fromkeys(list_segments(commits)))
    if not names:
        return
    if isinstance(change, Repacking):
        replace_segments(store, info, [names[change.index % len(names)]], kind="replace")
        return
    url = Look(change.path).url
    ahead = Replacements(Log(store, info, SOURCE))
    first = {one.commit.segment: one.commit for one in reversed(commits) if one.commit.rows}
    touched = [name for name in names if _tells_of(fetch_segment(store, first[name], ahead)[1], url)]
    if touched:
        replace_segments(store, info, touched, change=withdraw({url}))


def _tells_of(data: bytes, url: str) -> bool:
    return any(isinstance(row, CaptureRow | SnapshotRow) and row.url == url for _, row in read_rows(data, "rows"))


@contextmanager
def _archive() -> Iterator[tuple[MemoryStore, ArchiveInfo, Path]]:
    with tempfile.TemporaryDirectory() as folder:
        store = MemoryStore()
        yield store, create_archive(store, single_writer=False, now=START), Path(folder)


@contextmanager
def _open(folder: Path, name: str) -> Iterator[Catalog]:
    with Catalog.open(folder / f"{name}.sqlite") as catalog:
        yield catalog

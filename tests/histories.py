"""What an archive says, read by the library from the store alone: a fresh fold, so that no state of the run counts."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from config.settings import Settings
from crawler.warc import read_records
from jobs.archive.facts import read_rows
from jobs.archive.identity import list_sources, read_info
from jobs.archive.log import Log
from jobs.catalog import Catalog
from jobs.store import open_store
from jobs.verify import verify_archive

if TYPE_CHECKING:
    from crawler.rows import Row
    from jobs.archive.commit import StoredCommit
    from jobs.verify import VerifyReport

History = tuple[tuple[str | None, int | None, str], ...]


def read_histories(place: str | Path, settings: Settings | None = None) -> dict[tuple[str, str], History]:
    """Return (source, URL) → the verdict, revision and class of each capture of every article."""
    with tempfile.TemporaryDirectory() as scratch, Catalog.open(Path(scratch) / "catalog.sqlite") as catalog:
        fold(place, catalog, settings)
        return {
            (row["source"], row["url"]): tuple(
                (capture.verdict, capture.revision, capture.page_class)
                for capture in catalog.list_captures(row["source"], row["url"])
            )
            for row in catalog.list_articles()
        }


def read_texts(place: str | Path, settings: Settings | None = None) -> dict[tuple[str, str], list[str]]:
    """Return (source, URL) → the text of each revision."""
    with tempfile.TemporaryDirectory() as scratch, Catalog.open(Path(scratch) / "catalog.sqlite") as catalog:
        fold(place, catalog, settings)
        return {
            (row["source"], row["url"]): [
                (catalog.read_snapshot(revision.segment, revision.n) or {})["text"]
                for revision in catalog.list_revisions(row["source"], row["url"])
            ]
            for row in catalog.list_articles()
        }


def dump_catalog(place: str | Path, settings: Settings | None = None) -> dict[str, list[tuple[Any, ...]]]:
    """Return the tables of a catalog that was folded from the log just now."""
    with tempfile.TemporaryDirectory() as scratch, Catalog.open(Path(scratch) / "catalog.sqlite") as catalog:
        fold(place, catalog, settings)
        return catalog.dump()


def read_commits(place: str | Path, settings: Settings | None = None) -> dict[str, list[StoredCommit]]:
    """Return source → its commits, the chain checked."""
    store = open_store(str(place), settings or Settings())
    info = read_info(store)
    return {source: list(Log(store, info, source).read()) for source in list_sources(store)}


def read_segment(path: Path) -> list[Row]:
    """Return the rows in a segment's file: the last records of it."""
    data = path.read_bytes()
    first = next(record for record in read_records(path) if record.header("Content-Type") == "application/x-ndjson")
    return [row for _, row in read_rows(data[first.offset :], path.name)]


def check_archive(place: str | Path, settings: Settings | None = None) -> VerifyReport:
    """Return what a full check finds."""
    return verify_archive(open_store(str(place), settings or Settings()), full=True)


def fold(place: str | Path, catalog: Catalog, settings: Settings | None) -> None:
    """Fold the whole log of the archive at *place* into *catalog*."""
    store = open_store(str(place), settings or Settings())
    info = read_info(store)
    for source in list_sources(store):
        catalog.refresh(store, Log(store, info, source))

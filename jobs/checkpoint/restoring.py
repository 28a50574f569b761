"""A log's end and its checkpoint → the catalog. Whatever cannot be used is left aside, and the log itself is read.

*Thin* is what a crawl needs, by about fifteen requests; *full* is all facts, the same as a fold of the whole log.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from itertools import chain
from typing import TYPE_CHECKING

import structlog

from config.errors import DamageFound, FormatTooNew, ObjectMissing, RecordError
from jobs.archive.facts import fetch_rows
from jobs.archive.log import MAX_SINCE, covered, link_to
from jobs.checkpoint.reading import Stack, fetch_thin, open_stack, read_facts, read_thin

if TYPE_CHECKING:
    from collections.abc import Iterator

    from jobs.archive.commit import CommitLink, StoredCommit
    from jobs.archive.log import Log
    from jobs.catalog import Catalog
    from jobs.store import ObjectStore

log = structlog.get_logger()

FEW_COMMITS = 20
"""So many commits are folded one by one sooner than thin facts are loaded anew."""
MANY_COMMITS = 1_000
"""So many commits are read one by one sooner than all facts are loaded anew."""
_AT_ONCE = 8
_HELD_BYTES = 64 * 1024**2


def refresh_catalog(catalog: Catalog, store: ObjectStore, source_log: Log, *, full: bool) -> int:
    """Bring *catalog* to the end of the log; return how many commits it went on by.

    *full*: all facts are wanted, else those that a crawl needs, if the catalog knows nothing of the source as yet.
    Raises DamageFound, FormatTooNew, StoreError.
    """
    source = source_log.source
    seq, head = catalog.head(source)
    thin = catalog.thin_until(source) > 0
    deepen = catalog.is_wanting(source) or (full and thin)
    most = FEW_COMMITS if thin else MANY_COMMITS
    near = seq and not deepen and not source_log.is_longer_than(seq + most)
    if near or not _restore(catalog, store, source_log, full=full or deepen):
        catalog.refresh(store, source_log)
    if catalog.is_wanting(source) and not _restore(catalog, store, source_log, full=True):
        catalog.refresh(store, source_log)
    if full:
        complete_commits(catalog, source_log)
    _complete(catalog, source_log, catalog.list_unsettled(source))  # a store that failed may have left some
    catalog.sweep()
    _require_seen(catalog, source_log, seq, head)
    return catalog.head(source)[0] - seq


def complete_commits(catalog: Catalog, source_log: Log) -> None:
    """Read the commits of which only the rows were read. Raises DamageFound, StoreError."""
    _complete(catalog, source_log, catalog.list_incomplete(source_log.source))


def _complete(catalog: Catalog, source_log: Log, numbers: list[int]) -> None:
    if numbers:
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            for stored in list(pool.map(source_log.get, numbers)):
                catalog.complete_commit(stored)


def _restore(catalog: Catalog, store: ObjectStore, source_log: Log, *, full: bool) -> bool:
    """Load what the log's last commit names; return whether the catalog is at the log's end then.

    Where that cannot be used the catalog is left empty of this source, so that the log is read from its beginning.
    """
    source, archive = source_log.source, source_log.archive
    end = None
    try:
        end = source_log.find_end()
        if end is None:
            return True
        if end.commit.checkpoint is None:
            if catalog.thin_until(source):
                raise DamageFound(f"commit {end.commit.seq} names no checkpoint, though one was named before")
            fresh = catalog.head(source)[0] == 0
            return fresh and not full and _add_tail(catalog, store, source_log, end, after=0, head=source_log.origin)
        stack = open_stack(store, archive, source, end.commit.checkpoint)
        with stack.newest:
            if full:
                lines = chain.from_iterable(read_facts(store, one, archive, source) for one in stack.layers)
                catalog.restore_full(source, stack.seq, stack.head, stack.to_json(), lines)
            else:
                thin = _read_thin(store, source_log, stack)
                catalog.restore_thin(source, stack.seq, stack.head, stack.to_json(), thin)
        log.info("restored_catalog", source=source, seq=stack.seq, layers=len(stack.layers), full=full)
        return not full and _add_tail(catalog, store, source_log, end, after=stack.seq, head=stack.head)
    except (DamageFound, FormatTooNew, ObjectMissing, RecordError) as error:
        log.warning("ignored_checkpoint", source=source, error=str(error))
        catalog.forget(source, distrusted=covered(end.commit.checkpoint) if end else 0)
        return False


def _read_thin(store: ObjectStore, source_log: Log, stack: Stack) -> Iterator[dict[str, object]]:
    chosen = stack.list_thin()
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        parts = [*pool.map(lambda one: fetch_thin(store, one), chosen[:-1]), stack.newest]
    for reference, data in zip(chosen, parts, strict=True):
        yield from read_thin(data, reference, source_log.archive, source_log.source)


def _add_tail(
    catalog: Catalog, store: ObjectStore, source_log: Log, end: StoredCommit, *, after: int, head: str
) -> bool:
    """Fold the commits after number *after* by what the last one repeats of them; return whether it does.

    Those are read that may have given up the last lease: rows do not tell.
    """
    commit = end.commit
    links = [*(link for link in commit.since if link.seq > after), link_to(end)]
    if [link.seq for link in links] != list(range(after + 1, commit.seq + 1)) or commit.requires:
        return False
    if commit.previous != (links[-2].sha256 if len(links) > 1 else head):
        raise DamageFound(f"commit {commit.seq} of {commit.source} repeats another chain than it stands in")
    for link, data in _fetch_tail(store, links):
        catalog.add_rows(commit.source, link, data, checkpoint=commit.checkpoint)
    if commit.seq > after:
        catalog.complete_commit(end)
    _complete(catalog, source_log, catalog.list_unsettled(commit.source))
    return True


def _fetch_tail(store: ObjectStore, links: list[CommitLink]) -> Iterator[tuple[CommitLink, bytes | None]]:
    """Yield the rows of *links*: several are fetched at once where they are short."""
    if sum(link.rows.size_bytes for link in links if link.rows) > _HELD_BYTES or len(links) > MAX_SINCE + 1:
        for link in links:
            yield link, fetch_rows(store, link.rows) if link.rows else None
        return
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        fetched = pool.map(lambda one: fetch_rows(store, one.rows) if one.rows else None, links)
        yield from zip(links, fetched, strict=True)


def _require_seen(catalog: Catalog, source_log: Log, seq: int, head: str) -> None:
    """Raise DamageFound if commit *seq*, which this catalog had seen, is no longer what it was."""
    if not seq:
        return
    found = catalog.head(source_log.source)
    there = found[1] if found[0] == seq else catalog.find_commit(source_log.source, seq)
    if found[0] < seq or (there is not None and there != head):
        raise DamageFound(f"log/{source_log.source}: commit {seq} was seen here as {head}, and is gone or another")

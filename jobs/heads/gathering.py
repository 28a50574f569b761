"""The ends of all logs, as they are now: one request for each log that is as it was, two for one that grew."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from config.errors import DamageFound
from jobs.archive.commit import commit_key, parse_commit_key
from jobs.archive.ends import LogEnd
from jobs.archive.identity import list_sources
from jobs.archive.log import Log

if TYPE_CHECKING:
    from collections.abc import Mapping

    from jobs.archive.identity import ArchiveInfo
    from jobs.store import ObjectStore

_AT_ONCE = 8


def gather_ends(
    store: ObjectStore,
    info: ArchiveInfo,
    known: Mapping[str, LogEnd],
    fresh: Mapping[str, LogEnd] | None = None,
) -> dict[str, LogEnd]:
    """Return the end of each log. *known*: as the last head has them.

    *fresh*: ends that were just seen; the others are then taken from *known*, and nothing is asked. Raises DamageFound
    where a log is shorter than it was, or its end cannot be read; StoreError.
    """
    if fresh is not None:
        newer = {source: end for source, end in fresh.items() if source not in known or known[source].seq < end.seq}
        return {**known, **newer}
    sources = sorted({*known, *list_sources(store)})
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        found = pool.map(lambda source: _find_end(Log(store, info, source), store, known.get(source)), sources)
        return {source: end for source, end in zip(sources, found, strict=True) if end is not None}


def _find_end(log: Log, store: ObjectStore, known: LogEnd | None) -> LogEnd | None:
    if known is None:
        end = log.find_end()
        return None if end is None else LogEnd(end.commit.seq, end.digest)
    before = commit_key(log.source, known.seq - 1)
    listed = store.list(f"log/{log.source}/", after=before)
    numbers = [parsed[1] for item in listed if (parsed := parse_commit_key(item.key))]
    if numbers[:1] != [known.seq]:
        raise DamageFound(
            f"{store.url}/{commit_key(log.source, known.seq)}: is in the last head, and is gone: the log was cut, or"
            " the store was set back; ofrecord verify"
        )
    if numbers[-1] == known.seq:
        return known
    last = log.get(numbers[-1])
    return LogEnd(last.commit.seq, last.digest)

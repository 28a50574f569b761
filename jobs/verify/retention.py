"""What Object Lock keeps: which immutable objects have no retention although others have, and which lose it soon.

Of each object one request; so all are asked only where all is read. None of it is damage.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from itertools import islice
from typing import TYPE_CHECKING

from config.errors import ObjectMissing, StoreError
from config.units import count
from crawler.rows import format_time
from jobs.archive.commit import commit_key
from jobs.archive.identity import INFO_KEY
from jobs.verify.lock_state import SOON, LockState
from jobs.verify.report import MAX_FINDINGS_PER_OBJECT, Notes

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from jobs.store import ObjectStore, Retention
    from jobs.verify.report import VerifyReport

_AT_ONCE = 16
_SAMPLE = 20
"""Logs of which the last commit is asked."""
_FOLDERS = ("heads/", "keys/", "log/", "segments/")


def check_retention(
    store: ObjectStore, report: VerifyReport, *, every: bool, sources: Collection[str] | None = None
) -> None:
    """Add to *report* what is kept from removal, and until when; nothing where it is not in use.

    *every*: ask each immutable object, and not only the ends of the logs. *sources*: only of these.
    """
    now = store.read_clock() or datetime.now(UTC)
    ends = islice(((source, head.seq) for source, head in report.heads.items()), _SAMPLE)
    sample = [INFO_KEY, *(commit_key(source, seq) for source, seq in ends)]
    state = LockState()
    try:
        for _, found in _ask(store, sample):
            state.add(found, now)
        if not state.kept:
            return
        if every:
            state = LockState()
            _ask_all(store, report, state, now, sources)
        elif state.kept < state.looked_at:
            Notes(report, "log/").notice(
                f"Object Lock keeps {state.kept} of {state.looked_at} objects that were asked: ofrecord.json and the"
                " ends of logs; --read-data names those without"
            )
    except StoreError as error:
        Notes(report, INFO_KEY).notice(f"whether Object Lock keeps the objects cannot be told: {error}")
        return
    report.lock = state
    if state.ending and state.first is not None:
        Notes(report, "log/").notice(
            f"Object Lock lets go of {count(state.ending, 'object')} within {SOON.days} days, of the first on "
            f"{format_time(state.first)}"
        )


def _ask_all(
    store: ObjectStore, report: VerifyReport, state: LockState, now: datetime, sources: Collection[str] | None
) -> None:
    notes = Notes(report, INFO_KEY)
    without = 0
    for key, found in _ask(store, _list_immutable(store, sources)):
        before = state.kept
        state.add(found, now)
        if state.kept > before:
            continue
        without += 1
        if without <= MAX_FINDINGS_PER_OBJECT:
            said = "has no retention" if found is None else f"has had retention until {format_time(found.until)}"
            Notes(report, key).notice(f"{said}, although others have: whoever may remove objects can remove it")
    if without > MAX_FINDINGS_PER_OBJECT:
        notes.notice(f"{count(without, 'object')} without retention in all; the first are named")


def _list_immutable(store: ObjectStore, sources: Collection[str] | None) -> Iterator[str]:
    yield INFO_KEY
    if sources is None:
        prefixes: Iterable[str] = _FOLDERS
    else:
        prefixes = (f"{folder}{source}/" for folder in ("log/", "segments/") for source in sources)
    for prefix in prefixes:
        for item in store.list(prefix):
            yield item.key


def _ask(store: ObjectStore, keys: Iterable[str]) -> Iterator[tuple[str, Retention | None]]:
    """Yield what the store says of each of *keys*, in order; those that are not there are left out."""
    with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="retention") as pool:
        left = iter(keys)
        while batch := list(islice(left, 8 * _AT_ONCE)):
            for key, answer in zip(batch, pool.map(lambda key: _read(store, key), batch), strict=True):
                if answer is not None:
                    yield key, answer[0]


def _read(store: ObjectStore, key: str) -> tuple[Retention | None] | None:
    try:
        return (store.read_retention(key),)
    except ObjectMissing:
        return None

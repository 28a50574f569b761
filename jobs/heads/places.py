"""Second places for heads: folders and buckets, which get an object a head, and addresses, to which heads are posted.

A place gets heads in order, so where it was down it gets what it missed.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from config.errors import ArchiveError, ConfigError, ObjectExists, ObjectMissing
from config.evidence import is_web
from jobs.archive.commit import digest
from jobs.archive.ends import MAX_DOCUMENT_BYTES
from jobs.archive.heads import MAX_STAMP_BYTES, find_newest, head_key, open_outside, outside_prefix, stamp_key
from jobs.heads.post import Posting, post_all

if TYPE_CHECKING:
    from config.settings import Settings
    from jobs.store import ObjectStore

MOST_AT_ONCE = 100
"""Heads that a place gets in one go; of one that was down for longer, the newest."""


@dataclass(frozen=True, slots=True)
class Sent:
    """What came of sending to one place."""

    newest: int
    """The newest head that it has, as far as is known; 0: none."""
    reason: str | None = None
    """Why it did not take all."""


def open_place(place: str, settings: Settings) -> ObjectStore:
    """Return the store of a second place. Raises ConfigError; also where it is a folder that is not there.

    That folder may be a disk that is not mounted: nothing is made in its stead.
    """
    store = open_outside(place, settings)
    if "://" not in place and not Path(place).expanduser().is_dir():
        raise ConfigError(f"{place}: no such folder; make it, or mount what belongs there")
    return store


def send_heads(
    source: ObjectStore, archive: str, newest: int, place: str, settings: Settings, *, known: int | None, seconds: float
) -> Sent:
    """Send what *place* lacks up to head *newest* of the archive in *source*. Raises nothing of the place's.

    *known*: the newest that it took before; `None`: not known. *seconds*: for an address.
    """
    try:
        if is_web(place):
            return _post(source, archive, newest, place, known=known, seconds=seconds)
        target = open_place(place, settings)
        try:
            return _put(source, archive, newest, target, known=known or 0)
        finally:
            target.close()
    except (ArchiveError, OSError) as error:
        return Sent(known or 0, str(error))


def _put(source: ObjectStore, archive: str, newest: int, target: ObjectStore, *, known: int) -> Sent:
    prefix = outside_prefix(archive)
    there, stamped = find_newest(target, known, prefix)
    if 0 < there <= newest and not stamped:
        _copy_stamp(source, there, target, prefix)  # it may have come after its head was sent
    for n in range(max(there + 1, newest - MOST_AT_ONCE + 1), newest + 1):
        _copy(source, head_key(n), target, head_key(n, prefix), MAX_DOCUMENT_BYTES)
        _copy_stamp(source, n, target, prefix)
    return Sent(max(there, newest))


def _copy_stamp(source: ObjectStore, n: int, target: ObjectStore, prefix: str) -> None:
    with suppress(ObjectMissing):
        _copy(source, stamp_key(n), target, stamp_key(n, prefix), MAX_STAMP_BYTES)


def _copy(source: ObjectStore, key: str, target: ObjectStore, target_key: str, most: int) -> None:
    data = source.get(key, length=most)
    try:
        target.create(target_key, data, sha256=digest(data))
    except ObjectExists:
        if target.get(target_key, length=most) != data:
            raise ConfigError(
                f"{target.url}/{target_key}: holds another head of that number: one of the two places was rewritten;"
                " ofrecord verify --heads compares them"
            ) from None


def _post(source: ObjectStore, archive: str, newest: int, place: str, *, known: int | None, seconds: float) -> Sent:
    """An address tells nobody what it has: one of which nothing is known gets the newest."""
    first = newest if known is None else max(known + 1, newest - MOST_AT_ONCE + 1)
    done = first - 1 if known is None else known
    for n in range(first, newest + 1):
        body = source.get(head_key(n), length=MAX_DOCUMENT_BYTES)
        headers = {"Content-Type": "text/plain; charset=utf-8", "X-Ofrecord-Head": f"{archive}/{n}"}
        (posted,) = post_all([Posting(place, body, headers)], seconds)
        if posted.reason is not None:
            return Sent(done, posted.reason)
        done = n
    return Sent(done)

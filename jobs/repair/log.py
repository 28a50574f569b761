"""One source's log, with the commits that are damaged or missing as the chain demands them, out of the copy.

A commit is demanded by the one after it, whose own digest the next demands, and so on; the last only by a head that
somebody kept outside. Where none is known, the last commit is believed as it lies there; out of the copy only if the
archive's key has signed it or, where nobody had to sign, if it goes on from what is sound here.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING

from config.errors import DamageFound, FormatTooNew, ObjectMissing, StoreError
from jobs.archive.commit import MAX_COMMIT_BYTES, commit_key, decode_commit, digest, parse_commit_key
from jobs.archive.keys import find_forgery
from jobs.archive.packs import check_chained
from jobs.repair.mending import require_store
from jobs.repair.report import Left
from jobs.sync.copying import Item
from jobs.sync.log import LoggedCommit

if TYPE_CHECKING:
    from collections.abc import Iterator

    from jobs.archive.identity import ArchiveInfo
    from jobs.archive.keys import KeyRing
    from jobs.repair.mending import Mender
    from jobs.store import ObjectStore

_AHEAD = 16


@dataclass(frozen=True, slots=True)
class _Seen:
    """A commit as it lies in a store."""

    digest: str
    size_bytes: int
    previous: str | None
    """What it names; `None`: it is no commit of this log in this place."""


@dataclass(frozen=True, slots=True)
class _Sides:
    """The log of one source as it lies here, the copy, and who signs."""

    mender: Mender
    info: ArchiveInfo
    source: str
    ring: KeyRing
    mine: dict[int, _Seen]

    def see_theirs(self, seq: int) -> _Seen | None:
        return _see_one(self.mender.copy, self.info, self.source, seq)

    def leave(self, seq: int, why: str) -> None:
        self.mender.report.left.append(Left(commit_key(self.source, seq), why))


@dataclass(slots=True)
class DemandedLog:
    """The log of one source as it must be, as far as that can be told."""

    source: str
    end: int = 0
    items: dict[int, Item] = field(default_factory=dict)
    """Number → the commits that are not as they must be, as the copy has them."""
    lost: set[int] = field(default_factory=set)
    """Numbers of those that the copy does not have as they must be either."""
    ends: str = ""
    """Digest of the last commit."""

    def read(self, store: ObjectStore, copy: ObjectStore, info: ArchiveInfo) -> Iterator[LoggedCommit]:
        """Yield the commits in order, each from where it is as it must be; what is lost is left out."""
        wanted = (seq for seq in range(1, self.end + 1) if seq not in self.lost)
        places = ((copy if seq in self.items else store, seq) for seq in wanted)
        for seq, data in _read_ahead(places, self.source):
            key = commit_key(self.source, seq)
            if isinstance(data, bytes):
                try:
                    stored = decode_commit(data, key)
                    check_chained(stored, self.source, info.archive, seq, None)
                except (DamageFound, FormatTooNew):
                    continue  # it is reported as lost, or verify said so
                yield LoggedCommit(stored, data)


def find_demanded(mender: Mender, info: ArchiveInfo, source: str, heads: dict[int, str], ring: KeyRing) -> DemandedLog:
    """Return the log of *source* as its chain demands it. *heads*: digests by number that somebody noted outside.

    *ring*: the archive's keys. What cannot be had goes to the report. Raises StoreError; DamageFound if the logs part.
    """
    mine, theirs = _see(mender.store, info, source), _see_numbers(mender.copy, source)
    sides = _Sides(mender, info, source, ring, mine)
    demanded = DemandedLog(source, max([*mine, *theirs, *heads], default=0))
    if demanded.end > max([*mine, *heads], default=0):
        _require_continued(sides)
    wanted: str | None = None
    for seq in range(demanded.end, 0, -1):
        seen = mine.get(seq)
        wanted = heads.get(seq, wanted)
        if wanted is None and seen is not None and seen.previous is not None:
            wanted = _choose_last(sides, seq)
        if seen is not None and seen.previous is not None and wanted in (None, seen.digest):
            wanted = seen.previous
            demanded.ends = demanded.ends or seen.digest
            continue
        other = sides.see_theirs(seq)
        fits = other is not None and other.previous is not None and wanted in (None, other.digest)
        doubt = _find_doubt(sides, seq) if fits and wanted is None else None
        if other is not None and fits and doubt is None:
            demanded.items[seq] = Item(commit_key(source, seq), other.size_bytes, other.digest)
            demanded.ends = demanded.ends or other.digest
            wanted = other.previous
            continue
        if doubt is not None:
            sides.leave(seq, doubt)
        if wanted is None and seq == demanded.end and seen is None:
            demanded.end -= 1  # only the copy says that there is such a one
            continue
        demanded.lost.add(seq)
        if doubt is None:
            has = other.digest if other else "nothing"
            sides.leave(seq, f"the copy has {has}, the chain demands {wanted}")
            wanted = seen.previous if seen is not None else None
    if wanted not in (None, info.digest):
        sides.leave(1, f"names {wanted}, ofrecord.json has {info.digest}")
    return demanded


def read_commits(store: ObjectStore, info: ArchiveInfo, source: str) -> Iterator[LoggedCommit]:
    """Yield what of a log in *store* is a commit of its place, in order; the rest is left out. Raises StoreError."""
    for seq, data in _read_ahead(((store, seq) for seq in _see_numbers(store, source)), source):
        key = commit_key(source, seq)
        if isinstance(data, bytes):
            try:
                stored = decode_commit(data, key)
                check_chained(stored, source, info.archive, seq, None)
            except (DamageFound, FormatTooNew):
                continue
            yield LoggedCommit(stored, data)


def _find_doubt(sides: _Sides, seq: int) -> str | None:
    """Return why the copy's commit *seq*, which nothing here names, is not to be believed."""
    key, data = commit_key(sides.source, seq), _get(sides.mender.copy, sides.source, seq)
    if not isinstance(data, bytes):
        return "the copy's cannot be read"
    stored = decode_commit(data, key)
    fault = find_forgery(sides.mender.copy, sides.ring, stored, data)
    if fault is not None:
        return f"the copy's does not have the signature of the archive's key: {fault.removeprefix(f'{key}: ')}"
    owner = sides.ring.find_owner(sides.source, seq)
    if owner is not None and owner.public is not None:
        return None
    wanted: str | None = stored.commit.previous
    for before in range(seq - 1, 0, -1):
        ours = sides.mine.get(before)
        sound = ours is not None and ours.previous is not None
        found = ours if sound else sides.see_theirs(before)
        if found is None or found.digest != wanted:
            return (
                f"the copy's is not the one that goes on from commit {before} here, and nobody signed it: only a head"
                " kept outside (--expect) tells which is right"
            )
        if sound:
            return None
        wanted = found.previous
    return None if wanted == sides.info.digest else "the copy's log does not begin with ofrecord.json here"


def _choose_last(sides: _Sides, seq: int) -> str:
    """Return the digest of commit *seq*, of which no later one speaks: ours, unless only the copy's is in the chain.

    That theirs is another goes to the report, where both are.
    """
    ours, theirs = sides.mine[seq], sides.see_theirs(seq)
    if theirs is None or theirs.previous is None or theirs.digest == ours.digest:
        return ours.digest
    before = sides.mine[seq - 1].digest if seq - 1 in sides.mine else sides.info.digest
    if theirs.previous == before != ours.previous and _find_doubt(sides, seq) is None:
        return theirs.digest
    why = f"has {ours.digest}, the copy {theirs.digest}: only a head kept outside (--expect) tells which is right"
    sides.leave(seq, why)
    return ours.digest


def _require_continued(sides: _Sides) -> None:
    """Raise DamageFound unless the copy's log goes on where ours ends: else the two are of different pasts."""
    mine, end = sides.mine, max(sides.mine, default=0)
    after = sides.see_theirs(end + 1)
    before = mine[end].digest if end else sides.info.digest
    if after is not None and after.previous not in (None, before) and (not end or mine[end].previous is not None):
        raise DamageFound(
            f"{sides.mender.store.url}/{commit_key(sides.source, end)}: has {before}, but the copy's log goes on from "
            f"{after.previous}: the logs part, and only a head kept outside (--expect) tells which is right"
        )


def _see(store: ObjectStore, info: ArchiveInfo, source: str) -> dict[int, _Seen]:
    """Return the commits of *source* as they lie in *store*."""
    places = ((store, seq) for seq in _see_numbers(store, source))
    return {seq: _judge(data, info, source, seq) for seq, data in _read_ahead(places, source) if data is not None}


def _see_numbers(store: ObjectStore, source: str) -> list[int]:
    parsed = (parse_commit_key(item.key) for item in store.list(f"log/{source}/"))
    return [one[1] for one in parsed if one is not None and one[1]]


def _see_one(store: ObjectStore, info: ArchiveInfo, source: str, seq: int) -> _Seen | None:
    data = _get(store, source, seq)
    return None if data is None else _judge(data, info, source, seq)


def _judge(data: bytes | StoreError, info: ArchiveInfo, source: str, seq: int) -> _Seen:
    if not isinstance(data, bytes):
        return _Seen("", 0, None)
    try:
        stored = decode_commit(data, commit_key(source, seq))
        check_chained(stored, source, info.archive, seq, None)
    except (DamageFound, FormatTooNew):
        return _Seen(digest(data), len(data), None)
    return _Seen(stored.digest, len(data), stored.commit.previous)


def _read_ahead(
    places: Iterator[tuple[ObjectStore, int]], source: str
) -> Iterator[tuple[int, bytes | StoreError | None]]:
    """Yield commits by number: bytes, the error that the store has with this one, or `None`: missing."""
    with ThreadPoolExecutor(_AHEAD, thread_name_prefix="repair") as pool:
        while batch := list(islice(places, _AHEAD)):
            found = pool.map(lambda place: _get(place[0], source, place[1]), batch)
            yield from zip([seq for _, seq in batch], found, strict=True)


def _get(store: ObjectStore, source: str, seq: int) -> bytes | StoreError | None:
    try:
        return store.get(commit_key(source, seq), length=MAX_COMMIT_BYTES + 1)
    except ObjectMissing:
        return None
    except StoreError as error:
        require_store(store)
        return error

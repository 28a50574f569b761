"""Who crawls a source now: numbered create-only objects below `lease/`, as FORMAT.md § 4 has them.

Their age is taken by the store's clock, the holder's own time by CLOCK_BOOTTIME, which goes on while a machine sleeps
and is the same for all its processes; no wall clock of ours has a say. Leases save work: correctness of the archive
never rests on them.
"""

from __future__ import annotations

import contextvars
import os
import re
import secrets
import socket
import threading
import time
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

import structlog

from config.errors import ArchiveError, DamageFound, ObjectExists, ObjectMissing, RunLocked, StoreUnavailable
from crawler.rows import format_time
from jobs.archive.commit import digest
from jobs.archive.lease_records import (
    HELD,
    MAX_SECONDS,
    RELEASED,
    LeaseRecord,
    lease_key,
    parse_lease_key,
    read_record,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from jobs.archive.signing import Signer
    from jobs.store import ObjectStore, StoredObject

    _IsReleased = Callable[[int], bool]
    _IsOver = Callable[["LeaseRecord"], bool]

SLACK_SECONDS = 2.0
"""Stores tell whole seconds, rounded down; a holder gets that much more before another takes over."""
OLD_SECONDS = 24 * 3_600.0
"""Lease objects of lower epochs may be removed when they are older."""
MAX_ACQUIRE_SECONDS = 60.0
"""After so long a contender must look again: were it OLD_SECONDS, the key could have been taken, and removed."""

_MAX_EPOCH = 10**12 - 1
_MAX_BEAT = 10**6 - 1
_ROUNDS = 5
_RETRY_SECONDS = 5.0

log = structlog.get_logger()


def read_boottime() -> float:
    """Return the seconds since this machine was started, those that it slept included."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


class Lease:
    """The right to crawl *source* until `valid_until`, as long as nobody else may think to have it.

    The owner calls `poll()` every second or so, and stops when `is_valid()` no longer holds. A request to the store can
    take minutes: whoever fetches should look at `valid_until` itself. All methods may be called from several threads.
    """

    def __init__(
        self,
        store: ObjectStore,
        source: str,
        epoch: int,
        record: LeaseRecord,
        *,
        put_at: float,
        boottime: Callable[[], float] = read_boottime,
        signer: Signer | None = None,
    ) -> None:
        """*put_at*: a boot time at which the first object was not yet in the store. *signer*: signs further ones."""
        self.source = source
        self.epoch = epoch
        self.lost = threading.Event()
        """Set once and for good when the lease has run out or is another's."""
        self._store = store
        self._record = record
        self._boottime = boottime
        self._signer = signer
        self._beat = 0
        self._tried_at: float | None = None
        self._next_try = 0.0
        self._ended = False
        self._released = False
        self._renewing = threading.Lock()
        self._extend(put_at)

    @property
    def holder(self) -> str:
        """How the lease objects name us."""
        return self._record.holder

    @property
    def valid_until(self) -> float:
        """In seconds of CLOCK_BOOTTIME, which any process on this machine can compare with its own reading."""
        return self._valid_until

    def is_valid(self) -> bool:
        """Whether nobody else can hold the source at this moment."""
        return not self._ended and not self.lost.is_set() and self._boottime() < self._valid_until

    def poll(self) -> None:
        """Notice a loss, and renew when it is time, in a thread of its own: returns at once and raises nothing."""
        self._note_expiry()
        now = self._boottime()
        if not self.is_valid() or now < max(self._renew_at, self._next_try) or self._renewing.locked():
            return
        self._next_try = now + min(_RETRY_SECONDS, self._record.seconds / 20)
        try:
            renew = contextvars.copy_context().run
            threading.Thread(target=renew, args=(self.renew,), name=f"lease-{self.source}", daemon=True).start()
        except RuntimeError as error:  # no more threads: the next call may find one
            self._warn(error)

    def renew(self) -> None:
        """Put the next beat if half of the lease's time has passed. May take as long as the store does.

        Store trouble is logged, and another call tries again.
        """
        if not self._renewing.acquire(blocking=False):
            return
        try:
            if self.is_valid() and self._boottime() >= self._renew_at and self._beat < _MAX_BEAT:
                self._put_beat()
            self._note_expiry()
        finally:
            self._renewing.release()

    def end(self) -> None:
        """Hold the lease no longer. To be called before the commit that says so is put."""
        self._ended = True

    def release(self) -> None:
        """End the lease and say so by a beat: only for a run whose last commit cannot say it. Raises nothing.

        Where the store gives no answer, the lease runs out by itself.
        """
        self._note_expiry()
        self.end()
        if self.lost.is_set() or self._released or self._boottime() >= self._valid_until:
            return
        record = replace(self._record, state=RELEASED)
        # Twice: a beat whose answer was lost, or still is under way, may have the first number.
        for beat in (self._beat + 1, self._beat + 2):
            try:
                self._released = self._put(beat, record)
            except (ArchiveError, OSError) as error:
                self._warn(error)
                return
            if self._released:
                log.debug("released_lease", source=self.source, epoch=self.epoch)
                return

    def _extend(self, put_at: float) -> None:
        seconds = self._record.seconds
        self._renew_at = put_at + seconds / 2
        self._valid_until = put_at + seconds - _margin(seconds)

    def _put_beat(self) -> None:
        if self._tried_at is None:
            # Of the first try: the object may be of that one, though its answer was lost.
            self._tried_at = self._boottime()
        try:
            ours = self._put(self._beat + 1, self._record)
            overtaken = self._is_overtaken()
        except (ArchiveError, OSError) as error:
            self._warn(error)
            return
        answered_at = self._boottime()
        if not ours or overtaken:
            self._lose("another has taken over")
        elif answered_at >= self._valid_until:
            # Others may have looked when the old beat had run out and this one was not there yet.
            self._lose("the renewal was answered too late")
        else:
            self._extend(self._tried_at)
            self._beat, self._tried_at = self._beat + 1, None
            log.debug("renewed_lease", source=self.source, epoch=self.epoch, beat=self._beat)

    def _put(self, beat: int, record: LeaseRecord) -> bool:
        return _put_record(self._store, lease_key(self.source, self.epoch, beat), record, self._signer)

    def _is_overtaken(self) -> bool:
        """Whether there is a later lease: only where the store's clock jumped, or somebody removed objects by hand."""
        own = lease_key(self.source, self.epoch, _MAX_BEAT)
        return any(parse_lease_key(one.key) for one in self._store.list(f"lease/{self.source}/", after=own))

    def _note_expiry(self) -> None:
        if self._boottime() >= self._valid_until:
            self._lose("not renewed in time")

    def _lose(self, reason: str) -> None:
        if not self._ended and not self.lost.is_set():
            self.lost.set()
            log.warning("lost_lease", source=self.source, epoch=self.epoch, reason=reason)

    def _warn(self, error: Exception) -> None:
        log.warning("failed_lease", source=self.source, epoch=self.epoch, error=str(error))


def acquire_lease(
    store: ObjectStore,
    source: str,
    *,
    run: str | None,
    seconds: float,
    log_epoch: int,
    is_released: Callable[[int], bool],
    is_dead: Callable[[str], bool] = lambda _: False,
    boottime: Callable[[], float] = read_boottime,
    signer: Signer | None = None,
) -> Lease:
    """Return the lease of *source*, at the cost of one listing, one GET at most and one PUT.

    *seconds*: above 0, at most 3,600. *log_epoch*: the greatest epoch in the source's log. *is_released*: whether the
    log says that the holder of an epoch has ended. *is_dead*: whether the run of that id is known to have.
    *signer*: signs the lease objects. Raises RunLocked saying who holds it and until when, StoreError, DamageFound,
    FormatTooNew.
    """
    if not 0 < seconds <= MAX_SECONDS:
        raise ValueError(f"seconds: found {seconds}, expected more than 0 and at most {MAX_SECONDS:.0f}")
    record = LeaseRecord(_name_holder(), run, HELD, seconds)
    unanswered = False
    for _ in range(_ROUNDS):
        looked_at = boottime()
        try:
            epoch = _find_epoch(store, source, log_epoch, is_released, lambda one: _is_over(one, record, is_dead))
            ours = _put_record(store, lease_key(source, epoch, 0), record, signer)
        except ObjectMissing:  # taken away since it was listed
            continue
        except StoreUnavailable:
            if unanswered:
                raise
            unanswered = True  # an object of ours may lie there, or still be under way: look again
            continue
        if ours and boottime() < looked_at + min(MAX_ACQUIRE_SECONDS, seconds - _margin(seconds)):
            log.debug("acquired_lease", source=source, epoch=epoch, seconds=seconds)
            # From before the listing: what that did not show, a put of an earlier round included, came later.
            return Lease(store, source, epoch, record, put_at=looked_at, boottime=boottime, signer=signer)
    raise StoreUnavailable(
        f"{store.url}: {source}: no lease after {_ROUNDS} tries: others were faster or the store too slow; try again"
    )


def list_old_leases(store: ObjectStore, source: str) -> tuple[str, ...]:
    """Return the keys of *source*'s lease objects that may go: of an epoch below the highest, older than a day."""
    now = store.read_clock()
    if now is None:
        return ()
    found = [(parsed[0], one) for one in store.list(f"lease/{source}/") if (parsed := parse_lease_key(one.key))]
    highest = max((epoch for epoch, _ in found), default=0)
    return tuple(one.key for epoch, one in found if epoch < highest and (_age(one, now) or 0.0) > OLD_SECONDS)


@dataclass(frozen=True, slots=True)
class _Newest:
    """The object that counts: the highest beat of the highest epoch, and the store's time before it was listed."""

    epoch: int
    stored: StoredObject
    now: datetime | None

    @property
    def age(self) -> float | None:
        """Seconds since it was put, or `None` where the store tells no time."""
        return None if self.now is None else _age(self.stored, self.now)


def _is_over(found: LeaseRecord, ours: LeaseRecord, is_dead: Callable[[str], bool]) -> bool:
    """Whether a lease was given up, or belongs to this process or to a run that is known to be dead."""
    return found.state == RELEASED or found.holder == ours.holder or (found.run is not None and is_dead(found.run))


def _find_epoch(store: ObjectStore, source: str, log_epoch: int, is_released: _IsReleased, is_over: _IsOver) -> int:
    """Return the epoch that is next to be taken. Raises RunLocked if the one before is held."""
    # Before the listing: a beat that it does not show must be younger than this reading.
    now = store.read_clock()
    highest, newest = log_epoch, None
    for one in store.list(f"lease/{source}/", after=f"lease/{source}/{log_epoch:012d}"):
        if parsed := parse_lease_key(one.key):
            highest, newest = parsed[0], _Newest(parsed[0], one, now)
    if highest >= _MAX_EPOCH:
        place = newest.stored.key if newest else f"log/{source}"
        raise DamageFound(f"{store.url}/{place}: found epoch {highest}, which leaves none for us; take it away")
    if newest is not None:
        _require_over(store, source, newest, is_released, is_over)
    return highest + 1


def _require_over(store: ObjectStore, source: str, newest: _Newest, is_released: _IsReleased, is_over: _IsOver) -> None:
    """Raise RunLocked unless the lease has run out, or is over by what the log, or its own record, says."""
    age = -1.0 if newest.age is None else newest.age - SLACK_SECONDS
    if age > MAX_SECONDS or is_released(newest.epoch):
        return
    record = read_record(store, newest.stored.key)
    if record and is_over(record):
        return
    if age > (record.seconds if record else MAX_SECONDS):
        return
    raise RunLocked(_explain(store, source, newest, record))


def _explain(store: ObjectStore, source: str, newest: _Newest, record: LeaseRecord | None) -> str:
    """Say who holds *source*, until when, and what to do."""
    place = f"{store.url}/{newest.stored.key}"
    remove = f"when no run of {source} is going on anywhere, remove {place}"
    text = f"{source}: is locked by {place}, which cannot be read"
    if record:
        text = f"{source}: is being crawled by {record.holder}" + (f", run {record.run}" if record.run else "")
    if newest.now is None or newest.stored.modified is None or newest.age is None:
        return f"{text}; the store tells no time, so nobody can say until when: {remove}"
    seconds = (record.seconds if record else MAX_SECONDS) + SLACK_SECONDS
    until = newest.stored.modified + timedelta(seconds=seconds)
    text += f", until {_show(until)} if not renewed (by the store's clock, now {_show(newest.now)})"
    if newest.age < -MAX_ACQUIRE_SECONDS:
        return f"{text}; {place} is younger than the store's clock, which must have been wrong: {remove}"
    return f"{text}; wait, or " + ("stop that run" if record else remove)


def _put_record(store: ObjectStore, key: str, record: LeaseRecord, signer: Signer | None) -> bool:
    """Put *record*; return whether it lies under *key*, be it from an earlier try. Raises StoreError, OSError."""
    data = record.encode(key, signer)
    try:
        store.create(key, data, sha256=digest(data))
    except ObjectExists:
        found = read_record(store, key)
        return found is not None and (found.holder, found.state) == (record.holder, record.state)
    return True


def _age(one: StoredObject, now: datetime) -> float | None:
    """Return the seconds since *one* was put, or `None` if that is not known."""
    return None if one.modified is None else (now - one.modified).total_seconds()


def _margin(seconds: float) -> float:
    """Return how long before its end a lease is taken for over by its holder: clocks do not run at one speed."""
    return min(10.0, seconds / 10)


def _name_holder() -> str:
    host = re.sub(r"[^A-Za-z0-9.-]", "-", socket.gethostname())[:64] or "unknown-host"
    return f"{host} process {os.getpid()} {secrets.token_hex(8)}"


def _show(when: datetime) -> str:
    return format_time(when.replace(microsecond=0))

"""One round of heads: gather the ends, write a head if they moved, have it stamped, send it on; failures are told."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import structlog

from config.errors import ArchiveError, DamageFound, ObjectExists, StoreUnavailable
from config.evidence import show_place
from jobs.archive.commit import digest
from jobs.archive.heads import append_head, find_newest, read_head, stamp_key
from jobs.archive.stamps import REQUEST_TYPE, make_request, read_stamp
from jobs.heads.gathering import gather_ends
from jobs.heads.memory import HeadMemory, identify, read_memory, write_memory
from jobs.heads.places import send_heads
from jobs.heads.post import POST_SECONDS, Posting, post_all

if TYPE_CHECKING:
    from collections.abc import Mapping

    from jobs.archive.ends import LogEnd
    from jobs.archive.heads import ArchiveHead
    from jobs.context import OpenArchive

log = structlog.get_logger()

_RACES = 20


@dataclass(slots=True)
class HeadReport:
    """What came of a round."""

    n: int = 0
    """Of the newest head; 0: there is none."""
    wrote: bool = False
    """Whether this round put it."""
    created: datetime | None = None
    sources: int = 0
    sha256: str = ""
    stamped: datetime | None = None
    """By when it existed, as the authority says that this round asked."""
    sent: dict[str, int] = field(default_factory=dict)
    """Place, as it may be shown → the newest head that it has."""
    failed: dict[str, str] = field(default_factory=dict)
    """Place → why it has not got what it should."""

    def to_json(self) -> dict[str, Any]:
        """Return the same as JSON data."""
        return {name: getattr(self, name) for name in HeadReport.__slots__}


def keep_heads(
    archive: OpenArchive,
    *,
    fresh: Mapping[str, LogEnd] | None = None,
    now: datetime | None = None,
    seconds: float = POST_SECONDS,
) -> HeadReport:
    """Write a head if a log has grown since the last, and see that it is stamped and that second places have it.

    *fresh*: the ends that the caller has just committed: the others are then as in the last head, unless that is older
    than `heads_seconds`. *seconds*: for whatever is posted. What second places and the authority refuse is in the
    report, and tried again by the next round. Raises ConfigError, DamageFound, StoreError where the archive fails.
    """
    at = now or datetime.now(UTC)
    until = time.monotonic() + seconds
    archive.require_signer()
    memory = read_memory(archive.state, archive.info.archive)
    head, stamped, wrote = _write(archive, memory, fresh, at)
    report = HeadReport()
    if head is None:
        return report
    report.n, report.wrote, report.created = head.n, wrote, head.created
    report.sources, report.sha256 = len(head.ends), head.document.digest
    if archive.settings.stamp_url and not stamped:
        _stamp(archive, head, report, max(1.0, until - time.monotonic()))
    sent = dict(memory.sent)
    for place in archive.settings.heads_to:
        left, key = max(1.0, until - time.monotonic()), identify(place)
        result = send_heads(
            archive.store, head.archive, head.n, place, archive.settings, known=memory.sent.get(key), seconds=left
        )
        sent[key] = result.newest  # 0, too: then it lacks the first
        if result.reason is None:
            report.sent[show_place(place)] = result.newest
        else:
            report.failed[show_place(place)] = result.reason
    write_memory(archive.state, HeadMemory(archive=head.archive, newest=head.n, sent=sent))
    for where, reason in report.failed.items():
        log.warning("failed_head", place=where, n=head.n, reason=reason)
    return report


def _write(
    archive: OpenArchive, memory: HeadMemory, fresh: Mapping[str, LogEnd] | None, now: datetime
) -> tuple[ArchiveHead | None, bool, bool]:
    """Return the newest head, whether it is stamped, and whether it was put now."""
    known = memory.newest
    for _ in range(_RACES):
        n, stamped = find_newest(archive.store, known)
        if n < known:
            raise DamageFound(f"{archive.store.url}/heads/: head {known} was seen by this machine, and is gone")
        before = read_head(archive.store, n) if n else None
        if before is not None and before.archive != archive.info.archive:
            raise DamageFound(f"{archive.store.url}/heads/: head {n} is of archive {before.archive[:40]!a}")
        ends = gather_ends(
            archive.store,
            archive.info,
            before.ends if before else {},
            None if before is None or _is_old(archive, before, now) else fresh,
        )
        if before is not None and ends == before.ends:
            return before, stamped, False
        if not ends:
            return None, False, False
        head = append_head(archive.store, archive.info, before, ends, signer=archive.signer, now=now)
        if head is not None:
            log.info("wrote_head", n=head.n, sources=len(head.ends), sha256=head.document.digest)
            return head, False, True
        known = n
    raise StoreUnavailable(f"{archive.store.url}/heads/: others put {_RACES} heads meanwhile; try again")


def _is_old(archive: OpenArchive, head: ArchiveHead, now: datetime) -> bool:
    return not timedelta() <= now - head.created < timedelta(seconds=archive.settings.heads_seconds)


def _stamp(archive: OpenArchive, head: ArchiveHead, report: HeadReport, seconds: float) -> None:
    """Ask the authority for a stamp on *head* and keep what it answers."""
    url, key = archive.settings.stamp_url or "", stamp_key(head.n)
    try:
        (posted,) = post_all([Posting(url, make_request(head.data), {"Content-Type": REQUEST_TYPE})], seconds)
        if posted.reason is not None:
            report.failed[show_place(url)] = f"no stamp: {posted.reason}"
            return
        stamp = read_stamp(head.data, posted.body, show_place(url))
        archive.store.create(key, posted.body, sha256=digest(posted.body))
    except ObjectExists:
        return  # another machine had it stamped meanwhile
    except (ArchiveError, OSError) as error:
        report.failed[show_place(url)] = f"no stamp: {error}"
        return
    report.stamped = stamp.at
    log.info("stamped_head", n=head.n, at=stamp.at.isoformat())

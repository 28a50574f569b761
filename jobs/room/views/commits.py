"""The log of a source: its commits, whether the store still has them as they were folded, and how to prove it all."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from pydantic import Field

from config.errors import StoreError
from crawler.ids import read_stamp
from jobs.archive.commit import commit_key
from jobs.archive.signing import UNSIGNED
from jobs.room.addresses import MORE
from jobs.room.endpoints import Page, Told
from jobs.room.views.namings import Naming, SourceAsked, name_source
from jobs.verify.glance import SeenCommit, count_beyond, glance_at

if TYPE_CHECKING:
    from jobs.catalog.logbook import LoggedCommit
    from jobs.room.desk import Desk
    from jobs.verify.glance import Finding

_NO_SIGNATURE = UNSIGNED
_SILENT_STORE = "the store does not answer just now: nothing was checked"


class CommitsAsked(SourceAsked):
    """Which source, and which page of its log."""

    before: int | None = Field(default=None, ge=1, le=2**63 - 1)
    """Number of the commit before which the page begins."""
    check: bool = False
    """Whether to read the commits of this page again from the store."""


class CommitLine(Told):
    """A commit as it was folded: chained to the one before, by its digest."""

    seq: int
    digest: str
    kind: str | None
    """`null`: only its rows were read here; so of what follows."""
    committed: datetime | None
    run: str | None
    run_began: datetime | None
    """As its id says."""
    segment: str | None
    key: str
    """Of the commit's own object."""
    object_key: str | None
    """Of the segment's."""
    size_bytes: int | None
    epoch: int | None
    signed: bool | None
    checked: bool
    """Whether it was read again for this page."""
    fault: str | None
    """What is otherwise in the store; `null`: nothing, as far as it was checked."""


class LogEnd(Told):
    """The end of the log that is known here, looked up in the store for this page."""

    seq: int
    digest: str
    as_seen: bool | None
    """Whether the store still has that commit, and what it names; `null`: it did not answer."""
    fault: str | None
    beyond: int | None
    """Commits behind it that are not folded yet; `null`: the store did not answer."""


class CommitsTold(Told):
    """A page of a log, the last commit first."""

    source: Naming
    end: LogEnd | None
    """`null`: nothing was committed yet."""
    commits: tuple[CommitLine, ...]
    checked: bool
    faults: int
    first: bool
    """Whether this page begins with the last commit."""
    before: int | None
    """What the next page is to be asked by; `null`: these are all."""

    @property
    def commands(self) -> tuple[tuple[str, str], ...]:
        """What proves more, and the command that does."""
        if self.end is None:
            return ()
        name = self.source.source
        return (
            (
                "This log and that every object is there, held against the end that is shown here",
                f"ofrecord verify {name} --expect {name}={self.end.seq}:{self.end.digest}",
            ),
            ("Every byte of it, read back", f"ofrecord verify --full {name}"),
            ("Every text made anew from the pages as they were recorded", f"ofrecord verify --rederive {name}"),
        )


def view_commits(desk: Desk, asked: CommitsAsked) -> CommitsTold:
    """Return a page of a log. Raises NotThere."""
    naming = name_source(desk, asked.source)
    found = desk.catalog.list_commits(asked.source, limit=MORE + 1, before=asked.before)
    shown = found[:MORE]
    findings = _check(desk, asked.source, found) if asked.check else {}
    lines = tuple(_tell_commit(asked.source, one, findings.get(one.seq)) for one in shown)
    return CommitsTold(
        source=naming,
        end=_find_end(desk, asked.source),
        commits=lines,
        checked=bool(findings),
        faults=sum(one.fault is not None for one in lines),
        first=asked.before is None,
        before=shown[-1].seq if len(found) > MORE else None,
    )


def _check(desk: Desk, source: str, commits: list[LoggedCommit]) -> dict[int, Finding]:
    """Return number → what the store has; the last of *commits* is of the next page, and only chained to."""
    seen = [SeenCommit(one.seq, one.digest) for one in commits]
    try:
        return {one.seq: one for one in glance_at(desk.store, source, desk.info.archive, seen)}
    except StoreError:
        return {}


def _find_end(desk: Desk, source: str) -> LogEnd | None:
    seq, digest = desk.catalog.head(source)
    if not seq:
        return None
    try:
        (finding,) = glance_at(desk.store, source, desk.info.archive, [SeenCommit(seq, digest)])
        beyond = count_beyond(desk.store, source, seq)
    except StoreError:
        return LogEnd(seq=seq, digest=digest, as_seen=None, fault=_SILENT_STORE, beyond=None)
    return LogEnd(seq=seq, digest=digest, as_seen=finding.fault is None, fault=finding.fault, beyond=beyond)


def _tell_commit(source: str, one: LoggedCommit, finding: Finding | None) -> CommitLine:
    signed = None if one.signature is None else one.signature != _NO_SIGNATURE
    return CommitLine(
        seq=one.seq,
        digest=one.digest,
        kind=one.kind,
        committed=one.committed,
        run=one.run,
        run_began=read_stamp(one.run) if one.run else None,
        segment=one.segment,
        key=commit_key(source, one.seq),
        object_key=one.key,
        size_bytes=one.size_bytes,
        epoch=one.epoch,
        signed=signed if finding is None or finding.fault else finding.signed,
        checked=finding is not None,
        fault=None if finding is None else finding.fault,
    )


ENDPOINTS = (
    Page("commits", "/sources/{source}/commits", CommitsAsked, CommitsTold, view_commits, "The log of a source"),
)

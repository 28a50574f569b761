"""The runs of a source, and one of them: what it looked at, what it found, what it captured."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from pydantic import Field

from jobs.ledger import is_late
from jobs.room.addresses import MORE
from jobs.room.endpoints import BadRequest, NotThere, Page, Told
from jobs.room.views.namings import Naming, SourceAsked, name_source

if TYPE_CHECKING:
    from jobs.catalog.logbook import RunCapture
    from jobs.catalog.slots import StoredRun
    from jobs.room.desk import Desk

CAPTURES = 100
"""Of a run, on one page."""
COUNTED = 100_000
"""Captures of a run that are counted for its page."""
_COUNTED_AT_ONCE = 5_000
"""The same of each run in a list of many."""
_MOST_CHARS = 200
"""Of a word in a row that anybody may have written."""


class RunsAsked(SourceAsked):
    """Which source, and which page of its runs."""

    after: str | None = Field(default=None, max_length=120)
    """The run behind which the page begins, as the page before says."""


class RunLine(Told):
    """A run that ended in good order."""

    run: str
    trigger: str
    """crawl, daemon, job, backfill, import."""
    slot: datetime | None
    """Of the schedule, for which it was begun."""
    late: bool
    started: datetime
    finished: datetime
    end: str
    """finished, limit, stopped, lease."""
    counts: dict[str, int]
    """As its row has them: captures, articles, snapshots, links, errors, failed, bytes, not_modified, …"""
    verdicts: dict[str, int] | None
    """What its captures of articles came to → how many; `null`: there are too many to count them for this page."""


class RunsTold(Told):
    """The runs of a source, the last one first."""

    source: Naming
    runs: tuple[RunLine, ...]
    first: bool
    """Whether this page begins with the last run."""
    after: str | None
    """Behind which run the next page begins; `null`: these are all."""


class RunAsked(SourceAsked):
    """Which run, and which page of its captures."""

    run: str = Field(max_length=120)
    show: str = Field(default="", max_length=20, pattern="^[a-z]*$")
    """Only captures of articles (`article`), or of those that came to that verdict; empty: all."""
    after: str | None = Field(default=None, max_length=160)
    """The capture behind which the page begins: `segment:n`."""


class ListingTold(Told):
    """A feed, sitemap or section as the run read it."""

    url: str
    purpose: str
    links: int
    """Articles found there first in that run."""
    error: str | None


class CertificateTold(Told):
    """What a host proved itself by last in the run."""

    host: str
    not_before: datetime
    not_after: datetime
    issuer: str | None


class SegmentTold(Told):
    """A segment of the run."""

    segment: str
    commit: int
    key: str | None
    """Of its object in the archive."""
    size_bytes: int | None


class CaptureLine(Told):
    """A capture."""

    segment: str
    n: int
    url: str
    captured_at: datetime
    purpose: str
    status: int | None
    page_class: str
    verdict: str | None
    revision: int | None
    error: str | None
    redirect: str | None
    seconds: float | None
    from_elsewhere: bool


class RunTold(Told):
    """A run."""

    source: Naming
    id: str
    run: RunLine | None
    """`null`: it left captures, and did not end in good order."""
    listings: tuple[ListingTold, ...]
    certificates: tuple[CertificateTold, ...]
    segments: tuple[SegmentTold, ...]
    purposes: dict[str, int]
    """Purpose → captures."""
    verdicts: dict[str, int]
    counted: bool
    """Whether these are all, and not only the first ones of very many."""
    show: str
    captures: tuple[CaptureLine, ...]
    after: str | None
    """Behind which capture the next page begins; `null`: these are all."""
    first: bool


def view_runs(desk: Desk, asked: RunsAsked) -> RunsTold:
    """Return a page of runs. Raises NotThere, BadRequest."""
    naming = name_source(desk, asked.source)
    before = None
    if asked.after is not None:
        started = desk.catalog.find_start(asked.source, asked.after)
        if started is None:
            raise BadRequest(f"after: found {asked.after!a}, expected a run of {asked.source}")
        before = started, asked.after
    found = desk.catalog.list_last_runs(asked.source, limit=MORE + 1, before=before)
    return RunsTold(
        source=naming,
        runs=tuple(_tell_run(one, _count_verdicts(desk, asked.source, one)) for one in found[:MORE]),
        first=before is None,
        after=found[MORE - 1].run if len(found) > MORE else None,
    )


def view_run(desk: Desk, asked: RunAsked) -> RunTold:
    """Return a run, and a page of its captures. Raises NotThere, BadRequest."""
    naming = name_source(desk, asked.source)
    stored = desk.catalog.find_run(asked.source, asked.run)
    counts = desk.catalog.count_run(asked.source, asked.run, most=COUNTED)
    if stored is None and not counts.purposes:
        raise NotThere(f"no run {asked.run!a} of {asked.source} in this archive")
    place = None if asked.after is None else _read_place(asked.after)
    found = desk.catalog.list_run_captures(
        asked.source, asked.run, limit=CAPTURES + 1, after=place, verdict=asked.show or None
    )
    shown = found[:CAPTURES]
    return RunTold(
        source=naming,
        id=asked.run,
        run=None if stored is None else _tell_run(stored, counts.verdicts),
        listings=tuple(
            ListingTold(url=one.url, purpose=one.purpose, links=one.links, error=one.error)
            for one in desk.catalog.list_listings(asked.source, asked.run)
        ),
        certificates=tuple(
            CertificateTold(host=host, not_before=one.not_before, not_after=one.not_after, issuer=one.issuer)
            for host, one in desk.catalog.list_certificates(asked.source, asked.run)
        ),
        segments=tuple(
            SegmentTold(segment=one.segment, commit=one.seq, key=one.key, size_bytes=one.size_bytes)
            for one in desk.catalog.list_run_segments(asked.source, asked.run)
        ),
        purposes=counts.purposes,
        verdicts=counts.verdicts,
        counted=counts.whole,
        show=asked.show,
        captures=tuple(_tell_capture(one) for one in shown),
        after=f"{shown[-1].segment}:{shown[-1].n}" if len(found) > CAPTURES else None,
        first=place is None,
    )


def _tell_run(run: StoredRun, verdicts: dict[str, int] | None) -> RunLine:
    return RunLine(
        run=run.run,
        trigger=run.trigger[:_MOST_CHARS],
        slot=run.slot,
        late=run.slot is not None and is_late(run.slot, run.started),
        started=run.started,
        finished=run.finished,
        end=run.reason[:_MOST_CHARS],
        counts=_read_counts(run.counts),
        verdicts=verdicts,
    )


def _count_verdicts(desk: Desk, source: str, run: StoredRun) -> dict[str, int] | None:
    told = run.counts.get("captures")
    if isinstance(told, int) and told > _COUNTED_AT_ONCE:
        return None
    counts = desk.catalog.count_run(source, run.run, most=_COUNTED_AT_ONCE)
    return counts.verdicts if counts.whole else None


def _read_counts(told: dict[str, Any]) -> dict[str, int]:
    """Return the numbers of a row that anybody may have written."""
    pairs = [(str(name)[:40], value) for name, value in list(told.items())[:40]]
    return {name: value for name, value in pairs if type(value) is int and 0 <= value < 2**63}


def _read_place(text: str) -> tuple[str, int]:
    segment, _, n = text.rpartition(":")
    if not segment or not n.isascii() or not n.isdigit() or len(n) > 18:
        raise BadRequest(f"after: found {text!a}, expected a capture of this run as the page before names it")
    return segment, int(n)


def _tell_capture(one: RunCapture) -> CaptureLine:
    return CaptureLine(
        segment=one.segment,
        n=one.n,
        url=one.url,
        captured_at=one.captured_at,
        purpose=one.purpose,
        status=one.status,
        page_class=one.page_class,
        verdict=one.verdict,
        revision=one.revision,
        error=one.error and one.error[:1_000],
        redirect=one.redirect,
        seconds=one.seconds,
        from_elsewhere=one.from_elsewhere,
    )


ENDPOINTS = (
    Page("runs", "/sources/{source}/runs", RunsAsked, RunsTold, view_runs, "The runs of a source"),
    Page("run", "/sources/{source}/runs/{run}", RunAsked, RunTold, view_run, "A run and its captures"),
)

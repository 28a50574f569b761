"""An article's past as its page tells it: captures, revisions, changes, what proves that it is gone."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from crawler.model import PageClass
from jobs.articles import GOOD_VERDICTS, list_metadata_changes
from jobs.changes import What
from jobs.fold import NOT_MODIFIED, State, Verdict
from jobs.room.endpoints import BadRequest, Told
from jobs.room.views.events import EventTold, tell_event
from jobs.search import EventFilter, QueryError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jobs.catalog import StoredCapture, StoredRevision
    from jobs.room.desk import Desk
    from jobs.search import Event

MAX_CHANGES = 40
"""Changes on one page."""
MAX_EVIDENCE = 20
"""Captures that are told as evidence of one deletion: the first ones."""
_AWAY = frozenset({Verdict.SUSPECTED, Verdict.GONE})


class CaptureTold(Told):
    """One capture of the article."""

    number: int
    """Which of the article, from 1, the oldest first."""
    captured_at: datetime
    segment: str
    n: int
    """Its place in the segment."""
    run: str
    verdict: str
    """What it means for the article: FORMAT.md § 7."""
    revision: int | None
    """Number of the text that it has."""
    status: int | None
    """`null`: there was no answer."""
    page_class: str
    reason: str
    """Why it is of that class, or why there was no answer."""
    redirect: str | None
    evidence: str | None
    """Of deletion, which kind."""
    not_modified: bool
    """Whether the server said that the page is as before."""
    metadata: bool
    """Whether what is said about the article is other than before."""
    origin: str | None
    """What it was imported or backfilled from; `null`: it was fetched."""


class RevisionTold(Told):
    """One distinct text of the article."""

    number: int
    captured_at: datetime
    """When it was seen first."""
    captures: int
    texts: dict[str, str]
    """Derivation → digest of the text as those rules read it."""


class DetailTold(Told):
    """Something that is said otherwise about the article; `null`: nothing was said."""

    name: str
    before: Any
    after: Any


class ArticleChange(EventTold):
    """Something that happened to the article."""

    details: tuple[DetailTold, ...]


class RulesTold(Told):
    """A recorded answer for a robots.txt."""

    url: str
    captured_at: datetime
    segment: str
    n: int


class EvidenceTold(Told):
    """A capture that shows that the article is gone."""

    captured_at: datetime
    run: str
    segment: str
    n: int
    evidence: str
    reason: str
    rules: tuple[RulesTold, ...]
    """Where robots.txt forbade the look: its answers, redirects first."""


def tell_captures(captures: Sequence[StoredCapture], limit: int) -> tuple[CaptureTold, ...]:
    """Return the newest *limit* of *captures*, by time."""
    first = max(0, len(captures) - limit)
    return tuple(_tell_capture(number, one) for number, one in enumerate(captures[first:], first + 1))


def tell_revisions(revisions: Sequence[StoredRevision], limit: int) -> tuple[RevisionTold, ...]:
    """Return the last *limit* of *revisions*, by number."""
    return tuple(
        RevisionTold(number=one.number, captured_at=one.captured_at, captures=one.captures, texts=one.texts)
        for one in revisions[-limit:]
    )


def tell_changes(
    desk: Desk, source: str, url: str, captures: Sequence[StoredCapture], after: str | None
) -> tuple[tuple[ArticleChange, ...], str | None]:
    """Return a page of what happened to an article, the newest first, and where the next begins. Raises BadRequest."""
    try:
        found = desk.index.list_events(EventFilter(sources=(source,), url=url), limit=MAX_CHANGES, after=after)
    except QueryError as error:
        raise BadRequest(str(error)) from error
    places = {one.place: at for at, one in enumerate(captures)}
    return tuple(_tell_change(desk, event, captures, places) for event in found.events), found.after


def tell_deletion(desk: Desk, captures: Sequence[StoredCapture]) -> tuple[EvidenceTold, ...]:
    """Return what shows that the article is gone now, by time; nothing if it is there, as far as is known."""
    found: list[StoredCapture] = []
    for capture in captures:
        if capture.verdict in GOOD_VERDICTS:
            found = []
        elif capture.verdict in _AWAY:
            found.append(capture)
    return tuple(
        EvidenceTold(
            captured_at=one.captured_at,
            run=one.run,
            segment=one.segment,
            n=one.n,
            evidence=one.evidence or "",
            reason=one.class_reason,
            rules=_list_rules(desk, one),
        )
        for one in found[:MAX_EVIDENCE]
    )


def read_state(captures: Sequence[StoredCapture]) -> str:
    """Return how an article stands (`live`, `suspected`, `gone`, `none`), as the fold has it."""
    for capture in reversed(captures):
        if capture.verdict in _AWAY:
            return str(capture.verdict)
        if capture.verdict in GOOD_VERDICTS:
            return State.LIVE
    return State.NONE


def _tell_capture(number: int, capture: StoredCapture) -> CaptureTold:
    origin = capture.origin or {}
    return CaptureTold(
        number=number,
        captured_at=capture.captured_at,
        segment=capture.segment,
        n=capture.n,
        run=capture.run,
        verdict=capture.verdict or Verdict.BAD,
        revision=capture.revision,
        status=capture.status,
        page_class=capture.page_class,
        reason=capture.error or capture.class_reason or "",
        redirect=capture.redirect,
        evidence=capture.evidence,
        not_modified=capture.status == NOT_MODIFIED and capture.read_at is not None,
        metadata=capture.metadata,
        origin=f"{origin['kind']} from {origin['where']}" if origin else None,
    )


def _tell_change(
    desk: Desk, event: Event, captures: Sequence[StoredCapture], places: dict[tuple[str, int], int]
) -> ArticleChange:
    at = places.get((event.segment, event.n))
    details: list[dict[str, Any]] = []
    if event.what == What.METADATA and at is not None:
        earlier = [one for one in captures[:at] if one.verdict in GOOD_VERDICTS]
        details = list_metadata_changes(desk.catalog, captures[at], earlier)
    told = tell_event(desk, event)
    return ArticleChange(**dict(told), details=tuple(DetailTold(**one) for one in details))


def _list_rules(desk: Desk, capture: StoredCapture) -> tuple[RulesTold, ...]:
    if capture.page_class != PageClass.BLOCKED:
        return ()
    return tuple(
        RulesTold(url=one.target_uri, captured_at=one.captured_at, segment=one.segment, n=one.n)
        for one in desk.catalog.list_rules(capture)
    )

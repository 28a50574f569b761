"""The captures of one article, judged → what happened to it: edits, reverts, alternation, deletion, return. Pure.

The same captures give the same events, in whatever order they were committed.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

from jobs.changes.alternation import Flip, find_alternations
from jobs.fold import Place, describe_evidence

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from jobs.catalog import Sight

_KEPT_PLACES = 4


class What(StrEnum):
    """What happened to an article."""

    REVISED = "revised"
    """It has a text that it never had."""
    REVERTED = "reverted"
    """It has a text again that it had before the last one."""
    ALTERNATING = "alternating"
    """It goes back and forth between the same few texts: one event, at its last change."""
    SUSPECTED = "suspected"
    """First evidence that it was deleted."""
    GONE = "gone"
    """Evidence in a second run: it was deleted."""
    RETURNED = "returned"
    """It is there again after such evidence."""
    METADATA = "metadata"
    """Authors, dates, main picture, tags or the like changed, and the text did not."""
    MOVED = "moved"
    """It leads to another article, which has its text: FORMAT.md § 7."""


@dataclass(frozen=True, slots=True)
class TextSeen:
    """A text of an article, by a capture that had it."""

    revision: int
    captured_at: datetime
    places: tuple[Place, ...]
    """Captures that have its words: that one (of a 304, the one that it stands for), some before it, the first."""


@dataclass(frozen=True, slots=True)
class Change:
    """One event of an article."""

    source: str
    url: str
    what: What
    at: datetime
    """When the capture was made that shows it; it happened between the capture before and this."""
    run: str
    place: Place
    """That capture."""
    first: Place
    """Of an alternation its first change, else that capture: what the id is made of."""
    since: datetime
    """When the capture `first` was made."""
    before: TextSeen | None = None
    """The text that it had, as it was seen last; of an alternation, before its first change."""
    after: TextSeen | None = None
    """The text that it has then."""
    texts: tuple[int, ...] = ()
    """Of an alternation: the numbers of its texts."""
    times: int = 0
    """Of an alternation: how often the text changed."""
    evidence: str | None = None
    """Of a deletion, in words."""
    target: str | None = None
    """Of a move: the article that it leads to."""

    def make_id(self, archive: str) -> str:
        """Return a URN that names this event for ever, in every copy of the archive of that id (32 hex digits).

        An edit that turns out to begin an alternation keeps its id: who had heard of the one hears of the other.
        """
        kind = {What.SUSPECTED: "presence", What.GONE: "presence", What.RETURNED: "presence", What.METADATA: "metadata"}
        kind |= {What.MOVED: "move"}
        segment, n = self.first
        name = f"{self.source} {segment} {n} {kind.get(self.what, 'text')} {self.url}"
        return uuid.uuid5(uuid.UUID(archive), name).urn


@dataclass(slots=True)
class _TextChange:
    sight: Sight
    before: TextSeen
    after: TextSeen
    back: bool


def list_changes(source: str, url: str, sights: Sequence[Sight]) -> list[Change]:
    """Return what happened to an article, by time. *sights*: its captures but bad ones, in the order of the fold."""
    changes, flips = _read_sights(source, url, sights)
    alternations = find_alternations([Flip(one.before.revision, one.after.revision, one.back) for one in flips])
    at = 0
    for first, last in [*alternations, (len(flips), len(flips) - 1)]:
        changes += [_tell_flip(source, url, one) for one in flips[at:first]]
        if first <= last:
            changes.append(_tell_alternation(source, url, flips[first : last + 1]))
        at = last + 1
    return sorted(changes, key=lambda one: (one.at, one.place, one.what is not What.RETURNED))


def tell_move(source: str, url: str, sights: Sequence[Sight], leaving: Sight, target: str) -> Change:
    """Return the event that an article moved to *target*, as the redirect *leaving* shows."""
    had: dict[int, list[Place]] = {}
    seen = [_note_text(sight, had) for sight in sights]
    last = next((one for one in reversed(seen) if one is not None), None)
    return replace(_make(source, url, What.MOVED, leaving, before=last), target=target)


def _read_sights(source: str, url: str, sights: Sequence[Sight]) -> tuple[list[Change], list[_TextChange]]:
    """Return what is told of deletion and return, and every change of text."""
    changes: list[Change] = []
    flips: list[_TextChange] = []
    had: dict[int, list[Place]] = {}
    last: TextSeen | None = None
    presence = "live"
    for sight in sights:
        if sight.verdict in {What.SUSPECTED, What.GONE}:
            if presence != sight.verdict:
                evidence = tell_evidence(sight.status, sight.page_class, sight.class_reason)
                changes.append(_make(source, url, What(sight.verdict), sight, before=last, evidence=evidence))
            presence = sight.verdict
            continue
        seen = _note_text(sight, had)
        if presence != "live":
            changes.append(_make(source, url, What.RETURNED, sight, before=last, after=seen))
            presence = "live"
        if seen is not None and last is not None and seen.revision != last.revision:
            flips.append(_TextChange(sight, last, seen, back=sight.verdict == What.REVERTED))
        elif seen is not None and last is not None and sight.metadata:
            changes.append(_make(source, url, What.METADATA, sight, before=last, after=seen))
        last = seen or last
    return changes, flips


def _note_text(sight: Sight, had: dict[int, list[Place]]) -> TextSeen | None:
    if sight.revision is None:
        return None
    places = had.setdefault(sight.revision, [])
    place = sight.read_at or sight.place
    if place in places:
        places.remove(place)
    places.append(place)
    if len(places) > _KEPT_PLACES:
        del places[1]
    return TextSeen(sight.revision, sight.captured_at, tuple(reversed(places)))


def _tell_flip(source: str, url: str, flip: _TextChange) -> Change:
    what = What.REVERTED if flip.back else What.REVISED
    return _make(source, url, what, flip.sight, before=flip.before, after=flip.after)


def _tell_alternation(source: str, url: str, flips: list[_TextChange]) -> Change:
    begun, ended = flips[0], flips[-1]
    texts = {begun.before.revision, *(one.after.revision for one in flips)}
    return Change(
        source,
        url,
        What.ALTERNATING,
        ended.sight.captured_at,
        ended.sight.run,
        ended.sight.place,
        first=begun.sight.place,
        since=begun.sight.captured_at,
        before=ended.before,
        after=ended.after,
        texts=tuple(sorted(texts)),
        times=len(flips),
    )


def _make(
    source: str,
    url: str,
    what: What,
    sight: Sight,
    *,
    before: TextSeen | None = None,
    after: TextSeen | None = None,
    evidence: str | None = None,
) -> Change:
    return Change(
        source,
        url,
        what,
        sight.captured_at,
        sight.run,
        sight.place,
        sight.place,
        sight.captured_at,
        before=before,
        after=after,
        evidence=evidence,
    )


def tell_evidence(status: int | None, page_class: str, class_reason: str) -> str:
    """Return evidence of deletion in words: `404`, `soft 404 (the page says …)`."""
    kind = describe_evidence(status, page_class) or page_class
    return kind if kind.startswith(str(status)) or not class_reason else f"{kind} ({class_reason})"

"""Texts against the raw pages that they were made from, where the running program is the one that made them."""

from __future__ import annotations

import json
import re
from contextlib import closing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from config.errors import RecordError, StoreError
from crawler.derivation import read_ingredients
from crawler.rows import SegmentRow, SnapshotRow, decode_row, encode_row
from crawler.segment import snapshot_row
from jobs.archive.ranges import fetch_range
from jobs.segments.pages import derive_pages, read_capture
from jobs.verify.pointers import show

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from crawler.derivation import Ingredients
    from crawler.model import Exchange
    from crawler.outcome import PageContext, PageOutcome
    from jobs.segments.pages import DerivingLimits, RecordPlace
    from jobs.store import ObjectStore
    from jobs.verify.captures import CaptureFact, Captures
    from jobs.verify.lines import RowsPart
    from jobs.verify.report import Notes, VerifyReport

_STOPPED = re.compile(
    r"time-out|the workers? (?:ended|answered|was|were|did)|the worker's|.*(?:inflates to more than|bytes, at most)"
)
"""What is said of a page that this machine's limits stopped."""
_COMPARED = {"text_digest": "text", "class": "class", "title": "title", "lead": "lead", "fields": "fields"}
"""Field of a snapshot row → what it is called."""


@dataclass(frozen=True, slots=True)
class Rederivation:
    """A snapshot that is being made anew."""

    row: SnapshotRow
    line: int
    notes: Notes
    """Of the segment's rows."""
    place: RecordPlace
    """Of the response or revisit record."""


Job = tuple[Rederivation, "Exchange", "PageContext"]


@dataclass(slots=True)
class Deriving:
    """Finds the snapshots that can be made anew, and reads the pages that they were made from."""

    store: ObjectStore
    limits: DerivingLimits
    _meanings: dict[str, Ingredients | None] = field(default_factory=dict)
    """Derivation → what the running program is to be given to make it; `None`: it cannot."""

    def learn(self, derivations: dict[str, Any]) -> None:
        """Take in what derivations stand for."""
        for derivation, meaning in derivations.items():
            if self._meanings.get(derivation) is None:
                self._meanings[derivation] = read_ingredients(derivation, meaning)

    def list_jobs(self, rows: RowsPart, segment: str, captures: Captures, warc_key: str, notes: Notes) -> Iterator[Job]:
        """Yield the snapshots among the *rows* of *segment* that can be made anew, each with its page.

        *warc_key*: of the segment's WARC file. Stops where the rows cannot be read.
        """
        read = _Reader(self.store, (warc_key, rows.path))
        line = 0
        try:
            for data in rows.read_lines():
                line += 1
                row = decode_row(data) if b'"segment"' in data or b'"snapshot"' in data else None
                if isinstance(row, SegmentRow):
                    self.learn(row.derivations)
                elif isinstance(row, SnapshotRow):
                    fact = captures.find(row.of.segment, row.of.n) if row.of else captures.find(segment, row.n or 0)
                    if fact is not None:
                        yield from self._make_job(row, line, fact, read, notes)
        except RecordError:
            return  # the check of the rows has said so

    def _make_job(self, row: SnapshotRow, line: int, fact: CaptureFact, read: _Reader, notes: Notes) -> Iterator[Job]:
        ingredients = self._meanings.get(row.derivation)
        places = fact.places
        if ingredients is None or places is None:
            return
        context = self.limits.make_context(ingredients, row.derivation)
        try:
            exchange = read_capture(read, places, context)
        except (RecordError, StoreError) as error:
            notes.notice(f"the text cannot be made anew: {error}", line=line)
            return
        yield Rederivation(row, line, notes, places.record), exchange, context


class _Reader:
    """Hands out records of the segment at hand from its local copy, of all others from the store."""

    def __init__(self, store: ObjectStore, local: tuple[str, Path]) -> None:
        self._store = store
        self._local = local

    def __call__(self, place: RecordPlace) -> bytes:
        if self._local[0] != place.key:
            return fetch_range(self._store, place.key, place.offset, place.length)
        with self._local[1].open("rb") as file:
            file.seek(place.offset)
            return file.read(place.length)


def compare_texts(jobs: Iterator[Job], limits: DerivingLimits, report: VerifyReport) -> None:
    """Make every text of *jobs* anew, and take down where one is not what it was."""
    with closing(derive_pages(jobs, limits)) as outcomes:  # type: ignore[type-var]  # a generator
        for job, outcome in outcomes:
            report.counts.rederived += 1
            _compare(job, outcome)


def _compare(job: Rederivation, outcome: PageOutcome) -> None:
    where = f"the page is {job.place}"
    changed = "does not come of the raw page any more"
    if outcome.snapshot is None:
        reason = outcome.extraction_error or f"{outcome.page_class}: {outcome.class_reason}"
        if outcome.extraction_error and _STOPPED.match(reason):
            job.notes.notice(f"the text could not be made anew: {reason[:200]}; {where}", line=job.line)
        else:
            job.notes.damage(f"the text {changed}: none comes ({reason[:200]!a}); {where}", line=job.line)
        return
    row = job.row
    made = snapshot_row(outcome.snapshot, url=row.url, captured_at=row.captured_at, n=row.n, of=row.of)
    stated, found = json.loads(encode_row(row)), json.loads(encode_row(made))
    for name, word in _COMPARED.items():
        if stated[name] != found[name]:
            job.notes.damage(
                f"the {word} {changed}: found {show(found[name])}, the row says {show(stated[name])}; {where}",
                line=job.line,
            )

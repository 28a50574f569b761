"""The newest articles of a source in an archive → samples: their pages read from the store, outlined by workers."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import structlog

from config.errors import ExtractError, RecordError, StoreError
from config.rules import LearnedRules
from crawler.derivation import Ingredients
from crawler.model import GOOD_CLASSES, Outline, PageClass
from jobs.archive.ranges import fetch_range
from jobs.learning.evidence import Sample
from jobs.segments.pages import CapturePlaces, DerivingLimits, outline_pages, read_capture

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Sequence

    from config.sources import Source
    from crawler.model import Exchange
    from crawler.outcome import PageContext
    from jobs.catalog import StoredCapture
    from jobs.context import OpenArchive
    from jobs.learning.trial import Place

log = structlog.get_logger()

ARTICLES = 200
CAPTURES = 3
"""Of one article, each with another page."""
MOST_LINES = 400_000
"""Of all pages that are compared, so that memory is bounded; real pages have some 400."""
_CLASSES = frozenset(one.value for one in GOOD_CLASSES | {PageClass.TRUNCATED})


@dataclass(slots=True)
class ArchiveSample:
    """Pages of one source, read again whenever they are asked for."""

    archive: OpenArchive
    source: Source
    samples: list[Sample] = field(default_factory=list)
    _captures: list[list[StoredCapture]] = field(default_factory=list)

    def read(self, *, articles: int = ARTICLES, captures: int = CAPTURES) -> list[Sample]:
        """Return the newest *articles* with their newest different *captures*, outlined under the rules of persons.

        A page that cannot be read is left out with a log line. Raises ExtractError if no worker starts.
        """
        wanted = [
            capture
            for url in self.archive.catalog.list_newest(self.source.id, articles)
            for capture in pick_captures(self.archive.catalog.list_captures(self.source.id, url), captures)
        ]
        nothing = LearnedRules()
        found: dict[int, Outline] = {}
        room = MOST_LINES
        with closing(self._read([(capture, nothing) for capture in wanted])) as outlines:
            for number, outline in outlines:
                room -= len(outline.lines)
                if room < 0:
                    reason = f"more than {MOST_LINES} lines to compare"
                    log.warning("skipped_page", url=wanted[number].url, reason=reason, pages=len(wanted) - number)
                    break
                found[number] = outline
        by_url: dict[str, list[int]] = {}
        for number in sorted(found):
            by_url.setdefault(wanted[number].url, []).append(number)
        self._captures = [[wanted[number] for number in numbers] for numbers in by_url.values()]
        self.samples = [Sample(url, tuple(found[number] for number in numbers)) for url, numbers in by_url.items()]
        return self.samples

    def read_texts(self, jobs: Sequence[tuple[Place, LearnedRules]]) -> list[list[str] | None]:
        """Return the lines of each page under rules: `jobs.learning.lesson.TextReader`."""
        texts: list[list[str] | None] = [None] * len(jobs)
        with closing(self._read([(self._captures[place[0]][place[1]], rules) for place, rules in jobs])) as outlines:
            for number, outline in outlines:
                texts[number] = list(outline.text)
        return texts

    def _read(self, jobs: list[tuple[StoredCapture, LearnedRules]]) -> Generator[tuple[int, Outline], None, None]:
        """Yield number and outline of each page, under the source's rules and those, that has a text."""
        limits = DerivingLimits.of(self.archive.settings)
        contexts: dict[int, PageContext] = {}

        def take() -> Iterator[tuple[int, Exchange, PageContext]]:
            for number, (capture, learned) in enumerate(jobs):
                if id(learned) not in contexts:
                    contexts[id(learned)] = self._make_context(limits, learned)
                exchange = self._read_exchange(capture, contexts[id(learned)])
                if exchange is not None:
                    yield number, exchange, contexts[id(learned)]

        with closing(outline_pages(take(), limits)) as outlines:  # type: ignore[type-var]  # a generator
            for number, outline in outlines:
                if isinstance(outline, ExtractError):
                    log.info("skipped_page", url=jobs[number][0].url, reason=str(outline))
                else:
                    yield number, outline

    def _make_context(self, limits: DerivingLimits, learned: LearnedRules) -> PageContext:
        rules = self.source.extract.model_copy(update={"learned": learned})
        given = Ingredients(rules, self.source.timezone, self.source.language, self.source.render)
        return limits.make_context(given, given.derive().digest)

    def _read_exchange(self, capture: StoredCapture, context: PageContext) -> Exchange | None:
        places = CapturePlaces.of(capture)
        if places is None or not places.serve(context):
            return None
        store = self.archive.store
        try:
            return read_capture(
                lambda place: fetch_range(store, place.key, place.offset, place.length), places, context
            )
        except (StoreError, RecordError) as error:
            log.warning("skipped_page", url=capture.url, reason=f"{store.url}: {error}")
            return None


def pick_captures(captures: Sequence[StoredCapture], most: int) -> list[StoredCapture]:
    """Return the newest *most* captures with a text, the oldest first; of those with the same page, one."""
    picked: dict[tuple[str, int | None], StoredCapture] = {}
    for capture in sorted(captures, key=lambda one: (one.captured_at, one.segment, one.n), reverse=True):
        usable = capture.status == 200 and capture.page_class in _CLASSES and capture.response_offset is not None
        if usable and len(picked) < most:
            picked.setdefault((capture.payload_key, capture.payload_offset), capture)
    return list(picked.values())[::-1]

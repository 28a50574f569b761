"""Which captures of a source are to be derived anew: the catalog in, one task for each stretch of a segment out."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Self

from crawler.derivation import Ingredients
from jobs.derived import STRETCH, name_part
from jobs.segments.pages import CapturePlaces

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from config.sources import Source
    from crawler.derivation import Derivation
    from jobs.catalog import Catalog, StoredCapture


@dataclass(frozen=True, slots=True)
class Rules:
    """What texts are made by now."""

    given: Ingredients
    derivation: Derivation

    @classmethod
    def of(cls, source: Source) -> Self:
        """Return the present rules of *source*, learned ones included, and the derivation they make here."""
        given = Ingredients(source.extract, source.timezone, source.language, source.render)
        return cls(given, given.derive())


@dataclass(frozen=True, slots=True)
class PageTask:
    """A capture to be derived."""

    n: int
    url: str
    captured_at: datetime
    places: CapturePlaces


@dataclass(frozen=True, slots=True)
class StretchTask:
    """The captures of a segment, from one number up to another, that are to be derived."""

    source: str
    segment: str
    stretch: int
    """Captures from `stretch × STRETCH` on."""
    derivation: str
    given: Ingredients
    pages: tuple[PageTask, ...]

    @property
    def name(self) -> str:
        """What its part is called."""
        return name_part(self.segment, self.stretch)


def plan_tasks(catalog: Catalog, source: str, rules: Rules, *, again: bool = False) -> Iterator[StretchTask]:
    """Yield what is to be done, in the order of the log. Holds the captures of one segment.

    Captures of articles that were answered with 200 and kept whole or in part; not those whose page the source's file
    did not want. *again*: those too that have a snapshot of these rules.
    """
    derivation = rules.derivation.digest
    for stored in list(catalog.list_segments(source, after=0)):
        captures = catalog.list_derivable(source, stored.segment, derivation, again=again)
        for stretch, group in groupby(captures, key=lambda one: one.n // STRETCH):
            pages = tuple(_list_pages(group))
            if pages:
                yield StretchTask(source, stored.segment, stretch, derivation, rules.given, pages)


def _list_pages(captures: Iterable[StoredCapture]) -> Iterator[PageTask]:
    for capture in captures:
        places = CapturePlaces.of(capture)
        if places is not None:
            yield PageTask(capture.n, capture.url, capture.captured_at, places)

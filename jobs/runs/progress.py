"""How far a run is, for who watches it: what the crawl's process says, the spool, and how much is left to do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from crawler.progress import CrawlProgress


class Phase(StrEnum):
    """What a run is at."""

    CATCHING_UP = "catching up"
    """Reading the log, and committing what earlier runs left."""
    STARTING = "starting"
    """The crawl's process has not said anything yet."""
    CRAWLING = "crawling"
    FINISHING = "committing"
    """Nothing is fetched any more."""


@dataclass(frozen=True, slots=True)
class RunStep:
    """One look at a run."""

    source: str
    phase: Phase
    crawl: CrawlProgress
    """What was last said; zeros before that."""
    left: int
    """Pages that are known of and not yet among the crawl's, within the run's limit."""
    spool_bytes: int = 0
    """On this disk, not yet committed."""
    paused: bool = False
    """Whether fetching waits for room."""


Tell = Callable[[RunStep], None]


class Reporter:
    """Tells of the steps of one run."""

    def __init__(self, source: str, tell: Tell, *, limit: int | None = None) -> None:
        self._source = source
        self._tell = tell
        self._limit = limit
        self._last = CrawlProgress()
        self.given = 0
        """Lines of the list of pages that the crawl is given; it takes them in only as it comes to them."""

    def tell(
        self, phase: Phase, progress: CrawlProgress | None = None, *, spool_bytes: int = 0, paused: bool = False
    ) -> None:
        """Tell of a step; *progress*: what the child said last, if it has said anything."""
        self._last = last = progress or self._last
        left = last.waiting + max(0, self.given - last.listed)
        if self._limit is not None:
            left = min(left, max(0, self._limit - last.pages))
        self._tell(RunStep(self._source, phase, last, left, spool_bytes, paused))

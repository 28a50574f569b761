"""How long to wait between two requests to one host, from what it asked for and how it answered.

Pure calculation: instants are seconds of a clock that only goes forward, and are given. Holds for one run.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

OVERLOADED = frozenset({429, 503})
"""Statuses that say: too much."""
MAX_DELAY_SECONDS = 60.0
"""No slowness and no refusal makes a delay longer than that; what source and robots.txt ask for does."""
FIRST_BACK_OFF_SECONDS = 1.0
"""After a refusal, where there was no delay that could be doubled."""
RECOVERY = 0.9
"""An answer that is no refusal leaves so much of a back-off: half of it is gone after seven."""
HOSTS_AT_A_TIME = 4
"""So many hosts of a source are kept busy; requests to others wait."""
_DIGITS = re.compile(r"\d{1,12}", re.ASCII)


@dataclass(frozen=True, slots=True)
class DelayBounds:
    """What holds for every host of a run. Times in seconds."""

    least: float
    """The source's own delay between two requests."""
    concurrency: int = 1
    """Requests that a host should have to work at; a slow one gets a longer delay for it."""
    max_crawl_delay: float = 60.0
    """A longer Crawl-delay is cut to that."""
    max_retry_after: float = 600.0
    """A longer Retry-After is cut to that."""


@dataclass(slots=True)
class Pace:
    """The delay of one host. Starts at the source's own and never falls below it."""

    bounds: DelayBounds
    floor: float = field(init=False)
    """The least delay: the source's, or a longer Crawl-delay."""
    not_before: float = -math.inf
    """No request before that instant: the host said so."""
    halted: bool = False
    """Whether the run is being stopped: nothing is sent any more, so nothing needs to wait."""
    _latency_delay: float = field(init=False)
    _back_off: float = 0.0
    _refused_at: float = -math.inf

    def __post_init__(self) -> None:
        self.floor = self._latency_delay = self.bounds.least

    @property
    def delay(self) -> float:
        """Seconds between two requests as things are."""
        return max(self.floor, self._latency_delay, self._back_off)

    def seconds_after(self, last: float) -> float:
        """Return how long to wait after a request that was sent at the instant *last*."""
        return 0.0 if self.halted else max(self.delay, self.not_before - last)

    def respect(self, crawl_delay: float | None) -> None:
        """Take in the Crawl-delay of a robots.txt. Of several origins at one host, the longest holds."""
        if crawl_delay is not None:
            self.floor = max(self.floor, min(crawl_delay, self.bounds.max_crawl_delay))

    def note_answer(self, status: int, *, latency: float, now: float, retry_after: float | None = None) -> None:
        """Take in an answer that came at *now*, *latency* seconds after its request."""
        if status in OVERLOADED:
            self._slow_down(now - latency, now, retry_after or 0.0)
        else:
            self._back_off = self._back_off * RECOVERY if self._back_off * RECOVERY > self.floor else 0.0
        if self.bounds.least > 0:
            self._follow_latency(latency / self.bounds.concurrency, grow_only=status != 200)

    def _slow_down(self, sent: float, now: float, retry_after: float) -> None:
        """Wait as long as asked, or double the delay where that is longer. Refusals of one moment count once."""
        wait = min(retry_after, self.bounds.max_retry_after)
        self.not_before = max(self.not_before, now + wait)
        doubled = max(FIRST_BACK_OFF_SECONDS, min(2 * self.delay, MAX_DELAY_SECONDS))
        if wait < doubled and sent > self._refused_at:
            self._back_off = doubled
            self._refused_at = now

    def _follow_latency(self, target: float, *, grow_only: bool) -> None:
        """Come nearer to *target*, as Scrapy's AutoThrottle does: at once if it is longer, else half the way.

        Errors and redirects are quick to make, so they never shorten a delay.
        """
        nearer = min(max(target, (self._latency_delay + target) / 2), MAX_DELAY_SECONDS)
        if nearer > self._latency_delay or not grow_only:
            self._latency_delay = nearer


def most_requests(seconds: float, *, delay: float, concurrency: int) -> int | None:
    """Return how many requests fit into *seconds* where every host answers at once; `None`: as many as there are."""
    if delay <= 0 or not math.isfinite(seconds):
        return None
    return HOSTS_AT_A_TIME * max(concurrency, math.ceil(max(0.0, seconds) / delay))


def parse_retry_after(value: str, *, date: str | None, now: datetime) -> float | None:
    """Return the seconds that a Retry-After header asks for, or `None` if it makes no sense: RFC 9110 § 10.2.3.

    *date*: the Date header, by the same clock as an instant in *value*; without it, *now* is what counts.
    """
    text = value.strip()
    if _DIGITS.fullmatch(text):
        return float(text)
    until = parse_http_date(text)
    if until is None:
        return None
    return max(0.0, (until - (parse_http_date(date) or now)).total_seconds())


def parse_http_date(text: str | None) -> datetime | None:
    """Return the aware UTC instant of an HTTP date, UTC where it names no zone; `None` for anything else."""
    try:
        found = parsedate_to_datetime(text or "")
        return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, TypeError, OverflowError, IndexError):
        return None

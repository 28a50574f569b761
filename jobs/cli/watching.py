"""The line that shows how a crawl goes: pages, their speed, what they are, bytes, spool, and the time that is left."""

from __future__ import annotations

import time
from collections import deque
from contextlib import contextmanager
from typing import TYPE_CHECKING

from jobs.cli.progress import show_line, show_size
from jobs.runs.progress import Phase

if TYPE_CHECKING:
    from collections.abc import Iterator

    from jobs.runs.progress import RunStep, Tell

_WINDOW_SECONDS = 60.0
_SAMPLE_SECONDS = 1.0
_LEAST_SECONDS = 10.0
"""Before that, a speed says nothing of the time that is left."""
_DROPPED = ("spool", "source", "bytes", "revised", "new", "failed", "speed")
"""What goes first where the terminal is too narrow for all."""
_SEPARATOR = " · "


class Pace:
    """How fast pages come: in the last minute, or since the first step of the crawl."""

    def __init__(self) -> None:
        self._samples: deque[tuple[float, int]] = deque()
        self._now = (0.0, 0)

    def note(self, pages: int, *, now: float) -> None:
        """Take in how many pages there are at the time *now*, in seconds of any clock."""
        self._now = (now, pages)
        if not self._samples or now - self._samples[-1][0] >= _SAMPLE_SECONDS:
            self._samples.append(self._now)
        while len(self._samples) > 1 and now - self._samples[1][0] >= _WINDOW_SECONDS:
            self._samples.popleft()

    @property
    def seconds(self) -> float:
        """How long the speed was measured."""
        return self._now[0] - self._samples[0][0] if self._samples else 0.0

    @property
    def speed(self) -> float:
        """Pages a second; 0 in the first second."""
        return (self._now[1] - self._samples[0][1]) / self.seconds if self.seconds >= _SAMPLE_SECONDS else 0.0

    def find_seconds_left(self, pages: int) -> float | None:
        """Return how long *pages* more will take; `None` while nobody can tell."""
        if self.seconds < _LEAST_SECONDS or not self.speed:
            return None
        return pages / self.speed


@contextmanager
def show_run(*, wanted: bool) -> Iterator[Tell | None]:
    """Yield what is to be told of the steps of one run; `None` if that is not *wanted* or stderr is no terminal."""
    with show_line(wanted=wanted) as line:
        if line is None:
            yield None
            return
        pace = Pace()

        def tell(step: RunStep) -> None:
            if step.phase is Phase.CRAWLING:
                pace.note(step.crawl.pages, now=time.monotonic())
            line.show(lambda columns: describe_run_step(step, pace, columns))

        yield tell


def describe_run_step(step: RunStep, pace: Pace, columns: int) -> str:
    """Return *step* in at most *columns* characters: what matters least is left out where they are few."""
    parts = _list_parts(step, pace)
    for name in _DROPPED:
        if len(_SEPARATOR.join(parts.values())) <= columns:
            break
        parts.pop(name, None)
    return _SEPARATOR.join(parts.values())[:columns]


def _list_parts(step: RunStep, pace: Pace) -> dict[str, str]:
    crawl = step.crawl
    parts = {"source": step.source}
    if step.phase is not Phase.CRAWLING:
        parts["phase"] = step.phase.value
    if step.phase in {Phase.CRAWLING, Phase.FINISHING}:
        total = f"/{crawl.pages + step.left}{'+' if crawl.discovering else ''}" if step.left else ""
        parts["pages"] = f"{crawl.pages}{total} pages"
        if step.phase is Phase.CRAWLING:
            parts["speed"] = "waiting for room" if step.paused else f"{pace.speed:.1f}/s"
        parts |= {"new": f"{crawl.new} new", "revised": f"{crawl.revised} revised", "failed": f"{crawl.failed} failed"}
        parts["bytes"] = show_size(crawl.size_bytes)
    if step.phase is Phase.CRAWLING or (step.spool_bytes and step.phase is not Phase.STARTING):
        parts["spool"] = f"spool {show_size(step.spool_bytes)}"
    if step.phase is Phase.CRAWLING:
        seconds = None if crawl.discovering else pace.find_seconds_left(step.left)
        parts["left"] = f"{'?' if seconds is None else show_duration(seconds)} left"
    return parts


def show_duration(seconds: float) -> str:
    """Return a time that is left as people say it, never shorter than it is."""
    for unit, name, most in ((1, "s", 99), (60, "min", 99), (3_600, "h", 48)):
        amount = -int(-seconds // unit)
        if amount <= most:
            return f"{amount} {name}"
    return f"{-int(-seconds // 86_400)} d"

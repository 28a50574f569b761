"""The captures of one article → a timeline: which text it had when, and what each capture found.

Time runs to the right; the longer nobody looked, the less of that is drawn, so that years and minutes fit in one chart.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby, pairwise
from math import log1p
from typing import TYPE_CHECKING

from config.units import count
from jobs.fold import Verdict
from jobs.room.endpoints import Told
from jobs.room.wording import name_verdict

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

WIDTH, HEIGHT = 1_000, 118
_LEFT, _RIGHT = 14, 954
_TAIL = 32
"""As wide is drawn what was found last, since nobody knows yet until when it holds."""
_BAR_Y, _BAR_HEIGHT, _DOT_Y, _LABEL_Y = 10, 30, 64, 106
_STEP = 12
"""Marks that are nearer than that become one."""
_LEAST_BAR = 4
_LABELLED = 15
"""As wide is a bar that its number stands in."""
_LABEL_WIDTH, _SILENCE_WIDTH = 82, 74
_SILENCE = timedelta(days=20)
_AWAY = frozenset({Verdict.SUSPECTED, Verdict.GONE})
_TEXTS = frozenset({Verdict.NEW, Verdict.REVISED, Verdict.REVERTED, Verdict.RETURNED})


@dataclass(frozen=True, slots=True)
class Look:
    """One capture, as the fold judged it."""

    at: datetime
    verdict: str
    revision: int | None
    number: int
    """Which capture of the article, from 1."""


class Bar(Told):
    """A stretch in which the article had one text, or was away."""

    x: float
    width: float
    revision: int | None
    """`None`: it was away, or there were several texts too near each other to be drawn apart."""
    tone: str
    """`even` and `odd` texts, `away`, `several`."""
    label: str
    """In words."""
    short: str
    """What stands in it; empty: nothing has room."""
    first: int
    """Number of its first capture."""


class Dot(Told):
    """A capture, or several that are near each other."""

    x: float
    shape: str
    """What was found: `text` another one, `same`, `away`, `nothing`; of several captures, `changes` or `several`."""
    label: str
    first: int
    """Number of its first capture."""
    captures: int


class Label(Told):
    """A word below the line of time."""

    x: float
    text: str
    anchor: str
    """As SVG has it: start, middle, end."""


class Timeline(Told):
    """Shapes of a chart, `width` × `height` units."""

    width: int
    height: int
    bar_y: int
    bar_height: int
    dot_y: int
    label_y: int
    bars: tuple[Bar, ...]
    dots: tuple[Dot, ...]
    days: tuple[Label, ...]
    silences: tuple[Label, ...]
    """How long it was until the next capture, where that was long."""
    label: str
    """The chart in words."""


def draw_timeline(looks: Sequence[Look]) -> Timeline:
    """Return the chart of an article's captures, one at least, by time."""
    places = _place([look.at for look in looks])
    bars = tuple(_draw_bars(looks, places))
    return Timeline(
        width=WIDTH,
        height=HEIGHT,
        bar_y=_BAR_Y,
        bar_height=_BAR_HEIGHT,
        dot_y=_DOT_Y,
        label_y=_LABEL_Y,
        bars=bars,
        dots=tuple(_draw_dots(looks, places)),
        days=tuple(_draw_days(looks, places)),
        silences=tuple(_draw_silences(looks, places)),
        label=f"{count(len(looks), 'capture')} from {_tell(looks[0].at)} to {_tell(looks[-1].at)}",
    )


def _place(times: Sequence[datetime]) -> list[float]:
    """Return where each of *times* stands, from left to right."""
    steps = [log1p(max(0.0, (later - earlier).total_seconds()) / 3_600) for earlier, later in pairwise(times)]
    whole = sum(steps) or 1.0
    found = [float(_LEFT)]
    for step in steps:
        found.append(found[-1] + (_RIGHT - _LEFT) * step / whole)
    return [round(x, 1) for x in found]


def _draw_bars(looks: Sequence[Look], places: Sequence[float]) -> Iterator[Bar]:
    """Yield stretches of one text; those too narrow to be seen as one. None begins before the one before it ends."""
    telling = [at for at, look in enumerate(looks) if look.revision or look.verdict in _AWAY]
    runs = [list(group) for _, group in groupby(telling, key=lambda at: looks[at].revision)]
    ends = [*(places[run[0]] for run in runs[1:]), places[-1] + _TAIL]
    narrow: list[list[int]] = []
    x = places[runs[0][0]] if runs else 0.0
    for run, end in zip(runs, ends, strict=False):
        if end - max(x, places[run[0]]) < _LEAST_BAR:
            narrow.append(run)
            continue
        if narrow:
            width = max(places[run[0]] - x, _LEAST_BAR)
            yield _draw_several(looks, narrow, x, width)
            x, narrow = x + width, []
        yield _draw_bar(looks, run, x, end - x)
        x = end


def _draw_bar(looks: Sequence[Look], run: Sequence[int], x: float, width: float) -> Bar:
    first, last = looks[run[0]], looks[run[-1]]
    span = f"from {_tell(first.at)}" + (f" to {_tell(last.at)}" if first is not last else "")
    if first.revision is None:
        what = "Taken down" if any(looks[at].verdict == Verdict.GONE for at in run) else "Perhaps taken down"
        tone, short = "away", what if width > _LABEL_WIDTH else ""
    else:
        what, tone = f"Text {first.revision}", "odd" if first.revision % 2 else "even"
        short = what if width > 4 * _LABELLED else str(first.revision) if width >= _LABELLED else ""
    label = f"{what}, {span}, {count(len(run), 'capture')}"
    at, wide = round(x, 1), round(width, 1)
    return Bar(x=at, width=wide, revision=first.revision, tone=tone, label=label, short=short, first=first.number)


def _draw_several(looks: Sequence[Look], runs: Sequence[Sequence[int]], x: float, width: float) -> Bar:
    if len(runs) == 1:
        return _draw_bar(looks, runs[0], x, width)
    label = f"{len(runs)} changes from {_tell(looks[runs[0][0]].at)} to {_tell(looks[runs[-1][-1]].at)}"
    first = looks[runs[0][0]].number
    at, wide = round(x, 1), round(width, 1)
    return Bar(x=at, width=wide, revision=None, tone="several", label=label, short="", first=first)


def _draw_dots(looks: Sequence[Look], places: Sequence[float]) -> Iterator[Dot]:
    for group in _gather(places):
        first, last = looks[group[0]], looks[group[-1]]
        x = round((places[group[0]] + places[group[-1]]) / 2, 1)
        if len(group) == 1:
            shape, label = _shape_of(first), f"{_tell(first.at)}: {_say(first)}"
        else:
            changes = sum(_shape_of(looks[at]) in {"text", "away"} for at in group)
            told = f", {count(changes, 'change')} among them" if changes else ""
            shape = "changes" if changes else "several"
            label = f"{len(group)} captures from {_tell(first.at)} to {_tell(last.at)}{told}"
        yield Dot(x=x, shape=shape, label=label, first=first.number, captures=len(group))


def _gather(places: Sequence[float]) -> Iterator[list[int]]:
    """Yield the marks of each group that begins within one step."""
    group: list[int] = []
    for at, x in enumerate(places):
        if group and x - places[group[0]] >= _STEP:
            yield group
            group = []
        group.append(at)
    if group:
        yield group


def _draw_days(looks: Sequence[Look], places: Sequence[float]) -> Iterator[Label]:
    """Yield first and last day, and of those in between where another text came what has room."""
    first, last = looks[0], looks[-1]
    yield Label(x=places[0], text=f"{first.at:%Y-%m-%d}", anchor="start")
    if places[-1] - places[0] < _LABEL_WIDTH:
        return
    day, free = first.at.date(), places[0] + 1.5 * _LABEL_WIDTH
    for look, x in zip(looks, places, strict=True):
        if free <= x <= places[-1] - 1.5 * _LABEL_WIDTH and look.verdict in _TEXTS | _AWAY:
            yield Label(x=x, text=_tell_short(look.at, day), anchor="middle")
            day, free = look.at.date(), x + _LABEL_WIDTH
    yield Label(x=places[-1], text=_tell_short(last.at, day), anchor="end")


def _draw_silences(looks: Sequence[Look], places: Sequence[float]) -> Iterator[Label]:
    for (one, other), (x, end) in zip(pairwise(looks), pairwise(places), strict=True):
        if other.at - one.at >= _SILENCE and end - x >= _SILENCE_WIDTH:
            yield Label(x=round((x + end) / 2, 1), text=_tell_span(other.at - one.at), anchor="middle")


def _shape_of(look: Look) -> str:
    if look.verdict in _AWAY:
        return "away"
    if look.verdict in _TEXTS:
        return "text"
    return "same" if look.revision else "nothing"


def _say(look: Look) -> str:
    text = f", text {look.revision}" if look.revision else ""
    return f"{name_verdict(look.verdict)}{text}"


def _tell(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"


def _tell_short(at: datetime, day: object) -> str:
    return f"{at:%H:%M}" if at.date() == day else f"{at:%Y-%m-%d}"


def _tell_span(span: timedelta) -> str:
    days = span.days
    if days >= 2 * 365:
        return f"{days // 365} years"
    return f"{days // 30} months" if days >= 60 else f"{days} days"

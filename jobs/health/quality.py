"""Whether pages still give what they gave: texts, fields, lengths, promptness. Against the source's own past. Pure."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from jobs.catalog.tallies import DAY, EPOCH, FIELDS, unmeasure
from jobs.health.outcomes import (
    FAILURES,
    REFUSED,
    UNREADABLE,
    USABLE,
    add_up,
    count_telling,
    explain,
    find_tail,
    look_back,
    take,
)
from jobs.health.states import Reason, State

if TYPE_CHECKING:
    from collections.abc import Iterator

    from jobs.catalog.health import SourceTally
    from jobs.health.outcomes import Window

LEAST_NOW, LEAST_BEFORE = 8, 30
"""So many texts, or pages, must there be to compare."""
LEAST_LAST = 3
"""So many of the newest must be so, too: else it is over."""
LEAST_SHARE = 0.5
"""A field that fewer texts had is not missed."""
FALL = 0.25
"""A share that is so much lower, or less than half of what it was, is worth telling."""
CHANCE = 1e-5
_SURE = 0.98
"""No share is believed to be higher: some page is always without."""
_SHORT = 0.05
"""One text in twenty was shorter."""
LAG_DAYS = 7
_LAG_TIMES = 4
_LAG_SLOTS = 3
_LAG_LEAST = timedelta(hours=1)
_LAG_ARTICLES = 10
_WORDS = {"published": "a time of publication", "title": "a title", "authors": "an author", "section": "a section"}


def judge_quality(tally: SourceTally, interval: timedelta | None, now: datetime) -> Iterator[Reason]:
    """Yield what is worse than it was. *interval*: between two runs, by schedule."""
    window, last = (look_back(tally, lambda counts, n=n: counts["text"] >= n) for n in (LEAST_NOW, LEAST_LAST))  # type: ignore[misc]
    if window is not None and last is not None and window.before["text"] >= LEAST_BEFORE:
        yield from _judge_fields(window, last.now)
        yield from _judge_lengths(window, last.now)
    yield from _judge_pages(tally)
    yield from _judge_lag(tally, interval, now)


def find_extraction(tally: SourceTally) -> tuple[float | None, float | None]:
    """Return the share of served pages that a text came of, lately and before."""
    window = look_back(tally, lambda counts: sum(_split_served(counts)) >= LEAST_NOW)
    if window is None:
        return None, None
    now, before = _split_served(window.now), _split_served(window.before)
    return _share(*now), _share(*before) if sum(before) > 0 else None


def find_lags(tally: SourceTally, now: datetime) -> tuple[timedelta | None, timedelta | None]:
    """Return the middle time from publication to capture of the last seven days, and of the weeks before."""
    lately, before = split_lags(tally, now)
    return _find_middle_lag(lately), _find_middle_lag(before)


def _judge_fields(window: Window, last: Counter[str]) -> Iterator[Reason]:
    """*last*: counts of the newest texts."""
    texts, before = window.now["text"], window.before["text"]
    gone, told = [], []
    for field in FIELDS:
        usual = min(_SURE, window.before[f"has {field}"] / before)
        found = window.now[f"has {field}"]
        fallen = max(found / texts, last[f"has {field}"] / last["text"]) < usual / 2
        if usual >= LEAST_SHARE and fallen and find_tail(found, texts, usual) < CHANCE:
            gone.append(field)
            told.append(f"{_WORDS[field]} on {found} of {texts} texts, {_percent(usual)} before")
    if gone:
        yield Reason("fields_vanished", f"found {'; '.join(told)}", State.DEGRADED, window.since)


def _judge_lengths(window: Window, last: Counter[str]) -> Iterator[Reason]:
    now, before, newest = (_list_steps(counts, "size") for counts in (window.now, window.before, last))
    if not now or not before or not newest:
        return
    short = _find_quantile(before, _SHORT)
    shorter = sum(number for step, number in now.items() if step < short)
    total = now.total()
    lengths = unmeasure(_find_quantile(now, 0.5)), unmeasure(_find_quantile(before, 0.5))
    longest = max(lengths[0], unmeasure(_find_quantile(newest, 0.5)))
    if longest < lengths[1] / 2 and find_tail(total - shorter, total, 1 - _SHORT) < CHANCE:
        text = f"texts are {lengths[0]:,.0f} bytes long, {lengths[1]:,.0f} before (the middle one of {total})"
        yield Reason("texts_shorter", text, State.DEGRADED, window.since)


def _judge_pages(tally: SourceTally) -> Iterator[Reason]:
    for kind, split, what, wrong in (
        ("extraction_fell", _split_served, "gave a whole text", UNREADABLE),
        ("more_bad", _split_all, "could be had", {**REFUSED, **FAILURES}),
    ):
        window, last = (
            look_back(tally, lambda counts, split=split, n=n: sum(split(counts)) >= n)  # type: ignore[misc]
            for n in (LEAST_NOW, LEAST_LAST)
        )
        if window is None or last is None or sum(split(window.before)) < LEAST_BEFORE:
            continue
        good, bad = split(window.now)
        usual, share = _share(*split(window.before)), max(_share(good, bad), _share(*split(last.now)))
        if share > usual - FALL:
            continue
        if find_tail(good, good + bad, min(_SURE, max(1 - _SURE, usual))) < CHANCE:
            pages = take(window.now, "page")
            counted = Counter({n: k for n, k in pages.items() if n in wrong or (kind == "more_bad" and _is_status(n))})
            names = ", ".join(f"{explain(name)} {number}" for name, number in counted.most_common(3))
            text = f"{good} of {good + bad} pages {what}, {_percent(usual)} before ({names})"
            yield Reason(kind, text, State.DEGRADED, window.since)


def _judge_lag(tally: SourceTally, interval: timedelta | None, now: datetime) -> Iterator[Reason]:
    lately, before = split_lags(tally, now)
    lag, usual = _find_middle_lag(lately), _find_middle_lag(before)
    if lag is None or usual is None or lately.total() < _LAG_ARTICLES or before.total() < LEAST_BEFORE:
        return
    if lag > max(_LAG_TIMES * usual, _LAG_SLOTS * (interval or timedelta()), _LAG_LEAST):
        text = f"articles are seen {show_span(lag)} after their publication, {show_span(usual)} before"
        yield Reason("lag_grew", text, State.DEGRADED)


def show_span(span: timedelta) -> str:
    """Return *span* for people, in its greatest unit or two."""
    minutes = round(span.total_seconds() / 60)
    if minutes < 120:
        return f"{minutes} min"
    return f"{minutes / 60:.0f} h" if minutes < 72 * 60 else f"{minutes / 1440:.0f} days"


def _split_served(counts: Counter[str]) -> tuple[int, int]:
    """Return how many pages that were served gave a text, and how many none."""
    pages = take(counts, "page")
    return add_up(pages, USABLE), add_up(pages, UNREADABLE)


def _split_all(counts: Counter[str]) -> tuple[int, int]:
    """Return how many pages could be had, and how many not."""
    pages = take(counts, "page")
    had = add_up(pages, USABLE) + add_up(pages, UNREADABLE)
    return had, count_telling(pages) - had


def _is_status(outcome: str) -> bool:
    return outcome.startswith("http ") and count_telling({outcome: 1}) > 0


def _share(good: int, bad: int) -> float:
    return good / (good + bad)


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"


def _list_steps(counts: Counter[str], kind: str) -> Counter[int]:
    prefix = f"{kind} "
    return Counter(
        {int(name.removeprefix(prefix)): n for name, n in counts.items() if name.startswith(prefix) and n > 0}
    )


def _find_quantile(steps: Counter[int], share: float) -> int:
    left = share * steps.total()
    for step in sorted(steps):
        left -= steps[step]
        if left <= 0:
            return step
    return max(steps)


def split_lags(tally: SourceTally, now: datetime) -> tuple[Counter[int], Counter[int]]:
    """Return step of a measure of minutes → articles, of the last LAG_DAYS days and of those before."""
    border = (now - EPOCH) // DAY - LAG_DAYS
    lately: Counter[int] = Counter()
    before: Counter[int] = Counter()
    for day, counts in tally.days.items():
        (lately if day > border else before).update(_list_steps(counts, "lag"))
    return lately, before


def _find_middle_lag(lags: Counter[int]) -> timedelta | None:
    return timedelta(minutes=unmeasure(_find_quantile(lags, 0.5))) if lags else None

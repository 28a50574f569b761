"""The timeline of an article: which text it had when, what each capture found; few marks, however many captures."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from jobs.room.charts.timeline import WIDTH, Look, Timeline, draw_timeline

START = datetime(2023, 11, 6, 12, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def looks(*found: tuple[timedelta, str, int | None]) -> list[Look]:
    return [Look(START + after, verdict, text, number) for number, (after, verdict, text) in enumerate(found, 1)]


def check(chart: Timeline) -> None:
    """Check that all is inside, and nothing hides anything."""
    assert all(bar.x >= 0 and bar.x + bar.width <= WIDTH + 0.1 and bar.width >= 4 for bar in chart.bars)
    assert all(one.x + one.width <= other.x + 0.2 for one, other in pairwise(chart.bars))
    assert all(0 <= dot.x <= WIDTH for dot in chart.dots)
    assert all(one.x < other.x for one, other in pairwise(chart.dots))
    assert all(0 <= one.x <= WIDTH for one in (*chart.days, *chart.silences))
    assert all(other.x - one.x >= 60 for one, other in pairwise(chart.days))


def test_years_and_minutes_fit_in_one_chart() -> None:
    chart = draw_timeline(
        looks(
            (0 * HOUR, "new", 1),
            (HOUR, "unchanged", 1),
            (6 * HOUR, "revised", 2),
            (750 * DAY, "reverted", 1),
            (751 * DAY, "suspected", None),
            (752 * DAY, "gone", None),
        )
    )
    check(chart)
    assert [(bar.revision, bar.tone) for bar in chart.bars] == [(1, "odd"), (2, "even"), (1, "odd"), (None, "away")]
    assert [dot.shape for dot in chart.dots] == ["text", "same", "text", "text", "away", "away"]
    assert all(bar.width > 25 for bar in chart.bars)
    assert [one.text for one in chart.silences] == ["2 years"]
    assert [one.text for one in chart.days][:1] == ["2023-11-06"]
    assert chart.bars[0].label == "Text 1, from 2023-11-06 12:00 UTC to 2023-11-06 13:00 UTC, 2 captures"
    assert chart.bars[3].label.startswith("Taken down, from")
    assert chart.dots[2].label == "2023-11-06 18:00 UTC: Changed, text 2"
    assert chart.label == "6 captures from 2023-11-06 12:00 UTC to 2025-11-27 12:00 UTC"


def test_one_capture_is_a_chart() -> None:
    chart = draw_timeline(looks((0 * HOUR, "new", 1)))
    check(chart)
    assert (len(chart.bars), len(chart.dots), len(chart.days)) == (1, 1, 1)
    assert chart.bars[0].short == "1"


def test_captures_of_one_instant_are_one_mark() -> None:
    chart = draw_timeline(looks((0 * HOUR, "new", 1), (0 * HOUR, "revised", 2), (0 * HOUR, "unchanged", 2)))
    check(chart)
    assert [(dot.captures, dot.shape) for dot in chart.dots] == [(3, "changes")]
    assert chart.dots[0].label.endswith(", 2 changes among them")


def test_what_never_had_a_text_has_no_bars() -> None:
    chart = draw_timeline(looks((0 * HOUR, "bad", None), (HOUR, "unread", None)))
    check(chart)
    assert chart.bars == ()
    assert [dot.shape for dot in chart.dots] == ["nothing", "nothing"]
    assert chart.dots[1].label == "2023-11-06 13:00 UTC: Not read yet"


@pytest.mark.parametrize("flips", [False, True])
def test_marks_are_few_however_many_captures(flips: bool) -> None:
    verdicts = [("new", 1), *((("reverted", 1 + at % 2) if flips else ("unchanged", 1)) for at in range(1, 3_000))]
    chart = draw_timeline(looks(*((at * HOUR, verdict, text) for at, (verdict, text) in enumerate(verdicts))))
    check(chart)
    assert len(chart.dots) <= 85
    assert sum(dot.captures for dot in chart.dots) == 3_000
    assert len(chart.bars) <= 250
    assert (chart.bars[0].tone == "several") is flips
    assert [dot.shape for dot in chart.dots[1:]] == (["changes"] if flips else ["several"]) * (len(chart.dots) - 1)


def test_times_that_go_back_do_not_break_it() -> None:
    check(draw_timeline(looks((HOUR, "new", 1), (0 * HOUR, "unchanged", 1), (2 * HOUR, "unchanged", 1))))

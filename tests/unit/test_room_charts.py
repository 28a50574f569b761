"""Charts: shapes that say what the numbers say, whatever they are."""

from __future__ import annotations

import re
from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from jobs.room.charts.coverage import HEIGHT, STEP, draw_shares
from jobs.room.charts.heatmap import DAYS, DayKind, draw_heatmap
from jobs.room.charts.histogram import draw_bars

LAST = date(2026, 11, 27)


def test_a_year_is_drawn_by_weeks_with_monday_on_top() -> None:
    monday, sunday = date(2026, 11, 2), date(2026, 11, 8)
    days = {monday: (DayKind.MISSED, "none"), sunday: (DayKind.WHOLE, "all"), LAST: (DayKind.PART, "some")}
    chart = draw_heatmap(days, LAST - timedelta(days=364), LAST, "A year")
    cells = {cell.day: cell for cell in chart.cells}
    assert list(cells) == [monday, sunday, LAST]
    x, y = (re.findall(r"M(\d+) (\d+)", cell.square)[0] for cell in (cells[monday], cells[sunday]))
    assert x[0] == y[0]
    assert int(y[1]) - int(x[1]) == 6 * 13
    assert [bool(cell.mark) for cell in chart.cells] == [True, False, True]
    assert chart.empty.count("M") == 365 - 3
    assert [name for _, name in chart.months][-2:] == ["Oct", "Nov"]
    right = max(int(x) for x in re.findall(r"M(\d+) ", chart.empty)) + 11
    assert right < chart.width


@given(st.integers(0, 800), st.dictionaries(st.integers(0, 800), st.sampled_from(DayKind), max_size=30))
def test_any_days_are_drawn_once_and_within_the_chart(span: int, told: dict[int, DayKind]) -> None:
    days = {LAST - timedelta(days=back): (kind, kind.value) for back, kind in told.items()}
    chart = draw_heatmap(days, LAST - timedelta(days=span), LAST, "Days")
    shown = min(span + 1, DAYS)
    assert len(chart.cells) + chart.empty.count("M") == shown
    places = re.findall(r"M(\d+) (\d+)", chart.empty + "".join(cell.square for cell in chart.cells))
    assert len(set(places)) == shown
    assert all(int(x) + 11 <= chart.width and int(y) + 11 <= chart.height for x, y in places)
    assert all(bool(cell.mark) == (cell.kind is not DayKind.WHOLE) for cell in chart.cells)


def test_bars_are_as_high_as_their_counts_and_what_little_is_is_seen() -> None:
    chart = draw_bars(
        [0, 1, 1_000, 500], list("abcd"), "Bars", parts=[0, 1, 250, 600], expected=[None, 10, 500, None], ticks={2: "c"}
    )
    assert [bar.label for bar in chart.bars] == ["b", "c", "d"]
    small, great, half = chart.bars
    assert small.height >= 1
    assert (great.y, great.y + great.height) == (chart.top, chart.foot)
    assert half.height * 2 == great.height
    assert great.part_height * 4 == great.height
    assert half.part_height == half.height  # a part is never more than all
    assert chart.line.count("M") == 1
    assert [text for _, text in chart.ticks] == ["c"]
    assert draw_bars([], [], "None").bars == ()


@given(st.lists(st.integers(0, 10**12), max_size=60), st.integers(0, 10**6))
def test_any_bars_stand_within_the_chart(counts: list[int], usual: int) -> None:
    chart = draw_bars(counts, [str(one) for one in counts], "Bars", expected=[float(usual)] * len(counts))
    assert len(chart.bars) == sum(one > 0 for one in counts)
    for bar in chart.bars:
        assert chart.top - 0.1 <= bar.y <= chart.foot
        assert chart.left <= bar.x <= bar.x + bar.width <= chart.width + 0.1


def test_shares_have_gaps_where_there_is_nothing_to_take_one_of() -> None:
    chart = draw_shares([1.0, 0.5, None, 0.0], "Shares")
    assert chart.line == f"M0 0V0h{STEP}V{HEIGHT / 2:g}h{STEP}M{3 * STEP} {HEIGHT}V{HEIGHT}h{STEP}"
    assert chart.area.count("z") == 2
    assert draw_shares([], "None").line == ""
    assert draw_shares([None, None], "None").area == ""

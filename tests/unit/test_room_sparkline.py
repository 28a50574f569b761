"""Counts as a path of steps."""

from __future__ import annotations

from jobs.room.charts.sparkline import HEIGHT, STEP, draw_sparkline


def test_the_greatest_is_as_high_as_the_chart_and_nothing_is_flat() -> None:
    chart = draw_sparkline([0, 10, 5], "three days")
    assert chart.path == f"M0 {HEIGHT}V{HEIGHT}h{STEP}V0h{STEP}V{HEIGHT // 2}h{STEP}V{HEIGHT}z"
    assert (chart.width, chart.height, chart.label) == (3 * STEP, HEIGHT, "three days")


def test_what_little_is_is_seen() -> None:
    assert draw_sparkline([1, 100_000], "x").path.startswith(f"M0 {HEIGHT}V{HEIGHT - 1}h")


def test_no_days_are_no_chart_and_no_error() -> None:
    assert draw_sparkline([], "nothing").path == f"M0 {HEIGHT}V{HEIGHT}z"

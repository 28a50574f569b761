"""Where nobody looked, what may have been published then, and when a page says that it was."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from crawler.compare import may_fill
from crawler.model import Link
from jobs.ledger import Outcome, Stretch, find_gaps, list_spans, read_published
from tests.ledgers import at


def stretch(
    outcome: str | None, begin: float, end: float | None = None, slots: int = 1, run: str | None = None
) -> Stretch:
    return Stretch(at(begin), at(begin if end is None else end), slots, Outcome(outcome) if outcome else None, run)


LEDGER = [
    stretch("missed", 0, 1, 3),
    stretch("done", 1.5, run="a"),
    stretch("failed", 2, run="b"),
    stretch("missed", 2.5, 6, 8),
    stretch("late", 6.5, run="c"),
    stretch("skipped", 7),
    stretch("missed", 7.5),
    stretch(None, 8, 9, 3),
]


def test_a_gap_reaches_from_the_slot_before_to_the_next_run() -> None:
    started = {"a": at(1.5, 1), "c": at(7)}
    found = [(one.slots, one.after, one.until) for one in find_gaps(LEDGER, started, at(9.25))]
    assert found == [(3, at(0), at(1.5, 1)), (9, at(1.5), at(7)), (1, at(7), at(8))]


def test_a_gap_at_the_end_reaches_to_now() -> None:
    (gap,) = find_gaps([stretch("done", 0), stretch("missed", 1, 3, 5)], {}, at(3.25))
    assert (gap.after, gap.until) == (at(0), at(3.25))
    assert find_gaps([], {}, at(1)) == []


def test_spans_are_a_day_wider_and_few() -> None:
    day = timedelta(days=1)
    gaps = find_gaps(LEDGER, {}, at(9.25))
    assert list_spans(gaps) == ((at(0) - day, at(8) + day),)
    far = find_gaps([stretch("missed", 1_000), stretch("done", 1_001)], {}, at(2_000))
    assert list_spans([*far, *gaps]) == ((at(0) - day, at(8) + day), (at(1_000) - day, at(1_001) + day))


SPANS = ((at(0), at(10)), (at(100), at(110)))


@pytest.mark.parametrize(
    ("published", "modified", "expected"),
    [
        (None, None, True),
        (5, None, True),
        (105, 500, True),
        (50, 105, False),
        (-1, None, False),
        (111, None, False),
        (None, 50, True),
        (None, 500, True),
        (None, -1, False),
    ],
)
def test_what_may_fill_a_gap(published: float | None, modified: float | None, expected: bool) -> None:
    times = [None if one is None else at(one) for one in (published, modified)]
    link = Link("https://gazette.example/a", "https://gazette.example/", published=times[0], modified=times[1])
    assert may_fill(link, SPANS) is expected
    assert may_fill(link, ())


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"published": {"value": "2026-11-22T05:00:00+02:00"}}, (at(3), at(3))),
        ({"published": {"value": "2026-11-22"}}, (at(0), at(24))),
        ({"published": {"value": "2026-11-22T05:00:00"}}, None),
        ({"published": {"value": "yesterday"}}, None),
        ({"published": {"value": "9999-12-31"}}, None),
        ({"published": {"value": "0001-01-01T00:00:00+14:00"}}, None),
        ({"published": {"value": 7}}, None),
        ({"published": "2026-11-22"}, None),
        ({}, None),
    ],
)
def test_when_a_page_says_it_was_published(fields: dict[str, Any], expected: tuple[datetime, datetime] | None) -> None:
    found = read_published(fields)
    assert found == expected
    assert found is None or {one.tzinfo for one in found} == {UTC}

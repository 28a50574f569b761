"""Texts made to keep a comparison busy: its work is bounded (in calls, not in seconds), and what was left is told."""

from __future__ import annotations

import random
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest

from jobs.diff import Change, TextDiff, diff_texts, diff_to_json, render_diff, render_side
from jobs.diff.budget import MAX_READ, Budget

SMALL = Budget(read=20_000, likenings=20_000, runs=1_000)
STEPS = 5_000
CHANCE = random.Random(5)
NOTE = "The words within 2 lines that came or went were not compared: that is too much for one comparison."


def _count_calls(work: Callable[[], object]) -> int:
    """Return how many functions, of Python and of C, are called in *work*: the same number each time."""
    calls = 0

    def count(_frame: object, event: str, _what: object) -> None:
        nonlocal calls
        calls += event in {"call", "c_call"}

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        work()
    finally:
        sys.setprofile(before)
    return calls


def _lines(letter: str, size: int) -> str:
    return "\n".join(f"{letter}{number}" for number in range(size))


def _alike(letter: str, size: int) -> str:
    return "\n".join(f"the quick brown fox saw the {letter} {number} times" for number in range(size))


def _stretches(letter: str, size: int) -> str:
    return "\n".join(f"{_lines(f'{letter}{number} ', 50)}\nsame{number}" for number in range(size // 50))


def _shuffle(kinds: int, size: int, between: str) -> str:
    return between.join(f"w{CHANCE.randrange(kinds)}" for _ in range(size))


HOSTILE: dict[str, tuple[str, str]] = {
    "one line of other words": (_lines("a", 20_000).replace("\n", " "), _lines("b", 20_000).replace("\n", " ")),
    "one line of few words": (_shuffle(20, 20_000, " "), _shuffle(20, 20_000, " ")),
    "one line of marks": (",;" * 30_000, ";,:" * 20_000),
    "one word": ("a." * 30_000, "b." * 30_000),
    "lines that are all different": (_lines("a", 5_000), _lines("b", 5_000)),
    "lines that are nearly the same": (_alike("dog", 2_000), _alike("cat", 2_000)),
    "lines in any order": (_shuffle(3_000, 3_000, "\n"), _shuffle(3_000, 3_000, "\n")),
    "lines of few kinds": (_shuffle(20, 5_000, "\n"), _shuffle(20, 5_000, "\n")),
    "lines of which any may go with any": (_stretches("a", 5_000), _stretches("b", 5_000)),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_work_is_bounded_by_the_budget_and_the_number_of_lines(name: str) -> None:
    before, after = HOSTILE[name]
    lines = before.count("\n") + after.count("\n") + 2
    limit = 30 * lines + 12 * SMALL.read + 2 * SMALL.likenings + 8 * STEPS
    calls = _count_calls(lambda: diff_texts(before, after, steps=STEPS, budget=replace(SMALL)))
    assert calls <= limit
    diff = diff_texts(before, after, steps=STEPS, budget=replace(SMALL))
    assert diff == diff_texts(before, after, steps=STEPS, budget=replace(SMALL))
    assert _sides(diff) == (before, after)


def test_calls_are_counted() -> None:
    assert _count_calls(lambda: [len(word) for word in ("a", "b", "c")]) >= 3


def _sides(diff: TextDiff) -> tuple[str, str]:
    sides = ([line.before for line in diff.lines], [line.after for line in diff.lines])
    one, other = ("\n".join(text for text in side if text is not None) for side in sides)
    return one, other


def _changes(diff: TextDiff) -> Sequence[tuple[Change, Any]]:
    return [(line.change, line.before_number or line.after_number) for line in diff.lines]


def test_what_is_too_much_is_told_whole_and_what_is_small_as_ever() -> None:
    before, after = "w " * MAX_READ + "x", "w " * MAX_READ + "y"
    diff = diff_texts(f"It will rise.\nB\n{before}\nC\nOne two three.", f"It will fall.\nB\n{after}\nC\nOne two four.")
    assert [line.change.value for line in diff.lines] == [
        *("changed", "same", "removed", "added", "same", "changed"),
    ]
    assert (diff.lines[2].whole, diff.lines[3].whole, diff.uncompared) == (before, after, 2)


def test_what_came_alone_is_no_work_and_not_said_to_be_left() -> None:
    huge = "a " * MAX_READ
    for before, after in [("A\nB", f"A\n{huge}\nB"), (f"A\n{huge}\nB", "A\nB"), ("", huge)]:
        assert diff_texts(before, after).uncompared == 0


def test_more_runs_than_are_told_make_a_line_whole() -> None:
    before, after = "a x b x c x d", "a y b y c y d"
    assert diff_texts(before, after, budget=Budget(runs=10)).uncompared == 0
    diff = diff_texts(before, after, budget=Budget(runs=9))
    assert (_changes(diff), diff.uncompared) == ([(Change.REMOVED, 1), (Change.ADDED, 1)], 2)


def test_two_articles_of_200_kb_with_nothing_in_common_are_compared() -> None:
    before, after = (
        "\n".join(" ".join(f"{letter}{line}x{word}" for word in range(12)) for line in range(2_400))
        for letter in ("a", "b")
    )
    assert len(before) > 200_000
    assert diff_texts(before, after).uncompared == 0


def test_it_is_said_plainly() -> None:
    diff = diff_texts("It will rise", "It will fall", budget=Budget(read=10))
    assert render_diff(diff, colour=False).split("\n") == ["- It will rise", "+ It will fall", NOTE]
    assert render_side(diff, columns=80, colour=False).split("\n")[-1] == NOTE
    assert diff_to_json(diff)["uncompared"] == 2
    assert "uncompared" not in diff_to_json(diff_texts("It will rise", "It will fall"))

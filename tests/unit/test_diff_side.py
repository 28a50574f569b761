"""Both texts beside each other in a terminal: what stands where, how wide it is, and that nothing leaves its column."""

from __future__ import annotations

import re

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from jobs.diff import diff_texts, render_side
from jobs.diff.cells import runs_to_left, split_signs
from tests.terminals import measure_cells

ARABIC = "افتتحت بلدية المدينة اليوم مكتبة عامة جديدة في وسط المدينة بحضور عدد كبير من السكان"
ARABIC_EDITED = ARABIC.replace("اليوم", "أمس")
CHINESE = "北京今天下雨，市民纷纷带伞出行，交通部门提醒大家注意安全慢行，路上小心驾驶车辆。"
FAMILY = "\U0001f468\u200d\U0001f469\u200d\U0001f467"
OURS = re.compile("\x1b\\[\\d+m|[\u2066\u2067\u2069]")


def _show(before: str, after: str, *, columns: int = 60, colour: bool = False) -> list[str]:
    return render_side(diff_texts(before, after), columns=columns, colour=colour).split("\n")


def _bare(line: str) -> str:
    return OURS.sub("", line)


@pytest.mark.parametrize(
    ("text", "cells"),
    [
        ("", 0),
        ("harbour", 7),
        ("e\u0301te\u0301", 3),
        ("北京", 4),
        ("ｶﾞ", 2),
        ("\uac00\u1100\u1161", 4),
        ("قُوّة", 3),
        ("می\u200cخواهم", 7),
        ("ที่นี่", 2),
        (FAMILY, 2),
        ("\U0001f44d\U0001f3fd", 2),
        ("\U0001f1e9\U0001f1ea\U0001f1eb\U0001f1f7", 4),
        ("\u2764\ufe0f", 2),
        ("\u200f", 0),
    ],
)
def test_cells_are_those_that_a_terminal_gives(text: str, cells: int) -> None:
    assert measure_cells(text) == cells


def test_the_earlier_text_stands_left_and_changed_words_are_marked() -> None:
    assert _show("The tax will rise by 2 %.", "The tax will rise by 3 %.") == [
        "- The tax will rise by [-2-] │ + The tax will rise by {+3+}",
        "  %.                         │   %.",
    ]


def test_colour_takes_the_place_of_marks_and_ends_with_each_line() -> None:
    lines = _show("It rises.", "It falls and falls and falls and falls, and falls.", colour=True)
    assert "[-" not in "".join(lines)
    assert all(line.count("\x1b[0m") * 2 == line.count("\x1b[") for line in lines)
    assert any("\x1b[32m" in line for line in lines)


def test_lines_of_one_side_leave_the_other_empty() -> None:
    first, second = _show("Gone for good.\nStays.", "Stays.\nCame to stay, it says.")[::2]
    assert first.split("│")[1].strip() == ""
    assert first.startswith("- Gone for good.")
    assert second.split("│") == [" " * 29, " + Came to stay, it says."]


def test_unchanged_lines_are_counted() -> None:
    lines = _show("\n".join([*"abcdef", "x"]), "\n".join([*"abcdef", "y"]))
    assert lines[0] == "  … 5 lines unchanged"
    assert len(lines) == 4


def test_what_moved_is_no_change() -> None:
    text = "One paragraph stands.\nAnother one stands too.\nThis one moves to the top."
    moved = "This one moves to the top.\nOne paragraph stands.\nAnother one stands too."
    lines = _show(text, moved)
    assert [line[:1] for line in lines if "moves" in line] == [" ", "<"]
    assert not [line for line in lines if line.startswith(("-", "+")) or "│ +" in line]


def test_a_right_to_left_line_stands_right_in_its_column_in_an_isolate_of_its_own() -> None:
    lines = _show(ARABIC, ARABIC_EDITED, columns=80)
    assert len(lines) > 1
    for line in lines:
        left, right = line.split(" │ ")
        assert left.endswith("\u2069")
        assert right.endswith("\u2069")
        assert left.count("\u2067") == left.count("\u2069") == 1
        assert measure_cells(_bare(left)) == 38


def test_right_to_left_words_in_another_line_are_kept_together() -> None:
    line = _show("He said مكتبة today.", "He said مكتبة.")[0]
    assert [part.count("\u2066") for part in line.split("│")] == [1, 1]


def test_wide_signs_count_twice_and_are_never_cut() -> None:
    lines = _show(CHINESE, CHINESE.replace("今", "昨") + FAMILY)
    assert FAMILY in "".join(lines)
    assert all(measure_cells(line.split("│")[0]) == 29 for line in lines)


def test_narrow_terminals_have_sixty_columns() -> None:
    assert _show("a", "b", columns=10) == _show("a", "b", columns=60)


LINES = st.lists(
    st.one_of(
        st.text(max_size=120),
        st.text(alphabet="ab  عرب北京\u0301\u200d\u200f\U0001f468\U0001f469\U0001f1e9\U0001f3fd\ufe0f", max_size=120),
    ),
    max_size=4,
)


@given(LINES, LINES, st.integers(1, 130), st.booleans())
def test_no_line_leaves_its_column_whatever_it_holds(
    old: list[str], new: list[str], columns: int, colour: bool
) -> None:
    width = (max(60, columns) - 3) // 2
    for line in _show("\n".join(old), "\n".join(new), columns=columns, colour=colour):
        plain = _bare(line)
        assert "\x1b" not in plain
        if not line or "unchanged" in plain:
            continue
        left = plain[: plain.index("│")] if "│" in plain else plain
        assert measure_cells(left) == width + 1 or "│" in "".join(old + new)
        assert measure_cells(plain) <= 2 * width + 3
        assert line.count("\x1b[0m") * 2 == line.count("\x1b[")
        assert len(re.findall("[\u2066\u2067]", line)) == line.count("\u2069")


@given(st.text(max_size=200))
def test_signs_are_the_text(text: str) -> None:
    assert "".join(split_signs(text)) == text


@given(st.text(alphabet="ab عرب北京 \n", max_size=120), st.text(alphabet="ab عرب北京 \n", max_size=120))
def test_all_words_of_both_texts_are_shown(before: str, after: str) -> None:
    diff = diff_texts(before, after)
    assume(diff.changed)
    shown = _bare(render_side(diff, columns=60, colour=False, context=1000))
    rows = [line.ljust(60).split("│") for line in shown.split("\n")]
    for text, side in zip((before, after), ("".join(part) for part in zip(*rows, strict=True)), strict=True):
        assert sorted(c for c in text if not c.isspace()) == sorted(c for c in side if c.isalpha())


@pytest.mark.parametrize(
    ("text", "to_left"),
    [(ARABIC, True), ("BBC: " + ARABIC, True), ("a مكتبة b c d e f", False), ("123", False), ("", False)],
)
def test_direction_is_that_of_most_letters(text: str, to_left: bool) -> None:
    assert runs_to_left(text) is to_left

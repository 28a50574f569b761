"""Differences of texts: which words changed, how they are shown, and that nothing in them can harm a terminal."""

from __future__ import annotations

import json
import random
import time
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.diff import Change, TextDiff, diff_texts, diff_to_json, make_safe, render_diff
from jobs.diff.words import split_words

ARABIC = "افتتحت بلدية المدينة اليوم مكتبة عامة"
ARABIC_EDITED = "افتتحت بلدية المدينة أمس مكتبة عامة"


def _show(before: str, after: str, *, colour: bool = False) -> list[str]:
    return render_diff(diff_texts(before, after), colour=colour).split("\n")


def _sides(diff: TextDiff) -> tuple[str, str]:
    before = [line.before for line in diff.lines if line.before is not None]
    after = [line.after for line in diff.lines if line.after is not None]
    return "\n".join(before), "\n".join(after)


def test_changed_words_are_marked() -> None:
    assert _show("The tax will rise by 2 %.", "The tax will rise by 3 %.") == [
        "- The tax will rise by [-2-] %.",
        "+ The tax will rise by {+3+} %.",
    ]


def test_changed_words_are_coloured() -> None:
    assert _show("It will rise.", "It will fall.", colour=True) == [
        "\x1b[31m-\x1b[0m It will \x1b[31mrise\x1b[0m.",
        "\x1b[32m+\x1b[0m It will \x1b[32mfall\x1b[0m.",
    ]


def test_a_change_of_several_words_is_one_change() -> None:
    assert _show("After almost three hours of talks", "After two and a half hours of talks") == [
        "- After [-almost three-] hours of talks",
        "+ After {+two and a half+} hours of talks",
    ]


def test_added_and_removed_lines_stand_between_unchanged_ones() -> None:
    before = "Budget\nOne.\nTwo.\nThree.\nFour."
    after = "Budget\nOne.\nTwo.\nSomething else entirely, said the minister.\nFour."
    assert _show(before, after) == [
        "  … 2 lines unchanged",
        "  Two.",
        "- Three.",
        "+ Something else entirely, said the minister.",
        "  Four.",
    ]


def test_equal_texts() -> None:
    diff = diff_texts("Budget\nIt will rise.", "Budget\nIt will rise.")
    assert not diff.changed
    assert render_diff(diff, colour=False) == "  … 2 lines unchanged"
    assert diff_to_json(diff) == {"changed": False, "changes": []}


def test_one_side_empty() -> None:
    assert _show("", "Budget") == ["+ Budget"]
    assert _show("Budget", "") == ["- Budget"]
    assert render_diff(diff_texts("", ""), colour=False) == ""


def test_json_has_places_and_words() -> None:
    data = diff_to_json(diff_texts("A line.\nIt will rise.", "It will fall."))
    assert json.loads(json.dumps(data)) == data
    assert data["changes"] == [
        {"change": "removed", "before": "A line.", "after": None, "before_line": 1, "after_line": None, "words": []},
        {
            "change": "changed",
            "before": "It will rise.",
            "after": "It will fall.",
            "before_line": 2,
            "after_line": 1,
            "words": [
                {"change": "same", "text": "It will "},
                {"change": "removed", "text": "rise"},
                {"change": "added", "text": "fall"},
                {"change": "same", "text": "."},
            ],
        },
    ]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("It won't rise.", ["It", " ", "won't", " ", "rise", "."]),
        ("1,000 or 3.5 %", ["1,000", " ", "or", " ", "3.5", " ", "%"]),
        ("北京 2026年", ["北", "京", " ", "2026", "年"]),
        ("カタカナ", ["カ", "タ", "カ", "ナ"]),
        ("ที่นี่", ["ที่", "นี่"]),
        ("قُوّة القانون", ["قُوّة", " ", "القانون"]),
        ("می‌خواهم بروم", ["می‌خواهم", " ", "بروم"]),
        ("e\u0301te\u0301", ["e\u0301te\u0301"]),
        ("เมืองไทย", ["เมื", "อ", "ง", "ไท", "ย"]),
        ("ทำน้ำ", ["ทำ", "น้ำ"]),
        ("👨‍👩‍👧!", ["👨‍👩‍👧", "!"]),
        ("👍🏽👍", ["👍🏽", "👍"]),
        ("🇩🇪🇫🇷", ["🇩🇪", "🇫🇷"]),
        ("❤️ x", ["❤️", " ", "x"]),
        ("🏴\U000e0067\U000e0062\U000e007f", ["🏴\U000e0067\U000e0062\U000e007f"]),
        ("", []),
    ],
)
def test_words(line: str, words: list[str]) -> None:
    assert split_words(line) == words


def test_chinese_is_compared_by_character() -> None:
    assert _show("北京今天下雨", "北京昨天下雨") == ["- 北京[-今-]天下雨", "+ 北京{+昨+}天下雨"]


def test_right_to_left_lines_stand_in_an_isolate() -> None:
    removed, added = _show(ARABIC, ARABIC_EDITED)
    assert removed == f"- \u2068{ARABIC.replace('اليوم', '[-اليوم-]')}\u2069"
    assert added == f"+ \u2068{ARABIC_EDITED.replace('أمس', '{+أمس+}')}\u2069"
    assert "\u2068" not in "".join(_show("It rises", "It falls"))


@pytest.mark.parametrize("colour", [False, True])
@pytest.mark.parametrize(
    "hostile",
    [
        "\x1b[2J\x1b]0;owned\x07",
        "\x9b31m",
        "\r- forged",
        "\x08\x08",
        "\u2028+ forged",
        "\u202e\u2066abc",
        "\u2069",
        "\ud800",
        "\U000e0073\U000e0065",
    ],
)
def test_hostile_text_stays_in_its_line(hostile: str, colour: bool) -> None:
    for before, after in [("A line.", f"A {hostile} line."), (f"{hostile}\n1", f"{hostile}\n2"), (hostile, ARABIC)]:
        text = render_diff(diff_texts(before, after), colour=colour)
        for ours in ("\x1b[31m", "\x1b[32m", "\x1b[2m", "\x1b[0m", "\u2068", "\u2069", "\n"):
            text = text.replace(ours, "")
        assert not [c for c in text if unicodedata.category(c) in {"Cc", "Cs", "Zl", "Zp"} or c in "\u202e\u2066"]
        assert not [c for c in text if "\U000e0000" <= c <= "\U000e007f"]
        text.encode()


def test_a_stray_end_of_isolate_cannot_close_ours() -> None:
    line = _show("a", f"{ARABIC}\u2069 more")[1]
    assert line.count("\u2069") == 1
    assert line.endswith("\u2069")


def test_a_change_that_shows_nothing_is_written_out() -> None:
    assert _show("One. Two three four.", "One. \u200fTwo three four.")[1] == "+ One. {+\\u200f+}Two three four."
    assert _show("One, two three.", "One,  two three.")[1] == "+ One,{+  +}two three."


def test_make_safe_keeps_what_is_no_danger() -> None:
    text = "naïve \u200fعربي\u200f 北京 \u200d \U0001f3f4\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f"
    assert make_safe(text) == text


@given(st.text(alphabet="ab \n", max_size=60), st.text(alphabet="abc \n", max_size=60))
def test_both_texts_can_be_put_together_again(before: str, after: str) -> None:
    diff = diff_texts(before, after)
    assert _sides(diff) == (before, after)
    assert diff.changed == (before != after)
    for line in diff.lines:
        if line.words:
            assert "".join(w.text for w in line.words if w.change is not Change.ADDED) == line.before
            assert "".join(w.text for w in line.words if w.change is not Change.REMOVED) == line.after


@given(st.text(max_size=200), st.text(max_size=200))
def test_any_text_can_be_shown(before: str, after: str) -> None:
    diff = diff_texts(before, after)
    assert _sides(diff) == (before, after)
    render_diff(diff, colour=True).encode()
    assert all("".join(split_words(line)) == line for line in before.split("\n"))


@pytest.mark.parametrize(
    "shape", ["another text", "another text in one line", "few words", "one word", "words moved", "many small edits"]
)
def test_ten_thousand_words_take_seconds_at_most(shape: str) -> None:
    chance = random.Random(10_000)
    words = [f"w{chance.randrange(3_000)}" for _ in range(10_000)]
    others = [f"w{chance.randrange(3_000)}" for _ in range(10_000)]
    before, after = {
        "another text": ("\n".join(words), "\n".join(others)),
        "another text in one line": (" ".join(words), " ".join(others)),
        "few words": ("a b " * 5_000, "b c a " * 3_333),
        "one word": ("a\n" * 10_000, "a\nb\n" * 5_000),
        "words moved": (" ".join(words), " ".join(words[5_000:] + words[:5_000])),
        "many small edits": (" ".join(words), " ".join("x" if chance.random() < 0.05 else word for word in words)),
    }[shape]
    started = time.process_time()
    diff = diff_texts(before, after)
    assert time.process_time() - started < 10
    assert _sides(diff) == (before, after)

"""Paragraphs that come, go, move, split and join; notes, live posts, walls, headlines."""

from __future__ import annotations

from typing import Any

import pytest

from jobs.edits import EditReport, State, judge_edit
from jobs.edits.paragraphs import MAX_CHARS
from tests.edits import make_state

ONE = "The council met on Monday to talk about the bridge."
TWO = "Nobody had expected the vote to be so close, a member said."
THREE = "The bridge was built by the town's own masons long ago."


def _judge(before: State, after: State) -> EditReport:
    return judge_edit(before, after)


def _lines(*lines: str, **more: Any) -> State:
    return make_state("\n".join(lines), **more)


def test_a_paragraph_that_came_and_one_that_went() -> None:
    report = _judge(_lines(ONE, TWO), _lines(ONE, TWO, THREE))
    assert [(edit.kind, edit.place, edit.before, edit.after) for edit in report.edits] == [
        ("paragraph_added", "line 3", None, THREE)
    ]
    report = _judge(_lines(ONE, TWO, THREE), _lines(ONE, THREE))
    assert [(edit.kind, edit.place, edit.before, edit.after) for edit in report.edits] == [
        ("paragraph_removed", "line 2", TWO, None)
    ]


@pytest.mark.parametrize(
    "lines", [(TWO, ONE, THREE), (ONE + " " + TWO, THREE), (ONE, TWO + " " + THREE), (*ONE.split(" to "), TWO, THREE)]
)
def test_a_paragraph_that_was_moved_split_or_joined_neither_came_nor_went(lines: tuple[str, ...]) -> None:
    if len(lines) == 4:
        lines = (lines[0], "to " + lines[1], *lines[2:])
    before, after = _lines(ONE, TWO, THREE), _lines(*lines)
    assert _judge(before, after).edits == _judge(after, before).edits == ()


def test_a_sentence_that_was_moved_within_its_paragraph_has_no_other_words() -> None:
    assert _judge(_lines(f"{ONE} {TWO} {THREE}"), _lines(f"{TWO} {THREE} {ONE}")).edits == ()


def test_marks_that_change_while_a_paragraph_is_split_are_told() -> None:
    before, after = _lines(f'{ONE} "We go," he said.'), _lines(ONE, "«We go», he said.")
    assert _judge(before, after).kinds == ["typo"]


def test_a_first_paragraph_that_is_now_read_as_the_lead_is_the_lead_and_no_removed_one() -> None:
    report = _judge(_lines(ONE, TWO), _lines(TWO, lead=ONE))
    assert (report.kinds, report.silent) == (["lead"], False)


def test_a_headline_and_what_changed_in_it() -> None:
    report = _judge(_lines(ONE, title="Three dead in fire"), _lines(ONE, title="Five dead in fire"))
    assert report.kinds == ["number", "headline"]
    report = _judge(_lines(ONE, title="Fire was arson"), _lines(ONE, title="Fire was arson?"))
    assert report.kinds == ["headline"]


@pytest.mark.parametrize(
    "note",
    [
        "Correction: an earlier version said four.",
        "Anm. d. Red.: In einer früheren Fassung stand vier.",
        "编者按：此前版本有误。",
        "تصويب: ورد في نسخة سابقة رقم آخر.",
        "От редакции: в тексте исправлена цифра.",
    ],
)
def test_a_note_of_the_editors_is_no_paragraph(note: str) -> None:
    assert _judge(_lines(ONE, TWO), _lines(ONE, TWO, note)).kinds == ["correction_note"]


def test_correction_as_a_word_of_the_story_is_no_note() -> None:
    line = "Correction of the river's course took nine years."
    assert _judge(_lines(ONE), _lines(ONE, line)).kinds == ["paragraph_added"]


def _post(number: int, text: str) -> dict[str, str]:
    return {"id": f"p{number}", "time": f"2026-01-12T{number:02}:00:00+00:00", "text": text}


def _live(*posts: dict[str, str]) -> State:
    lines = [line for post in posts for line in (post["time"][11:16], post["text"])]
    return _lines(ONE, *lines, page_class="live", posts=list(posts))


def test_posts_that_came_are_no_paragraphs_and_not_silent() -> None:
    old = [_post(9, TWO), _post(8, THREE)]
    report = _judge(_live(*old), _live(_post(10, "The vote is over."), *old))
    assert (report.kinds, report.silent) == (["live_append"], False)
    assert report.edits[0].after == "The vote is over."


def test_an_old_post_that_fell_off_the_end_is_nothing_and_one_that_was_withdrawn_is_told() -> None:
    new = _post(10, "The vote is over.")
    assert _judge(_live(_post(9, TWO), _post(8, THREE)), _live(new, _post(9, TWO))).kinds == ["live_append"]
    report = _judge(_live(_post(9, TWO), _post(8, THREE)), _live(new, _post(8, THREE)))
    assert report.kinds == ["live_append", "post_removed"]


@pytest.mark.parametrize("sign", [{"page_class": "truncated"}, {"access": "paid"}])
def test_what_a_wall_hides_was_not_removed(sign: dict[str, Any]) -> None:
    free, paid = _lines(ONE, TWO, THREE), _lines(ONE, "Nobody had expected …", **sign)
    there, back = _judge(free, paid), _judge(paid, free)
    assert (there.kinds, there.silent) == (["paywall_on"], False)
    assert (back.kinds, back.silent) == (["paywall_off"], False)


def test_what_changed_beside_a_wall_is_told() -> None:
    after = _lines(ONE.replace("Monday", "Friday"), page_class="truncated")
    assert _judge(_lines(ONE, TWO, THREE), after).kinds == ["number", "paywall_on"]


def test_a_text_that_is_too_long_to_compare_has_other_words() -> None:
    report = _judge(_lines("a " * MAX_CHARS), _lines("b " * MAX_CHARS))
    assert [(edit.kind, edit.place) for edit in report.edits] == [("wording", "text")]


def test_a_long_text_of_which_little_changed_is_compared() -> None:
    rest = [f"Line {number} of a very long page." for number in range(10_000)]
    report = _judge(_lines(ONE, *rest), _lines(ONE.replace("Monday", "Friday"), *rest))
    assert report.kinds == ["number"]


def test_a_word_that_stood_twice() -> None:
    assert _judge(_lines("He went went home at night."), _lines("He went home at night.")).kinds == ["typo"]
    twice, once = (_lines(text, language="zh") for text in ("它靠脚底的的感应器判断。", "它靠脚底的感应器判断。"))
    assert _judge(twice, once).kinds == ["typo"]

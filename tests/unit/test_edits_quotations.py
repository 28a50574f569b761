"""Who is quoted, with the quotation marks of six kinds, and what an apostrophe is not."""

from __future__ import annotations

import pytest

from jobs.edits import judge_edit
from jobs.edits.quotations import find_around, find_quotations
from tests.edits import make_state


def _quoted(line: str) -> list[str]:
    return [line[start:end] for start, end in find_quotations(line)]


@pytest.mark.parametrize("marks", ['""', "“”", "„“", "„”", "«»", "»«", "「」", "『』", "‹›", "‘’", "‚‘"])
def test_quotations_of_every_kind(marks: str) -> None:
    opening, closing = tuple(marks)
    line = f"He said {opening}we will go{closing} and {opening}soon{closing}."
    assert _quoted(line) == ["we will go", "soon"]


def test_an_apostrophe_is_no_quotation() -> None:
    assert _quoted("The minister’s car and the ministers’ cars, rock ‘n’ roll") == ["n"]
    assert _quoted("‘It’s over’, she said") == ["It’s over"]


def test_a_mark_that_nothing_closes_quotes_nothing() -> None:
    assert _quoted("He said “we will go.") == []
    assert _quoted("“" + "a" * 6_000 + "” and “b”") == ["b"]


def test_a_quotation_within_one_is_part_of_it() -> None:
    assert _quoted("„Er rief ‚Halt‘ und lief“, sagte sie") == ["Er rief ‚Halt‘ und lief"]


def test_where_a_place_lies() -> None:
    spans = [(2, 5), (8, 12)]
    assert find_around(2, 5, spans) == (2, 5)
    assert find_around(9, 10, spans) == (8, 12)
    assert find_around(4, 9, spans) is None
    assert find_around(12, 12, spans) == (8, 12)
    assert find_around(20, 30, spans) is None
    assert find_around(0, 1, []) is None


@pytest.mark.parametrize("marks", ['""', "“”", "„“", "«»", "「」", "‹›"])
def test_other_words_in_a_quotation(marks: str) -> None:
    opening, closing = tuple(marks)
    before, after = (f"The mayor said {opening}we {word} the plan{closing} at noon." for word in ("reject", "doubt"))
    report = judge_edit(make_state(before), make_state(after))
    assert [edit.kind for edit in report.edits] == ["quotation"]
    assert (report.edits[0].before, report.edits[0].after) == ("reject", "doubt")


def test_a_quotation_that_came() -> None:
    report = judge_edit(make_state("He called it a trick of sorts."), make_state('He called it "a trick" of sorts.'))
    assert report.kinds == ["quotation"]


def test_other_marks_round_the_same_words_are_no_other_quotation() -> None:
    report = judge_edit(make_state('He called it "a trick" today.'), make_state("He called it “a trick” today."))
    assert report.kinds == ["typo"]


def test_what_changes_beside_a_quotation_is_no_quotation() -> None:
    report = judge_edit(make_state("She said “we go” loudly."), make_state("She said “we go” softly."))
    assert report.kinds == ["wording"]

"""For any two small texts: the words and the lines that the plain way finds, which is in no hurry and has no budget."""

from __future__ import annotations

from collections import Counter
from itertools import zip_longest
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jobs.diff import diff_texts, split_words
from jobs.diff import texts as texts_module
from jobs.diff import words as words_module
from jobs.diff.budget import Budget

if TYPE_CHECKING:
    from jobs.diff import TextDiff

SIGNS = st.one_of(
    st.sampled_from(
        "ab 1 3.5,'’-:·\u200d\u0301\U0001f468\U0001f3fd\U0001f1e9\U0001f1ea\u0e40\u0e17\u0e32\u0eb2北カ\U000e0067_\t"
    ),
    st.characters(),
)
LINES = st.one_of(
    st.lists(SIGNS, max_size=30).map("".join), st.lists(st.sampled_from("abcdefg"), max_size=9).map(" ".join)
)
TEXTS = st.lists(LINES.map(lambda line: line.replace("\n", " ")), max_size=12).map("\n".join)


def _split_plainly(line: str) -> list[str]:
    words: list[str] = []
    kind_before = ""
    pieces = words_module._PIECES.findall(line)
    for piece, following in zip_longest(pieces, pieces[1:], fillvalue=""):
        kind = words_module._kind_of(piece[0])
        joins = piece in words_module._JOINERS and kind_before == "word" and following
        if joins and words_module._kind_of(following[0]) == "word":
            kind = "word"
        if words and (kind == "mark" or (kind == kind_before and kind in {"word", "space"})):
            words[-1] += piece
            kind = kind_before
        elif words and _goes_on_plainly(words[-1], kind):
            words[-1] += piece
        else:
            words.append(piece)
        kind_before = kind
    return words


def _goes_on_plainly(word: str, kind: str) -> bool:
    if kind == "flag":
        return len(word) == 1 and words_module._kind_of(word) == "flag"
    if kind == "letter":
        return len(word) == 1 and word in words_module._LEADING
    joined = kind == "other" and len(word) > 1 and word.endswith("\u200d")
    return joined and words_module._kind_of(word[0]) == "other"


def _liken_plainly(one: Counter[str], other: Counter[str], total: int) -> float:
    return 2 * (one & other).total() / total if total else 1.0


def _diff_plainly(before: str, after: str) -> TextDiff:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(texts_module, "split_words", _split_plainly)
        patch.setattr(texts_module, "_liken", _liken_plainly)
        return diff_texts(before, after, budget=Budget(10**9, 10**9, 10**9))


@given(st.lists(SIGNS, max_size=60).map("".join))
@settings(max_examples=500, deadline=None)
def test_words_are_those_of_the_plain_way(line: str) -> None:
    assert split_words(line) == _split_plainly(line)


@given(TEXTS, TEXTS)
@settings(max_examples=500, deadline=None)
def test_lines_are_those_of_the_plain_way(before: str, after: str) -> None:
    diff = diff_texts(before, after)
    assert diff == _diff_plainly(before, after)
    assert diff.uncompared == 0


@given(TEXTS, TEXTS, st.integers(0, 400), st.integers(0, 400), st.integers(0, 20))
@settings(max_examples=300, deadline=None)
def test_any_budget_loses_no_line(before: str, after: str, read: int, likenings: int, runs: int) -> None:
    diff = diff_texts(before, after, budget=Budget(read, likenings, runs))
    old, new = ("\n".join(t for t in side if t is not None) for side in _list_sides(diff))
    assert (old, new) == (before, after)
    assert [line.before_number for line in diff.lines if line.before_number] == list(
        range(1, sum(line.before is not None for line in diff.lines) + 1)
    )


def _list_sides(diff: TextDiff) -> tuple[list[str | None], list[str | None]]:
    return [line.before for line in diff.lines], [line.after for line in diff.lines]

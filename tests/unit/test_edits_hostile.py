"""Texts made to keep the judging of edits busy. CPU time, and many times what each takes (0.1 to 1 s)."""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING

import pytest

from jobs.diff import diff_texts, split_words
from jobs.edits import judge_edit
from jobs.edits.hunks import list_hunks
from jobs.edits.names import find_names
from jobs.edits.negations import changes_negation
from jobs.edits.numbers import list_values
from jobs.edits.paragraphs import MAX_CHARS
from jobs.edits.quotations import find_quotations
from tests.edits import make_state
from tests.meters import scale_seconds

if TYPE_CHECKING:
    from collections.abc import Callable

    from jobs.edits import State

MANY = 100_000
MAX_SECONDS = 2
CHANCE = random.Random(7)


def _shuffle(size: int, kinds: int) -> str:
    return " ".join(f"W{CHANCE.randrange(kinds)}" for _ in range(size))


def _pair(before: str, after: str, language: str = "en") -> tuple[State, State]:
    """Return two states whose texts are just short enough to be compared word by word."""
    room = MAX_CHARS - 100
    return make_state(before[:room] + "x", language=language), make_state(after[:room] + "y", language=language)


STATES: dict[str, Callable[[], tuple[State, State]]] = {
    "one line of 5 MB": lambda: (make_state("word " * 1_000_000 + "x"), make_state("word " * 1_000_000 + "y")),
    "5 MB without a space": lambda: (make_state("a" * 5_000_000), make_state("b" * 5_000_000)),
    "100,000 lines": lambda: (
        make_state("\n".join(f"l{number}" for number in range(MANY))),
        make_state("\n".join(f"m{number}" for number in range(MANY))),
    ),
    "a title of 5 MB": lambda: (make_state("a", title="v " * 2_500_000), make_state("a", title="w " * 2_500_000)),
    "100,000 authors": lambda: (
        make_state("a b", authors=[f"Ann Lee{number}" for number in range(MANY)]),
        make_state("a c", authors=[f"Bo Ray{number}" for number in range(MANY)]),
    ),
    "an author of 100,000 words": lambda: (
        make_state("a b", authors=["Ann " * MANY]),
        make_state("a c", authors=["Bob " * MANY]),
    ),
    "100,000 notes": lambda: (
        make_state("a", corrections=[f"n{number}" for number in range(MANY)]),
        make_state("a", corrections=[f"m{number}" for number in range(MANY)]),
    ),
    "20,000 posts": lambda: (
        make_state("a", posts=[{"id": number, "text": f"t{number}"} for number in range(20_000)]),
        make_state("b", posts=[{"id": -number, "text": f"t{number}"} for number in range(20_000)]),
    ),
    "open quotes": lambda: _pair("“" * MANY, "„" * MANY),
    "short quotes": lambda: _pair("“a” " * MANY, "“b” " * MANY),
    "apostrophes": lambda: _pair("‘a " * MANY, "‘b " * MANY),
    "numbers": lambda: _pair(" ".join(map(str, range(MANY))), " ".join(map(str, range(1, MANY)))),
    "spaced numbers": lambda: _pair("111 " * MANY, "112 " * MANY),
    "one number": lambda: _pair("1" * MANY, "2" * MANY),
    "other words": lambda: _pair(_shuffle(40_000, 5_000), _shuffle(40_000, 5_000)),
    "few words in any order": lambda: _pair(_shuffle(40_000, 20), _shuffle(40_000, 20)),
    "German nouns": lambda: _pair(_shuffle(40_000, 50), _shuffle(40_000, 60), "de"),
    "many hunks": lambda: _pair(
        " ".join(f"A{number} s{number}" for number in range(MANY)),
        " ".join(f"B{number} s{number}" for number in range(MANY)),
    ),
    "many changed lines": lambda: _pair(
        "\n".join(f"Frau A{number} kommt nicht nach Ulm" for number in range(1_300)),
        "\n".join(f"Frau B{number} kommt oft nach Bonn" for number in range(1_300)),
        "de",
    ),
    "lines of which any may go with any": lambda: _pair(
        "\n".join(_shuffle(300, 900) for _ in range(50)), "\n".join(_shuffle(300, 900) for _ in range(50))
    ),
    "Han names": lambda: _pair("不过王" * MANY, "不过李" * MANY, "zh"),
    "Han numerals": lambda: _pair("一" * MANY, "二" * MANY, "zh"),
    "Arabic names": lambda: _pair("محمد لا يزال " * MANY, "أحمد لم يزال " * MANY, "ar"),
    "marks on one letter": lambda: _pair("a" + "\u0301" * MANY, "a" + "\u0316" * MANY),
    "white space": lambda: _pair("a" + " " * MANY, "b" + "  " * MANY),
    "dots": lambda: _pair("a." * MANY, "b." * MANY),
    "hyphens": lambda: _pair("a-" * MANY, "A-" * MANY),
}


@pytest.mark.parametrize("name", STATES)
def test_hostile_states_take_two_seconds_at_most(name: str) -> None:
    before, after = STATES[name]()
    started = time.process_time()
    report = judge_edit(before, after)
    assert scale_seconds(time.process_time() - started, MAX_SECONDS) < MAX_SECONDS
    assert report.edits


READERS: dict[str, Callable[[], object]] = {
    "open quotes": lambda: find_quotations("“" * MANY),
    "quotes in turn": lambda: find_quotations("“„«‘‚「" * MANY),
    "numbers": lambda: list_values("1,000 " * MANY, "en"),
    "number words": lambda: list_values("twenty " * MANY, "en"),
    "a number word": lambda: list_values("zwei" * MANY, "de"),
    "scales": lambda: list_values("million " * MANY, "en"),
    "Han numerals": lambda: list_values("九亿" * MANY, "zh"),
    "names": lambda: find_names([make_state("Ann Lee. " * MANY)]),
    "one long word": lambda: find_names([make_state("Ann-" * MANY)]),
    "dots between letters": lambda: split_words("a." * 10 * MANY),
    "marks on a letter": lambda: split_words("a" + "\u0301" * 10 * MANY),
    "emoji of one sign": lambda: split_words("\U0001f468\u200d" * 5 * MANY),
    "openings": lambda: find_names([make_state("Ann " + "(" * MANY + "Lee")]),
}


@pytest.mark.parametrize("name", READERS)
def test_readers_of_a_line_take_linear_time(name: str) -> None:
    started = time.process_time()
    assert READERS[name]() is not None
    assert scale_seconds(time.process_time() - started, MAX_SECONDS) < MAX_SECONDS


def test_negations_are_looked_for_near_by() -> None:
    (line,) = diff_texts("不" * 40_000 + "来", "不" * 40_000 + "去").lines
    started = time.process_time()
    for hunk in list(list_hunks(line)) * 2_000:
        assert not changes_negation(hunk, "zh")
    assert scale_seconds(time.process_time() - started, MAX_SECONDS) < MAX_SECONDS

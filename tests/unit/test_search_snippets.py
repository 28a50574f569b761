"""Snippets show the words that were found, in the letters of the page."""

from __future__ import annotations

import unicodedata

import pytest

from jobs.search.queries import read_query
from jobs.search.snippets import MAX_TITLE_CHARS, SNIPPET_CHARS, make_snippet, mark_title


def show(words: str, text: str) -> str:
    return "".join(f"[{run.text}]" if run.marked else run.text for run in make_snippet(text, read_query(words)))


@pytest.mark.parametrize(
    ("words", "text", "shown"),
    [
        ("sequia", "Alivian la sequía en el sur", "Alivian la [sequía] en el sur"),
        ("مكتبه", "افتتاح مكتبة عامة", "افتتاح [مكتبة] عامة"),
        ("مُحمد", "قال محمد", "قال [محمد]"),
        ("libr*", "Libraries and a library", "[Libraries] and a [library]"),
        ('"the room"', "In the room", "In [the] [room]"),
        ("a -room", "a room", "[a] room"),
        ("北京大学", "我在北京大学读书", "我在[北京大学]读书"),
        ("大", "我在北京大学", "我在北京[大]学"),
        ("学", "我在北京大学", "我在北京大[学]"),
        ("手机", "手机iPhone", "[手机]iPhone"),
        ("", "one two", "one two"),
        ("room", "The\nroom", "The [room]"),
        ("é", "e\u0301te\u0301 e\u0301", "été [é]"),
    ],
)
def test_words_are_marked_in_the_letters_of_the_page(words: str, text: str, shown: str) -> None:
    assert unicodedata.normalize("NFC", show(words, text)) == shown


def test_a_snippet_lies_around_the_first_word_that_was_found() -> None:
    text = " ".join(f"w{number}" for number in range(1_000)) + " here " + "and more " * 100
    shown = show("here", text)
    assert shown.startswith("… w98")
    assert "[here]" in shown
    assert shown.endswith(" …")
    assert len(shown) < SNIPPET_CHARS + 20


def test_a_word_without_end_is_cut_and_so_is_a_title() -> None:
    assert len(show("x", "x" * 5_000 + " y")) < 3 * SNIPPET_CHARS
    assert sum(len(run.text) for run in mark_title("long " * 200, read_query("long"))) == MAX_TITLE_CHARS

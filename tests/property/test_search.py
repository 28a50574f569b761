"""Whatever is typed is answered or refused, whatever a page says is found by its own words, and shown as it was."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.search import Query, QueryError
from jobs.search.letters import fold_words, walk_words
from jobs.search.queries import make_expression, read_query
from jobs.search.snippets import make_snippet

PIECES = st.sampled_from(
    [
        '"',
        "*",
        "-",
        "(",
        ")",
        ":",
        "^",
        "+",
        " ",
        "title:",
        "NEAR(",
        " AND ",
        " NOT ",
        "{",
        "}",
        "\x00",
        "é",
        "大学",
        "ة",
        "ß",
    ]
)
TYPED = st.lists(PIECES | st.text(max_size=8), max_size=12).map("".join)
TEXTS = st.lists(st.text(max_size=12) | PIECES, max_size=20).map(" ".join)


def search(text: str, words: str) -> bool:
    """Whether FTS5 finds *text* by *words*, through the tokens that the index would have."""
    with closing(sqlite3.connect(":memory:")) as db:
        db.execute("CREATE VIRTUAL TABLE words USING fts5 (title, body, facets, content='', tokenize='ascii')")
        db.execute("INSERT INTO words (title, body, facets) VALUES ('', ?, '')", (fold_words(text),))
        expression = make_expression(read_query(words), Query())
        return expression is None or bool(
            db.execute("SELECT 1 FROM words WHERE words MATCH ?", (expression,)).fetchall()
        )


@given(TYPED)
def test_what_is_typed_is_answered_or_refused(typed: str) -> None:
    try:
        search("some text", typed)
    except QueryError:
        return


@given(TEXTS)
def test_folding_twice_is_folding_once_but_for_pairs_of_letters(text: str) -> None:
    once = fold_words(text)
    if not any(ord(letter) >= 0x0E00 for letter in once):
        assert fold_words(once) == once
    assert all(letter == " " or letter.isalnum() or ord(letter) > 0x7F for letter in once)
    assert not once.isascii() or once == once.lower()


@given(TEXTS)
def test_words_are_folded_one_by_one_as_in_their_text(text: str) -> None:
    assert [token for _, _, tokens in walk_words(text) for token in tokens] == fold_words(text).split()


@given(TEXTS, st.data())
def test_a_text_is_found_by_each_of_its_words_and_by_runs_of_them(text: str, data: st.DataObject) -> None:
    words = [text.replace("_", " ")[begin:end] for begin, end, _ in walk_words(text)]
    if not words:
        return
    first = data.draw(st.integers(0, len(words) - 1))
    last = data.draw(st.integers(first, min(first + 3, len(words) - 1)))
    assert search(text, f'"{words[first]}"')
    assert search(text, f'"{" ".join(words[first : last + 1])}"')


@given(TEXTS, TYPED)
def test_a_snippet_is_a_piece_of_the_text(text: str, typed: str) -> None:
    try:
        terms = read_query(typed)
    except QueryError:
        return
    runs = [run for run in make_snippet(text, terms) if run.text not in {"… ", " …"} or run.marked]
    assert "".join(run.text for run in runs) in text.replace("\n", " ")
    assert not any(run.marked for run in runs) or terms


@pytest.mark.parametrize(
    "text", ["大" * 3_000, "e\u0301" * 20_000, "a_" * 20_000, "ﷺ" * 5_000, "\u0640" * 50_000, "x" * 100_000]
)
def test_long_runs_cost_no_more_than_their_length(text: str) -> None:
    terms = read_query('大 "a b" xx* title:y')
    assert len(fold_words(text)) <= 20 * len(text)
    assert make_snippet(text, terms)

"""What is typed becomes words that must be there; what makes no sense is told with its place."""

from __future__ import annotations

import pytest

from jobs.search import Query, QueryError
from jobs.search.facets import make_facet
from jobs.search.queries import MAX_PREFIXES, MAX_QUERY_CHARS, MAX_TERMS, Term, make_expression, read_query


@pytest.mark.parametrize(
    ("typed", "terms"),
    [
        ("", []),
        ("  ", []),
        ("Library", [Term(("library",))]),
        ("public library", [Term(("public",)), Term(("library",))]),
        ('"public library"', [Term(("public", "library"))]),
        ("“public library”", [Term(("public", "library"))]),
        ("libr*", [Term(("libr",), prefix=True)]),
        ('"public libr"*', [Term(("public", "libr"), prefix=True)]),
        ("-small", [Term(("small",), without=True)]),
        ('-"small room"', [Term(("small", "room"), without=True)]),
        ("title:library", [Term(("library",), title=True)]),
        ('-Title:"a room"', [Term(("a", "room"), without=True, title=True)]),
        ("well-known", [Term(("well", "known"))]),
        ("other:word", [Term(("other", "word"))]),
        ("https://gazette.example/a", [Term(("https", "gazette", "example", "a"))]),
        ("Málaga – 2023", [Term(("malaga",)), Term(("2023",))]),
        ("大", [Term(("大",), prefix=True)]),
        ("大学", [Term(("大学",))]),
        ("北京大学", [Term(("北京", "京大", "大学"))]),
        ('a"b c"', [Term(("a",)), Term(("b", "c"))]),
    ],
)
def test_words_phrases_beginnings_and_what_must_not_be_there(typed: str, terms: list[Term]) -> None:
    assert read_query(typed) == terms


@pytest.mark.parametrize(
    ("typed", "message"),
    [
        ('one "two three', 'search, character 5: found a phrase without an end, expected another "'),
        ("one t*", "search, character 5: found 't*', expected at least 2 letters before *"),
        ("***", "search: found '***', expected letters or digits"),
        ("x" * (MAX_QUERY_CHARS + 1), f"search: found {MAX_QUERY_CHARS + 1} characters, expected at most"),
        (
            "ab* " * (MAX_PREFIXES + 1),
            f"search, character {4 * MAX_PREFIXES + 3}: found more than {MAX_PREFIXES} words with",
        ),
        ("a " * (MAX_TERMS + 1), f"search, character {2 * MAX_TERMS + 1}: found more than {MAX_TERMS} words"),
    ],
)
def test_what_makes_no_sense_is_told_with_its_place(typed: str, message: str) -> None:
    with pytest.raises(QueryError) as caught:
        read_query(typed)
    assert str(caught.value).startswith(message)


def test_operators_of_the_index_are_words_like_others() -> None:
    told = make_expression(read_query('a AND b OR NOT NEAR(c, 2) ^d facets:"x" {title}: e'), Query())
    assert told is not None
    assert told.count(" AND ") == 10
    for operator in (" OR ", " NOT ", "^", "+", "NEAR"):
        assert operator not in told


def test_filters_are_intersected_and_a_search_of_nothing_but_unwanted_words_finds_all_else() -> None:
    query = Query(sources=("a", "b"), deleted=True)
    a, b, deleted, everything = (make_facet(*one) for one in (("source", "a"), ("source", "b"), ("deleted",), ("any",)))
    assert make_expression([], Query()) is None
    assert make_expression([], query) == f'facets : ("{a}" OR "{b}") AND facets : ("{deleted}")'
    assert make_expression([Term(("x",), without=True)], Query()) == (
        f'(facets : ("{everything}")) NOT ({{title body}} : "x")'
    )

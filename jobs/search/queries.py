"""What a person types → an expression of FTS5 that holds tokens alone: nothing that is typed is an operator.

`words`, all of which must be there; `"a phrase"`; `prefix*`; `-without`; `title:word`, `title:"a phrase"`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from jobs.search.facets import make_facet
from jobs.search.letters import fold_words, is_unspaced

if TYPE_CHECKING:
    from collections.abc import Iterable

    from jobs.search.facts import Query

MAX_QUERY_CHARS = 500
MAX_TERMS = 32
MAX_PREFIXES = 8
"""Each gathers all texts that have one of its words in one go, which no clock of ours interrupts."""
MIN_PREFIX_CHARS = 2
"""Shorter ones would gather half of all words."""
_TERM = re.compile(
    r'(?P<without>-?)(?P<field>[A-Za-z]+:)?(?:"(?P<phrase>[^"]*)(?P<closed>"?)|(?P<word>[^\s"]+))(?P<star>\*?)'
)
_QUOTES = str.maketrans(dict.fromkeys("“”„‟«»", '"'))


class QueryError(Exception):
    """A search that makes no sense. Says where, what was found and what is expected."""


@dataclass(frozen=True, slots=True)
class Term:
    """A word or phrase that must be there, or must not."""

    tokens: tuple[str, ...]
    prefix: bool = False
    """Whether the last token is the beginning of a word only."""
    without: bool = False
    title: bool = False


def read_query(words: str) -> list[Term]:
    """Return the terms in *words*. Raises QueryError."""
    if len(words) > MAX_QUERY_CHARS:
        raise QueryError(f"search: found {len(words)} characters, expected at most {MAX_QUERY_CHARS}")
    terms: list[Term] = []
    plain = words.translate(_QUOTES)
    at = 0
    while at < len(plain):
        if plain[at].isspace():
            at += 1
            continue
        found = _TERM.match(plain, at)
        if found is None:
            raise QueryError(f"search, character {at + 1}: found {plain[at : at + 20]!a}, expected a word or a phrase")
        at = found.end()
        term = _read_term(found)
        if term is not None:
            terms.append(term)
        if len(terms) > MAX_TERMS:
            raise QueryError(f"search, character {at}: found more than {MAX_TERMS} words, expected at most so many")
        if sum(term.prefix for term in terms) > MAX_PREFIXES:
            raise QueryError(
                f"search, character {at}: found more than {MAX_PREFIXES} words with *, expected at most so many"
            )
    if words.strip() and not terms:
        raise QueryError(f"search: found {words.strip()[:40]!a}, expected letters or digits")
    return terms


def make_expression(terms: Iterable[Term], query: Query) -> str | None:
    """Return what FTS5 is to match; `None`: everything."""
    wanted = [quote_term(term) for term in terms if not term.without]
    wanted += _list_facets(query)
    unwanted = [quote_term(term) for term in terms if term.without]
    if unwanted and not wanted:
        wanted = [_choose([make_facet("any")])]
    if not wanted:
        return None
    told = " AND ".join(wanted)
    return f"({told}) NOT ({' OR '.join(unwanted)})" if unwanted else told


def _list_facets(query: Query) -> list[str]:
    groups = [
        [make_facet("source", one) for one in query.sources],
        [make_facet("language", query.language)] if query.language else [],
        [make_facet("section", query.section)] if query.section else [],
        [make_facet("author", query.author)] if query.author else [],
        [make_facet("kind", one) for one in query.kinds],
        [make_facet("silent")] if query.silent else [],
        [make_facet("deleted")] if query.deleted else [],
    ]
    return [_choose(group) for group in groups if group]


def _choose(facets: list[str]) -> str:
    return "facets : (" + " OR ".join(f'"{one}"' for one in facets) + ")"


def quote_term(term: Term) -> str:
    """Return the expression of FTS5 for a term, whether it is wanted or not."""
    phrase = f'"{" ".join(term.tokens)}"{" *" if term.prefix else ""}'
    return f"{'title' if term.title else '{title body}'} : {phrase}"


def _read_term(found: re.Match[str]) -> Term | None:
    place = f"search, character {found.start() + 1}"
    field = (found["field"] or "").lower()
    word, star = found["word"], found["star"] == "*"
    if found["phrase"] is not None and not found["closed"]:
        raise QueryError(f'{place}: found a phrase without an end, expected another "')
    text = found["phrase"] if word is None else word
    if word is not None:
        star = word.endswith("*")
    if field and field != "title:":
        text, field = f"{found['field']}{text}", ""
    tokens = tuple(fold_words(text).split())
    if not tokens:
        return None
    if star and len(tokens[-1]) < MIN_PREFIX_CHARS and not is_unspaced(tokens[-1]):
        raise QueryError(f"{place}: found {text[:40]!a}, expected at least {MIN_PREFIX_CHARS} letters before *")
    tokens = _join_letters(tokens)
    return Term(
        tokens=tokens,
        # a letter alone of a script without spaces is the beginning of a pair in the index, or the end of a run
        prefix=star or (len(tokens[-1]) == 1 and is_unspaced(tokens[-1])),
        without=found["without"] == "-",
        title=bool(field),
    )


def _join_letters(tokens: tuple[str, ...]) -> tuple[str, ...]:
    """Return *tokens* less the last letter of a run, which its last pair has."""
    last = tokens[-1]
    if len(tokens) > 1 and len(last) == 1 and is_unspaced(last) and tokens[-2].endswith(last):
        return tokens[:-1]
    return tokens

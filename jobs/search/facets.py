"""What a text can be chosen by beside its words, as tokens that the index intersects like words."""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING

from jobs.search.letters import fold_words

if TYPE_CHECKING:
    from collections.abc import Iterable

MAX_VALUES = 20
"""Of a field that a page states."""


def make_facet(name: str, value: str = "") -> str:
    """Return the token for a value of a field; letters are folded as those of words are."""
    return "f" + blake2b(f"{name}={fold_words(value)}".encode(), digest_size=6).hexdigest()


def list_facets(
    *,
    source: str,
    language: str,
    section: str,
    authors: Iterable[str],
    kinds: Iterable[str],
    silent: bool,
    deleted: bool,
) -> str:
    """Return the tokens of a text, a space between any two."""
    subtags = fold_words(language).split()
    found = [
        make_facet("any"),
        make_facet("source", source),
        *(make_facet("language", " ".join(subtags[: at + 1])) for at in range(min(len(subtags), 4))),
        *([make_facet("section", section)] if section else []),
        *(make_facet("author", author) for author in list(authors)[:MAX_VALUES]),
        *(make_facet("kind", kind) for kind in kinds),
        *([make_facet("silent")] if silent else []),
        *([make_facet("deleted")] if deleted else []),
    ]
    return " ".join(dict.fromkeys(found))

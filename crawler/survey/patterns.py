"""URLs of articles and of other pages → RE2 expressions that tell them apart, for `articles.include` and `.exclude`."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Pattern:
    """One expression and what it is good for."""

    expression: str
    """RE2, searched for in the normalised URL, as it is or with its letters readable."""
    matches: int
    """Of the URLs at hand: for an include the articles, for an exclude what is no article."""
    example: str | None = None
    """One of them, readable."""


@dataclass(frozen=True, slots=True)
class LearnedPatterns:
    """Expressions and how well they do on the URLs that they were learned from."""

    include: tuple[Pattern, ...] = ()
    exclude: tuple[Pattern, ...] = ()
    articles: int = 0
    covered: int = 0
    """Articles that are matched."""
    others: int = 0
    caught: int = 0
    """Other pages that are matched all the same: should be none."""
    unknown: int = 0
    taken: int = 0
    """URLs of which nobody knows what they are, and that are matched."""

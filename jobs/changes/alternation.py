"""An article's changes of text → which of them are a going back and forth. A pure function of their order.

A site that tries out headlines, or serves two copies of a page, changes a text many times a day and edits nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

MAX_TEXTS = 4
"""More texts than that are no few among which something alternates."""


@dataclass(frozen=True, slots=True)
class Flip:
    """One change of an article's text."""

    before: int
    """Number of the revision that it had."""
    after: int
    """Of the one that it has now; never the same."""
    back: bool
    """Whether it had had that one before."""


def find_alternations(flips: Sequence[Flip]) -> list[tuple[int, int]]:
    """Return first and last place of each stretch of *flips* that is an alternation, in order; they do not overlap.

    An alternation is the longest stretch of changes that follow one another, among MAX_TEXTS texts at most, **each of
    which came back in it**; it ends with a change to a text that had been there. The first such stretch counts.
    One revert is none: an editor may take an edit back (A B A: B did not come back), even step by step (A B C B A).
    When every text has come back, nothing of it was an edit that somebody meant to last: A B A B.
    """
    found = []
    at = 0
    while at < len(flips):
        last = _find_end(flips, at)
        if last is None:
            at += 1
        else:
            found.append((at, last))
            at = last + 1
    return found


def _find_end(flips: Sequence[Flip], first: int) -> int | None:
    texts, came_back = {flips[first].before}, set()
    last = None
    for at in range(first, len(flips)):
        flip = flips[at]
        texts.add(flip.after)
        if len(texts) > MAX_TEXTS:
            break
        if flip.back:
            came_back.add(flip.after)
            if came_back == texts:
                last = at
    return last

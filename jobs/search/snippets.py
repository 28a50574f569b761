"""A text and what was searched for → a short piece of it with the words marked, letters as the page has them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from jobs.search.facts import Run
from jobs.search.letters import FIRST_UNSPACED, is_unspaced, walk_words

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from jobs.search.queries import Term

SNIPPET_CHARS = 240
MAX_TITLE_CHARS = 300
MAX_SEARCHED_CHARS = 30_000
_BEFORE = 60
"""Characters before the first word that was found."""


def mark_title(title: str, terms: Iterable[Term]) -> tuple[Run, ...]:
    """Return a title with the words marked."""
    shown = title if len(title) <= MAX_TITLE_CHARS else title[: MAX_TITLE_CHARS - 1] + "…"
    return tuple(_cut_runs(shown, _Wanted.of(terms).find(shown)))


def make_snippet(body: str, terms: Iterable[Term]) -> tuple[Run, ...]:
    """Return the piece of *body* around the first word that was found, or its beginning."""
    text = body[:MAX_SEARCHED_CHARS].replace("\n", " ")
    wanted = _Wanted.of(terms)
    first = next(wanted.find(text), None)
    begin, end = _choose_window(text, first)
    shown = text[begin:end]
    runs = list(_cut_runs(shown, () if first is None else wanted.find(shown)))
    if begin > 0:
        runs.insert(0, Run("… "))
    if end < len(body):
        runs.append(Run(" …"))
    return tuple(runs)


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What is to be marked."""

    exact: frozenset[str]
    beginnings: tuple[str, ...]

    @classmethod
    def of(cls, terms: Iterable[Term]) -> _Wanted:
        wanted = [term for term in terms if not term.without]
        exact = frozenset(token for term in wanted for token in (term.tokens[:-1] if term.prefix else term.tokens))
        return cls(exact, tuple(term.tokens[-1] for term in wanted if term.prefix))

    def find(self, text: str) -> Iterator[tuple[int, int]]:
        """Yield where in *text* they stand, in order."""
        if not self.exact and not self.beginnings:
            return
        for begin, end, tokens in walk_words(text):
            if max(tokens) >= FIRST_UNSPACED and (is_unspaced(tokens[0]) or is_unspaced(tokens[-1])):
                yield from self._find_letters(text, begin, end)
            elif not self.exact.isdisjoint(tokens) or (
                self.beginnings and any(token.startswith(self.beginnings) for token in tokens)
            ):
                yield begin, end

    def _find_letters(self, text: str, begin: int, end: int) -> Iterator[tuple[int, int]]:
        """Yield runs of letters, of a script without spaces, that pairs make which are wanted."""
        first: int | None = None
        last = begin
        for at in range(begin, end):
            pair = text[at : min(at + 2, end)]
            if pair in self.exact or (self.beginnings and pair.startswith(self.beginnings)):
                if first is not None and at > last:
                    yield first, last
                    first = None
                first = at if first is None else first
                last = at + (len(pair) if pair in self.exact else 1)
        if first is not None:
            yield first, last


def _choose_window(text: str, first: tuple[int, int] | None) -> tuple[int, int]:
    if first is None:
        return 0, _end_at_word(text, min(len(text), SNIPPET_CHARS))
    begin = max(0, first[0] - _BEFORE)
    if begin:
        space = text.find(" ", begin, first[0])
        begin = space + 1 if space >= 0 else begin
    end = _end_at_word(text, min(len(text), begin + SNIPPET_CHARS))
    return begin, max(end, min(first[1], begin + 2 * SNIPPET_CHARS))


def _end_at_word(text: str, end: int) -> int:
    if end >= len(text):
        return len(text)
    space = text.rfind(" ", end - 40, end)
    return space if space > 0 else end


def _cut_runs(text: str, found: Iterable[tuple[int, int]]) -> Iterator[Run]:
    at = 0
    for first, last in found:
        if first > at:
            yield Run(text[at:first])
        yield Run(text[first:last], marked=True)
        at = last
    if at < len(text):
        yield Run(text[at:])

"""A text and what was searched for → a short piece of it with the words marked, letters as the page has them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jobs.search.facts import Run
from jobs.search.letters import is_unspaced, list_words

if TYPE_CHECKING:
    from collections.abc import Iterable

    from jobs.search.queries import Term

SNIPPET_CHARS = 240
MAX_TITLE_CHARS = 300
MAX_SEARCHED_CHARS = 100_000
_BEFORE = 60
"""Characters before the first word that was found."""


def mark_title(title: str, terms: Iterable[Term]) -> tuple[Run, ...]:
    """Return a title with the words marked."""
    shown = title if len(title) <= MAX_TITLE_CHARS else title[: MAX_TITLE_CHARS - 1] + "…"
    return _cut_runs(shown, _find(shown, terms), 0, len(shown))


def make_snippet(body: str, terms: Iterable[Term]) -> tuple[Run, ...]:
    """Return the piece of *body* around the first word that was found, or its beginning."""
    text = body[:MAX_SEARCHED_CHARS].replace("\n", " ")
    found = _find(text, terms)
    begin, end = _choose_window(text, found)
    runs = list(_cut_runs(text, found, begin, end))
    if begin > 0:
        runs.insert(0, Run("… "))
    if end < len(body):
        runs.append(Run(" …"))
    return tuple(runs)


def _find(text: str, terms: Iterable[Term]) -> list[tuple[int, int]]:
    """Return where words stand that are searched for, in order; those that touch are one."""
    exact = {token for term in terms if not term.without for token in term.tokens}
    beginnings = tuple(term.tokens[-1] for term in terms if term.prefix and not term.without)
    found: list[tuple[int, int]] = []
    for begin, end, tokens in list_words(text):
        if any(is_unspaced(token) for token in tokens):
            found += _find_letters(text, begin, end, exact)
        elif any(token in exact or (beginnings and token.startswith(beginnings)) for token in tokens):
            found.append((begin, end))
    return found


def _find_letters(text: str, begin: int, end: int, exact: set[str]) -> list[tuple[int, int]]:
    pairs = [at for at in range(begin, end) if text[at : min(at + 2, end)] in exact or text[at] in exact]
    found: list[tuple[int, int]] = []
    for at in pairs:
        stop = at + (2 if text[at : at + 2] in exact else 1)
        if found and found[-1][1] >= at:
            found[-1] = (found[-1][0], max(stop, found[-1][1]))
        else:
            found.append((at, stop))
    return found


def _choose_window(text: str, found: list[tuple[int, int]]) -> tuple[int, int]:
    if not found:
        return 0, _end_at_word(text, min(len(text), SNIPPET_CHARS))
    begin = max(0, found[0][0] - _BEFORE)
    if begin:
        space = text.find(" ", begin, found[0][0])
        begin = space + 1 if space >= 0 else begin
    end = min(len(text), begin + SNIPPET_CHARS)
    return begin, max(_end_at_word(text, end), min(found[0][1], begin + 2 * SNIPPET_CHARS))


def _end_at_word(text: str, end: int) -> int:
    if end >= len(text):
        return len(text)
    space = text.rfind(" ", end - 40, end)
    return space if space > 0 else end


def _cut_runs(text: str, found: list[tuple[int, int]], begin: int, end: int) -> tuple[Run, ...]:
    runs: list[Run] = []
    at = begin
    for first, last in found:
        if last > end:
            break
        if first < at:
            continue
        if first > at:
            runs.append(Run(text[at:first]))
        runs.append(Run(text[first:last], marked=True))
        at = last
    if at < end:
        runs.append(Run(text[at:end]))
    return tuple(runs)

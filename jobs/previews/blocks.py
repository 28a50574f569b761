"""The clean text of a page and its blocks → one list in the page's order: what was kept, what was dropped and why."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from crawler.explanation import Passage
    from crawler.preview.facts import PageSeen

_AHEAD = 60
"""Lines of the text among which the one of a block is looked for."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A line of the text, or a block that is no part of it."""

    kept: bool
    text: str
    """Of a dropped block, its beginning."""
    reason: str = ""
    """Why it was dropped; of what was kept `title`, `lead …`, `subhead` or nothing."""
    selector: str = ""
    chars: int = 0


def list_pieces(page: PageSeen) -> list[Piece]:
    """Return each line of the text once, in its order, and between them what was dropped there."""
    lines = (page.text or "").split("\n") if page.text else []
    passages = page.explanation.passages if page.explanation is not None else ()
    pieces: list[Piece] = []
    at = 0
    for passage in passages:
        if not passage.kept or page.text is None:
            pieces.append(_drop(passage, page.text is None))
            continue
        place = _find_line(lines, at, passage)
        if place is not None:
            pieces += [Piece(kept=True, text=line) for line in lines[at:place]]
            pieces.append(Piece(True, lines[place], passage.reason, passage.selector, passage.chars))
            at = place + 1
    return pieces + [Piece(kept=True, text=line) for line in lines[at:]]


def group_pieces(pieces: list[Piece]) -> Iterator[tuple[bool, list[Piece]]]:
    """Yield *pieces* in runs of what was kept and what was dropped."""
    for kept, group in groupby(pieces, key=lambda piece: piece.kept):
        yield kept, list(group)


def _drop(passage: Passage, textless: bool) -> Piece:  # noqa: FBT001 - of the page
    reason = passage.reason or "would be text" if textless else passage.reason
    return Piece(passage.kept, passage.text, reason, passage.selector, passage.chars)


def _find_line(lines: list[str], at: int, passage: Passage) -> int | None:
    """Return which line, from *at* on, begins as *passage* does."""
    beginning = passage.text.removesuffix("…").strip()
    for place in range(at, min(len(lines), at + _AHEAD)):
        if lines[place].startswith(beginning) or (len(lines[place]) > 3 and beginning.startswith(lines[place])):
            return place
    return None

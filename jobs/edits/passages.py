"""What was done within a line that changed: the kinds of each of its hunks."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from jobs.edits.hunks import list_hunks
from jobs.edits.kinds import Edit, EditKind
from jobs.edits.names import changes_name, is_han, is_work_title
from jobs.edits.negations import changes_negation
from jobs.edits.notes import is_note
from jobs.edits.numbers import is_number, list_moments, list_values
from jobs.edits.quotations import find_around, find_quotations, straighten
from jobs.edits.spelling import bare, is_respelled, is_slip
from jobs.edits.vocabulary.negations import read_negations
from jobs.edits.vocabulary.numbers import read_numbers

if TYPE_CHECKING:
    from collections.abc import Iterator

    from jobs.diff import Line
    from jobs.edits.hunks import Hunk
    from jobs.edits.names import Names
    from jobs.edits.quotations import Span

_SHORT = 3
"""Words beside a number that do not make a clause of their own."""


@dataclass(frozen=True, slots=True)
class _Passage:
    """What a hunk's line says about it."""

    names: Names
    quoted: bool
    """Whether it lies in a quotation, before and after."""
    whole: bool
    """Whether it is all that is quoted there."""
    same_values: bool
    """Whether the line names the same numbers, before and after."""

    @property
    def language(self) -> str:
        return self.names.language


def judge_line(line: Line, place: str, names: Names) -> Iterator[Edit]:
    """Yield what was done within a changed *line*; *names*: those that the article tells."""
    before, after = line.before or "", line.after or ""
    if is_note(after):
        yield Edit(EditKind.CORRECTION_NOTE, place, before, after)
        return
    comes_or_goes = straighten(before).count('"') != straighten(after).count('"')
    if comes_or_goes:
        yield Edit(EditKind.QUOTATION, place, before, after)
    hunks = list(list_hunks(line))
    moved = Counter(hunk.before for hunk in hunks) & Counter(hunk.after for hunk in hunks)
    quotations = find_quotations(before), find_quotations(after)
    same_values = list_values(before, names.language) == list_values(after, names.language)
    for hunk in hunks:
        if any(part in moved for part in (hunk.before, hunk.after) if part):
            continue
        if comes_or_goes and not bare(hunk.before + hunk.after):
            continue  # the marks of what is quoted no longer, or now
        spans = _find_spans(hunk, quotations)
        passage = _Passage(names, None not in spans, spans == _list_spans(hunk), same_values)
        for kind in _judge_hunk(hunk, passage):
            yield Edit(kind, place, hunk.before or None, hunk.after or None)


def _find_spans(hunk: Hunk, quotations: tuple[list[Span], list[Span]]) -> list[Span | None]:
    """Return the quotations in which a hunk lies, before and after."""
    return [find_around(*span, found) for span, found in zip(_list_spans(hunk), quotations, strict=True)]


def _list_spans(hunk: Hunk) -> list[Span]:
    return [(part.start, part.end) for part in (hunk.old, hunk.new)]


def _judge_hunk(hunk: Hunk, passage: _Passage) -> list[EditKind]:
    if _is_respelled(hunk, passage):
        return [EditKind.TYPO]
    if changes_name(hunk, passage.names) or (passage.whole and is_work_title(hunk)):
        digits = any(sign.isdigit() for sign in hunk.before + hunk.after)
        number = digits and _changes_number(hunk, passage.language)
        return [EditKind.NAME, EditKind.NUMBER] if number else [EditKind.NAME]
    kinds = list(_list_telling(hunk, passage))
    if passage.quoted:
        return [*kinds, EditKind.QUOTATION]
    return kinds or [EditKind.TYPO if _is_typo(hunk) else EditKind.WORDING]


def _is_respelled(hunk: Hunk, passage: _Passage) -> bool:
    """Whether *hunk* says the very same: in letters and numbers, or with a slip in a word that would be telling."""
    old, new = straighten(hunk.before), straighten(hunk.after)
    values = [list_values(part.text, passage.language) for part in (hunk.old, hunk.new)]
    same = passage.same_values or values[0] == values[1]
    if bare(old) == bare(new) and same:
        return True
    numbers = any(values) and all(is_number(text, passage.language) for text in (old, new))
    return (numbers and passage.same_values) or _is_slip_of_word(old, new, passage.language)


def _list_telling(hunk: Hunk, passage: _Passage) -> Iterator[EditKind]:
    language = passage.language
    if changes_negation(hunk, language) and (not passage.quoted or _share_words(hunk.before, hunk.after)):
        yield EditKind.NEGATION
    number = not passage.same_values and _changes_number(hunk, language)
    if number or _changes_moment(hunk, language):
        yield EditKind.NUMBER


def _share_words(old: str, new: str) -> bool:
    """Whether one is the other with words put in or taken out."""
    if not old or not new:
        return True
    one, other = ({bare(word) for word in text.split()} for text in (old, new))
    return bool(one & other) or bare(old).startswith(bare(new)) or bare(new).startswith(bare(old))


def _is_slip_of_word(old: str, new: str, language: str) -> bool:
    """Whether a word that says a number or a *not* was but spelled wrong, or has another form."""
    if len(old.split()) != 1 or len(new.split()) != 1:
        return False
    one, other = old.casefold(), new.casefold()
    telling = [word in read_numbers(language) or word in read_negations(language) for word in (one, other)]
    if telling[0] != telling[1]:
        return is_slip(one, other)
    values = list_values(one, language)
    return bool(values) and values == list_values(other, language)


def _changes_number(hunk: Hunk, language: str) -> bool:
    old, new = (list_values(part.text, language) for part in (hunk.old, hunk.new))
    if old and new:
        return old != new
    if not (old or new) or not hunk.before or not hunk.after:
        return False
    return max(len(hunk.before.split()), len(hunk.after.split())) <= _SHORT


def _changes_moment(hunk: Hunk, language: str) -> bool:
    old, new = (list_moments(part.text, language) for part in (hunk.old, hunk.new))
    return bool(old and new and old != new)


def _is_typo(hunk: Hunk) -> bool:
    old, new = straighten(hunk.before), straighten(hunk.after)
    if len(old) == len(new) == 1 and is_han(old) and is_han(new):
        return True
    if len(old.split()) == len(new.split()) == 1:
        return is_respelled(old, new)
    return bool(old) and not new and hunk.old.head.rstrip().casefold().endswith(f" {old.casefold()}")  # stood twice

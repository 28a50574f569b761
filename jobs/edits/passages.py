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
from jobs.edits.numbers import is_number, list_values
from jobs.edits.quantities import changes_moment, changes_sign, changes_unit, changes_value
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

_LEAST_MOVED = 12
"""Letters of a sentence or the like that may be told again elsewhere; shorter ones are names and numbers that swap."""
_QUESTION_MARKS = "?؟？"


@dataclass(frozen=True, slots=True)
class _Passage:
    """What a hunk's line says about it."""

    names: Names
    quoted: bool
    """Whether it lies in a quotation, before and after."""
    whole: bool
    """Whether it is all that is quoted there."""
    same_values: bool
    """Whether the line names the same numbers, before and after, and none in another's place."""

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
    crossing = Counter(bare(hunk.before) for hunk in hunks) & Counter(bare(hunk.after) for hunk in hunks)
    quotations = find_quotations(before), find_quotations(after)
    same_values = list_values(before, names.language) == list_values(after, names.language)
    for hunk in hunks:
        old, new = bare(hunk.before), bare(hunk.after)
        crosses = old != new and any(part and part in crossing for part in (old, new))
        if crosses and max(len(part) for part in (old, new) if part in crossing) >= _LEAST_MOVED:
            continue
        if comes_or_goes and not old and not new:
            continue  # the marks of what is quoted no longer, or now
        spans = _find_spans(hunk, quotations)
        passage = _Passage(names, None not in spans, spans == _list_spans(hunk), same_values and not crosses)
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
    unit = changes_unit(hunk, passage.language)
    if not unit and (changes_name(hunk, passage.names) or (passage.whole and is_work_title(hunk))):
        digits = any(sign.isdigit() for sign in hunk.before + hunk.after)
        number = digits and changes_value(hunk, passage.language)
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
        return not changes_sign(hunk) and not _changes_question(hunk)
    numbers = any(values) and all(is_number(text, passage.language) for text in (old, new))
    return (numbers and passage.same_values) or _is_slip_of_word(old, new, passage.language)


def _list_telling(hunk: Hunk, passage: _Passage) -> Iterator[EditKind]:
    language = passage.language
    if changes_negation(hunk, language) and (not passage.quoted or _share_words(hunk.before, hunk.after)):
        yield EditKind.NEGATION
    value = not passage.same_values and changes_value(hunk, language)
    if value or changes_sign(hunk) or changes_unit(hunk, language) or changes_moment(hunk, language):
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
    values = list_values(one, language) if all(is_number(word, language) for word in (one, other)) else None
    return bool(values) and values == list_values(other, language)


def _changes_question(hunk: Hunk) -> bool:
    """Whether what was said is asked, or the other way."""
    return any((mark in hunk.before) != (mark in hunk.after) for mark in _QUESTION_MARKS)


def _is_typo(hunk: Hunk) -> bool:
    old, new = straighten(hunk.before), straighten(hunk.after)
    if len(old) == len(new) == 1 and is_han(old) and is_han(new):
        return True
    if len(old.split()) == len(new.split()) == 1:
        return is_respelled(old, new)
    return bool(old) and not new and _stood_twice(hunk)


def _stood_twice(hunk: Hunk) -> bool:
    """Whether the words that went stand right before, too."""
    old, head = hunk.before.casefold(), hunk.old.head.casefold().rstrip()
    return head.endswith(old) and (is_han(old) or head[: -len(old)][-1:].isspace())

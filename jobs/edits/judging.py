"""Two states of an article → its edit report. Lines first, then what changed within each, then the fields."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from jobs.diff import Change, diff_texts
from jobs.edits.hunks import list_hunks
from jobs.edits.kinds import Edit, EditKind, EditReport
from jobs.edits.lives import LivePage
from jobs.edits.names import changes_name, find_names, is_han, is_work_title
from jobs.edits.negations import changes_negation
from jobs.edits.notes import is_note
from jobs.edits.numbers import list_moments, list_values
from jobs.edits.quotations import find_quotations, lies_within, straighten
from jobs.edits.spelling import bare, is_respelled, is_slip
from jobs.edits.vocabulary import read_negations, read_numbers
from jobs.edits.walls import has_wall

if TYPE_CHECKING:
    from collections.abc import Iterator

    from jobs.diff import Line
    from jobs.edits.hunks import Hunk
    from jobs.edits.kinds import State
    from jobs.edits.names import Names

_OF_WORDS = frozenset(EditKind) - {
    *(EditKind.LIVE_APPEND, EditKind.PAYWALL_ON, EditKind.PAYWALL_OFF, EditKind.IMAGE, EditKind.CAPTION),
    *(EditKind.DATE_MOVED, EditKind.BYLINE),
}
_SHORT = 3
"""Words beside a number that do not make a clause of their own."""


def judge_edit(before: State, after: State) -> EditReport:
    """Return what was done to the article between *before* and *after*."""
    names = find_names((before, after))
    edits = [*_judge_head(before, after, names), *_judge_lines(before, after, names), *_judge_fields(before, after)]
    words_changed = (before.title, list_paragraphs(before)) != (after.title, list_paragraphs(after))
    edits += _judge_dates(before, after, words_changed=words_changed)
    edits = _settle_names(edits)
    return EditReport(
        edits=tuple(dict.fromkeys(edits)),
        silent=_is_silent(before, after) if words_changed and any(edit.kind in _OF_WORDS for edit in edits) else False,
        backdated=any(
            _went_back(before.fields.get(name), after.fields.get(name)) for name in ("published", "modified")
        ),
    )


def list_paragraphs(state: State) -> list[str]:
    """Return lead and lines: what is read as the lead may be another line at times."""
    return [line for line in (state.lead, *state.lines) if line]


def _settle_names(edits: list[Edit]) -> list[Edit]:
    """Return *edits*; what is a name in one place, and was changed alike in another, is a name there too."""
    named = {(edit.before, edit.after) for edit in edits if edit.kind is EditKind.NAME}
    loose = (EditKind.WORDING, EditKind.TYPO)
    return [
        replace(edit, kind=EditKind.NAME) if edit.kind in loose and (edit.before, edit.after) in named else edit
        for edit in edits
    ]


def _judge_head(before: State, after: State, names: Names) -> Iterator[Edit]:
    pairs = ((EditKind.HEADLINE, "title", before.title, after.title), (EditKind.LEAD, "lead", before.lead, after.lead))
    for kind, place, old, new in pairs:
        if old == new:
            continue
        yield Edit(kind, place, old, new)
        if old and new:
            for line in diff_texts(old, new).lines:
                if line.change is Change.CHANGED:
                    for edit in _judge_line(line, place, names):
                        if edit.kind is not EditKind.WORDING:
                            yield edit


def _judge_lines(before: State, after: State, names: Names) -> Iterator[Edit]:
    if list_paragraphs(before) == list_paragraphs(after):
        return  # the first paragraph is read as the lead now, or no longer
    lines = diff_texts("\n".join(before.lines), "\n".join(after.lines)).lines
    moved = Counter(line.before for line in lines if line.change is Change.REMOVED) & Counter(
        line.after for line in lines if line.change is Change.ADDED
    )
    live = LivePage(before, after)
    if live.come:
        yield Edit(EditKind.LIVE_APPEND, "posts", None, "\n".join(live.come))
    walled = has_wall(before) != has_wall(after)
    for stretch in _list_stretches(lines):
        if _is_layout(stretch):
            continue
        for line in stretch:
            text = line.before if line.change is Change.REMOVED else line.after
            place = f"line {line.after_number or line.before_number}"
            if line.change is Change.CHANGED:
                if not (walled and _is_cut(line)):
                    yield from _judge_line(line, place, names)
            elif text in moved or live.explains(line):
                continue
            elif is_note(text or ""):
                yield Edit(EditKind.CORRECTION_NOTE, place, line.before, line.after)
            elif not walled:
                kind = EditKind.PARAGRAPH_REMOVED if line.change is Change.REMOVED else EditKind.PARAGRAPH_ADDED
                yield Edit(kind, place, line.before, line.after)


def _is_cut(line: Line) -> bool:
    """Whether one of both is the beginning of the other, as a pay wall leaves it."""
    short, long = sorted((line.before or "", line.after or ""), key=len)
    return long.startswith(short.rstrip("….. \u00a0"))


def _list_stretches(lines: tuple[Line, ...]) -> Iterator[list[Line]]:
    """Yield the lines that differ, those that stand together in one list."""
    stretch: list[Line] = []
    for line in lines:
        if line.change is Change.SAME:
            if stretch:
                yield stretch
            stretch = []
        else:
            stretch.append(line)
    if stretch:
        yield stretch


def _is_layout(stretch: list[Line]) -> bool:
    """Whether the same words stand in other paragraphs."""
    old = [line.before for line in stretch if line.before is not None]
    new = [line.after for line in stretch if line.after is not None]
    return len(old) != len(new) and "".join("".join(old).split()) == "".join("".join(new).split())


def _judge_line(line: Line, place: str, names: Names) -> Iterator[Edit]:
    """Yield what was done within a line that changed."""
    before, after = line.before or "", line.after or ""
    if is_note(after):
        yield Edit(EditKind.CORRECTION_NOTE, place, before, after)
        return
    hunks = list(list_hunks(line))
    moved = Counter(hunk.before.strip() for hunk in hunks) & Counter(hunk.after.strip() for hunk in hunks)
    quoted = find_quotations(before), find_quotations(after)
    comes_or_goes = straighten(before).count('"') != straighten(after).count('"')
    if comes_or_goes:
        yield Edit(EditKind.QUOTATION, place, before, after)
    same_values = list_values(before, names.language) == list_values(after, names.language)
    for hunk in hunks:
        parts = hunk.before.strip(), hunk.after.strip()
        if any(part in moved for part in parts if part):
            continue
        if comes_or_goes and not bare(hunk.before + hunk.after):
            continue  # its marks
        within = lies_within(hunk.start, hunk.end, quoted[0]) and lies_within(hunk.new_start, hunk.new_end, quoted[1])
        whole = (hunk.start, hunk.end) in quoted[0] and (hunk.new_start, hunk.new_end) in quoted[1]
        for kind in _judge_hunk(hunk, names, quoted=within, whole=whole, same_values=same_values):
            yield Edit(kind, place, parts[0] or None, parts[1] or None)


def _judge_hunk(hunk: Hunk, names: Names, *, quoted: bool, whole: bool, same_values: bool) -> list[EditKind]:
    old, new = straighten(hunk.before).strip(), straighten(hunk.after).strip()
    language = names.language
    numbers = list_values(hunk.before, language), list_values(hunk.after, language)
    if same_values and any(numbers) and _is_number(old, language) and _is_number(new, language):
        return [EditKind.TYPO]  # the same numbers, written otherwise
    if bare(old) == bare(new) and (numbers[0] == numbers[1] or same_values):
        return [EditKind.TYPO]
    if _is_slip_of_word(old, new, names):
        return [EditKind.TYPO]
    if changes_name(hunk, names) or (whole and is_work_title(hunk)):
        digits = any(sign.isdigit() for sign in old + new)
        return [EditKind.NAME, EditKind.NUMBER] if digits and _changes_number(hunk, language) else [EditKind.NAME]
    telling = []
    if changes_negation(hunk, language) and not (quoted and not _share_words(old, new)):
        telling.append(EditKind.NEGATION)
    if (not same_values and _changes_number(hunk, language)) or _changes_moment(hunk, language):
        telling.append(EditKind.NUMBER)
    if quoted:
        return [*telling, EditKind.QUOTATION]
    if not telling and _is_typo(old, new, hunk):
        return [EditKind.TYPO]
    return telling or [EditKind.WORDING]


def _share_words(old: str, new: str) -> bool:
    """Whether one is the other with words put in or taken out."""
    if not old or not new:
        return True
    one, other = ({bare(word) for word in text.split()} for text in (old, new))
    return bool(one & other) or bare(old).startswith(bare(new)) or bare(new).startswith(bare(old))


def _is_number(text: str, language: str) -> bool:
    """Whether *text* is a number, in digits or words, and nothing else."""
    known = read_numbers(language)
    words = [word.strip(".,").casefold() for word in text.split()]
    return all(
        word in known or not any(sign.isalpha() and not sign.isnumeric() for sign in word.strip("百分之"))
        for word in words
    )


def _is_slip_of_word(old: str, new: str, names: Names) -> bool:
    """Whether a word that says a number or a *not* was but spelled wrong, or has another form."""
    if len(old.split()) != 1 or len(new.split()) != 1:
        return False
    language = names.language
    known = read_numbers(language).keys() | read_negations(language)
    one, other = old.casefold(), new.casefold()
    if (one in known) != (other in known):
        return is_slip(one, other)
    values = list_values(one, language), list_values(other, language)
    return values[0] == values[1] and bool(values[0])


def _changes_number(hunk: Hunk, language: str) -> bool:
    old, new = list_values(hunk.before, language), list_values(hunk.after, language)
    if old and new and old != new:
        return True
    if bool(old) == bool(new) or not hunk.before.strip() or not hunk.after.strip():
        return False
    return max(len(hunk.before.split()), len(hunk.after.split())) <= _SHORT


def _changes_moment(hunk: Hunk, language: str) -> bool:
    old, new = list_moments(hunk.before, language), list_moments(hunk.after, language)
    return bool(old and new and old != new)


def _is_typo(old: str, new: str, hunk: Hunk) -> bool:
    old, new = old.strip(), new.strip()
    if len(old) == len(new) == 1 and is_han(old) and is_han(new):
        return True
    if len(old.split()) == len(new.split()) == 1:
        return is_respelled(old, new)
    if not new and old:  # a word that stood twice
        return hunk.line[: hunk.start].rstrip().casefold().endswith(f" {old.casefold()}")
    return False


def _judge_fields(before: State, after: State) -> Iterator[Edit]:
    old, new = before.fields, after.fields
    walls = [has_wall(state) for state in (before, after)]
    if walls[0] != walls[1]:
        kind = EditKind.PAYWALL_ON if walls[1] else EditKind.PAYWALL_OFF
        yield Edit(kind, "access", _text(old.get("access")), _text(new.get("access")))
    pictures = [state.fields.get("image") or {} for state in (before, after)]
    if pictures[0].get("url") != pictures[1].get("url"):
        yield Edit(EditKind.IMAGE, "image", pictures[0].get("url"), pictures[1].get("url"))
    for name in ("caption", "credit"):
        one, other = (picture.get(name) for picture in pictures)
        if one != other and all(pictures):
            yield Edit(EditKind.CAPTION, "image", one, other)
    if _names(old.get("authors")) != _names(new.get("authors")):
        yield Edit(EditKind.BYLINE, "authors", _text(old.get("authors")), _text(new.get("authors")))
    notes = [set(_names(state.fields.get("corrections"))) for state in (before, after)]
    if notes[0] != notes[1]:
        yield Edit(EditKind.CORRECTION_NOTE, "corrections", _join(notes[0]), _join(notes[1]))


def _judge_dates(before: State, after: State, *, words_changed: bool) -> Iterator[Edit]:
    for name in ("published", "modified"):
        old, new = before.fields.get(name), after.fields.get(name)
        if old is None or new is None or _same_time(old, new) or (name == "modified" and words_changed):
            continue
        yield Edit(EditKind.DATE_MOVED, name, _text(old), _text(new))


def _is_silent(before: State, after: State) -> bool | None:
    old, new = before.fields.get("modified"), after.fields.get("modified")
    if new is None:
        return None
    return old is not None and _same_time(old, new)


def _went_back(old: Any, new: Any) -> bool:
    one, other = _read_time(old), _read_time(new)
    return one is not None and other is not None and (one.tzinfo is None) == (other.tzinfo is None) and other < one


def _same_time(old: Any, new: Any) -> bool:
    one, other = _read_time(old), _read_time(new)
    return old == new if one is None or other is None else one == other


def _read_time(value: Any) -> datetime | None:
    try:
        return value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    except ValueError:
        return None


def _names(value: Any) -> list[str]:
    return [str(one) for one in value] if isinstance(value, (list, tuple)) else []


def _text(value: Any) -> str | None:
    if value is None:
        return None
    return ", ".join(_names(value)) if isinstance(value, (list, tuple)) else str(value)


def _join(notes: set[str]) -> str | None:
    return "\n".join(sorted(notes)) or None

"""Two states of an article → its edit report. Lines first, then what changed within each, then the fields."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from typing import TYPE_CHECKING, Any

from crawler.extract.fields.notes import begins_as_note
from jobs.diff import Change, diff_texts
from jobs.edits.hunks import list_hunks
from jobs.edits.kinds import Edit, EditKind, EditReport
from jobs.edits.names import changes_name, find_names
from jobs.edits.negations import changes_negation
from jobs.edits.numbers import is_telling, list_moments, list_values
from jobs.edits.quotations import MARKS, find_quotations, lies_within, straighten
from jobs.edits.spelling import bare, is_respelled

if TYPE_CHECKING:
    from collections.abc import Iterator

    from jobs.diff import Line
    from jobs.edits.hunks import Hunk
    from jobs.edits.kinds import State
    from jobs.edits.names import Names

_SHORT = 3
"""Words beside a number that do not make a clause of their own."""


def judge_edit(before: State, after: State) -> EditReport:
    """Return what was done to the article between *before* and *after*."""
    names = find_names((before, after))
    edits = [*_judge_head(before, after, names), *_judge_lines(before, after, names), *_judge_fields(before, after)]
    words_changed = (before.title, before.lead, before.lines) != (after.title, after.lead, after.lines)
    edits += _judge_dates(before, after, words_changed=words_changed)
    return EditReport(
        edits=tuple(dict.fromkeys(edits)),
        silent=_is_silent(before, after) if words_changed else None,
        backdated=any(_went_back(before.fields.get(name), after.fields.get(name)) for name in ("published", "modified")),
    )


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
    lines = diff_texts("\n".join(before.lines), "\n".join(after.lines)).lines
    moved = Counter(line.before for line in lines if line.change is Change.REMOVED) & Counter(
        line.after for line in lines if line.change is Change.ADDED
    )
    posts = _new_posts(before, after)
    if posts:
        yield Edit(EditKind.LIVE_APPEND, "posts", None, "\n".join(posts))
    live = "\n".join(posts)
    for stretch in _list_stretches(lines):
        if _is_layout(stretch):
            continue
        for line in stretch:
            text = line.before if line.change is Change.REMOVED else line.after
            if text in moved and line.change is not Change.CHANGED:
                continue
            place = f"line {line.after_number or line.before_number}"
            if line.change is Change.CHANGED:
                yield from _judge_line(line, place, names)
            elif begins_as_note(text or ""):
                yield Edit(EditKind.CORRECTION_NOTE, place, line.before, line.after)
            elif line.change is Change.REMOVED:
                yield Edit(EditKind.PARAGRAPH_REMOVED, place, line.before, None)
            elif not (live and text and text in live):
                yield Edit(EditKind.PARAGRAPH_ADDED, place, None, line.after)


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
    old = " ".join(line.before for line in stretch if line.before is not None)
    new = " ".join(line.after for line in stretch if line.after is not None)
    return "".join(old.split()) == "".join(new.split())


def _judge_line(line: Line, place: str, names: Names) -> Iterator[Edit]:
    """Yield what was done within a line that changed."""
    if begins_as_note(line.after or ""):
        yield Edit(EditKind.CORRECTION_NOTE, place, line.before, line.after)
        return
    hunks = list(list_hunks(line))
    moved = Counter(hunk.before.strip() for hunk in hunks) & Counter(hunk.after.strip() for hunk in hunks)
    quoted = find_quotations(line.before or ""), find_quotations(line.after or "")
    if len(quoted[0]) != len(quoted[1]) and straighten(line.before or "").count('"') != straighten(line.after or "").count('"'):
        yield Edit(EditKind.QUOTATION, place, line.before, line.after)
    for hunk in hunks:
        if hunk.before.strip() in moved or hunk.after.strip() in moved:
            continue
        within = lies_within(hunk.start, hunk.end, quoted[0]) and lies_within(hunk.new_start, hunk.new_end, quoted[1])
        for kind in _judge_hunk(hunk, names, quoted=within):
            yield Edit(kind, place, hunk.before.strip() or None, hunk.after.strip() or None)


def _judge_hunk(hunk: Hunk, names: Names, *, quoted: bool) -> list[EditKind]:
    old, new = straighten(hunk.before), straighten(hunk.after)
    if old == new or not (set(hunk.before + hunk.after) - MARKS - set(" \u00a0")):
        return []  # other marks round the same words
    if bare(old) == bare(new):
        return [EditKind.TYPO]
    telling = []
    if changes_negation(hunk, names.language):
        telling.append(EditKind.NEGATION)
    if _changes_number(hunk, names.language):
        telling.append(EditKind.NUMBER)
    if changes_name(hunk, names):
        telling.append(EditKind.NAME)
    if not telling and _is_typo(old, new, hunk):
        return [EditKind.TYPO]
    if quoted:
        telling.append(EditKind.QUOTATION)
    return telling or [EditKind.WORDING]


def _changes_number(hunk: Hunk, language: str) -> bool:
    for find in (list_values, list_moments):
        old, new = find(hunk.before, language), find(hunk.after, language)
        if old and new and old != new and (is_telling(old - new) or is_telling(new - old) or len(hunk.after) == 1):
            return True
    old, new = list_values(hunk.before, language), list_values(hunk.after, language)
    if bool(old) == bool(new) or not hunk.before.strip() or not hunk.after.strip():
        return False
    words = max(len(hunk.before.split()), len(hunk.after.split()))
    return words <= _SHORT and is_telling(old or new)


def _is_typo(old: str, new: str, hunk: Hunk) -> bool:
    old, new = old.strip(), new.strip()
    if len(old.split()) == len(new.split()) == 1:
        return is_respelled(old, new)
    if not new and old:  # a word that stood twice
        return hunk.line[: hunk.start].rstrip().casefold().endswith(f" {old.casefold()}")
    return False


def _judge_fields(before: State, after: State) -> Iterator[Edit]:
    old, new = before.fields, after.fields
    walls = [_has_wall(state) for state in (before, after)]
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


def _has_wall(state: State) -> bool:
    return state.page_class == "truncated" or state.fields.get("access") == "paid"


def _new_posts(before: State, after: State) -> list[str]:
    """Return the words of posts that are in *after* alone."""
    known = {post.get("id") for post in before.fields.get("posts") or ()}
    come = [post for post in after.fields.get("posts") or () if post.get("id") not in known]
    return ["\n".join(str(post[name]) for name in ("title", "text") if post.get(name)) for post in come]


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

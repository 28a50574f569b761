"""What was done to an article beside its words: its wall, picture, authors, notes and dates."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any

from jobs.edits.instants import is_same_time
from jobs.edits.kinds import Edit, EditKind
from jobs.edits.walls import has_wall

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from jobs.edits.states import State

_FILE_ENDS = (".jpg", ".jpeg", ".png", ".webp", ".gif", ".avif")
_MOST = 2_000
"""Of the authors or notes of one article."""


def judge_details(before: State, after: State) -> Iterator[Edit]:
    """Yield what was done to the fields, dates apart."""
    old_wall, new_wall = has_wall(before), has_wall(after)
    if old_wall != new_wall:
        kind = EditKind.PAYWALL_ON if new_wall else EditKind.PAYWALL_OFF
        yield Edit(kind, "access", _say(before.fields.get("access")), _say(after.fields.get("access")))
    yield from _judge_picture(before, after)
    old, new = (list(islice(state.list_strings("authors"), _MOST)) for state in (before, after))
    if old != new:
        yield Edit(EditKind.BYLINE, "authors", _join(old, ", "), _join(new, ", "))
    old_notes, new_notes = (set(islice(state.list_strings("corrections"), _MOST)) for state in (before, after))
    if old_notes != new_notes:
        old_text, new_text = (_join(sorted(notes), "\n") for notes in (old_notes, new_notes))
        yield Edit(EditKind.CORRECTION_NOTE, "corrections", old_text, new_text)


def judge_dates(before: State, after: State, *, words_changed: bool) -> Iterator[Edit]:
    """Yield which stated dates moved; that of the last change moves with the words, and rightly."""
    for name in ("published", "modified"):
        old, new = before.fields.get(name), after.fields.get(name)
        if old is None or new is None or is_same_time(old, new) or (name == "modified" and words_changed):
            continue
        yield Edit(EditKind.DATE_MOVED, name, _say(old), _say(new))


def _judge_picture(before: State, after: State) -> Iterator[Edit]:
    old, new = (_read_picture(state) for state in (before, after))
    if _read_address(old) != _read_address(new):
        yield Edit(EditKind.IMAGE, "image", _say(old.get("url")), _say(new.get("url")))
    for name in ("caption", "credit"):
        if old and new and old.get(name) != new.get(name):
            yield Edit(EditKind.CAPTION, "image", _say(old.get(name)), _say(new.get(name)))


def _read_picture(state: State) -> dict[str, Any]:
    picture = state.fields.get("image")
    return picture if isinstance(picture, dict) else {}


def _read_address(picture: dict[str, Any]) -> str:
    """Return where the *picture* is; what follows a file's name is its size, or a token that is new on each page."""
    url = str(picture.get("url") or "")
    path, _, _ = url.partition("?")
    return path if path.lower().endswith(_FILE_ENDS) else url


def _say(value: object) -> str | None:
    return None if value is None else str(value)


def _join(texts: Iterable[str], mark: str) -> str | None:
    return mark.join(texts) or None

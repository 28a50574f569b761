"""Two states of an article → the report of what was done to it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from jobs.edits.details import judge_dates, judge_details
from jobs.edits.instants import is_day, is_same_time, went_back
from jobs.edits.kinds import EditKind, EditReport
from jobs.edits.lives import LivePage
from jobs.edits.names import find_names
from jobs.edits.paragraphs import judge_head, judge_lines

if TYPE_CHECKING:
    from jobs.edits.kinds import Edit
    from jobs.edits.states import State

_LOOSE = frozenset({EditKind.WORDING, EditKind.TYPO})
_BESIDE_WORDS = frozenset(
    {
        *(EditKind.LIVE_APPEND, EditKind.PAYWALL_ON, EditKind.PAYWALL_OFF, EditKind.IMAGE, EditKind.CAPTION),
        *(EditKind.DATE_MOVED, EditKind.BYLINE),
    }
)
"""Where nothing else was done, no editor changed a word."""


def judge_edit(before: State, after: State) -> EditReport:
    """Return what was done to the article between *before* and *after*. Raises nothing; bounded, whatever they hold."""
    names = find_names((before, after))
    live = LivePage(before, after)
    words_changed = (before.title, before.paragraphs) != (after.title, after.paragraphs) or bool(live.posts)
    edits = _settle_names(
        [
            *judge_head(before, after, names),
            *judge_lines(before, after, names, live),
            *live.judge_posts(names),
            *judge_details(before, after),
            *judge_dates(before, after, words_changed=words_changed),
        ]
    )
    told = words_changed and any(edit.kind not in _BESIDE_WORDS for edit in edits)
    return EditReport(
        edits=tuple(dict.fromkeys(edits)),
        silent=_is_silent(before, after) if told else False,
        backdated=any(went_back(before.fields.get(name), after.fields.get(name)) for name in ("published", "modified")),
        posts=live.posts,
    )


def _settle_names(edits: list[Edit]) -> list[Edit]:
    """Return *edits*; what is a name in one place, and was changed alike in another, is a name there too."""
    named = {(edit.before, edit.after) for edit in edits if edit.kind is EditKind.NAME}
    return [
        replace(edit, kind=EditKind.NAME) if edit.kind in _LOOSE and (edit.before, edit.after) in named else edit
        for edit in edits
    ]


def _is_silent(before: State, after: State) -> bool | None:
    """Whether the page states the same time of its last change; `None` if it states none now, or but the same day."""
    old, new = before.fields.get("modified"), after.fields.get("modified")
    if new is None:
        return None
    same = old is not None and is_same_time(old, new)
    return None if same and (is_day(old) or is_day(new)) else same

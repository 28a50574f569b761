"""The kinds of edits, and the report on what lies between two states of an article."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jobs.diff import Words

EDIT_RULES = 3
"""The version of all rules in this package: one more with each change that can make another report of the same texts,
so that what was kept of the rules before is worked out anew."""


class EditKind(StrEnum):
    """What an edit did; one edit may have done several things."""

    TYPO = "typo"
    """Spelling, case, punctuation or spacing of a word; the meaning is the same."""
    WORDING = "wording"
    """Words within a paragraph, and no more telling kind says it."""
    NUMBER = "number"
    """A quantity, share, age, time or date in the words has another value."""
    QUOTATION = "quotation"
    """Words inside quotation marks changed, or a quotation came or went."""
    NAME = "name"
    """Somebody or something is named otherwise, or another one is."""
    NEGATION = "negation"
    """A *not* came or went."""
    HEADLINE = "headline"
    """The title is another."""
    LEAD = "lead"
    """The lead is another, came or went."""
    PARAGRAPH_ADDED = "paragraph_added"
    """A whole paragraph came; one that was moved, split or joined did not."""
    PARAGRAPH_REMOVED = "paragraph_removed"
    """A whole paragraph went."""
    CORRECTION_NOTE = "correction_note"
    """The editors' note came or changed."""
    LIVE_APPEND = "live_append"
    """Posts came in a live page."""
    POST_CHANGED = "post_changed"
    """A post of a live page has other words, beside the kinds of these, or another time."""
    POST_REMOVED = "post_removed"
    """A post of a live page was withdrawn; one that older ones are held back with was not."""
    PAYWALL_ON = "paywall_on"
    """The page shows less to those who do not pay; what it hides was not removed."""
    PAYWALL_OFF = "paywall_off"
    """It shows all again."""
    IMAGE = "image"
    """The main picture is another."""
    CAPTION = "caption"
    """Of the main picture, or its credit."""
    DATE_MOVED = "date_moved"
    """The stated day of publication is another, or that of the last change without any change."""
    BYLINE = "byline"
    """The authors are others."""


@dataclass(frozen=True, slots=True)
class Edit:
    """One thing that an edit did, with its evidence."""

    kind: EditKind
    place: str
    """`title`, `lead`, `text`, a field's name, `line N`, from 1, in the later body (removed: in the earlier), or of a
    live page `post ID` (its time, if it has no id)."""
    before: str | None
    after: str | None


class PostChange(StrEnum):
    """What became of a post of a live page."""

    ADDED = "added"
    CHANGED = "changed"
    REMOVED = "removed"


@dataclass(frozen=True, slots=True)
class PostEdit:
    """A post of a live page that came, changed or was withdrawn."""

    change: PostChange
    id: str
    """The page's own or, behind `~`, one made of time, author and beginning; may be empty."""
    time_before: str | None
    time_after: str | None
    """As the page states it."""
    before: str | None
    after: str | None
    """Title and words, in lines."""
    words: tuple[Words, ...] = ()
    """Of one whose words changed: same, removed and added, in order; none where that is too much to tell."""


@dataclass(frozen=True, slots=True)
class EditReport:
    """All that an edit did."""

    edits: tuple[Edit, ...]
    silent: bool | None
    """Whether words changed and the page's own time of change did not; `None`: they did, and it states no such time."""
    backdated: bool
    """Whether a stated time went back."""
    posts: tuple[PostEdit, ...] = ()
    """Of a live page: the posts that came, those that changed, those that were withdrawn."""

    @property
    def kinds(self) -> list[EditKind]:
        """Every kind once, in the order of the enumeration."""
        found = {edit.kind for edit in self.edits}
        return [kind for kind in EditKind if kind in found]


def report_to_json(report: EditReport) -> dict[str, Any]:
    """Return *report* as JSON data."""
    edits = [
        {"kind": edit.kind.value, "place": edit.place, "before": edit.before, "after": edit.after}
        for edit in report.edits
    ]
    posts: dict[str, list[dict[str, Any]]] = {change.value: [] for change in PostChange}
    for post in report.posts:
        posts[post.change.value].append(_post_to_json(post))
    return {"edits": edits, "posts": posts, "silent": report.silent, "backdated": report.backdated}


def _post_to_json(post: PostEdit) -> dict[str, Any]:
    if post.change is not PostChange.CHANGED:
        text = post.after if post.change is PostChange.ADDED else post.before
        return {"id": post.id, "time": post.time_after or post.time_before, "text": text}
    times = {"time_before": post.time_before, "time": post.time_after}
    words = [{"change": words.change.value, "text": words.text} for words in post.words]
    return {"id": post.id} | times | {"before": post.before, "after": post.after, "words": words}

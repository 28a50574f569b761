"""The kinds of edits, and what is known of a state of an article."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


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
    LEAD = "lead"
    PARAGRAPH_ADDED = "paragraph_added"
    PARAGRAPH_REMOVED = "paragraph_removed"
    CORRECTION_NOTE = "correction_note"
    """The editors' note came or changed."""
    LIVE_APPEND = "live_append"
    """Posts came in a live page."""
    PAYWALL_ON = "paywall_on"
    PAYWALL_OFF = "paywall_off"
    IMAGE = "image"
    CAPTION = "caption"
    """Of the main picture, or its credit."""
    DATE_MOVED = "date_moved"
    """The stated day of publication is another, or that of the last change without any change."""
    BYLINE = "byline"


@dataclass(frozen=True, slots=True)
class State:
    """An article as one capture has it, in normal form."""

    title: str | None
    lead: str | None
    lines: tuple[str, ...]
    """The text without title and lead."""
    fields: Mapping[str, Any] = field(default_factory=dict)
    """Name → value, as FORMAT.md § 6 names them."""
    page_class: str = "article"

    @property
    def language(self) -> str:
        """The main part of its language tag; empty if it is not known."""
        return str(self.fields.get("language") or "").partition("-")[0].lower()


@dataclass(frozen=True, slots=True)
class Edit:
    """One thing that an edit did, with its evidence."""

    kind: EditKind
    place: str
    """`title`, `lead`, the name of a field, or `line` and its number, from 1, in the later text (else the earlier)."""
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True)
class EditReport:
    """All that an edit did."""

    edits: tuple[Edit, ...]
    silent: bool | None
    """Whether words changed and the page's own time of change did not; `None`: it states none, or no word changed."""
    backdated: bool
    """Whether a stated time went back."""

    @property
    def kinds(self) -> list[EditKind]:
        """Every kind once, in the order of the enumeration."""
        found = {edit.kind for edit in self.edits}
        return [kind for kind in EditKind if kind in found]

"""What a reader should know: what is kept, how to search, what the marks mean, how to prove a text, the API."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from jobs.changes import What
from jobs.edits import EditKind
from jobs.fold import State as Presence
from jobs.health import State
from jobs.room import wording
from jobs.room.endpoints import Asked, Page, Told
from jobs.search.facts import NEW

if TYPE_CHECKING:
    from collections.abc import Mapping

    from jobs.room.desk import Desk

EVENTS: Mapping[str, str] = {
    NEW: "The article was captured with a text for the first time.",
    What.REVISED: "It has a text that it never had before.",
    What.REVERTED: "It has a text again that it had before the last one.",
    What.ALTERNATING: "It goes back and forth between the same few texts, as pages do that are served in two versions.",
    What.SUSPECTED: "One capture found that it is not there any more.",
    What.GONE: "A capture of another run found that too.",
    What.RETURNED: "It is there again.",
    What.METADATA: "Authors, dates, main picture or tags are others; the text is the same.",
    What.MOVED: "Its address leads to another article, which has its text.",
}
KINDS: Mapping[str, str] = {
    EditKind.TYPO: "Spelling, case, punctuation or spacing of a word; the meaning is the same.",
    EditKind.WORDING: "Words within a paragraph, and no more telling kind says it.",
    EditKind.NUMBER: "A quantity, share, age, time or date has another value.",
    EditKind.QUOTATION: "Words inside quotation marks changed, or a quotation came or went.",
    EditKind.NAME: "Somebody or something is named otherwise, or another one is.",
    EditKind.NEGATION: "A “not” came or went.",
    EditKind.HEADLINE: "The title is another.",
    EditKind.LEAD: "The lead is another, came or went.",
    EditKind.PARAGRAPH_ADDED: "A whole paragraph came; one that was moved, split or joined did not.",
    EditKind.PARAGRAPH_REMOVED: "A whole paragraph went.",
    EditKind.CORRECTION_NOTE: "The editors’ note came or changed.",
    EditKind.LIVE_APPEND: "Posts came in a live page.",
    EditKind.POST_CHANGED: "A post of a live page has other words or another time.",
    EditKind.POST_REMOVED: "A post of a live page was withdrawn.",
    EditKind.PAYWALL_ON: "The page shows less to those who do not pay; what it hides was not removed.",
    EditKind.PAYWALL_OFF: "It shows all again.",
    EditKind.IMAGE: "The main picture is another.",
    EditKind.CAPTION: "The caption or credit of the main picture is another.",
    EditKind.DATE_MOVED: "The stated day of publication is another, or that of the last change without any change.",
    EditKind.BYLINE: "The authors are others.",
}
STATES: Mapping[str, str] = {
    Presence.LIVE: "The last capture found the article.",
    Presence.SUSPECTED: "The last capture found that it is not there: a 404, a redirect to the front page or the like.",
    Presence.GONE: "Captures of two runs found that.",
}
SOURCE_STATES: Mapping[str, str] = {
    State.OK: "It is crawled as it should be.",
    State.DEGRADED: "It is crawled, but something is worse than it was.",
    State.SILENT: "Nothing new came, for longer than is usual at this time of the week.",
    State.FAILING: "Its last runs brought nothing that can be used.",
    State.BLOCKED: "Its publisher refuses to be captured.",
}


class AboutAsked(Asked):
    """Nothing."""


class Word(Told):
    """A word of this archive."""

    word: str
    """As twins, feeds and parameters have it."""
    name: str
    """As pages have it."""
    meaning: str


class AboutTold(Told):
    """The archive, and the words that are used for it."""

    archive: str
    """Its id, the same in every copy."""
    format: str
    created: datetime
    events: tuple[Word, ...]
    kinds: tuple[Word, ...]
    """Of edits."""
    states: tuple[Word, ...]
    """Of articles."""
    source_states: tuple[Word, ...]


def view_about(desk: Desk, _asked: AboutAsked) -> AboutTold:
    """Return what a reader should know."""
    return AboutTold(
        archive=desk.info.archive,
        format=desk.info.format,
        created=desk.info.created,
        events=tuple(Word(word=one, name=wording.name_event(one), meaning=said) for one, said in EVENTS.items()),
        kinds=tuple(Word(word=one, name=wording.name_kind(one), meaning=said) for one, said in KINDS.items()),
        states=_tell_states(STATES),
        source_states=_tell_states(SOURCE_STATES),
    )


def _tell_states(meanings: Mapping[str, str]) -> tuple[Word, ...]:
    return tuple(Word(word=one, name=wording.name_state(one), meaning=said) for one, said in meanings.items())


ENDPOINTS = (Page("about", "/about", AboutAsked, AboutTold, view_about, "How to read, search and prove what is kept"),)

"""Words of the archive → what readers are told: the names of events, edits and states, and how grave each is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jobs.changes import What
from jobs.edits import EditKind
from jobs.fold import State as Presence
from jobs.fold import Verdict
from jobs.health import State
from jobs.search.facts import NEW

if TYPE_CHECKING:
    from collections.abc import Mapping

EVENTS: Mapping[str, str] = {
    NEW: "New",
    What.REVISED: "Changed",
    What.REVERTED: "Changed back",
    What.ALTERNATING: "Back and forth",
    What.SUSPECTED: "Perhaps gone",
    What.GONE: "Taken down",
    What.RETURNED: "Back again",
    What.METADATA: "Details changed",
    What.MOVED: "Moved",
}
KINDS: Mapping[str, str] = {
    EditKind.TYPO: "typo",
    EditKind.WORDING: "wording",
    EditKind.NUMBER: "number",
    EditKind.QUOTATION: "quotation",
    EditKind.NAME: "name",
    EditKind.NEGATION: "negation",
    EditKind.HEADLINE: "headline",
    EditKind.LEAD: "lead",
    EditKind.PARAGRAPH_ADDED: "paragraph added",
    EditKind.PARAGRAPH_REMOVED: "paragraph removed",
    EditKind.CORRECTION_NOTE: "editors’ note",
    EditKind.LIVE_APPEND: "new posts",
    EditKind.POST_CHANGED: "post changed",
    EditKind.POST_REMOVED: "post withdrawn",
    EditKind.PAYWALL_ON: "paywall on",
    EditKind.PAYWALL_OFF: "paywall off",
    EditKind.IMAGE: "main picture",
    EditKind.CAPTION: "caption",
    EditKind.DATE_MOVED: "date moved",
    EditKind.BYLINE: "byline",
}
STATES: Mapping[str, str] = {
    Presence.NONE: "Never read",
    Presence.LIVE: "Online",
    Presence.SUSPECTED: "Perhaps gone",
    Presence.GONE: "Taken down",
    State.OK: "Well",
    State.DEGRADED: "Degraded",
    State.SILENT: "Silent",
    State.FAILING: "Failing",
    State.BLOCKED: "Blocked",
}
"""Of an article, as the fold has them, and of a source, as its health is told."""
VERDICTS: Mapping[str, str] = {
    Verdict.UNCHANGED: "Unchanged",
    Verdict.UNCOMPARED: "Not compared",
    Verdict.BAD: "No text",
    "unread": "Not read yet",
}
"""Of captures, beside those that are events."""
ORIGINS: Mapping[str, str] = {
    "json-ld": "data for machines",
    "meta": "meta elements",
    "rule": "this source’s rules",
    "visible": "what the page shows",
    "guess": "a guess",
}
"""What of a page a field is from."""
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
"""In English whatever the machine's locale is."""

_TONES: Mapping[str, str] = {
    NEW: "good",
    Presence.LIVE: "good",
    State.OK: "good",
    What.RETURNED: "good",
    What.SUSPECTED: "warn",
    State.DEGRADED: "warn",
    State.SILENT: "warn",
    What.GONE: "bad",
    State.FAILING: "bad",
    State.BLOCKED: "bad",
}


def name_event(what: str) -> str:
    """Return the name of an event; of one that is not known here, its own word."""
    return EVENTS.get(what, _spell(what))


def name_verdict(verdict: str) -> str:
    """Return the name of what a capture means for its article."""
    return VERDICTS.get(verdict) or name_event(verdict)


def name_kind(kind: str) -> str:
    """Return the name of a kind of edit."""
    return KINDS.get(kind, _spell(kind).lower())


def name_state(state: str) -> str:
    """Return the name of the state of an article or a source."""
    return STATES.get(state, _spell(state))


def tone_of(word: str) -> str:
    """Return how grave an event or a state is: `good`, `warn`, `bad`, or `plain`. Never said by colour alone."""
    return _TONES.get(word, "plain")


def _spell(word: str) -> str:
    return word.replace("_", " ").capitalize()

"""Facts of the catalog → what happened to articles: edits with their kinds, reverts, alternation, deletion, return.

Nothing is decided here that the fold (jobs/fold.py) decides; nothing is stored but a cache.
"""

from jobs.changes.events import Change, TextSeen, What, list_changes
from jobs.changes.listing import ChangeLister
from jobs.changes.reports import EditReporter, EditSummary
from jobs.changes.words import ShortLine, render_words

__all__ = [
    "Change",
    "ChangeLister",
    "EditReporter",
    "EditSummary",
    "ShortLine",
    "TextSeen",
    "What",
    "list_changes",
    "render_words",
]

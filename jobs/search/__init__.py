"""An index of what the catalog knows, made for readers: full text of all versions, and what happened, by time.

One SQLite file (FTS5) beside the catalog, folded from it. Delete it at any time: it is made anew.
"""

from jobs.search.facts import ARTICLE_EVENTS, Event, EventFilter, Events, Found, Hit, Hits, Order, Query, Run
from jobs.search.queries import QueryError

__all__ = [
    "ARTICLE_EVENTS",
    "Event",
    "EventFilter",
    "Events",
    "Found",
    "Hit",
    "Hits",
    "Order",
    "Query",
    "QueryError",
    "Run",
]

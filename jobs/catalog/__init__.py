"""The SQLite catalog: a cache of facts and verdicts, folded from the log. Delete it at any time: it is rebuilt.

The only importer of sqlite3 beside the crawl's frontier. Never the truth: what it says can be had again from the store.
"""

from jobs.catalog.histories import RedactedArticle, StoredCapture, StoredRevision
from jobs.catalog.intake import Catalog
from jobs.catalog.rollup import StoredSegment
from jobs.catalog.sights import ChangedCapture, ReportKey, Sight, TouchedArticle
from jobs.catalog.versions import SourceVersions

__all__ = [
    "Catalog",
    "ChangedCapture",
    "RedactedArticle",
    "ReportKey",
    "Sight",
    "SourceVersions",
    "StoredCapture",
    "StoredRevision",
    "StoredSegment",
    "TouchedArticle",
]

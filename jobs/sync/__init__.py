"""Copies an archive into another store, log last, so that the copy is a whole archive at every instant."""

from jobs.sync.archive import sync_archive
from jobs.sync.report import SourceReport, SourceState, SyncReport

__all__ = ["SourceReport", "SourceState", "SyncReport", "sync_archive"]

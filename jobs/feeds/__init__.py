"""Changes → feeds that anybody can subscribe to, below `feeds/` in the archive: FORMAT.md § 10."""

from jobs.feeds.writing import FeedsReport, write_feeds

__all__ = ["FeedsReport", "write_feeds"]

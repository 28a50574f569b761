"""A source's past out of web archives: which copies they have, asked for politely and kept as captures with an origin.

A program of a visit. Loads neither Scrapy nor a parser.
"""

from __future__ import annotations

from crawler.backfill.plan import REPORT_FILE, ArchiveReport, BackfillPlan, BackfillReport, read_report
from crawler.backfill.program import Backfill

__all__ = ["REPORT_FILE", "ArchiveReport", "Backfill", "BackfillPlan", "BackfillReport", "read_report"]

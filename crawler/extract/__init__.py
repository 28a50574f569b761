"""A page's HTML → an Article: headline, lead, blocks, fields with their origin, and what kind of page it is.

The only importer of selectolax (beside `crawler.discover`), trafilatura and htmldate. Pure: no clock, no settings.
"""

from __future__ import annotations

from crawler.extract.article import extract_article
from crawler.extract.rules import check_rules

__all__ = ["check_rules", "extract_article"]

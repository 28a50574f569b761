"""A page's HTML → an Article: headline, lead, blocks, fields with their origin, and what kind of page it is.

The only importer of selectolax (beside `crawler.discover`) and trafilatura. Pure: no clock, no settings.
"""

from __future__ import annotations

from crawler.extract.article import extract_article
from crawler.extract.explain import explain_article
from crawler.extract.outline import read_outline
from crawler.extract.page.rules import check_rules, find_faults

__all__ = ["check_rules", "explain_article", "extract_article", "find_faults", "read_outline"]

"""Hostile documents by name, each built by code: pages, feeds and files that are made to stop a crawler.

Deterministic. `HOSTILE` are the pages that are read as articles, `ANNOUNCEMENTS` what links are looked for in.
"""

from __future__ import annotations

from tests.hostile.announcements import ANNOUNCEMENTS
from tests.hostile.case import HOST, STORY, Hostile
from tests.hostile.codings import CODINGS
from tests.hostile.markup import MARKUP
from tests.hostile.statements import STATEMENTS
from tests.hostile.wording import WORDING

PAGES = [*MARKUP, *CODINGS, *STATEMENTS, *WORDING]
HOSTILE = {case.name: case for case in [*PAGES, *ANNOUNCEMENTS]}

__all__ = ["ANNOUNCEMENTS", "HOST", "HOSTILE", "PAGES", "STORY", "Hostile"]

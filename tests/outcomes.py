"""`python -m tests.outcomes`: what becomes of each hostile document and each brief, one line of digests apiece.

Says with which code it was: the sources, or modules compiled from them that lie before them on the path.
"""

from __future__ import annotations

import hashlib
import json
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

from config.rules import ExtractRules
from crawler import prescan
from crawler.model import Purpose
from crawler.outcome import PageContext, encode_outcome
from crawler.workers.task import explain_page, process_page
from tests.golden.brief_pages import PAGES, load_briefs
from tests.golden.test_briefs import fetch
from tests.hostile import HOSTILE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from crawler.model import Exchange

RULES = ExtractRules(include=["article", "main"], remove=["aside", "script + p"], title="h1", authors=".byline")


def list_documents() -> Iterator[tuple[str, Exchange]]:
    for name, document in HOSTILE.items():
        yield name, replace(document.exchange(), purpose=Purpose.ARTICLE)
    for brief in load_briefs():
        for kind in PAGES:
            yield f"{brief.name}, {kind}", fetch(brief, kind)


def digest(exchange: Exchange) -> str:
    """Return the digest of what is read by no rules, and of why what is read by some is so."""
    context = PageContext(ExtractRules(), timezone=None, language=None, derivation="sha256:0")
    answer, record = encode_outcome(process_page(exchange, context))
    explanation = explain_page(exchange, replace(context, rules=RULES), whole=True)
    return hashlib.sha256(b"|".join([answer, record, repr(explanation).encode("utf-8", "replace")])).hexdigest()


if __name__ == "__main__":
    sys.stdout.write(json.dumps({"prescan": prescan.__file__}) + "\n")
    for name, exchange in list_documents():
        sys.stdout.write(json.dumps([name, digest(exchange)]) + "\n")
        sys.stdout.flush()

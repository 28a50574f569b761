"""Short articles are articles, to the letter: whatever words they use, whatever stands around them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from config.rules import ExtractRules
from crawler.model import Exchange, PageClass, Purpose
from crawler.outcome import PageContext
from crawler.workers.task import process_page
from tests.golden.brief_pages import PAGES, Brief, build_page, load_briefs

BRIEFS = {brief.name: brief for brief in load_briefs()}
CONTEXT = PageContext(ExtractRules(), timezone=None, language=None, derivation="sha256:0")


def fetch(brief: Brief, kind: str) -> Exchange:
    return Exchange(
        url=brief.url,
        purpose=Purpose.ARTICLE,
        started_at=datetime(2026, 11, 22, 3, 45, tzinfo=UTC),
        seconds=0.1,
        request_head=b"",
        status=200,
        response_head=b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n",
        body=build_page(brief, kind),
    )


def test_there_are_sixty_and_more_in_ten_languages() -> None:
    assert len(BRIEFS) >= 60
    assert len({brief.edition.language for brief in BRIEFS.values()}) >= 10


@pytest.mark.parametrize("kind", PAGES)
@pytest.mark.parametrize("name", BRIEFS)
def test_a_brief_is_an_article_to_the_letter(name: str, kind: str) -> None:
    brief = BRIEFS[name]
    outcome = process_page(fetch(brief, kind), CONTEXT)
    assert (outcome.page_class, outcome.extraction_error) == (PageClass.ARTICLE, None), outcome.class_reason
    assert outcome.snapshot is not None
    assert outcome.snapshot.title == brief.title
    assert outcome.snapshot.text == brief.expected

"""What a worker read off a page on its way to who asked: JSON that is checked where it comes in."""

from __future__ import annotations

from pydantic import TypeAdapter, ValidationError

from config.errors import ExtractError
from crawler.discover.page_facts import PageFacts
from crawler.outcome import dump_json

MAX_LINKS = 5_000
"""Of one page."""

_PAGES: TypeAdapter[PageFacts] = TypeAdapter(PageFacts)


def encode_page_facts(facts: PageFacts) -> bytes:
    """Return *facts* as JSON."""
    return dump_json(_PAGES, facts)


def decode_page_facts(text: bytes) -> PageFacts:
    """Undo `encode_page_facts`; trusts nothing. Raises ExtractError if it does not hold together."""
    try:
        facts = _PAGES.validate_json(text)
    except ValidationError as error:
        raise ExtractError(f"a worker's answer says nothing of a page: {error}"[:500]) from error
    if len(facts.links) > MAX_LINKS or len(facts.alternates) > MAX_LINKS:
        raise ExtractError(f"a worker's answer: {len(facts.links)} links of one page, at most {MAX_LINKS} are taken")
    return facts

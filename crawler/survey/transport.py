"""What a survey saw on its way between processes: JSON that is checked where it comes in."""

from __future__ import annotations

from typing import Any

from pydantic import TypeAdapter, ValidationError

from config.errors import ExtractError
from crawler.outcome import dump_json
from crawler.survey.facts import PageFacts, Survey

MAX_LINKS = 5_000
"""Of one page."""

_PAGES: TypeAdapter[PageFacts] = TypeAdapter(PageFacts)
_SURVEYS: TypeAdapter[Survey] = TypeAdapter(Survey)


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


def encode_survey(survey: Survey) -> dict[str, Any]:
    """Return *survey* as JSON data."""
    data: dict[str, Any] = _SURVEYS.dump_python(survey, mode="json")
    return data


def decode_survey(data: object) -> Survey:
    """Undo `encode_survey`. Raises ExtractError if *data* is none."""
    try:
        return _SURVEYS.validate_python(data)
    except ValidationError as error:
        raise ExtractError(f"this is no survey: {error}"[:500]) from error

"""What a survey saw on its way between processes: JSON that is checked where it comes in."""

from __future__ import annotations

from typing import Any

from pydantic import TypeAdapter, ValidationError

from config.errors import ExtractError
from crawler.survey.facts import Survey

_SURVEYS: TypeAdapter[Survey] = TypeAdapter(Survey)


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

"""Why a page's text is what it is: the values that travel from the worker to the person who writes a rule.

Light: loads no parser. What they say is made in `crawler.extract.explain`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pydantic import TypeAdapter, ValidationError

from config.errors import ExtractError
from crawler.model import PageClass


@dataclass(frozen=True, slots=True)
class Statement:
    """What was found of one field, and where."""

    name: str
    value: str
    """Its beginning, in one line; lists with commas."""
    origin: str
    """`json-ld`, `meta`, `rule …`, `visible` or `guess`."""
    selector: str | None = None
    """Names the element that it stands in, where that is known."""


@dataclass(frozen=True, slots=True)
class RuleUse:
    """One selector of a source's rules, and how many elements of the page it names."""

    key: str
    """As in `extract.remove[2]`."""
    selector: str
    matches: int


@dataclass(frozen=True, slots=True)
class Passage:
    """A block of text, or a box that was passed over, in one line."""

    kept: bool
    reason: str
    """Why it was dropped; of what was kept `title`, `lead …`, `subhead` or nothing."""
    selector: str
    """Names the element, and others of its kind."""
    matches: int | None
    """How many elements of the page the selector names; `None`: there were too many selectors to count."""
    chars: int
    elements: int
    """Elements in it; 1 for a block of text."""
    text: str
    """The beginning, in one line."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """How a page was read, as a person needs it for writing rules."""

    page_class: PageClass
    class_reason: str
    has_text: bool = False
    """Whether text is taken of a page of that class; if not, the passages say what it would have been."""
    confidence: float = 0.0
    container: str = ""
    """Selector of the body's element."""
    container_reason: str = ""
    statements: tuple[Statement, ...] = ()
    rules: tuple[RuleUse, ...] = ()
    notes: tuple[str, ...] = ()
    passages: tuple[Passage, ...] = ()
    """In document order."""
    error: str | None = None
    """Why the page could not be read."""


_EXPLANATIONS: TypeAdapter[Explanation] = TypeAdapter(Explanation)


def failed_explanation(reason: str) -> Explanation:
    """Return the explanation of a page that could not be read."""
    return Explanation(PageClass.ERROR, reason, error=reason)


def encode_explanation(explanation: Explanation) -> dict[str, Any]:
    """Return *explanation* as JSON data."""
    data: dict[str, Any] = _EXPLANATIONS.dump_python(explanation, mode="json")
    return data


def decode_explanation(data: dict[str, Any]) -> Explanation:
    """Undo `encode_explanation`; trusts nothing. Raises ExtractError if it does not hold together."""
    try:
        return _EXPLANATIONS.validate_python(data)
    except ValidationError as error:
        raise ExtractError(f"a worker's answer is no explanation: {error}"[:500]) from error

"""What a source's YAML says of its pages: CSS rules for the extractor, RE2 patterns for the URLs of articles."""

from __future__ import annotations

import hashlib
import re
from functools import cached_property
from typing import Annotated, Any

import re2
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from config.selectors import check_selector

_MAX_PROGRAM = 20_000
"""Instructions of a compiled RE2 expression: it takes time in proportion to them for each character of a URL."""
_UNWRITABLE = re.compile("[\x00-\x1f\x7f-\x9f\ufeff\ufffe\uffff\ud800-\udfff]")
"""What no YAML file may hold."""
_NON_ASCII_ESCAPES = re.compile(r"(?:%[89A-Fa-f][0-9A-Fa-f])+", re.ASCII)


class StrictModel(BaseModel):
    """A part of a YAML file: frozen, and no key that it does not know."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def read_text_list(value: object) -> object:
    """Return *value*, a single text as a list of it."""
    return [value] if isinstance(value, str) else value


Selector = Annotated[str, Field(max_length=1_000), AfterValidator(check_selector)]
SelectorList = Annotated[list[Selector], BeforeValidator(read_text_list), Field(max_length=200)]


def is_line(value: str) -> bool:
    """Whether *value* can be a line of a text in normal form, FORMAT.md § 6, and stand in a YAML file."""
    return bool(value) and value == " ".join(value.split()) and not _UNWRITABLE.search(value)


def check_line(value: str) -> str:
    """Return *value*. Raises ValueError if it can be no line of a text."""
    if not is_line(value):
        raise ValueError("one line of a text, with single spaces and none at its ends, and no control characters")
    return value


Line = Annotated[str, Field(max_length=1_000), AfterValidator(check_line)]


class LearnedRules(StrictModel):
    """What many pages of a source told of its boxes: `ofrecord sources learn`. Written by no person."""

    remove: Annotated[list[Selector], Field(max_length=200)] = []
    """Elements that are taken out, unless they hold what a rule of a person chose, or the headline."""
    links: Annotated[list[Selector], Field(max_length=200)] = []
    """The same, where links are most of what they hold."""
    lines: Annotated[list[Line], Field(max_length=1_000)] = []
    """Lines that are taken out of the body, where they stand as a whole."""
    labels: Annotated[list[Line], Field(max_length=200)] = []
    """Words such as `Read also:`: a line is taken out that is one of them and, for the rest, a link."""


class ExtractRules(StrictModel):
    """CSS selectors for where the automatic extractor is wrong. A rule comes before everything else."""

    include: SelectorList = []
    """Elements that hold the body; nothing outside them is body."""
    remove: SelectorList = []
    """Elements that are taken out before anything is read."""
    title: Selector | None = None
    lead: Selector | None = None
    authors: Selector | None = None
    published: Selector | None = None
    modified: Selector | None = None
    section: Selector | None = None
    tags: Selector | None = None
    image: Selector | None = None
    image_caption: Selector | None = None
    image_credit: Selector | None = None
    source: Selector | None = None
    """The agency or paper that the text is taken from."""
    reading_time: Selector | None = None
    related: Selector | None = None
    """Boxes of further links: chrome, kept apart, never text."""
    embeds: Selector | None = None
    """Posts of social networks within the body."""
    learned: LearnedRules = LearnedRules()
    """From the file beside the source's own, see `config.learned`; every rule above comes before it."""


def _compile(expression: str) -> Any:  # noqa: ANN401 - re2 has no types
    options = re2.Options()
    options.log_errors = False
    try:
        return re2.compile(expression, options)
    except re2.error as error:
        text = error.args[0].decode("utf-8", "replace") if isinstance(error.args[0], bytes) else str(error)
        _, _, fragment = text.partition(": ")
        place = expression.rfind(fragment) + 1 if fragment else 0
        raise ValueError(f"an RE2 expression; {text}" + (f" at character {place}" if place else "")) from error


def _check_expression(value: str) -> str:
    size = _compile(value).programsize
    if size > _MAX_PROGRAM:
        raise ValueError(f"an RE2 expression of at most {_MAX_PROGRAM} instructions, not {size}: repeat less")
    return value


Expression = Annotated[str, Field(min_length=1, max_length=2_000), AfterValidator(_check_expression)]
ExpressionList = Annotated[list[Expression], BeforeValidator(read_text_list), Field(max_length=200)]


class ArticlePatterns(StrictModel):
    """Which links are articles: RE2 expressions that are searched for in the normalised URL."""

    include: Annotated[ExpressionList, Field(min_length=1)]
    """At least one must be found."""
    exclude: ExpressionList = []
    """None may be found."""

    @cached_property
    def _compiled(self) -> tuple[list[Any], list[Any]]:
        return (
            [_compile(expression) for expression in self.include],
            [_compile(expression) for expression in self.exclude],
        )

    @property
    def digest(self) -> str:
        """Sixteen hex digits that stand for these expressions."""
        return hashlib.sha256(repr((self.include, self.exclude)).encode()).hexdigest()[:16]

    def match(self, url: str) -> bool:
        """Tell whether *url* (normalised) is included and not excluded, as it is or with its letters readable."""
        forms = {url, readable_url(url)}
        include, exclude = self._compiled
        if any(expression.search(form) for expression in exclude for form in forms):
            return False
        return any(expression.search(form) for expression in include for form in forms)

    def explain(self, url: str) -> str:
        """Return in words why *url* (normalised) matches, or why not."""
        forms = {url, readable_url(url)}
        include, exclude = self._compiled
        for key, compiled, expressions in (("exclude", exclude, self.exclude), ("include", include, self.include)):
            for one, expression in zip(compiled, expressions, strict=True):
                if any(one.search(form) for form in forms):
                    return f"articles.{key} has {expression}"
        return "nothing of articles.include is found in it"


def readable_url(url: str) -> str:
    """Return *url* with the letters beyond ASCII shown as such, where their escapes are whole UTF-8."""
    return _NON_ASCII_ESCAPES.sub(_decode_escapes, url)


def _decode_escapes(match: re.Match[str]) -> str:
    raw = bytes.fromhex(match[0].replace("%", ""))
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        return match[0]
    return text if text.isprintable() else match[0]

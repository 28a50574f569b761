"""A source's CSS rules → elements of the page. The only place that runs selectors written by a person."""

from __future__ import annotations

from typing import TYPE_CHECKING

from selectolax.lexbor import LexborHTMLParser, SelectolaxError

from config.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Container

    from selectolax.lexbor import LexborNode

    from config.rules import ExtractRules, LearnedRules
    from crawler.extract.page.parsing import Page
    from crawler.extract.page.tree import Element

MAX_MATCHES = 2_000
_MOST_LINKS = 0.5
_MOST_SHARE = 0.35
"""What holds this share of the page in running text may be the article itself, whatever it is called."""


def select(page: Page, selectors: str | list[str] | None) -> list[Element]:
    """Return the elements that any of *selectors* matches, in document order. Raises ConfigError on bad CSS."""
    if not selectors:
        return []
    found: dict[int, Element] = {}
    for selector in [selectors] if isinstance(selectors, str) else selectors:
        for node in _css(page.parser, selector)[:MAX_MATCHES]:
            element = page.nodes.get(node.mem_id)
            if element is not None:
                found[element.order] = element
    return [found[order] for order in sorted(found)]


def drop_learned(page: Page, learned: LearnedRules, kept: Container[Element]) -> None:
    """Mark what *learned* takes out; *kept*: what a rule of a person or the headline holds stays."""
    most = _MOST_SHARE * page.body.chars
    for element in select(page, learned.remove):
        if element not in kept and element.chars - element.link_chars <= most:
            element.dropped = element.dropped or "a learned rule"
    for element in select(page, learned.links):
        if element not in kept and element.link_density >= _MOST_LINKS:
            element.dropped = element.dropped or "a learned rule"


def check_rules(rules: ExtractRules) -> None:
    """Raise ConfigError, naming the key, where a selector of *rules* is no CSS that the parser knows."""
    for key, number, text in find_faults(rules):
        place = "" if number is None else f"[{number + 1}]"
        raise ConfigError(f"extract.{key}{place}: {text}")


def find_faults(rules: ExtractRules) -> list[tuple[str, int | None, str]]:
    """Return key, place in its list (from 0; `None` where it is none) and what is wrong of each bad selector.

    The keys of learned rules begin with `learned.`
    """
    parser = LexborHTMLParser("<p>")
    given = rules.model_dump(exclude_defaults=True)
    learned = given.pop("learned", {})
    given |= {f"learned.{key}": learned.get(key, []) for key in ("remove", "links")}
    faults: list[tuple[str, int | None, str]] = []
    for name, value in given.items():
        for number, selector in enumerate(value if isinstance(value, list) else [value]):
            try:
                _css(parser, selector)
            except ConfigError as error:
                faults.append((name, number if isinstance(value, list) else None, str(error)))
    return faults


def _css(parser: LexborHTMLParser, selector: str) -> list[LexborNode]:
    try:
        return list(parser.css(selector))
    except (SelectolaxError, ValueError, RuntimeError) as error:
        raise ConfigError(f"found {selector!r}, expected a CSS selector: {error}") from error

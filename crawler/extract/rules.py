"""A source's CSS rules → elements of the page. The only place that runs selectors written by a person."""

from __future__ import annotations

from typing import TYPE_CHECKING

from selectolax.lexbor import LexborHTMLParser, SelectolaxError

from config.errors import ConfigError

if TYPE_CHECKING:
    from selectolax.lexbor import LexborNode

    from config.rules import ExtractRules
    from crawler.extract.tree import Element, Page

MAX_MATCHES = 2_000


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


def check_rules(rules: ExtractRules) -> None:
    """Raise ConfigError, naming the key, where a selector of *rules* is no CSS that the parser knows."""
    parser = LexborHTMLParser("<p>")
    for name, value in rules.model_dump(exclude_defaults=True).items():
        for selector in value if isinstance(value, list) else [value]:
            try:
                _css(parser, selector)
            except ConfigError as error:
                raise ConfigError(f"extract.{name}: {error}") from error


def _css(parser: LexborHTMLParser, selector: str) -> list[LexborNode]:
    try:
        return list(parser.css(selector))
    except (SelectolaxError, ValueError, RuntimeError) as error:
        raise ConfigError(f"found {selector!r}, expected a CSS selector: {error}") from error

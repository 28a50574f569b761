"""A source's CSS rules → elements of the page. The only place that runs selectors written by a person."""

from __future__ import annotations

from typing import TYPE_CHECKING

from selectolax.lexbor import LexborHTMLParser, SelectolaxError

from config.errors import ConfigError
from crawler.extract.blocks import find_label
from crawler.extract.tree import measure

if TYPE_CHECKING:
    from collections.abc import Container

    from selectolax.lexbor import LexborNode

    from config.rules import ExtractRules, LearnedRules
    from crawler.extract.blocks import Block
    from crawler.extract.tree import Element, Page

MAX_MATCHES = 2_000
_MOST_LINKS = 0.5
_MOST_SHARE = 0.35
"""What holds this share of the page in running text may be the article itself, whatever it is called."""
_SHORT = 8
"""A line of fewer characters may be an answer or a cry in any text."""


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


def drop_learned_lines(blocks: list[Block], learned: LearnedRules) -> list[Block]:
    """Return *blocks* without the lines that *learned* takes out; short ones go only at an end of all blocks."""
    wanted, labels = frozenset(learned.lines), frozenset(learned.labels)
    if not wanted and not labels:
        return blocks
    anywhere = list_lines(learned)
    labelled = [bool(labels) and find_label(block) in labels for block in blocks]
    staying = [at for at, block in enumerate(blocks) if not (labelled[at] or wanted.issuperset(block.lines))]
    kept = []
    for at, block in enumerate(blocks):
        gone = anywhere if staying and staying[0] <= at <= staying[-1] else wanted
        lines = [line for line in block.lines if line not in gone]
        if not lines or labelled[at]:
            block.dropped = "a learned line"
        else:
            block.lines = lines
            kept.append(block)
    return kept


def list_lines(learned: LearnedRules) -> set[str]:
    """Return the lines that *learned* takes out wherever they stand."""
    return {line for line in learned.lines if measure(line) >= _SHORT}


def check_rules(rules: ExtractRules) -> None:
    """Raise ConfigError, naming the key, where a selector of *rules* is no CSS that the parser knows."""
    parser = LexborHTMLParser("<p>")
    given = rules.model_dump(exclude_defaults=True)
    learned = given.pop("learned", {})
    given |= {f"learned.{key}": learned.get(key, []) for key in ("remove", "links")}
    for name, value in given.items():
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

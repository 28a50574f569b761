"""A page's tree → the same tree with everything that is no article text marked as dropped, each with a reason.

Signs are weighed against what a box holds: nothing with a good part of the page's prose is dropped for its name.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from crawler.extract.tree import BLOCK_TAGS, HEADING_TAGS, Element
from crawler.extract.words import (
    COMMENT_SIGNS,
    CONSENT_SIGNS,
    FAINT_SIGNS,
    FURNITURE_SIGNS,
    PAYWALL,
    PAYWALL_SIGNS,
    RELATED_LABEL,
    RELATED_SIGNS,
)

if TYPE_CHECKING:
    from collections.abc import Container

CHROME_TAGS = frozenset(
    [
        "nav",
        "footer",
        "aside",
        "form",
        "menu",
        "dialog",
        "iframe",
        "button",
        "input",
        "audio",
        "video",
        "figcaption",
        "picture",
        "embed",
        "label",
        "fieldset",
        "map",
        "progress",
        "meter",
        "frame",
        "source",
        "track",
        "img",
        "details",
    ]
)
CHROME_ROLES = frozenset(
    [
        "navigation",
        "banner",
        "contentinfo",
        "complementary",
        "search",
        "dialog",
        "alertdialog",
        "menu",
        "menubar",
        "toolbar",
        "tooltip",
        "tablist",
    ]
)
_HIDDEN_STYLE = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.IGNORECASE)
_MOST = 0.35
"""A box that holds this share of the page's prose is no furniture, whatever it is called."""
_SMALL_BOX = 300
_WALL = 900
_BOX_ELEMENTS = 400
"""A box of more elements than this is not looked into: it is a part of the page, or made to keep us busy."""
_NEVER = frozenset({"html", "body", "main", "h1"})
_PROSE_CHARS = 40
_LABEL_CHARS = 2_000
"""A label is far shorter, white space counted."""


class Prose:
    """How much running text each element holds; links and crumbs not counted."""

    def __init__(self, body: Element) -> None:
        self._chars: dict[Element, int] = {}
        elements = list(body.walk(kept=True))
        for element in reversed(elements):
            own, links = own_text(element) if element.tag in BLOCK_TAGS else (0, 0)
            total = own - links if own - links >= _PROSE_CHARS else 0
            total += sum(self._chars.get(child, 0) for child in element.elements)
            self._chars[element] = total
        self.total = self._chars.get(body, 0)

    def of(self, element: Element) -> int:
        """Return the characters of running text in *element*."""
        return self._chars.get(element, 0)

    def share(self, element: Element) -> float:
        """Return the share of the page's running text that *element* holds."""
        return self.of(element) / self.total if self.total else 0.0


def own_text(element: Element) -> tuple[int, int]:
    """Return characters of text, and of linked text, whose nearest block is *element*."""
    chars = links = 0
    stack = list(element.children)
    while stack:
        child = stack.pop()
        if isinstance(child, str):
            chars += len(child.strip())
        elif child.tag not in BLOCK_TAGS and not child.dropped:
            if child.tag == "a":
                chars += child.chars
                links += child.chars
            else:
                stack.extend(child.children)
    return chars, links


def mark_boxes(body: Element, kept: Container[Element]) -> Prose:
    """Mark what is no article text. *kept*: elements that must stay, with all around them (the headline, rules)."""
    _mark(body, kept, None)
    prose = Prose(body)
    _mark(body, kept, prose)
    return Prose(body)


def _mark(body: Element, kept: Container[Element], prose: Prose | None) -> None:
    stack = [body]
    while stack:
        element = stack.pop()
        if element.dropped:
            continue
        if element not in kept and element.tag not in _NEVER:
            element.dropped = _chrome_reason(element) if prose is None else _box_reason(element, prose)
            if element.dropped:
                continue
        stack.extend(element.elements)


def _chrome_reason(element: Element) -> str | None:
    """Return why *element* is chrome by its tag, role or state alone."""
    if element.tag in CHROME_TAGS:
        # a page may be one big form, and a paywalled one may hide its text
        if (
            element.tag in {"form", "aside", "fieldset", "label", "details"}
            and element.chars > 1500
            and _has_prose(element)
        ):
            return None
        return f"a {element.tag} element"
    if element.get("role") in CHROME_ROLES and not _has_prose(element):
        return f"role {element.get('role')}"
    signs = element.signs
    if signs != "--" and element.find("h1") is None:
        if COMMENT_SIGNS.search(signs):
            return "comments"
        if CONSENT_SIGNS.search(signs):
            return "consent"
    return None


def _has_prose(element: Element) -> bool:
    return sum(1 for child in element.walk() if child.tag == "p" and child.chars - child.link_chars > 80) > 4


def _box_reason(element: Element, prose: Prose) -> str | None:
    signs = element.signs
    if PAYWALL_SIGNS.search(signs) and element.chars < _WALL and PAYWALL.search(element.text()):
        return "a pay wall"
    if prose.share(element) > _MOST:
        return None
    if (
        "hidden" in element.attributes
        or element.get("aria-hidden") == "true"
        or _HIDDEN_STYLE.search(element.get("style"))
    ):
        return "hidden"
    if element.tag == "figure":
        return None if element.find("blockquote", "table") else "a figure"
    if signs != "--":
        if RELATED_SIGNS.search(signs):
            return "related"
        if FURNITURE_SIGNS.search(signs) and not _is_text_of_its_own(element):
            return "furniture"
        if FAINT_SIGNS.search(signs) and prose.of(element) < _SMALL_BOX and not _is_text_of_its_own(element):
            return "furniture"
        if PAYWALL_SIGNS.search(signs) and not _has_prose(element):
            return "a pay wall"
    if element.tag in BLOCK_TAGS and element.tag not in HEADING_TAGS:
        return _shape_reason(element, prose)
    return None


def _is_text_of_its_own(element: Element) -> bool:
    """Whether *element* is a long paragraph: one such is text even in a class that sounds like furniture."""
    return element.tag == "p" and element.chars - element.link_chars > 150


def _shape_reason(element: Element, prose: Prose) -> str | None:
    """Return why *element* is a box by what it is made of, whatever its class."""
    if not element.chars or element.end - element.order > _BOX_ELEMENTS:
        return None
    if element.link_density > 0.8 and element.tag not in {"p", "blockquote", "td", "tr", "dd", "dt", "li"}:
        return "related" if _has_label(element) else "links"
    if element.tag in {"p", "blockquote", "td", "tr", "dd", "dt", "pre"} or element.chars > 900:
        return None
    small = prose.share(element) < 0.2
    if small and _has_label(element) and element.link_density > 0.3:
        return "related"
    if small and _is_teaser(element):
        return "related"
    if small and element.find("input", "button", "iframe", "video", "audio") is not None and element.find("h1") is None:
        return "a box with controls"
    return None


def _has_label(element: Element) -> bool:
    """Whether the first words in *element* are a label such as *Related news*."""
    for child in element.walk():
        first = next((item for item in child.children if isinstance(item, str) and item.strip()), None)
        if first is not None:
            return RELATED_LABEL.search(" ".join(first[:_LABEL_CHARS].split()).lower()) is not None
    return False


def _is_teaser(element: Element) -> bool:
    """Whether *element* opens with a heading that is a link as a whole, as the teaser of another article does."""
    heading = element.find(*HEADING_TAGS)
    if heading is None or heading.chars < 15:
        return False
    linked = heading.link_density > 0.9 or any(around.tag == "a" for around in heading.ancestors())
    return linked and element.tag in {"article", "div", "section", "li"}

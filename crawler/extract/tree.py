"""HTML → a light tree of our own, by one Lexbor parse and one walk. Measures text and links on the way up.

Scripts, styles and controls are not in the tree. Bounded in depth and in number of elements; nothing here recurses.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from selectolax.lexbor import LexborDocumentOptions, LexborHTMLParser, SelectolaxError

from config.errors import ExtractError
from crawler.extract.words import split_signs

if TYPE_CHECKING:
    from collections.abc import Iterator

    from selectolax.lexbor import LexborNode

MAX_ELEMENTS = 51_000
"""Each costs some 15 µs until the page is read. Most of 1,500 real pages: 10,112."""
MAX_GUESSED_ELEMENTS = 25_000
"""A page of more is not handed to the libraries that are asked where we found little: they take as long again."""
MAX_NODES = 250_000
"""Elements, texts and comments. Most of 1,500 real pages: 28,000."""
MAX_ATTRIBUTES = 100_000
"""Most of 1,500 real pages: 9,222."""
MAX_SIGN_CHARS = 2_000_000
"""Characters of class names and ids. Most of 1,500 real pages: 149,000."""
MAX_LEVELS = 3_000_000
"""Sum of the depths of all elements: what it costs to look into each. Most of 1,500 real pages: 148,000."""
MAX_TEXT_LEVELS = 200_000_000
"""The same of characters of text. Most of 1,500 real pages: 7,700,000."""
MAX_DEPTH = 400
"""What lies deeper hangs at this depth: no page that a person wrote comes near it."""

SKIPPED_TAGS = frozenset(
    [
        "script",
        "style",
        "noscript",
        "template",
        "svg",
        "math",
        "canvas",
        "object",
        "select",
        "option",
        "textarea",
        "head",
        "frameset",
        "-undef",
        "-comment",
    ]
)
"""Never text of an article, and not in the tree."""
BLOCK_TAGS = frozenset(
    [
        "address",
        "article",
        "aside",
        "blockquote",
        "body",
        "center",
        "dd",
        "details",
        "dialog",
        "div",
        "dl",
        "dt",
        "fieldset",
        "figcaption",
        "figure",
        "footer",
        "form",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "header",
        "hgroup",
        "hr",
        "html",
        "legend",
        "li",
        "main",
        "menu",
        "nav",
        "ol",
        "p",
        "pre",
        "search",
        "section",
        "summary",
        "table",
        "tbody",
        "td",
        "tfoot",
        "th",
        "thead",
        "tr",
        "ul",
    ]
)
_CHECKED_ELEMENTS = 1_000
HEADING_TAGS = frozenset({"h1", "h2", "h3", "h4", "h5", "h6"})


@dataclass(slots=True, eq=False)
class Element:
    """An element of the page. Compared by identity."""

    tag: str
    attributes: dict[str, str]
    parent: Element | None
    order: int
    """Place in document order."""
    everything: list[Element] = field(repr=False)
    """All elements of the page in document order: what lies below this one are those up to `end`."""
    end: int = 0
    """Place of the first element after this one that is not below it."""
    children: list[Element | str] = field(default_factory=list)
    chars: int = 0
    """Characters of text in it, white space at the ends of each piece not counted."""
    link_chars: int = 0
    """Those inside links."""
    dropped: str | None = None
    """Why it is no part of the article, where somebody decided so."""
    _signs: str | None = field(default=None, repr=False)

    def get(self, name: str) -> str:
        """Return attribute *name*, empty if it is not there."""
        return self.attributes.get(name, "")

    @property
    def signs(self) -> str:
        """Class names and id as `-word-word-`, made when they are first asked for."""
        if self._signs is None:
            self._signs = split_signs(self.get("class"), self.get("id"))
        return self._signs

    @property
    def elements(self) -> Iterator[Element]:
        """The child elements."""
        return (child for child in self.children if isinstance(child, Element))

    @property
    def link_density(self) -> float:
        """The share of the text that stands in links."""
        return self.link_chars / self.chars if self.chars else 0.0

    def walk(self, *, kept: bool = False) -> Iterator[Element]:
        """Return this element and all below it in document order; with *kept*, without what was dropped."""
        if not kept:
            return iter(self.everything[self.order : self.end])
        return self._walk_kept()

    def _walk_kept(self) -> Iterator[Element]:
        at = self.order
        while at < self.end:
            element = self.everything[at]
            if element.dropped:
                at = element.end
                continue
            yield element
            at += 1

    def ancestors(self) -> Iterator[Element]:
        """Yield the elements around this one, the nearest first."""
        element = self.parent
        while element is not None:
            yield element
            element = element.parent

    def find(self, *tags: str) -> Element | None:
        """Return the first element below this one that has one of *tags*."""
        below = self.everything[self.order + 1 : self.end]
        return next((element for element in below if element.tag in tags), None)

    def text(self) -> str:
        """Return all text in it in one line, blocks parted by a space."""
        pieces: list[str] = []
        stack: list[Element | str] = [self]
        while stack:
            item = stack.pop()
            if isinstance(item, str):
                pieces.append(item)
                continue
            if item.tag == "br" or item.tag in BLOCK_TAGS:
                pieces.append(" ")
                stack.append(" ")
            stack.extend(reversed(item.children))
        return " ".join("".join(pieces).split())


@dataclass(slots=True)
class Page:
    """A parsed page."""

    root: Element
    body: Element
    parser: LexborHTMLParser
    nodes: dict[int, Element]
    """Lexbor's number of a node → our element: how CSS rules find their way."""

    @property
    def size(self) -> int:
        """The number of its elements."""
        return len(self.root.everything)


def parse_page(html: str) -> Page:
    """Parse *html*. Raises ExtractError if it has no elements or more of anything than the limits above."""
    try:
        # without events: they mirror the options of a select, at a cost that grows with their number squared
        parser = LexborHTMLParser(html.replace("\0", ""), options=LexborDocumentOptions.WO_EVENTS)
        top = parser.root
    except (SelectolaxError, ValueError, RuntimeError) as error:
        raise ExtractError(f"page: cannot be parsed: {error}") from error
    if top is None:
        raise ExtractError("page: found no element in it")
    root, nodes = _copy(top)
    body = next((element for element in root.elements if element.tag == "body"), root)
    return Page(root, body, parser, nodes)


def _copy(top: LexborNode) -> tuple[Element, dict[int, Element]]:
    made: list[Element] = []
    root = Element(top.tag or "html", _attributes(top), None, 0, made)
    nodes = {top.mem_id: root}
    made.append(root)
    counts = _Counts()
    stack: list[tuple[LexborNode | None, Element, int]] = [(top.first_child, root, 1)]
    while stack:
        node, parent, depth = stack.pop()
        while node is not None:
            following = node.next
            counts.nodes += 1
            if node.is_text_node:
                text = node.text_content or ""
                parent.children.append(text)
                counts.text_levels += len(text) * depth
            elif node.is_element_node and (tag := node.tag or "") not in SKIPPED_TAGS:
                element = Element(tag, _attributes(node), parent, len(made), made)
                parent.children.append(element)
                nodes[node.mem_id] = element
                made.append(element)
                counts.add(element, depth)
                if node.first_child is not None:
                    stack.append((following, parent, depth))
                    parent, depth = (element, depth + 1) if depth < MAX_DEPTH else (parent, depth)
                    following = node.first_child
            node = following
        counts.check()
    _measure(made)
    return root, nodes


@dataclass(slots=True)
class _Counts:
    """What a tree has of all that has a limit."""

    nodes: int = 0
    elements: int = 1
    attributes: int = 0
    sign_chars: int = 0
    levels: int = 0
    text_levels: int = 0

    def add(self, element: Element, depth: int) -> None:
        self.elements += 1
        self.levels += depth
        if element.attributes:
            self.attributes += len(element.attributes)
            self.sign_chars += len(element.get("class")) + len(element.get("id"))
        if not self.elements % _CHECKED_ELEMENTS:
            self.check()

    def check(self) -> None:
        """Raise ExtractError if there is too much of anything."""
        for number, limit, what in (
            (self.nodes, MAX_NODES, "elements, texts and comments"),
            (self.elements, MAX_ELEMENTS, "elements"),
            (self.attributes, MAX_ATTRIBUTES, "attributes"),
            (self.sign_chars, MAX_SIGN_CHARS, "characters of class names and ids"),
            (self.levels, MAX_LEVELS, "levels that its elements lie deep, in all"),
            (self.text_levels, MAX_TEXT_LEVELS, "levels that its characters lie deep, in all"),
        ):
            if number > limit:
                raise ExtractError(f"page: more than {limit} {what}")


def _attributes(node: LexborNode) -> dict[str, str]:
    return {name: value or "" for name, value in node.attributes.items()}


def _measure(made: list[Element]) -> None:
    for element in reversed(made):  # children come after their parents, so this goes upwards
        element.end = element.end or element.order + 1
        if element.parent is not None:
            element.parent.end = max(element.parent.end, element.end)
        for child in element.children:
            if isinstance(child, str):
                element.chars += len(child.strip())
            else:
                element.chars += child.chars
                element.link_chars += child.link_chars
        if element.tag == "a":
            element.link_chars = element.chars

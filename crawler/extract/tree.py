"""HTML → a light tree of our own, by one Lexbor parse and one walk. Measures text and links on the way up.

Scripts, styles and controls are not in the tree. Bounded in depth and in number of elements; nothing here recurses.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from selectolax.lexbor import LexborDocumentOptions, LexborHTMLParser, SelectolaxError

from config.errors import ExtractError
from crawler.extract.signs import read_signs

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

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
    (
        *("script", "style", "noscript", "template", "svg", "math", "canvas", "object", "select", "option"),
        *("textarea", "head", "frameset", "rp", "rt", "rtc", "-undef", "-comment"),
    )
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
_WIDE = re.compile("[\u2e80-\u9fff\uac00-\ud7a3\uf900-\ufaff\uff00-\uffef\U00020000-\U0003ffff]")
_CHECKED_NODES = 1_024
_SCANNED = 40
"""To look through so many elements is quicker than to ask the index."""
_LIMITS = (
    (MAX_NODES, "elements, texts and comments"),
    (MAX_ELEMENTS, "elements"),
    (MAX_ATTRIBUTES, "attributes"),
    (MAX_SIGN_CHARS, "characters of class names and ids"),
    (MAX_LEVELS, "levels that its elements lie deep, in all"),
    (MAX_TEXT_LEVELS, "levels that its characters lie deep, in all"),
)
_PARTED = BLOCK_TAGS | {"br"}
HEADING_TAGS = frozenset({"h1", "h2", "h3", "h4", "h5", "h6"})


class Element:
    """An element of the page. Compared by identity."""

    __slots__ = (
        "_end_piece",
        "_first_piece",
        "attributes",
        "chars",
        "children",
        "dropped",
        "end",
        "link_chars",
        "linked",
        "order",
        "own_chars",
        "parent",
        "signs",
        "tag",
        "tree",
    )

    def __init__(  # noqa: PLR0917 - made a thousand times a page: keywords would cost as much as all the rest
        self,
        tag: str,
        attributes: dict[str, str | None],
        signs: int,
        parent: Element | None,
        tree: Tree,
        order: int,
        linked: bool,  # noqa: FBT001
        piece: int,
    ) -> None:
        self.tag = tag
        self.attributes = attributes
        """An attribute without a value has `None`."""
        self.parent = parent
        self.order = order
        """Place in document order."""
        self.tree = tree
        self.end = order + 1
        """Place of the first element after this one that is not below it."""
        self.children: Sequence[Element | str] = ()
        self.chars = 0
        """Characters of text in it as `measure` counts them, white space at the ends of each piece not counted."""
        self.own_chars = 0
        """Those that stand in it directly, in no inner element."""
        self.link_chars = 0
        """Those inside links."""
        self.dropped: str | None = None
        """Why it is no part of the article, where somebody decided so."""
        self.signs = signs
        """What class names and id say, as bits of `crawler.extract.signs`."""
        self.linked = linked
        """Whether it is a link, or lies in one."""
        self._first_piece = self._end_piece = piece

    def __repr__(self) -> str:
        return f"<{self.tag} {self.order} {self.attributes}>"

    def get(self, name: str) -> str:
        """Return attribute *name*, empty if it is not there."""
        return self.attributes.get(name) or ""

    @property
    def is_dropped(self) -> bool:
        """Whether this element, or one around it, is no part of the article."""
        return bool(self.dropped) or any(element.dropped for element in self.ancestors())

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
            return iter(self.tree.elements[self.order : self.end])
        return self._walk_kept()

    def _walk_kept(self) -> Iterator[Element]:
        at, end, elements = self.order, self.end, self.tree.elements
        while at < end:
            element = elements[at]
            if element.dropped:
                at = element.end
                continue
            yield element
            at = element.end if element.dropped else at + 1  # who walks may drop it

    def ancestors(self) -> Iterator[Element]:
        """Yield the elements around this one, the nearest first."""
        element = self.parent
        while element is not None:
            yield element
            element = element.parent

    def signed(self, signs: int) -> list[Element]:
        """Return this element and those below it whose class names or id say any of *signs*, in document order."""
        order, end = self.order, self.end
        return [element for element in self.tree.signed if element.signs & signs and order <= element.order < end]

    def below(self, *tags: str) -> list[Element]:
        """Return the elements below this one that have one of *tags*, in document order."""
        if self.end - self.order <= _SCANNED:
            return [element for element in self.tree.elements[self.order + 1 : self.end] if element.tag in tags]
        found = [element for tag in tags for element in self.tree.between(tag, self.order + 1, self.end)]
        return found if len(tags) == 1 else sorted(found, key=_order_of)

    def find(self, *tags: str) -> Element | None:
        """Return the first element below this one that has one of *tags*."""
        if self.end - self.order <= _SCANNED:
            below = self.tree.elements[self.order + 1 : self.end]
            return next((element for element in below if element.tag in tags), None)
        first = [found[0] for tag in tags if (found := self.tree.between(tag, self.order + 1, self.end, limit=1))]
        return min(first, key=_order_of, default=None)

    def text(self) -> str:
        """Return all text in it in one line, blocks parted by a space."""
        return " ".join("".join(self.tree.pieces[self._first_piece : self._end_piece]).split())

    def text_before(self, inner: Element) -> str:
        """Return what stands in this element before *inner*, one below it, in one line."""
        return " ".join("".join(self.tree.pieces[self._first_piece : inner._first_piece]).split())


def _order_of(element: Element) -> int:
    return element.order


class Tree:
    """All elements and texts of a page, in document order."""

    __slots__ = ("described", "elements", "pieces", "signed", "tags")

    def __init__(self) -> None:
        self.elements: list[Element] = []
        self.pieces: list[str] = []
        """The texts, with a space wherever a block begins or ends, or a line."""
        self.described: list[Element] = []
        """Elements with `itemprop`, `itemtype` or `rel`."""
        self.signed: list[Element] = []
        """Elements whose class names or id say anything."""
        self.tags: defaultdict[str, list[int]] = defaultdict(list)
        """Tag → the places of its elements."""

    def between(self, tag: str, start: int, end: int, *, limit: int | None = None) -> list[Element]:
        """Return the first *limit* elements with that tag and a place from *start* to before *end*."""
        places = self.tags.get(tag)
        if places is None:
            return []
        first = bisect_left(places, start)
        last = bisect_left(places, end, first)
        if limit is not None:
            last = min(last, first + limit)
        return [self.elements[place] for place in places[first:last]]


@dataclass(slots=True)
class Page:
    """A parsed page."""

    root: Element
    body: Element
    parser: LexborHTMLParser
    nodes: dict[int, Element]
    """Lexbor's number of a node → our element: how CSS rules find their way."""

    def release(self) -> None:
        """Take the tree apart: what refers to each other waits for the garbage collector otherwise."""
        elements = self.root.tree.elements
        for element in elements:
            element.children = ()
        tree = self.root.tree
        for part in (elements, tree.pieces, tree.tags, tree.described, tree.signed, self.nodes):
            part.clear()

    @property
    def size(self) -> int:
        """The number of its elements."""
        return len(self.root.tree.elements)


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


def measure(text: str) -> int:
    """Return the length of *text*: wide characters (Han, kana, Hangul) count two: each says more than a letter."""
    return len(text) if text.isascii() else len(text) + len(_WIDE.findall(text))


def _copy(top: LexborNode) -> tuple[Element, dict[int, Element]]:  # noqa: C901, PLR0912, PLR0915
    """Copy the tree below *top*. One walk, one function: every line here runs a thousand times a page or more."""
    tree = Tree()
    made, pieces, tags, described, signed = tree.elements, tree.pieces, tree.tags, tree.described, tree.signed
    root = Element(top.tag or "html", top.attributes, 0, None, tree, 0, linked=False, piece=0)
    nodes = {top.mem_id: root}
    made.append(root)
    order = depth = 1
    seen = stated = sign_chars = levels = text_levels = 0
    children: list[Element | str] = []
    root.children = children
    parent, linked = root, False
    # what is still to be visited: the nodes after an element, what they go into, and the element that ends before them
    stack: list[tuple[LexborNode | None, Element, list[Element | str], int, Element | None]]
    stack = [(None, root, children, 1, None)]
    node = top.first_child
    while True:
        while node is not None:
            following = node.next
            seen += 1
            if not seen % _CHECKED_NODES:
                _check((seen, order, stated, sign_chars, levels, text_levels))
            if node.is_text_node:
                text = node.text_content or ""
                children.append(text)
                pieces.append(text)
                if stripped := text.strip():
                    parent.own_chars += len(stripped) if stripped.isascii() else measure(stripped)
                    text_levels += len(text) * depth
            elif node.is_element_node and (tag := node.tag or "") not in SKIPPED_TAGS:
                if tag in _PARTED:
                    pieces.append(" ")
                attributes = node.attributes
                signs = 0
                if attributes:
                    stated += len(attributes)
                    names = attributes.get("class")
                    if identifier := attributes.get("id"):
                        names = f"{names} {identifier}" if names else identifier
                    if names:
                        sign_chars += len(names)
                        signs = read_signs(names) if sign_chars <= MAX_SIGN_CHARS else 0
                inner = linked or (tag == "a" and "href" in attributes)
                element = Element(tag, attributes, signs, parent, tree, order, inner, len(pieces))
                children.append(element)
                nodes[node.mem_id] = element
                if signs:
                    signed.append(element)
                if "itemprop" in attributes or "rel" in attributes or "itemtype" in attributes:
                    described.append(element)
                tags[tag].append(order)
                made.append(element)
                order += 1
                levels += depth
                child = node.first_child
                if child is not None:
                    if depth < MAX_DEPTH:
                        stack.append((following, parent, children, depth, element))
                        parent, linked, depth = element, inner, depth + 1
                        element.children = children = []
                    else:
                        stack.append((following, parent, children, depth, None))
                    following = child
            node = following
        node, parent, children, depth, ended = stack.pop()
        linked = parent.linked
        if ended is not None:
            ended._end_piece = len(pieces)  # noqa: SLF001 - the tree is made here
            if ended.tag in BLOCK_TAGS:
                pieces.append(" ")
        elif not stack:
            break
    root._end_piece = len(pieces)  # noqa: SLF001
    _check((seen, order, stated, sign_chars, levels, text_levels))
    _add_up(made)
    return root, nodes


def _add_up(elements: list[Element]) -> None:
    """Note where each element ends, and add what it holds to the one around it; inner ones come first."""
    for element in reversed(elements):
        chars = element.chars + element.own_chars
        if chars:
            element.chars = chars
            if element.linked:
                element.link_chars = chars
        parent = element.parent
        if parent is not None:
            parent.end = max(parent.end, element.end)
            if chars:
                parent.chars += chars
                parent.link_chars += element.link_chars


def _check(counts: tuple[int, int, int, int, int, int]) -> None:
    """Raise ExtractError if there is too much of anything."""
    for number, (limit, what) in zip(counts, _LIMITS, strict=True):
        if number > limit:
            raise ExtractError(f"page: more than {limit} {what}")

"""HTML → the tree, by one Lexbor parse and one walk. Measures text and links on the way.

Scripts, styles and controls are not in the tree. Bounded in depth and in number of elements; nothing here recurses.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from selectolax.lexbor import LexborDocumentOptions, LexborHTMLParser, SelectolaxError

from config.errors import ExtractError
from crawler.extract.page.signs import read_signs
from crawler.extract.page.tree import BLOCK_TAGS, Element, Tree, measure

if TYPE_CHECKING:
    from selectolax.lexbor import LexborNode

MAX_ELEMENTS: Final = 51_000
"""Each costs some 15 µs until the page is read. Most of 1,500 real pages: 10,112."""
MAX_GUESSED_ELEMENTS: Final = 25_000
"""A page of more is not handed to the libraries that are asked where we found little: they take as long again."""
MAX_NODES: Final = 250_000
"""Elements, texts and comments. Most of 1,500 real pages: 28,000."""
MAX_ATTRIBUTES: Final = 100_000
"""Most of 1,500 real pages: 9,222."""
MAX_SIGN_CHARS: Final = 2_000_000
"""Characters of class names and ids. Most of 1,500 real pages: 149,000."""
MAX_LEVELS: Final = 3_000_000
"""Sum of the depths of all elements: what it costs to look into each. Most of 1,500 real pages: 148,000."""
MAX_TEXT_LEVELS: Final = 200_000_000
"""The same of characters of text, white space counted. Most of 1,500 real pages: 7,700,000."""
MAX_DEPTH: Final = 400
"""What lies deeper hangs at this depth: no page that a person wrote comes near it."""

SKIPPED_TAGS: Final = frozenset(
    (
        *("script", "style", "noscript", "template", "svg", "math", "canvas", "object", "select", "option"),
        *("textarea", "head", "frameset", "rp", "rt", "rtc", "", "-undef", "-comment", "-doctype"),
    )
)
"""Never text of an article, and not in the tree."""
_TEXT: Final = "-text"
_OWN_TAGS: Final = 1_000
"""Lexbor's numbers of tags from here on mean another tag in each document; HTML's own have some 200."""
_TAGS: Final = [""] * _OWN_TAGS
"""The names of HTML's own tags by Lexbor's numbers, once they were asked for: to ask anew takes longer."""
_CHECKED_NODES: Final = 1_024
_LIMITS: Final = (
    (MAX_NODES, "elements, texts and comments"),
    (MAX_ELEMENTS, "elements"),
    (MAX_ATTRIBUTES, "attributes"),
    (MAX_SIGN_CHARS, "characters of class names and ids"),
    (MAX_LEVELS, "levels that its elements lie deep, in all"),
    (MAX_TEXT_LEVELS, "levels that its characters lie deep, in all"),
)
_PARTED: Final = BLOCK_TAGS | {"br"}


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


def parse_page(html: str, *, utf8: bytes | None = None, numbered: bool = True) -> Page:
    """Parse *html*; *utf8*: the same in UTF-8, if it is there; *numbered*: CSS rules are to find their way in it.

    Raises ExtractError if it has no elements or more of anything than the limits above.
    """
    try:
        # without events: they mirror the options of a select, at a cost that grows with their number squared
        source = html.replace("\0", "") if utf8 is None else utf8.replace(b"\0", b"")
        parser = LexborHTMLParser(source, options=LexborDocumentOptions.WO_EVENTS)
        top = parser.root
    except (SelectolaxError, ValueError, RuntimeError) as error:
        raise ExtractError(f"page: cannot be parsed: {error}") from error
    if top is None:
        raise ExtractError("page: found no element in it")
    root, nodes = _copy(top, numbered=numbered)
    body = next((element for element in root.elements if element.tag == "body"), root)
    return Page(root, body, parser, nodes)


def _copy(top: LexborNode, *, numbered: bool) -> tuple[Element, dict[int, Element]]:  # noqa: C901, PLR0912, PLR0915
    """Copy the tree below *top*. One walk, one function: every line here runs a thousand times a page or more."""
    tree = Tree()
    made, pieces, tags, described, signed = tree.elements, tree.pieces, tree.tags, tree.described, tree.signed
    root = Element(top.tag or "html", top.attributes, 0, None, tree, 0, linked=False, piece=0)
    nodes = {top.mem_id: root}
    made.append(root)
    order = depth = 1
    seen = stated = sign_chars = levels = text_levels = 0
    checked = _CHECKED_NODES
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
            number = node.tag_id
            tag = (_TAGS[number] if number < _OWN_TAGS else "") or _read_tag(node)
            if tag == _TEXT:
                text = node.text_content or ""
                children.append(text)
                pieces.append(text)
                text_levels += len(text) * depth
                if stripped := text.strip():
                    parent.own_chars += len(stripped) if stripped.isascii() else measure(stripped)
                node = following
                continue
            if seen >= checked:  # of two texts in a row there are none
                _check((seen, order, stated, sign_chars, levels, text_levels))
                checked = seen + _CHECKED_NODES
            if tag not in SKIPPED_TAGS:
                if tag in _PARTED:
                    pieces.append(" ")
                attributes = node.attributes
                signs, is_described = 0, False
                if attributes:
                    stated += len(attributes)
                    if names := attributes.get("class"):
                        sign_chars += len(names)
                        signs = read_signs(names) if sign_chars <= MAX_SIGN_CHARS else 0
                    if names := attributes.get("id"):
                        sign_chars += len(names)
                        signs |= read_signs(names) if sign_chars <= MAX_SIGN_CHARS else 0
                    is_described = "itemprop" in attributes or "rel" in attributes or "itemtype" in attributes
                inner = linked or (tag == "a" and "href" in attributes)
                element = Element(tag, attributes, signs, parent, tree, order, inner, len(pieces))
                children.append(element)
                if numbered:
                    nodes[node.mem_id] = element
                if signs:
                    signed.append(element)
                if is_described:
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
            _end(ended, order, len(pieces))
            if ended.tag in BLOCK_TAGS:
                pieces.append(" ")
        elif not stack:
            break
    _end(root, order, len(pieces))
    _check((seen, order, stated, sign_chars, levels, text_levels))
    return root, nodes


def _read_tag(node: LexborNode) -> str:
    """Return the name of the tag of *node*, and remember it if it is one that HTML knows."""
    tag = node.tag or ""
    if tag and node.tag_id < _OWN_TAGS:
        _TAGS[node.tag_id] = tag
    return tag


def _end(element: Element, end: int, piece: int) -> None:
    """Note where *element* ends, and add what it holds to the one around it."""
    element.end = end
    element._end_piece = piece  # noqa: SLF001 - the tree is made here
    chars = element.chars + element.own_chars
    if chars:
        element.chars = chars
        if element.linked:
            element.link_chars = chars
        parent = element.parent
        if parent is not None:
            parent.chars += chars
            parent.link_chars += element.link_chars


def _check(counts: tuple[int, int, int, int, int, int]) -> None:
    """Raise ExtractError if there is too much of anything."""
    for number, (limit, what) in zip(counts, _LIMITS, strict=True):
        if number > limit:
            raise ExtractError(f"page: more than {limit} {what}")

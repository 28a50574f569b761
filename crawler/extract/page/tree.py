"""A page as a light tree of our own: elements with their texts measured, in document order. Nothing here recurses."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import defaultdict
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

BLOCK_TAGS: Final = frozenset(
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
HEADING_TAGS: Final = frozenset({"h1", "h2", "h3", "h4", "h5", "h6"})
_WIDE: Final = re.compile("[\u2e80-\u9fff\uac00-\ud7a3\uf900-\ufaff\uff00-\uffef\U00020000-\U0003ffff]")
_SCANNED: Final = 40
"""To look through so many elements is quicker than to ask the index."""


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
        """What class names and id say, as bits of `crawler.extract.page.signs`."""
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


def measure(text: str) -> int:
    """Return the length of *text*: wide characters (Han, kana, Hangul) count two: each says more than a letter."""
    return len(text) if text.isascii() else len(text) + len(_WIDE.findall(text))

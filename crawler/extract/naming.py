"""An element → a short CSS selector that names it and its like, and that will do so again tomorrow.

Built of names that people gave; what build tools and editors number or hash is left out.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

from crawler.extract.page.rules import select
from crawler.extract.page.signs import read_signs

if TYPE_CHECKING:
    from collections.abc import Iterator

    from crawler.extract.page.parsing import Page
    from crawler.extract.page.tree import Element

_NAME = re.compile(r"-?[A-Za-z_][A-Za-z0-9_-]*")
_TAG = re.compile(r"[a-z][a-z0-9-]*")
_VALUE = re.compile(r"[A-Za-z][A-Za-z0-9_. -]*")
_NUMBERED = re.compile(r"\d{3}|\d$|(?:^|[_-])(?=[A-Za-z]*\d)(?=\d*[A-Za-z])[A-Za-z0-9]{5,}$")
"""What may be the number of one page's element; who has seen many pages need not care."""
_MADE_UP = re.compile(
    r"^(?:css|sc|jsx|jss|emotion|svelte|mui|astro|chakra)-(?:[A-Za-z0-9]*$|[A-Za-z]*[0-9A-Z])"
    r"|[b-df-hj-np-tv-xz]{6}|^[a-z]{1,3}[A-Z][a-z]?[A-Z]|[a-z][A-Z]{2}|(?:^|[-_])[a-z]+[0-9]+[a-z]",
    re.ASCII,
)
"""What style sheets that are built call an element: another word after each build."""
_ATTRIBUTES = ("itemprop", "role", "data-testid", "data-component", "data-type", "data-name", "aria-label")
_MAX_CHARS = 60
"""Of one name."""
_MAX_CLASSES = 40
_MAX_COUNTED = 5_000_000
"""Elements that are looked at in all to count what selectors name; a page of 10,000 has room for 500 selectors."""


class Namer:
    """Names the elements of one page."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self._classes = Counter(name for element in page.body.walk() for name in _classes_of(element))
        self._matches: dict[str, int | None] = {}
        self._anchors: dict[int, str | None] = {}
        """Place of an element → what names it alone, if anything does."""
        self._room = _MAX_COUNTED

    def name(self, element: Element, words: list[str] | None = None) -> str:
        """Return a selector for *element*; of its classes rather one that holds one of *words*."""
        own = self._name_alone(element, words or [])
        if own is not None:
            return own
        for around in element.ancestors():
            if around.tag in {"body", "html"}:
                break
            anchor = self._name_anchor(around)
            if anchor is not None:
                return f"{anchor} {_tag_of(element)}"
        return _tag_of(element)

    def count(self, selector: str) -> int | None:
        """Return how many elements *selector* names; `None` once there were too many to count."""
        if selector not in self._matches:
            self._room -= self._page.size
            self._matches[selector] = len(select(self._page, selector)) if self._room >= 0 else None
        return self._matches[selector]

    def _name_anchor(self, element: Element) -> str | None:
        if element.order not in self._anchors:
            self._anchors[element.order] = self._name_alone(element, [])
        return self._anchors[element.order]

    def _name_alone(self, element: Element, words: list[str]) -> str | None:
        tag = _tag_of(element)
        identifier = element.get("id")
        if _is_stable(identifier):
            return f"{tag}#{identifier}"
        names = [name for name in _classes_of(element) if _is_stable(name)]
        if names:
            return f"{tag}.{min(names, key=lambda name: self._rank(name, words))}"
        for name in _ATTRIBUTES:
            value = element.get(name)
            if len(value) <= _MAX_CHARS and _VALUE.fullmatch(value) and not _NUMBERED.search(value):
                return f'{tag}[{name}="{value}"]'
        return None

    def _rank(self, name: str, words: list[str]) -> tuple[bool, bool, int]:
        """The word that counted comes first, then what means something, then what is rare on the page."""
        plain = name.lower().replace("_", "-")
        return not any(word in plain for word in words), not read_signs(name), self._classes[name]


def is_made_up(name: str) -> bool:
    """Whether *name*, a class or an id, looks like one that a build made, so that the next build makes another."""
    return _MADE_UP.search(name) is not None


def _classes_of(element: Element) -> Iterator[str]:
    names = element.attributes.get("class")
    return iter(names.split(maxsplit=_MAX_CLASSES)[:_MAX_CLASSES]) if names else iter(())


def _is_stable(name: str) -> bool:
    return bool(
        name
        and len(name) <= _MAX_CHARS
        and _NAME.fullmatch(name)
        and not _NUMBERED.search(name)
        and not is_made_up(name)
    )


def _tag_of(element: Element) -> str:
    return element.tag if _TAG.fullmatch(element.tag) else "*"

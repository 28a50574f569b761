"""The words that elements begin with → who looks for a label at the beginning of a line finds it in one pass."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Container

    from crawler.extract.page.tree import Element

_LEAST_CHARS: Final = 4
_KEPT_CHARS: Final = 80
_MARKS: Final = " \n\r\t\f\xa0*[(【■▼●†‡"
Opening = tuple["Element", str]


def list_openings(body: Element, starts: Container[str]) -> list[Opening]:
    """Return the elements, no links, whose own text begins with one of *starts*, in document order.

    Each with the first characters of that text, brackets and bullets left out. *starts*: two lower-case letters each.
    """
    openings: list[Opening] = []
    for element in [one for one in body.walk() if one.own_chars >= _LEAST_CHARS and not one.linked]:
        for item in element.children:
            if item.__class__ is str and (text := item.lstrip(_MARKS)):
                if text[:2].lower() in starts:
                    openings.append((element, text[:_KEPT_CHARS]))
                break
    return openings

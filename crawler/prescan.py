"""A quick look at a page's bytes before a C parser sees it: refuses nesting and attributes that make parsers crawl.

It reads tags, not HTML: it may pass a page that was built to fool it (the worker's deadline stops that one), and must
not refuse a page that a person wrote.
"""

from __future__ import annotations

import re

MAX_TAGS = 1_000_000
MAX_DEPTH = 3_000
"""Elements open at once. Lexbor's time grows with the square: 5,000 cost 0.06 s, 100,000 cost 20 s."""
MAX_FORMATTING = 500
"""Formatting elements open at once: each paragraph opens them all anew. 1,000 cost 0.7 s, 5,000 cost 27 s."""
MAX_ATTRIBUTES = 5_000
"""Of one element: each is compared with all before it."""

_FORMATTING = frozenset(b"b big code em font i s small strike strong tt u".split())
_UNCOUNTED = frozenset(
    # void elements, and those whose end tag people leave out: the parser closes them itself
    b"area base br col embed frame hr img input keygen link meta param source track wbr"
    b" p li dt dd option optgroup tr td th tbody thead tfoot colgroup caption rt rp rb rtc html head body".split()
)
_TAG = re.compile(
    rb"<!--(?:-?>|.*?(?:--!?>|\Z))"
    rb"|<(script|style|textarea|title|xmp)\b.*?(?:</\1|\Z)"
    rb"|<(/?)([a-z][^\s/>]{0,31})",
    re.DOTALL | re.IGNORECASE,
)
_LONG_TAG = re.compile(rb"<[a-z][^<>]{%d,}" % (2 * MAX_ATTRIBUTES), re.IGNORECASE)
_ATTRIBUTE = re.compile(rb"[\s/\"'][^\s/=\"'>]")


def prescan(page: bytes) -> str | None:
    """Return why *page* (inflated, in an encoding that keeps ASCII) must not be parsed, or `None` if it may be."""
    for tag in _LONG_TAG.finditer(page):
        if sum(1 for _ in _ATTRIBUTE.finditer(page, tag.start(), tag.end())) > MAX_ATTRIBUTES:
            return f"page: an element with more than {MAX_ATTRIBUTES} attributes at byte {tag.start()}"
    if page.count(b"<") <= MAX_FORMATTING:
        return None
    return _measure_depth(page)


def _measure_depth(page: bytes) -> str | None:
    opened: dict[bytes, int] = {}
    depth = formatting = 0
    for number, tag in enumerate(_TAG.finditer(page)):
        if number >= MAX_TAGS:
            return f"page: more than {MAX_TAGS} tags"
        closing, name = tag.group(2, 3)
        if name is None:
            continue
        name = name.lower()
        if name in _UNCOUNTED:
            continue
        count = opened.get(name, 0)
        step = -1 if closing else 1
        if count + step < 0:
            continue
        opened[name] = count + step
        depth += step
        if name in _FORMATTING:
            formatting += step
            if formatting > MAX_FORMATTING:
                return f"page: more than {MAX_FORMATTING} formatting elements open at byte {tag.start()}"
        if depth > MAX_DEPTH:
            return f"page: more than {MAX_DEPTH} elements open at byte {tag.start()}"
    return None

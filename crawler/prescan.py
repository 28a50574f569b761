"""A quick look at a page before a C parser sees it: refuses what makes parsers crawl, and says what was found.

Follows the nesting as a parser would, by the rules of the HTML standard that decide about depth, but builds nothing. It
may pass a page that was built to fool it (the worker's deadline stops that one), and must not refuse a page that a
person wrote: each limit is far above what is found on real pages.
"""

from __future__ import annotations

import re
from itertools import islice
from typing import Final

from crawler.nesting import Nesting

MAX_PAGE_BYTES: Final = 10_000_000
"""Largest of 1,500 real pages: 1.7 MB."""
MAX_TAGS: Final = 200_000
"""Largest of 1,500 real pages: 19,558."""
MAX_DEPTH: Final = 500
"""Elements open at once. Deepest of 1,500 real pages: 48. Lexbor's time grows with the square, ours with the sum."""
MAX_FORMATTING: Final = 400
"""Formatting elements open at once: each paragraph opens them all anew."""
MAX_REOPENED: Final = 100_000
"""Formatting elements that are opened anew, in all."""
MAX_ATTRIBUTES: Final = 1_000
"""Of one element: each is compared with all before it. Most on 1,500 real pages: 73."""
MAX_COPIED: Final = 50_000_000
"""Bytes that a parser copies while it gathers text that stands where a table allows none."""
MAX_STEPS: Final = 3_000_000
"""Open elements that are looked at to find out what an end tag ends: pages of plain mistakes take far fewer."""

_MARKUP: Final = re.compile(
    rb"<!--(?:-?>|.*?(?:--!?>|\Z))"
    rb"|<(?:(/?)([a-z][^\s/>]*+)((?:[^>=]++|=\s*+(?:\"[^\"]*+\"?|'[^']*+'?|[^\s>\"'][^\s>]*+)?)*+)>?|([!?/])[^>]*+>?)",
    re.DOTALL | re.IGNORECASE,
)
_START_TAG: Final = re.compile(rb"<[a-z](?:[^>=]++|=\s*+(?:\"[^\"]*+\"?|'[^']*+'?)?+)*+", re.IGNORECASE)
_FEW_TAGS: Final = 2_000
"""Start tags that no parser crawls on, however they are nested."""
_ROOTS: Final = frozenset({b"html", b"body"})
_TABLE: Final = b"tabl"
_NOTED: Final = re.compile(rb"<(?:[hH][tT][mM][lL]|[bB][oO][dD][yY]|[tT][aA][bB][lL])")
"""However they are written; to ignore case would cost five times as much."""
_LONG_TAG: Final = 2 * MAX_ATTRIBUTES
"""Bytes: a shorter one cannot have so many attributes."""
_MISPLACING: Final = frozenset({b"table", b"tr"})
_RAW: Final = {
    name: re.compile(rb"</%s[\s/>]" % name, re.IGNORECASE)  # `</` first: a search leaps from one to the next
    for name in b"script style textarea title xmp iframe noembed noframes".split()
}
_TEXTS: Final = frozenset({b"plaintext", *_RAW})
"""Elements that hold no markup."""
_SCRIPT: Final = re.compile(rb"<!--|-->|<(/?)script[\s/>]", re.IGNORECASE)
_VALUE: Final = re.compile(rb"=\s*+(?:\"[^\"]*+\"?|'[^']*+'?|[^\s>\"'][^\s>]*+)?")
_ATTRIBUTE: Final = re.compile(rb"[^\s/]+")
_CDATA: Final = b"<![CDATA["


def prescan(page: bytes) -> str | None:
    """Return why *page* (inflated, in an encoding that keeps ASCII) must not be parsed, or `None` if it may be."""
    if len(page) > MAX_PAGE_BYTES:
        return f"page: {len(page)} bytes, at most {MAX_PAGE_BYTES} are read"
    return None if _is_small(page) else _Scan(page).find_fault()


def _is_small(page: bytes) -> bool:
    """Whether *page* has so few tags, and such short ones, that no nesting matters: most pages are spared the scan."""
    signs = page.count(b"<")
    if signs > _FEW_TAGS and signs - page.count(b"</") > _FEW_TAGS:
        return False
    noted = [found.start() for found in _NOTED.finditer(page)]
    names = [page[at + 1 : at + 5].lower() for at in noted]
    if _TABLE in names and page.count(b"<!") * len(page) > MAX_COPIED:
        return False
    roots = [_read_tag(page, at) for at, name in zip(noted, names, strict=True) if name in _ROOTS]
    if sum(map(_count_attributes, roots)) > MAX_ATTRIBUTES:
        return False
    return not any(_has_many_attributes(_read_tag(page, at)) for at in _list_long(page))


def _list_long(page: bytes) -> list[int]:
    """Return the places of the signs that begin tags and have no other in the next bytes: only these may be long."""
    found = []
    at = page.find(b"<")
    while at >= 0:  # from each to the last one that a short tag may reach: most are leapt over
        following = page.rfind(b"<", at + 1, at + _LONG_TAG + 2)
        if following < 0:
            found.append(at)
            following = page.find(b"<", at + 1)
        at = following
    return found


def _read_tag(page: bytes, at: int) -> bytes:
    """Return the start tag at *at* as far as the next sign that may begin one; nothing if there is none."""
    end = page.find(b"<", at + 1)
    found = _START_TAG.match(page, at, end if end >= 0 else len(page))
    return found[0] if found else b""


class _Scan:
    """One pass over a page's tags."""

    def __init__(self, page: bytes) -> None:
        self._page = page
        self._nesting = Nesting()
        self._roots = 0
        """Attributes of all `<html>` and `<body>` tags: a parser gathers them on one element each."""
        self._misplaced = self._copied = 0

    def find_fault(self) -> str | None:
        page, nesting = self._page, self._nesting
        at = tags = 0
        while (found := _MARKUP.search(page, at)) is not None:
            closing, name, rest = found.group(1, 2, 3)
            if name is None:
                at = self._read_other(found, at)
                if self._copied > MAX_COPIED:
                    return f"page: more than {MAX_COPIED} bytes to copy of text between comments in a table"
                continue
            at = found.end()
            tags += 1
            if tags > MAX_TAGS:
                return f"page: more than {MAX_TAGS} tags"
            name = name.lower()
            if closing:
                nesting.close(name)
                continue
            fault = None
            if len(rest) > _LONG_TAG or name in _ROOTS:
                fault = self._check_attributes(name, rest)
            if name in _TEXTS and not nesting.is_foreign():
                at = self._skip_text(name, at)
            else:
                nesting.open(name, empty=rest.endswith(b"/"))
                fault = fault or self._measure()
            if fault is not None:
                return f"page: {fault} at byte {found.start()}"
        return None

    def _read_other(self, found: re.Match[bytes], at: int) -> int:
        """Read a comment or the like, after text that began at *at*; return where it ends."""
        page, nesting = self._page, self._nesting
        if found[4] == b"!" and page.startswith(_CDATA, found.start()) and nesting.is_foreign():
            return _after(page, b"]]>", found.start())
        if nesting.stack and nesting.stack[-1] in _MISPLACING and not page[at : found.start()].isspace():
            # a parser adds each such text to the one before the table, and copies that one each time
            self._misplaced += found.start() - at
            self._copied += self._misplaced
        return found.end()

    def _measure(self) -> str | None:
        nesting = self._nesting
        if len(nesting.stack) > MAX_DEPTH:
            return f"more than {MAX_DEPTH} elements open"
        if nesting.formatting > MAX_FORMATTING:
            return f"more than {MAX_FORMATTING} formatting elements open"
        if nesting.reopened > MAX_REOPENED:
            return f"more than {MAX_REOPENED} formatting elements opened anew, since they were never closed,"
        if nesting.steps > MAX_STEPS:
            return f"more than {MAX_STEPS} open elements to look through for those that end tags end"
        return None

    def _check_attributes(self, name: bytes, rest: bytes) -> str | None:
        count = _count_attributes(rest)
        if name in _ROOTS:
            self._roots += count
            count = self._roots
        return f"an element with more than {MAX_ATTRIBUTES} attributes" if count > MAX_ATTRIBUTES else None

    def _skip_text(self, name: bytes, at: int) -> int:
        """Return where the text of an element that holds no markup ends."""
        if name == b"plaintext":
            return len(self._page)
        found = _RAW[name].search(self._page, at)
        end = found.end() if found else len(self._page)
        if name != b"script" or self._page.find(b"<!--", at, end) < 0:
            return end
        escaped = doubly = False
        for mark in _SCRIPT.finditer(self._page, at):
            if mark[0] == b"<!--":
                escaped = True
            elif mark[0] == b"-->":
                escaped = doubly = False
            elif mark[1] and not doubly:
                return mark.end()
            else:
                doubly = escaped and not mark[1]
        return len(self._page)


def _has_many_attributes(tag: bytes) -> bool:
    if len(tag) <= _LONG_TAG or len(tag.split()) + tag.count(b'"') + tag.count(b"'") + tag.count(b"/") < MAX_ATTRIBUTES:
        return False
    return _count_attributes(tag) > MAX_ATTRIBUTES


def _count_attributes(tag: bytes) -> int:
    """Return how many attributes *tag* has, as far as they matter: each value is of one."""
    names = _ATTRIBUTE.finditer(_VALUE.sub(b"= ", tag, count=MAX_ATTRIBUTES + 1))
    return sum(1 for _ in islice(names, MAX_ATTRIBUTES + 1))


def _after(page: bytes, mark: bytes, start: int) -> int:
    end = page.find(mark, start)
    return end + len(mark) if end >= 0 else len(page)

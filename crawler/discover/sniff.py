"""What kind of document these bytes are, by their beginning: publishers' media types are not to be relied on."""

from __future__ import annotations

import re

SNIFFED_BYTES = 16_384

_PROLOGUE = re.compile(
    r"\s+|<\?[^>]*>|<!--.*?-->|<!(?!doctype html)[A-Za-z][^>\[]*(?:\[[^\]]*\]\s*)?>", re.DOTALL | re.IGNORECASE
)
_ROOT = re.compile(r"<(?:!doctype\s+)?(?:[A-Za-z_][\w.-]*:)?([A-Za-z_][\w.-]*)", re.IGNORECASE)
_HTML = frozenset({"html", "head", "body"})
_FRAGMENTS = frozenset({"meta", "script", "style", "title", "div", "p", "a", "h1", "center", "b", "br"})
_XML_BEGINS = b"<?xml "


def name_root(text: bytes) -> str:
    """Return the name of the root element in lower case, `{` or `[` for JSON, or an empty string. *text*: UTF-8."""
    start = text[:SNIFFED_BYTES].decode("utf-8", "replace")
    position = 0
    while match := _PROLOGUE.match(start, position):
        position = match.end()
    if start.startswith(("{", "["), position):
        return start[position]
    root = _ROOT.match(start, position)
    return root[1].lower() if root else ""


def is_html(root: str) -> bool:
    """Tell whether a document with that root element is a web page, or a piece of one."""
    return root in _HTML or root in _FRAGMENTS


def cut_preamble(text: bytes, root: str) -> bytes:
    """Return *text* without what a broken server wrote before the XML declaration, such as its own warnings."""
    if root in _HTML:
        return text
    begin = text.find(_XML_BEGINS, 0, SNIFFED_BYTES)
    end = text.find(b"?>", begin, begin + 500) if begin > 0 else -1
    return text[end + 2 :].lstrip() if end > 0 else text

"""A page to be looked at and nothing else: no script runs in it, nothing of it loads anything or leads anywhere."""

from __future__ import annotations

from selectolax.lexbor import LexborDocumentOptions, LexborHTMLParser

MAX_STILL_CHARS = 4_000_000
_LOADING = "script, link, meta, base, iframe, frame, frameset, object, embed, applet, portal, template, noscript"
_HARMLESS = frozenset(
    {"alt", "class", "colspan", "dir", "hidden", "id", "itemprop", "lang", "open", "role", "rowspan", "style", "title"}
)
"""Attributes that stay: what looks and names are made of."""


def still_page(html: str) -> str:
    """Return *html* without what runs, loads or leads elsewhere; `url()` in its styles is left for a policy to stop.

    A page that is longer than 4,000,000 characters is cut.
    """
    tree = LexborHTMLParser(html, options=LexborDocumentOptions.WO_EVENTS)
    for node in tree.css(_LOADING):
        node.decompose()
    for node in tree.css("*"):
        for name in list(node.attributes):
            if name not in _HARMLESS:
                del node.attrs[name]
    return (tree.html or "")[:MAX_STILL_CHARS]

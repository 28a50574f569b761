"""What a page takes to be shown → addresses: style sheets, pictures, scripts, fonts. Nothing is fetched here.

Films, sounds and frames are left out. Bounded in what is looked at; hostile pages name millions.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from selectolax.lexbor import LexborDocumentOptions, LexborHTMLParser

from crawler.discover.styles import find_style_urls
from crawler.urls import resolve_link

if TYPE_CHECKING:
    from collections.abc import Iterator

    from selectolax.lexbor import LexborNode

_MAX_ELEMENTS = 5_000
_MAX_CANDIDATES = 5_000
_MAX_STYLES = 50
_MAX_SET_CHARS = 8_192
_MAX_SET = 8
"""Sizes of one picture."""
_SELECTOR = (
    "link[rel][href], style, script[src], img[src], img[srcset], img[data-src], img[data-srcset], source[srcset],"
    " source[data-srcset], input[src], video[poster], body[background], [style]"
)
_SHEET, _PICTURE, _SCRIPT, _SIZE, _LATE, _ICON = range(6)
"""In what order they are fetched, where not all are: a page without its sheets is the hardest to recognise."""
_LINKS = {"stylesheet": _SHEET, "icon": _ICON, "apple-touch-icon": _ICON}
_ATTRIBUTES = {
    "img": {"src": _PICTURE, "data-src": _LATE},
    "input": {"src": _PICTURE},
    "script": {"src": _SCRIPT},
    "video": {"poster": _PICTURE},
    "body": {"background": _PICTURE},
}
_SETS = {"srcset": _SIZE, "data-srcset": _LATE}


def find_requisites(page: str, url: str, limit: int) -> tuple[str, ...]:
    """Return absolute URLs of what *page*, served at *url*, is shown with, at most *limit*, each once.

    *page*: HTML that `prescan` has found simple enough.
    """
    tree = LexborHTMLParser(page, options=LexborDocumentOptions.WO_EVENTS)
    base = tree.css_first("base[href]")
    base_url = (resolve_link(url, base.attributes.get("href") or "") if base else None) or url
    candidates = islice(_list_candidates(tree), _MAX_CANDIDATES)
    found: dict[str, None] = {}
    for _, address in sorted(candidates, key=lambda one: one[0]):
        target = resolve_link(base_url, address)
        if target is not None and target != url:
            found[target.partition("#")[0]] = None
        if len(found) >= limit:
            break
    return tuple(found)


def find_style_requisites(sheet: str, url: str, limit: int) -> tuple[str, ...]:
    """Return absolute URLs of what the style sheet *sheet*, served at *url*, takes, at most *limit*, each once."""
    targets = (resolve_link(url, address) for address in find_style_urls(sheet))
    found = dict.fromkeys(target.partition("#")[0] for target in targets if target is not None)
    return tuple(islice(found, limit))


def _list_candidates(tree: LexborHTMLParser) -> Iterator[tuple[int, str]]:
    """Yield the rank and the address, as written, of what the page names."""
    styles = 0
    for node in islice(tree.css(_SELECTOR), _MAX_ELEMENTS):
        yield from _list_named(node)
        style = node.text(deep=True) if node.tag == "style" else node.attributes.get("style")
        if style and styles < _MAX_STYLES and any(word in style.lower() for word in ("url(", "@import")):
            styles += 1
            for address in find_style_urls(style):
                yield (_SHEET if node.tag == "style" else _PICTURE), address


def _list_named(node: LexborNode) -> Iterator[tuple[int, str]]:
    attributes = node.attributes
    if node.tag == "link":
        words = (attributes.get("rel") or "").lower().split()
        rank = min((_LINKS[word] for word in words if word in _LINKS), default=None)
        if rank is not None and "alternate" not in words:
            yield rank, attributes.get("href") or ""
        return
    for name, rank in _ATTRIBUTES.get(node.tag or "", {}).items():
        if attributes.get(name):
            yield rank, attributes[name] or ""
    for name, rank in _SETS.items():
        if attributes.get(name) and node.tag in {"img", "source"}:
            for address in islice(list_sizes((attributes[name] or "")[:_MAX_SET_CHARS]), _MAX_SET):
                yield rank, address


def list_sizes(text: str) -> Iterator[str]:
    """Yield the addresses in a `srcset`: commas may stand within one, but not at its ends."""
    described = True
    for part in text.split():
        word = part
        if not described:
            _, comma, word = part.partition(",")
            if not comma:
                continue
        word = word.lstrip(",")
        described = not word or word.endswith(",")
        if address := word.rstrip(","):
            yield address

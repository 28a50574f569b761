"""What an HTML page says of itself and where its links stand: bytes in, `PageFacts` out."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from selectolax.lexbor import LexborDocumentOptions, LexborHTMLParser

from config.errors import ExtractError
from crawler.directives import read_directives
from crawler.discover.page_facts import Alternate, PageFacts, SeenLink
from crawler.encoding import read_html
from crawler.normalise import normalise_line
from crawler.prescan import prescan
from crawler.sites import bare_host
from crawler.urls import resolve_link

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from selectolax.lexbor import LexborNode

    from crawler.discover.page_facts import LinkPlace

MAX_PAGE_LINKS: Final = 3_000
MAX_ALTERNATES: Final = 100
MAX_TEXT: Final = 200
"""Characters of a link's words, and of what the page says of itself."""
_MAX_NODES: Final = 250_000
_SHELL_CHARS: Final = 400
_SHELL_LINKS: Final = 6
_MAX_SCRIPTS: Final = 50
_MAX_JSON: Final = 200_000
_HEADINGS: Final = frozenset({"h1", "h2", "h3", "h4"})
_SILENT: Final = frozenset({"script", "style", "noscript", "template", "svg", "select", "textarea", "head"})
_PLACE_TAGS: Final[dict[str, LinkPlace]] = {"nav": "nav", "aside": "aside", "header": "header", "footer": "footer"}
_PLACE_ROLES: Final[dict[str, LinkPlace]] = {
    "navigation": "nav",
    "menu": "nav",
    "menubar": "nav",
    "banner": "header",
    "contentinfo": "footer",
    "complementary": "aside",
}
_PLACE_WORDS: Final[dict[str, LinkPlace]] = {
    **dict.fromkeys(("nav", "navbar", "navigation", "menu", "mainmenu", "topnav", "mainnav", "submenu"), "nav"),
    **dict.fromkeys(("footer", "colophon", "pagefooter", "sitefooter"), "footer"),
    **dict.fromkeys(("header", "masthead", "topbar", "siteheader", "pageheader"), "header"),
    **dict.fromkeys(("sidebar", "related", "mostread", "popular", "breadcrumb", "breadcrumbs", "tags"), "aside"),
}
"""Words of class names and ids of elements that say nothing by their tag."""
_WORD: Final = re.compile(r"[a-z]+")
_WORDED: Final = frozenset({"div", "ul", "ol", "section", "table", "td"})
_TRUE: Final = frozenset({"1", "true", "yes"})
_PLACED: Final = ("nav", "aside")
"""Within these a header, a footer or an article is one of theirs."""


@dataclass(slots=True)
class _Gathered:
    """What one walk through the page has seen."""

    base: str
    links: list[SeenLink] = field(default_factory=list)
    known: dict[tuple[str, str], int] = field(default_factory=dict)
    chars: int = 0
    scripts: int = 0
    asks_password: bool = False


@dataclass(slots=True)
class _Around:
    """What an element's ancestors say of what is in it."""

    place: LinkPlace = "main"
    story: bool = False
    """Whether an `article` or `main` is around, whose header is not the page's."""
    heading: bool = False


def read_page_facts(
    body: bytes, *, url: str, content_type: str | None, robots_tags: Sequence[str], product: str, reserved: str | None
) -> PageFacts:
    """Return what the page *body*, content coding undone, says of itself and leads to.

    *robots_tags*, *reserved*: values of the headers X-Robots-Tag and tdm-reservation. Raises ExtractError.
    """
    text, utf8 = read_html(body, content_type)
    if (reason := prescan(utf8)) is not None:
        raise ExtractError(reason)
    tree = LexborHTMLParser(utf8.replace(b"\0", b""), options=LexborDocumentOptions.WO_EVENTS)
    if tree.root is None:
        raise ExtractError("page: found no element in it")
    base = _attribute(tree.css_first("base[href]"), "href")
    seen = _Gathered((resolve_link(url, base) if base else None) or url)
    _walk(tree.root, seen)
    meta = _read_meta(tree)
    title = tree.css_first("head > title") or tree.css_first("title")
    language = _attribute(tree.css_first("html"), "lang") or meta.get("content-language") or meta.get("og:locale")
    canonical = resolve_link(seen.base, _attribute(tree.css_first("link[rel=canonical][href]"), "href"))
    reserved = reserved or meta.get("tdm-reservation")
    return PageFacts(
        url=url,
        title=_shorten(title.text(deep=True) if title else None),
        site_name=_shorten(meta.get("og:site_name") or _find_publisher(tree) or meta.get("application-name")),
        language=_shorten((language or "").replace("_", "-")),
        canonical=canonical,
        alternates=tuple(islice(_list_alternates(tree, seen.base), MAX_ALTERNATES)),
        links=tuple(seen.links),
        next_url=_find_next(tree, seen.base, url),
        directives=read_directives(robots_tags, text, product),
        tdm_reservation=None if reserved is None else reserved.strip().lower() in _TRUE,
        scripted=seen.scripts > 0 and seen.chars < _SHELL_CHARS and len(seen.links) < _SHELL_LINKS,
        asks_password=seen.asks_password,
    )


def _walk(root: LexborNode, seen: _Gathered) -> None:
    """Go through the page once, in its order. What is around a node is kept for as long as it is open."""
    around: dict[int, _Around] = {}
    default = _Around()
    for number, node in enumerate(root.traverse(include_text=True)):
        if number >= _MAX_NODES:
            return
        parent, tag = node.parent, node.tag or ""
        outer = around.get(parent.mem_id, default) if parent is not None else default
        if outer is _SILENCE or tag in _SILENT:
            around[node.mem_id] = _SILENCE
            seen.scripts += tag == "script"
            continue
        if tag == "-text":
            seen.chars += len((node.text_content or "").strip())
            continue
        inner = around[node.mem_id] = _look_around(node, tag, outer)
        if tag == "a":
            _take_link(node, inner, seen)
        elif tag == "input" and _attribute(node, "type").lower() == "password":
            seen.asks_password = True


_SILENCE: Final = _Around()
"""Around scripts and the like: what stands in them is no text."""


def _look_around(node: LexborNode, tag: str, outer: _Around) -> _Around:
    place, story, heading = outer.place, outer.story, outer.heading
    if tag in {"article", "main"}:
        story, place = True, place if place in _PLACED else "main"
    elif tag in _HEADINGS:
        heading = True
    else:
        said = _PLACE_TAGS.get(tag) or _PLACE_ROLES.get(_attribute(node, "role").lower())
        if said is None and tag in _WORDED:
            said = _read_words(node)
        if said is not None and not (said in {"header", "footer"} and (story or place in _PLACED)):
            place = said
    if (place, story, heading) == (outer.place, outer.story, outer.heading):
        return outer
    return _Around(place, story, heading)


def _read_words(node: LexborNode) -> LinkPlace | None:
    names = f"{_attribute(node, 'id')} {_attribute(node, 'class')}"[:MAX_TEXT].lower()
    return next((_PLACE_WORDS[word] for word in _WORD.findall(names) if word in _PLACE_WORDS), None)


def _take_link(node: LexborNode, around: _Around, seen: _Gathered) -> None:
    """Keep a link; of several to one page in one place that with the most words, at the place of the first."""
    target = resolve_link(seen.base, _attribute(node, "href"))
    if target is None:
        return
    text = normalise_line(node.text(deep=True, separator=" ")[: 4 * MAX_TEXT])
    image = None if text else node.css_first("img[alt]")
    text = (text or _attribute(node, "aria-label") or _attribute(node, "title") or _attribute(image, "alt"))[:MAX_TEXT]
    headline = around.heading or node.css_first("h1, h2, h3, h4") is not None
    at = seen.known.get((target, around.place))
    if at is not None:
        known = seen.links[at]
        words = text if len(text) > len(known.text) else known.text
        seen.links[at] = SeenLink(target, words, around.place, headline or known.headline)
    elif len(seen.links) < MAX_PAGE_LINKS:
        seen.known[target, around.place] = len(seen.links)
        seen.links.append(SeenLink(target, text, around.place, headline))


def _read_meta(tree: LexborHTMLParser) -> dict[str, str]:
    """Return the first content of each meta by its name or property in lower case."""
    found: dict[str, str] = {}
    for node in tree.css("meta[content]")[:500]:
        attributes = node.attributes
        for key in ("name", "property", "http-equiv"):
            if name := (attributes.get(key) or "").strip().lower():
                found.setdefault(name, (attributes.get("content") or "")[: 4 * MAX_TEXT].strip())
    return {name: value for name, value in found.items() if value}


def _list_alternates(tree: LexborHTMLParser, base: str) -> Iterator[Alternate]:
    for node in tree.css("link[rel][href]"):
        if "alternate" not in _attribute(node, "rel").lower().split():
            continue
        target = resolve_link(base, _attribute(node, "href"))
        media_type = _attribute(node, "type").partition(";")[0].strip().lower() or None
        hreflang = _shorten(_attribute(node, "hreflang"))
        if target is not None and (media_type or hreflang):
            yield Alternate(target, media_type and media_type[:MAX_TEXT], hreflang, _shorten(_attribute(node, "title")))


def _find_next(tree: LexborHTMLParser, base: str, url: str) -> str | None:
    for node in tree.css("link[rel][href], a[rel][href]"):
        if "next" in _attribute(node, "rel").lower().split():
            target = resolve_link(base, _attribute(node, "href"))
            if target is not None and target != url and bare_host(target) == bare_host(url):
                return target
    return None


def _find_publisher(tree: LexborHTMLParser) -> str | None:
    """Return the name of the paper as JSON-LD has it: of its own object, or of an article's publisher."""
    for node in tree.css('script[type="application/ld+json"]')[:_MAX_SCRIPTS]:
        source = node.text(deep=True)
        if len(source) > _MAX_JSON:
            continue
        try:
            data = json.loads(source)
        except (ValueError, RecursionError):
            continue
        for item in _list_objects(data):
            name = _name_publisher(item)
            if name:
                return name
    return None


def _list_objects(data: object) -> list[dict[str, Any]]:
    items = data if isinstance(data, list) else [data]
    graphs = [item["@graph"] for item in items if isinstance(item, dict) and isinstance(item.get("@graph"), list)]
    return [item for item in [*items, *(part for graph in graphs for part in graph)] if isinstance(item, dict)][:200]


def _name_publisher(item: dict[str, Any]) -> str | None:
    kinds = item.get("@type")
    kinds = kinds if isinstance(kinds, list) else [kinds]
    owner = item.get("publisher")
    if any(kind in {"NewsMediaOrganization", "Organization", "WebSite"} for kind in kinds if isinstance(kind, str)):
        owner = item
    name = owner.get("name") if isinstance(owner, dict) else None
    return name if isinstance(name, str) and name.strip() else None


def _shorten(text: str | None) -> str | None:
    return normalise_line(text[: 4 * MAX_TEXT])[:MAX_TEXT].strip() or None if text else None


def _attribute(node: LexborNode | None, name: str) -> str:
    return (node.attributes.get(name) or "").strip() if node is not None else ""

"""A page → the same page to be looked at: no script, frame or form, no address but those of what is at hand for it."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Final

from selectolax.lexbor import LexborDocumentOptions, LexborHTMLParser

from config.errors import ExtractError
from crawler.discover.requisites import list_sizes
from crawler.replay.assets import NOTHING, Assets, is_fragment
from crawler.replay.styles import replay_styles
from crawler.urls import resolve_link

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from selectolax.lexbor import LexborNode

MAX_PASSES: Final = 4
MAX_PAGE_CHARS: Final = 16_000_000
_MAX_TITLE_CHARS: Final = 300
_MAX_SET_CHARS: Final = 8_192
_MAX_SET: Final = 8
_DOCTYPE_CHARS: Final = 1_024
_RUNNING = """
    applet audio base canvas embed fencedframe frame frameset iframe math meta noembed noframes noscript object param
    plaintext portal script template track xmp
"""
_RUNNING_IN_SVG = """
    animate animatecolor animatemotion animatetransform desc discard foreignobject handler listener metadata mpath set
"""
_TAKEN_OUT: Final = frozenset([*_RUNNING.split(), *_RUNNING_IN_SVG.split()])
"""What runs, loads, leads elsewhere, or lets HTML begin again within SVG."""
_CONTROLS: Final = frozenset({"button", "fieldset", "input", "select", "textarea"})
_LOOKS = """
    abbr align alt bgcolor border cellpadding cellspacing checked class clear color cols colspan datetime dir disabled
    face headers height hidden hspace id itemprop label lang media noshade nowrap open placeholder reversed role rows
    rowspan rules scope selected size span start summary title type valign value vspace width wrap
"""
_LOOKS_OF_SVG = """
    cx cy d dx dy fx fy gradienttransform gradientunits markerheight markerwidth offset orient pathlength
    patterncontentunits patterntransform patternunits points preserveaspectratio r refx refy rotate rx ry
    spreadmethod text-anchor textlength transform version viewbox x x1 x2 xmlns y y1 y2
"""
_KEPT: Final = frozenset([*_LOOKS.split(), *_LOOKS_OF_SVG.split()])
"""Attributes that stay as they are."""
_STYLES = """
    clip-path clip-rule fill fill-opacity fill-rule font-family font-size font-style font-weight letter-spacing
    marker-end marker-mid marker-start mask opacity stop-color stop-opacity stroke stroke-dasharray stroke-dashoffset
    stroke-linecap stroke-linejoin stroke-miterlimit stroke-opacity stroke-width style visibility
"""
_PAINTS: Final = frozenset(_STYLES.split())
"""Attributes that hold CSS."""
_PICTURES: Final = {
    "img": ("src", "data-src", "data-original", "data-lazy-src"),
    "input": ("src",),
    "image": ("href", "xlink:href"),
}
_SETS: Final = ("srcset", "data-srcset")
_OTHERS: Final = {
    "body": "background",
    "table": "background",
    "td": "background",
    "th": "background",
    "tr": "background",
    "video": "poster",
}


def replay_page(html: str, url: str, assets: Mapping[str, str]) -> str:
    """Return *html*, served at *url*, with what *assets* has for it: absolute URL → address to take in its place.

    *html*: what `prescan` has found simple enough. Links to elsewhere lead nowhere and say in a title where they led.
    Raises ExtractError for a page that becomes another one each time it is read.
    """
    doctype = "<!DOCTYPE html>" if "<!doctype" in html[:_DOCTYPE_CHARS].lower() else ""
    own = frozenset(assets.values())
    given: Mapping[str, str] = assets
    for _ in range(MAX_PASSES):  # what is written down may be read otherwise than the tree was that it was made of
        tree = LexborHTMLParser(html, options=LexborDocumentOptions.WO_EVENTS)
        cleaning = _Cleaning(Assets(_find_base(tree, url), given, own))
        cleaning.clean(tree)
        html = doctype + ((tree.root.html if tree.root else None) or "")
        if not cleaning.changed:
            return html
        if len(html) > MAX_PAGE_CHARS:
            raise ExtractError(f"page: {len(html)} characters once it is made harmless, at most {MAX_PAGE_CHARS}")
        given = {}
    raise ExtractError(f"page: read anew {MAX_PASSES} times, and something that loads or runs was in it each time")


def _find_base(tree: LexborHTMLParser, url: str) -> str:
    base = tree.css_first("base[href]")
    return (resolve_link(url, base.attributes.get("href") or "") if base else None) or url


class _Cleaning:
    """One pass over a page's tree."""

    def __init__(self, assets: Assets) -> None:
        self.changed = False
        self._assets = assets

    def clean(self, tree: LexborHTMLParser) -> None:
        root = tree.root
        if root is None:
            return
        gone: set[int] = set()
        sources = []
        for node in list(root.traverse(include_text=True)):
            if node.mem_id in gone or node.is_text_node:
                continue
            if node.tag == "source":
                sources.append(node)  # the picture behind it may want its address
            elif node.is_comment_node or not node.is_element_node or self._is_unwanted(node):
                gone.update(one.mem_id for one in node.traverse(include_text=True))
                node.decompose()
                self.changed = True
            else:
                self._clean_element(node)
        for node in sources:
            node.decompose()
            self.changed = True

    def _is_unwanted(self, node: LexborNode) -> bool:
        tag = (node.tag or "").lower()
        if tag in _TAKEN_OUT:
            return True
        if tag == "link":
            words = (node.attributes.get("rel") or "").lower().split()
            return "stylesheet" not in words or "alternate" in words or self._find(node, ("href",)) is None
        if tag == "video":
            return self._find(node, ("poster",)) is None
        return tag in {"style", "title"} and _is_within_svg(node)

    def _clean_element(self, node: LexborNode) -> None:
        tag = (node.tag or "").lower()
        before = dict(node.attributes)
        after = self._choose_attributes(tag, node, before)
        if tag == "style":
            self._clean_sheet(node)
        if after == before:
            return
        self.changed = True
        for name in before:
            if name not in after:
                del node.attrs[name]
        for name, value in after.items():
            if name not in before or before[name] != value:
                node.attrs[name] = value or ""

    def _choose_attributes(self, tag: str, node: LexborNode, before: dict[str, str | None]) -> dict[str, str | None]:
        after: dict[str, str | None] = {}
        for name, value in before.items():
            low = name.lower()
            if low in _KEPT or low.startswith("aria-"):
                after[name] = value
            elif low in _PAINTS:
                after[name] = replay_styles(value or "", self._assets.replace)
            elif low in {"href", "xlink:href"} and value and is_fragment(value):
                after[name] = value
        if tag in _PICTURES and (found := self._find(node, _PICTURES[tag], _list_neighbours(node))):
            after["href" if tag == "image" else "src"] = found
        elif (other := _OTHERS.get(tag)) and (found := self._find(node, (other,))):
            after[other] = found
        elif tag == "link":
            after = {"rel": "stylesheet", "href": self._find(node, ("href",)), "media": before.get("media") or "all"}
        elif tag == "a" and "href" not in after and "title" not in after:
            target = self._assets.resolve(before.get("href") or "")
            if target is not None:
                after["title"] = target[:_MAX_TITLE_CHARS]
        if tag in _CONTROLS:
            after.setdefault("disabled", before.get("disabled", ""))
        return after

    def _clean_sheet(self, node: LexborNode) -> None:
        css = node.text(deep=True)
        clean = replay_styles(css, self._assets.replace)
        if clean != css and node.first_child is not None:
            self.changed = True
            node.first_child.replace_with(clean)

    def _find(self, node: LexborNode, names: tuple[str, ...], neighbours: tuple[LexborNode, ...] = ()) -> str | None:
        """Return the address at hand for the first of *names* that there is one for, or of a set of sizes."""
        for address in _list_addresses(node, names, neighbours):
            if not address.startswith("#") and (found := self._assets.replace(address)) != NOTHING:
                return found
        return None


def _is_within_svg(node: LexborNode) -> bool:
    parent = node.parent
    while parent is not None:
        if parent.tag == "svg":
            return True
        parent = parent.parent
    return False


def _list_neighbours(node: LexborNode) -> tuple[LexborNode, ...]:
    """Return the sources beside a picture in its `picture`."""
    parent = node.parent
    if node.tag != "img" or parent is None or parent.tag != "picture":
        return ()
    return tuple(islice((one for one in parent.iter() if one.tag == "source"), _MAX_SET))


def _list_addresses(node: LexborNode, names: tuple[str, ...], neighbours: tuple[LexborNode, ...]) -> Iterator[str]:
    for name in names:
        if value := node.attributes.get(name):
            yield value
    for one in (node, *neighbours) if node.tag == "img" else ():
        for name in _SETS:
            sizes = list_sizes((one.attributes.get(name) or "")[:_MAX_SET_CHARS])
            yield from islice(sizes, _MAX_SET)

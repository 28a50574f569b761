"""The headline and the lead: which of the page's own words they are, with what the page says of itself as witness."""

from __future__ import annotations

import re
from difflib import SequenceMatcher
from itertools import islice
from typing import TYPE_CHECKING

from crawler.extract.metadata import text_of
from crawler.extract.tree import BLOCK_TAGS, Element
from crawler.extract.words import LEAD_SIGNS, TITLE_SIGNS, split_signs
from crawler.normalise import normalise_line

if TYPE_CHECKING:
    from collections.abc import Iterable

    from crawler.extract.metadata import Metadata

_SUFFIX = re.compile(r"\s+(?:[|•·»—–‹›:]|-)\s+")
_MAX_TITLE = 400
_MAX_HEADINGS = 300
_SAME = 0.62
"""Two titles this like each other are of one article."""
_LEAD_CHARS = (25, 1500)


def stated_titles(found: Metadata) -> list[tuple[str, str]]:
    """Return what the page says its title is, best first, each with its origin."""
    titles = [(text_of(found.article.get("headline")), "json-ld"), (found.first("og:title"), "meta")]
    titles += [(found.first("twitter:title", "title", "dc.title", "headline"), "meta"), (found.title, "meta")]
    return [(_strip_site(title, found), origin) for title, origin in titles if title]


def _strip_site(title: str, found: Metadata) -> str:
    """Take the name of the site off the end of *title*."""
    site = found.first("og:site_name", "application-name") or text_of(found.article.get("publisher")) or ""
    pieces = _SUFFIX.split(title)
    if len(pieces) < 2:
        return title
    marks = _SUFFIX.findall(title)
    last = pieces[-1].casefold()
    is_site = site and (last in site.casefold() or site.casefold() in last)
    if is_site or (len(pieces[-1]) < 30 and marks[-1].strip() in "|•·»—–" and len(title) - len(pieces[-1]) > 25):
        return title[: title.rindex(marks[-1] + pieces[-1])]
    return title


def find_title(body: Element, found: Metadata) -> tuple[str | None, str, Element | None]:
    """Return the title, its origin and the heading it stands in; the visible words come before the stated ones."""
    stated = stated_titles(found)
    best: tuple[float, Element, str] | None = None
    for element in islice(_headings(body), _MAX_HEADINGS):
        text = normalise_line(element.text())
        if not 2 < len(text) <= _MAX_TITLE:
            continue
        likeness = max((_likeness(text, title) for title, _ in stated), default=0.0)
        score = likeness + (0.15 if element.tag == "h1" else 0.0)
        if likeness >= _SAME and (best is None or score > best[0] + 0.01):
            best = (score, element, text)
    if best is not None:
        return best[2], "visible", best[1]
    lone = [element for element in body.walk() if element.tag == "h1" and element.chars > 14]
    lone = [element for element in lone if not _is_site_name(element, found)]
    if len(lone) == 1 and not found.article.get("headline"):
        return normalise_line(lone[0].text())[:_MAX_TITLE], "visible", lone[0]
    if stated:
        return stated[0][0], stated[0][1], None
    if lone:
        return normalise_line(lone[0].text())[:_MAX_TITLE], "visible", lone[0]
    return None, "guess", None


def _headings(body: Element) -> Iterable[Element]:
    for element in body.walk():
        if element.tag in {"h1", "h2", "h3"} or (
            element.tag in {"div", "p", "span", "header"}
            and 14 < element.chars <= _MAX_TITLE
            and (
                "headline" in element.get("itemprop")
                or TITLE_SIGNS.search(split_signs(element.get("class"), element.get("id")))
            )
        ):
            if any(around.tag in {"nav", "aside", "footer", "li"} for around in element.ancestors()):
                continue
            if element.tag != "h1" and element.link_density > 0.9:
                continue
            yield element


def _is_site_name(element: Element, found: Metadata) -> bool:
    text = element.text().casefold()
    site = (found.first("og:site_name") or "").casefold()
    return bool(site) and (text in site or site == text)


def _likeness(one: str, other: str) -> float:
    one, other = _bare(one), _bare(other)
    if not one or not other:
        return 0.0
    if one == other:
        return 1.0
    if min(len(one), len(other)) >= 12 and (one in other or other in one):
        return 0.7 + 0.25 * min(len(one), len(other)) / max(len(one), len(other))
    if max(len(one), len(other)) > 3 * min(len(one), len(other)):
        return 0.0
    matcher = SequenceMatcher(None, one, other, autojunk=False)
    return matcher.ratio() if matcher.quick_ratio() > _SAME else 0.0


def _bare(text: str) -> str:
    return "".join(character for character in text.casefold() if character.isalnum())


def is_description(text: str, found: Metadata) -> bool:
    """Whether *text* is what the page gives as its description, which may be cut."""
    bare = _bare(text)
    if len(bare) < 20:
        return False
    for stated in (
        found.first("description"),
        found.first("og:description"),
        text_of(found.article.get("description")),
    ):
        other = _bare(stated or "")
        if other and (bare == other or (len(other) >= 60 and (bare.startswith(other[:60]) or other.startswith(bare)))):
            return True
    return False


def find_lead(body: Element, title: Element | None, container: Element, found: Metadata) -> Element | None:
    """Return the standfirst: a block by the headline, outside of the body, named a lead or equal to the description."""
    inside = set(container.walk())
    around = {container, *container.ancestors()}
    if title is not None:
        around |= {title, *title.ancestors()}
    for element in body.walk(kept=True):
        if element in inside or element in around:
            continue
        if element.tag not in {"p", "div", "h2", "h3", "h4", "section", "span", "strong", "ul", "header"}:
            continue
        if not _LEAD_CHARS[0] <= element.chars <= _LEAD_CHARS[1] or element.link_density > 0.5:
            continue
        if _is_lead(element, title, container, found):
            return element
    return None


def _is_lead(element: Element, title: Element | None, container: Element, found: Metadata) -> bool:
    after_title = title is None or element.order > title.order
    between = after_title and element.order < container.order
    described = is_description(element.text(), found)
    if described and (after_title or element.tag in {"p", "h2"}):
        return _is_leaf(element)
    if not between:
        return False
    signs = split_signs(element.get("class"), element.get("id")) + split_signs(element.get("itemprop"), "")
    return bool(LEAD_SIGNS.search(signs)) and _is_leaf(element) and not _is_heading_block(element)


def _is_leaf(element: Element) -> bool:
    blocks = [child for child in element.walk() if child is not element and child.tag in BLOCK_TAGS and child.chars]
    return all(child.tag in {"p", "li", "h2"} for child in blocks) and len(blocks) <= 6


def _is_heading_block(element: Element) -> bool:
    return element.find("h1") is not None

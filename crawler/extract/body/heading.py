"""The headline and the lead: which of the page's own words they are, with what the page says of itself as witness."""

from __future__ import annotations

import re
from difflib import SequenceMatcher
from itertools import islice
from typing import TYPE_CHECKING

from crawler.extract.page.metadata import text_of
from crawler.extract.page.signs import LEAD, TITLE, read_signs
from crawler.extract.page.tree import BLOCK_TAGS, Element
from crawler.extract.page.words import bare
from crawler.normalise import normalise_line

if TYPE_CHECKING:
    from collections.abc import Iterable

    from crawler.extract.page.metadata import Metadata

_SUFFIX = re.compile(r"\s+(?:[|•·»—–‹›:]|-)\s+")
_MAX_TITLE = 400
_MAX_HEADING = 20 * _MAX_TITLE
"""An element of so many characters, white space counted, is no heading."""
_LEAST_HEADING, _SHORT_HEADING = 4, 14
"""Characters. A name of the site or of a section may be as short as the headline of a brief."""
_MAX_HEADINGS = 300
_MAX_COMPARED = 4_000_000
"""Pairs of letters of headings and titles."""
_SAME = 0.62
"""Two titles this like each other are of one article."""
_H1_BONUS = 0.15
_CERTAIN = 1.14
"""The page's h1 in the very letters of a stated title: no other heading can be a better one."""
_TITLE_TAGS = frozenset({"div", "p", "span", "header"})
_OTHER_PARTS = frozenset({"nav", "aside", "footer", "li"})
_DESCRIBED = 20
"""Letters and digits: what is shorter may stand in any description."""
_BEGINNING_CHARS = 100
PROPERTY_CHARS = 100
_MAX_READ = 10_000_000
"""Characters that are compared with descriptions, those of elements in each other counted for each."""
_LEAD_CHARS = (25, 1500)
_SENTENCES = (60, 500)
_FEW = 2
"""More paragraphs are no standfirst, but another text."""
_ENDS = (".", "!", "?", "…", "。", "！", "？", "؟")
_LEAD_TAGS = frozenset({"p", "div", "h2", "h3", "h4", "section", "span", "strong", "ul", "header"})


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
    likeness_to = _Likeness([title for title, _ in stated])
    best: tuple[float, Element, str] | None = None
    for element in islice(_headings(body), _MAX_HEADINGS):
        text = normalise_line(element.text()) if element.chars <= _MAX_HEADING else ""
        if not 2 < len(text) <= _MAX_TITLE:
            continue
        likeness = likeness_to.measure(text, least=best[0] + 0.01 - _H1_BONUS if best is not None else _SAME)
        score = likeness + (_H1_BONUS if element.tag == "h1" else 0.0)
        if likeness >= _SAME and (best is None or score > best[0] + 0.01):
            best = (score, element, text)
            if score >= _CERTAIN:
                break
    if best is not None:
        return best[2], "visible", best[1]
    lone = [element for element in body.below("h1") if _may_be_title(element, found, stated=bool(stated))]
    if len(lone) == 1 and not found.article.get("headline"):
        return normalise_line(lone[0].text())[:_MAX_TITLE], "visible", lone[0]
    if stated:
        return stated[0][0], stated[0][1], None
    if lone:
        return normalise_line(lone[0].text())[:_MAX_TITLE], "visible", lone[0]
    return None, "guess", None


def _headings(body: Element) -> Iterable[Element]:
    described = [element for element in body.tree.described if "headline" in element.get("itemprop")]
    named = [*body.signed(TITLE), *described]
    named = [one for one in named if one.tag in _TITLE_TAGS and 14 < one.chars <= _MAX_TITLE]
    for element in sorted({*body.below("h1", "h2", "h3"), *named}, key=lambda element: element.order):
        if any(around.tag in _OTHER_PARTS for around in element.ancestors()):
            continue
        if element.tag != "h1" and element.link_density > 0.9:
            continue
        yield element


def _may_be_title(element: Element, found: Metadata, *, stated: bool) -> bool:
    """Whether an h1 that is like no *stated* title may be the headline; a short one only where nothing is stated."""
    if element.chars <= _SHORT_HEADING and (stated or element.chars < _LEAST_HEADING or element.link_density > 0):
        return False
    return not _is_site_name(element, found)


def _is_site_name(element: Element, found: Metadata) -> bool:
    site = (found.first("og:site_name") or "").casefold()
    return bool(site) and element.chars <= _MAX_HEADING and element.text().casefold() in site


class _Likeness:
    """How much headings are like any of the titles that a page states; bounded in how many it compares by letters."""

    def __init__(self, titles: list[str]) -> None:
        self._titles = list(dict.fromkeys(bare(title) for title in titles))
        self._matchers: dict[str, SequenceMatcher[str]] = {}
        self._room = _MAX_COMPARED
        self._known: dict[str, float] = {}

    def measure(self, text: str, *, least: float) -> float:
        """Return 0 to 1; 0 where it cannot be more than *least*, which never falls from one text to the next."""
        one = bare(text)
        if one not in self._known:
            self._known[one] = max(
                (self._compare(one, title, max(least, _SAME)) for title in self._titles), default=0.0
            )
        return self._known[one]

    def _compare(self, one: str, other: str, least: float) -> float:
        if not one or not other:
            return 0.0
        if one == other:
            return 1.0
        less, more = sorted((len(one), len(other)))
        if less >= 12 and (one in other or other in one):
            return 0.7 + 0.25 * less / more
        if more > 3 * less:
            return 0.0
        matcher = self._matchers.get(other)
        if matcher is None:
            matcher = self._matchers[other] = SequenceMatcher(None, "", other, autojunk=False)
        matcher.set_seq1(one)
        if matcher.real_quick_ratio() <= least or matcher.quick_ratio() <= least:
            return 0.0
        # what is alike in one place is looked for again and again in what remains
        self._room -= less * more
        return matcher.ratio() if self._room >= 0 else 0.0


def stated_descriptions(found: Metadata) -> list[str]:
    """Return the letters and digits of what the page gives as its description."""
    stated = (found.first("description"), found.first("og:description"), text_of(found.article.get("description")))
    return [letters for text in dict.fromkeys(stated) if text and (letters := bare(text))]


def is_description(text: str, stated: list[str]) -> bool:
    """Whether *text* is one of the *stated* descriptions, which may be cut."""
    if not stated:
        return False
    beginning = bare(text[:_BEGINNING_CHARS])  # which all that follows needs to be alike: most texts end here
    if not any(
        other.startswith(beginning) or (len(other) >= 60 and beginning.startswith(other[:60])) for other in stated
    ):
        return False
    letters = bare(text)
    if len(letters) < _DESCRIBED:
        return False
    return any(
        letters == other or (len(other) >= 60 and (letters.startswith(other[:60]) or other.startswith(letters)))
        for other in stated
    )


def find_leads(body: Element, title: Element | None, container: Element, stated: list[str]) -> list[Element]:
    """Return the standfirst: blocks by the headline, outside of the body, named a lead or equal to the description.

    Several paragraphs may be one; without such, a sentence or two between headline and body.
    """
    around = {container, *container.ancestors()}
    if title is not None:
        around |= {title, *title.ancestors()}
    found: list[Element] = []
    room = _MAX_READ
    for element in body.walk(kept=True):
        if not _LEAD_CHARS[0] <= element.chars <= _LEAD_CHARS[1] or element.tag not in _LEAD_TAGS:
            continue
        if container.order <= element.order < container.end or element in around or element.link_density > 0.5:
            continue
        if found and element.order < found[-1].end:
            continue
        if found and element.order > container.order:
            break
        room -= element.chars
        if _is_named_lead(element, title, container) or (room > 0 and _is_described(element, title, stated)):
            found.append(element)
    if not found and title is not None:
        between = body.tree.elements[title.end : container.order]
        for element in between:
            if (not found or element.order >= found[-1].end) and element not in around and _is_unnamed_lead(element):
                found.append(element)
        return found if len(found) <= _FEW else []
    return found if sum(element.chars for element in found) <= _LEAD_CHARS[1] else found[:1]


def _is_described(element: Element, title: Element | None, stated: list[str]) -> bool:
    after_title = title is None or element.order > title.order
    return (after_title or element.tag in {"p", "h2"}) and is_description(element.text(), stated) and _is_leaf(element)


def _is_named_lead(element: Element, title: Element | None, container: Element) -> bool:
    if (title is not None and element.order < title.order) or element.order > container.order:
        return False
    signs = element.signs | read_signs(element.get("itemprop")[:PROPERTY_CHARS])
    return bool(signs & LEAD) and _is_leaf(element) and not _is_heading_block(element)


def _is_unnamed_lead(element: Element) -> bool:
    """Whether *element*, between headline and body, is sentences, and nothing says that it is anything else."""
    if element.tag not in _LEAD_TAGS or not _SENTENCES[0] <= element.chars <= _SENTENCES[1] or element.is_dropped:
        return False
    if element.link_density > 0.2 or any(child.tag in BLOCK_TAGS for child in element.walk() if child is not element):
        return False
    return element.text().endswith(_ENDS)


def _is_leaf(element: Element) -> bool:
    blocks = [child for child in element.walk() if child is not element and child.tag in BLOCK_TAGS and child.chars]
    return all(child.tag in {"p", "li", "h2"} for child in blocks) and len(blocks) <= 6


def _is_heading_block(element: Element) -> bool:
    return element.find("h1") is not None

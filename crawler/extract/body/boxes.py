"""A page's tree → the same tree with everything that is no article text marked as dropped, each with a reason.

Signs are weighed against what a box holds: nothing with a good part of the page's prose is dropped for its name.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from crawler.extract.page.signs import (
    CAPTION,
    COMMENT,
    CONSENT,
    CORRECTION,
    FACTS,
    FAINT,
    FURNITURE,
    GALLERY,
    PAYWALL,
    RELATED,
)
from crawler.extract.page.tree import BLOCK_TAGS, HEADING_TAGS, Element
from crawler.extract.page.words import CONSENT_CHOICE, CONSENT_PHRASE, PAYWALL_PHRASE, RELATED_LABEL

if TYPE_CHECKING:
    from collections.abc import Container

CHROME_TAGS: Final = frozenset(
    [
        "nav",
        "footer",
        "aside",
        "form",
        "menu",
        "dialog",
        "iframe",
        "button",
        "input",
        "audio",
        "video",
        "figcaption",
        "picture",
        "embed",
        "label",
        "fieldset",
        "map",
        "progress",
        "meter",
        "frame",
        "source",
        "track",
        "img",
        "details",
    ]
)
CHROME_ROLES: Final = frozenset(
    [
        "navigation",
        "banner",
        "contentinfo",
        "complementary",
        "search",
        "dialog",
        "alertdialog",
        "menu",
        "menubar",
        "toolbar",
        "tooltip",
        "tablist",
    ]
)
_CHROME_SIGNS: Final = COMMENT | CONSENT
_BOX_SIGNS: Final = RELATED | FURNITURE | FAINT | PAYWALL | CORRECTION | FACTS
_SHAPED_TAGS: Final = BLOCK_TAGS - HEADING_TAGS | {"figure"}
_HIDING: Final = frozenset({"hidden", "aria-hidden", "style"})
_HIDDEN_STYLE: Final = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.IGNORECASE)
_MOST: Final = 0.35
"""A box that holds this share of the page's prose is no furniture, whatever it is called."""
_SMALL_BOX: Final = 300
_WALL: Final = 900
_CONSENT_CHARS: Final = 6_000
_NOTE_CHARS: Final = 3_000
_SHARE_CHARS, _SHARE_ELEMENTS, _SHARE_LINKS = 300, 80, 15
_SHARE: Final = re.compile(
    r"facebook\.com/(?:sharer?|dialog)\b|//(?:(?:www\.)?(?:twitter|x)\.com/(?:intent|share)\b|wa\.me/\?|t\.me/share"
    r"|vk\.com/share)|whatsapp(?:://|\.com/send)|telegram\.me/share|linkedin\.com/(?:share|sharing|cws)"
    r"|pinterest\.[a-z.]+/pin/create|reddit\.com/submit|bsky\.app/intent|threads\.(?:net|com)/intent"
    r"|line\.me/(?:r/msg|lineit/share)|b\.hatena\.ne\.jp/|xing\.com/(?:spi|app)/|mailto:\?"
)
"""How addresses, in small letters, begin by which networks are handed a page. To ignore case takes far longer."""
_BOX_TAGS: Final = frozenset({"div", "section"})
_STORY_CHARS: Final = 600
_KICKER_CHARS: Final = 60
_HEADLINE_CHARS: Final = 15
_LINKED: Final = 0.5
"""Share of a list's text."""
_PARAGRAPH_CHARS: Final = 150
_BOX_ELEMENTS: Final = 400
"""A box of more elements than this is not looked into: it is a part of the page, or made to keep us busy."""
_NEVER: Final = frozenset({"html", "body", "main", "h1"})
_PROSE_CHARS: Final = 40
_LABEL_CHARS: Final = 2_000
"""A label is far shorter, white space counted."""


class Prose:
    """How much running text each element holds; links and crumbs not counted, nor what was dropped by then."""

    def __init__(self, body: Element, kept: list[Element]) -> None:
        """*kept*: *body* and what is below it and was not dropped, in document order."""
        size = len(body.tree.elements)
        self._totals = totals = [0] * size
        self._chars = all_chars = [0] * size
        self._links = all_links = [0] * size
        for element in reversed(kept):  # inner ones first: each hands on to the one around it
            if not element.chars:
                continue
            order = element.order
            chars, links, total = all_chars[order] + element.own_chars, all_links[order], totals[order]
            around = element.parent.order if element.parent is not None else order
            if element.tag in BLOCK_TAGS:
                all_chars[order] = chars
                if element.linked:
                    all_links[order] = chars
                elif chars - links >= _PROSE_CHARS:
                    total += chars - links
            elif element.linked:
                all_chars[around] += element.chars
                all_links[around] += element.chars
            else:
                all_chars[around] += chars
                all_links[around] += links
            if total:
                totals[order] = total
                if around != order:
                    totals[around] += total
        self.total = totals[body.order]

    def of(self, element: Element) -> int:
        """Return the characters of running text in *element*."""
        return self._totals[element.order]

    def own(self, element: Element) -> tuple[int, int]:
        """Return characters of text, and of linked text, whose nearest block is *element*, a block."""
        return self._chars[element.order], self._links[element.order]

    def share(self, element: Element) -> float:
        """Return the share of the page's running text that *element* holds."""
        return self.of(element) / self.total if self.total else 0.0


def mark_boxes(body: Element, kept: Container[Element]) -> Prose:
    """Mark what is no article text. *kept*: elements that must stay, with all around them (the headline, rules)."""
    present, end = [], 0
    for element in body.walk():
        if element.order < end:
            continue
        tag = element.tag
        may_be = tag in CHROME_TAGS or element.signs & _CHROME_SIGNS or "role" in element.attributes
        if may_be and not element.dropped and tag not in _NEVER and element not in kept:
            element.dropped = _chrome_reason(element)
        if element.dropped:
            end = element.end
        else:
            present.append(element)
    prose = Prose(body, present)
    spread = _find_spread(present, prose)
    left, end = [], 0
    for element in present:
        if element.order < end:
            continue
        tag = element.tag
        may_be = tag in _SHAPED_TAGS or element.signs & _BOX_SIGNS or not _HIDING.isdisjoint(element.attributes)
        if may_be and tag not in _NEVER and element not in kept:
            element.dropped = _box_reason(element, prose, named=element.attributes.get("class") not in spread)
        if element.dropped:
            end = element.end
        else:
            left.append(element)
    return Prose(body, left)


def _find_spread(present: list[Element], prose: Prose) -> set[str | None]:
    """Return the class names that stand on elements which together hold a good part of the prose: no furniture."""
    sums: dict[str, int] = {}
    for element in present:
        named = element.signs & (FURNITURE | FAINT) and not element.signs & (RELATED | CAPTION | GALLERY)
        if named and prose.of(element) > _PARAGRAPH_CHARS and (names := element.attributes.get("class")):
            sums[names] = sums.get(names, 0) + prose.of(element)
    return {names for names, total in sums.items() if total > _MOST * prose.total}


def _chrome_reason(element: Element) -> str | None:
    """Return why *element* is chrome by its tag, role or state alone."""
    if element.tag in CHROME_TAGS:
        # a page may be one big form, and a paywalled one may hide its text
        if (
            element.tag in {"form", "aside", "fieldset", "label", "details"}
            and element.chars > 1500
            and _has_prose(element)
        ):
            return None
        return f"a {element.tag} element"
    if element.get("role") in CHROME_ROLES and not _has_prose(element):
        return f"role {element.get('role')}"
    signs = element.signs
    if signs & (COMMENT | CONSENT) and element.find("h1") is None:
        return "comments" if signs & COMMENT else "consent"
    return None


def _has_prose(element: Element) -> bool:
    return sum(1 for child in element.below("p") if child.chars - child.link_chars > 80) > 4


def _box_reason(element: Element, prose: Prose, *, named: bool) -> str | None:
    """Return why *element* is a box. *named*: what its class is called counts."""
    signs = element.signs if named and not _is_part_of_sentence(element) else 0
    if signs & PAYWALL and element.chars < _WALL and PAYWALL_PHRASE.search(element.text()):
        return "a pay wall"
    if element.signs & GALLERY and _is_gallery(element, prose):
        return "a gallery"
    if element.tag == "form" and _is_beside_a_story(element, prose):
        return "a form"
    if prose.share(element) > _MOST:
        return "consent" if element.attributes and is_hidden(element) and _asks_for_consent(element) else None
    if element.attributes and is_hidden(element):
        return "hidden"
    if element.tag == "figure":
        return None if element.find("blockquote", "table") else "a figure"
    if reason := _named_reason(element, signs, prose):
        return reason
    if signs & PAYWALL and not _has_prose(element):
        return "a pay wall"
    if element.tag in _SHAPED_TAGS:
        return _shape_reason(element, prose)
    return None


def _named_reason(element: Element, signs: int, prose: Prose) -> str | None:
    """Return what its name says that *element* is, and what it holds does not gainsay."""
    if signs & CORRECTION and element.tag in _BOX_TAGS and element.chars <= _NOTE_CHARS:
        return "a correction"
    if signs & FACTS and element.tag in _BOX_TAGS and _is_headed(element):
        return "facts"
    if signs & RELATED:
        return "related"
    if signs & FURNITURE and not _is_text_of_its_own(element):
        return "furniture"
    if signs & FAINT and prose.of(element) < _SMALL_BOX and not _is_text_of_its_own(element):
        return "furniture"
    return None


def _is_headed(element: Element) -> bool:
    heading = element.find(*HEADING_TAGS, "strong", "b")
    return heading is not None and heading.chars > 1 and not element.text_before(heading)


def _is_part_of_sentence(element: Element) -> bool:
    """Whether *element* is a few words in a line of running text, which goes on around it."""
    around = element.parent
    return element.tag not in BLOCK_TAGS and around is not None and around.own_chars > max(element.chars, _PROSE_CHARS)


def _is_beside_a_story(element: Element, prose: Prose) -> bool:
    """Whether the page has a text of its own outside of *element*, which holds no headline: terms may be the longer."""
    return prose.total - prose.of(element) > _STORY_CHARS and element.find("h1") is None


def _is_gallery(element: Element, prose: Prose) -> bool:
    """Whether *element* holds pictures with their captions, beside an article that has a text of its own."""
    if not _is_beside_a_story(element, prose):
        return False
    paragraphs = sum(1 for child in element.below("p") if child.chars - child.link_chars > _PROSE_CHARS)
    return len(element.below("img", "li")) >= max(3, paragraphs)


def _asks_for_consent(element: Element) -> bool:
    """Whether *element* speaks of cookies and of a choice; a wall to pay at may hide an article, and that is text."""
    text = element.text() if element.chars <= _CONSENT_CHARS else ""
    return len(CONSENT_PHRASE.findall(text)) * 250 > len(text) > 0 and CONSENT_CHOICE.search(text) is not None


def is_hidden(element: Element) -> bool:
    """Whether *element* is hidden by an attribute of its own."""
    style = element.attributes.get("style")
    return (
        "hidden" in element.attributes
        or element.attributes.get("aria-hidden") == "true"
        or (style is not None and _HIDDEN_STYLE.search(style) is not None)
    )


def _is_text_of_its_own(element: Element) -> bool:
    """Whether *element* is a long paragraph: one such is text even in a class that sounds like furniture."""
    return element.tag == "p" and element.chars - element.link_chars > _PARAGRAPH_CHARS


def _shape_reason(element: Element, prose: Prose) -> str | None:
    """Return why *element* is a box by what it is made of, whatever its class."""
    if not element.chars or element.end - element.order > _BOX_ELEMENTS:
        return None
    if element.chars <= _SHARE_CHARS and element.chars - element.link_chars <= _KICKER_CHARS and _is_to_share(element):
        return "links to share by"
    if element.link_density > 0.8 and element.tag not in {"p", "blockquote", "td", "tr", "dd", "dt", "li"}:
        return "related" if _has_label(element) else "links"
    if element.tag in {"ul", "ol"} and _is_list_of_links(element):
        return "links"
    if element.tag in {"p", "blockquote", "td", "tr", "dd", "dt", "pre"} or element.chars > 900:
        return None
    small = prose.share(element) < 0.2
    if small and _has_label(element) and element.link_density > 0.3:
        return "related"
    if _is_teaser(element) and (small or _has_twins(element)):
        return "related"
    if small and element.find("input", "button", "iframe", "video", "audio") is not None and element.find("h1") is None:
        return "a box with controls"
    return None


def _is_to_share(element: Element) -> bool:
    """Whether most links of *element*, two at least, hand the page on to others by a network or by mail."""
    if not element.link_chars or element.end - element.order > _SHARE_ELEMENTS:
        return False
    links = element.below("a")
    if len(links) > _SHARE_LINKS:
        return False
    shares = sum(1 for link in links if _SHARE.search(link.get("href")[:_SHARE_CHARS].lower()))
    return shares > 1 and 2 * shares > len(links)


def _is_list_of_links(element: Element) -> bool:
    """Whether each item of a list is a headline that is a link, with a word of its matter before it at most."""
    items = element.below("li")
    if len(items) < 2 or element.link_density < _LINKED or element.find("ul", "ol") is not None:
        return False  # a list in it is looked at for itself
    return all(
        item.link_density >= _LINKED
        and item.link_chars >= _HEADLINE_CHARS
        and item.chars - item.link_chars <= _KICKER_CHARS
        and (link := item.find("a")) is not None
        and item.text().endswith(link.text())
        for item in items
    )


def _has_label(element: Element) -> bool:
    """Whether the first words in *element* are a label such as *Related news*."""
    holder = next((child for child in element.walk() if child.own_chars), None)
    if holder is None:
        return False
    first = next(item for item in holder.children if isinstance(item, str) and item.strip())
    return RELATED_LABEL.search(" ".join(first[:_LABEL_CHARS].split()).lower()) is not None


def _has_twins(element: Element) -> bool:
    """Whether two elements right beside *element* are teasers as well: on a page of few words each has a good share."""
    if element.parent is None or len(element.parent.children) > _BOX_ELEMENTS:
        return False
    beside = list(element.parent.elements)
    at = beside.index(element)
    near = [other for other in beside[max(at - 2, 0) : at + 3] if other is not element and other.tag == element.tag]
    return sum(1 for other in near if other.chars <= 900 and _is_teaser(other)) >= 2


def _is_teaser(element: Element) -> bool:
    """Whether *element* opens with a heading that is a link as a whole, as the teaser of another article does."""
    heading = element.find(*HEADING_TAGS)
    if heading is None or heading.chars < 15 or len(element.text_before(heading)) > _KICKER_CHARS:
        return False
    linked = heading.link_density > 0.9 or any(around.tag == "a" for around in heading.ancestors())
    return linked and element.tag in {"article", "div", "section", "li"}

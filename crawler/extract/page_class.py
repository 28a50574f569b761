"""A page's signs, weighed → its class and the reason in words. A short article is no error."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from crawler.extract.body.boxes import is_hidden
from crawler.extract.fields.live import find_posts
from crawler.extract.page.metadata import types_of
from crawler.extract.page.signs import CAPTCHA, CONSENT_FORM, GALLERY, PAYWALL
from crawler.extract.page.tree import Element
from crawler.extract.page.words import (
    CHALLENGE,
    CONSENT_CHOICE,
    CONSENT_PHRASE,
    FAILURE,
    INFOGRAPH,
    NOT_FOUND,
    PAGE_GONE,
    PAGE_WORD,
    PAYWALL_PHRASE,
    ROBOT_CHECK,
)
from crawler.model import PageClass

if TYPE_CHECKING:
    from crawler.extract.body.blocks import Block
    from crawler.extract.fields.statements import Fields
    from crawler.extract.page.metadata import Metadata
    from crawler.extract.page.parsing import Page

Verdict = tuple[PageClass, str]
_VIDEO_TYPES = frozenset({"VideoObject", "Clip", "Movie", "TVEpisode", "Episode"})
_GALLERY_TYPES = frozenset({"ImageGallery", "MediaGallery"})
_LIST_TYPES = frozenset({"CollectionPage", "ItemList", "SearchResultsPage", "WebSite"})
_PAGED = re.compile(r"(?:^|/)(?:page|pagina|seite|p)/\d+$", re.IGNORECASE)
_UNPARTED = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff]")
"""Letters of Thai, Lao, Burmese, Khmer, Japanese and Chinese."""
_COUNT = re.compile(r"[0-9]{1,9}")
_MAX_BOX_CHARS = 100_000
_UNIT_TAGS = frozenset({"div", "article", "li", "section", "tr"})
_SMALL_PAGE = 3_000
_FEWEST_HITS = 2
"""Words of consent that a form of it has."""
_MAX_CONSENT_CHARS, _MAX_HIDDEN = 10 * _SMALL_PAGE, 100
"""Of a page that may be a form of consent: its text, hidden parts counted, and how many of these there are."""
_FAILURE_CHARS = 600
_FAILURE_STATUS = re.compile(r"50[0-4]")
_REPORT_CHARS = 60
"""So much running text under a headline that says something in passing is a report of it."""
_PIECES = re.compile(r"\s+[|\-–—·:]\s+|[!?:.]\s+")
_STORY_CHARS = 800
_SAID_BLOCKS, _SAID_CHARS = 100, 20_000
"""Of the text, which says at its beginning that a page is gone, if it does."""


@dataclass(frozen=True, slots=True)
class Reading:
    """All that was read off a page and bears on what it is."""

    page: Page
    found: Metadata
    title: str | None
    title_element: Element | None
    scope: Element
    """The element around headline and body."""
    container: Element
    """The body's element."""
    blocks: list[Block]
    fields: Fields
    url: str
    status: int | None

    @property
    def chars(self) -> int:
        """Characters of the body's running text."""
        return sum(block.chars - block.link_chars for block in self.blocks)

    @property
    def is_stated_article(self) -> bool:
        """Whether the page says in a machine's words that it is an article."""
        return bool(self.found.article) or (self.found.first("og:type") or "").lower() in {"article", "news"}


def classify_page(reading: Reading) -> Verdict:
    """Return the class of a page and why. Refusals come first, then kinds, then what kind of article."""
    for judge in (
        _status,
        _challenge,
        _consent,
        _not_found,
        _failure,
        _live,
        _video,
        _infograph,
        _gallery,
        _listing,
        _truncated,
    ):
        verdict = judge(reading)
        if verdict is not None:
            return verdict
    if not reading.blocks:
        if reading.is_stated_article and reading.title:
            return PageClass.ARTICLE, "it says it is an article; its text is the headline alone"
        return PageClass.ERROR, "no running text was found"
    if not reading.is_stated_article and reading.chars < 140 and not reading.title:
        return PageClass.ERROR, f"no headline and {reading.chars} characters of running text"
    return PageClass.ARTICLE, f"{len(reading.blocks)} blocks of text, {reading.chars} characters"


def _status(reading: Reading) -> Verdict | None:
    status = reading.status
    if status is None or status < 400:
        return None
    return _challenge(reading) or (PageClass.ERROR, f"status {status}")


def _all_text(reading: Reading) -> str:
    return " ".join([reading.found.title or "", reading.page.body.text()[:20_000]])


def _challenge(reading: Reading) -> Verdict | None:
    if reading.page.body.chars > _SMALL_PAGE or reading.found.article:
        return None
    text = _all_text(reading)
    match = CHALLENGE.search(text)
    boxed = bool(reading.page.body.signed(CAPTCHA))
    if match and not boxed and not ROBOT_CHECK.search(text):
        several = len({found[0].lower() for found in CHALLENGE.finditer(text)}) > 1
        match = match if several or any(_is_mostly(CHALLENGE, line) for line in _headlines(reading)) else None
    if match and (boxed or reading.page.body.chars < 1_500):
        return PageClass.CHALLENGE, f"a short page that says {match[0]!r}"
    if boxed and reading.page.body.chars < 600:
        return PageClass.CHALLENGE, "a short page with a robot check"
    return None


def _consent(reading: Reading) -> Verdict | None:
    if reading.found.article or reading.found.first("og:type") not in {None, "website"}:
        return None
    known = "published" in reading.fields and reading.fields["published"].origin != "guess"
    body = reading.page.body
    if (known and not body.signed(CONSENT_FORM)) or body.chars > _MAX_CONSENT_CHARS:
        return None
    text, boxed = _shown_text(body)
    if (known and not boxed) or len(text) > _SMALL_PAGE * 2:
        return None
    found = CONSENT_PHRASE.findall(text)  # dear: asked of small pages only
    if len(found) < _FEWEST_HITS:
        return None
    hits, asks = len(found), len({word.lower() for word in found}) > 1 and CONSENT_CHOICE.search(text) is not None
    lines = [block for block in reading.blocks if CONSENT_PHRASE.search(block.text)]
    mostly = 2 * sum(block.chars for block in lines) >= sum(block.chars for block in reading.blocks)
    if not lines:  # else each page of links alone is one, because of its banner
        mostly = 2 * boxed >= len(text) or not (boxed or _count_teasers(reading))
    if hits >= 3 and asks and not known and mostly and hits * 250 > len(text):
        return PageClass.CONSENT, f"{hits} words of consent in {len(text)} characters and nothing of an article"
    if boxed and hits >= _FEWEST_HITS and mostly and len(text) < _SMALL_PAGE:
        return PageClass.CONSENT, "a page that holds a consent form and nothing else"
    return None


def _shown_text(body: Element) -> tuple[str, int]:
    """Return what *body* shows, and how many characters of it stand in forms of consent."""
    text = body.text()
    boxed = end = hidden = 0
    for element in body.walk():
        if element.order < end:
            continue
        if element.attributes and is_hidden(element):
            end = element.end
            hidden += 1
            text = text.replace(element.text(), "", 1)
            if hidden == _MAX_HIDDEN:
                break
        elif element.signs & CONSENT_FORM and element is not body:
            end = element.end
            boxed += element.chars
    return " ".join(text.split()), boxed


def _headlines(reading: Reading) -> list[str]:
    """Return what stands above the page's text, with and without the name of the site."""
    headings = [element.text() for element in reading.page.body.below("h1", "h2")[:12] if 2 < element.chars < 90]
    return headings + ([reading.found.title] if reading.found.title else [])


def _is_mostly(phrase: re.Pattern[str], line: str) -> bool:
    """Whether *line*, or a sentence of it, is *phrase* and words for a page, and hardly anything else."""
    pieces = _PIECES.split(line)
    for piece in pieces:
        rest = PAGE_WORD.sub("", phrase.sub("", piece)).strip()
        if phrase.search(piece) and 3 * len(rest) <= len(piece):
            return True
    return False


def _not_found(reading: Reading) -> Verdict | None:
    named = next((name for name in ("error404", "error-page") if name in reading.page.body.get("class")), None)
    weight = 2 * bool(named)
    weight -= 3 * bool(reading.found.article) + ("article:published_time" in reading.found.meta) * 2
    weight -= reading.chars > 1_200
    weight += "canonical_url" not in reading.fields
    if weight < -1:
        return None  # whatever it says
    headings = [element for element in reading.page.body.below("h1", "h2") if 2 < element.chars < 90]
    heading = next((text for text in map(Element.text, headings[:12]) if NOT_FOUND.search(text)), None)
    titled = NOT_FOUND.search(reading.found.title or "")
    if weight + 2 * bool(titled) + 2 * bool(heading) < 3:
        return None
    if named == "error404" and not (titled or heading):
        return PageClass.SOFT_404, f"status {reading.status or 'unknown'}, but the page is named {named!r}"
    words = heading or reading.found.title
    beginning = [block.text for block in reading.blocks[:_SAID_BLOCKS]]
    said = "\n".join([heading or "", reading.found.title or "", *beginning])[:_SAID_CHARS]
    plain = PAGE_GONE.search(said) or any(_is_mostly(NOT_FOUND, line) for line in _headlines(reading))
    if not plain and reading.chars >= _REPORT_CHARS:
        return None  # a boat was not found, or a bus has that number
    return PageClass.SOFT_404, f"status {reading.status or 'unknown'}, but the page says {words!r} and names no article"


def _failure(reading: Reading) -> Verdict | None:
    """Say whether a server that failed answered with 200."""
    if reading.is_stated_article or reading.chars > _FAILURE_CHARS:
        return None
    if "published" in reading.fields and reading.fields["published"].origin != "guess":
        return None
    lines = _headlines(reading)
    if any(_FAILURE_STATUS.fullmatch(line) for line in lines):
        lines += [block.text for block in reading.blocks[:3]]
    said = next((line for line in lines if _is_mostly(FAILURE, line)), None)
    return (PageClass.ERROR, f"a short page that says {said!r}") if said else None


def _live(reading: Reading) -> Verdict | None:
    if any("LiveBlogPosting" in types_of(item) for item in reading.found.objects):
        return PageClass.LIVE, "JSON-LD says LiveBlogPosting"
    if any("LiveBlogPosting" in element.get("itemtype") for element in reading.page.root.tree.described):
        return PageClass.LIVE, "microdata says LiveBlogPosting"
    posts = len(find_posts(reading.scope))
    return (PageClass.LIVE, f"{posts} posts with their times") if posts >= 4 else None


def _video(reading: Reading) -> Verdict | None:
    stated = (reading.found.first("og:type") or "").lower()
    main = reading.found.objects[0] if reading.found.objects else {}
    if reading.chars > 1_500:
        return None
    if stated.startswith("video") and "videos" in reading.fields:
        return PageClass.VIDEO, f"og:type says {stated} and there is a film"
    if types_of(main) & _VIDEO_TYPES and not reading.found.article:
        return PageClass.VIDEO, "JSON-LD says VideoObject and there is little text"
    return None


def _infograph(reading: Reading) -> Verdict | None:
    if reading.chars > 400 or not reading.is_stated_article:
        return None
    section = str(reading.fields["section"].value) if "section" in reading.fields else ""
    signs = [section, *urlsplit(reading.url).path.split("/")[:3]]
    signs += [element.get("class") for element in reading.scope.below("figure")]
    if any(INFOGRAPH.search(sign) for sign in signs) and reading.fields.get("images") is not None:
        return PageClass.INFOGRAPH, "named an infograph, with a picture and hardly any text"
    return None


def _gallery(reading: Reading) -> Verdict | None:
    images = reading.fields["images"].value if "images" in reading.fields else []
    captions = sum(len(image.get("caption", "")) for image in images)
    if len(images) < 3:
        return None
    stated = any(types_of(item) & _GALLERY_TYPES for item in reading.found.objects)
    boxed = any(element.tag != "figure" for element in reading.scope.signed(GALLERY))
    few = reading.chars < 400 or (reading.chars < 0.5 * captions and reading.chars < 1_200)
    if few and (stated or boxed) and captions:
        return PageClass.GALLERY, f"{len(images)} pictures whose captions outweigh the text"
    return None


def _listing(reading: Reading) -> Verdict | None:
    if reading.found.article or "article:published_time" in reading.found.meta:
        return None
    path = urlsplit(reading.url).path.strip("/")
    teasers = _count_teasers(reading)
    units = _teaser_units(reading.container)
    dated = "published" in reading.fields and reading.fields["published"].origin != "guess"
    longest = max((block.chars - block.link_chars for block in reading.blocks), default=0)
    weight = 2 * (not path) + ((reading.found.first("og:type") or "").lower() == "website")
    weight += any(types_of(item) & _LIST_TYPES for item in reading.found.objects)
    weight += (teasers >= 1) + (teasers >= 8) + (reading.chars < 400) + (longest < 200) + 3 * (units >= 6)
    weight += "next" in reading.found.links or "listing" in reading.page.body.get("class")
    weight -= 2 * (reading.title_element is not None and reading.chars > _STORY_CHARS and units < 6)
    weight += 2 * bool(_PAGED.search(path)) - 2 * (longest > 350) - (reading.chars > 2_500 and units < 6) - dated
    if weight >= 4 and (teasers or units or _PAGED.search(path)):
        return (
            PageClass.LISTING,
            f"{max(teasers, units)} teasers, {reading.chars} characters of other text, nothing of one article",
        )
    return None


def _count_teasers(reading: Reading) -> int:
    return sum(1 for element in reading.page.body.below("h2", "h3", "h4") if _is_linked_heading(element))


def _is_linked_heading(element: Element) -> bool:
    if element.chars <= 12:
        return False
    return element.link_density > 0.9 or (element.parent is not None and element.parent.tag == "a")


def _teaser_units(container: Element) -> int:
    """Return how many elements side by side in *container* each begin with a link, if they are most of its text."""
    best = 0
    for parent in container.walk():
        units = [child for child in parent.elements if child.tag in _UNIT_TAGS and _begins_with_link(child)]
        if len(units) > best and sum(unit.chars for unit in units) > 0.6 * container.chars:
            best = len(units)
    return best


def _begins_with_link(element: Element) -> bool:
    if not 20 <= element.chars <= 700 or element.link_density > 0.95 or element.end - element.order > 100:
        return False
    for child in element.walk():
        if child.own_chars:
            return child.chars > 14 and _is_linked_within(child, element)
    return False


def _is_linked_within(inner: Element, element: Element) -> bool:
    """Whether *inner* is a link, or lies in one, in *element*, which is around it."""
    around: Element | None = inner
    while around is not None and around.order >= element.order:
        if around.tag == "a":
            return True
        around = around.parent
    return False


def _truncated(reading: Reading) -> Verdict | None:
    boxes = reading.scope.signed(PAYWALL)
    paid = str(reading.found.article.get("isAccessibleForFree", "")).lower() == "false"
    stated = reading.found.article.get("wordCount")
    count = int(stated) if isinstance(stated, int | str) and _COUNT.fullmatch(str(stated)) else 0
    words = sum(_count_words(block.text) for block in reading.blocks) if 0.5 * count > 60 else 0
    short_of = words < 0.5 * count > 60
    ends_open = bool(reading.blocks) and reading.blocks[-1].text.endswith(("…", "..."))
    weight = bool(boxes) + paid + 2 * short_of + ends_open - (reading.chars > 1_600) - 2 * (reading.chars > 3_500)
    if weight < 1:
        return None  # whatever it says
    boxed = " ".join(box.text()[:_MAX_BOX_CHARS] for box in boxes[:5])
    said = PAYWALL_PHRASE.search(boxed) or PAYWALL_PHRASE.search(_tail(reading))
    if weight + 2 * bool(said) < 3:
        return None
    signs = [f"it says {said[0]!r}"] if said else []
    signs += ["it states that it is not free"] if paid else []
    signs += [f"{words} of {stated} words"] if short_of else []
    return PageClass.TRUNCATED, "; ".join(signs) or "a pay wall follows the first paragraphs"


def _count_words(text: str) -> int:
    """Return how many words *text* has, at most: where no spaces part them, publishers count letters."""
    return len(text.split()) + len(_UNPARTED.findall(text))


def _tail(reading: Reading) -> str:
    """Return the visible text that follows the last block, as far as it stands in the same scope."""
    if not reading.blocks:
        return ""
    last = reading.blocks[-1].order
    pieces = [
        " ".join(child for child in element.children if isinstance(child, str))
        for element in reading.scope.walk()
        if element.order >= last
    ]
    return " ".join(" ".join(pieces).split())[:3_000]

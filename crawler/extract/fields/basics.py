"""Everything beside the text: from JSON-LD, meta, rules and the visible page → fields, each with its origin.

What is text and what is a field is decided in FORMAT.md § 6.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, urlsplit

from crawler.extract.fields.access import read_access
from crawler.extract.fields.authors import read_authors
from crawler.extract.fields.statements import Fields
from crawler.extract.fields.targets import resolve
from crawler.extract.page.metadata import Metadata, text_of, texts_of, types_of
from crawler.extract.page.rules import select
from crawler.extract.page.signs import READING_TIME, TAGS
from crawler.extract.page.tree import BLOCK_TAGS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from config.rules import ExtractRules
    from crawler.extract.fields.openings import Opening
    from crawler.extract.page.parsing import Page
    from crawler.extract.page.tree import Element

MAX_ITEMS = 200
_TAGS_ELEMENTS, _TAG_CHARS = 200, 60
_SOURCE = re.compile(
    r"^(?:source|quelle|fuente|fonte|bron|kilde|källa|źródło|kaynak|источник|المصدر)\s*[:：]\s*", re.IGNORECASE
)
_SOURCE_LABEL = re.compile(_SOURCE.pattern + "$", re.IGNORECASE)
SOURCE_STARTS = frozenset({"so", "qu", "fu", "fo", "br", "ki", "kä", "źr", "ka", "ис", "ال"})
_SOURCE_CHARS = 90
_MINUTES = re.compile(r"(\d{1,3})\s*(?:-\s*)?(?:min|دقائق|دقيقة|мин|分)", re.IGNORECASE)
_PATH_WORDS = frozenset({"news", "articles", "article", "story"})
"""Parts of addresses that name no section."""


@dataclass(frozen=True, slots=True)
class Lines:
    """Elements that nothing names, and that are read for what they say."""

    near: list[Element]
    """Between headline and text, and what signs the text at its end: a byline may be among them."""
    tags: list[Element]
    """Lines of links that a label such as *Tags:* begins."""


def read_fields(
    page: Page,
    found: Metadata,
    rules: ExtractRules,
    *,
    url: str,
    place: Element,
    openings: list[Opening],
    lines: Lines,
) -> Fields:
    """Return all fields but dates, the language and those that hang on the body.

    *place*: the element around headline and body.
    """
    fields = Fields()
    fields.put("url", url, "visible")
    fields.put("canonical_url", resolve(url, next(iter(found.links.get("canonical", [])), None)), "meta")
    fields.put("canonical_url", resolve(url, found.first("og:url")), "meta")
    direction = (page.root.get("dir") or page.body.get("dir")).lower()
    fields.put("dir", direction if direction in {"ltr", "rtl"} else None, "visible")
    fields.put("site_name", found.first("og:site_name"), "meta")
    fields.put("site_name", text_of(found.article.get("publisher")), "json-ld")
    fields.put("title_tag", found.title, "meta")
    fields.put("social_title", found.first("og:title"), "meta")
    fields.put("description", found.first("description", "og:description"), "meta")
    fields.put("type", sorted(types_of(found.article)), "json-ld")
    fields.put("og_type", found.first("og:type"), "meta")
    read_authors(fields, page, found, rules, place=place, host=_split(url), lines=lines.near)
    _read_section(fields, page, found, rules, url)
    _read_tags(fields, page, found, rules, place=place, lines=lines.tags)
    _read_source(fields, page, rules, openings)
    _read_reading_time(fields, page, rules)
    read_access(fields, page, found)
    return fields


def _split(url: str) -> SplitResult:
    try:
        return urlsplit(url)
    except ValueError:
        return urlsplit("")


def _texts(page: Page, selector: str | None) -> list[str]:
    return [text for element in select(page, selector)[:MAX_ITEMS] if (text := element.text())]


def _read_section(fields: Fields, page: Page, found: Metadata, rules: ExtractRules, url: str) -> None:
    fields.put("section", next(iter(_texts(page, rules.section)), None), "rule")
    fields.put("section", text_of(found.article.get("articleSection")), "json-ld")
    fields.put("section", found.first("article:section", "section", "parsely-section", "category"), "meta")
    crumbs = found.of_type("BreadcrumbList").get("itemListElement")
    if isinstance(crumbs, list) and len(crumbs) > 1:
        names = [
            text_of(item.get("name")) or text_of(item.get("item")) for item in crumbs[:10] if isinstance(item, dict)
        ]
        fields.put("breadcrumbs", [name for name in names if name], "json-ld")
    if "section" not in fields:
        path = url.split("//", 1)[-1].split("?", 1)[0].split("/")[1:-1]
        fields.put(
            "section", next((part for part in path if part.isalpha() and part not in _PATH_WORDS), None), "guess"
        )


def _read_tags(
    fields: Fields, page: Page, found: Metadata, rules: ExtractRules, *, place: Element, lines: Iterable[Element]
) -> None:
    keywords = found.article.get("keywords")
    stated = keywords.split(",") if isinstance(keywords, str) else texts_of(keywords)
    fields.put("tags", _unique(_texts(page, rules.tags)), "rule")
    fields.put("tags", _unique(found.meta.get("article:tag", [])), "meta")
    fields.put("tags", _unique(stated), "json-ld")
    words = found.first("news_keywords", "keywords", "parsely-tags") or ""
    fields.put("tags", _unique(words.split(",")), "meta")
    if "tags" not in fields:
        linked = (one.text() for one in page.root.tree.described if "tag" in one.get("rel").split() and one.chars < 80)
        fields.put("tags", _unique(linked), "visible")
    if "tags" not in fields:
        fields.put("tags", _unique(_list_linked_tags(page, place, lines)), "visible")


def _list_linked_tags(page: Page, place: Element, lines: Iterable[Element]) -> Iterator[str]:
    """Yield what the links say in the first place that is named tags, or in a line that its label calls so."""
    named = (one for one in page.body.signed(TAGS) if place.order <= one.order < place.end)
    for holder in [*islice(named, MAX_ITEMS), *lines]:
        links = holder.below("a") if holder.end - holder.order <= _TAGS_ELEMENTS and holder.tag != "a" else []
        texts = [link.text() for link in links if 1 < link.chars <= _TAG_CHARS]
        if texts and len(texts) == len(links):
            yield from texts
            return


def _unique(values: Iterable[str]) -> list[str]:
    kept: dict[str, None] = {}
    for value in values:
        if value and (value := value.strip()):
            kept[value] = None
            if len(kept) >= MAX_ITEMS:
                break
    return list(kept)


def _read_source(fields: Fields, page: Page, rules: ExtractRules, openings: list[Opening]) -> None:
    """Add the agency or paper that a line such as *Source: Agencies* names."""
    source = next(iter(_texts(page, rules.source)), None)
    origin = "visible" if source is None else "rule"
    if source is None:
        source = next(_list_sources(openings), None)
    if source:
        fields.put("source_text", source, origin)
        fields.put("source", _SOURCE.sub("", source), origin)


def _list_sources(openings: list[Opening]) -> Iterator[str]:
    """Yield the short lines that begin with a label of a source, in document order."""
    for element, opening in openings:
        if element.chars >= _SOURCE_CHARS or not _SOURCE.match(opening):
            continue
        line: Element | None = element.parent if _SOURCE_LABEL.match(element.text()) else element
        if line is not None and line.chars < _SOURCE_CHARS and not _holds_blocks(line):
            text = line.text()
            if _SOURCE.match(text) and not _SOURCE_LABEL.match(text):
                yield text


def _holds_blocks(element: Element) -> bool:
    return any(child.tag in BLOCK_TAGS for child in element.walk() if child is not element)


def _read_reading_time(fields: Fields, page: Page, rules: ExtractRules) -> None:
    ruled = next(iter(_texts(page, rules.reading_time)), None)
    marked = (one for one in page.body.signed(READING_TIME) if 2 < one.chars < 40)
    reading = ruled or next((element.text() for element in marked), None)
    if reading and (minutes := _MINUTES.search(reading)):
        origin = "rule" if ruled else "visible"
        fields.put("reading_time_text", reading, origin)
        fields.put("reading_time_minutes", int(minutes[1]), origin)

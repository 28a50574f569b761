"""Everything beside the text: from JSON-LD, meta, rules and the visible page → fields, each with its origin."""

from __future__ import annotations

import re
from itertools import islice
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin

from crawler.extract.metadata import Metadata, text_of, texts_of, types_of
from crawler.extract.rules import select
from crawler.extract.signs import BYLINE, READING_TIME
from crawler.extract.tree import BLOCK_TAGS
from crawler.model import FieldValue

if TYPE_CHECKING:
    from collections.abc import Iterable

    from config.rules import ExtractRules
    from crawler.extract.tree import Element, Page

MAX_ITEMS = 200
MAX_URL_CHARS = 20_000
"""What is longer is no address of anything."""
_MAX_NAMES = 50
_LINE_TAGS = frozenset({"li", "p", "span", "div"})
_BYLINE_TAGS = frozenset({"li", "p", "div", "span", "address", "a"})
_BY = re.compile(r"^(?:written |reported |words |story |edited )?by\b\s*:?\s*|^(?:بقلم|كتب)\s*:?\s*", re.IGNORECASE)
_BY_ELSEWHERE = re.compile(
    r"^(?:von|par|por|di|door|av|af|autor(?:in|es)?|auteur|autore|author)\b\s*:?\s+", re.IGNORECASE
)
"""Only in what stands on the page as a byline: *von* and *di* are parts of names, too."""
_SOURCE = re.compile(
    r"^(?:source|quelle|fuente|fonte|bron|kilde|källa|źródło|kaynak|источник|المصدر)\s*[:：]\s*", re.IGNORECASE
)
_AND = re.compile(r"\s*(?:,|;|\||\s&\s|\s(?:and|und|et|y|e|en|och|og|i|ve|и)\s)\s*")
_MINUTES = re.compile(r"(\d{1,3})\s*(?:-\s*)?(?:min|دقائق|دقيقة|мин|分)", re.IGNORECASE)
_CREDIT = re.compile(
    r"\(([^()]{2,60})\)\s*$|(?:photo|foto|credit|image|picture|copyright|©)\s*(?:by|:|/)?\s*([^|()]{2,60})$",
    re.IGNORECASE,
)
_CREDIT_CHARS = 200
"""It stands at the end, and is shorter than this."""
_URL = re.compile(r"^(?:https?:)?//|^www\.|@")
Fields = dict[str, FieldValue]


def read_fields(page: Page, found: Metadata, rules: ExtractRules, *, url: str, language: str | None) -> Fields:
    """Return all fields but dates and those that hang on the body's place (see `crawler.extract.links`)."""
    fields: Fields = {"url": FieldValue(url, "visible")}
    _put(fields, "canonical_url", _resolve(url, next(iter(found.links.get("canonical", [])), None)), "meta")
    _put(fields, "canonical_url", _resolve(url, found.first("og:url")), "meta")
    _read_language(fields, page, found, language)
    _put(fields, "site_name", found.first("og:site_name"), "meta")
    _put(fields, "site_name", text_of(found.article.get("publisher")), "json-ld")
    _put(fields, "description", found.first("description", "og:description"), "meta")
    _put(fields, "type", sorted(types_of(found.article)), "json-ld")
    _put(fields, "og_type", found.first("og:type"), "meta")
    _read_authors(fields, page, found, rules)
    _read_section(fields, page, found, rules, url)
    _read_visible(fields, page, rules)
    _read_access(fields, found)
    return fields


def _put(fields: Fields, name: str, value: object, origin: str) -> None:
    """Set a field unless a better origin has set it already, or *value* is empty."""
    if name not in fields and value not in (None, "", [], {}):
        fields[name] = FieldValue(value, origin)


def _resolve(url: str, target: str | None) -> str | None:
    if not target or len(target) > MAX_URL_CHARS:
        return None
    try:
        return urljoin(url, target)
    except ValueError:
        return None


def _texts(page: Page, selector: str | None) -> list[str]:
    return [text for element in select(page, selector)[:MAX_ITEMS] if (text := element.text())]


def _read_language(fields: Fields, page: Page, found: Metadata, language: str | None) -> None:
    stated = page.root.get("lang") or page.root.get("xml:lang") or found.first("content-language", "language") or ""
    _put(fields, "language", stated.strip().lower()[:16], "meta")
    _put(fields, "language", (text_of(found.article.get("inLanguage")) or "").lower()[:16], "json-ld")
    _put(fields, "language", (found.first("og:locale") or "").replace("_", "-").lower()[:16], "meta")
    _put(fields, "language", language, "guess")
    direction = (page.root.get("dir") or page.body.get("dir")).lower()
    _put(fields, "dir", direction if direction in {"ltr", "rtl"} else None, "visible")


def _read_authors(fields: Fields, page: Page, found: Metadata, rules: ExtractRules) -> None:
    ruled = _texts(page, rules.authors)
    _put(fields, "byline", ruled[0] if ruled else None, "rule")
    visible = _visible_byline(page)
    _put(fields, "byline", visible, "visible")
    _put(fields, "authors", split_names(ruled, shown=True), "rule")
    stated = found.article.get("author") or found.article.get("creator")
    _put(fields, "authors", split_names(texts_of(stated)), "json-ld")
    names = [
        name
        for key in ("author", "article:author", "dc.creator", "parsely-author", "byl")
        for name in found.meta.get(key, [])
    ]
    _put(fields, "authors", split_names(names), "meta")
    marked = (
        element.text()
        for element in page.root.tree.described
        if "author" in element.get("itemprop") or element.get("rel") == "author"
    )
    _put(fields, "authors", split_names(islice(marked, 20), shown=True), "visible")
    _put(fields, "authors", split_names([visible] if visible and len(visible) < 80 else [], shown=True), "visible")


def _visible_byline(page: Page) -> str | None:
    for element in page.body.walk():
        if not (element.signs & BYLINE and 3 < element.chars < 150):
            continue
        if element.tag in _BYLINE_TAGS and element.find("p", "ul", "h2") is None:
            return element.text()
    return None


def split_names(texts: Iterable[str], *, shown: bool = False) -> list[str]:
    """Return the names in *texts*: *By A and B* is two; addresses and repeats go. *shown*: it stands as a byline."""
    names: dict[str, str] = {}
    for text in texts:
        for part in _AND.split(_bare_name(text, shown=shown)):
            name = _bare_name(part, shown=False).strip(" .,;:|-–—·")
            if 1 < len(name) <= 80 and not _URL.search(name):
                names.setdefault(name.casefold(), name)
                if len(names) >= _MAX_NAMES:
                    return list(names.values())
    return list(names.values())


def _bare_name(text: str, *, shown: bool) -> str:
    text = _BY.sub("", text.strip())
    return _BY_ELSEWHERE.sub("", text) if shown else text


def _read_section(fields: Fields, page: Page, found: Metadata, rules: ExtractRules, url: str) -> None:
    _put(fields, "section", next(iter(_texts(page, rules.section)), None), "rule")
    _put(fields, "section", text_of(found.article.get("articleSection")), "json-ld")
    _put(fields, "section", found.first("article:section", "section", "parsely-section", "category"), "meta")
    crumbs = found.of_type("BreadcrumbList").get("itemListElement")
    if isinstance(crumbs, list) and len(crumbs) > 1:
        names = [
            text_of(item.get("name")) or text_of(item.get("item")) for item in crumbs[:10] if isinstance(item, dict)
        ]
        _put(fields, "breadcrumbs", [name for name in names if name], "json-ld")
    path = url.split("//", 1)[-1].split("?", 1)[0].split("/")[1:-1]
    words = [part for part in path if part.isalpha() and part not in {"news", "articles", "article", "story"}]
    _put(fields, "section", words[0] if words else None, "guess")
    _put(fields, "tags", _texts(page, rules.tags), "rule")
    _put(fields, "tags", found.meta.get("article:tag"), "meta")
    keywords = found.article.get("keywords")
    stated = keywords.split(",") if isinstance(keywords, str) else texts_of(keywords)
    _put(fields, "tags", _unique(stated), "json-ld")
    _put(fields, "tags", _unique((found.first("news_keywords", "keywords", "parsely-tags") or "").split(",")), "meta")
    if "tags" in fields:
        fields["tags"] = FieldValue(_unique(fields["tags"].value), fields["tags"].origin)


def _unique(values: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(value.strip() for value in values if value and value.strip()))[:MAX_ITEMS]


def _read_visible(fields: Fields, page: Page, rules: ExtractRules) -> None:
    source = next(iter(_texts(page, rules.source)), None)
    origin = "rule"
    if source is None:
        origin = "visible"
        lines = (element for element in page.body.walk() if 6 < element.chars < 90 and element.tag in _LINE_TAGS)
        source = next(
            (text for element in lines if _SOURCE.match(text := element.text()) and not _holds_blocks(element)), None
        )
    if source:
        _put(fields, "source_text", source, origin)
        _put(fields, "source", _SOURCE.sub("", source), origin)
    reading = next(iter(_texts(page, rules.reading_time)), None)
    if reading is None:
        marked = (e for e in page.body.walk() if e.signs & READING_TIME and 2 < e.chars < 40)
        reading, origin = next((element.text() for element in marked), None), "visible"
    else:
        origin = "rule"
    if reading and (minutes := _MINUTES.search(reading)):
        _put(fields, "reading_time_text", reading, origin)
        _put(fields, "reading_time_minutes", int(minutes[1]), origin)


def _holds_blocks(element: Element) -> bool:
    return any(child.tag in BLOCK_TAGS for child in element.walk() if child is not element)


def _read_access(fields: Fields, found: Metadata) -> None:
    free = found.article.get("isAccessibleForFree")
    if free is not None:
        _put(fields, "access", "free" if str(free).lower() == "true" else "paid", "json-ld")
    tier = found.first("article:content_tier")
    _put(fields, "access", {"free": "free", "metered": "metered", "locked": "paid"}.get((tier or "").lower()), "meta")


def find_credit(caption: str) -> str | None:
    """Return whom *caption* names as the picture's maker: what stands in brackets at its end, or after *Photo:*."""
    match = _CREDIT.search(caption[-_CREDIT_CHARS:])
    return (match[1] or match[2]).strip() if match else None


def image_of(value: object) -> dict[str, Any]:
    """Return `{"url", "caption", "credit"}`, as far as given, of a JSON-LD image."""
    if isinstance(value, list):
        value = value[0] if value else None
    if isinstance(value, dict):
        parts = {
            "url": value.get("url") or value.get("contentUrl"),
            "caption": text_of(value.get("caption")),
            "credit": text_of(value.get("creditText") or value.get("author")),
        }
        return {name: text for name, text in parts.items() if isinstance(text, str) and text}
    return {"url": value} if isinstance(value, str) and value else {}

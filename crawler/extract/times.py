"""When an article was published and changed: every statement of the page, and the one to believe, with its origin."""

from __future__ import annotations

import sys
from itertools import islice
from typing import TYPE_CHECKING

from crawler import allowance
from crawler.extract.dates import FoundDate, parse_date
from crawler.extract.metadata import Metadata, text_of
from crawler.extract.rules import select
from crawler.extract.signs import DATE, MODIFIED
from crawler.extract.tree import MAX_GUESSED_ELEMENTS
from crawler.model import FieldValue

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from config.rules import ExtractRules
    from crawler.extract.statements import Fields
    from crawler.extract.tree import Element, Page

_PUBLISHED_META = (
    "article:published_time", "article:published", "og:article:published_time", "datepublished", "datecreated",
    "pubdate", "publishdate", "publish-date", "publish_date", "publication_date", "published_date", "published-date",
    "published_time", "dc.date", "dc.date.issued", "dc.date.created", "dcterms.created", "dcterms.date",
    "dcterms.issued", "date", "date.published", "sailthru.date", "parsely-pub-date", "cxenseparse:recs:publishtime",
    "article.published", "originalpublicationdate", "article_date_original", "og:published_time", "bt:pubdate",
    "pub_date", "created",
)  # fmt: skip
_MODIFIED_META = (
    "article:modified_time", "og:updated_time", "datemodified", "last-modified", "lastmod", "dcterms.modified",
    "dc.date.modified", "article:modified", "revised",
)  # fmt: skip
_LEARNING_SECONDS = 6.0
"""Of CPU time, for what htmldate's own library does once in a process, when a date is hard to read: it learns how 200
languages write dates. 1.8 s were measured."""
_LANGUAGES = "dateparser.data.date_translation_data."
_ALL_LANGUAGES = 200
_MAX_HTMLDATE_CHARS = 1_000_000
_MAX_VISIBLE = 8_000
"""Texts that are tried as dates. Most on 1,500 real pages: 1,502."""


def read_times(
    fields: Fields,
    page: Page,
    found: Metadata,
    rules: ExtractRules,
    *,
    title: Element | None,
    html: str,
    captured_at: datetime,
    zone: str | None,
) -> None:
    """Add `published`, `modified` and all their candidates to *fields*. *zone*: assumed where a time states none."""
    statements = {
        "published": [
            *_ruled(page, rules.published),
            *_stated(found, ("datePublished", "dateCreated"), _PUBLISHED_META),
            *islice(_visible(page, title, modified=False), _MAX_VISIBLE),
        ],
        "modified": [
            *_ruled(page, rules.modified),
            *_stated(found, ("dateModified",), _MODIFIED_META),
            *islice(_visible(page, title, modified=True), _MAX_VISIBLE),
        ],
    }
    for name, texts in statements.items():
        parsed = [
            (date, text, origin)
            for text, origin in texts
            if (date := parse_date(text, zone=zone, captured_at=captured_at))
        ]
        if name == "published" and not parsed and page.size <= MAX_GUESSED_ELEMENTS:
            parsed = list(_guessed(html, str(fields["url"].value), captured_at))
        if not parsed:
            continue
        best = (
            next((item for item in parsed if "T" in item[0].value), parsed[0]) if parsed[0][2] != "rule" else parsed[0]
        )
        fields[name] = FieldValue(best[0].value, best[2], best[0].assumed_zone)
        fields[f"{name}_candidates"] = FieldValue([_candidate(*item) for item in _distinct(parsed)], best[2])
        shown = next((text for _, text, origin in parsed if origin in {"visible", "rule"} and len(text) < 60), None)
        if shown:
            fields[f"{name}_text"] = FieldValue(shown, "visible")


def _candidate(date: FoundDate, text: str, origin: str) -> dict[str, str]:
    entry = {"value": date.value, "from": origin, "text": text}
    return entry | ({"assumed_zone": date.assumed_zone} if date.assumed_zone else {})


def _distinct(parsed: list[tuple[FoundDate, str, str]]) -> list[tuple[FoundDate, str, str]]:
    seen: dict[tuple[str, str], tuple[FoundDate, str, str]] = {}
    for item in parsed:
        seen.setdefault((item[1], item[2]), item)
    return list(seen.values())[:20]


def _ruled(page: Page, selector: str | None) -> Iterator[tuple[str, str]]:
    for element in select(page, selector)[:5]:
        yield element.get("datetime") or element.get("content") or element.text(), "rule"


def _stated(found: Metadata, keys: tuple[str, ...], names: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    for key in keys:
        if text := text_of(found.article.get(key)):
            yield text, "json-ld"
    for name in names:
        for value in found.meta.get(name, [])[:2]:
            yield value, "meta"
    if not found.article:
        for item in found.objects:
            if text := text_of(item.get(keys[0])):
                yield text, "json-ld"


def _visible(page: Page, title: Element | None, *, modified: bool) -> Iterator[tuple[str, str]]:
    """Yield times near the headline: `<time>`, itemprop, and short texts in a class that says date."""
    want = "dateModified" if modified else "datePublished"
    elements = page.root.tree.elements
    if title is not None:
        elements = elements[max(page.body.order, title.order - 60) : title.order + 80]
    stated = {element.order: element for element in page.root.tree.described if want in element.get("itemprop")}
    near = {element.order: element for element in elements if 5 < element.chars < 80}
    for order, element in sorted((near | stated).items()):
        if order in stated:
            yield element.get("datetime") or element.get("content") or element.text(), "visible"
        else:
            signs = element.signs
            if bool(signs & MODIFIED) is not modified:
                continue
            if element.tag == "time":
                yield element.text(), "visible"
                if element.get("datetime"):
                    yield element.get("datetime"), "visible"
            elif signs & DATE and element.tag in {"li", "span", "p", "div"}:
                yield element.text(), "visible"


def _guessed(html: str, url: str, captured_at: datetime) -> Iterator[tuple[FoundDate, str, str]]:
    """Yield htmldate's guess: only for pages that state no date at all."""
    if len(html) > _MAX_HTMLDATE_CHARS:
        return
    if sum(1 for name in sys.modules if name.startswith(_LANGUAGES)) < _ALL_LANGUAGES:
        allowance.extend(_LEARNING_SECONDS)
    import htmldate  # noqa: PLC0415 - slow to load, and few pages need it; outside of try: must not be missing unseen

    try:
        guess = htmldate.find_date(html, original_date=True, url=url, max_date=captured_at.date().isoformat())
    except Exception:  # noqa: BLE001 - a library on hostile input: no date is worse than nothing else
        return
    if guess:
        yield FoundDate(guess), guess, "guess"

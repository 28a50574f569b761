"""When an article was published and changed: every statement of the page, and the one to believe, with its origin."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

from crawler.extract.page.metadata import Metadata, text_of, types_of
from crawler.extract.page.rules import select
from crawler.extract.times.datelines import Dateline, find_datelines, find_last_line, find_said
from crawler.extract.times.dates import DateRules, FoundDate, parse_date
from crawler.extract.times.unseen_dates import find_in_source, find_times, read_address
from crawler.model import FieldValue

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from config.rules import ExtractRules
    from crawler.extract.fields.statements import Fields
    from crawler.extract.page.parsing import Page
    from crawler.extract.page.tree import Element

_PUBLISHED_META = (
    "article:published_time", "article:published", "og:article:published_time", "datepublished", "datecreated",
    "pubdate", "publishdate", "publish-date", "publish_date", "publication_date", "published_date", "published-date",
    "published_time", "dc.date", "dc.date.issued", "dc.date.created", "dcterms.created", "dcterms.date",
    "dcterms.issued", "date", "date.published", "sailthru.date", "parsely-pub-date", "cxenseparse:recs:publishtime",
    "article.published", "originalpublicationdate", "article_date_original", "og:published_time", "bt:pubdate",
    "pub_date", "created", "published", "publisheddate", "published_at", "article:published_date", "date.created",
    "dc:date", "dc.created", "dc:created", "dc.issued", "dcterms:created", "dcterms:issued", "prism.publicationdate",
    "citation_publication_date", "citation_online_date", "citation_date", "article_date", "article.created",
    "cxenseparse:publishtime", "cxenseparse:recs:published_time", "vr:published_time", "rnews:datepublished",
    "shareaholic:article_published_time", "createdate", "release_date",
)  # fmt: skip
_MODIFIED_META = (
    "article:modified_time", "og:updated_time", "datemodified", "last-modified", "lastmod", "dcterms.modified",
    "dc.date.modified", "article:modified", "revised", "og:article:modified_time", "article:modified_date",
    "dcterms:modified", "date.modified", "date.updated", "bt:moddate", "shareaholic:article_modified_time",
)  # fmt: skip
_DAY_CHARS = len("2023-11-06")
_MAX_CANDIDATES = 20
_MAX_DESCRIBED = 100
_MAX_OBJECTS = 200
_MAX_SHOWN_CHARS = 200
_SAME = timedelta(minutes=1)
_SHORT = 60
"""Characters of a text that is shown as the date itself."""
_UNSURE = frozenset({"en", "en-us", "en-ca", "en-ph", ""})
"""Languages in which not everywhere the day comes first; many a site that states `en-US` only never changed it."""


class Statement(NamedTuple):
    """A date, and where it is from."""

    date: FoundDate
    text: str
    origin: str


def read_times(
    fields: Fields,
    page: Page,
    found: Metadata,
    rules: ExtractRules,
    *,
    title: Element | None,
    text: tuple[int, int],
    html: str,
    captured_at: datetime,
    zone: str | None,
    doubts: list[str],
) -> None:
    """Add `published`, `modified` and all their candidates to *fields*. *zone*: assumed where a time states none.

    *title*: the element of the headline; *text*: order of the elements where the text begins and ends. *doubts*: takes
    what the time of capture decided, as in `DateRules`.
    """
    tongue = fields.get("language_declared") or fields.get("language")  # a region is stated, and not heard
    language = str(tongue.value) if tongue else ""
    reading = DateRules(captured_at, zone, is_month_first(language, zone), doubts)
    url = str(fields["url"].value) if "url" in fields else ""  # a file has none
    address = read_address(url, reading)
    described = _described(page, "datePublished", "dateModified")
    stated = _stated(found, ("datePublished", "dateCreated"), _PUBLISHED_META)
    published = _parse([*_ruled(page, rules.published), *stated, *described[0]], reading)
    stated = _stated(found, ("dateModified",), _MODIFIED_META)
    modified = _parse([*_ruled(page, rules.modified), *stated, *described[1]], reading)
    lines = find_datelines(page, title, text[0], hint=address, rules=reading, named=bool(published))
    shown = _shown((line for line in lines if not line.changed), reading)
    changes = _shown((line for line in lines if line.changed), reading)
    if not published:
        if len(address) == _DAY_CHARS and not any(_is_near(statement.date, address) for statement in shown[:1]):
            published = [Statement(FoundDate(address), url, "guess")]
        elif not shown:
            published = _guess(page, html, text, reading, changes)
    _put(fields, "published", published + shown)
    _put(fields, "modified", modified + changes)


def is_month_first(language: str, zone: str | None) -> bool | None:
    """Return whether 03/04/2023 is a day of March where *language* is written; `None` if that is not certain."""
    language = language.lower().replace("_", "-")
    if language not in _UNSURE:
        return False
    if zone is not None and not zone.startswith(("America/", "US/")):
        return None if language == "en-us" else False
    return True if language == "en-us" or (language == "en" and zone) else None


def _put(fields: Fields, name: str, statements: list[Statement]) -> None:
    if not statements:
        return
    best = _choose(statements)
    fields[name] = FieldValue(best.date.value, best.origin, best.date.assumed_zone)
    kept = _distinct(statements)
    if best not in kept:
        kept[-1] = best
    fields[f"{name}_candidates"] = FieldValue([_candidate(*item) for item in kept], best.origin)
    shown = [item for item in statements if item.origin in {"visible", "rule"} and len(item.text) < _SHORT]
    written = (item.text for item in shown if not item.text.startswith(item.date.value[:_DAY_CHARS]))
    if text := next(written, shown[0].text if shown else None):
        fields[f"{name}_text"] = FieldValue(text, "visible")


def _choose(statements: list[Statement]) -> Statement:
    """Return the first, or what says the same more exactly: with the time, or the moment in the place's own zone."""
    first = statements[0]
    if first.origin == "rule":
        return first
    day = first.date.value[:_DAY_CHARS]
    timed = [statement for statement in statements if "T" in statement.date.value]
    best = next((statement for statement in timed if statement.date.value.startswith(day)), first)
    best = best if best in timed else next((other for other in timed if _is_near(other.date, day)), first)
    if not best.date.value.endswith("+00:00"):
        return best
    moment = datetime.fromisoformat(best.date.value)
    for statement in timed:
        other = datetime.fromisoformat(statement.date.value)
        if other.utcoffset() and not statement.date.assumed_zone and abs(other - moment) < _SAME:
            return statement
    return best


def _is_near(found: FoundDate, day: str) -> bool:
    shown = datetime.fromisoformat(found.value[:_DAY_CHARS])
    return abs(shown - datetime.fromisoformat(day)) <= timedelta(days=1)


def _parse(texts: Iterable[tuple[str, str]], rules: DateRules) -> list[Statement]:
    return [Statement(date, text, origin) for text, origin in texts if (date := parse_date(text, rules))]


def _candidate(date: FoundDate, text: str, origin: str) -> dict[str, str]:
    entry = {"value": date.value, "from": origin, "text": text}
    return entry | ({"assumed_zone": date.assumed_zone} if date.assumed_zone else {})


def _distinct(statements: list[Statement]) -> list[Statement]:
    seen: dict[tuple[str, str], Statement] = {}
    for statement in statements:
        seen.setdefault((statement.text, statement.origin), statement)
    return list(seen.values())[:_MAX_CANDIDATES]


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
        for item in found.objects[:_MAX_OBJECTS]:
            if text := text_of(item.get(keys[0])):
                yield text, "json-ld"
        main = found.objects[0] if found.objects else {}
        if "datePublished" in keys and "VideoObject" in types_of(main) and (text := text_of(main.get("uploadDate"))):
            yield text, "json-ld"


def _described(page: Page, *names: str) -> list[list[tuple[str, str]]]:
    """Return, for each of *names*, what elements say that have it as their `itemprop`."""
    said: list[list[tuple[str, str]]] = [[] for _ in names]
    for element in page.root.tree.described:
        described = element.attributes.get("itemprop")
        if not described or "date" not in described:
            continue
        for name, texts in zip(names, said, strict=True):
            if name in described and len(texts) < _MAX_DESCRIBED:
                shown = element.text() if element.chars <= _MAX_SHOWN_CHARS else ""
                texts.append((element.get("datetime") or element.get("content") or shown, "visible"))
    return said


def _shown(lines: Iterable[Dateline], rules: DateRules) -> list[Statement]:
    statements = []
    for line in lines:
        said = [Statement(line.date, line.text, "visible")]
        if line.element.tag == "time" and (stated := line.element.get("datetime")) and stated != line.text:
            exact = _parse([(stated, "visible")], rules)
            said = exact + said if line.date.assumed_zone and _is_sure(exact, line.date) else said + exact
        statements += said
    return statements


def _is_sure(exact: list[Statement], shown: FoundDate) -> bool:
    """Whether a time that states its zone stands for one that is *shown* without."""
    return any(
        "T" in date.value and not date.assumed_zone and _is_near(date, shown.value[:_DAY_CHARS]) for date, _, _ in exact
    )


def _guess(page: Page, html: str, text: tuple[int, int], rules: DateRules, changes: list[Statement]) -> list[Statement]:
    """Return what something far from the headline calls the date of publication; else the dates of *changes*."""
    published, changed = find_said(page, *text, rules)
    if published:
        return [Statement(published.date, published.text, "visible")]
    if found := find_in_source(html, rules) or find_times(page, rules):
        return [Statement(found, found.value, "guess")]
    if changes:
        return [change._replace(origin="guess") for change in changes]
    line = changed or find_last_line(page, text[1], rules)
    return [Statement(line.date, line.text, "guess")] if line else []

"""What a page says of itself: JSON-LD objects and `<meta>` elements, read with limits. Judges nothing."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from functools import cached_property
from html import unescape
from itertools import islice
from typing import TYPE_CHECKING, Any

from pydantic_core import from_json

from crawler.normalise import normalise_line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from selectolax.lexbor import LexborNode

    from crawler.extract.page.parsing import Page

_MAX_SCRIPTS = 40
_MAX_CHARS = 5_000_000
"""Of JSON-LD on one page. Most on 1,500 real pages: 841,000."""
_MAX_OBJECTS = 5_000
_MAX_ITEMS = 50_000
"""Lists and objects of one script that are looked at for such."""
_MAX_ELEMENTS = 5_000
"""Meta elements, and links, that are read. Most on 1,500 real pages: 619."""
_MAX_VALUE_CHARS = 1_000_000
"""Of one meta element, read so far. Most on 1,500 real pages: 169,000."""
_MAX_TEXT_CHARS = 100_000
"""Of one JSON-LD value that is no article body, read so far. Most on 1,500 real pages: 5,500."""
_MAX_LEVELS = 200
_MAX_BRACKETS = 500_000
_MAX_TYPES = 20
_MAX_TYPE_CHARS = 200
_STATEMENTS = 'meta[content], link[rel][href], script[type*="ld+json" i]'
_META_KEYS = ("property", "name", "itemprop", "http-equiv")
_NAMESPACE = re.compile(r"[/#:]")
_CONTROL = re.compile(r"[\x00-\x1f]+")
_BRACKET = re.compile(r"[\[\]{}]")
_TAG = re.compile(r"<[^<>]{1,200}>")
_OPENING = re.compile(r"\s*(?://\s*)?(?:<!--|<!\[CDATA\[|/\*<!\[CDATA\[\*/)")
_CLOSINGS = ("-->", "]]>", "/*]]>*/")
ARTICLE_TYPES = frozenset(
    [
        "Article",
        "NewsArticle",
        "ReportageNewsArticle",
        "AnalysisNewsArticle",
        "OpinionNewsArticle",
        "BackgroundNewsArticle",
        "AskPublicNewsArticle",
        "ReviewNewsArticle",
        "BlogPosting",
        "LiveBlogPosting",
        "SocialMediaPosting",
        "Report",
        "TechArticle",
        "ScholarlyArticle",
        "AdvertiserContentArticle",
        "SatiricalArticle",
        "Review",
    ]
)


@dataclass
class Metadata:
    """JSON-LD and meta of one page."""

    objects: list[dict[str, Any]] = field(default_factory=list)
    """All JSON-LD objects that stand on their own or in a graph, in page order."""
    meta: dict[str, list[str]] = field(default_factory=dict)
    """Values by lower-case name, property or itemprop."""
    links: dict[str, list[str]] = field(default_factory=dict)
    """`<link href>` by rel."""
    title: str | None = None
    """Of the `<title>` element."""

    def first(self, *names: str) -> str | None:
        """Return the first value that is there of meta *names*."""
        return next((self.meta[name][0] for name in names if self.meta.get(name)), None)

    @cached_property
    def article(self) -> dict[str, Any]:
        """The JSON-LD object of the article, empty if there is none."""
        return next((item for item in self.objects if types_of(item) & ARTICLE_TYPES), {})

    def of_type(self, *names: str) -> dict[str, Any]:
        """Return the first JSON-LD object of one of these types, empty if there is none."""
        return next((item for item in self.objects if types_of(item) & set(names)), {})


def read_metadata(page: Page) -> Metadata:
    """Read JSON-LD, `<meta>`, `<link>` and `<title>` of *page*."""
    found = Metadata()
    nodes: dict[str, list[LexborNode]] = {"meta": [], "link": [], "script": []}
    for node in page.parser.css(_STATEMENTS):  # one look through the page for all
        nodes[node.tag or ""].append(node)
    for node in nodes["meta"][:_MAX_ELEMENTS]:
        _read_meta(found, node.attributes)
    for node in nodes["link"][:_MAX_ELEMENTS]:
        attributes = node.attributes
        for rel in (attributes.get("rel") or "").lower().split(maxsplit=_MAX_TYPES)[:_MAX_TYPES]:
            found.links.setdefault(rel, []).append((attributes.get("href") or "").strip())
    title = page.parser.css_first("head > title") or page.parser.css_first("title")
    if title is not None:
        found.title = normalise_line(title.text()[:_MAX_TEXT_CHARS]) or None
    room = _MAX_CHARS
    for script in nodes["script"][:_MAX_SCRIPTS]:
        source = script.text()
        if len(source) <= room:
            room -= len(source)
            found.objects.extend(islice(_objects(source), _MAX_OBJECTS - len(found.objects)))
    return found


def _read_meta(found: Metadata, attributes: dict[str, str | None]) -> None:
    keys = [name.strip().lower() for key in _META_KEYS if (name := attributes.get(key))]
    if not any(keys):
        return
    value = (attributes.get("content") or "")[:_MAX_VALUE_CHARS]
    value = normalise_line(unescape(value) if "&" in value else value)
    for name in keys:
        if name and value:
            found.meta.setdefault(name, []).append(value)


def types_of(item: dict[str, Any]) -> set[str]:
    """Return the types that a JSON-LD object has, without their namespace."""
    value = item.get("@type")
    names = value if isinstance(value, list) else [value]
    return {_NAMESPACE.split(name[-_MAX_TYPE_CHARS:])[-1] for name in names[:_MAX_TYPES] if isinstance(name, str)}


def text_of(value: object) -> str | None:
    """Return the text of a JSON-LD value: a string, the first of a list, or an object's name or URL."""
    for _ in range(4):
        if isinstance(value, list) and value:
            value = value[0]
        elif isinstance(value, dict):
            value = value.get("name") or value.get("@value") or value.get("url") or value.get("@id")
        else:
            break
    if not isinstance(value, str):
        return None
    value = value[:_MAX_TEXT_CHARS]
    text = _TAG.sub(" ", unescape(unescape(value))) if "<" in value or "&" in value else value
    return normalise_line(text) or None


def texts_of(value: object) -> list[str]:
    """Return the texts of a JSON-LD value that may be one or many."""
    values = value if isinstance(value, list) else [value]
    return [text for item in values[:200] if (text := text_of(item))]


def _objects(source: str) -> Iterator[dict[str, Any]]:
    stack = [_parse(_unwrap(source))]  # the next one last
    for _ in range(_MAX_ITEMS):
        if not stack:
            break
        item = stack.pop()
        inner = item
        if isinstance(item, dict):
            yield item
            main = item.get("mainEntity")
            if isinstance(main, dict) and types_of(main) & ARTICLE_TYPES:
                yield main
            inner = item.get("@graph")
        if isinstance(inner, list):
            stack += [one for one in reversed(inner[:_MAX_OBJECTS]) if isinstance(one, dict | list)]


def _unwrap(source: str) -> str:
    """Take off what once hid scripts from old browsers."""
    source = source.rstrip()
    for closing in _CLOSINGS:
        source = source.removesuffix(closing)
    opening = _OPENING.match(source)
    return source[opening.end() :] if opening else source


def _is_deep(source: str) -> bool:
    """Whether *source* has more levels than `from_json` reads: how many `json` does hangs on what called it."""
    depth = 0
    for number, mark in enumerate(_BRACKET.finditer(source)):
        depth += 1 if mark[0] in "[{" else -1
        if depth > _MAX_LEVELS or number > _MAX_BRACKETS:
            return True
    return False


def _parse(source: str) -> Any:  # noqa: ANN401 - JSON is of any type
    try:
        return from_json(source)  # three times as fast as json, and stricter
    except ValueError:
        pass
    if _is_deep(source):
        return None
    for text in (
        source,
        _CONTROL.sub(" ", source),
        re.sub(r",\s*([}\]])", r"\1", _CONTROL.sub(" ", source)).rstrip(" ;"),
    ):
        try:
            return json.loads(text)
        except (ValueError, RecursionError):
            continue
    return None

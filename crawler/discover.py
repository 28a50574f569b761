"""The bytes of a feed, sitemap, robots.txt or listing page → the links that they announce. Never raises on bad input.

What stands before a fault counts. Nothing is fetched, no entity is expanded; run it in a process that can be killed.
"""

from __future__ import annotations

import io
import json
import re
import zlib
from calendar import timegm
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from xml.parsers import expat

import feedparser
from selectolax.lexbor import LexborHTMLParser

from crawler.encoding import decode_html
from crawler.model import Discovery, Link, Purpose
from crawler.urls import resolve_link

if TYPE_CHECKING:
    from collections.abc import Iterable

MAX_INFLATED_BYTES = 64 * 1024 * 1024
_MAX_TEXT = 8_192
_MAX_TITLE = 500
_MAX_DEPTH = 64
_SNIFFED_BYTES = 16_384
_CHUNK_BYTES = 65_536

_GZIP = b"\x1f\x8b"
_PROLOGUE = re.compile(
    r"\s+|<\?[^>]*>|<!--.*?-->|<!(?!doctype html)[A-Za-z][^>\[]*(?:\[[^\]]*\]\s*)?>", re.DOTALL | re.IGNORECASE
)
_ROOT = re.compile(r"<!?(?:[A-Za-z_][\w.-]*:)?([A-Za-z_][\w.-]*)")
_BARE_AMPERSAND = re.compile(rb"&(?!(?:#\d{1,8}|#x[0-9A-Fa-f]{1,8}|amp|lt|gt|quot|apos);)")
_ROBOTS_SITEMAP = re.compile(r"^[ \t]*sitemap[ \t]*:[ \t]*(\S{1,2000})", re.IGNORECASE | re.MULTILINE)
_SITEMAP_VALUES = frozenset(
    {("url", "loc"), ("url", "lastmod"), ("sitemap", "loc"), ("sitemap", "lastmod")}
    | {("news", "publication_date"), ("news", "title")}
)
_HOST_FIRST = re.compile(r"((?:[a-z0-9-]+\.)+[a-z]{2,24})(?=/)", re.IGNORECASE)


@dataclass(slots=True)
class _Finder:
    """Gathers links, each URL once, up to a limit."""

    url: str
    limit: int
    base: str = ""
    found: dict[str, Link] = field(default_factory=dict)
    truncated: bool = False

    def add(
        self,
        href: str,
        purpose: Purpose = Purpose.ARTICLE,
        *,
        title: str | None = None,
        published: datetime | None = None,
        modified: datetime | None = None,
    ) -> bool:
        """Take a link; tell whether there is room for more."""
        target = resolve_link(self.base or self.url, href)
        if target is None:
            return True
        title = " ".join(title.split())[:_MAX_TITLE] or None if title else None
        known = self.found.get(target)
        if known is not None:
            if known.title is None and title is not None:
                self.found[target] = replace(known, title=title)
            return True
        if len(self.found) >= self.limit:
            self.truncated = True
            return False
        self.found[target] = Link(target, self.url, purpose, title, published, modified)
        return True

    def result(self, error: str | None = None) -> Discovery:
        return Discovery(tuple(self.found.values()), error and error[:500], self.truncated)


def discover_links(body: bytes, *, url: str, purpose: Purpose, media_type: str | None, limit: int) -> Discovery:
    """Return the links in *body*, which was served at *url* and fetched for *purpose*.

    *body*: content coding undone; a gzip file (`sitemap.xml.gz`) is inflated here. *media_type*: Content-Type, with or
    without its parameters. *limit*: at most that many links.
    """
    finder = _Finder(url, limit)
    body, fault = _inflate_file(body)
    try:
        if purpose is Purpose.ROBOTS:
            error = _read_robots(body, finder)
        elif purpose is Purpose.SECTION:
            error = _read_section(body, media_type, finder)
        elif purpose in {Purpose.FEED, Purpose.SITEMAP}:
            error = _read_announcement(body, purpose, media_type, finder)
        else:
            error = f"a page fetched as {purpose} announces nothing"
    except Exception as failure:  # noqa: BLE001 - foreign parsers on hostile bytes: whatever it is, it is the document's fault
        error = f"cannot be read: {type(failure).__name__}: {failure}"
    return finder.result("; ".join(part for part in (fault, error) if part) or None)


def _inflate_file(body: bytes) -> tuple[bytes, str | None]:
    """Return what a gzip file holds, as far as it is whole, and what is wrong with it; other bytes as they are."""
    parts: list[bytes] = []
    room = MAX_INFLATED_BYTES
    rest = body
    while rest.startswith(_GZIP):
        inflater = zlib.decompressobj(wbits=31)
        for start in range(0, len(rest), _CHUNK_BYTES):
            try:
                data = inflater.decompress(rest[start : start + _CHUNK_BYTES], room + 1)
            except zlib.error as error:
                return b"".join(parts), f"damaged gzip file: {error}"
            parts.append(data[:room])
            room -= len(data)
            if room < 0:
                return b"".join(parts), f"gzip file inflates to more than {MAX_INFLATED_BYTES} bytes"
            if inflater.eof:
                rest = inflater.unused_data + rest[start + _CHUNK_BYTES :]
                break
        else:
            return b"".join(parts), "gzip file is cut off"
    return (b"".join(parts), None) if parts else (body, None)


def _sniff(body: bytes) -> str:
    """Return the name of the root element in lower case, `{` for JSON, or an empty string."""
    start = body[:_SNIFFED_BYTES]
    encoding = "utf-16" if start[:2] in {b"\xff\xfe", b"\xfe\xff"} else "utf-8-sig"
    text = start.decode(encoding, "replace")
    position = 0
    while match := _PROLOGUE.match(text, position):
        position = match.end()
    if text.startswith("{", position):
        return "{"
    root = _ROOT.match(text, position)
    return root[1].lower() if root else ""


def _read_announcement(body: bytes, purpose: Purpose, media_type: str | None, finder: _Finder) -> str | None:
    """Read a feed or sitemap by what it is, not by what it was said to be: publishers mix them up."""
    root = _sniff(body)
    if not body.strip():
        return f"found nothing where a {purpose} should be"
    if root in {"html", "doctype", "head", "body"}:
        return f"found HTML where a {purpose} should be"
    if root in {"urlset", "sitemapindex"}:
        return _read_sitemap(body, finder)
    if root == "{":
        return _read_json_feed(body, finder)
    if purpose is Purpose.SITEMAP and not root:
        return _read_url_list(body, finder)
    return _read_feed(body, media_type, finder)


def _read_feed(body: bytes, media_type: str | None, finder: _Finder) -> str | None:
    charset = re.search(r"charset=[\w.:-]{1,40}", media_type or "", re.IGNORECASE)
    parsed = feedparser.parse(
        io.BytesIO(body),
        response_headers={"content-type": f"application/xml; {charset[0]}" if charset else "application/xml"},
        resolve_relative_uris=False,
        sanitize_html=False,
    )
    for entry in parsed.entries:
        href = _entry_link(entry)
        # Not entry.get(): feedparser's own hands out `published` for a missing `updated`.
        published = _from_struct(dict.get(entry, "published_parsed"))
        modified = _from_struct(dict.get(entry, "updated_parsed"))
        title = _text(dict.get(entry, "title"))
        if href and not finder.add(_with_scheme(href, finder.url), title=title, published=published, modified=modified):
            return None
    if not parsed.version and not parsed.entries:
        return "found neither RSS, Atom, JSON Feed nor a sitemap"
    fault = parsed.get("bozo_exception")
    harmless = (feedparser.CharacterEncodingOverride, feedparser.NonXMLContentType)
    return f"damaged feed: {fault}" if fault is not None and not isinstance(fault, harmless) else None


def _entry_link(entry: Any) -> str | None:  # noqa: ANN401 - feedparser has no types
    for candidate in (dict.get(entry, "feedburner_origlink"), dict.get(entry, "link")):
        if isinstance(candidate, str) and candidate.strip():
            return candidate
    for link in dict.get(entry, "links") or []:
        if link.get("rel", "alternate") == "alternate" and link.get("href"):
            return str(link["href"])
    identifier = _text(dict.get(entry, "id"))
    return identifier if identifier and identifier.startswith(("http://", "https://")) else None


def _read_json_feed(body: bytes, finder: _Finder) -> str | None:
    try:
        data = json.loads(body)
    except (ValueError, RecursionError) as error:
        return f"not a JSON Feed: {error}"
    items = data.get("items") if isinstance(data, dict) else None
    if not isinstance(items, list):
        return "not a JSON Feed: it has no list of items"
    for item in items:
        if not isinstance(item, dict):
            continue
        identifier = _text(item.get("id"))
        href = _text(item.get("url")) or _text(item.get("external_url"))
        href = href or (identifier if identifier and identifier.startswith(("http://", "https://")) else None)
        if href and not finder.add(
            _with_scheme(href, finder.url),
            title=_text(item.get("title")),
            published=_parse_time(_text(item.get("date_published"))),
            modified=_parse_time(_text(item.get("date_modified"))),
        ):
            break
    return None


def _read_url_list(body: bytes, finder: _Finder) -> str | None:
    """Read a sitemap in the protocol's text form: one URL a line."""
    lines = body.decode("utf-8-sig", "replace").splitlines()
    for line in lines:
        if line.strip().lower().startswith(("http://", "https://")) and not finder.add(line):
            return None
    return None if finder.found else "found no XML and no list of URLs where a sitemap should be"


def _read_robots(body: bytes, finder: _Finder) -> str | None:
    for match in _ROBOTS_SITEMAP.finditer(body.decode("utf-8-sig", "replace")):
        if not finder.add(match[1], Purpose.SITEMAP):
            break
    return None


def _read_section(body: bytes, media_type: str | None, finder: _Finder) -> str | None:
    tree = LexborHTMLParser(decode_html(body, media_type))
    base = tree.css_first("base[href]")
    finder.base = (resolve_link(finder.url, base.attributes.get("href") or "") if base else None) or finder.url
    for node in tree.css("link[rel][href], a[rel][href]"):
        if "next" in (node.attributes.get("rel") or "").lower().split():
            target = resolve_link(finder.base, node.attributes.get("href") or "")
            if target and target != finder.url and _host(target) == _host(finder.url):
                finder.add(target, Purpose.SECTION)
    for node in tree.css("a[href]"):
        href = node.attributes.get("href")
        if href and not finder.add(href, title=node.text(deep=True)):
            break
    return None if finder.found else "found no links in the page"


def _host(url: str) -> str:
    return (urlsplit(url).hostname or "").removeprefix("www.")


class _StopReadingError(Exception):
    """There is no room for more links, or the document is not to be trusted further."""


@dataclass(slots=True)
class _SitemapReader:
    """Expat's handlers: one link at the end of each `url` or `sitemap` element."""

    finder: _Finder
    path: list[str] = field(default_factory=list)
    values: dict[str, str] = field(default_factory=dict)
    text: str = ""
    fault: str | None = None

    def read(self, body: bytes) -> str | None:
        parser = expat.ParserCreate()
        parser.buffer_text = True
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._add_text
        parser.EntityDeclHandler = self._refuse_entities
        try:
            parser.Parse(body, True)
        except _StopReadingError:
            return self.fault
        except (expat.ExpatError, ValueError, LookupError) as error:
            return f"damaged sitemap: {error}"
        return None

    def _start(self, name: str, _attributes: dict[str, str]) -> None:
        self.path.append(name.rpartition(":")[2].lower())
        self.text = ""
        if len(self.path) > _MAX_DEPTH:
            self.fault = f"damaged sitemap: elements nested more than {_MAX_DEPTH} deep"
            raise _StopReadingError
        if self.path[-1] in {"url", "sitemap"} and len(self.path) == 2:
            self.values = {}

    def _end(self, _name: str) -> None:
        name = self.path.pop()
        parent = self.path[-1] if self.path else ""
        if (parent, name) in _SITEMAP_VALUES:
            self.values.setdefault(name, self.text.strip())
        elif name in {"url", "sitemap"} and len(self.path) == 1:
            self._finish(Purpose.SITEMAP if name == "sitemap" else Purpose.ARTICLE)
        self.text = ""

    def _finish(self, purpose: Purpose) -> None:
        location = self.values.get("loc")
        if location and not self.finder.add(
            _with_scheme(location, self.finder.url),
            purpose,
            title=self.values.get("title"),
            published=_parse_time(self.values.get("publication_date")),
            modified=_parse_time(self.values.get("lastmod")),
        ):
            raise _StopReadingError

    def _add_text(self, data: str) -> None:
        if len(self.text) < _MAX_TEXT:
            self.text += data[:_MAX_TEXT]

    def _refuse_entities(self, *_declaration: object) -> None:
        self.fault = "damaged sitemap: it declares entities, which no sitemap needs"
        raise _StopReadingError


def _read_sitemap(body: bytes, finder: _Finder) -> str | None:
    body = body.lstrip()
    error = _SitemapReader(finder).read(body)
    if error and "declares entities" not in error and b"<![CDATA[" not in body:
        # By far the commonest fault: `&` written bare in a URL. What follows it would be lost.
        repaired = _BARE_AMPERSAND.sub(b"&amp;", body)
        if repaired != body:
            return _SitemapReader(finder).read(repaired)
    return error


def _with_scheme(href: str, url: str) -> str:
    """Read `gazette.example/a` in a document of gazette.example as a URL without its scheme, not as a path."""
    match = _HOST_FIRST.match(href.strip())
    if match and (match[1].lower().startswith("www.") or _host(f"//{match[1]}") == _host(url)):
        return f"{urlsplit(url).scheme}://{href.strip()}"
    return href


def _text(value: object) -> str | None:
    return value[:_MAX_TEXT] if isinstance(value, str) and value.strip() else None


def _parse_time(text: str | None) -> datetime | None:
    """Return the instant of an RFC 3339 or RFC 5322 time, UTC where it states no zone; `None` for anything else."""
    if not text or len(text) > 100:
        return None
    cleaned = text.strip()
    for parse in (datetime.fromisoformat, parsedate_to_datetime):
        try:
            value = parse(cleaned)
            return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
        except (ValueError, OverflowError, IndexError, TypeError):
            continue
    return None


def _from_struct(value: Iterable[int] | None) -> datetime | None:
    if value is None:
        return None
    try:
        return datetime.fromtimestamp(timegm(tuple(value)), tz=UTC)
    except (ValueError, OverflowError, OSError):
        return None

"""The frozen values that travel through a crawl, from a link to a snapshot. No behaviour but reading themselves."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from functools import lru_cache
from typing import Any

_MAX_LINES = 10_000
"""Of a head, those that are read: in the archives of others one may be as long as a page."""
_FOLD = re.compile(rb"\r\n[ \t]+")
_FORM = re.compile(rb"(?i)content-(?:type|encoding|length)[ \t]*:")


def _split_head(head: bytes) -> list[bytes]:
    return _FOLD.sub(b" ", head).split(b"\r\n", _MAX_LINES)[:_MAX_LINES]


@lru_cache(maxsize=4)
def read_fields(head: bytes) -> dict[bytes, list[str]]:
    """Return the values of each header in *head*, by name in lower case; kept for a moment, for who asks for more."""
    fields: dict[bytes, list[str]] = {}
    for line in _split_head(head)[1:]:
        name, _, value = line.partition(b":")
        fields.setdefault(name.strip().lower(), []).append(value.strip().decode("latin-1"))
    return fields


class Purpose(StrEnum):
    """Why something is fetched."""

    ROBOTS = "robots"
    FEED = "feed"
    SITEMAP = "sitemap"
    SECTION = "section"
    """A page that lists articles: home, section, `rel=next`."""
    ARTICLE = "article"
    ASSET = "asset"
    """What a page needs and is no page: a script and what it asks for, an image, a style sheet."""


class PageClass(StrEnum):
    """What a capture turned out to be. Only captures of a good class make revisions."""

    ARTICLE = "article"
    TRUNCATED = "truncated"
    """An article behind a wall: only its beginning is there."""
    LIVE = "live"
    VIDEO = "video"
    GALLERY = "gallery"
    INFOGRAPH = "infograph"
    LISTING = "listing"
    ASSET = "asset"
    """What is no page, and was answered as it was asked for."""
    CHALLENGE = "challenge"
    """A robot check in place of the page."""
    CONSENT = "consent"
    SOFT_404 = "soft-404"
    """Status 200, but the page says that there is nothing here."""
    NOARCHIVE = "noarchive"
    """The publisher asks that the page is not archived, and that was obeyed: its body is not kept."""
    UNREAD = "unread"
    """Recorded, and nobody has looked at it: no text was asked for."""
    OUTSIDE = "outside"
    """Of a section or in a language that its source does not want: recorded, and its text is not kept."""
    BLOCKED = "blocked"
    """robots.txt disallows it, in so many words: nothing was requested."""
    REDACTED = "redacted"
    """Taken out of the archive on request: no record of it is left, and no text."""
    ERROR = "error"

    @property
    def good(self) -> bool:
        """Whether captures of this class may make a revision."""
        return self in GOOD_CLASSES


GOOD_CLASSES = frozenset({PageClass.ARTICLE, PageClass.LIVE, PageClass.VIDEO, PageClass.GALLERY, PageClass.INFOGRAPH})


@dataclass(frozen=True, slots=True)
class Link:
    """A URL found in a feed, a sitemap or a listing page."""

    url: str
    """Absolute, as found (not normalised)."""
    via: str
    """URL of the document that it was found in."""
    purpose: Purpose = Purpose.ARTICLE
    """`SITEMAP` for a member of a sitemap index, `SECTION` for `rel=next`; else `ARTICLE` for a candidate."""
    title: str | None = None
    published: datetime | None = None
    """As announced; aware UTC."""
    modified: datetime | None = None
    """`lastmod` or `updated`, as announced; aware UTC."""
    language: str | None = None
    """As announced, in lower case."""
    numbered: bool = False
    """A `SECTION` that only the number in its address tells to be the next page: read while there is something new."""


@dataclass(frozen=True, slots=True)
class Discovery:
    """What a document announced."""

    links: tuple[Link, ...] = ()
    """In the document's order, each URL once."""
    error: str | None = None
    """What is wrong with the document, in words; there may be links all the same."""
    truncated: bool = False
    """Whether there was more than the limit let through."""


@dataclass(frozen=True, slots=True)
class TlsSession:
    """How a connection was secured."""

    version: str
    """As in `TLSv1.3`."""
    cipher: str
    """IANA or OpenSSL name."""
    certificate: str
    """`sha256:` and hex, of the peer's certificate in DER."""


@dataclass(frozen=True, slots=True)
class RecordReference:
    """A response record in a committed segment, which a revisit record may refer to."""

    target_uri: str
    captured_at: datetime
    """Aware UTC: the record's WARC-Date."""
    segment: str
    n: int


@dataclass(frozen=True, slots=True)
class Rendition:
    """What a browser made of a page that was served, or why it made nothing."""

    document: bytes = b""
    """HTML in UTF-8, as the browser had it once the page's scripts had run; empty if there is an error."""
    browser: str = ""
    """Name and version, as in `Chromium/150.0.7871.100`."""
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Exchange:
    """One HTTP exchange, as near to the wire as the client lets us see, or an attempt that got no answer."""

    url: str
    """Exactly as requested."""
    purpose: Purpose
    started_at: datetime
    """Aware UTC: when the request was begun."""
    seconds: float
    request_head: bytes
    """Request line and header lines as sent, ended by an empty line; empty if nothing was sent. Secrets are masked."""
    status: int | None = None
    """`None`: no answer."""
    response_head: bytes = b""
    """Status line and header lines as received, ended by an empty line."""
    body: bytes = b""
    """Transfer coding removed, content coding kept."""
    peer: str | None = None
    """Address of the socket's other end."""
    via: str | None = None
    """URL that led here; `None`: given by hand or by recheck."""
    truncated: str | None = None
    """`length`, `time` or `disconnect` where the body was cut, in WARC's words."""
    error: str | None = None
    """What failed, in words."""
    forbidden: bool = False
    """Whether robots.txt disallows it, so that nothing was requested. Not so where robots.txt could not be had."""
    masked: tuple[str, ...] = ()
    """Names of request headers whose values are masked."""
    via_proxy: bool = False
    tls: TlsSession | None = None
    """`None`: the connection was not secured."""
    refers_to: RecordReference | None = None
    """The record that holds this answer's payload already: this one becomes a revisit."""
    rendition: Rendition | None = None
    """`None`: nobody was asked to render it."""

    def header_values(self, name: str) -> list[str]:
        """Return the values of response header *name* in order, unfolded, decoded as Latin-1."""
        return list(read_fields(self.response_head).get(name.lower().encode("latin-1"), ()))

    def header(self, name: str) -> str | None:
        """Return the first value of response header *name*, or `None`."""
        return next(iter(self.header_values(name)), None)

    def withhold(self) -> Exchange:
        """Return what is kept of a page that asks not to be archived: all but the page itself."""
        return replace(self, body=b"", truncated="unspecified", refers_to=None, rendition=None)

    def as_rendered(self) -> Exchange:
        """Return what a reader of the page is to see: the rendered document, if there is one, else all as served."""
        if self.rendition is None or not self.rendition.document:
            return self
        # all else that was said of the page still holds: only form and coding of the body are others
        kept = [line for line in _split_head(self.response_head) if not _FORM.match(line)]
        head = b"\r\n".join([kept[0], b"Content-Type: text/html; charset=utf-8", *kept[1:]])
        return replace(self, response_head=head, body=self.rendition.document, rendition=None)


@dataclass(frozen=True, slots=True)
class FieldValue:
    """One extracted field and where it came from."""

    value: Any
    """JSON data: a string, a list of strings, or an object."""
    origin: str
    """`json-ld`, `meta`, `rule`, `visible` or `guess`."""
    assumed_zone: str | None = None
    """Set on times whose zone the page did not state: the IANA zone that was assumed."""
    confidence: float | None = field(default=None, compare=False)
    """0 to 1, from the origin and from what the page's other statements say. Not compared: it is about the value."""


@dataclass(frozen=True, slots=True)
class Article:
    """What the extractor read off a page, before normalising."""

    page_class: PageClass
    class_reason: str
    title: str | None = None
    lead: str | None = None
    blocks: tuple[str, ...] = ()
    """The body's blocks in document order; inner line breaks end a line."""
    fields: dict[str, FieldValue] = field(default_factory=dict)
    confidence: float = 0.0
    """0 to 1."""
    clock_bound: bool = False
    """Whether the time of capture decided anything, so that the same page may be read otherwise later."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The clean, normalised article of one capture under one derivation."""

    page_class: PageClass
    class_reason: str
    title: str | None
    lead: str | None
    text: str
    """Normal form of title, lead and blocks: FORMAT.md § 6."""
    text_digest: str
    """`sha256:` and hex, of the text's UTF-8 bytes."""
    derivation: str
    """`sha256:` and hex."""
    fields: dict[str, FieldValue]
    confidence: float

    @property
    def body(self) -> str:
        """Lead and body without the title: the text less its first line where that is the title."""
        if self.title and self.text.split("\n", 1)[0] == self.title:
            return self.text.partition("\n")[2]
        return self.text


@dataclass(frozen=True, slots=True)
class CrawlPlan:
    """What one run is to do; decided by jobs/, carried out by the crawl's child process."""

    run: str
    source: str
    archive: str
    """Archive id."""
    trigger: str
    """`crawl`, `daemon` or `job`."""
    spool: str
    """Folder of this source's segments: `open/`, `closed/` and on below it."""
    urls_file: str | None = None
    """A given list of pages, one URL a line: these and nothing else, no discovery."""
    recheck_file: str | None = None
    """Known articles to look at again, one normalised URL a line."""
    recheck_all: bool = False
    """Fetch announced articles that are known, whether due or not."""
    announced: int | None = None
    """At most that many known articles for what is announced of them, whatever a sitemap says; `None`: all."""
    gaps: tuple[tuple[datetime, datetime], ...] = ()
    """Fetch only what may have been published in one of these times, from and until; none: whatever is announced."""
    raw_only: bool = False
    """Record article pages and read none."""
    unconditional_every: int = 1
    """Every so many looks at a URL are unconditional; 1: all."""
    limit: int | None = None
    """At most that many article pages."""
    capacity: int | None = None
    """No more pages can be fetched in the time there is: what is found beyond is written down and not waited for."""
    max_seconds: float | None = None
    fetch_until: float | None = None
    """By the boot clock, which parent and child share: no request begins after that."""
    slot: datetime | None = None
    ledger: tuple[str, ...] = ()
    """Slot rows that wait to be committed, as lines of JSON: they go into the run's last segment."""
    epoch: int = 0
    """Of the lease under which the run crawls; 0: none is held."""

    def count_workers(self, configured: int) -> int:
        """Return how many of *configured* worker processes the run has work for: listings want one, given pages none.

        That is so of a run that reads no pages.
        """
        return configured if not self.raw_only else int(self.urls_file is None)


MAX_OUTLINE_LINES = 4_000
MAX_OUTLINE_NAMES = 8_000
MAX_OUTLINE_REFERENCES = 60_000
"""Of lines to names, in all."""


@dataclass(frozen=True, slots=True)
class OutlineLine:
    """A line of a page, in the text or not, and the elements around it."""

    line: str
    """In normal form; the end of a long one replaced by a digest."""
    chars: int
    kept: bool
    """Whether the text has it."""
    head: bool
    """Whether it is the title or of the lead."""
    linked: bool
    """Whether it is a link, all but some words or a label."""
    heading: bool
    label: str
    """What stands before a link that is all the rest of the line, as in `Read also:`; else empty."""
    names: tuple[int, ...]
    """Selectors of the elements around it, the nearest first, as numbers in `Outline.names`."""


@dataclass(frozen=True, slots=True)
class Outline:
    """What a page is compared with others of its source by."""

    page_class: PageClass
    lines: tuple[OutlineLine, ...]
    names: tuple[str, ...]
    text: tuple[str, ...]
    """The lines of the text; empty if the page has none."""
    missed: int = 0
    """Lines of the text that no block of the page has as a whole."""

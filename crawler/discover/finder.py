"""Gathers the links of one document: made absolute, each URL once, in the document's order, up to a limit."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from crawler.discover.times import parse_time
from crawler.model import Discovery, Link, Purpose
from crawler.sites import bare_host
from crawler.urls import resolve_link

if TYPE_CHECKING:
    from datetime import datetime

MAX_TITLE = 500
MAX_ERROR = 500
MAX_WORK = 2_000_000
"""Steps for one document, of about 0.7 µs each: an element of XML is one step. Counted, not timed, so that the same
bytes always give the same links."""
_LINK_STEPS = 14
_ENCODED_STEPS = 35
_TIME_STEPS = 15

_HOST_FIRST = re.compile(r"\s*((?:[a-z0-9-]+\.)+[a-z]{2,24})(?=/)", re.IGNORECASE)
_TAG = re.compile(
    r"</?(?:a|abbr|b|big|br|cite|code|div|em|font|h[1-6]|i|img|mark|p|q|s|small|span|strong|sub|sup|u|wbr)"
    r"(?:[\s/][^<>]{0,2000})?>",
    re.IGNORECASE,
)
_REFERENCE = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")


class StopReadingError(Exception):
    """The document is not to be read further."""


@dataclass(slots=True)
class Finder:
    """What has been found so far in the document at *url*."""

    url: str
    limit: int
    base: str = ""
    """What relative links are relative to, where that is not the document itself."""
    found: dict[str, Link] = field(default_factory=dict)
    truncated: bool = False
    work: int = field(default_factory=lambda: MAX_WORK)
    """Steps that may still be taken."""

    def spend(self, steps: int) -> None:
        """Count *steps* of work. Raises StopReadingError when there were too many."""
        self.work -= steps
        if self.work < 0:
            raise StopReadingError

    def resolve(self, href: str, base: str = "") -> str | None:
        """Return the absolute URL that *href* means here, or `None` if it means no page."""
        target = resolve_link(base or self.base or self.url, href)
        if target is not href:
            self.spend(_LINK_STEPS + len(href) // 40 if href.isascii() else _ENCODED_STEPS + len(href) // 4)
        return target

    def resolve_announced(self, href: str, base: str = "") -> str | None:
        """Return what `resolve` does for an address in a feed or sitemap, where the scheme is often forgotten.

        `gazette.example/a` in a document of gazette.example is read as a URL without its scheme, not as a path.
        """
        if not href.startswith(("http", "/")):
            match = _HOST_FIRST.match(href)
            if match and (match[1].lower().startswith("www.") or bare_host(f"//{match[1]}") == bare_host(self.url)):
                href = f"{urlsplit(self.url).scheme}://{href.strip()}"
        return self.resolve(href, base)

    def read_time(self, text: str | None) -> datetime | None:
        """Return the instant that *text* means, or `None`."""
        value = parse_time(text) if text else None
        if text and value is None:
            self.spend(_TIME_STEPS)
        return value

    def take(
        self,
        target: str,
        purpose: Purpose = Purpose.ARTICLE,
        *,
        title: str | None = None,
        published: datetime | None = None,
        modified: datetime | None = None,
        language: str | None = None,
    ) -> bool:
        """Take the absolute URL *target*; tell whether there is room for more. *title*: clean, see `clean_title`."""
        known = self.found.get(target)
        if known is not None:
            if known.title is None and title is not None:
                self.found[target] = replace(known, title=title)
            return True
        if len(self.found) >= self.limit:
            self.truncated = True
            return False
        self.found[target] = Link(target, self.url, purpose, title, published, modified, language)
        return True

    def clean_title(self, text: str | None, *, plain: bool = False) -> str | None:
        """Return *text* on one line, cut to 500 characters, without inline HTML; `None` if nothing is left.

        *plain*: the document says that it is no HTML, so it is left alone.
        """
        if not text:
            return None
        text = text[: 4 * MAX_TITLE]
        if not plain and ("<" in text or "&" in text):
            self.spend(len(text) // 3)
            text = _REFERENCE.sub(lambda match: html.unescape(match[0]), _TAG.sub("", text))
        return " ".join(text.split())[:MAX_TITLE] or None

    def result(self, error: str | None = None) -> Discovery:
        """Return what was found; *error*: what is wrong with the document."""
        return Discovery(tuple(self.found.values()), error and error[:MAX_ERROR], self.truncated)

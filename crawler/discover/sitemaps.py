"""Sitemaps, sitemap indexes and news sitemaps, in XML or as a list of URLs."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from config.scope import LANGUAGE
from crawler.discover.finder import Finder, StopReadingError
from crawler.discover.markup import MAX_DEPTH, MAX_NAMES, MAX_TEXT, MarkupReader
from crawler.model import Purpose

ROOTS = frozenset({"urlset", "sitemapindex"})
_ENTRIES = {"url": Purpose.ARTICLE, "sitemap": Purpose.SITEMAP}
_OF_ENTRY = frozenset({"loc", "lastmod"})
_OF_NEWS = frozenset({"publication_date", "title"})
_URL_LINE = re.compile(rb"(?:^|\r)[ \t]*(https?://[^\r\n]{1,%d})" % MAX_TEXT, re.IGNORECASE | re.MULTILINE)


@dataclass(slots=True)
class SitemapReader(MarkupReader):
    """Gives one link at the end of each `url` or `sitemap` element below the root.

    `loc` counts only as the entry's own child and in the entry's own namespace: pictures, videos and translations have
    addresses too.
    """

    kind: str = "sitemap"
    prefix: str = ""
    news: int = 0
    """Depth of the `news:news` that is open, or 0."""
    collecting: int = 0
    values: dict[str, str] = field(default_factory=dict)
    names: dict[str, tuple[str, str]] = field(default_factory=dict)

    def begin(self, name: str, attributes: list[str]) -> None:
        """Note what is to be gathered."""
        self.depth = depth = self.depth + 1
        finder = self.finder
        finder.work -= 1 + len(attributes)  # a name and a value are two steps
        if depth > MAX_DEPTH or finder.work < 0:
            self.refuse()
        prefix, local = self.names.get(name) or self._learn(name)
        if depth == 2:
            self.prefix = prefix
            self.values.clear()
        elif self.collecting:
            return
        elif (
            (depth == 3 and prefix == self.prefix and local in _OF_ENTRY)
            or (depth == self.news + 1 and depth == 4 and local in _OF_NEWS)
            or (depth == self.news + 2 and depth == 5 and local == "language")  # in its `publication`
        ):
            self.collecting = depth
            self.collect()
        elif depth == 3 and local == "news":
            self.news = depth

    def end(self, name: str) -> None:
        """Keep what was gathered; take the link of an entry."""
        depth = self.depth
        self.depth = depth - 1
        if depth == self.collecting:
            self.collecting = 0
            self.values.setdefault(self.names[name][1], self.collected())
        elif depth == self.news:
            self.news = 0
        elif depth == 2 and "loc" in self.values:
            purpose = _ENTRIES.get(self.names[name][1])
            if purpose is not None:
                self._take(purpose)

    def _learn(self, name: str) -> tuple[str, str]:
        if len(self.names) >= MAX_NAMES:
            self.stop(f"damaged sitemap: more than {MAX_NAMES} different elements")
        prefix, _, local = name.rpartition(":")
        self.names[name] = found = (prefix, local.lower())
        return found

    def _take(self, purpose: Purpose) -> None:
        values = self.values
        target = self.finder.resolve_announced(values["loc"])
        if target is not None and not self.finder.take(
            target,
            purpose,
            title=self.finder.clean_title(values.get("title")),
            published=self.finder.read_time(values.get("publication_date")),
            modified=self.finder.read_time(values.get("lastmod")),
            language=_read_language(values.get("language")),
        ):
            raise StopReadingError


def _read_language(text: str | None) -> str | None:
    """Return a language as it stands in a news sitemap, `zh-cn` and `zh-tw` among them; `None` for what is none."""
    tag = (text or "").strip().lower()
    return tag if LANGUAGE.fullmatch(tag) else None


def read_url_list(text: bytes, finder: Finder) -> str | None:
    """Read a sitemap in the protocol's text form: one URL a line."""
    for line in _URL_LINE.finditer(text):
        finder.spend(3)
        target = finder.resolve_announced(line[1].decode("utf-8", "replace"))
        if target is not None and not finder.take(target):
            return None
    return None if finder.found else "found no XML and no list of URLs where a sitemap should be"

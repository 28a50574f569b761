"""URLs of strangers' records → the source whose archive they belong into, if any. Pure, and fast."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

from config.sources import Source
from crawler.sites import Sites, bare_host
from crawler.urls import normalise_url

if TYPE_CHECKING:
    from collections.abc import Iterable

MAX_HOSTS = 10_000
"""So many hosts are remembered."""
_MAX_ID = 64
_NOT_IN_ID = re.compile(r"[^a-z0-9]+")

NO_PAGE = "its URL names no page"
NO_SOURCE = "no source has its site"
NO_ARTICLE = "its source's patterns say that it is no article"
SEED = "it is a feed, a sitemap or a section of its source"
TOO_MANY = "of a site without a source, and there are more of them than import_max_sites"


class Choice(NamedTuple):
    """The source that a URL belongs to."""

    source: Source
    matched: bool
    """Whether its patterns say that it is an article; else the page must show it."""


@dataclass(slots=True)
class Selection:
    """Decides by URL. *any_page*: what patterns do not know is taken too, and sites that no source has."""

    sources: Iterable[Source]
    any_page: bool = False
    only_named: bool = False
    """Whether *sources* were named: then no site has a source made for it."""
    max_sites: int = 100
    made: dict[str, Source] = field(default_factory=dict)
    """Host → the source that was made for it."""
    _places: list[tuple[Source, Sites]] = field(default_factory=list)
    _seeds: frozenset[str] = frozenset()
    _by_host: dict[str, tuple[Source, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        ordered = sorted(self.sources, key=lambda one: (-len(bare_host(one.home)), one.id))
        seeds = [(one, [one.home, *(entry.url for entry in one.discover)]) for one in ordered]
        self._places = [(one, Sites(urls)) for one, urls in seeds]
        self._seeds = frozenset(normal for _, urls in seeds for url in urls if (normal := _normalise(url)))

    def find(self, url: str, *, make: bool = True) -> Choice | str:
        """Return the source that *url* belongs to, or why it has none, in words that are the same for all of a kind.

        *make*: whether it is reason enough to make a source for a site that has none.
        """
        found = self._look_up(url)
        if found is None:
            return self._make(url) if make else NO_SOURCE
        return found

    def refuse(self, url: str) -> str | None:
        """Return why *url* has no source; `None` if it has one, or one would be made for it."""
        found = self._look_up(url)
        return found if isinstance(found, str) else None

    def _look_up(self, url: str) -> Choice | str | None:
        """Return what `find` does; `None` for a site that a source may be made for."""
        normal = _normalise(url)
        if normal is None:
            return NO_PAGE
        if normal in self._seeds or normal.endswith("/robots.txt"):
            return SEED
        found = self._find_sites(url)
        for source in found:
            if source.is_article(normal):
                return Choice(source, matched=True)
        if found:
            return Choice(found[0], matched=False) if self.any_page else NO_ARTICLE
        if not self.any_page or self.only_named:
            return NO_SOURCE
        made = self.made.get(bare_host(normal))
        if made is not None:
            return Choice(made, matched=False)
        return TOO_MANY if len(self.made) >= self.max_sites else None

    def _find_sites(self, url: str) -> tuple[Source, ...]:
        host = bare_host(url)
        found = self._by_host.get(host)
        if found is None:
            found = tuple(source for source, sites in self._places if url in sites)
            if len(self._by_host) >= MAX_HOSTS:
                self._by_host.clear()
            self._by_host[host] = found
        return found

    def _make(self, url: str) -> Choice:
        normal = normalise_url(url)
        parts, host = urlsplit(normal), bare_host(normal)
        taken = {one.id for one, _ in self._places} | {one.id for one in self.made.values()}
        source = self.made[host] = make_source(host, f"{parts.scheme}://{parts.netloc}/", taken)
        return Choice(source, matched=False)


def make_source(host: str, home: str, taken: Iterable[str] = ()) -> Source:
    """Return a source for a site that none is configured for, with an id made of *host*, other than those *taken*."""
    name = _NOT_IN_ID.sub("-", host.lower()).strip("-") or "site"
    if len(name) > _MAX_ID or name in taken:
        digest = hashlib.sha256(host.encode("utf-8", "surrogatepass")).hexdigest()[:8]
        name = f"{name[: _MAX_ID - 9].rstrip('-')}-{digest}"
    return Source.model_validate(
        {
            "id": name,
            "name": host[:200],
            "home": home,
            "discover": [{"section": home}],
            "articles": {"include": ["."]},
        }
    )


def _normalise(url: str) -> str | None:
    try:
        return normalise_url(url)
    except ValueError:
        return None

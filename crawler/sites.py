"""Which hosts belong to one publication: the same, above or below each other, with or without `www.`."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from crawler.urls import normalise_url

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from config.sources import Source


def bare_host(url: str) -> str:
    """Return the host of *url* in lower case without `www.`; an empty string if it has none."""
    try:
        return (urlsplit(url).hostname or "").removeprefix("www.")
    except ValueError:
        return ""


def list_own_urls(source: Source) -> list[str]:
    """Return home and seeds of *source*, normalised: their origins are its own, and get its headers."""
    return [normalise_url(url) for url in (source.home, *(seed.url for seed in source.discover))]


class Sites:
    """The hosts of some URLs. `url in sites`: whether the host of *url* is one of them, below one, or above one.

    `news.gazette.example` and `gazette.example` are one site; `news.gazette.example` and `sport.gazette.example` are
    so only where `gazette.example` is among the URLs.
    """

    def __init__(self, urls: Iterable[str]) -> None:
        self._hosts = {host for host in map(_normal_host, urls) if host}
        self._with_parents = {parent for host in self._hosts for parent in _climb(host)}

    def __contains__(self, url: object) -> bool:
        """Tell whether the URL is of one of these sites."""
        host = _normal_host(url) if isinstance(url, str) else ""
        return host in self._with_parents or not self._hosts.isdisjoint(_climb(host))


def _normal_host(url: str) -> str:
    try:
        return bare_host(normalise_url(url))
    except ValueError:
        return ""


def _climb(host: str) -> Iterator[str]:
    """Yield *host* and the names above it, but for the topmost: `com` is nobody's site."""
    yield host
    _, dot, parent = host.partition(".")
    while dot and "." in parent:
        yield parent
        _, dot, parent = parent.partition(".")

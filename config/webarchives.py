"""Where other web archives answer, as settings and sources say it: lines of text → addresses. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field

FORM = "cdx=URL replay=URL, or timemap=URL"
_EXAMPLE = "cdx=https://archive.example/news/cdx replay=https://archive.example/news/"
_KEYS = ({"cdx", "replay"}, {"timemap"})


@dataclass(frozen=True, slots=True)
class WebArchive:
    """A CDX server with the archive's replay, or an archive's TimeMaps."""

    cdx: str | None = None
    """Asked with `?url=…`."""
    replay: str | None = None
    """A copy is at this, its 14 digits, `id_/` and the page's URL."""
    timemap: str | None = None
    """The TimeMap of a page is at this and the page's URL."""

    @property
    def address(self) -> str:
        """What it is asked at, which names it."""
        return self.cdx or self.timemap or ""


def parse_web_archive(text: str) -> WebArchive:
    """Return the web archive that *text* names: `cdx=URL replay=URL` or `timemap=URL`. Raises ValueError."""
    found: dict[str, str] = {}
    for word in text.split():
        key, equals, url = word.partition("=")
        if not equals or key in found:
            raise ValueError(f"{FORM}, as in {_EXAMPLE}")
        found[key] = _check_url(key, url)
    if set(found) not in _KEYS:
        raise ValueError(f"{FORM}, as in {_EXAMPLE}")
    for key in ("replay", "timemap"):
        if key in found and not found[key].endswith(("/", "=")):
            raise ValueError(f"a URL for {key} that ends with /, since what is wanted is put behind it")
    return WebArchive(**found)


def _check(text: str) -> str:
    parse_web_archive(text)
    return text


WebArchives = Annotated[list[Annotated[str, AfterValidator(_check)]], Field(max_length=20)]
"""Texts that `parse_web_archive` reads."""


def _check_url(key: str, url: str) -> str:
    expected = f"a URL for {key} that begins with http:// or https://, without a password or fragment"
    try:
        parts = urlsplit(url)
        valid = parts.scheme in {"http", "https"} and parts.hostname and (parts.port is None or parts.port > 0)
    except ValueError as error:
        raise ValueError(expected) from error
    if not valid or "@" in parts.netloc or "#" in url or len(url) > 2_000 or not re.fullmatch(r"[!-~]+", url):
        raise ValueError(expected)
    return url

"""Where a source announces its articles: a part of a source."""

from __future__ import annotations

import re
from typing import Literal
from urllib.parse import urlsplit

from pydantic import field_validator, model_validator

from config.rules import StrictModel


def check_http_url(value: str) -> str:
    """Return *value*. Raises ValueError if it is no absolute URL of HTTP, or one with a user in it."""
    expected = "an absolute URL that begins with http:// or https://, without a password"
    try:
        parts = urlsplit(value)
        valid = parts.scheme in {"http", "https"} and parts.hostname and (parts.port is None or parts.port > 0)
    except ValueError as error:
        raise ValueError(expected) from error
    if not valid or "@" in parts.netloc or len(value) > 2_000 or re.search(r"[\s\x00-\x1f\x7f]", value):
        raise ValueError(expected)
    return value


class DiscoverEntry(StrictModel):
    """A document that announces articles: exactly one of the three."""

    feed: str | None = None
    """RSS, Atom or JSON Feed."""
    sitemap: str | None = None
    """Sitemap, sitemap index or news sitemap."""
    section: str | None = None
    """HTML page that lists articles; its further pages are followed."""

    @field_validator("feed", "sitemap", "section")
    @classmethod
    def _check_url(cls, value: str | None) -> str | None:
        return value and check_http_url(value)

    @model_validator(mode="after")
    def _check_one(self) -> DiscoverEntry:
        if len(self.model_fields_set) != 1 or not self.url:
            raise ValueError("exactly one of feed, sitemap or section, with a URL")
        return self

    @property
    def kind(self) -> Literal["feed", "sitemap", "section"]:
        """Which of the three; the words are those of `crawler.model.Purpose`."""
        return "feed" if self.feed else "sitemap" if self.sitemap else "section"

    @property
    def url(self) -> str:
        """The URL of the document."""
        return self.feed or self.sitemap or self.section or ""

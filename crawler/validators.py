"""Validators of an answer that the archive holds: which are fit to be sent, and what a later answer says of them.

RFC 9110 § 8.8 and § 13 in code, and bounds: what a server calls its pages by is foreign text.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from crawler.model import Exchange, RecordReference

MAX_ETAG_CHARS = 256
_ETAG = re.compile(r'(?:W/)?"[\x21\x23-\x7e]*"')
"""RFC 9110 § 8.8.3 in ASCII; so neither `*` nor a list can be one."""
_CODED = re.compile(r'(?:--?(?:gzip|br|zstd)|;gzip)(?="\Z)')
"""What servers add to a tag where they compress, and some leave out of the tag of a 304."""
_DATE = re.compile(r"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), [0-9]{2} [A-Z][a-z]{2} [0-9]{4} [0-9]{2}:[0-9]{2}:[0-9]{2} GMT")
"""The form of RFC 9110 § 5.6.7 that servers are to write."""
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_LEAST_AGE = timedelta(minutes=1)
"""A page may be changed again within the second that its date names: only an older date tells pages apart."""


@dataclass(frozen=True, slots=True)
class Validators:
    """What the last answer of a URL was called by its server, and the record that holds its payload."""

    record: RecordReference
    """Whole, of status 200, and of the very URL that may be asked for so."""
    etag: str | None
    """As received, and fit to be sent."""
    last_modified: str | None
    """As received, and fit to be sent."""
    size_bytes: int = 0
    """Of the payload."""
    not_modified: int = 0
    """How many answers in a row, up to now, were 304."""
    unread: bool = False
    """Whether that page was only recorded, and its text is still to be had."""

    def headers(self) -> dict[str, str]:
        """Return the headers that make a request conditional."""
        told = {"If-None-Match": self.etag, "If-Modified-Since": self.last_modified}
        return {name: value for name, value in told.items() if value is not None}

    def confirmed_by(self, exchange: Exchange) -> bool:
        """Whether *exchange*, asked for with these, says that the page is what the record holds."""
        if exchange.status != 304 or exchange.truncated:
            return False
        etag = exchange.header("ETag")
        return etag is None or self.etag is None or _bare(etag) == _bare(self.etag)

    def same_as(self, exchange: Exchange) -> bool:
        """Whether the answer *exchange* is called as the one before: by its ETag, or where it has none by its date."""
        if self.etag is not None:
            return _bare(exchange.header("ETag")) == _bare(self.etag)
        return self.last_modified is not None and exchange.header("Last-Modified") == self.last_modified


def choose_etag(etag: str | None) -> str | None:
    """Return *etag* if it is one that may be sent: of the form of RFC 9110, printable ASCII, 256 characters at most."""
    fit = etag is not None and len(etag) <= MAX_ETAG_CHARS and _ETAG.fullmatch(etag)
    return etag if fit else None


def choose_date(last_modified: str | None, captured_at: datetime) -> str | None:
    """Return *last_modified* if it may be sent: an HTTP date, a minute or more before the answer that it came with."""
    value = _parse_date(last_modified) if last_modified is not None else None
    return last_modified if value is not None and value + _LEAST_AGE <= captured_at else None


def _parse_date(text: str) -> datetime | None:
    if len(text) > 29 or not _DATE.fullmatch(text):
        return None
    try:
        month = _MONTHS.index(text[8:11]) + 1
        clock = (int(text[17:19]), int(text[20:22]), int(text[23:25]))
        return datetime(int(text[12:16]), month, int(text[5:7]), *clock, tzinfo=UTC)
    except ValueError:
        return None


def _bare(etag: str | None) -> str | None:
    """Return *etag* for the weak comparison of RFC 9110 § 8.8.3.2, which If-None-Match asks for."""
    return None if etag is None else _CODED.sub("", etag.removeprefix("W/"))

"""RFC 7089: when a URL was captured, which capture is nearest to a time, and how that is said in headers. Pure."""

from __future__ import annotations

import re
from bisect import bisect_left
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import TYPE_CHECKING

from jobs.room import addresses

if TYPE_CHECKING:
    from collections.abc import Iterable

    from jobs.catalog.replays import DatedCapture

PAGE = 1_000
"""Mementos in one TimeMap; what is more stands in others."""
_HTTP_DATE = re.compile(
    r"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d{2} (?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) \d{4}"
    r" \d{2}:\d{2}:\d{2} GMT",
    re.ASCII,
)


@dataclass(frozen=True, slots=True)
class Mementos:
    """The Mementos of one URL, by time, one for each second."""

    url: str
    """Normalised."""
    captures: tuple[DatedCapture, ...]
    """At least one."""

    @classmethod
    def of(cls, url: str, captures: Iterable[DatedCapture]) -> Mementos:
        """Return those of *captures*, which are ordered by time. Of several of one second the last counts."""
        by_second = {to_second(one.captured_at): one for one in captures}
        return cls(url, tuple(by_second.values()))

    def find_nearest(self, at: datetime | None) -> int:
        """Return which one is nearest to *at*, the earlier of two; `None`: the last."""
        if at is None:
            return len(self.captures) - 1
        times = [to_second(one.captured_at) for one in self.captures]
        after = bisect_left(times, at)
        if after == len(times) or (after and at - times[after - 1] <= times[after] - at):
            return after - 1
        return after

    def link(self, number: int, base: str, *rels: str) -> str:
        """Return Memento *number* as a link with relations *rels* beside its own."""
        capture = self.captures[number]
        rel = " ".join([*rels, "memento"])
        url = base + addresses.memento(to_stamp(capture.captured_at), self.url)
        return f'<{url}>; rel="{rel}"; datetime="{to_http_date(capture.captured_at)}"'

    def write_header(self, base: str, number: int | None = None) -> str:
        """Return the Link header of a TimeGate or, with *number*, of that Memento. *base*: the room's address."""
        rels: dict[int, list[str]] = {0: ["first"]}
        rels.setdefault(len(self.captures) - 1, []).append("last")
        if number is not None:
            rels.setdefault(number, [])
            for other, rel in ((number - 1, "prev"), (number + 1, "next")):
                if 0 <= other < len(self.captures):
                    rels.setdefault(other, []).append(rel)
        links = [f'<{self.url}>; rel="original"']
        links += [] if number is None else [f'<{base}{addresses.timegate(self.url)}>; rel="timegate"']
        links.append(f'<{base}{addresses.timemap(self.url)}>; rel="timemap"; type="application/link-format"')
        links += [self.link(one, base, *names) for one, names in sorted(rels.items())]
        return ", ".join(links)


def read_http_date(text: str) -> datetime | None:
    """Return the time in an Accept-Datetime header, or `None` if it is none such as RFC 7089 wants it."""
    if _HTTP_DATE.fullmatch(text.strip()) is None:
        return None
    try:
        return datetime.strptime(text.strip(), "%a, %d %b %Y %H:%M:%S GMT").replace(tzinfo=UTC)
    except ValueError:
        return None


def read_stamp(text: str) -> datetime | None:
    """Return the time that fourteen digits stand for, or `None`."""
    if re.fullmatch(r"\d{14}", text, re.ASCII) is None:
        return None
    try:
        return datetime.strptime(text, "%Y%m%d%H%M%S").replace(tzinfo=UTC)
    except ValueError:
        return None


def to_second(at: datetime) -> datetime:
    """Return the second in which *at* lies, as Mementos have it."""
    return at.astimezone(UTC).replace(microsecond=0)


def to_stamp(at: datetime) -> str:
    """Return fourteen digits."""
    return f"{to_second(at):%Y%m%d%H%M%S}".zfill(14)


def to_http_date(at: datetime) -> str:
    """Return *at* as HTTP has it."""
    return format_datetime(to_second(at), usegmt=True)

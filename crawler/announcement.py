"""What a document announced, on its way from a worker to the crawl: bytes that are decoded some links at a time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import TYPE_CHECKING, Annotated

from pydantic import Field, TypeAdapter, ValidationError

from crawler.model import Link, Purpose

if TYPE_CHECKING:
    from collections.abc import Iterator

    from crawler.model import Discovery

BATCH = 500
MAX_LINKS_BYTES = 64 * 1024 * 1024
"""Of one document's links, encoded."""


@dataclass(frozen=True, slots=True)
class _Announced:
    """A link as it is sent: what all of a document have in common is left out."""

    url: str
    purpose: Purpose = Purpose.ARTICLE
    title: str | None = None
    published: datetime | None = None
    modified: datetime | None = None
    language: str | None = None
    numbered: bool = False


_LINKS: TypeAdapter[list[_Announced]] = TypeAdapter(Annotated[list[_Announced], Field(max_length=BATCH)])


def encode_links(discovery: Discovery, *, max_bytes: int = MAX_LINKS_BYTES) -> tuple[bytes, bool]:
    """Return the links as lines of JSON, 500 a line, and whether some had no room."""
    links = (
        _Announced(one.url, one.purpose, one.title, one.published, one.modified, one.language, one.numbered)
        for one in discovery.links
    )
    lines: list[bytes] = []
    size = 0
    while batch := list(islice(links, BATCH)):
        line = _LINKS.dump_json(batch, exclude_defaults=True)
        size += len(line) + 1
        if size > max_bytes:
            return b"\n".join(lines), True
        lines.append(line)
    return b"\n".join(lines), False


class LinkStream:
    """The links of one document in its order, as a worker sent them. `for links in stream`: up to 500 at a time."""

    def __init__(self, lines: bytes = b"", *, via: str, error: str | None = None, truncated: bool = False) -> None:
        self._lines = lines
        self._via = via
        self.error = error
        """What is wrong with the document, or with the worker's answer; to be read when all links were taken."""
        self.truncated = truncated
        """Whether there was more than the limits let through."""

    def __iter__(self) -> Iterator[list[Link]]:
        """Yield the links; where the answer is damaged they end, and `error` says why."""
        at = 0
        while at < len(self._lines):
            end = self._lines.find(b"\n", at)
            end = len(self._lines) if end < 0 else end
            try:
                found = _LINKS.validate_json(self._lines[at:end])
            except ValidationError as error:
                self.error = f"a worker's answer is no list of links: {error}"[:500]
                return
            yield [
                Link(
                    one.url, self._via, one.purpose, one.title, one.published, one.modified, one.language, one.numbered
                )
                for one in found
            ]
            at = end + 1

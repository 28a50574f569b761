"""What a document announced, on its way from a worker to the crawl: bytes that are decoded some links at a time."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Annotated

from pydantic import Field, TypeAdapter, ValidationError

from crawler.model import Link

if TYPE_CHECKING:
    from collections.abc import Iterator

    from crawler.model import Discovery

BATCH = 500
MAX_LINKS_BYTES = 64 * 1024 * 1024
"""Of one document's links, encoded."""
_LINKS: TypeAdapter[list[Link]] = TypeAdapter(Annotated[list[Link], Field(max_length=BATCH)])


def encode_links(discovery: Discovery, *, max_bytes: int = MAX_LINKS_BYTES) -> tuple[bytes, bool]:
    """Return the links as lines of JSON, 500 a line, and whether some had no room."""
    links = iter(discovery.links)
    out = bytearray()
    while batch := list(islice(links, BATCH)):
        line = _LINKS.dump_json(batch)
        if len(out) + len(line) >= max_bytes:
            return bytes(out), True
        out += line
        out += b"\n"
    return bytes(out), False


class LinkStream:
    """The links of one document in its order, as a worker sent them. `for links in stream`: up to 500 at a time."""

    def __init__(self, lines: bytes = b"", *, error: str | None = None, truncated: bool = False) -> None:
        self._lines = lines
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
                links = _LINKS.validate_json(self._lines[at:end])
            except ValidationError as error:
                self.error = f"a worker's answer is no list of links: {error}"[:500]
                return
            yield links
            at = end + 1

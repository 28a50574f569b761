"""What an exchange comes to as WARC records, ready to be appended."""

from __future__ import annotations

from dataclasses import dataclass

from crawler.rows import Extent  # noqa: TC001 - pydantic reads the annotations where a worker's answer is checked


@dataclass(frozen=True, slots=True)
class Recorded:
    """The gzip members of one exchange, ready to be appended to a WARC file."""

    data: bytes
    request: Extent | None
    """Relative to `data`."""
    response: Extent | None
    """Relative to `data`; of a response or a revisit record."""
    payload_digest: str | None
    """`sha256:` and hex, of the body as stored; of a revisit, as it was received; `None` for a 304's."""
    records: int
    metadata: Extent | None = None
    """Relative to `data`."""
    rendered: Extent | None = None
    """Relative to `data`; of the conversion record, which directly follows the response."""


NOTHING_RECORDED = Recorded(b"", None, None, None, 0)
"""Of an exchange that got no answer."""

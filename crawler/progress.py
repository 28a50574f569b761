"""How far a crawl is, as its process tells its parent over standard output: JSON lines, before that of the row."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields

PREFIX = b'{"progress":'
"""How such a line begins; a row's line does not."""


@dataclass(frozen=True, slots=True)
class CrawlProgress:
    """What a run has come to so far."""

    pages: int = 0
    """Captures of article pages."""
    new: int = 0
    """By the crawler's guess, as `revised`; the fold alone decides."""
    revised: int = 0
    failed: int = 0
    size_bytes: int = 0
    """Of bodies, as on the wire."""
    listed: int = 0
    """Lines taken from the list of pages that the run was given."""
    waiting: int = 0
    """Pages that are found or taken from the list, and not among `pages` yet."""
    discovering: bool = True
    """Whether listings are still to be read, so that nobody knows how many pages there will be."""

    def encode(self) -> bytes:
        """Return it as one line, shorter than a pipe's PIPE_BUF."""
        return PREFIX + json.dumps(asdict(self), separators=(",", ":")).encode() + b"}\n"

    @classmethod
    def decode(cls, line: bytes) -> CrawlProgress | None:
        """Return what *line* says, `None` if it says something else."""
        if not line.startswith(PREFIX):
            return None
        try:
            found = json.loads(line)["progress"]
        except ValueError:  # it is for show: nothing hangs on it
            return None
        names = {field.name for field in fields(cls)}
        sound = isinstance(found, dict) and set(found) == names and all(isinstance(n, int) for n in found.values())
        return cls(**found) if sound else None

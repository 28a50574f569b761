"""How far a source's backfill is: a small file in its spool, so that the next run goes on. Losing it costs requests.

What was kept is in the archive and is not asked for again, whatever this file says.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

from crawler.webarchive.pending import Pending

if TYPE_CHECKING:
    from pathlib import Path

POSITION_FILE = "backfill.json"
_MAX_STRETCHES = 10_000


@dataclass(slots=True)
class Position:
    """What was asked for already, by what an archive was asked for."""

    windows: dict[str, list[tuple[int, int]]] = field(default_factory=dict)
    """Of CDX servers: the stretches of time that were listed."""
    pending: dict[str, Pending] = field(default_factory=dict)
    """Of CDX servers: what was listed and is still to be asked for."""
    pages: dict[str, set[str]] = field(default_factory=dict)
    """Of TimeMaps: the pages that are done."""

    def forget_others(self, beginning: str, key: str) -> None:
        """Forget of CDX servers what is under keys of that *beginning* other than *key*: by patterns that held once."""
        for known in (self.windows, self.pending):
            for other in [one for one in known if one.startswith(beginning) and one != key]:
                del known[other]

    @classmethod
    def read(cls, path: Path) -> Self:
        """Return the position in the file *path*; an empty one where there is none that can be read."""
        try:
            data = json.loads(path.read_bytes())
            windows = {str(key): _read_stretches(found) for key, found in data["windows"].items()}
            pending = {str(key): Pending.decode(found) for key, found in data["pending"].items()}
            pages = {str(key): {str(url) for url in found} for key, found in data["pages"].items()}
        except (OSError, ValueError, RecursionError, LookupError, TypeError, AttributeError):
            return cls()
        return cls(windows, pending, pages)

    def write(self, path: Path) -> None:
        """Put the position into the file *path*, whole or not at all. Raises OSError."""
        data = {
            "windows": self.windows,
            "pending": {key: found.encode() for key, found in self.pending.items() if len(found)},
            "pages": {key: sorted(found) for key, found in self.pages.items()},
        }
        beside = path.with_name(f"{path.name}.new")
        with beside.open("w", encoding="utf-8") as file:
            json.dump(data, file)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)


def _read_stretches(found: Any) -> list[tuple[int, int]]:  # noqa: ANN401 - JSON data
    return [(int(begin), int(end)) for begin, end in found[:_MAX_STRETCHES]]

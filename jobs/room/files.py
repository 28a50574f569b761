"""Which files catalog and index are: one that is made anew is another one of the same name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jobs.context import CATALOG_FILE
from jobs.search.index import INDEX_FILE

if TYPE_CHECKING:
    from pathlib import Path

Files = tuple[tuple[int, int] | None, ...]
"""Device and inode of each; `None`: it is not there."""


def identify_files(state: Path) -> Files:
    """Return which files catalog and index in *state* are. Raises OSError."""
    return tuple(_identify(state / name) for name in (CATALOG_FILE, INDEX_FILE))


def _identify(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino

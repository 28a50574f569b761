"""Blocks of bytes into new local files. Never replaces a file and leaves no half of one."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

BLOCK_BYTES = 1024 * 1024


def copy_new(blocks: Iterable[bytes], target: Path) -> None:
    """Write *blocks* into the new file *target*; if that fails, nothing of it stays. Raises FileExistsError."""
    with target.open("xb") as file:
        try:
            for block in blocks:
                file.write(block)
            file.flush()
        except BaseException:
            target.unlink(missing_ok=True)
            raise

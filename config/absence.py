"""Libraries that another one would load only to look whether they are there."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def without(*names: str) -> Iterator[None]:
    """Let no import find the modules *names* meanwhile, unless they are loaded already."""
    hidden = [name for name in names if name not in sys.modules]
    sys.modules.update(dict.fromkeys(hidden))  # type: ignore[arg-type]  # Python's own mark for what is not to be found
    try:
        yield
    finally:
        for name in hidden:
            del sys.modules[name]

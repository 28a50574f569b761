"""What of this process's environment a child process is given, which has no use for the store's credentials."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_PASSED = (
    *("PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR", "TERM", "NO_COLOR"),
    *("PYTHONPATH", "PYTHONWARNINGS", "PYTHONDONTWRITEBYTECODE", "PYTHONPYCACHEPREFIX"),
)


def scrub_environment(names: Iterable[str] = ()) -> dict[str, str]:
    """Return a child's environment: only what it needs, and the variables *names*, as a source's own secrets."""
    return {name: os.environ[name] for name in {*_PASSED, *names} if name in os.environ}

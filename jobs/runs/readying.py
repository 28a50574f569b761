"""A crawl's process that is begun before it is known what it is to do: it loads Scrapy while its parent loads the rest.

Light: it is loaded before all else. There is one such process at most, and who does not take it sends it away.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

from config.environment import scrub_environment

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

CHILD_MODULE = "jobs.runs.child"
AHEAD = "-"
"""In place of the assignment's file: which it is comes over standard input."""

_waiting: list[subprocess.Popen[bytes]] = []


def start_child(module: str, assignment: str, environment: Mapping[str, str]) -> subprocess.Popen[bytes]:
    """Begin `python -m MODULE ASSIGNMENT` with pipes, out of the terminal's reach: its parent passes on a Ctrl-C."""
    return subprocess.Popen(
        [sys.executable, "-P", "-m", module, assignment],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=environment,
        start_new_session=True,
    )


def ready_child() -> None:
    """Begin the process of a crawl to come. Where that fails, the crawl fails at it, and says so."""
    try:
        _waiting.append(start_child(CHILD_MODULE, AHEAD, scrub_environment()))
    except OSError:
        return


def take_child(assignment: Path, environment: Mapping[str, str]) -> subprocess.Popen[bytes] | None:
    """Hand *assignment* and what else it needs of the *environment* to the process that waits; `None` if none does.

    Over a pipe, since a source's own secrets are among it.
    """
    if not _waiting:
        return None
    child = _waiting.pop()
    line = json.dumps({"assignment": str(assignment), "environment": dict(environment)}).encode() + b"\n"
    try:
        while child.stdin is not None and line:
            line = line[os.write(child.stdin.fileno(), line) :]
    except BrokenPipeError:  # it died of something; the next one will say of what
        _send_away(child)
        return None
    return child


def dismiss_child() -> None:
    """End the process that nobody took, if there is one."""
    while _waiting:
        _send_away(_waiting.pop())


def _send_away(child: subprocess.Popen[bytes]) -> None:
    child.kill()
    child.wait()
    for stream in (child.stdout, child.stdin):
        if stream is not None:
            stream.close()

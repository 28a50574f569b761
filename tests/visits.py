"""Visits by programs that a test writes: carried out in a child process of their own, by real workers."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.installation import ROOT

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.crawls import Site

CHILD = """
import asyncio, json, sys
from config.errors import ArchiveError
from config.logs import configure_logging
from config.settings import Settings
from config.sources import Source
from crawler.model import Purpose
from crawler.visit import VisitLimits, VisitOver
from crawler.visiting import carry_out
from crawler.workers.pool import WorkerPool

{program}

if __name__ == "__main__":
    given = json.load(sys.stdin)
    configure_logging(json=True, level="debug")
    pool = WorkerPool(1, 20, given["worker_bytes"]) if given["worker_bytes"] else None
    try:
        result = carry_out(program, given["parameters"], Source(**given["source"]), Settings(**given["settings"]),
                           VisitLimits(**given["limits"]), environment=given["environment"],
                           pool=pool)
    except (ArchiveError, ValueError) as error:
        result = {{"raised": type(error).__name__, "message": str(error)}}
    print(json.dumps(result))
"""


@dataclass
class Answer:
    result: Any
    log: str

    @property
    def events(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.log.splitlines() if line.startswith("{")]


def start_visit(
    site: Site,
    program: str,
    *,
    parameters: Mapping[str, Any] | None = None,
    source: Mapping[str, Any] | None = None,
    settings: Mapping[str, Any] | None = None,
    environment: Mapping[str, str] | None = None,
    requests: int = 20,
    seconds: float = 30,
    body_bytes: int = 1_000_000,
    worker_bytes: int | None = None,
) -> subprocess.Popen[bytes]:
    """Begin a visit to *site*. *program*: the lines of `async def program(visit, parameters)`."""
    given = {
        "parameters": {"root": site.root, **(parameters or {})},
        "source": {"id": "gazette", "name": "Gazette", **site.describe_source(delay_seconds=0.01), **(source or {})},
        "settings": {"workers": 1, "request_seconds": 300, **(settings or {})},
        "limits": {"requests": requests, "seconds": seconds, "body_bytes": body_bytes},
        "environment": dict(environment or {}),
        "worker_bytes": worker_bytes,
    }
    child = subprocess.Popen(
        [sys.executable, "-W", "error", "-c", CHILD.format(program=program)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=ROOT,
    )
    assert child.stdin is not None
    child.stdin.write(json.dumps(given).encode())
    child.stdin.close()
    child.stdin = None
    return child


def finish_visit(child: subprocess.Popen[bytes]) -> Answer:
    """Return what the visit of *child* came to."""
    try:
        out, log = child.communicate(timeout=100)
    finally:
        if child.poll() is None:
            child.kill()
            child.communicate()
    assert child.returncode == 0, log.decode()
    assert b"Traceback" not in log, log.decode()
    return Answer(json.loads(out), log.decode())


def visit(site: Site, program: str, **options: Any) -> Answer:
    """Make a visit to *site*: see `start_visit`."""
    return finish_visit(start_visit(site, program, **options))

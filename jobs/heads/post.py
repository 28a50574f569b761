"""Things to be posted, handed to the process that does it, within a time limit."""

from __future__ import annotations

import base64
import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, ValidationError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

POST_SECONDS = 45.0
"""For all together."""
_PASSED = frozenset({"PATH", "HOME", "LANG", "TMPDIR", "TZ", "SSL_CERT_FILE", "SSL_CERT_DIR"})
_PASSED_ALIKE = re.compile(r"LC_\w+|PYTHON\w+|COVERAGE\w+|\w+_proxy", re.ASCII | re.IGNORECASE)
"""Of the environment; the rest may hold keys of the store, of which a sender has no use."""


class _Answer(BaseModel):
    model_config = ConfigDict(extra="forbid")

    number: int
    reason: str | None
    body: str | None


@dataclass(frozen=True, slots=True)
class Posting:
    """What is to be posted where."""

    address: str
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Posted:
    """What came of it."""

    reason: str | None
    """Why it was not taken, without the address."""
    body: bytes = b""
    """What was answered."""


def post_all(postings: Sequence[Posting], seconds: float = POST_SECONDS) -> list[Posted]:
    """Post each once, all at the same time; return what came of each. Raises nothing."""
    if not postings:
        return []
    orders = [
        {"address": one.address, "body": base64.b64encode(one.body).decode(), "headers": dict(one.headers)}
        for one in postings
    ]
    try:
        output, in_time = _run(json.dumps(orders).encode(), seconds)
    except OSError as error:
        return [Posted(f"no process for it: {error.strerror}") for _ in postings]
    missing = "the sending process ended early" if in_time else f"no answer within {seconds:g} s"
    found = [Posted(missing) for _ in postings]
    for line in output.splitlines():
        try:
            answer = _Answer.model_validate_json(line)
        except ValidationError:  # killed in the middle of it
            continue
        if 0 <= answer.number < len(found):
            found[answer.number] = Posted(answer.reason, base64.b64decode(answer.body or ""))
    return found


def _run(orders: bytes, seconds: float) -> tuple[bytes, bool]:
    environment = {key: value for key, value in os.environ.items() if key in _PASSED or _PASSED_ALIKE.fullmatch(key)}
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "jobs.heads.posting"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=environment,
        start_new_session=True,  # a Ctrl-C is ours to obey
    )
    try:
        return process.communicate(orders, timeout=seconds)[0], True
    except subprocess.TimeoutExpired:
        process.kill()
        return process.communicate()[0], False

"""What faults have in common: their type, and small changes of bytes."""

from __future__ import annotations

import gzip
import random
import zlib
from collections.abc import Callable
from itertools import pairwise
from typing import TYPE_CHECKING

from jobs.verify import Severity
from tests.archives import commit_keys

if TYPE_CHECKING:
    from jobs.store.memory import MemoryStore
    from jobs.verify import VerifyReport

WARC = ".warc.gz"
OTHER_DIGEST = "sha256:" + "0" * 64

Fault = Callable[["MemoryStore", random.Random], set[str] | None]
"""Plants itself and returns the keys; `None`: the archive has nothing that it could be planted in."""
Members = list[bytes]


def damage(report: VerifyReport) -> list[str]:
    """Return what a check found damaged, a line each."""
    return [str(finding) for finding in report.findings if finding.severity is Severity.DAMAGE]


def damaged_keys(report: VerifyReport) -> set[str]:
    """Return the keys that are named as damaged."""
    return {finding.key for finding in report.findings if finding.severity is Severity.DAMAGE}


def notices(report: VerifyReport) -> str:
    """Return what else a check found, a line each."""
    return "\n".join(str(finding) for finding in report.findings if finding.severity is Severity.NOTICE)


def flip(data: bytes, bit: int) -> bytes:
    """Return *data* with one bit changed."""
    changed = bytearray(data)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


def inflate(data: bytes) -> list[bytes] | None:
    """Return what the gzip members of *data* hold; `None` if they are not whole."""
    found = []
    try:
        while data:
            inflater = zlib.decompressobj(31)
            found.append(inflater.decompress(data) + inflater.flush())
            if not inflater.eof:
                return None
            data = inflater.unused_data
    except zlib.error:
        return None
    return found


def deflate(record: bytes) -> bytes:
    """Return *record* as one gzip member."""
    return gzip.compress(record, mtime=0)


def middle_commits(store: MemoryStore) -> list[tuple[str, str]]:
    """Return each commit that another follows in its log, with the one that follows."""
    keys = commit_keys(store)
    return [(one, two) for one, two in pairwise(keys) if one[:-12] == two[:-12]]

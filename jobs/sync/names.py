"""What a commit says must be there beside it, and what later commits let go. Pure functions of commits."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from jobs.archive.commit import parse_commit_key
from jobs.store.keys import fault_of_key
from jobs.sync.copying import Item

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from jobs.archive.commit import Commit
    from jobs.sync.log import LoggedCommit

_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_REMOVING = frozenset({"replace", "redact"})


def list_items(commit: Commit) -> Iterator[tuple[Item | None, str]]:
    """Yield each object that *commit* names; `None` and why, if it is none that a log of its source may name."""
    named: list[tuple[str, object, object, object]] = [
        ("file", file.key, file.size_bytes, file.sha256) for file in commit.files
    ]
    for kind, fields in (("checkpoint", commit.checkpoint), ("pack", commit.pack)):
        if fields is not None:
            named.append((kind, fields.get("key"), fields.get("size_bytes"), fields.get("sha256")))
    for kind, key, size_bytes, sha256 in named:
        if isinstance(key, str) and parse_commit_key(key) is not None:
            continue  # a repaired commit: the log itself is copied
        fault = _find_fault(commit.source, key, size_bytes, sha256)
        if fault is None and isinstance(key, str) and isinstance(size_bytes, int) and isinstance(sha256, str):
            yield Item(key, size_bytes, sha256), ""
        else:
            yield None, f"names a {kind} {str(key)[:200]!a}, which {fault}"


def find_released(commits: Iterable[LoggedCommit]) -> dict[str, int]:
    """Return key → number of the last commit that lets it go or changes it: the original may lack it by right."""
    released: dict[str, int] = {}
    newest = ""
    for one in commits:
        commit = one.stored.commit
        if commit.kind in _REMOVING:
            keys = [each.get("key") if isinstance(each, dict) else each for each in commit.replaces]
            keys += [file.key for file in commit.files]
            released.update((key, commit.seq) for key in keys if isinstance(key, str))
        if commit.checkpoint is not None:
            key = str(commit.checkpoint.get("key"))
            if newest not in ("", key):
                released[newest] = commit.seq
            newest = key
    return released


def _find_fault(source: str, key: object, size_bytes: object, sha256: object) -> str | None:
    if not isinstance(key, str) or fault_of_key(key) is not None:
        return "is no key"
    own = (f"segments/{source}/", f"checkpoint/{source}/", f"log/{source}/pack-")
    if not key.startswith(own):
        return f"is none of {source}'s"
    if not isinstance(size_bytes, int) or size_bytes < 0 or not isinstance(sha256, str):
        return "has no size and digest"
    return None if _DIGEST.fullmatch(sha256) else "has no digest"

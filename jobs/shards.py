"""Which part of the sources one task of an array job crawls: index and count in, a stable choice out.

A source falls to one shard by its id alone, so that a host has one crawler, whatever else is configured.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from config.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping

_SHARD = re.compile(r"(\d{1,6})/(\d{1,6})", re.ASCII)
_WHOLE = re.compile(r"\d{1,9}", re.ASCII)
_MAX_SHARDS = 100_000


@dataclass(frozen=True, slots=True)
class Shard:
    """Part *index* (from 0) of *count*."""

    index: int
    count: int

    def __str__(self) -> str:
        return f"{self.index}/{self.count}"

    def has(self, source: str) -> bool:
        """Whether the source of id *source* falls to this shard."""
        value = int.from_bytes(hashlib.sha256(source.encode()).digest()[:8], "big")
        return value % self.count == self.index


@dataclass(frozen=True, slots=True)
class _Platform:
    """How an orchestrator tells a task its place, in environment variables."""

    index: str
    count: str | None
    """`None`: it does not say how many there are."""
    first: str | None = None
    """The index that the array begins with; by default 0."""
    step: str | None = None


_PLATFORMS = (
    _Platform("CLOUD_RUN_TASK_INDEX", "CLOUD_RUN_TASK_COUNT"),
    _Platform("AWS_BATCH_JOB_ARRAY_INDEX", "AWS_BATCH_JOB_ARRAY_SIZE"),
    _Platform("SLURM_ARRAY_TASK_ID", "SLURM_ARRAY_TASK_COUNT", "SLURM_ARRAY_TASK_MIN", "SLURM_ARRAY_TASK_STEP"),
    _Platform("JOB_COMPLETION_INDEX", None),
)
"""Cloud Run, AWS Batch, Slurm; last Kubernetes' indexed Jobs, since other platforms run on those."""


def parse_shard(text: str) -> Shard:
    """Return the shard that `i/n` names, i from 0. Raises ConfigError."""
    match = _SHARD.fullmatch(text)
    if match is None:
        raise ConfigError(f"--shard: found {text[:60]!r}, expected i/n as in 0/4: part 0 of 4")
    return _make_shard(int(match[1]), int(match[2]), f"--shard: found {text}")


def find_shard(environment: Mapping[str, str], *, count: int | None = None) -> Shard | None:
    """Return the shard that an orchestrator's variables name, or `None` where there are none.

    *count*: how many there are; needed where the orchestrator does not say (Kubernetes). Raises ConfigError.
    """
    for platform in _PLATFORMS:
        if not environment.get(platform.index):
            continue
        index = _read_whole(environment, platform.index)
        first = _read_whole(environment, platform.first, 0)
        step = max(1, _read_whole(environment, platform.step, 1))
        told = _read_whole(environment, platform.count, -1)
        total = count if count is not None else told
        if total < 0:
            raise ConfigError(
                f"environment: {platform.index}: found {index}, but nothing says of how many:"
                " give --shards N, the job's number of completions, or --shard i/n"
            )
        return _make_shard((index - first) // step, total, f"environment: {platform.index}: found {index} of {total}")
    if count is not None:
        names = ", ".join(platform.index for platform in _PLATFORMS)
        raise ConfigError(f"--shards: found {count}, but no variable says which of them this is ({names})")
    return None


def _make_shard(index: int, count: int, found: str) -> Shard:
    if not 1 <= count <= _MAX_SHARDS:
        raise ConfigError(f"{found}; expected 1 to {_MAX_SHARDS} shards")
    if not 0 <= index < count:
        raise ConfigError(f"{found}; expected an index from 0 to {count - 1}")
    return Shard(index, count)


def _read_whole(environment: Mapping[str, str], name: str | None, default: int = 0) -> int:
    value = environment.get(name, "") if name else ""
    if not value:
        return default
    if not _WHOLE.fullmatch(value):
        raise ConfigError(f"environment: {name}: found {value[:60]!r}, expected a whole number")
    return int(value)

"""What a check does: how deep it goes, of which objects, and with what. Values only; reads nothing."""

from __future__ import annotations

import hashlib
import re
import secrets
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from config.errors import ConfigError

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from jobs.archive.commit import Commit

_ALL = 1 << 64
_SLICE = re.compile(r"(\d{1,6})/(\d{1,6})")
_SHARE = re.compile(r"(\d{1,3}(?:\.\d{1,6})?)%(?::([0-9a-z]{1,32}))?")


class Depth(StrEnum):
    """How deep a check goes."""

    QUICK = "quick"
    """The logs, and that what they name is listed with its size."""
    STANDARD = "standard"
    """Digests that the store proves, too."""
    READ = "read"
    """Every byte is read back."""


@dataclass(frozen=True, slots=True)
class Part:
    """Some of the objects, chosen by their digests: the same ones each time, on each machine."""

    text: str
    """As a person may write it to choose the same again."""
    first: int
    end: int
    """Of 2^64: those whose number lies in between."""
    seed: str = ""

    @property
    def share(self) -> float:
        """How much of all it is, on average."""
        return (self.end - self.first) / _ALL

    def has(self, sha256: str) -> bool:
        """Whether the object with that digest is one of them."""
        found = hashlib.sha256(f"{self.seed}{sha256}".encode("utf-8", "surrogatepass")).digest()
        return self.first <= int.from_bytes(found[:8]) < self.end


def parse_part(text: str) -> Part:
    """Return the part that *text* names: `n/t`, the n-th of t that are all; `5%`, so many by chance; `5%:SEED` again.

    Raises ConfigError.
    """
    if match := _SLICE.fullmatch(text):
        number, of = int(match[1]), int(match[2])
        if 1 <= number <= of:
            return Part(f"{number}/{of}", -(-_ALL * (number - 1) // of), -(-_ALL * number // of))
    if (match := _SHARE.fullmatch(text)) and 0 < float(match[1]) <= 100:
        seed = match[2] or secrets.token_hex(4)
        return Part(f"{match[1]}%:{seed}", 0, round(float(match[1]) / 100 * _ALL), seed)
    raise ConfigError(f"found the part {text[:80]!a}, expected n/t with n from 1 to t, or a share such as 5%")


@dataclass(frozen=True, slots=True)
class Plan:
    """What one check does."""

    depth: Depth = Depth.STANDARD
    part: Part | None = None
    """Of what is read back; `None`: all."""
    since: datetime | None = None
    """Only what was committed from then on is looked at beside the logs; `None`: all."""
    workers: int = 1
    """Processes that read records; with one, this process does."""
    resume: Path | None = None
    """Folder that remembers what was found sound, so that a check that was killed goes on."""

    @property
    def full(self) -> bool:
        """Whether every byte is read back."""
        return self.depth is Depth.READ and self.part is None and self.since is None

    def looks_at(self, commit: Commit) -> bool:
        """Whether what *commit* names is looked at."""
        return self.since is None or commit.committed >= self.since

    def reads(self, commit: Commit, sha256: str) -> bool:
        """Whether the object with that digest, which *commit* names, is read back."""
        return self.depth is Depth.READ and self.looks_at(commit) and (self.part is None or self.part.has(sha256))

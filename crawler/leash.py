"""Whether the next request may be sent: what the parent last said, and this process's own clock.

The parent's words come as JSON lines. A word is obeyed although its parent hangs: the instant until which it holds is
compared with a clock that goes on while the machine sleeps.
"""

from __future__ import annotations

import json
import math
import time
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


def boot_clock() -> float:
    """Return the seconds since the machine was started, those that it slept among them."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


@dataclass(frozen=True, slots=True)
class Word:
    """What the parent says of fetching."""

    paused: bool = False
    """No request begins; those under way are finished."""
    valid_until: float | None = None
    """By the boot clock: no request begins after that, unless another word comes. `None`: no end."""

    def encode(self) -> bytes:
        """Return the word as one line."""
        return json.dumps(asdict(self)).encode() + b"\n"

    @classmethod
    def decode(cls, line: bytes) -> Word:
        """Return the word in *line*. Raises ValueError if there is none; passes over keys that we do not know."""
        found = json.loads(line)
        if not isinstance(found, dict) or not isinstance(found.get("paused"), bool):
            raise ValueError(f"found {line[:100]!r}, expected an object with `paused`")  # noqa: TRY004 - foreign text
        until = found.get("valid_until")
        if until is not None and not (isinstance(until, int | float) and math.isfinite(until)):
            raise ValueError(f"found {until!r} as valid_until, expected seconds or null")
        return cls(found["paused"], until)


class Leash:
    """Asked before each request. `obey` may be called from another thread."""

    def __init__(self, word: Word | None = None, *, clock: Callable[[], float] = boot_clock) -> None:
        self._word = word or Word()
        self._clock = clock
        self.without_room = 0
        """How many captures wait for room on the disk; as long as there are some, no request begins."""

    def obey(self, word: Word) -> None:
        """Let *word* hold from now on."""
        self._word = word

    @property
    def lapsed(self) -> bool:
        """Whether the last word's time is over."""
        return self._word.valid_until is not None and self._clock() >= self._word.valid_until

    @property
    def held(self) -> bool:
        """Whether no request may begin now."""
        return self._word.paused or self.without_room > 0 or self.lapsed

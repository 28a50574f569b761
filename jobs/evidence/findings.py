"""What is wrong with a bundle, as it is found: each with the part that it is of."""

from __future__ import annotations

from dataclasses import dataclass, field

MAX_DAMAGE = 200


@dataclass(frozen=True, slots=True)
class Damage:
    """Something that is not as it must be."""

    where: str
    """Path in the bundle."""
    message: str

    def __str__(self) -> str:
        return f"{self.where}: {self.message}"


@dataclass(slots=True)
class Findings:
    """What was found wrong so far."""

    damages: list[Damage] = field(default_factory=list)
    more: int = 0
    """How many are not told."""

    def damage(self, where: str, message: str) -> None:
        """Take down that *where* is damaged."""
        if len(self.damages) < MAX_DAMAGE:
            self.damages.append(Damage(where, message[:2_000]))
        else:
            self.more += 1

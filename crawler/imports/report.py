"""What became of a file's records: counts, reasons, faults with their places; bounded, whatever is in the file."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass, field
from typing import Any

MAX_FAULTS = 20
MAX_REASONS = 50
_MAX_REASON_CHARS = 300


@dataclass(slots=True)
class FileReport:
    """One file, as far as it was read this time."""

    records: int = 0
    captures: int = 0
    """Kept now."""
    snapshots: int = 0
    known: int = 0
    """The archive had them already."""
    left_out: Counter[str] = field(default_factory=Counter)
    """Why → how many records."""
    repaired: Counter[str] = field(default_factory=Counter)
    """What → in how many records."""
    faults: list[dict[str, Any]] = field(default_factory=list)
    """The first of them: `file`, `offset`, `reason`."""
    faulty: int = 0
    """How many there are."""
    error: str | None = None
    """Why no more of the file is read."""

    def leave_out(self, reason: str) -> None:
        """Count a record that becomes no capture."""
        if reason not in self.left_out and len(self.left_out) >= MAX_REASONS:
            reason = "other reasons"
        self.left_out[reason[:_MAX_REASON_CHARS]] += 1

    def note_fault(self, name: str, offset: int, reason: str) -> None:
        """Note a stretch of *name* that holds no record."""
        self.faulty += 1
        if len(self.faults) < MAX_FAULTS:
            self.faults.append({"file": name, "offset": offset, "reason": reason[:_MAX_REASON_CHARS]})

    def add(self, other: FileReport) -> None:
        """Count what *other* counted, too."""
        for name in ("records", "captures", "snapshots", "known", "faulty"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.left_out += other.left_out
        self.repaired += other.repaired
        self.faults = [*self.faults, *other.faults][:MAX_FAULTS]

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON data, the commonest reasons first."""
        data = asdict(self)
        for name in ("left_out", "repaired"):
            data[name] = dict(getattr(self, name).most_common())
        return data

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> FileReport:
        """Undo `to_json`."""
        counters = {name: Counter(data[name]) for name in ("left_out", "repaired")}
        return cls(**{**data, **counters})

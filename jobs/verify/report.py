"""What verify hands back: findings with the place of each, counts, heads of the logs. Values only."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from crawler.rows import format_time
from jobs.diff import make_safe
from jobs.verify.plan import Plan

if TYPE_CHECKING:
    from jobs.verify.lock_state import LockState

MAX_FINDINGS_PER_OBJECT = 20
"""A file of garbage is not worth a million lines."""


@dataclass(frozen=True, slots=True)
class Step:
    """How far a check is: told before and after each file that is read."""

    source: str
    key: str
    """Of the file that is read next, or was read last."""
    files: int
    """Read, of all sources so far."""
    files_known: int
    """To be read, by the logs that were walked so far."""
    bytes: int
    bytes_known: int
    damages: int
    """Findings of damage so far."""
    bytes_total: int | None = None
    """To be read in all, as far as listings tell; `None`: nobody asked."""
    bytes_resumed: int = 0
    """Of `bytes` those that an earlier try read."""


Progress = Callable[[Step], None]


UNCOVERED = "only a head kept outside tells whether the last commit of a log was changed or later ones were taken away"
"""Noted of every archive that no outside head covers to its end."""


class Severity(StrEnum):
    """How bad a finding is."""

    DAMAGE = "damage"
    """What is stored is not what was committed."""
    REDACTED = "redacted"
    """Taken out of the archive by a commit that says so, and why."""
    NOTICE = "notice"
    """Worth knowing; nothing is lost."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing found, with its place as near as it can be told."""

    severity: Severity
    key: str
    message: str
    record: int | None = None
    """Number of the WARC record in its file, from 1."""
    offset: int | None = None
    """Of the record's gzip member, or of the first wrong byte."""
    line: int | None = None
    """Of the segment's rows, from 1."""

    def __str__(self) -> str:
        parts = (("record", self.record), ("offset", self.offset), ("line", self.line))
        place = "".join(f": {name} {value}" for name, value in parts if value is not None)
        return make_safe(f"{self.key}{place}: {self.message}")


@dataclass(slots=True)
class Counts:
    """What was looked at."""

    commits: int = 0
    segments: int = 0
    files: int = 0
    records: int = 0
    """WARC records; only a full check reads them."""
    rows: int = 0
    """Only a full check reads them."""
    bytes: int = 0
    """Of the committed files."""
    packs: int = 0
    """Named by a commit; only a full check reads them."""
    rederived: int = 0
    """Texts that were made anew from the raw page."""
    tables: int = 0
    """Files of the tables; only a full check reads them, and makes them anew."""


@dataclass(frozen=True, slots=True)
class Head:
    """The last commit of a log: what to stamp, sign or write down outside."""

    seq: int
    digest: str


@dataclass(frozen=True, slots=True)
class ReportedKey:
    """One of the archive's keys."""

    n: int
    key: str
    """Its fingerprint."""
    created: str
    trusted: bool


@dataclass(slots=True)
class Signatures:
    """What the check of signatures came to."""

    keys: list[ReportedKey] = field(default_factory=list)
    """Those that are sound, in order."""
    anchored: bool = False
    """Whether they stand by a key that the reader trusts from elsewhere."""
    why: str = ""
    """Why, or why not, in words."""
    counts: Counter[str] = field(default_factory=Counter)
    """Of commits, by what their signature comes to: see jobs.archive.keys.Standing."""

    def to_json(self) -> dict[str, Any]:
        """Return the same as JSON data."""
        keys = [{name: getattr(one, name) for name in ReportedKey.__slots__} for one in self.keys]
        return {"keys": keys, "anchored": self.anchored, "why": self.why, "commits": dict(self.counts)}


@dataclass(frozen=True, slots=True)
class ReportedHead:
    """A head that tells something about the archive."""

    where: str
    n: int
    at: datetime
    """When it was made or, of a stamp, by when it existed."""
    sha256: str

    def to_json(self) -> dict[str, Any]:
        """Return the same as JSON data."""
        return {"where": self.where, "n": self.n, "at": format_time(self.at), "sha256": self.sha256}


@dataclass(slots=True)
class Anchors:
    """What proof there is from outside."""

    outside: list[ReportedHead] = field(default_factory=list)
    """Heads that were held against the logs."""
    uncovered: dict[str, tuple[int, int]] = field(default_factory=dict)
    """Source → first and last commit that none of those covers yet."""
    stamped: ReportedHead | None = None
    """The newest head whose stamp leads to a root of the reader's."""
    unchecked_stamps: int = 0
    """Stamps on heads that nothing was given to check by."""

    def to_json(self) -> dict[str, Any]:
        """Return the same as JSON data."""
        return {
            "outside": [one.to_json() for one in self.outside],
            "uncovered": {source: list(span) for source, span in self.uncovered.items()},
            "stamped": self.stamped and self.stamped.to_json(),
            "unchecked_stamps": self.unchecked_stamps,
        }


@dataclass(slots=True)
class VerifyReport:
    """Everything that one check found."""

    full: bool
    findings: list[Finding] = field(default_factory=list)
    counts: Counts = field(default_factory=Counts)
    uncommitted: list[str] = field(default_factory=list)
    """Keys below `segments/` that no commit names: a crash or a writer at work left them."""
    unsigned: bool = True
    heads: dict[str, Head] = field(default_factory=dict)
    """Source → the end of its log."""
    signatures: Signatures = field(default_factory=Signatures)
    anchors: Anchors = field(default_factory=Anchors)

    damages: int = 0
    """How many of the findings are damage."""
    files_read: int = 0
    bytes_read: int = 0
    files_to_read: int = 0
    """Of all sources whose logs were walked so far."""
    bytes_to_read: int = 0
    bytes_total: int | None = None
    """To be read in all, as far as listings tell; `None`: nobody asked."""
    bytes_resumed: int = 0
    """Of `bytes_read` those that an earlier try read."""
    resumed: int = 0
    """Segments that an earlier try found sound, and that were not read again."""
    resumed_since: datetime | None = None
    """When the first of these was read."""
    lock: LockState | None = None
    """What Object Lock keeps; `None`: it is not in use, or nobody asked."""
    plan: Plan = field(default_factory=Plan)
    """What the check did."""

    @property
    def damaged(self) -> bool:
        """Whether anything is not as it was committed."""
        return self.damages > 0

    def add(self, finding: Finding) -> None:
        """Take down *finding*."""
        self.findings.append(finding)
        self.damages += finding.severity is Severity.DAMAGE

    def to_json(self) -> dict[str, Any]:
        """Return the report as JSON data."""
        return {
            "full": self.full,
            "depth": self.plan.depth,
            "part": self.plan.part.text if self.plan.part else None,
            "since": format_time(self.plan.since) if self.plan.since else None,
            "resumed": self.resumed,
            "resumed_since": format_time(self.resumed_since) if self.resumed_since else None,
            "damaged": self.damaged,
            "unsigned": self.unsigned,
            "signatures": self.signatures.to_json(),
            "anchors": self.anchors.to_json(),
            "object_lock": self.lock.to_json() if self.lock else None,
            "counts": {name: getattr(self.counts, name) for name in Counts.__slots__},
            "heads": {source: {"seq": head.seq, "digest": head.digest} for source, head in self.heads.items()},
            "uncommitted": self.uncommitted,
            "findings": [
                {name: getattr(finding, name) for name in Finding.__slots__ if getattr(finding, name) is not None}
                for finding in self.findings
            ],
        }


class Notes:
    """Takes down the findings on one object; of each severity, stops writing when there are too many."""

    def __init__(self, report: VerifyReport, key: str) -> None:
        self._report = report
        self._left = dict.fromkeys(Severity, MAX_FINDINGS_PER_OBJECT)
        self.key = key

    def damage(
        self, message: str, *, record: int | None = None, offset: int | None = None, line: int | None = None
    ) -> None:
        """Take down damage."""
        self._add(Finding(Severity.DAMAGE, self.key, message, record, offset, line))

    def redacted(self, message: str) -> None:
        """Take down what was taken out of the archive."""
        self._add(Finding(Severity.REDACTED, self.key, message))

    def notice(self, message: str, *, line: int | None = None) -> None:
        """Take down something worth knowing."""
        self._add(Finding(Severity.NOTICE, self.key, message, line=line))

    def repeat(self, finding: Finding) -> None:
        """Take down what was found elsewhere."""
        self._add(finding)

    def _add(self, finding: Finding) -> None:
        left = self._left[finding.severity]
        if left > 0:
            self._report.add(finding)
        elif left == 0:
            message = f"more than {MAX_FINDINGS_PER_OBJECT} findings; the rest is left out"
            self._report.add(Finding(finding.severity, self.key, message))
        self._left[finding.severity] = left - 1

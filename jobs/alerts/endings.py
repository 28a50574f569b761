"""Runs that end before the archive hears of them: the store refuses, the disk is full, the process is killed. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from config.errors import ExitCode
from jobs.alerts.texts import clean
from jobs.health import BAD_ENDS, Reason, SourceHealth, State

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from jobs.runs.ending import RunEnded

_PATIENCE = 2
"""So many in a row are told: one may be a mishap."""
_AT_ONCE = frozenset({ExitCode.DISK_FULL, ExitCode.NO_ARCHIVE, ExitCode.DAMAGE})
_SEEN_ELSEWHERE = frozenset({ExitCode.DONE, ExitCode.CRAWL_FAILED})
"""Such a run is in the archive, and its health is judged by that."""
_NO_ENDS = frozenset({ExitCode.LOCKED, ExitCode.INTERRUPTED})
"""They say nothing of a source."""


@dataclass(frozen=True, slots=True)
class _Ends:
    times: int
    since: datetime
    last: RunEnded


class BadEnds:
    """Counts, for each source, the runs in a row that left nothing in the archive."""

    def __init__(self) -> None:
        self._ends: dict[str, _Ends] = {}

    def note(self, ended: RunEnded) -> None:
        """Count one run."""
        if ended.killed == "stop" or ended.exit_code in _NO_ENDS:
            return
        if ended.exit_code in _SEEN_ELSEWHERE and ended.killed is None:
            self._ends.pop(ended.source, None)
            return
        before = self._ends.get(ended.source)
        since = before.since if before else ended.started
        self._ends[ended.source] = _Ends(before.times + 1 if before else 1, since, ended)

    def add_to(self, healths: Sequence[SourceHealth]) -> list[SourceHealth]:
        """Return *healths* with what is wrong with the runs of each, as the gravest but for a publisher's refusal."""
        return [self._add(health) for health in healths]

    def _add(self, health: SourceHealth) -> SourceHealth:
        ends = self._ends.get(health.source)
        if ends is None or (ends.times < _PATIENCE and ends.last.exit_code not in _AT_ONCE):
            return health
        reason = Reason(BAD_ENDS, describe(ends.last, ends.times), State.FAILING, ends.since)
        others = (one for one in health.reasons if one.kind != BAD_ENDS)  # which the ledger tells, less exactly
        reasons = sorted((reason, *others), key=lambda one: -one.state.gravity)
        return replace(health, state=reasons[0].state, reasons=tuple(reasons))


def describe(ended: RunEnded, times: int) -> str:
    """Return how the last of *times* runs ended, for people."""
    report = ended.report or {}
    said = str(report.get("error") or "") or "; ".join(map(str, report.get("problems") or ()))
    if ended.killed is not None:
        how = f"was ended for its {clean(ended.killed, 20)}"
    elif ended.exit_code < 0:
        how = f"died by signal {-ended.exit_code}"
    else:
        how = f"ended with code {ended.exit_code}"
    runs = "the last run" if times == 1 else f"of the last {times} runs none ended well; the last one"
    return clean(f"{runs} {how}{': ' if said else ''}{said}")

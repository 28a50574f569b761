"""How a run ended → what is to be noted of its slot. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from config.errors import ExitCode
from crawler.rows import SlotRow
from jobs.ledger import Outcome, is_late

if TYPE_CHECKING:
    from jobs.runs.ending import RunEnded
    from jobs.schedule.turns import Passed

_REASONS = {
    Outcome.SKIPPED: "the run before was still going, or waited for its turn",
    Outcome.MISSED: "no daemon was running, or the machine slept",
}
_KILLED = {"time": "it took too long", "memory": "it took too much memory"}
_MAX_REASON = 300


def row_of_run(ended: RunEnded) -> SlotRow | None:
    """Return the row that says what became of the slot of a run; `None`: there is nothing to say.

    So it is where the run's own row in the archive says it, and where a run was stopped before it had begun anything:
    its slot is then still to be run.
    """
    if ended.slot is None:
        return None
    report: dict[str, Any] = ended.report or {}
    run = report.get("run") or None
    if is_taken(ended):
        return SlotRow(ended.slot, Outcome.SKIPPED, reason=describe_end(ended))
    if ended.exit_code == ExitCode.DONE or (run and ended.killed == "stop"):
        done = Outcome.LATE if is_late(ended.slot, ended.started) else Outcome.DONE
        return None if run else SlotRow(ended.slot, done)
    if ended.exit_code == ExitCode.STORE_REFUSED and run:
        return None  # what it fetched waits on this disk, its own row among it
    if ended.killed == "stop":
        return None
    return SlotRow(ended.slot, Outcome.FAILED, run=run, reason=describe_end(ended))


def is_taken(ended: RunEnded) -> bool:
    """Whether nothing was begun, since another run has the source or its slot."""
    return ended.exit_code == ExitCode.LOCKED and not (ended.report or {}).get("run")


def row_of_passed(passed: Passed) -> SlotRow:
    """Return the row that says why consecutive slots had no run."""
    through = passed.through if passed.slots > 1 else None
    return SlotRow(
        passed.slot, passed.outcome, reason=_REASONS.get(passed.outcome), through=through, slots=passed.slots
    )


def describe_end(ended: RunEnded) -> str:
    """Return why a run did not end as it should, in words for people."""
    report: dict[str, Any] = ended.report or {}
    problems = [str(problem) for problem in report.get("problems") or []]
    if ended.killed:
        problems.insert(0, _KILLED.get(ended.killed, "stopped"))
    return "; ".join(problems)[:_MAX_REASON] or f"exit code {ended.exit_code}"

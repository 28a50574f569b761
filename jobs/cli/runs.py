"""The command runs: what became of each slot of the schedule, gaps among them, and the runs that were for none."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from config.units import count
from jobs.catalog.ledgers import OPEN, RUN, count_outcomes
from jobs.cli.ledger import choose_ledgers, read_ledger
from jobs.cli.options import Invocation, archive_options, enter_archive, iterate_json, printable, reading_codes
from jobs.cli.times import A_TIME, read_time
from jobs.ledger import LATE_SECONDS, Outcome

if TYPE_CHECKING:
    from collections.abc import Iterator

    from crawler.rows import SlotRow
    from jobs.catalog.ledgers import SourceLedger
    from jobs.catalog.slots import StoredRun
    from jobs.context import OpenArchive
    from jobs.ledger import Stretch

DEFAULT_SINCE = "7 days"
UNSCHEDULED = "unscheduled"
_CHOICES = [*(one.value for one in Outcome if not one.is_mark), OPEN, UNSCHEDULED]
_TRIGGERS = {"crawl": "by hand", "job": "by a job", "daemon": "no slot", "backfill": "backfill"}
_ENDS = {"finished": "", "limit": "ended at a limit", "stopped": "was stopped", "lease": "lost its lease"}
_HEAD = f"{'slot':<17}  {'outcome':<9}  {'began':<8}  {'seconds':>8}  {'pages':>6}  {'new':>6}  {'revised':>7}"


@click.command(epilog=reading_codes())
@click.argument("source", nargs=-1)
@click.option("--since", help=f"From then on: {A_TIME}. Default: {DEFAULT_SINCE}.")
@click.option("--outcome", multiple=True, type=click.Choice(_CHOICES), help="Only these. May be repeated.")
@archive_options
def runs(invocation: Invocation, *, source: tuple[str, ...], since: str | None, outcome: tuple[str, ...]) -> None:
    """Show what became of each slot of SOURCE's schedule (default: of all sources), and its other runs; oldest first.

    Slots without a run are shown as gaps. What only this machine's notes say is marked: the next run commits it.
    """
    now = datetime.now(UTC)
    begin = read_time("--since", since or DEFAULT_SINCE, now) or now
    with enter_archive(invocation) as archive:
        for name in choose_ledgers(archive, source):
            ledger = read_ledger(archive, name, since=begin, now=now)
            lines = (line for line in list_lines(archive, ledger, since=begin) if not outcome or line.is_of(outcome))
            if invocation.as_json:
                for text in iterate_json(line.data for line in lines):
                    click.echo(text)
                invocation.print_result(describe_total(ledger), "")
                continue
            click.echo(render_head(ledger))
            for line in lines:
                click.echo(render_line(line))
            click.echo(render_total(ledger))


@dataclass(frozen=True, slots=True)
class Line:
    """A slot, a stretch of them, a run that was for none, or a change of the schedule."""

    at: datetime
    data: dict[str, Any]
    """As JSON has it; `kind` says which."""

    def is_of(self, outcomes: tuple[str, ...]) -> bool:
        """Whether one of *outcomes* is its."""
        return self.data["outcome"] in outcomes


def list_lines(archive: OpenArchive, ledger: SourceLedger, *, since: datetime) -> Iterator[Line]:
    """Yield all that happened since, in order of time."""
    found = [Line(one.slot, _describe_stretch(ledger, one)) for one in ledger.stretches]
    told = {one.run for one in ledger.stretches}
    others = (run for run in ledger.runs.values() if run.run not in told and run.started >= since)
    found += [Line(run.started, _describe_other(ledger, run)) for run in others]
    found += [Line(mark.slot, _describe_mark(ledger, mark)) for mark in ledger.marks if mark.slot >= since]
    for line in sorted(found, key=lambda line: line.at):
        run = ledger.runs.get(line.data.get("run") or "")
        if run is not None:
            line.data.update(_describe_run(archive, run))
        yield line


def _describe_stretch(ledger: SourceLedger, stretch: Stretch) -> dict[str, Any]:
    return {
        "kind": "slot",
        "source": ledger.source,
        "slot": stretch.slot,
        "through": stretch.through,
        "slots": stretch.slots,
        "outcome": stretch.outcome or OPEN,
        "run": stretch.run,
        "reason": stretch.reason,
        "pending": stretch.pending,
    }


def _describe_other(ledger: SourceLedger, run: StoredRun) -> dict[str, Any]:
    """Return a run that no slot has: for none, or for one that another run had already."""
    return {"kind": "run", "source": ledger.source, "slot": run.slot, "outcome": UNSCHEDULED, "run": run.run}


def _describe_mark(ledger: SourceLedger, mark: SlotRow) -> dict[str, Any]:
    return {
        "kind": "schedule",
        "source": ledger.source,
        "at": mark.slot,
        "schedule": mark.schedule,
        "outcome": None,
    }


def _describe_run(archive: OpenArchive, run: StoredRun) -> dict[str, Any]:
    verdicts = archive.catalog.count_verdicts(run.run)
    return {
        "trigger": run.trigger,
        "started": run.started,
        "finished": run.finished,
        "seconds": round((run.finished - run.started).total_seconds(), 3),
        "pages": archive.catalog.count_pages(run.run),
        "new": verdicts.get("new", 0),
        "revised": verdicts.get("revised", 0),
        "end": run.reason,
    }


def describe_total(ledger: SourceLedger) -> dict[str, Any]:
    """Return how many slots there were of each outcome, and which share of those that are settled had a run."""
    counts = count_outcomes(ledger.stretches)
    settled = sum(counts.values()) - counts[OPEN]
    share = sum(counts[one] for one in RUN) / settled if settled else None
    others = len(ledger.runs.keys() - {one.run for one in ledger.stretches})
    return {"kind": "total", "source": ledger.source, **counts, UNSCHEDULED: others, "share": share}


def render_head(ledger: SourceLedger) -> str:
    """Return what holds for all lines of a source."""
    mark = ledger.marks[-1] if ledger.marks else None
    schedule = "no schedule is known: no daemon has kept this ledger"
    if mark is not None and mark.schedule:
        schedule = f"{printable(mark.schedule)} since {_show(mark.slot)}"
    elif mark is not None:
        schedule = f"no schedule since {_show(mark.slot)}"
    first = f", ledger since {_show(ledger.marks[0].slot)}" if len(ledger.marks) > 1 else ""
    return f"{ledger.source} · {schedule}{first}\n{_HEAD}"


def render_line(line: Line) -> str:
    """Return *line* for people."""
    data = line.data
    told = "nothing is told of it yet" if data["outcome"] == OPEN else data.get("reason")
    reason = f": {printable(told)}" if told else ""
    pending = " (noted here, not committed yet)" if data.get("pending") else ""
    if data["kind"] == "schedule":
        return f"— schedule from {_show(line.at)} on: {printable(data['schedule'] or 'none')}"
    if data["kind"] == "slot" and data["outcome"] not in RUN and "started" not in data:
        through = f" to {_show_end(line.at, data['through'])}" if data["slots"] > 1 else ""
        return f"— {count(data['slots'], 'slot')} {data['outcome']}, {_show(line.at)}{through}{reason}{pending}"
    return f"{_render_run(line)}{reason}{pending}".rstrip()


def _render_run(line: Line) -> str:
    data = line.data
    outcome = data["outcome"] if data["kind"] == "slot" else _TRIGGERS.get(data["trigger"], data["trigger"])
    slot = _show(data["slot"]) if data["slot"] else "—"
    if "started" not in data:
        return f"{slot:<17}  {outcome:<9}"
    notes = [_ENDS.get(data["end"], printable(data["end"]))]
    if data["kind"] == "run":
        slot = _show(data["started"])
        notes.append("its slot had a run already" if data["slot"] else "")
    elif (behind := (data["started"] - data["slot"]).total_seconds()) > LATE_SECONDS:
        notes.append(f"{count(int(behind // 60), 'minute')} late")
    numbers = f"{data['seconds']:>8.1f}  {data['pages']:>6}  {data['new']:>6}  {data['revised']:>7}"
    text = f"{slot:<17}  {printable(outcome):<9}  {data['started']:%H:%M:%S}  {numbers}"
    return "  ".join([text, "; ".join(note for note in notes if note)]).rstrip()


def render_total(ledger: SourceLedger) -> str:
    """Return the last line of a source."""
    total = describe_total(ledger)
    counts = count_outcomes(ledger.stretches)
    told = " · ".join(f"{number} {outcome}" for outcome, number in counts.items() if number)
    share = "" if total["share"] is None else f"; {total['share']:.1%} had a run"
    others = f"; {count(total[UNSCHEDULED], 'run')} beside the schedule" if total[UNSCHEDULED] else ""
    return f"{ledger.source}: {count(sum(counts.values()), 'slot')}{': ' * bool(told)}{told}{share}{others}"


def _show(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M}Z"


def _show_end(begin: datetime, end: datetime) -> str:
    return f"{end:%H:%M}Z" if end.date() == begin.date() else _show(end)

"""A year of one source: edits and deletions seen, how soon, and requests, by our rechecks and by flat daily ones.

`python -m tests.benchmarks.year [--seed N] [--short N] [--out DIR]`, some ten minutes; a plot needs the extra `bench`.
Ends with 1 if ours sees fewer edits than the flat round at the same number of requests, or sees them later.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, replace
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from config.logs import configure_logging
from config.politeness import Politeness
from config.sources import DEFAULT_RECHECK
from jobs.rechecks import RecheckPolicy
from tests.benchmarks.year_simulation import Ledger, Outcome, QuickYear, Scale, live_by_policy, live_flat, make_site

if TYPE_CHECKING:
    from collections.abc import Sequence

DEFAULT = RecheckPolicy(DEFAULT_RECHECK, Politeness().recheck_budget)
SHORT = 150
_HEAD = ("", "rechecks", "edits seen", "median h", "p95 h", "deletions", "median h", "confirmed", "most waiting")


def live_both(seed: int, scale: Scale, policy: RecheckPolicy, name: str) -> list[Outcome]:
    """Return what a policy came to and, after it, what flat rechecks came to with as many requests."""
    pages, hours = make_site(seed, scale), scale.hours
    ours = live_by_policy(Ledger(name, pages, hours), policy, hours, year=QuickYear)
    per_day = ours.requests / max(1, scale.days - 1)
    flat = [
        live_flat(Ledger(f"  {flat}, as many", pages, hours), per_day, hours, newest=newest)
        for flat, newest in (("flat daily round", False), ("newest daily", True))
    ]
    return [ours, *flat]


def live_year(seed: int, scale: Scale, short: int) -> list[Outcome]:
    """Return all outcomes: of the default budget and of a short one, adaptive and by fixed ages."""
    tight = replace(DEFAULT, per_day=short)
    jobs = [
        (DEFAULT, f"adaptive, {DEFAULT.per_day} a day"),
        (replace(DEFAULT, adapts=False), f"fixed ages, {DEFAULT.per_day} a day"),
        (tight, f"adaptive, {short} a day"),
        (replace(tight, adapts=False), f"fixed ages, {short} a day"),
    ]
    with ProcessPoolExecutor(2) as pool:
        futures = [pool.submit(live_both, seed, scale, policy, name) for policy, name in jobs]
        for future in as_completed(futures):
            sys.stderr.write(f"done: {future.result()[0].name}\n{show_table(future.result())}\n")
        return [outcome for future in futures for outcome in future.result()]


def quantile(delays: Sequence[float], share: float) -> float:
    """Return the delay within which that share of *delays* lies; NaN of none."""
    return sorted(delays)[min(len(delays) - 1, math.ceil(share * len(delays)) - 1)] if delays else math.nan


def list_rows(outcomes: Sequence[Outcome]) -> list[tuple[str, ...]]:
    """Return the table, its head first."""
    return [_HEAD, *map(_list_cells, outcomes)]


def _list_cells(one: Outcome) -> tuple[str, ...]:
    return (
        one.name,
        f"{one.requests:,}",
        f"{len(one.delays)}/{one.edits} {one.seen:.1%}",
        f"{median(one.delays or [math.nan]):.1f}",
        f"{quantile(one.delays, 0.95):.0f}",
        f"{len(one.deletion_delays)}/{one.deletions}",
        f"{median(one.deletion_delays or [math.nan]):.0f}",
        f"{one.confirmed}/{one.deletions}",
        f"{max(one.waiting):,}" if one.waiting else "",
    )


def show_table(outcomes: Sequence[Outcome]) -> str:
    """Return the table as Markdown that people can read as it is."""
    rows = list_rows(outcomes)
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEAD))]
    lines = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |" for row in rows
    ]
    return "\n".join([lines[0], "|" + "|".join("-" * (width + 2) for width in widths) + "|", *lines[1:]])


def is_better(ours: Outcome, flat: Outcome) -> bool:
    """Whether ours saw more edits, and half of all edits sooner: one that was not seen counts as never."""
    middles = []
    for one in (ours, flat):
        never = [math.inf] * (one.edits - len(one.delays))
        middles.append(quantile([*one.delays, *never], 0.5))
    return ours.seen > flat.seen and middles[0] < middles[1]


def main(argv: list[str] | None = None) -> int:
    """Simulate, print, write year.md, year.json and, with matplotlib, year.svg; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.year", description=__doc__)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--short", type=int, default=SHORT, help="the short budget: rechecks a day")
    parser.add_argument("--out", type=Path, default=Path("bench"))
    chosen = parser.parse_args(argv)
    configure_logging(level="warning")
    outcomes = live_year(chosen.seed, Scale(), chosen.short)
    table = show_table(outcomes)
    sys.stdout.write(table + "\n")
    chosen.out.mkdir(parents=True, exist_ok=True)
    (chosen.out / "year.md").write_text(f"Seed {chosen.seed}, {Scale()}\n\n{table}\n", "utf-8")
    (chosen.out / "year.json").write_text(json.dumps([asdict(one) for one in outcomes]), "utf-8")
    if find_spec("matplotlib"):
        from tests.benchmarks.plots import plot_year

        plot_year(chosen.out / "year.svg", outcomes)
    return 0 if all(is_better(*outcomes[at : at + 2]) for at in range(0, len(outcomes), 3)) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

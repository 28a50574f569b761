"""`make bench-extract EVAL=DIR`: quality, stability, speed and cost of the clean text, beside trafilatura's.

Needs the evaluation kit, see `tests.benchmarks.eval_kit`; about ten minutes on two cores. `--quick` takes a sixth of
the pages: its figures only show that all can be measured. Ends with 0 though a figure is missed, with 1 where one could
not be measured. `python -m tests.benchmarks.extract --help`
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.benchmarks.eval_kit import ALL_SETS, NEWS, SETS, Kit, NotMeasuredError, find_kit, make_command, open_kit
from tests.benchmarks.extract_cost import count_fallbacks, find_quantile, measure_cost
from tests.benchmarks.extract_learning import Counts, measure_learning, share, show_learning
from tests.benchmarks.figures import Figure, show_table

if TYPE_CHECKING:
    from collections.abc import Callable

_ADAPTER = ("-m", "tests.benchmarks.extract_adapter")
_QUICK_EACH = 6
_QUICK_SOURCES = 2
_F1_BOUNDS = {
    "fundus": (0.008, 0.016),
    "chaos": (0.015, 0.022),
    "big5": (0.020, 0.028),
    "readability": (-0.005, 0.0),
    "trafilatura": (-0.005, 0.0),
}
"""Set → what the F1 must exceed trafilatura's by, and should."""
_FIELD_BOUNDS = {
    ("title", "near"): (0.90, 0.96),
    ("published", "day"): (0.985, 0.995),
    ("authors", "set_equal"): (0.82, 0.90),
}
_STABILITY_BOUNDS: dict[str, tuple[str, float | None, float | None]] = {
    "stable": ("A: text stays, chrome changes", 96, 99.5),
    "recrawl": ("A: text stays, recrawl (all at once)", 85, 97),
    "detected": ("B: text moves, an edit", 99, 100),
    "not_article": ("C: non-articles recognised", 95, 99),
    "truncated": ("pay wall stubs called truncated", None, None),
}


@dataclass(frozen=True, slots=True)
class Plan:
    """What is measured with."""

    kit: Kit
    quick: bool
    core: str
    """Where speed is measured."""


def measure_quality(plan: Plan) -> list[Figure]:
    """Return F1 of each set."""
    return [
        Figure(f"body F1 {gold}", ours["f1"], peer["f1"], *_F1_BOUNDS[gold], form=".4f", compared=True)
        for gold, (ours, peer) in _score(plan, SETS).items()
    ]


def measure_fields(plan: Plan) -> list[Figure]:
    """Return the shares of right fields on the set that states them."""
    ((ours, peer),) = _score(plan, ("fundus",)).values()
    return [
        Figure(f"fundus {field} {name}", ours["fields"][field][name], peer["fields"][field][name], *bounds, form=".3f")
        for (field, name), bounds in _FIELD_BOUNDS.items()
    ]


def measure_stability(plan: Plan) -> list[Figure]:
    """Return what stability.py says, in per cent."""
    options = ["--pages", "24"] if plan.quick else []
    ours, peer = _run_both(lambda command: plan.kit.judge_stability(command, *options), plan)
    return [
        Figure(label, 100 * ours[name], 100 * peer[name], must, aim, unit=" %")
        for name, (label, must, aim) in _STABILITY_BOUNDS.items()
    ]


def measure_learned(plan: Plan) -> list[Figure]:
    """Return the same of articles of one source, before and after `sources learn`."""
    found = measure_learning(plan.kit, sources=_QUICK_SOURCES if plan.quick else None)
    say(show_learning(found))
    before, after = Counts(), Counts()
    for one in found:
        before.add(one.before)
        after.add(one.after)
    figures = []
    for name, must, aim in (("stable", 99, 100), ("recrawl", 95, 100), ("detected", None, None)):
        label = _STABILITY_BOUNDS[name][0]
        for word, counts, asked in (("before", before, (None, None)), ("after", after, (must, aim))):
            figures.append(Figure(f"{label}, {word} learning", share(getattr(counts, name)), None, *asked, unit=" %"))
    return figures


def measure_speed(plan: Plan) -> list[Figure]:
    """Return how many times as many documents a second of one core we read, with all fields."""
    options = ["--passes", "1" if plan.quick else "3", "--core", plan.core, "--bootstrap", "0"]
    ours = make_command(*_ADAPTER, "--loaded")
    peer = make_command("-m", "tests.benchmarks.extract_peer", plan.kit.peer)
    ratios, figures = [], []
    for gold in SETS:
        speed = plan.kit.score(gold, ours, "--baseline", peer, *options)["speed"]
        ratios.append(speed["ratio"])
        figures.append(Figure(f"documents/s of CPU time, {gold}", speed["cpu_docs_s"], speed["baseline_cpu_docs_s"]))
        say(f"{figures[-1].name}: {ratios[-1]:.2f} times trafilatura's")
    return [
        *figures,
        Figure("speed against trafilatura, median", statistics.median(ratios), 1.0, 4, 8, form=".2f", unit=" ×"),
    ]


def measure_costs(plan: Plan) -> list[Figure]:
    """Return times of single pages and the memory of the process that read them all."""
    cost = measure_cost(plan.kit.data, ALL_SETS)
    say(f"{len(cost.cpu_ms)} pages in one process; loading libraries took {cost.loading_ms:.0f} ms, not counted")
    return [
        Figure("ms of CPU time a page, p50", find_quantile(cost.cpu_ms, 0.5)),
        Figure("ms of CPU time a page, p99", find_quantile(cost.cpu_ms, 0.99), None, 40, 20, most=True),
        Figure("ms of CPU time a page, most", max(cost.cpu_ms)),
        Figure("ms by the clock a page, p50", find_quantile(cost.wall_ms, 0.5)),
        Figure("ms by the clock a page, p99", find_quantile(cost.wall_ms, 0.99)),
        Figure("ms by the clock a page, most", max(cost.wall_ms)),
        Figure(
            f"peak memory over {len(cost.cpu_ms)} pages", cost.rss_mb, None, 150, 100, form=".0f", unit=" MB", most=True
        ),
    ]


def measure_fallback(plan: Plan) -> list[Figure]:
    """Return on how many news pages the text is trafilatura's."""
    found = count_fallbacks(plan.kit.data, NEWS)
    asked, taken = (100 * number / found.pages for number in (found.asked, found.taken))
    return [
        Figure(f"fall-back taken, of {found.pages} news pages", taken, None, 8, most=True, unit=" %"),
        Figure("fall-back asked", asked, None, unit=" %"),
    ]


PARTS: dict[str, Callable[[Plan], list[Figure]]] = {
    "quality": measure_quality,
    "fields": measure_fields,
    "stability": measure_stability,
    "learn": measure_learned,
    "speed": measure_speed,
    "cost": measure_costs,
    "fallback": measure_fallback,
}


def say(line: str) -> None:
    """Print a line at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def read_parts(value: str) -> list[str]:
    """Return the parts that are named in *value*, in their own order. Raises ArgumentTypeError."""
    wanted = value.split(",")
    if strange := [one for one in wanted if one not in PARTS]:
        raise argparse.ArgumentTypeError(f"{', '.join(strange)}: expected some of {','.join(PARTS)}")
    return [one for one in PARTS if one in wanted]


def main(argv: list[str]) -> int:
    """Measure and print; return the exit code."""
    parser = argparse.ArgumentParser(prog="bench-extract", description="Measure the extractor against trafilatura.")
    parser.add_argument("--eval", metavar="DIR", help="the evaluation kit; by default one beside the checkout")
    parser.add_argument("--quick", action="store_true", help="a sample of the pages")
    parser.add_argument("--only", type=read_parts, default=list(PARTS), metavar="PART,…", help=",".join(PARTS))
    parser.add_argument("--core", default="0", help="on which speed is measured")
    given = parser.parse_args(argv)
    started = time.monotonic()
    figures, failures = [], []
    try:
        with tempfile.TemporaryDirectory(prefix="ofrecord-bench-") as scratch:
            kit = open_kit(find_kit(given.eval), Path(scratch), each=_QUICK_EACH if given.quick else 1)
            say(f"kit: {kit.folder}")
            plan = Plan(kit, given.quick, given.core)
            for name in given.only:
                say(f"— {name}, after {time.monotonic() - started:.0f} s")
                try:
                    figures += PARTS[name](plan)
                except NotMeasuredError as error:
                    failures.append(f"{name} could not be measured: {error}")
                    say(failures[-1])
    except NotMeasuredError as error:
        failures.append(str(error))
    if figures:
        say(f"\n{show_table(figures)}, after {time.monotonic() - started:.0f} s")
    for failure in failures:
        sys.stderr.write(f"{failure}\n")
    return 1 if failures else 0


def _score(plan: Plan, sets: tuple[str, ...]) -> dict[str, tuple[dict[str, Any], dict[str, Any]]]:
    return {gold: _run_both(lambda command, gold=gold: plan.kit.score(gold, command), plan) for gold in sets}  # type: ignore[misc]


def _run_both(judge: Callable[[str], dict[str, Any]], plan: Plan) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return what *judge* finds for our command and for trafilatura's, run side by side: nothing is timed."""
    with ThreadPoolExecutor(2) as pool:
        ours, peer = pool.map(judge, (make_command(*_ADAPTER), make_command(plan.kit.peer)))
    return ours, peer


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

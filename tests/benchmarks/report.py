"""Runs → medians, ratios, a table as text and Markdown, JSON, and plots where matplotlib is."""

from __future__ import annotations

import json
import os
import platform
import subprocess
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

from config.settings import program_version
from config.units import count

if TYPE_CHECKING:
    from collections.abc import Sequence

_HEAD = ("", "pages", "pages/s", "CPU s/1,000", "peak MB", "KiB/page", "ours is × as fast", "ours takes × the CPU")


@dataclass(frozen=True, slots=True)
class Run:
    """What one contender took for its pages once."""

    name: str
    number: int
    """Of the round, from 1; 0: outside of them."""
    pages: int
    seconds: float
    cpu_seconds: float
    peak_bytes: int
    disk_bytes: int

    @property
    def speed(self) -> float:
        """Pages a second by the wall, start and end included."""
        return self.pages / self.seconds

    @property
    def cpu_per_thousand(self) -> float:
        """CPU seconds for 1,000 pages."""
        return self.cpu_seconds / self.pages * 1000

    @property
    def kib_per_page(self) -> float:
        """Written, for each page."""
        return self.disk_bytes / self.pages / 1024


@dataclass(slots=True)
class Comparison:
    """All runs, and where they were."""

    machine: dict[str, Any]
    ours: str
    skipped: dict[str, str]
    """Contender → why it was not run."""
    runs: list[Run] = field(default_factory=list)
    growth: list[Run] = field(default_factory=list)
    """Of ours, with fewer pages and with all of them."""

    def of(self, name: str) -> list[Run]:
        """Return the runs of one contender, by round."""
        return [run for run in self.runs if run.name == name]

    @property
    def names(self) -> list[str]:
        """Ours first, then the others as they first ran."""
        return sorted({run.name: None for run in self.runs}, key=lambda name: name != self.ours)

    def ratios(self, name: str) -> tuple[list[float], list[float]]:
        """Return by round how many times as fast as *name* ours is, and how many times its CPU it takes."""
        own = {run.number: run for run in self.of(self.ours)}
        pairs = [(own[run.number], run) for run in self.of(name) if run.number in own]
        return (
            [ours.speed / peer.speed for ours, peer in pairs],
            [ours.cpu_per_thousand / peer.cpu_per_thousand for ours, peer in pairs],
        )


def describe_machine(server: str, sizes: Sequence[tuple[int, int]]) -> dict[str, Any]:
    """Return what the figures hang on beside the code. *sizes*: of the pages, inflated and gzipped."""
    root = Path(__file__).resolve().parents[2]
    command = ["git", "describe", "--always", "--dirty"]
    commit = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "version": program_version(),
        "commit": commit.stdout.strip() or None,
        "python": platform.python_version(),
        "machine": platform.machine(),
        "cores": len(os.sched_getaffinity(0)),
        "load_before": round(os.getloadavg()[0], 2),
        "server": server,
        "pages": len(sizes),
        "page_bytes_median": int(median(size for size, _ in sizes)),
        "gzip_bytes_median": int(median(size for _, size in sizes)),
    }


def show_run(run: Run) -> str:
    """Return one run as a line."""
    which = f"round {run.number}" if run.number else "growth "
    return (
        f"{which}  {run.name:<24} {run.pages:>6} pages {run.speed:>8.1f} pages/s"
        f" {run.cpu_per_thousand:>7.2f} CPU s/1,000 {run.peak_bytes / 1e6:>6.0f} MB {run.kib_per_page:>7.1f} KiB/page"
    )


def list_rows(comparison: Comparison) -> list[tuple[str, ...]]:
    """Return the table's rows, its head first: medians, and of the ratios the least and the most."""
    rows: list[tuple[str, ...]] = [_HEAD]
    for name in comparison.names:
        runs = comparison.of(name)
        speeds, costs = comparison.ratios(name)
        rows.append((
            name,
            f"{median(run.pages for run in runs):.0f}",
            f"{median(run.speed for run in runs):.0f}",
            f"{median(run.cpu_per_thousand for run in runs):.2f}",
            f"{median(run.peak_bytes for run in runs) / 1e6:.0f}",
            f"{median(run.kib_per_page for run in runs):.1f}",
            "" if name == comparison.ours else _show_ratios(speeds),
            "" if name == comparison.ours else _show_ratios(costs),
        ))  # fmt: skip
    return rows


def show_table(rows: Sequence[tuple[str, ...]], *, markdown: bool = False) -> str:
    """Return *rows* as a table; the first is its head."""
    widths = [max(len(row[at]) for row in rows) for at in range(len(rows[0]))]
    lines = []
    for row in rows:
        cells = [
            cell.rjust(width) if at else cell.ljust(width)
            for at, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append("| " + " | ".join(cells) + " |" if markdown else "  ".join(cells).rstrip())
    if markdown:
        lines.insert(
            1, "|" + "|".join("-" * (width + 1) + (":" if at else "-") for at, width in enumerate(widths)) + "|"
        )
    return "\n".join(lines)


def write_report(folder: Path, comparison: Comparison) -> str:
    """Write comparison.md, comparison.json and the plots into *folder*; return what a person is told."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = list_rows(comparison)
    rounds = max((run.number for run in comparison.runs), default=0)
    machine = " · ".join(f"{key} {value}" for key, value in comparison.machine.items() if value is not None)
    notes = [f"Medians of {count(rounds, 'round')}; ratios round by round: median [least … most].", machine]
    notes += [f"Not run: {name}: {reason}" for name, reason in comparison.skipped.items()]
    text = "\n".join(f"- {note}" for note in notes)
    (folder / "comparison.md").write_text(f"{show_table(rows, markdown=True)}\n\n{text}\n", encoding="utf-8")
    (folder / "comparison.json").write_text(
        json.dumps(encode(comparison), indent=1, ensure_ascii=False), encoding="utf-8"
    )
    if find_spec("matplotlib") is None:
        plots = "no plots: matplotlib is not installed (pip install 'ofrecord[bench]')"
    else:
        from tests.benchmarks.plots import plot_all

        plots = " ".join(str(path) for path in plot_all(folder, comparison))
    return f"{show_table(rows)}\n\n{text}\n\n{folder / 'comparison.md'} {folder / 'comparison.json'} {plots}"


def encode(comparison: Comparison) -> dict[str, Any]:
    """Return all of it as JSON data."""
    derived = ("speed", "cpu_per_thousand", "kib_per_page")
    data = asdict(comparison)
    for name in ("runs", "growth"):
        pairs = zip(data[name], getattr(comparison, name), strict=True)
        data[name] = [values | {key: round(getattr(run, key), 3) for key in derived} for values, run in pairs]
    return data


def _show_ratios(ratios: Sequence[float]) -> str:
    return f"{median(ratios):.2f} [{min(ratios):.2f} … {max(ratios):.2f}]" if ratios else "–"

"""Plots of a comparison as SVG. Needs the extra `bench`; the only importer of matplotlib beside `day`."""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING

import matplotlib as mpl

mpl.use("svg")
from matplotlib import pyplot as plt

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from tests.benchmarks.report import Comparison
    from tests.benchmarks.year_simulation import Outcome


def plot_all(folder: Path, comparison: Comparison) -> Iterator[Path]:
    """Write throughput.svg and cost.svg into *folder*; yield their paths."""
    yield plot_throughput(folder / "throughput.svg", comparison)
    if comparison.growth:
        yield plot_cost(folder / "cost.svg", comparison)


def plot_throughput(path: Path, comparison: Comparison) -> Path:
    """Draw pages a second and CPU seconds a thousand pages, a bar each, with the least and the most of the rounds."""
    figure, axes = plt.subplots(1, 2, figsize=(11, 0.5 * len(comparison.names) + 1.5), sharey=True)
    names = comparison.names[::-1]
    played = [comparison.of(name) for name in names]
    for axis, title, values in (
        (axes[0], "pages a second", [[run.speed for run in runs] for runs in played]),
        (
            axes[1],
            "CPU seconds for 1,000 pages",
            [[run.cpu_per_thousand for run in runs] for runs in played],
        ),
    ):
        middles = [median(runs) for runs in values]
        spans = [
            [middle - min(runs) for middle, runs in zip(middles, values, strict=True)],
            [max(runs) - middle for middle, runs in zip(middles, values, strict=True)],
        ]
        colours = ["tab:orange" if name == comparison.ours else "tab:blue" for name in names]
        axis.barh(names, middles, xerr=spans, color=colours, ecolor="0.3", capsize=3)
        axis.set_title(title)
    return _save(figure, path)


def plot_cost(path: Path, comparison: Comparison) -> Path:
    """Draw what a crawl of ours costs against its number of pages."""
    figure, axes = plt.subplots(1, 2, figsize=(11, 3.5))
    runs = sorted(comparison.growth, key=lambda run: run.pages)
    pages = [run.pages for run in runs]
    axes[0].plot(pages, [run.cpu_per_thousand for run in runs], marker="o")
    axes[0].set_title("CPU seconds for 1,000 pages")
    axes[1].plot(pages, [run.peak_bytes / 1e6 for run in runs], marker="o")
    axes[1].set_title("peak memory of all processes, MB")
    for axis in axes:
        axis.set_xlabel("pages of the crawl")
        axis.set_ylim(0, 1.1 * axis.get_ylim()[1])
    return _save(figure, path)


def plot_year(path: Path, outcomes: Sequence[Outcome]) -> Path:
    """Draw which share of all edits was seen within which time, one picture for each policy and its flat rivals."""
    groups = [outcomes[at : at + 3] for at in range(0, len(outcomes), 3)]
    figure, axes = plt.subplots(1, len(groups), figsize=(4.5 * len(groups), 3.8), sharey=True, squeeze=False)
    for axis, group in zip(axes[0], groups, strict=True):
        for one, colour in zip(group, ("tab:orange", "tab:blue", "tab:green"), strict=True):
            shares = [number / max(1, one.edits) for number in range(1, len(one.delays) + 1)]
            axis.step(sorted(one.delays), shares, where="post", label=one.name.strip(), color=colour)
        axis.set(xscale="log", xlabel="hours after the edit", ylim=(0, 1), title=f"{group[0].requests:,} rechecks")
        axis.grid(alpha=0.3)
        axis.legend(loc="lower right", fontsize="small")
    axes[0][0].set_ylabel("share of all edits seen")
    return _save(figure, path)


def _save(figure: plt.Figure, path: Path) -> Path:
    figure.tight_layout()
    figure.savefig(path)
    plt.close(figure)
    return path

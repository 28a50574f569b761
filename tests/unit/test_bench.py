"""The pure parts of `make bench`: pages as long as real ones, the table, the report, who is left out."""

from __future__ import annotations

import json
from statistics import mean
from typing import TYPE_CHECKING

import pytest

from tests.benchmarks.compare import OURS, choose
from tests.benchmarks.contenders import CONTENDERS, ScrapyPeer
from tests.benchmarks.newspaper import SITES, compress_page, make_page, path_of, site_of
from tests.benchmarks.report import Comparison, Run, list_rows, show_run, show_table, write_report

if TYPE_CHECKING:
    from pathlib import Path


def run_of(name: str, number: int, seconds: float, *, pages: int = 100, cpu: float = 1.0) -> Run:
    return Run(name, number, pages, seconds, cpu, peak_bytes=90_000_000, disk_bytes=pages * 40 * 1024)


@pytest.fixture
def comparison() -> Comparison:
    ours = [run_of("ours", 1, 2.0, cpu=0.4), run_of("ours", 2, 4.0, cpu=0.4), run_of("ours", 3, 1.0, cpu=0.8)]
    peers = [run_of("peer", 1, 4.0, cpu=0.1, pages=50), run_of("peer", 2, 4.0), run_of("peer", 3, 5.0)]
    found = Comparison({"cores": 2, "commit": None}, "ours", {"other": "not installed: other"})
    found.runs = [peers[0], ours[0], ours[1], peers[1], ours[2], peers[2]]
    found.growth = [run_of("ours", 0, 1.0, pages=25), ours[0]]
    return found


def test_pages_are_as_long_as_real_ones_and_always_the_same() -> None:
    pages = [make_page(number) for number in range(60)]
    assert pages == [make_page(number) for number in range(60)]
    assert len(set(pages)) == 60
    assert 140_000 < mean(map(len, pages)) < 210_000
    assert 28_000 < mean(len(compress_page(page)) for page in pages) < 42_000
    assert 800 < mean(page.count(b"<") - page.count(b"</") for page in pages) < 1_150
    assert min(map(len, pages)) > 30_000
    assert len({path_of(number) for number in range(3_000)}) == 3_000
    assert {site_of(number) for number in range(100)} == set(range(SITES))


def test_the_table_has_medians_and_ratios_of_runs_near_in_time(comparison: Comparison) -> None:
    head, ours, peer = list_rows(comparison)
    assert head[2:4] == ("pages/s", "CPU s/1,000")
    assert ours == ("ours", "100", "50", "4.00", "90", "40.0", "", "")
    assert peer[:6] == ("peer", "100", "20", "10.00", "90", "40.0")
    assert peer[6] == "4.00 [1.00 … 5.00]"
    assert peer[7] == "0.80 [0.40 … 2.00]"
    text = show_table([head, ours, peer])
    assert len(text.splitlines()) == 3
    assert "round 2" in show_run(comparison.runs[2])
    assert show_run(comparison.growth[0]).startswith("growth")


def test_a_round_that_failed_is_in_no_ratio(comparison: Comparison) -> None:
    comparison.runs = [run for run in comparison.runs if (run.name, run.number) != ("ours", 2)]
    assert comparison.ratios("peer") == ([4.0, 5.0], [2.0, 0.8])
    comparison.runs = comparison.of("peer")
    assert list_rows(comparison)[1][6] == "–"


def test_the_report_is_written(comparison: Comparison, tmp_path: Path) -> None:
    said = write_report(tmp_path / "new" / "bench", comparison)
    text = (tmp_path / "new" / "bench" / "comparison.md").read_text("utf-8")
    assert text.splitlines()[1].startswith("|---")
    assert "| peer " in text
    assert "Medians of 3 rounds" in text
    assert "- Not run: other: not installed: other" in text
    assert "cores 2" in text
    assert "commit" not in text
    data = json.loads((tmp_path / "new" / "bench" / "comparison.json").read_text("utf-8"))
    assert [run["speed"] for run in data["runs"] if run["name"] == "ours"] == [50.0, 25.0, 100.0]
    assert data["growth"][0]["pages"] == 25
    assert "comparison.json" in said
    assert ("throughput.svg" in said) != ("no plots: matplotlib is not installed" in said)


def test_what_is_not_installed_is_said() -> None:
    assert CONTENDERS[0] is OURS
    assert OURS.find_obstacle() is None
    missing = ScrapyPeer("x", needs=("json", "no_such_module"))
    assert missing.find_obstacle() == "not installed: no_such_module (extra bench)"
    assert [contender.name for contender, _ in choose("defaults")] == ["ofrecord", "bare Scrapy, defaults"]
    assert len(list(choose(None))) == len(CONTENDERS)

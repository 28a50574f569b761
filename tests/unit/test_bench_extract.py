"""The pure parts of `make bench-extract`: the table, finding the kit, reading what its scorers say."""

from __future__ import annotations

import argparse
import subprocess
import sys
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from lxml import html  # type: ignore[import-untyped]

from tests.benchmarks.eval_kit import ROOT, NotMeasuredError, find_kit, parse_score, parse_stability
from tests.benchmarks.extract import read_parts
from tests.benchmarks.extract_cost import count_fallbacks, find_quantile, read_all
from tests.benchmarks.extract_learning import (
    LEAST_ARTICLES,
    Counts,
    _require_own_command,
    find_host,
    group_pages,
    share,
)
from tests.benchmarks.figures import Figure, show_table

if TYPE_CHECKING:
    from pathlib import Path

SENTENCES = "".join(f"<p>On day {day} the council met and agreed that the bridge be built.</p>" for day in range(9))
PAGE = (
    f"<html><head><title>The bridge</title></head><body><article><h1>The bridge</h1>{SENTENCES}</article></body></html>"
)


def make_kit(folder: Path) -> Path:
    folder.mkdir(parents=True)
    for name in ("score.py", "stability.py", "dev.tar.zst"):
        (folder / name).touch()
    return folder


def make_set(data: Path, name: str, pages: dict[str, str]) -> None:
    (data / name / "html").mkdir(parents=True)
    (data / name / "gold.jsonl").write_text("".join(f'{{"file": "{file}"}}\n' for file in pages), "utf-8")
    for file, page in pages.items():
        (data / name / "html" / file).write_text(page, "utf-8")


def test_a_figure_is_held_against_its_bounds() -> None:
    assert Figure("F1", 0.9, must=0.9, aim=0.95, form=".3f").verdict == "ok"
    assert Figure("F1", 0.951, must=0.9, aim=0.95, form=".3f").verdict == "ok, aim"
    assert Figure("F1", 0.899, must=0.9, aim=0.95, form=".3f").verdict == "missed"
    assert Figure("ms", 40.0, must=40, aim=20, most=True).verdict == "ok"
    assert Figure("ms", 40.1, must=40, aim=20, most=True).verdict == "missed"
    assert Figure("ms", 12.0, 99.0).verdict == ""


def test_a_difference_counts_where_that_is_asked() -> None:
    figure = Figure("F1", 0.96, 0.95, 0.008, 0.016, form=".4f", compared=True)
    assert figure.verdict == "ok"
    assert figure.cells() == ("F1", "0.9600 (+0.0100)", "0.9500", "≥ +0.0080", "≥ +0.0160", "ok")
    assert Figure("F1", 0.95, 0.96, -0.005, 0.0, form=".4f", compared=True).verdict == "missed"


def test_what_is_shown_is_what_is_judged() -> None:
    figure = Figure("A", 95.96, must=96, aim=99.5, unit=" %")
    assert figure.cells()[1] == "96.0 %"
    assert figure.verdict == "ok"


def test_the_table_has_a_line_a_figure_and_counts_what_is_missed() -> None:
    figures = [Figure("one", 1.0, must=2), Figure("a longer one", 3.0, 4.0, must=2), Figure("no bound", 5.0)]
    head, *lines, last = show_table(figures).split("\n")
    assert head.split() == ["figure", "ours", "trafilatura", "must", "aim"]
    assert [line.split()[-1] for line in lines] == ["missed", "ok", "5.0"]
    assert len({line.index(value) for line, value in zip(lines, ("1.0", "3.0", "5.0"), strict=True)}) == 1
    assert last == "1 of 2 figures are what they must be"


def test_the_kit_is_found_beside_the_checkout_or_one_below_that(tmp_path: Path) -> None:
    checkout = tmp_path / "work" / "code"
    make_kit(checkout / "inside")  # what lies in the checkout is no kit beside it
    with pytest.raises(NotMeasuredError, match="make bench-extract EVAL="):
        find_kit(None, checkout)
    (tmp_path / "work" / "almost" / "deeper").mkdir(parents=True)
    (tmp_path / "work" / "almost" / "score.py").touch()
    below = make_kit(tmp_path / "work" / "shared" / "any-name")
    assert find_kit(None, checkout) == below
    beside = make_kit(tmp_path / "work" / "zoo")
    assert find_kit(None, checkout) == beside


def test_the_kit_that_is_named_is_taken_or_refused(tmp_path: Path) -> None:
    kit = make_kit(tmp_path / "a" / "b" / "kit")
    make_kit(tmp_path / "other")
    assert find_kit(str(kit), tmp_path / "code") == kit
    (kit / "stability.py").unlink()
    with pytest.raises(NotMeasuredError, match=r"no evaluation kit, stability\.py not found"):
        find_kit(str(kit), tmp_path / "code")


def test_f1_is_of_the_metric_that_the_scorer_names() -> None:
    result: dict[str, Any] = {"token": {"f1": 0.9}, "shingle4": {"f1": 0.8}, "missing": 0, "bad_lines": 0}
    printed = "shingle4*  f1 0.8000\nF1 0.8000 precision 0.7000 recall 0.9000  (shingle4)\ndocs/s 70.0 a CPU second\n"
    assert parse_score(result, printed)["f1"] == 0.8
    assert parse_score(result, printed.replace("(shingle4)", "(token)"))["f1"] == 0.9
    for broken in ("", printed.replace("F1", "f1"), printed.replace("(shingle4)", "(segments)")):
        with pytest.raises(NotMeasuredError, match="no F1"):
            parse_score(result, broken)
    with pytest.raises(NotMeasuredError, match="left out 3 pages"):
        parse_score({**result, "missing": 3}, printed)


def test_shares_of_stability() -> None:
    result = {
        "total": {"stable": [9, 10], "detected": [3, 4], "not_article": [1, 2]},
        "stable": {"recrawl": [1, 4], "ads": [8, 8]},
        "truncated": {"paywall": [2, 5]},
    }
    found = parse_stability(result)
    assert found == {"stable": 0.9, "detected": 0.75, "not_article": 0.5, "recrawl": 0.25, "truncated": 0.4}
    with pytest.raises(NotMeasuredError, match="truncated"):
        parse_stability({**result, "truncated": {}})
    with pytest.raises(NotMeasuredError, match="detected"):
        parse_stability({**result, "total": {**result["total"], "detected": [0, 0]}})


def test_quantiles_are_values_that_were_measured() -> None:
    values = [float(value) for value in range(200, 0, -1)]
    assert find_quantile(values, 0.5) == 100
    assert find_quantile(values, 0.99) == 198
    assert find_quantile([7.0], 0.99) == 7


def test_parts_are_named_and_come_in_their_own_order() -> None:
    assert read_parts("learn,quality") == ["quality", "learn"]
    with pytest.raises(argparse.ArgumentTypeError, match="tempo: expected some of quality,"):
        read_parts("quality,tempo")


def test_publishers_are_told_by_url_or_by_what_the_page_states() -> None:
    def page(of: str, url: str | None, stated: str = "") -> SimpleNamespace:
        root = html.document_fromstring(f"<html><head>{stated}</head><body>x</body></html>")
        return SimpleNamespace(set=of, url=url, root=root)

    archived = "https://web.example/web/2009/http://www.herald.example/a"
    assert find_host(page("one", archived)) == "herald.example"
    assert find_host(page("one", None, '<link rel="canonical" href="https://post.example:80/b">')) == "post.example"
    assert find_host(page("one", None)) is None
    many = [page("one", "https://www.gazette.example/a") for _ in range(LEAST_ARTICLES + 1)]
    some = [page("two", "https://gazette.example/a") for _ in range(LEAST_ARTICLES)]
    few = [page("two", "https://post.example/a") for _ in range(LEAST_ARTICLES - 1)]
    nameless = [page("two", None) for _ in range(LEAST_ARTICLES)]
    groups = group_pages([*few, *some, *nameless, *many])
    assert groups == [("one/gazette.example", many), ("two/gazette.example", some)]
    assert group_pages([*some, *many], most=1) == groups[:1]


def test_the_command_of_another_checkout_is_not_measured(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("tests.benchmarks.extract_learning.ROOT", tmp_path)
    with pytest.raises(NotMeasuredError, match=f"not {tmp_path}: install that"):
        _require_own_command()


def test_counts_add_up() -> None:
    total = Counts(stable=[1, 2], f1=[0.5])
    total.add(Counts(stable=[3, 4], recrawl=[1, 1], f1=[1.0]))
    assert (total.stable, total.recrawl, total.detected, total.mean_f1) == ([4, 6], [1, 1], [0, 0], 0.75)
    assert share([1, 4]) == 25


def test_each_page_of_the_sets_is_read_once(tmp_path: Path) -> None:
    make_set(tmp_path, "one", {"a.html": PAGE, "b.html": "<html></html>"})
    make_set(tmp_path, "two", {"c.html": PAGE})
    cost = read_all(tmp_path, ["one", "two"])
    assert len(cost.cpu_ms) == len(cost.wall_ms) == 3
    assert min(cost.wall_ms) > 0
    assert cost.rss_mb > 10


def test_a_large_parent_does_not_count_as_memory() -> None:
    ballast = bytearray(400 << 20)
    ballast[::4_096] = b"x" * len(ballast[::4_096])
    code = "from tests.benchmarks.extract_cost import read_peak_mb; print(read_peak_mb())"
    found = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert 10 < float(found.stdout) < 200


def test_asked_and_taken_are_told_apart(tmp_path: Path) -> None:
    make_set(tmp_path, "good", {"a.html": PAGE})
    assert count_fallbacks(tmp_path, ["good"]).asked == 0
    shown = "<p>The mayor says that books are here. <a href='/x'>one long text of a link after the other</a></p>"
    kind = '<head><meta property="og:type" content="article"></head>'
    short = f"<html>{kind}<body><div>{shown}</div></body></html>"
    more = (
        f"<html>{kind}<body><div>{shown}</div><dialog>{SENTENCES}</dialog></body></html>"  # which only the other reads
    )
    make_set(tmp_path, "poor", {"b.html": short, "c.html": more})
    found = count_fallbacks(tmp_path, ["good", "poor"])
    assert (found.pages, found.asked, found.taken) == (3, 2, 1)

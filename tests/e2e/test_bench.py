"""`make bench` once through, small: real servers, real contenders, and a check that does not let damage pass."""

from __future__ import annotations

import gzip
import json
import sys
import urllib.error
import urllib.request
from typing import TYPE_CHECKING

import pytest

from tests.benchmarks.checking import check_archive
from tests.benchmarks.compare import main, write_pages
from tests.benchmarks.measuring import measure
from tests.benchmarks.newspaper import make_page, path_of, site_of
from tests.benchmarks.newspaper_server import address_of, serve
from tests.crawls import Answer, serve_site
from tests.installation import install

if TYPE_CHECKING:
    from pathlib import Path


def test_a_small_comparison(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["--pages", "24", "--rounds", "1", "--only", "FastWARC", "--sizes", "", "--out", str(tmp_path / "bench")]
    assert main(words) == 0, capsys.readouterr()
    data = json.loads((tmp_path / "bench" / "comparison.json").read_text("utf-8"))
    assert {run["name"]: run["pages"] for run in data["runs"]} == {"ofrecord": 24, "Scrapy + FastWARC": 24}
    assert [run["pages"] for run in data["growth"]] == [6, 12, 24]
    assert all(run["kib_per_page"] > 20 for run in data["runs"])
    assert "| ofrecord" in (tmp_path / "bench" / "comparison.md").read_text("utf-8")


@pytest.mark.parametrize("words", [["--rounds", "0"], ["--pages", "0"], ["--pages", "-1"], ["--rounds", "x"]])
def test_a_comparison_of_nothing_is_refused(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(words)
    assert f"found '{words[1]}', expected a number from 1 on" in capsys.readouterr().err


def test_what_was_not_stored_as_served_is_found(tmp_path: Path) -> None:
    files = write_pages(tmp_path / "pages", 4)
    with serve_site() as site:
        served = {}
        for number, path in enumerate(files):
            site.answers[path_of(number)] = Answer(path.read_bytes(), headers={"Content-Encoding": "gzip"})
            served[f"{site.root}{path_of(number)}"] = path
        ofrecord = install(tmp_path / "out", site.describe_source(delay_seconds=0, concurrent_requests=4))
        (tmp_path / "urls").write_text("\n".join(served), "utf-8")
        ofrecord("crawl", "gazette", "--urls", tmp_path / "urls")
    assert check_archive(tmp_path / "out", served) == []
    assert check_archive(tmp_path / "out", {**served, "http://a.example/": files[0]}) == [
        "1 pages are not in the WARC files, http://a.example/ for one"
    ]
    files[2].write_bytes(files[2].read_bytes()[:-1])
    assert check_archive(tmp_path / "out", served) == [f"1 bodies are not as served, {list(served)[2]} for one"]
    (segment,) = (tmp_path / "out" / "archive" / "segments").rglob("*.warc.gz")
    segment.write_bytes(segment.read_bytes()[:-1])
    assert "verify is not clean (exit code 13)" in check_archive(tmp_path / "out", served)[-1]


GRANDCHILD = "import time; held = bytearray(60_000_000); sum(range(3_000_000)); time.sleep(1)"
CHILD = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {GRANDCHILD!r}])"
SAYING = f"{CHILD}; open('out/x', 'w').write('12345'); sys.stderr.write('oh'); print('hm'); print('{{\"pages\": 3}}')"


def test_a_commands_cost_is_that_of_all_its_processes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "out").mkdir()
    cost = measure([sys.executable, "-c", SAYING], tmp_path / "out", log=tmp_path / "log", environment={})
    assert cost.code == 0
    assert cost.result() == {"pages": 3}
    assert cost.disk_bytes == 5
    assert (tmp_path / "log").read_text() == "oh"
    assert cost.peak_bytes > 60_000_000
    assert cost.cpu_seconds > 0.02
    assert cost.seconds > 1
    failed = measure([sys.executable, "-c", "exit(3)"], tmp_path / "out", log=tmp_path / "log", environment={})
    assert failed.code == 3
    with pytest.raises(ValueError, match="Expecting value"):
        failed.result()


@pytest.mark.parametrize("nginx", [False, True])
def test_both_servers_send_what_lies_there(tmp_path: Path, *, nginx: bool) -> None:
    files = write_pages(tmp_path / "pages", 3)
    (tmp_path / "scratch").mkdir()
    with serve(tmp_path / "pages", tmp_path / "scratch", nginx=nginx) as (name, port):
        if nginx and name != "nginx":
            pytest.skip("no nginx here")
        for number, path in enumerate(files):
            url = f"http://{address_of(site_of(number))}:{port}{path_of(number)}"
            request = urllib.request.Request(url, headers={"Accept-Encoding": "gzip"})
            with urllib.request.urlopen(request) as answer:
                body = answer.read()
                assert answer.headers["Content-Encoding"] == "gzip"
                assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
            assert body == path.read_bytes()
            assert gzip.decompress(body) == make_page(number)
        with pytest.raises(urllib.error.HTTPError, match="404"):
            urllib.request.urlopen(f"http://{address_of(0)}:{port}/robots.txt")

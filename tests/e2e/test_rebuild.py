"""The command rebuild; and one on a real Dask cluster of two worker processes: the same parts, though one dies."""

from __future__ import annotations

import json
import os
import signal
from typing import TYPE_CHECKING

import dask
import pytest
from distributed import LocalCluster

from config.rules import ExtractRules
from config.settings import Settings
from jobs.cli import main
from jobs.context import open_archive
from jobs.rebuild import RebuildOptions, rebuild_source
from jobs.rebuild import cluster as rebuild_cluster
from jobs.rebuild.cluster import open_cluster
from tests.archives import NOON, SOURCE
from tests.daemons import make_source
from tests.real_archives import Growing, make_exchange, site_pages

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from jobs.rebuild import Rebuild
    from jobs.rebuild.cluster import ClusterRunner
    from jobs.rebuild.parts import Part
    from jobs.rebuild.planning import StretchTask

SOURCE_FILE = """name: Gazette
home: https://gazette.example/
discover: [{feed: https://gazette.example/feed}]
articles: {include: ['.']}
extract: {remove: ['p:nth-of-type(2)']}
"""
SEGMENTS = 8
"""Of as many pages as the test site has articles."""


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """An archive on this disk: the site's pages, captured again and again, read by other rules than those of now."""
    from datetime import timedelta

    growing = Growing(tmp_path / "spool")
    urls = sorted(site_pages(), key=lambda url: -len(site_pages()[url]))[:6]
    for hours in range(SEGMENTS):
        at = NOON + timedelta(hours=hours)
        again = [make_exchange(url, at + timedelta(seconds=n)) for n, url in enumerate(urls)]
        growing.add_segment([growing.refer(one) for one in again])
    place = tmp_path / "archive"
    for item in growing.store.list(""):
        target = place / item.key
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(growing.store.get(item.key))
    return place


@pytest.fixture
def config(tmp_path: Path) -> Path:
    folder = tmp_path / "config"
    (folder / "sources").mkdir(parents=True)
    (folder / "sources" / "gazette.yaml").write_text(SOURCE_FILE)
    return folder


class KillsOneWorker:
    """Derives on a cluster of which a worker is killed at its task, once the first results are there."""

    def __init__(self, runner: ClusterRunner, pids: list[int]) -> None:
        self._runner = runner
        self._pids = pids
        self.killed: list[int] = []

    def derive(self, tasks: Iterable[StretchTask]) -> Iterator[Part]:
        for number, part in enumerate(self._runner.derive(tasks)):
            if number == 2:
                pid = self._pids.pop()
                os.kill(pid, signal.SIGKILL)
                self.killed.append(pid)
            yield part


def read_parts(done: Rebuild) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in done.folder.iterdir()}


def test_killed_workers_change_nothing(place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rebuild_cluster, "PAGES", 6)
    source = make_source(None).model_copy(update={"extract": ExtractRules(remove=("p:nth-of-type(2)",))})
    settings = Settings(archive=str(place), workers=1)
    done = {}
    with (
        dask.config.set({"temporary_directory": str(tmp_path / "dask")}),
        LocalCluster(
            n_workers=2, threads_per_worker=1, host="127.0.0.1", dashboard_address=None, silence_logs=50
        ) as running,
        open_cluster(running.scheduler_address, settings) as runner,
    ):
        killer = KillsOneWorker(runner, [nanny.pid for nanny in running.workers.values()])
        for name in ("cluster", "serial"):
            chosen = settings.override(state_dir=tmp_path / name)
            with open_archive(chosen) as archive:
                archive.refresh(SOURCE)
                done[name] = rebuild_source(archive, source, RebuildOptions(), killer if name == "cluster" else None)
    assert len(killer.killed) == 1
    one, other = done["cluster"], done["serial"]
    assert (one.derived, one.found) == (SEGMENTS, 0)
    assert read_parts(one) == read_parts(other)
    assert one.report is not None
    assert other.report is not None
    assert one.report.digest == other.report.digest
    assert one.report.counts == other.report.counts


def test_the_command_compares_and_adopts_once(
    place: Path, config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "page.html"
    common = ["--archive", str(place), "--state", str(tmp_path / "state"), "--config", str(config)]
    log = place / "log" / SOURCE
    before = sorted(log.iterdir())
    assert main(["rebuild", "--json", "--html", str(page), *common]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["source"] == SOURCE
    assert told["report"]["captures"] == told["report"]["counts"]["none"] + sum(
        number for name, number in told["report"]["counts"].items() if name != "none"
    )
    assert told["report"]["counts"]["failed"] == 0
    assert told["parts"]["derived"] == SEGMENTS
    assert told["adopted"] == {"rows": 0, "commits": 0, "decides": False}
    assert sorted(log.iterdir()) == before
    assert "Derived again" in page.read_text("utf-8")
    assert main(["rebuild", SOURCE, "--adopt", *common]) == 0
    assert "they decide from now on" in capsys.readouterr().out
    after = sorted(log.iterdir())
    assert len(after) == len(before) + 2
    assert main(["rebuild", SOURCE, "--adopt", *common]) == 0
    assert "nothing to adopt" in capsys.readouterr().out
    assert sorted(log.iterdir()) == after
    assert main(["verify", "--read-data", *common[:4]]) == 0
    capsys.readouterr()
    assert main(["tables", "build", *common]) == 0
    assert main(["tables", "check", *common[:4]]) == 0


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--shard", "0/2", "--adopt"], "--shard derives one part"),
        (["--shard", "2/2"], "expected an index from 0 to 1"),
        (["--shard", "0/2", "--cluster", "tcp://127.0.0.1:1"], "one of them"),
        (["--cluster", "local"], "expected the scheduler's address"),
        (["herald"], "no source 'herald'"),
    ],
)
def test_what_makes_no_sense_is_refused(
    words: list[str], told: str, place: Path, config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["rebuild", *words, "--archive", str(place), "--config", str(config)]) == 2
    assert told in capsys.readouterr().err

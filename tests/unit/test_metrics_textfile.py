"""The file that a single run leaves: whole, of all sources, with what was known before, whatever stood there."""

from __future__ import annotations

import fcntl
import os
import stat
import threading
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from jobs.cli.commands import group, run
from jobs.cli.failure import FailureReport
from jobs.metrics.textfile import RunTold, write_textfile
from tests.figures import parse_figures

if TYPE_CHECKING:
    from pathlib import Path

REPORT: dict[str, Any] = {"pages": 7, "new": 4, "failed": 1, "bytes": 99, "store_requests": 17, "spool_segments": 2}
BOTH = frozenset({"gazette", "herald"})


def write(
    path: Path, *runs: tuple[str, int, float], code: int = 0, sources: frozenset[str] | None = BOTH
) -> dict[str, float]:
    told = [
        RunTold(source, exit_code, ended, 5.0, REPORT if exit_code == 0 else None) for source, exit_code, ended in runs
    ]
    write_textfile(path, told, exit_code=code, ended=2_000.0, sources=sources)
    return parse_figures(path.read_text("utf-8"))


def test_a_run_is_told(tmp_path: Path) -> None:
    figures = write(tmp_path / "ofrecord.prom", ("gazette", 0, 1_000.0))
    assert figures['ofrecord_last_run_pages{source="gazette"}'] == 7
    assert figures['ofrecord_last_run_verdicts{source="gazette",verdict="new"}'] == 4
    assert figures['ofrecord_last_run_verdicts{source="gazette",verdict="gone"}'] == 0
    assert figures['ofrecord_last_success_timestamp_seconds{source="gazette"}'] == 1_000
    assert figures['ofrecord_spool_segments{source="gazette"}'] == 2
    assert figures["ofrecord_command_exit_code"] == 0
    assert figures["ofrecord_command_timestamp_seconds"] == 2_000


def test_a_failure_keeps_the_last_success(tmp_path: Path) -> None:
    path = tmp_path / "ofrecord.prom"
    write(path, ("gazette", 0, 1_000.0))
    figures = write(path, ("gazette", 12, 1_500.0), code=12)
    assert figures['ofrecord_last_run_timestamp_seconds{source="gazette"}'] == 1_500
    assert figures['ofrecord_last_success_timestamp_seconds{source="gazette"}'] == 1_000
    assert figures['ofrecord_last_run_exit_code{source="gazette"}'] == 12
    assert figures['ofrecord_last_run_pages{source="gazette"}'] == 0
    assert figures["ofrecord_command_exit_code"] == 12


def test_other_sources_stay_until_they_are_configured_no_more(tmp_path: Path) -> None:
    path = tmp_path / "ofrecord.prom"
    write(path, ("gazette", 0, 1_000.0))
    figures = write(path, ("herald", 0, 1_500.0))
    assert figures['ofrecord_last_run_timestamp_seconds{source="gazette"}'] == 1_000
    assert figures['ofrecord_last_run_timestamp_seconds{source="herald"}'] == 1_500
    assert 'source="gazette"' in "".join(write(path, sources=None))
    assert "gazette" not in "".join(write(path, ("herald", 0, 1_500.0), sources=frozenset({"herald"})))


@pytest.mark.parametrize(
    "before",
    [
        b"",
        b"\xff\xfe\x00",
        b"ofrecord_last_run_pages{source=",
        b"no metric at all {{{{\n",
        b'ofrecord_last_run_pages{source="gazette"} many\n',
        b'ofrecord_last_run_pages{source="gazette",verdict="new"} 5\n',
        b'ofrecord_last_run_verdicts{source="gazette",verdict="x"} 1\n',
        b'ofrecord_last_run_pages{source="gazette"} 5\n' * 3,
    ],
)
def test_whatever_stood_there_is_no_obstacle(tmp_path: Path, before: bytes) -> None:
    path = tmp_path / "ofrecord.prom"
    path.write_bytes(before)
    figures = write(path, ("herald", 0, 1_500.0))
    assert figures['ofrecord_last_run_pages{source="herald"}'] == 7
    assert not [name for name in figures if 'verdict="x"' in name]


def test_the_collector_may_read_it_and_finds_no_half_of_it(tmp_path: Path) -> None:
    path = tmp_path / "ofrecord.prom"
    write(path, ("gazette", 0, 1_000.0))
    inode = path.stat().st_ino
    with path.open(encoding="utf-8") as reader:
        write(path, ("gazette", 1, 1_500.0))
        assert "ofrecord_command_exit_code 0.0" in reader.read(), "who reads has the old one whole"
    assert path.stat().st_ino != inode
    assert stat.S_IMODE(path.stat().st_mode) == 0o644
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


def test_two_commands_lose_nothing_of_each_other(tmp_path: Path) -> None:
    path = tmp_path / "ofrecord.prom"
    names = [f"source-{number}" for number in range(12)]
    everyone = frozenset(names)
    threads = [
        threading.Thread(target=write, args=(path, (name, 0, 1_000.0)), kwargs={"sources": everyone}) for name in names
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    figures = parse_figures(path.read_text("utf-8"))
    assert [name for name in names if f'ofrecord_last_run_pages{{source="{name}"}}' not in figures] == []


def test_it_waits_for_the_other_command(tmp_path: Path) -> None:
    handle = os.open(tmp_path, os.O_RDONLY)
    fcntl.flock(handle, fcntl.LOCK_EX)
    thread = threading.Thread(target=write, args=(tmp_path / "ofrecord.prom", ("gazette", 0, 1_000.0)))
    thread.start()
    thread.join(0.3)
    assert thread.is_alive()
    assert list(tmp_path.iterdir()) == []
    os.close(handle)
    thread.join(10)
    assert (tmp_path / "ofrecord.prom").exists()


@pytest.mark.parametrize("command", ["crawl", "job"])
@pytest.mark.parametrize("name", ["ofrecord.txt", "ofrecord", ".ofrecord.prom"])
def test_a_name_that_the_collector_would_not_read_is_refused(command: str, name: str) -> None:
    result = CliRunner().invoke(group, [command, "gazette", "--metrics-file", name], obj=FailureReport())
    assert result.exit_code == 2
    assert "ends with .prom" in result.output


def test_a_command_that_fails_before_anything_began_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "ofrecord.prom"
    write(path, ("gazette", 0, 1_000.0))
    monkeypatch.setenv("OFRECORD_METRICS_FILE", str(path))
    assert run(["crawl", "no-such-source", "--archive", str(tmp_path / "archive")]) == 2
    figures = parse_figures(path.read_text("utf-8"))
    assert figures["ofrecord_command_exit_code"] == 2
    assert "no source" in capsys.readouterr().err


def test_a_folder_that_is_not_there_ends_the_command_before_anything_began(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = tmp_path / "nowhere" / "ofrecord.prom"
    assert run(["crawl", "almayadeen-english", "--archive", str(tmp_path), "--metrics-file", str(place)]) == 2
    assert f"metrics_file: found no folder {place.parent}" in capsys.readouterr().err

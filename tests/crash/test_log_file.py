"""One log file of many processes: whole lines, none lost, bounded; and a full disk ends no crawl."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.crawls import Answer, Site, page, serve_site
from tests.installation import ROOT, Ofrecord, install

if TYPE_CHECKING:
    from collections.abc import Iterator

WRITER = """
import random, sys
import structlog
from config.logs import configure_logging
path, name, lines, file_bytes, files = sys.argv[1], sys.argv[2], *map(int, sys.argv[3:])
configure_logging(file=path, file_bytes=file_bytes, files=files)
log, lengths = structlog.get_logger(), random.Random(name)
print("ready", flush=True)
sys.stdin.readline()
for number in range(lines):
    # some longer than a page of memory and than what a pipe takes at once
    reason = [name * lengths.randrange(4_000)] * lengths.choice([0, 1, 1, 3])
    log.info("captured_page", writer=name, number=number, reason=reason)
"""
FILE_BYTES = 200_000


def start_writers(path: Path, count: int, *, lines: int, files: int) -> list[subprocess.Popen[bytes]]:
    """Start processes that write at once when all of them are there."""
    words = [str(lines), str(FILE_BYTES), str(files)]
    pipe = subprocess.PIPE
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITER, path, str(name), *words], cwd=ROOT, stdin=pipe, stdout=pipe)
        for name in range(count)
    ]
    for writer in writers:
        assert writer.stdout
        assert writer.stdout.readline() == b"ready\n"
    for writer in writers:
        assert writer.stdin
        writer.stdin.write(b"\n")
        writer.stdin.close()
    return writers


def finish(writers: list[subprocess.Popen[bytes]]) -> None:
    for writer in writers:
        assert writer.stdout
        writer.stdout.close()
        assert writer.wait(120) == 0


def read_lines(path: Path) -> list[dict[str, Any]]:
    """Return what all lines say, the oldest file's first. Raises ValueError if one is torn."""
    found = list_files(path)
    return [json.loads(line) for file in found for line in file.read_text("utf-8").splitlines()]


def list_files(path: Path) -> list[Path]:
    """Return the log's files, the oldest first."""
    older = sorted(path.parent.glob(f"{path.name}.*"), key=lambda file: -int(file.suffix[1:]))
    return [*older, path]


def test_many_processes_lose_no_line_and_tear_none(tmp_path: Path) -> None:
    path = tmp_path / "ofrecord.log"
    finish(start_writers(path, 6, lines=1_000, files=500))
    assert Counter((one["writer"], one["number"]) for one in read_lines(path)) == Counter(
        (str(name), number) for name in range(6) for number in range(1_000)
    )
    files = list_files(path)
    assert len(files) > 20
    assert [file.name for file in files[::-1]] == [path.name, *(f"{path.name}.{n + 1}" for n in range(len(files) - 1))]


def test_no_more_files_are_kept_than_wanted(tmp_path: Path) -> None:
    path = tmp_path / "ofrecord.log"
    finish(start_writers(path, 3, lines=600, files=3))
    assert [file.name for file in list_files(path)] == [f"{path.name}.{n}" for n in (3, 2, 1)] + [path.name]
    assert len(read_lines(path)) < 1_800


def test_a_file_is_no_longer_than_wanted(tmp_path: Path) -> None:
    """Of one process; others go on writing while one moves the file aside, however long that takes it."""
    path = tmp_path / "ofrecord.log"
    finish(start_writers(path, 1, lines=600, files=3))
    assert all(FILE_BYTES / 2 < file.stat().st_size <= FILE_BYTES for file in list_files(path)[:-1])
    assert path.stat().st_size <= FILE_BYTES


def test_killed_and_stopped_processes_hold_nobody_up_and_tear_nothing(tmp_path: Path) -> None:
    path = tmp_path / "ofrecord.log"
    writers = start_writers(path, 6, lines=1_000, files=500)
    survivors, killed, stopped = writers[:3], writers[3:5], writers[5]
    for writer in killed:
        time.sleep(0.05)
        writer.kill()
    stopped.send_signal(signal.SIGSTOP)
    try:
        finish(survivors)
    finally:
        stopped.send_signal(signal.SIGCONT)
    finish([stopped])
    for writer in killed:
        writer.wait()
        assert writer.stdout
        writer.stdout.close()
    counted = Counter(one["writer"] for one in read_lines(path))
    assert [counted[str(name)] for name in (0, 1, 2, 5)] == [1_000] * 4


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 1 MB."""
    place = tmp_path / "disk"
    place.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", place], check=True)
    try:
        yield place
    finally:
        subprocess.run(["umount", "--lazy", place], check=True)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount the small disk that this test fills")
def test_what_a_full_disk_does_not_take_goes_to_standard_error(disk: Path) -> None:
    writer = """
import sys, pathlib, structlog
from config.logs import configure_logging
path, filler = map(pathlib.Path, sys.argv[1:])
configure_logging(file=str(path), file_bytes=10_000_000)
log = structlog.get_logger()
for number in range(400):
    log.info("captured_page", number=number, reason="a" * 3_000)
filler.unlink()
for number in range(400, 500):
    log.info("captured_page", number=number)
"""
    (disk / "filler").write_bytes(bytes(600_000))
    command = [sys.executable, "-c", writer, str(disk / "ofrecord.log"), str(disk / "filler")]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert ended.returncode == 0, ended
    whole = [line for line in (disk / "ofrecord.log").read_text("utf-8").splitlines() if line.endswith("}")]
    torn = len((disk / "ofrecord.log").read_text("utf-8").splitlines()) - len(whole)
    assert torn <= 1  # the one that the disk had room for the beginning of
    numbers = [json.loads(line)["number"] for line in [*whole, *ended.stderr.splitlines()]]
    assert sorted(numbers) == list(range(500))
    assert set(range(400, 500)) < {json.loads(line)["number"] for line in whole}


@pytest.fixture
def gazette() -> Iterator[Site]:
    """A feed and three articles."""
    with serve_site() as site:
        links = "".join(f"<item><link>{site.root}/2026/{n}</link></item>" for n in range(3))
        site.answers["/feed"] = Answer(
            f"<rss><channel>{links}</channel></rss>".encode(), media_type="application/rss+xml"
        )
        site.answers |= {f"/2026/{n}": Answer(page(f"Title {n}")) for n in range(3)}
        yield site


def install_gazette(folder: Path, site: Site, **settings: Any) -> Ofrecord:
    return install(folder, {"home": site.root, "discover": [{"feed": f"{site.root}/feed"}]}, **settings)


def test_a_crawl_does_not_end_where_no_log_line_can_be_written(tmp_path: Path, gazette: Site) -> None:
    ofrecord = install_gazette(tmp_path, gazette, log_file="/dev/full")
    with Path("/dev/full").open("w") as full:
        ended = subprocess.run(
            ofrecord.command("crawl", "gazette", "--json", "--log-level", "debug"),
            env=ofrecord.variables(),
            stdout=subprocess.PIPE,
            stderr=full,
            timeout=120,
            check=False,
        )
    assert ended.returncode == 0
    assert json.loads(ended.stdout)["new"] == 3


def test_all_processes_of_a_run_write_to_the_file_of_the_settings(tmp_path: Path, gazette: Site) -> None:
    ofrecord = install_gazette(tmp_path, gazette, log_file=str(tmp_path / "logs" / "ofrecord.log"))
    crawled = ofrecord("crawl", "gazette")
    assert crawled.stderr == ""
    lines = read_lines(tmp_path / "logs" / "ofrecord.log")
    names = Counter(line["event"] for line in lines)
    told = {"started_run": 1, "captured_page": 5, "committed_segment": 1, "finished_run": 1, "wrote_head": 1}
    assert names == told
    urls = Counter(line["url"] for line in lines if line["event"] == "captured_page")
    assert urls == dict.fromkeys(
        (f"{gazette.root}{path}" for path in ("/robots.txt", "/feed", "/2026/0", "/2026/1", "/2026/2")), 1
    )
    runs = {(line["source"], line["run_id"]) for line in lines if line["event"] != "wrote_head"}
    assert len(runs) == 1
    assert re.fullmatch(r"gazette-\d{8}T\d{6}Z-[0-9a-f]{16}", next(iter(runs))[1])
    article = next(line for line in lines if line.get("purpose") == "article")
    assert (article["status"], article["page_class"], article["verdict"]) == (200, "article", "new")
    assert article["size_bytes"] > 0
    assert article["seconds"] >= 0
    assert article["worker_ms"] > 0
    assert next(line for line in lines if line["event"] == "finished_run")["new"] == 3


def test_a_daemon_and_its_runs_share_the_file(tmp_path: Path, gazette: Site) -> None:
    ofrecord = install(
        tmp_path,
        {"home": gazette.root, "discover": [{"feed": f"{gazette.root}/feed"}], "schedule": "every 30 minutes"},
        metrics_listen="off",
    )
    ended = ofrecord("daemon", "--max-runs", "1", "--log-file", tmp_path / "daemon.log", "--log-level", "debug")
    assert ended.stderr == ""
    lines = read_lines(tmp_path / "daemon.log")
    names = Counter(line["event"] for line in lines)
    assert names["scheduled_source"] == names["started_run"] == names["finished_run"] == 1
    assert names["captured_page"] == 5
    assert {line["source"] for line in lines if line["event"] in {"captured_page", "finished_run"}} == {"gazette"}


def test_every_line_of_a_run_is_bound_to_it_at_debug_too(tmp_path: Path, gazette: Site) -> None:
    ofrecord = install_gazette(tmp_path, gazette)
    lines = ofrecord("crawl", "gazette", "--log-level", "debug").events()
    started = next(n for n, line in enumerate(lines) if line["event"] == "started_run")
    ended = next(n for n, line in enumerate(lines) if line["event"] == "finished_run")
    assert len({line.get("run_id") for line in lines[started : ended + 1]}) == 1
    assert {line.get("source") for line in lines[started : ended + 1]} == {"gazette"}
    assert {line["logger"].partition(".")[0] for line in lines} > {"crawler", "jobs"}


def test_an_option_names_the_file_and_a_bad_one_is_an_error(tmp_path: Path, gazette: Site) -> None:
    ofrecord = install_gazette(tmp_path, gazette)
    ofrecord("crawl", "gazette", "--log-file", tmp_path / "one.log", "--log-format", "text")
    assert "finished_run" in (tmp_path / "one.log").read_text("utf-8")
    assert not (tmp_path / "one.log").read_text("utf-8").startswith("{")
    refused = ofrecord("list", "--log-file", tmp_path / "one.log" / "two", code=2)
    assert "log_file:" in refused.stderr
    assert "cannot be written" in refused.stderr

"""The crawl's process that is begun before the command line is read: taken by a crawl, and never left behind."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from config.errors import ExitCode
from jobs.cli import main
from jobs.runs import readying
from tests.crawls import Site, serve_site, wait_until
from tests.installation import install

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.installation import Ofrecord

SECRET = "s3cret-of-the-gazette"


@pytest.fixture
def site() -> Iterator[Site]:
    with serve_site() as site:
        site.publish(3)
        yield site


@pytest.fixture
def ofrecord(site: Site, tmp_path: Path) -> Ofrecord:
    source = {**site.describe_source(delay_seconds=0.5), "headers": {"X-Token": "${GAZETTE_TOKEN}"}}
    return install(tmp_path, source, environment={"GAZETTE_TOKEN": SECRET})


def list_children(home: Path) -> list[tuple[int, list[str]]]:
    """Return pid and command of every crawl's process whose home that is: by this its own are told from others."""
    found, mark = [], f"HOME={home}".encode()
    for folder in Path("/proc").iterdir():
        try:
            command = (folder / "cmdline").read_bytes().decode().split("\0")[:-1]
            if readying.CHILD_MODULE in command and mark in (folder / "environ").read_bytes().split(b"\0"):
                found.append((int(folder.name), command))
        except (OSError, ValueError):
            continue
    return found


def test_a_crawl_takes_the_process_that_waits_and_hands_it_its_secrets(site: Site, ofrecord: Ofrecord) -> None:
    with ofrecord.start("crawl", "gazette") as crawl:
        wait_until(lambda: len(site.requests) > 1)
        [(pid, command)] = list_children(ofrecord.home)
        assert command[-1] == readying.AHEAD
        assert SECRET.encode() not in Path(f"/proc/{pid}/environ").read_bytes()
        crawl.communicate(timeout=60)
    assert crawl.returncode == ExitCode.DONE
    assert {headers["X-Token"] for path, headers in site.requests if path.startswith("/2026/")} == {SECRET}
    assert not list_children(ofrecord.home)


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["crawl"], ExitCode.USAGE),
        (["crawl", "nobody"], ExitCode.USAGE),
        (["crawl", "gazette", "--no-such"], ExitCode.USAGE),
        (["crawl", "--help"], ExitCode.DONE),
        (["sources", "list"], ExitCode.DONE),
    ],
)
def test_a_command_that_does_not_crawl_leaves_none_behind(ofrecord: Ofrecord, words: list[str], code: int) -> None:
    with ofrecord.start(*words) as command:
        command.communicate(timeout=60)
    assert command.returncode == code
    assert not list_children(ofrecord.home)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_it_ends_with_a_parent_that_dies_before_it_was_taken(ofrecord: Ofrecord, number: signal.Signals) -> None:
    with ofrecord.start("crawl", "gazette") as crawl:
        wait_until(lambda: bool(list_children(ofrecord.home)))
        crawl.send_signal(number)
        log = crawl.communicate(timeout=60)[1]
        assert crawl.returncode in {ExitCode.INTERRUPTED, -signal.SIGKILL}, log
        assert "Traceback" not in log
        wait_until(lambda: not list_children(ofrecord.home))


def test_one_that_died_is_not_taken(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("sys.executable", "/bin/false")
    readying.ready_child()
    [child] = readying._waiting
    child.wait(30)
    assert readying.take_child(tmp_path / "plan.json", {}) is None
    assert readying._waiting == []


def test_none_is_begun_for_a_daemon_or_for_help(monkeypatch: pytest.MonkeyPatch) -> None:
    begun: list[str] = []
    monkeypatch.setattr("jobs.cli.ready_child", lambda: begun.append("one"))
    for words in (["crawl", "--help"], ["crawl", "-h"], ["--version"], ["config", "--help"]):
        assert main(words) == ExitCode.DONE
    assert main(["crawl", "--owned", "--no-such"]) == ExitCode.USAGE
    assert not begun
    assert main(["crawl", "--no-such"]) == ExitCode.USAGE
    assert begun == ["one"]

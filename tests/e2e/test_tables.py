"""`ofrecord tables build | list | check` as a person types them, killed builds among them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from datetime import timedelta
from typing import TYPE_CHECKING

import duckdb
import pytest

from jobs.cli import main
from jobs.store.local import LocalStore
from tests.installation import OFRECORD
from tests.rollups import DAY_1, DAY_2, Newsstand, Seen, link_to

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def stand(tmp_path: Path) -> Newsstand:
    (tmp_path / "archive").mkdir()
    (tmp_path / "work").mkdir()
    stand = Newsstand(LocalStore(tmp_path / "archive"), tmp_path / "work")
    stand.crawl(Seen("/a"), Seen("/b", at=DAY_2), links=(link_to("/x", DAY_1),))
    return stand


@pytest.fixture
def tables(stand: Newsstand, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Tables:
    return Tables(stand, tmp_path / "state", capsys)


class Tables:
    """The command on the archive of a stand."""

    def __init__(self, stand: Newsstand, state: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self._common = ["--archive", stand.store.url, "--state", str(state)]
        self._capsys = capsys
        self.said = ""

    def __call__(self, *words: str, code: int = 0) -> str:
        self._capsys.readouterr()
        found = main(["tables", *words, *self._common])
        out, self.said = self._capsys.readouterr()
        assert found == code, self.said
        return out


def test_build_list_and_check(tables: Tables, stand: Newsstand) -> None:
    assert tables("list") == ""
    assert tables("build").startswith("manifest 1 · 2 days made of 1 segment · 7 new files, 0 dropped")
    assert tables("build") == "nothing new: manifest 1\n"
    assert "clean (--full compares with the log)\n  1 manifest · 7 files · 7 rows" in tables("check")
    assert "clean (2 days made anew from the log)" in tables("check", "--full")

    captures = tables("list").splitlines()[0].split()
    assert captures[:6] == ["captures", "2", "days", "2026-11-20", "to", "2026-11-21"]
    listed = [json.loads(line) for line in tables("list", "--json").splitlines()]
    assert [(data["table"], data["rows"]) for data in listed] == [
        ("captures", 2),
        ("links", 1),
        ("revisions", 2),
        ("snapshots", 2),
    ]
    assert listed[0]["size_bytes"] == sum(f.size_bytes for f in stand.manifest().files if f.table == "captures")


def test_listed_files_go_to_duckdb(tables: Tables) -> None:
    tables("build")

    files = tables("list", "--files", "--table", "captures", "--since", "2026-11-21").splitlines()

    assert duckdb.execute("SELECT url FROM read_parquet(?)", [files]).fetchall() == [("https://gazette.example/b",)]
    assert len(tables("list", "--files").splitlines()) == 7
    assert tables("list", "--files", "--until", "2026-11-19") == ""
    (one,) = tables("list", "--files", "--json", "--table", "links").splitlines()
    assert json.loads(one)["day"] == "2026-11-20"


def test_json_reports(tables: Tables) -> None:
    built = json.loads(tables("build", "--json"))
    assert (built["manifest"], built["wrote"], built["files"]) == (1, True, 7)
    assert built["days"] == ["2026-11-20", "2026-11-21"]
    checked = json.loads(tables("check", "--json", "--full"))
    assert (checked["damaged"], checked["files"], checked["days"], checked["findings"]) == (False, 7, 2, [])


def test_damage_is_said_and_mended(tables: Tables, stand: Newsstand) -> None:
    tables("build")
    key = next(file.key for file in stand.manifest().files if file.table == "links")
    stand.store.delete(key)

    assert f"damage: {key}: " in tables("check", code=13)
    tables("build", "--since", "2026-11-20")
    assert "clean" in tables("check")


def test_what_cannot_be_read_is_left_out_and_said(tables: Tables, stand: Newsstand) -> None:
    commit = stand.crawl(Seen("/c"))
    stand.crawl(Seen("/a"), source="herald")
    stand.store.delete(commit.files[0].key)

    tables("build", code=13)

    assert "gazette: later facts are left out" in tables.said
    assert {source: end.seq for source, end in stand.manifest().heads.items()} == {"gazette": 1, "herald": 1}


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("build", "--since", "yesterday"), "expected yyyy-mm-dd"),
        (("build", "--since", "20261120"), "expected yyyy-mm-dd"),
        (("list", "--until", "2026-13-01"), "expected yyyy-mm-dd"),
        (("list", "--table", "prices"), "is not one of"),
    ],
)
def test_bad_input(tables: Tables, words: tuple[str, ...], expected: str) -> None:
    tables(*words, code=2)
    assert expected in tables.said


@pytest.mark.parametrize("command", ["build", "list", "check"])
def test_no_archive(command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "empty").mkdir()

    assert main(["tables", command, "--archive", str(tmp_path / "empty"), "--state", str(tmp_path / "state")]) == 10
    assert "no archive here" in capsys.readouterr().err
    assert main(["tables", command]) == 2


@pytest.mark.slow
def test_killed_builds_are_repeated_without_harm(tables: Tables, stand: Newsstand, tmp_path: Path) -> None:
    for number in range(2, 30):
        at = DAY_1 + timedelta(days=number)
        stand.crawl(Seen("/a", f"Words {number}.", at=at), Seen("/b", at=at), links=(link_to("/x", at),))
    stand.build()
    expected = stand.contents()
    for item in list(stand.store.list("tables/")):
        stand.store.delete(item.key)

    killed = [kill_build(stand, tmp_path / "state", wanted=wanted) for wanted in (1, 20, 60)]

    assert killed == [-signal.SIGKILL] * 3
    tables("build")
    assert stand.contents() == expected
    assert "clean" in tables("check", "--full")


def kill_build(stand: Newsstand, state: Path, *, wanted: int) -> int:
    """Kill a build once so many of its files are there; return how it ended."""
    command = [str(OFRECORD), "tables", "build", "--archive", stand.store.url, "--state", str(state)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=os.environ) as process:
        while process.poll() is None and sum(1 for _ in stand.store.list("tables/")) < wanted:
            time.sleep(0.01)
        process.kill()
        return process.wait()

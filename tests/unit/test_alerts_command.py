"""The commands `alerts`, `alerts test` and `alerts check`, as people type them."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from jobs.alerts.changes import Change, Standing
from jobs.alerts.told import Memory, Told, Waiting
from jobs.archive.identity import create_archive
from jobs.cli.commands import run as run_words
from jobs.health import Reason, State
from jobs.store.local import LocalStore
from tests.sinks import serve_mail, serve_web

if TYPE_CHECKING:
    from pathlib import Path

NOW = datetime(2026, 11, 2, 12, tzinfo=UTC)
SOURCE = """\
name: Gazette
home: https://gazette.example/
schedule: every 30 minutes
discover:
  - feed: https://gazette.example/rss.xml
articles: {include: ['^https://gazette']}
"""


def run(*words: str | Path) -> tuple[int, str, str]:
    with CliRunner().isolation() as (out, err, _):
        code = run_words([str(word) for word in words])
        return code, out.getvalue().decode(), err.getvalue().decode() if err else ""


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with an archive, a configuration of one source, and a place for what was told."""
    (tmp_path / "archive").mkdir()
    create_archive(LocalStore(tmp_path / "archive"), single_writer=False, now=NOW)
    (tmp_path / "config" / "sources").mkdir(parents=True)
    (tmp_path / "config" / "sources" / "gazette.yaml").write_text(SOURCE, "utf-8")
    (tmp_path / "told").mkdir()
    monkeypatch.setenv("OFRECORD_CONFIG_DIR", str(tmp_path / "config"))
    monkeypatch.setenv("OFRECORD_ARCHIVE", str(tmp_path / "archive"))
    monkeypatch.setenv("OFRECORD_STATE_DIR", str(tmp_path / "state"))
    return tmp_path


def test_test_says_of_each_address_whether_it_took_the_message(monkeypatch: pytest.MonkeyPatch) -> None:
    with serve_mail() as mail, serve_web() as web:
        monkeypatch.setenv("OFRECORD_ALERTS", f"{mail.address} {web.address}")
        code, output, _ = run("alerts", "test")
        assert (code, output) == (0, "1. mailto://***  sent\n2. json://***  sent\n")
        assert mail.subjects == web.titles == ["ofrecord: a test"]
        web.status = 401
        code, output, _ = run("alerts", "test", "--json")
    assert code == 6
    first, second = map(json.loads, output.splitlines())
    assert first == {"address": "mailto://***", "number": 1, "sent": True, "reason": None}
    assert (second["sent"], "401" in second["reason"]) == (False, True)
    assert "s3cr3t" not in output


def test_without_an_address_there_is_nobody_to_test(capsys: pytest.CaptureFixture[str]) -> None:
    code, output, _ = run("alerts", "test")
    assert (code, output) == (2, "")
    del capsys


def test_what_is_open_is_listed_and_what_is_well_again_is_not(place: Path) -> None:
    assert run("alerts", "--told", place / "told")[:2] == (0, "")
    reason = Reason("silent", "nothing new for\x1b[2J 9 hours", State.SILENT)
    told = Told(
        standings={
            "gazette": Standing(state=State.SILENT, since=NOW, reasons=(reason,), better=State.OK, better_since=NOW),
            "herald": Standing(state=State.OK, since=NOW),
        },
        waiting={"abc": Waiting(changes=(make_change(),))},
    )
    Memory(LocalStore(place / "told")).write(told, 0)
    for words in (("alerts",), ("alerts", "list")):
        code, output, complaint = run(*words, "--told", place / "told")
        assert code == 0
        assert output.splitlines() == [
            "gazette  silent  told 2026-11-02T12:00:00Z · ok since 2026-11-02T12:00:00Z",
            "  - nothing new for [2J 9 hours [silent]",
        ]
        assert "not delivered yet: 1 change" in complaint
    _, output, _ = run("alerts", "--json", "--told", place / "told")
    row = json.loads(output)
    assert (row["source"], row["state"], row["reasons"][0]["kind"]) == ("gazette", "silent", "silent")


def make_change() -> Change:
    return Change(source="gazette", before=State.OK, after=State.SILENT, reasons=(), at=NOW)


def test_place_that_is_not_there_is_said(place: Path) -> None:
    code, _, complaint = run("alerts", "list", "--told", place / "not" / "mounted")
    assert code == 2
    assert "not mounted" in complaint


def test_check_tells_nothing_of_what_is_well(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with serve_web() as web:
        monkeypatch.setenv("OFRECORD_ALERTS", web.address)
        assert run("alerts", "check", "--told", place / "told")[:2] == (0, "")
        assert web.posts == []


def test_help_is_that_of_the_group() -> None:
    code, output, _ = run("alerts", "--help")
    assert code == 0
    assert {"check", "list", "test"} <= set(output.split())

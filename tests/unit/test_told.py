"""What commands say to people: of checks, and where a file that was asked for cannot be."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from config.errors import ConfigError
from jobs.cli.archive import describe_report
from jobs.cli.commands import run as run_words
from jobs.export.targets import open_file
from jobs.verify.plan import Depth, Plan
from jobs.verify.report import Notes, VerifyReport

if TYPE_CHECKING:
    from pathlib import Path


def run(*words: str | Path) -> tuple[int, str]:
    with CliRunner().isolation() as (_, err, _):
        code = run_words([str(word) for word in words])
        return code, err.getvalue().decode() if err else ""


def test_what_was_redacted_is_told_beside_what_is_damaged() -> None:
    report = VerifyReport(full=False, plan=Plan(Depth.QUICK))
    Notes(report, "segments/gazette/a.warc.gz").redacted("segment a was written anew by commit 3")
    told = describe_report(report)
    assert "clean (the logs, and that what they name is listed with its size; --full" in told
    assert "  redacted: segments/gazette/a.warc.gz: segment a was written anew by commit 3" in told
    assert "sizes and the chain" in describe_report(VerifyReport(full=False))


def test_a_page_that_cannot_be_written_is_said_before_anything_is_derived(tmp_path: Path) -> None:
    code, said = run("rebuild", "--html", tmp_path / "nowhere" / "x.html", "--archive", tmp_path / "none")
    assert (code, "x.html: nothing can be written there" in said) == (2, True)
    code, said = run("rebuild", "--html", tmp_path / "x.html", "--archive", tmp_path / "none")
    assert (code, "no archive here" in said) == (10, True)


def test_roots_that_are_none_are_said_whatever_the_bundle_has(tmp_path: Path) -> None:
    (tmp_path / "a.wacz").write_bytes(b"no bundle")
    (tmp_path / "roots").write_text("no certificate", "utf-8")
    code, said = run("verify-bundle", tmp_path / "a.wacz", "--ca", tmp_path / "roots")
    assert (code, "found no certificate in PEM" in said) == (2, True)


def test_an_export_into_a_folder_that_nobody_may_write_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("jobs.export.targets.os.access", lambda _path, _mode: False)  # tests may run as root
    with pytest.raises(ConfigError, match="nothing can be written in"), open_file(str(tmp_path / "a.csv")):
        pass

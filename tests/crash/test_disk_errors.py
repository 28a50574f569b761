"""A disk that fails: EIO from fsync, rename or link at seeded moments, put in by strace. The archive stays right."""

from __future__ import annotations

import random
import shutil
import subprocess
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from config.errors import ExitCode
from tests.histories import check_archive, read_commits, read_histories
from tests.installation import Ofrecord, write_config
from tests.site.server import Site

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SOURCE = "almayadeen-english"
BATCH_SEEDS = range(20261125, 20261128)
"""Each has an archive of its own, and can be run again alone: `-m soak -k 20261125`."""
CALLS = {
    "fsync": "fsync,fdatasync",
    "rename": "rename,renameat,renameat2",
    "link": "link,linkat",
}


def find_strace() -> str | None:
    """Return strace, if it may trace here."""
    program = shutil.which("strace")
    if program is None:
        return None
    tried = subprocess.run([program, "-f", "-e", "trace=fsync", "true"], capture_output=True, check=False)
    return program if tried.returncode == 0 else None


STRACE = find_strace()
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(STRACE is None, reason="strace is not there or may not trace: install it and allow ptrace"),
]


def crawl_with_errors(ofrecord: Ofrecord, calls: str, when: str) -> subprocess.CompletedProcess[str]:
    """Crawl while the *when*-th of these system calls of each process fails with EIO."""
    return subprocess.run(
        [
            *(str(STRACE), "-f", "--seccomp-bpf", "-qq", "-o", "/dev/null"),
            *("-e", f"trace={calls}", "-e", f"inject={calls}:error=EIO:when={when}"),
            *ofrecord.command("crawl", SOURCE, "--recheck", "all"),
        ],
        env={**ofrecord.variables(), "OFRECORD_GRACE_SECONDS": "3"},  # for which an upload that fails is tried again
        capture_output=True,
        encoding="utf-8",
        timeout=180,
        check=False,
    )


def check_after(ofrecord: Ofrecord, archive_dir: Path, calls: str, when: str) -> int:
    """Crawl with errors, then without; check the archive after both. Returns the exit code of the first."""
    before = read_commits(archive_dir)[SOURCE]
    failed = crawl_with_errors(ofrecord, calls, when)
    told = f"{calls} {when}: {failed.returncode}\n{failed.stderr[-4000:]}"
    assert failed.returncode in {0, 1, 3, 4, 6, 12}, told
    assert failed.returncode != ExitCode.NOT_TOLD or "no head was written" in failed.stderr, told
    report = check_archive(archive_dir)
    assert not report.damaged, (told, [str(finding) for finding in report.findings])
    ofrecord("crawl", SOURCE, "--recheck", "all")
    after = read_commits(archive_dir)[SOURCE]
    assert [stored.digest for stored in after[: len(before)]] == [stored.digest for stored in before], told
    segments = [stored.commit.segment for stored in after]
    assert len(set(segments)) == len(segments), told
    report = check_archive(archive_dir)
    assert not report.damaged, (told, [str(finding) for finding in report.findings])
    for history in read_histories(archive_dir).values():
        verdicts = [verdict for verdict, _, _ in history if verdict != "bad"]
        assert verdicts == ["new", *["unchanged"] * (len(verdicts) - 1)][: len(verdicts)], (told, history)
    return failed.returncode


@dataclass(frozen=True)
class Machine:
    """The command with an archive that it has crawled into once."""

    ofrecord: Ofrecord
    archive: Path


@contextmanager
def prepare_machine(folder: Path) -> Iterator[Machine]:
    """Install, make an archive and crawl once, all below *folder*."""
    (folder / "home").mkdir()
    with Site() as site:
        config = write_config(folder / "config", site, archive=folder / "archive", state=folder / "state", workers=1)
        machine = Machine(Ofrecord(config, folder / "home"), folder / "archive")
        machine.ofrecord("init")
        machine.ofrecord("crawl", SOURCE)
        yield machine


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    """One for all single faults: each must leave it as sound as it was."""
    with prepare_machine(tmp_path_factory.mktemp("machine")) as machine:
        yield machine


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("when", ["1", *(pytest.param(n, marks=pytest.mark.soak) for n in ("2", "3", "1+2"))])
def test_a_failing_call_harms_nothing(machine: Machine, name: str, when: str) -> None:
    check_after(machine.ofrecord, machine.archive, CALLS[name], when)


@pytest.mark.parametrize("name", CALLS)
def test_a_disk_that_only_fails_is_said(machine: Machine, name: str) -> None:
    assert check_after(machine.ofrecord, machine.archive, CALLS[name], "1+") != 0


@pytest.mark.soak
@pytest.mark.parametrize("seed", BATCH_SEEDS)
def test_errors_at_twenty_moments_harm_nothing(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    with prepare_machine(tmp_path) as machine:
        for _ in range(20):
            check_after(
                machine.ofrecord, machine.archive, CALLS[chance.choice(sorted(CALLS))], str(chance.randint(1, 40))
            )

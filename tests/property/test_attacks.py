"""Whoever alters a signed archive of which one head lies outside is found, and sound archives raise no alarm."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

import pytest

from jobs.checkpoint.checking import check_layers
from jobs.tables import check_tables
from jobs.verify import VerifyReport, check_heads, verify_archive
from jobs.verify.report import Notes, Severity
from tests.attacks import ATTACKS, Attacker, SignedArchive, lay_signed_archive

if TYPE_CHECKING:
    from pathlib import Path

BATCHES = 10
BATCH = 1_000


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> SignedArchive:
    return lay_signed_archive(tmp_path_factory.mktemp("attacked"))


def check(archive: SignedArchive) -> VerifyReport:
    """Return what a check of all that is proven finds, with what the owner has outside."""
    report = verify_archive(archive.store, full=True, trusted=(archive.trusted,))
    check_layers(archive.store, report)
    check_heads(archive.store, report, [(source, seq, digest) for source, (seq, digest) in archive.head.items()])
    if not any(finding.key == "ofrecord.json" for finding in report.findings):
        check_tables(archive.store, lambda key, fault: Notes(report, key).damage(fault), full=True)
    return report


def attack(archive: SignedArchive, attacker: Attacker, seed: int) -> None:
    attacked = archive.copy()
    done = attacker(attacked, Random(seed))
    report = check(attacked)
    damages = [finding for finding in report.findings if finding.severity is Severity.DAMAGE]
    told = [one for one in damages if one.key in done.touched or any(key in one.message for key in done.touched)]
    assert told, f"{done.kind} (seed {seed}) of {sorted(done.touched)}: found {[str(one) for one in damages]}"


def test_a_sound_archive_raises_no_alarm(archive: SignedArchive) -> None:
    report = check(archive)
    assert [str(one) for one in report.findings if one.severity is not Severity.NOTICE] == []
    assert report.signatures.anchored


@pytest.mark.parametrize("attacker", ATTACKS, ids=lambda one: str(getattr(one, "__name__", one)))
def test_attacks_are_found(archive: SignedArchive, attacker: Attacker) -> None:
    for seed in range(4):
        attack(archive, attacker, seed)


@pytest.mark.soak
@pytest.mark.parametrize("batch", range(BATCHES))
def test_ten_thousand_attacks_are_found(archive: SignedArchive, batch: int) -> None:
    for number in range(batch * BATCH, (batch + 1) * BATCH):
        attack(archive, ATTACKS[number % len(ATTACKS)], 1_000 + number)


@pytest.mark.soak
@pytest.mark.parametrize("batch", range(BATCHES))
def test_a_thousand_sound_archives_raise_no_alarm(batch: int, tmp_path: Path) -> None:
    for number in range(100):
        folder = tmp_path / str(number)
        folder.mkdir()
        report = check(lay_signed_archive(folder, Random(batch * 100 + number)))
        assert [str(one) for one in report.findings if one.severity is not Severity.NOTICE] == []

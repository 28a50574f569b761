"""kill -9 before seeded steps of a sync: what is there is a whole archive each time, and the next sync finishes it."""

from __future__ import annotations

import random
import secrets
from typing import TYPE_CHECKING

import pytest
import yaml

from config.errors import ArchiveMissing
from config.settings import Settings
from jobs.store import open_store
from jobs.store.local import LocalStore
from jobs.verify import verify_archive
from tests.deaths import Deaths
from tests.installation import Ofrecord
from tests.logs import build_logs

if TYPE_CHECKING:
    from pathlib import Path

    from jobs.store import ObjectStore
    from tests.seaweed import S3Server

LENGTHS = {"gazette": 120, "herald": 60}
SEED = 20261125
MOMENTS = 6
FOLDER_STEPS = range(100, 520)
SERVER_STEPS = range(20, 120)


@pytest.fixture
def command(tmp_path: Path) -> Ofrecord:
    """The command with a folder for temporary files of its own."""
    (tmp_path / "config" / "sources").mkdir(parents=True)
    (tmp_path / "config" / "settings.yaml").write_text(yaml.safe_dump({"workers": 1}), "utf-8")
    for name in ("home", "scratch"):
        (tmp_path / name).mkdir()
    return Ofrecord(tmp_path / "config", tmp_path / "home", {"TMPDIR": str(tmp_path / "scratch")})


def digests(store: ObjectStore) -> dict[str, bytes]:
    return {one.key: store.get(one.key) for one in store.list("") if not one.key.startswith("probe/")}


def kill_syncs(deaths: Deaths, origin: LocalStore, place: str, settings: Settings, *, steps: range) -> list[int]:
    """Kill syncs before a step in *steps*, some sooner and some later; return the commits there after each."""
    chance = random.Random(SEED)
    store = open_store(place, settings)
    reached = []
    for _ in range(MOMENTS):
        said = deaths.kill(("sync", origin.url, place, "--json"), chance.choice(steps))
        try:
            report = verify_archive(store, full=True)
        except ArchiveMissing:
            reached.append(0)
            continue
        assert not report.damaged, (said, [str(finding) for finding in report.findings])
        reached.append(report.counts.commits)
    return reached


def finish(command: Ofrecord, origin: LocalStore, place: str, settings: Settings, tmp_path: Path) -> None:
    command("sync", origin.url, place)
    assert digests(open_store(place, settings)) == digests(origin)
    assert command("sync", origin.url, place, "--full", "--json").json()["objects_copied"] == 0
    assert list((tmp_path / "scratch").iterdir()) == []


@pytest.mark.slow
def test_kills_between_folders(command: Ofrecord, tmp_path: Path) -> None:
    origin = LocalStore(tmp_path / "archive")
    build_logs(origin, tmp_path / "spool", LENGTHS, padding=30_000)
    place = str(tmp_path / "copy")
    reached = kill_syncs(Deaths(command, tmp_path / "deaths"), origin, place, Settings(), steps=FOLDER_STEPS)
    assert reached == sorted(reached)
    assert len({number for number in reached if 0 < number < sum(LENGTHS.values())}) >= 3, reached
    finish(command, origin, place, Settings(), tmp_path)


@pytest.mark.s3
@pytest.mark.slow
def test_kills_on_the_way_to_a_bucket(command: Ofrecord, s3_environment: S3Server, tmp_path: Path) -> None:
    origin = LocalStore(tmp_path / "archive")
    build_logs(origin, tmp_path / "spool", LENGTHS, padding=30_000)
    settings = Settings(s3_endpoint_url=s3_environment.endpoint_url, s3_path_style=True)
    endpoint = {"OFRECORD_S3_ENDPOINT_URL": s3_environment.endpoint_url, "OFRECORD_S3_PATH_STYLE": "true"}
    remote = Ofrecord(command.config, command.home, {**command.environment, **endpoint, **s3_environment.environment()})
    place = f"s3://{s3_environment.bucket}/{secrets.token_hex(4)}"
    reached = kill_syncs(Deaths(remote, tmp_path / "deaths"), origin, place, settings, steps=SERVER_STEPS)
    assert reached == sorted(reached)
    assert len({number for number in reached if 0 < number < sum(LENGTHS.values())}) >= 3, reached
    finish(remote, origin, place, settings, tmp_path)

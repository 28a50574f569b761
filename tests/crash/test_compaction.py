"""kill -9 before steps of `ofrecord compact` and of `--restore`: nothing is lost, and the next run finishes.

A signed archive, in a folder, on a real S3 server, and there under Object Lock, which keeps what was replaced.
"""

from __future__ import annotations

import random
import secrets
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import pytest

from config.settings import Settings
from crawler.rows import format_time
from jobs.archive.handover import hand_over
from jobs.archive.signing import Signer
from jobs.catalog import Catalog
from jobs.compaction.running import Compaction
from jobs.context import open_archive
from jobs.verify import verify_archive
from tests.archives import NOON, PAGES, SOURCE, commit_segment, write_segment
from tests.compactions import list_facts, list_keys, read_pages, weigh_segments
from tests.deaths import Deaths
from tests.installation import install, install_on_s3

if TYPE_CHECKING:
    from collections.abc import Iterator

    from jobs.compaction.packing import Evidence
    from jobs.compaction.running import CompactReport
    from jobs.context import OpenArchive
    from tests.installation import Ofrecord
    from tests.seaweed import S3Server

Told = TypeVar("Told")
pytestmark = pytest.mark.slow

SEGMENTS = 5
SEED = 20261128
DAYS = 2
"""Of retention."""
PARTS = 8
"""Of all steps: each is taken in an archive of its own, whose log stays short."""
Choose = Callable[[int], list[int]]
"""The number of steps of a run → before which it is killed."""
GAZETTE = {"home": "https://gazette.example/", "discover": [{"feed": "https://gazette.example/rss"}]}
COMPACT = ("compact", "--before", "0", "--grace", "0", "--json")
RESTORE = ("compact", "--restore", "--grace", "0", "--json")
NO_TIME = timedelta(0)


@dataclass(frozen=True)
class Held:
    """What the archive says, folded from its log alone, and holds."""

    facts: dict[str, list[str]]
    pages: list[tuple[str, bytes, bytes]]
    segments: dict[str, Evidence]


@dataclass
class Machine:
    """The command with a signed archive of some segments, and the same archive opened here."""

    ofrecord: Ofrecord
    archive: OpenArchive
    folder: Path

    @property
    def deaths(self) -> Deaths:
        return Deaths(self.ofrecord, self.folder / "deaths")

    def look(self, ask: Callable[[OpenArchive], Told]) -> Told:
        """Ask the archive, with a catalog that is folded for this."""
        with tempfile.TemporaryDirectory() as name, Catalog.open(Path(name) / "catalog.sqlite") as catalog:
            archive = replace(self.archive, catalog=catalog)
            archive.refresh(SOURCE)
            return ask(archive)

    def read(self) -> Held:
        return self.look(lambda archive: Held(list_facts(archive), read_pages(archive), weigh_segments(archive)))

    def finish(self, words: tuple[str, ...]) -> CompactReport:
        """Do here, with the state that the command has, what the command does."""
        with Catalog.open(self.archive.state / "catalog.sqlite") as catalog:
            work = Compaction(replace(self.archive, catalog=catalog), SOURCE, grace=NO_TIME)
            return work.restore() if words == RESTORE else work.compact(datetime.now(UTC))

    def require_sound(self, told: str) -> None:
        key = self.archive.signer.public.key_id if self.archive.signer else ""
        report = verify_archive(self.archive.store, full=True, trusted=[key])
        assert not report.damaged, (told, [str(one) for one in report.findings])


def fill(ofrecord: Ofrecord, settings: Settings, folder: Path) -> Machine:
    """Make the archive's key, and commit segments of pages that come again."""
    (folder / "key.pem").touch(0o600)
    (folder / "key.pem").write_bytes(Signer.generate().encode_private())
    settings = settings.override(signing_key_file=folder / "key.pem", state_dir=folder / "state")
    with open_archive(settings) as archive:
        assert archive.signer is not None
        hand_over(archive.store, archive.info, archive.signer, None, now=NOON)
        last = None
        for number in range(SEGMENTS):
            now = NOON + timedelta(hours=number)
            pages = [replace(page, words=f"{page.words} {number // 2}" + " As it was before." * 50) for page in PAGES]
            closed = write_segment(folder / "spool", pages, archive=archive.info.archive, now=now)
            last = commit_segment(
                archive.store,  # type: ignore[arg-type]
                archive.info,
                closed,
                now=now,
                after=last,
                signer=archive.signer,
            )
    return Machine(ofrecord, archive, folder)


@pytest.fixture
def in_folder(tmp_path: Path) -> Machine:
    ofrecord = install(tmp_path, GAZETTE, signing_key_file=str(tmp_path / "key.pem"))
    return fill(ofrecord, Settings(archive=str(tmp_path / "archive")), tmp_path)


@pytest.fixture
def on_server(tmp_path: Path, s3_environment: S3Server) -> Iterator[Machine]:
    machine = on_s3(tmp_path, s3_environment, s3_environment.bucket)
    yield machine
    machine.archive.store.close()


@pytest.fixture
def under_lock(tmp_path: Path, s3_environment: S3Server) -> Iterator[Machine]:
    client, bucket = s3_environment.client(), f"compaction-{secrets.token_hex(4)}"
    client.create_bucket(Bucket=bucket, ObjectLockEnabledForBucket=True)
    client.close()
    machine = on_s3(tmp_path, s3_environment, bucket, object_lock="governance", object_lock_days=DAYS)
    yield machine
    machine.archive.store.close()


def on_s3(folder: Path, server: S3Server, bucket: str, **more: Any) -> Machine:
    place, url = f"s3://{bucket}/{secrets.token_hex(4)}/news", server.endpoint_url
    key = str(folder / "key.pem")
    ofrecord = install_on_s3(folder, GAZETTE, server, place, endpoint_url=url, signing_key_file=key, **more)
    return fill(ofrecord, Settings(archive=place, s3_endpoint_url=url, s3_path_style=True, **more), folder)


def list_placed(archive: OpenArchive) -> list[str]:
    """Return the keys of the objects in which segments lie."""
    rows = archive.catalog._db.execute("SELECT DISTINCT warc_key FROM segments ORDER BY warc_key")
    return [row["warc_key"] for row in rows]


def list_named(archive: OpenArchive) -> list[str]:
    """Return the keys below segments/ that commits named and that are there."""
    named = {file.key for stored in archive.log(SOURCE).read() for file in stored.commit.files}
    return sorted(named & {*list_keys(archive)})


def choose_some(moments: int) -> Choose:
    """Return what chooses a step of each of so many equal parts of a run."""
    chance = random.Random(SEED)
    return lambda count: [int(count * (number + chance.random()) / moments) for number in range(moments)]


def choose_part(part: int) -> Choose:
    """Return what chooses all steps, in turns with the other parts."""
    return lambda count: list(range(part, count, PARTS))


def kill_at_steps(machine: Machine, choose: Choose) -> None:
    """Kill runs of both kinds before some of their steps, and finish each."""
    before = machine.read()
    assert len(before.segments) == SEGMENTS
    machine.finish(COMPACT)
    for words, other in ((RESTORE, COMPACT), (COMPACT, RESTORE)):
        count = machine.deaths.measure(*words)  # with something to delete, and to bring
        for step in choose(count):
            machine.finish(other)
            kill_once(machine, words, step, before)
    machine.ofrecord("verify", "--read-data")


def kill_once(machine: Machine, words: tuple[str, ...], step: int, before: Held) -> None:
    """Kill a run before that step, and see that all is there; finish it, and see that again."""
    told = machine.deaths.kill(words, step)
    assert machine.read() == before, told
    machine.finish(words)
    ending = ".gz" if words == RESTORE else ".zst"
    assert {Path(key).suffix for key in machine.look(list_placed)} == {ending}, told
    assert machine.read() == before, told
    machine.require_sound(told)


def require_only_those(machine: Machine, words: tuple[str, ...] = COMPACT) -> None:
    """Assert that a further run leaves none of the objects that others took the place of."""
    machine.finish(words)
    assert machine.look(list_named) == machine.look(list_placed)


def test_kills_between_folders(in_folder: Machine) -> None:
    kill_at_steps(in_folder, choose_some(2))
    require_only_those(in_folder)


@pytest.mark.soak
@pytest.mark.parametrize("part", range(PARTS))
def test_kills_before_every_step_between_folders(part: int, in_folder: Machine) -> None:
    kill_at_steps(in_folder, choose_part(part))
    require_only_those(in_folder)


def test_a_kill_on_a_server(on_server: Machine) -> None:
    before = on_server.read()
    on_server.finish(COMPACT)
    kill_once(on_server, RESTORE, random.Random(SEED).randrange(10, 40), before)
    require_only_those(on_server, RESTORE)


@pytest.mark.soak
@pytest.mark.parametrize("part", range(PARTS))
def test_kills_before_every_step_on_a_server(part: int, on_server: Machine) -> None:
    kill_at_steps(on_server, choose_part(part))
    require_only_those(on_server)


def test_what_is_under_retention_stays_until_that_is_over(under_lock: Machine, s3_environment: S3Server) -> None:
    machine, archive = under_lock, under_lock.archive
    before, keys = machine.read(), list_keys(archive)
    told = machine.deaths.kill(COMPACT, random.Random(SEED).randrange(10, 20))
    assert machine.read() == before, told
    machine.finish(COMPACT)
    said = machine.ofrecord(*COMPACT).json()["sources"][0]
    assert said["deleted"] == []
    assert sorted(said["kept"]) == keys
    for key in keys:
        retention = archive.store.read_retention(key)
        assert retention is not None
        assert timedelta(days=DAYS, minutes=-5) < retention.until - datetime.now(UTC) <= timedelta(days=DAYS)
        assert said["kept"][key] == f"may be deleted from {format_time(retention.until)} on"
    assert {*list_keys(archive)} > {*keys}
    machine.require_sound(told)

    soon = end_retention(archive, keys, s3_environment)
    while datetime.now(UTC) <= soon:
        time.sleep(0.1)
    told = machine.deaths.kill(COMPACT, 2 + len(keys) // 2)
    assert 0 < len({*keys} & {*list_keys(archive)}) < len(keys), told  # in the midst of deleting
    assert machine.read() == before, told
    machine.finish(COMPACT)
    assert not {*keys} & {*list_keys(archive)}
    assert machine.read() == before
    machine.require_sound(told)


def end_retention(archive: OpenArchive, keys: list[str], server: S3Server) -> datetime:
    """Set the end of the retention of *keys*, as who may do so under governance, to a time near by; return that."""
    until = (datetime.now(UTC) + timedelta(seconds=2)).replace(microsecond=0)
    bucket, _, prefix = archive.store.url.removeprefix("s3://").partition("/")
    client = server.client()
    for key in keys:
        client.put_object_retention(
            Bucket=bucket,
            Key=f"{prefix}/{key}",
            Retention={"Mode": "GOVERNANCE", "RetainUntilDate": until},
            BypassGovernanceRetention=True,
        )
    client.close()
    return until


@pytest.mark.soak
@pytest.mark.parametrize("part", range(PARTS))
def test_kills_before_every_step_under_object_lock(part: int, under_lock: Machine) -> None:
    keys = list_keys(under_lock.archive)
    kill_at_steps(under_lock, choose_part(part))
    assert {*list_keys(under_lock.archive)} > {*keys}

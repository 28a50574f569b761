"""`ofrecord sync` between folders and a real S3 server: the copy is the archive, whichever way it went."""

from __future__ import annotations

import hashlib
import secrets
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml

from config.settings import Settings
from jobs.archive.commit import commit_key, decode_commit
from jobs.archive.identity import read_info
from jobs.store import open_store
from jobs.store.local import LocalStore
from tests.histories import check_archive, read_commits, read_histories
from tests.installation import Ofrecord
from tests.logs import append_segment, build_logs, find_end

if TYPE_CHECKING:
    from jobs.store import ObjectStore
    from tests.seaweed import S3Server

FEW = {"gazette": 4, "herald": 3}


@pytest.fixture
def at_home(tmp_path: Path) -> LocalStore:
    """A local archive of two sources."""
    store = LocalStore(tmp_path / "archive")
    build_logs(store, tmp_path / "spool", FEW, padding=20_000)
    return store


@pytest.fixture
def command(tmp_path: Path) -> Ofrecord:
    """The command with an installation of its own and no archive set."""
    (tmp_path / "config" / "sources").mkdir(parents=True)
    (tmp_path / "home").mkdir()
    settings = {"state_dir": str(tmp_path / "state")}
    (tmp_path / "config" / "settings.yaml").write_text(yaml.safe_dump(settings), "utf-8")
    return Ofrecord(tmp_path / "config", tmp_path / "home")


def on_s3(command: Ofrecord, server: S3Server) -> Ofrecord:
    endpoint = {"OFRECORD_S3_ENDPOINT_URL": server.endpoint_url, "OFRECORD_S3_PATH_STYLE": "true"}
    return Ofrecord(command.config, command.home, {**endpoint, **server.environment()})


def open_bucket(server: S3Server, place: str) -> ObjectStore:
    return open_store(place, Settings(s3_endpoint_url=server.endpoint_url, s3_path_style=True))


def new_place(server: S3Server) -> str:
    return f"s3://{server.bucket}/{secrets.token_hex(4)}/news"


def digests(store: ObjectStore) -> dict[str, str]:
    return {one.key: hashlib.sha256(store.get(one.key)).hexdigest() for one in store.list("")}


@pytest.mark.s3
def test_there_and_back_is_the_same_archive(
    command: Ofrecord, at_home: LocalStore, s3_environment: S3Server, tmp_path: Path
) -> None:
    both = on_s3(command, s3_environment)
    bucket, again, back = new_place(s3_environment), new_place(s3_environment), tmp_path / "back"
    report = both("sync", at_home.url, bucket, "--json").json()
    assert (report["objects_copied"], report["problems"]) == (15, [])
    assert report["sources"]["gazette"]["from"] == report["sources"]["gazette"]["to"]
    assert report["sources"]["gazette"]["to"]["seq"] == FEW["gazette"]
    both("sync", bucket, again)
    both("sync", again, back)
    expected = digests(at_home)
    for store in (open_bucket(s3_environment, bucket), open_bucket(s3_environment, again), LocalStore(back)):
        assert digests(store) == expected
    assert "clean (every byte read back)" in command("verify", "--full", "--archive", back).stdout
    assert len(command("list", "--archive", back, "--json").rows()) == len(FEW)
    assert read_histories(back) == read_histories(at_home.url)

    append_segment(at_home, tmp_path / "spool", source="herald")
    text = both("sync", at_home.url, bucket).stdout
    assert "copied 2 objects" in text
    assert "15 there already" in text
    assert "herald: both logs end at commit 4, sha256:" in text
    assert both("sync", at_home.url, bucket, "--full", "--json").json()["objects_copied"] == 0


@pytest.mark.s3
def test_each_side_has_settings_of_its_own(
    command: Ofrecord, at_home: LocalStore, s3_environment: S3Server, tmp_path: Path
) -> None:
    for name, endpoint, profile in (
        ("minio", s3_environment.endpoint_url, "home"),
        ("elsewhere", "http://127.0.0.1:9", "nowhere"),
    ):
        (tmp_path / name).mkdir()
        values = {"s3_endpoint_url": endpoint, "s3_path_style": True, "s3_profile": profile}
        (tmp_path / name / "settings.yaml").write_text(yaml.safe_dump(values), "utf-8")
    credentials = tmp_path / "credentials"
    secret = s3_environment.secret_key
    credentials.write_text(
        f"[home]\naws_access_key_id={s3_environment.access_key}\naws_secret_access_key={secret}\n"
        "[nowhere]\naws_access_key_id=a\naws_secret_access_key=b\n"
    )
    environment = {"AWS_SHARED_CREDENTIALS_FILE": str(credentials), "AWS_DEFAULT_REGION": s3_environment.region}
    both = Ofrecord(command.config, command.home, environment)
    place = new_place(s3_environment)
    both("sync", at_home.url, place, "--to-config", tmp_path / "minio", "--from-config", tmp_path / "elsewhere")
    assert digests(open_bucket(s3_environment, place)) == digests(at_home)
    result = both("sync", place, tmp_path / "back", "--from-config", tmp_path / "elsewhere", code=12)
    assert "127.0.0.1:9" in result.stderr
    assert secret not in result.stderr
    assert not (tmp_path / "back").exists()


@pytest.mark.s3
def test_source_that_is_crawled_meanwhile(
    command: Ofrecord, at_home: LocalStore, s3_environment: S3Server, tmp_path: Path
) -> None:
    """Commits come in all the time; each copy is whole, and a prefix of the log as it is in the end."""
    both = on_s3(command, s3_environment)
    bucket = new_place(s3_environment)
    stop, crash = threading.Event(), []

    def crawl() -> None:
        try:
            while not stop.is_set():
                append_segment(at_home, tmp_path / "spool", source="gazette", padding=5_000)
        except BaseException as error:  # noqa: BLE001 - the test raises it
            crash.append(error)

    writer = threading.Thread(target=crawl)
    writer.start()
    ends = []
    try:
        for _ in range(4):
            report = both("sync", at_home.url, bucket, "--json").json()
            assert report["problems"] == []
            assert report["sources"]["gazette"]["from"] == report["sources"]["gazette"]["to"]
            ends.append(report["sources"]["gazette"]["to"])
    finally:
        stop.set()
        writer.join(60)
    assert crash == []
    numbers = [end["seq"] for end in ends]
    assert numbers == sorted(set(numbers)), "every sync saw commits that the one before did not"
    log = read_commits(at_home.url)["gazette"]
    assert [end["digest"] for end in ends] == [log[seq - 1].digest for seq in numbers]
    settings = Settings(s3_endpoint_url=s3_environment.endpoint_url, s3_path_style=True)
    found = check_archive(bucket, settings)
    assert not found.damaged
    assert found.uncommitted == []
    assert found.heads["gazette"].seq == numbers[-1]


def test_damage_is_told_by_key_and_the_other_source_is_copied(
    command: Ofrecord, at_home: LocalStore, tmp_path: Path
) -> None:
    key = commit_key("gazette", 3)
    damaged = decode_commit(at_home.get(key), key).commit.files[0].key
    path = Path(at_home.url) / damaged
    data = bytearray(path.read_bytes())
    data[1000] ^= 1
    path.chmod(0o644)
    path.write_bytes(data)
    copy = tmp_path / "copy"
    result = command("sync", at_home.url, copy, code=13)
    assert f"problem: {damaged}: " in result.stdout
    assert "gazette: stopped at damage" in result.stdout
    assert "herald: both logs end at commit 3" in result.stdout
    assert find_end(LocalStore(copy), "gazette")[0] == 2
    assert "clean (every byte read back)" in command("verify", "--full", "--archive", copy).stdout


def test_a_sync_the_wrong_way_round_is_no_success(command: Ofrecord, at_home: LocalStore, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    command("sync", at_home.url, copy)
    command("sync", copy, at_home.url)  # nothing to do, either way
    append_segment(at_home, tmp_path / "spool", source="herald")
    append_segment(at_home, tmp_path / "spool", source="herald")
    before = digests(at_home)
    for wish in ((), ("--dry-run",), ("--full",)):
        result = command("sync", copy, at_home.url, *wish, code=2)
        assert "herald: TO has 2 commits that FROM lacks, nothing was copied: are FROM and TO swapped?" in result.stdout
        assert "gazette: both logs" in result.stdout
    assert digests(at_home) == before
    command("sync", at_home.url, copy)


def test_what_is_refused_and_what_a_dry_run_leaves(command: Ofrecord, at_home: LocalStore, tmp_path: Path) -> None:
    copy, other = tmp_path / "copy", tmp_path / "other"
    dry = command("sync", at_home.url, copy, "--dry-run").stdout
    assert "would copy 15 objects" in dry
    assert "herald: both logs would end at commit 3, " in dry
    assert not copy.exists()
    command("sync", at_home.url, copy, "herald")
    assert read_commits(copy).keys() == {"herald"}
    command("init", "--archive", other)
    result = command("sync", at_home.url, other, code=2)
    for store in (at_home, LocalStore(other)):
        assert read_info(store).archive in result.stderr
    command("sync", tmp_path / "nothing", copy, code=10)
    command("sync", at_home.url, copy, "harold", code=2)
    assert "one place" in command("sync", at_home.url, at_home.url, code=2).stderr
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "letter.txt").write_text("dear", "utf-8")
    for wish in ((), ("--dry-run",)):
        assert "letter.txt" in command("sync", at_home.url, tmp_path / "full", *wish, code=2).stderr
    append_segment(at_home, tmp_path / "spool", source="herald")
    append_segment(LocalStore(copy), tmp_path / "theirs", source="herald")
    result = command("sync", at_home.url, copy, code=13)
    assert "written to by others" in result.stdout
    assert "gazette: both logs end at commit 4" in result.stdout

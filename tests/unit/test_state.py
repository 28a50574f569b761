"""Which folder holds what is known here of an archive, and what is said of segments that wait in another one."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from config.errors import ConfigError
from config.settings import Settings
from jobs.archive.identity import create_archive, read_info
from jobs.catalog import Catalog
from jobs.context import CATALOG_FILE, PLACE_FILE, OpenArchive, find_state, open_archive, read_place
from jobs.runs.elsewhere import Waiting, advise, find_waiting
from jobs.store import open_store
from jobs.store.local import LocalStore
from jobs.store.memory import MemoryStore
from tests.logs import seal_page

if TYPE_CHECKING:
    from collections.abc import Iterator

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
ID = "0123456789abcdef" * 2
AMAZON: dict[str, Any] = {"s3_region": "eu-central-1"}
AT_HOME: dict[str, Any] = {"s3_endpoint_url": "http://127.0.0.1:8333", "s3_region": "eu-central-1"}


def name(place: str, archive: str = ID, **settings: Any) -> str:
    chosen = Settings(state_dir=Path("/state"), **settings)
    store = open_store(place, chosen)
    try:
        return find_state(chosen, store, archive).name
    finally:
        store.close()


def make_archive(path: Path) -> LocalStore:
    path.mkdir(parents=True)
    store = LocalStore(path)
    create_archive(store, single_writer=False, now=NOON)
    return store


def test_the_name_begins_with_the_archive_s_id(tmp_path: Path) -> None:
    begin, _, end = name(str(tmp_path)).partition("-")
    assert begin == ID
    assert len(end) == 12
    assert name(str(tmp_path), "f" * 32) == "f" * 32 + "-" + end  # another archive that stands there now


def test_spellings_of_a_folder_are_one_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "deep" / "news").mkdir(parents=True)
    (tmp_path / "link").symlink_to("deep")
    (tmp_path / "direct").symlink_to(tmp_path / "link" / "news")
    here = str(tmp_path / "deep" / "news")
    for spelling in (
        *(here + "/", f"{tmp_path}/deep/../deep//news/.", "deep/news", "./deep/news", "~/deep/news"),
        *(f"file://{here}", f"file://localhost{here}/", "link/news", "direct", "deep/../link/news"),
    ):
        assert name(spelling) == name(here), spelling
    (tmp_path / "deep").rename(tmp_path / "moved")
    assert name("moved/news") != name(here)
    (tmp_path / "link").unlink()
    (tmp_path / "link").symlink_to("moved")
    assert name("direct") == name("moved/news")


def test_spellings_of_a_bucket_are_one_place() -> None:
    news = name("s3://bucket/news", **AT_HOME)
    assert name("S3://bucket/news/", **AT_HOME) == news
    for endpoint in ("HTTP://127.0.0.1:8333", "http://127.0.0.1:8333/", "http://127.0.0.1:8333/?x=y#z"):
        assert name("s3://bucket/news", **{**AT_HOME, "s3_endpoint_url": endpoint}) == news
    assert name("s3://bucket/news", s3_path_style="true", **{**AT_HOME, "s3_region": "us-east-1"}) == news
    amazon = name("s3://bucket/news", **AMAZON)
    assert name("s3://bucket/news", s3_region="us-east-1") == amazon
    assert name("s3://bucket/news", s3_endpoint_url="https://S3.eu-central-1.amazonaws.com:443/", **AMAZON) == amazon


def test_other_prefixes_buckets_servers_and_partitions_are_other_places(monkeypatch: pytest.MonkeyPatch) -> None:
    found = [
        name("/bucket/news"),
        *(name(f"s3://{one}", **AT_HOME) for one in ("bucket/news", "bucket", "other/news", "bucket/News")),
        *(name("s3://bucket/news", s3_region=one) for one in ("eu-central-1", "cn-north-1", "us-gov-west-1")),
        *(
            name("s3://bucket/news", s3_endpoint_url=one, **AMAZON)
            for one in (
                *("https://127.0.0.1:8333", "http://127.0.0.1:8334", "http://localhost:8333", "http://localhost"),
                *("http://[::1]:8333", "http://127.0.0.1:8333/tenant", "https://s3.eu-central-1.elb.amazonaws.com"),
            )
        ),
    ]
    assert len(set(found)) == len(found)
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:8333")
    assert name("s3://bucket/news", **AMAZON) == name("s3://bucket/news", **AT_HOME)


def test_the_place_is_told_without_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "http://someone:hush@127.0.0.1:8333/?token=hush#hush")
    store = open_store("s3://bucket/news", Settings(**AMAZON))
    assert store.place == "s3://bucket/news at http://127.0.0.1:8333"
    monkeypatch.delenv("AWS_ENDPOINT_URL_S3")
    assert open_store("s3://bucket/news", Settings(**AMAZON)).place == "s3://bucket/news at Amazon S3 (aws)"


def test_a_wrong_port_in_the_environment_is_not_ours_to_stumble_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:99999")
    assert open_store("s3://bucket", Settings(**AMAZON)).place == "s3://bucket at http://127.0.0.1:99999"


def test_the_folder_says_in_plain_text_which_place_it_is_for(tmp_path: Path) -> None:
    place = tmp_path / os.fsdecode("مكتبة \xff".encode() + b"\xff")
    make_archive(place)
    settings = Settings(archive=f"{place}/", state_dir=tmp_path / "state")
    with open_archive(settings) as archive:
        assert archive.state == find_state(settings, archive.store, archive.info.archive)
        assert (archive.state / PLACE_FILE).read_bytes() == os.fsencode(place) + b"\n"
        assert read_place(archive.state) == str(place)
        (archive.state / PLACE_FILE).write_bytes(b"")  # as a full disk leaves it
    with open_archive(settings) as archive:
        assert read_place(archive.state) == str(place)


def test_an_archive_made_anew_at_the_same_place_begins_with_nothing(tmp_path: Path) -> None:
    settings = Settings(archive=str(tmp_path / "archive"), state_dir=tmp_path / "state")
    for _ in range(2):
        store = make_archive(tmp_path / "archive")
        with open_archive(settings) as archive:
            assert archive.info.archive == read_info(store).archive
            assert not archive.spool("gazette").exists()
            seal_page(archive.spool("gazette"), source="gazette", number=1, archive=archive.info.archive)
            assert find_waiting(archive) == []
        (tmp_path / "archive").rename(tmp_path / archive.info.archive)
    assert len(list((tmp_path / "state").iterdir())) == 2


def test_state_that_cannot_be_kept_is_said(tmp_path: Path) -> None:
    make_archive(tmp_path / "archive")
    (tmp_path / "state").write_text("a file", "utf-8")
    with (
        pytest.raises(ConfigError, match="cannot keep local state here"),
        open_archive(Settings(archive=str(tmp_path / "archive"), state_dir=tmp_path / "state")),
    ):
        pass


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[OpenArchive]:
    store = MemoryStore()
    info = create_archive(store, single_writer=False, now=NOON)
    settings = Settings(state_dir=tmp_path / "state")
    state = find_state(settings, store, info.archive)
    state.mkdir(parents=True)
    with Catalog.open(state / CATALOG_FILE) as catalog:
        yield OpenArchive(store, info, settings, state, catalog)


def leave(archive: OpenArchive, place: str | None, *sources: str, digest: str = "0" * 12) -> Path:
    """Leave a segment of each of *sources* in a state folder for *place*."""
    state = archive.state.with_name(f"{archive.info.archive}-{digest}")
    for source in sources:
        seal_page(state / "spool" / source, source=source, number=1, archive=archive.info.archive)
    if place is not None:
        (state / PLACE_FILE).write_text(f"{place}\n", "utf-8")
    return state


def test_what_waits_elsewhere_is_found_and_counted(archive: OpenArchive) -> None:
    seal_page(archive.spool("gazette"), source="gazette", number=1, archive=archive.info.archive)  # here, and so not
    first = leave(archive, "s3://bucket/news at http://h", "gazette", "herald")
    seal_page(first / "spool" / "herald", source="herald", number=2, archive=archive.info.archive)
    (first / "spool" / "quiet" / "sealed").mkdir(parents=True)
    stranger = archive.state.with_name("f" * 32 + "-" + "0" * 12) / "spool" / "gazette"
    seal_page(stranger, source="gazette", number=1, archive="f" * 32)
    second = leave(archive, None, "gazette", digest="")
    assert find_waiting(archive) == [
        Waiting(second, "", {"gazette": 1}),
        Waiting(first, "s3://bucket/news at http://h", {"gazette": 1, "herald": 2}),
    ]


def test_a_folder_that_cannot_be_read_is_passed_over(archive: OpenArchive) -> None:
    broken = leave(archive, None, "gazette")
    (broken / PLACE_FILE).mkdir()
    whole = leave(archive, "s3://bucket/news at http://h", "gazette", digest="1" * 12)
    assert [waiting.state for waiting in find_waiting(archive)] == [whole]


def test_advice_for_another_server(archive: OpenArchive, tmp_path: Path) -> None:
    old = leave(archive, "s3://bucket/the news at http://h:1", "gazette", "herald")
    (waiting,) = find_waiting(archive)
    said = advise(archive, waiting)
    command = f"ofrecord crawl gazette herald --archive 's3://bucket/the news' --state {tmp_path / 'state'}"
    assert f"to commit them there: OFRECORD_S3_ENDPOINT_URL=http://h:1 {command}; if it is this one" in said
    assert f"cp -a {old / 'spool'} {archive.state} && rm -r {old};" in said
    at_home = replace(archive, settings=Settings(s3_endpoint_url="http://h:1"))
    said = advise(at_home, replace(waiting, place="s3://bucket/news at Amazon S3 (aws)"))
    assert f"--archive s3://bucket/news --state {tmp_path / 'state'} (with no s3_endpoint_url);" in said


def test_advice_where_the_place_is_not_known(archive: OpenArchive) -> None:
    for note in (None, "", "torn"):
        old = leave(archive, note, "gazette")
        (waiting,) = find_waiting(archive)
        said = advise(archive, waiting)
        assert said.startswith("nothing says which place they are for; if it is memory:, stop all runs of it")
        assert f"rm -r {old}" in said


def test_advice_for_a_folder(archive: OpenArchive, tmp_path: Path) -> None:
    there = tmp_path / "there at home"
    leave(archive, str(there), "gazette")
    (waiting,) = find_waiting(archive)
    gone = advise(archive, waiting)
    assert f"this archive is not at {there} any more; if it was moved to memory:, stop all runs" in gone
    make_archive(there)
    assert advise(archive, waiting) == gone  # another one stands there
    (there / "ofrecord.json").unlink()
    (there / "ofrecord.json").write_bytes(archive.store.get("ofrecord.json"))
    said = advise(archive, waiting)
    assert said.startswith("they are for that copy of this archive; to commit them there: ofrecord crawl gazette ")
    assert f"--archive '{there}'" in said
    assert "rm -r" not in said

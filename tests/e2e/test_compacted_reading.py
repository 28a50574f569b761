"""What was compacted is read as before: by show, by the room with its records and WACZ, by tables and by queries."""

from __future__ import annotations

import csv
import gzip
import io
import shutil
import subprocess
import zipfile
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from crawler.warc import read_records
from crawler.warc.frames import ZSTD_MAGIC
from jobs.room import addresses
from jobs.room.app import make_app
from tests.installation import Ofrecord
from tests.rooms import PICTURE_URL, PLANTED_URL, SHEET_URL, SOURCE, Client, Room, lend_library
from tests.site.pages import SEED_URL

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from jobs.catalog import StoredCapture

pytestmark = pytest.mark.slow

QUERIES = (
    "select url, captured_at, status, class, payload_digest from captures order by all",
    "select url, after_at, before_title, after_title, before, after from edits order by all",
)


@dataclass(frozen=True)
class Packed:
    """A copy of the room's archive that has compacted objects only, and what queries said before."""

    room: Room
    answers: list[str]


@pytest.fixture(scope="module")
def packed(room_archive: Room, tmp_path_factory: pytest.TempPathFactory) -> Packed:
    folder = tmp_path_factory.mktemp("packed")
    shutil.copytree(room_archive.archive, folder / "archive")
    shutil.copytree(room_archive.ofrecord.config, folder / "config")
    settings = folder / "config" / "settings.yaml"
    settings.write_text(settings.read_text("utf-8").replace(str(room_archive.folder), str(folder)))
    ofrecord = Ofrecord(folder / "config", folder)
    ofrecord("tables", "build")
    answers = [ofrecord("query", one, "--as", "csv").stdout for one in QUERIES]
    for _ in range(2):
        ofrecord("compact", "--before", "0", "--grace", "0")
    assert {path.suffix for path in (folder / "archive").glob("segments/*/*/*")} == {".zst"}
    return Packed(Room(folder, ofrecord), answers)


@pytest.fixture(scope="module")
def packed_client(packed: Packed, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    with lend_library(packed.room, tmp_path_factory.mktemp("packed-state")) as library:
        yield Client(make_app(library))


@pytest.fixture(scope="module")
def captures(room_archive: Room, tmp_path_factory: pytest.TempPathFactory) -> list[StoredCapture]:
    """Articles that were edited and are gone, revisits, a page with its assets, and assets."""
    found = []
    with lend_library(room_archive, tmp_path_factory.mktemp("listing")) as library, library.lend("http://room") as desk:
        for url in (SEED_URL, PLANTED_URL, SHEET_URL, PICTURE_URL):
            found += desk.catalog.list_captures(SOURCE, url)
    assert len(found) >= 10
    return found


def ask(client: Client, capture: StoredCapture, part: str = "") -> Any:
    answer = client.get(addresses.capture(capture.segment, capture.n, part))
    assert answer.status_code == 200, answer.text
    return answer


def list_records(warc: bytes) -> list[Any]:
    return [(one.headers, one.block, one.find_faults()) for one in read_records(io.BytesIO(warc))]


def list_packed(wacz: bytes) -> list[Any]:
    """Return what the records of a WACZ say."""
    with zipfile.ZipFile(io.BytesIO(wacz)) as file:
        return list_records(file.read("archive/data.warc.gz"))[1:]


def test_the_room_has_the_same_pages_and_records(
    room_client: Client, packed_client: Client, captures: list[StoredCapture]
) -> None:
    for capture in captures:
        before, after = (ask(client, capture, "record").content for client in (room_client, packed_client))
        assert list_records(after) == list_records(before)
        assert gzip.decompress(after) == gzip.decompress(before)
        before, after = (ask(client, capture, "page") for client in (room_client, packed_client))
        assert (after.content, after.headers["Content-Type"]) == (before.content, before.headers["Content-Type"])


def test_the_room_packs_the_same_wacz(
    room_client: Client, packed_client: Client, captures: list[StoredCapture]
) -> None:
    for capture in captures:
        before, after = (ask(client, capture, "wacz").content for client in (room_client, packed_client))
        assert list_packed(after) == list_packed(before)


def test_the_room_says_where_it_lies_and_its_command_gets_it(
    packed: Packed, packed_client: Client, captures: list[StoredCapture], tmp_path: Path
) -> None:
    if shutil.which("zstd") is None:
        pytest.skip("zstd is not there: install it")
    for capture in captures[:4]:
        path = f"{addresses.capture(capture.segment, capture.n)}.json"
        told = packed_client.get(path).json()
        place = told["place"]
        assert place["key"].endswith(".warc.zst")
        data = (packed.room.archive / place["key"]).read_bytes()
        end = place["offset"]
        for one in place["records"]:
            assert one["offset"] == end
            assert data[end : end + 4] == ZSTD_MAGIC
            end += one["length"]
        assert end == place["offset"] + place["length"]
        (tmp_path / "segments").unlink(missing_ok=True)
        (tmp_path / "segments").symlink_to(packed.room.archive / "segments")
        found = subprocess.run(["sh", "-c", told["command"]], cwd=tmp_path, capture_output=True, check=True)
        assert found.stdout == gzip.decompress(ask(packed_client, capture, "record").content)


@pytest.mark.parametrize("form", ["raw", "html", "text"])
def test_show_says_the_same(room_archive: Room, packed: Packed, form: str) -> None:
    words = ("--revision", "1") if form == "text" else ("--capture", "2")
    before, after = (show(room, *words, "--format", form) for room in (room_archive, packed.room))
    assert after == before
    assert (b"WARC-Type: re" in after) == (form == "raw")


def show(room: Room, *words: str) -> bytes:
    command, variables = room.ofrecord.command("show", SEED_URL, *words), room.ofrecord.variables()
    return subprocess.run(command, env=variables, capture_output=True, check=True, timeout=60).stdout


def test_tables_and_queries_say_the_same_and_point_at_records(packed: Packed) -> None:
    ofrecord = packed.room.ofrecord
    ofrecord("tables", "build")
    ofrecord("tables", "check", "--full")
    assert [ofrecord("query", one, "--as", "csv").stdout for one in QUERIES] == packed.answers
    query = f"select warc_key, warc_offset from captures where url = '{SEED_URL}' and warc_offset is not null"
    rows = list(csv.DictReader(ofrecord("query", query, "--as", "csv").stdout.splitlines()))
    assert len(rows) >= 2
    for row in rows:
        data = (packed.room.archive / row["warc_key"]).read_bytes()
        assert data[int(row["warc_offset"]) :].startswith(ZSTD_MAGIC)

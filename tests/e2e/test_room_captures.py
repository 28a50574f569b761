"""Captures in the room: what is told of them, the page in its sandbox, records and WACZ, and what damage looks like."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import re
import shutil
import subprocess
import zipfile
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from crawler.warc import read_records
from jobs.room import addresses
from jobs.room.app import make_app
from jobs.room.raw.showing import SANDBOX
from tests.rooms import (
    DRAWING_URL,
    MARK,
    PICTURE_URL,
    PIXEL,
    PLANTED_URL,
    SHEET_URL,
    SOURCE,
    TRACKER,
    Client,
    Room,
    lend_library,
)
from tests.site.pages import SEED_URL
from tests.webarchives import serve_pywb

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from jobs.catalog import StoredCapture
    from jobs.room.library import Library


def list_captures(library: Library, url: str) -> list[StoredCapture]:
    with library.lend("http://127.0.0.1:8460") as desk:
        return desk.catalog.list_captures(SOURCE, url)


@pytest.fixture(scope="module")
def seed(room_library: Library) -> list[StoredCapture]:
    return list_captures(room_library, SEED_URL)


@pytest.fixture(scope="module")
def planted(room_library: Library) -> StoredCapture:
    return list_captures(room_library, PLANTED_URL)[0]


def ask(client: Client, capture: StoredCapture, part: str = "", **asked: str) -> Any:
    return client.get(addresses.capture(capture.segment, capture.n, part, **asked))


def tell(client: Client, capture: StoredCapture) -> dict[str, Any]:
    answer = client.get(f"{addresses.capture(capture.segment, capture.n)}.json")
    assert answer.status_code == 200
    return dict(answer.json())


def test_what_is_told_is_what_the_record_says(room_client: Client, seed: list[StoredCapture]) -> None:
    told = tell(room_client, seed[0])
    assert (told["url"], told["status"], told["verdict"], told["revision"]) == (SEED_URL, 200, "new", 1)
    assert told["fault"] is None
    assert told["shown"] == "page"
    place = told["place"]
    assert place["response"].startswith("HTTP/1.1 200")
    assert place["request"].startswith("GET ")
    assert "tls-version" in place["security"]
    assert [one["type"] for one in place["records"]] == ["response", "request", "metadata"]
    assert place["records"][0]["payload_digest"] == told["payload_digest"]
    assert told["earlier"] is None
    assert (told["later"]["segment"], told["later"]["n"]) == seed[1].place


def test_the_command_gets_the_record(room_client: Client, room_archive: Room, seed: list[StoredCapture]) -> None:
    told = tell(room_client, seed[1])
    found = subprocess.run(["sh", "-c", told["command"]], cwd=room_archive.archive, capture_output=True, check=True)
    record = ask(room_client, seed[1], "record")
    assert record.headers["Content-Type"] == "application/warc"
    assert gzip.decompress(record.content) == found.stdout
    records = list(read_records(io.BytesIO(record.content)))
    assert [one.find_faults() for one in records] == [[], [], []]
    assert records[0].header("WARC-Target-URI") == SEED_URL


def test_a_page_tells_it_to_people(room_client: Client, planted: StoredCapture) -> None:
    page = ask(room_client, planted).text
    path = addresses.capture(planted.segment, planted.n, "page")
    assert f'<iframe class="page" sandbox="" src="{path}"' in page
    assert f"<script>window.{MARK}" not in page
    assert f"&lt;script&gt;window.{MARK}=4&lt;/script&gt;" in page  # a header of the answer
    assert "\nContent-Type: text/html; charset=utf-8\n" in page
    assert "\\x0a" not in page


def test_the_page_is_harmless_and_has_what_was_recorded_for_it(room_client: Client, planted: StoredCapture) -> None:
    answer = ask(room_client, planted, "page")
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert answer.headers["Content-Security-Policy"] == SANDBOX
    assert SANDBOX.startswith("sandbox; default-src 'none';")
    assert "'self'" not in SANDBOX.replace("frame-ancestors 'self'", "")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    html = answer.text
    assert "The council met and agreed" in html
    for tag in ("<script", "<iframe", "<meta", "<base", "<object", "<embed", "<math"):
        assert tag not in html.lower()
    assert not re.search(r"<[^>]*\son\w+\s*=", re.sub(r'"[^"]*"', '""', html))
    addressed = re.findall(r'(?:src|href|background|poster|action)="([^"]*)"', html)
    assert {one.partition(";")[0] for one in addressed} == {"data:text/css", "data:image/gif", "data:image/svg+xml"}
    assert TRACKER not in re.sub(r'title="[^"]*"', "", html)
    assert all(mark not in html for mark in ("asset-", "url(http"))


def test_a_sheet_has_its_pictures_and_no_other_address(room_client: Client, planted: StoredCapture) -> None:
    from base64 import b64decode

    html = ask(room_client, planted, "page").text
    (sheet,) = re.findall(r'href="data:text/css;charset=utf-8;base64,([^"]*)"', html)
    css = b64decode(sheet).decode()
    assert "rgb(1, 2, 3)" in css
    assert TRACKER not in css
    assert css.count('"data:image/gif;base64,') == 1
    assert css.count('"data:,"') == 2


def test_an_asset_is_shown_and_nothing_else(room_client: Client, planted: StoredCapture) -> None:
    picture = ask(room_client, planted, "asset", url=PICTURE_URL)
    assert (picture.status_code, picture.headers["Content-Type"]) == (200, "image/gif")
    drawing = ask(room_client, planted, "asset", url=DRAWING_URL)
    assert drawing.headers["Content-Type"] == "text/html; charset=utf-8"
    assert re.fullmatch(
        r'<!DOCTYPE html>[^>]*>[^>]*>[^>]*><img alt="" src="data:[a-z/+]*;base64,[^"]*"></html>', drawing.text
    )
    sheet = ask(room_client, planted, "asset", url=SHEET_URL)
    assert sheet.headers["Content-Type"] == "text/plain; charset=utf-8"
    for answer in (picture, drawing, sheet):
        assert answer.headers["Content-Security-Policy"] == SANDBOX
    others = (
        f"https://{TRACKER}/pixel.gif",
        PLANTED_URL,
        SEED_URL,
        "file:///etc/passwd",
        "http://127.0.0.1:8460/",
        "../../../etc/passwd",
        "",
        "http://[::1]/",
    )
    for url in others:
        answer = room_client.get(addresses.capture(planted.segment, planted.n, "asset") + f"?url={url}")
        assert answer.status_code == 404, url


@pytest.mark.parametrize("part", ["", "/page", "/record", "/wacz", ".json"])
@pytest.mark.parametrize("where", ["nobody-20260101T000000Z-0/0", "%2e%2e%2f%2e%2e%2fetc/0", f"{SOURCE}/99999"])
def test_what_is_not_there_is_said_to_be(room_client: Client, part: str, where: str) -> None:
    assert room_client.get(f"/captures/{where}{part}").status_code == 404


@pytest.mark.parametrize("n", ["-1", "a", "1e3", "99999999999999999999"])
def test_numbers_are_numbers(room_client: Client, seed: list[StoredCapture], n: str) -> None:
    assert room_client.get(f"/captures/{seed[0].segment}/{n}").status_code == 400


def test_what_is_no_page_is_a_text(room_client: Client, room_library: Library) -> None:
    with room_library.lend("") as desk:
        row = desk.catalog._db.execute(
            "SELECT segment, n FROM captures WHERE purpose = 'feed' AND status = 200 LIMIT 1"
        ).fetchone()
    answer = room_client.get(addresses.capture(row["segment"], row["n"], "page"))
    assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert answer.headers["Content-Security-Policy"] == SANDBOX
    assert "<rss" in answer.text


def read_zip(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert all(one.compress_type == zipfile.ZIP_STORED for one in archive.infolist())
        return {name: archive.read(name) for name in archive.namelist()}


def test_a_wacz_says_what_is_in_it(room_client: Client, planted: StoredCapture) -> None:
    answer = ask(room_client, planted, "wacz")
    assert answer.headers["Content-Type"] == "application/wacz"
    assert answer.content == ask(room_client, planted, "wacz").content
    parts = read_zip(answer.content)
    package = json.loads(parts["datapackage.json"])
    assert (package["wacz_version"], package["profile"]) == ("1.1.1", "data-package")
    assert package["mainPageUrl"] == planted.target_uri
    for one in package["resources"]:
        assert one["hash"] == f"sha256:{hashlib.sha256(parts[one['path']]).hexdigest()}"
        assert one["bytes"] == len(parts[one["path"]])
    digest = json.loads(parts["datapackage-digest.json"])
    assert digest["hash"] == f"sha256:{hashlib.sha256(parts['datapackage.json']).hexdigest()}"
    head, page = (json.loads(line) for line in parts["pages/pages.jsonl"].splitlines())
    assert head["format"] == "json-pages-1.0"
    assert page["url"] == planted.target_uri
    lines = parts["indexes/index.cdx"].decode().splitlines()
    assert lines == sorted(lines)
    entries = [json.loads(line.split(" ", 2)[2]) for line in lines]
    assert {one["url"] for one in entries} >= {planted.target_uri, SHEET_URL, PICTURE_URL, DRAWING_URL}
    warc = parts["archive/data.warc.gz"]
    for one in entries:
        start = int(one["offset"])
        (record,) = read_records(io.BytesIO(warc[start : start + int(one["length"])]))
        assert record.header("WARC-Target-URI") == one["url"]
        assert record.header("WARC-Payload-Digest") == one["digest"]
    assert next(one.type for one in read_records(io.BytesIO(warc))) == "warcinfo"


def test_another_archive_takes_a_wacz_in(
    room_client: Client, room_archive: Room, seed: list[StoredCapture], tmp_path: Path
) -> None:
    file = tmp_path / "seed.wacz"
    file.write_bytes(ask(room_client, seed[0], "wacz").content)
    other = ("--archive", tmp_path / "archive", "--state", tmp_path / "state")
    room_archive.ofrecord("init", *other)
    room_archive.ofrecord("import", file, "--source", SOURCE, *other)
    text = room_archive.ofrecord("show", SEED_URL, "--revision", "1", *other).stdout
    assert text == room_archive.ofrecord("show", SEED_URL, "--revision", "1").stdout


@pytest.mark.slow
def test_pywb_replays_a_wacz(room_client: Client, planted: StoredCapture, tmp_path: Path) -> None:
    """By the file's own index: the page, and what it is shown with."""
    parts = read_zip(ask(room_client, planted, "wacz").content)
    warc, index = tmp_path / "data.warc.gz", tmp_path / "index.cdxj"
    warc.write_bytes(parts["archive/data.warc.gz"])
    index.write_bytes(parts["indexes/index.cdx"])
    with serve_pywb(tmp_path / "pywb", [warc], index=index) as base:
        stamp = f"{planted.captured_at:%Y%m%d%H%M%S}"
        page = httpx.get(f"{base}/{stamp}id_/{planted.target_uri}", trust_env=False)
        picture = httpx.get(f"{base}/{stamp}id_/{PICTURE_URL}", trust_env=False)
    assert page.status_code == 200
    assert "The council met and agreed" in page.text
    assert (picture.status_code, picture.content) == (200, PIXEL)


def test_a_revisit_brings_its_page_along(room_client: Client, seed: list[StoredCapture]) -> None:
    """The second look at the page that is gone: its record refers to the first."""
    revisit = seed[-1]
    assert (revisit.payload_key, revisit.payload_offset) == (seed[-2].warc_key, seed[-2].response_offset)
    told = tell(room_client, revisit)
    assert (told["revisit_of"]["segment"], told["revisit_of"]["n"]) == seed[-2].place
    assert told["place"]["records"][0]["type"] == "revisit"
    assert "Page not found" in ask(room_client, revisit, "page").text
    lines = read_zip(ask(room_client, revisit, "wacz").content)["indexes/index.cdx"].decode().splitlines()
    assert len([line for line in lines if f'"url": "{SEED_URL}"' in line]) == 2


@pytest.fixture
def damaged(room_archive: Room, seed: list[StoredCapture], tmp_path: Path) -> Iterator[Client]:
    """A client of a copy in which a byte of the seed's first record is another."""
    config = tmp_path / "config"
    shutil.copytree(room_archive.archive, tmp_path / "archive")
    shutil.copytree(room_archive.ofrecord.config, config)
    settings = config / "settings.yaml"
    settings.write_text(settings.read_text("utf-8").replace(str(room_archive.archive), str(tmp_path / "archive")))
    copy = Room(tmp_path, type(room_archive.ofrecord)(config, tmp_path))
    (tmp_path / "state").mkdir()
    with lend_library(copy, tmp_path / "state") as library:
        path = tmp_path / "archive" / seed[0].warc_key
        data = bytearray(path.read_bytes())
        data[(seed[0].response_offset or 0) + 200] ^= 0xFF
        path.chmod(0o644)
        path.write_bytes(data)
        yield Client(make_app(library))


def test_damage_is_told(damaged: Client, seed: list[StoredCapture]) -> None:
    told = tell(damaged, seed[0])
    assert told["fault"].startswith("The record is damaged: ")
    assert told["place"] is None
    page = ask(damaged, seed[0])
    assert page.status_code == 200
    assert "The record is damaged" in page.text
    assert "iframe" not in page.text
    for part in ("page", "record", "wacz"):
        answer = ask(damaged, seed[0], part)
        assert answer.status_code == 502, part
        assert "Damaged" in answer.text
    assert ask(damaged, seed[1], "page").status_code == 200

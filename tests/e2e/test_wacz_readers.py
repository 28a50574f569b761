"""What others make of the WACZ files that we export, and of the bundles of articles that were compacted before:
`wacz validate`, cdxj-indexer, pywb, and replayweb.page in a browser, by ranges over HTTP. (warcio and fastwarc:
test_export.py.)
"""

from __future__ import annotations

import json
import shutil
import subprocess
import zipfile
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from tests.browsers import needs_browser
from tests.installation import ROOT
from tests.ranges import serve_ranges
from tests.readers import PICTURES, PLAYER, needs_player
from tests.rooms import PICTURE_URL, PIXEL, SOURCE
from tests.site.pages import SEED_URL
from tests.webarchives import serve_pywb

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Browser, Frame, Page

    from tests.rooms import Room

WACZ = ROOT / ".venv" / "wacz" / "bin" / "wacz"
"""See tests/wacz.txt."""
HEADLINE = "Blinken claims US 'working very aggressively' to send aid to Gaza"
"""Of the seed page, as it was first."""


@pytest.fixture(scope="module", params=["export", "bundle"])
def wacz(request: pytest.FixtureRequest, room_archive: Room, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp(f"readers-{request.param}")
    path = folder / "news.wacz"
    if request.param == "export":
        room_archive.ofrecord("export", "--source", SOURCE, "--all-revisions", "--all-captures", "--to", path)
    else:
        cite_compacted(room_archive, folder, path)
    return path


def cite_compacted(room: Room, folder: Path, path: Path) -> None:
    """Write the bundle of the seed page to *path*, of a copy of the archive whose segments are cold by then."""
    shutil.copytree(room.archive, folder / "archive")
    (folder / "state").mkdir()
    variables = {"OFRECORD_ARCHIVE": str(folder / "archive"), "OFRECORD_STATE_DIR": str(folder / "state")}
    ofrecord = replace(room.ofrecord, environment={**room.ofrecord.environment, **variables})
    for _ in range(2):
        ofrecord("compact", SOURCE, "--before", "0s", "--grace", "0s")
    assert not list((folder / "archive" / "segments" / SOURCE).rglob("*.warc.gz"))
    ofrecord("cite", SEED_URL, "--to", path)
    ofrecord("verify-bundle", path)


@pytest.fixture(scope="module")
def parts(wacz: Path) -> Path:
    """Return a folder of the file's parts."""
    with zipfile.ZipFile(wacz) as archive:
        archive.extractall(wacz.parent / "parts")
    return wacz.parent / "parts"


@pytest.fixture(scope="module")
def records(parts: Path) -> Path:
    """Return the WARC file of it."""
    (path,) = (parts / "archive").iterdir()
    return path


@pytest.fixture(scope="module")
def stamp(parts: Path) -> str:
    """Return when the seed page was captured first, as players write it."""
    pages = [json.loads(line) for line in (parts / "pages" / "pages.jsonl").read_text("utf-8").splitlines()[1:]]
    return "".join(char for char in next(one["ts"] for one in pages if one["url"] == SEED_URL) if char.isdigit())


@pytest.mark.skipif(not WACZ.exists(), reason="wacz is not installed: `make test` does, in a venv of its own")
def test_wacz_finds_it_valid(wacz: Path) -> None:
    done = subprocess.run([WACZ, "validate", "-f", wacz], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Validation succeeded, the passed WACZ is valid" in done.stdout


def test_cdxj_indexer_makes_the_same_index(parts: Path, records: Path) -> None:
    indexer = ROOT / ".venv" / "bin" / "cdxj-indexer"
    done = subprocess.run([indexer, "--sort", records], capture_output=True, text=True, timeout=120, check=True)
    ours = (parts / "indexes" / "index.cdx").read_text("utf-8").splitlines()
    assert [read_line(line) for line in ours] == [read_line(line) for line in done.stdout.splitlines()]


def has_pictures(part: Path) -> bool:
    """Whether a file, or a part of it, is the export: the picture belongs to another article than the bundle's."""
    return part.parent.name.startswith("readers-export")


def read_line(line: str) -> tuple[str, str, dict[str, Any]]:
    key, stamp, fields = line.split(" ", 2)
    return key, stamp, {"mime": "unk"} | json.loads(fields)


@pytest.mark.slow
def test_pywb_replays_it(parts: Path, records: Path, stamp: str, tmp_path: Path) -> None:
    index = tmp_path / "index.cdxj"
    index.write_bytes((parts / "indexes" / "index.cdx").read_bytes())
    with serve_pywb(tmp_path / "pywb", [records], index=index) as base:
        page = httpx.get(f"{base}/{stamp}id_/{SEED_URL}", trust_env=False)
        picture = httpx.get(f"{base}/{stamp}id_/{PICTURE_URL}", trust_env=False, follow_redirects=True)
    assert page.status_code == 200
    assert HEADLINE in page.text
    if has_pictures(parts):
        assert (picture.status_code, picture.content) == (200, PIXEL)


@needs_browser
@needs_player
@pytest.mark.slow
def test_the_seed_page_replays_in_a_browser_by_ranges(browser: Browser, wacz: Path, stamp: str) -> None:
    """By replayweb.page's service worker; what it looks like is left in build/screenshots."""
    files = {"/": PLAYER / "index.html", "/news.wacz": wacz}
    files |= {f"/{name}": PLAYER / name for name in ("ui.js", "sw.js")}
    with serve_ranges(files) as server, browser.new_context() as context:
        page = context.new_page()
        page.goto(f"{server.base}/?source={server.base}/news.wacz#view=pages&url={SEED_URL}&ts={stamp}")
        frame = wait_for_replay(page)
        text = frame.evaluate("document.body.innerText")
        picture = frame.evaluate(
            "async (url) => Array.from(new Uint8Array(await (await fetch(url)).arrayBuffer()))",
            frame.url.partition("mp_/")[0] + "mp_/" + PICTURE_URL,
        )
        PICTURES.mkdir(parents=True, exist_ok=True)
        page.set_viewport_size({"width": 1280, "height": 900})
        frame.get_by_text(HEADLINE).last.scroll_into_view_if_needed()
        page.screenshot(path=PICTURES / f"replay-seed{'' if has_pictures(wacz) else '-compacted'}.png")
    assert HEADLINE in text
    assert "Page not found" not in text
    if has_pictures(wacz):
        assert bytes(picture) == PIXEL
    sizes = [sent for _, path, sent in server.asked if path == "/news.wacz"]
    assert len(sizes) > 5
    assert max(sizes) < wacz.stat().st_size, "it is read by ranges"


def wait_for_replay(page: Page) -> Frame:
    """Return the frame in which the seed page is shown."""
    for _ in range(240):
        frame = next((one for one in page.frames if "/w/" in one.url and one.url.endswith(SEED_URL)), None)
        if frame is not None:
            frame.wait_for_load_state()
            return frame
        page.wait_for_timeout(250)
    raise AssertionError([one.url for one in page.frames])

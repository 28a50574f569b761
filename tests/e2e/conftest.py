"""What whole crawls share: an archive of one crawl of the site, and a crawl in a child process without an archive."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from tests.crawls import prepare_crawl
from tests.installation import Ofrecord, write_config
from tests.rooms import serve_room
from tests.site.server import Site as RealSite

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser

    from tests.crawls import Crawl, Site
    from tests.readers import Doorbell
    from tests.rooms import Room


@pytest.fixture(scope="session")
def first_crawl(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An archive of one crawl of all sources, the site as it begins: to be copied."""
    folder = tmp_path_factory.mktemp("first-crawl")
    (folder / "home").mkdir()
    with RealSite() as site:
        config = write_config(folder / "config", site, archive=folder / "archive", state=folder / "state", workers=1)
        ofrecord = Ofrecord(config, folder / "home")
        ofrecord("init")
        ofrecord("crawl", "--all")
    return folder / "archive"


@pytest.fixture
def crawled(ofrecord: Ofrecord, first_crawl: Path, archive_dir: Path) -> Ofrecord:
    """The command with an archive of one crawl, on a machine that has not seen it yet."""
    shutil.copytree(first_crawl, archive_dir)
    return ofrecord


@pytest.fixture
def crawl(site: Site, tmp_path: Path) -> Iterator[Crawl]:
    """A crawl of the `site` of the module that asks, which a test may change and start."""
    with prepare_crawl(site, tmp_path) as crawl:
        yield crawl


@pytest.fixture(scope="module")
def base(room_archive: Room) -> Iterator[str]:
    """Return the address of the real reading room."""
    with serve_room(room_archive) as address:
        yield address


@pytest.fixture(scope="module")
def bell() -> Iterator[Doorbell]:
    """Return what hears each request of `browser` to anybody but 127.0.0.1."""
    from tests.readers import count_knocks

    with count_knocks() as bell:
        yield bell


@pytest.fixture(scope="module")
def browser(bell: Doorbell) -> Iterator[Browser]:
    """Return a browser for tests that need one (`tests.browsers.needs_browser`)."""
    from tests.readers import open_browser

    with open_browser(bell) as browser:
        yield browser

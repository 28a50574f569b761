"""What all tests share: a clean environment, one real S3 server a test process, the site and the real command."""

from __future__ import annotations

import logging
import os
from typing import TYPE_CHECKING

import hypothesis
import pytest
import structlog

from jobs.room.app import make_app
from tests import seaweed
from tests.installation import Ofrecord, write_config
from tests.rooms import Client, lend_library, make_room
from tests.site.server import Site

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from jobs.room.library import Library
    from tests.rooms import Room

# A loaded machine is no fault of the code, and a run must be repeatable.
hypothesis.settings.register_profile("ofrecord", deadline=None, derandomize=True)
hypothesis.settings.load_profile("ofrecord")


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep a person's own settings, credentials and proxies away from the tests."""
    for name in os.environ:
        if name.startswith(("AWS_", "BOTO", "OFRECORD_")) or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


@pytest.fixture(autouse=True)
def restored_logging() -> Iterator[None]:
    """Undo what `configure_logging` did: its handler holds this test's stderr, which pytest closes."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    logging.captureWarnings(capture=False)
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.fixture(scope="session")
def s3_server() -> Iterator[seaweed.S3Server]:
    """A real S3 server, its keys and a bucket. Started when first asked for; one for each xdist worker."""
    with seaweed.s3_server() as server:
        yield server


@pytest.fixture
def s3_environment(
    s3_server: seaweed.S3Server, clean_environment: None, monkeypatch: pytest.MonkeyPatch
) -> seaweed.S3Server:
    """The server, with its keys in this process's environment for the length of the test."""
    del clean_environment  # only its order matters
    for name, value in s3_server.environment().items():
        monkeypatch.setenv(name, value)
    return s3_server


@pytest.fixture
def site() -> Iterator[Site]:
    """A fresh test site."""
    with Site() as running:
        yield running


@pytest.fixture
def archive_dir(tmp_path: Path) -> Path:
    """Where the archive of `ofrecord` lies; `init` makes it."""
    return tmp_path / "archive"


@pytest.fixture
def config_dir(tmp_path: Path, site: Site, archive_dir: Path) -> Path:
    """Settings and the three real sources, led to the site."""
    return write_config(tmp_path / "config", site, archive=archive_dir, state=tmp_path / "state", workers=1)


@pytest.fixture
def ofrecord(tmp_path: Path, config_dir: Path) -> Ofrecord:
    """The real command, in a child process."""
    home = tmp_path / "home"
    home.mkdir()
    return Ofrecord(config_dir, home)


@pytest.fixture(scope="session")
def room_archive(tmp_path_factory: pytest.TempPathFactory) -> Room:
    """An archive for the reading room: see tests/rooms.py. Made once for each test process; only to be read."""
    return make_room(tmp_path_factory.mktemp("room"))


@pytest.fixture(scope="session")
def room_library(room_archive: Room, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    """What a room in this process reads in: that archive, with catalog and index."""
    with lend_library(room_archive, tmp_path_factory.mktemp("room-state")) as library:
        yield library


@pytest.fixture(scope="session")
def room_client(room_library: Library) -> Client:
    """A client of the room in this process."""
    return Client(make_app(room_library))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what needs the S3 server, so that `-m "not s3"` leaves it out."""
    for item in items:
        if "s3_server" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.s3)

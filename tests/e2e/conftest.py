"""What every end-to-end test stands on: the site, a configuration that leads to it, and the real command."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.installation import Ofrecord, write_config
from tests.site.server import Site

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


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
    return write_config(tmp_path / "config", site, archive=archive_dir, state=tmp_path / "state")


@pytest.fixture
def ofrecord(tmp_path: Path, config_dir: Path) -> Ofrecord:
    """The real command, in a child process."""
    home = tmp_path / "home"
    home.mkdir()
    return Ofrecord(config_dir, home)

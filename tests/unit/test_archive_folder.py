"""Where a new archive may be made: in no folder of other people's, but in one that was only tried out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from config.errors import ConfigError
from jobs.cli.archive import make_folder
from jobs.store.local import LocalStore
from jobs.store.probe import probe_store

if TYPE_CHECKING:
    from pathlib import Path


class Leaving(LocalStore):
    """Leaves what was put to try it out, as where the process is killed."""

    def delete(self, key: str) -> None:
        """Do nothing."""


@pytest.fixture
def tried(tmp_path: Path) -> Path:
    """Return a folder that was tried out by a process that was killed after all that it put."""
    probe_store(Leaving(tmp_path / "archive"))
    assert len(list((tmp_path / "archive" / "probe").iterdir())) > 5
    return tmp_path / "archive"


def test_a_trial_that_was_killed_is_in_nobodys_way(tried: Path) -> None:
    make_folder(tried)


@pytest.mark.parametrize("name", ["notes.txt", "probe/notes.txt", "probe/0123456789abcdef-once.txt"])
def test_other_files_are(tried: Path, name: str) -> None:
    (tried / name).write_text("mine", "utf-8")
    with pytest.raises(ConfigError, match="found other files"):
        make_folder(tried)


def test_a_file_of_that_name_is(tmp_path: Path) -> None:
    (tmp_path / "probe").write_text("mine", "utf-8")
    with pytest.raises(ConfigError, match=r"found other files \(probe\)"):
        make_folder(tmp_path)

"""Objects that cannot be read: each is named and the check goes on; a store that fails altogether ends it."""

from __future__ import annotations

import errno
import io
from pathlib import Path
from typing import IO, TYPE_CHECKING

import pytest

from config.errors import StoreRefused, StoreUnavailable
from jobs.archive.commit import digest
from jobs.store.local import LocalStore
from jobs.store.memory import MemoryStore
from jobs.verify import check_heads, verify_archive
from tests.archives import SOURCE, commit_keys, copy_store, file_keys
from tests.faults import WARC, damage, damaged_keys

if TYPE_CHECKING:
    from jobs.store import StoredObject


@pytest.fixture
def root(sound: MemoryStore, tmp_path: Path) -> Path:
    root = tmp_path / "archive"
    for item in sound.list(""):
        LocalStore(root).create(item.key, sound.get(item.key), sha256=digest(sound.get(item.key)))
    return root


class _BadSector(io.RawIOBase):
    """A file that the disk cannot read beyond its beginning."""

    def readable(self) -> bool:
        return True

    def readinto(self, _buffer: object) -> int:
        raise OSError(errno.EIO, "Input/output error")

    def seek(self, _offset: int, _whence: int = 0) -> int:
        return 0


class _FailingDisk(LocalStore):
    """A folder of which one file lies on a bad sector."""

    def __init__(self, root: Path, bad: str) -> None:
        super().__init__(root)
        self._bad = bad

    def _open(self, key: str) -> IO[bytes]:
        if key != self._bad:
            return super()._open(key)
        super()._open(key).close()
        return io.BufferedReader(_BadSector())

    def stat(self, key: str) -> StoredObject:
        return LocalStore(self._root).stat(key)


class _Guarded(MemoryStore):
    """A store that refuses to hand out some keys; all of them, if *bad* is empty."""

    def __init__(self, other: MemoryStore, bad: str, error: type[Exception]) -> None:
        super().__init__()
        self._objects, self._folders = dict(other._objects), other._folders
        self._bad, self._error = bad, error

    def get(self, key: str, *, offset: int = 0, length: int | None = None) -> bytes:
        self._guard(key)
        return super().get(key, offset=offset, length=length)

    def fetch(self, key: str, target: Path) -> None:
        self._guard(key)
        super().fetch(key, target)

    def _guard(self, key: str) -> None:
        if key.startswith(self._bad):
            raise self._error(f"{key}: Permission denied")


@pytest.mark.parametrize("full", [False, True])
def test_names_a_file_that_is_a_symbolic_link(sound: MemoryStore, root: Path, full: bool) -> None:
    key = file_keys(sound, WARC)[1]
    (root / key).rename(root / "elsewhere")
    (root / key).symlink_to(root / "elsewhere")
    report = verify_archive(LocalStore(root), full=full)
    assert damaged_keys(report) == {key}
    assert "cannot be read: " in damage(report)[0]
    assert "symbolic link" in damage(report)[0]


def test_names_files_in_a_folder_that_is_a_symbolic_link(sound: MemoryStore, root: Path) -> None:
    keys = file_keys(sound, WARC)
    folder = (root / keys[0]).parent
    folder.rename(root / "elsewhere")
    folder.symlink_to(root / "elsewhere")
    assert damaged_keys(verify_archive(LocalStore(root), full=True)) == set(keys)


@pytest.mark.parametrize("number", [0, 1, 2])
def test_names_a_commit_that_is_a_symbolic_link(sound: MemoryStore, root: Path, number: int) -> None:
    """Also the last one, which a listing leaves out as if it had never been."""
    key = commit_keys(sound)[number]
    (root / key).rename(root / "elsewhere")
    (root / key).symlink_to(root / "elsewhere")
    assert damaged_keys(verify_archive(LocalStore(root), full=False)) == {key}


@pytest.mark.parametrize("number", [0, 1])
def test_names_a_file_on_a_bad_sector_and_goes_on(sound: MemoryStore, root: Path, number: int) -> None:
    key = file_keys(sound, WARC)[number]
    other = file_keys(sound, WARC)[2]
    (root / other).write_bytes(b"?" + sound.get(other)[1:])
    report = verify_archive(_FailingDisk(root, key), full=True)
    assert damaged_keys(report) >= {key, other}
    assert f"{key}: cannot be read: [Errno 5] Input/output error" in "\n".join(damage(report))


@pytest.mark.parametrize("error", [StoreRefused, StoreUnavailable])
def test_names_what_the_store_refuses(sound: MemoryStore, error: type[Exception]) -> None:
    for key in (file_keys(sound, WARC)[0], commit_keys(sound)[1], commit_keys(sound)[2]):
        report = verify_archive(_Guarded(sound, key, error), full=True)
        assert key in damaged_keys(report)
        assert f"{key}: cannot be read: {key}: Permission denied" in damage(report)
        check_heads(_Guarded(sound, key, error), report, [(SOURCE, 2, "sha256:" + "0" * 64)])


@pytest.mark.parametrize("error", [StoreRefused, StoreUnavailable])
def test_a_store_that_fails_altogether_is_no_damage(sound: MemoryStore, error: type[Exception]) -> None:
    with pytest.raises(error, match="Permission denied"):
        verify_archive(_Guarded(sound, "", error), full=True)


def test_a_store_that_fails_on_the_way_is_no_damage(sound: MemoryStore) -> None:
    store = _Guarded(copy_store(sound), "nothing", StoreUnavailable)
    bad = file_keys(sound, WARC)[1]

    def lose(step: object) -> None:
        if bad in str(step):
            store._bad = ""

    with pytest.raises(StoreUnavailable):
        verify_archive(store, full=True, progress=lose)


def test_our_own_full_disk_is_no_damage(sound: MemoryStore) -> None:
    class Full(MemoryStore):
        def fetch(self, key: str, target: Path) -> None:
            raise OSError(errno.ENOSPC, f"No space left on device: {key} {target}")

    store = Full()
    store._objects, store._folders = sound._objects, sound._folders
    with pytest.raises(OSError, match="No space left"):
        verify_archive(store, full=True)

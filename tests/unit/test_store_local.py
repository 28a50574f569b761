"""What only a store on disk can get wrong: links, left-overs, rights, and what a power cut would leave."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from config.errors import ObjectExists, ObjectMissing, StoreError, StoreRefused, StoreUnavailable
from jobs.store.local import LocalStore
from jobs.store.memory import MemoryStore

if TYPE_CHECKING:
    from collections.abc import Iterator

NOBODY = 65534


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "archive"


@pytest.fixture
def store(root: Path) -> LocalStore:
    return LocalStore(root)


def put(store: LocalStore | MemoryStore, key: str, data: bytes = b"x") -> None:
    store.create(key, data, sha256="sha256:" + hashlib.sha256(data).hexdigest())


def test_first_create_makes_the_folders(tmp_path: Path) -> None:
    store = LocalStore(tmp_path / "not" / "yet" / "there")
    put(store, "a/b/c", b"abc")
    assert (tmp_path / "not/yet/there/a/b/c").read_bytes() == b"abc"
    assert list((tmp_path / "not/yet/there/.tmp").iterdir()) == []


def test_no_folder_yet(store: LocalStore, tmp_path: Path) -> None:
    with pytest.raises(ObjectMissing, match="no such object"):
        store.get("ofrecord.json")
    with pytest.raises(StoreRefused, match=r"no such folder.*ofrecord init"):
        list(store.list(""))
    store.delete("lease/a")
    assert store.read_clock() is None
    assert list(tmp_path.iterdir()) == []


def test_a_file_in_place_of_the_root(store: LocalStore, root: Path) -> None:
    root.write_text("")
    for ask in (lambda: put(store, "a"), lambda: store.get("a"), lambda: list(store.list(""))):
        with pytest.raises(StoreRefused, match="archive"):
            ask()


@pytest.mark.parametrize("make_store", [MemoryStore, None])
def test_no_key_is_the_folder_of_another(make_store: type[MemoryStore] | None, store: LocalStore) -> None:
    tried = store if make_store is None else make_store()
    put(tried, "a/b", b"first")
    for key in ("a", "a/b/c"):
        with pytest.raises(StoreError):
            put(tried, key, b"second")
    assert [one.key for one in tried.list("")] == ["a/b"]
    tried.delete("a/b")
    if make_store is not None:
        put(tried, "a", b"second")


def test_links_are_not_followed(store: LocalStore, root: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret").write_text("secret")
    put(store, "a/b")
    (root / "a" / "file").symlink_to(outside / "secret")
    (root / "folder").symlink_to(outside)
    (root / "a" / "loop").symlink_to("loop")
    for key in ("a/file", "folder/secret", "a/loop"):
        for ask in (store.get, store.stat, lambda key: store.fetch(key, tmp_path / "target")):
            with pytest.raises(StoreRefused, match="symbolic link"):
                ask(key)
    with pytest.raises(StoreRefused, match="symbolic link"):
        put(store, "folder/new")
    with pytest.raises(StoreRefused, match="symbolic link"):
        store.delete("folder/secret")
    with pytest.raises(ObjectExists):
        put(store, "a/file")
    assert [one.key for one in store.list("")] == ["a/b"]
    assert store.folders("") == ("a",)
    assert [path.name for path in outside.iterdir()] == ["secret"]


def test_root_may_be_a_link(root: Path, tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    root.symlink_to(tmp_path / "disk")
    store = LocalStore(root)
    put(store, "a")
    assert [one.key for one in store.list("")] == ["a"]


def test_what_is_no_file_is_no_object(store: LocalStore, root: Path) -> None:
    put(store, "a/b")
    os.mkfifo(root / "a" / "pipe")
    for key in ("a/pipe", "a"):
        with pytest.raises(ObjectMissing, match="no such object"):
            store.get(key)
    assert [one.key for one in store.list("")] == ["a/b"]


def test_names_that_are_no_text_are_passed_over(store: LocalStore, root: Path) -> None:
    put(store, "a/b")
    Path(os.fsdecode(os.fsencode(root) + b"/a/\xff")).write_text("")
    assert [one.key for one in store.list("a/")] == ["a/b"]


def test_old_left_overs_are_swept(store: LocalStore, root: Path) -> None:
    scratch = root / ".tmp"
    scratch.mkdir(parents=True)
    for name, age in (("old", 2 * 86_400), ("new", 60)):
        (scratch / name).write_text("half")
        then = (scratch / name).stat().st_mtime - age
        os.utime(scratch / name, (then, then))
    assert list(store.list("")) == []
    put(store, "a")
    assert [path.name for path in scratch.iterdir()] == ["new"]


def test_rights_follow_the_umask(store: LocalStore, root: Path) -> None:
    before = os.umask(0o027)
    try:
        put(store, "a")
    finally:
        os.umask(before)
    assert (root / "a").stat().st_mode & 0o777 == 0o640
    assert (root / "a").stat().st_nlink == 1


@contextlib.contextmanager
def ordinary_user(folder: Path) -> Iterator[None]:
    """Act as a user whom rights bind: root, whom they do not, becomes nobody for a while and owns *folder* as such."""
    if os.geteuid() != 0:
        yield
        return
    for path in (folder, *folder.rglob("*")):
        os.chown(path, NOBODY, NOBODY)
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


def test_no_permission() -> None:
    with tempfile.TemporaryDirectory() as open_to_all:
        Path(open_to_all).chmod(0o755)
        place = Path(open_to_all) / "archive"
        place.mkdir()
        store = LocalStore(place)
        put(store, "a")
        with ordinary_user(place):
            (place / ".tmp").chmod(0o500)
            with pytest.raises(StoreRefused, match="give this user the right"):
                put(store, "b")
            (place / ".tmp").chmod(0o700)
            put(store, "b")


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_stays_an_oserror(store: LocalStore, number: int) -> None:
    with pytest.raises(OSError, match="full") as caught, store._errors_of("a"):
        raise OSError(number, "full")
    assert caught.value.errno == number


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        (errno.EACCES, StoreRefused),
        (errno.EROFS, StoreRefused),
        (errno.ENOENT, ObjectMissing),
        (errno.EIO, StoreUnavailable),
        (errno.ESTALE, StoreUnavailable),
    ],
)
def test_errors_of_the_disk(store: LocalStore, number: int, expected: type[StoreError]) -> None:
    with pytest.raises(expected, match=r"archive/a"), store._errors_of("a"):
        raise OSError(number, os.strerror(number))


WRITER = """
import hashlib, os, signal, sys
from pathlib import Path
from typing import TYPE_CHECKING
from jobs.store import local
data = b"y" * 3_000_000
before = int(sys.argv[2])
def maybe_die(event, arguments):
    global before
    if event in {"os.link", "os.mkdir", "open", "os.remove"} and sys.argv[1] in str(arguments) + os.getcwd():
        before -= 1
        if before < 0:
            os.kill(os.getpid(), signal.SIGKILL)
os.chdir(sys.argv[1])
store = local.LocalStore(Path(sys.argv[1]))
sys.addaudithook(maybe_die)
store.create("a/b", data, sha256="sha256:" + hashlib.sha256(data).hexdigest())
"""


def test_a_killed_writer_leaves_all_or_nothing(root: Path, store: LocalStore) -> None:
    root.mkdir()
    data = b"y" * 3_000_000
    outcomes = []
    for before in range(20):
        done = subprocess.run([sys.executable, "-c", WRITER, str(root), str(before)], check=False, timeout=60)
        found = [(one.key, one.size_bytes) for one in store.list("")]
        assert found in ([], [("a/b", len(data))])
        outcomes.append((done.returncode, bool(found)))
        if found:
            assert store.get("a/b") == data
            store.delete("a/b")
        if done.returncode == 0:
            break
    assert outcomes[0] == (-9, False)
    assert (-9, True) in outcomes, "no kill hit between link and the end"
    assert outcomes[-1] == (0, True)

"""A store in a folder of the local disk: temporary file, fsync, link(2), fsync of the folders.

Never follows a symbolic link below its root, never replaces a file but a feed, and leaves nothing under a key that is
not whole.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import io
import os
import secrets
import stat
import time
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, TYPE_CHECKING

from config.errors import (
    ObjectDiffers,
    ObjectExists,
    ObjectMissing,
    StoreError,
    StoreRefused,
    StoreUnavailable,
)
from jobs.store import Retention, StoredObject, StoredVersion
from jobs.store.files import BLOCK_BYTES, copy_new
from jobs.store.keys import (
    TEMPORARY,
    check_digest,
    check_folder,
    check_key,
    check_range,
    check_rewritten,
    fault_of_key,
    refuse_lock,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

_STALE_SECONDS = 24 * 3600
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
_NO_LINK = os.O_NOFOLLOW | os.O_CLOEXEC
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
_NO_HARD_LINKS = frozenset({errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK, errno.EXDEV})
_REFUSED = {
    errno.EACCES: "give this user the right to read and write there",
    errno.EPERM: "give this user the right to read and write there",
    errno.EROFS: "mount it for writing or choose another place",
    errno.ELOOP: "a symbolic link stands there; an archive holds plain files and folders only",
    errno.ENOTDIR: "a file or a symbolic link stands where a folder is needed; move it away",
    errno.EEXIST: "a file stands where a folder is needed; move it away",
    errno.EISDIR: "a folder stands where a file is needed; move it away",
    errno.ENAMETOOLONG: "choose a place with a shorter path",
}


class LocalStore:
    """An ObjectStore whose keys are paths below *root*. The root is made by the first create."""

    def __init__(self, root: Path) -> None:
        self.url = str(root)
        self._root = root
        self._swept = False
        self.requests: Counter[str] = Counter()
        self.retries = 0

    @property
    def place(self) -> str:
        return str(self._root.resolve())

    def create(self, key: str, data: bytes | Path, *, sha256: str) -> StoredObject:
        check_key(key)
        expected = check_digest(sha256)
        with contextlib.ExitStack() as stack:
            source: IO[bytes] = stack.enter_context(data.open("rb")) if isinstance(data, Path) else io.BytesIO(data)
            stack.enter_context(self._errors_of(key))
            root = stack.enter_context(_closing(self._make_root()))
            scratch = stack.enter_context(_closing(_make_folder(root, TEMPORARY)))
            self._sweep(scratch)
            name = f"{os.getpid()}-{secrets.token_hex(8)}"
            stack.callback(_remove, scratch, name)
            found, about = _write(scratch, name, source)
            if found != expected:
                raise ObjectDiffers(f"{self.url} {key}: the bytes have the digest sha256:{found}, expected {sha256}")
            self._link(scratch, name, root, key)
            return StoredObject(key, about.st_size, _modified(about), sha256)
        raise AssertionError("unreachable: nothing above swallows errors")

    def rewrite(self, key: str, data: bytes, *, media_type: str) -> None:
        del media_type  # a web server tells it by the ending
        check_rewritten(key)
        with contextlib.ExitStack() as stack:
            stack.enter_context(self._errors_of(key))
            root = stack.enter_context(_closing(self._make_root()))
            scratch = stack.enter_context(_closing(_make_folder(root, TEMPORARY)))
            self._sweep(scratch)
            temporary = f"{os.getpid()}-{secrets.token_hex(8)}"
            stack.callback(_remove, scratch, temporary)
            _write(scratch, temporary, io.BytesIO(data))
            chain = _make_folders(root, key, stack)
            os.rename(temporary, key.rpartition("/")[2], src_dir_fd=scratch, dst_dir_fd=chain[-1])
            for descriptor in reversed(chain):
                os.fsync(descriptor)

    def get(self, key: str, *, offset: int = 0, length: int | None = None) -> bytes:
        check_range(offset, length)
        with self._errors_of(key), self._open(key) as file:
            file.seek(offset)
            return file.read(-1 if length is None else length)

    def fetch(self, key: str, target: Path) -> None:
        with self._errors_of(key):
            source = self._open(key)
        with source:
            copy_new(iter(lambda: source.read(BLOCK_BYTES), b""), target)

    def stat(self, key: str) -> StoredObject:
        with self._errors_of(key), self._open(key) as file:
            about = os.fstat(file.fileno())
            return StoredObject(key, about.st_size, _modified(about))

    def read_retention(self, key: str, *, version: str = "") -> Retention | None:
        del version
        self.stat(key)
        return None

    def probe_lock(self) -> None:
        raise refuse_lock(self.url)

    def list(self, prefix: str, *, after: str = "") -> Iterator[StoredObject]:
        if not self._root.is_dir():
            raise StoreRefused(
                f"{self.url}: no such folder; check the path, or make an archive there with ofrecord init"
            )
        top = prefix.rpartition("/")[0]
        if top and fault_of_key(top):
            return
        # Paths still to be looked at, the next one last. A folder's ends with a slash, so that it sorts as its keys do.
        waiting = [top + "/" if top else ""]
        while waiting:
            path = waiting.pop()
            if path and not path.endswith("/"):
                with contextlib.suppress(ObjectMissing):
                    yield self.stat(path)
                continue
            with self._errors_of(path):
                found = self._names(path)
            waiting += sorted((one for one in found if _may_hold(one, prefix=prefix, after=after)), reverse=True)

    def folders(self, prefix: str) -> tuple[str, ...]:
        check_folder(prefix)
        with self._errors_of(prefix):
            return tuple(sorted(one.removeprefix(prefix).rstrip("/") for one in self._names(prefix) if one[-1] == "/"))

    def delete(self, key: str) -> None:
        self._unlink(key)

    def list_versions(self, prefix: str) -> Iterator[StoredVersion]:
        return (StoredVersion(one.key, one.size_bytes, one.modified) for one in self.list(prefix))

    def purge(self, key: str, *, keep_newest: bool = False, bypass: bool = False) -> int:
        del bypass  # a file system keeps neither versions nor retention that we could know of
        check_key(key)
        return 0 if keep_newest else int(self._unlink(key))

    def read_clock(self) -> datetime | None:
        """Return the file system's time, which on a network share is the server's; `None` if we may not write there."""
        with contextlib.suppress(StoreError, OSError), _closing(self._folder("")) as root:
            name = f"{os.getpid()}-{secrets.token_hex(8)}"
            with _closing(_make_folder(root, TEMPORARY)) as scratch:
                try:
                    return _modified(_write(scratch, name, io.BytesIO())[1])
                finally:
                    _remove(scratch, name)
        return None

    def close(self) -> None:
        """Do nothing: no file stays open between calls."""

    def _unlink(self, key: str) -> bool:
        """Remove the file of *key*; return whether there was one."""
        check_key(key)
        folder, _, name = key.rpartition("/")
        with contextlib.suppress(ObjectMissing), self._errors_of(key), _closing(self._folder(folder)) as descriptor:
            os.unlink(name, dir_fd=descriptor)
            os.fsync(descriptor)
            return True
        return False

    def _make_root(self) -> int:
        missing = []
        path = self._root
        while not path.exists():
            missing.append(path)
            path = path.parent
        self._root.mkdir(parents=True, exist_ok=True)
        for made in missing:
            _sync(made.parent)
        return self._folder("")

    def _folder(self, path: str) -> int:
        """Open a folder below the root, step by step, so that no part of it can be a symbolic link."""
        descriptor = os.open(self._root, _FOLDER)
        for name in path.split("/") if path else ():
            with _closing(descriptor) as parent:
                descriptor = os.open(name, _FOLDER | _NO_LINK, dir_fd=parent)
        return descriptor

    def _open(self, key: str) -> IO[bytes]:
        check_key(key)
        folder, _, name = key.rpartition("/")
        with _closing(self._folder(folder)) as parent:
            # Non-blocking, so that a named pipe cannot hold us; files do not care.
            descriptor = os.open(name, os.O_RDONLY | os.O_NONBLOCK | _NO_LINK, dir_fd=parent)
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.close(descriptor)
            raise ObjectMissing(f"{self.url}/{key}: no such object; something that is no file has its name")
        return os.fdopen(descriptor, "rb")

    def _names(self, path: str) -> tuple[str, ...]:
        """Return the keys and, with a slash, the folders right below *path*; nothing that cannot be a key."""
        found = []
        with contextlib.ExitStack() as stack:
            stack.enter_context(contextlib.suppress(FileNotFoundError))
            folder = stack.enter_context(_closing(self._folder(path.rstrip("/"))))
            for entry in stack.enter_context(os.scandir(folder)):
                key = path + entry.name
                if fault_of_key(key) is None and entry.is_dir(follow_symlinks=False):
                    found.append(key + "/")
                elif fault_of_key(key) is None and entry.is_file(follow_symlinks=False):
                    found.append(key)
        return tuple(found)

    def _link(self, scratch: int, temporary: str, root: int, key: str) -> None:
        name = key.rpartition("/")[2]
        with contextlib.ExitStack() as stack:
            chain = _make_folders(root, key, stack)
            try:
                os.link(temporary, name, src_dir_fd=scratch, dst_dir_fd=chain[-1], follow_symlinks=False)
            except FileExistsError as error:
                raise ObjectExists(f"{self.url}/{key}: is there already") from error
            except OSError as error:
                if error.errno not in _NO_HARD_LINKS:
                    raise
                raise StoreRefused(
                    f"{self.url}: {error.strerror}: this file system has no hard links, which create-only writing "
                    "needs; choose another disk or an S3 bucket"
                ) from error
            # All of the chain: another thread may have made a folder of it and not synced it yet.
            for descriptor in reversed(chain):
                os.fsync(descriptor)

    def _sweep(self, scratch: int) -> None:
        """Remove, once per store, what writers that died left behind long ago."""
        if self._swept:
            return
        self._swept = True
        limit = time.time() - _STALE_SECONDS
        for name in os.listdir(scratch):
            with contextlib.suppress(OSError):
                if os.stat(name, dir_fd=scratch, follow_symlinks=False).st_mtime < limit:
                    os.unlink(name, dir_fd=scratch)

    @contextlib.contextmanager
    def _errors_of(self, key: str) -> Iterator[None]:
        """Turn OSError into StoreError, but leave a full disk as it is: it has an exit code of its own."""
        try:
            yield
        except FileNotFoundError as error:
            raise ObjectMissing(f"{self.url}/{key}: no such object") from error
        except OSError as error:
            if error.errno in _FULL:
                raise
            what = f"{self.url}/{key}: {error.strerror or error}"
            if error.errno in _REFUSED:
                raise StoreRefused(f"{what}: {_REFUSED[error.errno]}") from error
            raise StoreUnavailable(f"{what}; check the disk and try again") from error


def _write(folder: int, name: str, data: IO[bytes]) -> tuple[str, os.stat_result]:
    """Write a new file and sync it; return its SHA-256 in hex and what the file system says of it."""
    descriptor = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _NO_LINK, 0o666, dir_fd=folder)
    found = hashlib.sha256()
    with os.fdopen(descriptor, "wb") as file:
        for block in iter(lambda: data.read(BLOCK_BYTES), b""):
            file.write(block)
            found.update(block)
        file.flush()
        os.fsync(file.fileno())
        return found.hexdigest(), os.fstat(file.fileno())


def _make_folder(parent: int, name: str) -> int:
    with contextlib.suppress(FileExistsError):
        os.mkdir(name, dir_fd=parent)
    return os.open(name, _FOLDER | _NO_LINK, dir_fd=parent)


def _make_folders(root: int, key: str, stack: contextlib.ExitStack) -> list[int]:
    """Return the descriptors of *root* and of each folder above *key*, which are made where they are missing."""
    chain = [root]
    for folder in key.split("/")[:-1]:
        chain.append(stack.enter_context(_closing(_make_folder(chain[-1], folder))))
    return chain


def _may_hold(path: str, *, prefix: str, after: str) -> bool:
    """Whether *path*, a key or a folder with its slash, can be or hold a key that is wanted."""
    if path.endswith("/"):
        return (path.startswith(prefix) or prefix.startswith(path)) and (path >= after or after.startswith(path))
    return path.startswith(prefix) and path > after


def _remove(folder: int, name: str) -> None:
    with contextlib.suppress(OSError):
        os.unlink(name, dir_fd=folder)


def _sync(folder: Path) -> None:
    with _closing(os.open(folder, _FOLDER)) as descriptor:
        os.fsync(descriptor)


def _modified(about: os.stat_result) -> datetime:
    return datetime.fromtimestamp(about.st_mtime, UTC)


@contextlib.contextmanager
def _closing(descriptor: int) -> Iterator[int]:
    try:
        yield descriptor
    finally:
        os.close(descriptor)

"""A WACZ (a zip file) → the WARC files in it, read one after the other, none of them held or unpacked to disk.

By its directory; where that is missing, since the file is cut, by what stands before each part.
"""

from __future__ import annotations

import io
import zipfile
import zlib
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, BinaryIO

from config.errors import RecordError

if TYPE_CHECKING:
    from collections.abc import Iterator

MAGIC = b"PK\x03\x04"
MAX_PARTS = 100_000
MAX_NAME_CHARS = 500
"""Of a part: captures and messages carry it."""
_MAX_DIRECTORY_BYTES = 64 * 1024 * 1024
"""The directory is read as a whole."""
_FOLDER = "archive/"
_ENDINGS = (".warc", ".warc.gz", ".warc.zst")
_HEAD_BYTES = 30
_SIZES_BEHIND = 0x08
_ENCRYPTED = 0x01
_ZIP64_FIELD = 1
_UNKNOWN = 0xFFFFFFFF
_MOST_BYTES = 1 << 62
"""No file has more, whatever a zip file says of its parts."""
_METHODS = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})
"""What a WACZ may be squeezed by; of the others a few bytes may inflate to gigabytes in one step."""
_FAULTS = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError, OverflowError)


@dataclass(frozen=True, slots=True)
class Part:
    """A WARC file in a WACZ."""

    name: str
    file: BinaryIO
    begins_at: int
    """How many bytes of it lie before what `file` yields."""


def list_parts(file: BinaryIO, *, first: str, raw: int) -> Iterator[Part]:
    """Yield the WARC files in *file* (which can be sought in), in the order of the zip; none before the one *first*.

    *raw*: where in that one to go on; of others, at the beginning. Each must be read before the next is asked for.
    Raises RecordError if this is no zip file, or has no such parts.
    """
    found = waiting = False
    for part in _list_all(file, first, raw):
        found = True
        waiting = waiting or not first or part.name == first
        if waiting:
            yield part
    if not found:
        raise RecordError("found a zip file that is no WACZ: it has no archive/*.warc, .warc.gz or .warc.zst")


def _list_all(file: BinaryIO, first: str, raw: int) -> Iterator[Part]:
    try:
        with zipfile.ZipFile(_Sparing(file)) as archive:
            entries = archive.infolist()
            if len(entries) > MAX_PARTS:
                raise RecordError(f"{len(entries)} parts in the zip file; at most {MAX_PARTS} are taken")
            for entry in entries:
                if not _is_warc(entry.filename):
                    continue
                if entry.compress_type not in _METHODS:
                    raise RecordError(f"{entry.filename}: squeezed in another way than a WACZ may be")
                with archive.open(entry) as opened:
                    begins_at = raw if entry.filename == first and entry.compress_type == zipfile.ZIP_STORED else 0
                    opened.seek(begins_at)
                    yield Part(entry.filename, io.BufferedReader(_Checked(opened, entry.filename)), begins_at)
    except zipfile.BadZipFile as error:
        yield from _walk(file, first, raw, str(error))
    except _FAULTS as error:
        raise RecordError(f"a zip file that cannot be read: {error}") from error


def _is_warc(name: str) -> bool:
    """Tell whether a part of that name is a WARC file. Raises RecordError for a name that nobody wants to carry."""
    if not name.startswith(_FOLDER) or not name.lower().endswith(_ENDINGS):
        return False
    if len(name) > MAX_NAME_CHARS:
        raise RecordError(f"a part with a name of {len(name)} characters; at most {MAX_NAME_CHARS} are taken")
    return True


class _Sparing(io.RawIOBase):
    """A file of which nobody takes too much at once."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()

    def read(self, size: int = -1) -> bytes:
        data = self._file.read(min(size, _MAX_DIRECTORY_BYTES + 1) if size >= 0 else _MAX_DIRECTORY_BYTES + 1)
        if len(data) > _MAX_DIRECTORY_BYTES:
            raise RecordError(f"a zip file with a directory of more than {_MAX_DIRECTORY_BYTES} bytes")
        return data


class _Checked(io.RawIOBase):
    """A part whose faults come as RecordError."""

    def __init__(self, part: IO[bytes], name: str, left: int | None = None) -> None:
        self._part = part
        self._name = name
        self._left = left

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: object) -> int:
        view = memoryview(buffer)  # type: ignore[arg-type]
        size = len(view) if self._left is None else min(len(view), self._left)
        try:
            data = self._part.read(size)
        except _FAULTS as error:
            raise RecordError(f"{self._name}: damaged in the zip file: {error}") from error
        if self._left is not None:
            self._left -= len(data)
        view[: len(data)] = data
        return len(data)


def _walk(file: BinaryIO, first: str, raw: int, reason: str) -> Iterator[Part]:
    """Yield the parts of a zip file without a directory, as far as it goes."""
    at = 0
    for _ in range(MAX_PARTS):
        if at > _MOST_BYTES:
            return
        file.seek(at)
        head = file.read(_HEAD_BYTES)
        if len(head) < _HEAD_BYTES or not head.startswith(MAGIC):
            return
        flags, method = int.from_bytes(head[6:8], "little"), int.from_bytes(head[8:10], "little")
        size, name_bytes = int.from_bytes(head[18:22], "little"), int.from_bytes(head[26:28], "little")
        name = file.read(name_bytes).decode("utf-8", "replace")
        extra = file.read(int.from_bytes(head[28:30], "little"))
        if size == _UNKNOWN:
            size = _read_zip64(extra)
        if flags & (_SIZES_BEHIND | _ENCRYPTED):
            raise RecordError(
                f"a zip file that is cut ({reason}), whose parts do not say how long they are: not readable"
            )
        start = at + _HEAD_BYTES + name_bytes + len(extra)
        if _is_warc(name) and method == zipfile.ZIP_STORED:
            begins_at = min(raw, size) if name == first else 0
            file.seek(start + begins_at)
            yield Part(name, io.BufferedReader(_Checked(file, name, size - begins_at)), begins_at)
        at = start + size


def _read_zip64(extra: bytes) -> int:
    at = 0
    while at + 4 <= len(extra):
        kind, size = int.from_bytes(extra[at : at + 2], "little"), int.from_bytes(extra[at + 2 : at + 4], "little")
        if kind == _ZIP64_FIELD and size >= 16:
            return int.from_bytes(extra[at + 12 : at + 20], "little")
        at += 4 + size
    raise RecordError("a zip file whose parts do not say how long they are")

"""A bundle of anybody's → its parts: a zip file that holds nothing but what its directory tells, or it is refused.

Nothing is unpacked; sizes, counts and names are bounded, and what is said twice must be said alike.
"""

from __future__ import annotations

import hashlib
import json
import re
import struct
import zipfile
import zlib
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Any

from config.errors import DamageFound
from crawler.rows import read_json_object
from jobs.evidence.parts import read_chunks, read_part

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PACKAGE, PACKAGE_DIGEST = "datapackage.json", "datapackage-digest.json"
MAX_PARTS = 100_000
MAX_ALL_BYTES = 64 * 1024**3
"""Of all parts together, as they are when inflated."""
MAX_SQUEEZED_BYTES = 1024**3
"""Of those that are not simply stored: records and texts are."""
MAX_PACKAGE_BYTES = 64 * 1024 * 1024
_MAX_TAIL_BYTES = 64 * 1024 * 1024
"""Of the directory, which is read as a whole."""
_MAX_RATIO = 1_100
"""Deflate makes no more of a byte."""
_PATH = re.compile(r"[A-Za-z0-9][A-Za-z0-9._=-]*(?:/[A-Za-z0-9][A-Za-z0-9._=-]*){0,3}")
_LOCAL = struct.Struct("<4s5H3I2H")
_METHODS = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})
_FAULTS = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    NotImplementedError,
    RuntimeError,
    ValueError,
    OverflowError,
    IndexError,
)
_UNKNOWN = 0xFFFFFFFF
_ZIP64_FIELD = 1
_DIRECTORY_END = b"PK\x05\x06"
_END = struct.Struct("<4s4H2IH")
_END_BYTES = _END.size
_UTF8 = 0x800


class ZipParts:
    """The parts of a bundle in a zip file. See `open_bundle`."""

    def __init__(self, archive: zipfile.ZipFile, entries: dict[str, zipfile.ZipInfo]) -> None:
        self._archive = archive
        self._entries = entries

    def sizes(self) -> dict[str, int]:
        """Return the length of each part by its path."""
        return {path: entry.file_size for path, entry in self._entries.items()}

    def open(self, path: str) -> IO[bytes]:
        """Return a part to be read. Raises DamageFound if it is not there."""
        entry = self._entries.get(path)
        if entry is None:
            raise DamageFound(f"{path}: missing")
        return self._archive.open(entry)


@contextmanager
def open_bundle(path: Path) -> Iterator[ZipParts]:
    """Lend the parts of the bundle at *path*. Raises DamageFound where it is none that can be read, OSError."""
    with path.open("rb") as file:
        try:
            with zipfile.ZipFile(_Bounded(file)) as archive:
                entries = _check_directory(archive, file)
                yield ZipParts(archive, entries)
        except _FAULTS as error:
            raise DamageFound(f"{path.name}: a zip file that cannot be read: {error}") from error


def check_package(parts: ZipParts) -> dict[str, str]:
    """Return the digest of each part by its path, once all are as `datapackage.json` says. Raises DamageFound."""
    package = read_part(parts, PACKAGE, MAX_PACKAGE_BYTES)
    told = _read_object(read_part(parts, PACKAGE_DIGEST, MAX_PACKAGE_BYTES), PACKAGE_DIGEST)
    found = "sha256:" + hashlib.sha256(package).hexdigest()
    if told.get("path") != PACKAGE or told.get("hash") != found:
        raise DamageFound(f"{PACKAGE}: has {found}, {PACKAGE_DIGEST} says {str(told.get('hash'))[:80]!a}")
    listed = _list_resources(_read_object(package, PACKAGE))
    sizes = parts.sizes()
    loose = sorted((sizes.keys() - {PACKAGE, PACKAGE_DIGEST}) ^ listed.keys())
    if loose:
        raise DamageFound(f"{loose[0][:200]!a}: is in the zip file or in {PACKAGE}, and not in both")
    for path, (digest, size) in listed.items():
        hashed = hashlib.sha256()
        with parts.open(path) as file:
            for data in read_chunks(file):
                hashed.update(data)
        if size != sizes[path] or digest != f"sha256:{hashed.hexdigest()}":
            raise DamageFound(f"{path}: was altered: found sha256:{hashed.hexdigest()}, {PACKAGE} says {digest[:80]!a}")
    return {path: digest for path, (digest, _) in listed.items()}


def _list_resources(package: dict[str, Any]) -> dict[str, tuple[str, int]]:
    resources = package.get("resources")
    if not isinstance(resources, list) or len(resources) > MAX_PARTS:
        raise DamageFound(f"{PACKAGE}: resources: expected a list of at most {MAX_PARTS}")
    listed: dict[str, tuple[str, int]] = {}
    for one in resources:
        fields = one if isinstance(one, dict) else {}
        path, digest, size = fields.get("path"), fields.get("hash"), fields.get("bytes")
        if not isinstance(path, str) or not isinstance(digest, str) or not isinstance(size, int) or path in listed:
            raise DamageFound(
                f"{PACKAGE}: resources: found {str(one)[:100]!a}, expected path, hash and bytes, each once"
            )
        listed[path] = (digest, size)
    return listed


def _read_object(data: bytes, where: str) -> dict[str, Any]:
    try:
        return read_json_object(data)
    except (ValueError, RecursionError, json.JSONDecodeError) as error:
        raise DamageFound(f"{where}: not a JSON object: {error}") from error


def _check_directory(archive: zipfile.ZipFile, file: IO[bytes]) -> dict[str, zipfile.ZipInfo]:
    """Return the entries by path, once they are told alike twice and fill the file without a gap."""
    entries = archive.infolist()
    if len(entries) > MAX_PARTS:
        raise DamageFound(f"{len(entries)} parts; at most {MAX_PARTS} are read")
    if archive.comment:
        raise DamageFound("the zip file has a comment, where anything could stand")
    found: dict[str, zipfile.ZipInfo] = {}
    end = total = squeezed = 0
    for entry in sorted(entries, key=lambda one: one.header_offset):
        name = entry.orig_filename
        if not _PATH.fullmatch(name) or name != entry.filename or ".." in name or len(name) > 250:
            raise DamageFound(f"a part with the name {name[:200]!a}, which no bundle has")
        if name in found:
            raise DamageFound(f"{name}: stands twice in the zip file")
        total += entry.file_size
        squeezed += entry.file_size if entry.compress_type != zipfile.ZIP_STORED else 0
        if entry.comment or _split_extra(entry.extra, name).keys() - {_ZIP64_FIELD}:
            raise DamageFound(f"{name}: has more in the directory than a bundle's parts have")
        if max(entry.file_size, total) > MAX_ALL_BYTES or squeezed > MAX_SQUEEZED_BYTES:
            raise DamageFound(f"{name}: {entry.file_size} bytes; more than a bundle may have")
        if entry.file_size > _MAX_RATIO * (entry.compress_size + 64):
            raise DamageFound(f"{name}: said to inflate from {entry.compress_size} to {entry.file_size} bytes")
        if entry.header_offset != end:
            raise DamageFound(
                f"{name}: begins at byte {entry.header_offset}, where {end} was expected: something lies between"
            )
        end = _check_local(entry, file)
        found[name] = entry
    if end != archive.start_dir:
        raise DamageFound(f"the zip file's directory begins at byte {archive.start_dir}, where {end} was expected")
    _check_end(file, end)
    return found


def _check_end(file: IO[bytes], begin: int) -> None:
    """Raise DamageFound unless the file's last bytes lead to the directory that was read, from byte *begin* on."""
    file.seek(-_END_BYTES, 2)
    magic, *_, told, _ = _END.unpack(file.read(_END_BYTES))
    if magic != _DIRECTORY_END:
        raise DamageFound("the zip file does not end with its directory: something was added")
    if told not in {begin, _UNKNOWN}:  # others go by that alone, and would find another directory
        raise DamageFound(f"the zip file says that its directory begins at byte {told}, and it begins at {begin}")


def _check_local(entry: zipfile.ZipInfo, file: IO[bytes]) -> int:
    """Return where the part ends, once what stands before it says what the directory does."""
    name = entry.orig_filename
    if entry.compress_type not in _METHODS or entry.flag_bits & ~_UTF8:
        raise DamageFound(f"{name}: squeezed, or flagged, in a way that no bundle has")
    file.seek(entry.header_offset)
    head = file.read(_LOCAL.size)
    magic, _, flags, method, time, date, crc, packed, size, name_bytes, extra_bytes = _LOCAL.unpack(head)
    raw, extra = file.read(name_bytes), file.read(extra_bytes)
    fields = _split_extra(extra, name)
    if _UNKNOWN in {packed, size}:
        size, packed = struct.unpack("<2Q", fields.pop(_ZIP64_FIELD, b""))
    if fields:
        raise DamageFound(f"{name}: has more before it than a bundle's parts have")
    year, month, day, hour, minute, second = entry.date_time
    stated = (hour << 11 | minute << 5 | second // 2, (year - 1980) << 9 | month << 5 | day)
    told = (
        b"PK\x03\x04",
        entry.flag_bits,
        entry.compress_type,
        *stated,
        entry.CRC,
        entry.compress_size,
        entry.file_size,
    )
    if (magic, flags, method, time, date, crc, packed, size) != told or raw != name.encode():
        raise DamageFound(f"{name}: the zip file says otherwise before it than in its directory")
    return int(entry.header_offset + _LOCAL.size + name_bytes + extra_bytes + entry.compress_size)


def _split_extra(data: bytes, name: str) -> dict[int, bytes]:
    """Return the extra fields of a part that have a value, each once. Raises DamageFound."""
    found: dict[int, bytes] = {}
    at = 0
    while at < len(data):
        kind, size = struct.unpack_from("<2H", data, at)
        value = data[at + 4 : at + 4 + size]
        if len(value) != size or kind in found:
            raise DamageFound(f"{name}: has extra fields that are none")
        if size:
            found[kind] = value
        at += 4 + size
    return found


class _Bounded:
    """A file of which nobody takes too much at once."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.seek, self.tell, self.close = file.seek, file.tell, lambda: None

    def seekable(self) -> bool:
        """Tell that it can be sought in."""
        return True

    def read(self, size: int = -1) -> bytes:
        """Read. Raises DamageFound where that would be too much."""
        data = self._file.read(min(size, _MAX_TAIL_BYTES + 1) if size >= 0 else _MAX_TAIL_BYTES + 1)
        if len(data) > _MAX_TAIL_BYTES:
            raise DamageFound(f"a zip file with a directory of more than {_MAX_TAIL_BYTES} bytes")
        return data

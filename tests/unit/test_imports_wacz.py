"""Zip files that strangers made: what cannot be read is refused by name, and none takes more memory than it may."""

from __future__ import annotations

import io
import struct
import zipfile

import pytest

from config.errors import RecordError
from crawler.imports import wacz
from crawler.imports.wacz import MAX_NAME_CHARS, list_parts

NAME = "archive/a.warc"
ENTRY = b"PK\x01\x02"


def make(name: str = NAME, method: int = zipfile.ZIP_STORED) -> bytearray:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        archive.writestr(name, b"WARC/1.0\r\n" * 100)
    return bytearray(file.getvalue())


def change(data: bytearray, value: int, *, local: int, entry: int) -> bytes:
    """Return a zip file with another byte in the heads of its only part: before it, and in the directory."""
    data[local] = value
    data[data.find(ENTRY) + entry] = value
    return bytes(data)


def misname(data: bytearray) -> bytes:
    """Return a zip file whose part has a name that is no UTF-8, against what it says."""
    return bytes(data).replace("é".encode(), b"\xff\xff")


def read(data: bytes) -> list[tuple[str, bytes]]:
    return [(part.name, part.file.read()) for part in list_parts(io.BytesIO(data), first="", raw=0)]


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_parts_are_read(method: int) -> None:
    assert read(bytes(make(method=method))) == [(NAME, b"WARC/1.0\r\n" * 100)]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (change(make(), 1, local=6, entry=8), "encrypted"),
        (change(make(), 9, local=8, entry=10), "squeezed in another way"),
        (change(make(), 99, local=4, entry=6), "version 9.9"),
        (misname(make("archive/é.warc")), "decode"),
        (bytes(make(method=zipfile.ZIP_BZIP2)), "squeezed in another way"),  # 400 bytes may be a gigabyte in one step
        (bytes(make(method=zipfile.ZIP_LZMA)), "squeezed in another way"),
        (bytes(make(f"archive/{'a' * MAX_NAME_CHARS}.warc")), "a part with a name of"),
    ],
)
def test_a_zip_file_that_cannot_be_read_is_refused_by_name(data: bytes, reason: str) -> None:
    with pytest.raises(RecordError, match=reason):
        read(data)


def test_a_directory_that_is_too_long_is_refused_before_it_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for number in range(2_000):
            archive.writestr(f"archive/{number}.warc", b"")
    monkeypatch.setattr(wacz, "_MAX_DIRECTORY_BYTES", 100_000)
    with pytest.raises(RecordError, match="directory of more than 100000 bytes"):
        read(file.getvalue())


def test_of_a_cut_zip_file_whose_part_is_longer_than_any_file_there_is_what_is_there() -> None:
    extra = struct.pack("<HHQQ", 1, 16, 2**64 - 1, 2**64 - 1)
    sizes = struct.pack("<HHHHHIIIHH", 45, 0, 0, 0, 0, 0, 2**32 - 1, 2**32 - 1, len(NAME), len(extra))
    data = b"PK\x03\x04" + sizes + NAME.encode() + extra + b"WARC/1.0\r\n"
    assert read(data) == [(NAME, b"WARC/1.0\r\n")]

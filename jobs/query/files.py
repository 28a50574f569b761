"""The manifest's files as Arrow data sets, read by ranges out of the archive's store: columns and rows as asked for.

A file of a day is not opened for a question about other days.
"""

from __future__ import annotations

import io
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, NoReturn, Protocol

import pyarrow as pa
from pyarrow import dataset
from pyarrow.fs import FileInfo, FileSystemHandler, FileType, PyFileSystem

from config.errors import StoreError
from jobs.tables.schema import TABLES, TIME

if TYPE_CHECKING:
    from collections.abc import Iterable

    from jobs.tables import Manifest, TableFile
    from jobs.tables.schema import Table


class RangeReader(Protocol):
    """What of a store is needed."""

    def get(self, key: str, *, offset: int = 0, length: int | None = None) -> bytes: ...


class ListedFiles(FileSystemHandler):  # type: ignore[misc]  # pyarrow has no types
    """A file system that has the manifest's files and nothing else, and of which nothing can be changed."""

    def __init__(self, store: RangeReader, files: Iterable[TableFile]) -> None:
        self._store = store
        self._sizes = {file.key: file.size_bytes for file in files}
        self.failure: StoreError | None = None
        """The first that the store had against a read: what comes through Arrow and DuckDB is its text alone."""

    def get_type_name(self) -> str:
        return "ofrecord"

    def normalize_path(self, path: str) -> str:
        return path

    def get_file_info(self, paths: list[str]) -> list[Any]:
        return [
            FileInfo(path, FileType.File, size=self._sizes[path])
            if path in self._sizes
            else FileInfo(path, FileType.NotFound)
            for path in paths
        ]

    def open_input_file(self, path: str) -> Any:  # noqa: ANN401 - pyarrow has no types
        if path not in self._sizes:
            raise FileNotFoundError(path)
        return pa.PythonFile(_StoredFile(self, path, self._sizes[path]), mode="r")

    open_input_stream = open_input_file

    def read(self, key: str, offset: int, length: int) -> bytes:
        """Return a part of a file. Raises StoreError."""
        try:
            return self._store.get(key, offset=offset, length=length)
        except StoreError as error:
            self.failure = self.failure or error
            raise

    def _refuse(self, *_: object, **__: object) -> NoReturn:
        raise PermissionError("tables are only read")

    get_file_info_selector = create_dir = delete_dir = delete_dir_contents = delete_root_dir_contents = _refuse
    delete_file = move = copy_file = open_output_stream = open_append_stream = _refuse


class _StoredFile(io.RawIOBase):
    """A file in the store: each read asks for just that range."""

    def __init__(self, files: ListedFiles, key: str, size: int) -> None:
        self._files = files
        self._key = key
        self._size = size
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self._at = offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        return self._at

    def tell(self) -> int:
        return self._at

    def read(self, size: int = -1) -> bytes:
        left = max(0, self._size - self._at)
        length = left if size < 0 else min(size, left)
        data = self._files.read(self._key, self._at, length) if length else b""
        self._at += len(data)
        return data


def open_tables(manifest: Manifest, files: ListedFiles) -> dict[str, Any]:
    """Return table → data set of its files, with this version's columns: older files have null in newer ones."""
    system = PyFileSystem(files)
    form = dataset.ParquetFileFormat()
    found = {}
    for name, table in TABLES.items():
        parts = [
            form.make_fragment(one.key, filesystem=system, partition_expression=_tell_day(table, one.day))
            for one in manifest.files
            if one.table == name
        ]
        found[name] = dataset.FileSystemDataset(parts, table.schema, form, system)
    return found


def _tell_day(table: Table, day: str) -> Any:  # noqa: ANN401 - pyarrow has no types
    """Return what holds of each row in a file of *day*."""
    begin = datetime.fromisoformat(f"{day}T00:00:00+00:00")
    at = dataset.field(table.time)
    return (at >= pa.scalar(begin, TIME)) & (at < pa.scalar(begin + timedelta(days=1), TIME))

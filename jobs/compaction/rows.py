"""A segment's rows where its records were written elsewhere: the same rows, but for where they point."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from config.errors import RecordError
from crawler.rows import read_json_object

if TYPE_CHECKING:
    from collections.abc import Callable

_KINDS = (b'"capture"', b'"cdxj"', b'"end"')
_PLACES = ("request", "response", "metadata", "rendered")


@dataclass(slots=True)
class RecordPlaces:
    """Where the records of one segment lie, in their order."""

    offsets: list[int] = field(default_factory=list)
    lengths: list[int] = field(default_factory=list)
    size: int = 0
    """Bytes of all of them."""
    _numbers: dict[int, int] = field(default_factory=dict)

    def add(self, offset: int, length: int) -> None:
        """Take in the next record."""
        self._numbers[offset] = len(self.offsets)
        self.offsets.append(offset)
        self.lengths.append(length)
        self.size += length

    def number(self, offset: int, length: int) -> tuple[int, int]:
        """Return the number of the record at *offset*, and 0. Raises RecordError where none of that length begins."""
        number = self._numbers.get(offset)
        if number is None or self.lengths[number] != length:
            raise RecordError(f"a row points at byte {offset}, {length} long, where no record lies")
        return number, 0

    def find(self, number: int) -> tuple[int, int]:
        """Return offset and length of a record."""
        return self.offsets[number], self.lengths[number]


def move_row(line: bytes, before: RecordPlaces, after: RecordPlaces, filename: str) -> bytes:
    """Return the row *line*, whose records lie at *before*, as it is where they lie at *after* in *filename*.

    What is in it that this version does not know stays. Raises RecordError where it points at no record.
    """
    return _change(
        line, lambda offset, length: after.find(before.number(offset, length)[0]), filename, (before.size, after.size)
    )


def strip_row(line: bytes, places: RecordPlaces) -> bytes:
    """Return what of the row *line* is the same wherever its records lie: it points at their numbers.

    For comparing, not for readers. Raises RecordError where it points at no record.
    """
    return _change(line, places.number, "", (places.size, 0))


def _change(line: bytes, move: Callable[[int, int], tuple[int, int]], filename: str, sizes: tuple[int, int]) -> bytes:
    """*sizes*: of all records, before and after."""
    if not any(kind in line for kind in _KINDS):
        return line
    try:
        row = read_json_object(line)
        if row.get("type") == "capture":
            for name, place in (row.get("warc") or {}).items():
                if place is not None and name in _PLACES:
                    place["offset"], place["length"] = move(place["offset"], place["length"])
        elif row.get("type") == "cdxj":
            row["line"] = _change_index(row["line"], move, filename)
        elif row.get("type") == "end" and row["warc_bytes"] == sizes[0]:
            row["warc_bytes"] = sizes[1]
        else:
            return line
        return json.dumps(row, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise RecordError(f"a row that cannot be read: {line[:80]!r}: {error}") from error


def _change_index(line: str, move: Callable[[int, int], tuple[int, int]], filename: str) -> str:
    key, stamp, told = line.split(" ", 2)
    fields: dict[str, Any] = read_json_object(told.encode())
    offset, length = move(int(fields["offset"]), int(fields["length"]))
    fields |= {"length": str(length), "offset": str(offset), "filename": filename}
    return f"{key} {stamp} {json.dumps(fields)}"

"""Texts → one file of rows: JSON lines, or CSV that no spreadsheet takes for formulas."""

from __future__ import annotations

import csv
import io
import json
import re
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from jobs.export.selection import Text

COLUMNS = (
    *("source", "url", "number", "latest", "captured_at", "title", "lead", "text", "class", "language", "section"),
    *("authors", "published", "modified", "state", "kinds", "silent", "text_digest", "derivation", "segment", "n"),
)
_FORMULA = re.compile("'*[\\s\\x00-\\x1f\ufeff\u200b-\u200f\u2060-\u2064]*[=+\\-@＝＋－＠|%]")
"""What some spreadsheet runs as a formula, whatever stands before that it passes over."""


def write_lines(texts: Iterable[Text], file: IO[bytes]) -> None:
    """Write each of *texts* as a JSON object in a line, with all fields that its page states."""
    for text in texts:
        told = text.describe() | {"fields": text.snapshot["fields"]}
        file.write(json.dumps(told, ensure_ascii=False).encode("utf-8", "backslashreplace") + b"\n")


def write_csv(texts: Iterable[Text], file: IO[bytes]) -> None:
    """Write *texts* as CSV in UTF-8 (RFC 4180), lists joined by `; `, cells disarmed as `disarm` does."""
    stream = io.TextIOWrapper(file, "utf-8", "backslashreplace", newline="", write_through=True)
    writer = csv.writer(stream)
    writer.writerow(COLUMNS)
    for text in texts:
        told = text.describe()
        writer.writerow([make_cell(told[name]) for name in COLUMNS])
    stream.flush()
    stream.detach()


def disarm(cell: str) -> str:
    """Return *cell* so that a spreadsheet shows it: an apostrophe before what would be a formula.

    A cell that begins with apostrophes and then such a thing gets one more: taking one off gives back what was there.
    """
    return f"'{cell}" if _FORMULA.match(cell) else cell


def make_cell(value: object) -> str | int | float | None:
    """Return *value* as a cell of CSV: numbers as they are, all else as text, disarmed."""
    if value is None or (isinstance(value, int | float) and not isinstance(value, bool)):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    return disarm("; ".join(map(str, value)) if isinstance(value, list) else str(value))

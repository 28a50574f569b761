"""What was derived of a stretch of a segment, as one file of a folder: written whole or not at all, checked when read.

The folder may be shared by several machines. Nothing is believed of a part that its own task does not say too.
"""

from __future__ import annotations

import gzip
import json
import os
import secrets
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import structlog

from config.errors import RecordError
from crawler.rows import MAX_LINE_BYTES, CaptureReference, SnapshotRow, decode_row
from crawler.spool import sync_folder
from jobs.archive.commit import digest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from jobs.rebuild.planning import StretchTask

log = structlog.get_logger()

MAX_PART_BYTES = 1024**3
"""Inflated."""
_LEVEL = 3
_MAX_REASON_CHARS = 500


@dataclass(frozen=True, slots=True)
class Without:
    """A capture of which no text came."""

    n: int
    page_class: str
    reason: str
    failed: bool
    """Whether the page could not be read, or was stopped; else it was read, and has no text."""


@dataclass(frozen=True, slots=True)
class Part:
    """What a task came to."""

    name: str
    rows: tuple[bytes, ...]
    """Snapshot rows as lines, by number of the capture."""
    without: tuple[Without, ...] = ()
    """By number."""

    @property
    def lines(self) -> Iterator[bytes]:
        """The part as it is written."""
        yield from self.rows
        for one in self.without:
            told = {"n": one.n, "class": one.page_class, "reason": one.reason, "failed": one.failed}
            yield json.dumps({"type": "without", **told}, ensure_ascii=False).encode("utf-8", "replace") + b"\n"
        yield json.dumps({"type": "end", "rows": len(self.rows), "without": len(self.without)}).encode() + b"\n"

    @property
    def digest(self) -> str:
        """Of its lines: the same facts make the same."""
        return digest(b"".join(self.lines))


class PartsFolder:
    """The parts of one source under one derivation."""

    def __init__(self, path: Path) -> None:
        self._path = path

    @property
    def path(self) -> Path:
        """Where they are."""
        return self._path

    def write(self, part: Part) -> None:
        """Keep *part*, in place of one of that name. Raises OSError."""
        self._path.mkdir(parents=True, exist_ok=True)
        target = self._path / part.name
        draft = target.with_name(f".{part.name}.{secrets.token_hex(8)}")
        try:
            with draft.open("wb") as file:
                file.write(gzip.compress(b"".join(part.lines), _LEVEL, mtime=0))
                file.flush()
                os.fsync(file.fileno())
            draft.rename(target)
        except BaseException:
            draft.unlink(missing_ok=True)
            raise
        sync_folder(self._path)

    def read(self, task: StretchTask) -> Part | None:
        """Return the part of *task*, as far as it asks; `None` if there is none that says something of each capture."""
        path = self._path / task.name
        try:
            with path.open("rb") as file:
                return _check(list(_read_lines(file, str(path))), task, str(path))
        except FileNotFoundError:
            return None
        except (RecordError, OSError, EOFError, zlib.error) as error:
            log.warning("ignored_part", path=str(path), error=str(error))
            return None


def read_snapshot(line: bytes, *, checked: bool = False) -> SnapshotRow:
    """Return the snapshot row that *line* of a part is. *checked*: it was read before. Raises RecordError."""
    row = decode_row(line, checked=checked)
    if not isinstance(row, SnapshotRow):
        raise RecordError(f"found a row of type {getattr(row, 'type', None)!r}, expected a snapshot")
    return row


def _read_lines(file: Any, where: str) -> Iterator[bytes]:  # noqa: ANN401 - a binary file
    size = 0
    with gzip.GzipFile(fileobj=file) as inflated:
        while line := inflated.readline(MAX_LINE_BYTES + 1):
            size += len(line)
            if len(line) > MAX_LINE_BYTES or size > MAX_PART_BYTES:
                raise RecordError(f"{where}: more than {MAX_PART_BYTES} bytes, or a line of {MAX_LINE_BYTES}")
            yield line


def _check(lines: list[bytes], task: StretchTask, where: str) -> Part:
    """Return what *lines* say of the captures of *task*. Raises RecordError where they contradict it or are cut."""
    wanted = {page.n: page for page in task.pages}
    rows: dict[int, bytes] = {}
    without: dict[int, Without] = {}
    ended = False
    for number, line in enumerate(lines, 1):
        if not line.endswith(b"\n") or (end := _read_other(line, where)) is None:
            row = read_snapshot(line)
            place = row.of or CaptureReference("", -1)
            page = wanted.get(place.n)
            if (place.segment, row.derivation) != (task.segment, task.derivation):
                raise RecordError(f"{where}: line {number}: a text of another capture or by other rules")
            if page is None:
                continue
            told, text = (row.url, row.captured_at, row.text_digest), digest(row.text.encode("utf-8", "replace"))
            if told != (page.url, page.captured_at, text):
                raise RecordError(f"{where}: line {number}: a text of another page, or not that of its digest")
            rows[place.n] = line
        elif isinstance(end, Without):
            if end.n in wanted:
                without[end.n] = end
        elif number != len(lines) or end != len(lines) - 1:
            raise RecordError(f"{where}: line {number}: says that {end} lines are before it")
        else:
            ended = True
    if not ended or rows.keys() | without.keys() != wanted.keys() or rows.keys() & without.keys():
        raise RecordError(f"{where}: does not say of each capture once what came of it")
    return Part(task.name, tuple(rows[n] for n in sorted(rows)), tuple(without[n] for n in sorted(without)))


def _read_other(line: bytes, where: str) -> Without | int | None:
    """Return what a line that is no snapshot says: of one capture or, at the end, how many lines are before it."""
    if not line.startswith((b'{"type": "without"', b'{"type": "end"')):
        return None
    try:
        told = json.loads(line)
        if told["type"] == "end":
            return int(told["rows"]) + int(told["without"])
        texts = str(told["class"])[:40], str(told["reason"])[:_MAX_REASON_CHARS]
        return Without(int(told["n"]), *texts, failed=bool(told["failed"]))
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise RecordError(f"{where}: not a line of a part: {error}") from error

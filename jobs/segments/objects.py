"""A committed segment → one file a capture below `raw/` and `clean/`, for people who want that. They prove nothing.

Create-only: what is there stays. Keys are made of the source's id, times and digests; nothing that a page says gets
into one. Never raises for what it cannot write: the archive is whole without it.
"""

from __future__ import annotations

import hashlib
import json
import re
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import structlog
import yaml

from config.errors import ExtractError, ObjectExists, RecordError, StoreError
from crawler.encoding import inflate
from crawler.model import GOOD_CLASSES
from crawler.rows import CaptureRow, SnapshotRow, format_time
from crawler.warc import read_response
from jobs.archive.commit import digest
from jobs.archive.facts import read_rows
from jobs.segments.pages import MAX_MEMBER_BYTES, MAX_RECORD_BYTES

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from config.settings import Settings
    from jobs.archive.commit import Commit
    from jobs.store import ObjectStore

log = structlog.get_logger()

ENDINGS = {
    "text/html": "html",
    "application/xhtml+xml": "xhtml",
    "application/json": "json",
    "application/pdf": "pdf",
    "text/plain": "txt",
}
"""Media type → ending of a raw file; of all others, `bin`."""
_GOOD = frozenset(one.value for one in GOOD_CLASSES)
_MARKUP = re.compile(r"[\\`*_\[\]<>&~|#]")
_BULLET = re.compile(r"^[+=-]")
_NUMBER = re.compile(r"^(\d{1,9})([.)])")


@dataclass(slots=True)
class ObjectsReport:
    """What became of one segment's files."""

    written: int = 0
    there: int = 0
    """That an earlier try, or a capture of the same second, had put."""
    problems: list[str] = field(default_factory=list)


def write_objects(store: ObjectStore, commit: Commit, settings: Settings, *, warc: Path | None = None) -> ObjectsReport:
    """Put the files that `raw_objects` and `clean_objects` ask for, of the good captures of *commit*'s segment.

    *warc*: the segment's WARC file on this disk; else it is fetched. Safe to repeat. A revisit has no raw file of its
    own: its page is that of the capture it refers to. Problems are logged and returned, never raised.
    """
    report = ObjectsReport()
    if commit.rows is None or not (settings.raw_objects or settings.clean_objects):
        return report
    try:
        if warc is not None:
            _write_all(store, commit, settings, warc, report)
        else:
            with tempfile.TemporaryDirectory(prefix="ofrecord-objects-") as folder:
                fetched = Path(folder) / "warc"
                store.fetch(commit.rows.key, fetched)
                _write_all(store, commit, settings, fetched, report)
    except (StoreError, RecordError, OSError) as error:
        # The first trouble with a store ends it: a thousand more tries would only hold up the run.
        report.problems.append(f"{commit.segment}: not all files below raw/ and clean/ were written: {error}")
    for problem in report.problems:
        log.warning("failed_objects", error=problem)
    return report


def object_key(folder: str, source: str, row: CaptureRow, ending: str) -> str:
    """Return the key of a capture's file below *folder*, `raw` or `clean`."""
    return object_prefix(folder, source, row.url, row.captured_at) + ending


def object_prefix(folder: str, source: str, url: str, at: datetime) -> str:
    """Return what the keys of all files of the capture of *url* at that time begin with."""
    name = hashlib.sha256(url.encode()).hexdigest()[:16]
    return f"{folder}/{source}/{at:%Y-%m-%d}/{at:%Y%m%dT%H%M%SZ}-{name}."


def render_json(commit: Commit, capture: CaptureRow, snapshot: SnapshotRow) -> bytes:
    """Return all that is known of a text, as one JSON object."""
    data = {
        "source": commit.source,
        **_identify(commit, capture, snapshot),
        "status": capture.status,
        "payload_digest": capture.payload_digest,
        "class": snapshot.page_class,
        "derivation": snapshot.derivation,
        "confidence": snapshot.confidence,
        "title": snapshot.title,
        "lead": snapshot.lead,
        "fields": snapshot.fields,
        "text": snapshot.text,
    }
    return json.dumps(data, ensure_ascii=False, indent=1).encode() + b"\n"


def render_markdown(commit: Commit, capture: CaptureRow, snapshot: SnapshotRow) -> bytes:
    """Return the text as Markdown: fields as front matter (YAML), the title as heading, a paragraph for each line."""
    values = {name: one.get("value") for name, one in snapshot.fields.items() if isinstance(one, dict)}
    front = {"title": snapshot.title, "source": commit.source, **_identify(commit, capture, snapshot), "fields": values}
    return format_markdown(front, snapshot.title, snapshot.text)


def format_markdown(front: dict[str, Any], title: str | None, text: str) -> bytes:
    """Return *text* as Markdown below *front* as YAML, its *title* as heading, a paragraph for each line."""
    lines = text.split("\n") if text else []
    if title and lines[:1] == [title]:
        lines = lines[1:]
    heading = [f"# {_escape(title)}"] if title else []
    head = yaml.safe_dump(front, allow_unicode=True, sort_keys=False, width=10**6)
    return ("---\n" + head + "---\n\n" + "\n\n".join([*heading, *map(_escape_line, lines)]) + "\n").encode(
        "utf-8", "replace"
    )


def render_text(_commit: Commit, _capture: CaptureRow, snapshot: SnapshotRow) -> bytes:
    """Return the text alone: the SHA-256 of the file is the text's digest."""
    return snapshot.text.encode()


_RENDERERS = {"json": render_json, "md": render_markdown, "txt": render_text}


def _write_all(store: ObjectStore, commit: Commit, settings: Settings, warc: Path, report: ObjectsReport) -> None:
    for capture, snapshot in _read_good(commit, warc):
        if settings.raw_objects and capture.revisit_of is None:
            try:
                page = _read_page(warc, capture, limit=settings.max_body_bytes)
            except (RecordError, ExtractError) as error:
                report.problems.append(f"{capture.url}: no raw file: {error}")
            else:
                ending = ENDINGS.get(capture.media_type or "", "bin")
                _put(store, object_key("raw", commit.source, capture, ending), page, report)
        for kind in settings.clean_objects:
            data = _RENDERERS[kind](commit, capture, snapshot)
            _put(store, object_key("clean", commit.source, capture, kind), data, report)


def _read_good(commit: Commit, warc: Path) -> Iterator[tuple[CaptureRow, SnapshotRow]]:
    """Yield each good capture with its text: FORMAT.md § 7 (1)."""
    place = commit.rows
    if place is None:
        return
    captures: dict[int, CaptureRow] = {}
    with warc.open("rb") as file:
        file.seek(place.offset)
        for _, row in read_rows(file, str(warc)):
            if isinstance(row, CaptureRow) and row.purpose == "article" and row.page_class in _GOOD:
                captures[row.n] = row
            elif isinstance(row, SnapshotRow) and row.n is not None:
                capture = captures.pop(row.n, None)
                if capture is not None:
                    yield capture, row


def _read_page(warc: Path, capture: CaptureRow, *, limit: int) -> bytes:
    extent = capture.warc.response if capture.warc else None
    if extent is None or extent.length > MAX_MEMBER_BYTES:
        raise RecordError(f"{warc}: capture {capture.n} has no response record that can be read")
    with warc.open("rb") as file:
        file.seek(extent.offset)
        data = file.read(extent.length)
    response = read_response(data, where=f"{warc}: offset {extent.offset}", limit=MAX_RECORD_BYTES)
    return inflate(response.body, response.exchange().header_values("Content-Encoding"), limit=limit)


def _put(store: ObjectStore, key: str, data: bytes, report: ObjectsReport) -> None:
    try:
        store.create(key, data, sha256=digest(data))
    except ObjectExists:
        report.there += 1
    else:
        report.written += 1


def _identify(commit: Commit, capture: CaptureRow, snapshot: SnapshotRow) -> dict[str, Any]:
    return {
        "url": capture.url,
        "captured_at": format_time(capture.captured_at),
        "text_digest": snapshot.text_digest,
        "segment": commit.segment,
        "n": capture.n,
    }


def _escape(text: str) -> str:
    """Return *text* so that Markdown shows it as it is and takes none of it for markup or HTML."""
    return _MARKUP.sub(r"\\\g<0>", text)


def _escape_line(line: str) -> str:
    """Return a line of a text as a paragraph: no list, no rule either."""
    return _NUMBER.sub(r"\1\\\2", _BULLET.sub(r"\\\g<0>", _escape(line)))

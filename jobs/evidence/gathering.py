"""An archive → what proves some captures of it, in a folder laid out as a bundle: rows, commits, keys, heads, texts.

Reads by range and holds one record at a time, so that an article of hundreds of captures takes no more memory than one.
"""

from __future__ import annotations

import hashlib
import re
from bisect import bisect_left
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING

from config.errors import ConfigError, DamageFound, ObjectMissing
from crawler.rows import CaptureRow, SnapshotRow
from jobs.archive.commit import MAX_COMMIT_BYTES, commit_key
from jobs.archive.ends import MAX_DOCUMENT_BYTES
from jobs.archive.facts import MAX_ROWS_BYTES, read_rows
from jobs.archive.heads import read_head
from jobs.archive.identity import INFO_KEY, MAX_INFO_BYTES
from jobs.archive.keys import MAX_KEYS
from jobs.evidence.changes import encode_change
from jobs.evidence.manifest import (
    MAX_COMMITS,
    ChangeTold,
    RunTold,
    SegmentTold,
    TextTold,
    change_path,
    commit_path,
    name_part,
    rows_path,
    segment_path,
    text_path,
)
from jobs.evidence.restoring import bring_moved

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from jobs.archive.commit import RowsPlace
    from jobs.context import OpenArchive
    from jobs.evidence.choosing import Chosen
    from jobs.evidence.restoring import HeldSegment

MAX_CAPTURE_BYTES = 256 * 1024 * 1024
"""Of all records of one, as they are stored: one capture is held at a time."""
MAX_RUN = 1_000
"""Commits from one that is needed to the head that names it or a later one."""
_HEAD = re.compile(r"heads/([0-9]{12})\.(json|tsr)")
_CHUNK_BYTES = 8 * 1024 * 1024


@dataclass(slots=True)
class Gathered:
    """What was found of the captures' rows."""

    segments: list[SegmentTold] = field(default_factory=list)
    texts: dict[tuple[str, int], SnapshotRow] = field(default_factory=dict)
    """Capture → its snapshot, without its text, which is in a file."""
    rows: dict[tuple[str, int], CaptureRow] = field(default_factory=dict)
    records: dict[tuple[str, int], Path] = field(default_factory=dict)
    """Capture of a segment that was moved → a file of its records as gzip members."""
    files: set[str] = field(default_factory=set)
    """Segments that lie in the folder whole, as they were first committed."""


def gather_rows(archive: OpenArchive, chosen: Sequence[Chosen], folder: Path, *, whole: bool) -> Gathered:
    """Put the rows of all segments concerned, and the texts in them that are wanted, into *folder*.

    Of segments that were moved the records too, or the file as it first was (*whole*). Raises DamageFound where
    something is not as it was committed, ConfigError, RecordError, StoreError, OSError.
    """
    wanted: dict[str, set[int]] = {}
    for one in chosen:
        wanted.setdefault(one.capture.segment, set()).add(one.capture.n)
    found = Gathered()
    for segment, numbers in wanted.items():
        stored = archive.catalog.find_segment(segment)
        if stored is None:
            raise DamageFound(f"{segment}: no commit that this machine knows brings it; run ofrecord index --rebuild")
        moved_by = archive.catalog.find_replacing(segment)
        held = bring_moved(archive, stored, moved_by, folder) if moved_by is not None else None
        if held is not None and held.is_first:
            moved_by = None
        found.segments.append(SegmentTold(segment=segment, seq=stored.seq, moved_by=moved_by))
        path = folder / rows_path(segment)
        if held is None:
            _fetch_rows(archive, stored.rows, path)
        else:
            held.put_rows(path)
        with path.open("rb") as file:
            for _, row in read_rows(file, rows_path(segment)):
                if isinstance(row, CaptureRow) and row.n in numbers:
                    found.rows[segment, row.n] = row
                elif isinstance(row, SnapshotRow) and row.n in numbers:
                    found.texts[segment, row.n] = _put_text(row, folder)
        if missing := numbers - {n for name, n in found.rows if name == segment}:
            raise DamageFound(
                f"{segment}: its rows do not tell of capture {min(missing)}: run ofrecord index --rebuild"
            )
        if held is not None:
            _keep_records(held, {n: found.rows[segment, n] for n in numbers}, found, folder, whole=whole)
    found.segments.sort(key=lambda one: one.seq)
    return found


def locate_records(row: CaptureRow) -> tuple[int, int] | None:
    """Return offset and length of the records of a capture, one behind the other in its segment; `None`: it has none.

    Raises ConfigError if they are too long.
    """
    if row.warc is None or row.warc.response is None:
        return None
    places = (row.warc.response, row.warc.rendered, row.warc.request, row.warc.metadata)
    start, end = row.warc.response.offset, max(one.offset + one.length for one in places if one)
    if end - start > MAX_CAPTURE_BYTES:
        raise ConfigError(f"{row.url}: records of {end - start} bytes; at most {MAX_CAPTURE_BYTES} are cited")
    return start, end - start


def _keep_records(
    held: HeldSegment, rows: dict[int, CaptureRow], found: Gathered, folder: Path, *, whole: bool
) -> None:
    """Put the records of a segment's captures, or its whole file, where the bundle is made, and let go of the rest."""
    segment, path = held.local.segment, held.local.path
    if whole and held.is_first:
        path.replace(folder / segment_path(segment))
        found.files.add(segment)
        return
    for n, row in rows.items():
        place = locate_records(row)
        if place is not None:
            target = found.records[segment, n] = folder / f"{segment}.{n}"
            held.put_records(*place, target, MAX_CAPTURE_BYTES)
    path.unlink()


def _fetch_rows(archive: OpenArchive, place: RowsPlace, path: Path) -> None:
    """Write a segment's rows into *path*, checked."""
    where = f"{archive.store.url}/{place.key}"
    if place.size_bytes > MAX_ROWS_BYTES:
        raise DamageFound(f"{where}: {place.size_bytes} bytes of rows; at most {MAX_ROWS_BYTES} are read")
    found, at, end = hashlib.sha256(), place.offset, place.offset + place.size_bytes
    with path.open("xb") as file:
        while at < end:
            try:
                data = archive.store.get(place.key, offset=at, length=min(_CHUNK_BYTES, end - at))
            except ObjectMissing as error:
                raise DamageFound(f"{where}: missing, though it was committed: run ofrecord verify") from error
            if not data:
                break
            found.update(data)
            file.write(data)
            at += len(data)
    if f"sha256:{found.hexdigest()}" != place.sha256:
        raise DamageFound(f"{where}: the rows are not as they were committed: run ofrecord verify")


def _put_text(row: SnapshotRow, folder: Path) -> SnapshotRow:
    path = folder / text_path(row.text_digest)
    if not path.exists():
        path.write_bytes(row.text.encode("utf-8", "surrogatepass"))
    return SnapshotRow(
        url=row.url,
        captured_at=row.captured_at,
        derivation=row.derivation,
        text="",
        text_digest=row.text_digest,
        page_class=row.page_class,
        class_reason=row.class_reason,
        n=row.n,
        title=row.title,
        lead=row.lead,
        fields=row.fields,
    )


def list_texts(chosen: Sequence[Chosen], texts: dict[tuple[str, int], SnapshotRow]) -> list[TextTold]:
    """Return the texts that the captures in the bundle have, by number."""
    found: dict[int, TextTold] = {}
    for one in chosen:
        number = one.capture.revision
        row = texts.get(one.text_of) if one.text_of else None
        if one.is_article and number and row and number not in found:
            language = row.fields.get("language")
            value = language.get("value") if isinstance(language, dict) else None
            found[number] = TextTold(
                number=number,
                text_digest=row.text_digest,
                derivation=row.derivation,
                title=row.title,
                language=value[:100] if isinstance(value, str) else "",
            )
    return [found[number] for number in sorted(found)]


def put_changes(chosen: Sequence[Chosen], texts: Sequence[TextTold], folder: Path) -> list[ChangeTold]:
    """Write what changed from each text to the next that was seen after it, once each; return which."""
    known = {one.number: one for one in texts}
    seen = [one.capture.revision for one in chosen if one.is_article and one.capture.revision in known]
    pairs = dict.fromkeys((a, b) for a, b in pairwise(seen) if a and b and a != b)
    found = []
    for before, after in pairs:
        change = ChangeTold(before=before, after=after)
        sides = [(folder / text_path(known[number].text_digest)).read_bytes().decode() for number in (before, after)]
        (folder / change_path(change)).write_bytes(encode_change(sides[0], sides[1], change).encode("utf-8"))
        found.append(change)
    return found


def gather_chain(archive: OpenArchive, source: str, seqs: Iterable[int], folder: Path) -> list[RunTold]:
    """Put `ofrecord.json`, the keys, the commits *seqs* and those from there to the next head into *folder*.

    Raises ConfigError if that is too many, DamageFound, StoreError.
    """
    store = archive.store
    _put(folder, INFO_KEY, store.get(INFO_KEY, length=MAX_INFO_BYTES + 1))
    for number, item in enumerate(store.list("keys/")):
        if name_part(item.key) and number < MAX_KEYS:
            _put(folder, item.key, store.get(item.key, length=MAX_DOCUMENT_BYTES + 1))
    heads = _Heads(archive, source)
    runs: list[RunTold] = []
    for seq in sorted(set(seqs)):
        if runs and runs[-1].first <= seq <= runs[-1].last:
            continue
        runs.append(_put_run(archive, source, seq, heads, folder))
        if sum(one.last - one.first + 1 for one in runs) > MAX_COMMITS:
            raise ConfigError(f"more than {MAX_COMMITS} commits lie between these captures and heads: give --at")
    return runs


class _Heads:
    """The heads of an archive by what they say of one source: read only as far as they are looked through."""

    def __init__(self, archive: OpenArchive, source: str) -> None:
        self._store = archive.store
        self._source = source
        listed = [match for item in self._store.list("heads/") if (match := _HEAD.fullmatch(item.key))]
        stamped = {match[1] for match in listed if match[2] == "tsr"}
        self._all = [int(match[1]) for match in listed if match[2] == "json"]
        self._stamped = [n for n in self._all if f"{n:012d}" in stamped]
        self._seqs: dict[int, int] = {}

    def find(self, seq: int) -> tuple[int, int] | None:
        """Return commit and number of the first head that names commit *seq* or a later one: a stamped one, if near."""
        stamped, first = self._search(self._stamped, seq), self._search(self._all, seq)
        return stamped if stamped and stamped[0] < seq + MAX_RUN else first

    def _search(self, numbers: list[int], seq: int) -> tuple[int, int] | None:
        at = bisect_left(numbers, seq, key=self._read)  # logs only grow, so later heads say no less
        return (self._read(numbers[at]), numbers[at]) if at < len(numbers) else None

    def _read(self, n: int) -> int:
        """Return the commit that head *n* names; 0 if none of this source."""
        if n not in self._seqs:
            end = read_head(self._store, n).ends.get(self._source)
            self._seqs[n] = end.seq if end else 0
        return self._seqs[n]


def _put_run(archive: OpenArchive, source: str, first: int, heads: _Heads, folder: Path) -> RunTold:
    """Put the commits from *first* to the one that the next head names, or to the end of the log."""
    found = heads.find(first)
    last, end = first, min(found[0] if found else first + MAX_RUN - 1, first + MAX_RUN - 1)
    for number in range(first, end + 1):
        key = commit_key(source, number)
        try:
            data = archive.store.get(key, length=MAX_COMMIT_BYTES + 1)
        except ObjectMissing as error:
            if number == first or found is not None:
                raise DamageFound(f"{archive.store.url}/{key}: missing: run ofrecord verify") from error
            return RunTold(first=first, last=last, head=None, ends="log")
        (folder / commit_path(number)).write_bytes(data)
        last = number
    if found is None or last != found[0]:
        return RunTold(first=first, last=last, head=None, ends="limit")
    for ending in ("json", "tsr"):
        key = f"heads/{found[1]:012d}.{ending}"
        try:
            _put(folder, key, archive.store.get(key, length=MAX_DOCUMENT_BYTES + 1))
        except ObjectMissing:
            continue
    return RunTold(first=first, last=last, head=found[1], ends="head")


def _put(folder: Path, key: str, data: bytes) -> None:
    name = name_part(key)
    if name is not None:
        (folder / name).write_bytes(data)

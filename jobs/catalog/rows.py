"""A segment's rows into the catalog: facts row by row, then the verdicts of every article that they touch."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any, BinaryIO

from config.errors import DamageFound
from crawler.rows import CaptureReference, CaptureRow, RunRow, SegmentRow, SlotRow, SnapshotRow, format_time
from jobs.archive.commit import digest, owns_segment, require_format, require_supported
from jobs.archive.facts import read_rows
from jobs.catalog.folding import FirstSight
from jobs.catalog.instants import format_instant
from jobs.catalog.layers import LayeredCatalog
from jobs.fold import NOT_MODIFIED, CaptureFact
from jobs.metadata import digest_metadata

if TYPE_CHECKING:
    from jobs.archive.commit import Commit, RowsPlace

_encode_fields = json.JSONEncoder(ensure_ascii=False, sort_keys=True).encode
_PUT_CAPTURE = (
    "INSERT INTO captures VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,NULL,NULL,NULL,NULL,?)"
)
PLACE_COLUMNS = ("response_offset", "response_length", "request_offset", "request_length")
"""Of a capture: where its records lie."""
SIGHTS_AT_A_TIME = 500
"""So many articles that may be new are held before they are judged."""


class _Touched:
    """The articles that the rows of one segment touch: those that may be new, and all others."""

    def __init__(self, segment: str, run: str, derived_before: bool) -> None:  # noqa: FBT001
        self.sights: dict[str, FirstSight] = {}
        self.others: set[str] = set()
        self._segment = segment
        self._run = run
        self._derived_before = derived_before

    def note_capture(self, row: CaptureRow) -> None:
        if row.purpose != "article":
            return
        if self._derived_before or row.url in self.others or self.sights.pop(row.url, None) is not None:
            self.others.add(row.url)
            return
        fact = CaptureFact(row.captured_at, self._segment, row.n, self._run, row.status, row.page_class, None, {})
        self.sights[row.url] = FirstSight(fact)

    def note_snapshot(self, row: SnapshotRow, *, alone: bool) -> None:
        sight = self.sights.get(row.url)
        place = (row.n, row.captured_at)
        if not alone or sight is None or sight.fact.native or (sight.fact.n, sight.fact.captured_at) != place:
            self.sights.pop(row.url, None)
            self.others.add(row.url)
            return
        texts, classes = {row.derivation: row.text_digest}, {row.derivation: row.page_class}
        sight.fact = replace(sight.fact, native=row.derivation, texts=texts, classes=classes)
        sight.title = row.title

    def take_sights(self) -> dict[str, FirstSight]:
        """Return the articles that may be new, which are not held any more."""
        taken, self.sights = self.sights, {}
        return taken


class RowsCatalog(LayeredCatalog):
    """The catalog as far as it takes in the rows of a segment."""

    def _add_segment(self, commit: Commit, data: bytes | BinaryIO, place: RowsPlace, *, checked: bool = False) -> None:
        where = place.key
        self._db.execute(
            "INSERT INTO segments VALUES (?,?,?,?,?,?,?,?,?,?,?,NULL)",
            (
                commit.segment,
                commit.source,
                commit.seq,
                commit.run,
                place.key,
                place.offset,
                place.size_bytes,
                place.sha256,
                format_time(commit.opened) if commit.opened else None,
                format_time(commit.closed) if commit.closed else None,
                sum(file.size_bytes for file in commit.files),
            ),
        )
        touched = self._begin_touched(commit)
        for line, row in read_rows(data, where, checked=checked):
            if isinstance(row, SegmentRow):
                require_own(row, commit, f"{where}: line {line}")
            elif isinstance(row, CaptureRow):
                self._add_capture(commit.source, commit.segment or "", commit.run or "", row)
                touched.note_capture(row)
                if row.status == NOT_MODIFIED and self._lacks_capture(commit.source, row):
                    self._set_wanting(commit.source)
                if len(touched.sights) >= SIGHTS_AT_A_TIME:
                    touched.others.update(self._fold_new(commit.source, touched.take_sights(), commit.seq))
            elif isinstance(row, SnapshotRow):
                if row.of is not None and not owns_segment(commit.source, row.of.segment):
                    raise DamageFound(f"{where}: line {line}: a snapshot of another source's capture: {row.of.segment}")
                touched.note_snapshot(row, alone=self._add_snapshot(commit, row))
                if row.of is not None and self.thin_until(commit.source) and not self._has_capture(row.of):
                    self._set_wanting(commit.source)
            elif isinstance(row, RunRow):
                self._add_run(commit, row)
            elif isinstance(row, SlotRow):
                self.put_slot(commit.source, row, commit.seq)
        touched.others.update(self._fold_new(commit.source, touched.take_sights(), commit.seq))
        for url in sorted(touched.others):
            self._fold(commit.source, url, commit.seq)

    def _begin_touched(self, commit: Commit) -> _Touched:
        known = "SELECT EXISTS (SELECT 1 FROM snapshots WHERE segment = ?)"
        derived_before = bool(self._db.execute(known, (commit.segment,)).fetchone()[0])
        return _Touched(commit.segment or "", commit.run or "", derived_before)

    def _add_capture(self, source: str, segment: str, run: str, row: CaptureRow) -> None:
        self._db.execute(_PUT_CAPTURE, tuple(capture_columns(source, segment, run, row).values()))

    def _add_snapshot(self, commit: Commit, row: SnapshotRow) -> bool:
        """Return whether it is the first one that is known of its capture under its derivation."""
        if digest(row.text.encode()) != row.text_digest:
            raise DamageFound(
                f"segment {commit.segment}: the text of {row.url} does not have the digest {row.text_digest}"
            )
        place = row.of or CaptureReference(commit.segment or "", row.n if row.n is not None else -1)
        known = "SELECT text_digest FROM snapshots WHERE segment = ? AND n = ? AND derivation = ?"
        replaced = self._db.execute(known, (place.segment, place.n, row.derivation)).fetchone()
        added = self.put_snapshot(
            {
                "segment": place.segment,
                "n": place.n,
                "url": row.url,
                "captured_at": format_instant(row.captured_at),
                "derivation": row.derivation,
                "native": int(row.of is None),
                "text_digest": row.text_digest,
                "title": row.title,
                "lead": row.lead,
                "class": row.page_class,
                "fields": _encode_fields(row.fields),
                "confidence": row.confidence,
                "source": commit.source,
                "seq": commit.seq,
                "meta_digest": digest_metadata(row.fields),
            }
        )
        if added:
            self.put_text(row.text_digest, row.text)
        if added and replaced is not None:
            self._db.execute(
                "DELETE FROM texts WHERE digest = ?1 AND NOT EXISTS (SELECT 1 FROM snapshots WHERE text_digest = ?1)",
                (replaced["text_digest"],),
            )
        return replaced is None

    def _lacks_capture(self, source: str, row: CaptureRow) -> bool:
        """Whether an article's capture refers to one that thin facts may have left out."""
        if row.purpose != "article" or row.revisit_of is None or not self.thin_until(source):
            return False
        return not self._has_capture(row.revisit_of)

    def _has_capture(self, place: CaptureReference) -> bool:
        query = "SELECT 1 FROM captures WHERE segment = ? AND n = ?"
        return self._db.execute(query, (place.segment, place.n)).fetchone() is not None

    def _add_run(self, commit: Commit, row: RunRow) -> None:
        self._db.execute(
            "INSERT OR IGNORE INTO runs VALUES (?,?,?,?,?,?,?,?,?,?,?)",
            (
                row.run,
                commit.source,
                row.trigger,
                format_time(row.slot) if row.slot else None,
                format_time(row.started),
                format_time(row.finished),
                row.reason,
                json.dumps(row.counts, sort_keys=True),
                json.dumps(row.discovery, ensure_ascii=False, sort_keys=True),
                commit.seq,
                _encode_certificates(row) if row.certificates else None,
            ),
        )


def capture_columns(source: str, segment: str, run: str, row: CaptureRow) -> dict[str, Any]:
    """Return the columns of a capture, but for those of its verdict."""
    response = row.warc.response if row.warc else None
    request = row.warc.request if row.warc else None
    return {
        "source": source,
        "url": row.url,
        "captured_at": format_instant(row.captured_at),
        "segment": segment,
        "n": row.n,
        "run": run,
        "target_uri": row.target_uri,
        "purpose": row.purpose,
        "status": row.status,
        "class": row.page_class,
        "class_reason": row.class_reason,
        "payload_digest": row.payload_digest,
        "size_bytes": row.size_bytes,
        "seconds": row.seconds,
        "etag": row.etag,
        "last_modified": row.last_modified,
        "redirect": row.redirect,
        "error": row.error,
        "extraction_error": row.extraction_error,
        "response_offset": response.offset if response else None,
        "response_length": response.length if response else None,
        "request_offset": request.offset if request else None,
        "request_length": request.length if request else None,
        "truncated": row.truncated,
        "revisit_segment": row.revisit_of.segment if row.revisit_of else None,
        "revisit_n": row.revisit_of.n if row.revisit_of else None,
        "reading": json.dumps([row.read_with, row.directives]) if row.read_with else None,
        "not_modified": row.not_modified,
        "origin": json.dumps(asdict(row.origin), ensure_ascii=False) if row.origin else None,
    }


def _encode_certificates(row: RunRow) -> str:
    told = {
        host: [format_time(one.not_before), format_time(one.not_after), one.issuer]
        for host, one in row.certificates.items()
    }
    return json.dumps(told, ensure_ascii=False, sort_keys=True)


def require_own(row: SegmentRow, commit: Commit, where: str) -> None:
    """Raise DamageFound unless the rows are those of the segment that *commit* names."""
    require_format(row.format, where)
    require_supported(row.requires, where)
    found, expected = (row.source, row.segment), (commit.source, commit.segment)
    if found != expected:
        raise DamageFound(f"{where}: rows of {found[1][:100]!a}, {found[0][:70]!a}; the commit says {expected[1]!a}")

"""Parts → the archive: segments of rows alone in `adopt` commits, and last the commit that lets them decide.

Safe to repeat at any point: what is committed is in the catalog, and what is in the catalog is not put again.
"""

from __future__ import annotations

import secrets
import shutil
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import structlog

from config.errors import DamageFound
from crawler.ids import new_id
from crawler.segment import SegmentWriter
from jobs.archive.adoption import ADOPT, draft_decision
from jobs.archive.commit import Commit, writer_name
from jobs.rebuild.parts import read_snapshot
from jobs.segments.seal import load_sealed, open_local_rows, seal_segment
from jobs.segments.upload import remove_segment
from jobs.store.clock import measure_skew

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from crawler.rows import SnapshotRow
    from jobs.archive.commit import StoredCommit
    from jobs.context import OpenArchive
    from jobs.fold import Place
    from jobs.rebuild.planning import Rules
    from jobs.segments.seal import SealedSegment

log = structlog.get_logger()

SEGMENT_BYTES = 32 * 1024**2
"""Of rows, as lines; then a segment is ended. A page of 10 KB of text and fields: 3,000 of them."""
SEGMENT_ROWS = 20_000


class Adopter:
    """Commits what was derived of one source. *spool*: a folder of its own, which no crawl looks into."""

    def __init__(self, archive: OpenArchive, source: str, rules: Rules, spool: Path) -> None:
        self._archive = archive
        self._source = source
        self._rules = rules
        self._spool = spool
        self.rows = 0
        """Committed by this one."""
        self.commits = 0
        self._places: set[Place] = set()
        """Captures whose texts are in the segment at hand."""

    def finish_left(self) -> None:
        """Commit what an earlier one had sealed, and throw away what it had not: the parts have it."""
        for path in _list_folders(self._spool / "sealed"):
            try:
                self._commit(load_sealed(path))
            except (DamageFound, FileNotFoundError) as error:
                log.warning("ignored_part", path=str(path), error=str(error))
        for name in ("open", "closed", "sealed", "gone"):
            shutil.rmtree(self._spool / name, ignore_errors=True)

    def commit_rows(self, lines: Iterable[bytes]) -> None:
        """Commit the snapshot rows *lines*, each a line of a part, in segments of bounded size."""
        left = iter(lines)
        first = next(left, None)
        while first is not None:
            first = self._fill_segment(first, left)

    def decide(self) -> StoredCommit | None:
        """Let the derivation decide from now on, if it does not yet and would change anything; else return `None`."""
        catalog, derivation = self._archive.catalog, self._rules.derivation
        if not catalog.has_undecided(self._source, derivation.digest):
            return None
        if catalog.list_adopted(self._source)[:1] == [derivation.digest]:
            return None
        now = datetime.now(UTC).replace(microsecond=0)
        draft = Commit(
            source=self._source,
            kind=ADOPT,
            id=secrets.token_hex(16),
            committed=now,
            archive=self._archive.info.archive,
            writer=writer_name(),
            clock_skew_seconds=measure_skew(self._archive.store),
        )
        after, head = catalog.head(self._source)
        decision = draft_decision(draft, {derivation.digest: derivation.meaning})
        stored, others = self._archive.log(self._source).append(decision, after=after, head=head)
        for commit in (*others, stored):
            catalog.add_commit(self._archive.store, commit)
        self.commits += 1
        log.info("adopted_derivation", source=self._source, derivation=derivation.digest, seq=stored.commit.seq)
        return stored

    def _fill_segment(self, first: bytes, left: Iterator[bytes]) -> bytes | None:
        """Commit a segment that begins with row *first*; return the first of *left* that found no room in it."""
        now = datetime.now(UTC).replace(microsecond=0)
        derivation = self._rules.derivation
        writer = SegmentWriter.open(
            self._spool,
            source=self._source,
            run=new_id(self._source, now),
            archive=self._archive.info.archive,
            writer=writer_name(),
            now=now,
            derivations={derivation.digest: derivation.meaning},
        )
        self._places.clear()
        size = rows = 0
        line: bytes | None = first
        try:
            while line is not None and (not rows or (size + len(line) <= SEGMENT_BYTES and rows < SEGMENT_ROWS)):
                row = read_snapshot(line, checked=True)
                self._places.add(_place_of(row))
                writer.add(row)
                size, rows = size + len(line), rows + 1
                line = next(left, None)
            closed = writer.close(datetime.now(UTC).replace(microsecond=0))
        except BaseException:
            writer.abandon()
            raise
        self._commit(seal_segment(closed, now=datetime.now(UTC), kind=ADOPT))
        self.rows += rows
        return line

    def _commit(self, sealed: SealedSegment) -> None:
        archive = self._archive
        others: list[StoredCommit] = []
        if not archive.catalog.has_segment(sealed.draft.segment or ""):
            stored, others = archive.commit(sealed)
            with open_local_rows(sealed) as rows:
                archive.catalog.add_commit(archive.store, stored, rows=rows)
            self.commits += 1
        remove_segment(sealed)
        if any(commit.commit.kind == "redact" for commit in others):
            self._require_none_redacted(sealed.draft.segment or "")

    def _require_none_redacted(self, segment: str) -> None:
        """Raise DamageFound if a capture was redacted while its text in *segment* was under way."""
        gone = set(self._archive.catalog.list_redacted_places(self._source)) & self._places
        if gone:
            found = (self._archive.catalog.find_capture(*place) for place in sorted(gone))
            urls = sorted({one.url for one in found if one is not None})
            raise DamageFound(
                f"segment {segment}: has texts of {', '.join(urls)[:500]}, redacted while it was under way:"
                " run ofrecord redact for them again, then this"
            )


def _place_of(row: SnapshotRow) -> Place:
    if row.of is None:
        raise DamageFound(f"a part has a text of {row.url} that is of no earlier capture")
    return row.of.segment, row.of.n


def _list_folders(parent: Path) -> list[Path]:
    return sorted(path for path in parent.iterdir() if path.is_dir()) if parent.is_dir() else []

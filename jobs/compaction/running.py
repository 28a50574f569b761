"""One source's cold storage: repacked, put, read back, proven, committed; what was replaced is deleted after its time.

Each step may be killed and repeated: before the commit nothing that is there changes, and a draft that was proven is
committed by the next run, or dropped. Nothing is deleted but what a commit lets go and stands elsewhere, checked again.
"""

from __future__ import annotations

import os
import secrets
import shutil
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import structlog

from config.errors import DamageFound, LogMoved, ObjectDiffers, ObjectMissing, RecordError, RunLocked
from crawler.ids import new_id
from crawler.rows import format_time
from crawler.spool import sync_folder
from jobs.archive.commit import Commit, decode_commit, encode_commit, writer_name
from jobs.archive.places import find_places
from jobs.compaction.choosing import choose_groups, choose_restored, count_segments
from jobs.compaction.packing import describe_segment, pack_segments, unpack_segment
from jobs.compaction.proving import lay_out, require_bytes, require_equal
from jobs.context import lock_folder
from jobs.deletion import finish_redactions
from jobs.segments.upload import REUSE_AGE, put_file, require_same
from jobs.store.clock import measure_skew

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from jobs.archive.places import PlacedObject, PlacedSegment, Places
    from jobs.compaction.packing import LocalSegment, PackedObject
    from jobs.context import OpenArchive

log = structlog.get_logger()

KIND = "replace"
DRAFT_FILE = "commit.draft"
_TRIES = 20


@dataclass(slots=True)
class CompactReport:
    """What was done with one source."""

    source: str
    dry_run: bool = False
    segments: int = 0
    """That were repacked, or would be."""
    objects: int = 0
    """That were written, or would be."""
    before_bytes: int = 0
    """Of the objects that they take the place of."""
    after_bytes: int = 0
    """Of what was written."""
    delete_after: datetime | None = None
    """When the last of the replaced objects may be deleted."""
    deleted: list[str] = field(default_factory=list)
    """Keys of replaced objects that went in this run, or would."""
    kept: dict[str, str] = field(default_factory=dict)
    """Key of an object that was replaced → why it is there still."""


class Compaction:
    """The cold storage of one source."""

    def __init__(
        self,
        archive: OpenArchive,
        source: str,
        *,
        grace: timedelta,
        dry_run: bool = False,
        tell: Callable[[str], None] | None = None,
    ) -> None:
        """*grace*: how long replaced objects stay. *tell*: told what is being done, in words."""
        self._archive = archive
        self._source = source
        self._grace = grace
        self._tell = tell or (lambda _: None)
        self._folder = archive.state / "compaction" / source
        self.report = CompactReport(source, dry_run)

    def compact(self, before: datetime) -> CompactReport:
        """Repack what was closed before that. Raises DamageFound, RunLocked, StoreError."""
        with self._working() as places:
            for group in choose_groups(places, before):
                self._note(count_segments(group), 1, sum(one.file.size_bytes for one in group))
                if not self.report.dry_run:
                    self._pack(group, places.end[0])
        return self.report

    def restore(self) -> CompactReport:
        """Bring all segments back into objects of their own, `.warc.gz`. Raises as `compact`."""
        with self._working() as places:
            for placed, segments in choose_restored(places):
                is_last = segments[-1] is placed.segments[-1]
                self._note(len(segments), len(segments), placed.file.size_bytes if is_last else 0)
                if not self.report.dry_run:
                    self._unpack(placed, segments, places.end[0], is_last=is_last)
        return self.report

    @contextmanager
    def _working(self) -> Iterator[Places]:
        if self.report.dry_run:
            places = find_places(self._archive.log(self._source).read())
            self._delete_due(places)
            yield places
            return
        self._archive.require_signer()
        with lock_folder(self._folder, f"{self._source}: is being compacted by another process here; wait for it"):
            self._finish_draft()
            self._delete_due(find_places(self._archive.log(self._source).read()))
            yield find_places(self._archive.log(self._source).read())
            self._archive.refresh(self._source)

    def _note(self, segments: int, objects: int, size: int) -> None:
        self.report.segments += segments
        self.report.objects += objects
        self.report.before_bytes += size

    def _pack(self, group: list[PlacedObject], seen: int) -> None:
        with self._scratch() as folder:
            local: list[LocalSegment] = []
            for number, one in enumerate(group):
                path = self._fetch(one, folder / f"{number}.warc.gz")
                local += lay_out(path, one.segments)
            now, key = self._name(".warc.zst")
            self._tell(f"repacking {len(local)} segments")
            try:
                packed = pack_segments(local, folder / "packed", key=key, source=self._source, now=now)
            except RecordError as error:
                raise DamageFound(f"{error}: run ofrecord verify --full {self._source}") from error
            for done in local:
                done.path.unlink(missing_ok=True)
            self._bring([packed], group, folder, seen)

    def _unpack(self, placed: PlacedObject, segments: Sequence[PlacedSegment], seen: int, *, is_last: bool) -> None:
        with self._scratch() as folder:
            path = self._fetch(placed, folder / "packed.warc.zst")
            wanted = {one.segment for one in segments}
            made = []
            for number, one in enumerate(lay_out(path, placed.layout)):
                if one.segment not in wanted:
                    continue
                _, key = self._name(".warc.gz")
                try:
                    made.append(unpack_segment(one, folder / str(number), key=key))
                except RecordError as error:
                    raise DamageFound(f"{error}: run ofrecord verify --full {self._source}") from error
            self._bring(made, [placed] if is_last else [], folder, seen)

    def _fetch(self, placed: PlacedObject, target: Path) -> Path:
        self._archive.store.fetch(placed.file.key, target)
        require_bytes(placed.file, target)
        return target

    def _name(self, ending: str) -> tuple[datetime, str]:
        now = self._archive.store.read_clock() or datetime.now(UTC)
        return now, f"segments/{self._source}/sealed={now:%Y-%m-%d}/{new_id(self._source, now)}{ending}"

    def _bring(self, made: list[PackedObject], instead_of: list[PlacedObject], folder: Path, seen: int) -> None:
        """Put what was made, read it back, prove it, and commit that it takes the place of what was there.

        *seen*: the last commit that was read when the segments were chosen.
        """
        store = self._archive.store
        for one in made:
            self._tell(f"putting {one.file.size_bytes} bytes")
            put_file(store, one.file, one.path)
            one.path.unlink()
            copy = folder / "copy"
            store.fetch(one.file.key, copy)
            self._tell("proving")
            require_equal(one, copy)
            copy.unlink()
            self.report.after_bytes += one.file.size_bytes
        now = datetime.now(UTC).replace(microsecond=0)
        self.report.delete_after = now + self._grace
        draft = Commit(
            source=self._source,
            kind=KIND,
            committed=now,
            archive=self._archive.info.archive,
            id=secrets.token_hex(16),
            requires=(KIND,),
            writer=writer_name(),
            clock_skew_seconds=measure_skew(store),
            segment=made[0].file.key.rpartition("/")[2].partition(".")[0],
            files=tuple(one.file for one in made),
            replaces=tuple({"key": one.file.key, "sha256": one.file.sha256} for one in instead_of),
            detail={
                "proof": "equal",
                "seen": seen,
                "segments": [describe_segment(one, moved) for one in made for moved in one.segments],
                "delete_after": format_time(self.report.delete_after),
            },
        )
        _write_durably(self._folder / DRAFT_FILE, encode_commit(draft))
        self._commit(draft)

    def _commit(self, draft: Commit) -> None:
        """Append *draft* unless a segment in it was written anew meanwhile: it would bring back what was taken out."""
        source_log = self._archive.log(self._source)
        for _ in range(_TRIES):
            places = find_places(source_log.read())
            if draft.id in places.ids:
                break  # an earlier try of ours
            _require_unmoved(draft, places)
            after, head = places.end
            try:
                stored, _ = source_log.append(draft, after=after, head=head, alone=True)
            except LogMoved:
                continue
            log.info("committed_segment", segment=draft.segment, seq=stored.commit.seq, files=len(draft.files))
            break
        else:
            raise RunLocked(f"{self._source}: others commit all the time; run this again")
        (self._folder / DRAFT_FILE).unlink(missing_ok=True)

    def _finish_draft(self) -> None:
        """Commit what an earlier run had proven and was not to commit any more, or drop its draft."""
        path = self._folder / DRAFT_FILE
        if not path.exists():
            return
        try:
            draft = decode_commit(path.read_bytes(), str(path)).commit
            now = self._archive.store.read_clock() or datetime.now(UTC)
            for file in draft.files:
                put = require_same(self._archive.store, file).modified
                if put is not None and now - put > REUSE_AGE:
                    raise RunLocked(f"{file.key}: lay there for too long to be named now")
            self._commit(draft)
        except (DamageFound, ObjectMissing, ObjectDiffers, RunLocked) as error:
            log.warning("dropped_draft", source=self._source, error=str(error))
            path.unlink(missing_ok=True)

    def _delete_due(self, places: Places) -> None:
        """Delete the replaced objects whose time has come, and commit that they went.

        Not one of them while what took their place is not there as it was committed.
        """
        held = places.objects
        by = {found.seq: found for found in places.replaced.objects.values() if found.kind == KIND}
        for file in {file.key: file for found in by.values() for file in found.files if file.key in held}.values():
            try:
                require_same(self._archive.store, file)
            except (ObjectMissing, ObjectDiffers) as error:
                raise DamageFound(
                    f"{error}: what it took the place of stays; run ofrecord verify --full {self._source}"
                ) from error
        if not by:
            return
        found = finish_redactions(self._archive, self._source, dry_run=self.report.dry_run, kinds=frozenset({KIND}))
        self.report.deleted = found.deleted
        self.report.kept = found.kept | {
            key: f"may be deleted from {format_time(at)} on" for key, at in found.waiting.items()
        }

    @contextmanager
    def _scratch(self) -> Iterator[Path]:
        scratch = self._folder / "scratch"
        shutil.rmtree(scratch, ignore_errors=True)  # of a run that died
        scratch.mkdir(parents=True)
        with tempfile.TemporaryDirectory(dir=scratch, prefix="group-") as name:
            yield Path(name)


def _require_unmoved(draft: Commit, places: Places) -> None:
    """Raise RunLocked if a segment of *draft* was written anew since it was read: that may have taken something out."""
    for one in draft.detail["segments"]:
        found = places.replaced.segments.get(one["segment"])
        if found is not None and found[0].seq > draft.detail["seen"]:
            raise RunLocked(f"{draft.source}: commit {found[0].seq} moved segments meanwhile; run this again")


def _write_durably(path: Path, data: bytes) -> None:
    with path.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    sync_folder(path.parent)

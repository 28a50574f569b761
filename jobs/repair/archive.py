"""The whole repair: identity, then of each source its commits and what they name.

Never brings back what a later commit lets go. May be stopped anywhere and repeated: what is sound is left alone.
"""

from __future__ import annotations

import secrets
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import structlog

from config.errors import ArchiveMissing, ConfigError, DamageFound, FormatTooNew, ObjectMissing
from jobs.archive.commit import REPLACING_KINDS, Commit, CommittedFile, writer_name
from jobs.archive.identity import INFO_KEY, list_sources, read_info
from jobs.archive.keys import find_forgery
from jobs.archive.log import Log
from jobs.checkpoint.layer import OtherFold
from jobs.checkpoint.reading import open_stack
from jobs.repair.documents import mend_heads, mend_keys
from jobs.repair.log import find_demanded
from jobs.repair.mending import Mender
from jobs.repair.report import Left, RepairReport
from jobs.sync.copying import Item
from jobs.sync.names import find_released, list_items
from jobs.sync.withdrawals import REDACT, Withdrawals

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Sequence

    from jobs.archive.identity import ArchiveInfo
    from jobs.archive.keys import KeyRing
    from jobs.archive.signing import Signer
    from jobs.repair.log import DemandedLog
    from jobs.repair.report import Mended
    from jobs.store import ObjectStore
    from jobs.sync.log import LoggedCommit

log = structlog.get_logger()

MAX_FILES = 64
"""That a commit may name: FORMAT.md § 5."""


def repair_archive(
    store: ObjectStore,
    copy: ObjectStore,
    *,
    damaged: Collection[str],
    sources: Collection[str] | None = None,
    heads: Iterable[tuple[str, int, str]] = (),
    signer: Signer | None = None,
    dry_run: bool = False,
    require_signer: Callable[[], None] | None = None,
    tell: Callable[[str, int, int], None] | None = None,
) -> RepairReport:
    """Put back in *store* what is damaged or missing, from *copy*; then commit of each source what was put back.

    *damaged*: keys of which a check said so. Commits are looked at in any case. *heads*: source, number and digest of
    commits that somebody noted outside. *require_signer*: asked once the keys are whole, before any log is touched;
    raises to stop it. *tell*: told of each source, and which of how many.
    What cannot be put back is in the report. Raises ArchiveMissing, ConfigError (the copy is of another archive),
    DamageFound (the logs part), StoreError.
    """
    report = RepairReport(copy.url, dry_run)
    info = _read_info(copy)
    with tempfile.TemporaryDirectory(prefix="ofrecord-repair-") as name:
        mender = Mender(store, copy, Path(name), report)
        _mend_info(mender, info)
        ring = mend_keys(mender, info)
        if require_signer is not None:
            require_signer()
        known = sorted({*list_sources(store), *list_sources(copy)} if sources is None else sources)
        for number, source in enumerate(known, 1):
            if tell is not None:
                tell(source, number, len(known))
            noted = {seq: sha256 for one, seq, sha256 in heads if one == source}
            _SourceRepair(mender, info, source, frozenset(damaged), signer, ring).run(noted)
        if sources is None:
            mend_heads(mender, info, ring, damaged)
    return report


def _read_info(copy: ObjectStore) -> ArchiveInfo:
    try:
        return read_info(copy)
    except (ArchiveMissing, DamageFound) as error:
        raise ConfigError(f"--repair-from: no copy that could help: {error}") from error


def _mend_info(mender: Mender, info: ArchiveInfo) -> None:
    """See that the two are one archive; put `ofrecord.json` back where commit 1 of a log demands just that one."""
    store = mender.store
    try:
        found = read_info(store)
    except (ArchiveMissing, DamageFound):
        if not _is_demanded(store, info):
            raise ConfigError(
                f"{mender.copy.url}: its {INFO_KEY} is not the one that the logs in {store.url} begin with: "
                "expected a copy of the same archive"
            ) from None
        mender.mend(Item(INFO_KEY, mender.copy.stat(INFO_KEY).size_bytes, info.digest))
        return
    if (found.archive, found.digest) != (info.archive, info.digest):
        raise ConfigError(f"{mender.copy.url}: found archive {info.archive}, expected a copy of {found.archive}")


def _is_demanded(store: ObjectStore, info: ArchiveInfo) -> bool:
    for source in list_sources(store):
        try:
            return Log(store, info, source).get(1, info.digest).commit.previous == info.digest
        except (DamageFound, FormatTooNew, ObjectMissing):
            continue
    return False


@dataclass(frozen=True, slots=True)
class _SourceRepair:
    """The repair of one source."""

    mender: Mender
    info: ArchiveInfo
    source: str
    damaged: Collection[str]
    signer: Signer | None
    ring: KeyRing
    """The keys that count: this archive's."""

    def run(self, heads: dict[int, str]) -> None:
        """Put back what is to be put back, then say so in the log."""
        report = self.mender.report
        demanded = find_demanded(self.mender, self.info, self.source, heads, self.ring)
        before = len(report.mended)
        records = self._mend_named(demanded)
        for _, item in sorted(demanded.items.items()):  # a commit after what it names
            self.mender.mend(item)
        mended = report.mended[before:]
        if not mended or report.dry_run:
            return
        if demanded.end in demanded.lost or not demanded.end:
            report.left.append(
                Left(f"log/{self.source}/", "its last commit is damaged, so no commit says what was done")
            )
            return
        report.commits[self.source] = self._commit(demanded, mended, records)
        log.info("repaired_source", source=self.source, objects=len(mended))

    def _mend_named(self, demanded: DemandedLog) -> dict[str, int]:
        """Put back what the commits name, as far as it is damaged; return the records of each file."""
        mender, gone = self.mender, Withdrawals(self.source)
        released = find_released(_take_all(self._read_sound(demanded), gone))
        seen: set[str] = set()
        records: dict[str, int] = {}
        newest = None
        for one in self._read(demanded):
            newest = one.stored.commit.checkpoint or newest
            for item, _ in list_items(one.stored.commit):
                if item is None or item.key in seen or not (item.key in self.damaged or one.seq in demanded.items):
                    continue
                seen.add(item.key)
                if released.get(item.key, 0) <= one.seq and not gone.lets_go(item.key, one.seq):
                    mender.mend(item)
                    records |= {file.key: file.records for file in one.stored.commit.files if file.key == item.key}
                elif item.key in self.damaged:
                    mender.report.released.append(item.key)
        if newest is not None:
            self._mend_layers(newest, gone)
        return records

    def _read_sound(self, demanded: DemandedLog) -> Iterator[LoggedCommit]:
        """Yield the commits but for those that let something go and are not signed as they must be: these are left."""
        for one in self._read(demanded):
            kind = one.stored.commit.kind
            fault = (
                find_forgery(self.mender.store, self.ring, one.stored, one.data) if kind in REPLACING_KINDS else None
            )
            if fault is None:
                yield one
            else:
                where, _, why = fault.partition(": ")
                self.mender.report.left.append(Left(where, f"{why}: what it lets go is put back"))

    def _read(self, demanded: DemandedLog) -> Iterator[LoggedCommit]:
        return demanded.read(self.mender.store, self.mender.copy, self.info)

    def _mend_layers(self, named: dict[str, Any], gone: Withdrawals) -> None:
        """Put back the layers that the newest checkpoint stands on: it names them by their digests."""
        try:
            stack = open_stack(self.mender.store, self.info.archive, self.source, named)
        except (DamageFound, FormatTooNew, ObjectMissing, OtherFold):
            return  # it could not be put back: told above
        stack.newest.close()
        report = self.mender.report
        for layer in stack.layers[:-1]:
            if layer.key in self.damaged and not gone.is_old_layer(layer.key):
                report.released = [key for key in report.released if key != layer.key]
                self.mender.mend(Item(layer.key, layer.size_bytes, layer.sha256))

    def _commit(self, demanded: DemandedLog, mended: Sequence[Mended], records: dict[str, int]) -> list[int]:
        """Append the commits that say what was put back; return their numbers."""
        after, head, numbers = demanded.end, demanded.ends, []
        for first in range(0, len(mended), MAX_FILES):
            part = mended[first : first + MAX_FILES]
            draft = Commit(
                source=self.source,
                kind="repair",
                committed=datetime.now(UTC),
                archive=self.info.archive,
                id=secrets.token_hex(16),
                writer=writer_name(),
                files=tuple(
                    CommittedFile(one.key, one.size_bytes, one.sha256, records.get(one.key, 0)) for one in part
                ),
                detail={"found": {one.key: one.was for one in part}},
            )
            log_of = Log(self.mender.store, self.info, self.source, self.signer)
            stored, _ = log_of.append(draft, after=after, head=head)
            after, head = stored.commit.seq, stored.digest
            numbers.append(stored.commit.seq)
        return numbers


def _take_all(commits: Iterable[LoggedCommit], gone: Withdrawals) -> Iterator[LoggedCommit]:
    """Yield *commits* and take in, on the way, what they let go."""
    for one in commits:
        try:
            told = gone.index.take(one.stored.commit)
        except DamageFound:
            told = None  # it lets nothing go that a reader may follow; `find_released` is stricter
        if told is not None and told.kind == REDACT and told.segments:
            gone.redacted = told.seq
        yield one

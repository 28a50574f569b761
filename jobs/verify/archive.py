"""The whole check: identity, logs, files, and as far as the plan says every byte of them. A store in, a report out."""

from __future__ import annotations

import tempfile
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from config.errors import ArchiveMissing, DamageFound, StoreError
from jobs.archive.commit import digest
from jobs.archive.identity import INFO_KEY, list_sources, read_info
from jobs.verify.deriving import Deriving, compare_texts
from jobs.verify.leases import check_leases
from jobs.verify.plan import Depth, Plan
from jobs.verify.reading import FileReader
from jobs.verify.report import UNCOVERED, Notes, VerifyReport
from jobs.verify.resuming import CheckMemory
from jobs.verify.signatures import check_keys
from jobs.verify.source import Check, SourceCheck
from jobs.verify.trace import Identity

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Sequence

    from jobs.segments.pages import DerivingLimits
    from jobs.store import ObjectStore
    from jobs.verify.deriving import Job
    from jobs.verify.report import Progress


def verify_archive(
    store: ObjectStore,
    *,
    full: bool = False,
    plan: Plan | None = None,
    sources: list[str] | None = None,
    progress: Progress | None = None,
    rederive: DerivingLimits | None = None,
    trusted: Sequence[str] = (),
) -> VerifyReport:
    """Check the archive in *store* as *plan* says: its logs, that every file is there, and what is to be read of them.

    *full*: in any case read every byte of what the plan chooses. *sources*: only these. *progress* is told before and
    after each file that is read. *rederive*: also make every text anew that the running program made, within these
    limits; such a check reads, too. *trusted*: fingerprints of keys that the log must be signed by. Damage is in the
    report, never an exception. Raises ArchiveMissing, FormatTooNew and, where the store fails as a whole, StoreError.
    """
    if full or rederive is not None:
        plan = replace(plan or Plan(), depth=Depth.READ)
    plan = plan or Plan()
    report = VerifyReport(full=plan.full, plan=plan)
    identity = _read_identity(store, report)
    logged = list_sources(store)
    ring = check_keys(store, identity, report, trusted)
    chosen = sorted({*logged, *store.folders("segments/"), *ring.sources}) if sources is None else sources
    for source in chosen:
        if source not in logged and sources is not None:
            Notes(report, f"log/{source}/").notice("this source has no log here")
    with tempfile.TemporaryDirectory(prefix="ofrecord-verify-") as name, FileReader(store, Path(name), plan) as reader:
        deriving = None if rederive is None else Deriving(store, rederive)
        memory = None if plan.resume is None or deriving else CheckMemory.open(plan.resume, store, identity)
        check = Check(store, identity, ring, report, plan, reader, progress, deriving, memory)
        if progress is not None and plan.depth is Depth.READ and plan.since is None:
            report.bytes_total = _measure(store, chosen, plan)
        with closing(_run_all(SourceCheck(check, source) for source in chosen)) as jobs:
            if rederive is not None:
                compare_texts(jobs, rederive, report)
            for _ in jobs:
                pass  # the checks run as their jobs are asked for, and without *rederive* there is none
    if sources is None:
        check_leases(store, ring, report)
    if memory is not None:
        report.resumed, report.resumed_since = memory.used, memory.since
        memory.forget()
    _note_limits(report)
    return report


def _measure(store: ObjectStore, sources: Iterable[str], plan: Plan) -> int:
    """Return how many bytes there are to be read, by the listings."""
    found = sum(item.size_bytes for source in sources for item in store.list(f"segments/{source}/"))
    return found if plan.part is None else round(found * plan.part.share)


def _run_all(checks: Iterable[SourceCheck]) -> Generator[Job]:
    for check in checks:
        yield from check.run()


def _read_identity(store: ObjectStore, report: VerifyReport) -> Identity:
    notes = Notes(report, INFO_KEY)
    try:
        info = read_info(store)
    except ArchiveMissing:
        if not _has_logs(store):
            raise
        notes.damage("missing, but there are logs")
        return Identity(None, "")
    except DamageFound as error:
        notes.damage(str(error))
        return Identity(None, digest(store.get(INFO_KEY)))
    return Identity(info.archive, info.digest)


def _has_logs(store: ObjectStore) -> bool:
    try:
        return bool(list_sources(store))
    except StoreError:
        return False


def _note_limits(report: VerifyReport) -> None:
    if report.heads:
        Notes(report, "log/").notice(UNCOVERED)

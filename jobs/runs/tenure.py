"""Whose turn a source is, for one run: this machine's lock first, then the lease that other machines see.

A run gives its lease up by its last commit, which says so; only where that cannot be is a beat put for it.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from config.errors import RunLocked
from jobs.archive.lease import Lease, acquire_lease

if TYPE_CHECKING:
    from jobs.context import OpenArchive

EPOCH_FILE = "lease"
_MAX_NOTES = 100
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


def take_lease(archive: OpenArchive, source: str, run: str) -> Lease:
    """Return the lease of *source* for *run*. The caller holds this machine's lock. Raises RunLocked, StoreError.

    So a lease that this spool's last run took since the machine was started, and did not give up, is a dead process's:
    nobody waits for that to run out. The note of it counts in no copy of the spool: that has a lock of its own.
    """
    note = archive.spool(source) / EPOCH_FILE
    here = _name_place(archive.spool(source))
    known = _read(note)
    # before the lease is put: whoever dies between that and the note of it is known by the run all the same
    _write(note, [*known, f"{run} {here}"])
    try:
        lease = acquire_lease(
            archive.store,
            source,
            run=run,
            seconds=archive.settings.lease_seconds,
            log_epoch=archive.catalog.last_epoch(source),
            is_released=lambda epoch: (
                archive.catalog.is_released(source, epoch) or (bool(here) and f"{epoch} {here}" in known)
            ),
            is_dead=lambda one: bool(here) and f"{one} {here}" in known,
            signer=archive.signer,
        )
    except RunLocked:
        _write(note, known)
        raise
    _write(note, [f"{lease.epoch} {here}"])
    return lease


def leave_lease(archive: OpenArchive, lease: Lease) -> None:
    """Give *lease* up at the end of a run whose segments are all committed: by a beat, if none of them says it."""
    lease.end()
    if not archive.catalog.is_released(lease.source, lease.epoch):
        lease.release()


def _name_place(spool: Path) -> str:
    """Return a name for this start of the machine and this spool's folder; "" where there is none."""
    if not _BOOT_ID.exists():
        return ""
    folder = spool.stat()
    return f"{_BOOT_ID.read_text(encoding='ascii').strip()} {folder.st_dev}:{folder.st_ino}"


def _read(note: Path) -> list[str]:
    """Return the lines of *note*: an epoch, or the run that was about to take one, with the place."""
    return note.read_text(encoding="ascii", errors="replace").splitlines()[-_MAX_NOTES:] if note.exists() else []


def _write(note: Path, lines: list[str]) -> None:
    note.write_text("".join(f"{line}\n" for line in lines), encoding="ascii")

"""Whose turn a source is, for one run: this machine's lock first, then the lease that other machines see.

A run gives its lease up by its last commit, which says so; only where that cannot be is a beat put for it.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from jobs.lease import Lease, acquire_lease

if TYPE_CHECKING:
    from jobs.context import OpenArchive

EPOCH_FILE = "lease"
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


def take_lease(archive: OpenArchive, source: str, run: str) -> Lease:
    """Return the lease of *source* for *run*. The caller holds this machine's lock. Raises RunLocked, StoreError.

    So a lease that this spool's last run took since the machine was started, and did not give up, is a dead process's:
    nobody waits for that to run out.
    """
    note = archive.spool(source) / EPOCH_FILE
    boot = _BOOT_ID.read_text(encoding="ascii").strip() if _BOOT_ID.exists() else ""
    lease = acquire_lease(
        archive.store,
        source,
        run=run,
        seconds=archive.settings.lease_seconds,
        log_epoch=archive.catalog.last_epoch(source),
        is_released=lambda epoch: (
            archive.catalog.is_released(source, epoch) or (bool(boot) and _read(note) == f"{epoch} {boot}")
        ),
    )
    note.write_text(f"{lease.epoch} {boot}\n", encoding="ascii")
    return lease


def leave_lease(archive: OpenArchive, lease: Lease) -> None:
    """Give *lease* up at the end of a run whose segments are all committed: by a beat, if none of them says it."""
    lease.end()
    if not archive.catalog.is_released(lease.source, lease.epoch):
        lease.release()


def _read(note: Path) -> str:
    return note.read_text(encoding="ascii", errors="replace").strip() if note.exists() else ""

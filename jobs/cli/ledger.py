"""The ledgers that a command reads."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jobs.archive.identity import list_sources
from jobs.catalog import ledgers
from jobs.context import require_source
from jobs.ledger import JOURNAL_FILE

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from jobs.catalog.ledgers import SourceLedger
    from jobs.context import OpenArchive


def read_ledger(archive: OpenArchive, source: str, *, since: datetime, now: datetime) -> SourceLedger:
    """Return the ledger of *source* from *since* to *now*, as far as the catalog knows it."""
    return ledgers.read_ledger(
        archive.catalog,
        source,
        spool=archive.spool(source),
        since=since,
        now=now,
        run_seconds=archive.settings.max_run_seconds,
    )


def choose_ledgers(archive: OpenArchive, names: Sequence[str]) -> list[str]:
    """Return *names*, or all sources of which this archive or this machine knows anything; brings the catalog up.

    Raises ConfigError, ArchiveError.
    """
    committed = list_sources(archive.store)
    noted = {path.parent.name for path in archive.state.glob(f"spool/*/{JOURNAL_FILE}")}
    known = sorted({*committed, *noted})
    for name in names:
        require_source(name, known)
    for name in names or known:
        if name in committed:
            archive.refresh(name)
    return list(dict.fromkeys(names)) or known

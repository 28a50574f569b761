"""The catalog and this machine's spools → the health of sources. Cheap where nothing was committed since the last."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from jobs.health.judging import Expectation, Findings, find_out, judge_source
from jobs.ledger import Journal
from jobs.spool_use import measure_spool

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from config.settings import Settings
    from config.sources import Source
    from jobs.catalog import Catalog
    from jobs.catalog.health import SourceTally
    from jobs.health.states import SourceHealth
    from jobs.spool_use import SpoolUse

"""Folders of a spool whose segments are still to be committed."""

HealthMemory = dict[str, tuple[int, Expectation, int, Findings]]
"""Source → last commit, what was expected, the day, and what was found out: for who asks again."""


def read_health(
    catalog: Catalog,
    sources: Iterable[Source | str],
    settings: Settings,
    now: datetime,
    *,
    spools: Path | None = None,
    memory: HealthMemory | None = None,
) -> list[SourceHealth]:
    """Return how each of *sources* stands at *now*, as far as *catalog* has folded its log and may count it.

    *sources*: as configured, or ids of what is in the archive and not configured. *spools*: the folder in which each
    source has its spool (`OpenArchive.state / "spool"`). *memory*: kept by the caller from one call to the next: then
    only sources of which something was committed are read again. Raises OSError.
    """
    heads = catalog.list_tallied()
    found = []
    for source in sources:
        expectation = Expectation.of(source)
        name = expectation.source
        state = (heads.get(name, 0), expectation, now.toordinal())
        known = None if memory is None else memory.get(name)
        if known is not None and known[:3] == state:
            findings = known[3]
        else:
            findings = find_out(catalog.tally_health(name, now), expectation, settings, now)
            if memory is not None:
                memory[name] = (*state, findings)
        waiting = None if spools is None else _measure(spools / name)
        noted = () if spools is None else Journal.open(spools / name).pending()
        found.append(judge_source(findings, waiting, settings, now, noted=noted))
    return found


def recall_tally(memory: HealthMemory, source: str) -> SourceTally | None:
    """Return the counts that *source* was judged by last; `None`: it was not."""
    known = memory.get(source)
    return None if known is None else known[3].tally


def _measure(spool: Path) -> SpoolUse | None:
    """Return what waits in a source's spool; `None` if there is none here."""
    try:
        return measure_spool(spool)
    except OSError:
        return None

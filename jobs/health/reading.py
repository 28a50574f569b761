"""The catalog and this machine's spools → the health of sources. Cheap where nothing was committed since the last."""

from __future__ import annotations

import os
from datetime import datetime
from typing import TYPE_CHECKING

from jobs.catalog.tallies import read_stamp
from jobs.health.judging import Expectation, Findings, Waiting, find_out, judge_source
from jobs.ledger import Journal

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from config.settings import Settings
    from config.sources import Source
    from jobs.catalog import Catalog
    from jobs.health.states import SourceHealth

_WAITING = ("open", "closed", "sealed")
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
    """Return how each of *sources* stands at *now*, as far as *catalog* has folded its log.

    *sources*: as configured, or ids of what is in the archive and not configured. *spools*: the folder in which each
    source has its spool (`OpenArchive.state / "spool"`). *memory*: kept by the caller from one call to the next: then
    only sources of which something was committed are read again. Raises OSError.
    """
    heads = {source: seq for source, seq, _ in catalog.list_heads()}
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
        waiting = None if spools is None else measure_waiting(spools / name)
        noted = () if spools is None else Journal.open(spools / name).pending()
        found.append(judge_source(findings, waiting, settings, now, noted=noted))
    return found


def measure_waiting(spool: Path) -> Waiting | None:
    """Return what waits in a source's spool; `None` if there is none here. Others may be moving things."""
    if not spool.is_dir():
        return None
    segments = size_bytes = 0
    oldest: datetime | None = None
    for name in _WAITING:
        for folder in _list_entries(spool / name):
            files = _list_entries(folder.path)
            if not files:
                continue
            segments += 1
            size_bytes += sum(_size_of(file) for file in files)
            begun = read_stamp(folder.name)
            oldest = begun if oldest is None or (begun is not None and begun < oldest) else oldest
    return Waiting(segments, size_bytes, oldest)


def _list_entries(folder: Path | str) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return list(entries)
    except (FileNotFoundError, NotADirectoryError):
        return []


def _size_of(entry: os.DirEntry[str]) -> int:
    try:
        return entry.stat(follow_symlinks=False).st_size
    except FileNotFoundError:
        return 0

"""What the catalog knows of the ledger: slot rows, and the runs that were begun for slots."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from itertools import takewhile
from typing import TYPE_CHECKING, Any

from crawler.rows import Certificate, SlotRow
from jobs.archive.commit import owns_segment
from jobs.catalog.instants import format_instant
from jobs.ledger import Outcome, SlotRun, find_fault

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Iterator


@dataclass(frozen=True, slots=True)
class StoredRun:
    """A run as its row has it."""

    run: str
    trigger: str
    slot: datetime | None
    started: datetime
    finished: datetime
    reason: str
    counts: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Newcomer:
    """An article as it was first seen."""

    url: str
    title: str | None
    first_seen: datetime
    run: str
    fields: dict[str, Any]
    """Of its first text, as the snapshot row has them; empty: there is none."""


class SlotQueries:
    """The queries of the ledger, and its one way in."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._db = connection

    def put_slot(self, source: str, row: SlotRow, seq: int) -> None:
        """Keep what commit *seq* says of slots, once; what no ledger can have is damage, and not used."""
        if find_fault(row) is not None or (row.run is not None and not owns_segment(source, row.run)):
            return
        self._db.execute(
            "INSERT OR IGNORE INTO slots VALUES (?,?,?,?,?,?,?,?,?)",
            (
                source,
                format_instant(row.slot),
                row.outcome,
                format_instant(row.through or row.slot),
                row.slots,
                row.run or "",
                row.reason or "",
                row.schedule or "",
                seq,
            ),
        )

    def list_slot_rows(self, source: str, *, since: datetime | None = None) -> list[SlotRow]:
        """Return what was committed of slots from *since* on, and all marks."""
        query = (
            "SELECT slot, outcome, through, slots, run, reason, schedule FROM slots WHERE source = ?1"
            " AND (?2 IS NULL OR through >= ?2 OR outcome IN (?3, ?4))"
        )
        values = (source, format_instant(since) if since else None, Outcome.SCHEDULED, Outcome.UNSCHEDULED)
        return [_to_row(row) for row in self._db.execute(query, values)]

    def list_slot_runs(self, source: str, *, since: datetime | None = None) -> list[SlotRun]:
        """Return the runs that were begun for slots, from those that started then on."""
        return [SlotRun(one.slot, one.run, one.started) for one in self.list_runs(source, since=since) if one.slot]

    def list_runs(
        self, source: str, *, since: datetime | None = None, until: datetime | None = None
    ) -> list[StoredRun]:
        """Return the runs that started from then on, to *until*, in order; thin facts know the last and some before."""
        runs = map(to_run, self._select_runs("run, trigger, slot, started, finished, reason, counts", source, since))
        return [one for one in _take_until(runs, until) if since is None or one.started >= since]

    def list_starts(
        self, source: str, *, since: datetime, until: datetime
    ) -> list[tuple[str, datetime, datetime | None]]:
        """Return id, start and slot of the runs that `list_runs` tells all of; much cheaper."""
        read = datetime.fromisoformat
        found = []
        for run, told, slot in self._select_runs("run, started, slot", source, since):
            started = read(told)
            if started > until:
                break
            if started >= since:
                found.append((run, started, read(slot) if slot else None))
        return found

    def _select_runs(self, columns: str, source: str, since: datetime | None) -> sqlite3.Cursor:
        # times stand there without decimals where there are none, which sort behind those of the same second
        least = since.replace(microsecond=0).isoformat()[:19] if since else None
        query = (
            f"SELECT {columns} FROM runs WHERE source = ?1"  # noqa: S608 - texts of ours
            " AND (?2 IS NULL OR started >= ?2) ORDER BY started, run"
        )
        return self._db.execute(query, (source, least))

    def list_newcomers(self, source: str, *, since: datetime) -> Iterator[Newcomer]:
        """Yield the articles that had their first capture then or later, by that; with what their first text says."""
        query = (
            "SELECT a.url, a.title, a.first_seen, s.fields, (SELECT run FROM captures c WHERE c.source = a.source"
            " AND c.url = a.url ORDER BY c.captured_at LIMIT 1) AS run FROM articles a"
            " LEFT JOIN revisions r ON r.source = a.source AND r.url = a.url AND r.number = 1"
            " LEFT JOIN snapshots s ON s.segment = r.segment AND s.n = r.n AND s.own"
            " WHERE a.source = ? AND a.first_seen >= ? ORDER BY a.first_seen, a.url, s.derivation"
        )
        for row in self._db.execute(query, (source, format_instant(since))):
            first_seen = datetime.fromisoformat(row["first_seen"])
            yield Newcomer(row["url"], row["title"], first_seen, row["run"], json.loads(row["fields"] or "{}"))


def _take_until(runs: Iterable[StoredRun], until: datetime | None) -> Iterator[StoredRun]:
    return iter(runs) if until is None else takewhile(lambda one: one.started <= until, runs)


def _to_row(row: sqlite3.Row) -> SlotRow:
    slot, through = datetime.fromisoformat(row["slot"]), datetime.fromisoformat(row["through"])
    return SlotRow(
        slot,
        row["outcome"],
        run=row["run"] or None,
        reason=row["reason"] or None,
        through=None if through == slot else through,
        slots=row["slots"],
        schedule=row["schedule"] or None,
    )


def to_run(row: sqlite3.Row) -> StoredRun:
    """Return the run of a row with its columns."""
    return StoredRun(
        run=row["run"],
        trigger=row["trigger"],
        slot=datetime.fromisoformat(row["slot"]) if row["slot"] else None,
        started=datetime.fromisoformat(row["started"]),
        finished=datetime.fromisoformat(row["finished"]),
        reason=row["reason"],
        counts=json.loads(row["counts"]),
    )


def read_certificates(told: object) -> Iterator[tuple[str, Certificate]]:
    """Yield host and certificate of what a run's row says of them; rows may come from anybody."""
    for host, entry in list(told.items() if isinstance(told, dict) else ())[:100]:
        try:
            begin, end, issuer = entry
            times = datetime.fromisoformat(begin), datetime.fromisoformat(end)
        except (TypeError, ValueError):
            continue
        if all(one.tzinfo for one in times):
            yield host[:260], Certificate(*times, str(issuer)[:100] if issuer else None)

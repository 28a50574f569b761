"""Counts of what a source's captures came to, by day and by run: what its health is judged by.

Kept in this catalog alone and brought up to date by what commits brought since; at first, by those of eight weeks.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from crawler.ids import read_stamp
from jobs.catalog.layers import LayeredCatalog
from jobs.catalog.schema import LOOKED
from jobs.catalog.slots import read_certificates
from jobs.catalog.tallies import DAY, EPOCH, add_name, measure, name_capture, name_sight, name_snapshot

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator

    from crawler.rows import Certificate

HISTORY_DAYS = 56
"""Eight weeks, so that each hour of the week is there eight times."""
TALLIED_RUNS = 40
JUDGED_RUNS = 10
_MOST_RULES = 20
"""Files of robots.txt that are followed."""
_NOTHING = {"last_new": "", "last_capture": ""}
_FRAME_BYTES = 18
"""A zstd frame's head: there stands how long the text is."""
_CAPTURES = (
    "SELECT c.url, c.captured_at, c.run, c.purpose, c.status, c.class, c.class_reason, c.error, c.redirect,"
    " c.payload_digest, c.target_uri, a.first_seen, s.native, json_valid(s.fields) AS has_fields,"
    " coalesce(s.title, '') != '' AS has_title, substr(t.text, 1, ?) AS frame,"
    " CASE WHEN json_valid(s.fields) THEN substr(json_extract(s.fields, '$.published.value'), 1, 40) END AS published,"
    " CASE WHEN json_valid(s.fields) THEN length(json_extract(s.fields, '$.authors.value[0]')) END AS has_authors,"
    " CASE WHEN json_valid(s.fields) THEN length(json_extract(s.fields, '$.section.value')) END AS has_section"
    " FROM captures c"
    " LEFT JOIN articles a ON c.purpose = 'article' AND a.source = c.source AND a.url = c.url"
    " LEFT JOIN snapshots s ON s.segment = c.segment AND s.n = c.n AND s.native = 1"
    " LEFT JOIN texts t ON t.digest = s.text_digest"
    " WHERE c.segment = ? AND c.origin IS NULL"
)
"""What was imported or backfilled says nothing of how the source fares."""


@dataclass(frozen=True, slots=True)
class RunTally:
    """What the captures of a run came to."""

    run: str
    began: datetime
    """Its first capture."""
    counts: Counter[str]


@dataclass(frozen=True, slots=True)
class RulesChange:
    """A robots.txt, as it is now and as it was before."""

    url: str
    digest: str
    since: datetime | None
    """When it was first seen otherwise than before; `None`: it never was."""


@dataclass(frozen=True, slots=True)
class Ran:
    """A run that ended in good order."""

    run: str
    started: datetime
    finished: datetime
    reason: str
    trigger: str
    slot: datetime | None
    counts: dict[str, int]
    seeds: dict[str, str | None]
    """URL → what was wrong with it."""
    certificates: dict[str, Certificate]
    """Host → what it proved itself by."""


@dataclass(frozen=True, slots=True)
class SourceTally:
    """All that a source's health is judged by, but what waits on this disk."""

    source: str
    seq: int
    thin: bool
    """Whether of older commits only first sights are known here."""
    began: datetime | None = None
    """When its first segment was begun."""
    last_new: datetime | None = None
    last_capture: datetime | None = None
    days: dict[int, Counter[str]] = field(default_factory=dict)
    """Days since 1970-01-01 → counts."""
    runs: tuple[RunTally, ...] = ()
    """The newest first."""
    ran: tuple[Ran, ...] = ()
    """The newest first."""
    rules: tuple[RulesChange, ...] = ()


@dataclass(slots=True)
class _Changes:
    """What is to be added to the counts."""

    horizon: datetime
    last_new: str
    last_capture: str
    rules: dict[str, list[str | None]]
    days: dict[int, Counter[str]] = field(default_factory=dict)
    runs: dict[str, Counter[str]] = field(default_factory=dict)
    began: dict[str, str] = field(default_factory=dict)

    def add(self, row: dict[str, Any], *, thin: bool) -> None:
        """Count the capture in *row*. *thin*: others of its commit may be missing, so only first sights count."""
        day, hour = divmod((datetime.fromisoformat(row["captured_at"]) - EPOCH).total_seconds(), DAY.total_seconds())
        run = row["run"] or ""
        counts = self.days.setdefault(int(day), Counter())
        of_run = self.runs.setdefault(run, Counter())
        self.began[run] = min(self.began.get(run, row["captured_at"]), row["captured_at"])
        self.last_capture = max(self.last_capture, row["captured_at"])
        new, wait = name_sight(row)
        if new:
            counts[f"new {int(hour) // 3_600}"] += 1
            of_run["new"] += 1
            self.last_new = max(self.last_new, row["captured_at"])
        if thin:
            return
        if wait is not None:
            counts[f"lag {measure(max(1.0, wait.total_seconds() / 60))}"] += 1
        for name in (*name_capture(row), *name_snapshot(row)):
            add_name(counts, name)
            add_name(of_run, name)
        if row["purpose"] == "robots" and row["status"] == 200 and row["payload_digest"] and not row["redirect"]:
            self._note_rules(row)

    def _note_rules(self, row: dict[str, Any]) -> None:
        known = self.rules.get(row["target_uri"])
        if known is None:
            if len(self.rules) < _MOST_RULES:
                self.rules[row["target_uri"]] = [row["payload_digest"], None]
        elif known[0] != row["payload_digest"]:
            known[:] = [row["payload_digest"], row["captured_at"]]


class HealthCatalog(LayeredCatalog):
    """The catalog as far as it knows how sources fare."""

    def tally_health(self, source: str, now: datetime) -> SourceTally:
        """Return the counts of *source*, brought up to date with what is folded. *now* says which days are kept.

        Of a catalog opened to be read: as somebody brought them up to date last.
        """
        seq = self.head(source)[0]
        known = self._db.execute("SELECT seq, facts FROM health_marks WHERE source = ?", (source,)).fetchone()
        if self._is_for_reading:
            seq = known["seq"] if known is not None else 0
        elif seq and (known is None or known["seq"] != seq):
            with self.transaction():
                self._count_captures(source, known, seq, now)
        return self._read_tally(source, seq)

    def list_tallied(self) -> dict[str, int]:
        """Return source → the last commit of which `tally_health` tells."""
        table = "health_marks" if self._is_for_reading else "logs"
        return dict(self._db.execute(f"SELECT source, seq FROM {table}"))  # noqa: S608 - a name of ours

    def _count_captures(self, source: str, known: sqlite3.Row | None, seq: int, now: datetime) -> None:
        facts: dict[str, Any] = json.loads(known["facts"]) if known is not None else {**_NOTHING, "rules": {}}
        changes = _Changes(now - HISTORY_DAYS * DAY, facts["last_new"], facts["last_capture"], facts["rules"])
        thin = self.thin_until(source)
        query = "SELECT segment, seq FROM segments WHERE source = ? AND seq > ? ORDER BY seq"
        for segment, number in self._db.execute(query, (source, known["seq"] if known is not None else 0)).fetchall():
            stamp = read_stamp(segment)
            if stamp is None or stamp < changes.horizon:
                continue
            for row in self._list_captures(segment):
                changes.add(row, thin=number <= thin)
        self._put_changes(source, changes)
        told = json.dumps({"last_new": changes.last_new, "last_capture": changes.last_capture, "rules": changes.rules})
        self._db.execute("INSERT OR REPLACE INTO health_marks VALUES (?,?,?)", (source, seq, told))
        last = datetime.fromisoformat(changes.last_new) if changes.last_new else now
        place = (source, (changes.horizon - EPOCH) // DAY, (last - EPOCH) // DAY)
        self._db.execute(  # the days that tell what is usual stay, however long nothing new came since
            f"DELETE FROM health_days WHERE source = ?1 AND day < ?2 AND (day > ?3 OR day < ?3 - {HISTORY_DAYS})",  # noqa: S608 - a number of ours
            place,
        )
        self._db.execute(
            "DELETE FROM health_runs WHERE source = ?1 AND run NOT IN"
            " (SELECT run FROM health_runs WHERE source = ?1 ORDER BY began DESC LIMIT ?2)",
            (source, TALLIED_RUNS),
        )

    def _list_captures(self, segment: str) -> Iterator[dict[str, Any]]:
        import zstandard  # noqa: PLC0415 - with the texts that are measured

        for row in self._db.execute(_CAPTURES, (_FRAME_BYTES, segment)):
            found = dict(row)
            frame = found.pop("frame")
            try:
                found["text_bytes"] = max(0, zstandard.frame_content_size(frame)) if frame else None
            except zstandard.ZstdError:
                found["text_bytes"] = None
            yield found

    def _put_changes(self, source: str, changes: _Changes) -> None:
        for day, counts in changes.days.items():
            found = self._db.execute("SELECT counts FROM health_days WHERE source = ? AND day = ?", (source, day))
            merged = _merge(found.fetchone(), counts)
            self._db.execute("INSERT OR REPLACE INTO health_days VALUES (?,?,?)", (source, day, merged))
        newest = sorted(changes.runs, key=lambda run: changes.began[run])[-TALLIED_RUNS:]
        for run in newest:
            found = self._db.execute(
                "SELECT counts, began FROM health_runs WHERE source = ? AND run = ?", (source, run)
            )
            row = found.fetchone()
            began = changes.began[run] if row is None else min(row["began"], changes.began[run])
            merged = _merge(row, changes.runs[run])
            self._db.execute("INSERT OR REPLACE INTO health_runs VALUES (?,?,?,?)", (source, run, began, merged))

    def _read_tally(self, source: str, seq: int) -> SourceTally:
        if not seq:
            return SourceTally(source, 0, thin=False)
        mark = self._db.execute("SELECT facts FROM health_marks WHERE source = ?", (source,)).fetchone()
        facts = json.loads(mark["facts"])
        first = self._db.execute("SELECT segment FROM segments WHERE source = ? ORDER BY seq LIMIT 1", (source,))
        segment = first.fetchone()
        days = self._db.execute("SELECT day, counts FROM health_days WHERE source = ?", (source,))
        runs = self._db.execute(
            "SELECT run, began, counts FROM health_runs WHERE source = ? ORDER BY began DESC", (source,)
        )
        return SourceTally(
            source,
            seq,
            thin=self.thin_until(source) > 0,
            began=read_stamp(segment["segment"]) if segment is not None else None,
            last_new=datetime.fromisoformat(facts["last_new"]) if facts["last_new"] else None,
            last_capture=datetime.fromisoformat(facts["last_capture"]) if facts["last_capture"] else None,
            days={day: Counter(json.loads(counts)) for day, counts in days},
            runs=tuple(
                RunTally(run, datetime.fromisoformat(began), Counter(json.loads(counts))) for run, began, counts in runs
            ),
            ran=tuple(self._list_runs(source)),
            rules=tuple(
                RulesChange(url, str(told[0]), datetime.fromisoformat(told[1]) if told[1] else None)
                for url, told in facts["rules"].items()
            ),
        )

    def _list_runs(self, source: str) -> Iterator[Ran]:
        query = (
            f"SELECT * FROM runs INDEXED BY runs_by_start WHERE source = ? AND {LOOKED}"  # noqa: S608 - a text of ours
            " ORDER BY started DESC LIMIT ?"
        )
        for row in self._db.execute(query, (source, JUDGED_RUNS)):
            yield Ran(
                run=row["run"],
                started=datetime.fromisoformat(row["started"]),
                finished=datetime.fromisoformat(row["finished"]),
                reason=row["reason"],
                trigger=row["trigger"],
                slot=datetime.fromisoformat(row["slot"]) if row["slot"] else None,
                counts={k: v for k, v in json.loads(row["counts"]).items() if isinstance(v, int)},
                seeds=dict(_list_seeds(json.loads(row["discovery"]))),
                certificates=dict(read_certificates(json.loads(row["certificates"] or "{}"))),
            )


def _merge(row: sqlite3.Row | None, counts: Counter[str]) -> str:
    merged: Counter[str] = Counter(json.loads(row["counts"]) if row is not None else {})
    for name, number in counts.items():
        add_name(merged, name, number)
    return json.dumps(merged, sort_keys=True)


def _list_seeds(discovery: object) -> Iterator[tuple[str, str | None]]:
    """Yield the seeds in a run's row and what was wrong with each; rows may come from anybody."""
    for entry in (discovery if isinstance(discovery, list) else [])[:1_000]:
        if isinstance(entry, dict) and isinstance(entry.get("url"), str):
            error = entry.get("error")
            yield entry["url"], str(error)[:300] if error else None

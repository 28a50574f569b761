"""Where articles stand in their plans: kept in order of time, and brought up to date by what was touched since.

A section's plan decides which of its steps are looks, and is made of counts when it is asked for: rows name the step of
the last look and the first sight, so that what edits teach moves no row.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from crawler.ids import read_stamp
from jobs.catalog.layers import LayeredCatalog
from jobs.fold import Verdict
from jobs.rechecks.forecast import DAY_HOURS, count_asked, forecast
from jobs.rechecks.learning import LOOK, Counts, Plan, find_plans
from jobs.rechecks.order import Turn, interleave, take_round
from jobs.rechecks.policy import SECOND, ArticleFacts, Kind, stand

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator

    from jobs.rechecks.policy import RecheckPolicy, Standing

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_HOUR = 3_600 * SECOND
_FACTS = "SELECT url, first_seen, last_captured, last_good, state, unread, revisions FROM articles"
_PUT = "INSERT OR REPLACE INTO rechecks VALUES (?,?,?,?,?,?,?,?,?)"
_ORDERED = "FROM rechecks INDEXED BY rechecks_by_turn WHERE source = ? AND kind IS NOT NULL"
_PLACE = ("site", "kind", "section", "step")
_CELLS = [
    f"SELECT {', '.join(_PLACE)} {_ORDERED} {''.join(f'AND {one} = ? ' for one in _PLACE[:at])}"
    f"AND {_PLACE[at]} > ? ORDER BY {', '.join(_PLACE[at:])} LIMIT 1"
    for at in range(len(_PLACE))
]
"""What comes after a place in that order: by its site, by kind within a site, …"""


@dataclass(frozen=True, slots=True)
class _Cell:
    """Articles of one host, kind, section and last step, in order of time; and when the plan has them due."""

    site: str
    kind: Kind
    section: int
    step: int
    wait: int
    """Microseconds from their `at`."""
    plan: Plan


@dataclass(frozen=True, slots=True)
class SitePlan:
    """What is due at one host of a source."""

    site: str
    per_day: int | None
    """The budget."""
    asked: int
    """Articles looked at again in the last 24 hours, as far as facts tell: each once."""
    overdue: int
    suspected: int
    """Of these, the ones whose deletion is to be confirmed."""
    unread: int
    """Of these, the ones that were only recorded: no budget holds them back."""
    oldest: datetime | None
    """When the one was due that is due longest."""
    due: list[int]
    """In each hour from now on, what is overdue left out."""
    requests: list[int]
    """In each hour, with what is overdue and within the budget, if there is a crawl every hour."""
    waiting: int
    """Still due after these hours: the budget did not reach."""


class RecheckCatalog(LayeredCatalog):
    """The catalog as far as it knows when articles are to be looked at again."""

    def list_due(self, source: str, policy: RecheckPolicy, now: datetime, *, limit: int | None = None) -> Iterator[str]:
        """Yield the articles of *source* whose turn it is, as `list_turns` has them; at most *limit*."""
        yield from (turn.url for turn in islice(self.list_turns(source, policy, now), limit))

    def list_turns(
        self, source: str, policy: RecheckPolicy, now: datetime, *, within_budget: bool = True
    ) -> Iterator[Turn]:
        """Yield the articles of *source* that are due, host by host in turns, no more of a host than the budget leaves.

        First those that are suspected to be gone, then those that were only recorded (whatever the budget), then the
        others: what missed most of its looks first, and every fourth the one that is due longest.
        """
        self.plan_rechecks(source, policy)
        moment = _to_micros(now)
        rows: dict[str, dict[Kind, list[Iterator[Turn]]]] = defaultdict(lambda: defaultdict(list))
        for cell in self._list_cells(source, policy):
            rows[cell.site][cell.kind].append(self._list_rows(source, cell, policy, moment))
        room = {site: self._find_room(source, policy, site, moment) if within_budget else None for site in sorted(rows)}
        yield from take_round([_take(rows[site][Kind.SUSPECTED], room, site) for site in room])
        yield from take_round([interleave(rows[site][Kind.UNREAD]) for site in room])
        yield from take_round([_take(rows[site][Kind.GONE] + rows[site][Kind.AGE], room, site) for site in room])

    def count_room(self, source: str, policy: RecheckPolicy, now: datetime) -> int | None:
        """Return how many looks at known articles the budgets of the source's hosts leave; `None`: as many as come."""
        if policy.per_day is None:
            return None
        self.plan_rechecks(source, policy)
        sites = {cell.site for cell in self._list_cells(source, policy)}
        left = [self._find_room(source, policy, site, _to_micros(now)) or 0 for site in sites]
        return sum(left) if left else policy.per_day

    def measure_plan(self, source: str, policy: RecheckPolicy, now: datetime, *, hours: int) -> list[SitePlan]:
        """Return what is due at each host of *source*, now and in each of so many hours: each article's next look."""
        self.plan_rechecks(source, policy)
        cells: dict[str, list[_Cell]] = defaultdict(list)
        for cell in self._list_cells(source, policy):
            cells[cell.site].append(cell)
        return [
            self._measure_site(source, policy, found, now=_to_micros(now), hours=hours)
            for _, found in sorted(cells.items())
        ]

    def plan_rechecks(self, source: str, policy: RecheckPolicy) -> None:
        """Bring up to date where those articles stand that commits touched since; all, if it was asked otherwise then.

        All takes some 15 s of CPU for a million. A catalog opened to be read keeps what somebody brought up to date
        last; who asks one must know by `planned_until` that there is anything.
        """
        if self._is_for_reading:
            return
        wanted = _describe(policy)
        seq = self.head(source)[0]
        known = self._db.execute("SELECT asked, seq FROM recheck_plans WHERE source = ?", (source,)).fetchone()
        if known is not None and tuple(known) == (wanted, seq):
            return
        with self.transaction():
            since = known["seq"] if known is not None and known["asked"] == wanted else 0
            changes = _Changes()
            if since:
                query = f"{_FACTS} INDEXED BY articles_by_commit WHERE source = ? AND seq > ?"
                for row in self._db.execute(query, (source, since)).fetchall():
                    self._move(source, row, policy, changes)
            else:
                for table in ("rechecks", "recheck_counts", "recheck_looks"):
                    self._db.execute(f"DELETE FROM {table} WHERE source = ?", (source,))  # noqa: S608 - names of ours
                rows = self._db.execute(f"{_FACTS} WHERE source = ?", (source,))
                self._db.executemany(_PUT, self._stand_all(source, rows, policy, changes))
            self._add_changes(source, changes)
            self._db.execute("INSERT OR REPLACE INTO recheck_plans VALUES (?,?,?)", (source, wanted, seq))

    def planned_until(self, source: str, policy: RecheckPolicy) -> int | None:
        """Return the last commit that plans of such a policy know of; `None`: there are none, or by other ages."""
        known = self._db.execute("SELECT asked, seq FROM recheck_plans WHERE source = ?", (source,)).fetchone()
        return int(known["seq"]) if known is not None and known["asked"] == _describe(policy) else None

    def _stand_all(
        self, source: str, rows: sqlite3.Cursor, policy: RecheckPolicy, changes: _Changes
    ) -> Iterator[tuple[str | int | None, ...]]:
        for row in rows:
            standing = stand(self._read_article(source, row), policy)
            if standing is not None:
                changes.add(_Share.of(standing), 1)
                yield _to_row(source, row["url"], standing)

    def _move(self, source: str, row: sqlite3.Row, policy: RecheckPolicy, changes: _Changes) -> None:
        """Take an article from where it stood to where it stands."""
        place = (source, row["url"])
        query = "SELECT site, section, step, edits, looked FROM rechecks WHERE source = ? AND url = ?"
        if (old := self._db.execute(query, place).fetchone()) is not None:
            edits = tuple(json.loads(old["edits"] or "[]"))
            changes.add(_Share(old["section"], old["step"], edits, old["site"], old["looked"]), -1)
        standing = stand(self._read_article(source, row), policy)
        if standing is None:
            self._db.execute("DELETE FROM rechecks WHERE source = ? AND url = ?", place)
            return
        changes.add(_Share.of(standing), 1)
        self._db.execute(_PUT, _to_row(*place, standing))

    def _read_article(self, source: str, row: sqlite3.Row) -> ArticleFacts:
        edited: tuple[int, ...] = ()
        if row["revisions"] > 1:
            query = "SELECT captured_at FROM revisions WHERE source = ? AND url = ? AND number > 1"
            edited = tuple(_read_micros(one[0]) for one in self._db.execute(query, (source, row["url"])))
        return ArticleFacts(
            row["url"],
            _read_micros(row["first_seen"]),
            _read_micros(row["last_captured"]),
            _read_micros(row["last_good"]) if row["state"] == "gone" and row["last_good"] else None,
            row["state"],
            bool(row["unread"]),
            edited,
            self._find_suspicion(source, row["url"]) if row["state"] == "suspected" else None,
            self._find_taking(source, row["url"], row["last_captured"]),
        )

    def _find_taking(self, source: str, url: str, last_captured: str) -> int | None:
        """Return when the last capture was taken in, if it was imported or backfilled; `None` if it was fetched."""
        query = (
            "SELECT MAX(segment) FROM captures INDEXED BY captures_from_elsewhere"
            " WHERE source = ? AND url = ? AND captured_at = ? AND origin IS NOT NULL"
        )
        segment = self._db.execute(query, (source, url, last_captured)).fetchone()[0]
        stamp = None if segment is None else read_stamp(segment)
        return None if stamp is None else _to_micros(stamp)

    def _find_suspicion(self, source: str, url: str) -> int | None:
        """Return when an article that is suspected to be gone was first, after the last time that it was there."""
        query = "SELECT verdict, captured_at FROM captures WHERE source = ? AND url = ? ORDER BY captured_at DESC"
        found = None
        for verdict, captured_at in self._db.execute(query, (source, url)):
            if verdict not in {None, Verdict.SUSPECTED, Verdict.BAD}:
                break
            found = captured_at if verdict == Verdict.SUSPECTED else found
        return None if found is None else _read_micros(found)

    def _add_changes(self, source: str, changes: _Changes) -> None:
        put = (
            "INSERT INTO recheck_counts VALUES (?1,?2,?3,?4,?5) ON CONFLICT DO UPDATE SET"
            " articles = articles + excluded.articles, edits = edits + excluded.edits"
        )
        keys = changes.articles.keys() | changes.edits.keys()
        self._db.executemany(put, [(source, *key, changes.articles[key], changes.edits[key]) for key in sorted(keys)])
        put = "INSERT INTO recheck_looks VALUES (?,?,?,?) ON CONFLICT DO UPDATE SET looks = looks + excluded.looks"
        self._db.executemany(put, [(source, *key, number) for key, number in sorted(changes.looks.items()) if number])

    def _read_counts(self, source: str, policy: RecheckPolicy) -> dict[int, Counts]:
        found: dict[int, Counts] = {}
        for row in self._db.execute("SELECT * FROM recheck_counts WHERE source = ?", (source,)):
            counts = found.setdefault(row["section"], Counts([0] * (policy.last + 1), [0] * policy.last))
            counts.articles[row["step"]] = row["articles"]
            if row["step"] < policy.last:
                counts.edits[row["step"]] = row["edits"]
        return found

    def _list_cells(self, source: str, policy: RecheckPolicy) -> Iterator[_Cell]:
        plans, unknown = find_plans(self._read_counts(source, policy), policy)
        row = self._find_cell(source, None)
        while row is not None:
            kind, plan = Kind(row["kind"]), plans.get(row["section"], unknown)
            wait = policy.grid[plan.find_next(row["step"])] if kind is Kind.AGE else 0
            yield _Cell(row["site"], kind, row["section"], row["step"], wait, plan)
            row = self._find_cell(source, row)

    def _find_cell(self, source: str, after: sqlite3.Row | None) -> sqlite3.Row | None:
        """Return the cell that follows, of those that have articles: a look-up or some in the index, never a scan."""
        if after is None:
            return self._db.execute(_CELLS[0], (source, "")).fetchone()  # type: ignore[no-any-return]
        for columns in range(len(_CELLS), 0, -1):  # of the same site, kind and section; then of the same site and kind
            query = _CELLS[columns - 1]
            if (row := self._db.execute(query, (source, *tuple(after)[:columns])).fetchone()) is not None:
                return row  # type: ignore[no-any-return]
        return None

    def _list_rows(self, source: str, cell: _Cell, policy: RecheckPolicy, now: int) -> Iterator[Turn]:
        query = (
            f"SELECT url, at {_ORDERED} AND site = ? AND kind = ? AND section = ? AND step = ? AND at <= ?"
            " ORDER BY at, url"
        )
        place = (source, cell.site, cell.kind, cell.section, cell.step, now - cell.wait)
        for url, at in self._db.execute(query, place):
            missed = cell.plan.count_missed(cell.step, policy.find_step(now - at)) if cell.kind is Kind.AGE else LOOK
            yield Turn(url, at + cell.wait, missed, cell.kind, cell.site)

    def _read_looks(self, source: str, site: str, hour: int) -> dict[int, int]:
        """Return how many articles were looked at again last in each hour of the day that ends with *hour*."""
        query = "SELECT hour, looks FROM recheck_looks WHERE source = ? AND site = ? AND hour > ?"
        return dict(self._db.execute(query, (source, site, hour - DAY_HOURS)).fetchall())

    def _find_room(self, source: str, policy: RecheckPolicy, site: str, now: int) -> int | None:
        if policy.per_day is None:
            return None
        hour = now // _HOUR
        return max(0, policy.per_day - count_asked(self._read_looks(source, site, hour), hour))

    def _measure_site(
        self, source: str, policy: RecheckPolicy, cells: list[_Cell], *, now: int, hours: int
    ) -> SitePlan:
        hour, site = now // _HOUR, cells[0].site
        looks = self._read_looks(source, site, hour)
        overdue: Counter[Kind] = Counter()
        oldest: list[int] = []
        due = [0] * hours
        for cell in cells:
            place = (source, cell.site, cell.kind, cell.section, cell.step)
            where = f"{_ORDERED} AND site = ? AND kind = ? AND section = ? AND step = ?"
            query = f"SELECT COUNT(*), MIN(at) {where} AND at <= ?"
            number, first = self._db.execute(query, (*place, now - cell.wait)).fetchone()
            overdue[cell.kind] += number
            oldest += [] if first is None else [first + cell.wait]
            query = f"SELECT (at - ?) / {_HOUR}, COUNT(*) {where} AND at > ? AND at < ? GROUP BY 1"
            start = now - cell.wait
            for at, many in self._db.execute(query, (start, *place, start, start + hours * _HOUR)):
                due[at] += many
        rechecks = overdue.total() - overdue[Kind.UNREAD]
        first_hour, *others = due or [0]
        requests, waiting = forecast([rechecks + first_hour, *others], looks, policy.per_day, hour)
        requests[0] += overdue[Kind.UNREAD]
        return SitePlan(
            site=site,
            per_day=policy.per_day,
            asked=count_asked(looks, hour),
            overdue=overdue.total(),
            suspected=overdue[Kind.SUSPECTED],
            unread=overdue[Kind.UNREAD],
            oldest=_EPOCH + min(oldest) * _MICROSECOND if oldest else None,
            due=due,
            requests=requests,
            waiting=waiting,
        )


class _Share(NamedTuple):
    """What an article adds to the counts."""

    section: int
    step: int
    edits: tuple[int, ...]
    site: str
    looked: int | None

    @classmethod
    def of(cls, standing: Standing) -> _Share:
        return cls(standing.section, standing.step, standing.edits, standing.site, standing.looked_hour)


class _Changes:
    """What is to be added to the counts; less than nothing is taken from them."""

    def __init__(self) -> None:
        self.articles: Counter[tuple[int, int]] = Counter()
        self.edits: Counter[tuple[int, int]] = Counter()
        self.looks: Counter[tuple[str, int]] = Counter()

    def add(self, share: _Share, number: int) -> None:
        self.articles[share.section, share.step] += number
        for at in share.edits:
            self.edits[share.section, at] += number
        if share.looked is not None:
            self.looks[share.site, share.looked] += number


def _describe(policy: RecheckPolicy) -> str:
    """Return what of *policy* decides where articles stand."""
    return json.dumps([policy.ages, policy.raw_only, policy.second_look_seconds])


def _take(rows: list[Iterator[Turn]], room: dict[str, int | None], site: str) -> Iterator[Turn]:
    """Yield turns while there is room at the host, and take it up."""
    for turn in interleave(rows):
        left = room[site]
        if left is not None:
            if left <= 0:
                return
            room[site] = left - 1
        yield turn


def _to_row(source: str, url: str, standing: Standing) -> tuple[str | int | None, ...]:
    return (
        source,
        url,
        standing.site,
        standing.section,
        standing.step,
        standing.kind,
        standing.at,
        standing.looked_hour,
        json.dumps(standing.edits) if standing.edits else None,
    )


def _read_micros(text: str) -> int:
    return _to_micros(datetime.fromisoformat(text))


def _to_micros(instant: datetime) -> int:
    return (instant - _EPOCH) // _MICROSECOND

"""One source for a year, hour by hour: a site that edits and deletes, and crawls that look at it again.

The policies are the real ones, asked of a real catalog as a crawl asks; the clock is given. The flat ones that they are
compared with need no catalog: they know of no ages.
"""

from __future__ import annotations

import heapq
import random
import tempfile
from bisect import bisect_right
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from jobs.archive.identity import create_archive
from jobs.catalog import Catalog
from jobs.catalog.instants import format_instant
from jobs.store.memory import MemoryStore
from tests.machines import SOURCE, Look, Machine

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from jobs.rechecks import RecheckPolicy

START = datetime(2026, 1, 1, tzinfo=UTC)
DAY = 24
SECTIONS = {"world": 0.08, "politics": 0.16, "business": 0.04, "sport": 0.02, "culture": 0.005, "opinion": 0.0}
"""Share of articles that are edited at some time, before it is scaled to the site's; sections are of equal size but for
politics, which has half as many."""
_CHOICES = ["world", "world", "politics", "business", "business", "sport", "sport", "culture", "culture"] + [
    "opinion"
] * 2
_SOONEST, _LATEST = 2.0, 180.0 * DAY
"""Hours after publication: ages of edits and deletions are drawn between these, each factor of ten as likely."""
_AGAIN = 0.3
"""An edit is followed by another one so often."""
_DELETED_STATUS = 404


@dataclass(frozen=True, slots=True)
class Scale:
    """How large the site is, and how long it is watched."""

    articles: int = 20_000
    per_day: int = 30
    days: int = 365
    edited: float = 0.04
    deleted: float = 0.01

    @property
    def hours(self) -> int:
        return self.days * DAY

    @property
    def stock(self) -> int:
        """Articles that are there when the first crawl begins."""
        return max(0, self.articles - self.per_day * self.days)


@dataclass(slots=True)
class SitePage:
    """An article of the site. Times in hours after the first crawl."""

    path: str
    published: float
    edits: list[float] = field(default_factory=list)
    deleted: float | None = None

    @property
    def first_crawl(self) -> int:
        """The crawl that finds it: the first one after it was announced."""
        return max(0, int(self.published) + 1)

    def version(self, hour: float) -> int:
        return bisect_right(self.edits, hour)

    def is_gone(self, hour: float) -> bool:
        return self.deleted is not None and self.deleted <= hour


def make_site(seed: int, scale: Scale) -> list[SitePage]:
    """Return the articles, those of the stock published at the same rate before the first crawl."""
    chance = random.Random(seed)
    mean = sum(SECTIONS[one] for one in _CHOICES) / len(_CHOICES)
    pages = []
    for number in range(scale.articles):
        since = number - scale.stock
        published = (since + chance.random()) * DAY / scale.per_day
        section = chance.choice(_CHOICES)
        page = SitePage(f"{section}/2026/{number}", published)
        if chance.random() < SECTIONS[section] / mean * scale.edited:
            page.edits.append(published + _draw_age(chance))
            while chance.random() < _AGAIN:
                page.edits.append(published + _draw_age(chance))
            page.edits.sort()
        if chance.random() < scale.deleted:
            page.deleted = published + _draw_age(chance)
        pages.append(page)
    return pages


def _draw_age(chance: random.Random) -> float:
    return float(_SOONEST * (_LATEST / _SOONEST) ** chance.random())


@dataclass(slots=True)
class Outcome:
    """What one way of looking again came to. Delays in hours, of what was seen."""

    name: str
    requests: int = 0
    """Rechecks; the first look at each article is the same for all."""
    edits: int = 0
    """After the article's first look, before its deletion and the year's end."""
    delays: list[float] = field(default_factory=list)
    deletions: int = 0
    deletion_delays: list[float] = field(default_factory=list)
    confirmed: int = 0
    """Deletions that a later crawl saw again."""
    waiting: list[int] = field(default_factory=list)
    """Due, and beyond the budget, once a day."""

    @property
    def seen(self) -> float:
        """Share of the edits whose text was captured: of two between two looks the second alone."""
        return len(self.delays) / self.edits if self.edits else 1.0


class Ledger:
    """Notes what looks show, and sums up."""

    def __init__(self, name: str, pages: Iterable[SitePage], hours: int) -> None:
        self.outcome = Outcome(name)
        self.pages = {
            page.path: page for page in pages if page.first_crawl < hours and not page.is_gone(page.first_crawl)
        }
        """Those that ever had a text."""
        self.seen: dict[str, dict[int, float]] = {path: {} for path in self.pages}
        self.gone: dict[str, list[float]] = {}
        self._hours = hours

    def look(self, path: str, hour: int) -> Look:
        """Return what a look at the page shows at that hour."""
        page = self.pages[path]
        if page.is_gone(hour):
            self.gone.setdefault(path, []).append(hour)
            return Look(path, None, _DELETED_STATUS)
        version = page.version(hour)
        self.seen[path].setdefault(version, hour)
        return Look(path, f"{path} text {version}")

    def close(self) -> Outcome:
        found = self.outcome
        for path, page in self.pages.items():
            end = min(self._hours, page.deleted or self._hours)
            for number, edit in enumerate(page.edits, 1):
                if page.first_crawl < edit < end:
                    found.edits += 1
                    found.delays += [self.seen[path][number] - edit] if number in self.seen[path] else []
            if page.deleted is not None and page.deleted < self._hours:
                found.deletions += 1
                hours = self.gone.get(path, [])
                found.deletion_delays += [hours[0] - page.deleted] if hours else []
                found.confirmed += len(hours) > 1
        return found


def list_crawls(ledger: Ledger) -> dict[int, list[str]]:
    """Return hour → the articles that its crawl finds for the first time."""
    new: dict[int, list[str]] = {}
    for path, page in ledger.pages.items():
        new.setdefault(page.first_crawl, []).append(path)
    return new


class CommittedYear:
    """Takes looks into a catalog by the code that real ones are committed with and folded by."""

    def __init__(self, catalog: Catalog) -> None:
        store = MemoryStore()
        self._machine = Machine(store, create_archive(store, single_writer=False, now=START), catalog, sums_up=False)

    def take(self, looks: list[Look], hour: int) -> None:
        self._machine.commit(looks, number=hour, opened=START + timedelta(hours=hour))


class QuickYear:
    """Writes what the fold would come to, in a tenth of the time: a test compares the two.

    Of an article's captures it keeps what rechecks ask for: first and last, state, and when each text was first seen.
    """

    def __init__(self, catalog: Catalog) -> None:
        self._catalog, self._db = catalog, catalog._db
        self._seq = 0
        self._known: dict[str, tuple[str, str, str, set[str]]] = {}
        """URL → first seen, last good, state, texts."""

    def take(self, looks: list[Look], hour: int) -> None:
        opened = START + timedelta(hours=hour)
        self._seq += 1
        with self._catalog.transaction():
            for n, look in enumerate(looks):
                self._write(look, format_instant(opened + timedelta(microseconds=n)), n)
            self._db.execute("INSERT OR REPLACE INTO logs VALUES (?,?,?,NULL)", (SOURCE, self._seq, ""))

    def _write(self, look: Look, when: str, n: int) -> None:
        first, good, state, texts = self._known.get(look.url, (when, when, "live", set()))
        if look.words is None:
            state = "suspected" if state == "live" else "gone"
        else:
            state, good = "live", when
            if look.words not in texts:
                texts.add(look.words)
                revision = (SOURCE, look.url, len(texts), str(self._seq), n, when, 1, "{}")
                self._db.execute("INSERT INTO revisions VALUES (?,?,?,?,?,?,?,?)", revision)
        self._known[look.url] = (first, good, state, texts)
        article = (SOURCE, look.url, None, first, when, good, state, 1, len(texts), self._seq, None)
        self._db.execute("INSERT OR REPLACE INTO articles VALUES (?,?,?,?,?,?,?,?,?,?,?)", article)


def live_by_policy(
    ledger: Ledger,
    policy: RecheckPolicy,
    hours: int,
    check: Callable[[Catalog], None] | None = None,
    *,
    year: type[CommittedYear | QuickYear] = CommittedYear,
) -> Outcome:
    """Crawl every hour what is new, and what the catalog lists as due. *check*: gets the catalog at last."""
    new = list_crawls(ledger)
    with (
        tempfile.TemporaryDirectory(prefix="ofrecord-year-") as folder,
        Catalog.open(Path(folder) / "catalog") as catalog,
    ):
        taking = year(catalog)
        for hour in range(hours):
            now = START + timedelta(hours=hour)
            due = [url.partition("example/")[2] for url in catalog.list_due(SOURCE, policy, now)]
            ledger.outcome.requests += len(due)
            looks = [ledger.look(path, hour) for path in [*new.get(hour, []), *due]]
            if looks:
                taking.take(looks, hour)
            if hour % DAY == 0:
                planned = catalog.measure_plan(SOURCE, policy, now, hours=1)
                ledger.outcome.waiting.append(sum(site.overdue for site in planned))
        if check is not None:
            check(catalog)
    return ledger.close()


def live_flat(ledger: Ledger, per_day: float, hours: int, *, newest: bool) -> Outcome:
    """Look once a day at so many articles: those looked at longest ago, or the newest; first what seems to be gone."""
    new = list_crawls(ledger)
    looked: list[tuple[int, str]] = []
    known: list[str] = []
    owed = 0.0
    for hour in range(hours):
        for path in new.get(hour, []):
            ledger.look(path, hour)
            known.append(path)
            heapq.heappush(looked, (hour, path))
        if hour % DAY or not hour:
            continue
        owed += per_day
        suspected = [path for path, seen in ledger.gone.items() if len(seen) == 1]
        for path in suspected:
            ledger.look(path, hour)
        owed -= len(suspected)
        ledger.outcome.requests += len(suspected)
        left = [path for path in known[-int(max(0, owed)) :] if path not in ledger.gone] if newest and owed >= 1 else []
        while not newest and len(left) + 1 <= owed and looked and looked[0][0] < hour:
            _, path = heapq.heappop(looked)
            if path not in ledger.gone:
                left.append(path)
        for path in left:
            ledger.look(path, hour)
            if not newest:
                heapq.heappush(looked, (hour, path))
        owed -= len(left)
        ledger.outcome.requests += len(left)
    return ledger.close()

"""A day of many sources in little time: fake pages, and real segments, leases, uploads, commits, checkpoints, store.

Each run is a job without state: it opens the archive, restores what it needs, takes the lease, writes its segment as
a crawl's child would, and commits; a daemon has noted a slot before each. Only Scrapy and the web are left out, and the
hours between the runs.
"""

from __future__ import annotations

import random
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from config.sources import Source
from crawler.derivation import derive
from crawler.ids import new_id
from crawler.model import Article, Exchange, PageClass, Purpose
from crawler.normalise import make_snapshot
from crawler.rows import CaptureRow, RunRow, SlotRow, decode_row
from crawler.warc import encode_exchange
from jobs.archive.identity import read_info
from jobs.archive.signing import read_signer
from jobs.catalog import Catalog
from jobs.context import CATALOG_FILE, OpenArchive, lock_source
from jobs.feeds import write_feeds
from jobs.ledger import Journal
from jobs.rechecks import RecheckPolicy
from jobs.runs.ledger import take_pending
from jobs.runs.spool import bring_segments
from jobs.runs.tenure import leave_lease, take_lease
from jobs.store import open_store
from jobs.store.clock import check_clock
from tests.archives import open_segment

if TYPE_CHECKING:
    from config.settings import Settings
    from jobs.store import ObjectStore

RUNS, ARTICLES = 48, 30
STEP = timedelta(minutes=30)
MIDNIGHT = datetime(2026, 11, 24, tzinfo=UTC)
EDITED = 0.1
"""Share of the looks at a known article that find another text."""
WORDS = [a + b + c for a in "bdgklmnprst" for b in "aeiou" for c in ("n", "r", "st", "lm", "ng", "")]
PUTS = ("PutObject", "CreateMultipartUpload", "UploadPart", "CompleteMultipartUpload")


@dataclass(slots=True)
class Day:
    """What was counted."""

    runs: int = 0
    captures: int = 0
    requests: Counter[str] = field(default_factory=Counter)
    """Operation → how many, of all runs."""
    most_at_start: int = 0
    """Requests of a run before it could have begun to fetch, the worst run's."""
    seconds: float = 0.0
    changed: int = 0
    """Runs that brought changes."""
    feed_requests: Counter[str] = field(default_factory=Counter)
    """Those of `requests` that were made for the change feeds."""

    @property
    def puts(self) -> int:
        """Puts of what the archive is: feeds are beside it, and cost nothing where nothing changed."""
        return sum(self.requests[name] - self.feed_requests[name] for name in PUTS)

    @property
    def feed_puts(self) -> int:
        return sum(self.feed_requests[name] for name in PUTS)

    def add(self, other: Day) -> None:
        self.runs += other.runs
        self.captures += other.captures
        self.requests.update(other.requests)
        self.most_at_start = max(self.most_at_start, other.most_at_start)
        self.seconds += other.seconds
        self.changed += other.changed
        self.feed_requests.update(other.feed_requests)


class Newsroom:
    """What one source publishes, by a seed."""

    def __init__(self, source: str) -> None:
        self.source = source
        self._chance = random.Random(source)
        self._texts: dict[str, str] = {}

    def publish(self, slot: int) -> list[str]:
        """Return the URLs of what is new in *slot*: 30 a day, at any time of it."""
        number = sum(self._chance.random() < 1 / RUNS for _ in range(ARTICLES))
        return [f"https://{self.source}.example/{slot}/{one}" for one in range(number)]

    def read(self, url: str) -> str:
        """Return the text of a page as it is now."""
        if url not in self._texts or self._chance.random() < EDITED:
            self._texts[url] = " ".join(self._chance.choices(WORDS, k=450))
        return self._texts[url]


def run_day(settings: Settings, sources: list[str], *, runs: int = RUNS) -> Day:
    """Let each of *sources* run *runs* times, half an hour apart."""
    total = Day()
    begun = time.monotonic()
    rooms = [Newsroom(source) for source in sources]
    store = open_store(str(settings.archive), settings)  # one for all: to make a client takes longer than a run
    for slot in range(runs):
        for room in rooms:
            with tempfile.TemporaryDirectory(prefix="ofrecord-day-") as state:
                total.add(_run(store, settings, Path(state), room, slot))
    store.close()
    total.seconds = time.monotonic() - begun
    return total


def make_source(name: str) -> Source:
    """Return a source with the default times of recheck."""
    home = f"https://{name}.example/"
    return Source.model_validate(
        {
            "id": name,
            "name": name,
            "home": home,
            "discover": [{"feed": f"{home}rss.xml"}],
            "articles": {"include": ["."]},
        }
    )


def _run(store: ObjectStore, settings: Settings, state: Path, room: Newsroom, slot: int) -> Day:
    day = Day(runs=1)
    now = MIDNIGHT + STEP * slot
    source = make_source(room.source)
    before = Counter(store.requests)
    with Catalog.open(state / CATALOG_FILE) as catalog, lock_source(state / "spool" / source.id, source.id):
        archive = OpenArchive(store, read_info(store), settings, state, catalog, read_signer(settings))
        check_clock(store)
        archive.require_signer()
        archive.prepare(source.id)
        seq = catalog.head(source.id)[0]
        run = new_id(source.id, now)
        lease = take_lease(archive, source.id, run)
        day.most_at_start = store.requests.total() - before.total()
        Journal.open(archive.spool(source.id)).note(SlotRow(now, "skipped", reason=f"made for a test, slot {slot}"))
        due = archive.catalog.list_due(source.id, RecheckPolicy.of(source, settings), now)
        day.captures = _write_segment(archive, source, room, [*room.publish(slot), *due], run, now, lease.epoch)
        committed = sum(bring_segments(archive, source))
        leave_lease(archive, lease)
        if left := take_pending(archive, source.id):
            raise AssertionError(f"{left} was not committed")
        if committed != 1:
            raise AssertionError(f"{committed} segments were committed")
        told = Counter(store.requests)
        feeds = write_feeds(
            catalog, store, archive.info.archive, settings, source.id, after=seq, now=now + timedelta(minutes=2)
        )
        if feeds.problems:
            raise AssertionError(feeds.problems)
        day.changed = int(bool(feeds.written))
        day.feed_requests = Counter(store.requests) - told
    day.requests = Counter(store.requests) - before
    return day


def _write_segment(
    archive: OpenArchive, source: Source, room: Newsroom, urls: list[str], run: str, now: datetime, epoch: int
) -> int:
    derivation = derive(source.extract, timezone=source.timezone, language=source.language)
    writer = open_segment(
        archive.spool(source.id),
        source=source.id,
        run=run,
        archive=archive.info.archive,
        now=now,
        derivation=derivation,
        epoch=epoch,
    )
    pages = [(f"https://{source.id}.example/rss.xml", Purpose.FEED), *((url, Purpose.ARTICLE) for url in urls)]
    for number, (url, purpose) in enumerate(pages):
        captured_at = now + timedelta(seconds=5 * number, microseconds=125)
        words = room.read(url) if purpose is Purpose.ARTICLE else f"{number} items at {now}"
        exchange = Exchange(
            url=url,
            purpose=purpose,
            started_at=captured_at,
            seconds=0.2,
            request_head=f"GET / HTTP/1.1\r\nHost: {source.id}.example\r\n\r\n".encode(),
            status=200,
            response_head=b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n",
            body=f"<html><body><p>{words}</p></body></html>".encode(),
            peer="192.0.2.7",
        )
        recorded = encode_exchange(exchange, warcinfo_id=writer.warcinfo_id)
        article = purpose is Purpose.ARTICLE
        row = CaptureRow(
            n=0,
            url=url,
            target_uri=url,
            captured_at=captured_at,
            purpose=purpose.value,
            page_class="article" if article else "listing",
            class_reason="made for a test",
            status=200,
            media_type="text/html",
            payload_digest=recorded.payload_digest,
            size_bytes=len(exchange.body),
            peer=exchange.peer,
        )
        found = Article(PageClass.ARTICLE, "made for a test", title=url[-20:], blocks=(words,), confidence=1.0)
        writer.append(row, recorded, make_snapshot(found, derivation.digest) if article else None)
    for line in take_pending(archive, source.id):
        if isinstance(noted := decode_row(line.encode()), SlotRow):
            writer.add(noted)
    finished = now + timedelta(minutes=1)
    writer.add(RunRow(run=run, trigger="job", started=now, finished=finished, reason="finished"))
    writer.close(finished)
    return len(pages)

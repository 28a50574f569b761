"""Copies in, captures out: asks for one at a time, keeps what was recorded, notes how far the backfill is."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import structlog

from config.errors import FetchError, RecordError
from crawler.model import Purpose
from crawler.progress import CrawlProgress
from crawler.rows import Origin
from crawler.webarchive import POSITION_FILE, NotACopy, Position, rebuild_exchange

if TYPE_CHECKING:
    from datetime import datetime

    from crawler.backfill.plan import ArchiveReport, BackfillPlan
    from crawler.intake import Intake, Kept
    from crawler.leash import Leash
    from crawler.model import Exchange
    from crawler.visit import Visit
    from crawler.webarchive import Copy

log = structlog.get_logger()

MAX_IN_A_ROW = 5
"""Answers that may be had another time: after so many in a row the archive is left alone."""
SAVE_SECONDS = 60.0
LAPSE_SECONDS = 10.0
"""A backfill whose leash has lapsed for that long is ended."""
_LEASH_SECONDS = 0.5


class PastCaptures(Protocol):
    """What a backfill asks of the catalog beside what an intake does."""

    def has_capture_at(self, url: str, captured_at: datetime) -> bool:
        """Tell whether any capture of the normalised *url* at that instant is committed."""


class ArchiveUnwell(FetchError):
    """A web archive does not answer as one; it is left alone for this time."""


class AskedInVain(FetchError):
    """A question that an archive may well answer another time."""


class BackfillOver(Exception):
    """No more is asked for in this run; the message is a reason in the words of RunRow."""


class Keeper:
    """Asks web archives through a visit, and keeps what they have. Belongs to one event loop."""

    def __init__(self, plan: BackfillPlan, visit: Visit, intake: Intake, known: PastCaptures, leash: Leash) -> None:
        self.plan = plan
        self.visit = visit
        self.position_file = Path(plan.spool) / POSITION_FILE
        self.position = Position.read(self.position_file)
        self.waiting = 0
        """Copies that are chosen and not yet looked at."""
        self.pages = 0
        """Kept so far."""
        self.failed = 0
        self._intake = intake
        self._known = known
        self._leash = leash
        self._had: set[tuple[str, datetime]] = set()
        """What this run kept: two archives may have the same copy."""
        self._in_a_row = 0
        self._saved = asyncio.get_running_loop().time()

    def has(self, page: str, copy: Copy) -> bool:
        """Tell whether there is a capture of *page* at the time of *copy*."""
        return (page, copy.captured_at) in self._had or self._known.has_capture_at(page, copy.captured_at)

    def require_room(self) -> None:
        """Raise BackfillOver if as many captures are kept as may be."""
        if self.plan.max_pages is not None and self.pages >= self.plan.max_pages:
            raise BackfillOver("limit")

    async def ask(self, url: str) -> Exchange:
        """Return what an archive answers about its copies at *url*, with status 200, or 404 where it has none.

        Raises AskedInVain, ArchiveUnwell, BackfillOver, VisitOver.
        """
        await self._wait_for_leave()
        answer = (await self.visit.follow(url, Purpose.ARTICLE))[-1]
        if answer.forbidden:
            raise ArchiveUnwell(f"{url}: {answer.error}")
        if answer.status in {200, 404} and answer.error is None:
            self._in_a_row = 0
            return answer
        told = f"{url}: {answer.error or f'found status {answer.status}, expected 200'}"
        if answer.status is not None and answer.status < 500 and answer.status not in {408, 425, 429}:
            raise ArchiveUnwell(told)
        self.failed += 1
        self._in_a_row += 1
        if self._in_a_row >= MAX_IN_A_ROW:
            raise ArchiveUnwell(f"{MAX_IN_A_ROW} questions in a row were not answered, the last one: {told}")
        raise AskedInVain(told)

    async def keep(self, page: str, copy: Copy, url: str, report: ArchiveReport) -> Kept | None:
        """Ask for *copy* of *page* at *url* and keep it; `None` where it is no copy, or had, which *report* counts.

        Raises NotACopy where it may be had another time, ArchiveUnwell, BackfillOver, VisitOver, OSError.
        """
        await self._wait_for_leave()
        answer = await self.visit.fetch(url, Purpose.ARTICLE)
        try:
            exchange = rebuild_exchange(answer, copy)
            kept = await self._intake.keep(exchange, Origin("backfilled", url))
        except (NotACopy, RecordError, ValueError) as error:
            self._refuse(error, url, report)
            return None
        self._in_a_row = 0
        self._had.add((page, copy.captured_at))
        if kept is None:
            report.had += 1
            return None
        self.pages += 1
        report.note_kept(kept)
        log.info(
            "captured_page",
            url=page,
            status=exchange.status,
            size_bytes=len(exchange.body),
            payload_digest=kept.row.payload_digest,
            class_=kept.row.page_class,
            captured_at=exchange.started_at.isoformat(),
            via=url,
        )
        return kept

    def _refuse(self, error: NotACopy | RecordError | ValueError, url: str, report: ArchiveReport) -> None:
        kind = error.kind if isinstance(error, NotACopy) else "it cannot be recorded"
        report.refused[kind] += 1
        log.info("skipped_page", url=url, reason=str(error))
        if not (isinstance(error, NotACopy) and error.transient):
            self._in_a_row = 0
            return
        self.failed += 1
        self._in_a_row += 1
        if self._in_a_row >= MAX_IN_A_ROW:
            raise ArchiveUnwell(f"{MAX_IN_A_ROW} copies in a row could not be had, the last one: {error}")
        raise error

    def save(self, *, now: bool = False) -> None:
        """Write the position down once a minute, or *now*, after what it speaks of is on the disk. Raises OSError."""
        time = asyncio.get_running_loop().time()
        if now or time - self._saved >= SAVE_SECONDS:
            self._intake.segments.close()
            self.position.write(self.position_file)
            self._saved = time

    def progress(self) -> CrawlProgress:
        """Return how far the backfill is."""
        size = self._intake.counts.bytes
        return CrawlProgress(pages=self.pages, failed=self.failed, size_bytes=size, waiting=self.waiting)

    async def _wait_for_leave(self) -> None:
        """Wait while the parent lets nobody fetch, with all segments closed: they may be what fills the disk.

        Raises BackfillOver where the lease has run out and is not renewed.
        """
        lapsed = 0.0
        while self._leash.held:
            self._intake.segments.close()
            lapsed = lapsed + _LEASH_SECONDS if self._leash.lapsed else 0.0
            if lapsed >= LAPSE_SECONDS:
                raise BackfillOver("lease")
            await asyncio.sleep(_LEASH_SECONDS)

"""The program of a backfill: one web archive after the other, and an end in good order whatever comes."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

import structlog

from config.webarchives import parse_web_archive
from crawler.backfill.indexes import ask_index
from crawler.backfill.keeping import ArchiveUnwell, BackfillOver, Keeper
from crawler.backfill.plan import REPORT_FILE, ArchiveReport, BackfillReport, write_report
from crawler.backfill.timemaps import ask_timemaps
from crawler.visit import VisitOver

if TYPE_CHECKING:
    from collections.abc import Callable

    from config.sources import Source
    from crawler.backfill.keeping import PastCaptures
    from crawler.backfill.plan import BackfillPlan
    from crawler.intake import Intake
    from crawler.leash import Leash
    from crawler.progress import CrawlProgress
    from crawler.rows import RunRow
    from crawler.visit import Visit

log = structlog.get_logger()

_PROGRESS_SECONDS = 0.25


class Backfill:
    """One backfill of *source*. *tell*: told four times a second how far it is; must not block."""

    def __init__(
        self,
        source: Source,
        plan: BackfillPlan,
        intake: Intake,
        known: PastCaptures,
        leash: Leash,
        *,
        tell: Callable[[CrawlProgress], None] | None = None,
    ) -> None:
        self._source = source
        self._plan = plan
        self._intake = intake
        self._known = known
        self._leash = leash
        self._tell = tell
        self._reports: list[ArchiveReport] = []
        self.row: RunRow | None = None
        """Set once it is over."""

    async def carry_out(self, visit: Visit, _: object) -> None:
        """Ask all archives. To be called once. Raises OSError if the disk refuses."""
        keeper = Keeper(self._plan, visit, self._intake, self._known, self._leash)
        telling = asyncio.create_task(self._tell_progress(keeper))
        reason = "stopped"
        try:
            reason = await self._ask_all(keeper)
        finally:
            telling.cancel()
            self.row = self._intake.finish(reason)
            keeper.save(now=True)
            report = BackfillReport(self._plan.run, visit.requests, self._reports)
            write_report(Path(self._plan.spool) / REPORT_FILE, report)

    async def _ask_all(self, keeper: Keeper) -> str:
        """Return how it ended, in the words of RunRow."""
        try:
            for text in self._plan.web_archives:
                await self._ask(keeper, text)
        except BackfillOver as over:
            return str(over)
        except VisitOver:
            return "limit" if keeper.visit.at_limit else "stopped"
        return "finished"

    async def _ask(self, keeper: Keeper, text: str) -> None:
        archive = parse_web_archive(text)
        report = ArchiveReport(archive.address)
        self._reports.append(report)
        try:
            if archive.cdx is not None:
                await ask_index(keeper, self._source, archive, report)
            else:
                await ask_timemaps(keeper, archive, report)
        except ArchiveUnwell as error:
            report.error = str(error)
            log.warning("failed_discovery", url=archive.address, error=str(error))

    async def _tell_progress(self, keeper: Keeper) -> None:
        while self._tell is not None:
            self._tell(keeper.progress())
            await asyncio.sleep(_PROGRESS_SECONDS)

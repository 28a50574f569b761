"""The backfill's own process (`python -m jobs.backfill.child ASSIGNMENT`), else as a crawl's: jobs.runs.child."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter

from config.errors import FetchError
from config.politeness import Politeness
from config.settings import Settings
from config.sources import Source
from crawler.backfill import Backfill, BackfillPlan
from crawler.intake import open_intake
from crawler.visit import VisitLimits, VisitOver
from crawler.workers.pool import make_pool
from jobs.catalog import Catalog, SourceVersions
from jobs.runs.child import main, tell_progress

if TYPE_CHECKING:
    from crawler.leash import Leash
    from crawler.rows import RunRow

_ANY = 1 << 62
_PLANS: TypeAdapter[BackfillPlan] = TypeAdapter(BackfillPlan)


def describe_visited(source: Source, settings: Settings) -> Source:
    """Return *source* as the web archives are visited for it: by their own delay, with none of its secrets."""
    politeness = Politeness(delay_seconds=settings.backfill_delay_seconds)
    visited: dict[str, Any] = {"politeness": politeness, "network": settings.backfill_network, "render": None}
    return source.model_copy(update=visited | {"headers": {}, "cookies": {}})


def backfill(assignment: dict[str, Any], leash: Leash) -> RunRow:
    """Carry out the *assignment*; return the run's row, which is in its last segment already."""
    plan = _PLANS.validate_python(assignment["plan"])
    source = Source.model_validate(assignment["source"])
    settings = Settings(**assignment["settings"])
    pool = make_pool(settings, settings.workers)
    try:
        pool.launch()  # the workers load their parsers while we load Scrapy, which takes as long
        from crawler.visiting import carry_out  # noqa: PLC0415 - after logging is set up

        with Catalog.open(Path(assignment["catalog"]), read_only=True) as catalog:
            known = SourceVersions(catalog, source.id)
            intake = open_intake(
                source,
                settings,
                spool=Path(plan.spool),
                run=plan.run,
                trigger="backfill",
                archive=plan.archive,
                pool=pool,
                known=known,
                epoch=plan.epoch,
            )
            tell = tell_progress if assignment["progress"] else None
            work = Backfill(source, plan, intake, known, leash, tell=tell)
            limits = VisitLimits(
                requests=plan.max_requests or _ANY,
                seconds=settings.max_run_seconds,
                body_bytes=settings.max_body_bytes,
            )
            visited = describe_visited(source, settings)
            with suppress(VisitOver):  # it has ended in good order all the same, or says nothing below
                carry_out(work.carry_out, {}, visited, settings, limits, environment={}, pool=pool, leash=leash)
        if work.row is None:
            raise FetchError("the backfill was ended before it began")
        return work.row
    finally:
        pool.kill()


if __name__ == "__main__":
    code = main(sys.argv[1:], backfill)
    sys.stderr.flush()
    os._exit(code)  # as a crawl's process

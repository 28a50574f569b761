"""Item pipelines, in order: a worker reads and hashes the page, its text is compared, the segment takes it all in."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import structlog

from crawler.compare import guess_verdict
from crawler.conditional import judge_validators
from crawler.frontier import ASSET
from crawler.intake import make_row
from crawler.model import Purpose
from crawler.recording import recall_reading, record_only, record_unmodified
from crawler.room import write_when_there_is_room
from crawler.scope import leave_out
from crawler.warc import digest_bytes
from crawler.workers.pool import worker_seconds

if TYPE_CHECKING:
    from scrapy.crawler import Crawler

    from crawler.items import PageItem, Run
    from crawler.model import Exchange
    from crawler.outcome import PageOutcome
    from crawler.rows import CaptureRow

log = structlog.get_logger()


class _RunPipeline:
    """A pipeline that works on the live parts of the run."""

    def __init__(self, run: Run) -> None:
        self.run = run

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> _RunPipeline:
        """Return the pipeline of *crawler*'s run."""
        return cls(crawler.spider.run)  # type: ignore[union-attr]  # the spider exists before its pipelines


class ExtractPipeline(_RunPipeline):
    """Has a worker inflate, parse, extract, normalise and hash the page, and make its WARC records."""

    async def process_item(self, item: PageItem) -> PageItem:
        """Set the item's outcome, and what was known of it before."""
        validators = item.validators
        if validators is not None and item.confirmed:
            item.exchange = replace(item.exchange, refers_to=validators.record)
            item.outcome = record_unmodified(item.exchange, self.run.context, unread=validators.unread)
            return item
        is_article = item.exchange.purpose is Purpose.ARTICLE
        item.last = self.run.last_versions.last(item.url) if is_article else None
        digest = None
        if item.last is not None or not is_article:  # what was never captured has no record: no digest, no look-up
            digest = digest_bytes(item.exchange.body)
            item.exchange = self._refer(item.exchange, digest)
        item.outcome = await self._read(item, digest)
        if is_article and self.run.judges_scope:
            item.outcome = leave_out(self.run.source, item.url, item.outcome, item.last)
        if item.outcome.withheld:
            item.exchange = item.exchange.withhold()
        return item

    async def _read(self, item: PageItem, digest: str | None) -> PageOutcome:
        context = self.run.context
        if self.run.plan.raw_only:  # less work than to hand the page to a worker
            return record_only(item.exchange, context)
        if item.exchange.purpose is Purpose.ASSET:
            return record_only(item.exchange, context)
        outcome = self._recall(item, digest)
        item.recalled = outcome is not None
        if outcome is None:
            outcome = await self.run.pool.page(item.exchange, context)
            item.worker_seconds = worker_seconds.get(None)
        return outcome

    def _recall(self, item: PageItem, digest: str | None) -> PageOutcome | None:
        """Return the outcome of an article's page that is as it was last, or `None`: then it is to be read."""
        exchange, context = item.exchange, self.run.context
        if self.run.source.assets == "page":  # what it is shown with may have to be had yet
            return None
        if item.last is None or digest is None or exchange.status != 200 or exchange.refers_to is None:
            return None
        if exchange.rendition is not None:  # the same bytes, and another page all the same
            return None
        known = self.run.last_versions.find_reading(item.url, exchange.url, digest, context.derivation)
        return None if known is None else recall_reading(exchange, context, known)

    def _refer(self, exchange: Exchange, digest: str) -> Exchange:
        """Return *exchange*, referring to the committed record that holds its payload, if there is one."""
        if exchange.truncated or exchange.status is None or not exchange.body:
            return exchange
        found = self.run.last_versions.find_record(exchange.url, digest)
        return exchange if found is None else replace(exchange, refers_to=found)


class AssetPipeline(_RunPipeline):
    """Lets wait what a page is shown with. Only where the source asks for that."""

    async def process_item(self, item: PageItem) -> PageItem:
        """Take what the item's page or style sheet names."""
        snapshot = item.outcome.snapshot if item.outcome is not None else None
        if self.run.assets is not None and not self.run.stopping:
            await self.run.assets.take(item.exchange, snapshot, page=item.page or item.url, depth=item.depth)
        return item


class ComparePipeline(_RunPipeline):
    """Guesses the verdict, for the log line, and judges by it what the server calls its pages."""

    def process_item(self, item: PageItem) -> PageItem:
        """Set the item's hint, if it is an article's capture."""
        outcome = item.outcome
        if outcome is not None and item.exchange.purpose is Purpose.ARTICLE:
            item.hint = guess_verdict(
                outcome.snapshot, outcome.page_class, item.exchange.status, item.last, confirmed=item.confirmed
            )
        judge_validators(self.run, item)
        return item


class SegmentPipeline(_RunPipeline):
    """Appends the capture to the segment and says so in one line."""

    def __init__(self, run: Run) -> None:
        super().__init__(run)
        self._log = log.bind()  # else a logger is put together for each line: 20 µs

    async def process_item(self, item: PageItem) -> PageItem:
        """Write the item down. Raises OSError if the disk refuses, which ends the run."""
        exchange, outcome = item.exchange, item.outcome
        if outcome is None:
            raise RuntimeError(f"{item!r} reached the segment without an outcome")
        row = _make_row(item, outcome, self.run.context.product)
        recorded, snapshot = outcome.recorded, outcome.snapshot
        await write_when_there_is_room(self.run, lambda: self.run.segments.append(row, recorded, snapshot))
        if exchange.purpose is Purpose.ASSET:
            self.run.frontier.mark([item.url], ASSET)  # whatever wanted it, it is had in this run
        self.run.tally.count_page(item, stopped=self.run.pool.closed)
        self._log.info(
            "captured_page",
            url=item.url,
            purpose=row.purpose,
            status=row.status,
            size_bytes=row.size_bytes,
            seconds=round(row.seconds, 3),
            worker_ms=None if item.worker_seconds is None else round(1_000 * item.worker_seconds, 1),
            payload_digest=row.payload_digest,
            page_class=row.page_class,
            verdict=item.hint,
            recalled=item.recalled,
            error=row.error or row.extraction_error,
        )
        return item


def _make_row(item: PageItem, outcome: PageOutcome, product: str) -> CaptureRow:
    validators = item.validators if item.confirmed else None
    return make_row(
        item.exchange,
        outcome,
        url=item.url,
        product=product,
        hint=item.hint,
        not_modified=None if validators is None else validators.not_modified + 1,
    )

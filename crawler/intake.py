"""Captures that no publisher was asked for → the segments: imported from files, backfilled from web archives.

Reads each page in the pool as a crawl does, and keeps it with its original time and its origin; what the archive has
already is not kept again. Loads neither Scrapy nor a parser.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from config.settings import program_version
from crawler.compare import LastVersions
from crawler.derivation import derive
from crawler.directives import product_token
from crawler.outcome import PageContext, describe_reading
from crawler.recording import record_only, record_unmodified
from crawler.rows import CaptureReference, CaptureRow, RunRow
from crawler.scope import leave_out
from crawler.segment import SegmentStream
from crawler.urls import normalise_url
from crawler.warc import NOT_MODIFIED, digest_bytes

if TYPE_CHECKING:
    from collections.abc import Callable

    from config.settings import Settings
    from config.sources import Source
    from crawler.model import Exchange, RecordReference
    from crawler.outcome import PageOutcome
    from crawler.rows import Origin
    from crawler.workers.pool import WorkerPool

_MAX_REMEMBERED = 200_000
"""Captures that are kept and may not be committed yet: more than a full spool holds of pages of 20 KB."""

_Key = tuple[str, datetime, str | None]


class KnownCaptures(LastVersions, Protocol):
    """What an intake asks of the catalog, of one source; `jobs.catalog.SourceVersions` fulfils it."""

    def has_capture(self, url: str, captured_at: datetime, payload_digest: str | None) -> bool:
        """Tell whether a capture of the normalised *url* at that instant with that payload is committed."""

    def find_record_at(self, target_uri: str, second: datetime) -> RecordReference | None:
        """Return a committed, whole response record of *target_uri* of that second, or `None`."""


@dataclass(slots=True)
class IntakeCounts:
    """What became of the exchanges that an intake was given."""

    captures: int = 0
    snapshots: int = 0
    known: int = 0
    """Those that the archive, or this intake, had already."""
    errors: int = 0
    """Of `captures`, those that are cut."""
    bytes: int = 0
    """Of bodies, as they were on the wire."""


@dataclass(frozen=True, slots=True)
class Kept:
    """What one exchange came to."""

    row: CaptureRow
    """As it stands in the segment, but for its number and place there."""
    outcome: PageOutcome
    reference: CaptureReference


@dataclass(slots=True)
class Intake:
    """Takes captures of one source into its segments. Made by `open_intake`; belongs to one event loop.

    The segments' folder must be the source's spool, locked by the parent process as for a crawl.
    """

    source: Source
    run: str
    trigger: str
    segments: SegmentStream
    context: PageContext
    pool: WorkerPool
    known: KnownCaptures
    raw_only: bool = False
    started: datetime = field(default_factory=lambda: datetime.now(UTC))
    counts: IntakeCounts = field(default_factory=IntakeCounts)
    _remembered: OrderedDict[_Key, None] = field(default_factory=OrderedDict)

    async def keep(
        self, exchange: Exchange, origin: Origin, *, accept: Callable[[PageOutcome], bool] | None = None
    ) -> Kept | None:
        """Read *exchange* and append it to the segment; return what it came to, or `None` if the archive has it.

        *exchange*: as it was answered at `started_at`, before now. Its body may be the one that a committed record
        holds: then it becomes a revisit, as a crawl's. *accept*: asked whether what it came to is wanted at all; `None`
        is returned too where it is not. Raises ValueError if its URL is none that may name an article,
        RecordError if it cannot be recorded, OSError if the disk refuses.
        """
        url = normalise_url(exchange.url)
        given = _digest(exchange)
        if self._has(url, exchange.started_at, given):
            self.counts.known += 1
            return None
        exchange = self._refer(exchange, given)
        outcome = await self._read(exchange, url)
        if accept is not None and not accept(outcome):
            return None
        if outcome.withheld:
            exchange = replace(exchange, body=b"", truncated="unspecified", refers_to=None)
        digest = outcome.recorded.payload_digest
        if digest != given and self._has(url, exchange.started_at, digest):
            self.counts.known += 1
            return None
        row = make_row(exchange, outcome, url=url, product=self.context.product, origin=origin)
        if exchange.status == NOT_MODIFIED and exchange.refers_to is not None:
            row = replace(row, not_modified=1)  # how many came before it nobody knows
        # nothing is awaited between this look and the append: of two that came at once the second is known
        if self._remember((url, exchange.started_at, given)):
            self.counts.known += 1
            return None
        if digest != given:
            self._remember((url, exchange.started_at, digest))
        reference = self.segments.append(row, outcome.recorded, outcome.snapshot)
        self._count(exchange, outcome)
        return Kept(row, outcome, reference)

    def finish(self, reason: str = "finished") -> RunRow:
        """Write the run's row, with *reason* in its words, and close the last segment. Raises OSError.

        An intake that kept nothing leaves no trace: to take the same in again changes no archive.
        """
        row = RunRow(
            run=self.run,
            trigger=self.trigger,
            started=self.started,
            finished=datetime.now(UTC),
            reason=reason,
            counts={
                "captures": self.counts.captures,
                "articles": self.counts.captures,
                "snapshots": self.counts.snapshots,
                "errors": self.counts.errors,
                "bytes": self.counts.bytes,
                "known": self.counts.known,
            },
        )
        if self.counts.captures:
            self.segments.add(row)
        self.segments.close()
        return row

    def _has(self, url: str, captured_at: datetime, digest: str | None) -> bool:
        return (url, captured_at, digest) in self._remembered or self.known.has_capture(url, captured_at, digest)

    def _remember(self, key: _Key) -> bool:
        """Remember what is about to be kept; tell whether it was already."""
        if key in self._remembered:
            return True
        self._remembered[key] = None
        if len(self._remembered) > _MAX_REMEMBERED:
            self._remembered.popitem(last=False)
        return False

    def _refer(self, exchange: Exchange, digest: str | None) -> Exchange:
        """Return *exchange*, referring to an earlier committed record of its payload, if there is one."""
        if exchange.refers_to is not None or exchange.truncated or not exchange.body or digest is None:
            return exchange
        found = self.known.find_record(exchange.url, digest)
        if found is None or found.captured_at >= exchange.started_at:
            return exchange
        return replace(exchange, refers_to=found)

    async def _read(self, exchange: Exchange, url: str) -> PageOutcome:
        if exchange.status == NOT_MODIFIED and exchange.refers_to is not None:
            return record_unmodified(exchange, self.context, unread=False)
        if self.raw_only:
            return record_only(exchange, self.context)
        outcome = await self.pool.page(exchange, self.context)
        if not self.source.sections and not self.source.languages:
            return outcome
        return leave_out(self.source, url, outcome, self.known.last(url))

    def _count(self, exchange: Exchange, outcome: PageOutcome) -> None:
        self.counts.captures += 1
        self.counts.snapshots += outcome.snapshot is not None
        self.counts.errors += exchange.truncated is not None and not outcome.withheld
        self.counts.bytes += len(exchange.body)


def open_intake(
    source: Source,
    settings: Settings,
    *,
    spool: Path,
    run: str,
    trigger: str,
    archive: str,
    pool: WorkerPool,
    known: KnownCaptures,
    epoch: int = 0,
    raw_only: bool | None = None,
) -> Intake:
    """Return an intake of *source* that writes segments of *run* into *spool*, under the lease *epoch*.

    *trigger*: what the run row says, `import` or `backfill`. *raw_only*: whether pages are only recorded; `None`: as
    source and settings say.
    """
    derivation = derive(source.extract, timezone=source.timezone, language=source.language)
    only = source.is_raw_only(settings.raw_only) if raw_only is None else raw_only
    segments = SegmentStream(
        spool,
        source=source.id,
        run=run,
        archive=archive,
        writer=f"ofrecord/{program_version()}",
        max_bytes=settings.segment_bytes,
        max_seconds=settings.segment_seconds,
        derivations={} if only else {derivation.digest: derivation.meaning},
        epoch=epoch,
    )
    context = PageContext(
        rules=source.extract,
        timezone=source.timezone,
        language=source.language,
        derivation=derivation.digest,
        max_inflated_bytes=settings.max_body_bytes,
        product=product_token(settings.user_agent),
        obey_noarchive=settings.obey_noarchive,
    )
    return Intake(source, run, trigger, segments, context, pool, known, only)


def make_row(
    exchange: Exchange,
    outcome: PageOutcome,
    *,
    url: str,
    product: str,
    hint: str | None = None,
    not_modified: int | None = None,
    origin: Origin | None = None,
) -> CaptureRow:
    """Return the capture row of *exchange*; its number and its place in the WARC file are the segment's to set.

    *url*: normalised. *product*: as whom we read what robots are told. *not_modified*: as in CaptureRow.
    """
    referred = exchange.refers_to
    return CaptureRow(
        n=0,
        url=url,
        target_uri=exchange.url,
        captured_at=exchange.started_at,
        purpose=exchange.purpose.value,
        page_class=outcome.page_class.value,
        class_reason=outcome.class_reason,
        via=exchange.via,
        status=exchange.status,
        media_type=outcome.media_type,
        payload_digest=outcome.recorded.payload_digest,
        size_bytes=len(exchange.body),
        seconds=round(exchange.seconds, 6),
        peer=exchange.peer,
        redirect=outcome.redirect,
        etag=exchange.header("ETag"),
        last_modified=exchange.header("Last-Modified"),
        truncated=exchange.truncated,
        error=exchange.error,
        extraction_error=outcome.extraction_error,
        hint=hint,
        revisit_of=None if referred is None else CaptureReference(referred.segment, referred.n),
        directives=list(outcome.directives),
        read_with=describe_reading(exchange, product) if outcome.repeatable else None,
        not_modified=not_modified,
        origin=origin,
    )


def _digest(exchange: Exchange) -> str | None:
    """Return the payload digest that the record of *exchange* will have."""
    if exchange.status is None or (exchange.status == NOT_MODIFIED and exchange.refers_to is not None):
        return None
    return digest_bytes(exchange.body)

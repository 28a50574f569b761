"""One file after another → captures in the segments of the sources that their pages belong to.

Pages are read by the pool, some at a time; of the file no more is held than those. What repeats an earlier page waits
until that is committed, and is then had from there.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, BinaryIO, Protocol

import structlog

from config.errors import RecordError
from crawler.imports.bodies import RecentBodies
from crawler.imports.flows import BEGINNING, Fault, Position
from crawler.imports.holdings import Holdings
from crawler.imports.messages import UNMODIFIED, LeftOut, Message, agrees, read_message
from crawler.imports.pairs import Answer, AnswerReader
from crawler.imports.report import FileReport
from crawler.imports.streams import open_flow
from crawler.imports.wacz import list_parts
from crawler.model import GOOD_CLASSES, PageClass
from crawler.outcome import media_type_of
from crawler.rows import Origin
from crawler.warc import read_response

if TYPE_CHECKING:
    from collections.abc import Callable

    from config.settings import Settings
    from config.sources import Source
    from crawler.imports.selection import Choice, Selection
    from crawler.intake import Intake
    from crawler.leash import Leash
    from crawler.model import RecordReference
    from crawler.outcome import PageOutcome

log = structlog.get_logger()

_HTML = frozenset({"text/html", "application/xhtml+xml"})
_PAGES = GOOD_CLASSES | {PageClass.TRUNCATED}
_MAX_DEFERRED = 20_000
"""Records of a file that repeat a page that was not at hand; heads only."""
_MAX_DEFERRED_BYTES = 64 * 1024 * 1024
"""Of these."""
_HEAD_ROOM_BYTES = 1 << 20
_MOST_BAD_PARTS = 20
"""Of a WACZ; then the others are not tried."""
_WAIT_SECONDS = 0.2
_TELL_SECONDS = 0.5
NO_ARTICLE = "its page is no article"
NO_PAGE = "it is no web page"
NO_ORIGINAL = "it repeats a page that neither the archive nor this import has: import that file first"


@dataclass(frozen=True, slots=True)
class ForeignFile:
    """A file to import."""

    name: str
    """As its captures' origin has it: no folders."""
    file: BinaryIO
    zipped: bool = False
    """Whether it is a WACZ, which can be sought in."""
    part: str = ""
    """Of a WACZ: the part to go on with."""
    start: Position = BEGINNING
    begins_at: int = 0
    """How many bytes of the file lie before what `file` yields."""


class Home(Protocol):
    """What the import's parent process does for it."""

    async def open_intake(self, source: Source) -> Intake | str:
        """Return an intake of *source*, or why there is none now."""

    async def settle(self) -> None:
        """Return when all closed segments are committed and the catalog knows."""

    async def fetch_record(self, source: str, reference: RecordReference) -> bytes | None:
        """Return the gzip member of a committed response record, if it can be had."""

    def tell(self, report: FileReport, part: str, position: Position, read_bytes: int) -> None:
        """Hear how far the file is. *position*: what lies before it is in closed segments."""


@dataclass(slots=True)
class Taker:
    """Takes files in, one after another."""

    selection: Selection
    settings: Settings
    home: Home
    leash: Leash
    jobs: int
    """Pages that are in work at a time."""
    stopping: Callable[[], bool]
    intakes: dict[str, Intake] = field(default_factory=dict)
    _refused: dict[str, str] = field(default_factory=dict)
    bodies: RecentBodies = field(default_factory=RecentBodies)
    _opening: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def take(self, given: ForeignFile) -> FileReport:
        """Take in one file; return what became of it. Raises OSError if the disk refuses."""
        report = FileReport()
        try:
            if given.zipped:
                await self._take_parts(given, report)
            else:
                await _Passage(self, given, report).run()
        except RecordError as error:
            report.error = str(error)
        return report

    async def _take_parts(self, given: ForeignFile, report: FileReport) -> None:
        """Take in the parts of a WACZ; one that cannot be read costs no other. Raises RecordError, OSError."""
        parts = list_parts(given.file, first=given.part, raw=given.start.raw)
        bad = 0
        while not self.stopping() and (part := await asyncio.to_thread(next, parts, None)) is not None:
            start = given.start if part.name == given.part else BEGINNING
            name = f"{given.name}/{part.name}"
            one = ForeignFile(name, part.file, part=part.name, start=start, begins_at=part.begins_at)
            try:
                await _Passage(self, one, report).run()
            except RecordError as error:
                bad += 1
                report.error = report.error or f"{part.name}: {error}"
                if bad >= _MOST_BAD_PARTS:
                    return

    async def find_intake(self, source: Source) -> Intake:
        """Return the intake of *source*, opened when it is first needed. Raises LeftOut."""
        async with self._opening:
            if source.id in self._refused:
                raise LeftOut(self._refused[source.id])
            found = self.intakes.get(source.id)
            if found is None:
                opened = await self.home.open_intake(source)
                if isinstance(opened, str):
                    self._refused[source.id] = opened
                    raise LeftOut(opened)
                found = self.intakes[source.id] = opened
            return found

    def close_segments(self) -> None:
        """Close what is open. Raises OSError."""
        for intake in self.intakes.values():
            intake.segments.close()

    def list_open(self) -> set[str]:
        """Return the ids of segments that are open, after closing those that are old enough. Raises OSError."""
        for intake in self.intakes.values():
            intake.segments.rotate()
        found = (intake.segments.open_segment for intake in self.intakes.values())
        return {segment for segment in found if segment is not None}

    async def wait_for_leave(self) -> None:
        """Wait as long as nothing may be taken in: the spool is full, or a lease has lapsed."""
        while self.leash.held and not self.stopping():
            self.close_segments()
            await asyncio.sleep(_WAIT_SECONDS)


@dataclass(frozen=True, slots=True)
class _Page:
    """One answer on its way in."""

    number: int
    """By which the holdings know it."""
    answer: Answer
    message: Message
    choice: Choice


class _Passage:
    """One WARC file on its way in."""

    def __init__(self, taker: Taker, given: ForeignFile, report: FileReport) -> None:
        self._taker = taker
        self._given = given
        self._report = report
        self._holdings = Holdings()
        self._running: set[asyncio.Task[None]] = set()
        self._deferred: list[_Page] = []
        self._deferred_bytes = 0
        self._now = datetime.now(UTC)
        self._limit = taker.settings.max_body_bytes

    async def run(self) -> None:
        """Read the file to its end, or until the import is stopped. Raises RecordError, OSError."""
        given = self._given
        flow = await asyncio.to_thread(open_flow, given.file, start=given.start, begins_at=given.begins_at)
        limit = self._limit + _HEAD_ROOM_BYTES
        reader = AnswerReader(flow, self._taker.selection, limit=limit, software=given.start.software)
        try:
            await self._read(reader)
        finally:
            await self._drain(0)
            self._report.records += reader.records
            self._taker.close_segments()
        await self._taker.home.settle()
        if self._deferred and not self._taker.stopping():
            for page in self._deferred:
                await self._keep(page)
            self._taker.close_segments()
            await self._taker.home.settle()

    async def _read(self, reader: AnswerReader) -> None:
        told = 0.0
        while not self._taker.stopping():
            if time.monotonic() - told >= _TELL_SECONDS:
                told = time.monotonic()
                first = self._holdings.find_first(self._taker.list_open())
                self._taker.home.tell(self._report, self._given.part, first or reader.position, reader.position.raw)
            try:
                answer = await asyncio.to_thread(reader.read)
            except LeftOut as reason:
                self._report.leave_out(str(reason))
                continue
            except Fault as fault:
                self._report.note_fault(self._given.name, fault.offset, fault.reason)
                continue
            if answer is None:
                return
            await self._take(answer)

    async def _take(self, answer: Answer) -> None:
        """Have *answer* kept, now or at the end of the file, or say why not."""
        number = self._holdings.begin(answer.position)
        try:
            message = read_message(answer.record, answer.request, now=self._now, limit=self._limit)
            if message.revisits is not None:
                message = self._taker.bodies.complete(message)
            if message.revisits is None:
                self._taker.bodies.put(message)
            page = _Page(number, answer, message, _choose(self._taker.selection, message))
        except LeftOut as reason:
            self._leave_out(number, reason)
            return
        if message.revisits is not None:
            self._defer(page)
            return
        await self._drain(self._taker.jobs - 1)
        await self._taker.wait_for_leave()
        task = asyncio.create_task(self._keep(page))
        self._running.add(task)

    def _defer(self, page: _Page) -> None:
        """Let a record that repeats another wait for the end of the file, without its block, if there is room."""
        answer = replace(page.answer, record=replace(page.answer.record, block=None), request=None)
        exchange = page.message.exchange
        size = sum(map(len, (exchange.response_head, exchange.request_head, *answer.record.headers.values())))
        if len(self._deferred) >= _MAX_DEFERRED or self._deferred_bytes + size > _MAX_DEFERRED_BYTES:
            self._leave_out(page.number, LeftOut(NO_ORIGINAL))
            return
        self._deferred_bytes += size
        self._deferred.append(replace(page, answer=answer))

    async def _drain(self, most: int) -> None:
        """Wait until at most so many pages are in work. Raises what one of them raised."""
        while len(self._running) > most:
            done, self._running = await asyncio.wait(self._running, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()

    async def _keep(self, page: _Page) -> None:
        segment = None
        try:
            intake = await self._taker.find_intake(page.choice.source)
            if page.message.revisits is not None:
                page = replace(page, message=await self._find_original(page, intake))
            segment = await self._keep_page(page, intake)
        except LeftOut as reason:
            self._report.leave_out(str(reason))
        except (RecordError, ValueError) as error:
            log.info("rejected_page", url=page.message.exchange.url, error=str(error))
            self._report.leave_out("it cannot be recorded")
        finally:
            self._holdings.end(page.number, segment)

    async def _keep_page(self, page: _Page, intake: Intake) -> str | None:
        """Keep the page; return the segment that it went into, or `None` if the archive had it. Raises LeftOut."""
        answer, message, declined = page.answer, page.message, False

        def accept(outcome: PageOutcome) -> bool:
            nonlocal declined
            declined = not page.choice.matched and outcome.page_class not in _PAGES
            return not declined

        origin = Origin("imported", self._given.name, message.record[:200] or None, answer.software)
        kept = await intake.keep(message.exchange, origin, accept=accept)
        if kept is None:
            if declined:
                raise LeftOut(NO_ARTICLE)
            self._report.known += 1
            return None
        self._report.captures += 1
        self._report.snapshots += kept.outcome.snapshot is not None
        self._report.repaired.update(message.repairs)
        return kept.reference.segment

    async def _find_original(self, page: _Page, intake: Intake) -> Message:
        """Return the message of *page* with what it repeats, which is committed. Raises LeftOut if it is not."""
        message, known = page.message, intake.known
        exchange = message.exchange
        reference = known.find_record_at(*message.refers_to) if message.refers_to else None
        if reference is None and message.digest and message.digest.startswith("sha256:"):
            reference = known.find_record(exchange.url, message.digest.lower())
        if reference is None or reference.captured_at > exchange.started_at:
            raise LeftOut(NO_ORIGINAL)
        if message.revisits == UNMODIFIED:
            if reference.target_uri != exchange.url:
                raise LeftOut(NO_ORIGINAL)
            return replace(message, exchange=replace(exchange, refers_to=reference), revisits=None)
        member = await self._taker.home.fetch_record(page.choice.source.id, reference)
        if member is None:
            raise LeftOut(NO_ORIGINAL)
        body = read_response(member).body
        if not agrees(message.digest or "", body):
            raise LeftOut(NO_ORIGINAL)
        return replace(message, exchange=replace(exchange, body=body), revisits=None)

    def _leave_out(self, number: int, reason: LeftOut) -> None:
        self._holdings.end(number, None)
        self._report.leave_out(str(reason))


def _choose(selection: Selection, message: Message) -> Choice:
    """Return the source of a page, or of what says of an article's page that there is none. Raises LeftOut for others.

    Only for a page is a source made: the sites of pictures and scripts are more than those of articles.
    """
    exchange = message.exchange
    is_answered = exchange.status == 200
    if is_answered:
        media_type = media_type_of(exchange)
        if media_type is not None and media_type not in _HTML:
            raise LeftOut(NO_PAGE)
    choice = selection.find(exchange.url, make=is_answered)
    if isinstance(choice, str):
        raise LeftOut(choice)
    if not is_answered and not choice.matched:
        raise LeftOut(NO_ARTICLE)
    if exchange.status == 206:
        raise LeftOut("it is a part of a page")
    if exchange.status == 304 and message.revisits != UNMODIFIED:
        raise LeftOut(NO_ORIGINAL)
    return choice

"""Tasks → parts: reads raw records from the store, derives the pages in killable workers. The same on each machine."""

from __future__ import annotations

from collections import deque
from contextlib import closing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from config.errors import ObjectMissing, RecordError
from crawler.rows import CaptureReference, encode_row
from crawler.segment import snapshot_row
from jobs.archive.ranges import COMPACTED, fetch_dictionary, fetch_range
from jobs.rebuild.parts import Part, Without
from jobs.segments.pages import derive_pages, read_capture

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from crawler.model import Exchange
    from crawler.outcome import PageContext, PageOutcome
    from jobs.rebuild.planning import PageTask, StretchTask
    from jobs.segments.pages import DerivingLimits, RecordPlace
    from jobs.store import ObjectStore

MAX_SPAN_BYTES = 32 * 1024**2
"""So much of an object is read at once where at least half of it is wanted."""


def derive_parts(store: ObjectStore, tasks: Iterable[StretchTask], limits: DerivingLimits) -> Iterator[Part]:
    """Yield what each of *tasks* came to, in their order; the pages of several are under way.

    A record that is damaged or missing gives no text, and the part says so. Raises StoreError where the store cannot be
    read, ExtractError if no worker starts.
    """
    waiting: deque[_Open] = deque()

    def take() -> Iterator[tuple[tuple[_Open, PageTask], Exchange, PageContext]]:
        for task in tasks:
            context = limits.make_context(task.given, task.derivation)
            one = _Open(task, len(task.pages))
            waiting.append(one)
            read = _SpanReader(store, task)
            for page in task.pages:
                exchange = one.read(read, page, context)
                if exchange is not None:
                    yield (one, page), exchange, context

    with closing(derive_pages(take(), limits)) as outcomes:  # type: ignore[type-var]  # a generator
        for (one, page), outcome in outcomes:
            one.take(page, outcome)
            yield from _take_finished(waiting)
    yield from _take_finished(waiting)


@dataclass(slots=True)
class _Open:
    """A task whose pages are under way."""

    task: StretchTask
    left: int
    rows: dict[int, bytes] = field(default_factory=dict)
    without: dict[int, Without] = field(default_factory=dict)

    def read(self, read: _SpanReader, page: PageTask, context: PageContext) -> Exchange | None:
        if not page.places.serve(context):
            self._leave_out(page, "error", "was never rendered, and these rules read rendered pages")
            return None
        try:
            return read_capture(read, page.places, context)
        except (RecordError, ObjectMissing) as error:
            self._leave_out(page, "error", str(error))
            return None

    def take(self, page: PageTask, outcome: PageOutcome) -> None:
        if outcome.snapshot is None:
            reason = outcome.extraction_error or outcome.class_reason
            self._leave_out(page, outcome.page_class.value, reason, failed=outcome.extraction_error is not None)
            return
        of = CaptureReference(self.task.segment, page.n)
        row = snapshot_row(outcome.snapshot, url=page.url, captured_at=page.captured_at, of=of)
        self.rows[page.n] = encode_row(row)
        self.left -= 1

    def _leave_out(self, page: PageTask, page_class: str, reason: str, *, failed: bool = True) -> None:
        self.without[page.n] = Without(page.n, page_class, reason[:500], failed)
        self.left -= 1

    def finish(self) -> Part:
        rows = tuple(self.rows[n] for n in sorted(self.rows))
        return Part(self.task.name, rows, tuple(self.without[n] for n in sorted(self.without)))


def _take_finished(waiting: deque[_Open]) -> Iterator[Part]:
    while waiting and waiting[0].left == 0:
        yield waiting.popleft().finish()


class _SpanReader:
    """Hands out records, those of the task's own segment by one request where they lie close together."""

    def __init__(self, store: ObjectStore, task: StretchTask) -> None:
        self._store = store
        self._data = b""
        own = [page.places.record for page in task.pages]
        own += [page.places.rendered for page in task.pages if page.places.rendered is not None]
        self._key = own[0].key
        own = [place for place in own if place.key == self._key]
        self._start = min(place.offset for place in own)
        size = max(place.offset + place.length for place in own) - self._start
        wanted = sum(place.length for place in own)
        self._size = size if len(own) > 1 and size <= MAX_SPAN_BYTES and wanted * 2 >= size else 0

    def __call__(self, place: RecordPlace) -> bytes:
        start = place.offset - self._start
        if place.key != self._key or not 0 <= start <= start + place.length <= self._size:
            return fetch_range(self._store, place.key, place.offset, place.length)
        if not self._data:
            self._data = self._store.get(self._key, offset=self._start, length=self._size)
        needed = fetch_dictionary(self._store, place.key) if place.key.endswith(COMPACTED) else b""
        return needed + self._data[start : start + place.length]

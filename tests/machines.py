"""Writes logs of many commits quickly: segments of rows alone, through the code that real ones are committed with."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from crawler.rows import (
    CaptureReference,
    CaptureRow,
    EndRow,
    Extent,
    RunRow,
    SegmentRow,
    SlotRow,
    SnapshotRow,
    WarcPlace,
    encode_row,
)
from crawler.warc import encode_facts
from jobs.archive.adoption import draft_decision
from jobs.archive.commit import Commit, CommittedFile, RowsPlace, StoredCommit, digest, warc_key
from jobs.archive.log import Log
from jobs.checkpoint.restoring import refresh_catalog
from jobs.checkpoint.writing import sum_up

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from crawler.rows import Row
    from jobs.archive.identity import ArchiveInfo
    from jobs.catalog import Catalog
    from jobs.store import ObjectStore, Retention, StoredObject, StoredVersion

SOURCE = "gazette"
RULES = "of these tests"
"""By which listings are settled."""
START = datetime(2026, 11, 22, 12, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Look:
    """One look at a page. Its text is *words* as each derivation sees them."""

    path: str
    words: str | None = "one"
    """`None`: no text."""
    status: int | None = 200
    purpose: str = "article"
    minutes: int = 0
    """After the segment was opened; may be negative: a fact that comes late."""
    derivation: str = "a"
    also: tuple[str, ...] = ()
    """Derivations in which this capture is derived again in the same commit."""
    revisit_of: CaptureReference | None = None
    fields: dict[str, Any] = field(default_factory=dict)
    without: str = "error"
    """The class of an article's capture that has no text."""
    redirect: str | None = None

    @property
    def url(self) -> str:
        return f"https://gazette.example/{self.path}"


@dataclass(frozen=True, slots=True)
class Again:
    """An earlier capture, derived again."""

    row: CaptureRow
    segment: str
    words: str
    derivation: str


def meaning_of(name: str) -> dict[str, Any]:
    return {"extractor": {"name": name, "version": "1"}}


def derivation_of(name: str) -> str:
    return digest(f'{{"extractor":{{"name":"{name}","version":"1"}}}}'.encode())


def make_rows(
    segment: str,
    run: str,
    looks: Iterable[Look],
    again: Iterable[Again],
    opened: datetime,
    epoch: int = 0,
    source: str = SOURCE,
) -> tuple[list[Row], dict[str, Any]]:
    """Return the rows of a segment, and the derivations in it."""
    used: set[str] = set()
    rows: list[Row] = []
    captures = snapshots = 0
    for n, look in enumerate(looks):
        captured_at = opened + timedelta(minutes=look.minutes, microseconds=n)
        rows.append(_make_capture(n, look, captured_at))
        captures += 1
        if look.words is not None:
            row = _make_snapshot(look.url, captured_at, look.words, look.derivation, look.fields)
            rows.append(replace(row, n=n))
            snapshots += 1
            used.add(look.derivation)
            for other in look.also:
                of = CaptureReference(segment, n)
                rows.append(replace(_make_snapshot(look.url, captured_at, look.words, other, {}), of=of))
                used.add(other)
    for one in again:
        row = _make_snapshot(one.row.url, one.row.captured_at, one.words, one.derivation, {})
        rows.append(replace(row, of=CaptureReference(one.segment, one.row.n)))
        used.add(one.derivation)
    closed = opened + timedelta(minutes=1)
    meanings = {derivation_of(name): meaning_of(name) for name in sorted(used)}
    rows.insert(0, SegmentRow(source, run, segment, opened, "ofrecord/test", derivations=meanings, epoch=epoch))
    settled = [row.target_uri for row in rows if isinstance(row, CaptureRow) and row.purpose == "feed"]
    discovery = [{"url": "feed", "settled": {"rules": RULES, "urls": settled[::2]}}]
    rows.append(RunRow(run, "job", opened, closed, "finished", discovery=discovery))
    counts = {"captures": captures, "snapshots": snapshots}
    rows.append(EndRow(closed=closed, counts=counts, warc_records=1, warc_bytes=0))
    return rows, meanings


class Machine:
    """One that commits to the log of one source: a catalog and the code that a crawl commits with."""

    def __init__(
        self, store: ObjectStore, info: ArchiveInfo, catalog: Catalog, *, sums_up: bool = True, source: str = SOURCE
    ) -> None:
        self.store = store
        self.source = source
        self.log = Log(store, info, source)
        self.catalog = catalog
        self._sums_up = sums_up

    def prepare(self) -> None:
        """Bring the catalog as far as a crawl needs it."""
        refresh_catalog(self.catalog, self.store, self.log, full=False)

    def commit(
        self,
        looks: Iterable[Look] = (),
        again: Iterable[Again] = (),
        *,
        number: int,
        run: str | None = None,
        opened: datetime | None = None,
        epoch: int = 0,
        releases: bool = False,
        slots: Iterable[SlotRow] = (),
    ) -> StoredCommit:
        """Put a segment, *number* by its id, and commit it; put before it what is due."""
        opened = opened or START + timedelta(minutes=30 * number)
        segment = f"{self.source}-{opened:%Y%m%dT%H%M%SZ}-{number:016x}"
        rows, derivations = make_rows(segment, run or segment, looks, again, opened, epoch, self.source)
        rows[-2:-2] = slots
        data = b"".join(encode_facts((encode_row(row) for row in rows), segment=segment, date=opened))
        key = warc_key(self.source, opened, segment)
        self.store.create(key, data, sha256=digest(data))
        place = RowsPlace(key, 0, len(data), digest(data), len(rows))
        draft = Commit(
            self.source,
            "segment",
            opened,
            self.log.archive,
            id=f"{number:032x}",
            segment=segment,
            run=run or segment,
            files=(CommittedFile(key, len(data), digest(data), 1),),
            rows=place,
            epoch=epoch,
            releases=releases,
            opened=opened,
            closed=opened + timedelta(minutes=1),
            derivations=derivations,
        )
        return self.append(draft)

    def adopt(self, name: str, *, number: int) -> StoredCommit:
        """Let the derivation of that name decide from now on."""
        now = START + timedelta(minutes=30 * number)
        draft = Commit(self.source, "adopt", now, self.log.archive, id=f"{number:032x}")
        return self.append(draft_decision(draft, {derivation_of(name): meaning_of(name)}))

    def append(self, draft: Commit) -> StoredCommit:
        """Commit *draft*, and put before it what is due."""
        if self._sums_up:
            draft = replace(draft, **sum_up(self.catalog, self.store, self.log))
        after, head = self.catalog.head(self.source)
        stored, others = self.log.append(draft, after=after, head=head)
        for one in [*others, stored]:
            self.catalog.add_commit(self.store, one)
        return stored


class CountingStore:
    """A store that notes what it is asked for: each line is one request, a listing one for every 1,000 keys."""

    def __init__(self, store: ObjectStore) -> None:
        self.store = store
        self.url = store.url
        self.place = store.place
        self.asked: list[str] = []

    @property
    def requests(self) -> Counter[str]:
        return self.store.requests

    @property
    def retries(self) -> int:
        return self.store.retries

    def create(self, key: str, data: bytes | Path, *, sha256: str) -> StoredObject:
        self.asked.append(f"PUT {key}")
        return self.store.create(key, data, sha256=sha256)

    def rewrite(self, key: str, data: bytes, *, media_type: str) -> None:
        self.asked.append(f"PUT {key}")
        self.store.rewrite(key, data, media_type=media_type)

    def get(self, key: str, *, offset: int = 0, length: int | None = None) -> bytes:
        self.asked.append(f"GET {key}")
        return self.store.get(key, offset=offset, length=length)

    def fetch(self, key: str, target: Path) -> None:
        self.asked.append(f"GET {key}")
        self.store.fetch(key, target)

    def stat(self, key: str) -> StoredObject:
        self.asked.append(f"HEAD {key}")
        return self.store.stat(key)

    def read_retention(self, key: str, *, version: str = "") -> Retention | None:
        self.asked.append(f"RETENTION {key}")
        return self.store.read_retention(key, version=version)

    def probe_lock(self) -> None:
        self.store.probe_lock()

    def list(self, prefix: str, *, after: str = "") -> Iterator[StoredObject]:
        self.asked.append(f"LIST {prefix} after {after}")
        for number, item in enumerate(self.store.list(prefix, after=after), 1):
            if number % 1_000 == 1 and number > 1:
                self.asked.append(f"LIST {prefix} on")
            yield item

    def folders(self, prefix: str) -> tuple[str, ...]:
        self.asked.append(f"LIST {prefix} folders")
        return self.store.folders(prefix)

    def delete(self, key: str) -> None:
        self.asked.append(f"DELETE {key}")
        self.store.delete(key)

    def list_versions(self, prefix: str) -> Iterator[StoredVersion]:
        self.asked.append(f"LIST {prefix} versions")
        return self.store.list_versions(prefix)

    def purge(self, key: str, *, keep_newest: bool = False, bypass: bool = False) -> int:
        self.asked.append(f"PURGE {key}")
        return self.store.purge(key, keep_newest=keep_newest, bypass=bypass)

    def read_clock(self) -> datetime | None:
        return self.store.read_clock()

    def close(self) -> None:
        self.store.close()


def fold_log(catalog: Catalog, store: ObjectStore, info: ArchiveInfo) -> dict[str, list[tuple[Any, ...]]]:
    """Fold the whole log commit by commit, and return the catalog's tables."""
    catalog.refresh(store, Log(store, info, SOURCE))
    return catalog.dump()


def _make_capture(n: int, look: Look, captured_at: datetime) -> CaptureRow:
    good = look.words is not None and look.status == 200
    body = digest(f"{look.path} {look.words} {look.status}".encode())
    place = WarcPlace(None, Extent(100 + n, 50)) if look.status else None
    return CaptureRow(
        n=n,
        url=look.url,
        target_uri=look.url,
        captured_at=captured_at,
        purpose=look.purpose,
        page_class=("article" if good else look.without) if look.purpose == "article" else "listing",
        class_reason="test",
        status=look.status,
        payload_digest=body if look.status else None,
        size_bytes=7,
        etag=f'"{body[-8:]}"' if look.status == 200 else None,
        error=None if look.status else "no answer",
        warc=place,
        revisit_of=look.revisit_of,
        redirect=look.redirect,
        not_modified=1 if look.status == 304 and look.revisit_of is not None else None,
    )


def _make_snapshot(url: str, captured_at: datetime, words: str, derivation: str, fields: dict[str, Any]) -> SnapshotRow:
    text = f"{words}\nas {derivation if words.startswith('*') else 'all'} see it"
    return SnapshotRow(
        url=url,
        captured_at=captured_at,
        derivation=derivation_of(derivation),
        text=text,
        text_digest=digest(text.encode()),
        page_class="article",
        class_reason="test",
        title=words.partition("\n")[0][:60],
        fields=fields,
        confidence=0.5,
    )

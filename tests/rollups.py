"""Makes archives of several sources and days with our own code, for tests of the tables, and reads tables back."""

from __future__ import annotations

import hashlib
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow.parquet as pq

from config.settings import Settings
from crawler.model import Exchange, Purpose
from crawler.rows import CaptureReference, CaptureRow, LinkRow, Origin, SnapshotRow
from crawler.segment import SegmentWriter
from crawler.warc import NOTHING_RECORDED, encode_exchange
from jobs.archive.commit import digest
from jobs.archive.identity import create_archive, read_info
from jobs.archive.log import Log
from jobs.catalog import Catalog
from jobs.context import OpenArchive
from jobs.segments.seal import seal_segment
from jobs.segments.upload import upload_segment
from jobs.tables import BuildReport, build_tables, read_newest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from jobs.archive.commit import Commit
    from jobs.store import ObjectStore
    from jobs.tables import Manifest
    from jobs.tables.plan import Runner

DAY_1 = datetime(2026, 11, 20, 12, tzinfo=UTC)
DAY_2 = DAY_1 + timedelta(days=1)
DAY_3 = DAY_1 + timedelta(days=2)
DERIVATION = digest(b"{}")
OTHER_DERIVATION = digest(b'{"extractor":{"name":"later"}}')


@dataclass(frozen=True, slots=True)
class Seen:
    """One page as a crawl saw it."""

    path: str
    words: str | None = "It rains."
    """`None`: a page of no text."""
    at: datetime = DAY_1
    status: int = 200
    fields: dict[str, Any] = field(default_factory=dict)
    title: str | None = "Rain"
    derivation: str = DERIVATION
    origin: Origin | None = None


@dataclass(frozen=True, slots=True)
class Again:
    """A text that was derived again of an earlier capture."""

    segment: str
    n: int
    seen: Seen
    words: str


class Newsstand:
    """An archive that crawls write to, without a crawl."""

    def __init__(self, store: ObjectStore, folder: Path) -> None:
        self.store = store
        self.folder = folder
        create_archive(store, single_writer=False, now=DAY_1)
        self.info = read_info(store)

    def crawl(
        self,
        *pages: Seen,
        source: str = "gazette",
        links: tuple[LinkRow, ...] = (),
        again: tuple[Again, ...] = (),
        committed: datetime | None = None,
    ) -> Commit:
        """Commit one segment of *pages*, and return the commit."""
        times = [page.at for page in pages] + [link.found_at for link in links]
        now = committed or max(times, default=DAY_1)
        run = f"{source}-{now:%Y%m%dT%H%M%SZ}-{hashlib.sha256(repr((pages, links, again)).encode()).hexdigest()[:16]}"
        writer = SegmentWriter.open(
            self.folder / source, source=source, run=run, archive=self.info.archive, writer="ofrecord/test", now=now
        )
        for page in pages:
            self._append(writer, source, page)
        for link in links:
            writer.add(link)
        for one in again:
            row = make_snapshot_row(source, one.seen, one.words, OTHER_DERIVATION)
            writer.add(SnapshotRow(**{**row, "of": CaptureReference(one.segment, one.n)}))
        sealed = seal_segment(writer.close(now + timedelta(seconds=1)), now=now)
        after, head = 0, ""
        last = Log(self.store, self.info, source).find_end()
        if last is not None:
            after, head = last.commit.seq, last.digest
        return upload_segment(self.store, self.info, sealed, after=after, head=head)[0].commit

    @contextmanager
    def open(self, state: Path | None = None) -> Iterator[OpenArchive]:
        """Open the archive, with a catalog of its own where no *state* is named."""
        place = state or self.folder / f"state-{len(list(self.folder.iterdir()))}"
        place.mkdir(parents=True, exist_ok=True)
        with Catalog.open(place / "catalog.sqlite") as catalog:
            yield OpenArchive(self.store, self.info, Settings(), place, catalog)

    def build(self, runner: Runner | None = None, *, since: str | None = None) -> BuildReport:
        """Build the tables with an empty catalog."""
        with self.open() as archive:
            return build_tables(archive, runner, since=since)

    def manifest(self) -> Manifest:
        """Return the newest manifest."""
        stored = read_newest(self.store, self.info)
        assert stored is not None
        return stored.manifest

    def read(self, table: str, day: datetime | str, manifest: Manifest | None = None) -> list[dict[str, Any]]:
        """Return the rows of a table and day, by a manifest."""
        name = day if isinstance(day, str) else f"{day:%Y-%m-%d}"
        rows = []
        for file in (manifest or self.manifest()).files:
            if (file.table, file.day) == (table, name):
                path = self.folder / "read.parquet"
                path.unlink(missing_ok=True)
                self.store.fetch(file.key, path)
                rows += pq.read_table(path).to_pylist()
        return rows

    def contents(self) -> dict[str, str]:
        """Return key → digest of all that the newest manifest lists, read from the store."""
        return {file.key: digest(self.store.get(file.key)) for file in self.manifest().files}

    def _append(self, writer: SegmentWriter, source: str, page: Seen) -> None:
        url = url_of(source, page.path)
        body = f"<h1>{page.title}</h1><p>{page.words}</p>".encode()
        recorded = NOTHING_RECORDED
        if page.status in range(100, 600):
            head = f"GET {page.path} HTTP/1.1\r\nHost: {source}.example\r\n\r\n".encode()
            answer = f"HTTP/1.1 {page.status} OK\r\nContent-Type: text/html\r\n\r\n".encode()
            exchange = Exchange(url, Purpose.ARTICLE, page.at, 0.25, head, page.status, answer, body, peer="192.0.2.7")
            recorded = encode_exchange(exchange, warcinfo_id=writer.warcinfo_id)
        row = CaptureRow(
            n=0,
            url=url,
            target_uri=url,
            captured_at=page.at,
            purpose="article",
            page_class="article" if page.words is not None else "error",
            class_reason="test",
            via=f"https://{source}.example/",
            status=page.status,
            media_type="text/html",
            payload_digest=recorded.payload_digest,
            size_bytes=len(body),
            seconds=0.25,
            directives=["noai"],
            origin=page.origin,
        )
        number = writer.append(row, recorded)
        if page.words is not None:
            writer.add(SnapshotRow(**{**make_snapshot_row(source, page, page.words, page.derivation), "n": number}))


def make_snapshot_row(source: str, page: Seen, words: str, derivation: str) -> dict[str, Any]:
    """Return the members of a snapshot row but for the capture it is of."""
    text = f"{page.title}\n{words}"
    return {
        "url": url_of(source, page.path),
        "captured_at": page.at,
        "derivation": derivation,
        "text": text,
        "text_digest": digest(text.encode()),
        "page_class": "article",
        "class_reason": "test",
        "title": page.title,
        "fields": page.fields,
        "confidence": 0.5,
    }


def url_of(source: str, path: str) -> str:
    """Return the URL of a page."""
    return f"https://{source}.example{path}"


def link_to(path: str, at: datetime, *, source: str = "gazette", **announced: Any) -> LinkRow:
    """Return a link that a crawl found."""
    return LinkRow(url=url_of(source, path), via=f"https://{source}.example/", found_at=at, **announced)


def count_files(manifest: Manifest) -> Counter[str]:
    """Return day → number of files."""
    return Counter(file.day for file in manifest.files)

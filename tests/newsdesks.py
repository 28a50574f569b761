"""Weeks of runs of one source in moments: commits what its pages came to, by the code that real runs commit with."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from crawler.rows import CaptureRow, EndRow, Extent, RunRow, SegmentRow, SnapshotRow, WarcPlace, encode_row, format_time
from crawler.warc import encode_facts
from jobs.archive.commit import Commit, CommittedFile, RowsPlace, digest, warc_key
from tests.machines import SOURCE, Machine, derivation_of, meaning_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from crawler.rows import Certificate, Row
    from jobs.archive.identity import ArchiveInfo
    from jobs.catalog import Catalog
    from jobs.store import ObjectStore

HOST = "https://gazette.example"
FEED = f"{HOST}/rss.xml"
ROBOTS = f"{HOST}/robots.txt"
TEXTS = frozenset({"article", "live", "video", "gallery", "infograph", "truncated"})
FIELDS = ("published", "authors", "section")


@dataclass(frozen=True, slots=True)
class Seen:
    """What became of a request for a page, or of one for something else."""

    path: str
    page_class: str = "article"
    status: int | None = 200
    error: str | None = None
    reason: str = "test"
    purpose: str = "article"
    redirect: str | None = None
    fields: tuple[str, ...] = FIELDS
    """Which the page has, of these; and a title."""
    title: bool = True
    wait: timedelta = timedelta(minutes=20)
    """From its publication."""
    letters: int = 3_000
    payload: str = ""
    also: Mapping[str, Any] = field(default_factory=dict)
    """More fields, as a row has them."""

    @property
    def url(self) -> str:
        return self.path if self.path.startswith("http") else f"{HOST}/{self.path}"


def feed(status: int | None = 200, **changes: Any) -> Seen:
    """Return what became of the feed."""
    page_class = "listing" if status == 200 else "error"
    return replace(Seen(FEED, page_class, status, purpose="feed"), **changes)


def rules(text: str = "all", status: int | None = 200, **changes: Any) -> Seen:
    """Return what became of robots.txt, whose text is *text*."""
    page_class = "listing" if status == 200 else "error"
    return replace(Seen(ROBOTS, page_class, status, purpose="robots", payload=text), **changes)


class Newsdesk:
    """The log of one source, run by run."""

    def __init__(self, store: ObjectStore, info: ArchiveInfo, catalog: Catalog, *, sums_up: bool = False) -> None:
        self.machine = Machine(store, info, catalog, sums_up=sums_up)
        self.number = 0

    def run(
        self,
        at: datetime,
        pages: Iterable[Seen] = (),
        *,
        others: Iterable[Seen] | None = None,
        seeds: Mapping[str, str | None] | None = None,
        certificates: Mapping[str, Certificate] | None = None,
        trigger: str = "daemon",
        row: bool = True,
    ) -> str:
        """Commit a run that began at *at*; return its id. *others*: robots.txt and listings. *row*: it ended well."""
        self.number += 1
        run = f"{SOURCE}-{at:%Y%m%dT%H%M%SZ}-{self.number:016x}"
        rows: list[Row] = [
            SegmentRow(SOURCE, run, run, at, "ofrecord/test", derivations={derivation_of("a"): meaning_of("a")})
        ]
        listed = [rules(), feed()] if others is None else list(others)
        for n, seen in enumerate([*listed, *pages]):
            rows += _make_rows(n, seen, at + timedelta(seconds=n))
        ended = at + timedelta(minutes=1)
        if row:
            told = {FEED: None} if seeds is None else seeds
            discovery = [{"url": url, "purpose": "feed", "links": 0, "error": error} for url, error in told.items()]
            counts = {"articles": len(rows)}
            rows.append(
                RunRow(
                    run, trigger, at, ended, "finished", counts, discovery, at, certificates=dict(certificates or {})
                )
            )
        rows.append(EndRow(closed=ended, counts={"captures": len(rows)}, warc_records=1, warc_bytes=0))
        self._commit(run, at, rows)
        return run

    def _commit(self, run: str, at: datetime, rows: list[Row]) -> None:
        data = b"".join(encode_facts((encode_row(row) for row in rows), segment=run, date=at))
        key = warc_key(SOURCE, at, run)
        self.machine.store.create(key, data, sha256=digest(data))
        place = RowsPlace(key, 0, len(data), digest(data), len(rows))
        self.machine.append(
            Commit(
                SOURCE,
                "segment",
                at,
                self.machine.log.archive,
                id=f"{self.number:032x}",
                segment=run,
                run=run,
                files=(CommittedFile(key, len(data), digest(data), 1),),
                rows=place,
                opened=at,
                closed=at + timedelta(minutes=1),
                derivations={derivation_of("a"): meaning_of("a")},
            )
        )


def _make_rows(n: int, seen: Seen, at: datetime) -> list[Row]:
    capture = CaptureRow(
        n=n,
        url=seen.url,
        target_uri=seen.url,
        captured_at=at,
        purpose=seen.purpose,
        page_class=seen.page_class,
        class_reason=seen.reason,
        status=seen.status,
        payload_digest=digest(f"{seen.url} {seen.payload}".encode()) if seen.status else None,
        redirect=seen.redirect,
        error=seen.error,
        warc=WarcPlace(None, Extent(100 + n, 50)) if seen.status else None,
    )
    if seen.purpose != "article" or seen.page_class not in TEXTS or seen.status != 200:
        return [capture]
    values: dict[str, Any] = {"published": format_time(at - seen.wait), "authors": ["A. Writer"], "section": "Town"}
    fields: dict[str, Any] = {name: {"value": values[name], "from": "meta"} for name in seen.fields}
    text = f"{seen.url}\n" + "x" * seen.letters
    snapshot = SnapshotRow(
        url=seen.url,
        captured_at=at,
        derivation=derivation_of("a"),
        text=text,
        text_digest=digest(text.encode()),
        page_class=seen.page_class,
        class_reason="test",
        n=n,
        title="A headline" if seen.title else None,
        fields={**fields, **seen.also},
        confidence=0.5,
    )
    return [capture, snapshot]

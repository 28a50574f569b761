"""Archives that grow as crawls would make them: real pages, real texts, revisits, TLS, several sources; seeded."""

from __future__ import annotations

import gzip
import random
import secrets
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

from config.rules import ExtractRules
from crawler.derivation import derive
from crawler.model import Exchange, Purpose, RecordReference, TlsSession
from crawler.outcome import PageContext
from crawler.rows import CaptureReference, CaptureRow, LinkRow, RunRow
from crawler.segment import snapshot_row
from crawler.urls import normalise_url
from crawler.warc import digest_bytes
from crawler.workers.task import process_page
from jobs.archive.commit import digest
from jobs.archive.identity import create_archive, read_info
from jobs.segments.seal import seal_segment
from jobs.segments.upload import upload_segment
from jobs.store.memory import MemoryStore
from tests.archives import NOON, SOURCE, append_commit, commit_keys, make_pack, open_segment, put, rechain
from tests.site.pages import State, answer, list_urls

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from crawler.derivation import Derivation
    from crawler.outcome import PageOutcome
    from crawler.rows import SnapshotRow
    from jobs.archive.commit import StoredCommit

MAX_BODY_BYTES = 16 * 1024 * 1024
PACK_EVERY = 2
"""Commits in a pack of a random archive: who checks one must be told, since packs have 1,000."""
SOURCES = (SOURCE, "herald", "post-1")
TLS = TlsSession("TLSv1.3", "TLS_AES_256_GCM_SHA384", "sha256:" + "ab" * 32)


@dataclass(frozen=True, slots=True)
class Kept:
    """A capture that is committed, and what it was made from."""

    source: str
    place: CaptureReference
    exchange: Exchange
    row: CaptureRow
    language: str | None
    """What its text was derived with."""
    recorded: bool
    has_text: bool


@cache
def site_pages() -> dict[str, bytes]:
    """Return URL → body of every web page of the test site."""
    pages = {}
    for url in list_urls():
        found = answer(urlsplit(url).netloc, urlsplit(url).path, State())
        if found.media_type.startswith("text/html"):
            pages[url] = found.body
    return pages


def make_exchange(
    url: str, at: datetime, body: bytes | None = None, *, gzipped: bool = False, **fields: Any
) -> Exchange:
    """Return what a crawl would have seen of *url*: the site's page or *body*, status 200, over TLS."""
    body = site_pages()[url] if body is None else body
    body = gzip.compress(body, mtime=0) if gzipped else body
    status = fields.get("status", 200)
    head = [f"HTTP/1.1 {status} Said", "Content-Type: text/html; charset=utf-8", f'ETag: "{len(body)}"']
    head += ["Content-Encoding: gzip"] if gzipped else []
    head += ["Last-Modified: Mon, 06 Nov 2023 14:21:00 GMT", "X-Odd:  two  spaces ", "", ""]
    values: dict[str, Any] = {
        "url": url,
        "purpose": Purpose.ARTICLE,
        "started_at": at,
        "seconds": 0.25,
        "request_head": f"GET {urlsplit(url).path or '/'} HTTP/1.1\r\nHost: {urlsplit(url).netloc}\r\n\r\n".encode(),
        "status": 200,
        "response_head": "\r\n".join(head).encode(),
        "body": body,
        "peer": "192.0.2.7",
        "tls": TLS,
    }
    if fields.get("status", 200) is None:
        values |= {"response_head": b"", "body": b"", "peer": None, "tls": None, "error": "no answer: time-out"}
    return Exchange(**{**values, **fields})


@dataclass(slots=True)
class Growing:
    """An archive in the making."""

    folder: Path
    store: MemoryStore = field(default_factory=MemoryStore)
    now: datetime = NOON
    kept: list[Kept] = field(default_factory=list)
    _last: dict[str, StoredCommit] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Make it exist."""
        create_archive(self.store, single_writer=False, now=NOON)

    def refer(self, exchange: Exchange, source: str = SOURCE) -> Exchange:
        """Return *exchange*, referring to the committed record that holds its payload, if there is one."""
        wanted = None if exchange.status == 304 else digest_bytes(exchange.body)
        for one in reversed(self.kept):
            whole = one.recorded and one.row.revisit_of is None and one.row.truncated is None
            if one.source != source or one.exchange.url != exchange.url or not whole:
                continue
            if one.row.payload_digest == wanted or (wanted is None and one.row.status == 200):
                found = RecordReference(one.exchange.url, one.exchange.started_at, one.place.segment, one.place.n)
                return replace(exchange, refers_to=found)
        return exchange

    def add_segment(
        self,
        exchanges: list[Exchange],
        *,
        source: str = SOURCE,
        language: str | None = None,
        derived: tuple[SnapshotRow, ...] = (),
        obey_noarchive: bool = False,
        edit: Callable[[CaptureRow], CaptureRow] = lambda row: row,
        epoch: int = 0,
        render: str | None = None,
        **commit: Any,
    ) -> StoredCommit:
        """Write, seal and commit a segment of *exchanges*. *edit*: last word on each capture row."""
        info = read_info(self.store)
        derivation = derive_of(language, render)
        self.now += timedelta(hours=1)
        run = f"{source}-{self.now:%Y%m%dT%H%M%SZ}-0123456789abcdef"
        writer = open_segment(
            self.folder,
            source=source,
            run=run,
            archive=info.archive,
            now=self.now,
            derivation=derivation,
            epoch=epoch,
        )
        fresh = []
        for exchange in exchanges:
            outcome = process_page(exchange, make_context(language, obey_noarchive=obey_noarchive, render=render))
            row = edit(make_row(exchange, outcome))
            n = writer.append(row, outcome.recorded, outcome.snapshot)
            place = CaptureReference(writer.segment, n)
            recorded, has_text = bool(outcome.recorded.data), outcome.snapshot is not None
            fresh.append(Kept(source, place, exchange, row, language, recorded, has_text))
        writer.add(LinkRow(url=f"https://{source}.example/later", via=f"https://{source}.example/", found_at=self.now))
        writer.add(RunRow(run=run, trigger="crawl", started=self.now, finished=self.now, reason="finished"))
        sealed = seal_segment(writer.close(self.now), now=self.now, derived=derived)
        sealed = replace(sealed, draft=replace(sealed.draft, **commit))
        after = self._last.get(source)
        stored, _ = upload_segment(
            self.store, info, sealed, after=after.commit.seq if after else 0, head=after.digest if after else ""
        )
        self._last[source] = stored
        self.kept += fresh
        return stored

    def add_commit(self, source: str = SOURCE, **fields: Any) -> StoredCommit:
        """Put a commit without a segment at the end of a log."""
        self._last[source] = append_commit(self.store, source=source, **fields)
        return self._last[source]

    def derive_again(self, one: Kept, language: str | None) -> SnapshotRow | None:
        """Return the snapshot row that another derivation makes of a capture, if it makes one."""
        outcome = process_page(one.exchange, make_context(language))
        if outcome.snapshot is None:
            return None
        return snapshot_row(outcome.snapshot, url=one.row.url, captured_at=one.row.captured_at, of=one.place)

    def seq(self, source: str = SOURCE) -> int:
        """Return how many commits a log has."""
        return self._last[source].commit.seq if source in self._last else 0


def derive_of(language: str | None, render: str | None = None) -> Derivation:
    """Return the derivation of a source without rules."""
    return derive(ExtractRules(), timezone=None, language=language, render=render)


def make_context(language: str | None, *, obey_noarchive: bool = False, render: str | None = None) -> PageContext:
    """Return the context of a crawl of a source without rules."""
    return PageContext(
        rules=ExtractRules(),
        timezone=None,
        language=language,
        derivation=derive_of(language, render).digest,
        max_inflated_bytes=MAX_BODY_BYTES,
        obey_noarchive=obey_noarchive,
        render=render,
    )


def make_row(exchange: Exchange, outcome: PageOutcome) -> CaptureRow:
    """Return the capture row that a crawl writes for *exchange*."""
    referred = exchange.refers_to
    withheld = outcome.withheld
    return CaptureRow(
        n=0,
        url=normalise_url(exchange.url),
        target_uri=exchange.url,
        captured_at=exchange.started_at,
        purpose=exchange.purpose.value,
        page_class=outcome.page_class.value,
        class_reason=outcome.class_reason,
        via="https://gazette.example/",
        status=exchange.status,
        media_type=outcome.media_type,
        payload_digest=outcome.recorded.payload_digest,
        size_bytes=0 if withheld else len(exchange.body),
        seconds=exchange.seconds,
        peer=exchange.peer,
        redirect=outcome.redirect,
        etag=exchange.header("ETag"),
        last_modified=exchange.header("Last-Modified"),
        truncated="unspecified" if withheld else exchange.truncated,
        error=exchange.error,
        extraction_error=outcome.extraction_error,
        revisit_of=None if referred is None or withheld else CaptureReference(referred.segment, referred.n),
        directives=list(outcome.directives),
        hint="new",
    )


def build_revisited(folder: Path) -> Growing:
    """Return an archive of three segments: pages, then the same pages again as revisits and a 304, then a third time.

    Captures: 0 and 1 articles, 2 a listing; in segments 2 and 3 revisits of those of segment 1.
    """
    growing = Growing(folder)
    articles = [url for url in site_pages() if "library" in url or "rain" in url]
    pages = [*articles[:2], "https://espanol.almayadeen.net/"]
    growing.add_segment([make_exchange(url, NOON + timedelta(seconds=n)) for n, url in enumerate(pages)])
    for hours in (1, 2):
        at = NOON + timedelta(hours=hours, microseconds=125_000)
        again = [make_exchange(url, at + timedelta(seconds=n)) for n, url in enumerate(pages[:2])]
        again.append(make_exchange(pages[2], at + timedelta(seconds=9), b"", status=304))
        growing.add_segment([growing.refer(one) for one in again])
    return growing


def build_random(folder: Path, seed: int) -> MemoryStore:
    """Return a sound archive that *seed* decides, to the last byte."""
    rng = random.Random(seed)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(secrets, "token_hex", lambda size: rng.randbytes(size).hex())  # ids are of random digits
        patch.setattr("crawler.warc.facts.BLOCK_BYTES", rng.choice((1, 1_000, 20_000, 4 << 20)))
        growing = Growing(folder)
        for source in SOURCES[: rng.choice((1, 1, 2, 3))]:
            for _ in range(rng.randint(1, 4)):
                _grow(growing, source, rng)
    clock = {"committed": growing.now, "clock_skew_seconds": 0.0}  # the uploader asks the real one
    rechain(growing.store, dict.fromkeys(commit_keys(growing.store), clock))
    return growing.store


def _grow(growing: Growing, source: str, rng: random.Random) -> None:
    """Add a commit of a kind that *rng* chooses to the log of *source*; mostly a segment."""
    kind = rng.random()
    epoch = rng.choice((0, 0, 1, 2))
    if kind < 0.1 and growing.seq(source):
        growing.add_commit(source, kind="ledger", epoch=epoch)
    elif kind < 0.2 and growing.seq(source):
        key = f"checkpoint/{source}/{growing.seq(source):012d}"
        data = rng.randbytes(50)
        put(growing.store, key, data)
        named = {"key": key, "size_bytes": len(data), "sha256": digest(data), "seq": growing.seq(source)}
        growing.add_commit(source, kind="ledger", checkpoint=named)
    language = rng.choice((None, "en", "ar"))
    at = growing.now + timedelta(minutes=rng.randint(1, 50), microseconds=rng.choice((0, 1, 125_000)))
    exchanges = []
    for number in range(rng.randint(0, 6)):
        exchange = _pick_exchange(rng, at + timedelta(seconds=number))
        wants = exchange.truncated is None and exchange.status in (200, 304) and rng.random() < 0.8
        exchanges.append(growing.refer(exchange, source) if wants else exchange)
    growing.add_segment(
        exchanges,
        source=source,
        language=language,
        derived=_pick_derived(growing, source, language, rng),
        obey_noarchive=rng.random() < 0.5,
        epoch=epoch,
        kind=rng.choice(("segment", "segment", "segment", "adopt")),
        releases=epoch > 0 and rng.random() < 0.2,
    )
    if growing.seq(source) % PACK_EVERY == 0:
        last = growing.seq(source)
        growing.add_commit(source, kind="pack", pack=make_pack(growing.store, source, last - PACK_EVERY + 1, last))


def _pick_exchange(rng: random.Random, at: datetime) -> Exchange:
    url = rng.choice(sorted(site_pages(), key=lambda url: -len(site_pages()[url]))[:12])  # mostly articles
    tls = rng.choice((TLS, TLS, None))
    kind = rng.random()
    if kind < 0.5:
        return make_exchange(url, at, tls=tls, gzipped=rng.random() < 0.4, via_proxy=rng.random() < 0.1)
    if kind < 0.65:
        return make_exchange(url, at, b"", status=304, tls=tls)
    if kind < 0.72:
        return make_exchange(url, at, status=None)
    if kind < 0.8:
        cut = rng.choice(("length", "time", "disconnect"))
        return make_exchange(url, at, site_pages()[url][: rng.randint(0, 3000)], truncated=cut, tls=tls)
    if kind < 0.88:
        body = b'<html><head><meta name="robots" content="noarchive"></head><body><p>Private.</p></body></html>'
        return make_exchange(url, at, body, tls=tls)
    if kind < 0.94:
        return make_exchange(url, at, b"User-agent: *\nAllow: /\n", purpose=Purpose.ROBOTS, tls=tls, masked=("Cookie",))
    return make_exchange(url, at, rng.randbytes(rng.randint(0, 500)), status=rng.choice((404, 410, 500, 301)), tls=tls)


def _pick_derived(growing: Growing, source: str, language: str | None, rng: random.Random) -> tuple[SnapshotRow, ...]:
    """Return some earlier captures derived again, as a change of the source's language would have it."""
    earlier = [one for one in growing.kept if one.source == source and one.has_text and one.language != language]
    found = (growing.derive_again(one, language) for one in rng.sample(earlier, min(rng.randint(0, 2), len(earlier))))
    return tuple(row for row in found if row is not None)

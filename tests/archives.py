"""Makes small archives with our own code, for tests that read them back or damage them."""

from __future__ import annotations

import io
import json
import secrets
import zlib
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from config.settings import Settings
from crawler.derivation import Derivation
from crawler.model import Article, Exchange, PageClass, Purpose
from crawler.normalise import make_snapshot
from crawler.rows import CaptureRow, LinkRow, RunRow
from crawler.segment import SegmentWriter
from crawler.warc import NOTHING_RECORDED, encode_exchange, facts_uri
from crawler.warc.writer import encode_metadata
from jobs.archive.commit import (
    Commit,
    CommitLink,
    CommittedFile,
    RowsPlace,
    commit_key,
    decode_commit,
    digest,
    encode_commit,
    parse_commit_key,
)
from jobs.archive.identity import create_archive, list_sources, read_info
from jobs.archive.log import Log
from jobs.runs.spool import bring_segments
from jobs.segments.seal import SealedSegment, seal_segment
from jobs.segments.upload import upload_segment
from jobs.store import open_store
from jobs.store.memory import MemoryStore

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from config.sources import Source
    from crawler.model import Snapshot
    from crawler.rows import SnapshotRow
    from jobs.archive.commit import StoredCommit
    from jobs.archive.identity import ArchiveInfo
    from jobs.archive.signing import Signer
    from jobs.context import OpenArchive
    from jobs.store import ObjectStore
    from tests.seaweed import S3Server

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
SOURCE = "gazette"
MEANING: dict[str, Any] = {"extractor": {"name": "test", "version": "1"}, "rules": {}}


def derivation_of(meaning: dict[str, Any]) -> Derivation:
    """Return the derivation that *meaning* makes."""
    canonical = json.dumps(meaning, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return Derivation(digest(canonical.encode()), meaning)


DERIVATION = derivation_of(MEANING)


@dataclass(frozen=True, slots=True)
class Page:
    """What a site serves once."""

    path: str
    words: str = "The tax will rise by two per cent."
    status: int | None = 200
    title: str = ""
    """Else its path."""
    lead: str = ""

    @property
    def url(self) -> str:
        return f"https://gazette.example{self.path}"


PAGES = (Page("/2026/budget"), Page("/2026/library", "It opens on Monday."), Page("/2026/gone", status=404))


def open_segment(
    spool: Path,
    *,
    source: str,
    run: str,
    archive: str,
    now: datetime,
    derivation: Derivation = DERIVATION,
    epoch: int = 0,
) -> SegmentWriter:
    """Begin a segment in `open/`, to be written page by page."""
    return SegmentWriter.open(
        spool,
        source=source,
        run=run,
        archive=archive,
        writer="ofrecord/test",
        now=now,
        derivations={derivation.digest: derivation.meaning},
        epoch=epoch,
    )


def write_segment(
    spool: Path,
    pages: Iterable[Page] = PAGES,
    *,
    archive: str,
    now: datetime = NOON,
    run: str = "gazette-20261122T120000Z-0123456789abcdef",
    derivation: Derivation = DERIVATION,
    source: str = SOURCE,
) -> Path:
    """Write a whole segment of *pages* and return its folder in `closed/`."""
    writer = open_segment(spool, source=source, run=run, archive=archive, now=now, derivation=derivation)
    for number, page in enumerate(pages):
        captured_at = now + timedelta(seconds=number, microseconds=125_000)
        exchange = _exchange(page, captured_at)
        recorded = encode_exchange(exchange, warcinfo_id=writer.warcinfo_id) if page.status else NOTHING_RECORDED
        row = CaptureRow(
            n=0,
            url=page.url,
            target_uri=page.url,
            captured_at=captured_at,
            purpose="article",
            page_class="article" if page.status == 200 else "error",
            class_reason="test",
            status=page.status,
            media_type="text/html" if page.status else None,
            payload_digest=recorded.payload_digest,
            size_bytes=len(exchange.body),
            peer=exchange.peer,
            error=None if page.status else "no answer",
        )
        writer.append(row, recorded, _snapshot(page, derivation) if page.status == 200 else None)
    writer.add(LinkRow(url="https://gazette.example/2026/later", via=f"https://{SOURCE}.example/", found_at=now))
    finished = now + timedelta(minutes=1)
    writer.add(RunRow(run=run, trigger="crawl", started=now, finished=finished, reason="finished"))
    return writer.close(finished)


def commit_segment(
    store: MemoryStore,
    info: ArchiveInfo,
    closed: Path,
    *,
    now: datetime = NOON,
    after: StoredCommit | None = None,
    derived: Iterable[SnapshotRow] = (),
    signer: Signer | None = None,
) -> StoredCommit:
    """Seal and upload the segment in folder *closed*."""
    sealed: SealedSegment = seal_segment(closed, now=now, derived=derived)
    seq, head = (after.commit.seq, after.digest) if after else (0, "")
    return upload_segment(store, info, sealed, after=seq, head=head, signer=signer)[0]


def finish_spool(archive: OpenArchive, source: Source) -> int:
    """Bring every segment in the source's spool to the store; return how many were committed."""
    return sum(bring_segments(archive, source))


def build_archive(folder: Path, *, segments: int = 3) -> MemoryStore:
    """Return a sound archive of *segments* commits of one source."""
    store = MemoryStore()
    info = create_archive(store, single_writer=False, now=NOON)
    last: StoredCommit | None = None
    for number in range(segments):
        now = NOON + timedelta(hours=number)
        pages = [replace(page, words=f"{page.words} {number}") for page in PAGES]
        closed = write_segment(folder, pages, archive=info.archive, now=now)
        last = commit_segment(store, info, closed, now=now, after=last)
    return store


def make_archive(server: S3Server) -> Settings:
    """Make an empty archive of its own on *server*; return the settings that lead there."""
    settings = Settings(
        archive=f"s3://{server.bucket}/{secrets.token_hex(4)}",
        s3_endpoint_url=server.endpoint_url,
        s3_path_style=True,
    )
    create_archive(open_store(str(settings.archive), settings), single_writer=False, now=datetime.now(UTC))
    return settings


def copy_store(store: MemoryStore) -> MemoryStore:
    """Return a store with the same objects."""
    copy = MemoryStore()
    for item in store.list(""):
        put(copy, item.key, store.get(item.key))
    return copy


def put(store: MemoryStore, key: str, data: bytes) -> None:
    """Put *data* at *key* in place of what is there, as no part of ofrecord would."""
    store.delete(key)
    store.create(key, data, sha256=digest(data))


def commit_keys(store: MemoryStore) -> list[str]:
    """Return the keys of all commits in order."""
    return [item.key for item in store.list("log/") if parse_commit_key(item.key)]


def file_keys(store: MemoryStore, suffix: str) -> list[str]:
    """Return the keys of the segments' files with that ending, in the order of the log."""
    commits = [decode_commit(store.get(key), key).commit for key in commit_keys(store)]
    return [file.key for commit in commits for file in commit.files if file.key.endswith(suffix)]


def rechain(store: MemoryStore, changes: dict[int | str, dict[str, Any]] | None = None) -> None:
    """Write every commit anew, as one who covers up a change: sizes, places and digests as found, the chain whole.

    Packs are put together anew, and what commits say of earlier ones. *changes*: number or key of a commit → fields of
    it to set.
    """
    wanted = changes or {}
    for source in list_sources(store):
        previous = digest(store.get("ofrecord.json"))
        links: dict[int, CommitLink] = {}
        for key in [key for key in commit_keys(store) if key.startswith(f"log/{source}/")]:
            commit = decode_commit(store.get(key), key).commit
            commit = replace(
                commit,
                previous=previous,
                files=_measure(store, commit),
                rows=_measure_rows(store, commit.rows),
                since=tuple(links.get(link.seq, link) for link in commit.since),
                pack=_repack(store, commit),
            )
            commit = replace(commit, **wanted.get(key, wanted.get(commit.seq, {})))
            data = encode_commit(commit)
            put(store, key, data)
            previous = digest(data)
            links[commit.seq] = CommitLink(commit.seq, previous, commit.rows)


def cover_up(store: MemoryStore, *, count: bool = True) -> None:
    """Write the logs anew so that sizes, digests and, if asked, counts of records and rows agree with what is there."""
    changes: dict[int | str, dict[str, Any]] = {}
    rechain(store)
    if count:
        for key in commit_keys(store):
            commit = decode_commit(store.get(key), key).commit
            files = tuple(_recount(store, file) for file in commit.files)
            changes[key] = {"files": files, "rows": _recount_rows(store, commit.rows)}
        rechain(store, changes)


def make_pack(store: MemoryStore, source: str, first: int, last: int) -> dict[str, Any]:
    """Put a pack of commits *first* to *last* and return what a commit says of it."""
    key = f"log/{source}/pack-{first:012d}-{last:012d}"
    data = b"".join(store.get(commit_key(source, seq)) for seq in range(first, last + 1))
    put(store, key, data)
    return {"key": key, "size_bytes": len(data), "sha256": digest(data), "first": first, "last": last}


def append_commit(
    store: ObjectStore, *, source: str = SOURCE, signer: Signer | None = None, **fields: Any
) -> StoredCommit:
    """Put one more commit at the end of a log."""
    info = read_info(store)
    after, head = 0, ""
    for stored in Log(store, info, source).read():
        after, head = stored.commit.seq, stored.digest
    draft = Commit(source=source, committed=NOON, archive=info.archive, **{"kind": "segment", **fields})
    return Log(store, info, source, signer).append(draft, after=after, head=head)[0]


def split_members(data: bytes) -> list[bytes]:
    """Return the gzip members of a WARC file, by the library that our own check does not use."""
    from fastwarc.warc import ArchiveIterator

    starts = [record.stream_pos for record in ArchiveIterator(io.BytesIO(data), parse_http=False)]
    return [data[start:end] for start, end in zip(starts, [*starts[1:], len(data)], strict=True)]


def split_file(data: bytes) -> tuple[list[bytes], list[bytes]]:
    """Return the gzip members of a segment's file that hold no rows, and those that do."""
    members = split_members(data)
    return [one for one in members if not holds_rows(one)], [one for one in members if holds_rows(one)]


def holds_rows(member: bytes) -> bool:
    """Return whether a gzip member is a record that holds rows."""
    head = zlib.decompress(member, 31).partition(b"\r\n\r\n")[0]
    return b"\r\nContent-Type: application/x-ndjson" in head and b"\r\nWARC-Type: metadata" in head


def read_blocks(store: ObjectStore, key: str) -> list[bytes]:
    """Return the blocks of the records that hold the rows of the segment in the file *key*."""
    return [read_block(member) for member in split_file(store.get(key))[1]]


def read_block(member: bytes) -> bytes:
    """Return the block of the record in a gzip member."""
    return zlib.decompress(member, 31).partition(b"\r\n\r\n")[2][:-4]


def put_blocks(store: MemoryStore, key: str, blocks: Iterable[bytes], *, segment: str | None = None) -> None:
    """Put records with *blocks* in place of those that hold the rows of the file *key*. *segment*: whose they say."""
    others, holding = split_file(store.get(key))
    stamp = zlib.decompress(holding[0], 31).partition(b"WARC-Date: ")[2].partition(b"\r")[0]
    date = datetime.fromisoformat(stamp.decode())
    name = segment or key.rpartition("/")[2].removesuffix(".warc.gz")
    put(store, key, b"".join([*others, *(rows_member(name, block, n, date) for n, block in enumerate(blocks))]))


def rows_member(segment: str, block: bytes, number: int, date: datetime) -> bytes:
    """Return a record that holds rows, as a gzip member."""
    uri = facts_uri(segment)
    return encode_metadata(
        block, seed=f"{uri}:{number}", date=date, target_uri=uri, content_type="application/x-ndjson"
    )


def read_lines(store: ObjectStore, key: str) -> list[dict[str, Any]]:
    """Return the rows of the segment in the file *key* as JSON data."""
    return [json.loads(line) for line in b"".join(read_blocks(store, key)).splitlines()]


def write_lines(store: MemoryStore, key: str, lines: Iterable[dict[str, Any]]) -> None:
    """Put *lines* in place of the rows of the segment in the file *key*, in as many records or fewer."""
    texts = [json.dumps(line, ensure_ascii=False).encode() + b"\n" for line in lines]
    size = -(-len(texts) // len(split_file(store.get(key))[1])) or 1
    put_blocks(store, key, [b"".join(texts[n : n + size]) for n in range(0, len(texts), size)])


def read_log(store: MemoryStore, info: ArchiveInfo) -> Iterator[StoredCommit]:
    """Yield the commits of the one source."""
    return Log(store, info, SOURCE).read()


def _recount(store: MemoryStore, file: CommittedFile) -> CommittedFile:
    try:
        return replace(file, records=len(split_members(store.get(file.key))) or file.records)
    except Exception:  # noqa: BLE001 - foreign readers, on damage
        return file


def _recount_rows(store: MemoryStore, place: RowsPlace | None) -> RowsPlace | None:
    try:
        return place and replace(place, count=b"".join(read_blocks(store, place.key)).count(b"\n"))
    except Exception:  # noqa: BLE001 - the same
        return place


def _measure_rows(store: MemoryStore, place: RowsPlace | None) -> RowsPlace | None:
    if place is None:
        return None
    data = store.get(place.key)
    try:
        members = split_members(data)
        first = next((n for n, member in enumerate(members) if holds_rows(member)), None)
        offset = place.offset if first is None else len(b"".join(members[:first]))
    except Exception:  # noqa: BLE001 - the same
        offset = place.offset
    offset = min(offset, len(data))
    return replace(place, offset=offset, size_bytes=len(data) - offset, sha256=digest(data[offset:]))


def _repack(store: MemoryStore, commit: Commit) -> dict[str, Any] | None:
    if commit.pack is None or not isinstance(commit.pack.get("last"), int):
        return commit.pack
    return make_pack(store, commit.source, commit.pack["first"], commit.pack["last"])


def _measure(store: MemoryStore, commit: Commit) -> tuple[CommittedFile, ...]:
    return tuple(
        replace(file, size_bytes=len(store.get(file.key)), sha256=digest(store.get(file.key))) for file in commit.files
    )


def _exchange(page: Page, started_at: datetime) -> Exchange:
    head = f"GET {page.path} HTTP/1.1\r\nHost: gazette.example\r\n\r\n".encode()
    if page.status is None:
        return Exchange(page.url, Purpose.ARTICLE, started_at, 0.5, head, error="no answer")
    return Exchange(
        url=page.url,
        purpose=Purpose.ARTICLE,
        started_at=started_at,
        seconds=0.25,
        request_head=head,
        status=page.status,
        response_head=f"HTTP/1.1 {page.status} OK\r\nContent-Type: text/html\r\n\r\n".encode(),
        body=f"<html><body><h1>{page.title or page.path}</h1>{page.lead}<p>{page.words}</p></body></html>".encode()
        * 20,
        peer="192.0.2.7",
    )


def _snapshot(page: Page, derivation: Derivation) -> Snapshot:
    article = Article(
        PageClass.ARTICLE,
        "test",
        title=page.title or page.path,
        lead=page.lead or None,
        blocks=(page.words,),
        confidence=1.0,
    )
    return make_snapshot(article, derivation.digest)

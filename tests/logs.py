"""Builds archives of several sources, page by page, for tests of what reads or copies whole logs."""

from __future__ import annotations

import random
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from crawler.ids import new_id
from crawler.model import Article, Exchange, PageClass, Purpose
from crawler.normalise import make_snapshot
from crawler.rows import CaptureReference, CaptureRow, RunRow
from crawler.warc import encode_exchange
from jobs.archive.commit import Commit
from jobs.archive.identity import create_archive, read_info
from jobs.archive.log import Log
from jobs.segments.seal import SealedSegment, seal_segment
from jobs.segments.upload import upload_segment
from tests.archives import DERIVATION, NOON, open_segment

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from crawler.model import RecordReference
    from jobs.archive.commit import StoredCommit
    from jobs.store import ObjectStore


def build_logs(store: ObjectStore, spool: Path, lengths: Mapping[str, int], *, padding: int = 0) -> None:
    """Make an archive whose sources have logs of so many commits, of one page each.

    *padding*: bytes that cannot be compressed, in each page.
    """
    create_archive(store, single_writer=False, now=NOON)
    for source, length in lengths.items():
        for _ in range(length):
            append_segment(store, spool, source=source, padding=padding)


def append_segment(store: ObjectStore, spool: Path, *, source: str, padding: int = 0) -> StoredCommit:
    """Commit one more page of *source*."""
    info = read_info(store)
    after, head = find_end(store, source)
    body = b"<h1>The budget</h1><p>It will rise." + random.Random(after).randbytes(padding)
    sealed = seal_page(spool, source=source, number=after + 1, archive=info.archive, body=body)
    return upload_segment(store, info, sealed, after=after, head=head)[0]


def append_draft(store: ObjectStore, source: str, **fields: Any) -> StoredCommit:
    """Commit what brings no segment."""
    info = read_info(store)
    after, head = find_end(store, source)
    draft = Commit(source=source, committed=NOON, archive=info.archive, **{"kind": "ledger", **fields})
    return Log(store, info, source).append(draft, after=after, head=head)[0]


def find_end(store: ObjectStore, source: str) -> tuple[int, str]:
    """Return number and digest of the last commit; 0 and "" where there is none."""
    end = Log(store, read_info(store), source).find_end()
    return (end.commit.seq, end.digest) if end else (0, "")


def seal_page(
    spool: Path,
    *,
    source: str,
    number: int,
    archive: str,
    path: str = "/budget",
    title: str = "The budget",
    words: str = "It will rise.",
    body: bytes = b"<h1>The budget</h1><p>It will rise.",
    head: str = "Content-Type: text/html",
    media_type: str | None = "text/html",
    page_class: PageClass = PageClass.ARTICLE,
    refers_to: RecordReference | None = None,
) -> SealedSegment:
    """Seal a segment of one page, captured *number* hours after noon."""
    now = NOON + timedelta(hours=number)
    run = new_id(source, now)
    url = f"https://{source}.example{path}"
    writer = open_segment(spool, source=source, run=run, archive=archive, now=now)
    exchange = Exchange(
        url=url,
        purpose=Purpose.ARTICLE,
        started_at=now,
        seconds=0.25,
        request_head=f"GET /{number} HTTP/1.1\r\nHost: {source}.example\r\n\r\n".encode(),
        status=200,
        response_head=f"HTTP/1.1 200 OK\r\n{head}\r\n\r\n".encode(),
        body=body,
        peer="192.0.2.7",
        refers_to=refers_to,
    )
    recorded = encode_exchange(exchange, warcinfo_id=writer.warcinfo_id)
    row = CaptureRow(
        n=0,
        url=url,
        target_uri=url,
        captured_at=now,
        purpose="article",
        page_class=page_class.value,
        class_reason="test",
        status=200,
        media_type=media_type,
        payload_digest=recorded.payload_digest,
        size_bytes=len(body),
        peer=exchange.peer,
        revisit_of=CaptureReference(refers_to.segment, refers_to.n) if refers_to else None,
    )
    blocks = tuple(words.split("\n"))
    article = Article(page_class, "test", title=title, blocks=blocks, confidence=1.0)
    writer.append(row, recorded, make_snapshot(article, DERIVATION.digest))
    finished = now + timedelta(minutes=1)
    writer.add(RunRow(run=run, trigger="crawl", started=now, finished=finished, reason="finished"))
    return seal_segment(writer.close(finished), now=now)

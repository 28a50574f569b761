"""WARC files as other tools write them, with the faults that they are known for; pages that were written for this."""

from __future__ import annotations

import base64
import gzip
import hashlib
import io
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import zstandard

from crawler.imports.flows import BEGINNING, Fault, Position
from crawler.imports.records import ForeignRecord, RecordReader
from crawler.imports.streams import open_flow

THEN = datetime(2019, 3, 4, 5, 6, 7, tzinfo=UTC)
HOST = "https://gazette.example"
_TOPICS = ("library", "harbour", "orchard", "bridge", "school", "market", "tramway", "theatre")


def make_page(number: int, *, words: str = "") -> bytes:
    """Return an article's page; no two numbers have the same text."""
    topic = _TOPICS[number % len(_TOPICS)]
    told = f"The {topic} number {number} was opened again on Monday, after works that had taken {number + 2} months."
    more = "".join(f"<p>{told} The council had asked for part {part} of it in spring. {words}</p>" for part in range(6))
    date = '<meta property="article:published_time" content="2019-03-04T04:00:00Z">'
    return (
        f"<!doctype html><html lang=en><head><title>The {topic} opens</title>{date}</head><body><article>"
        f"<h1>The {topic} opens, number {number}</h1>{more}</article></body></html>"
    ).encode()


def sha1(data: bytes) -> str:
    """Return a digest as most tools state it."""
    return "sha1:" + base64.b32encode(hashlib.sha1(data, usedforsecurity=False).digest()).decode()


def chunk(body: bytes, size: int = 400) -> bytes:
    """Return *body* in chunks, as it comes over the wire."""
    parts = [body[at : at + size] for at in range(0, len(body), size)]
    return b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"


@dataclass(slots=True)
class Record:
    """A WARC record: what is not given is as warcio has it."""

    kind: str
    block: bytes
    headers: dict[str, str] = field(default_factory=dict)
    version: str = "WARC/1.0"
    line_end: str = "\r\n"
    record_id: str = field(default_factory=lambda: f"<urn:uuid:{uuid.uuid4()}>")
    length: int | None = None
    """As it is stated; else as it is."""
    end: bytes = b"\r\n\r\n"

    def encode(self) -> bytes:
        """Return the record's bytes."""
        told = {"WARC-Type": self.kind, "WARC-Record-ID": self.record_id, **self.headers}
        told["Content-Length"] = str(len(self.block) if self.length is None else self.length)
        lines = [self.version, *(f"{name}: {value}" for name, value in told.items()), "", ""]
        return self.line_end.join(lines).encode() + self.block + self.end


def make_info(software: str = "archiver/2.1") -> Record:
    """Return a warcinfo record."""
    headers = {"WARC-Date": "2019-03-04T05:06:07Z", "Content-Type": "application/warc-fields"}
    return Record("warcinfo", f"software: {software}\r\nformat: WARC File Format 1.0\r\n".encode(), headers)


def make_response(
    number: int,
    *,
    body: bytes | None = None,
    head: bytes = b"HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\n\r\n",
    url: str | None = None,
    date: str | None = None,
    digests: bool = True,
    **headers: str,
) -> Record:
    """Return a response record of the article of that number; *headers* with `_` for `-`."""
    body = make_page(number) if body is None else body
    told = {
        "WARC-Target-URI": url or f"{HOST}/2019/story-{number}",
        "WARC-Date": date or (THEN + timedelta(minutes=number)).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "Content-Type": "application/http; msgtype=response",
    }
    if digests:
        told |= {"WARC-Payload-Digest": sha1(body), "WARC-Block-Digest": sha1(head + body)}
    told |= {name.replace("_", "-"): value for name, value in headers.items()}
    return Record("response", head + body, told)


def make_request(response: Record, head: bytes = b"GET / HTTP/1.1\r\nHost: gazette.example\r\n\r\n") -> Record:
    """Return the request record of *response*."""
    headers = {name: response.headers[name] for name in ("WARC-Target-URI", "WARC-Date")}
    headers |= {"WARC-Concurrent-To": response.record_id, "Content-Type": "application/http; msgtype=request"}
    return Record("request", head, headers)


def plain(records: list[Record]) -> bytes:
    """Return a file that is not squeezed."""
    return b"".join(record.encode() for record in records)


def gzipped(records: list[Record]) -> bytes:
    """Return a file of a gzip member for each record."""
    return b"".join(gzip.compress(record.encode(), mtime=0) for record in records)


def gzipped_whole(records: list[Record]) -> bytes:
    """Return a file that is one gzip member, as `gzip file.warc` makes it."""
    return gzip.compress(plain(records), mtime=0)


def zstd(records: list[Record], *, dictionary: bytes | None = None, squeeze_dictionary: bool = False) -> bytes:
    """Return a file of a zstd frame for each record; *dictionary*: what all are squeezed with, put before them."""
    data = None if dictionary is None else zstandard.ZstdCompressionDict(dictionary)
    compressor = zstandard.ZstdCompressor(dict_data=data, write_content_size=False)
    head = b""
    if dictionary is not None:
        stored = zstandard.ZstdCompressor().compress(dictionary) if squeeze_dictionary else dictionary
        head = b"\x5d\x2a\x4d\x18" + len(stored).to_bytes(4, "little") + stored
    return head + b"".join(compressor.compress(record.encode()) for record in records)


def train_dictionary() -> bytes:
    """Return a zstd dictionary of pages like these."""
    samples: list[Any] = [make_response(number).encode() for number in range(200)]
    return zstandard.train_dictionary(8_192, samples).as_bytes()


def read_records(
    data: bytes, start: Position = BEGINNING, *, begins_at: int = 0, limit: int = 1 << 20
) -> tuple[list[ForeignRecord], list[Fault]]:
    """Return all records of a file from *start* on, and the faults between them; it is read from *begins_at* on."""
    flow = open_flow(io.BytesIO(data[begins_at:]), start=start, begins_at=begins_at)
    reader = RecordReader(flow, limit=limit, wanted=lambda _: True)
    records: list[ForeignRecord] = []
    faults: list[Fault] = []
    while True:
        try:
            record = reader.read()
        except Fault as fault:
            faults.append(fault)
            continue
        if record is None:
            return records, faults
        records.append(record)

"""What other people's programs make of our WARC files and index lines: warcio, FastWARC, cdxj-indexer, pywb."""

from __future__ import annotations

import gzip
import hashlib
import json
import subprocess
import sys
import urllib.error
import urllib.request
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import brotli
import pytest
from fastwarc.warc import ArchiveIterator, WarcRecordType
from warcio.archiveiterator import ArchiveIterator as WarcioIterator

from crawler.model import Exchange, Purpose, RecordReference, TlsSession
from crawler.rows import CaptureReference, CaptureRow, CdxjRow, decode_row
from crawler.segment import SegmentWriter
from crawler.warc import encode_exchange, read_records
from jobs.segments.seal import seal_segment
from tests.webarchives import serve_pywb

if TYPE_CHECKING:
    from collections.abc import Iterator

NOW = datetime(2026, 11, 22, 3, 45, tzinfo=UTC)
BIN = Path(sys.executable).parent
PAGE = "<!doctype html><meta charset=utf-8><p>Café: the tax will rise by 2 %.</p>".encode()
HTML = "Content-Type: text/html; charset=utf-8\r\n"

CASES: dict[str, tuple[int, str, bytes]] = {
    "plain": (200, HTML, PAGE),
    "chunked": (200, HTML + "Transfer-Encoding: chunked\r\n", PAGE),
    "gzip": (200, HTML + "Content-Encoding: gzip\r\n", gzip.compress(PAGE, mtime=0)),
    "gzip-chunked": (
        200,
        HTML + "Transfer-Encoding: chunked\r\nContent-Encoding: gzip\r\n",
        gzip.compress(PAGE, mtime=0),
    ),
    "br": (200, HTML + "Content-Encoding: br\r\n", brotli.compress(PAGE)),
    "caf%C3%A9?a=1&b=%7e": (200, HTML, PAGE),
    "gone": (404, HTML, b"<p>Not here.</p>"),
    "feed.xml": (200, "Content-Type: application/rss+xml\r\n", b"<rss version='2.0'><channel/></rss>"),
    "moved": (301, "Location: https://gazette.example/plain\r\nContent-Length: 0\r\n", b""),
    "empty": (200, "", b""),
    "large": (200, HTML + "Set-Cookie: a=1\r\nset-cookie: b=2\r\n", PAGE * 20_000),
}


AGAIN = ("plain", "gzip", "br", "caf%C3%A9?a=1&b=%7e", "gone")
"""Asked for again a day later, with the same payload: revisits."""
NOT_MODIFIED = "large"
"""Asked for again a day later, and answered with 304."""
RECORDS = 1 + 3 * (len(CASES) + len(AGAIN) + 1) + 1
"""The warcinfo; of each exchange, answer, request and the facts of its TLS session; the rows."""
TLS = TlsSession("TLSv1.3", "TLS_AES_256_GCM_SHA384", "sha256:" + "0" * 64)


@pytest.fixture(scope="module")
def warc(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A segment's WARC file under the name that it has in an archive, its index beside it."""
    folder = tmp_path_factory.mktemp("segment")
    writer = SegmentWriter.open(folder, source="gazette", run="r", archive=None, writer="ofrecord/0.1.0", now=NOW)
    first = {name: write(writer, name, NOW + timedelta(seconds=number)) for number, name in enumerate(CASES)}
    for number, name in enumerate((*AGAIN, NOT_MODIFIED)):
        write(writer, name, NOW + timedelta(days=1, seconds=number), first[name])
    closed = writer.close(NOW)
    rows = [decode_row(line) for line in (closed / "rows.jsonl").read_bytes().splitlines()]
    lines = sorted(row.line for row in rows if isinstance(row, CdxjRow))
    sealed = seal_segment(closed, now=NOW).path
    (sealed / "index.cdxj").write_text("".join(f"{line}\n" for line in lines))
    return (sealed / "records.warc.gz").rename(sealed / f"{sealed.name}.warc.gz")


def write(
    writer: SegmentWriter, name: str, when: datetime, refers_to: RecordReference | None = None
) -> RecordReference:
    """Append the capture of a case, as a revisit if it refers to one; return its place."""
    status, head, body = CASES[name]
    if refers_to is not None and name == NOT_MODIFIED:
        status, head, body = 304, "ETag: x\r\n", b""
    exchange = Exchange(
        url=f"https://gazette.example/{name}",
        purpose=Purpose.ARTICLE,
        started_at=when + timedelta(microseconds=123_456),
        seconds=0.1,
        request_head=f"GET /{name} HTTP/1.1\r\nHost: gazette.example\r\nCookie: ***\r\n\r\n".encode(),
        status=status,
        response_head=f"HTTP/1.1 {status} Some Words\r\nX-Folded: a\r\n  b\r\nX-Space:\t c \r\n{head}\r\n".encode(),
        body=body,
        peer="192.0.2.1",
        masked=("Cookie",),
        tls=TLS,
        refers_to=refers_to,
    )
    recorded = encode_exchange(exchange)
    media_type = head.partition("Content-Type: ")[2].partition("\r\n")[0].partition(";")[0] or None
    row = CaptureRow(
        n=0, url=exchange.url, target_uri=exchange.url, captured_at=exchange.started_at, purpose="article",
        page_class="article", class_reason="", status=status, media_type=media_type,
        payload_digest=recorded.payload_digest,
        revisit_of=CaptureReference(refers_to.segment, refers_to.n) if refers_to else None,
    )  # fmt: skip
    return RecordReference(exchange.url, exchange.started_at, writer.segment, writer.append(row, recorded))


@pytest.fixture(scope="module")
def damaged(warc: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same file with one word changed in one member: what a reader that checks must refuse."""
    data = warc.read_bytes()
    line = next(line for line in warc.with_name("index.cdxj").read_text().splitlines() if '/plain"' in line)
    place = json.loads(line.split(" ", 2)[2])
    start, end = int(place["offset"]), int(place["offset"]) + int(place["length"])
    member = gzip.compress(gzip.decompress(data[start:end]).replace(b"2 %", b"9 %"))
    path = tmp_path_factory.mktemp("damaged") / warc.name
    path.write_bytes(data[:start] + member + data[end:])
    return path


def run(*command: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


TOLD = (
    "WARC-Target-URI",
    "WARC-Date",
    "WARC-Block-Digest",
    "WARC-Payload-Digest",
    "WARC-Profile",
    "WARC-Refers-To-Date",
    "WARC-Concurrent-To",
)
WARCIO = (sys.executable, "-c", "import sys; sys.modules['brotli'] = None; from warcio.cli import main; main()")
"""warcio 1.8 sets an attribute on brotli's objects that those of brotli 1.2 do not have; it can do without brotli."""


def test_warcio_check(warc: Path, damaged: Path) -> None:
    result = run(*WARCIO, "check", "-v", warc)
    assert result.returncode == 0, result.stdout
    assert result.stdout.count("digest pass") == RECORDS - len(AGAIN) - 1  # it passes over revisits
    assert "fail" not in result.stdout
    assert "no digest" not in result.stdout
    assert run(*WARCIO, "check", damaged).returncode == 1


def test_fastwarc_check(warc: Path, damaged: Path) -> None:
    result = run(BIN / "fastwarc", "check", warc)
    assert result.returncode == 0, result.stdout
    assert f"{RECORDS} records were verified successfully" in result.stdout + result.stderr
    # it takes the headers of a revisit for its payload, so that is all that it may complain of
    payloads = run(BIN / "fastwarc", "check", "--verify-payloads", warc)
    assert f"{len(AGAIN)} failed" in payloads.stdout + payloads.stderr
    assert run(BIN / "fastwarc", "check", "--quiet", damaged).returncode != 0


def test_fastwarc_reads_bodies_and_headers(warc: Path) -> None:
    bodies = {}
    with warc.open("rb") as file:
        for record in ArchiveIterator(file, record_types=WarcRecordType.response, parse_http=True):
            bodies[record.headers["WARC-Target-URI"].rpartition("/")[2]] = record.reader.read()
            assert record.headers["WARC-IP-Address"] == "192.0.2.1"
            assert record.http_headers is not None
            if record.headers["WARC-Target-URI"].endswith("large"):
                assert [value for key, value in record.http_headers.astuples() if key.lower() == "set-cookie"] == [
                    "a=1",
                    "b=2",
                ]
    assert bodies == {name: body for name, (_, _, body) in CASES.items()}


def test_warcio_reads_decoded_bodies(warc: Path) -> None:
    bodies = {}
    with warc.open("rb") as file:
        for record in WarcioIterator(file):
            if record.rec_type == "response":
                name = record.rec_headers.get_header("WARC-Target-URI").rpartition("/")[2]
                # warcio knows brotli by another binding than the one that is installed here
                stream = record.raw_stream if name == "br" else record.content_stream()
                bodies[name] = stream.read()
    assert bodies == {name: PAGE if name.startswith("gzip") else body for name, (_, _, body) in CASES.items()}


def test_every_record_is_a_member_of_its_own(warc: Path) -> None:
    offsets = []
    with warc.open("rb") as file:
        offsets = [record.stream_pos for record in ArchiveIterator(file, parse_http=False)]
        for offset in offsets:
            file.seek(offset)
            assert gzip.GzipFile(fileobj=file).read(9) == b"WARC/1.1\r"
    assert len(offsets) == RECORDS


def test_our_index_is_cdxj_indexers(warc: Path) -> None:
    result = run(BIN / "cdxj-indexer", "--sort", warc)
    assert result.returncode == 0, result.stderr
    ours = warc.with_name("index.cdxj").read_text().splitlines()
    theirs = [line for line in result.stdout.splitlines() if not line.startswith("urn:x-ofrecord:")]
    assert len(result.stdout.splitlines()) == len(theirs) + 1  # it indexes the rows as well, under a URI that is no URL
    assert [read_line(line) for line in ours] == [read_line(line) for line in theirs]


def read_line(line: str) -> tuple[str, str, dict[str, str]]:
    key, stamp, fields = line.split(" ", 2)
    return key, stamp, {"mime": "unk"} | json.loads(fields)


# --- pywb, in a venv of its own


@pytest.fixture(scope="module")
def replay(warc: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The base URL of a pywb that replays the file by our own index lines."""
    with serve_pywb(tmp_path_factory.mktemp("pywb"), [warc], index=warc.with_name("index.cdxj")) as root:
        yield root


class _Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: object) -> None:
        return None


def fetch(url: str) -> tuple[int, bytes, str | None, str | None]:
    """Return status, body as sent, its content coding and the Location."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), _Stay)
    request = urllib.request.Request(url, headers={"Accept-Encoding": "gzip, br"})
    try:
        with opener.open(request, timeout=30) as answer:
            return answer.status, answer.read(), answer.headers["Content-Encoding"], answer.headers["Location"]
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read(), error.headers["Content-Encoding"], error.headers["Location"]


@pytest.mark.slow
def test_pywb_replays_every_capture(replay: str) -> None:
    for number, (name, (status, _, body)) in enumerate(CASES.items()):
        stamp = (NOW + timedelta(seconds=number)).strftime("%Y%m%d%H%M%S")
        found, data, coding, location = fetch(f"{replay}/{stamp}id_/https://gazette.example/{name}")
        assert found == status, name
        # pywb may undo a coding on the way
        assert data == body or (coding is None and name in {"gzip", "gzip-chunked", "br"} and data == PAGE), name
        if status == 301:
            assert location is not None
            assert location.endswith("https://gazette.example/plain")
    assert fetch(f"{replay}/20261122id_/https://gazette.example/never")[0] == 404


@pytest.mark.slow
def test_pywb_replays_revisits(replay: str) -> None:
    for number, name in enumerate(AGAIN):
        status, _, body = CASES[name]
        stamp = (NOW + timedelta(days=1, seconds=number)).strftime("%Y%m%d%H%M%S")
        found, data, coding, _ = fetch(f"{replay}/{stamp}id_/https://gazette.example/{name}")
        assert found == status, name
        assert data == body or (coding is None and data == PAGE), name
    # a 304 is replayed as what it was
    stamp = (NOW + timedelta(days=1, seconds=len(AGAIN))).strftime("%Y%m%d%H%M%S")
    assert fetch(f"{replay}/{stamp}id_/https://gazette.example/{NOT_MODIFIED}")[0] == 304


def test_all_readers_agree_on_records_and_digests(warc: Path) -> None:
    """Three programs that share no code: type, URI, date, digests and block of each record, to the byte."""
    ours = [(r.type, *(r.header(n) for n in TOLD), hashlib.sha256(r.block).hexdigest()) for r in read_records(warc)]
    theirs: list[list[tuple[str | None, ...]]] = [[], []]
    with warc.open("rb") as file:
        for record in WarcioIterator(file, no_record_parse=True):
            told = (record.rec_headers.get_header(name) for name in TOLD)
            theirs[0].append((record.rec_type, *told, hashlib.sha256(record.raw_stream.read()).hexdigest()))
    with warc.open("rb") as file:
        for record in ArchiveIterator(file, parse_http=False):
            told = (record.headers.get(name) for name in TOLD)
            theirs[1].append((record.headers["WARC-Type"], *told, hashlib.sha256(record.reader.read()).hexdigest()))
    assert len(ours) == RECORDS
    assert theirs[0] == ours
    assert theirs[1] == ours

"""The record against the wire: a server logs the bytes of both directions, and the WARC file must say the same."""

from __future__ import annotations

import gzip
import json
import ssl
import zlib
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import brotli
import pytest
import trustme
import zstandard

from crawler.rows import CaptureRow
from crawler.warc import read_records
from tests.histories import read_segment
from tests.installation import install
from tests.wire import CLOSE, RESET, Case, Pause, WireServer, find_differences

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from crawler.warc import RecordView

PAGE = (
    "<!doctype html><title>Café</title><h1>Café</h1>".encode() + b"<p>The council met and the tax will rise.</p>" * 40
)
OK = b"HTTP/1.1 200 OK\r\n"
HTML = b"Content-Type: text/html; charset=utf-8\r\n"
LIMIT = 256 * 1024
SECONDS = 2


def answer(body: bytes, *headers: bytes, status: bytes = b"200 OK", version: bytes = b"1.1") -> bytes:
    length = b"Content-Length: %d\r\n" % len(body)
    return b"HTTP/" + version + b" " + status + b"\r\n" + HTML + b"".join(headers) + length + b"\r\n" + body


def chunked(body: bytes, *headers: bytes, trailer: bytes = b"", size: int = 700, extension: bytes = b"") -> bytes:
    pieces = [body[at : at + size] for at in range(0, len(body), size)]
    chunks = b"".join(b"%x%s\r\n%s\r\n" % (len(piece), extension, piece) for piece in pieces)
    head = OK + HTML + b"".join(headers) + b"Transfer-Encoding: chunked\r\n\r\n"
    return head + chunks + b"0\r\n" + trailer + b"\r\n"


def coded(name: bytes) -> bytes:
    return b"Content-Encoding: " + name + b"\r\n"


def drip(data: bytes, *, pieces: int, seconds: float) -> tuple[bytes | Pause, ...]:
    step = len(data) // pieces + 1
    steps: list[bytes | Pause] = []
    for at in range(0, len(data), step):
        steps += [data[at : at + step], Pause(seconds)]
    return tuple(steps)


def name_case(case: Case) -> str:
    return case.name


ZIPPED = gzip.compress(PAGE, mtime=0)
BODIES = {
    "identity": (PAGE, ()),
    "gzip": (ZIPPED, (coded(b"gzip"),)),
    "x-gzip": (ZIPPED, (coded(b"x-gzip"),)),
    "deflate": (zlib.compress(PAGE), (coded(b"deflate"),)),
    "raw-deflate": (zlib.compress(PAGE)[2:-4], (coded(b"deflate"),)),
    "br": (brotli.compress(PAGE), (coded(b"br"),)),
    "zstd": (zstandard.compress(PAGE), (coded(b"zstd"),)),
    "gzip-twice": (gzip.compress(ZIPPED, mtime=0), (coded(b"gzip, gzip"),)),
    "gzip-in-two-headers": (brotli.compress(ZIPPED), (coded(b"gzip"), coded(b"br"))),
    "gzip-broken": (ZIPPED[:200] + b"\0" * 50, (coded(b"gzip"),)),
    "gzip-lie": (PAGE, (coded(b"gzip"),)),
    "empty": (b"", ()),
    "binary": (bytes(range(256)) * 50, ()),
    "line-ends": (b"\r\n\r\n\n\n" + PAGE + b"\r\n\r\n", ()),
}
HEADS = {
    "duplicates": (b"X-A: 1\r\nSet-Cookie: a=1\r\nx-a: 2\r\nset-cookie: b=2\r\nX-A: 1\r\n",),
    "case": (b'sErVeR: Strange\r\nETAG: "x"\r\nx-lower: y\r\n',),
    "latin-1": (b"X-Name: \xe9l\xe9gant \xff\r\n",),
    "utf-8": ("X-Name: élégant ☃\r\n".encode(),),
    "folded": (b"X-Fold: one\r\n two\r\n\t three\r\n",),
    "white-space": (b"X-None:1\r\nX-Many:   \t 1 \t \r\nX-Empty:\r\nX-Blank: \r\n",),
    "long-value": (b"X-Long: " + b"v" * 30_000 + b"\r\n",),
    "many": (b"".join(b"X-%d: %d\r\n" % (number, number) for number in range(200)),),
    "odd-names": (b"!#$%&'*+-.^_`|~09Az: yes\r\n",),
    "colons": (b"X-C: a:b: c::\r\n",),
    "quotes": (b"X-Q: \"a, b\"; c='d\\e'\r\n",),
}
CASES = [
    *(Case(name, (answer(body, *headers),)) for name, (body, headers) in BODIES.items()),
    *(Case(f"chunked-{name}", (chunked(body, *headers),)) for name, (body, headers) in BODIES.items()),
    *(Case(f"head-{name}", (answer(PAGE, *headers),)) for name, headers in HEADS.items()),
    Case("chunk-trailers", (chunked(PAGE, trailer=b"X-Sum: 1\r\nX-Sum: 2\r\n"),)),
    Case("chunk-extensions", (chunked(PAGE, extension=b';a=b;c="d"'),)),
    Case("chunk-of-one", (chunked(PAGE[:300], size=1),)),
    Case("chunk-large", (chunked(PAGE * 20, size=50_000),)),
    Case("no-reason", (answer(PAGE, status=b"200"),)),
    Case("empty-reason", (answer(PAGE, status=b"200 "),)),
    Case("odd-reason", (answer(PAGE, status=b"200 Tr\xe8s  bien: (oui) "),)),
    Case("http-1.0", (answer(PAGE, version=b"1.0"), CLOSE)),
    Case("http-1.0-keep", (answer(PAGE, b"Connection: keep-alive\r\n", version=b"1.0"),)),
    Case("until-close", (OK + HTML + b"\r\n" + PAGE, CLOSE)),
    Case("bare-line-feeds", (answer(PAGE).replace(b"\r\n", b"\n", 4),)),
    Case("leading-line-ends", (b"\r\n\r\n" + answer(PAGE),)),
    Case("status-204", (b"HTTP/1.1 204 No Content\r\nX-A: 1\r\n\r\n",)),
    Case("status-204-with-body", (b"HTTP/1.1 204 No Content\r\nX-A: 1\r\n\r\nno body belongs here", CLOSE)),
    Case("status-304", (b'HTTP/1.1 304 Not Modified\r\nETag: "x"\r\n\r\n',)),
    Case("status-304-with-body", (b"HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n", b"no body!!", CLOSE)),
    *(Case(f"status-{code}", (answer(PAGE, status=f"{code} Words".encode()),)) for code in (201, 203, 206, 299, 403)),
    *(
        Case(f"status-{code}", (answer(b"<p>x</p>", status=f"{code} W".encode()),))
        for code in (404, 410, 451, 500, 599)
    ),
    Case("continue", (b"HTTP/1.1 100 Continue\r\n\r\n" + answer(PAGE),)),
    Case("early-hints", (b"HTTP/1.1 103 Early Hints\r\nLink: </a>; rel=preload\r\n\r\n", Pause(0.05), answer(PAGE))),
    Case("continue-thrice", (*[b"HTTP/1.1 100 Continue\r\nX: 1\r\n\r\n"] * 3, answer(PAGE))),
    Case("split-everywhere", drip(answer(PAGE[:200]), pieces=60, seconds=0.002)),
    Case("two-cookies-and-location", (answer(b"", b"Location: /x\r\nSet-Cookie: a=b\r\n", status=b"200 OK"),)),
    Case("target-escapes", (answer(PAGE),), target="/a%7eb/%C3%A9/%2F/~x?q=%7E&r=a+b&&s"),
    Case("target-odd", (answer(PAGE),), target="/a;p=1,2/(x)/*!'@$?a;b=1&&c=/?:@"),
    Case("target-query-only", (answer(PAGE),), target="/?="),
    Case("idn", (answer(PAGE),), target="/idn", host="xn--bcher-kva.example"),
    # what is cut
    Case("short-body", (OK + HTML + b"Content-Length: 9999\r\n\r\n" + PAGE, CLOSE), truncated="disconnect"),
    Case(
        "short-body-reset",
        (OK + HTML + b"Content-Length: 9999\r\n\r\n" + PAGE, Pause(0.2), RESET),
        truncated="disconnect",
    ),
    Case("reset-mid-chunk", (chunked(PAGE)[:900], Pause(0.2), RESET), truncated="disconnect"),
    Case("close-mid-chunk", (chunked(PAGE)[:900], CLOSE), truncated="disconnect"),
    Case("no-last-chunk", (chunked(PAGE).removesuffix(b"0\r\n\r\n"), CLOSE), truncated="disconnect"),
    Case(
        "bad-chunk-size",
        (OK + HTML + b"Transfer-Encoding: chunked\r\n\r\n4\r\nabcd\r\nzz\r\n", CLOSE),
        truncated="disconnect",
    ),
    Case("hangs-in-body", (answer(PAGE)[:-10], Pause(30)), truncated="time"),
    Case("drips", (*drip(answer(PAGE)[:-10], pieces=20, seconds=0.05), Pause(30)), truncated="time"),
    Case("too-long", (answer(b"y" * (LIMIT + 5)), CLOSE), truncated="length", kept_bytes=LIMIT),
    Case(
        "too-long-chunked",
        (chunked(b"y" * (LIMIT + 5), size=9_000), CLOSE),
        truncated="length",
        kept_bytes=LIMIT,
    ),
    Case(
        "headers-too-long",
        (OK + b"X-A: 1\r\n" * 12_000 + b"\r\n" + PAGE, CLOSE),
        truncated="length",
        kept_bytes=0,
        head=OK + b"X-A: 1\r\n" * ((64 * 1024 - len(OK)) // 8) + b"\r\n",
    ),
    Case(
        "header-too-long",
        (OK + b"X-A: 1\r\nX-B: " + b"v" * 80_000 + b"\r\n\r\n" + PAGE, CLOSE),
        truncated="length",
        kept_bytes=0,
        head=OK + b"X-A: 1\r\n\r\n",
    ),
    Case("closed-in-headers", (OK + b"X-A: 1\r\nX-B: ", CLOSE), truncated="disconnect"),
    Case("reset-in-headers", (OK + b"X-A: 1\r\n", Pause(0.2), RESET), truncated="disconnect"),
    Case("hangs-in-headers", (OK + b"X-A: 1\r\n", Pause(30)), truncated="time"),
    Case("head-nul", (OK + b"X\0A: 1\r\n\r\n" + PAGE, CLOSE)),
    Case("head-no-colon", (answer(PAGE, b"no colon here\r\n"),)),
    Case("head-bare-return", (answer(PAGE, b"X-A: 1\r2\r\n"),)),
    Case("head-very-many", (answer(PAGE, b"X: 1\r\n" * 1_500),)),
    Case("length-twice", (answer(PAGE, b"Content-Length: %d\r\n" % len(PAGE)),)),
    Case("length-and-chunked", (chunked(PAGE, b"Content-Length: 5\r\n"),)),
    Case("chunk-size-padded", (chunked(PAGE).replace(b"\r\n2bc\r\n", b"\r\n%s2bc ;x\r\n" % (b"0" * 20)),)),
    Case("bad-chunk-later", (chunked(PAGE)[:-5], Pause(0.2), b"zz\r\n", Pause(30)), truncated="disconnect"),
    Case("longer-than-said", (answer(PAGE) + b"and some more", CLOSE)),
    # what is no answer
    Case("nothing", (CLOSE,), error="closed the connection"),
    Case("reset-at-once", (RESET,), error="connection"),
    Case("hangs", (Pause(30),), error="no complete answer within 2 seconds"),
    Case("not-http", (b"SSH-2.0-OpenSSH_9\r\n\r\n", CLOSE), error="not http"),
    Case("http-0.9", (PAGE, CLOSE), error="not http"),
]
CHAIN = [
    Case("hop-1", (answer(b"", b"Location: /hop-2?a=%7e\r\n", status=b"301 Moved"),)),
    Case("hop-2", (answer(b"moved", b"Location: hop-3\r\n", status=b"302 Found"),), target="/hop-2?a=%7e"),
    Case("hop-3", (answer(PAGE),)),
]
"""Only the first is asked for; the others are followed."""
SECURE = [Case("secure", (answer(PAGE),)), Case("secure-chunked", (chunked(PAGE),))]
SIXTH = [Case("ipv6", (answer(PAGE),))]


@dataclass
class Wire:
    """One crawl of all cases: what each server saw, and what the archive holds."""

    servers: list[tuple[WireServer, list[Case]]]
    captures: dict[str, CaptureRow]
    """Request target (of the URL as requested) → row."""
    blocks: dict[int, RecordView]
    """Offset → record."""

    def compare(self, server: WireServer, case: Case, change: object = None) -> list[str]:
        """Return the differences between the log and the record of *case*."""
        row = self.captures[case.path]
        assert row.warc is not None, (case.name, row.error)
        assert row.warc.request is not None
        assert row.warc.response is not None
        response = self.blocks[row.warc.response.offset]
        (conversation,) = server.log[case.path]
        found = find_differences(
            case,
            conversation,
            request=self.blocks[row.warc.request.offset].block,
            response=response.block,
            truncated=response.header("WARC-Truncated"),
            **({"change": change} if change is not None else {}),  # type: ignore[arg-type]
        )
        return [*found, *([f"row: {row.truncated}"] if row.truncated != case.truncated else [])]


@pytest.fixture(scope="module")
def wire(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Wire]:
    folder = tmp_path_factory.mktemp("wire")
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    authority.cert_pem.write_to_path(str(folder / "ca.pem"))
    with (
        WireServer([*CASES, *CHAIN]) as plain,
        WireServer(SECURE, tls=context) as secure,
        WireServer(SIXTH, address="::1") as sixth,
    ):
        urls = [f"http://{case.host or f'127.0.0.1:{plain.port}'}{case.path}" for case in [*CASES, CHAIN[0]]]
        urls += [f"https://127.0.0.1:{secure.port}{case.path}" for case in SECURE]
        urls += [f"http://[::1]:{sixth.port}{case.path}" for case in SIXTH]
        crawl(folder, urls, plain.port)
        (warc_file,) = (folder / "archive").glob("segments/*/*/*.warc.gz")
        rows = [row for row in read_segment(warc_file) if isinstance(row, CaptureRow)]
        yield Wire(
            [(plain, [*CASES, *CHAIN]), (secure, SECURE), (sixth, SIXTH)],
            {"/" + row.target_uri.split("/", 3)[3]: row for row in rows if row.purpose == "article"},
            {record.offset: record for record in read_records(warc_file)},
        )


def crawl(folder: Path, urls: list[str], port: int) -> None:
    """Crawl *urls* into an archive in *folder* by the real command."""
    home = f"http://127.0.0.1:{port}/"
    ofrecord = install(
        folder,
        {"home": home, "discover": [{"section": home}]},
        request_seconds=SECONDS,
        max_body_bytes=LIMIT,
        max_failed=1,
        ca_file=str(folder / "ca.pem"),
        resolve=[f"xn--bcher-kva.example:80:127.0.0.1:{port}"],
    )
    (folder / "urls.txt").write_text("".join(f"{url}\n" for url in urls))
    report = ofrecord("crawl", "gazette", "--urls", folder / "urls.txt", "--json").json()
    assert report["captures"] >= len(urls) + 2, json.dumps(report)
    assert "clean" in ofrecord("verify", "--full").stdout


def test_there_are_at_least_sixty_cases() -> None:
    assert len(CASES) + len(CHAIN) + len(SECURE) + len(SIXTH) >= 60
    assert not [name for name, count in Counter(case.name for case in CASES).items() if count > 1]


@pytest.mark.parametrize("case", [case for case in [*CASES, *CHAIN, *SECURE, *SIXTH] if not case.error], ids=name_case)
def test_the_record_is_what_was_on_the_wire(wire: Wire, case: Case) -> None:
    (server,) = [server for server, cases in wire.servers if case in cases]
    assert wire.compare(server, case) == []


@pytest.mark.parametrize("case", [case for case in CASES if case.error], ids=name_case)
def test_what_is_no_answer_says_so_and_has_no_record(wire: Wire, case: Case) -> None:
    row = wire.captures[case.path]
    assert row.warc is None
    assert row.status is None
    assert case.error is not None
    assert case.error in (row.error or "").lower()


@pytest.mark.parametrize(
    ("name", "found", "planted"),
    [
        ("identity", b"Content-Type", b"Content-type"),
        ("identity", b" OK\r\n", b" Ok\r\n"),
        ("identity", b"council", b"Council"),
        ("gzip", b"Content-Encoding: gzip\r\n", b""),
        ("head-white-space", b"X-None:1", b"X-None: 1"),
        ("head-duplicates", b"x-a: 2\r\n", b""),
        ("head-folded", b"\r\n two", b" two"),
        ("target-escapes", b"%7eb", b"%7Eb"),
        ("identity", b"Host: ", b"host: "),
        ("short-body", b"council", b"Council"),
        ("hangs-in-body", b"council", b""),
        ("closed-in-headers", b"X-A: 1", b"X-A: 2"),
        ("headers-too-long", b"X-A: 1", b"X-A: 2"),
        ("bad-chunk-later", b"council", b"Council"),
    ],
)
def test_one_planted_deviation_is_found(wire: Wire, name: str, found: bytes, planted: bytes) -> None:
    """The control: a comparison that finds nothing would find this neither."""
    (case,) = [case for case in CASES if case.name == name]
    server = wire.servers[0][0]
    conversation = server.log[case.path][0]
    assert found in conversation.received + bytes(conversation.sent)
    assert wire.compare(server, case, lambda data: data.replace(found, planted)) != []


def test_connections_are_used_again(wire: Wire) -> None:
    log = wire.servers[0][0].log.values()
    used = Counter(conversation.connection for conversations in log for conversation in conversations)
    assert max(used.values()) > 3


def test_every_request_was_recorded_once(wire: Wire) -> None:
    for server, cases in wire.servers:
        asked = {target: len(conversations) for target, conversations in server.log.items() if target != "/robots.txt"}
        assert asked.keys() == {case.path for case in cases}
        # what was not answered with a single byte on a used connection is asked once more on a new one
        assert {target for target, times in asked.items() if times > 1} <= {"/nothing", "/reset-at-once"}
        assert max(asked.values()) <= 2


def test_peer_and_tls_session_are_kept(wire: Wire) -> None:
    for row in wire.captures.values():
        if row.warc is None or row.warc.response is None:
            continue
        response = wire.blocks[row.warc.response.offset]
        assert response.header("WARC-IP-Address") == ("::1" if row.target_uri.startswith("http://[") else "127.0.0.1")
        secure = row.target_uri.startswith("https:")
        assert (row.warc.metadata is not None) == secure
        if row.warc.metadata is not None:
            metadata = wire.blocks[row.warc.metadata.offset]
            assert metadata.header("WARC-Concurrent-To") == response.header("WARC-Record-ID")
            lines = dict(line.split(b": ") for line in metadata.block.splitlines())
            assert lines[b"tls-version"] == b"TLSv1.3"
            assert lines[b"tls-certificate"].startswith(b"sha256:")

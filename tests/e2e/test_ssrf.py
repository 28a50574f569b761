"""What no publisher may make a crawl connect to: servers on loopback count their connections, and must count none.

First the download handler with URLs in every notation, names, rebinding and proxies; then whole crawls whose pages,
feeds, sitemaps and robots.txt lead there. Each has its control: where the source says `network: private`, the same
servers are reached.
"""

from __future__ import annotations

import asyncio
import re
import socket
import threading
from asyncio.selector_events import BaseSelectorEventLoop
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from scrapy import Request

from crawler.handler import OfrecordDownloadHandler
from crawler.items import AttemptFailed, Tally
from crawler.leash import Leash
from crawler.network import FetchOptions
from crawler.rows import CaptureRow
from tests.histories import read_segment
from tests.installation import install

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PUBLIC4, PUBLIC6 = "93.184.216.34", "2606:2800:220:1::1"
REFUSED = re.compile(
    r"refused to (connect|ask the proxy for it): "
    r".*(is not a public address|is never connected to|is no host name|is no IP address|not permitted|4 octets)"
)
NOTATIONS = """
http://127.0.0.1:{port}/ http://127.0.0.1:{port}?q http://127.0.0.1:{port}#f HTTP://127.0.0.1:{port}/
https://127.0.0.1:{port}/
http://127.1:{port}/ http://127.0.1:{port}/ http://0127.0.0.1:{port}/ http://0177.0.0.1:{port}/ http://0177.0.0.01:{port}/
http://017700000001:{port}/ http://2130706433:{port}/ http://0x7f000001:{port}/ http://0x7F.0.0.1:{port}/ http://0x7f.1:{port}/
http://0x7f.0x0.0x0.0x1:{port}/ http://0x7f.0.1:{port}/ http://00000177.1:{port}/ http://127.0.0.01:{port}/
http://127.000.000.001:{port}/ http://127.0.0.1.:{port}/ http://127.0.0.1..:{port}/ http://127.255.255.254:{port}/
http://127.0.0.2:{port}/ http://0:{port}/ http://0.0:{port}/ http://0.0.0.0:{port}/ http://0x0:{port}/ http://00:{port}/
http://4294967296:{port}/ http://6425673729:{port}/ http://383.0.0.1:{port}/ http://127.0.0.257:{port}/
http://127%2e0%2e0%2e1:{port}/ http://%31%32%37.0.0.1:{port}/ http://127.0.0.%31:{port}/ http://%6cocalhost:{port}/
http://①②⑦.⓪.⓪.①:{port}/ http://１２７.0.0.1:{port}/ http://𝟏𝟐𝟕.𝟎.𝟎.𝟏:{port}/ http://127。0。0。1:{port}/ http://127｡0｡0｡1:{port}/
http://２１３０７０６４３３:{port}/ http://ⓛⓞⓒⓐⓛⓗⓞⓢⓣ:{port}/ http://loc\u00adalhost:{port}/ http://l\u2060ocalhost:{port}/
http://localhost:{port}/ http://LocalHost:{port}/ http://localhost.:{port}/ http://localhost..:{port}/ http://sub.localhost:{port}/
http://localhost.localdomain:{port}/ http://ip6-localhost:{port}/ http://metadata.google.internal:{port}/ http://inside:{port}/
http://inside.example:{port}/ http://INSIDE.example:{port}/ http://inside.example.:{port}/ http://inside6.example:{port}/
http://mapped.example:{port}/ http://both.example:{port}/ http://zero.example:{port}/
http://[::1]:{port}/ http://[0:0:0:0:0:0:0:1]:{port}/ http://[0000:0000::0001]:{port}/ http://[::]:{port}/ http://[0::0]:{port}/
http://[::ffff:127.0.0.1]:{port}/ http://[::ffff:7f00:1]:{port}/ http://[::FFFF:7F00:0001]:{port}/ http://[::127.0.0.1]:{port}/
http://[0:0:0:0:0:ffff:127.0.0.1]:{port}/ http://[::ffff:0.0.0.0]:{port}/ http://[::ffff:0:127.0.0.1]:{port}/
http://[64:ff9b::127.0.0.1]:{port}/ http://[64:ff9b:1::127.0.0.1]:{port}/ http://[2002:7f00:1::]:{port}/
http://[2001:0:7f00:1::1]:{port}/ http://[fe80::5efe:127.0.0.1]:{port}/ http://[::1%25lo]:{port}/ http://[::1%lo]:{port}/
http://[::1%251]:{port}/ http://[fe80::1%lo]:{port}/ http://[::1]:0{port}/ http://[::1.]:{port}/
http://public.example@127.0.0.1:{port}/ http://public.example:80@127.0.0.1:{port}/ http://a:b@c@127.0.0.1:{port}/
http://public.example%20@127.0.0.1:{port}/ http://public.example\\@127.0.0.1:{port}/ http://127.0.0.1:{port}\\@public.example/
http://127.0.0.1:{port}#@public.example/ http://127.0.0.1:{port}?@public.example/ http://127.0.0.1:{port}/@public.example
http://public.example#@127.0.0.1:{port}/ http://public.example:{port}%40127.0.0.1:{port}/ http://127.0.0.1%23@public.example/
http://127.0.0.1%00.public.example:{port}/ http://127.0.0.1%0d%0ahost:x@public.example/ http:/127.0.0.1:{port}/
http:127.0.0.1:{port}/ http:///127.0.0.1:{port}/ http:\\\\127.0.0.1:{port}/ http://\t127.0.0.1:{port}/
http://169.254.169.254/latest/meta-data/ http://[::ffff:169.254.169.254]/ http://2852039166/ http://0xa9fea9fe/
http://169.254.43518/ http://[fd00:ec2::254]/ http://100.100.100.200/ http://168.63.129.16/ http://192.0.0.192/
http://10.0.0.1/ http://172.16.0.1/ http://192.168.0.1/ http://100.64.0.1/ http://[fc00::1]/ http://[fec0::1]/ http://224.0.0.1/
http://255.255.255.255/ http://metadata.goog/ http://cloud.example/
"""
NAMES = {
    "public.example": [PUBLIC4, PUBLIC6],
    "inside": ["127.0.0.1"],
    "inside.example": ["127.0.0.1"],
    "inside6.example": ["::1"],
    "mapped.example": ["::ffff:127.0.0.1"],
    "both.example": ["::1", "127.0.0.1"],
    "zero.example": ["0.0.0.0", "::"],
    "sub.localhost": ["127.0.0.1"],
    "metadata.google.internal": ["169.254.169.254"],
    "metadata.goog": ["169.254.169.254"],
    "cloud.example": ["169.254.169.254"],
}
REACHED_WHERE_PRIVATE = [
    "http://127.0.0.1:{port}/",
    "http://localhost:{port}/",
    "http://①②⑦.⓪.⓪.①:{port}/",
    "http://0x7f.1:{port}/",
    "http://public.example@127.0.0.1:{port}/",
    "http://127.0.0.1:{port}#@public.example/",
    "http://127.0.0.1:{port}\\@public.example/",
    "http://inside.example:{port}/",
    "http://both.example:{port}/",
    "http://[::ffff:127.0.0.1]:{port}/",
    "http://[::1]:{port6}/",
    "http://inside6.example:{port6}/",
]


class Canary(ThreadingHTTPServer):
    """Answers by path, and counts whoever connects."""

    daemon_threads = True

    def __init__(self, address: str = "127.0.0.1") -> None:
        self.address_family = socket.AF_INET6 if ":" in address else socket.AF_INET
        self.connections = 0
        self.asked: list[str] = []
        """Host and target of each request."""
        self.answers: dict[str, tuple[int, str, str]] = {}
        """Path → status, name of a header or media type, its value or the body."""
        super().__init__((address, 0), _Answering)
        self.thread = threading.Thread(target=self.serve_forever, args=(0.02,))
        self.thread.start()

    def process_request(self, request: Any, client_address: Any) -> None:
        self.connections += 1
        super().process_request(request, client_address)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that speaks TLS, or goes away."""

    def stop(self) -> None:
        self.shutdown()
        self.thread.join()
        self.server_close()


class _Answering(BaseHTTPRequestHandler):
    server: Canary

    def do_GET(self) -> None:
        self.server.asked.append(f"{self.headers['Host']} {self.path}")
        target = self.path.removeprefix("http://")
        status, kind, text = self.server.answers.get(target, (200, "text/plain", "hello"))
        body = text.encode() if status == 200 else b""
        self.send_response(status)
        self.send_header("Content-Type" if status == 200 else "Location", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_CONNECT(self) -> None:
        self.server.asked.append(f"CONNECT {self.path}")
        self.send_response(502)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def canaries() -> Iterator[list[Canary]]:
    found = [Canary(), Canary(), Canary("::1")]
    yield found
    for canary in found:
        canary.stop()


@dataclass
class Outside:
    """The internet as far as the handler sees it: its names, and nobody who answers."""

    names: dict[str, list[list[str]]] = field(default_factory=dict)
    """Each lookup takes the next answer; the last stays."""
    lookups: list[str] = field(default_factory=list)
    attempts: list[str] = field(default_factory=list)
    """Every address that a socket was to be connected to."""


@pytest.fixture
def outside(monkeypatch: pytest.MonkeyPatch) -> Outside:
    outside = Outside({name: [addresses] for name, addresses in NAMES.items()})
    connect, look_up = BaseSelectorEventLoop.sock_connect, socket.getaddrinfo

    async def connect_inside(loop: BaseSelectorEventLoop, sock: socket.socket, address: Any) -> None:
        outside.attempts.append(address[0])
        ip = ip_address(address[0].partition("%")[0])
        if ip.is_global:
            raise ConnectionRefusedError("nobody is there")
        await connect(loop, sock, address)

    def answer(host: str, port: int | None, family: int, kind: int, protocol: int, flags: int) -> list[Any]:
        outside.lookups.append(host)
        answers = outside.names.get(host.lower().rstrip("."))
        if answers is None:
            only = 0 if "localhost" in host.lower() else socket.AI_NUMERICHOST
            return look_up(host, port, family, kind, protocol, flags | only)
        addresses = answers.pop(0) if len(answers) > 1 else answers[0]
        return [
            (socket.AF_INET6, kind, 6, "", (address, port or 0, 0, 0))
            if ":" in address
            else (socket.AF_INET, kind, 6, "", (address, port or 0))
            for address in addresses
        ]

    monkeypatch.setattr(BaseSelectorEventLoop, "sock_connect", connect_inside)
    monkeypatch.setattr(socket, "getaddrinfo", answer)
    return outside


async def fetch(handler: OfrecordDownloadHandler, url: str) -> str:
    """Return the body, or the reason that there is none."""
    try:
        request = Request(url, meta={"purpose": "article"})
    except ValueError as error:
        return f"no URL: {error}"
    try:
        response = await handler.download_request(request)
    except AttemptFailed as error:
        return str(error.exchange.error)
    return response.body.decode()


def fetch_all(urls: list[str], **options: Any) -> dict[str, str]:
    """Return what came of each URL, one after the other by one handler."""

    async def perform() -> dict[str, str]:
        run = SimpleNamespace(
            options=FetchOptions(**options),
            on_stop=[],
            stopping=False,
            leash=Leash(),
            note_certificate=Tally().note_certificate,
        )
        handler = OfrecordDownloadHandler(SimpleNamespace(spider=SimpleNamespace(run=run)))  # type: ignore[arg-type]
        try:
            return {url: await fetch(handler, url) for url in urls}
        finally:
            await handler.close()
            await asyncio.sleep(0)

    return asyncio.run(perform())


def notations(canaries: list[Canary]) -> list[str]:
    """Return every notation for every canary's port, but not as words do: white space is part of some."""
    found: dict[str, None] = {}
    for text in re.split(r"[ \n]+", NOTATIONS.strip()):
        for canary in canaries:
            found[text.format(port=canary.server_port)] = None
    return list(found)


def test_no_notation_leads_a_public_source_inside(canaries: list[Canary], outside: Outside) -> None:
    urls = notations(canaries)
    assert len(urls) > 300
    results = fetch_all(urls, connect_seconds=2)
    assert [canary.connections for canary in canaries] == [0, 0, 0]
    assert [url for url, result in results.items() if result == "hello"] == []
    assert set(outside.attempts) <= {PUBLIC4, PUBLIC6}
    refused = [url for url, result in results.items() if REFUSED.search(result)]
    assert len(refused) > len(urls) / 2


def test_control_the_canaries_are_reached_where_the_source_is_private(canaries: list[Canary], outside: Outside) -> None:
    ports = {"port": canaries[0].server_port, "port6": canaries[2].server_port}
    urls = [text.format(**ports) for text in REACHED_WHERE_PRIVATE]
    assert fetch_all(urls, allow_private=True) == dict.fromkeys(urls, "hello")
    assert canaries[0].connections > 5
    assert canaries[2].connections == 2
    assert outside.attempts


def test_link_local_and_metadata_addresses_are_not_reached_even_by_private_sources(outside: Outside) -> None:
    urls = """
    http://169.254.169.254/ http://[::ffff:169.254.169.254]/ http://[fe80::1%lo]/ http://[64:ff9b::a9fe:a9fe]/
    http://cloud.example/ http://metadata.google.internal/ http://0xa9fea9fe/ http://100.100.100.200/ http://0.0.0.0/
    http://[fd00:ec2::254]/ http://168.63.129.16/ http://255.255.255.255/ http://[ff02::1]/ http://[::]/
    """.split()  # noqa: SIM905 - one a word
    results = fetch_all(urls, allow_private=True)
    assert [url for url, result in results.items() if "is never connected to" not in result] == []
    assert outside.attempts == []


def test_a_name_that_changes_its_address_between_two_lookups_is_judged_by_the_one_used(
    canaries: list[Canary], outside: Outside
) -> None:
    urls = [f"http://rebind.example:{canary.server_port}/" for canary in canaries[:2]]
    outside.names["rebind.example"] = [[PUBLIC4], ["127.0.0.1"]]
    results = fetch_all(urls)
    assert outside.lookups == ["rebind.example"] * 2  # one for each connection: none between check and connect
    assert outside.attempts == [PUBLIC4]
    assert "nobody is there" in results[urls[0]]
    assert "127.0.0.1 is not a public address" in results[urls[1]]
    assert [canary.connections for canary in canaries] == [0, 0, 0]

    outside.names["rebind.example"] = [[PUBLIC4], ["127.0.0.1"]]
    assert fetch_all(urls, allow_private=True)[urls[1]] == "hello"  # the control


def test_every_address_of_a_name_is_judged(canaries: list[Canary], outside: Outside) -> None:
    url = f"http://many.example:{canaries[0].server_port}/"
    outside.names["many.example"] = [["::1", "127.0.0.1", PUBLIC6, PUBLIC4, "0.0.0.0", "::ffff:127.0.0.1"]]
    results = fetch_all([url])
    assert set(outside.attempts) == {PUBLIC4, PUBLIC6}
    assert results[url].startswith("no connection: ")
    assert [canary.connections for canary in canaries] == [0, 0, 0]
    assert fetch_all([url], allow_private=True)[url] == "hello"


def test_the_operators_place_opens_the_way_for_its_host_alone(canaries: list[Canary], outside: Outside) -> None:
    port = canaries[0].server_port
    inside = [f"http://{host}:{port}/" for host in ("127.0.0.1", "inside.example", "localhost", "gazette.example.")]
    outside.names["gazette.example"] = [["127.0.0.1"]]
    places = {("gazette.example", port): ("127.0.0.1", port)}

    async def perform() -> list[str]:
        run = SimpleNamespace(
            options=FetchOptions(places=places),
            on_stop=[],
            stopping=False,
            leash=Leash(),
            note_certificate=Tally().note_certificate,
        )
        handler = OfrecordDownloadHandler(SimpleNamespace(spider=SimpleNamespace(run=run)))  # type: ignore[arg-type]
        try:
            return await asyncio.gather(
                *(fetch(handler, url) for _ in range(3) for url in [f"http://gazette.example:{port}/", *inside])
            )
        finally:
            await handler.close()
            await asyncio.sleep(0)

    results = asyncio.run(perform())
    assert results[::5] == ["hello"] * 3
    assert [result for result in results if result != "hello" and "not a public address" not in result] == []
    assert {line.partition(" ")[0] for line in canaries[0].asked} == {f"gazette.example:{port}"}


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_proxy_is_asked_for_nothing_inside(canaries: list[Canary], outside: Outside, scheme: str) -> None:
    proxy = Canary()
    try:
        urls = [re.sub(r"^https?:", f"{scheme}:", url) for url in notations(canaries) if "public.example" not in url]
        outside.names["late.example"] = [["10.0.0.1"]]
        results = fetch_all([*urls, f"{scheme}://late.example/"], proxy=f"http://127.0.0.1:{proxy.server_port}")
        assert proxy.asked == []
        assert [url for url, result in results.items() if result == "hello"] == []

        # the control: a public name, and one that only the proxy can resolve
        proxy.answers |= {"public.example/": (200, "text/plain", "page"), "far.example/": (200, "text/plain", "page")}
        urls = [f"{scheme}://public.example/", f"{scheme}://far.example/"]
        results = fetch_all(urls, proxy=f"http://127.0.0.1:{proxy.server_port}")
        if scheme == "http":
            assert set(results.values()) == {"page"}
            assert proxy.asked == [f"{host} http://{host}/" for host in ("public.example", "far.example")]
        else:
            assert proxy.asked == [f"CONNECT {host}:443" for host in ("public.example", "far.example")]
        assert [canary.connections for canary in canaries] == [0, 0, 0]
    finally:
        proxy.stop()


RSS = '<?xml version="1.0"?><rss version="2.0"><channel><title>G</title>{}</channel></rss>'
INDEX = '<sitemapindex xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{}</sitemapindex>'
HOSTS = 12


def lead_inside(site: Canary, canary: Canary) -> None:
    """Let the pages of *site* name *canary* in every way that a page can."""
    root = f"127.0.0.1:{canary.server_port}"
    inside = [
        f"http://{root}",
        f"http://localhost:{canary.server_port}",
        f"http://[::ffff:7f00:1]:{canary.server_port}",
    ]
    items = [f"{base}/announced" for base in inside]
    for number in range(HOSTS):
        items.append(f"http://r{number}.example/2026/page{number}")
        scheme = ["http://", "//", "http:\\\\", "HTTP://user:word@"][number % 4]
        site.answers[f"/2026/page{number}"] = (302, f"{scheme}{root}/redirected{number}", "")
    items += ["http://rules.example/2026/ruled"]
    links = "".join(f"<item><title>T</title><link>{url}</link></item>" for url in items)
    maps = "".join(f"<sitemap><loc>{base}/map.xml</loc></sitemap>" for base in inside)
    page = f'<a href="http://{root}/linked">x</a>'
    site.answers |= {
        "/rss.xml": (200, "application/rss+xml", RSS.format(links)),
        "/map.xml": (200, "application/xml", INDEX.format(maps)),
        "/news": (200, "text/html", page),
        "/feed-moved": (301, f"http://{root}/feed", ""),
        "/robots.txt": (200, "text/plain", ""),
    }


def crawl(folder: Path, site: Canary, rules: Canary, canary: Canary, network: str) -> list[CaptureRow]:
    hosts = ["gazette.example", *(f"r{number}.example" for number in range(HOSTS))]
    root = "http://gazette.example"
    ofrecord = install(
        folder,
        {
            "home": f"{root}/",
            "discover": [
                {"feed": f"{root}/rss.xml"},
                {"sitemap": f"{root}/map.xml"},
                {"section": f"{root}/news"},
                {"feed": f"{root}/feed-moved"},
                # a seed of the same host: else its sitemaps were left out as another site's, and no guard was asked
                {"section": f"http://127.0.0.1:{canary.server_port}/seed"},
            ],
            "network": network,
            "politeness": {"delay_seconds": 1 if network == "public" else 0, "concurrent_requests": 16},
        },
        request_seconds=5,
        max_failed=1,
        resolve=[
            *(f"{host}:80:127.0.0.1:{site.server_port}" for host in hosts),
            f"rules.example:80:127.0.0.1:{rules.server_port}",
        ],
    )
    ofrecord("crawl", "gazette")
    (segment,) = (folder / "archive").glob("segments/*/*/*.warc.gz")
    return [row for row in read_segment(segment) if isinstance(row, CaptureRow)]


KINDS = {"seed", "announced", "redirected", "map.xml", "linked", "feed", "rules.txt"}


def kinds_of(canary: Canary) -> set[str]:
    paths = {line.partition(" ")[2].lstrip("/").rstrip("0123456789") for line in canary.asked}
    return paths - {"robots.txt"}


@pytest.mark.parametrize("network", ["public", "private"])
def test_no_page_feed_sitemap_or_robots_txt_leads_a_crawl_inside(
    tmp_path: Path, canaries: list[Canary], network: str
) -> None:
    canary, site, rules = canaries[0], canaries[1], Canary()
    try:
        lead_inside(site, canary)
        rules.answers["/robots.txt"] = (302, f"http://127.0.0.1:{canary.server_port}/rules.txt", "")
        captures = crawl(tmp_path, site, rules, canary, network)
        assert {line for line in rules.asked if line.endswith("/robots.txt")}
        assert {f"r{number}.example /2026/page{number}" for number in range(HOSTS)} <= set(site.asked)
        refused = {row.url for row in captures if REFUSED.search(row.error or "")}
        if network == "public":
            assert canary.connections == 0
            followed = [number for number in range(HOSTS) if number % 4 != 3]  # no user names in URLs
            assert {f"http://127.0.0.1:{canary.server_port}/redirected{number}" for number in followed} <= refused
            assert not [line for line in site.asked if line.startswith(("127.", "localhost", "["))]
        else:
            assert kinds_of(canary) == KINDS
            assert refused == set()
    finally:
        rules.stop()

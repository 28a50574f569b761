"""The test site is what the end-to-end tests stand on, so it is tested like everything else."""

from __future__ import annotations

import gzip
import hashlib
import html
import http.client
import json
import re
import socket
import ssl
import threading
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote, urlsplit

import pytest

from config.sources import load_sources
from tests.installation import ROOT
from tests.site.pages import (
    ENGLISH,
    HERE,
    HOSTS,
    LIVE_PATH,
    PHASES,
    SEED_URL,
    Answer,
    State,
    answer,
    list_sections,
    list_urls,
    read_expected,
    read_page,
)
from tests.site.server import Site

if TYPE_CHECKING:
    from collections.abc import Iterator


class Client:
    """A plain HTTPS client that checks certificates, with one connection, as a crawler would hold it."""

    def __init__(self, site: Site, host: str) -> None:
        self.context = ssl.create_default_context(cafile=site.ca_file)
        self.host = host
        plain = socket.create_connection(("127.0.0.1", site.port), timeout=10)
        self.connection = http.client.HTTPConnection(host)
        self.connection.sock = self.context.wrap_socket(plain, server_hostname=host)

    def get(self, path: str, **headers: str) -> http.client.HTTPResponse:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.connection.request("GET", path, headers={"Host": self.host, **named})
        return self.connection.getresponse()


@pytest.fixture
def site() -> Iterator[Site]:
    with Site() as running:
        yield running


@pytest.fixture
def english(site: Site) -> Iterator[Client]:
    client = Client(site, ENGLISH)
    yield client
    client.connection.close()


@pytest.mark.parametrize("host", HOSTS)
def test_each_host_has_a_certificate_of_its_own(site: Site, host: str) -> None:
    client = Client(site, host)
    sock = client.connection.sock
    assert isinstance(sock, ssl.SSLSocket)
    certificate = sock.getpeercert()
    assert certificate is not None
    assert certificate["subjectAltName"] == (("DNS", host),)
    response = client.get("/feed.rss")
    assert response.status == 200
    assert response.headers["Content-Type"] == "application/rss+xml; charset=utf-8"
    assert f"https://{host}/".encode() in response.read()
    client.connection.close()


def test_a_client_without_the_authority_is_turned_away_by_itself(site: Site) -> None:
    context = ssl.create_default_context()
    with (
        socket.create_connection(("127.0.0.1", site.port), timeout=10) as plain,
        pytest.raises(ssl.SSLCertVerificationError),
    ):
        context.wrap_socket(plain, server_hostname=ENGLISH)


def test_a_host_that_is_not_ours_is_refused(english: Client) -> None:
    assert english.get("/", Host="news.example").status == 421


@pytest.mark.parametrize(
    ("phase", "status", "page"),
    [
        ("2023", 200, "article-2023.html"),
        ("edited", 200, "edited-2023.html"),
        ("2025", 200, "article-2025.html"),
        ("gone", 200, "gone.html"),
        ("403", 403, None),
        ("404", 404, None),
        ("410", 410, None),
        ("500", 500, None),
    ],
)
def test_phase_decides_the_seed_article(site: Site, english: Client, phase: str, status: int, page: str | None) -> None:
    english.get(f"/__site__/phase/{phase}").read()
    assert site.phase == phase
    response = english.get(urlsplit(SEED_URL).path)
    body = response.read()
    assert response.status == status
    assert page is None or body == read_page(page)


def test_every_phase_is_told_apart() -> None:
    bodies = {answer(ENGLISH, urlsplit(SEED_URL).path, State(phase=phase)).body for phase in PHASES}
    assert len(bodies) == len(PHASES)


def test_live_blog_moves_on(site: Site, english: Client) -> None:
    before = english.get(LIVE_PATH).read()
    site.live = 2
    assert english.get(LIVE_PATH).read() != before


def test_unknown_path_is_a_soft_404_unless_told(site: Site, english: Client) -> None:
    soft = english.get("/news/nothing-here")
    assert (soft.status, soft.read()) == (200, read_page("gone.html"))
    site.hard404 = True
    hard = english.get("/news/nothing-here")
    assert (hard.status, hard.read()) == (404, read_page("gone.html"))


def test_a_path_cannot_leave_its_host(english: Client) -> None:
    for path in ("/../../pages.py", "/%2e%2e/%2e%2e/pages.py", "//etc/passwd"):
        assert english.get(path).read() == read_page("gone.html")


def test_gzip_validators_and_head(site: Site, english: Client) -> None:
    plain = english.get(urlsplit(SEED_URL).path)
    body = plain.read()
    packed = english.get(urlsplit(SEED_URL).path, Accept_Encoding="br, gzip")
    assert packed.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed.read()) == body
    assert packed.headers["ETag"] == plain.headers["ETag"]
    assert packed.headers["Last-Modified"] == "Mon, 06 Nov 2023 14:21:00 GMT"
    same = english.get(urlsplit(SEED_URL).path, If_None_Match=plain.headers["ETag"])
    assert (same.status, same.read()) == (304, b"")
    site.phase = "edited"
    changed = english.get(urlsplit(SEED_URL).path, If_None_Match=plain.headers["ETag"])
    assert (changed.status, changed.read()) == (200, read_page("edited-2023.html"))
    english.connection.request("HEAD", "/feed.rss", headers={"Host": ENGLISH})
    head = english.connection.getresponse()
    assert (int(head.headers["Content-Length"]) > 0, head.read()) == (True, b"")


def test_requests_are_logged_under_the_real_urls(site: Site, english: Client) -> None:
    english.get("/news?page=2", User_Agent="test/1").read()
    english.get("/robots.txt").read()
    english.get("/__site__/state").read()
    assert [request.url for request in site.requests] == [
        f"https://{ENGLISH}/news?page=2",
        f"https://{ENGLISH}/robots.txt",
    ]
    assert site.requests[0].path == "/news"
    assert site.requests[0].header("user-agent") == "test/1"
    assert json.loads(english.get("/__site__/requests").read())[0]["status"] == 200
    site.forget_requests()
    assert site.requests == []


def test_an_answer_can_be_put_in_place_of_a_page(site: Site, english: Client) -> None:
    site.answers[f"https://{ENGLISH}/robots.txt"] = Answer(503, b"later", headers=(("Retry-After", "120"),))
    response = english.get("/robots.txt")
    assert (response.status, response.headers["Retry-After"], response.read()) == (503, "120", b"later")
    site.answers[f"https://{ENGLISH}/feed.rss"] = Answer(body=b"x" * 100, cut_bytes=10)
    with pytest.raises(http.client.IncompleteRead) as cut:
        english.get("/feed.rss").read()
    assert cut.value.partial == b"x" * 10


@pytest.mark.parametrize("words", ["phase/2024", "live/3", "live/x", "hard404/yes", "nothing"])
def test_a_wrong_control_says_so(english: Client, words: str) -> None:
    response = english.get(f"/__site__/{words}")
    assert response.status == 400
    assert response.read()


def test_stop_ends_idle_and_slow_connections(site: Site) -> None:
    threads = threading.active_count()
    with Site() as other:
        idle, slow = Client(other, ENGLISH), Client(other, ENGLISH)
        idle.get("/robots.txt").read()
        other.answers[f"https://{ENGLISH}/news"] = Answer(body=b"late", delay_seconds=600)
        slow.connection.request("GET", "/news", headers={"Host": ENGLISH})
        ca_file = other.ca_file
    assert threading.active_count() == threads
    assert not ca_file.exists()
    assert site.port != other.port
    idle.connection.close()
    slow.connection.close()


def test_expected_texts_belong_to_pages_of_the_site() -> None:
    expected = json.loads((HERE / "expected.json").read_text("utf-8"))
    known = {urlsplit(url)._replace(query="").geturl() for url in list_urls()}
    for url, page in expected.items():
        parts = urlsplit(url)
        found = answer(parts.netloc, parts.path, State())
        assert found.status == 200
        assert (found.body == read_page("gone.html")) == (page["kind"] == "soft-404"), url
        if page["text_file"]:
            text = read_expected(page["text_file"])
            assert hashlib.sha256(text.encode()).hexdigest() == page["clean_sha256"], url
    assert len(known) > len(expected)


def test_the_site_serves_every_article_that_its_sitemaps_and_feeds_name() -> None:
    listed = set()
    for url in list_urls():
        if url.endswith((".xml", ".rss")):
            parts = urlsplit(url)
            text = answer(parts.netloc, parts.path, State()).body.decode()
            listed |= {html.unescape(found) for found in re.findall(r"<(?:loc|link)>([^<]+)</", text)}
    articles = {url for url in listed if urlsplit(url).path.count("/") > 1 and not url.endswith(".xml")}
    assert SEED_URL in articles
    assert len(articles) == 10
    for url in articles:
        parts = urlsplit(url)
        assert answer(parts.netloc, parts.path, State()).body != read_page("gone.html"), url


def test_the_site_serves_every_seed_of_the_three_sources() -> None:
    sources = load_sources(ROOT / "config" / "sources")
    seeds = [entry.url for source in sources.values() for entry in source.discover]
    assert len(seeds) > 60
    for seed in seeds:
        parts = urlsplit(seed)
        found = answer(parts.netloc, parts.path, State(hard404=True))
        assert found.status == 200, seed
        if not parts.path.endswith((".rss", ".xml")):
            canonical = f'<link rel="canonical" href="https://{parts.netloc}{quote(unquote(parts.path))}" />'
            assert canonical in found.body.decode(), seed


def test_every_section_of_the_menus_is_a_seed() -> None:
    sources = load_sources(ROOT / "config" / "sources")
    seeds = {unquote(entry.url) for source in sources.values() for entry in source.discover}
    for host in HOSTS:
        for path in list_sections(host):
            assert f"https://{host}{path}" in seeds

"""The real `ofrecord serve` at a real port: begins, keeps up, goes on without its store, ends; and what it refuses."""

from __future__ import annotations

import json
import os
import signal
import socket
import sqlite3
import subprocess
import time
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from crawler.family import read_processes
from tests.crawls import Answer, Site, page, serve_site, wait_until
from tests.installation import Ofrecord, install, install_on_s3
from tests.proxy import Proxy

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.seaweed import S3Server

SECRET = "correct-horse-battery-staple"


@dataclass(frozen=True)
class Served:
    process: subprocess.Popen[str]
    url: str

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])

    def get(self, path: str, **headers: str) -> httpx.Response:
        return httpx.get(self.url + path, headers={name.replace("_", "-"): one for name, one in headers.items()})

    def find_keeper(self) -> int:
        """Return the process that keeps catalog and index."""
        (keeper,) = [pid for pid, one in read_processes().items() if one.parent == self.process.pid]
        return keeper

    def say(self, data: bytes) -> bytes:
        """Send *data* as it is and return what comes until the room closes the connection."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=30) as connection:
            connection.sendall(data)
            return b"".join(iter(lambda: connection.recv(65_536), b""))


@contextmanager
def serve(ofrecord: Ofrecord, *words: str | Path) -> Iterator[Served]:
    process = ofrecord.start("serve", "--listen", "127.0.0.1:0", "--refresh", "1", "--json", *words)
    assert process.stdout is not None
    try:
        line = process.stdout.readline()
        assert line, process.communicate()[1]
        yield Served(process, json.loads(line)["url"].rstrip("/"))
    finally:
        process.kill()
        process.communicate()


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    with serve_site() as site:
        site.publish(2)
        yield site


@pytest.fixture(scope="module")
def ofrecord(site: Site, tmp_path_factory: pytest.TempPathFactory) -> Ofrecord:
    ofrecord = install(tmp_path_factory.mktemp("installation"), site.describe_source())
    ofrecord("crawl", "gazette")
    return ofrecord


@pytest.fixture(scope="module")
def served(ofrecord: Ofrecord) -> Iterator[Served]:
    with serve(ofrecord) as served:
        yield served


def article(site: Site, number: int) -> str:
    return f"/sources/gazette/article.json?url={site.root}/2026/{number}"


def test_room_keeps_up_with_the_archive(served: Served, ofrecord: Ofrecord, site: Site) -> None:
    first = served.get(article(site, 0))
    assert first.status_code == 200
    tag = first.headers["ETag"]
    assert served.get(article(site, 0), if_none_match=tag).status_code == 304
    assert served.get("/healthz").json()["status"] == "ok"
    site.answers["/2026/0"] = Answer(page("A title that is another one by now"))
    ofrecord("crawl", "gazette", "--recheck", "all")
    wait_until(lambda: served.get(article(site, 0)).json()["text"]["title"] != first.json()["text"]["title"])
    assert served.get(article(site, 0), if_none_match=tag).status_code == 200


def test_page_of_a_room_is_of_this_origin_alone(served: Served, site: Site) -> None:
    answer = served.get(article(site, 1).replace(".json", ""))
    assert answer.status_code == 200
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    (sheet,) = [part.split('"')[0] for part in answer.text.split('rel="stylesheet" href="')[1:]]
    style = served.get(sheet)
    assert style.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert style.headers["Content-Type"] == "text/css; charset=utf-8"


@pytest.mark.parametrize(
    "request_line",
    [
        b"GET /sources/../../../etc/passwd HTTP/1.1\r\n",
        b"GET /static/../app.py HTTP/1.1\r\n",
        b"GET /static/..%2f..%2fapp.py HTTP/1.1\r\n",
        b"GET /static/%2e%2e/templates/base.html HTTP/1.1\r\n",
        b"GET //etc/passwd HTTP/1.1\r\n",
        b"GET http://evil.example/static/../app.py HTTP/1.1\r\n",
    ],
)
def test_no_path_leads_out_of_the_room(served: Served, request_line: bytes) -> None:
    host = f"Host: 127.0.0.1:{served.port}\r\nConnection: close\r\n\r\n".encode()
    answer = served.say(request_line + host)
    assert answer.startswith(b"HTTP/1.1 404")
    assert b"import" not in answer
    assert b"root:" not in answer


def test_requests_within_requests_are_refused(served: Served) -> None:
    host = f"Host: 127.0.0.1:{served.port}\r\n".encode()
    inner = b"GET /sources HTTP/1.1\r\n" + host + b"\r\n"
    bodies = [
        b"Content-Length: 0\r\nTransfer-Encoding: chunked\r\n",
        b"Content-Length: %d\r\n" % len(inner),
        b"Content-Length: 0\r\nContent-Length: %d\r\n" % len(inner),
        b"Transfer-Encoding: xchunked\r\n",
        b"Transfer-Encoding : chunked\r\n",
        b"Host: evil.example\r\n",
        b"X-A: a\nHost: evil\r\n",
    ]
    for headers in bodies:
        answer = served.say(b"GET / HTTP/1.1\r\n" + host + headers + b"\r\n" + inner)
        assert answer.count(b"HTTP/1.1 ") == 1, headers
        assert answer.split()[1] in {b"400", b"413", b"501"}, headers
        assert b"Connection: close" in answer or b"connection: close" in answer, headers


def test_head_that_is_too_long_or_does_not_come_ends(served: Served) -> None:
    start = b"GET / HTTP/1.1\r\nHost: x\r\n"
    assert served.say(start + b"X-A: " + b"a" * 40_000).split()[1] in {b"400", b"431"}
    began = time.monotonic()
    with socket.create_connection(("127.0.0.1", served.port), timeout=30) as connection:
        connection.settimeout(0.5)
        while time.monotonic() - began < 25:
            try:
                connection.sendall(b"G")
                if connection.recv(1_024) == b"":
                    break
            except TimeoutError:
                continue
            except OSError:
                break
    assert 3 < time.monotonic() - began < 20


def test_what_goes_wrong_is_not_told_to_strangers(served: Served, ofrecord: Ofrecord) -> None:
    (state,) = (ofrecord.config.parent / "state").iterdir()
    index = state / "search.sqlite"
    kept = index.rename(index.with_suffix(".kept"))
    try:
        answer = served.get("/sources/gazette/article?url=x")
    finally:
        kept.rename(index)
    assert answer.status_code in {500, 503}
    assert str(state) not in answer.text
    assert "Traceback" not in answer.text


def test_room_goes_on_without_its_store_and_says_so(served: Served, ofrecord: Ofrecord, site: Site) -> None:
    archive = ofrecord.config.parent / "archive"
    away = archive.rename(archive.with_name("away"))
    try:
        wait_until(lambda: served.get("/healthz").json()["status"] == "late")
        assert served.get(article(site, 1)).status_code == 200
    finally:
        away.rename(archive)
    wait_until(lambda: served.get("/healthz").json()["status"] == "ok")


def find_state(ofrecord: Ofrecord) -> Path:
    (state,) = (ofrecord.config.parent / "state").iterdir()
    return state


def test_room_reads_on_in_a_catalog_that_is_made_anew(served: Served, ofrecord: Ofrecord, site: Site) -> None:
    ofrecord("index", "--rebuild")
    wait_until(lambda: served.get(article(site, 1)).status_code == 200)
    site.answers["/2026/1"] = Answer(page("A title that came after the catalog was made anew"))
    ofrecord("crawl", "gazette", "--recheck", "all")
    catalog = find_state(ofrecord) / "catalog.sqlite"
    wait_until(lambda: "made anew" in served.get(article(site, 1)).text)
    opened = [str(one.readlink()) for one in Path(f"/proc/{served.find_keeper()}/fd").iterdir() if one.is_symlink()]
    assert str(catalog) in opened
    assert f"{catalog} (deleted)" not in opened


@pytest.mark.parametrize("name", ["search.sqlite", "catalog.sqlite"])
def test_file_that_is_taken_away_is_made_anew(served: Served, ofrecord: Ofrecord, site: Site, name: str) -> None:
    assert served.get(article(site, 1)).status_code == 200
    for path in find_state(ofrecord).glob(f"{name}*"):
        path.unlink()
    assert served.get(article(site, 1)).status_code in {200, 404, 503}
    wait_until(lambda: served.get(article(site, 1)).status_code == 200)
    wait_until(lambda: served.get("/search.json?words=title").json().get("total"))


def test_index_that_is_damaged_is_made_anew(ofrecord: Ofrecord, site: Site) -> None:
    with serve(ofrecord) as served:
        index = find_state(ofrecord) / "search.sqlite"
        with closing(sqlite3.connect(index)) as db:
            db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        with index.open("r+b") as file:
            file.seek(4_096)
            file.write(b"\xff" * (index.stat().st_size - 4_096))
        assert served.get("/search.json?words=title").status_code in {200, 503}, "the keeper may see it first"
        wait_until(lambda: served.get("/search.json?words=title").json().get("total"))
        assert served.get(article(site, 1)).status_code == 200


def test_keeper_that_dies_is_replaced(served: Served) -> None:
    keeper = served.find_keeper()
    os.kill(keeper, signal.SIGKILL)
    wait_until(lambda: keeper not in read_processes())
    wait_until(lambda: [one for one in read_processes().values() if one.parent == served.process.pid] != [])
    before = served.get("/healthz").json()["looked_at"]
    wait_until(lambda: served.get("/healthz").json()["looked_at"] > before)


def test_port_that_is_taken_is_told(served: Served, ofrecord: Ofrecord) -> None:
    result = ofrecord("serve", "--listen", f"127.0.0.1:{served.port}", code=2)
    assert f"127.0.0.1:{served.port}, which cannot be listened at (Address already in use): " in result.stderr
    assert "--listen" in result.stderr


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 0)])
def test_room_ends_at_once_and_leaves_nobody(ofrecord: Ofrecord, number: signal.Signals, code: int) -> None:
    with serve(ofrecord) as served:
        keeper = served.find_keeper()
        with httpx.Client(base_url=served.url) as idle:  # its connection stays open
            idle.get("/healthz")
            began = time.monotonic()
            served.process.send_signal(number)
            _, told = served.process.communicate(timeout=20)
        assert served.process.returncode == code, told
        assert time.monotonic() - began < 5
        assert "Traceback" not in told
        assert keeper not in read_processes()


def test_second_ctrl_c_ends_it_at_once(ofrecord: Ofrecord, site: Site) -> None:
    with serve(ofrecord) as served:
        assert served.get(article(site, 1)).status_code == 200
        keeper = served.find_keeper()
        for _ in range(2):
            served.process.send_signal(signal.SIGINT)
            time.sleep(0.05)
        _, told = served.process.communicate(timeout=20)
        assert served.process.returncode in {130, -signal.SIGINT}
        assert "Traceback" not in told
        wait_until(lambda: keeper not in read_processes())


def test_room_that_is_killed_leaves_no_keeper(ofrecord: Ofrecord) -> None:
    with serve(ofrecord) as served:
        keeper = served.find_keeper()
        served.process.kill()
        served.process.communicate()
        wait_until(lambda: keeper not in read_processes())


def test_room_with_a_secret_lets_in_who_has_it(ofrecord: Ofrecord, site: Site, tmp_path: Path) -> None:
    path = tmp_path / "token"
    path.write_text(SECRET, encoding="ascii")
    with serve(ofrecord, "--token-file", path) as served:
        assert served.get(article(site, 1)).status_code == 401
        assert served.get(article(site, 1), authorization=f"Bearer {SECRET}").status_code == 200
        with httpx.Client(base_url=served.url) as browser:
            form = browser.get("/login").text.partition('name="form" value="')[2].partition('"')[0]
            sent = browser.post("/login", data={"form": form, "token": SECRET, "to": article(site, 1)})
            assert sent.status_code == 303
            assert browser.get(sent.headers["Location"]).json()["source"] == "gazette"


def test_room_reads_a_bucket_and_goes_on_while_it_is_away(s3_server: S3Server, site: Site, tmp_path: Path) -> None:
    with Proxy(s3_server.endpoint_url) as proxy:
        place = f"s3://{s3_server.bucket}/room-{tmp_path.name}"
        ofrecord = install_on_s3(
            tmp_path, site.describe_source(), s3_server, place, endpoint_url=proxy.url, s3_attempts=1
        )
        ofrecord("crawl", "gazette")
        with serve(ofrecord) as served:
            told = served.get(article(site, 1)).json()
            page = f"/captures/{told['captures'][0]['segment']}/{told['captures'][0]['n']}/record"
            assert served.get(page).content[:2] == b"\x1f\x8b"
            proxy.stop_listening()
            wait_until(lambda: served.get("/healthz").json()["status"] == "late", 60)
            assert served.get(article(site, 1)).status_code == 200, "what is known here is still here"
            answer = served.get(page)
            assert answer.status_code == 503
            assert "127.0.0.1" not in answer.text.replace(served.url, "")
            proxy.listen()
            wait_until(lambda: served.get("/healthz").json()["status"] == "ok", 60)
            assert served.get(page).status_code == 200


REFUSED: dict[str, tuple[list[str], int, str]] = {
    "open to the network": (["--listen", "0.0.0.0:0"], 2, "--token-file"),
    "open to the network by IPv6": (["--listen", "[::]:0"], 2, "--token-file"),
    "a header, and no name": (["--trust-header", "X-User"], 2, "--public-url"),
    "no such token": (["--token-file", "/nowhere/token"], 2, "room_token_file"),
    "no address": (["--listen", "localhost"], 2, "a port, as in 127.0.0.1:8460 or [::1]:8460\n"),
    "another machine's address": (
        ["--listen", "192.0.2.1:1", "--token-file", "TOKEN", "--public-url", "http://x"],
        2,
        "192.0.2.1",
    ),
    "no archive": (["--archive", "NOWHERE"], 10, "no archive"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_room_that_cannot_be_says_why(ofrecord: Ofrecord, tmp_path: Path, name: str) -> None:
    words, code, told = REFUSED[name]
    (tmp_path / "token").write_text(SECRET, encoding="ascii")
    places = {"TOKEN": str(tmp_path / "token"), "NOWHERE": str(tmp_path / "nowhere")}
    options: dict[str, Any] = {"code": code}
    result = ofrecord("serve", "--listen", "127.0.0.1:0", *(places.get(word, word) for word in words), **options)
    assert told in result.stderr
    assert "Traceback" not in result.stderr

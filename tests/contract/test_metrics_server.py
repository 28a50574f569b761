"""The daemon's port, as Prometheus, Kubernetes and strangers find it. On loopback, with real sockets."""

from __future__ import annotations

import asyncio
import gzip
import socket
import threading
import time
from contextlib import ExitStack, closing, suppress
from http.client import HTTPConnection, HTTPResponse
from typing import TYPE_CHECKING

import pytest

from config.errors import ConfigError
from jobs.metrics import server as module
from jobs.metrics.observer import MetricsObserver
from jobs.metrics.server import CONNECTIONS, HEAD_BYTES, ProbeServer
from jobs.metrics.standing import Standing
from tests.figures import parse_figures

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def observer(tmp_path: Path, clock: Clock) -> MetricsObserver:
    observer = MetricsObserver(tmp_path, standing=Standing(stalled_seconds=60, clock=clock))
    observer.standing.turn()
    return observer


@pytest.fixture
def server(observer: MetricsObserver) -> Iterator[ProbeServer]:
    with ProbeServer(("127.0.0.1", 0), observer.registry, observer.standing) as server:
        yield server


def port_of(server: ProbeServer) -> int:
    return int(server.url.rpartition(":")[2])


def ask(server: ProbeServer, path: str, method: str = "GET", **headers: str) -> tuple[HTTPResponse, bytes]:
    with closing(HTTPConnection("127.0.0.1", port_of(server), timeout=10)) as connection:
        connection.request(method, path, headers={name.replace("_", "-"): value for name, value in headers.items()})
        answer = connection.getresponse()
        return answer, answer.read()


def say(server: ProbeServer, data: bytes, *, seconds: float = 10) -> bytes:
    """Send *data*; return all that comes until the server closes."""
    with socket.create_connection(("127.0.0.1", port_of(server)), timeout=seconds) as connection:
        got = b""
        try:
            connection.sendall(data)
            while piece := connection.recv(65_536):
                got += piece
        except ConnectionError:
            pass
        return got


def test_prometheus_reads_what_metrics_says(server: ProbeServer, observer: MetricsObserver) -> None:
    observer.expect({"gazette": 1_800.0})
    answer, body = ask(server, "/metrics")
    assert answer.status == 200
    assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    assert parse_figures(body.decode())["ofrecord_scheduled_sources"] == 1
    answer, packed = ask(
        server, "/metrics", Accept_Encoding="gzip", Accept="application/openmetrics-text;version=1.0.0"
    )
    assert answer.headers["Content-Type"].startswith("application/openmetrics-text")
    assert gzip.decompress(packed).endswith(b"# EOF\n")


def test_one_family_may_be_asked_for(server: ProbeServer) -> None:
    _, body = ask(server, "/metrics?name[]=ofrecord_scheduled_sources")
    assert list(parse_figures(body.decode())) == ["ofrecord_scheduled_sources"]


def test_a_hung_loop_is_told_from_outside_it(server: ProbeServer, clock: Clock) -> None:
    answer, body = ask(server, "/healthz")
    assert (answer.status, body) == (200, b"the loop turned 0 s ago\n")
    clock.now = 61
    answer, body = ask(server, "/healthz")
    assert answer.status == 503
    assert b"it hangs" in body


def test_a_loop_that_is_held_up_answers_from_beside_it(tmp_path: Path) -> None:
    """The real loop and the real pulse: what hangs in the loop cannot hang the answer."""
    observer = MetricsObserver(tmp_path, standing=Standing(stalled_seconds=1.5))
    with ProbeServer(("127.0.0.1", 0), observer.registry, observer.standing) as server:
        seen: list[int] = [ask(server, "/healthz")[0].status]
        hanging, freed = threading.Event(), threading.Event()

        async def live() -> None:
            pulse = asyncio.create_task(observer.pulse(asyncio.Event()))
            await asyncio.sleep(0.01)
            hanging.set()
            freed.wait(30)  # the loop hangs
            await asyncio.sleep(1.1)
            pulse.cancel()

        daemon = threading.Thread(target=lambda: asyncio.run(live()))
        daemon.start()
        hanging.wait(30)
        seen.append(ask(server, "/healthz")[0].status)
        time.sleep(2)
        answer, body = ask(server, "/healthz")
        seen.append(answer.status)
        freed.set()
        daemon.join()
        seen.append(ask(server, "/healthz")[0].status)
    assert seen == [503, 200, 503, 200]
    assert b"it hangs" in body


def test_ready_follows_the_daemon(server: ProbeServer, observer: MetricsObserver) -> None:
    assert ask(server, "/readyz")[0].status == 503
    observer.expect({"gazette": 1_800.0})
    assert ask(server, "/readyz")[0].status == 200
    observer.standing.drain()
    answer, body = ask(server, "/readyz")
    assert (answer.status, body) == (503, b"it was asked to end\n")
    assert ask(server, "/healthz")[0].status == 200


@pytest.mark.parametrize(
    "path", ["/", "/metrics/", "/metrics/../etc/passwd", "/..%2fetc/passwd", "//metrics//", "/HEALTHZ"]
)
def test_nothing_else_is_there(server: ProbeServer, path: str) -> None:
    answer, body = ask(server, path)
    assert (answer.status, body) == (404, b"there are /metrics, /healthz and /readyz\n")
    assert "Python" not in str(answer.headers)


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "TRACE", "PATCH", "get", "_answer"])
def test_other_methods_are_refused(server: ProbeServer, method: str) -> None:
    answer, _ = ask(server, "/metrics", method)
    assert answer.status == 405
    assert answer.headers["Allow"] == "GET, HEAD"


@pytest.mark.parametrize("path", ["/metrics", "/healthz", "/nothing"])
def test_head_tells_the_length_and_no_more(server: ProbeServer, path: str) -> None:
    got = say(server, f"HEAD {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    head, _, body = got.partition(b"\r\n\r\n")
    assert b"Content-Length: " in head
    assert body == b""


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"<script>alert(1)</script>\r\n\r\n", b"400"),
        (b"GET /metrics HTTP/x.y\r\n\r\n", b"400"),
        (b"GET /metrics HTTP/9.9\r\n\r\n", b"505"),
        (b"GET http://[/ HTTP/1.1\r\n\r\n", b"404"),
        (b"GET /metrics HTTP/1.1\r\n" + b"A: b\r\n" * 200 + b"\r\n", b"431"),
        (b"GET /healthz HTTP/1.1\r\nA: " + b"b" * HEAD_BYTES + b"\r\n\r\n", b"431"),
    ],
)
def test_nonsense_is_answered_and_not_repeated(server: ProbeServer, data: bytes, code: bytes) -> None:
    got = say(server, data)
    assert got.split()[1:2] == [code]
    assert b"alert" not in got
    assert ask(server, "/healthz")[0].status == 200


@pytest.mark.parametrize("data", [b"GET /" + b"a" * 100_000, b"\x16\x03\x01\x02\x00", b"\r\n" * 50, b"\0" * 20_000])
def test_what_is_too_long_or_no_http_is_closed(
    server: ProbeServer, data: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "HEAD_SECONDS", 0.3)
    assert b"200 OK" not in say(server, data)
    assert ask(server, "/healthz")[0].status == 200


def test_a_head_that_trickles_in_is_cut_in_time(server: ProbeServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each byte comes soon after the one before: only a limit for the whole ends it."""
    monkeypatch.setattr(module, "HEAD_SECONDS", 0.5)
    began = time.monotonic()
    with socket.create_connection(("127.0.0.1", port_of(server)), timeout=10) as connection, suppress(ConnectionError):
        for byte in b"GET /metrics HTTP/1.1\r\nX-Slow: " + b"a" * 1_000:
            connection.sendall(bytes([byte]))
            time.sleep(0.02)
        pytest.fail("it took all of it")
    assert time.monotonic() - began < 15


def test_connections_are_bounded_and_come_free_again(server: ProbeServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "HEAD_SECONDS", 60)
    before, deadline = threading.active_count(), time.monotonic() + 30
    with ExitStack() as idle:
        for _ in range(CONNECTIONS):
            idle.enter_context(socket.create_connection(("127.0.0.1", port_of(server)), timeout=10))
        while threading.active_count() < before + CONNECTIONS and time.monotonic() < deadline:
            time.sleep(0.01)
        for _ in range(CONNECTIONS):
            assert say(server, b"GET /healthz HTTP/1.1\r\n\r\n") == b""
        assert threading.active_count() == before + CONNECTIONS
    while not say(server, b"GET /healthz HTTP/1.1\r\n\r\n").startswith(b"HTTP/1.0 200"):
        assert time.monotonic() < deadline, "no room again"
        time.sleep(0.05)


def test_who_goes_away_in_the_middle_leaves_no_trace(server: ProbeServer, capfd: pytest.CaptureFixture[str]) -> None:
    for _ in range(20):
        connection = socket.create_connection(("127.0.0.1", port_of(server)), timeout=10)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
        connection.sendall(b"GET /metrics HTTP/1.1\r\n\r\n")
        connection.close()
    assert ask(server, "/healthz")[0].status == 200
    assert "Traceback" not in capfd.readouterr().err


def test_a_port_that_is_taken_is_said(server: ProbeServer, observer: MetricsObserver) -> None:
    with pytest.raises(
        ConfigError, match=rf"metrics_listen: found 127.0.0.1:{port_of(server)}, .*Address already in use"
    ):
        ProbeServer(("127.0.0.1", port_of(server)), observer.registry, observer.standing)


def test_an_address_of_another_machine_is_said(observer: MetricsObserver) -> None:
    with pytest.raises(ConfigError, match="Cannot assign requested address"):
        ProbeServer(("192.0.2.1", 0), observer.registry, observer.standing)


def test_a_stopped_server_lets_its_port_go(observer: MetricsObserver) -> None:
    server = ProbeServer(("127.0.0.1", 0), observer.registry, observer.standing)
    server.stop()
    with ProbeServer(("127.0.0.1", port_of(server)), observer.registry, observer.standing) as again:
        assert ask(again, "/healthz")[0].status == 200


def test_version_6_of_ip(observer: MetricsObserver) -> None:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError as error:
        pytest.skip(f"no IPv6 here: {error}")
    with ProbeServer(("::1", 0), observer.registry, observer.standing) as server:
        assert server.url.startswith("http://[::1]:")
        connection = HTTPConnection("::1", port_of(server), timeout=10)
        connection.request("GET", "/healthz")
        assert connection.getresponse().status == 200
        connection.close()

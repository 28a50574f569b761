"""The room's sockets: whoever sends or takes too slowly is left, so that connections and memory last for the others."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from config.settings import Settings
from jobs.room import app as room_app
from jobs.room import server
from jobs.room.access import AccessRules
from jobs.room.endpoints import Asked, Document, Download
from tests.doors import open_small_library

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from jobs.room.desk import Desk

_LARGE = 32 * 1024 * 1024


def view_large(desk: Desk, asked: Asked) -> Document:
    del desk, asked
    return Document(bytes(_LARGE), "text/plain")


@pytest.fixture
def port(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """Of a room that offers /large, beside nothing else."""
    monkeypatch.setattr(
        room_app, "ENDPOINTS", [Download("large", "/large", Asked, view_large, ("text/plain",), "Large")]
    )
    with open_small_library(tmp_path) as library, server.listen(("127.0.0.1", 0)) as sock:
        port, stop = sock.getsockname()[1], threading.Event()
        rules = AccessRules.of(Settings(), port)
        thread = threading.Thread(target=server.serve, args=(library, rules, sock, stop, dict))
        thread.start()
        try:
            yield port
        finally:
            stop.set()
            thread.join()


@contextmanager
def connect(port: int) -> Iterator[socket.socket]:
    with socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 64 * 1024)
        client.settimeout(5)
        client.connect(("127.0.0.1", port))
        yield client


def is_left(client: socket.socket, piece: bytes, seconds: float) -> bool:
    """Whether the other side ends the connection, while *piece* is sent now and then."""
    client.settimeout(0.05)
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            client.sendall(piece)
            if not client.recv(65_536):
                return True
        except TimeoutError:
            time.sleep(0.1)
        except OSError:
            return True
    return False


@pytest.mark.parametrize(
    ("head", "piece"),
    [
        ("PUT / HTTP/1.1\r\nHost: {host}\r\nContent-Length: 9999\r\n\r\n", b"x"),
        ("PUT / HTTP/1.1\r\nHost: {host}\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n"),
        ("POST /login HTTP/1.1\r\nHost: evil.example\r\nContent-Length: 4000\r\n\r\n", b"x"),
        ("GET / HTTP/1.1\r\nHost: {host}\r\nContent-Length: 9999\r\n\r\n", b"x"),
        ("GET / HTTP/1.1\r\nHost: {host}\r\nX: ", b"x"),
    ],
)
def test_request_that_does_not_end_is_not_waited_for(
    port: int, monkeypatch: pytest.MonkeyPatch, head: str, piece: bytes
) -> None:
    monkeypatch.setattr(server, "HEAD_SECONDS", 0.5)
    with connect(port) as client:
        client.sendall(head.format(host=f"127.0.0.1:{port}").encode())
        assert is_left(client, piece, 5)


def test_reader_who_takes_nothing_is_left(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "TAKING_SECONDS", 0.5, raising=False)
    with connect(port) as client:
        client.sendall(f"GET /large HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode())
        time.sleep(3)
        assert 0 < count_taken(client) < _LARGE


def count_taken(client: socket.socket) -> int:
    """Return how many bytes come until the other side ends it."""
    taken = 0
    try:
        while data := client.recv(1 << 20):
            taken += len(data)
    except ConnectionResetError:
        pass
    return taken


def test_reader_who_takes_it_slowly_has_it_whole(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "TAKING_SECONDS", 0.3, raising=False)
    with connect(port) as client:
        client.sendall(f"GET /large HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode())
        taken = 0
        while taken < _LARGE:
            data = client.recv(1 << 20)
            assert data
            taken += len(data)
            time.sleep(0.01)

"""Serves the room: uvicorn around the application."""

from __future__ import annotations

import contextlib
import os
import socket
from typing import TYPE_CHECKING, Any

import h11
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from config.errors import ConfigError
from jobs.room.app import bound_threads, make_app
from jobs.room.guard import Guard

if TYPE_CHECKING:
    import asyncio
    import threading
    from collections.abc import Callable, Generator

    from jobs.room.access import AccessRules
    from jobs.room.library import Library

HEAD_BYTES = 32 * 1024
HEAD_SECONDS = 5.0
CONNECTIONS = 256
KEEP_ALIVE_SECONDS = 15
TAKING_SECONDS = 30.0
TAKEN_BYTES = 64 * 1024
"""So much of an answer a reader takes in TAKING_SECONDS, or all that is left of it; else it is not kept for them."""
_GRACE_SECONDS = 2


class _Protocol(H11Protocol):
    """Ends a connection whose request does not come, or whose answer is not taken, or by drops: uvicorn waits on."""

    _deadline: asyncio.TimerHandle | None = None
    _taking: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._await_head()

    def data_received(self, data: bytes) -> None:
        before = self.cycle
        super().data_received(data)
        if self.cycle is not before:
            self._forget_head()
        elif self.conn.their_state is h11.IDLE:
            self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._forget_head()
        if self._taking is not None:
            self._taking.cancel()
        super().connection_lost(exc)

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self._taking is None:
            self._watch_reader()

    def _watch_reader(self, before: int | None = None) -> None:
        """*before*: bytes that were left to be taken when we looked last."""
        left = self.transport.get_write_buffer_size()
        if before is not None and left and before - left < TAKEN_BYTES:
            self.transport.abort()
        self._taking = self.loop.call_later(TAKING_SECONDS, self._watch_reader, left) if left else None

    def _await_head(self) -> None:
        if self._deadline is None:
            self._deadline = self.loop.call_later(HEAD_SECONDS, self.transport.close)

    def _forget_head(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None


class _Server(uvicorn.Server):
    """Ends when it is asked to by an event; signals are the command's business."""

    def __init__(self, config: uvicorn.Config, stop: threading.Event) -> None:
        super().__init__(config)
        self._stop = stop

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        bound_threads()
        await super().startup(sockets)

    async def on_tick(self, counter: int) -> bool:
        return await super().on_tick(counter) or self._stop.is_set()


def listen(address: tuple[str, int]) -> socket.socket:
    """Return a socket that listens at *address*. Raises ConfigError if that cannot be."""
    host, port = address
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server(address, family=family, backlog=CONNECTIONS)
    except OSError as error:
        raise ConfigError(
            f"room_listen: found {name_address(host, port)}, which cannot be listened at ({_explain(error)}): "
            "expected an address of this machine and a free port, as in --listen 127.0.0.1:8461"
        ) from error


def _explain(error: OSError) -> str:
    """Return what the system says; Python's own text names the address once more."""
    return str(error) if error.errno is None else os.strerror(error.errno)


def name_address(host: str, port: int) -> str:
    """Return `address:port` as an URL has it."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def serve(
    library: Library,
    rules: AccessRules,
    sock: socket.socket,
    stop: threading.Event,
    standing: Callable[[], dict[str, Any]],
) -> None:
    """Answer requests that come to *sock* until *stop* is set. *standing*: what /healthz tells."""
    config = uvicorn.Config(
        Guard(make_app(library), rules, standing=standing),
        http=_Protocol,
        ws="none",
        lifespan="off",  # it would log a second Ctrl-C as an error of its own
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,  # whom to believe is decided in access.py
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=_GRACE_SECONDS,
        h11_max_incomplete_event_size=HEAD_BYTES,
        limit_concurrency=CONNECTIONS,
    )
    _Server(config, stop).run(sockets=[sock])

"""Our end of a worker's socket: a frame goes out, the frame that answers it comes back. Bounded: a worker may lie.

In place of asyncio's streams, which wake a page's task three times for each answer and copy it as often.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Self, cast

from config.errors import ExtractError
from crawler.workers.main import FRAME_HEAD

if TYPE_CHECKING:
    import socket

MAX_TEXT_BYTES = 64 * 1024 * 1024
"""Of the JSON in one answer."""

Frame = tuple[bytes, bytes]
"""JSON and raw bytes."""


class ChannelClosed(Exception):
    """The other side ended, or its socket did."""


class Channel(asyncio.Protocol):
    """One socket. Whoever asks waits for the answer before anybody asks again."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._held = bytearray()
        self._max_body = 0
        self._waiter: asyncio.Future[Frame] | None = None
        self._closed = False

    @classmethod
    async def open(cls, ours: socket.socket) -> Self:
        """Return the channel over *ours*, a connected socket, which is the channel's from here on. Raises OSError."""
        _, channel = await asyncio.get_running_loop().create_unix_connection(cls, sock=ours)
        return channel

    async def ask(self, frame: bytes, *, max_body: int, seconds: float) -> Frame:
        """Send *frame* and return both parts of the one that answers it.

        Raises ChannelClosed, TimeoutError after *seconds*, ExtractError if the answer is longer than it may be.
        """
        self.send(frame)
        return await self.receive(max_body=max_body, seconds=seconds)

    def send(self, frame: bytes) -> None:
        """Send *frame* and wait for nothing. Raises ChannelClosed."""
        if self._transport is None or self._closed:
            raise ChannelClosed
        self._transport.write(frame)

    async def receive(self, *, max_body: int, seconds: float) -> Frame:
        """Return the next frame, without asking for it. Raises as `ask` does."""
        loop = asyncio.get_running_loop()
        self._max_body = max_body
        waiter = self._waiter = loop.create_future()
        limit = loop.call_later(seconds, self._give_up)
        try:
            if self._closed:
                raise ChannelClosed
            self._look()
            frame: Frame = await waiter
            return frame
        finally:
            limit.cancel()
            self._waiter = None

    def abort(self) -> None:
        """Close the socket at once. Safe to repeat."""
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the socket's transport."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Keep what comes, until it is a whole frame; who sends what nobody waits for is cut off."""
        self._held += data
        if self._waiter is not None:
            self._look()
        elif len(self._held) > MAX_TEXT_BYTES:
            self._held.clear()
            self._closed = True
            self.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell who waits that no answer will come."""
        del exc
        self._closed = True
        self._fail(ChannelClosed())

    def _look(self) -> None:
        """Hand over the frame that is held, if it is whole."""
        held, head = self._held, FRAME_HEAD.size
        if len(held) < head:
            return
        text_size, body_size = FRAME_HEAD.unpack_from(held)
        if text_size > MAX_TEXT_BYTES or body_size > self._max_body:
            self._fail(ExtractError(f"the worker answered {text_size} + {body_size} bytes, too much for this page"))
            return
        end = head + text_size + body_size
        if len(held) < end or self._waiter is None or self._waiter.done():
            return
        with memoryview(held) as view:
            self._waiter.set_result((bytes(view[head : head + text_size]), bytes(view[head + text_size : end])))
        del held[:end]

    def _give_up(self) -> None:
        self._fail(TimeoutError())

    def _fail(self, error: Exception) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_exception(error)

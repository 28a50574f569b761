"""Our end of a worker's socket, with a worker that does as it likes at the other end."""

from __future__ import annotations

import asyncio
import socket
from typing import TYPE_CHECKING

import pytest
import uvloop

from config.errors import ExtractError
from crawler.workers import channel as module
from crawler.workers.channel import Channel, ChannelClosed
from crawler.workers.main import FRAME_HEAD, encode_frame

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

ANSWER = encode_frame(b'{"answer":{}}', b"records" * 1_000)


def with_channel(check: Callable[[Channel, socket.socket], Coroutine[None, None, None]]) -> None:
    async def run() -> None:
        ours, theirs = socket.socketpair()
        with theirs:
            theirs.setblocking(False)
            channel = await Channel.open(ours)
            try:
                await asyncio.wait_for(check(channel, theirs), 10)
            finally:
                channel.abort()
                await asyncio.sleep(0)

    uvloop.run(run())  # as the crawl does


@pytest.mark.parametrize("size", [1, FRAME_HEAD.size - 1, FRAME_HEAD.size, 100, len(ANSWER)])
def test_an_answer_is_whole_however_it_is_cut(size: int) -> None:
    async def check(channel: Channel, theirs: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        for _ in range(2):
            asked = asyncio.create_task(channel.ask(encode_frame({"call": "page"}), max_body=7_000, seconds=5))
            assert await loop.sock_recv(theirs, 1_000) == encode_frame({"call": "page"})
            pieces = [ANSWER[at : at + size] for at in range(0, min(len(ANSWER), 40 * size), size)]
            for piece in [*pieces, ANSWER[sum(map(len, pieces)) :]]:
                await loop.sock_sendall(theirs, piece)
                await asyncio.sleep(0)
            assert await asked == (b'{"answer":{}}', b"records" * 1_000)

    with_channel(check)


def test_what_came_before_anybody_waited_is_there() -> None:
    async def check(channel: Channel, theirs: socket.socket) -> None:
        theirs.send(encode_frame({"ready": True}))
        await asyncio.sleep(0.05)
        assert await channel.receive(max_body=0, seconds=5) == (b'{"ready":true}', b"")

    with_channel(check)


@pytest.mark.parametrize("sizes", [(13, 7_000), (module.MAX_TEXT_BYTES + 1, 0), (0xFFFFFFFF, 0xFFFFFFFF)])
def test_a_longer_answer_than_was_agreed_is_refused_by_its_head(sizes: tuple[int, int]) -> None:
    async def check(channel: Channel, theirs: socket.socket) -> None:
        theirs.send(FRAME_HEAD.pack(*sizes))
        with pytest.raises(ExtractError, match=r"bytes, too much for this page"):
            await channel.receive(max_body=6_999, seconds=5)

    with_channel(check)


def test_an_answer_that_does_not_come_in_time() -> None:
    async def check(channel: Channel, theirs: socket.socket) -> None:
        theirs.send(ANSWER[:-1])
        with pytest.raises(TimeoutError):
            await channel.receive(max_body=7_000, seconds=0.05)

    with_channel(check)


def test_a_worker_that_ends_before_or_while_it_is_asked() -> None:
    async def check(channel: Channel, theirs: socket.socket) -> None:
        asked = asyncio.create_task(channel.ask(ANSWER, max_body=0, seconds=5))
        await asyncio.sleep(0.05)
        theirs.close()
        with pytest.raises(ChannelClosed):
            await asked
        with pytest.raises(ChannelClosed):
            await channel.ask(ANSWER, max_body=0, seconds=5)
        with pytest.raises(ChannelClosed):
            await channel.receive(max_body=0, seconds=5)

    with_channel(check)


def test_who_sends_without_end_what_nobody_waits_for_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_TEXT_BYTES", 100_000)

    async def check(channel: Channel, theirs: socket.socket) -> None:
        with pytest.raises((BrokenPipeError, ConnectionResetError)):
            await asyncio.get_running_loop().sock_sendall(theirs, bytes(10_000_000))
        with pytest.raises(ChannelClosed):
            await channel.receive(max_body=0, seconds=5)

    with_channel(check)

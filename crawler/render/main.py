"""The browser's process: pages from a socket, rendered documents back; in between it asks for what the pages ask for.

Run as `python -m crawler.render.main SETTINGS`, JSON; the socket is standard input. Has no network, and what it starts
has none. Knows no secrets. Ends, with the browser, when the socket does.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import resource
import shutil
import signal
import socket
import sys
from typing import TYPE_CHECKING, Any

from config.errors import ConfigError
from crawler.render.confinement import cut_off_network
from crawler.workers.channel import Channel, ChannelClosed
from crawler.workers.main import encode_frame

if TYPE_CHECKING:
    from crawler.render.browser import Browser

MAX_BODY_BYTES = 1 << 30
_CLOSE_SECONDS = 3.0
_A_DAY = 86_400.0
_MAX_REASON = 500


class _Server:
    """Our end of the socket, as the browser's pages see it."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._asked: dict[int, asyncio.Future[tuple[dict[str, Any], bytes]]] = {}
        self._number = 0
        self._page: asyncio.Task[None] | None = None

    async def fetch(self, asked: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
        """Return what the other end has for a request: data and the body."""
        self._number += 1
        number = self._number
        answer: asyncio.Future[tuple[dict[str, Any], bytes]] = asyncio.get_running_loop().create_future()
        self._asked[number] = answer
        try:
            self._channel.send(encode_frame({"request": number, **asked}))
            return await answer
        finally:
            self._asked.pop(number, None)

    async def serve(self, browser: Browser) -> None:
        """Render one page after the other until the socket ends."""
        self._channel.send(encode_frame({"ready": browser.name}))
        with contextlib.suppress(ChannelClosed):
            while True:
                text, body = await self._channel.receive(max_body=MAX_BODY_BYTES, seconds=_A_DAY)
                data = json.loads(text)
                if "answer" in data:
                    self._hand_over(data, body)
                else:
                    self._page = asyncio.create_task(self._render(browser, data, body))

    def _hand_over(self, data: dict[str, Any], body: bytes) -> None:
        answer = self._asked.get(data["answer"])
        if answer is not None and not answer.done():
            answer.set_result((data, body))

    async def _render(self, browser: Browser, data: dict[str, Any], body: bytes) -> None:
        try:
            document, refused = await browser.render(data, body, self.fetch)
        except Exception as error:  # noqa: BLE001 - whatever a page does to the browser is told of the page
            self._channel.send(encode_frame({"failed": describe(error)}))
        else:
            self._channel.send(encode_frame({"done": True, "refused": refused}, document))


def describe(error: BaseException) -> str:
    """Say in one line what failed; of the driver's words the first line says it."""
    text = str(error).strip()
    line = next((line.strip() for line in text.splitlines() if line.strip()), "") or type(error).__name__
    return line[:_MAX_REASON]


async def _run(options: dict[str, Any]) -> None:
    with socket.socket(fileno=os.dup(0)) as ours:
        channel = await Channel.open(ours)
        try:
            from crawler.render.browser import open_browser  # noqa: PLC0415 - what is missing is to be told

            browser = await open_browser(options)
        except Exception as error:  # noqa: BLE001 - as it is, it is what a person must know
            channel.send(encode_frame({"broken": explain_start(error)}))
            await asyncio.sleep(_CLOSE_SECONDS)  # lets it be read; we are killed sooner
            return
        try:
            await _Server(channel).serve(browser)
        finally:
            with contextlib.suppress(Exception):
                await asyncio.wait_for(browser.close(), _CLOSE_SECONDS)


def explain_start(error: BaseException) -> str:
    """Say why a browser does not start, and what to do where that is known."""
    text = str(error)
    if "without --no-sandbox" in text or "No usable sandbox" in text:
        return (
            "the browser cannot shut its processes in here (it runs as root, or there are no user namespaces):"
            " run as another user, or set render_sandbox: false"
        )
    return describe(error)


def main(argv: list[str]) -> int:
    """Run the process; *argv*: the settings as JSON. See `crawler.render.renderer` for what stands in them."""
    options = json.loads(argv[0])
    for number in (signal.SIGINT, signal.SIGTERM):  # meant for the parent, who closes our socket when it is done
        signal.signal(number, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    logging.disable()
    try:
        cut_off_network()
    except ConfigError as error:
        with socket.socket(fileno=os.dup(0)) as ours:
            ours.sendall(encode_frame({"broken": str(error)}))
        return 1
    try:
        asyncio.run(_run(options))
    finally:
        shutil.rmtree(options["folder"], ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

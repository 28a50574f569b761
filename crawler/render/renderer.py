"""Our end of the browser's process: pages as served in, renditions out; a deadline, a memory limit, an end of it all.

A page is hostile, so what comes back is bounded and checked, and a browser that takes too long or too much is killed
with all that it started.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import structlog

from config.errors import ConfigError, ExtractError
from crawler.family import Family, read_processes
from crawler.model import Rendition
from crawler.workers.channel import Channel, ChannelClosed
from crawler.workers.main import encode_frame

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from config.rendering import RenderSettings
    from config.settings import Settings
    from config.sources import Source
    from crawler.model import Exchange

log = structlog.get_logger()

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
START_SECONDS = 60.0
PAGES_PER_BROWSER = 500
"""After so many pages a browser is replaced."""
MAX_PAGE_SECONDS = 600.0
"""By the clock, the web's part counted: no page holds up the others for longer."""
_WATCH_SECONDS = 0.5
_KILL_SECONDS = 5.0
_MAX_TEXT = 500
_MAX_HOSTS = 20
_PASSED_ENVIRONMENT = ("PATH", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "VIRTUAL_ENV", "PYTHONWARNINGS")
_NAME = re.compile(r"[A-Za-z]{1,20}/[0-9.]{1,40}")


@dataclass(frozen=True, slots=True)
class AskedRequest:
    """What a script of a page asks the web for, by GET."""

    url: str
    kind: str
    """`script`, `xhr` or `fetch`."""
    headers: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class WebAnswer:
    """What it gets."""

    exchange: Exchange | None = None
    """`None`: no answer."""
    refused: bool = False
    """Whether we would not ask."""


def find_browser(settings: RenderSettings) -> Path:
    """Return the browser to run. Raises ConfigError, saying what to install."""
    if find_spec("playwright") is None:
        raise ConfigError("render: playwright is not installed; expected it: pip install 'ofrecord[render]'")
    named = settings.render_browser
    found = shutil.which(named) if named else next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None:
        where = str(named) if named else f"none of {', '.join(BROWSERS)}"
        raise ConfigError(
            f"render_browser: found {where} to run, expected Chromium or Chrome: install it, or say where"
        )
    return Path(found)


def make_renderer(source: Source, settings: Settings) -> Renderer | None:
    """Return what renders the pages of *source*, if they need that. Raises ConfigError if there is no browser."""
    if source.render is None:
        return None
    return Renderer(
        settings,
        user_agent=settings.user_agent,
        max_bytes=settings.max_body_bytes,
        language=source.language,
        timezone=source.timezone,
    )


class Renderer:
    """Renders one page at a time, in a browser that is started for the first."""

    def __init__(
        self,
        settings: RenderSettings,
        *,
        user_agent: str,
        max_bytes: int,
        language: str | None = None,
        timezone: str | None = None,
    ) -> None:
        """*max_bytes*: of a body, inflated, and of a document. Raises ConfigError if there is no browser.

        *language*, *timezone*: those of a reader, so that no text depends on where it is rendered.
        """
        self._settings = settings
        self._max_bytes = max_bytes
        self._options = {
            "browser": str(find_browser(settings)),
            "sandbox": settings.render_sandbox,
            "user_agent": user_agent,
            "settle_seconds": settings.render_settle_seconds,
            "max_bytes": max_bytes,
            "language": language or "en",
            "timezone": timezone or "UTC",
            "start_seconds": START_SECONDS,
        }
        self._turn = asyncio.Lock()
        self._process: _BrowserProcess | None = None
        self._pages = 0
        self._closed = False

    async def render(self, exchange: Exchange, fetch: Callable[[AskedRequest], Awaitable[WebAnswer]]) -> Rendition:
        """Return what the scripts of a page make of it; a page that cannot be rendered is a rendition that says why.

        Raises ExtractError if no browser starts.
        """
        async with self._turn:
            if self._closed:
                raise ExtractError("the browser was stopped")
            process = self._process or await self._start()
            self._pages += 1
            rendition = await _Rendering(process, self._settings, exchange, fetch, self._max_bytes).perform()
            if process.killed or self._pages >= PAGES_PER_BROWSER:
                process.kill()
                self._process, self._pages = None, 0
            return rendition

    async def _start(self) -> _BrowserProcess:
        process = self._process = _BrowserProcess(self._options)  # so that `kill` finds it while it starts, too
        try:
            await process.wait_ready()
        except BaseException:
            process.kill()
            self._process = None
            raise
        return process

    def kill(self) -> None:
        """End the browser at once; who waits for a page hears of it. Safe to repeat."""
        self._closed = True
        if self._process is not None:
            self._process.kill()


class _BrowserProcess:
    """The process, all that it started, and our end of its socket."""

    def __init__(self, options: dict[str, Any]) -> None:
        self.name = ""
        self.killed = False
        self.channel: Channel | None = None
        self._folder = tempfile.mkdtemp(prefix="ofrecord-render-")
        self._socket, theirs = socket.socketpair()
        environment = {name: os.environ[name] for name in _PASSED_ENVIRONMENT if name in os.environ}
        root = str(Path(__file__).resolve().parent.parent.parent)
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", "crawler.render.main", json.dumps(options | {"folder": self._folder})],
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
                cwd=self._folder,
                env=environment | {"PYTHONPATH": root, "HOME": self._folder, "TMPDIR": self._folder},
            )
        self.family = Family(self._process.pid)

    async def wait_ready(self) -> None:
        """Wait until the browser is there. Raises ExtractError."""
        self.channel = await Channel.open(self._socket)
        if self.killed:
            self.channel.abort()
        try:
            text, _ = await self.channel.receive(max_body=0, seconds=START_SECONDS)
        except ChannelClosed as error:
            raise ExtractError("the browser does not start: its process ended") from error
        except TimeoutError as error:
            raise ExtractError(f"the browser does not start: it took more than {START_SECONDS:g} s") from error
        found = _read_object(text)
        if "broken" in found:
            raise ExtractError(f"the browser does not start: {_read_text(found['broken'])}")
        self.name = _read_text(found.get("ready"))
        if not _NAME.fullmatch(self.name):
            raise ExtractError("the browser does not start: its process says something else")

    def measure(self) -> int:
        """Return the bytes of memory that all its processes hold."""
        return sum(one.rss_bytes for one in self.family.find(read_processes()))

    def kill(self) -> None:
        """End all processes and take the folder away. Safe to repeat."""
        if self.killed:
            return
        self.killed = True
        end = time.monotonic() + _KILL_SECONDS
        while self.family.kill() and time.monotonic() < end:
            time.sleep(0.005)
        self._process.wait()
        if self.channel is not None:
            self.channel.abort()
        self._socket.close()
        shutil.rmtree(self._folder, ignore_errors=True)


class _Rendering:
    """One page on its way through the browser."""

    def __init__(
        self,
        process: _BrowserProcess,
        settings: RenderSettings,
        exchange: Exchange,
        fetch: Callable[[AskedRequest], Awaitable[WebAnswer]],
        max_bytes: int,
    ) -> None:
        self._process = process
        self._settings = settings
        self._exchange = exchange
        self._fetch = fetch
        self._max_bytes = max_bytes
        self._requests: set[asyncio.Task[None]] = set()
        self._asked = 0
        self._reason = "the browser ended"
        """Why it ended, if it did."""

    async def perform(self) -> Rendition:
        """Return the rendition; of a browser that had to be killed, or that answered nonsense, none is left."""
        watch = asyncio.create_task(self._watch())
        try:
            return await self._converse()
        except (ChannelClosed, ExtractError) as error:
            self._process.kill()
            return self._fail(self._reason if isinstance(error, ChannelClosed) else str(error))
        except BaseException:
            self._process.kill()
            raise
        finally:
            for task in (watch, *self._requests):
                task.cancel()

    async def _converse(self) -> Rendition:
        channel = self._process.channel
        if channel is None:
            raise ChannelClosed
        exchange = self._exchange
        page = {"url": exchange.url, "status": exchange.status, "headers": _list_headers(exchange)}
        channel.send(encode_frame(page, exchange.body))
        while True:
            text, body = await channel.receive(max_body=self._max_bytes, seconds=MAX_PAGE_SECONDS + _KILL_SECONDS)
            data = _read_object(text)
            if "request" in data:
                self._take(channel, data["request"], _read_request(data))
            elif "failed" in data:
                return self._fail(_read_text(data["failed"]))
            elif not body:
                return self._fail("the browser made an empty document")
            else:
                self._tell_refused(data.get("refused"))
                return Rendition(body, self._process.name)

    def _take(self, channel: Channel, number: object, asked: AskedRequest) -> None:
        self._asked += 1
        late = self._asked > self._settings.render_requests
        task = asyncio.create_task(self._answer(channel, number, asked, late=late))
        self._requests.add(task)
        task.add_done_callback(self._requests.discard)

    async def _answer(self, channel: Channel, number: object, asked: AskedRequest, *, late: bool) -> None:
        answer = WebAnswer(refused=True) if late else await self._fetch(asked)
        told: dict[str, Any] = {"answer": number, "refused": answer.refused}
        body, exchange = b"", answer.exchange
        if exchange is not None and exchange.status is not None and not exchange.truncated:
            told |= {"status": exchange.status, "headers": _list_headers(exchange), "limit": self._max_bytes}
            body = exchange.body
        with contextlib.suppress(ChannelClosed):
            channel.send(encode_frame(told, body))

    async def _watch(self) -> None:
        """Kill the browser once it has taken too long, the web's time not counted, or holds too much memory."""
        started = before = time.monotonic()
        taken = 0.0
        while True:
            await asyncio.sleep(_WATCH_SECONDS)
            now = time.monotonic()
            taken += 0 if self._requests else now - before
            before = now
            if taken > self._settings.render_seconds:
                self._end(f"time-out: not rendered within {self._settings.render_seconds:g} s")
            elif now - started > MAX_PAGE_SECONDS:
                self._end(f"time-out: not rendered within {MAX_PAGE_SECONDS:g} s, the web's part counted")
            elif (held := self._process.measure()) > self._settings.render_memory_bytes:
                self._end(f"the browser held {held >> 20} MiB of memory")

    def _end(self, reason: str) -> None:
        self._reason = reason
        log.warning("killed_browser", url=self._exchange.url, reason=reason)
        self._process.kill()

    def _fail(self, reason: str) -> Rendition:
        return Rendition(browser=self._process.name, error=reason[:_MAX_TEXT])

    def _tell_refused(self, hosts: object) -> None:
        named = [host for host in hosts if isinstance(host, str)][:_MAX_HOSTS] if isinstance(hosts, list) else []
        log.debug("rendered_page", url=self._exchange.url, requests=self._asked, refused=named)


def _list_headers(exchange: Exchange) -> list[list[str]]:
    lines = exchange.response_head.decode("latin-1").split("\r\n")[1:]
    pairs = (line.partition(":") for line in lines)
    return [[name.strip(), value.strip()] for name, colon, value in pairs if colon and name.strip()]


def _read_request(data: dict[str, Any]) -> AskedRequest:
    """Return the request in a frame of the browser's process. Raises ExtractError if there is none."""
    url, headers = data.get("url"), data.get("headers")
    if not isinstance(url, str) or not isinstance(headers, list):
        raise ExtractError("the browser asked for nothing that can be understood")
    texts = [tuple(map(_read_text, pair)) for pair in headers if isinstance(pair, list) and len(pair) == 2]
    return AskedRequest(url, _read_text(data.get("kind")), tuple((name, value) for name, value in texts))


def _read_object(text: bytes) -> dict[str, Any]:
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ExtractError("the browser's process answered no JSON") from error
    if not isinstance(data, dict):
        raise ExtractError("the browser's process answered no JSON object")
    return data


def _read_text(value: object) -> str:
    return value if isinstance(value, str) else ""

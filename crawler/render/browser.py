"""Chromium, driven by playwright (the only module that imports it): a page as served in, the document as rendered out.

Every request of a page comes to us; none reaches a network. The page's clock stands still while it waits for one, so a
slow web changes nothing, and runs fast while nothing happens.
"""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from playwright.async_api import async_playwright

from config.errors import ExtractError
from crawler.encoding import inflate

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from playwright.async_api import Browser as Chromium
    from playwright.async_api import BrowserContext, CDPSession, Page, Playwright, Route

    Fetch = Callable[[dict[str, Any]], Awaitable[tuple[dict[str, Any], bytes]]]

ARGUMENTS = (
    "--host-resolver-rules=MAP * ~NOTFOUND",
    "--no-proxy-server",
    "--disable-quic",
    "--no-pings",
    "--disable-sync",
    "--disable-domain-reliability",
    "--force-webrtc-ip-handling-policy=disable_non_proxied_udp",
    "--disable-gpu",
    "--disable-3d-apis",
    "--disable-dev-shm-usage",
    "--disable-remote-fonts",
    "--blink-settings=imagesEnabled=false",
    "--js-flags=--max-old-space-size=512",
)
FETCHED = frozenset({"script", "xhr", "fetch"})
"""What a page may ask the web for, by `GET`."""
MAX_REFUSED = 20
"""Hosts that are named of those that a page asked in vain."""
_VIEWPORT = {"width": 1280, "height": 2400}
"""High, for what is loaded once it is scrolled to."""
_KEPT_HEADERS = frozenset({"accept", "authorization", "content-type", "origin", "referer"})
_MAX_HEADERS = 20
_MAX_HEADER_CHARS = 4_000
_DROPPED = frozenset(
    {"content-encoding", "content-length", "transfer-encoding", "connection", "keep-alive", "trailer", "upgrade"}
    | {"alt-svc", "nel", "refresh", "report-to", "reporting-endpoints", "strict-transport-security"}
)
"""Headers of an answer that are of the wire, or would have the browser ask for more."""
_FOREVER = 0
_LOOK_SECONDS = 0.25
_LEAST_QUIET_SECONDS = 1.0


async def open_browser(options: dict[str, Any]) -> Browser:
    """Return a browser as *options* have it. Raises playwright's errors."""
    playwright = await async_playwright().start()
    chromium = await playwright.chromium.launch(
        executable_path=options["browser"],
        chromium_sandbox=options["sandbox"],
        args=list(ARGUMENTS),
        ignore_default_args=["--disable-popup-blocking"],
        timeout=options["start_seconds"] * 1_000,
        handle_sigint=False,
        handle_sigterm=False,
        handle_sighup=False,
    )
    return Browser(playwright, chromium, options)


class Browser:
    """One browser; each page gets a profile of its own that is forgotten with it."""

    def __init__(self, playwright: Playwright, chromium: Chromium, options: dict[str, Any]) -> None:
        self.name = f"Chromium/{chromium.version}"
        self._playwright = playwright
        self._chromium = chromium
        self._options = options

    async def render(self, served: dict[str, Any], body: bytes, fetch: Fetch) -> tuple[bytes, list[str]]:
        """Return the document that the scripts of a page make, in UTF-8, and the hosts that it asked in vain.

        *served*: url, status and headers of the page, *body* as served. *fetch*: has what its scripts ask for. Raises
        ExtractError and playwright's errors.
        """
        limit = self._options["max_bytes"]
        context = await self._chromium.new_context(
            user_agent=self._options["user_agent"],
            locale=self._options["language"],
            timezone_id=self._options["timezone"],
            service_workers="block",
            accept_downloads=False,
            viewport=_VIEWPORT,  # type: ignore[arg-type]  # a TypedDict there
            reduced_motion="reduce",
        )
        try:
            visit = _Visit(served, inflate(body, _codings(served["headers"]), limit=limit), fetch)
            text = await visit.render(context, settle_seconds=self._options["settle_seconds"])
        finally:
            with contextlib.suppress(Exception):
                await context.close()
        document = text.encode("utf-8", "replace")
        if len(document) > limit:
            raise ExtractError(f"the document has {len(document)} bytes, at most {limit} are kept")
        return document, list(visit.refused)

    async def close(self) -> None:
        """End the browser in good order."""
        await self._chromium.close()
        await self._playwright.stop()


@dataclass
class _Visit:
    """One page while it is rendered."""

    served: dict[str, Any]
    body: bytes
    fetch: Fetch
    refused: dict[str, None] = field(default_factory=dict)
    _begun: bool = False
    _waiting: int = 0
    """Requests that are not answered yet."""
    _quiet_since: float = 0.0
    """Since when there are none, by the event loop's clock."""
    _end: asyncio.Future[str | None] = field(default_factory=lambda: asyncio.get_running_loop().create_future())
    """That the page's time is over, or what went wrong before."""

    async def render(self, context: BrowserContext, *, settle_seconds: float) -> str:
        await context.route("**/*", self._handle)
        await context.route_web_socket("**/*", lambda socket: socket.close())
        page = await context.new_page()
        context.on("page", lambda popup: asyncio.ensure_future(popup.close()))
        page.on("crash", lambda _: self._finish("the page crashed the browser: it took too much memory"))
        session = await context.new_cdp_session(page)
        session.on("Emulation.virtualTimeBudgetExpired", lambda _: self._finish(None))
        opening = asyncio.create_task(self._open(page, session, settle_seconds))
        try:  # of a page that crashed the driver's calls may never return
            either: list[asyncio.Future[Any]] = [opening, self._end]
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
            if not self._end.done():
                opening.result()
            failure = await self._wait(max(settle_seconds, _LEAST_QUIET_SECONDS))
        finally:
            opening.cancel()
        if failure is not None:
            raise ExtractError(failure)
        return await page.content()

    async def _wait(self, quiet_seconds: float) -> str | None:
        """Return what went wrong, if anything, once the page's time is over by its own clock.

        Or once it has asked for nothing for *quiet_seconds* by ours: a page may stop its own, with a popup for one.
        """
        loop = asyncio.get_running_loop()
        self._quiet_since = loop.time()
        while not self._end.done():
            await asyncio.wait({self._end}, timeout=_LOOK_SECONDS)
            if not self._waiting and loop.time() - self._quiet_since > quiet_seconds:
                self._finish(None)
        return self._end.result()

    async def _open(self, page: Page, session: CDPSession, settle_seconds: float) -> None:
        await page.goto(self.served["url"], wait_until="commit", timeout=_FOREVER)
        await session.send(
            "Emulation.setVirtualTimePolicy",
            {"policy": "pauseIfNetworkFetchesPending", "budget": max(1, round(1_000 * settle_seconds))},
        )

    def _finish(self, failure: str | None) -> None:
        if not self._end.done():
            self._end.set_result(failure)

    async def _handle(self, route: Route) -> None:
        self._waiting += 1
        try:
            with contextlib.suppress(Exception):  # the page may be gone by the time that the answer comes
                await self._answer(route)
        finally:
            self._waiting -= 1
            self._quiet_since = asyncio.get_running_loop().time()

    async def _answer(self, route: Route) -> None:
        request = route.request
        if request.is_navigation_request():
            await self._answer_navigation(route)
        elif request.resource_type == "stylesheet":
            await route.fulfill(status=200, content_type="text/css", body=b"")  # scripts wait for them
        elif request.resource_type not in FETCHED or request.method != "GET":
            if request.resource_type in FETCHED:
                self._refuse(request.url)
            await route.abort()
        else:
            await self._answer_request(route)

    async def _answer_navigation(self, route: Route) -> None:
        request = route.request
        if request.frame.parent_frame is not None:
            await route.abort()  # what is in a frame is another document
        elif self._begun:
            self._finish(f"a script of the page leads to {request.url[:300]}")
            await route.abort()
        else:
            self._begun = True
            await route.fulfill(
                status=self.served["status"], headers=_write_headers(self.served["headers"]), body=self.body
            )

    async def _answer_request(self, route: Route) -> None:
        request = route.request
        headers = _choose_headers(request.headers)
        data, body = await self.fetch({"url": request.url, "kind": request.resource_type, "headers": headers})
        if data.get("refused"):
            self._refuse(request.url)
        if "status" not in data:
            await route.abort()
            return
        content = inflate(body, _codings(data["headers"]), limit=data["limit"])
        await route.fulfill(status=data["status"], headers=_write_headers(data["headers"]), body=content)

    def _refuse(self, url: str) -> None:
        if len(self.refused) < MAX_REFUSED:
            self.refused[urlsplit(url).netloc[:255]] = None


def _codings(headers: list[list[str]]) -> list[str]:
    return [value for name, value in headers if name.lower() == "content-encoding"]


def _choose_headers(headers: dict[str, str]) -> list[list[str]]:
    """Return what of a page's request goes out: what its scripts set, and who asks; no marks of the browser."""
    chosen = [
        [name, value]
        for name, value in headers.items()
        if name in _KEPT_HEADERS or (name.startswith("x-") and len(name) <= 100)
    ]
    return [pair for pair in chosen if len(pair[1]) <= _MAX_HEADER_CHARS][:_MAX_HEADERS]


def _write_headers(headers: list[list[str]]) -> dict[str, str]:
    """Return an answer's headers as playwright takes them, those that stand several times joined."""
    joined: dict[str, str] = {}
    for name, value in headers:
        key = name.lower()
        if key not in _DROPPED:
            glue = "\n" if key == "set-cookie" else ", "
            joined[key] = f"{joined[key]}{glue}{value}" if key in joined else value
    return joined

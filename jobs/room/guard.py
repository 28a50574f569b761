"""The door: ASGI around the application. What is not for this room, too long, too often or without leave ends here."""

from __future__ import annotations

import asyncio
import json
import time
from typing import TYPE_CHECKING, Any

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from jobs.room.allowance import Allowance
from jobs.room.answers import make_trouble, set_base
from jobs.room.headers import SafeHeaders
from jobs.room.login import LOGIN, LoginDesk

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.types import ASGIApp, Receive, Scope, Send

    from jobs.room.access import AccessRules

TARGET_BYTES = 8 * 1024
BODY_BYTES = 4 * 1024
BODY_SECONDS = 10.0
_STATIC = "/static/"
_ROBOTS = b"User-agent: *\nDisallow: /\n"


class Guard:
    """Answers what the application must not see, and hands it the rest."""

    def __init__(
        self, app: ASGIApp, rules: AccessRules, *, standing: Callable[[], dict[str, Any]] | None = None
    ) -> None:
        """*standing*: what /healthz tells anybody who asks."""
        self._app = app
        self._rules = rules
        self._standing = standing
        self._allowance = Allowance(rules.requests_per_minute)
        self._login = None if rules.token is None else LoginDesk(rules, rules.token)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, as ASGI has it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request = Request(scope, receive)
        response = self._refuse_form(request) or self._answer_probe(request) or self._refuse_client(request)
        if response is None:
            set_base(request, self._rules.find_base(request))
            response = await self._meet(request)
        if response is not None and _has_body(request):
            # What is not read of a body would be taken for the next request of the connection, or waited for.
            response.headers["Connection"] = "close"
        await (self._app if response is None else SafeHeaders(response))(scope, receive, send)

    def _refuse_form(self, request: Request) -> Response | None:
        """Return the answer to a request of a form that nothing here has."""
        allowed = ("GET", "HEAD", "POST") if self._login and request.scope["path"] == LOGIN else ("GET", "HEAD")
        if request.method not in allowed:
            return make_trouble(request, 405, "Only to be read", "GET or HEAD, please", {"Allow": ", ".join(allowed)})
        if len(request.scope["raw_path"]) + len(request.scope["query_string"]) > TARGET_BYTES:
            return make_trouble(request, 414, "Too long", f"expected an address of at most {TARGET_BYTES} bytes")
        length = request.headers.get("content-length", "0")
        if _has_body(request) and (request.method != "POST" or not length.isdigit() or int(length) > BODY_BYTES):
            return make_trouble(request, 413, "Too long", "expected no body, or a short one")
        return None

    def _answer_probe(self, request: Request) -> Response | None:
        if request.scope["path"] == "/healthz":
            told = json.dumps({"status": "ok"} if self._standing is None else self._standing()).encode()
            return Response(told, headers={"Cache-Control": "no-store"}, media_type="application/json")
        if request.scope["path"] == "/robots.txt":
            return Response(_ROBOTS, media_type="text/plain")
        return None

    def _refuse_client(self, request: Request) -> Response | None:
        if not self._rules.knows_host(request):
            return make_trouble(request, 421, "Not this room", "the Host header names no address of this room")
        if self._rules.is_loaded_elsewhere(request) and request.method != "POST":  # the login's form has its own rule
            return make_trouble(
                request, 403, "Not within other sites", "a page of another site asks for this as a part"
            )
        if request.scope["path"].startswith(_STATIC):
            return None
        wait = self._allowance.take(self._rules.find_client(request), time.monotonic())
        if wait:
            return make_trouble(request, 429, "Too often", "try again later", {"Retry-After": str(int(wait) + 1)})
        return None

    async def _meet(self, request: Request) -> Response | None:
        """Return the login, or what turns away who may not come in; `None`: the application may answer."""
        path = request.scope["path"]
        if path.startswith(_STATIC):
            return None
        now = time.time()
        if self._login is not None and path == LOGIN:
            if request.method != "POST":
                return self._login.show(request, now)
            body = await _read_body(request)
            if body is None:
                return make_trouble(request, 408, "Too slow", "the form did not come")
            return self._login.take(request, body, now)
        if self._rules.lets_in(request, now):
            return None
        if self._login is None:
            return make_trouble(request, 401, "Not without leave", "expected to be asked by way of the proxy")
        return self._login.turn_away(request, now)


def _has_body(request: Request) -> bool:
    return "transfer-encoding" in request.headers or request.headers.get("content-length", "0") != "0"


async def _read_body(request: Request) -> bytes | None:
    """Return the body, which the guard knows to be short; `None` if it does not come."""
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_SECONDS):
            async for part in request.stream():
                body += part
                if len(body) > BODY_BYTES:
                    return None
    except (TimeoutError, ClientDisconnect):
        return None
    return bytes(body)

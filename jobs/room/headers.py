"""What every answer tells a browser: to run nothing of others, ask nobody else, show it nowhere else, index nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; frame-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
SAFE_HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Robots-Tag": "noindex, nofollow",
    "Cache-Control": "private, no-cache",
}
"""An answer that has one of them by itself keeps its own."""
_NOT_MODIFIED = 304
"""Says nothing of them: a browser would take it in place of what it has, and a page out of its sandbox."""
_ENCODED = [(name.lower().encode(), value.encode()) for name, value in SAFE_HEADERS.items()]


class SafeHeaders:
    """ASGI: adds to all answers of *app* the headers that they lack."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, as ASGI has it."""

        async def add(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] != _NOT_MODIFIED:
                given = {name.lower() for name, _ in message["headers"]}
                message["headers"] = [*message["headers"], *(pair for pair in _ENCODED if pair[0] not in given)]
            await send(message)

        await self._app(scope, receive, add)


def encode_value(value: str) -> str:
    """Return *value* as a header may have it: what is neither ASCII nor seen, percent-encoded as in URLs."""
    return "".join(char if " " <= char <= "~" else quote(char, errors="replace") for char in value).strip()


def name_file(name: str) -> str:
    """Return the Content-Disposition that has a browser save an answer as *name*, whatever stands in it."""
    plain = "".join(char if char.isascii() and (char.isalnum() or char in "-._") else "_" for char in name)[:150]
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name[:150], safe='', errors='replace')}"

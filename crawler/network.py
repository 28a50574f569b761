"""Where a crawl may connect to: an address and the source's word in, a reason against it or a socket out.

The check is made at the socket of every connection: a resolver is not asked about literal addresses, and may answer
otherwise the second time. Where a proxy makes the connection, what can be judged is judged before it is asked.
"""

from __future__ import annotations

import asyncio
import socket
import time
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from crawler.addresses import find_name_refusal, find_port_refusal, find_refusal, is_address

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

__all__ = ["AddressGuard", "AddressRefused", "FetchOptions", "Place", "find_refusal", "granted_place"]

Place = tuple[str, int]
"""Host name or address, and port."""

LOOKUP_SECONDS = 5.0
REMEMBERED_SECONDS = 60.0
_MAX_REMEMBERED = 1_000

granted_place: ContextVar[Place | None] = ContextVar("granted_place", default=None)
"""Set around one request: the place that the operator named for its host, which is allowed whatever its address."""


class AddressRefused(OSError):
    """A connection to an address that this source may not reach."""


@dataclass(frozen=True, slots=True)
class FetchOptions:
    """What the download handler must know. Not part of Scrapy's settings: those are copied and printed."""

    allow_private: bool = False
    places: Mapping[Place, Place] = field(default_factory=dict)
    """The operator's `resolve` setting: (host, port) → (address, port) to connect to."""
    ca_file: Path | None = None
    proxy: str | None = field(default=None, repr=False)
    headers: tuple[tuple[str, str], ...] = ()
    """Sent with each request that has none of that name."""
    secret_headers: frozenset[str] = frozenset()
    """Lower-case names of request headers whose values are masked in records."""
    max_body_bytes: int = 16 * 1024 * 1024
    max_header_bytes: int = 64 * 1024
    request_seconds: float = 60.0
    connect_seconds: float = 15.0
    guard: AddressGuard = field(init=False, repr=False, compare=False)
    """Of all connections that are made with these options."""

    def __post_init__(self) -> None:
        """Make the guard."""
        guard = AddressGuard(allow_private=self.allow_private, proxied=self.proxy is not None)
        object.__setattr__(self, "guard", guard)


@dataclass(frozen=True, slots=True)
class AddressGuard:
    """Opens sockets to allowed places only, and judges what a proxy is to be asked for."""

    allow_private: bool
    proxied: bool = False
    """Every connection goes to the operator's proxy, which may be anywhere."""
    _remembered: dict[str, tuple[float, str | None]] = field(default_factory=dict, repr=False, compare=False)
    """Host → when to look it up again, and what was found against it."""

    def open_socket(self, info: tuple[Any, ...]) -> socket.socket:
        """Return a socket for *info* (family, type, protocol, name, address). Raises AddressRefused."""
        family, kind, protocol, _, sockaddr = info
        host, port, *scope = sockaddr
        if not self.proxied and (host, port) != granted_place.get():
            interface = f"%{scope[1]}" if scope and scope[1] and "%" not in host else ""
            reason = find_refusal(host + interface, allow_private=self.allow_private) or find_port_refusal(port)
            if reason is not None:
                raise AddressRefused(f"refused to connect: {reason}")
        return socket.socket(family=family, type=kind, proto=protocol)

    async def check_target(self, host: str, port: int) -> None:
        """Raise AddressRefused if a request must not be made for *host*, as its URL names it, and *port*.

        Without a proxy that is by name alone: the rest is seen at the socket. A proxy is not asked for addresses and
        ports that this source may not reach, in whatever notation, nor for a name that resolves to one here. A name
        that only the proxy can resolve is allowed, and what the proxy then connects to is the proxy's own affair.
        `resolve` means nothing to a proxy, so it grants nothing there.
        """
        if not self.proxied:
            if granted_place.get() is None:
                self._refuse(find_name_refusal(host, allow_private=self.allow_private))
            return
        self._refuse(find_port_refusal(port), proxied=True)
        try:
            literal = is_address(host)
        except ValueError as error:
            raise AddressRefused(f"refused to ask the proxy for it: {error}") from error
        if literal:
            reason = find_refusal(host, allow_private=self.allow_private)
        else:
            reason = find_name_refusal(host, allow_private=self.allow_private) or await self._look_up(host)
        self._refuse(reason, proxied=True)

    @staticmethod
    def _refuse(reason: str | None, *, proxied: bool = False) -> None:
        if reason is not None:
            raise AddressRefused(f"refused to {'ask the proxy for it' if proxied else 'connect'}: {reason}")

    async def _look_up(self, host: str) -> str | None:
        """Return why one of the addresses that *host* has here must not be connected to; `None` too if it has none."""
        again, reason = self._remembered.get(host, (0.0, None))
        if time.monotonic() < again:
            return reason
        loop = asyncio.get_running_loop()
        try:
            found = await asyncio.wait_for(loop.getaddrinfo(host, None, type=socket.SOCK_STREAM), LOOKUP_SECONDS)
        except (OSError, TimeoutError, UnicodeError):
            found = []
        refusals = (find_refusal(str(info[4][0]), allow_private=self.allow_private) for info in found)
        refusal = next((refusal for refusal in refusals if refusal is not None), None)
        reason = refusal and f"{host}: {refusal}"
        if len(self._remembered) >= _MAX_REMEMBERED:
            self._remembered.clear()
        self._remembered[host] = (time.monotonic() + REMEMBERED_SECONDS, reason)
        return reason

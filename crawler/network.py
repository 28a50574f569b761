"""Which addresses a crawl may connect to: an address and the source's word in, a reason against it or a socket out.

The check is made at the socket of every connection: a resolver is not asked about literal addresses, and may answer
otherwise the second time.
"""

from __future__ import annotations

import socket
from contextvars import ContextVar
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

Place = tuple[str, int]
"""Host name or address, and port."""

_NAT64 = IPv6Network("64:ff9b::/96")
_GLOBAL_UNICAST = IPv6Network("2000::/3")

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
    secret_headers: frozenset[str] = frozenset()
    """Lower-case names of request headers whose values are masked in records."""
    max_body_bytes: int = 16 * 1024 * 1024
    max_header_bytes: int = 64 * 1024
    request_seconds: float = 60.0
    connect_seconds: float = 15.0


def find_refusal(address: str, *, allow_private: bool) -> str | None:
    """Return why *address* (an IP address as text) must not be connected to, or `None` if it may be.

    Public ones may always be; private and loopback ones if *allow_private*; link-local, multicast, unspecified never.
    """
    try:
        ip = _unwrap(ip_address(address.split("%", 1)[0]))
    except ValueError:
        return f"{address} is no IP address"
    if ip.is_multicast or ip.is_unspecified or ip.is_link_local:
        return f"{address} is a link-local, multicast or unspecified address"
    if allow_private or _is_public(ip):
        return None
    return f"{address} is not a public address (a source may say `network: private`)"


def _is_public(ip: IPv4Address | IPv6Address) -> bool:
    return ip.is_global and (isinstance(ip, IPv4Address) or ip in _GLOBAL_UNICAST)


def _unwrap(ip: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    """Return the IPv4 address inside an IPv6 address that only carries one."""
    if isinstance(ip, IPv4Address):
        return ip
    if ip in _NAT64:
        return IPv4Address(int(ip) & 0xFFFFFFFF)
    return ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo else None) or ip


@dataclass(frozen=True, slots=True)
class AddressGuard:
    """Opens sockets to allowed addresses only."""

    allow_private: bool

    def open_socket(self, info: tuple[Any, ...]) -> socket.socket:
        """Return a socket for *info* (family, type, protocol, name, address). Raises AddressRefused."""
        family, kind, protocol, _, sockaddr = info
        place = (sockaddr[0], sockaddr[1])
        if place != granted_place.get():
            reason = find_refusal(place[0], allow_private=self.allow_private)
            if reason is not None:
                raise AddressRefused(f"refused to connect: {reason}")
        return socket.socket(family=family, type=kind, proto=protocol)

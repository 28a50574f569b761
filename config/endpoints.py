"""Texts that name where to connect or to listen → host, port, address. Pure."""

from __future__ import annotations

import re
from ipaddress import ip_address

_RESOLVE = re.compile(r"([^:\s]+):(\d{1,5}):(\[[0-9A-Fa-f:.]+\]|[0-9.]+)(?::(\d{1,5}))?", re.ASCII)
_LISTEN = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[0-9.]+):(\d{1,5})", re.ASCII)
_HOST_NAME = re.compile(r"(?:[a-z0-9_-]+\.)*(?!\d+\Z|0x[0-9a-f]*\Z)[a-z0-9_-]+", re.ASCII)
"""One that is no number in any notation: an address is connected to without asking."""


def parse_resolve(entry: str) -> tuple[str, int, str, int]:
    """Return host, port, address and port to connect to, of `host:port:address[:port]`. Raises ValueError."""
    match = _RESOLVE.fullmatch(entry)
    if match is None:
        raise ValueError("host:port:address or host:port:address:port, as in gazette.example:443:127.0.0.1:8443")
    host, port, address, to_port = match[1], int(match[2]), match[3].strip("[]"), int(match[4] or match[2])
    try:
        name = host.lower().encode("idna").decode("ascii")
    except UnicodeError:
        name = ""
    if not _HOST_NAME.fullmatch(name):
        raise ValueError(f"a host name as the first part, not {host}")
    try:
        ip_address(address)
    except ValueError as error:
        raise ValueError(f"an IP address as the third part, not {address}") from error
    if not (0 < port < 65_536 and 0 < to_port < 65_536):
        raise ValueError("ports from 1 to 65535")
    return name, port, address, to_port


def parse_listen(text: str) -> tuple[str, int] | None:
    """Return address and port of `address:port` (port 0: any that is free), `None` for `off`. Raises ValueError."""
    if text == "off":
        return None
    expected = "an IP address and a port, as in 127.0.0.1:9464 or [::1]:9464, or off"
    match = _LISTEN.fullmatch(text)
    if match is None or int(match[2]) > 65_535:
        raise ValueError(expected)
    try:
        address = ip_address(match[1].strip("[]"))
    except ValueError as error:
        raise ValueError(expected) from error
    if (address.version == 6) != match[1].startswith("["):
        raise ValueError(expected)
    return str(address), int(match[2])

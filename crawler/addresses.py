"""What is part of the public web: addresses, names and ports as data, and why one of them is not to be asked.

Python's `ipaddress` only parses here: what it calls global differs between releases that we run on.
"""

from __future__ import annotations

import re
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
Table = tuple[tuple[Network, str], ...]

_HOST_NAME = re.compile(
    r"(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)*[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?", re.ASCII
)
_MAX_NAME = 253
_NUMBER = re.compile(r"\d+|0x[0-9a-f]*", re.ASCII)
_OPEN = "(`network: private` of a source allows it, for a web archive the setting `backfill_network: private`)"


def _table(rows: dict[str, str]) -> Table:
    return tuple((ip_network(block), kind) for block, kind in rows.items())


_NEVER = _table(
    {
        "0.0.0.0/8": "an unspecified address",
        "100.100.100.200/32": "a cloud's metadata service",
        "168.63.129.16/32": "a cloud's metadata service",
        "169.254.0.0/16": "a link-local address",
        "192.0.0.192/32": "a cloud's metadata service",
        "224.0.0.0/4": "a multicast address",
        "255.255.255.255/32": "the broadcast address",
        "::/128": "an unspecified address",
        "64:ff9b:1::/48": "an address of a local translator",
        "2001::/32": "an address of a Teredo tunnel",
        "fd00:ec2::/32": "a cloud's metadata service",
        "fd20:ce::/32": "a cloud's metadata service",
        "fe80::/10": "a link-local address",
        "ff00::/8": "a multicast address",
    }
)
"""Not even for a source in one's own network: nothing is published there, or it cannot be told where it leads."""

_GLOBAL = _table({"192.0.0.9/32": "", "192.0.0.10/32": ""})
"""Exceptions from the table below."""

_NOT_PUBLIC = _table(
    {
        "10.0.0.0/8": "private use",
        "100.64.0.0/10": "behind a provider's NAT",
        "127.0.0.0/8": "this machine",
        "172.16.0.0/12": "private use",
        "192.0.0.0/24": "protocol assignments",
        "192.0.2.0/24": "documentation",
        "192.88.99.0/24": "6to4 relays",
        "192.168.0.0/16": "private use",
        "198.18.0.0/15": "benchmarks",
        "198.51.100.0/24": "documentation",
        "203.0.113.0/24": "documentation",
        "240.0.0.0/4": "reserved",
        "::1/128": "this machine",
        "100::/64": "discarded",
        "100:0:0:1::/64": "discarded",
        "2001::/23": "protocol assignments",
        "2001:db8::/32": "documentation",
        "3fff::/20": "documentation",
        "5f00::/16": "segment routing",
        "fc00::/7": "private use",
        "fec0::/10": "private use",
        "::/3": "reserved",
        "4000::/2": "reserved",
        "8000::/1": "reserved",
    }
)
"""IANA's registries of special-purpose addresses, IPv4 and IPv6, and all of IPv6 that is no global unicast."""

_STAND_INS = {IPv6Network("::ffff:0:0/96"): 0, IPv6Network("64:ff9b::/96"): 0, IPv6Network("2002::/16"): 80}
"""IPv6 addresses that lead to the IPv4 address inside them, and how many bits follow it."""
_CARRIERS = (IPv6Network("::/96"), IPv6Network("::ffff:0:0:0/96"))
"""Obsolete IPv6 forms that end in an IPv4 address, and are not public themselves."""
_ISATAP_IDS = (0x00005EFE, 0x02005EFE)

_NEVER_NAMES = frozenset({"metadata.google.internal", "metadata.goog", "instance-data", "instance-data.ec2.internal"})
_LOCAL_DOMAINS = (".localhost", ".localdomain", ".local", ".internal", ".home.arpa")

_FOREIGN_PORTS = frozenset(
    {0, 1, 7, 9, 11, 13, 15, 17, 19, 20, 21, 22, 23, 25, 37, 42, 43, 53, 69, 77, 79, 87, 95, 101, 102, 103, 104, 109}
    | {110, 111, 113, 115, 117, 119, 123, 135, 137, 139, 143, 161, 179, 389, 427, 465, 512, 513, 514, 515, 526, 530}
    | {531, 532, 540, 548, 554, 556, 563, 587, 601, 636, 989, 990, 993, 995, 1719, 1720, 1723, 2049, 3659, 4045, 4190}
    | {5060, 5061, 6000, 6566, 6665, 6666, 6667, 6668, 6669, 6679, 6697, 10080}
)
"""Where browsers do not speak HTTP either: the list of the Fetch standard, § 2.9."""


def find_refusal(address: str, *, allow_private: bool) -> str | None:
    """Return why *address* (an IP address as text) must not be connected to, or `None` if it may be.

    Public ones may always be; private and loopback ones if *allow_private*; link-local, multicast, unspecified ones and
    the metadata services of clouds never. An IPv6 address that carries an IPv4 address is judged by that one too.
    """
    try:
        ip = ip_address(address)
    except ValueError:
        return f"{address} is no IP address"
    if "%" in address:
        return f"{address} is never connected to: it names a network interface of this machine"
    judged = _find_meant(ip)
    for one in judged:
        kind = _find_kind(one, _NEVER)
        if kind is not None:
            return f"{address} is never connected to: {kind}"
    if allow_private:
        return None
    for one in judged:
        kind = None if _find_kind(one, _GLOBAL) is not None else _find_kind(one, _NOT_PUBLIC)
        if kind is not None:
            return f"{address} is not a public address: {kind} {_OPEN}"
    return None


def find_name_refusal(host: str, *, allow_private: bool) -> str | None:
    """Return why the host name *host* must not be asked whatever it resolves to, or `None`.

    A name without a dot is one of this machine or network too.
    """
    name = host.lower().rstrip(".")
    if name in _NEVER_NAMES:
        return f"{host} is never connected to: a cloud's metadata service"
    is_local = "." not in name or name.endswith(_LOCAL_DOMAINS)
    if not allow_private and is_local and ":" not in name and not _NUMBER.fullmatch(name):
        return f"{host} is not a public address: a name of this machine or its network {_OPEN}"
    return None


def find_port_refusal(port: int) -> str | None:
    """Return why *port* must not be connected to, or `None`."""
    return f"port {port} belongs to another protocol than HTTP" if port in _FOREIGN_PORTS else None


def is_address(host: str) -> bool:
    """Tell an IP address from a host name. Raises ValueError for what is neither.

    A number in another notation than four decimal ones is neither: `127.1`, `0x7f.1`, `2130706433`, `0127.0.0.1`, which
    programs read differently.
    """
    if ":" in host:
        IPv6Address(host)
        return True
    name = host.lower().removesuffix(".")
    if len(name) > _MAX_NAME or not _HOST_NAME.fullmatch(name):
        raise ValueError(f"{host[:100]!r} is no host name")
    if not _NUMBER.fullmatch(name.rpartition(".")[2]):
        return False
    if host != name:
        raise ValueError(f"{host[:100]!r} is no host name")
    IPv4Address(host)
    return True


def _find_kind(ip: Address, table: Table) -> str | None:
    return next((kind for network, kind in table if ip in network), None)


def _find_meant(ip: Address) -> list[Address]:
    """Return the addresses that a connection to *ip* may lead to."""
    if isinstance(ip, IPv4Address):
        return [ip]
    number = int(ip)
    for network, following in _STAND_INS.items():
        if ip in network:
            return [_last_32_bits(number >> following)]
    is_tunnel = (number >> 32) & 0xFFFFFFFF in _ISATAP_IDS
    is_carrier = number > 1 and any(ip in network for network in _CARRIERS)
    return [ip, _last_32_bits(number)] if is_tunnel or is_carrier else [ip]


def _last_32_bits(number: int) -> IPv4Address:
    return IPv4Address(number & 0xFFFFFFFF)

"""How often one client may ask: a bucket each, of as many requests as a minute allows. Bounded, whoever comes."""

from __future__ import annotations

from collections import OrderedDict
from ipaddress import IPv6Address, ip_address
from threading import Lock

MOST_CLIENTS = 4_096
"""Those who have not asked for the longest time are forgotten."""


class Allowance:
    """Requests that clients may still make."""

    def __init__(self, per_minute: int) -> None:
        """*per_minute*: also so many at once; 0: any number."""
        self._most = float(per_minute)
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()
        self._lock = Lock()

    def take(self, client: str, now: float) -> float:
        """Count a request; return 0, or how many seconds that client is to wait. *now*: of any clock that goes on."""
        if not self._most:
            return 0.0
        with self._lock:
            left, at = self._left.pop(client, (self._most, now))
            left = min(self._most, left + (now - at) * self._most / 60)
            wait = 0.0 if left >= 1 else (1 - left) * 60 / self._most
            self._left[client] = (left if wait else left - 1, now)
            if len(self._left) > MOST_CLIENTS:
                self._left.popitem(last=False)
        return wait


def name_client(address: str) -> str:
    """Return what one client is counted by: its IPv4 address, or the network that it has of IPv6."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address[:100]
    if isinstance(parsed, IPv6Address):
        return str(parsed.ipv4_mapped or IPv6Address(int(parsed) >> 64 << 64))
    return address

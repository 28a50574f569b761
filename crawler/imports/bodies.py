"""Bodies of late, for records that say only that they repeat one; no more of them than some megabytes."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import replace
from typing import TYPE_CHECKING

from crawler.imports.messages import IDENTICAL, agrees

if TYPE_CHECKING:
    from datetime import datetime

    from crawler.imports.messages import Message

MAX_BYTES = 32 * 1024 * 1024
_MAX_BODIES = 20_000


class RecentBodies:
    """Keeps what was read last, by the digest that the record states and by URL and second."""

    def __init__(self, max_bytes: int = MAX_BYTES) -> None:
        self._max_bytes = max_bytes
        self._size = 0
        self._bodies: OrderedDict[tuple[str, datetime], bytes] = OrderedDict()
        self._by_digest: dict[str, tuple[str, datetime]] = {}
        self._digests: dict[tuple[str, datetime], str] = {}

    def put(self, message: Message) -> None:
        """Keep the body of *message*, a response."""
        key = _key(message.exchange.url, message.exchange.started_at)
        body = message.exchange.body
        if not body or len(body) > self._max_bytes // 4 or key in self._bodies:
            return
        self._bodies[key] = body
        self._size += len(body)
        if message.digest:
            self._by_digest[message.digest] = key
            self._digests[key] = message.digest
        while self._size > self._max_bytes or len(self._bodies) > _MAX_BODIES:
            old, gone = self._bodies.popitem(last=False)
            self._size -= len(gone)
            digest = self._digests.pop(old, None)
            if digest is not None and self._by_digest.get(digest) == old:
                del self._by_digest[digest]

    def complete(self, message: Message) -> Message:
        """Return *message*, a revisit, as the response that it stands for, if that is kept here; else as it is."""
        if message.revisits != IDENTICAL:
            return message
        key = _key(*message.refers_to) if message.refers_to is not None else self._by_digest.get(message.digest or "")
        body = self._bodies.get(key) if key is not None else None
        if body is None or not agrees(message.digest or "", body):
            return message
        return replace(message, exchange=replace(message.exchange, body=body), revisits=None)


def _key(url: str, instant: datetime) -> tuple[str, datetime]:
    return url, instant.replace(microsecond=0)

"""What passes between a client and its S3 server: how many requests of each kind, and what time the answers say it is.

Hangs on botocore's events, so that retries count and no request is sent for the clock's sake alone.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

CLOCK_SECONDS = 60.0
"""For so long after an answer its time is carried on by our own monotonic clock."""
TRIP_SECONDS = 2.0
"""An answer that took longer says too little of the time: it may have been dated at any moment of that."""


@dataclass(frozen=True, slots=True)
class _Reading:
    server: datetime
    """The answer's `Date`: whole seconds, so the server's clock showed that much or up to a second more."""
    received: float
    """When the answer's head was here, by CLOCK_BOOTTIME."""
    seconds: float
    """How long request and answer took."""


class Traffic:
    """Counts and dates what one client sends and gets. Several threads may share it."""

    def __init__(self) -> None:
        self.requests: Counter[str] = Counter()
        """Name of the operation → requests sent, retries included."""
        self.retries = 0
        """Requests among these that were sent again."""
        self._lock = threading.Lock()
        self._sent = threading.local()
        self._reading: _Reading | None = None

    def watch(self, client: S3Client) -> None:
        """Follow all that *client* sends from now on."""
        client.meta.events.register("before-call.s3", self._begin)
        client.meta.events.register("before-send.s3", self._count)
        client.meta.events.register("response-received.s3", self._note)

    def read_clock(self, *, fresh: bool = False) -> datetime | None:
        """Return the server's time now, or `None` if no answer of the last minute tells it.

        Never later than the server's clock; earlier by a second at most and by the time that the answer was on its
        way, which is up to TRIP_SECONDS. *fresh*: take the last answer even if it was slower.
        """
        with self._lock:
            reading = self._reading
        if reading is None:
            return None
        age = _boot_seconds() - reading.received
        if age > CLOCK_SECONDS or (reading.seconds > TRIP_SECONDS and not fresh):
            return None
        return reading.server + timedelta(seconds=age)

    def _begin(self, **_: object) -> None:
        self._sent.again = False

    def _count(self, event_name: str, **_: object) -> None:
        self._sent.at = _boot_seconds()
        again, self._sent.again = getattr(self._sent, "again", False), True
        with self._lock:
            self.retries += again
            self.requests[event_name.rpartition(".")[2]] += 1

    def _note(self, response_dict: dict[str, Any] | None, **_: object) -> None:
        if response_dict is None or response_dict["status_code"] >= 500:
            return  # nobody's answer, or that of something before the server, which has a clock of its own
        date = response_dict["headers"].get("date", "")
        try:
            server = parsedate_to_datetime(date).astimezone(UTC)
        except ValueError:
            return
        now = _boot_seconds()
        reading = _Reading(server, now, now - self._sent.at)
        with self._lock:
            if self._is_better(reading):
                self._reading = reading

    def _is_better(self, reading: _Reading) -> bool:
        """Whether *reading* is exact, or what there is is no better. Under the lock."""
        old = self._reading
        return (
            reading.seconds <= TRIP_SECONDS
            or old is None
            or old.seconds > TRIP_SECONDS
            or reading.received - old.received > CLOCK_SECONDS
        )


def _boot_seconds() -> float:
    """Monotonic time that goes on while the machine sleeps: Linux stops CLOCK_MONOTONIC then."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)

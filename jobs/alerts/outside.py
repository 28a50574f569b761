"""Tells people that heads do not reach their second places any more, and that they do again. Kept in memory alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from config.units import count
from jobs.alerts.delivery import Sender, list_addresses
from jobs.alerts.messages import Message
from jobs.alerts.texts import clean

if TYPE_CHECKING:
    from collections.abc import Mapping

    from config.settings import Settings

log = structlog.get_logger()

_MAX_PLACES = 20
_MAX_CHARS = 160


class HeadAlarm:
    """Tells the addresses of the settings when the places that fail become others, once each time."""

    def __init__(self, settings: Settings, *, sender: Sender | None = None) -> None:
        self._settings = settings
        self._sender = sender or Sender()
        self._told: frozenset[str] = frozenset()

    def __call__(self, failed: Mapping[str, str]) -> None:
        """Take what failed in a round of heads, by place; what cannot be told now is told after the next one."""
        places = frozenset(failed)
        if places == self._told:
            return
        message = write_alarm(failed, self._settings.archive or "the archive")
        addresses = list_addresses(self._settings)
        reasons = self._sender.send([(address, message) for address in addresses])
        for address, reason in zip(addresses, reasons, strict=True):
            if reason is not None:
                log.warning("failed_alert", address=str(address), changes=len(failed), reason=reason)
        if not any(reasons):
            self._told = places


def write_alarm(failed: Mapping[str, str], archive: str) -> Message:
    """Return the message about what *failed*, by place; nothing: that all is well again."""
    if not failed:
        return Message(
            "ofrecord: heads are outside again", f"Second places of {archive} have the newest head.", "success"
        )
    lines = [f"{clean(place, _MAX_CHARS)}: {clean(reason, _MAX_CHARS)}" for place, reason in sorted(failed.items())]
    body = [
        f"The newest head of {archive} is not in:",
        *lines[:_MAX_PLACES],
        "Until it is, commits that only this archive knows of could be taken away unseen. It is tried again by itself.",
    ]
    return Message(f"ofrecord: heads do not reach {count(len(failed), 'place')}", "\n".join(body), "warning")

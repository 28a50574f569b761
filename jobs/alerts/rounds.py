"""One round: what changed since the last is added to what waits for each address, kept, and then sent.

Kept before it is sent, so nothing is lost where this process dies in between: an alert may come twice, but it comes.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import structlog

from config.errors import StoreError
from jobs.alerts.changes import Change, Standing, follow, is_looked_at, mark_look
from jobs.alerts.delivery import SEND_SECONDS, Sender, list_addresses
from jobs.alerts.messages import write_message
from jobs.alerts.told import Memory, Told, Waiting, identify
from jobs.health import SourceHealth, State

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from config.addresses import SecretAddress
    from config.settings import Settings

log = structlog.get_logger()

_CLAIM = timedelta(seconds=SEND_SECONDS + 30)
_RETRY_SECONDS = 60.0
_MAX_RETRY_SECONDS = 900.0
_TRIES = 5


@dataclass(frozen=True, slots=True)
class RoundReport:
    """What a round came to."""

    changes: tuple[Change, ...] = ()
    """Found in this round."""
    sent: tuple[str, ...] = ()
    """Addresses that took their message, as they may be shown."""
    failed: dict[str, str] = field(default_factory=dict)
    """Address, as it may be shown → why it has not got what waits for it."""


class Teller:
    """Tells of changes at the addresses of the settings. For one thread."""

    def __init__(self, memory: Memory, settings: Settings, *, place: str, sender: Sender | None = None) -> None:
        self._memory = memory
        self._settings = settings
        self._place = place
        self._sender = sender or Sender()
        self._failures: dict[str, tuple[int, datetime, str]] = {}
        """Address → how often in a row it refused, when it is tried again, why."""
        self._unkept: Told | None = None
        """What the store did not take, and what is true nevertheless."""

    def tell(self, healths: Sequence[SourceHealth], now: datetime) -> RoundReport:
        """Compare *healths* with what was told of these sources, and tell what changed.

        Raises ConfigError, StoreError where what was told cannot be read.
        """
        number, told = self._memory.read()
        told = self._unkept or told
        addresses = {identify(address): address for address in list_addresses(self._settings)}
        standings, changes = self._compare(told.standings, healths, now)
        waiting = {key: told.waiting.get(key, Waiting()).add(changes) for key in addresses}
        waiting = {key: one for key, one in waiting.items() if one.changes}
        busy = told.telling_until is not None and now < told.telling_until <= now + _CLAIM
        due = [] if busy else [key for key in waiting if self._is_due(key, now)]
        until = told.telling_until if busy else now + _CLAIM if due else None
        found = Told(standings=standings, waiting=waiting, telling_until=until)
        if found != told or self._unkept is not None:
            kept = self._keep(found, number)
            if kept is None:
                return RoundReport()  # another process looks at the same time, and tells
            number = kept
        looked_at = {health.source for health in healths}
        shown = {name: one for name, one in standings.items() if name in looked_at}
        sent = self._send({key: addresses[key] for key in due}, waiting, shown, now) if due else []
        if due:
            self._settle(found, number, {key: waiting[key] for key in sent})
        names = {key: f"{address} ({place})" for place, (key, address) in enumerate(addresses.items(), 1)}
        failed = {names[key]: self._failures[key][2] for key in waiting if key in self._failures and key not in sent}
        return RoundReport(changes, tuple(names[key] for key in sent), failed)

    def _is_due(self, key: str, now: datetime) -> bool:
        """Whether an address is to be tried; a clock that was set back makes nobody wait longer than meant."""
        if key not in self._failures:
            return True
        wait = self._failures[key][1] - now
        return not timedelta() < wait <= timedelta(seconds=_MAX_RETRY_SECONDS)

    def _compare(
        self, standings: Mapping[str, Standing], healths: Sequence[SourceHealth], now: datetime
    ) -> tuple[dict[str, Standing], tuple[Change, ...]]:
        least = State(self._settings.alerts_from)
        settle = timedelta(seconds=self._settings.alerts_settle_seconds)
        """Return what is told of each source now, and what changed. Sources that others look at stay as they are."""
        looked_at = {health.source for health in healths}
        followed = {name: one for name, one in standings.items() if name not in looked_at and is_looked_at(one, now)}
        changes = []
        for health in healths:
            standing, change = follow(standings.get(health.source), health, now, least=least, settle=settle)
            if standing is not None:
                followed[health.source] = mark_look(standing, now)
            if change is not None:
                changes.append(change)
        return followed, tuple(changes)

    def _send(
        self,
        addresses: Mapping[str, SecretAddress],
        waiting: Mapping[str, Waiting],
        standings: Mapping[str, Standing],
        now: datetime,
    ) -> list[str]:
        """Send what waits for *addresses*; return who took it."""
        messages = []
        for key, address in addresses.items():
            waits = waiting[key]
            message = write_message(waits.changes, standings, place=self._place, left_out=waits.left_out)
            messages.append((address, message))
        sent = []
        for (key, address), reason in zip(addresses.items(), self._sender.send(messages), strict=True):
            changes = len(waiting[key].changes)
            if reason is None:
                sent.append(key)
                self._failures.pop(key, None)
                log.info("sent_alert", address=str(address), changes=changes)
                continue
            times = self._failures[key][0] + 1 if key in self._failures else 1
            # at the next round; then ever more seldom, for the log's sake
            wait = 0.0 if times == 1 else min(_RETRY_SECONDS * 2 ** min(times - 2, 10), _MAX_RETRY_SECONDS)
            self._failures[key] = (times, now + timedelta(seconds=wait), reason)
            log.warning("failed_alert", address=str(address), changes=changes, reason=reason, times=times)
        return sent

    def _settle(self, told: Told, number: int, sent: Mapping[str, Waiting]) -> None:
        """Take what was *sent* out of what waits, in which another process may have put more by now."""
        for _ in range(_TRIES):
            rest = {key: one.without(sent[key]) if key in sent else one for key, one in told.waiting.items()}
            waiting = {key: one for key, one in rest.items() if one.changes}
            if self._keep(told.model_copy(update={"waiting": waiting, "telling_until": None}), number) is not None:
                return
            number, told = self._memory.read()

    def _keep(self, told: Told, number: int) -> int | None:
        """Write *told*; a disk that is full keeps nobody from being told, so it is remembered here instead."""
        try:
            kept = self._memory.write(told, number)
        except (StoreError, OSError) as error:
            log.warning("failed_told", reason=str(error))
            self._unkept = told
            return number
        self._unkept = None
        return kept

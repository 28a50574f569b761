"""Looks at health beside the daemon: after runs and at ticks, in a thread of its own that holds nobody up."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Self

import structlog

from config.errors import ArchiveError
from jobs.alerts.delivery import Sender, list_addresses
from jobs.alerts.endings import BadEnds
from jobs.alerts.rounds import Teller
from jobs.alerts.told import Memory, open_told
from jobs.catalog import Catalog
from jobs.context import CATALOG_FILE, read_place
from jobs.health import HealthMemory, SourceHealth, read_health

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from config.settings import Settings
    from config.sources import Source
    from jobs.runs.ending import RunEnded
    from jobs.store import ObjectStore

log = structlog.get_logger()

SPOOLS = "spool"
"""Folder in an archive's local state."""
LOOK_SECONDS = 60.0
"""Between two looks, at least."""
_CLOSE_SECONDS = 8.0


def watch_archive(settings: Settings, state: Path, sources: Callable[[], Sequence[Source]]) -> HealthWatch | None:
    """Return a watch of the archive whose local state is *state*, or `None` if there is nobody to tell.

    *sources*: those that are crawled now, asked at each look. Of other machines' runs it knows what this machine's
    runs have brought: a look asks nothing of the store. Raises ConfigError, OSError.
    """
    if not (list_addresses(settings) or settings.heartbeat_url):
        return None
    memory: HealthMemory = {}

    def read(now: datetime) -> list[SourceHealth]:
        with Catalog.open(state / CATALOG_FILE) as catalog:
            return read_health(catalog, sources(), settings, now, spools=state / SPOOLS, memory=memory)

    return HealthWatch(read, open_told(state), settings, place=read_place(state))


class HealthWatch:
    """A RunObserver that looks at the sources' health, tells what changed, and gives the heartbeat.

    The heartbeat is asked for after each look that went well, alerts delivered; looks come by ticks, so it stays away
    where the daemon's own loop stands still, too.
    """

    def __init__(
        self,
        read: Callable[[datetime], Sequence[SourceHealth]],
        store: ObjectStore,
        settings: Settings,
        *,
        place: str,
        look_seconds: float = LOOK_SECONDS,
    ) -> None:
        """*read*: the health of all sources at a time. *store*: where to keep what was told. *place*: the archive's."""
        self._read = read
        self._settings = settings
        self._look_seconds = look_seconds
        self._sender = Sender()
        self._teller = Teller(Memory(store), settings, place=place, sender=self._sender)
        self._wanted = threading.Event()
        self._stopping = threading.Event()
        self._run_unseen = False
        self._ends = BadEnds()
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._watch, name="health-watch", daemon=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def run_started(self, source: str, slot: datetime | None) -> None:
        """Nothing to see yet."""

    def run_ended(self, ended: RunEnded) -> None:
        """Look soon."""
        with self._lock:
            self._ends.note(ended)
        self._run_unseen = True
        self._wake()

    def slot_passed(self, source: str, slot: datetime, outcome: str) -> None:
        """It is the next look's to see."""

    def tick(self, now: datetime) -> None:
        """Look, unless the last one was just now."""
        del now
        self._wake()

    def close(self, seconds: float = _CLOSE_SECONDS) -> None:
        """Look a last time if a run has ended since; what is not told within *seconds* waits for the next start."""
        if self._thread.ident is None:
            return
        self._stopping.set()
        self._wanted.set()
        self._thread.join(seconds)
        if self._thread.is_alive():
            self._sender.cancel()
            self._thread.join(1)

    def _wake(self) -> None:
        if self._thread.ident is None:
            self._thread.start()
        self._wanted.set()

    def _watch(self) -> None:
        while True:
            self._wanted.wait()
            if self._stopping.is_set() and not self._run_unseen:
                return
            self._wanted.clear()
            began = time.monotonic()
            self._look()
            self._stopping.wait(max(0.0, began + self._look_seconds - time.monotonic()))
            if self._stopping.is_set():
                self._wanted.set()

    def _look(self) -> None:
        self._run_unseen = False
        try:
            now = datetime.now(UTC)
            healths = self._read(now)
            with self._lock:
                healths = self._ends.add_to(healths)
            failed = self._teller.tell(healths, now).failed
        except (ArchiveError, OSError) as error:
            log.warning("failed_look", reason=str(error))
            failed = {"": str(error)}
        except Exception as error:  # whatever it is, the daemon goes on
            log.exception("failed_look", reason=f"{type(error).__name__}: {error}")
            failed = {"": str(error)}
        self._beat(well=not failed)

    def _beat(self, *, well: bool) -> None:
        url = self._settings.heartbeat_url if well else self._settings.heartbeat_fail_url
        if url is None:
            return
        reason = self._sender.ping(url)
        if reason is not None:
            log.warning("failed_heartbeat", address=str(url), reason=reason)

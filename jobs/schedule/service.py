"""The daemon as a process: signals, reloads, and its event loop."""

from __future__ import annotations

import asyncio
import signal
import sys
from typing import TYPE_CHECKING, Any

import structlog

from config.errors import ConfigError
from crawler.rows import format_time
from jobs.schedule.assignment import encode_assignment
from jobs.schedule.daemon import Daemon
from jobs.schedule.limits import shorten_grace
from jobs.schedule.process import Launch

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Sequence
    from datetime import datetime

    from config.settings import Settings
    from config.sources import Source
    from jobs.runs.ending import RunObserver
    from jobs.schedule.book import Book

    Load = Callable[[], tuple[Sequence[Source], Settings]]
    Pulse = Callable[[asyncio.Event], Coroutine[Any, Any, None]]

log = structlog.get_logger()

_FIXED = ("archive", "state_dir", "alerts", "heads_", "health_", "heartbeat", "log_", "metrics_", "stamp_")
"""How settings begin that a daemon keeps until it is started anew."""


def run_daemon(
    sources: Sequence[Source],
    settings: Settings,
    book: Book,
    *,
    load: Load,
    options: Sequence[str] = (),
    observers: Sequence[RunObserver] = (),
    pulse: Pulse | None = None,
    max_runs: int | None = None,
) -> bool:
    """Run until SIGTERM or SIGINT, or until each source has run *max_runs* times; return whether it was a SIGINT.

    *load*: reads sources and settings anew, at SIGHUP; raises ConfigError. *options*: passed on to `ofrecord crawl`.
    *pulse*: turns with the event loop, from before the first run until the last is over; given what is set once the
    daemon was asked to end. Raises what the daemon's own work failed of, if it did.
    """
    daemon = Daemon(settings, book, make_launch(options), observers=observers, max_runs=max_runs)
    return asyncio.run(_serve(daemon, sources, settings, load, pulse))


def make_launch(options: Sequence[str]) -> Callable[[Source, Settings, datetime | None], Launch]:
    """Return what starts `ofrecord crawl` for a source: owned by this process."""
    words = ["--json", "--trigger", "daemon", "--owned", *options]

    def launch(source: Source, settings: Settings, slot: datetime | None) -> Launch:
        at = ["--slot", format_time(slot)] if slot is not None else []
        command = [sys.executable, "-P", "-m", "jobs", "crawl", source.id, *words, *at]
        return Launch(command, encode_assignment(source, shorten_grace(settings)))

    return launch


async def _serve(
    daemon: Daemon, sources: Sequence[Source], settings: Settings, load: Load, pulse: Pulse | None
) -> bool:
    loop = asyncio.get_running_loop()
    interrupted = False
    stopping, reloading = asyncio.Event(), asyncio.Event()

    def stop(number: signal.Signals) -> None:
        nonlocal interrupted
        log.info("received_signal", signal=number.name)
        interrupted = interrupted or number == signal.SIGINT
        if stopping.is_set():
            daemon.kill()
        stopping.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop, number)
    loop.add_signal_handler(signal.SIGHUP, reloading.set)
    turning = None if pulse is None else asyncio.create_task(pulse(stopping))
    daemon.start(sources)
    reload = asyncio.create_task(_reload(daemon, settings, load, reloading))
    ends = [asyncio.create_task(event.wait()) for event in (stopping, daemon.over)]
    await asyncio.wait([*ends, reload], return_when=asyncio.FIRST_COMPLETED)
    for task in ends:
        task.cancel()
    await daemon.stop()
    if turning is not None:
        turning.cancel()
    failed = reload.exception() if reload.done() else daemon.broken
    reload.cancel()
    if failed is not None:
        raise failed
    return interrupted


async def _reload(daemon: Daemon, settings: Settings, load: Load, wanted: asyncio.Event) -> None:
    """Take in what *load* finds, each time it is wanted; where that is broken, say so and leave all as it is."""
    while True:
        await wanted.wait()
        wanted.clear()
        log.info("received_signal", signal="SIGHUP")
        try:
            sources, fresh = await asyncio.to_thread(load)  # five hundred files take seconds
        except (ConfigError, OSError) as error:
            log.error("failed_reload", error=str(error))  # noqa: TRY400 - a mistake in a file, told as such
            continue
        kept = {name: getattr(settings, name) for name in type(settings).model_fields if name.startswith(_FIXED)}
        ignored = [name for name, value in kept.items() if getattr(fresh, name) != value]
        if ignored:
            log.warning("ignored_settings", settings=ignored, advice="start the daemon anew for these")
        before, settings = settings, fresh.model_copy(update=kept)
        changed = [name for name in type(settings).model_fields if getattr(settings, name) != getattr(before, name)]
        if changed:
            log.info("changed_settings", settings=changed)
        daemon.take_in(sources, settings)

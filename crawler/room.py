"""Writing on a disk that is full: fetching pauses, the segment is closed so that it can be taken away, then again."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, TypeVar

import structlog

from crawler.spool import FULL

if TYPE_CHECKING:
    from collections.abc import Callable

    from crawler.items import Run

log = structlog.get_logger()

RETRY_SECONDS = 0.5
_Result = TypeVar("_Result")


async def write_when_there_is_room(run: Run, write: Callable[[], _Result]) -> _Result:
    """Return what *write* returns; where the disk is full, call it again for up to `spool_wait_seconds`.

    Raises OSError once the time is over, at once if the run is being stopped or the disk refuses for another reason.
    """
    try:
        return write()
    except OSError as error:
        if error.errno not in FULL:
            raise
        return await _wait_for_room(run, write, error)


async def _wait_for_room(run: Run, write: Callable[[], _Result], error: OSError) -> _Result:
    loop = asyncio.get_running_loop()
    deadline = loop.time() + run.settings.spool_wait_seconds
    run.leash.without_room += 1
    log.warning("paused_fetching", reason="the disk is full", error=str(error))
    try:
        while not run.stopping and loop.time() < deadline:
            with contextlib.suppress(OSError):  # recovery ends it, where there is no room even for its end
                run.segments.close()
            await asyncio.sleep(RETRY_SECONDS)
            try:
                written = write()
            except OSError as again:
                if again.errno not in FULL:
                    raise
                error = again
            else:
                log.info("resumed_fetching", reason="the disk has room again")
                return written
        raise error
    finally:
        run.leash.without_room -= 1

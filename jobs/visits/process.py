"""The parent's side of a visit: starts its process, follows it, hands over what its program made."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING, Any

from config.environment import scrub_environment
from config.errors import FetchError
from config.logs import describe_logging
from jobs.visits.words import VisitOrder, VisitStep, read_line

if TYPE_CHECKING:
    from collections.abc import Callable

    from config.settings import Settings
    from config.sources import Source
    from crawler.visit import VisitLimits

POLL_SECONDS = 0.1
STOP_SECONDS = 10.0
"""After it was told to stop, the process is ended."""
LATE_SECONDS = 60.0
"""So long after its time is over it may be at starting and ending."""
MAX_ANSWER_BYTES = 256 * 1024 * 1024


def make_visit(
    program: str,
    parameters: dict[str, Any],
    source: Source,
    settings: Settings,
    limits: VisitLimits,
    *,
    stop: threading.Event | None = None,
    tell: Callable[[VisitStep], None] | None = None,
) -> Any:  # noqa: ANN401 - JSON data
    """Return what *program* (a name in PROGRAMS) makes of a visit, in a process of its own without credentials.

    *parameters* and the answer are JSON data. *stop*: once set, no further request is made, and what the program has by
    then is returned. *tell*: told of each request. Raises VisitOver where the program has nothing to return by then,
    ConfigError, ExtractError if no page can be read here, FetchError if the process dies, and what the program raises.
    """
    order = VisitOrder(program, parameters, source, settings, limits, describe_logging())
    process = _VisitProcess(order, tell)
    try:
        deadline = time.monotonic() + limits.seconds + LATE_SECONDS
        while not process.has_ended():
            if (stop is not None and stop.is_set()) or time.monotonic() >= deadline:
                process.stop()
        return process.answer()
    finally:
        process.end()


class _VisitProcess:
    def __init__(self, order: VisitOrder, tell: Callable[[VisitStep], None] | None) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "jobs.visits.child"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=scrub_environment(order.source.environment_names),
            start_new_session=True,  # a person's Ctrl-C is for the parent, who ends us in good order
        )
        self._tell = tell
        self._asked: float | None = None
        self._answer: dict[str, Any] | None = None
        self._error: BaseException | None = None
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()
        if self._process.stdin is not None:
            with contextlib.suppress(BrokenPipeError):  # it died: `answer` says so
                self._process.stdin.write(order.encode())
                self._process.stdin.flush()

    def has_ended(self) -> bool:
        """Wait a little for the process to end; tell whether it has."""
        self._listener.join(POLL_SECONDS)
        if not self._listener.is_alive():
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(POLL_SECONDS)
        return self._process.poll() is not None

    def stop(self) -> None:
        """Ask the process to end in good order; after some seconds of further calls, make it end."""
        if self._asked is None:
            self._process.terminate()
            self._asked = time.monotonic()
        elif time.monotonic() - self._asked > STOP_SECONDS:
            self._process.kill()

    def end(self) -> None:
        """Leave no process behind, whatever went wrong here."""
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        self._listener.join()
        for stream in (self._process.stdout, self._process.stdin):
            if stream is not None:
                with contextlib.suppress(BrokenPipeError):
                    stream.close()

    def answer(self) -> Any:  # noqa: ANN401 - JSON data
        """Return what an ended process has said. Raises what it raised, FetchError if it said nothing."""
        self._listener.join()
        if self._error is not None:
            raise self._error
        if self._answer is None:
            raise FetchError(f"the visit's process ended with nothing to say (code {self._process.returncode})")
        return self._answer["result"]

    def _listen(self) -> None:
        try:
            while self._process.stdout is not None and (line := self._process.stdout.readline(MAX_ANSWER_BYTES)):
                said = read_line(line)
                if not isinstance(said, VisitStep):
                    self._answer = said
                elif self._tell is not None:
                    self._tell(said)
        except Exception as error:  # noqa: BLE001 - the main thread raises it
            self._error = error
            self._drain()

    def _drain(self) -> None:
        """Read on, lest the process be held up by a full pipe."""
        while self._process.stdout is not None and self._process.stdout.read(1 << 16):
            pass

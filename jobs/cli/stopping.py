"""Signals → a StopRequest: how commands that run for long are asked to end in good order."""

from __future__ import annotations

import signal
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


class StopRequest(threading.Event):
    """Set by SIGTERM and SIGINT; `interrupted` tells a Ctrl-C from an orderly stop."""

    interrupted = False


@contextmanager
def stop_on_signals() -> Iterator[StopRequest]:
    """Turn SIGTERM and SIGINT into a StopRequest; a second Ctrl-C ends at once."""
    stop = StopRequest()

    def request_stop(number: int, _frame: object) -> None:
        if number == signal.SIGINT:
            if stop.is_set():
                raise KeyboardInterrupt
            stop.interrupted = True
        stop.set()

    before = {number: signal.signal(number, request_stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)

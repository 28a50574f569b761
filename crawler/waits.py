"""Waiting in the main thread so that a Ctrl-C is seen: one just before a wait without end would be seen after it."""

from __future__ import annotations

from concurrent.futures import wait
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from concurrent.futures import Future

SIGNAL_SECONDS = 0.5
"""So long at most may a Ctrl-C go unseen while the main thread waits."""
_Result = TypeVar("_Result")


def wait_for(future: Future[_Result]) -> _Result:
    """Return the future's result, or raise what it raises."""
    while not future.done():
        wait([future], timeout=SIGNAL_SECONDS)
    return future.result()

"""Requests of which many are on their way at once, and answers in the order in which they were asked for."""

from __future__ import annotations

from collections import deque
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import TYPE_CHECKING, Generic, TypeVar

from crawler.waits import wait_for

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from concurrent.futures import Future

AT_ONCE = 16

_Item = TypeVar("_Item")
_Answer = TypeVar("_Answer")


class Asked(Generic[_Answer]):
    """An answer that may be an error."""

    def __init__(self, future: Future[_Answer]) -> None:
        self._future = future

    def read(self) -> _Answer:
        """Return it, or raise what came in its place."""
        return wait_for(self._future)


def ask_ahead(items: Iterable[_Item], ask: Callable[[_Item], _Answer]) -> Iterator[tuple[_Item, Asked[_Answer]]]:
    """Yield each of *items* with what *ask*, in another thread, says of it; so many of the next are asked meanwhile."""
    left = iter(items)
    asked: deque[tuple[_Item, Asked[_Answer]]] = deque()
    pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="verify-ask")
    try:
        while True:
            asked.extend((item, Asked(pool.submit(ask, item))) for item in islice(left, AT_ONCE - len(asked)))
            if not asked:
                return
            yield asked.popleft()
    finally:
        pool.shutdown(cancel_futures=True)

"""What is due, hour by hour, and what a budget leaves of it → requests an hour."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

DAY_HOURS = 24


def count_asked(looks: Mapping[int, int], hour: int) -> int:
    """Return how many of *looks*, by hour, fell into the 24 hours that end with *hour*."""
    return sum(number for at, number in looks.items() if hour - DAY_HOURS < at <= hour)


def forecast(due: Sequence[int], looks: Mapping[int, int], per_day: int | None, hour: int) -> tuple[list[int], int]:
    """Return the requests in each hour from *hour* on, and how many are then still due.

    *due*: becoming due in each hour, what is overdue in the first. A crawl in each hour is assumed.
    """
    asked, requests, waiting = dict(looks), [], 0
    for at, number in enumerate(due, hour):
        waiting += number
        room = waiting if per_day is None else max(0, per_day - count_asked(asked, at))
        done = min(waiting, room)
        asked[at] = asked.get(at, 0) + done
        waiting -= done
        requests.append(done)
    return requests, waiting

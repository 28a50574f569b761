"""Whether a page shows an article only in part, to those who do not pay."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jobs.edits.states import State


def has_wall(state: State) -> bool:
    """Whether *state* is that of a page behind a pay wall."""
    return state.page_class == "truncated" or state.fields.get("access") == "paid"


def is_cut(before: str, after: str) -> bool:
    """Whether one of both texts is the beginning of the other, as a pay wall leaves it."""
    short, long = sorted((before, after), key=len)
    return long.startswith(short.rstrip("…. \u00a0"))

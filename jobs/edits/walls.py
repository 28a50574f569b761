"""Whether a page shows an article only in part, to those who do not pay."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jobs.edits.kinds import State


def has_wall(state: State) -> bool:
    """Whether *state* is that of a page behind a pay wall."""
    return state.page_class == "truncated" or state.fields.get("access") == "paid"

"""All sites of newcomers, by name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.newcomers.announced import ANNOUNCED
from tests.newcomers.listed import LISTED
from tests.newcomers.muddled import MUDDLED

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.newcomers.desk import Newcomer

SITES: dict[str, Callable[[str], Newcomer]] = {make.__name__: make for make in [*ANNOUNCED, *LISTED, *MUDDLED]}
FIRST_ADDRESS = 31


def number_of(name: str) -> int:
    """Return the last part of the loopback address at which a site stands, so that two tests may run at a time."""
    return FIRST_ADDRESS + list(SITES).index(name)

"""All fair sites, by name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.newcomers.announced import ANNOUNCED
from tests.newcomers.listed import LISTED
from tests.newcomers.muddled import MUDDLED
from tests.newcomers.varied import make_varied

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.newcomers.desk import Newcomer

SITES: dict[str, Callable[[str], Newcomer]] = {make.__name__: make for make in [*ANNOUNCED, *LISTED, *MUDDLED]}
FIRST_ADDRESS, FIRST_VARIED, VARIED_ADDRESSES = 31, 101, 100


def find_site(name: str) -> Callable[[str], Newcomer]:
    """Return what makes the site of that name; `varied_7` is the seventh of those by the dice."""
    return make_varied(int(name.removeprefix("varied_"))) if name.startswith("varied_") else SITES[name]


def number_of(name: str) -> int:
    """Return the last part of the loopback address at which a site stands, so that two tests may run at a time."""
    if name.startswith("varied_"):
        return FIRST_VARIED + int(name.removeprefix("varied_")) % VARIED_ADDRESSES
    return FIRST_ADDRESS + list(SITES).index(name)

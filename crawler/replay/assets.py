"""What is at hand to show a page with: an address as written → the one to take in its place."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from crawler.urls import resolve_link

if TYPE_CHECKING:
    from collections.abc import Mapping

NOTHING: Final = "data:,"
"""The address of what is not at hand."""
_FRAGMENT: Final = re.compile(r"#[\w.:-]{1,500}")
_INLINE: Final = re.compile(r"data:(?:image|font|application/(?:x-)?font)[\w.+/;=-]*,.*", re.DOTALL | re.IGNORECASE)


class Assets:
    """The assets of one document. *found*: absolute URL → address to take in its place."""

    def __init__(self, base: str, found: Mapping[str, str], own: frozenset[str] | None = None) -> None:
        self._base = base
        self._found = found
        self._own = frozenset(found.values()) if own is None else own
        """Addresses that were put in before."""

    def replace(self, address: str) -> str:
        """Return what to take in place of *address*. What lies within the document, or is in the address, stays."""
        address = address.strip()
        if address in self._own or is_fragment(address) or _INLINE.fullmatch(address):
            return address
        target = self.resolve(address)
        return NOTHING if target is None else self._found.get(target.partition("#")[0], NOTHING)

    def resolve(self, address: str) -> str | None:
        """Return the absolute URL that *address* is in this document, or `None`."""
        return resolve_link(self._base, address)


def is_fragment(address: str) -> bool:
    """Tell whether *address* leads to a place within its document."""
    return _FRAGMENT.fullmatch(address) is not None

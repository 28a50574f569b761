"""Addresses that are secrets themselves: a token stands anywhere in them. Shown by their scheme alone."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pydantic import Secret

from config.masks import hide

if TYPE_CHECKING:
    from collections.abc import Iterable

_ADDRESS = re.compile(r"([A-Za-z][A-Za-z0-9+.-]{0,30})://[^\s\x00-\x1f]{1,4000}", re.ASCII)


class SecretAddress(Secret[str]):
    """A URL of which logs, `config show` and reports say no more than `slack://***`."""

    def _display(self) -> str:
        return f"{self.scheme}://***"

    @property
    def scheme(self) -> str:
        """What stands before `://`, in lower case."""
        return self.get_secret_value().partition("://")[0].lower()


def check_addresses(addresses: Iterable[SecretAddress]) -> None:
    """Raise ValueError, showing none of it, if one is no `scheme://…` without spaces; have no log line show them."""
    for address in addresses:
        hide(address.get_secret_value().partition("://")[2])
        if not _ADDRESS.fullmatch(address.get_secret_value()):
            raise ValueError("addresses such as mailtos://…, slack://… or jsons://…, with blanks between them")


def read_addresses(text: str) -> list[SecretAddress]:
    """Return the addresses in *text*: one a line, lines that begin with # left out. Raises ValueError."""
    lines = [line.strip() for line in text.splitlines()]
    found = [SecretAddress(line) for line in lines if line and not line.startswith("#")]
    check_addresses(found)
    return found

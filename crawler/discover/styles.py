"""What a style sheet takes to be shown → addresses as written: other sheets, pictures, fonts. Linear in its length."""

from __future__ import annotations

import re
from itertools import chain, islice
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_CHARS = 2 * 1024 * 1024
_MOST = 2_000
"""Addresses that are taken from one sheet."""
# no part can run past the beginning of another match, so that nothing is gone over twice
_ADDRESS = r"""(?:"([^"\n\\]{1,8192})"|'([^'\n\\]{1,8192})'"""
_IMPORT = re.compile(rf"@import\s*{_ADDRESS})", re.IGNORECASE)
_URL = re.compile(rf"url\(\s*{_ADDRESS}|([^()\"'\s\\]{{1,8192}}))\s*\)", re.IGNORECASE)


def find_style_urls(text: str) -> list[str]:
    """Return the addresses in the style sheet *text*, relative ones as they stand, imported sheets first."""
    text = "".join(_drop_comments(text[:MAX_CHARS]))
    found = (next(filter(None, match.groups())) for match in chain(_IMPORT.finditer(text), _URL.finditer(text)))
    return list(dict.fromkeys(islice((url.strip() for url in found if not url.startswith(("data:", "#"))), _MOST)))


def _drop_comments(text: str) -> Iterator[str]:
    at = 0
    while (start := text.find("/*", at)) >= 0:
        yield text[at:start]
        end = text.find("*/", start + 2)
        if end < 0:
            return
        at = end + 2
    yield text[at:]

"""URL → host and section: what edits alike, as far as addresses tell."""

from __future__ import annotations

import zlib

GROUPS = 256
"""Sections are numbers below that: what is learned has a bound, however many a site makes up. Two may share one."""
_DEPTH = 2
_LONGEST = 40


def find_site(url: str) -> str:
    """Return the host (with its port, if it has one) of a normalised URL."""
    return url.partition("://")[2].partition("/")[0].partition("?")[0]


def find_section(url: str) -> int:
    """Return the group of a normalised URL: its host and its first two folders that are words, not dates or ids."""
    place, slash, rest = url.partition("://")[2].partition("/")
    folders = rest.partition("?")[0].split("/", 12)[:-1] if slash else []
    words = [one for one in folders if 0 < len(one) <= _LONGEST and not any(map(str.isdigit, one))]
    return zlib.crc32("/".join([place, *words[:_DEPTH]]).encode()) % GROUPS

"""Where a redirect leads: to the same article elsewhere, or away from it, as sites do with pages they took down."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from crawler.sites import Sites

_HOME = re.compile(r"/(?:(?:index|home|default)(?:\.[a-z]{2,5})?/?)?", re.IGNORECASE)
_DIGIT = re.compile(r"[0-9]")


def leads_away(url: str, target: str) -> bool:
    """Whether a redirect of an article at *url* to *target* (both absolute) leads to the site's home or a section.

    A section is a path that the article's own lies below, without a digit in it: `/politics` for
    `/politics/2026/budget`, but never `/story/4711` for `/story/4711/budget`, which may be the article's short address.
    """
    try:
        own, other = urlsplit(url), urlsplit(target)
    except ValueError:
        return False
    if target not in Sites([url]) or _is_home(own.path):
        return False
    if _is_home(other.path):
        return True
    section = other.path.rstrip("/") + "/"
    return own.path.startswith(section) and own.path.rstrip("/") + "/" != section and not _DIGIT.search(section)


def _is_home(path: str) -> bool:
    return not path or _HOME.fullmatch(path) is not None

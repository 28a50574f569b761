"""Addresses as pages write them → absolute http URLs. Resolves, and judges nothing."""

from __future__ import annotations

import re
from urllib.parse import urljoin

MAX_URL_CHARS = 20_000
"""What is longer is no address of anything."""
_WHOLE = re.compile(
    r"https?://[a-z0-9.-]+/(?:[\w%~@+/=&,-]*[\w%~@+=&,-]\.)?[\w%~@+/=&,-]*(?:\?[\w%~@+/=&,.:-]+)?", re.ASCII
)
"""What `urljoin` would leave as it is: most addresses, and it takes ten times as long to say so."""
_ORIGIN = re.compile(r"https?://[a-z0-9.-]+(?::[0-9]+)?(?=/)")
_ROOTED = re.compile(r"/(?!/)(?:[\w%~@+/=&,-]*[\w%~@+=&,-]\.)?[\w%~@+/=&,-]*(?:\?[\w%~@+/=&,.:-]+)?", re.ASCII)
"""What `urljoin` would only put behind the origin."""
_WEB = re.compile(r"https?://[^/]", re.IGNORECASE)


def resolve(base: str, target: str | None) -> str | None:
    """Return *target*, found on the page *base*, as an absolute http or https URL; `None` if it is none."""
    target = target.strip() if target else ""
    if not target or len(target) > MAX_URL_CHARS:
        return None
    if _WHOLE.fullmatch(target):
        return target
    if _ROOTED.fullmatch(target) and (origin := _ORIGIN.match(base)):
        return origin[0] + target
    try:
        whole = urljoin(base, target)
    except ValueError:
        return None
    return whole if _WEB.match(whole) else None

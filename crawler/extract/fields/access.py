"""Whether an article can be read by everybody: what JSON-LD and meta state, and what the page shows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crawler.extract.page.metadata import ARTICLE_TYPES, Metadata, types_of
from crawler.extract.page.signs import PAYWALL
from crawler.extract.page.words import PAYWALL_PHRASE

if TYPE_CHECKING:
    from crawler.extract.fields.statements import Fields
    from crawler.extract.page.parsing import Page

_TIERS = {"free": "free", "metered": "metered", "locked": "paid", "paid": "paid", "premium": "paid"}
_TIER_KEYS = ("article:content_tier", "og:article:content_tier", "content_tier", "isaccessibleforfree")
_FREE = {"true": "free", "false": "paid"}
_MAX_PARTS = 20
_MAX_WALL_CHARS = 20_000
_WALL = "a pay wall"
"""The mark that `crawler.extract.body.boxes` leaves on one."""


def read_access(fields: Fields, page: Page, found: Metadata) -> None:
    """Add `access`: `free`, `metered` or `paid`. A part that is not free (`hasPart`) makes the whole paid."""
    objects = [item for item in found.objects if types_of(item) & ARTICLE_TYPES] or found.objects[:_MAX_PARTS]
    for item in objects[:_MAX_PARTS]:
        own = _FREE.get(str(item.get("isAccessibleForFree")).lower())
        parts = item.get("hasPart")
        inner = [
            part for part in (parts if isinstance(parts, list) else [parts])[:_MAX_PARTS] if isinstance(part, dict)
        ]
        fields.put("access", own, "json-ld")
        if any(str(part.get("isAccessibleForFree")).lower() == "false" for part in inner):
            fields.put("access", "paid", "json-ld")
    for key in _TIER_KEYS:
        stated = (found.first(key) or "").lower()
        fields.put("access", _TIERS.get(stated) or _FREE.get(stated), "meta")
    if "access" in fields:
        return
    walls = [one for one in page.body.signed(PAYWALL) if one.dropped == _WALL]
    if any(PAYWALL_PHRASE.search(wall.text()[:_MAX_WALL_CHARS]) for wall in walls[:_MAX_PARTS]):
        fields.put("access", "paid", "visible")

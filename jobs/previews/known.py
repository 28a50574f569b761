"""Links beside the archive: what it holds already is fetched again only where a listing says that it was changed."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from crawler.compare import is_wanted
from crawler.model import Link
from crawler.scope import describe_scope

if TYPE_CHECKING:
    from datetime import datetime

    from config.sources import Source
    from crawler.compare import LastLook, LastVersions
    from crawler.preview.facts import LinkSeen, Preview

_BATCH = 500


def mark_known(preview: Preview, source: Source, versions: LastVersions, *, now: datetime, raw_only: bool) -> Preview:
    """Return *preview*, its links judged by what the archive knows of them, as a run would at *now*.

    When articles that are known are looked at again by themselves says `ofrecord plan`.
    """
    wanted = [link.url for link in preview.links if link.wanted]
    looks: dict[str, LastLook] = {}
    for start in range(0, len(wanted), _BATCH):
        looks.update(versions.find_looks(wanted[start : start + _BATCH]))
    scope = describe_scope(source)
    links = tuple(_judge(one, looks.get(one.url), now, raw_only=raw_only, scope=scope) for one in preview.links)
    lost = sum(link.wanted for link in preview.links) - sum(link.wanted for link in links)
    return replace(preview, links=links, links_wanted=preview.links_wanted - lost)


def _judge(link: LinkSeen, last: LastLook | None, now: datetime, *, raw_only: bool, scope: str) -> LinkSeen:
    if not link.wanted:
        return link
    if last is None:
        return replace(link, reason=f"new; {link.reason}")
    announced = Link(link.target, link.via, published=link.published, modified=link.modified)
    seen = f"captured at {last.captured_at:%Y-%m-%d %H:%M}Z"
    if not is_wanted(announced, last, now=now, raw_only=raw_only, scope=scope):
        return replace(link, wanted=False, reason=f"known: {seen}, and not announced as changed since")
    had = last.is_had(raw_only=raw_only, scope=scope)
    why = f"announced as changed since it was {seen}" if had else f"known without a text: {seen}"
    return replace(link, reason=f"{why}; {link.reason}")

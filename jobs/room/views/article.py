"""An article: its text, what is said about it, its history."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from jobs.room.endpoints import Asked, NotThere, Page, Told

if TYPE_CHECKING:
    from jobs.room.desk import Desk


class ArticleAsked(Asked):
    """Which article, and which of its texts: the latest seen if nothing is said."""

    source: str
    url: str
    revision: int | None = None
    digest: str | None = None


class ArticleTold(Told):
    """An article in one of its texts."""

    source: str
    url: str
    revision: int
    captured_at: datetime
    title: str | None
    text: str
    fields: dict[str, Any]


def view_article(desk: Desk, asked: ArticleAsked) -> ArticleTold:
    """Return an article. Raises NotThere."""
    revisions = desk.catalog.list_revisions(asked.source, asked.url)
    if not revisions:
        raise NotThere(f"{asked.url}: no text of it from {asked.source} in this archive")
    chosen = revisions[(asked.revision or len(revisions)) - 1]
    snapshot = desk.catalog.read_snapshot(chosen.segment, chosen.n) or {}
    return ArticleTold(
        source=asked.source,
        url=asked.url,
        revision=chosen.number,
        captured_at=chosen.captured_at,
        title=snapshot.get("title"),
        text=snapshot.get("text", ""),
        fields=snapshot.get("fields", {}),
    )


ENDPOINTS = (
    Page("article", "/sources/{source}/article", ArticleAsked, ArticleTold, view_article, "An article in one text"),
)

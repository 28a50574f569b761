"""Title and lead as fields, with what the page states of itself as witness."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crawler.extract.body.heading import is_description, stated_descriptions
from crawler.extract.page.metadata import text_of
from crawler.extract.page.words import bare

if TYPE_CHECKING:
    from crawler.extract.fields.statements import Fields
    from crawler.extract.page.metadata import Metadata


def state_head(fields: Fields, found: Metadata, title: tuple[str | None, str], lead: tuple[str | None, str]) -> None:
    """Add `title` and `lead`, each given with its origin, to *fields*; what the page states bears witness."""
    fields.put("title", *title)
    if letters := bare(title[0] or ""):
        stated = (
            (text_of(found.article.get("headline")), "json-ld"),
            (found.first("og:title"), "meta"),
            (found.title, "meta"),
        )
        for text, origin in stated:
            if text and origin != title[1]:
                # the site's name may stand behind it
                fields.witness("title", agrees=bare(text).startswith(letters))
    fields.put("lead", *lead)
    if lead[0] and is_description(lead[0], stated_descriptions(found)):
        fields.witness("lead", agrees=True)

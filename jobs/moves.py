"""Where an article moved to: by redirect, to a page that was fetched, names itself, and has its text (FORMAT.md § 7).

Asks the catalog for facts and verdicts alone; joins nothing by the word of one page, so none can write into another's
history.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from crawler.outcome import REDIRECTS
from crawler.urls import normalise_url
from jobs.fold import Verdict

if TYPE_CHECKING:
    from jobs.catalog import Catalog, StoredRevision

MAX_HOPS = 5
"""So many redirects are followed from one article."""
MAX_ORIGINS = 100
"""So many articles are asked whether they moved to one."""


def find_move(catalog: Catalog, source: str, url: str) -> str | None:
    """Return the article that the one at the normalised *url* moved to; `None` if it did not, or nobody can say.

    To be asked of a catalog with all facts: thin ones do not tell what a page names itself.
    """
    target = _follow(catalog, source, url)
    if target is None:
        return None
    last = _find_last_revision(catalog, source, url)
    first = next(iter(catalog.list_revisions(source, target)), None)
    if last is None or first is None or first.captured_at <= last.captured_at:
        return None
    common = last.texts.keys() & first.texts.keys()
    if not common or any(last.texts[one] != first.texts[one] for one in common):
        return None
    snapshot = catalog.read_snapshot(first.segment, first.n)
    return target if snapshot is not None and _names(snapshot["fields"]) == target else None


def list_origins(catalog: Catalog, source: str, url: str) -> list[str]:
    """Return the articles that moved to the one at the normalised *url*, by URL: of `MAX_ORIGINS` that led there."""
    return sorted(one for one in list_leading(catalog, source, url) if find_move(catalog, source, one) == url)


def list_leading(catalog: Catalog, source: str, url: str) -> list[str]:
    """Return `MAX_ORIGINS` articles at most that led to the one at the normalised *url*, by one redirect or several."""
    asked: dict[str, None] = {}
    waiting = [url]
    for _ in range(MAX_HOPS):
        found = [other for one in waiting for other in catalog.list_leading_to(source, one, MAX_ORIGINS)]
        waiting = [one for one in dict.fromkeys(found) if one not in asked and one != url]
        waiting = waiting[: MAX_ORIGINS - len(asked)]
        asked |= dict.fromkeys(waiting)
    return list(asked)


def _follow(catalog: Catalog, source: str, url: str) -> str | None:
    """Return the article where the redirects from *url* end, as those of it and of others were last."""
    seen = {url}
    for _ in range(MAX_HOPS):
        target = _find_redirect(catalog, source, url)
        if target is None:
            return url if len(seen) > 1 else None
        if target in seen:
            return None
        seen.add(target)
        url = target
    return None


def _find_redirect(catalog: Catalog, source: str, url: str) -> str | None:
    """Return where the last telling answer of an article leads to, if it is a redirect; failures do not tell."""
    for capture in reversed(catalog.list_captures(source, url)):
        if capture.verdict != Verdict.BAD:
            return None
        if capture.status in REDIRECTS and capture.redirect is not None:
            return _normalise(capture.redirect)
    return None


def _find_last_revision(catalog: Catalog, source: str, url: str) -> StoredRevision | None:
    """Return the revision whose text an article had last."""
    number = next((one.revision for one in reversed(catalog.list_captures(source, url)) if one.revision), None)
    return next((one for one in catalog.list_revisions(source, url) if one.number == number), None)


def _names(fields: dict[str, object]) -> str | None:
    told = fields.get("canonical_url")
    value = told.get("value") if isinstance(told, dict) else None
    return _normalise(value) if isinstance(value, str) else None


def _normalise(url: str) -> str | None:
    try:
        return normalise_url(url)
    except ValueError:
        return None

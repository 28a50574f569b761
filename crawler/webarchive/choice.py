"""Which copies of a site's pages are worth asking for, and in which order. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crawler.urls import normalise_url

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, MutableMapping

    from crawler.webarchive.copies import Copy

_PAGES = frozenset({None, "text/html", "application/xhtml+xml", "warc/revisit", "unk"})
_STATUSES = frozenset({None, 200})


def choose_copies(
    copies: Iterable[Copy],
    *,
    is_article: Callable[[str], bool],
    later: MutableMapping[str, str],
    every: bool = False,
) -> list[tuple[str, Copy]]:
    """Return the copies of articles that are wanted, each with the page's normal form, newest first.

    Of copies of one page with the same payload in a row the oldest is taken, all of them if *every*. *later*: the
    digest of the oldest copy of each page in what was chosen from before, which is newer than all *copies*; a row that
    goes on from there is had already. It is brought up to date.
    """
    by_page: dict[str, list[Copy]] = {}
    for copy in copies:
        if copy.status not in _STATUSES or (copy.media_type or "").lower() not in {kind or "" for kind in _PAGES}:
            continue
        try:
            page = normalise_url(copy.url)
        except ValueError:
            continue
        if is_article(page):
            by_page.setdefault(page, []).append(copy)
    chosen: list[tuple[str, Copy]] = []
    for page, found in by_page.items():
        found.sort(key=lambda copy: copy.captured_at)
        kept = found if every else _drop_repeated(found, later.get(page))
        if found[0].digest is not None:
            later[page] = found[0].digest
        chosen += [(page, copy) for copy in kept]
    chosen.sort(key=lambda pair: pair[1].captured_at, reverse=True)
    return chosen


def _drop_repeated(found: list[Copy], later: str | None) -> list[Copy]:
    """*found*: of one page, oldest first; *later*: digest of the copy that follows them."""
    kept: list[Copy] = []
    for copy in found:
        if not kept or copy.digest is None or copy.digest != kept[-1].digest:
            kept.append(copy)
    if kept and later is not None and kept[-1].digest == later:
        kept.pop()
    return kept

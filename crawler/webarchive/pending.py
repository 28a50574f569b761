"""Copies that are listed and still to be asked for: of each page those with which its content changed. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from crawler.urls import normalise_url
from crawler.webarchive.copies import Copy, read_stamp, write_stamp

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime

_PAGES = frozenset({"", "text/html", "application/xhtml+xml", "warc/revisit", "unk"})
_STATUSES = frozenset({None, 200})


class Pending:
    """What waits, by page."""

    def __init__(self) -> None:
        self._pages: dict[str, list[Copy]] = {}
        """The newest first."""
        self._number = 0

    def __len__(self) -> int:
        """Return how many copies wait."""
        return self._number

    def add(self, copies: Iterable[Copy], *, is_article: Callable[[str], bool], every: bool = False) -> None:
        """Take in those of *copies*, of times not taken in before, that are of articles and were whole.

        Of copies of one page with the same payload in a row only the oldest waits, all of them if *every*.
        """
        by_page: dict[str, list[Copy]] = {}
        for copy in copies:
            if copy.status not in _STATUSES or (copy.media_type or "").lower() not in _PAGES:
                continue
            try:
                page = normalise_url(copy.url)
            except ValueError:
                continue
            if is_article(page):
                by_page.setdefault(page, []).append(copy)
        for page, found in by_page.items():
            before = self._pages.get(page, [])
            waiting: list[Copy] = []
            for copy in sorted([*before, *found], key=lambda copy: copy.captured_at, reverse=True):
                if waiting and not every and copy.digest is not None and waiting[-1].digest == copy.digest:
                    waiting[-1] = copy
                else:
                    waiting.append(copy)
            self._pages[page] = waiting
            self._number += len(waiting) - len(before)

    def list_newest_first(self, begin: datetime, end: datetime) -> list[tuple[str, Copy]]:
        """Return those from *begin* until before *end*, each with the normal form of its page's URL."""
        found = [(page, copy) for page, waiting in self._pages.items() for copy in waiting]
        chosen = [(page, copy) for page, copy in found if begin <= copy.captured_at < end]
        chosen.sort(key=lambda pair: pair[1].captured_at, reverse=True)
        return chosen

    def remove(self, page: str, copy: Copy) -> None:
        """Let *copy* wait no more."""
        waiting = self._pages[page]
        waiting.remove(copy)
        self._number -= 1
        if not waiting:
            del self._pages[page]

    def encode(self) -> list[list[str | None]]:
        """Return what waits as JSON data."""
        return [
            [page, copy.url, write_stamp(copy.captured_at), copy.digest]
            for page, waiting in self._pages.items()
            for copy in waiting
        ]

    @classmethod
    def decode(cls, data: Any) -> Self:  # noqa: ANN401 - JSON data
        """Undo `encode`. Raises ValueError, TypeError for anything else."""
        pending = cls()
        for page, url, stamp, digest in data:
            captured_at = read_stamp(stamp)
            if captured_at is None or not isinstance(url, str) or not isinstance(page, str):
                raise ValueError("a copy without an address or a time")
            pending._pages.setdefault(page, []).append(Copy(url, captured_at, digest=digest))
            pending._number += 1
        return pending

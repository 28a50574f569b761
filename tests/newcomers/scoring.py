"""What came of a site: how many of its articles were found, what else was captured, what that cost."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.newcomers.desk import canonical

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

LEAST_FOUND, MOST_WRONG, MOST_REQUESTS = 0.95, 0.02, 40
"""What must hold of each site."""


@dataclass(frozen=True)
class Score:
    """How a crawl fared beside the truth."""

    articles: int
    """That the site has."""
    found: int
    captures: int
    """Of what the crawl took for articles; neither articles nor what may pass for one or not counts."""
    wrong: tuple[str, ...]
    """Captured as an article and none; or one that answered with nothing of the kind."""
    missed: tuple[str, ...]
    requests: int = 0
    """That the site was asked for before it was crawled."""

    @property
    def share_found(self) -> float:
        """Of the site's articles."""
        return self.found / self.articles

    @property
    def share_wrong(self) -> float:
        """Of the captures."""
        return len(self.wrong) / self.captures if self.captures else 0.0

    def find_faults(self) -> list[str]:
        """Return what does not hold, in words."""
        faults = []
        if self.share_found < LEAST_FOUND:
            faults.append(f"{self.found} of {self.articles} articles found; missed: {', '.join(self.missed[:4])}")
        if self.share_wrong > MOST_WRONG:
            faults.append(f"{len(self.wrong)} of {self.captures} captures are no articles: {', '.join(self.wrong[:6])}")
        if self.requests > MOST_REQUESTS:
            faults.append(f"{self.requests} requests before the crawl, at most {MOST_REQUESTS}")
        return faults


def score_crawl(
    events: Iterable[Mapping[str, Any]],
    articles: set[str],
    either: frozenset[str] | set[str] = frozenset(),
    *,
    requests: int = 0,
) -> Score:
    """Return how a crawl that told of *events* fared beside the canonical URLs of a site's *articles*.

    *either*: pages that count for nothing.
    """
    captured: dict[str, object] = {}
    for event in events:
        if event.get("event") == "captured_page" and event.get("purpose") == "article":
            captured[canonical(str(event["url"]))] = event.get("status")
    found = {url for url, status in captured.items() if url in articles and status == 200}
    wrong = sorted(url for url in captured if url not in found and url not in either)
    return Score(
        len(articles),
        len(found),
        len(captured.keys() - either),
        tuple(wrong),
        tuple(sorted(articles - found)),
        requests,
    )

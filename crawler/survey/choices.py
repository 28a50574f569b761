"""The feeds, sitemaps and sections of a survey → those to keep, in which order, and why; the others, and why not."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from config.units import count
from crawler.survey.facts import AnnouncedLink, ListingFacts
from crawler.survey.proposed import Choice
from crawler.survey.rates import measure_rate, time_of
from crawler.survey.shapes import find_hint, read_parts
from crawler.urls import find_normal

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from crawler.discover.page_facts import PageFacts
    from crawler.survey.facts import Survey

MAX_SECTIONS = 60
_NAME_CHARS = 30
"""What is longer is no section's name."""
_LIST_OF = 3
"""So many articles make a page that was looked at for something else a list."""
_STALE = timedelta(days=365)


@dataclass(slots=True)
class Weighed:
    """A listing and what of it counts."""

    facts: ListingFacts
    articles: list[str]
    """Normalised, each once."""
    times: dict[str, datetime]
    """By article, where it is told."""

    @property
    def newest(self) -> datetime | None:
        """The latest time."""
        return max(self.times.values(), default=None)

    @property
    def span(self) -> timedelta:
        """Between the first time and the last."""
        return max(self.times.values()) - min(self.times.values()) if self.times else timedelta()

    @property
    def is_index(self) -> bool:
        """Whether it names other sitemaps."""
        return self.facts.kind == "sitemap" and bool(self.facts.listings)

    @property
    def is_news(self) -> bool:
        """Whether it is a sitemap of what is new: few entries, with times, none of them old."""
        if self.facts.kind != "sitemap" or self.is_index or not self.times:
            return False
        return self.span <= timedelta(days=4) and len(self.times) * 2 > len(self.articles)


def weigh_listings(survey: Survey, accept: Callable[[str], bool]) -> list[Weighed]:
    """Return what the listings of *survey* announce of what *accept*, given a normalised URL, takes for an article."""
    return [_weigh(listing, accept) for listing in survey.listings]


def _weigh(listing: ListingFacts, accept: Callable[[str], bool]) -> Weighed:
    found: dict[str, datetime | None] = {}
    for link in listing.links:
        url = find_normal(link.url)
        if url is not None and url not in found and accept(url):
            found[url] = time_of(link)
    return Weighed(listing, list(found), {url: time for url, time in found.items() if time is not None})


def choose_listings(
    survey: Survey, weighed: Sequence[Weighed], accept: Callable[[str], bool]
) -> tuple[list[Choice], list[Choice]]:
    """Return the listings to keep, in the order in which they are to stand, and those to leave."""
    chooser = _Chooser(survey, weighed, accept)
    chooser.choose_feeds()
    chooser.choose_sitemaps()
    chooser.choose_sections()
    return [*chooser.feeds, *chooser.news, *chooser.sections, *chooser.sitemaps], chooser.left


class _Chooser:
    """Keeps what brings articles that nothing kept before it brings."""

    def __init__(self, survey: Survey, weighed: Sequence[Weighed], accept: Callable[[str], bool]) -> None:
        self.survey, self.accept = survey, accept
        self.of_kind = {
            kind: [one for one in weighed if one.facts.kind == kind] for kind in ("feed", "sitemap", "section")
        }
        self.known: set[str] = set()
        """Articles that are announced by what is kept."""
        self.complete = False
        """Whether a sitemap that is kept seems to have all."""
        self.feeds: list[Choice] = []
        self.news: list[Choice] = []
        self.sections: list[Choice] = []
        self.sitemaps: list[Choice] = []
        self.left: list[Choice] = []

    def choose_feeds(self) -> None:
        for one in sorted(self.of_kind["feed"], key=lambda one: (-len(one.articles), len(one.facts.url))):
            reason = self._find_fault(one)
            if reason is None and self.feeds and not set(one.articles) - self.known:
                reason = "has nothing that the feeds above do not have"
            if reason is None and one.newest and self.survey.looked_at - one.newest > _STALE:
                reason = f"has nothing newer than {one.newest:%Y-%m-%d}"
            self._put(one, self.feeds, reason, _describe(one))

    def choose_sitemaps(self) -> None:
        weighed = self.of_kind["sitemap"]
        indexes = [one for one in weighed if one.is_index]
        within = {url for one in indexes if not one.facts.error for url in map(find_normal, one.facts.listings)}
        for one in weighed:
            if one.is_index:
                continue
            reason = self._find_fault(one)
            if one.is_news and reason is None:
                self._put(one, self.news, None, f"news sitemap: {_describe(one)}")
            elif find_normal(one.facts.url) in within:
                self._put(one, self.sitemaps, reason or "its index is kept", "")
                self.complete = self.complete or reason is None
            else:
                self._put(one, self.sitemaps, reason, _describe(one))
                self.complete = self.complete or reason is None
            self.known.update(one.articles)
        for one in indexes:
            self._choose_index(one, weighed, within)

    def _choose_index(self, one: Weighed, weighed: Sequence[Weighed], within: set[str | None]) -> None:
        members = {find_normal(url) for url in one.facts.listings}
        below = _list_below(one, weighed)
        found = sum(len(other.articles) for other in below)
        total = f"index of {count(len(members), 'sitemap')}"
        if one.facts.error:
            self._put(one, self.sitemaps, one.facts.error, "")
        elif below and not found:
            self._put(one, self.sitemaps, f"{total}; none of {len(below)} that were read has articles", "")
        elif find_normal(one.facts.url) in within:
            self._put(one, self.sitemaps, "stands in another index", "")
        elif not found and self.known:
            self._put(one, self.sitemaps, f"{total}, none of which was read; others announce articles", "")
        else:
            why = f"{total}; {count(found, 'article')} in {len(below)} that were read"
            self._put(one, self.sitemaps, None, why, found)
            self.complete = self.complete or bool(found)

    def choose_sections(self) -> None:
        pages = {find_normal(page.url): page for page in self.survey.pages}
        weighed = self.of_kind["section"]
        home = self._weigh_home(pages, weighed)
        before, gaining = set(self.known), 0
        for one in [*home, *weighed, *self._weigh_met(pages, weighed)]:
            if find_normal(one.facts.url) in {find_normal(choice.url) for choice in self.sections}:
                continue
            gain = len(set(one.articles) - before)
            reason = self._find_fault(one)
            if reason is None and not gain and self.complete:
                reason = "lists nothing that feeds and sitemaps do not announce"
            gaining += reason is None and one not in home
            self._put(one, self.sections, reason, _describe(one))
        if gaining and not self.complete:
            self._add_siblings(pages)

    def _weigh_home(self, pages: dict[str | None, PageFacts], weighed: Sequence[Weighed]) -> list[Weighed]:
        page = pages.get(find_normal(self.survey.home))
        if page is None or any(find_normal(one.facts.url) == find_normal(page.url) for one in weighed):
            return []
        return [_weigh(_list_page(page), self.accept)]

    def _weigh_met(self, pages: dict[str | None, PageFacts], weighed: Sequence[Weighed]) -> list[Weighed]:
        """Return the pages that were looked at for articles, and are sections: lists that the home page leads to."""
        front = pages.get(find_normal(self.survey.home))
        forms = {_form(one.facts.url) for one in weighed if one.articles}
        links = front.links if front else ()
        named = {find_normal(link.url) for link in links if link.place in {"nav", "header"} or _form(link.url) in forms}
        known = {find_normal(one.facts.url) for one in weighed}
        found = []
        for url, page in pages.items():
            if url not in named or url in known or page is front or url is None or self.accept(url):
                continue
            one = _weigh(_list_page(page), self.accept)
            if len(one.articles) >= _LIST_OF:
                found.append(one)
        return found

    def _add_siblings(self, pages: dict[str | None, PageFacts]) -> None:
        """Keep sections that were not looked at: they stand in the navigation beside those that have articles."""
        page = pages.get(find_normal(self.survey.home))
        home = page.url if page else None
        kept = {_form(choice.url) for choice in self.sections if choice.url != home}
        looked_at = {find_normal(one.url) for one in self.survey.listings}
        looked_at |= {find_normal(one.url) for one in self.survey.pages}
        for link in page.links if page else ():
            url = find_normal(link.url)
            if (
                url is None
                or url in looked_at
                or link.place not in {"nav", "header", "main"}
                or (link.place == "main" and len(link.text) > _NAME_CHARS)
                or len(self.sections) >= MAX_SECTIONS
            ):
                continue
            parts = read_parts(url)
            if parts is None or find_hint(parts) or _form(url) not in kept or self.accept(url):
                continue
            looked_at.add(url)
            why = "in the navigation beside sections that list articles; not looked at"
            self.sections.append(Choice("section", url, kept=True, why=why))

    def _find_fault(self, one: Weighed) -> str | None:
        if one.facts.error:
            return one.facts.error
        if not one.facts.links and not one.facts.listings:
            return "is empty"
        if not one.articles:
            return f"none of its {count(one.facts.total, 'link')} is an article"
        return None

    def _put(self, one: Weighed, kept: list[Choice], reason: str | None, why: str, articles: int | None = None) -> None:
        number = len(one.articles) if articles is None else articles
        rate = measure_rate(one.times.values())
        choice = Choice(one.facts.kind, one.facts.url, reason is None, reason or why, number, one.newest, rate)
        (kept if reason is None else self.left).append(choice)
        if reason is None:
            self.known.update(one.articles)


def _list_below(index: Weighed, weighed: Sequence[Weighed]) -> list[Weighed]:
    """Return the sitemaps that were read of *index* and of the indexes in it, each once."""
    by_url = {find_normal(one.facts.url): one for one in weighed}
    waiting, met = [index], {find_normal(index.facts.url)}
    found = []
    while waiting:
        for url in map(find_normal, waiting.pop().facts.listings):
            one = by_url.get(url)
            if one is None or url in met:
                continue
            met.add(url)
            found.append(one)
            if one.is_index:
                waiting.append(one)
    return found


def _list_page(page: PageFacts) -> ListingFacts:
    links = tuple(AnnouncedLink(link.url, link.text) for link in page.links if link.place == "main" or link.headline)
    return ListingFacts(page.url, "section", 200, links=links, total=len(links))


def _form(url: str) -> tuple[object, ...]:
    """Return what sections of one site have in common: depth, what stands above, suffix, names in the query."""
    parts = read_parts(url)
    if parts is None:
        return ()
    return (
        len(parts.segments),
        parts.segments[:-1] if len(parts.segments) > 1 else (),
        parts.suffix,
        parts.slash,
        parts.keys,
    )


def _describe(one: Weighed) -> str:
    said = [count(len(one.articles), "article")]
    if one.facts.total > len(one.articles):
        said[0] += f" in {count(one.facts.total, 'link')}"
    if one.newest is not None:
        said.append(f"the newest of {one.newest:%Y-%m-%d}")
    rate = measure_rate(one.times.values())
    if rate is not None:
        said.append(f"about {rate:.3g} a day")
    return ", ".join(said)

"""The program of a visit that looks at a site which nobody has described yet; nothing is kept but what it tells."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from config.units import count
from crawler.directives import product_token
from crawler.model import PageClass, Purpose
from crawler.survey.candidates import (
    COMMON_FEEDS,
    COMMON_SITEMAPS,
    choose_sections,
    is_news_place,
    iterate_dated,
    list_common,
    list_named_feeds,
    order_members,
    root_of,
    unique,
)
from crawler.survey.facts import Problem, Survey
from crawler.survey.labels import is_article
from crawler.survey.looking import Look
from crawler.survey.obstacles import judge_exchanges, judge_login, judge_move, judge_name, judge_names
from crawler.survey.sampling import choose_article, choose_sample, count_shown, trace_urls
from crawler.survey.transport import encode_survey
from crawler.visit import VisitOver

if TYPE_CHECKING:
    from collections.abc import Iterable

    from crawler.discover.page_facts import PageFacts
    from crawler.survey.facts import ListingFacts, ListingKind
    from crawler.visit import Visit

SAMPLES = 14
SHOWN = 3
"""So many articles at least are looked at, if there are any."""
_FEW_FEEDS, _FEW_SITEMAPS = 4, 3
"""Of the common places that are tried before all else, where something else is known already."""
_NAMED_FEEDS, _NAMED_SITEMAPS, _MEMBERS = 4, 4, 5
_SECTIONS, _ONLY_SECTIONS = 4, 12
"""Where a sitemap lists all articles, and where none does."""
_INDEXES = 4
"""So many sitemaps of sitemaps without a page are no way to articles."""
_DATED_LINKS = 8
_NOWHERE = "no-such-page-7c1e9a40b2d8"
_WALLS = {
    PageClass.CHALLENGE: "challenge",
    PageClass.CONSENT: "consent",
    PageClass.SOFT_404: "missing",
}


async def survey_site(visit: Visit, parameters: dict[str, Any]) -> dict[str, Any]:
    """Look at the site of `parameters["url"]` and return the Survey as JSON data.

    `parameters["listings"]`, if given: kind and URL of listings that are known, which are read first.
    """
    look = Look(visit, product_token(visit.settings.user_agent))
    surveyor = _Surveyor(look, parameters["url"], parameters.get("listings", ()))
    try:
        await surveyor.look_around()
    except VisitOver as error:
        look.complete = False
        look.note(Problem("budget_spent", f"the look ended early: {error}; what is said here is what was seen by then"))
    return encode_survey(surveyor.sum_up())


class _Surveyor:
    """Goes from what says most to what says less, within the limit of requests."""

    def __init__(self, look: Look, asked: str, configured: Iterable[tuple[ListingKind, str]]) -> None:
        self.look = look
        self.asked = self.home = asked
        self._configured = list(configured)
        self._page: PageFacts | None = None

    async def look_around(self) -> None:
        """Spend the requests. Raises VisitOver."""
        if not await self._enter():
            return
        for kind, url in self._configured:
            await self._try(url, kind, reserve=6)
        await self._read_announcements()
        await self._read_sections()
        await self._read_samples()
        await self._read_rest()
        await self._probe()

    def sum_up(self) -> Survey:
        """Return all that was seen."""
        look = self.look
        self._note_calendar()
        pages = dict(look.pages)
        first = [pages.pop(self._page.url, self._page)] if self._page else []
        return Survey(
            asked=self.asked,
            home=self.home,
            looked_at=datetime.now(UTC).replace(microsecond=0),
            requests=look.visit.requests,
            robots=tuple(look.robots.values()),
            pages=(*first, *pages.values()),
            listings=tuple(look.listings.values()),
            samples=tuple(look.samples.values()),
            problems=tuple(look.problems),
            complete=look.complete,
        )

    async def _enter(self) -> bool:
        """Read robots.txt and the home page; return whether there is anything to look at."""
        look = self.look
        look.note(judge_name(self.asked))
        robots = await look.read_robots(self.asked)
        exchanges = await look.follow(self.asked, Purpose.SECTION)
        last = exchanges[-1]
        problem = judge_exchanges(exchanges, "the home page")
        if problem is None or problem.kind != "private_address":
            problem = judge_move(self.asked, last.url) or problem
        if problem is not None:
            if robots.error is not None and problem.kind == "unreachable":
                problem = Problem("unreachable", f"{root_of(self.asked)} cannot be had: {robots.error}", self.asked)
            look.note(problem)
            return problem.kind == "missing"
        self.home = last.url
        page = self._page = await look.read_page(last)
        if page is None:
            await self._enter_by_file()
            return True
        look.note(judge_names(page))
        login = judge_login(exchanges, page)
        if login is not None:
            look.note(login)
            return False
        outcome = await look.classify(last)
        if outcome.page_class in _WALLS and not page.alternates:
            text = f"{last.url} shows no news but a page of the kind {outcome.page_class} ({outcome.class_reason})"
            look.note(Problem(_WALLS[outcome.page_class], text, last.url))
        if page.scripted:
            text = f"{last.url} is an empty shell that scripts fill: its links are not in what the server sends"
            look.note(Problem("scripted", text, last.url))
        return True

    async def _enter_by_file(self) -> None:
        """Take what was asked for as a feed or sitemap, and its site's root for the home page."""
        asked = self.home
        listing = await self.look.read_listing(asked, "feed")
        root = f"{root_of(asked)}/"
        if not listing.links:
            text = f"{asked} is neither a web page nor a feed: {listing.error}"
            self.look.note(Problem("missing", text, asked))
        if self.look.is_new(root):
            exchanges = await self.look.follow(root, Purpose.SECTION)
            if judge_exchanges(exchanges, "the home page") is None and judge_move(root, exchanges[-1].url) is None:
                self.home = exchanges[-1].url
                self._page = await self.look.read_page(exchanges[-1])

    async def _try(self, url: str, kind: ListingKind, *, reserve: int, via: str | None = None) -> ListingFacts | None:
        """Read a listing if it is new and leaves *reserve* requests; `None` if it was not read. Raises VisitOver."""
        if not self.look.is_new(url):
            return None
        if self.look.left <= self.look.share(reserve):
            self.look.complete = False
            return None
        return await self.look.read_listing(url, kind, via=via)

    async def _read_announcements(self) -> None:
        page, look = self._page, self.look
        feeds = list_named_feeds(page) if page else []
        for number, url in enumerate(feeds[:_NAMED_FEEDS]):
            await self._try(url, "feed", reserve=24 if number else 4, via=self.home)
        robots = await look.read_robots(self.home)
        for url in unique(robots.sitemaps)[:_NAMED_SITEMAPS]:
            await self._read_sitemap(url)
        if not self._lists_all():
            few = self._has("feed") or self._has("sitemap")
            await self._read_common(COMMON_SITEMAPS[: _FEW_SITEMAPS if few else None], "sitemap")
        if not self._has("feed"):
            await self._read_common(COMMON_FEEDS[: _FEW_FEEDS if self._lists_all() else None], "feed")

    async def _read_rest(self) -> None:
        """Spend what is left on the common places that were not looked at, where something is still missing."""
        before = len(self.look.listings)
        if not self._lists_all():
            await self._read_common(COMMON_SITEMAPS, "sitemap", reserve=1)
        if not self._has("feed"):
            await self._read_common(COMMON_FEEDS, "feed", reserve=1)
        if any(one.links for one in list(self.look.listings.values())[before:]):
            await self._read_samples()

    async def _read_common(self, paths: Iterable[str], kind: ListingKind, *, reserve: int = 18) -> None:
        for url in list_common(self.home, paths):
            found = self._lists_all() if kind == "sitemap" else self._has(kind)
            if found or len(self.look.pages_for_files) >= 2:
                return
            if kind == "sitemap":
                await self._read_sitemap(url, reserve=reserve)
            else:
                await self._try(url, kind, reserve=reserve)

    async def _read_sitemap(self, url: str, *, reserve: int = 20) -> None:
        """Read a sitemap; of an index the members that tell most, and of an index within it the first ones."""
        if self._leads_nowhere():
            return
        facts = await self._try(url, "sitemap", reserve=reserve)
        waiting, read = [facts] if facts else [], 0
        while waiting and read < _MEMBERS:
            index = waiting.pop(0)
            for member in order_members(self.look.members.get(index.url, ())):
                if read >= _MEMBERS or self._leads_nowhere():
                    break
                found = await self._try(member, "sitemap", reserve=reserve, via=index.url)
                read += found is not None
                if found is not None and found.listings:
                    waiting.append(found)

    def _leads_nowhere(self) -> bool:
        """Whether sitemaps lead to further sitemaps, and none that was read has a page."""
        read = [one for one in self.look.listings.values() if one.kind == "sitemap"]
        indexes = sum(bool(one.listings) for one in read)
        if indexes < _INDEXES or any(one.links for one in read):
            return False
        text = (
            f"{indexes} sitemaps that were read lead to further sitemaps and to no page; no more of them were asked for"
        )
        self.look.note(Problem("endless_sitemaps", text, root_of(self.home)))
        return True

    def _has(self, kind: ListingKind) -> bool:
        return any(one.kind == kind and (one.links or one.listings) for one in self.look.listings.values())

    def _lists_all(self) -> bool:
        """Whether there is a sitemap that is not of the newest articles alone."""
        return any(
            one.kind == "sitemap" and not is_news_place(one.url) and (one.links or one.listings)
            for one in self.look.listings.values()
        )

    async def _read_sections(self) -> None:
        if self._page is None:
            return
        read, limit = 0, _SECTIONS if self._lists_all() else _ONLY_SECTIONS
        for url in choose_sections(self._page):
            if read >= limit:
                return
            found = await self._try(url, "section", reserve=12, via=self.home)
            read += found is not None

    async def _read_samples(self) -> None:
        look = self.look
        while look.fetched_samples < SAMPLES and len(look.samples) < 2 * SAMPLES:
            chosen = choose_sample(look)
            if chosen is None:
                break
            await look.read_sample(*chosen)
        while count_shown(look) < SHOWN and look.fetched_samples < SAMPLES:
            chosen = choose_article(look)
            if chosen is None:
                break
            await look.read_sample(*chosen)
        if not any(map(is_article, look.samples.values())):
            text = "no link was found that may lead to an article"
            for one in look.samples.values():
                seen = f"none of {count(len(look.samples), 'page')} that were looked at is an article"
                text = f"{seen}; {one.url}: {one.class_reason}"
            look.note(Problem("no_articles", text, self.home))

    async def _probe(self) -> None:
        """Find out whether the site answers what it does not have; asked only where it looks like that."""
        if not self.look.pages_for_files or not self.look.left:
            return
        url = f"{root_of(self.home)}/{_NOWHERE}"
        exchange = await self.look.visit.fetch(url, Purpose.ARTICLE)
        if exchange.status == 200:
            text = f"{root_of(self.home)} answers every address with a page (status 200), also what it does not have"
            self.look.note(Problem("answers_everything", text, url))

    def _note_calendar(self) -> None:
        dated = list(iterate_dated(trace_urls(self.look)))
        if len(dated) >= _DATED_LINKS:
            text = f"{len(dated)} links lead to pages of a day or a month, as {dated[0]}; these are left out"
            self.look.note(Problem("endless_calendar", text, dated[0]))

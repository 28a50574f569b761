"""One look at a site: each request's answer becomes facts, and each is noted once."""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from config.errors import ExtractError
from crawler.model import PageClass, Purpose
from crawler.outcome import PageContext
from crawler.robots import list_sitemaps, read_body, read_rules
from crawler.sites import Sites
from crawler.survey.candidates import choose_sections, join, list_page_numbers, root_of
from crawler.survey.facts import AnnouncedLink, ListingFacts, Problem, RobotsFacts, SampleFacts
from crawler.survey.obstacles import judge_exchanges
from crawler.urls import find_normal, normalise_url
from crawler.visit import VisitOver

if TYPE_CHECKING:
    from collections.abc import Sequence

    from crawler.discover.page_facts import PageFacts
    from crawler.model import Exchange, FieldValue, Link
    from crawler.outcome import PageOutcome
    from crawler.survey.facts import ListingKind
    from crawler.visit import Visit

USUAL_REQUESTS = 40
"""What shares of the limit are said in."""
MAX_ANNOUNCED = 20_000
"""Links of one document that are counted."""
MAX_KEPT = 2_000
"""Of these, that are kept."""
MAX_LISTINGS = 500
MAX_SAMPLE_CHARS = 20_000
MAX_SAMPLE_LINKS = 300
MAX_PROBLEMS = 50


@dataclass(slots=True)
class Look:
    """What was seen so far."""

    visit: Visit
    product: str
    """Our product token."""
    robots: dict[str, RobotsFacts] = field(default_factory=dict)
    pages: dict[str, PageFacts] = field(default_factory=dict)
    listings: dict[str, ListingFacts] = field(default_factory=dict)
    """By the URL that was asked for."""
    members: dict[str, list[AnnouncedLink]] = field(default_factory=dict)
    """Of sitemap indexes, with their times."""
    samples: dict[str, SampleFacts] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    asked: set[str] = field(default_factory=set)
    """Normal forms of what was requested."""
    pages_for_files: list[str] = field(default_factory=list)
    """Where a feed or sitemap was asked for and a web page answered."""
    complete: bool = True
    began: float = field(default_factory=time.monotonic)

    @property
    def left(self) -> int:
        """Requests that may still be made, and can be in the time that is left."""
        return min(self.visit.limits.requests - self.visit.requests, self._count_in(self._seconds_left()))

    def share(self, requests: int) -> int:
        """Return what *requests* of the usual limit are of what this look may make and can."""
        return requests * min(self.visit.limits.requests, self._count_in(self.visit.limits.seconds)) // USUAL_REQUESTS

    def _seconds_left(self) -> float:
        return max(0.0, self.visit.limits.seconds - (time.monotonic() - self.began))

    @property
    def _delay(self) -> float:
        """Seconds between two requests of the host that asks for most."""
        asked = max((one.crawl_delay or 0.0 for one in self.robots.values()), default=0.0)
        return max(self.visit.source.politeness.delay_seconds, min(asked, self.visit.settings.max_crawl_delay_seconds))

    def _count_in(self, seconds: float) -> int:
        return int(seconds / self._delay) if self._delay else sys.maxsize

    @property
    def fetched_samples(self) -> int:
        """Samples that cost a request: what robots.txt forbids costs none."""
        return sum(sample.status is not None for sample in self.samples.values())

    def note(self, problem: Problem | None) -> None:
        """Keep *problem*, each kind of each URL once."""
        known = {(one.kind, one.url) for one in self.problems}
        if problem is not None and (problem.kind, problem.url) not in known and len(self.problems) < MAX_PROBLEMS:
            self.problems.append(problem)

    def is_new(self, url: str) -> bool:
        """Whether *url* was not asked for yet, and can be."""
        normal = find_normal(url)
        return normal is not None and normal not in self.asked

    async def follow(self, url: str, purpose: Purpose, *, via: str | None = None) -> tuple[Exchange, ...]:
        """Return the exchanges from *url* on. Raises VisitOver."""
        if self._count_in(self._seconds_left()) < 1:
            who = (
                "robots.txt asks for" if self._delay > self.visit.source.politeness.delay_seconds else "there are to be"
            )
            raise VisitOver(f"{who} {self._delay:g} seconds between two requests, and there is no time for another one")
        exchanges = await self.visit.follow(url, purpose, via=via)
        self.asked |= {normalise_url(one.url) for one in exchanges}
        for exchange in exchanges:
            if exchange.status is not None:
                await self.read_robots(exchange.url)
        return exchanges

    async def read_robots(self, url: str) -> RobotsFacts:
        """Return what robots.txt of the origin of *url* says. Raises VisitOver."""
        origin = root_of(url)
        if origin not in self.robots:
            self.robots[origin] = _read_robots(await self.visit.read_robots(origin), origin, self.product)
        return self.robots[origin]

    async def read_page(self, exchange: Exchange) -> PageFacts | None:
        """Return what the page of *exchange* says, and keep it; `None` if it cannot be read."""
        try:
            facts = await self.visit.pool.facts(exchange.as_rendered(), self.product)
        except ExtractError:
            return None
        self.pages[exchange.url] = facts
        return facts

    async def read_listing(self, url: str, kind: ListingKind, *, via: str | None = None) -> ListingFacts:
        """Return what the document at *url* announces. Raises VisitOver."""
        exchanges = await self.follow(url, Purpose(kind), via=via)
        last = exchanges[-1]
        moved = url if last.url != url else None
        facts = ListingFacts(url=last.url, kind=kind, status=last.status, asked=moved)
        problem = judge_exchanges(exchanges, f"the {kind}")
        if problem is not None:
            facts = replace(facts, error=(last.error or f"status {last.status}")[:500])
            if problem.kind == "private_address":
                self.note(problem)
        elif last.url not in Sites([url, self.visit.source.home]):
            facts = replace(facts, error=f"leads to another site: {last.url}"[:500])
        elif kind == "section":
            facts = await self._read_section(last, facts)
        else:
            facts = await self._read_announcement(last, facts)
        self.listings[url] = facts
        return facts

    async def _read_announcement(self, exchange: Exchange, facts: ListingFacts) -> ListingFacts:
        stream = await self.visit.pool.links(exchange, MAX_ANNOUNCED)
        kept: list[AnnouncedLink] = []
        members: list[AnnouncedLink] = []
        total = 0
        for links in stream:
            pages = [link for link in links if link.purpose is Purpose.ARTICLE]
            members += [_announce(link) for link in links if link.purpose is not Purpose.ARTICLE]
            total += len(pages)
            kept += [_announce(link) for link in pages[: MAX_KEPT - len(kept)]]
        error = stream.error
        if error is not None and error.startswith("found HTML"):
            self.pages_for_files.append(exchange.url)
        if exchange.truncated:
            size = len(exchange.body)
            text = f"{exchange.url} was cut ({exchange.truncated}) after {size} bytes; only its beginning was read"
            self.note(Problem("cut", text, exchange.url))
        self.members[exchange.url] = members[:MAX_ANNOUNCED]
        return replace(
            facts,
            error=error if error and not (kept or members) else None,
            links=tuple(kept),
            total=total,
            listings=tuple(member.url for member in members[:MAX_LISTINGS]),
        )

    async def _read_section(self, exchange: Exchange, facts: ListingFacts) -> ListingFacts:
        page = await self.read_page(exchange)
        if page is None:
            return replace(facts, error="this is no web page, or one that cannot be read")
        return self._list_links(page, facts)

    def _is_section(self, page: PageFacts, sample: SampleFacts) -> bool:
        """Whether a page that was looked at as a sample is one of the sections that the home page leads to."""
        home = next(iter(self.pages.values()))
        return sample.page_class == PageClass.LISTING and normalise_url(page.url) in choose_sections(home)

    def _list_links(self, page: PageFacts, facts: ListingFacts) -> ListingFacts:
        own = Sites([page.url, self.visit.source.home])
        links = [link for link in page.links if link.url in own and (link.place == "main" or link.headline)]
        further = [page.next_url] if page.next_url else list_page_numbers(page)[:20]
        found = tuple(AnnouncedLink(link.url, link.text or None) for link in links[:MAX_KEPT])
        return replace(facts, links=found, total=len(links), listings=tuple(further))

    async def read_sample(self, url: str, via: str | None) -> SampleFacts:
        """Fetch *url* as a crawl would and return what it is. Raises VisitOver."""
        exchanges = await self.follow(url, Purpose.ARTICLE, via=via)
        last = exchanges[-1]
        page = await self.read_page(last) if last.status == 200 and last.body else None
        outcome = await self.classify(exchanges[0] if self._leads_home(exchanges) else last)
        sample = _describe_sample(url, last, outcome, page)
        if page is not None and self._is_section(page, sample):
            facts = ListingFacts(url=last.url, kind="section", status=last.status)
            self.listings[url] = self._list_links(page, facts)
        elif page is not None:
            self.pages[last.url] = replace(page, links=page.links[:MAX_SAMPLE_LINKS])
        self.samples[normalise_url(url)] = sample
        return sample

    async def classify(self, exchange: Exchange) -> PageOutcome:
        """Return what a crawl would make of the page of *exchange*."""
        return await self.visit.pool.page(replace(exchange, purpose=Purpose.ARTICLE), self._context())

    def _leads_home(self, exchanges: Sequence[Exchange]) -> bool:
        """Whether a redirect leads to a page that is known as another one: the article is gone."""
        return len(exchanges) > 1 and exchanges[-1].url in self.pages

    def _context(self) -> PageContext:
        source = self.visit.source
        return PageContext(
            source.extract,
            source.timezone,
            source.language,
            derivation="",
            record=False,
            product=self.product,
            render=source.render,
        )


def _read_robots(exchange: Exchange, origin: str, product: str) -> RobotsFacts:
    facts = RobotsFacts(url=exchange.url, status=exchange.status)
    try:
        rules = read_rules(exchange, product)
        named = list_sitemaps(read_body(exchange)) if exchange.status and 200 <= exchange.status < 300 else []
    except ExtractError as error:
        return replace(facts, error=str(error)[:500], forbids_all=True)
    sitemaps = [whole for url in named if (whole := join(exchange.url, url)) is not None]
    return replace(
        facts,
        sitemaps=tuple(sitemaps),
        crawl_delay=rules.crawl_delay,
        forbids_all=not (rules.allowed(f"{origin}/") or rules.allowed(f"{origin}/a/b.html")),
    )


def _announce(link: Link) -> AnnouncedLink:
    return AnnouncedLink(link.url, link.title, link.published, link.modified)


def _describe_sample(url: str, last: Exchange, outcome: PageOutcome, page: PageFacts | None) -> SampleFacts:
    snapshot = outcome.snapshot
    facts = SampleFacts(
        url=url,
        status=last.status,
        page_class=outcome.page_class.value,
        class_reason=outcome.class_reason,
        title=page.title if page else None,
        directives=outcome.directives,
        tdm_reservation=page.tdm_reservation if page else None,
    )
    if snapshot is None:
        return facts
    return replace(
        facts,
        title=snapshot.title or facts.title,
        lead=snapshot.lead,
        text=snapshot.text[:MAX_SAMPLE_CHARS],
        chars=len(snapshot.text),
        fields={name: _encode_field(value) for name, value in snapshot.fields.items()},
        confidence=snapshot.confidence,
    )


def _encode_field(found: FieldValue) -> dict[str, Any]:
    data = {"value": found.value, "from": found.origin}
    if found.assumed_zone:
        data["assumed_zone"] = found.assumed_zone
    return data if found.confidence is None else {**data, "confidence": found.confidence}

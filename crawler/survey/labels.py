"""Where URLs were seen and what became of those that were looked at → which are articles, which are not."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from crawler.model import PageClass
from crawler.sites import Sites
from crawler.survey.shapes import Kind, Shape, find_hint, group_by_shape, read_parts
from crawler.urls import find_normal

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from crawler.discover.page_facts import PageFacts, SeenLink
    from crawler.survey.facts import ListingFacts, SampleFacts, Survey

MAX_URLS = 15_000
"""Of which a survey's links are sorted."""
HEADLINE_CHARS = 25
"""A link of so many characters in the middle of a page is more likely a headline than the name of a section."""
_NEWS = re.compile(r"news|latest|recent", re.IGNORECASE)
_LISTS = re.compile(
    r"(?:^|[^a-z])(?:tags?|category|categories|authors?|users?|taxonom\w{1,3}|topics?|pages?|sections?|static)(?![a-z])",
    re.IGNORECASE,
)
"""In the name of a sitemap: what it lists is no news."""
_NEUTRAL = frozenset(
    {PageClass.ERROR, PageClass.CHALLENGE, PageClass.CONSENT, PageClass.BLOCKED, PageClass.NOARCHIVE, PageClass.UNREAD}
)
"""Of these nobody knows what the page is."""
_SHOWN = frozenset({PageClass.VIDEO, PageClass.GALLERY, PageClass.INFOGRAPH})
"""Articles only where they are announced as such."""


@dataclass(slots=True)
class Evidence:
    """What speaks for and against one URL."""

    announced: bool = False
    """In a feed or a sitemap of news."""
    listed: bool = False
    """In another sitemap."""
    headline: bool = False
    house: bool = False
    """Asked for as a listing, or linked in navigation, header or footer by a few words."""
    shelved: bool = False
    """In a sitemap of tags, authors or pages that stay."""
    sample: bool | None = None
    """Whether it was looked at and is an article."""
    doubtful: bool = False
    """Whether it reads like one, and lacks what announced ones have."""


@dataclass(frozen=True, slots=True)
class Labels:
    """The URLs of a site, normalised, each in one of three lists."""

    articles: list[str] = field(default_factory=list)
    others: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    elsewhere: dict[str, int] = field(default_factory=dict)
    """Hosts of other sites that feeds and sitemaps lead to, with the number of links."""


def is_article(sample: SampleFacts) -> bool:
    """Tell whether a page that was looked at is an article, or the beginning of one."""
    page_class = PageClass(sample.page_class)
    return sample.status == 200 and (page_class.good or page_class is PageClass.TRUNCATED)


def label_urls(survey: Survey) -> Labels:
    """Sort all URLs of the site that *survey* saw, at most 15,000 of them."""
    collector = _Collector(Sites([survey.home]))
    for listing in survey.listings:
        collector.add_listing(listing)
    collector.add_samples(survey.samples)
    sampled = {sample.url for sample in survey.samples}
    for page in survey.pages:
        collector.add_page(page, is_sample=page.url in sampled)
    collector.mark_house([survey.home, survey.asked])
    labels = Labels(elsewhere=collector.elsewhere)
    for shape, urls in group_by_shape(collector.evidence).items():
        _label_shape(shape, urls, collector.evidence, labels)
    return labels


class _Collector:
    def __init__(self, own: Sites) -> None:
        self.own = own
        self.evidence: dict[str, Evidence] = {}
        self.elsewhere: dict[str, int] = {}

    def find(self, url: str) -> Evidence | None:
        """Return the evidence about *url*; `None` if it is of another site, or there are too many already."""
        normal = find_normal(url)
        if normal is None or normal not in self.own or (normal not in self.evidence and len(self.evidence) >= MAX_URLS):
            return None
        return self.evidence.setdefault(normal, Evidence())

    def add_samples(self, samples: Sequence[SampleFacts]) -> None:
        """Note what was looked at; where announced articles state their day, what states none is no article."""
        pairs = [(evidence, sample) for sample in samples if (evidence := self.find(sample.url)) is not None]
        stated = ["published" in one.fields for evidence, one in pairs if evidence.announced and is_article(one)]
        dated = len(stated) >= 2 and sum(stated) * 5 >= len(stated) * 4
        for evidence, sample in pairs:
            page_class = PageClass(sample.page_class)
            if page_class in _NEUTRAL or (page_class in _SHOWN and not evidence.announced):
                continue
            evidence.doubtful = is_article(sample) and not (
                evidence.announced or not dated or "published" in sample.fields
            )
            evidence.sample = is_article(sample) and not evidence.doubtful

    def add_listing(self, listing: ListingFacts) -> None:
        self.mark_house([listing.url, *listing.listings])
        if listing.kind == "section":
            return
        path = urlsplit(listing.url).path
        dated = sum(link.published is not None or link.title is not None for link in listing.links)
        news = listing.kind == "feed" or bool(_NEWS.search(path)) or dated * 2 > len(listing.links)
        for link in listing.links:
            evidence = self.find(link.url)
            if evidence is None:
                host = urlsplit(link.url).hostname or ""
                if link.url not in self.own and (host in self.elsewhere or len(self.elsewhere) < 100):
                    self.elsewhere[host] = self.elsewhere.get(host, 0) + 1
            elif listing.kind == "sitemap" and _LISTS.search(path):
                evidence.shelved = True
            elif news:
                evidence.announced = True
            else:
                evidence.listed = True

    def add_page(self, page: PageFacts, *, is_sample: bool) -> None:
        if not is_sample:
            self.mark_house([page.url])
        self.mark_house([one.url for one in page.alternates] + ([page.next_url] if page.next_url else []))
        for link in page.links:
            evidence = self.find(link.url)
            if evidence is None:
                continue
            if _is_headline(link):
                evidence.headline = True
            elif link.place in {"nav", "header", "footer"}:
                evidence.house = True

    def mark_house(self, urls: Iterable[str]) -> None:
        for url in urls:
            evidence = self.find(url)
            if evidence is not None:
                evidence.house = True


def _is_headline(link: SeenLink) -> bool:
    return link.headline or (link.place in {"main", "aside"} and len(link.text) >= HEADLINE_CHARS)


def _label_shape(shape: Shape, urls: Sequence[str], evidence: dict[str, Evidence], labels: Labels) -> None:
    """Sort *urls*, which are alike: what a few of them turned out to be speaks for the others."""
    seen = [evidence[url] for url in urls]
    good = sum(one.sample is True for one in seen)
    bad = sum(one.sample is False for one in seen)
    announced = sum(one.announced for one in seen)
    if shape.hint == "media":
        labels.others.extend(urls)
        return
    trusted = announced > 0 and not (bad >= 2 and not good)
    fitting = good > bad or (trusted and good >= bad)

    def likely(one: Evidence) -> bool:
        return not bad and shape.hint is None and (one.headline or (one.listed and not one.shelved))

    for url, one in zip(urls, seen, strict=True):
        if one.sample is False and good > bad and not one.house:
            labels.unknown.append(url)  # one that went wrong among many says nothing of its address
        elif _is_other(one, url, shape, trusted=trusted):
            labels.others.append(url)
        elif (one.sample is True and _is_sure(one, url)) or (one.announced and trusted) or (fitting and likely(one)):
            labels.articles.append(url)
        elif bad and not good and not announced:
            labels.others.append(url)
        else:
            labels.unknown.append(url)


def _is_other(one: Evidence, url: str, shape: Shape, *, trusted: bool) -> bool:
    if one.sample is False and not one.doubtful:
        return not (one.announced and trusted and not one.house)
    if one.announced and trusted:
        return False
    if shape.hint in {"static", "media"}:
        return True
    if one.sample is True:
        return not _is_sure(one, url)
    return one.shelved or (one.house and not one.headline) or (shape.hint is not None and not one.headline)


def _is_sure(one: Evidence, url: str) -> bool:
    """Tell whether a page that reads like an article is one: what a publisher says of itself reads so as well."""
    if one.announced or one.headline or (one.listed and not one.shelved and not one.house):
        return True
    parts = read_parts(url)
    hint = find_hint(parts) if parts else None
    return hint is None and not one.house and bool(parts and parts.kinds and parts.kinds[-1] is not Kind.WORD)

"""Which page to look at next: the one that tells most of what is still unclear about a site's URLs."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from crawler.sites import Sites
from crawler.survey.candidates import is_news_place, iterate_dated
from crawler.survey.labels import HEADLINE_CHARS, is_article
from crawler.survey.shapes import group_by_shape
from crawler.urls import find_normal, normalise_url

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from crawler.discover.page_facts import PageFacts
    from crawler.survey.facts import ListingFacts, SampleFacts
    from crawler.survey.looking import Look
    from crawler.survey.shapes import Shape

MAX_TRACED = 6_000
_LISTED = 1_500
"""Of one sitemap."""
LEAST_VALUE = 0.6
"""What is worth less is not worth a request."""


@dataclass(slots=True)
class Trace:
    """Where a URL was seen."""

    via: str
    announced: bool = False
    """In a feed, or in a sitemap of news."""
    listed: bool = False
    """In another sitemap."""
    headline: bool = False
    """As a headline, or as a link of many words in the middle of a page."""
    beside: bool = False
    """In navigation, header, footer or beside the text."""

    @property
    def likely(self) -> bool:
        """Whether that speaks for an article."""
        return self.announced or self.headline


def trace_urls(look: Look) -> dict[str, Trace]:
    """Return where each URL of the site that could be one of an article was seen, by normal form."""
    traces: dict[str, Trace] = {}
    own = Sites([look.visit.source.home])
    for listing in look.listings.values():
        _trace_listing(listing, traces, own)
    for page in look.pages.values():
        _trace_page(page, traces, own)
    return traces


def _trace_listing(listing: ListingFacts, traces: dict[str, Trace], own: Sites) -> None:
    if listing.kind == "section":  # its page says more
        return
    sure = listing.kind == "feed" or is_news_place(listing.url)
    for link in listing.links[:_LISTED]:
        trace = _trace(link.url, listing.url, traces, own)
        if trace is not None:
            trace.announced |= sure
            trace.listed |= not sure


def _trace_page(page: PageFacts, traces: dict[str, Trace], own: Sites) -> None:
    for link in page.links:
        trace = _trace(link.url, page.url, traces, own)
        if trace is None:
            continue
        worded = len(link.text) >= HEADLINE_CHARS or link.headline
        trace.headline |= worded and (link.place == "main" or link.headline)
        trace.beside |= not worded and link.place != "main"


def _trace(url: str, via: str, traces: dict[str, Trace], own: Sites) -> Trace | None:
    if url not in own:
        return None
    normal = find_normal(url)
    if normal is None or (normal not in traces and len(traces) >= MAX_TRACED):
        return None
    return traces.setdefault(normal, Trace(via))


def choose_sample(look: Look) -> tuple[str, str] | None:
    """Return the URL that is worth most to look at, and where it was seen; `None` if none is worth a request."""
    traces = trace_urls(look)
    known = {normalise_url(page) for page in look.pages} | look.asked
    best: tuple[float, str] | None = None
    for shape, urls in group_by_shape(traces).items():
        open_urls = [url for url in urls if url not in known]
        if not open_urls:
            continue
        value = _rate(shape, urls, traces, look.samples)
        if value >= LEAST_VALUE and (best is None or value > best[0]):
            best = value, _pick(open_urls, urls, traces, look.samples)
    return None if best is None else (best[1], traces[best[1]].via)


def choose_article(look: Look) -> tuple[str, str] | None:
    """Return another URL like those that were articles, and where it was seen: for who wants to see more of them."""
    traces = trace_urls(look)
    ranked = []
    for urls in group_by_shape(traces).values():
        good = sum(is_article(look.samples[url]) for url in urls if url in look.samples)
        bad = sum(not is_article(look.samples[url]) for url in urls if url in look.samples)
        open_urls = [url for url in urls if url not in look.asked and traces[url].likely]
        if good > bad and open_urls:
            ranked.append((good - bad, sum(traces[url].announced for url in urls), open_urls[0]))
    if not ranked:
        return None
    url = max(ranked)[2]
    return url, traces[url].via


def count_shown(look: Look) -> int:
    """Return how many samples are articles, and stood where articles stand."""
    traces = trace_urls(look)
    return sum(is_article(sample) and url in traces and traces[url].likely for url, sample in look.samples.items())


def _rate(shape: Shape, urls: Iterable[str], traces: Mapping[str, Trace], samples: Mapping[str, SampleFacts]) -> float:
    seen = [traces[url] for url in urls]
    announced, likely = sum(one.announced for one in seen), sum(one.likely for one in seen)
    tried = [is_article(samples[url]) for url in urls if url in samples]
    value = math.log2(1 + len(seen))
    if shape.hint == "media":
        return 0.0
    mixed = 0.1 < likely / len(seen) < 0.9 or (bool(tried) and any(tried) != bool(announced or likely))
    if len(set(tried)) > 1:
        mixed = True
    if not tried:
        value *= 0.8 if announced else 0.5 if len(seen) == 1 else 1.0
    else:
        value *= (0.4 if mixed else 0.15) / len(tried) ** 1.5
    if shape.hint is not None and not announced:
        value *= 0.2
    if sum(1 for _ in iterate_dated(urls)) > len(seen) / 2:
        value *= 0.2
    return value


def _pick(
    open_urls: list[str], urls: Iterable[str], traces: Mapping[str, Trace], samples: Mapping[str, SampleFacts]
) -> str:
    """Return one of *open_urls*: a likely article first, after that what is least like those that were looked at."""
    tried = [url for url in urls if url in samples]
    likely = sum(traces[url].likely for url in tried)
    want = not tried or likely * 2 < len(tried)
    fitting = [url for url in open_urls if traces[url].likely is want] or open_urls
    if not tried:
        return max(fitting, key=lambda url: (traces[url].announced, traces[url].headline))
    return fitting[len(fitting) // 2]

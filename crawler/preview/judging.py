"""Whether a run would follow a link, and why or why not, in words. Pure: asks nobody.

The answer is the crawl's own, since it asks the same source; the words are found afterwards.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from config.errors import ExtractError
from crawler.preview.facts import LinkSeen
from crawler.robots import read_rules
from crawler.scope import describe_scope, is_announced_outside
from crawler.urls import normalise_url

if TYPE_CHECKING:
    from collections.abc import Iterable

    from config.sources import Source
    from crawler.model import Exchange, Link
    from crawler.sites import Sites


def judge_link(source: Source, link: Link) -> LinkSeen:
    """Return *link*, and whether it is to an article that *source* wants as far as the listing tells."""
    try:
        url = normalise_url(link.url)
    except ValueError as error:
        url, wanted, reason = link.url, False, f"no address of a page: {error}"
    else:
        wanted, reason = judge_url(source, url)
        if wanted and is_announced_outside(source, link):
            wanted, reason = False, f"announced as in {link.language}; {describe_scope(source)}"
    return LinkSeen(url, link.url, link.via, wanted, reason, link.title, link.published, link.modified)


def judge_url(source: Source, url: str) -> tuple[bool, str]:
    """Return whether the normalised *url* is an article that *source* wants, as far as it tells, and why or why not."""
    wanted, matching = source.is_article(url), source.articles.match(url)
    if matching and not wanted:
        return wanted, f"in none of the sections; {describe_scope(source)}"
    return wanted, source.articles.explain(url)


def judge_by_robots(links: Iterable[LinkSeen], exchange: Exchange, product: str) -> list[LinkSeen]:
    """Return *links*, those that the robots.txt of *exchange* forbids to *product* among what is not wanted."""
    try:
        rules = read_rules(exchange, product)
    except ExtractError as error:
        reason = f"robots.txt could not be read ({error}), so nothing of this host is fetched"
        return [replace(link, wanted=False, reason=reason) if link.wanted else link for link in links]
    judged = []
    for link in links:
        pattern = rules.find_ban(link.target) if link.wanted else None
        reason = f"robots.txt forbids it (Disallow: {pattern and pattern[:200]})"
        judged.append(link if pattern is None else replace(link, wanted=False, reason=reason))
    return judged


def refuse_listing(url: str, *, here: Sites, own: Sites, depth: int, max_depth: int) -> str | None:
    """Return why a run would not read the listing at *url*, named by one of *depth* on the site *here*, or `None`."""
    if depth >= max_depth:
        return f"deeper than max_depth: {max_depth}"
    if url not in here and url not in own:
        return "a listing on another site: add it to the source's discover, if it is the source's own"
    return None

"""Which requests are conditional (RFC 9110 § 13), and what their answers tell of the server's word.

A server that was caught calling two texts by one name is asked for nothing but whole pages for the rest of the run.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import structlog

from crawler.model import Purpose

if TYPE_CHECKING:
    from scrapy import Request

    from config.settings import Settings
    from config.sources import Source
    from crawler.frontier import WaitingLink
    from crawler.items import PageItem, Run
    from crawler.model import CrawlPlan
    from crawler.validators import Validators

log = structlog.get_logger()

_OTHER_TEXTS = frozenset({"revised", "suspected", "gone"})
"""Hints of a page that is not what it was."""


class ConditionalRequests:
    """Makes requests conditional where the archive holds what they ask for."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._every = run.plan.unconditional_every
        self._rendered = run.source.render is not None
        self._looked_up: dict[str, Validators | None] = {}

    def find_page(self, link: WaitingLink) -> Validators | None:
        """Return the validators of an article that waited; looks up those that wait behind it as well."""
        if not link.known or self._every <= 1 or self._rendered:  # what is as it was may be rendered otherwise
            return None
        url = link.row.url
        if url not in self._looked_up:
            urls = [url, *self._run.frontier.list_known_ahead()]
            found = self._run.last_versions.find_validators(urls, raw_only=self._run.plan.raw_only)
            self._looked_up = {one: found.get(one) for one in urls}
        return self._looked_up.pop(url)

    def find_other(self, url: str, purpose: Purpose) -> Validators | None:
        """Return the validators of a listing, or of what a redirect leads to, at the normalised *url*."""
        if self._every <= 1 or (self._rendered and purpose in {Purpose.ARTICLE, Purpose.SECTION}):
            return None
        if purpose is Purpose.ASSET:  # not asked for at all while it is young
            return None
        if purpose is Purpose.ARTICLE:
            return self._run.last_versions.find_validators([url], raw_only=self._run.plan.raw_only).get(url)
        return self._run.last_versions.find_listing(url, self._run.listing_rules)

    def apply(self, request: Request, validators: Validators) -> None:
        """Make *request* conditional, if it is for the URL of that record and its turn to be whole has not come."""
        if request.url != validators.record.target_uri:
            return
        request.meta["validators"] = validators
        if validators.not_modified + 1 >= self._every or _host_of(request.url) in self._run.distrusted:
            return
        request.meta["conditional"] = True
        for name, value in validators.headers().items():
            request.headers[name] = value


def judge_validators(run: Run, item: PageItem) -> None:
    """Distrust the host of *item* if it calls by one name what is not the same; say so once."""
    validators, exchange = item.validators, item.exchange
    if validators is None:
        return
    if exchange.status == 200:
        lied = item.hint in _OTHER_TEXTS and validators.same_as(exchange)
    else:
        lied = item.conditional and exchange.status == 304 and not validators.confirmed_by(exchange)
    host = _host_of(exchange.url)
    if lied and host not in run.distrusted:
        run.distrusted.add(host)
        log.warning(
            "distrusted_validators",
            host=host,
            url=item.url,
            status=exchange.status,
            etag=exchange.header("ETag"),
            last_modified=exchange.header("Last-Modified"),
        )


def describe_listing_rules(source: Source, settings: Settings, plan: CrawlPlan, version: str) -> str:
    """Return a digest of what decides, beside its bytes and what is known, which pages of a listing are wanted."""
    told = {
        "articles": source.articles.model_dump(mode="json"),
        "max_links": settings.max_links,
        "raw_only": plan.raw_only,
        "version": version,
    }
    if source.sections or source.languages:
        told["scope"] = [source.sections, source.languages]
    if plan.gaps:
        told["gaps"] = [[one.isoformat() for one in gap] for gap in plan.gaps]
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()[:16]


def _host_of(url: str) -> str:
    return urlsplit(url).netloc

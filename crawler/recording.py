"""What becomes of an exchange whose page nobody reads: its records, its class as far as the status tells it.

Takes only a look at the page's head, for what is said to robots there. Loads no parser of pages.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from crawler.directives import find_robots_tags
from crawler.encoding import decode_beginning, decode_by_steps, inflate_beginning, inflate_by_steps
from crawler.model import PageClass, Purpose
from crawler.outcome import begin_outcome, describe_reading
from crawler.redirects import leads_away

if TYPE_CHECKING:
    from crawler.compare import KnownReading
    from crawler.model import Exchange
    from crawler.outcome import PageContext, PageOutcome

UNREAD = "recorded only: no text was asked for"
UNMODIFIED = "status 304: not modified"
_SILENT = frozenset({Purpose.ROBOTS, Purpose.ASSET})
"""What has no head that could say anything to robots."""
_BEGINNING_BYTES = 512 * 1024
_STEPS = range(16 * 1024, _BEGINNING_BYTES + 1, 16 * 1024)
"""In the first of these the heads of half of the pages end, in the third of three quarters."""


def record_only(exchange: Exchange, context: PageContext) -> PageOutcome:
    """Return the records of *exchange*; an answer of status 200 that is to be an article is UNREAD.

    A page that asks not to be archived is withheld, if the context obeys. Raises RecordError where the exchange itself
    cannot be recorded.
    """
    told = read_robots_tags(exchange, context.product) if context.obey_noarchive else None
    outcome = begin_outcome(exchange, context, told)
    if outcome.withheld:
        return outcome
    settled = settle_without_reading(exchange, outcome)
    if settled is not None:
        return settled
    if exchange.status != 200:
        return replace(outcome, class_reason=f"status {exchange.status}")
    return replace(outcome, page_class=PageClass.UNREAD, class_reason=UNREAD)


def record_unmodified(exchange: Exchange, context: PageContext, *, unread: bool) -> PageOutcome:
    """Return the records of *exchange*, a 304 that refers to the page it stands for.

    *unread*: that page was only recorded, so that its text is still to be had. Raises RecordError as `record_only`.
    """
    outcome = record_only(exchange, context)
    if exchange.purpose is not Purpose.ARTICLE:
        return replace(outcome, class_reason=f"fetched as {exchange.purpose.value}: not modified")
    page_class = PageClass.UNREAD if unread else outcome.page_class
    return replace(outcome, page_class=page_class, class_reason=UNMODIFIED)


def recall_reading(exchange: Exchange, context: PageContext, known: KnownReading) -> PageOutcome | None:
    """Return the outcome of *exchange* without reading its page, whose payload is that of *known*.

    `None` where more than the payload decides, and that is not the same. Raises RecordError as `record_only`.
    """
    if known.captured_at > exchange.started_at or known.read_with != describe_reading(exchange, context.product):
        return None
    return replace(
        begin_outcome(exchange, context),
        page_class=known.snapshot.page_class,
        class_reason=known.snapshot.class_reason,
        snapshot=known.snapshot,
        directives=known.directives,
        repeatable=True,
    )


def read_beginning(exchange: Exchange) -> str | None:
    """Return the first part of the body as text, as far as it can be read; `None` for what says nothing to robots."""
    if exchange.purpose in _SILENT or not exchange.body:
        return None
    codings = exchange.header_values("Content-Encoding")
    return decode_beginning(inflate_beginning(exchange.body, codings, limit=_BEGINNING_BYTES))


def read_robots_tags(exchange: Exchange, product: str) -> str | None:
    """Do what `read_beginning` does, but return no more than what may be said to robots, and read no further."""
    if exchange.purpose in _SILENT or not exchange.body:
        return None
    steps = inflate_by_steps(exchange.body, exchange.header_values("Content-Encoding"), _STEPS)
    return find_robots_tags(decode_by_steps(steps), product)


def _find_obstacle(exchange: Exchange) -> str | None:
    """Return why there is no page to look at, or `None` if there is one."""
    status = exchange.status
    if status is None:
        return exchange.error or "no answer"
    if 300 <= status < 400:
        if status == 304 and exchange.purpose is not Purpose.ARTICLE:
            return None
        target = exchange.header("Location")
        return f"status {status}" + (f", leads to {target[:200]}" if target else "")
    if exchange.purpose is not Purpose.ARTICLE and not 200 <= status < 300:
        return f"status {status}"
    return None


def settle_without_reading(exchange: Exchange, outcome: PageOutcome) -> PageOutcome | None:
    """Return the outcome of *exchange* if there is no article's page to look at, else `None`."""
    reason = _find_obstacle(exchange)
    if reason is None:
        if exchange.purpose is Purpose.ARTICLE:
            return None
        page_class = PageClass.ASSET if exchange.purpose is Purpose.ASSET else PageClass.LISTING
        return replace(outcome, page_class=page_class, class_reason=f"fetched as {exchange.purpose.value}")
    if exchange.purpose is Purpose.ARTICLE and outcome.redirect and leads_away(exchange.url, outcome.redirect):
        away = f"{reason}, the site's home or a section"
        return replace(outcome, page_class=PageClass.SOFT_404, class_reason=away)
    if exchange.purpose is Purpose.ARTICLE and exchange.forbidden:
        return replace(outcome, page_class=PageClass.BLOCKED, class_reason=reason)
    return replace(outcome, class_reason=reason)

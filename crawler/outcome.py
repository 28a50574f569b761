"""What reading a page comes to, and its way through a worker's pipe: JSON and raw bytes, checked where they come back.

Light: loads no parser, so that the crawl's own process stays small. The work itself is in `crawler.task`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter, ValidationError

from config.errors import ExtractError
from crawler.model import Exchange, PageClass, Purpose, Snapshot
from crawler.urls import resolve_link
from crawler.warc import NOTHING_RECORDED, Recorded, encode_exchange

if TYPE_CHECKING:
    from config.rules import ExtractRules

MAX_INFLATED_BYTES = 32 * 1024 * 1024
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_MAX_REASON_CHARS = 500


@dataclass(frozen=True, slots=True)
class PageContext:
    """What decides a page's reading beside the page; the same for all pages of a run."""

    rules: ExtractRules
    timezone: str | None
    language: str | None
    derivation: str
    """Digest that goes into the snapshot."""
    warcinfo_id: str | None = None
    """Put on the records as WARC-Warcinfo-ID; leave it out where segments rotate while pages are read."""
    max_inflated_bytes: int = MAX_INFLATED_BYTES
    record: bool = True
    """Whether WARC records are wanted; not so where an old page is derived again."""


@dataclass(frozen=True, slots=True)
class PageOutcome:
    """What one exchange came to."""

    recorded: Recorded
    page_class: PageClass
    class_reason: str
    snapshot: Snapshot | None = None
    extraction_error: str | None = None
    """Why there is no snapshot of a page that should have one."""
    media_type: str | None = None
    redirect: str | None = None
    """Absolute URL that a redirect leads to."""


_OUTCOMES: TypeAdapter[PageOutcome] = TypeAdapter(PageOutcome)


def media_type_of(exchange: Exchange) -> str | None:
    """Return the media type that the Content-Type header states, in lower case."""
    return (exchange.header("Content-Type") or "").partition(";")[0].strip().lower() or None


def redirect_of(exchange: Exchange) -> str | None:
    """Return the absolute URL that the answer redirects to, or `None`."""
    location = exchange.header("Location") if exchange.status in _REDIRECTS else None
    return resolve_link(exchange.url, location) if location else None


def failed_outcome(exchange: Exchange, context: PageContext, reason: str) -> PageOutcome:
    """Return the outcome of a page that a worker could not read: raw is kept, the failure is a fact."""
    reason = reason[:_MAX_REASON_CHARS]
    return PageOutcome(
        recorded=encode_exchange(exchange, warcinfo_id=context.warcinfo_id) if context.record else NOTHING_RECORDED,
        page_class=PageClass.ERROR,
        class_reason=reason,
        extraction_error=reason,
        media_type=media_type_of(exchange),
        redirect=redirect_of(exchange),
    )


# --- through the pipe


def encode_page(exchange: Exchange, context: PageContext) -> tuple[dict[str, Any], bytes]:
    """Return a page and its context as JSON data and the body's bytes."""
    rules = context.rules.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    names = ("timezone", "language", "derivation", "warcinfo_id", "max_inflated_bytes", "record")
    return {
        "exchange": encode_exchange_data(exchange),
        "context": {"rules": rules} | {name: getattr(context, name) for name in names},
    }, exchange.body


def encode_exchange_data(exchange: Exchange) -> dict[str, Any]:
    """Return all of *exchange* but its body as JSON data."""
    return {
        "url": exchange.url,
        "purpose": exchange.purpose.value,
        "started_at": exchange.started_at.isoformat(),
        "seconds": exchange.seconds,
        "request_head": exchange.request_head.decode("latin-1"),
        "status": exchange.status,
        "response_head": exchange.response_head.decode("latin-1"),
        "peer": exchange.peer,
        "via": exchange.via,
        "truncated": exchange.truncated,
        "error": exchange.error,
        "masked": list(exchange.masked),
        "via_proxy": exchange.via_proxy,
    }


def decode_exchange_data(data: dict[str, Any], body: bytes) -> Exchange:
    """Undo `encode_exchange_data`."""
    changed = {
        "purpose": Purpose(data["purpose"]),
        "started_at": datetime.fromisoformat(data["started_at"]),
        "request_head": data["request_head"].encode("latin-1"),
        "response_head": data["response_head"].encode("latin-1"),
        "masked": tuple(data["masked"]),
        "body": body,
    }
    return Exchange(**{**data, **changed})


def encode_outcome(outcome: PageOutcome) -> tuple[dict[str, Any], bytes]:
    """Return *outcome* as JSON data and the bytes of its records."""
    data: dict[str, Any] = _OUTCOMES.dump_python(outcome, mode="json", exclude={"recorded": {"data"}})
    return data, outcome.recorded.data


def decode_outcome(data: dict[str, Any], records: bytes) -> PageOutcome:
    """Undo `encode_outcome`; trusts nothing. Raises ExtractError if it does not hold together."""
    try:
        outcome = _OUTCOMES.validate_python({**data, "recorded": {**data["recorded"], "data": records}})
    except (ValidationError, KeyError, TypeError) as error:
        raise ExtractError(f"a worker's answer is not an outcome: {error}") from error
    recorded = outcome.recorded
    extents = [extent for extent in (recorded.response, recorded.request) if extent is not None]
    end = 0
    for extent in sorted(extents, key=lambda extent: extent.offset):
        if extent.offset != end or extent.length <= 0:
            raise ExtractError(f"a worker's answer: records are said to lie at {extent}, expected offset {end}")
        end += extent.length
    if end != len(records) or recorded.records != len(extents):
        raise ExtractError(f"a worker's answer: {len(records)} bytes of records, expected {end}")
    return outcome

"""What reading a page comes to, and its way through a worker's pipe: JSON and raw bytes, checked where they come back.

Light: loads no parser, so that the crawl's own process stays small. The work itself is in `crawler.workers.task`.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields, replace
from datetime import datetime
from operator import gt
from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter, ValidationError
from pydantic_core import PydanticSerializationError

from config.errors import ExtractError
from crawler.derivation import derive
from crawler.directives import NOARCHIVE, product_token, read_directives
from crawler.model import (
    MAX_OUTLINE_LINES,
    MAX_OUTLINE_NAMES,
    MAX_OUTLINE_REFERENCES,
    Exchange,
    Outline,
    PageClass,
    Purpose,
    RecordReference,
    Rendition,
    Snapshot,
    TlsSession,
)
from crawler.urls import resolve_link
from crawler.warc import NOTHING_RECORDED, Recorded, encode_exchange

if TYPE_CHECKING:
    from config.rules import ExtractRules
    from config.settings import Settings
    from config.sources import Source

MAX_INFLATED_BYTES = 32 * 1024 * 1024
REDIRECTS = frozenset({301, 302, 303, 307, 308})
_MAX_REASON_CHARS = 500
_READING_HEADERS = ("content-type", "content-encoding", "x-robots-tag")
_MAX_READING_CHARS = 1_000


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
    product: str = "ofrecord"
    """Our product token, by which robots directives may be addressed to us."""
    obey_noarchive: bool = False
    """Whether the body of a page that asks not to be archived is left out."""
    render: str | None = None
    """With what article pages are rendered before they are read; `None`: they are read as served."""


def make_context(source: Source, settings: Settings, *, record: bool = True) -> PageContext:
    """Return the context of the pages that are fetched now of *source*. *record*: whether WARC records are wanted."""
    derivation = derive(source.extract, timezone=source.timezone, language=source.language, render=source.render)
    return PageContext(
        rules=source.extract,
        timezone=source.timezone,
        language=source.language,
        derivation=derivation.digest,
        max_inflated_bytes=settings.max_body_bytes,
        record=record,
        product=product_token(settings.user_agent),
        obey_noarchive=settings.obey_noarchive,
        render=source.render,
    )


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
    directives: tuple[str, ...] = ()
    """What the publisher says to robots of this page, as far as it is meant for us."""
    withheld: bool = False
    """Whether the body is left out of the records, since the publisher asks for it."""
    repeatable: bool = False
    """Whether the same payload with the same headers comes to the same class and snapshot at any later time."""


_OUTCOMES: TypeAdapter[PageOutcome] = TypeAdapter(PageOutcome)
_OUTLINES: TypeAdapter[Outline] = TypeAdapter(Outline)
_encoded: list[tuple[PageContext, dict[str, Any]]] = []
"""The context that was encoded last, and its data."""


def media_type_of(exchange: Exchange) -> str | None:
    """Return the media type that the Content-Type header states, in lower case."""
    return (exchange.header("Content-Type") or "").partition(";")[0].strip().lower() or None


def find_redirect(exchange: Exchange) -> str | None:
    """Return the absolute URL that *exchange* redirects to, or `None`."""
    location = exchange.header("Location") if exchange.status in REDIRECTS else None
    if location is None:
        return None
    # the header is bytes: nearly all servers that send more than ASCII mean UTF-8
    return resolve_link(exchange.url, location.encode("latin-1").decode("utf-8", "replace"))


def describe_reading(exchange: Exchange, product: str) -> dict[str, list[str]] | None:
    """Return what decides, beside payload, URL and derivation, what a page comes to; `None` if it is long.

    So these are the values of some headers, by name in lower case, and as whom we read what robots are told.
    """
    headers = {name: values for name in _READING_HEADERS if (values := exchange.header_values(name))}
    if sum(len(value) for values in headers.values() for value in values) > _MAX_READING_CHARS:
        return None
    return {**headers, "product": [product]}


def begin_outcome(exchange: Exchange, context: PageContext, beginning: str | None = None) -> PageOutcome:
    """Return the outcome of *exchange* as far as no parser is needed: its records, and what robots are told.

    *beginning*: the body's first part as text, as far as it could be read, whatever it was said to be. The class is
    ERROR until somebody says better; it is NOARCHIVE, and the body left out of the records, where the publisher asks
    for that and the context obeys.
    """
    directives = read_directives(exchange.header_values("X-Robots-Tag"), beginning, context.product)
    asked = NOARCHIVE in directives and exchange.purpose is not Purpose.ROBOTS and bool(exchange.body)
    withheld = asked and context.obey_noarchive
    kept = exchange.withhold() if withheld else exchange
    return PageOutcome(
        recorded=encode_exchange(kept, warcinfo_id=context.warcinfo_id) if context.record else NOTHING_RECORDED,
        page_class=PageClass.NOARCHIVE if withheld else PageClass.ERROR,
        class_reason="the page asks not to be archived" if withheld else "",
        media_type=media_type_of(exchange),
        redirect=find_redirect(exchange),
        directives=directives,
        withheld=withheld,
    )


def failed_outcome(exchange: Exchange, context: PageContext, reason: str, beginning: str | None = None) -> PageOutcome:
    """Return the outcome of a page that a worker could not read: raw is kept, the failure is a fact.

    *beginning*: as in `begin_outcome`.
    """
    outcome = begin_outcome(exchange, context, beginning)
    if outcome.withheld:
        return outcome
    reason = reason[:_MAX_REASON_CHARS]
    return replace(outcome, class_reason=reason, extraction_error=reason)


# --- through the pipe


def encode_page(exchange: Exchange, context: PageContext) -> tuple[dict[str, Any], bytes]:
    """Return a page and its context as JSON data and bytes: the body's, then the rendered document's."""
    data = {"exchange": encode_exchange_data(exchange), "context": _encode_context(context)}
    rendition = exchange.rendition
    if rendition is None:
        return data, exchange.body
    about = {"size": len(rendition.document), "browser": rendition.browser, "error": rendition.error}
    return {**data, "rendition": about}, exchange.body + rendition.document


def decode_page(data: dict[str, Any], body: bytes) -> Exchange:
    """Return the page that `encode_page` encoded."""
    about = data.get("rendition")
    if about is None:
        return decode_exchange_data(data["exchange"], body)
    end = len(body) - about["size"]
    rendition = Rendition(body[end:], about["browser"], about["error"])
    return replace(decode_exchange_data(data["exchange"], body[:end]), rendition=rendition)


def _encode_context(context: PageContext) -> dict[str, Any]:
    last = _encoded[0] if _encoded else None
    if last is None or last[0] is not context:  # all pages of a run have the same
        rules = context.rules.model_dump(mode="json", by_alias=True, exclude_defaults=True)
        plain = [field.name for field in fields(context) if field.name != "rules"]
        last = context, {"rules": rules} | {name: getattr(context, name) for name in plain}
        _encoded[:] = [last]
    return last[1]


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
        "forbidden": exchange.forbidden,
        "masked": list(exchange.masked),
        "via_proxy": exchange.via_proxy,
        "tls": None if exchange.tls is None else asdict(exchange.tls),
        "refers_to": None
        if exchange.refers_to is None
        else {**asdict(exchange.refers_to), "captured_at": exchange.refers_to.captured_at.isoformat()},
    }


def decode_exchange_data(data: dict[str, Any], body: bytes) -> Exchange:
    """Undo `encode_exchange_data`."""
    changed = {
        "purpose": Purpose(data["purpose"]),
        "started_at": datetime.fromisoformat(data["started_at"]),
        "request_head": data["request_head"].encode("latin-1"),
        "response_head": data["response_head"].encode("latin-1"),
        "masked": tuple(data["masked"]),
        "tls": TlsSession(**data["tls"]) if data["tls"] else None,
        "refers_to": _decode_reference(data["refers_to"]),
        "body": body,
    }
    return Exchange(**{**data, **changed})


def _decode_reference(data: dict[str, Any] | None) -> RecordReference | None:
    if data is None:
        return None
    return RecordReference(**{**data, "captured_at": datetime.fromisoformat(data["captured_at"])})


def encode_outcome(outcome: PageOutcome) -> tuple[bytes, bytes]:
    """Return *outcome* as JSON and the bytes of its records."""
    without = replace(outcome, recorded=replace(outcome.recorded, data=b""))
    return dump_json(_OUTCOMES, without), outcome.recorded.data


def dump_json(adapter: TypeAdapter[Any], value: object) -> bytes:
    """Return *value* as JSON; of half a surrogate pair becomes a question mark."""
    try:
        return adapter.dump_json(value)
    except PydanticSerializationError:
        text = json.dumps(adapter.dump_python(value, mode="json"), ensure_ascii=False, separators=(",", ":"))
        return text.encode("utf-8", "replace")


def decode_outcome(text: bytes, records: bytes) -> PageOutcome:
    """Undo `encode_outcome`; trusts nothing. Raises ExtractError if it does not hold together."""
    try:
        outcome = _OUTCOMES.validate_json(text)
    except ValidationError as error:
        raise ExtractError(f"a worker's answer is not an outcome: {error}"[:_MAX_REASON_CHARS]) from error
    outcome = replace(outcome, recorded=replace(outcome.recorded, data=records))
    recorded = outcome.recorded
    places = (recorded.response, recorded.rendered, recorded.request, recorded.metadata)
    extents = [extent for extent in places if extent is not None]
    end = 0
    for extent in sorted(extents, key=lambda extent: extent.offset):
        if extent.offset != end or extent.length <= 0:
            raise ExtractError(f"a worker's answer: records are said to lie at {extent}, expected offset {end}")
        end += extent.length
    if end != len(records) or recorded.records != len(extents):
        raise ExtractError(f"a worker's answer: {len(records)} bytes of records, expected {end}")
    return outcome


def encode_outline(outline: Outline) -> bytes:
    """Return *outline* as JSON."""
    return dump_json(_OUTLINES, outline)


def decode_outline(text: bytes) -> Outline:
    """Undo `encode_outline`; trusts nothing. Raises ExtractError if it does not hold together."""
    try:
        outline = _OUTLINES.validate_json(text)
    except ValidationError as error:
        raise ExtractError(f"a worker's answer is no outline: {error}"[:_MAX_REASON_CHARS]) from error
    found = len(outline.lines), len(outline.names), sum(len(line.names) for line in outline.lines)
    if any(map(gt, found, (MAX_OUTLINE_LINES, MAX_OUTLINE_NAMES, MAX_OUTLINE_REFERENCES))):
        raise ExtractError(f"a worker's answer: {found[0]} lines, {found[1]} names, given {found[2]} times: too many")
    if any(not 0 <= number < len(outline.names) for line in outline.lines for number in line.names):
        raise ExtractError("a worker's answer: a line names an element that is not listed")
    return outline

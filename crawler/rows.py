"""The rows of a segment: facts as JSON lines, FORMAT.md § 5. Encodes what was seen, decodes what a store hands back.

Decoding checks types, since rows come back from a bucket that anybody may have written to.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, PlainSerializer, TypeAdapter, ValidationError
from pydantic_core import PydanticSerializationError

from config.errors import RecordError

MAX_LINE_BYTES = 64 * 1024 * 1024


def _to_utc(value: datetime) -> datetime:
    if value.tzinfo is None:
        raise ValueError("a time without a zone")
    try:
        return value.astimezone(UTC)
    except OverflowError as error:
        raise ValueError("a time out of range") from error


def format_time(value: datetime) -> str:
    """Return *value* (aware) as RFC 3339 in UTC with `Z`; microseconds only where there are any."""
    if value.tzinfo is None:
        raise ValueError(f"naive time {value!r}")
    text = (value if value.tzinfo is UTC else value.astimezone(UTC)).isoformat()
    return text.replace("+00:00", "Z")


Instant = Annotated[datetime, AfterValidator(_to_utc), PlainSerializer(format_time, return_type=str, when_used="json")]
Size = Annotated[int, Field(ge=0, lt=1 << 63)]
Number = Annotated[int, Field(ge=-(1 << 63), lt=1 << 63)]
ClassName = Annotated[str, Field(alias="class")]


@dataclass(frozen=True, slots=True)
class SegmentRow:
    """First row: what this segment is."""

    source: str
    run: str
    segment: str
    opened: Instant
    writer: str
    archive: str | None = None
    derivations: dict[str, Any] = field(default_factory=dict)
    """Derivation → what it stands for, of those used in this segment."""
    requires: list[str] = field(default_factory=list)
    """What a reader must know to go on: FORMAT.md § 3."""
    epoch: Number = 0
    """Of the lease under which this is gathered; 0: none was held."""
    format: str = "1.0"
    type: Literal["segment"] = "segment"


@dataclass(frozen=True, slots=True)
class Extent:
    """Place of a gzip member in the WARC file, in bytes."""

    offset: Size
    length: Size
    head: str | None = None
    """Of an answer's record: digest of its own headers, the empty line included; they hold that of its block."""


@dataclass(frozen=True, slots=True)
class WarcPlace:
    """Where the records of a capture lie; `response` may be a revisit record."""

    request: Extent | None
    response: Extent | None
    metadata: Extent | None = None
    rendered: Extent | None = None
    """Of the conversion record that holds the document as rendered; it directly follows the response."""


@dataclass(frozen=True, slots=True)
class CaptureReference:
    """An earlier capture, by segment and number."""

    segment: str
    n: Number


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a capture comes from that was not fetched from its publisher by the run that committed it."""

    kind: str
    """`imported` from a WARC file, or `backfilled` from a web archive."""
    where: str
    """Name of the file, without folders, or URL of the archive's copy."""
    record: str | None = None
    """WARC-Record-ID of the response there."""
    software: str | None = None
    """Who wrote it, as the file's warcinfo or the archive says; at most 200 characters."""


@dataclass(frozen=True, slots=True)
class CaptureRow:
    """One exchange or failed attempt; the fields' meaning is in FORMAT.md § 5."""

    n: Number
    url: str
    target_uri: str
    captured_at: Instant
    purpose: str
    page_class: ClassName
    """`class` in JSON."""
    class_reason: str
    via: str | None = None
    status: Number | None = None
    media_type: str | None = None
    payload_digest: str | None = None
    size_bytes: Number = 0
    seconds: float = 0.0
    peer: str | None = None
    redirect: str | None = None
    etag: str | None = None
    last_modified: str | None = None
    truncated: str | None = None
    error: str | None = None
    extraction_error: str | None = None
    warc: WarcPlace | None = None
    revisit_of: CaptureReference | None = None
    """The earlier capture whose response record holds this one's payload."""
    directives: list[str] = field(default_factory=list)
    """What the publisher says to robots of this page, in lower case, as far as it is meant for us."""
    hint: str | None = None
    read_with: dict[str, list[str]] | None = None
    """What decided, beside payload, URL and derivation, what the page came to; `None`: something else did, too."""
    not_modified: Number | None = None
    """Of a 304 that was asked for: how many of them in a row, this one included, the URL has answered with."""
    origin: Origin | None = None
    """`None`: fetched by the run itself."""
    type: Literal["capture"] = "capture"


@dataclass(frozen=True, slots=True)
class SnapshotRow:
    """The clean text of a capture: of capture `n` of this segment, or of an earlier one, derived again."""

    url: str
    captured_at: Instant
    derivation: str
    text: str
    text_digest: str
    page_class: ClassName
    """`class` in JSON."""
    class_reason: str
    n: Number | None = None
    of: CaptureReference | None = None
    title: str | None = None
    lead: str | None = None
    fields: dict[str, Any] = field(default_factory=dict)
    """Name → `{"value", "from"[, "assumed_zone"][, "confidence"]}`."""
    confidence: float = 0.0
    type: Literal["snapshot"] = "snapshot"


@dataclass(frozen=True, slots=True)
class CdxjRow:
    """One CDXJ 0.1.0 line of a response or revisit record."""

    line: str
    type: Literal["cdxj"] = "cdxj"


@dataclass(frozen=True, slots=True)
class LinkRow:
    """A link found and not fetched in this run."""

    url: str
    via: str
    found_at: Instant
    title: str | None = None
    published: Instant | None = None
    modified: Instant | None = None
    type: Literal["link"] = "link"


@dataclass(frozen=True, slots=True)
class Certificate:
    """What a host proved itself by, as far as one must know to see its end coming."""

    not_before: Instant
    not_after: Instant
    issuer: str | None = None
    """Organisation or, where that is not said, name."""


@dataclass(frozen=True, slots=True)
class RunRow:
    """How a run went; once a run, in its last segment."""

    run: str
    trigger: str
    started: Instant
    finished: Instant
    reason: str
    """`finished`, `limit`, `stopped` or `died`."""
    counts: dict[str, Number] = field(default_factory=dict)
    discovery: list[dict[str, Any]] = field(default_factory=list)
    slot: Instant | None = None
    certificates: dict[str, Certificate] = field(default_factory=dict)
    """Host (with its port, if that is not 443) → the last certificate that was seen there, and found good."""
    type: Literal["run"] = "run"


@dataclass(frozen=True, slots=True)
class SlotRow:
    """What became of a slot of the schedule, or of a stretch of them; or which schedule holds from then on."""

    slot: Instant
    """Of a mark: slots later than this are expected by `schedule`."""
    outcome: str
    """A word of jobs.ledger.Outcome, or one of a later version."""
    run: str | None = None
    reason: str | None = None
    through: Instant | None = None
    """The last slot of a stretch."""
    slots: Number = 1
    """How many there are from `slot` to `through`."""
    schedule: str | None = None
    """Of a mark: as the source's file has it."""
    type: Literal["slot"] = "slot"


@dataclass(frozen=True, slots=True)
class EndRow:
    """Last row."""

    closed: Instant
    counts: dict[str, Number]
    warc_records: Number
    """Of warcinfo and exchanges: all that stand before the records that hold the rows."""
    warc_bytes: Size
    """Where those end in the WARC file."""
    cut: dict[str, Any] | None = None
    type: Literal["end"] = "end"


Row = SegmentRow | CaptureRow | SnapshotRow | CdxjRow | LinkRow | RunRow | SlotRow | EndRow

_TYPES: dict[str, type] = {
    "segment": SegmentRow,
    "capture": CaptureRow,
    "snapshot": SnapshotRow,
    "cdxj": CdxjRow,
    "link": LinkRow,
    "run": RunRow,
    "slot": SlotRow,
    "end": EndRow,
}


@cache
def _adapter(kind: str) -> TypeAdapter[Any]:
    """Return what reads and writes rows of type *kind*; made when it is first needed, which takes 3 ms."""
    return TypeAdapter(_TYPES[kind])


@cache
def _any_adapter() -> TypeAdapter[Any]:
    return TypeAdapter(Annotated[Row, Field(discriminator="type")])


def encode_row(row: Row) -> bytes:
    """Return *row* as one JSON line, newline included."""
    unused: set[str] | dict[str, Any] | None = None
    if isinstance(row, SnapshotRow):
        unused = {"n" if row.of is not None else "of"}
    elif isinstance(row, CaptureRow):  # as rows were before there was such a thing
        unused = {name: True for name in ("read_with", "not_modified", "origin") if getattr(row, name) is None}
        if row.warc is not None:
            unused["warc"] = _list_unused(row.warc)
    elif isinstance(row, SlotRow):
        unused = {name for name in ("through", "schedule") if getattr(row, name) is None}
        unused |= {"slots"} if row.through is None and row.slots == 1 else set()
    elif isinstance(row, RunRow) and not row.certificates:
        unused = {"certificates"}
    try:
        return _adapter(row.type).dump_json(row, by_alias=True, exclude=unused) + b"\n"
    except PydanticSerializationError:  # half a surrogate pair, which a worker's answer may hold
        data = _adapter(row.type).dump_python(row, by_alias=True, exclude=unused)
        text = json.dumps(data, ensure_ascii=False, separators=(",", ":"), default=_encode_value)
        return text.encode("utf-8", "replace") + b"\n"


def _list_unused(place: WarcPlace) -> dict[str, Any]:
    """Return which members of *place* older versions knew nothing of, and hold nothing."""
    unused: dict[str, Any] = {} if place.rendered is not None else {"rendered": True}
    for name in ("request", "response", "metadata", "rendered"):
        extent = getattr(place, name)
        if extent is not None and extent.head is None:
            unused[name] = {"head"}
    return unused


def read_json_object(data: bytes) -> dict[str, Any]:
    """Return the JSON object in *data*: UTF-8 without a mark, no key twice, no NaN.

    Raises ValueError and RecursionError.
    """
    found = json.loads(data.decode("utf-8"), object_pairs_hook=_refuse_twice, parse_constant=_refuse_constant)
    if not isinstance(found, dict):
        raise ValueError("not a JSON object")  # noqa: TRY004 - a fault of the data
    return found


def decode_row(line: bytes, *, checked: bool = False) -> Row | None:
    """Return the row that *line* holds; `None` for a type that this version does not know. Raises RecordError.

    *checked*: the same line was decoded before, so it need not be proved again that it holds nothing but the row.
    """
    if len(line) > MAX_LINE_BYTES:
        raise RecordError(f"a row of {len(line)} bytes; at most {MAX_LINE_BYTES} are allowed")
    try:
        row: Row | None = _any_adapter().validate_json(line, strict=True)
    except ValidationError:
        row = None
    if row is None or not (checked or encode_row(row) == line):
        # not written by this version: there may be keys that it does not know, or what only looks like a row
        row = _decode_carefully(line)
    if isinstance(row, SnapshotRow) and (row.n is None) == (row.of is None):
        raise RecordError("row of type snapshot: found both n and of, or neither; expected one of the two")
    return row


def _decode_carefully(line: bytes) -> Row | None:
    """Do what `decode_row` does, three times as slowly, but for lines of any origin."""
    try:
        data = read_json_object(line)
        if b"\\u" in line:
            json.dumps(data, ensure_ascii=False).encode()  # half a surrogate pair is no text, though JSON can spell it
    except (ValueError, RecursionError) as error:
        raise RecordError(f"a row is not JSON: {error}") from error
    if not isinstance(data.get("type"), str):
        raise RecordError("a row is not a JSON object with a type")
    if data["type"] not in _TYPES:
        return None
    try:
        row: Row = _adapter(data["type"]).validate_json(line, strict=True)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise RecordError(f"row of type {data['type']}: {place}: {first['msg']}") from error
    return row


def _refuse_twice(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key stands twice in one object")
    return found


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


def _encode_value(value: object) -> str:
    if isinstance(value, datetime):
        return format_time(value)
    raise TypeError(f"{type(value).__name__} has no place in a row")

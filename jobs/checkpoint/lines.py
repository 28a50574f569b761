"""The lines of a layer: rows of the catalog as objects with named columns. Checks what a store hands back.

A column that is not set is left out; one that this version does not know is passed over.
"""

from __future__ import annotations

import json
from datetime import datetime
from typing import Annotated, Any, Literal, NotRequired

from pydantic import AfterValidator, ConfigDict, Field, TypeAdapter, ValidationError, with_config
from typing_extensions import TypedDict

from config.errors import DamageFound

_Number = Annotated[int, Field(ge=-(1 << 63), lt=1 << 63)]
_Real = Annotated[float, Field(allow_inf_nan=False)]


def _require_time(text: str) -> str:
    if not text.endswith("Z"):
        raise ValueError("no time with Z")
    datetime.fromisoformat(text)
    return text


def _require_kind(text: str, kind: type) -> str:
    try:
        found = json.loads(text)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    if not isinstance(found, kind):
        raise ValueError(f"no {kind.__name__} as JSON")  # noqa: TRY004 - foreign text
    return text


def _require_texts(text: str) -> str:
    _require_kind(text, dict)
    if not all(isinstance(one, str) for one in json.loads(text).values()):
        raise ValueError("no digests as JSON")
    return text


def _require_names(text: str) -> str:
    _require_kind(text, list)
    if not all(isinstance(one, str) for one in json.loads(text)):
        raise ValueError("no names as JSON")
    return text


_Time = Annotated[str, AfterValidator(_require_time)]
_Object = Annotated[str, AfterValidator(lambda text: _require_kind(text, dict))]
_List = Annotated[str, AfterValidator(lambda text: _require_kind(text, list))]
_Names = Annotated[str, AfterValidator(_require_names)]
_Texts = Annotated[str, AfterValidator(_require_texts)]
_CONFIG = ConfigDict(strict=True, extra="ignore")


@with_config(_CONFIG)
class CommitLine(TypedDict):
    """A row of `commits`."""

    type: Literal["commit"]
    seq: _Number
    digest: str
    kind: str
    committed: _Time
    run: NotRequired[str]
    segment: NotRequired[str]
    signature: str
    epoch: _Number
    releases: _Number
    derivations: _Names


@with_config(_CONFIG)
class SegmentLine(TypedDict):
    """A row of `segments`; in a thin part often no more than its id."""

    type: Literal["segment"]
    segment: str
    seq: _Number
    run: NotRequired[str]
    warc_key: NotRequired[str]
    rows_offset: NotRequired[_Number]
    rows_bytes: NotRequired[_Number]
    rows_sha256: NotRequired[str]
    opened: NotRequired[_Time]
    closed: NotRequired[_Time]
    size_bytes: NotRequired[_Number]
    replaced: NotRequired[_Number]


@with_config(_CONFIG)
class CaptureLine(TypedDict):
    """A row of `captures`; with its verdict in a thin part only."""

    type: Literal["capture"]
    url: str
    captured_at: _Time
    segment: str
    n: _Number
    run: str
    target_uri: str
    purpose: str
    status: NotRequired[_Number]
    # `class` is no name of Python's: see below
    class_reason: str
    payload_digest: NotRequired[str]
    size_bytes: _Number
    seconds: _Real
    etag: NotRequired[str]
    last_modified: NotRequired[str]
    redirect: NotRequired[str]
    error: NotRequired[str]
    extraction_error: NotRequired[str]
    response_offset: NotRequired[_Number]
    response_length: NotRequired[_Number]
    request_offset: NotRequired[_Number]
    request_length: NotRequired[_Number]
    truncated: NotRequired[str]
    revisit_segment: NotRequired[str]
    revisit_n: NotRequired[_Number]
    reading: NotRequired[_List]
    not_modified: NotRequired[_Number]
    verdict: NotRequired[str]
    revision: NotRequired[_Number]
    metadata: NotRequired[_Number]
    judged_class: NotRequired[str]
    origin: NotRequired[_Object]


_Classed = TypedDict("_Classed", {"class": str})


@with_config(_CONFIG)
class CaptureWithClass(CaptureLine, _Classed):
    """CaptureLine and the page's class."""


@with_config(_CONFIG)
class SnapshotLine(_Classed):
    """A row of `snapshots`; without lead and fields in a thin part."""

    type: Literal["snapshot"]
    segment: str
    n: _Number
    url: str
    captured_at: _Time
    derivation: str
    native: _Number
    text_digest: str
    title: NotRequired[str]
    lead: NotRequired[str]
    fields: NotRequired[_Object]
    confidence: _Real
    seq: _Number
    meta_digest: str
    own: NotRequired[_Number]


@with_config(_CONFIG)
class TextLine(TypedDict):
    """A text, once in a layer."""

    type: Literal["text"]
    digest: str
    text: str


@with_config(_CONFIG)
class DerivationLine(TypedDict):
    """What a derivation stands for, as JSON text."""

    type: Literal["derivation"]
    derivation: str
    meaning: str


@with_config(_CONFIG)
class RunLine(TypedDict):
    """A row of `runs`."""

    type: Literal["run"]
    run: str
    trigger: str
    slot: NotRequired[_Time]
    started: _Time
    finished: _Time
    reason: str
    counts: _Object
    discovery: _List
    seq: _Number
    certificates: NotRequired[_Object]


@with_config(_CONFIG)
class SlotLine(TypedDict):
    """A row of `slots`."""

    type: Literal["slot"]
    slot: _Time
    outcome: str
    through: _Time
    slots: _Number
    run: str
    reason: str
    schedule: str
    seq: _Number


@with_config(_CONFIG)
class AdoptionLine(TypedDict):
    """A row of `adoptions`: a derivation that decides, as of a commit."""

    type: Literal["adoption"]
    seq: _Number
    number: _Number
    derivation: str


@with_config(_CONFIG)
class ArticleLine(TypedDict):
    """The last commit that touched an article; in a thin part all that its row has."""

    type: Literal["article"]
    url: str
    seq: _Number
    title: NotRequired[str]
    first_seen: NotRequired[_Time]
    last_captured: NotRequired[_Time]
    last_good: NotRequired[_Time]
    state: NotRequired[str]
    captures: NotRequired[_Number]
    revisions: NotRequired[_Number]
    unread: NotRequired[_Number]


@with_config(_CONFIG)
class RevisionLine(TypedDict):
    """A row of `revisions`, in a thin part."""

    type: Literal["revision"]
    url: str
    number: _Number
    segment: str
    n: _Number
    captured_at: _Time
    captures: _Number
    texts: _Texts


_Line = Annotated[
    CommitLine
    | SegmentLine
    | CaptureWithClass
    | SnapshotLine
    | TextLine
    | DerivationLine
    | RunLine
    | SlotLine
    | AdoptionLine
    | ArticleLine
    | RevisionLine,
    Field(discriminator="type"),
]
_LINES: TypeAdapter[Any] = TypeAdapter(_Line)


def encode_line(line: dict[str, Any]) -> bytes:
    """Return *line* as JSON with its newline; what is not set is left out."""
    kept = {name: value for name, value in line.items() if value is not None}
    return json.dumps(kept, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def decode_line(data: bytes, where: str) -> dict[str, Any] | None:
    """Return the line in *data*; `None` for a type that this version does not know. Raises DamageFound."""
    try:
        found: dict[str, Any] = _LINES.validate_json(data)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        if first["type"] == "union_tag_invalid":
            return None
        place = ".".join(str(part) for part in first["loc"])
        raise DamageFound(f"{where}: {place}: {first['msg']}") from error
    return found

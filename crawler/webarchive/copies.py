"""A copy of a page in a web archive, a list of such, and the list's way through a worker's pipe."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache

from pydantic import TypeAdapter, ValidationError

from config.errors import ExtractError
from crawler.outcome import dump_json

MAX_COPIES = 100_000
"""That are taken from one answer."""
MAX_NEXT = 1_000
MAX_FIELD_CHARS = 200
_STAMP = "%Y%m%d%H%M%S"


@dataclass(frozen=True, slots=True)
class Copy:
    """What an archive says of one of its copies."""

    url: str
    """Of the page, as the archive writes it."""
    captured_at: datetime
    """Aware UTC, whole seconds."""
    status: int | None = None
    """`None`: not said, as of revisits."""
    media_type: str | None = None
    digest: str | None = None
    """Of the payload, as the archive writes it; only ever compared with others of the same archive."""
    memento: str | None = None
    """URL of the copy, where the archive says it."""


@dataclass(frozen=True, slots=True)
class CopyList:
    """One answer of an archive that was asked what it has."""

    copies: tuple[Copy, ...] = ()
    """In the archive's order."""
    resume: str | None = None
    """Key to ask for what follows with."""
    pages: tuple[str, ...] = ()
    """URLs of further lists: of a TimeMap in parts."""
    lines: int = 0
    """How many entries there were, those that could not be read among them."""
    error: str | None = None
    """What is wrong with the answer, in words; there may be copies all the same."""
    truncated: bool = False
    """Whether there was more than is taken from one answer."""


@cache
def _lists() -> TypeAdapter[CopyList]:
    """Made when it is first needed: most crawls have no use for it."""
    return TypeAdapter(CopyList)


def read_stamp(text: str) -> datetime | None:
    """Return the instant of 14 digits, as index lines and replay addresses have it; `None` for anything else."""
    if len(text) != 14 or not text.isascii() or not text.isdigit():
        return None
    try:
        return datetime.strptime(text, _STAMP).replace(tzinfo=UTC)
    except ValueError:
        return None


def write_stamp(instant: datetime) -> str:
    """Return *instant* (aware) as 14 digits in UTC."""
    utc = instant.astimezone(UTC)
    return f"{utc.year:04}{utc:%m%d%H%M%S}"


def encode_copies(found: CopyList) -> bytes:
    """Return *found* as JSON."""
    return dump_json(_lists(), found)


def decode_copies(text: bytes) -> CopyList:
    """Undo `encode_copies`; trusts nothing. Raises ExtractError if it does not hold together."""
    try:
        found = _lists().validate_json(text)
    except ValidationError as error:
        raise ExtractError(f"a worker's answer is no list of copies: {error}"[:500]) from error
    if len(found.copies) > MAX_COPIES or len(found.pages) > MAX_NEXT:
        raise ExtractError(f"a worker's answer: {len(found.copies)} copies, {len(found.pages)} lists: too many")
    if any(copy.captured_at.tzinfo is None for copy in found.copies):
        raise ExtractError("a worker's answer: a copy's time has no zone")
    return found

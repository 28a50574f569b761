"""Ends of logs, as keys, heads and manifests write them down (FORMAT.md § 4), and numbered documents that hold them.

A numbered document is two lines under a key with a number, chained: each names the digest of the one before.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from config.errors import DamageFound
from crawler.rows import Size, format_time, read_json_object
from jobs.archive.commit import FORMAT, MAX_NUMBER, SOURCE_PATTERN, digest, require_aware, require_format
from jobs.archive.signing import encode_document, parse_signatures, split_document

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from jobs.archive.signing import Signature, Signer

MAX_DOCUMENT_BYTES = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class LogEnd:
    """The last commit of a log, as it was seen."""

    seq: Size
    sha256: str
    """Of the whole object."""


@dataclass(frozen=True, slots=True)
class StoredDocument:
    """The bytes of a document and what line 2 of it says."""

    signed: bytes
    """Line 1 with its newline: what signatures are made over."""
    signatures: tuple[Signature, ...]
    digest: str
    """Of the whole object."""


class _End(BaseModel):
    model_config = ConfigDict(strict=True)

    seq: int = Field(ge=1, le=MAX_NUMBER)
    sha256: str = Field(pattern="^sha256:[0-9a-f]{64}$")


class Chained(BaseModel):
    """What all numbered documents say; fields that are not known are passed over."""

    model_config = ConfigDict(strict=True, frozen=True)

    archive: str
    n: int = Field(ge=1, le=MAX_NUMBER)
    previous: str
    created: str = Field(max_length=40)
    heads: dict[str, _End]

    @property
    def ends(self) -> dict[str, LogEnd]:
        """Return the ends that it names, by source."""
        return {source: LogEnd(one.seq, one.sha256) for source, one in self.heads.items()}


_Document = TypeVar("_Document", bound=Chained)


def encode_ends(ends: Mapping[str, LogEnd]) -> dict[str, dict[str, Any]]:
    """Return *ends* as JSON data, by source in order."""
    return {source: {"seq": end.seq, "sha256": end.sha256} for source, end in sorted(ends.items())}


def encode_chained(fields: Mapping[str, Any], now: datetime, signers: Iterable[Signer]) -> bytes:
    """Return the two lines of a numbered document of *fields*, made *now*, signed by *signers*."""
    data = {"format": FORMAT, **fields, "created": format_time(now.replace(microsecond=0))}
    return encode_document(json.dumps(data, ensure_ascii=False, separators=(",", ":")).encode(), signers)


def read_document(data: bytes, where: str, what: str, most: int = MAX_DOCUMENT_BYTES) -> StoredDocument:
    """Return line 1 and the signatures of a document. Raises DamageFound: *where* is not *what*."""
    line, signatures = split_document(data, where, what, most)
    try:
        return StoredDocument(line + b"\n", parse_signatures(signatures), digest(data))
    except ValueError as error:
        raise DamageFound(f"{where}: {error}") from error


def decode_chained(document: StoredDocument, shape: type[_Document], where: str, what: str) -> _Document:
    """Return what line 1 of *document* says. Raises DamageFound, FormatTooNew."""
    try:
        fields = read_json_object(document.signed)
        require_format(fields.get("format"), where)
        found = shape.model_validate(fields)
        if not found.created.endswith("Z"):
            raise ValueError(f"created: found {found.created!a}, expected a time with Z")
        require_aware(datetime.fromisoformat(found.created))
    except ValidationError as error:
        problem = error.errors(include_url=False)[0]
        place = ".".join(str(part)[:80] for part in problem["loc"])
        raise DamageFound(f"{where}: not {what}: {place}: {problem['msg']}") from error
    except (ValueError, RecursionError) as error:
        raise DamageFound(f"{where}: not {what}: {error}") from error
    for source in found.heads:
        if not SOURCE_PATTERN.fullmatch(source):
            raise DamageFound(f"{where}: not {what}: heads: {source[:80]!a} is no source")
    return found


def find_step_back(before: Mapping[str, LogEnd], after: Mapping[str, LogEnd]) -> str | None:
    """Return what *after* says less of than *before*, which came first; `None` if nothing: logs only grow."""
    for source, end in before.items():
        later = after.get(source)
        if later is None or later.seq < end.seq:
            return f"says that {source} ends at commit {later.seq if later else 0}, the one before it at {end.seq}"
        if later.seq == end.seq and later.sha256 != end.sha256:
            return f"says that commit {end.seq} of {source} is {later.sha256}, the one before it {end.sha256}"
    return None

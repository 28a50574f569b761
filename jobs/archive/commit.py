"""FORMAT.md § 2 and § 4 in code: keys and commits. Pure: reads and writes no store."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter, ValidationError

from config.errors import DamageFound, FormatTooNew, RecordError
from crawler.ids import split_id
from crawler.rows import format_time, read_json_object
from jobs.archive.signing import encode_document, split_document

if TYPE_CHECKING:
    from collections.abc import Iterable

    from jobs.archive.signing import Signer

FORMAT = "1.0"
FORMAT_REQUIRING = "1.1"
"""Of a commit that has a word in `requires`."""
MAJOR = 1
SUPPORTED = frozenset({"adopt", "redact", "replace"})
"""What may stand in `requires` for us to go on: FORMAT.md § 3. Format 1.0 has none."""
SEGMENT_KINDS = frozenset({"segment", "adopt", "ledger"})
"""Kinds whose files are a segment of the commit's own source."""
REPLACING_KINDS = frozenset({"redact", "replace"})
"""Kinds whose files take the place of earlier ones of the commit's own source: see jobs/archive/replacing.py."""
MAX_COMMIT_BYTES = 4 * 1024 * 1024

MAX_NUMBER = 2**63 - 1
"""What a database holds; `files` and `counts` stay below it by far."""

SOURCE_PATTERN = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?")
_COMMIT_KEY = re.compile(rf"log/({SOURCE_PATTERN.pattern})/([0-9]{{12}})")


def writer_name() -> str:
    """Return program and version as they stand in what we write."""
    return f"ofrecord/{version('ofrecord')}"


def digest(data: bytes) -> str:
    """Return the labelled SHA-256 of *data*."""
    return "sha256:" + hashlib.sha256(data).hexdigest()


def commit_key(source: str, seq: int) -> str:
    """Return the key of commit *seq*."""
    return f"log/{source}/{seq:012d}"


def parse_commit_key(key: str) -> tuple[str, int] | None:
    """Return source and number of a commit's key; `None` for any other key."""
    match = _COMMIT_KEY.fullmatch(key)
    return (match[1], int(match[2])) if match else None


def warc_key(source: str, sealed: datetime, segment: str) -> str:
    """Return the key of a segment's one object: its WARC file, whose last records hold the rows."""
    return f"segments/{source}/sealed={sealed:%Y-%m-%d}/{segment}.warc.gz"


@dataclass(frozen=True, slots=True)
class CommittedFile:
    """An object that a commit makes exist."""

    key: str
    size_bytes: int
    sha256: str
    records: int


@dataclass(frozen=True, slots=True)
class RowsPlace:
    """Where a segment's rows lie: the last `size_bytes` of one of the commit's files."""

    key: str
    offset: int
    size_bytes: int
    sha256: str
    """Of those bytes."""
    count: int
    """Of rows, first and last included."""


@dataclass(frozen=True, slots=True)
class CommitLink:
    """What a later commit repeats of an earlier one, so that its facts can be had without reading it."""

    seq: int
    sha256: str
    rows: RowsPlace | None


@dataclass(frozen=True, slots=True)
class Commit:
    """One entry of a source's log; fields as FORMAT.md § 4 has them. `seq` 0 and empty `previous`: not yet chained."""

    source: str
    kind: str
    committed: datetime
    archive: str
    id: str = ""
    """32 hex digits, once a draft: tells a writer its own earlier try."""
    seq: int = 0
    previous: str = ""
    format: str = FORMAT
    requires: tuple[str, ...] = ()
    clock_skew_seconds: float | None = None
    epoch: int = 0
    writer: str = ""
    run: str | None = None
    segment: str | None = None
    files: tuple[CommittedFile, ...] = ()
    rows: RowsPlace | None = None
    releases: bool = False
    """Whether the holder of lease `epoch` gives it up with this commit."""
    counts: dict[str, int] = field(default_factory=dict)
    opened: datetime | None = None
    closed: datetime | None = None
    replaces: tuple[Any, ...] = ()
    checkpoint: dict[str, Any] | None = None
    since: tuple[CommitLink, ...] = ()
    """The commits after `checkpoint`, this one left out, in order; or none."""
    pack: dict[str, Any] | None = None
    derivations: dict[str, Any] = field(default_factory=dict)
    detail: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class StoredCommit:
    """A commit as it lies in the store."""

    commit: Commit
    digest: str
    """Of the whole object: the next commit carries it."""
    signature: str


_COMMITS: TypeAdapter[Commit] = TypeAdapter(Commit)


def encode_commit(commit: Commit, *signers: Signer | None) -> bytes:
    """Return the two lines of *commit*, signed by *signers* as far as there are any."""
    data = {name: getattr(commit, name) for name in Commit.__slots__}
    if commit.requires and commit.format == FORMAT:
        data["format"] = FORMAT_REQUIRING
    line = json.dumps(data, ensure_ascii=False, separators=(",", ":"), default=_encode_value)
    return encode_document(line.encode(), [one for one in signers if one])


def decode_commit(data: bytes, key: str) -> StoredCommit:
    """Read a commit object. Raises DamageFound (what is wrong, under which key) and FormatTooNew."""
    first, signature = split_document(data, key, "a commit", MAX_COMMIT_BYTES)
    try:
        fields = read_json_object(first)
    except (ValueError, RecursionError) as error:
        raise DamageFound(f"{key}: not a commit: line 1 is no JSON object ({error})") from error
    require_format(fields.get("format"), key)
    _require_whole_characters(fields, key)
    for name in ("committed", "opened", "closed"):
        if isinstance(fields.get(name), str) and not fields[name].endswith("Z"):
            raise DamageFound(f"{key}: not a commit: {name}: found {fields[name][:60]!a}, expected a time with Z")
    try:
        commit = _COMMITS.validate_json(
            json.dumps({k: fields[k] for k in Commit.__slots__ if k in fields}), strict=True
        )
    except ValidationError as error:
        first_error = error.errors()[0]
        place = ".".join(str(part) for part in first_error["loc"])
        raise DamageFound(f"{key}: not a commit: {place}: {first_error['msg']}") from error
    _require_sane(commit, key)
    return StoredCommit(commit, digest(data), signature)


def require_format(found: object, where: str) -> None:
    """Raise FormatTooNew if the major version *found* is not one that we read."""
    if not isinstance(found, str) or not re.fullmatch(r"\d{1,6}\.\d{1,6}", found):
        raise DamageFound(f"{where}: found format {found!r}, expected {FORMAT!r}")
    if int(found.partition(".")[0]) > MAJOR:
        raise FormatTooNew(f"{where}: found format {found}, expected {MAJOR}.x: install a newer ofrecord")
    if int(found.partition(".")[0]) < MAJOR:
        raise DamageFound(f"{where}: found format {found}, expected {MAJOR}.x")


def require_supported(requires: Iterable[str], where: str) -> None:
    """Raise FormatTooNew if *requires* names something that we do not know: going on would give wrong answers."""
    unknown = sorted(set(requires) - SUPPORTED)
    if unknown:
        raise FormatTooNew(f"{where}: a reader must know {', '.join(unknown)[:200]}: install a newer ofrecord")


def is_same_draft(stored: Commit, draft: Commit) -> bool:
    """Whether *stored* is an earlier try of *draft*."""
    return (bool(draft.id) and stored.id == draft.id) or (draft.segment is not None and stored.segment == draft.segment)


def owns_segment(source: str, segment: str) -> bool:
    """Whether the id *segment* is one that *source* may give: FORMAT.md § 2."""
    try:
        return split_id(segment)[0] == source
    except RecordError:
        return False


def _require_whole_characters(fields: dict[str, Any], key: str) -> None:
    """Raise DamageFound where JSON's escapes make half a character: no database and no file would take it."""
    try:
        json.dumps(fields, ensure_ascii=False).encode()
    except (UnicodeEncodeError, RecursionError) as error:
        raise DamageFound(f"{key}: not a commit: {error}") from error


def _require_sane(commit: Commit, key: str) -> None:
    """Raise DamageFound at times that are none in UTC and at numbers that no writer counts up to."""
    for name in ("committed", "opened", "closed"):
        time = getattr(commit, name)
        try:
            if time is not None:
                require_aware(time).astimezone(UTC)
        except (ValueError, OverflowError) as error:
            raise DamageFound(f"{key}: not a commit: {name}: {error}; expected a time with Z") from error
    sizes = [number for file in commit.files for number in (file.size_bytes, file.records)]
    for place in (commit.rows, *(link.rows for link in commit.since)):
        sizes += [place.offset, place.size_bytes, place.count] if place is not None else []
    own = f"segments/{commit.source}/"
    bringing = SEGMENT_KINDS | REPLACING_KINDS
    if commit.kind in bringing and not all(file.key.startswith(own) for file in commit.files):
        raise DamageFound(f"{key}: not a commit: names files that are not below {own}")
    if any(link.rows is not None and not link.rows.key.startswith(own) for link in commit.since):
        raise DamageFound(f"{key}: not a commit: repeats rows that are not below {own}")
    if commit.rows is not None and not any(_lies_in(commit.rows, file) for file in commit.files):
        raise DamageFound(f"{key}: not a commit: its rows do not end a file that it names")
    if commit.segment is not None and not owns_segment(commit.source, commit.segment):
        raise DamageFound(f"{key}: not a commit: segment {commit.segment[:100]!a} is none of source {commit.source}")
    for number in (commit.seq, commit.epoch, *sizes, *commit.counts.values()):
        if not 0 <= number <= MAX_NUMBER:
            raise DamageFound(f"{key}: not a commit: found the number {str(number)[:40]}, expected 0 to {MAX_NUMBER}")


def _lies_in(rows: RowsPlace, file: CommittedFile) -> bool:
    return rows.key == file.key and rows.offset + rows.size_bytes == file.size_bytes


def require_aware(value: datetime) -> datetime:
    """Return *value*. Raises ValueError if it has no zone."""
    if value.tzinfo is None:
        raise ValueError(f"{value.isoformat()} is no time with Z")
    return value


def _encode_value(value: object) -> object:
    if isinstance(value, datetime):
        return format_time(value)
    if isinstance(value, CommittedFile | RowsPlace | CommitLink):
        return {name: getattr(value, name) for name in value.__slots__}
    raise TypeError(f"{type(value).__name__} has no place in a commit")

"""FORMAT.md in code: object keys, `ofrecord.json`, commits, and a source's log with its hash chain.

Reads and writes small objects of an ObjectStore; never touches segments, rows or local state.
"""

from __future__ import annotations

import hashlib
import json
import re
import secrets
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter, ValidationError

from config.errors import ArchiveMissing, DamageFound, FormatTooNew, ObjectExists, ObjectMissing, RecordError
from crawler.ids import split_id
from crawler.rows import format_time, read_json_object

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from jobs.store import ObjectStore

FORMAT = "1.0"
MAJOR = 1
SUPPORTED: frozenset[str] = frozenset()
"""What may stand in `requires` for us to go on: FORMAT.md § 3. Format 1.0 has none."""
SEGMENT_KINDS = frozenset({"segment", "adopt", "ledger"})
"""Kinds whose files are a segment of the commit's own source."""
INFO_KEY = "ofrecord.json"
MAX_COMMIT_BYTES = 4 * 1024 * 1024
UNSIGNED = b"-\n"

MAX_INFO_BYTES = 64 * 1024
MAX_NUMBER = 2**63 - 1
"""What a database holds; `files` and `counts` stay below it by far."""

_SOURCE = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?")
_COMMIT_KEY = re.compile(rf"log/({_SOURCE.pattern})/([0-9]{{12}})")


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
    """Return the key of a segment's WARC file."""
    return f"segments/{source}/sealed={sealed:%Y-%m-%d}/{segment}.warc.gz"


def rows_key(source: str, sealed: datetime, segment: str) -> str:
    """Return the key of a segment's rows file."""
    return f"segments/{source}/sealed={sealed:%Y-%m-%d}/{segment}.rows.jsonl.zst"


@dataclass(frozen=True, slots=True)
class ArchiveInfo:
    """What `ofrecord.json` says."""

    archive: str
    created: datetime
    single_writer: bool
    format: str
    requires: tuple[str, ...]
    digest: str
    """Of the object's bytes: commit 1 of each source chains to it."""


@dataclass(frozen=True, slots=True)
class CommittedFile:
    """An object that a commit makes exist."""

    key: str
    size_bytes: int
    sha256: str
    records: int


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
    counts: dict[str, int] = field(default_factory=dict)
    opened: datetime | None = None
    closed: datetime | None = None
    replaces: tuple[Any, ...] = ()
    checkpoint: dict[str, Any] | None = None
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


def encode_commit(commit: Commit, signature: bytes = UNSIGNED) -> bytes:
    """Return the two lines of *commit*."""
    data = {name: getattr(commit, name) for name in Commit.__slots__}
    line = json.dumps(data, ensure_ascii=False, separators=(",", ":"), default=_encode_value)
    return line.encode() + b"\n" + signature


def decode_commit(data: bytes, key: str) -> StoredCommit:
    """Read a commit object. Raises DamageFound (what is wrong, under which key) and FormatTooNew."""
    first, newline, rest = data.partition(b"\n")
    if not newline or not rest.endswith(b"\n") or rest.count(b"\n") != 1 or len(data) > MAX_COMMIT_BYTES:
        raise DamageFound(f"{key}: not a commit: found {len(data)} bytes that are not two lines")
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
    return StoredCommit(commit, digest(data), rest.decode("utf-8", "replace").rstrip("\n"))


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


def create_archive(store: ObjectStore, *, single_writer: bool, now: datetime) -> ArchiveInfo:
    """Put `ofrecord.json`, or return the one that is there: safe to run twice. Raises StoreError."""
    content = {
        "archive": secrets.token_hex(16),
        "format": FORMAT,
        "created": format_time(now.replace(microsecond=0)),
        "single_writer": single_writer,
        "requires": [],
        "writer": writer_name(),
    }
    data = json.dumps(content).encode() + b"\n"
    try:
        store.create(INFO_KEY, data, sha256=digest(data))
    except ObjectExists:
        return read_info(store)
    return read_info(store)


def read_info(store: ObjectStore) -> ArchiveInfo:
    """Read `ofrecord.json`. Raises ArchiveMissing, FormatTooNew, DamageFound, StoreError."""
    try:
        data = store.get(INFO_KEY, length=MAX_INFO_BYTES + 1)
    except ObjectMissing as error:
        raise ArchiveMissing(f"{store.url}: no archive here ({INFO_KEY} not found); make one: ofrecord init") from error
    try:
        if len(data) > MAX_INFO_BYTES:
            raise ValueError(f"more than {MAX_INFO_BYTES} bytes")
        content = read_json_object(data)
        require_format(content.get("format"), f"{store.url}/{INFO_KEY}")
        requires = tuple(str(name) for name in content.get("requires", ()))
        require_supported(requires, f"{store.url}/{INFO_KEY}")
        return ArchiveInfo(
            archive=_require_hex(content["archive"]),
            created=_require_aware(datetime.fromisoformat(content["created"])),
            single_writer=content["single_writer"] is True,
            format=content["format"],
            requires=requires,
            digest=digest(data),
        )
    except (ValueError, KeyError, AttributeError, TypeError, RecursionError) as error:
        raise DamageFound(f"{store.url}/{INFO_KEY}: not what it should be: {error!r}") from error


class Log:
    """The log of one source: reads commits in order, checks the chain, appends at the end."""

    def __init__(self, store: ObjectStore, info: ArchiveInfo, source: str) -> None:
        self._store = store
        self._info = info
        self.source = source

    def read(self, *, after: int = 0, head: str = "") -> Iterator[StoredCommit]:
        """Yield the commits after number *after*, whose object has digest *head*, checking each against the one before.

        Raises DamageFound at a gap, a break in the chain or a commit that is not one.
        """
        previous = head if after else self._info.digest
        expected = after + 1
        while True:
            listed = False
            for item in self._store.list(f"log/{self.source}/", after=commit_key(self.source, expected - 1)):
                parsed = parse_commit_key(item.key)
                if parsed is None:
                    continue
                if parsed[1] != expected:
                    raise DamageFound(f"{commit_key(self.source, expected)}: missing, but {item.key} is there")
                stored = self._get(expected, previous)
                yield stored
                previous, expected, listed = stored.digest, expected + 1, True
            if not listed:
                return

    def append(self, draft: Commit, *, after: int, head: str) -> tuple[StoredCommit, list[StoredCommit]]:
        """Chain *draft* to the end of the log and put it; *after* and *head* say where the end was last seen.

        Returns the commit as stored, and all commits that others put in between. If one of those has the draft's id or
        its segment, it is our own earlier try: it is returned, and nothing is put.
        """
        others: list[StoredCommit] = []
        previous = head if after else self._info.digest
        while True:
            commit = replace(draft, seq=after + 1, previous=previous)
            data = encode_commit(commit)
            key = commit_key(self.source, commit.seq)
            try:
                self._store.create(key, data, sha256=digest(data))
            except ObjectExists:
                winner = self._get(commit.seq, previous)
                if is_same_draft(winner.commit, draft):
                    return winner, others
                others.append(winner)
                after, previous = commit.seq, winner.digest
                continue
            return decode_commit(data, key), others

    def _get(self, seq: int, previous: str) -> StoredCommit:
        key = commit_key(self.source, seq)
        stored = decode_commit(self._store.get(key, length=MAX_COMMIT_BYTES + 1), key)
        commit = stored.commit
        if (commit.seq, commit.source, commit.archive) != (seq, self.source, self._info.archive):
            raise DamageFound(
                f"{key}: holds commit {commit.seq} of source {commit.source!r} in archive {commit.archive}, not its own"
            )
        if commit.previous != previous:
            raise DamageFound(f"{key}: the chain breaks: names {commit.previous} before it, found {previous}")
        return stored


def is_same_draft(stored: Commit, draft: Commit) -> bool:
    """Whether *stored* is an earlier try of *draft*."""
    return (bool(draft.id) and stored.id == draft.id) or (draft.segment is not None and stored.segment == draft.segment)


def list_sources(store: ObjectStore) -> list[str]:
    """Return the ids of all sources that have a log, sorted."""
    return [name for name in store.folders("log/") if _SOURCE.fullmatch(name)]


def owns_segment(source: str, segment: str) -> bool:
    """Whether the id *segment* is one that *source* may give: FORMAT.md § 2."""
    try:
        return split_id(segment)[0] == source
    except RecordError:
        return False


def measure_skew(store: ObjectStore) -> float | None:
    """Return our clock minus the store's in seconds, or `None` if the store tells no time."""
    theirs = store.read_clock()
    return None if theirs is None else round((datetime.now(UTC) - theirs).total_seconds(), 3)


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
                _require_aware(time).astimezone(UTC)
        except (ValueError, OverflowError) as error:
            raise DamageFound(f"{key}: not a commit: {name}: {error}; expected a time with Z") from error
    sizes = [number for file in commit.files for number in (file.size_bytes, file.records)]
    own = f"segments/{commit.source}/"
    if commit.kind in SEGMENT_KINDS and not all(file.key.startswith(own) for file in commit.files):
        raise DamageFound(f"{key}: not a commit: names files that are not below {own}")
    if commit.segment is not None and not owns_segment(commit.source, commit.segment):
        raise DamageFound(f"{key}: not a commit: segment {commit.segment[:100]!a} is none of source {commit.source}")
    for number in (commit.seq, commit.epoch, *sizes, *commit.counts.values()):
        if not 0 <= number <= MAX_NUMBER:
            raise DamageFound(f"{key}: not a commit: found the number {str(number)[:40]}, expected 0 to {MAX_NUMBER}")


def _require_aware(value: datetime) -> datetime:
    if value.tzinfo is None:
        raise ValueError(f"{value.isoformat()} is no time with Z")
    return value


def _require_hex(value: object) -> str:
    if not isinstance(value, str) or not re.fullmatch(r"[0-9a-f]{32}", value):
        raise ValueError(f"archive id {value!r}")
    return value


def _encode_value(value: object) -> object:
    if isinstance(value, datetime):
        return format_time(value)
    if isinstance(value, CommittedFile):
        return {name: getattr(value, name) for name in CommittedFile.__slots__}
    raise TypeError(f"{type(value).__name__} has no place in a commit")

"""Commits whose files take the place of earlier objects (FORMAT.md § 4, *Replacement*): parsed, and found again.

Reads logs and rows, as far as it must; writes nothing.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING

from pydantic import TypeAdapter, ValidationError

from config.errors import DamageFound
from jobs.archive.commit import (
    MAX_NUMBER,
    REPLACING_KINDS,
    CommittedFile,
    RowsPlace,
    commit_key,
    digest,
    owns_segment,
    require_aware,
)
from jobs.archive.facts import fetch_rows

if TYPE_CHECKING:
    from collections.abc import Iterable

    from jobs.archive.commit import Commit, StoredCommit
    from jobs.archive.log import Log
    from jobs.store import ObjectStore

MAX_NAMED = 20_000
"""Segments, objects replaced or objects deleted of one commit: as many as 4 MiB hold."""
MAX_FILES = 64
ENDINGS = (".warc.gz", ".warc.zst")
"""Of the names of what a replacement may make exist."""
_SHA256_LENGTH = len("sha256:") + 64


@dataclass(frozen=True, slots=True)
class MovedSegment:
    """A segment that was written anew: where its rows lie from that commit on. Its records are in the same file."""

    segment: str
    rows: RowsPlace
    inflated: str | None = None
    """Digest of what the members that hold its rows inflate to, one behind the other: those of a compacted object
    cannot be read without its dictionary, of which no digest is told."""
    redacted: bool = True
    """In a `redact` commit: whether something was taken out of it; else it only shares an object with such a one."""


@dataclass(frozen=True, slots=True)
class ReplacedObject:
    """An object that readers have no more use for."""

    key: str
    sha256: str
    """As the commit before had it: as long as it is there, that is what it must be."""


@dataclass(frozen=True, slots=True)
class Replacement:
    """What a commit of kind `redact` or `replace` says."""

    source: str
    seq: int
    kind: str
    files: tuple[CommittedFile, ...]
    segments: tuple[MovedSegment, ...] = ()
    replaces: tuple[ReplacedObject, ...] = ()
    delete_after: datetime | None = None
    """When the objects replaced may be deleted; `None`: at once."""
    deleted: tuple[str, ...] = ()
    """Keys of which this commit says that they were deleted, as an earlier one had allowed."""
    reason: str = ""
    """Why, in words."""
    articles: tuple[str, ...] = ()
    """Of a redaction: which articles were taken out: see `name_article`."""

    def find_file(self, moved: MovedSegment) -> CommittedFile:
        """Return the file that holds *moved*."""
        return next(file for file in self.files if file.key == moved.rows.key)

    def list_layout(self, key: str) -> tuple[MovedSegment, ...]:
        """Return the segments that the file *key* was made of, in the order in which they lie there."""
        return tuple(sorted((one for one in self.segments if one.rows.key == key), key=lambda one: one.rows.offset))


@dataclass(frozen=True, slots=True)
class _Detail:
    segments: tuple[MovedSegment, ...] = ()
    delete_after: datetime | None = None
    deleted: tuple[str, ...] = ()
    reason: str = ""
    articles: tuple[str, ...] = ()


_DETAILS: TypeAdapter[_Detail] = TypeAdapter(_Detail)
_REPLACED: TypeAdapter[tuple[ReplacedObject, ...]] = TypeAdapter(tuple[ReplacedObject, ...])


def parse_replacement(commit: Commit) -> Replacement | None:
    """Return what *commit* says of a replacement, `None` where it is of another kind. Raises DamageFound."""
    if commit.kind not in REPLACING_KINDS:
        return None
    where = commit_key(commit.source, commit.seq)
    told = {name: commit.detail[name] for name in _Detail.__slots__ if name in commit.detail}
    try:
        detail = _DETAILS.validate_json(json.dumps(told), strict=True)
        replaces = _REPLACED.validate_json(json.dumps(commit.replaces), strict=True)
        if detail.delete_after is not None:
            require_aware(detail.delete_after)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise DamageFound(f"{where}: not a {commit.kind} commit: {place}: {first['msg']}") from error
    except (ValueError, RecursionError) as error:
        raise DamageFound(f"{where}: not a {commit.kind} commit: {error}") from error
    found = Replacement(
        commit.source,
        commit.seq,
        commit.kind,
        commit.files,
        detail.segments,
        replaces,
        detail.delete_after,
        detail.deleted,
        detail.reason,
        detail.articles,
    )
    fault = _find_fault(found, commit)
    if fault is not None:
        raise DamageFound(f"{where}: not a {commit.kind} commit: {fault}")
    return found


@dataclass(slots=True)
class ReplacementIndex:
    """What the replacements of one log come to: of each segment and each key the newest counts."""

    segments: dict[str, tuple[Replacement, MovedSegment]] = field(default_factory=dict)
    """Segment → where it lies now."""
    redacted: dict[str, Replacement] = field(default_factory=dict)
    """Segment of which something was taken out at some time → by which commit last; it may lie elsewhere since."""
    objects: dict[str, Replacement] = field(default_factory=dict)
    """Key of an object that was replaced → by which commit: it may be there, as it was, or be gone."""
    deleted: dict[str, int] = field(default_factory=dict)
    """Key → the commit that says it was deleted."""
    articles: set[str] = field(default_factory=set)
    """That were taken out, as commits name them."""

    def take(self, commit: Commit) -> Replacement | None:
        """Go on by the next commit of the log; return what it says of a replacement. Raises DamageFound."""
        found = parse_replacement(commit)
        if found is None:
            return None
        self.segments.update((moved.segment, (found, moved)) for moved in found.segments)
        if found.kind == "redact":
            self.redacted.update((moved.segment, found) for moved in found.segments if moved.redacted)
        self.objects.update((one.key, found) for one in found.replaces)
        self.deleted.update(dict.fromkeys(found.deleted, found.seq))
        self.articles.update(found.articles)
        return found


class Replacements:
    """What a log says, after one of its commits, of the segments before: read when first asked, and only then."""

    def __init__(self, log: Log, stored: StoredCommit | None = None) -> None:
        """*stored*: the commit after which to look; `None`: at the beginning."""
        self._log = log
        self._after = (stored.commit.seq, stored.digest) if stored else (0, "")
        self._index: ReplacementIndex | None = None

    def move_on(self, stored: StoredCommit) -> None:
        """Look after *stored*, unless the log was read already."""
        self._after = (stored.commit.seq, stored.digest)

    def find(self, segment: str) -> tuple[Replacement, MovedSegment] | None:
        """Return the newest replacement of *segment* and where its rows lie now. Raises DamageFound, StoreError."""
        if self._index is None:
            seq, head = self._after
            self._index = collect_replacements(self._log.read(after=seq, head=head))
        return self._index.segments.get(segment)


def name_article(source: str, url: str) -> str:
    """Return how a commit, which has no URL in it, names an article."""
    return digest(f"{source} {url}".encode())


def fetch_segment(store: ObjectStore, commit: Commit, ahead: Replacements | None) -> tuple[Commit, bytes]:
    """Return the rows of the segment that *commit* brings, and the commit with the places where these were found.

    Where its object is not there as it was committed, the newest replacement is asked of *ahead*. Raises DamageFound
    and StoreError.
    """
    if commit.rows is None:
        raise DamageFound(f"{commit_key(commit.source, commit.seq)}: brings no rows")
    try:
        return commit, fetch_rows(store, commit.rows)
    except DamageFound:
        found = ahead.find(commit.segment) if ahead is not None and commit.segment else None
        if found is None:
            raise
    by, moved = found
    return replace(commit, files=(by.find_file(moved),), rows=moved.rows), fetch_rows(store, moved.rows)


def fetch_moved(
    store: ObjectStore, found: Replacement, moved: MovedSegment, ahead: Replacements | None
) -> tuple[MovedSegment, CommittedFile, bytes]:
    """Return where *moved* of *found* lies, in which file, and its rows.

    Where that is gone again, it is the newest replacement's that *ahead* knows. Raises DamageFound and StoreError.
    """
    try:
        return moved, found.find_file(moved), fetch_rows(store, moved.rows)
    except DamageFound:
        later = ahead.find(moved.segment) if ahead is not None else None
        if later is None or later[0].seq <= found.seq:
            raise
    by, newest = later
    return newest, by.find_file(newest), fetch_rows(store, newest.rows)


def collect_replacements(commits: Iterable[StoredCommit]) -> ReplacementIndex:
    """Return what the replacements among *commits*, in the order of the log, come to. Raises DamageFound."""
    index = ReplacementIndex()
    for stored in commits:
        index.take(stored.commit)
    return index


def _find_fault(found: Replacement, commit: Commit) -> str | None:
    """Return why no reader may follow *found*; `None`: nothing is wrong."""
    own = f"segments/{commit.source}/"
    keys = [file.key for file in commit.files]
    moved = [one.segment for one in found.segments]
    most = max(len(moved), len(found.replaces), len(found.deleted), len(found.articles))
    if (keys or moved or found.replaces) and commit.kind not in commit.requires:
        return f"requires: found {', '.join(commit.requires)[:100]!a}, expected {commit.kind!r}"
    if commit.rows is not None:
        return "rows: expected null, for detail.segments says where they lie"
    if len(keys) > MAX_FILES or most > MAX_NAMED:
        return f"more than {MAX_FILES} files, or more than {MAX_NAMED} segments or objects"
    if len(set(keys)) < len(keys) or len(set(moved)) < len(moved):
        return "names a file or a segment twice"
    if not all(key.endswith(ENDINGS) for key in keys):
        return f"files: expected names that end with {' or '.join(ENDINGS)}"
    if not all(one.key.startswith(own) and _is_digest(one.sha256) for one in found.replaces):
        return f"replaces: expected keys below {own}, each with a digest"
    if set(keys) & {one.key for one in found.replaces}:
        return "replaces what it makes exist"
    faults = (_find_misplaced(one, commit) for one in found.segments)
    return next((f"segments: {fault}" for fault in faults if fault), None)


def _find_misplaced(moved: MovedSegment, commit: Commit) -> str | None:
    rows = moved.rows
    file = next((one for one in commit.files if one.key == rows.key), None)
    if not owns_segment(commit.source, moved.segment):
        return f"{moved.segment[:100]!a} is none of source {commit.source}"
    if file is None:
        return f"the rows of {moved.segment} are in {rows.key[:200]!a}, which is none of the files"
    numbers = (rows.offset, rows.size_bytes, rows.count)
    if not all(0 <= number <= MAX_NUMBER for number in numbers) or rows.offset + rows.size_bytes > file.size_bytes:
        return f"the rows of {moved.segment} do not lie within {rows.key}"
    if moved.inflated is not None and not _is_digest(moved.inflated):
        return f"the rows of {moved.segment} have no digest where they are inflated"
    return None if _is_digest(rows.sha256) else f"the rows of {moved.segment} have no digest"


def _is_digest(text: str) -> bool:
    return len(text) == _SHA256_LENGTH and text.startswith("sha256:") and not text[7:].strip("0123456789abcdef")

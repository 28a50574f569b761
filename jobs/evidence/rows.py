"""Rows, texts and WARC records in a bundle, each held against the next: commit → rows → text and record.

Holds one record at a time; whatever a stranger's gzip inflates to is bounded.
"""

from __future__ import annotations

import hashlib
import zlib
from dataclasses import dataclass, replace
from typing import IO, TYPE_CHECKING

from config.errors import DamageFound, RecordError
from crawler.rows import CaptureRow, SegmentRow, SnapshotRow, WarcPlace, decode_row
from crawler.warc import NOT_MODIFIED, digest_bytes, read_facts
from jobs.archive.ranges import COMPACTED
from jobs.archive.replacing import MovedSegment
from jobs.evidence.changes import apply_change
from jobs.evidence.manifest import MAX_TEXT_BYTES, change_path, rows_path, text_path
from jobs.evidence.parts import inflate_chunks, read_chunks, read_part

if TYPE_CHECKING:
    from jobs.evidence.chain import ChainFacts, CommitFact
    from jobs.evidence.findings import Findings
    from jobs.evidence.manifest import CaptureTold, ChangeTold, Manifest, SegmentTold
    from jobs.evidence.parts import Parts

MAX_INFLATED_BYTES = 16 * 1024**3
"""Of all rows and records together: gzip makes a thousandth of what is all alike."""


@dataclass(frozen=True, slots=True)
class CaptureFact:
    """A capture in the bundle, and what is proven of it."""

    told: CaptureTold
    """As the manifest says, once it was held against the row."""
    url: str
    page_class: str
    class_reason: str
    seq: int
    """Of the commit that proves its row."""
    brought_by: int
    """The commit that brought its segment: the same, unless that was moved by the one that proves the row."""
    compacted: bool
    """Whether its row tells places in a compacted object, and not of the gzip members here."""
    media_type: str | None
    payload_digest: str | None
    size_bytes: int
    peer: str | None
    origin: str | None
    """Where it comes from if the archive did not fetch it itself: in words."""
    error: str | None
    warc: WarcPlace | None
    """Where its records lay in the segment, with their lengths; `None`: nothing was recorded."""
    revisit_of: tuple[str, int] | None
    payload_proven: bool = False
    """Whether the bytes of the page are in the bundle, with the digest that the row has."""
    headers_proven: bool = False
    """Whether the record is the one that the row tells, HTTP headers included."""

    @property
    def has_moved(self) -> bool:
        """Whether its row is proven by another commit than the one that brought it."""
        return self.seq != self.brought_by


@dataclass(slots=True)
class Held:
    """What rows and records come to."""

    captures: dict[tuple[str, int], CaptureFact]
    unlisted: int = 0
    """Captures of the same address that the rows tell of, and that are not in the bundle."""
    others: int = 0
    """Captures of other addresses that the rows tell of."""
    whole: bool = False
    """Whether whole segments are in the bundle, each as its commit says."""

    @property
    def has_moved(self) -> bool:
        """Whether any of the captures is proven only from a later commit on than the one that brought it."""
        return any(one.has_moved for one in self.captures.values())


class Budget:
    """How much may still be inflated."""

    def __init__(self, limit: int = MAX_INFLATED_BYTES) -> None:
        self._left = limit

    def take(self, size: int, where: str) -> None:
        """Count *size* bytes. Raises DamageFound where there are too many."""
        self._left -= size
        if self._left < 0:
            raise DamageFound(f"{where}: inflates, with what is before it, to more than {MAX_INFLATED_BYTES} bytes")


def check_rows(parts: Parts, manifest: Manifest, chain: ChainFacts, findings: Findings, budget: Budget) -> Held:
    """Return the captures that committed rows tell of, with texts checked; what is wrong goes to *findings*."""
    held = Held({})
    wanted = {one.place: one for one in manifest.captures}
    texts: dict[tuple[str, int], SnapshotRow] = {}
    grouped: dict[str, dict[int, CaptureTold]] = {}
    for one in manifest.captures:
        grouped.setdefault(one.segment, {})[one.n] = one
    seen: set[str] = set()
    for segment in manifest.segments:
        path = rows_path(segment.segment)
        if segment.segment in seen:
            findings.damage(path, "is named twice")
            continue
        seen.add(segment.segment)
        try:
            place, commit = _find_place(segment, chain)
            _check_digest(parts, path, place, budget)
            with parts.open(path) as file:
                _take_rows(
                    file,
                    segment,
                    (commit.seq, place.rows.key.endswith(COMPACTED)),
                    manifest,
                    held,
                    wanted=grouped.get(segment.segment, {}),
                    texts=texts,
                    budget=budget,
                )
        except (DamageFound, RecordError) as error:
            findings.damage(path, str(error).removeprefix(f"{path}: "))
    for told in wanted.values():
        if told.place not in held.captures:
            findings.damage(rows_path(told.segment), f"no row of capture {told.n}, which the manifest names")
    _check_texts(parts, manifest, held, texts, findings)
    if len(wanted) != len(manifest.captures):
        findings.damage("evidence/manifest.json", "names a capture twice")
    return held


def _find_place(segment: SegmentTold, chain: ChainFacts) -> tuple[MovedSegment, CommitFact]:
    """Return where the rows lay and the commit that says so."""
    commit = chain.commits.get(segment.seq)
    if commit is None:
        raise DamageFound(f"its commit {segment.seq} is not in the bundle, or not sound")
    if commit.segment != segment.segment or commit.rows is None:
        raise DamageFound(f"commit {segment.seq} brings {commit.segment or 'no segment'}, not this one")
    if segment.moved_by is None:
        return MovedSegment(segment.segment, commit.rows), commit
    mover = chain.commits.get(segment.moved_by)
    place = mover.moved.get(segment.segment) if mover and mover.seq > commit.seq else None
    if mover is None or place is None:
        raise DamageFound(f"commit {segment.moved_by}, which is to have moved it, does not say so")
    return place, mover


def _check_digest(parts: Parts, path: str, place: MovedSegment, budget: Budget) -> None:
    """Raise DamageFound unless the rows are those of the commit: as they lie there or, of compacted ones, inflated."""
    compacted = place.rows.key.endswith(COMPACTED)
    stated = place.inflated if compacted else place.rows.sha256
    if stated is None:  # the digest of frames says nothing of what another dictionary makes of them
        raise DamageFound("lie in a compacted object, and the commit does not say what they inflate to")
    hashed, size = hashlib.sha256(), 0
    with parts.open(path) as file:
        try:
            for data in inflate_chunks(file) if compacted else read_chunks(file):
                budget.take(len(data) if compacted else 0, path)
                hashed.update(data)
                size += len(data)
        except zlib.error as error:
            raise DamageFound(f"not gzip members: {error}") from error
    found = f"sha256:{hashed.hexdigest()}"
    if found != stated or (not compacted and size != place.rows.size_bytes):
        raise DamageFound(f"was altered: found {size} bytes with {found}, its commit says {stated}")


def _take_rows(
    file: IO[bytes],
    segment: SegmentTold,
    proof: tuple[int, bool],
    manifest: Manifest,
    held: Held,
    *,
    wanted: dict[int, CaptureTold],
    texts: dict[tuple[str, int], SnapshotRow],
    budget: Budget,
) -> None:
    """Take the rows of a segment into *held* and *texts*. Raises DamageFound and RecordError.

    *proof*: the commit that has their digest, and whether they tell of a compacted object.
    """
    for line in read_facts(file):  # type: ignore[arg-type]  # reads are all it needs
        budget.take(len(line), segment.segment)
        row = decode_row(line)
        if isinstance(row, SegmentRow) and (row.segment, row.source) != (segment.segment, manifest.source):
            raise DamageFound(f"holds rows of {row.segment[:100]!a}")
        if isinstance(row, CaptureRow):
            told = wanted.get(row.n)
            if told is not None:
                _compare_row(told, row, manifest.url)
                held.captures[told.place] = _make_fact(told, row, segment.seq, proof)
            elif row.purpose == "article" and row.url == manifest.url:
                held.unlisted += 1
            else:
                held.others += 1
        elif isinstance(row, SnapshotRow) and row.n in wanted:
            found = digest_bytes(row.text.encode("utf-8", "surrogatepass"))
            if found != row.text_digest:
                raise DamageFound(f"the text of capture {row.n} has {found}, the row says {row.text_digest[:80]}")
            texts[segment.segment, row.n] = replace(row, text="", fields={})


def _compare_row(told: CaptureTold, row: CaptureRow, url: str) -> None:
    """Raise DamageFound where the manifest says otherwise of a capture than its row."""
    if told.why == "article" and (row.url, row.purpose) != (url, "article"):
        raise DamageFound(f"capture {row.n} is of {row.url[:200]!a} ({row.purpose[:40]!a}), not of the article")
    stated = (told.captured_at, told.target_uri, told.status)
    if stated != (row.captured_at, row.target_uri, row.status):
        raise DamageFound(f"capture {row.n}: the manifest says otherwise than its row: time, address or status")


def _make_fact(told: CaptureTold, row: CaptureRow, brought_by: int, proof: tuple[int, bool]) -> CaptureFact:
    origin = None
    if row.origin is not None:
        origin = f"{row.origin.kind} from {row.origin.where}"
    return CaptureFact(
        told=told,
        url=row.url,
        page_class=row.page_class,
        class_reason=row.class_reason,
        seq=proof[0],
        brought_by=brought_by,
        compacted=proof[1],
        media_type=row.media_type,
        payload_digest=row.payload_digest,
        size_bytes=row.size_bytes,
        peer=row.peer,
        origin=origin,
        error=row.error,
        warc=row.warc,
        revisit_of=(row.revisit_of.segment, row.revisit_of.n) if row.revisit_of else None,
    )


def _check_texts(
    parts: Parts, manifest: Manifest, held: Held, texts: dict[tuple[str, int], SnapshotRow], findings: Findings
) -> None:
    """Hold each capture's text against a row, each text's file against its digest, each diff against both texts."""
    native = {place: row.text_digest for place, row in texts.items()}
    known = {row.text_digest: row for row in texts.values()}
    for told in manifest.captures:
        fact = held.captures.get(told.place)
        if fact is None or told.text is None:
            continue
        of = fact.revisit_of if told.status == NOT_MODIFIED and told.place not in native else told.place
        if of is None or told.text != native.get(of):
            findings.damage(rows_path(told.segment), f"capture {told.n} has another text than the manifest says")
    numbers: dict[int, str] = {}
    for text in manifest.texts:
        path = text_path(text.text_digest)
        row = known.get(text.text_digest)
        if text.number in numbers:
            findings.damage("evidence/manifest.json", f"names text {text.number} twice")
        numbers[text.number] = text.text_digest
        if row is None:
            findings.damage(path, f"text {text.number}: no row in the bundle has it")
        elif (row.derivation, row.title) != (text.derivation, text.title):
            findings.damage(path, f"text {text.number}: the manifest says otherwise than its row: title or rules")
    for text_digest in sorted({*numbers.values(), *(told.text for told in manifest.captures if told.text)}):
        _check_file(parts, text_digest, findings)
    for told in manifest.captures:
        if told.number is not None and told.why == "article" and numbers.get(told.number) is None:
            findings.damage("evidence/manifest.json", f"capture {told.n} has text {told.number}, which is not there")
    for change in manifest.changes:
        numbered = numbers.get(change.before), numbers.get(change.after)
        _check_change(parts, change, numbered, findings)


def _check_file(parts: Parts, text_digest: str, findings: Findings) -> None:
    path = text_path(text_digest)
    try:
        found = digest_bytes(read_part(parts, path, MAX_TEXT_BYTES))
    except DamageFound as error:
        findings.damage(path, str(error).removeprefix(f"{path}: "))
        return
    if found != text_digest:
        findings.damage(path, f"was altered: found {found}")


def _check_change(parts: Parts, change: ChangeTold, wanted: tuple[str | None, str | None], findings: Findings) -> None:
    path = change_path(change)
    try:
        sides = apply_change(read_part(parts, path, 2 * MAX_TEXT_BYTES).decode("utf-8"), change)
    except (DamageFound, UnicodeDecodeError) as error:
        findings.damage(path, str(error).removeprefix(f"{path}: "))
        return
    if tuple(digest_bytes(one.encode()) for one in sides) != wanted:
        findings.damage(path, "does not lead from the one text to the other")

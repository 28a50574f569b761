"""An article → its evidence bundle: everything is gathered in a folder, examined as a stranger would, then zipped."""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import IO, TYPE_CHECKING

from config.errors import ConfigError, DamageFound, ObjectMissing, RecordError
from config.settings import program_version
from crawler.warc import encode_warcinfo, read_records
from jobs.evidence.choosing import choose_captures
from jobs.evidence.findings import Findings
from jobs.evidence.gathering import gather_chain, gather_rows, list_texts, locate_records, put_changes
from jobs.evidence.manifest import (
    FORMAT,
    MANIFEST,
    RECORDS,
    REPORT,
    CaptureTold,
    Manifest,
    RecordsTold,
    encode_manifest,
    segment_path,
    text_path,
)
from jobs.evidence.parts import FolderParts
from jobs.evidence.records import check_records
from jobs.evidence.report import render_report
from jobs.evidence.verifying import BundleReport, examine
from jobs.wacz import Package, Page, write_wacz

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from crawler.rows import CaptureRow
    from jobs.context import OpenArchive
    from jobs.evidence.choosing import Chosen
    from jobs.evidence.gathering import Gathered
    from jobs.wacz import WaczWriter

_CHUNK_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Bundle:
    """A bundle that was written."""

    path: Path
    size_bytes: int
    report: BundleReport


def write_bundle(
    archive: OpenArchive,
    source: str,
    url: str,
    path: Path,
    *,
    site: str,
    now: datetime,
    at: datetime | None = None,
    whole_segments: bool = False,
) -> Bundle:
    """Write the evidence bundle of an article to *path*, in place of what is there, whole or not at all.

    *url*: normalised; the catalog is up to date. *site*: the publication's name. *at*: only what tells its text at that
    time. *whole_segments*: whole WARC files, other articles' records in them too, in place of this one's records.
    Raises ConfigError if there is nothing to cite, DamageFound where the archive is damaged, StoreError, OSError.
    """
    chosen, others = choose_captures(archive.catalog, archive.catalog.list_captures(source, url), at)
    folder = path.absolute().parent
    try:
        with tempfile.TemporaryDirectory(prefix=".ofrecord-cite-", dir=folder) as name:
            staging = Path(name)
            for one in ("evidence", "archive"):
                (staging / one).mkdir()
            gathered = gather_rows(archive, chosen, staging, whole=whole_segments)
            seqs = [seq for one in gathered.segments for seq in (one.seq, one.moved_by) if seq is not None]
            runs = gather_chain(archive, source, seqs, staging)
            places = _stage_records(archive, chosen, gathered, staging, whole=whole_segments)
            texts = list_texts(chosen, gathered.texts)
            manifest = Manifest(
                format=FORMAT,
                archive=archive.info.archive,
                source=source,
                site=site,
                url=url,
                created=now.replace(microsecond=0),
                writer=f"ofrecord/{program_version()}",
                at=at,
                others=others,
                whole_segments=whole_segments,
                captures=[_tell_capture(one, gathered, places) for one in chosen],
                segments=gathered.segments,
                texts=texts,
                changes=put_changes(chosen, texts, staging),
                runs=runs,
            )
            report = _examine(staging, manifest)
            (staging / MANIFEST).write_bytes(encode_manifest(manifest))
            (staging / REPORT).write_bytes(render_report(FolderParts(staging), report).encode("utf-8"))
            size = _zip(staging, manifest, path)
    except RecordError as error:
        raise DamageFound(f"{archive.store.url}: not as it was committed: {error}; run ofrecord verify") from error
    return Bundle(path, size, report)


def _examine(staging: Path, manifest: Manifest) -> BundleReport:
    """Return what the bundle to be comes to. Raises DamageFound: none is written that would not be sound."""
    report = BundleReport(Findings(), manifest)
    parts = FolderParts(staging)
    budget = examine(parts, report)
    check_records(parts, report.chain, report.held, report.findings, budget)
    if report.findings.damages:
        raise DamageFound(
            f"the archive is damaged where this article is: {report.findings.damages[0]}; run ofrecord verify"
        )
    return report


def _stage_records(
    archive: OpenArchive, chosen: Sequence[Chosen], gathered: Gathered, staging: Path, *, whole: bool
) -> dict[tuple[str, int], RecordsTold]:
    """Put the records of *chosen* into the folder, or the whole files that they are in; return where they lie."""
    if whole and any(_locate(gathered.rows[one.capture.place], RECORDS) for one in chosen):
        return _stage_segments(archive, chosen, gathered, staging)
    places: dict[tuple[str, int], RecordsTold] = {}
    first = chosen[0].capture
    warcinfo, _ = encode_warcinfo(
        filename=RECORDS.rpartition("/")[2],
        run=first.run,
        source=first.source,
        software=f"ofrecord/{program_version()}",
        created=first.captured_at,
    )
    with (staging / RECORDS).open("xb") as file:
        file.write(warcinfo)
        for one in chosen:
            place, offset = _locate(gathered.rows[one.capture.place], RECORDS), file.tell()
            if place is None:
                continue
            kept = gathered.records.get(one.capture.place)
            if kept is None:
                _copy(archive, one.capture.warc_key, place, file)
            else:
                file.write(kept.read_bytes())
                kept.unlink()
            places[one.capture.place] = RecordsTold(path=RECORDS, offset=offset, length=file.tell() - offset)
    return places


def _stage_segments(
    archive: OpenArchive, chosen: Sequence[Chosen], gathered: Gathered, staging: Path
) -> dict[tuple[str, int], RecordsTold]:
    places: dict[tuple[str, int], RecordsTold] = {}
    for one in chosen:
        name, restored = segment_path(one.capture.segment), one.capture.segment in gathered.files
        if not restored and not one.capture.warc_key.endswith(f"/{one.capture.segment}.warc.gz"):
            raise ConfigError(
                f"{one.capture.segment}: was written anew, and cannot be had as it was: leave --whole-segments out"
            )
        place = _locate(gathered.rows[one.capture.place], name)
        if place is None:
            continue
        places[one.capture.place] = place
        if not (staging / name).exists():
            try:
                archive.store.fetch(one.capture.warc_key, staging / name)
            except ObjectMissing as error:
                raise DamageFound(
                    f"{archive.store.url}/{one.capture.warc_key}: missing: run ofrecord verify"
                ) from error
    return places


def _locate(row: CaptureRow, path: str) -> RecordsTold | None:
    """Return where the records of a capture lie in its segment, which is at *path*; `None`: it has none."""
    place = locate_records(row)
    return RecordsTold(path=path, offset=place[0], length=place[1]) if place else None


def _copy(archive: OpenArchive, key: str, place: RecordsTold, file: IO[bytes]) -> None:
    try:
        data = archive.store.get(key, offset=place.offset, length=place.length)
    except ObjectMissing as error:
        raise DamageFound(
            f"{archive.store.url}/{key}: missing, though it was committed: run ofrecord verify"
        ) from error
    if len(data) != place.length:
        raise DamageFound(
            f"{archive.store.url}/{key}: found {len(data)} bytes at {place.offset}, expected {place.length}"
        )
    file.write(data)


def _tell_capture(one: Chosen, gathered: Gathered, places: dict[tuple[str, int], RecordsTold]) -> CaptureTold:
    capture = one.capture
    row = gathered.rows[capture.place]
    text = gathered.texts.get(one.text_of or capture.place)
    return CaptureTold(
        segment=capture.segment,
        n=capture.n,
        captured_at=row.captured_at,
        target_uri=row.target_uri,
        status=row.status,
        verdict=capture.verdict,
        number=capture.revision,
        text=text.text_digest if text else None,
        records=places.get(capture.place),
        why="article" if one.is_article else "payload",
    )


def _zip(staging: Path, manifest: Manifest, path: Path) -> int:
    """Write the bundle and return its length; what was at *path* stays until it is whole."""
    titles = {one.number: one.title for one in manifest.texts}
    last = next((one for one in reversed(manifest.captures) if one.number), manifest.captures[-1])
    title = titles.get(last.number or 0) or manifest.url
    main = Page(f"{last.segment}-{last.n}", last.target_uri, last.captured_at, title)
    package = Package(
        title=title,
        created=manifest.created,
        software=manifest.writer,
        description=f"Evidence of {manifest.url}, out of the archive {manifest.archive}: see evidence/report.html.",
        main=main if last.records else None,
    )
    partial = staging / "bundle"
    with partial.open("xb") as file:
        with write_wacz(file, package, scratch=staging) as wacz:
            _add_records(wacz, staging, manifest)
            for one in manifest.captures:
                if one.records is not None and one.why == "article":
                    wacz.add_page(_make_page(one, staging, titles))
            for part in sorted((staging / "evidence").iterdir()):
                wacz.add_resource(f"evidence/{part.name}", part)
        file.flush()
        os.fsync(file.fileno())
        size = file.tell()
    partial.replace(path)
    return size


def _make_page(told: CaptureTold, staging: Path, titles: dict[int, str | None]) -> Page:
    text = (staging / text_path(told.text)).read_bytes().decode("utf-8", "replace") if told.text else None
    title = titles.get(told.number or 0) or told.target_uri
    return Page(f"{told.segment}-{told.n}", told.target_uri, told.captured_at, title, text)


def _add_records(wacz: WaczWriter, staging: Path, manifest: Manifest) -> None:
    """Put the WARC files in, and of each capture's records those into the index that a player can show."""
    files: dict[str, list[RecordsTold]] = {}
    for told in manifest.captures:
        if told.records is not None:
            files.setdefault(told.records.path, []).append(told.records)
    if not files:  # a WACZ has records
        with wacz.open_warc(RECORDS.rpartition("/")[2], (staging / RECORDS).read_bytes()):
            pass
    for path, places in sorted(files.items()):
        places.sort(key=lambda one: one.offset)
        with (staging / path).open("rb") as file:
            _add_file(wacz, file, path.rpartition("/")[2], places)


def _add_file(wacz: WaczWriter, file: IO[bytes], name: str, places: Sequence[RecordsTold]) -> None:
    with wacz.open_warc(name, file.read(min(_CHUNK_BYTES, places[0].offset))) as warc:
        for place in places:
            while warc.size_bytes < place.offset:
                warc.append(file.read(min(_CHUNK_BYTES, place.offset - warc.size_bytes)), ())
            data = file.read(place.length)
            warc.append(data, read_records(BytesIO(data)))
        while data := file.read(_CHUNK_BYTES):
            warc.append(data, ())

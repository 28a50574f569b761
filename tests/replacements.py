"""Makes commits whose files take the place of earlier ones, without the parts of ofrecord that would do so."""

from __future__ import annotations

import gzip
import io
import secrets
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from crawler.ids import new_id
from crawler.rows import CaptureRow, CdxjRow, SnapshotRow, decode_row, encode_row
from crawler.warc.facts import encode_facts, read_facts
from jobs.archive.commit import Commit, CommittedFile, RowsPlace, digest, warc_key
from jobs.archive.facts import fetch_rows
from jobs.archive.log import Log
from jobs.archive.replacing import collect_replacements
from tests.archives import NOON, SOURCE

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from crawler.rows import Row
    from jobs.archive.commit import StoredCommit
    from jobs.archive.identity import ArchiveInfo
    from jobs.store import ObjectStore

Change = Callable[["Row"], "Row | None"]
"""Of a row: as it is, another in its place, or `None`: it goes."""


def withdraw(urls: Collection[str]) -> Change:
    """Return what takes the captures of *urls* and their texts out of a segment's rows."""

    def change(row: Row) -> Row | None:
        if isinstance(row, CaptureRow) and row.url in urls:
            return CaptureRow(
                n=row.n,
                url=row.url,
                target_uri=row.target_uri,
                captured_at=row.captured_at,
                purpose=row.purpose,
                page_class="redacted",
                class_reason="asked for",
                status=row.status,
            )
        if isinstance(row, SnapshotRow) and row.url in urls:
            return None
        return None if isinstance(row, CdxjRow) and any(url in row.line for url in urls) else row

    return change


def shift(by: int) -> Change:
    """Return what moves the records that rows point at."""

    def change(row: Row) -> Row | None:
        if not isinstance(row, CaptureRow) or row.warc is None:
            return row
        places = {
            name: place and replace(place, offset=place.offset + by)
            for name in ("request", "response", "metadata", "rendered")
            for place in [getattr(row.warc, name)]
        }
        return replace(row, warc=replace(row.warc, **places))

    return change


def replace_segments(
    store: ObjectStore,
    info: ArchiveInfo,
    names: Iterable[str],
    *,
    kind: str = "redact",
    change: Change | None = None,
    source: str = SOURCE,
    detail: dict[str, Any] | None = None,
) -> StoredCommit:
    """Write segments anew, each into a file of its own and with its rows changed, and commit that.

    A `replace` commit puts a member before their records, so that all offsets change.
    """
    source_log = Log(store, info, source)
    commits = list(source_log.read())
    places = _find_places(commits)
    before = gzip.compress(b"WARC/1.1\r\n\r\n") if kind == "replace" else b""
    change = change or shift(len(before))
    files, moved, replaced = [], [], {}
    for name in names:
        file, rows = places[name]
        lines = []
        for line in read_facts(io.BytesIO(fetch_rows(store, rows))):
            row = decode_row(line)
            new = row and change(row)
            if new is not None or row is None:
                lines.append(line if new is row or new is None else encode_row(new))
        members = b"".join(encode_facts(lines, segment=name, date=NOON))
        records = before + store.get(rows.key, length=rows.offset)
        key = warc_key(source, NOON, new_id(source, NOON + timedelta(days=len(commits))))
        data = records + members
        store.create(key, data, sha256=digest(data))
        files.append(CommittedFile(key, len(data), digest(data), file.records))
        place = RowsPlace(key, len(records), len(members), digest(members), len(lines))
        moved.append({"segment": name, "rows": {one: getattr(place, one) for one in RowsPlace.__slots__}})
        replaced[file.key] = file.sha256
    draft = Commit(
        source,
        kind,
        NOON,
        info.archive,
        id=secrets.token_hex(16),
        requires=(kind,),
        segment=files[0].key.rpartition("/")[2].partition(".")[0],
        files=tuple(files),
        replaces=tuple({"key": key, "sha256": sha256} for key, sha256 in sorted(replaced.items())),
        detail={"segments": moved, **(detail or {})},
    )
    return source_log.append(draft, after=commits[-1].commit.seq, head=commits[-1].digest)[0]


def list_segments(commits: Iterable[StoredCommit]) -> list[str]:
    """Return the segments that *commits* brought, in their order."""
    return [one.commit.segment for one in commits if one.commit.segment and one.commit.rows]


def drop_replaced(store: ObjectStore, info: ArchiveInfo, source: str = SOURCE) -> list[str]:
    """Delete all objects that replacements let go; return their keys."""
    found = collect_replacements(Log(store, info, source).read())
    for key in found.objects:
        store.delete(key)
    return sorted(found.objects)


def _find_places(commits: list[StoredCommit]) -> dict[str, tuple[CommittedFile, RowsPlace]]:
    places = {
        one.commit.segment: (one.commit.files[0], one.commit.rows)
        for one in commits
        if one.commit.segment and one.commit.rows
    }
    for name, (found, moved) in collect_replacements(commits).segments.items():
        places[name] = (found.find_file(moved), moved.rows)
    return places

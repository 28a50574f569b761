"""What an archive holds, whatever objects it lies in: for tests that move segments and must find all of it again."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from jobs.archive.places import find_places
from jobs.archive.ranges import fetch_range
from jobs.compaction.packing import weigh_segment
from jobs.compaction.proving import lay_out
from jobs.segments.pages import CapturePlaces, read_capture
from tests.archives import SOURCE

if TYPE_CHECKING:
    from jobs.compaction.packing import Evidence
    from jobs.context import OpenArchive

_TABLES = ("articles", "captures", "revisions", "snapshots", "texts", "segments", "runs")
_PLACED = ("captures", "segments")
_PLACES = frozenset(
    {"response_offset", "response_length", "request_offset", "request_length", "warc_key", "rows_offset"}
    | {"rows_bytes", "rows_sha256", "size_bytes", "replaced"}
)


def list_facts(archive: OpenArchive) -> dict[str, list[str]]:
    """Return all that is folded, but for where records lie and what moved them."""
    found = {}
    for table in _TABLES:
        rows = archive.catalog._db.execute(f"SELECT * FROM {table}").fetchall()
        left = _PLACES if table in _PLACED else frozenset()
        found[table] = sorted(repr([(name, row[name]) for name in row.keys() if name not in left]) for row in rows)  # noqa: SIM118
    return found


def read_pages(archive: OpenArchive) -> list[tuple[str, bytes, bytes]]:
    """Return every answer that the archive holds, by whatever object."""
    found = []
    for row in archive.catalog._db.execute("SELECT DISTINCT url FROM captures ORDER BY url").fetchall():
        for capture in archive.catalog.list_captures(SOURCE, row["url"]):
            places = CapturePlaces.of(capture)
            if places is not None:
                exchange = read_capture(lambda one: fetch_range(archive.store, one.key, one.offset, one.length), places)
                found.append((exchange.url, exchange.response_head, exchange.body))
    return found


def weigh_segments(archive: OpenArchive) -> dict[str, Evidence]:
    """Return segment → the digests of its records and of its rows, read out of the objects in which they lie now."""
    found = {}
    with tempfile.TemporaryDirectory() as name:
        for number, placed in enumerate(find_places(archive.log(SOURCE).read()).objects.values()):
            path = Path(name) / str(number)
            archive.store.fetch(placed.file.key, path)
            own = {one.segment for one in placed.segments}
            for laid in lay_out(path, placed.layout or placed.segments):
                if laid.segment in own:
                    found[laid.segment] = weigh_segment(laid)
    return found


def list_keys(archive: OpenArchive) -> list[str]:
    """Return the keys of all objects that hold segments, or held them."""
    return [one.key for one in archive.store.list("segments/")]

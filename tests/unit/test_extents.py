"""The records of a capture whose neighbours were taken out: its own, that of the connection too, and no tombstone."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from config.errors import ObjectMissing
from config.settings import Settings
from jobs.archive.identity import read_info
from jobs.catalog import Catalog
from jobs.compaction.running import Compaction
from jobs.context import OpenArchive
from jobs.export.records import Places, RecordsPlace, read_places
from jobs.redaction.redacting import RedactRequest, redact_articles
from jobs.segments import extents
from jobs.segments.extents import find_end
from jobs.verify import verify_archive
from tests.archives import NOON, SOURCE
from tests.faults import damage
from tests.real_archives import Growing, make_exchange

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

Records = dict[tuple[str, int], list[tuple[str, bytes]]]


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[OpenArchive]:
    """Pages of a secured site; between them some that got no answer."""
    growing = Growing(tmp_path / "spool")
    exchanges = [
        make_exchange(f"https://gazette.example/2026/{n}", NOON + timedelta(seconds=n), make_page(n)) for n in range(4)
    ]
    exchanges.insert(2, make_exchange("https://gazette.example/no", NOON + timedelta(seconds=1.5), b"", status=None))
    growing.add_segment(exchanges)
    growing.add_segment([replace(one, started_at=one.started_at + timedelta(hours=1)) for one in exchanges[::-1]])
    with Catalog.open(tmp_path / "catalog.sqlite") as catalog:
        archive = OpenArchive(growing.store, read_info(growing.store), Settings(), tmp_path / "state", catalog)
        archive.refresh(SOURCE)
        yield archive


def make_page(number: int) -> bytes:
    words = " ".join(f"{random.Random(number).getrandbits(16_000):x}"[at : at + 8] for at in range(0, 4_000, 8))
    return f"<html><title>Page {number}</title><article><h1>Page {number}</h1><p>{words}</p></article></html>".encode()


def read_all(archive: OpenArchive) -> Records:
    """Return the type and the block of each record that belongs to a capture, as an export finds them."""
    found: Records = {}
    for row in archive.catalog._db.execute("SELECT segment, n FROM captures").fetchall():
        stored = archive.catalog.find_exchange(row["segment"], row["n"])
        assert stored is not None
        place = RecordsPlace.of(stored, archive.store)
        if place is None:
            continue
        with Places() as places:
            places.add(place)
            ((_, read),) = read_places(archive.store, places)
        assert isinstance(read, tuple), read
        found[row["segment"], row["n"]] = [(one.type, one.block) for one in read[1]]
    return found


def redact(archive: OpenArchive, *urls: str) -> None:
    redact_articles(archive, RedactRequest(SOURCE, frozenset(urls), "a court's order", timedelta(0)))


def list_urls(archive: OpenArchive) -> list[str]:
    query = "SELECT url FROM captures WHERE response_offset IS NOT NULL GROUP BY url ORDER BY MIN(captured_at)"
    return [row["url"] for row in archive.catalog._db.execute(query)]


@pytest.mark.parametrize("which", [(0,), (1,), (2, 3), (0, 2), (1, 3)])
@pytest.mark.parametrize("compacted", [False, True], ids=["as-it-grew", "compacted"])
def test_they_are_as_they_were(which: tuple[int, ...], compacted: bool, archive: OpenArchive) -> None:
    before = read_all(archive)
    assert {len(one) for one in before.values()} == {3}
    if compacted:
        Compaction(archive, SOURCE, grace=timedelta(0)).compact(datetime.now(UTC))
    assert read_all(archive) == before
    urls = list_urls(archive)
    redact(archive, *(urls[number] for number in which))
    after = read_all(archive)
    assert len(after) == len(before) - 2 * len(which)
    assert after == {place: before[place] for place in after}
    Compaction(archive, SOURCE, grace=timedelta(0)).compact(datetime.now(UTC))
    assert read_all(archive) == after
    assert damage(verify_archive(archive.store, full=True)) == []


def test_nothing_is_asked_where_no_neighbour_was_taken_out(archive: OpenArchive) -> None:
    rows = archive.catalog._db.execute("SELECT segment, n FROM captures").fetchall()
    found = [archive.catalog.find_exchange(row["segment"], row["n"]) for row in rows]
    assert [one.sure_end for one in found if one is not None] == [None] * len(rows)


def test_a_long_tombstone_is_not_read_whole(archive: OpenArchive, monkeypatch: pytest.MonkeyPatch) -> None:
    before = read_all(archive)
    redact(archive, list_urls(archive)[1])
    monkeypatch.setattr(extents, "MAX_BESIDE_BYTES", 600)
    after = read_all(archive)
    assert after == {place: before[place] for place in after}


def test_what_cannot_be_read_is_none_of_its_records(archive: OpenArchive) -> None:
    key = next(iter(archive.store.list("segments/"))).key
    assert find_end(archive.store, key, 11, 500) == 11
    with pytest.raises(ObjectMissing):
        find_end(archive.store, "segments/gazette/nothing.warc.gz", 11, 500)

"""Segments packed into one `.warc.zst` and unpacked again: each record and row equal, each pointer followed."""

from __future__ import annotations

import json
import shutil
import subprocess
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from fastwarc.warc import ArchiveIterator
from warcio.archiveiterator import ArchiveIterator as WarcioIterator
from warcio.exceptions import ArchiveLoadFailed

from config.errors import DamageFound, RecordError
from crawler.rows import CaptureRow, CdxjRow, decode_row
from crawler.warc import MemberFile
from crawler.warc.reader import parse_record
from jobs.compaction.packing import (
    LocalSegment,
    PackedObject,
    list_lines,
    list_records,
    pack_segments,
    unpack_segment,
    weigh_segment,
)
from jobs.compaction.proving import lay_out, require_equal
from jobs.compaction.rows import RecordPlaces, move_row, strip_row
from jobs.segments.seal import seal_segment
from tests.archives import NOON, PAGES, SOURCE, write_segment

if TYPE_CHECKING:
    from pathlib import Path

KEY = f"segments/{SOURCE}/sealed=2026-11-22/{SOURCE}-20261122T120000Z-00000000000000aa.warc.zst"


def write_segments(folder: Path, count: int = 12) -> list[LocalSegment]:
    found = []
    for number in range(count):
        now = NOON + timedelta(hours=number)
        pages = [replace(page, words=f"{page.words} {number} " + "as before, " * 200) for page in PAGES]
        closed = write_segment(folder, pages, archive="0" * 32, now=now)
        sealed = seal_segment(closed, now=now)
        assert sealed.draft.rows is not None
        found.append(LocalSegment(sealed.path.name, sealed.local_file(sealed.draft.files[0]), 0, sealed.draft.rows))
    return found


@pytest.fixture(scope="module")
def segments(tmp_path_factory: pytest.TempPathFactory) -> list[LocalSegment]:
    return write_segments(tmp_path_factory.mktemp("spool"))


@pytest.fixture(scope="module")
def packed(segments: list[LocalSegment], tmp_path_factory: pytest.TempPathFactory) -> PackedObject:
    return pack_segments(segments, tmp_path_factory.mktemp("packed") / "a", key=KEY, source=SOURCE, now=NOON)


def list_parsed(one: LocalSegment) -> list[tuple[object, ...]]:
    return [(view.headers, view.block) for _, _, data in list_records(one) for view in [parse_record(data, "here")]]


def list_ids_by_warcio(path: Path) -> list[str | None]:
    """Return the ids that warcio finds. It takes bytes that happen to hold four spaces in a line for an ARC record."""
    found: list[str | None] = []
    with path.open("rb") as file, suppress(ArchiveLoadFailed):
        found.extend(record.rec_headers.get_header("WARC-Record-ID") for record in WarcioIterator(file))
    return found


def test_segments_come_back_equal(segments: list[LocalSegment], packed: PackedObject) -> None:
    require_equal(packed, packed.path)
    laid = list(lay_out(packed.path, packed.segments))
    assert [one.segment for one in laid] == [one.segment for one in segments]
    for before, after in zip(segments, laid, strict=True):
        assert list_parsed(before) == list_parsed(after)
        assert weigh_segment(before) == weigh_segment(after) == packed.evidence[before.segment]
    assert packed.file.size_bytes == packed.path.stat().st_size < sum(one.path.stat().st_size for one in segments)


def test_rows_point_into_the_packed_file(packed: PackedObject) -> None:
    with packed.path.open("rb") as file:
        members = MemberFile(file, "packed")
        pointed = 0
        for one in lay_out(packed.path, packed.segments):
            for line in list_lines(one):
                row = decode_row(line)
                if isinstance(row, CaptureRow) and row.warc and row.warc.response:
                    offset, length, data = members.read(row.warc.response.offset)
                    view = parse_record(data, "here")
                    assert (offset, length) == (row.warc.response.offset, row.warc.response.length)
                    assert view.header("WARC-Target-URI") == row.target_uri
                    assert one.start < offset < one.rows.offset
                    pointed += 1
                elif isinstance(row, CdxjRow):
                    told = json.loads(row.line.split(" ", 2)[2])
                    assert told["filename"] == KEY.rpartition("/")[2]
                    assert members.read(int(told["offset"]))[1] == int(told["length"])
    assert pointed == 12 * len(PAGES)


def test_a_segment_comes_out_again_as_gzip_members(
    segments: list[LocalSegment], packed: PackedObject, tmp_path: Path
) -> None:
    for number, one in enumerate(lay_out(packed.path, packed.segments)):
        key = f"segments/{SOURCE}/sealed=2026-11-22/{one.segment[:-2]}ff.warc.gz"
        restored = unpack_segment(one, tmp_path / str(number), key=key)
        require_equal(restored, restored.path)
        (again,) = lay_out(restored.path, restored.segments)
        assert list_parsed(again) == list_parsed(segments[number])
        lines, first = list(list_lines(again)), list(list_lines(segments[number]))
        assert [line for line in lines if b"cdxj" not in line] == [line for line in first if b"cdxj" not in line]


def test_a_segment_comes_out_as_the_very_file_that_it_was(
    segments: list[LocalSegment], packed: PackedObject, tmp_path: Path
) -> None:
    for before, one in zip(segments, lay_out(packed.path, packed.segments), strict=True):
        target = tmp_path / one.segment
        made = unpack_segment(one, target, key=before.rows.key)
        assert target.read_bytes() == before.path.read_bytes()
        assert made.segments[0].rows == before.rows


def test_what_is_not_equal_is_found(segments: list[LocalSegment], packed: PackedObject, tmp_path: Path) -> None:
    data = packed.path.read_bytes()
    copy = tmp_path / "copy"
    copy.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    with pytest.raises(DamageFound, match=r"found \d+ bytes with sha256"):
        require_equal(packed, copy)
    first, second = (packed.evidence[one.segment] for one in segments[:2])
    swapped = {**packed.evidence, segments[0].segment: second, segments[1].segment: first}
    with pytest.raises(DamageFound, match="expected Evidence"):
        require_equal(replace(packed, evidence=swapped), packed.path)
    moved = replace(packed.segments[3], rows=replace(packed.segments[3].rows, sha256="sha256:" + "0" * 64))
    wrong = (*packed.segments[:3], moved, *packed.segments[4:])
    with pytest.raises(DamageFound, match="the rows of"):
        require_equal(replace(packed, segments=wrong), packed.path)
    told = replace(packed.segments[0], inflated=packed.segments[1].inflated)
    with pytest.raises(DamageFound, match=r"inflate to sha256:\w+, sha256:\w+ went in"):
        require_equal(replace(packed, segments=(told, *packed.segments[1:])), packed.path)
    with pytest.raises(DamageFound, match="its segments end at byte"):
        require_equal(replace(packed, segments=packed.segments[:-1]), packed.path)


def test_a_damaged_segment_is_not_packed(segments: list[LocalSegment], tmp_path: Path) -> None:
    data = bytearray(segments[0].path.read_bytes())
    data[len(data) // 3] ^= 0xFF
    (tmp_path / "damaged").write_bytes(data)
    damaged = replace(segments[0], path=tmp_path / "damaged")
    with pytest.raises(RecordError):
        pack_segments([damaged], tmp_path / "packed", key=KEY, source=SOURCE, now=NOON)
    short = replace(segments[0], rows=replace(segments[0].rows, offset=segments[0].rows.offset - 1))
    with pytest.raises(RecordError):
        list(list_records(short))


def test_two_rows_that_point_at_one_another_records_are_told_apart() -> None:
    before, after = RecordPlaces(), RecordPlaces()
    for offset, length in ((0, 10), (10, 20), (30, 5)):
        before.add(offset, length)
    for offset, length in ((700, 1), (701, 2), (703, 3)):
        after.add(offset, length)
    place = b'{"request":null,"response":{"offset":10,"length":20}}'
    line = b'{"type":"capture","n":0,"warc":' + place + b',"odd":[1.5,"\xc3\xa9"]}\n'
    moved = move_row(line, before, after, "x.warc.zst")
    assert moved == line.replace(b'"offset":10,"length":20', b'"offset":701,"length":2')
    assert strip_row(line, before) == strip_row(moved, after)
    assert strip_row(line.replace(b'10,"length":20', b'30,"length":5'), before) != strip_row(moved, after)
    for wrong in (b'"offset":11', b'"offset":30', b'"offset":"10"'):
        with pytest.raises(RecordError):
            move_row(line.replace(b'"offset":10', wrong), before, after, "")
    other = b'{"type":"snapshot","text":"a \\"capture\\" of it"}\n'
    assert move_row(other, before, after, "x") == other
    later = b'{"type":"later","offset":10}\n'
    assert move_row(later, before, after, "x") == later


def test_each_record_of_the_file_is_its_own_frame(packed: PackedObject) -> None:
    with packed.path.open("rb") as file:
        members = MemberFile(file, "packed")
        places, position = [], members.first
        while position < packed.file.size_bytes:
            offset, length, data = members.read(position)
            places.append((offset, offset + length, parse_record(data, "here")))
            position = offset + length
    assert len(places) == packed.file.records
    assert all(one[1] == other[0] for one, other in pairwise(places))
    assert places[0][2].header("WARC-Filename") == KEY.rpartition("/")[2]
    assert [one[2].type for one in places].count("warcinfo") == 13
    assert not any(one[2].find_faults() for one in places)


def test_what_others_make_of_it(segments: list[LocalSegment], packed: PackedObject, tmp_path: Path) -> None:
    records = [data for one in lay_out(packed.path, packed.segments) for _, _, data in list_records(one)]
    with packed.path.open("rb") as file:
        found = [record.headers["WARC-Record-ID"] for record in ArchiveIterator(file, parse_http=False)]
    wanted = [parse_record(data, "here").header("WARC-Record-ID") for data in records]
    assert [one for one in found if one in set(wanted)] == wanted
    assert len(found) == packed.file.records
    assert not set(list_ids_by_warcio(packed.path)) & set(found)
    if shutil.which("zstd") is None:
        pytest.skip("zstd's own program is not installed: the recipe of FORMAT.md § 5 was not tried")
    shutil.copyfile(packed.path, tmp_path / "a.warc.zst")
    size = int.from_bytes(packed.path.read_bytes()[4:8], "little")
    recipe = f"tail -c +9 a.warc.zst | head -c {size} | zstd -dc > dict && zstd -dcq -D dict a.warc.zst > plain"
    subprocess.run(recipe, shell=True, cwd=tmp_path, check=True, timeout=60)
    assert list_ids_by_warcio(tmp_path / "plain") == found
    assert (tmp_path / "plain").read_bytes().count(records[0]) == 1 < len(segments)

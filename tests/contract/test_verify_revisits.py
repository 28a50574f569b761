"""Revisits that resolve, and every way in which one may not; records beside an answer that nobody points at."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from crawler.model import Exchange, RecordReference
from jobs.archive.commit import digest
from jobs.verify import verify_archive
from tests.archives import NOON, copy_store, cover_up, file_keys, put, read_lines, split_file, split_members
from tests.faults import WARC, damage, damaged_keys, notices
from tests.faults.common import deflate
from tests.faults.files import put_record
from tests.faults.rows import edit_rows
from tests.real_archives import Growing, build_revisited, make_exchange, site_pages

if TYPE_CHECKING:
    from pathlib import Path

    from jobs.store.memory import MemoryStore
    from tests.real_archives import Kept

LATER = NOON + timedelta(hours=5, microseconds=7)


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> MemoryStore:
    return build_revisited(tmp_path_factory.mktemp("spool")).store


@pytest.fixture
def growing(tmp_path: Path) -> Growing:
    """Two committed segments: of pages, one of them cut and one without an answer, then of a revisit."""
    growing = Growing(tmp_path)
    urls = [url for url in site_pages() if "/news/" in url][:4]
    first = [make_exchange(url, NOON + timedelta(seconds=n)) for n, url in enumerate(urls)]
    first[2] = replace(first[2], body=first[2].body[:500], truncated="time")
    first.append(make_exchange(urls[3], NOON + timedelta(seconds=9), status=None))
    growing.add_segment(first)
    growing.add_segment([growing.refer(make_exchange(urls[0], NOON + timedelta(hours=2)))])
    return growing


def _refer(exchange: Exchange, kept: Kept, **changes: Any) -> Exchange:
    found = RecordReference(kept.exchange.url, kept.exchange.started_at, kept.place.segment, kept.place.n)
    return replace(exchange, refers_to=replace(found, **changes))


def test_revisits_are_sound(sound: MemoryStore) -> None:
    report = verify_archive(sound, full=True)
    assert damage(report) == []
    rows = [row for key in file_keys(sound, WARC)[1:] for row in read_lines(sound, key)]
    assert [row["status"] for row in rows if row.get("revisit_of")] == [200, 200, 304] * 2
    assert sum('"warc/revisit"' in row["line"] for row in rows if row["type"] == "cdxj") == 6
    assert report.counts.records == 3 * (1 + 3 * 3 + 1)


Wrong = Callable[[Growing], Exchange]


def _again(growing: Growing, number: int = 0) -> Exchange:
    return replace(growing.kept[number].exchange, started_at=LATER, refers_to=None)


WRONG: dict[str, tuple[Wrong, str]] = {
    "nothing": (lambda g: _refer(_again(g), g.kept[0], n=99), "there is no capture 99 of segment"),
    "less than nothing": (lambda g: _refer(_again(g), g.kept[0], n=-1), "there is no capture -1 of segment"),
    "an uncommitted segment": (
        lambda g: _refer(_again(g), g.kept[0], segment="gazette-20261122T120000Z-0000000000000000"),
        "no commit brought capture 0 of segment",
    ),
    "no segment": (lambda g: _refer(_again(g), g.kept[0], segment="../x"), "is another source's"),
    "another source": (
        lambda g: _refer(_again(g), g.kept[0], segment="herald" + g.kept[0].place.segment[7:]),
        "is another source's",
    ),
    "another revisit": (lambda g: _refer(_again(g), g.kept[5]), "is a revisit itself"),
    "another URL": (
        lambda g: _refer(_again(g), g.kept[1], target_uri=g.kept[0].exchange.url),
        "is of another URL than",
    ),
    "another URL in the record": (
        lambda g: _refer(_again(g), g.kept[0], target_uri="https://gazette.example/other"),
        "refers to 'https://gazette.example/other', expected its own URL",
    ),
    "another time": (
        lambda g: _refer(_again(g), g.kept[0], captured_at=NOON + timedelta(days=1)),
        "but the record refers to '2026-11-23T12:00:00.000000Z'",
    ),
    "another payload": (
        lambda g: _refer(replace(_again(g), body=b"<html>Another page.</html>"), g.kept[0]),
        "has another payload than",
    ),
    "a body that was cut": (
        lambda g: _refer(replace(_again(g, 2), truncated=None), g.kept[2]),
        "has a body that was cut",
    ),
    "no record": (
        lambda g: _refer(make_exchange(g.kept[4].exchange.url, LATER), g.kept[4]),
        "has no record",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_finds_a_revisit_that_does_not_resolve(growing: Growing, name: str) -> None:
    change, message = WRONG[name]
    right = replace(_again(growing), started_at=LATER - timedelta(seconds=1))
    growing.add_segment([growing.refer(right), change(growing)])
    key = file_keys(growing.store, WARC)[-1]
    report = verify_archive(growing.store, full=True)
    assert damaged_keys(report) == {key}
    found = [one for one in report.findings if one.key == key]
    assert message in "\n".join(one.message for one in found)
    line = next(n for n, row in enumerate(read_lines(growing.store, key), 1) if row.get("n") == 1)
    assert {one.line for one in found} == {line}


def _set(n: int, **fields: Any) -> Callable[[list[dict[str, Any]]], list[dict[str, Any]]]:
    def change(lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
        next(row for row in lines if row.get("n") == n and row["type"] == "capture").update(fields)
        return lines

    return change


def test_finds_a_revisit_of_what_was_committed_later_or_with_it(sound: MemoryStore) -> None:
    keys = file_keys(sound, WARC)
    names = [read_lines(sound, key)[0]["segment"] for key in keys]
    for other, message in ((2, "was committed only later, by commit 3"), (1, "is of this same segment")):
        store = copy_store(sound)
        edit_rows(store, keys[1], _set(0, revisit_of={"segment": names[other], "n": 0}))
        assert message in "\n".join(damage(verify_archive(store, full=True)))
        assert keys[1] in damaged_keys(verify_archive(store, full=True))


def test_row_and_record_agree_on_what_is_a_revisit(sound: MemoryStore) -> None:
    keys = file_keys(sound, WARC)
    first = read_lines(sound, keys[0])[0]["segment"]
    store = copy_store(sound)
    edit_rows(store, keys[1], _set(0, revisit_of=None))
    assert "but its record is a revisit" in "\n".join(damage(verify_archive(store, full=True)))
    store = copy_store(sound)
    edit_rows(store, keys[0], _set(0, revisit_of={"segment": first, "n": 1}))
    assert "is a response" in "\n".join(damage(verify_archive(store, full=True)))
    store = copy_store(sound)
    edit_rows(store, keys[1], _set(0, truncated="length"))
    assert "what was cut is no revisit" in "\n".join(damage(verify_archive(store, full=True)))
    store = copy_store(sound)
    edit_rows(store, keys[1], _set(0, size_bytes=3))
    assert "bytes of payload, the row says 3" in "\n".join(damage(verify_archive(store, full=True)))


@pytest.mark.parametrize(
    ("number", "old", "new", "message"),
    [
        (1, b"identical-payload-digest", b"identical-payload", "WARC-Profile: found"),
        (1, b"identical-payload-digest", b"server-not-modified", "not modified with status 200"),
        (1, b"WARC-Truncated: length\r\n", b"", "WARC-Truncated: found"),
        (1, b"WARC-Refers-To-Date", b"X-Refers-To-Date", "a revisit without WARC-Refers-To-Date"),
        (1, b"WARC-Refers-To-Target-URI", b"X-Refers-To", "a revisit without WARC-Refers-To-Target-URI"),
        (1, b"WARC-Payload-Digest", b"X-Payload-Digest", "identical payload without WARC-Payload-Digest"),
        (1, b"WARC-Profile:", b"WARC-Profile: x\r\nWARC-Profile:", "header warc-profile stands twice"),
        (7, b"server-not-modified", b"identical-payload-digest", "identical payload without WARC-Payload-Digest"),
    ],
)
def test_finds_a_revisit_record_that_is_none(
    sound: MemoryStore, number: int, old: bytes, new: bytes, message: str
) -> None:
    store = copy_store(sound)
    key = file_keys(store, WARC)[1]
    members = split_members(store.get(key))
    record = zlib.decompress(members[number], 31)
    assert old in record
    put_record(store, key, members, number, record.replace(old, new, 1))
    found = [one for one in verify_archive(store, full=True).findings if message in one.message and one.record]
    assert [(one.key, one.record, one.offset) for one in found] == [(key, number + 1, len(b"".join(members[:number])))]


def test_finds_a_revisit_with_a_payload(sound: MemoryStore) -> None:
    store = copy_store(sound)
    key = file_keys(store, WARC)[1]
    members = split_members(store.get(key))
    record = zlib.decompress(members[1], 31)
    size = int(record.partition(b"Content-Length: ")[2].partition(b"\r")[0])
    longer = record.replace(b"Content-Length: %d" % size, b"Content-Length: %d" % (size + 3))
    put_record(store, key, members, 1, longer[:-4] + b"abc\r\n\r\n")
    found = "\n".join(damage(verify_archive(store, full=True)))
    assert "a revisit with 3 bytes of payload" in found
    assert "WARC-Block-Digest" in found


# --- metadata


def _offsets(store: MemoryStore, key: str) -> list[dict[str, Any]]:
    return [row["warc"] for row in read_lines(store, key) if row.get("warc")]


def test_finds_a_metadata_record_that_is_not_pointed_at(sound: MemoryStore) -> None:
    store = copy_store(sound)
    key = file_keys(store, WARC)[0]
    place = _offsets(store, key)[1]
    edit_rows(store, key, _set(1, warc={**place, "metadata": None}))
    found = damage(verify_archive(store, full=True))
    assert len(found) == 1
    assert f"at offset {place['metadata']['offset']}: 0 captures point at it" in found[0]
    assert damaged_keys(verify_archive(store, full=True)) == {key}


def test_finds_a_metadata_record_that_is_pointed_at_twice_or_is_another_s(sound: MemoryStore) -> None:
    store = copy_store(sound)
    key = file_keys(store, WARC)[0]
    one, two, _ = _offsets(store, key)
    edit_rows(store, key, _set(1, warc={**two, "metadata": one["metadata"]}))
    found = "\n".join(damage(verify_archive(store, full=True)))
    assert "2 captures point at it" in found
    assert "0 captures point at it" in found
    assert "are no pair" in found


@pytest.mark.parametrize("covered", [False, True], ids=["rotten", "covered"])
def test_finds_a_dropped_metadata_record(sound: MemoryStore, covered: bool) -> None:
    for number in (3, 6, 9):
        store = copy_store(sound)
        key = file_keys(store, WARC)[0]
        members = split_members(store.get(key))
        place = _offsets(store, key)[number // 3 - 1]["metadata"]
        assert place["offset"] == len(b"".join(members[:number]))
        put(store, key, b"".join([*members[:number], *members[number + 1 :]]))
        if covered:
            cover_up(store)
        report = verify_archive(store, full=True)
        assert damaged_keys(report) == {key}
        assert f"points at offset {place['offset']}" in "\n".join(damage(report)) or number != 9


def test_further_metadata_is_no_damage(sound: MemoryStore) -> None:
    """FORMAT.md lets further metadata records follow: those that nobody points at are counted, and that is all."""
    store = copy_store(sound)
    key = file_keys(store, WARC)[-1]
    members, _ = split_file(store.get(key))
    tls = zlib.decompress(members[-1], 31)
    head, _, block = tls.partition(b"\r\n\r\n")
    assert block.startswith(b"tls-version")
    ours = digest(block[:-4])
    other = block[:-4].replace(b"tls-", b"via-")
    head = head.replace(ours.encode(), digest(other).encode()).replace(b"<urn:uuid:", b"<urn:uuid:0", 1)
    members.append(deflate(head + b"\r\n\r\n" + other + b"\r\n\r\n"))
    end = {"warc_records": len(members), "warc_bytes": len(b"".join(members))}
    put(store, key, b"".join([*members, *split_file(store.get(key))[1]]))
    edit_rows(store, key, lambda lines: [*lines[:-1], {**lines[-1], **end}])
    report = verify_archive(store, full=True)
    assert damage(report) == []
    assert f"{key}: 1 metadata records that no capture points at" in notices(report)

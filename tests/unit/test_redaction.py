"""What is taken out is nowhere left, all else is as it was, and the archive is sound: over archives of every kind."""

from __future__ import annotations

import gzip
import io
import json
import random
import zlib
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from fastwarc.warc import ArchiveIterator
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from warcio.archiveiterator import ArchiveIterator as WarcioIterator

from config.errors import DamageFound, RecordError
from config.settings import Settings
from crawler.model import Purpose
from crawler.rows import CaptureRow, LinkRow, SnapshotRow
from crawler.warc import read_member
from crawler.warc.writer import encode_metadata
from jobs.archive.identity import list_sources, read_info
from jobs.archive.log import Log
from jobs.archive.signing import Signer, parse_signatures
from jobs.catalog import Catalog
from jobs.context import OpenArchive
from jobs.deletion import finish_redactions
from jobs.redaction.needles import Needles
from jobs.redaction.redacting import RedactReport, RedactRequest, redact_articles
from jobs.redaction.tombstones import Inscription, make_tombstone
from jobs.verify import verify_archive
from tests.archives import NOON, SOURCE, put, split_members
from tests.real_archives import PACK_EVERY, Growing, build_random, build_revisited, make_exchange, site_pages

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from jobs.store.memory import MemoryStore

SAID = Inscription(NOON, "0123456789abcdef" * 2, "the court of the harbour asked for it")


@contextmanager
def open_archive(store: MemoryStore, folder: Path, signer: Signer | None = None) -> Iterator[OpenArchive]:
    folder.mkdir(parents=True, exist_ok=True)
    with Catalog.open(folder / "catalog.sqlite") as catalog:
        yield OpenArchive(store, read_info(store), Settings(), folder, catalog, signer)


def redact(archive: OpenArchive, *urls: str, source: str = SOURCE, grace: float = 0, **fields: bool) -> RedactReport:
    request = RedactRequest(source, frozenset(urls), SAID.reason, timedelta(seconds=grace), **fields)
    return redact_articles(archive, request)


def inflate_all(store: MemoryStore, prefix: str = "segments/") -> bytes:
    """Return all that is in the objects below *prefix*, as it is and inflated, bodies too."""
    found = b""
    for item in store.list(prefix):
        data = store.get(item.key)
        for member in split_members(data):
            record = read_member(member)
            found += member[:2] + record.block + repr(record.headers).encode()
            body = record.block.partition(b"\r\n\r\n")[2]
            found += zlib.decompressobj(31).decompress(body) if body.startswith(b"\x1f\x8b") else b""
    return found


def damages(store: MemoryStore) -> list[str]:
    return [str(one) for one in verify_archive(store, full=True).findings if one.severity == "damage"]


def test_revisits_go_with_the_page_that_they_stand_for(tmp_path: Path) -> None:
    store = build_revisited(tmp_path / "spool").store
    with open_archive(store, tmp_path / "state") as archive:
        archive.refresh()
        url = next(row["url"] for row in archive.catalog.list_articles() if row["revisions"])
        words = min(archive.catalog.read_words(SOURCE, url)[1]).split("\n")
        assert all(json.dumps(line, ensure_ascii=False)[1:-1].encode() in inflate_all(store) for line in words)
        dry = redact(archive, url, dry_run=True)
        assert (dry.captures, dry.commits) == (3, [])
        report = redact(archive, url)
        assert (report.captures, len(report.segments), len(report.commits)) == (3, 3, 1)
        assert {one.page_class for one in archive.catalog.list_captures(SOURCE, url)} == {"redacted"}
        assert not damages(store)
        assert redact(archive, url).commits == []  # nothing is left to be taken out
        assert finish_redactions(archive, SOURCE).deleted == sorted(report.replaced)
        assert finish_redactions(archive, SOURCE).deleted == []
        left = inflate_all(store)
        assert not [line for line in words if len(line) > 30 and line.encode() in left]
        assert url.encode() in left
        assert not damages(store)
    told = [one for one in verify_archive(store, full=False).findings if one.severity == "redacted"]
    assert len(told) == 3
    assert all(SAID.reason in str(one) and "unsigned" in str(one) for one in told)


@pytest.fixture(autouse=True)
def _short_packs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("jobs.verify.packs.PACK_COMMITS", PACK_EVERY)


@pytest.mark.parametrize("seed", range(6))
def test_random_archives_stay_sound(seed: int, tmp_path: Path) -> None:
    check_random(seed, tmp_path)


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(6, 300))
def test_many_random_archives_stay_sound(seed: int, tmp_path: Path) -> None:
    check_random(seed, tmp_path)


def check_random(seed: int, folder: Path) -> None:
    rng = random.Random(seed)
    store = build_random(folder / "spool", seed)
    assert not [one for one in damages(store) if not one.startswith("checkpoint")]
    with open_archive(store, folder / "state") as archive:
        archive.refresh(checkpoints=False)
        articles = list(archive.catalog.list_articles())
        if not articles:
            return
        row = rng.choice(articles)
        before = {
            (one["source"], one["url"]): archive.catalog.list_captures(one["source"], one["url"]) for one in articles
        }
        titles, texts = archive.catalog.read_words(row["source"], row["url"])
        report = redact(archive, row["url"], source=row["source"])
        if rng.random() < 0.7:
            finish_redactions(archive, row["source"])
        assert not damages(store)
        mentioned = set(report.mentions)
        for (source, url), captures in before.items():
            if (source, url) != (row["source"], row["url"]) and url not in mentioned:
                found = archive.catalog.list_captures(source, url)
                assert [(one.place, one.verdict, one.revision) for one in found] == [
                    (one.place, one.verdict, one.revision) for one in captures
                ] or _shares_records(archive, source, url, row["url"])
        expected = archive.catalog.dump()
        if not mentioned and report.replaced and not list(store.list(report.replaced[0])):
            needles = Needles(titles=titles, texts=texts)
            left = inflate_all(store, f"segments/{row['source']}/").decode("utf-8", "replace")
            assert not needles.are_in(left)
    with Catalog.open(folder / "fresh.sqlite") as fresh:
        for source in list_sources(store):
            fresh.refresh(store, Log(store, read_info(store), source))
        assert fresh.dump() == expected


def _shares_records(archive: OpenArchive, source: str, url: str, gone: str) -> bool:
    """Whether captures of *url* went because they stood for the page that is gone."""
    return any(one.page_class == "redacted" for one in archive.catalog.list_captures(source, url)) or url == gone


def test_listings_that_tell_of_it_go_too(tmp_path: Path) -> None:
    growing = Growing(tmp_path / "spool")
    url = next(url for url in site_pages() if "library" in url)
    other = next(url for url in site_pages() if "rain" in url)
    growing.add_segment([make_exchange(url, NOON), make_exchange(other, NOON + timedelta(seconds=1))])
    with open_archive(growing.store, tmp_path / "state") as archive:
        archive.refresh()
        title = next(str(row["title"]) for row in archive.catalog.list_articles(SOURCE) if row["url"] == url)
        feed = f"<rss><channel><item><title><![CDATA[{title}]]></title></item></channel></rss>".encode()
        plain = b"<rss><channel><item><title>The weather of the whole week</title></item></channel></rss>"
        at = NOON + timedelta(hours=2)
        quoting = f"<html><body><a href='/x'>{title.replace(' ', '&#32;')}</a></body></html>".encode()
        growing.add_segment(
            [
                make_exchange("https://gazette.example/feed", at, feed, purpose=Purpose.FEED, gzipped=True),
                make_exchange("https://gazette.example/feed2", at, plain, purpose=Purpose.FEED),
                make_exchange("https://gazette.example/2026/other", at + timedelta(seconds=5), quoting),
            ]
        )
        report = redact(archive, url)
        assert (report.captures, report.listings) == (1, 1)
        assert report.mentions == {"https://gazette.example/2026/other": 1}
        assert not damages(growing.store)
        again = redact(archive, other, mentions=True)
        assert again.captures == 1
        finish_redactions(archive, SOURCE)
        assert feed not in inflate_all(growing.store)
        assert plain in inflate_all(growing.store)
        assert not damages(growing.store)


def test_a_damaged_segment_ends_it(tmp_path: Path) -> None:
    store = build_revisited(tmp_path / "spool").store
    with open_archive(store, tmp_path / "state") as archive:
        archive.refresh()
        url = next(row["url"] for row in archive.catalog.list_articles() if row["revisions"])
        key = next(item.key for item in store.list("segments/"))
        data = store.get(key)
        put(store, key, data[:300] + bytes([data[300] ^ 1]) + data[301:])
        with pytest.raises(DamageFound, match="mend it first"):
            redact(archive, url)
        assert archive.catalog.head(SOURCE)[0] == 3


def test_a_tombstone_without_a_commit_is_damage(tmp_path: Path) -> None:
    store = build_revisited(tmp_path / "spool").store
    with open_archive(store, tmp_path / "state") as archive:
        archive.refresh()
        url = next(row["url"] for row in archive.catalog.list_articles() if row["revisions"])
        report = redact(archive, url)
        last = f"log/{SOURCE}/{report.commits[0]:012d}"
        old, new = report.replaced[0], archive.catalog.find_rows_key(report.segments[0])
        put(store, old, store.get(str(new)))
        store.delete(last)
    found = damages(store)
    assert any(old in one for one in found)


def test_the_grace_period_holds_deletion_up(tmp_path: Path) -> None:
    store = build_revisited(tmp_path / "spool").store
    with open_archive(store, tmp_path / "state") as archive:
        archive.refresh()
        url = next(row["url"] for row in archive.catalog.list_articles() if row["revisions"])
        report = redact(archive, url, grace=3600)
        finished = finish_redactions(archive, SOURCE)
        assert finished.deleted == []
        assert set(finished.waiting) == set(report.replaced)
        assert min(finished.waiting.values()) > datetime.now(UTC) + timedelta(minutes=50)
        assert all(list(store.list(key)) for key in report.replaced)


def test_other_commits_in_between_are_looked_into(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    growing = build_revisited(tmp_path / "spool")
    with open_archive(growing.store, tmp_path / "state") as archive:
        archive.refresh()
        url = next(row["url"] for row in archive.catalog.list_articles() if row["revisions"])
        append = Log.append
        raced: list[int] = []

        def lose_once(self: Log, draft: object, **named: object) -> object:
            if getattr(draft, "kind", "") == "redact" and not raced:
                raced.append(1)
                growing.add_segment([make_exchange(url, NOON + timedelta(hours=9))])
            return append(self, draft, **named)  # type: ignore[arg-type]

        monkeypatch.setattr(Log, "append", lose_once)
        report = redact(archive, url)
        assert raced
        assert report.captures == 4
        assert report.commits == [5, 6]
        assert not damages(growing.store)


def read_pairs(member: bytes) -> dict[str, str]:
    block = read_member(member).block.decode()
    return dict(line.split(": ", 1) for line in block.splitlines())


def test_tombstones_say_what_was_there_and_who_took_it() -> None:
    signer = Signer.generate()
    block = random.Random(1).randbytes(900)
    member = encode_metadata(block, seed="a", date=NOON, target_uri="urn:x", content_type="x/y")
    stone = make_tombstone(member, replace(SAID, signer=signer), where="here")
    assert len(stone) == len(member)
    told = read_pairs(stone)
    assert told["reason"] == SAID.reason
    assert told["replaces-type"] == "metadata"
    assert told["commit-id"] == SAID.commit_id
    lines = read_member(stone).block.partition(b"signature: ")[0]
    assert signer.public.has_signed(lines, parse_signatures(told["signature"])[0])
    assert gzip.decompress(stone).startswith(b"WARC/1.1\r\n")
    for record in ArchiveIterator(io.BytesIO(stone * 2), parse_http=False, verify_digests=True):
        assert record.headers["WARC-Type"] == "metadata"
    assert [one.rec_type for one in WarcioIterator(io.BytesIO(stone * 2))] == ["metadata"] * 2


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, 2_000))
def test_tombstones_have_the_length_of_what_was_there(size: int) -> None:
    block = random.Random(size).randbytes(size)
    member = encode_metadata(block, seed="a", date=NOON, target_uri="urn:x:y", content_type="text/plain")
    stone = make_tombstone(member, SAID, where="here")
    assert len(stone) == len(member)
    assert read_member(stone).find_faults() == []
    assert size < 60 or block[:60] not in stone


def test_the_least_tombstone_fits_where_any_record_of_ours_was() -> None:
    least = encode_metadata(b"", seed="", date=NOON, target_uri="u", content_type="a")
    assert len(make_tombstone(least, SAID, where="here")) == len(least)
    with pytest.raises(RecordError, match="too few"):
        make_tombstone(
            gzip.compress(b"WARC/1.1\r\nWARC-Type: x\r\nContent-Length: 0\r\n\r\n\r\n\r\n"), SAID, where="here"
        )


@pytest.mark.parametrize(
    "sent",
    [
        "<p>The <b>bridge</b> over the harbour\n will be&nbsp;built &amp; opened</p>",
        '{"t": "The bridge over the harbour will be built \\u0026 opened"}',
        "&lt;p&gt;The bridge over the harbour will be built &amp;amp; opened",
        "THE BRIDGE OVER THE HARBOUR WILL BE BUILT & OPENED",
    ],
)
def test_words_are_found_however_they_are_written(sent: str) -> None:
    needles = Needles(texts=["The bridge over the harbour will be built & opened\nshort"])
    assert needles.are_in(sent)
    assert not needles.are_in("The bridge over the river will be built & opened; short")


def test_short_titles_are_not_looked_for() -> None:
    assert not Needles(titles=["Weather"], texts=["Short line"])


def test_rows_of_others_stay_byte_for_byte(tmp_path: Path) -> None:
    from jobs.archive.facts import fetch_rows, read_rows

    store = build_revisited(tmp_path / "spool").store
    with open_archive(store, tmp_path / "state") as archive:
        archive.refresh()
        url = next(row["url"] for row in archive.catalog.list_articles() if row["revisions"])
        before = {one.segment: one for one in archive.catalog.list_segments(SOURCE, after=0)}
        redact(archive, url)
        for after in archive.catalog.list_segments(SOURCE, after=0):
            rows = [
                [row for _, row in read_rows(fetch_rows(store, one.rows), "rows")]
                for one in (before[after.segment], after)
            ]
            kept = [
                [row for row in of_one if isinstance(row, CaptureRow | SnapshotRow | LinkRow) and row.url != url]
                for of_one in rows
            ]
            assert kept[0] == kept[1]

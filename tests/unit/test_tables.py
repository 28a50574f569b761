"""The daily roll-up: what stands in which table and day, what is made anew when, the same files of the same facts."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pyarrow.parquet as pq
import pytest

from crawler.rows import Origin
from jobs.archive.commit import digest
from jobs.store.memory import MemoryStore
from jobs.tables import build_tables, sorting
from jobs.tables import rollup as rolling
from jobs.tables.manifest import append_manifest
from jobs.tables.schema import TABLES
from tests.rollups import (
    DAY_1,
    DAY_2,
    DAY_3,
    OTHER_DERIVATION,
    Again,
    Newsstand,
    Seen,
    count_files,
    link_to,
    url_of,
)

if TYPE_CHECKING:
    from pathlib import Path

    from jobs.archive.signing import Signer
    from jobs.store import ObjectStore
    from jobs.tables import Manifest

HOUR = timedelta(hours=1)


@pytest.fixture
def stand(tmp_path: Path) -> Newsstand:
    return Newsstand(MemoryStore(), tmp_path)


def test_each_fact_stands_in_its_table_and_day(stand: Newsstand) -> None:
    fields = {
        "authors": {"value": ["Ada", "Bo"], "from": "json-ld"},
        "published": {"value": "2026-11-19T22:30:00-05:00", "from": "meta"},
        "language": {"value": "en", "from": "meta"},
    }
    commit = stand.crawl(
        Seen("/a", fields=fields),
        Seen("/gone", None, status=404, at=DAY_1 + HOUR),
        links=(link_to("/later", DAY_1, title="Later", published=DAY_1),),
    )

    report = stand.build()

    assert (report.manifest, report.wrote, report.days, report.segments) == (1, True, ["2026-11-20"], 1)
    answered, gone = stand.read("captures", DAY_1)
    assert (answered["url"], answered["status"], answered["run"]) == (url_of("gazette", "/a"), 200, commit.run)
    assert answered["captured_at"] == DAY_1
    assert answered["directives"] == ["noai"]
    assert answered["warc_key"] == commit.files[0].key
    record = stand.store.get(answered["warc_key"], offset=answered["warc_offset"], length=answered["warc_length"])
    assert record.startswith(b"\x1f\x8b")
    assert (gone["status"], gone["class"]) == (404, "error")
    (snapshot,) = stand.read("snapshots", DAY_1)
    assert (snapshot["text"], snapshot["native"], snapshot["language"]) == ("Rain\nIt rains.", True, "en")
    assert snapshot["published"] == datetime(2026, 11, 20, 3, 30, tzinfo=UTC)
    assert snapshot["authors"] == ["Ada", "Bo"]
    assert json.loads(snapshot["fields"]) == fields
    (revision,) = stand.read("revisions", DAY_1)
    assert (revision["number"], revision["captures"], revision["title"]) == (1, 1, "Rain")
    assert revision["text_digest"] == snapshot["text_digest"]
    (link,) = stand.read("links", DAY_1)
    assert (link["url"], link["title"], link["published"]) == (url_of("gazette", "/later"), "Later", DAY_1)
    assert report.nulled == {}


def test_rows_are_in_order_and_columns_as_the_format_has_them(stand: Newsstand) -> None:
    stand.crawl(Seen("/b", at=DAY_1), Seen("/a", at=DAY_1 + HOUR), source="herald")
    stand.crawl(Seen("/b", at=DAY_1 + 2 * HOUR), Seen("/a", at=DAY_1 + HOUR), Seen("/a", at=DAY_1))

    stand.build()

    for name in ("captures", "snapshots", "revisions"):
        rows = stand.read(name, DAY_1)
        keys = [(row["source"], row["url"], row["captured_at"], row["segment"], row["n"]) for row in rows]
        assert keys == sorted(keys)
        assert {row["source"] for row in rows} == {"gazette", "herald"}
        assert tuple(rows[0]) == TABLES[name].names


def test_what_others_captured_is_told_from_what_was_fetched(stand: Newsstand) -> None:
    stand.crawl(Seen("/a"), Seen("/b", origin=Origin("imported", "dump.warc.gz", "urn:uuid:1", "archiver/2")))
    stand.build()
    found = [(row["origin_kind"], row["origin_where"]) for row in stand.read("captures", DAY_1)]
    assert found == [(None, None), ("imported", "dump.warc.gz")]


def test_nothing_new_puts_no_manifest(stand: Newsstand) -> None:
    stand.crawl(Seen("/a"))
    stand.build()
    before = [item.key for item in stand.store.list("")]

    report = stand.build()

    assert (report.wrote, report.manifest, report.days) == (False, 1, [])
    assert [item.key for item in stand.store.list("")] == before


def test_an_archive_without_facts_has_no_tables(stand: Newsstand) -> None:
    report = stand.build()

    assert (report.manifest, report.wrote, report.files) == (0, False, 0)
    assert list(stand.store.list("tables/")) == []


def test_only_touched_days_are_made_anew(stand: Newsstand) -> None:
    stand.crawl(Seen("/a"))
    stand.build()
    first = stand.manifest()

    stand.crawl(Seen("/b", at=DAY_2))
    report = stand.build()

    assert report.days == ["2026-11-21"]
    assert report.segments == 1
    assert set(first.files) < set(stand.manifest().files)


def test_late_facts_make_their_day_anew_and_old_manifests_still_work(stand: Newsstand) -> None:
    stand.crawl(Seen("/a", "It rains.", at=DAY_2))
    stand.build()
    old = stand.manifest()

    stand.crawl(Seen("/a", "It will rain.", at=DAY_1), Seen("/a", "It rains.", at=DAY_3), committed=DAY_3)
    report = stand.build()

    assert report.days == ["2026-11-20", "2026-11-21", "2026-11-22"]
    assert [row["number"] for row in stand.read("revisions", DAY_1)] == [1]
    assert [(row["number"], row["captures"]) for row in stand.read("revisions", DAY_2)] == [(2, 2)]
    assert stand.read("revisions", DAY_3) == []
    assert [(row["number"], row["captures"]) for row in stand.read("revisions", DAY_2, old)] == [(1, 1)]
    assert len(stand.read("captures", DAY_2, old)) == 1
    assert report.dropped == 1


def test_a_text_derived_again_stands_on_the_day_of_its_capture(stand: Newsstand) -> None:
    page = Seen("/a", at=DAY_1)
    commit = stand.crawl(page)
    stand.build()

    later = Seen("/a", "It rains.", at=DAY_3, derivation=OTHER_DERIVATION)
    stand.crawl(later, again=(Again(commit.segment or "", 0, page, "It rains."),))
    report = stand.build()

    assert report.days == ["2026-11-20", "2026-11-22"]
    texts = [(row["native"], row["derivation"], row["segment"]) for row in stand.read("snapshots", DAY_1)]
    assert (False, OTHER_DERIVATION, commit.segment) in texts
    assert len(texts) == 2
    assert [row["captures"] for row in stand.read("revisions", DAY_1)] == [2]
    assert stand.read("revisions", DAY_3) == []


def test_a_revert_counts_for_the_first_revision(stand: Newsstand) -> None:
    stand.crawl(Seen("/a", "One.", at=DAY_1))
    stand.crawl(Seen("/a", "Two.", at=DAY_2))
    stand.build()
    stand.crawl(Seen("/a", "One.", at=DAY_3))
    stand.build()

    assert [(row["number"], row["captures"]) for row in stand.read("revisions", DAY_1)] == [(1, 2)]
    assert [(row["number"], row["captures"]) for row in stand.read("revisions", DAY_2)] == [(2, 1)]
    assert stand.read("revisions", DAY_3) == []


def test_steps_and_one_stroke_make_the_same_files(stand: Newsstand) -> None:
    crawls = [
        ((Seen("/a"), Seen("/b", at=DAY_2)), "gazette"),
        ((Seen("/a", "Sun.", at=DAY_2),), "herald"),
        ((Seen("/a", "Snow.", at=DAY_1 - HOUR), Seen("/c", at=DAY_3)), "gazette"),
    ]
    for pages, source in crawls:
        stand.crawl(*pages, source=source, links=(link_to("/x", DAY_2, source=source),))
        stand.build()
    stepwise = stand.contents()

    for item in list(stand.store.list("tables/")):
        stand.store.delete(item.key)
    stand.build()
    assert stand.contents() == stepwise

    report = stand.build(since="2026-11-21")
    assert (report.wrote, report.files, report.dropped) == (False, 0, 0)
    assert stand.contents() == stepwise


def test_a_damaged_table_is_said_and_made_anew_from_the_log(stand: Newsstand) -> None:
    stand.crawl(Seen("/a"))
    stand.build()
    sound = stand.contents()
    key = next(key for key in sound if key.startswith("tables/captures/"))
    stand.store.delete(key)

    report = stand.build(since="2026-11-20")

    assert not report.wrote
    assert stand.contents() == sound


def test_a_small_run_size_makes_the_same_files(stand: Newsstand, monkeypatch: pytest.MonkeyPatch) -> None:
    pages = [Seen(f"/{n % 7}", f"Words {n}. " * (n % 5), at=DAY_1 + n * timedelta(minutes=1)) for n in range(200)]
    for start in range(0, 200, 40):
        stand.crawl(*reversed(pages[start : start + 40]))
    stand.build()
    whole = stand.contents()
    monkeypatch.setattr(sorting, "RUN_CHARACTERS", 3_000)
    monkeypatch.setattr(sorting, "BATCH_ROWS", 3)

    stand.build(since="2026-11-20")

    assert stand.contents() == whole


def test_a_large_day_has_parts_but_never_more_than_five(stand: Newsstand, monkeypatch: pytest.MonkeyPatch) -> None:
    stand.crawl(
        *(Seen(f"/{n:03d}", at=DAY_1 + n * timedelta(seconds=1)) for n in range(60)), links=(link_to("/x", DAY_1),)
    )
    monkeypatch.setattr("jobs.tables.files.PART_ROWS", 10)
    monkeypatch.setattr("jobs.tables.files.GROUP_ROWS", 4)

    stand.build()

    assert count_files(stand.manifest())["2026-11-20"] == 5 + 5 + 5 + 1
    rows = stand.read("captures", DAY_1)
    assert len({row["url"] for row in rows}) == 60
    stand.crawl(Seen("/late", at=DAY_1))
    stand.build()
    assert len(stand.read("captures", DAY_1)) == 61


def test_losing_the_race_starts_over_from_the_winner(stand: Newsstand, monkeypatch: pytest.MonkeyPatch) -> None:
    stand.crawl(Seen("/a"))
    raced: list[int] = []

    def lose_once(store: ObjectStore, manifest: Manifest, signer: Signer | None) -> bool:
        if not raced:
            raced.append(manifest.n)
            stand.crawl(Seen("/b", at=DAY_2))
            other = stand.build()
            assert (other.manifest, other.wrote) == (1, True)
        return append_manifest(store, manifest, signer)

    monkeypatch.setattr(rolling, "append_manifest", lose_once)
    with stand.open() as archive:
        report = build_tables(archive)

    assert (report.manifest, report.wrote) == (1, False)
    assert raced == [1]
    assert [row["url"] for row in stand.read("captures", DAY_2)] == [url_of("gazette", "/b")]


def test_the_answer_to_our_own_put_may_be_lost(stand: Newsstand) -> None:
    stand.crawl(Seen("/a"))
    stand.build()
    manifest = stand.manifest()

    assert append_manifest(stand.store, manifest)
    assert not append_manifest(stand.store, replace(manifest, writer="another"))


def test_hostile_values_become_null_and_are_counted(stand: Newsstand) -> None:
    odd = {
        "authors": {"value": [1, None], "from": "json-ld"},
        "published": {"value": "yesterday", "from": "meta"},
        "language": {"value": {"de": 1}, "from": "meta"},
        "deep": [[["\x00\x1b[31m"]]],
    }
    stand.crawl(
        Seen("/a", fields=odd, title="\x00\u202e\x1b[2J"),
        Seen("/b", "x" * 3_000_000, fields={"authors": "Ada", "published": {"value": "2026-11-20"}, "language": None}),
        Seen("/c", fields={"published": {"value": "9999-12-31T23:00:00-05:00"}}),
        Seen("/d", None, status=1 << 40),
        Seen("/e", at=datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)),
        Seen("/f", at=datetime(1, 1, 1, tzinfo=UTC)),
        committed=DAY_1,
    )

    report = stand.build()

    assert report.days == ["0001-01-01", "2026-11-20", "9999-12-31"]
    rows = {row["url"]: row for row in stand.read("snapshots", DAY_1)}
    first = rows[url_of("gazette", "/a")]
    assert (first["authors"], first["published"], first["language"]) == (None, None, None)
    assert first["title"] == "\x00\u202e\x1b[2J"
    assert json.loads(first["fields"]) == odd
    second = rows[url_of("gazette", "/b")]
    assert (second["published"], second["authors"]) == (datetime(2026, 11, 20, tzinfo=UTC), None)
    assert len(second["text"]) == 3_000_005
    assert rows[url_of("gazette", "/c")]["published"] is None
    assert [row["status"] for row in stand.read("captures", DAY_1)][3] is None
    assert report.nulled == {
        "snapshots.authors": 2,
        "snapshots.published": 2,
        "snapshots.language": 1,
        "captures.status": 1,
    }
    assert [row["url"] for row in stand.read("revisions", "0001-01-01")] == [url_of("gazette", "/f")]


def test_a_source_that_cannot_be_read_stops_there_and_the_others_go_on(stand: Newsstand) -> None:
    stand.crawl(Seen("/a"))
    broken = stand.crawl(Seen("/b"))
    stand.crawl(Seen("/c"))
    stand.crawl(Seen("/a"), source="herald")
    data = bytearray(stand.store.get(broken.files[0].key))
    data[-20] ^= 1
    whole = stand.store.get(broken.files[0].key)
    stand.store.delete(broken.files[0].key)
    stand.store.create(broken.files[0].key, bytes(data), sha256=digest(bytes(data)))

    report = stand.build()

    assert list(report.stuck) == ["gazette"]
    assert {source: end.seq for source, end in stand.manifest().heads.items()} == {"gazette": 1, "herald": 1}
    assert [row["source"] for row in stand.read("captures", DAY_1)] == ["gazette", "herald"]

    stand.store.delete(broken.files[0].key)
    stand.store.create(broken.files[0].key, whole, sha256=digest(whole))
    report = stand.build()
    assert report.stuck == {}
    assert len(stand.read("captures", DAY_1)) == 4


def test_facts_of_a_source_that_broke_later_stay(stand: Newsstand) -> None:
    commit = stand.crawl(Seen("/a"))
    stand.crawl(Seen("/a"), source="herald")
    stand.build()
    stand.store.delete(commit.files[0].key)
    stand.crawl(Seen("/a", "Sun."), source="herald")

    report = stand.build()

    assert list(report.stuck) == ["gazette"]
    assert [row["source"] for row in stand.read("revisions", DAY_1)] == ["gazette", "herald", "herald"]
    assert [row["source"] for row in stand.read("captures", DAY_1)] == ["gazette", "herald", "herald"]


def test_files_say_what_they_are(stand: Newsstand, tmp_path: Path) -> None:
    stand.crawl(Seen("/a"))
    stand.build()
    file = next(file for file in stand.manifest().files if file.table == "captures")
    assert file.key == f"tables/captures/day=2026-11-20/{file.sha256[7:39]}.parquet"

    stand.store.fetch(file.key, tmp_path / "one.parquet")
    found = pq.read_metadata(tmp_path / "one.parquet")

    assert found.metadata[b"ofrecord.table"] == b"captures"
    assert found.metadata[b"ofrecord.day"] == b"2026-11-20"
    assert found.row_group(0).column(0).compression == "ZSTD"
    assert found.num_rows == file.rows == 1

"""The commands on folders: an archive with checkpoints, tables and feeds, its copy and a machine forget an article.

What a hunter of our own finds before, it must not find after. In buckets with versions: test_redaction_places.py.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from config.settings import Settings
from config.sources import load_sources
from jobs.compaction.running import Compaction
from jobs.context import open_archive
from jobs.feeds.writing import write_feeds
from jobs.search.index import INDEX_FILE, SearchIndex
from jobs.tables import build_tables
from tests.archives import NOON, PAGES, Page, finish_spool, write_segment
from tests.hunting import Hunter
from tests.installation import Ofrecord, install

if TYPE_CHECKING:
    from pathlib import Path

TITLE = "Quorvashtel resigned over the harbour affair"
LEAD = "Zilbratoken said so to this newspaper on Monday evening."
TEXTS = [
    "Mirkvandello had bought the land by the harbour, the documents show in every detail.",
    "Mirkvandello had leased the land by the harbour. Grottenblurg denies it in every detail.",
]
WORDS = ["quorvashtel", "zilbratoken", "mirkvandello", "grottenblurg"]
SECRET = Page("/2026/affair", TEXTS[0], title=TITLE, lead=LEAD)
SOURCE = {"home": "https://gazette.example/", "discover": [{"feed": "https://gazette.example/rss"}]}
OBJECTS: dict[str, Any] = {"raw_objects": True, "clean_objects": ["json", "txt"]}
RUNS = 14


def live(folder: Path, *, compacted: bool) -> None:
    """Let the article be captured, edited and told of by runs, and repack most of their segments if *compacted*."""
    settings = Settings(archive=str(folder / "archive"), state_dir=folder / "state", **OBJECTS)
    source = load_sources(folder / "config" / "sources")["gazette"]
    with open_archive(settings) as archive:
        for number in range(RUNS):
            now = NOON + timedelta(hours=number)
            other = replace(PAGES[0], words=f"The tax will rise by {number // 2} per cent, the minister said.")
            pages = [replace(SECRET, words=TEXTS[number // 7]), other]
            run = f"gazette-{now:%Y%m%dT%H%M%SZ}-{number:016x}"
            write_segment(archive.spool("gazette"), pages, archive=archive.info.archive, now=now, run=run)
            before = archive.catalog.head("gazette")[0]
            assert finish_spool(archive, source) == 1
            archive.refresh("gazette")
            write_feeds(
                archive.catalog,
                archive.store,
                archive.info.archive,
                settings,
                "gazette",
                after=before,
                now=datetime.now(UTC),
            )
        build_tables(archive)
        with SearchIndex.open(archive.state / INDEX_FILE) as index:
            index.fold(archive.catalog, archive.info.archive)
        if compacted:
            month = timedelta(days=30)
            assert Compaction(archive, "gazette", grace=month).compact(NOON + timedelta(hours=10)).segments >= 9


def hunt(*folders: Path) -> list[str]:
    hunter = Hunter([TITLE, LEAD, *TEXTS], WORDS)
    for folder in folders:
        hunter.look_below(folder)
    return hunter.found


def require_sound(ofrecord: Ofrecord) -> None:
    assert not ofrecord("verify", "--full", "--json").json()["damaged"]
    ofrecord("tables", "build")
    ofrecord("tables", "check", "--full")


@pytest.mark.parametrize("compacted", [False, True], ids=["as-it-grew", "compacted"])
def test_after_redact_finish_and_sync_it_is_nowhere(compacted: bool, tmp_path: Path) -> None:
    ofrecord = install(tmp_path, SOURCE, **OBJECTS)
    live(tmp_path, compacted=compacted)
    archive, copy, state = (tmp_path / name for name in ("archive", "copy", "state"))
    copy.mkdir()
    ofrecord("sync", archive, copy)
    found = hunt(archive, state, copy)
    for place in ("segments", "checkpoint", "tables", "feeds", "raw", "clean"):
        assert [one for one in found if f"{archive / place}/" in one], place
    for folder in (copy / "segments", copy / "checkpoint", copy / "tables", state):
        assert [one for one in found if f"{folder}/" in one], folder

    told = ofrecord("redact", SECRET.url, "--reason", "a court's order", "--grace", "0s")
    assert f"took out {RUNS} captures of articles" in told.stdout
    assert "articles:\n  exclude:\n    - '^https://gazette\\.example/2026/affair$'\n" in told.stdout
    assert "deleted" in ofrecord("redact", "--finish").stdout
    assert hunt(archive, state) == []
    assert hunt(copy)
    ofrecord("sync", archive, copy)
    assert hunt(copy) == []

    require_sound(ofrecord)
    assert hunt(archive, state) == []
    ofrecord("sync", archive, copy)
    assert hunt(copy) == []
    (copy / "planted").write_bytes(f"<h1>{TITLE}</h1>".encode())
    assert {one.partition(": ")[0] for one in hunt(copy)} == {str(copy / "planted")}

"""A redacted article is nowhere: in no version of any object of an archive or its copy, nor in a machine's state.

On a real S3 server, in buckets that keep versions. What a hunter of our own finds before, it must not find after.
"""

from __future__ import annotations

import hashlib
import secrets
import shutil
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import zstandard

from config.settings import Settings
from config.sources import Source
from jobs.archive.identity import create_archive
from jobs.cli.clearing import clear_places
from jobs.context import OpenArchive, open_archive
from jobs.deletion import finish_redactions
from jobs.feeds.writing import write_feeds
from jobs.redaction.redacting import RedactRequest, redact_articles
from jobs.search.index import INDEX_FILE, SearchIndex
from jobs.segments.seal import seal_segment
from jobs.store import ObjectStore, open_store
from jobs.sync import sync_archive
from jobs.tables import build_tables
from jobs.verify import verify_archive
from tests.archives import NOON, PAGES, Page, finish_spool, write_segment
from tests.hunting import Hunter

if TYPE_CHECKING:
    from collections.abc import Iterator

    from jobs.sync import SyncReport
    from tests.seaweed import S3Server

pytestmark = pytest.mark.s3

GAZETTE = Source(
    id="gazette",
    name="Gazette",
    home="https://gazette.example/",
    discover=[{"feed": "https://gazette.example/rss"}],
    articles={"include": ["."]},
)
TITLE = "Quorvashtel resigned over the harbour affair"
LEAD = "Zilbratoken said so to this newspaper on Monday evening."
TEXTS = [
    "Mirkvandello had bought the land by the harbour, the documents show in every detail.",
    "Mirkvandello had leased the land by the harbour, Frumpelwitz says in every detail.",
    "Mirkvandello had leased the land by the harbour. Grottenblurg denies it in every detail.",
]
WORDS = ["quorvashtel", "zilbratoken", "mirkvandello", "frumpelwitz", "grottenblurg"]
SECRET = Page("/2026/affair", TEXTS[0], title=TITLE, lead=LEAD)


@dataclass
class Place:
    """An archive in a bucket of its own, and the state folder of a machine."""

    server: S3Server
    bucket: str
    settings: Settings
    state: Path

    def hunt(self, *, bucket: bool = True, state: bool = True) -> list[str]:
        """Return where anything of the article is."""
        hunter = Hunter([TITLE, LEAD, *TEXTS], WORDS)
        if bucket:
            client = self.server.client()
            hunter.look_in_bucket(client, self.bucket)
            client.close()
        if state:
            hunter.look_below(self.state)
        return hunter.found

    def hunt_kinds(self) -> set[str]:
        """Return the folders of the bucket, and the files of the state, that have anything of it."""
        found = {one.partition(f"{self.bucket}/news/")[2].partition("/")[0] for one in self.hunt(state=False)}
        below = {Path(one.partition("!")[0].partition(": ")[0]) for one in self.hunt(bucket=False)}
        return found | {part for path in below for part in path.relative_to(self.state).parts}


@pytest.fixture
def place(s3_environment: S3Server, tmp_path: Path) -> Place:
    bucket = make_bucket(s3_environment)
    settings = Settings(
        archive=f"s3://{bucket}/news",
        s3_endpoint_url=s3_environment.endpoint_url,
        s3_path_style=True,
        state_dir=tmp_path / "state",
        raw_objects=True,
        clean_objects=["json", "md", "txt"],
    )
    create_archive(open_store(str(settings.archive), settings), single_writer=False, now=datetime.now(UTC))
    return Place(s3_environment, bucket, settings, tmp_path / "state")


def make_bucket(server: S3Server) -> str:
    client, name = server.client(), f"redaction-{secrets.token_hex(4)}"
    client.create_bucket(Bucket=name)
    client.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    client.close()
    return name


def close_segment(archive: OpenArchive, number: int, *pages: Page) -> Path:
    """Leave a closed segment of *pages*, captured *number* hours after noon, in the machine's spool."""
    now = NOON + timedelta(hours=number)
    run = f"gazette-{now:%Y%m%dT%H%M%SZ}-{secrets.token_hex(8)}"
    return write_segment(archive.spool("gazette"), pages, archive=archive.info.archive, now=now, run=run)


def crawl(archive: OpenArchive, number: int, *pages: Page) -> None:
    """Commit a run that captured *pages*, and tell of it as a run does."""
    close_segment(archive, number, *pages)
    before = archive.catalog.head("gazette")[0]
    assert finish_spool(archive, GAZETTE) == 1
    archive.refresh("gazette")
    write_feeds(
        archive.catalog,
        archive.store,
        archive.info.archive,
        archive.settings,
        "gazette",
        after=before,
        now=datetime.now(UTC),
    )


def live(archive: OpenArchive) -> None:
    """Let the article be captured, edited and told of, until there is something of it in every kind of object."""
    archive.spool("gazette").mkdir(parents=True)
    for number in range(12):
        text = TEXTS[min(number // 3, 2)]
        other = replace(PAGES[0], words=f"The tax will rise by {number // 2} per cent, the minister said on Monday.")
        crawl(archive, number, replace(SECRET, words=text), other)
        if number in {5, 9}:
            build_tables(archive)
            fold_index(archive)


def fold_index(archive: OpenArchive) -> None:
    with SearchIndex.open(archive.state / INDEX_FILE) as index:
        index.fold(archive.catalog, archive.info.archive)


def hide(archive: OpenArchive) -> None:
    """Leave what only older versions have, and an upload of before that no commit names."""
    (twin,) = [*archive.catalog.list_segments("gazette", after=0)][:1]
    data = archive.store.get(twin.rows.key)
    key = f"segments/gazette/sealed=2026-11-20/{twin.rows.key.rpartition('/')[2]}"
    archive.store.create(key, data, sha256=digest(data))
    layer = zstandard.compress(f"an older layer: {TITLE}".encode())
    archive.store.create("checkpoint/gazette/000000000005", layer, sha256=digest(layer))
    archive.store.delete("checkpoint/gazette/000000000005")
    archive.store.delete(next(archive.store.list("clean/gazette/")).key)


def digest(data: bytes) -> str:
    return "sha256:" + hashlib.sha256(data).hexdigest()


def wait_in_spool(archive: OpenArchive) -> None:
    """Leave segments that were captured before the redaction and are not committed yet: sealed, closed, half gone."""
    seal_segment(close_segment(archive, 20, replace(SECRET, words=TEXTS[1]), PAGES[1]), now=datetime.now(UTC))
    close_segment(archive, 21, replace(SECRET, words=TEXTS[2]), PAGES[1])
    gone = archive.spool("gazette") / "gone" / "gazette-20261122T120000Z-0123456789abcdef"
    shutil.copytree(next((archive.spool("gazette") / "closed").iterdir()), gone)
    (archive.spool("gazette") / "frontier").write_bytes(f"links that wait: {TITLE}".encode())


def redact(archive: OpenArchive, **options: Any) -> None:
    request = RedactRequest("gazette", frozenset({SECRET.url}), "a court's order", timedelta(0), **options)
    report = redact_articles(archive, request)
    assert (report.captures, report.source) == (12, "gazette")


def clear(archive: OpenArchive) -> None:
    """Do what the command does after its commit."""
    cleared = clear_places(archive, ["gazette"])
    assert (cleared.kept, [one.left for one in cleared.local]) == ({}, [{}])


def sync(place: Place, copy: ObjectStore) -> SyncReport:
    origin = open_store(str(place.settings.archive), place.settings)
    report = sync_archive(origin, copy)
    origin.close()
    assert (report.problems, report.kept) == ([], [])
    return report


@pytest.fixture
def told(place: Place) -> Iterator[OpenArchive]:
    """An archive that is full of the article."""
    with open_archive(place.settings) as archive:
        live(archive)
        hide(archive)
        yield archive


def test_after_redaction_and_sync_it_is_nowhere(place: Place, told: OpenArchive, tmp_path: Path) -> None:
    with ExitStack() as stack:
        copy_bucket = make_bucket(place.server)
        copy = open_store(f"s3://{copy_bucket}/news", place.settings)
        stack.callback(copy.close)
        replica = Place(place.server, copy_bucket, place.settings, tmp_path / "none")
        sync(place, copy)
        wait_in_spool(told)
        kinds = {"segments", "checkpoint", "tables", "feeds", "raw", "clean"}
        locals_ = {"catalog.sqlite", INDEX_FILE, "closed", "sealed", "gone", "frontier"}
        assert kinds | locals_ <= place.hunt_kinds()
        assert {"segments", "checkpoint", "tables"} <= replica.hunt_kinds()

        redact(told)
        clear(told)
        report = finish_redactions(told, "gazette")
        assert (report.kept, report.waiting) == ({}, {})
        clear(told)
        assert place.hunt() == []

        assert finish_spool(told, GAZETTE) == 2
        told.refresh()
        fold_index(told)
        build_tables(told)
        assert place.hunt() == []
        purged = sync(place, copy).purged
        assert {key.partition("/")[0] for key in purged} >= {"segments", "tables"}
        assert replica.hunt(state=False) == []
        for store in (told.store, copy):
            checked = verify_archive(store, full=True)
            assert not checked.damaged, [str(one) for one in checked.findings]
        assert sync(place, copy).purged == []
        plant_and_find(place, told)


def plant_and_find(place: Place, archive: OpenArchive) -> None:
    """Find what a single place that was forgotten would hold: the hunt finds nothing since there is nothing."""
    for key in ("checkpoint/gazette/000000000001", "raw/gazette/2026-11-22/x.html", "tables/captures/day=x/y.parquet"):
        data = zstandard.compress(f"<h1>{TITLE}</h1>".encode())
        archive.store.create(key, data, sha256=digest(data))
        archive.store.delete(key)
        assert {one.partition("@")[0] for one in place.hunt(state=False)} == {f"s3://{place.bucket}/news/{key}"}
        archive.store.purge(key)
    assert place.hunt(state=False) == []

"""What the README shows: DuckDB, pandas and pyarrow read the tables by the manifest, on a disk and on real S3."""

from __future__ import annotations

import json
import secrets
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import duckdb
import pandas as pd
import pyarrow.dataset as ds
import pytest
from pyarrow import fs

from config.settings import Settings
from jobs.store import open_store
from jobs.store.local import LocalStore
from jobs.tables.schema import TABLES
from tests.proxy import Proxy
from tests.rollups import DAY_1, DAY_2, Newsstand, Seen, count_files, link_to

if TYPE_CHECKING:
    from pathlib import Path

    from tests.seaweed import S3Server

SOURCES = [f"paper-{number:02d}" for number in range(50)]


def fill(stand: Newsstand, *, crawls: int = 2) -> None:
    """Let 50 sources be crawled, each changing one article and losing another, and build after each crawl."""
    for number in range(crawls):
        at = DAY_1 + number * timedelta(hours=1)
        for source in SOURCES:
            pages = [Seen("/tax", f"The tax will rise by {number} %.", at=at, title="Tax"), Seen("/library", at=at)]
            stand.crawl(*pages, source=source, links=(link_to(f"/{number}", at, source=source),))
        stand.build()
    stand.crawl(Seen("/tax", "The day after.", at=DAY_2, title="\x00Tax"), source=SOURCES[0])
    stand.build()


def read_manifest(files: Any, root: str) -> dict[str, Any]:
    """As the README has it: the newest manifest, by pyarrow alone."""
    names = [info.path for info in files.get_file_info(fs.FileSelector(f"{root}/tables")) if "/manifest-" in info.path]
    with files.open_input_stream(max(names)) as stream:
        return dict(json.loads(stream.readall().splitlines()[0]))


def open_table(files: Any, root: str, table: str, day: str | None = None) -> Any:
    """As the README has it: the files that the newest manifest lists for a table, as one dataset."""
    listed = read_manifest(files, root)["files"]
    paths = [f"{root}/{file['key']}" for file in listed if file["table"] == table and day in {None, file["day"]}]
    return ds.dataset(paths, filesystem=files, format="parquet")


@pytest.fixture(scope="module")
def stand(tmp_path_factory: pytest.TempPathFactory) -> Newsstand:
    """Fifty sources with their tables, which are only read."""
    folder = tmp_path_factory.mktemp("stand")
    (folder / "archive").mkdir()
    (folder / "work").mkdir()
    stand = Newsstand(LocalStore(folder / "archive"), folder / "work")
    fill(stand)
    return stand


def test_a_day_of_fifty_sources_is_four_files(stand: Newsstand) -> None:
    assert count_files(stand.manifest()) == {"2026-11-20": 4, "2026-11-21": 3}


def test_duckdb_reads_the_listed_files(stand: Newsstand) -> None:
    listed = {
        table: [f"{stand.store.url}/{file.key}" for file in stand.manifest().files if file.table == table]
        for table in TABLES
    }

    changed = duckdb.execute(
        "SELECT source, url, count(*) AS revisions FROM read_parquet(?) GROUP BY ALL HAVING count(*) > 1 ORDER BY ALL",
        [listed["revisions"]],
    ).fetchall()
    texts = duckdb.execute(
        "SELECT r.number, s.text FROM read_parquet(?) r JOIN read_parquet(?) s USING (segment, n)"
        " WHERE r.source = 'paper-00' AND r.title = 'Tax' AND s.native ORDER BY r.number",
        [listed["revisions"], listed["snapshots"]],
    ).fetchall()
    times = duckdb.execute(
        "SELECT count(*), min(captured_at) = TIMESTAMPTZ '2026-11-20 12:00:00Z' FROM read_parquet(?)",
        [listed["captures"]],
    ).fetchone()

    assert len(changed) == 50
    assert changed[0] == ("paper-00", "https://paper-00.example/tax", 3)
    assert texts == [(1, "Tax\nThe tax will rise by 0 %."), (2, "Tax\nThe tax will rise by 1 %.")]
    assert times == (201, True)
    assert duckdb.execute("SELECT title FROM read_parquet(?) WHERE number = 3", [listed["revisions"]]).fetchall() == [
        ("\x00Tax",)
    ]


def test_pandas_reads_the_listed_files(stand: Newsstand) -> None:
    paths = [f"{stand.store.url}/{file.key}" for file in stand.manifest().files if file.table == "captures"]

    frame = pd.concat(pd.read_parquet(path) for path in paths)

    assert len(frame) == 201
    assert frame.groupby("source").size().max() == 5
    assert str(frame["captured_at"].dt.tz) == "UTC"
    assert frame["directives"].iloc[0].tolist() == ["noai"]


def test_pyarrow_reads_them_by_the_manifest_alone(stand: Newsstand) -> None:
    files, root = fs.LocalFileSystem(), stand.store.url

    captures = open_table(files, root, "captures", "2026-11-20")

    assert captures.count_rows() == 200
    assert captures.to_table(filter=ds.field("source") == "paper-07", columns=["url"]).num_rows == 4


def test_the_old_files_of_a_day_are_not_read(stand: Newsstand) -> None:
    everything = ds.dataset(f"{stand.store.url}/tables/captures", format="parquet").count_rows()

    assert everything > open_table(fs.LocalFileSystem(), stand.store.url, "captures").count_rows()


def test_a_query_over_a_day_on_s3_takes_few_requests(s3_environment: S3Server, tmp_path: Path) -> None:
    place = f"{s3_environment.bucket}/{secrets.token_hex(4)}/news"
    settings = Settings(s3_endpoint_url=s3_environment.endpoint_url, s3_path_style=True)
    stand = Newsstand(open_store(f"s3://{place}", settings), tmp_path)
    fill(stand)

    with Proxy(s3_environment.endpoint_url) as proxy:
        files = fs.S3FileSystem(
            access_key=s3_environment.access_key,
            secret_key=s3_environment.secret_key,
            region=s3_environment.region,
            endpoint_override=proxy.url.removeprefix("http://"),
            scheme="http",
        )
        revisions = open_table(files, place, "revisions", "2026-11-20")
        snapshots = open_table(files, place, "snapshots", "2026-11-20")
        found = duckdb.execute(
            "SELECT count(*), count(DISTINCT r.source) FROM revisions r JOIN snapshots s USING (segment, n)"
        ).fetchall()
        requests = proxy.total

    assert found == [(150, 50)]
    assert len(revisions.files) + len(snapshots.files) == 2
    assert requests <= 20, proxy.requests

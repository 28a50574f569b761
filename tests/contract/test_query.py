"""A query over a bucket reads the same as over a folder, by ranges, with the store's own credentials."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from jobs.query import ask_tables
from jobs.store.s3 import S3Store
from jobs.store.s3.connection import S3Options
from tests.rollups import DAY_2, Newsstand, Seen

if TYPE_CHECKING:
    from pathlib import Path

    from tests.seaweed import S3Server


def test_tables_in_a_bucket(s3_environment: S3Server, tmp_path: Path) -> None:
    options = S3Options(endpoint_url=s3_environment.endpoint_url)
    store = S3Store(s3_environment.bucket, prefix=f"query-{uuid.uuid4().hex}", options=options)
    stand = Newsstand(store, tmp_path)
    stand.crawl(Seen("/a"), Seen("/b"))
    stand.crawl(Seen("/a", "It pours.", at=DAY_2))
    stand.build()
    with ask_tables(store, stand.info, "select url, before, after from edits") as answer:
        assert list(answer.rows) == [("https://gazette.example/a", "Rain\nIt rains.", "Rain\nIt pours.")]
    store.close()

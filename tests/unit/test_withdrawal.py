"""By which redaction a capture went, where a segment was written anew for several, and by a compaction since."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from jobs.archive.commit import commit_key
from jobs.compaction.running import Compaction
from jobs.redaction.redacting import RedactRequest, redact_articles
from jobs.withdrawal import Withdrawals
from tests.archives import SOURCE
from tests.real_archives import build_revisited
from tests.unit.test_redaction import open_archive

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from jobs.context import OpenArchive


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[OpenArchive]:
    """Two articles of the same three segments, taken out by commits 4 and 5, for reasons of their own."""
    with open_archive(build_revisited(tmp_path / "spool").store, tmp_path / "state") as archive:
        archive.refresh()
        for number, url in enumerate(list_urls(archive)):
            request = RedactRequest(SOURCE, frozenset([url]), f"reason {number}", timedelta())
            assert redact_articles(archive, request).commits == [4 + number]
        yield archive


def list_urls(archive: OpenArchive) -> list[str]:
    urls = [row["url"] for row in archive.catalog.list_articles()]
    return sorted(url for url in urls if url != "https://espanol.almayadeen.net/")


def tell(archive: OpenArchive) -> list[set[str]]:
    """Return what is said of the captures of each article."""
    withdrawals = Withdrawals(archive.catalog, archive.store)
    captures = [archive.catalog.list_captures(SOURCE, url) for url in list_urls(archive)]
    assert [len(found) for found in captures] == [3, 3]
    return [{str(withdrawals.find(one)) for one in found} for found in captures]


def test_each_article_names_the_commit_that_took_it_out(archive: OpenArchive) -> None:
    commits = [archive.log(SOURCE).get(4 + number).commit for number in range(2)]
    wanted = [
        {f"redacted on {one.committed:%Y-%m-%d %H:%M:%S}Z by commit {one.seq}: reason {number}"}
        for number, one in enumerate(commits)
    ]
    assert tell(archive) == wanted
    now = datetime.now(UTC)
    Compaction(archive, SOURCE, grace=timedelta()).compact(now + timedelta(days=1))
    assert (
        archive.catalog.find_redaction(archive.catalog.list_captures(SOURCE, list_urls(archive)[0])[0].segment) is None
    )
    assert tell(archive) == wanted


def test_where_commits_cannot_be_read_the_reason_is_left(archive: OpenArchive) -> None:
    for seq in (4, 5):
        archive.store.delete(commit_key(SOURCE, seq))
    assert [{one.rpartition(": ")[2] for one in said} for said in tell(archive)] == [{"reason 0"}, {"reason 1"}]


def test_what_was_not_taken_out_is_not_said_to_be(tmp_path: Path) -> None:
    with open_archive(build_revisited(tmp_path / "spool").store, tmp_path / "state") as archive:
        archive.refresh()
        assert tell(archive) == [{"None"}, {"None"}]

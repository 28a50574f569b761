"""A sealed segment's rows are read from this disk only where they are as they were sealed."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from crawler.spool import WARC_FILE
from jobs.archive.facts import read_rows
from jobs.segments.seal import SealedSegment, open_local_rows, seal_segment
from tests.archives import PAGES, write_segment

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture
def sealed(tmp_path: Path) -> SealedSegment:
    return seal_segment(write_segment(tmp_path, PAGES, archive="0" * 32), now=datetime.now(UTC))


def test_the_rows_of_a_sealed_segment_are_read_from_its_file(sealed: SealedSegment) -> None:
    with open_local_rows(sealed) as rows:
        assert rows is not None
        kinds = [type(row).__name__ for _, row in read_rows(rows, "here")]
    assert kinds[0] == "SegmentRow"
    assert kinds.count("CaptureRow") == sealed.draft.counts["captures"] == len(PAGES)


@pytest.mark.parametrize(
    "change",
    [lambda data: data[:-1], lambda data: data + b"?", lambda data: data[:-9] + bytes([data[-9] ^ 1]) + data[-8:]],
    ids=["cut", "longer", "altered"],
)
def test_rows_that_are_not_as_they_were_sealed_are_not_read(
    sealed: SealedSegment, change: Callable[[bytes], bytes]
) -> None:
    file = sealed.path / WARC_FILE
    file.write_bytes(change(file.read_bytes()))
    with open_local_rows(sealed) as rows:
        assert rows is None

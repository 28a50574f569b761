"""Out of compacted objects, too: nothing of the article is left in any frame or dictionary, and all else stands."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from config.settings import Settings
from jobs.archive.identity import create_archive
from jobs.archive.ranges import COMPACTED, fetch_range
from jobs.compaction.running import Compaction
from jobs.context import open_archive
from jobs.deletion import finish_redactions
from jobs.redaction.redacting import RedactRequest, redact_articles
from jobs.segments.pages import CapturePlaces, read_capture
from jobs.store.local import LocalStore
from jobs.verify import verify_archive
from tests.archives import NOON, PAGES, SOURCE, Page, commit_segment, write_segment
from tests.faults import damage
from tests.hunting import Hunter

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from jobs.context import OpenArchive
    from jobs.redaction.redacting import RedactReport

LATER = NOON + timedelta(days=1)
NO_TIME, MONTH = timedelta(0), timedelta(days=30)
TEXT = "Mirkvandello had bought the land by the harbour, the documents show in every detail."
SECRET = Page("/2026/affair", TEXT, title="Quorvashtel resigned over the harbour affair")


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[OpenArchive]:
    """Four segments; the second and the third have the article, and the article's words are what they differ by."""
    (tmp_path / "archive").mkdir()
    store = LocalStore(tmp_path / "archive")
    info = create_archive(store, single_writer=False, now=NOON)
    last = None
    for number in range(4):
        now = NOON + timedelta(hours=number)
        pages = [replace(page, words=f"{page.words} {number}" + " As it was before." * 50) for page in PAGES]
        pages += [replace(SECRET, words=f"{TEXT} {number}" * 20)] * (number in {1, 2})
        closed = write_segment(tmp_path, pages, archive=info.archive, now=now)
        last = commit_segment(store, info, closed, now=now, after=last)  # type: ignore[arg-type]
    with open_archive(Settings(archive=str(tmp_path / "archive"), state_dir=tmp_path / "state")) as opened:
        opened.refresh(SOURCE)
        yield opened


def compact(archive: OpenArchive, grace: timedelta = NO_TIME) -> None:
    Compaction(archive, SOURCE, grace=grace).compact(LATER)


def redact(archive: OpenArchive, grace: timedelta = NO_TIME) -> RedactReport:
    report = redact_articles(archive, RedactRequest(SOURCE, frozenset({SECRET.url}), "a court's order", grace))
    assert (report.captures, len(report.segments), len(report.commits)) == (2, 2, 1)
    return report


def hunt(archive: OpenArchive) -> list[str]:
    hunter = Hunter([TEXT, str(SECRET.title)], ["mirkvandello", "quorvashtel"])
    for item in archive.store.list("segments/"):
        hunter.look(item.key, archive.store.get(item.key))
    return hunter.found


def list_told(archive: OpenArchive) -> set[str]:
    """Return the segments that verify tells to be redacted, each in an object that is there."""
    found = [one for one in verify_archive(archive.store, full=True).findings if one.severity == "redacted"]
    keys = {item.key for item in archive.store.list("segments/")}
    assert all(one.key in keys and "commit " in one.message and "a court's order" in one.message for one in found)
    return {one.message.split()[1] for one in found}


def read_others(archive: OpenArchive) -> list[tuple[str, bytes]]:
    found = []
    for page in PAGES:
        for capture in archive.catalog.list_captures(SOURCE, page.url):
            places = CapturePlaces.of(capture)
            assert places is not None
            exchange = read_capture(lambda one: fetch_range(archive.store, one.key, one.offset, one.length), places)
            found.append((exchange.url, exchange.body))
    return found


def test_it_is_in_no_frame_and_no_dictionary_of_the_object_that_takes_the_place(archive: OpenArchive) -> None:
    others = read_others(archive)
    compact(archive)
    compact(archive)  # what lay there before is gone
    assert [item.key.endswith(COMPACTED) for item in archive.store.list("segments/")] == [True]
    assert hunt(archive)
    (old,) = [item.key for item in archive.store.list("segments/")]

    assert redact(archive).replaced == [old]
    assert finish_redactions(archive, SOURCE).deleted == [old]
    (new,) = [item.key for item in archive.store.list("segments/")]
    assert new.endswith(COMPACTED)
    assert hunt(archive) == []
    assert read_others(archive) == others
    assert {one.page_class for one in archive.catalog.list_captures(SOURCE, SECRET.url)} == {"redacted"}
    assert damage(verify_archive(archive.store, full=True)) == []
    with open_archive(archive.settings.override(state_dir=archive.settings.state_dir / "anew")) as anew:  # type: ignore[operator]
        anew.refresh(SOURCE)
        assert read_others(anew) == others
    Compaction(archive, SOURCE, grace=NO_TIME).restore()
    compact(archive)
    assert read_others(archive) == others
    assert hunt(archive) == []
    assert damage(verify_archive(archive.store, full=True)) == []


def test_what_it_lay_in_before_goes_with_it(archive: OpenArchive) -> None:
    before = [item.key for item in archive.store.list("segments/")]
    compact(archive, MONTH)
    (packed,) = {item.key for item in archive.store.list("segments/")} - {*before}
    report = redact(archive)
    assert sorted(report.replaced) == sorted([packed, *before[1:3]])
    assert finish_redactions(archive, SOURCE).deleted == sorted(report.replaced)
    assert hunt(archive) == []
    assert {item.key for item in archive.store.list("segments/")} > {before[0], before[3]}
    assert damage(verify_archive(archive.store, full=True)) == []


def test_a_second_redaction_lets_the_object_before_the_first_go_no_later(archive: OpenArchive) -> None:
    other = replace(SECRET, path=PAGES[0].path)
    first = redact_articles(archive, RedactRequest(SOURCE, frozenset({other.url}), "asked for", MONTH))
    assert hunt(archive)
    second = redact(archive)
    assert {*second.replaced} > {*first.replaced[1:3]}
    finish_redactions(archive, SOURCE)
    assert hunt(archive) == []
    assert damage(verify_archive(archive.store, full=True)) == []


def test_verify_tells_those_that_lost_something_and_no_others_wherever_they_lie(archive: OpenArchive) -> None:
    compact(archive)
    lost = {*redact(archive).segments}
    assert len(lost) == 2
    assert list_told(archive) == lost
    finish_redactions(archive, SOURCE)
    work = Compaction(archive, SOURCE, grace=NO_TIME)
    work.restore()
    assert list_told(archive) == lost
    compact(archive)
    assert list_told(archive) == lost
    assert damage(verify_archive(archive.store, full=True)) == []


def test_so_it_does_of_segments_that_are_compacted_later(archive: OpenArchive) -> None:
    lost = {*redact(archive).segments}
    assert list_told(archive) == lost
    compact(archive)
    compact(archive)
    assert list_told(archive) == lost

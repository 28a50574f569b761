"""Which captures of an article are compared."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from jobs.catalog import StoredCapture
from jobs.learning.sampling import pick_captures

FIRST = StoredCapture(
    url="https://gazette.example/1",
    captured_at=datetime(2026, 11, 22, tzinfo=UTC),
    segment="gazette-20261122T000000Z-0000000000000000",
    n=1,
    run="r",
    status=200,
    page_class="article",
    class_reason="",
    verdict="new",
    revision=1,
    error=None,
    warc_key="a",
    response_offset=0,
    response_length=10,
    source="gazette",
    target_uri="https://gazette.example/1",
    payload_key="a",
    payload_offset=0,
    payload_length=10,
)


def later(hours: int, **changes: object) -> StoredCapture:
    changed = {"n": hours, "response_offset": hours, "payload_offset": hours, **changes}
    return replace(FIRST, captured_at=FIRST.captured_at + timedelta(hours=hours), **changed)  # type: ignore[arg-type]


def test_the_newest_different_pages_come_oldest_first() -> None:
    captures = [FIRST, *(later(hour) for hour in range(1, 6))]
    assert pick_captures(captures, 3) == captures[3:]
    assert pick_captures(captures[::-1], 3) == captures[3:]


def test_a_page_that_was_served_again_counts_once() -> None:
    revisit = later(7, payload_offset=2)  # a revisit of what `later(2)` brought
    assert pick_captures([FIRST, later(2), revisit], 3) == [FIRST, revisit]


def test_what_has_no_text_is_passed_over() -> None:
    bad = [
        later(1, status=404),
        later(2, status=304),
        later(3, page_class="challenge"),
        later(4, response_offset=None),
        later(5, page_class="consent"),
    ]
    assert pick_captures([FIRST, *bad, later(6, page_class="live")], 3) == [FIRST, later(6, page_class="live")]

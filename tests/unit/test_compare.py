"""The crawler's guess of a verdict, and which announced articles are worth a request."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from crawler.compare import LastLook, LastVersion, guess_verdict, is_wanted
from crawler.model import Link, PageClass, Snapshot

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
OURS, OTHER = "sha256:" + "a" * 64, "sha256:" + "b" * 64
TEXT, EARLIER_TEXT = "sha256:" + "1" * 64, "sha256:" + "2" * 64


def _snapshot() -> Snapshot:
    return Snapshot(
        page_class=PageClass.ARTICLE,
        class_reason="it has a body",
        title="Budget",
        lead=None,
        text="Budget\nIt will rise.",
        text_digest=TEXT,
        derivation=OURS,
        fields={},
        confidence=0.9,
    )


def _last(texts: dict[str, str], state: str = "live") -> LastVersion:
    return LastVersion(captured_at=NOON, texts=texts, state=state)


@pytest.mark.parametrize(
    ("last", "verdict"),
    [
        (None, "new"),
        (_last({}, "none"), "new"),
        (_last({OURS: TEXT}), "unchanged"),
        (_last({OURS: TEXT, OTHER: EARLIER_TEXT}), "unchanged"),
        (_last({OURS: EARLIER_TEXT}), "revised"),
        (_last({OTHER: TEXT}), "uncompared"),
        (_last({OURS: TEXT}, "suspected"), "returned"),
        (_last({OURS: TEXT}, "gone"), "returned"),
        (_last({OURS: EARLIER_TEXT}, "gone"), "revised"),
    ],
)
def test_a_good_capture_is_compared_within_its_derivation(last: LastVersion | None, verdict: str) -> None:
    assert guess_verdict(_snapshot(), PageClass.ARTICLE, 200, last) == verdict


@pytest.mark.parametrize(
    ("page_class", "status", "state", "verdict"),
    [
        (PageClass.ERROR, 404, "live", "suspected"),
        (PageClass.ERROR, 410, "suspected", "gone"),
        (PageClass.ERROR, 451, "gone", "gone"),
        (PageClass.SOFT_404, 200, "live", "suspected"),
        (PageClass.BLOCKED, None, "live", "suspected"),
        (PageClass.BLOCKED, None, "suspected", "gone"),
        (PageClass.BLOCKED, None, "none", "bad"),
        (PageClass.ERROR, 404, "none", "bad"),
        (PageClass.ERROR, 500, "live", "bad"),
        (PageClass.ERROR, None, "suspected", "bad"),
        (PageClass.CHALLENGE, 200, "live", "bad"),
        (PageClass.ARTICLE, 200, "live", "bad"),
    ],
)
def test_without_a_snapshot_only_evidence_of_deletion_counts(
    page_class: PageClass, status: int | None, state: str, verdict: str
) -> None:
    assert guess_verdict(None, page_class, status, _last({OURS: TEXT}, state)) == verdict


@pytest.mark.parametrize(
    ("last", "verdict"),
    [
        (None, "new"),
        (_last({}, "none"), "new"),
        (_last({OURS: TEXT}), "bad"),
        (replace(_last({OURS: TEXT}), excerpt=True), "unchanged"),
        (replace(_last({OURS: EARLIER_TEXT}), excerpt=True), "revised"),
        (replace(_last({OURS: TEXT}, "gone"), excerpt=True), "returned"),
    ],
)
def test_an_excerpt_counts_until_the_whole_was_had(last: LastVersion | None, verdict: str) -> None:
    assert guess_verdict(_snapshot(), PageClass.TRUNCATED, 200, last) == verdict


def test_a_page_that_was_never_there_is_not_gone() -> None:
    assert guess_verdict(None, PageClass.ERROR, 404, None) == "bad"


@pytest.mark.parametrize(
    ("modified", "wanted"),
    [
        (None, False),
        (NOON, False),
        (NOON + timedelta(seconds=1), True),
        (NOON - timedelta(days=1), False),
        (NOON + timedelta(days=1), True),
        (NOON + timedelta(days=1, seconds=1), False),
        (NOON.replace(year=2099), False),
    ],
)
def test_a_known_article_is_wanted_if_its_announcement_is_newer(*, modified: datetime | None, wanted: bool) -> None:
    link = Link(url="https://gazette.example/1", via="https://gazette.example/rss", modified=modified)
    assert is_wanted(link, LastLook(NOON), now=NOON) is wanted


def test_an_article_that_was_never_had_is_wanted() -> None:
    link = Link(url="https://gazette.example/1", via="https://gazette.example/rss")
    assert is_wanted(link, None, now=NOON)
    assert is_wanted(link, LastLook(NOON, "none"), now=NOON)

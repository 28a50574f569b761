"""Every rule of FORMAT.md § 7, and what happened to the seed article."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from jobs.fold import CaptureFact, History, State, Verdict, describe_evidence, fold_article

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
OLD, NEW = "sha256:old", "sha256:new"


def good(
    hour: int, text: str | None, *, run: str = "", native: str = OLD, page_class: str = "article", **others: str
) -> CaptureFact:
    """A page with *text* in its native derivation; *others*: derivation (`old`, `new`, …) → text."""
    texts = {f"sha256:{name}": value for name, value in others.items()}
    return CaptureFact(
        captured_at=NOON + timedelta(hours=hour),
        segment=f"gazette-{hour:02d}",
        n=0,
        run=run or f"run-{hour}",
        status=200,
        page_class=page_class,
        native=native if text is not None else None,
        texts=texts | ({native: text} if text is not None else {}),
    )


def bad(hour: int, *, status: int | None, page_class: str = "error", run: str = "") -> CaptureFact:
    """A capture without a text."""
    return CaptureFact(
        captured_at=NOON + timedelta(hours=hour),
        segment=f"gazette-{hour:02d}",
        n=0,
        run=run or f"run-{hour}",
        status=status,
        page_class=page_class,
        native=None,
        texts={},
    )


def gone(hour: int, status: int = 404, run: str = "") -> CaptureFact:
    return bad(hour, status=status, run=run)


def told(*facts: CaptureFact) -> list[tuple[str, int | None]]:
    """Verdict and revision of each capture in order of time."""
    return [(judged.verdict.value, judged.revision) for judged in fold_article(facts).captures]


def verdicts(*facts: CaptureFact) -> str:
    return " ".join(verdict for verdict, _ in told(*facts))


def texts(history: History) -> list[dict[str, str]]:
    return [revision.texts for revision in history.revisions]


def test_nothing_known() -> None:
    assert fold_article([]) == History((), (), State.NONE)


# --- rules 1 and 2: what is good, what is new


@pytest.mark.parametrize("page_class", ["article", "live", "video", "gallery", "infograph"])
def test_first_good_capture_is_new(page_class: str) -> None:
    assert told(good(0, "a", page_class=page_class)) == [("new", 1)]


@pytest.mark.parametrize("page_class", ["listing", "challenge", "consent", "error", "later"])
def test_other_classes_are_bad_with_or_without_a_text(page_class: str) -> None:
    history = fold_article([good(0, "a", page_class=page_class)])
    assert [judged.verdict for judged in history.captures] == [Verdict.BAD]
    assert (history.revisions, history.state) == ((), State.NONE)


def test_good_class_without_a_text_is_bad() -> None:
    assert verdicts(good(0, None)) == "bad"


def test_derived_text_alone_makes_no_capture_good() -> None:
    """A page that gave no text when it was captured says nothing, whatever a later extractor reads in it."""
    assert verdicts(good(0, None, new="a")) == "bad"


def test_new_waits_for_the_first_good_capture() -> None:
    assert told(bad(0, status=None), bad(1, status=503), good(2, "a")) == [("bad", None), ("bad", None), ("new", 1)]


# --- rule 1: what a pay wall leaves


def excerpt(hour: int, text: str | None, **others: str) -> CaptureFact:
    return good(hour, text, page_class="truncated", **others)


def test_what_is_always_behind_a_wall_has_a_history() -> None:
    facts = [excerpt(0, "a"), excerpt(1, "a"), excerpt(2, "b"), excerpt(3, "a"), gone(4), gone(5), excerpt(6, "a")]
    assert told(*facts) == [
        *(("new", 1), ("unchanged", 1), ("revised", 2), ("reverted", 1)),
        *(("suspected", None), ("gone", None), ("returned", 1)),
    ]


def test_an_excerpt_never_takes_the_place_of_a_whole_text() -> None:
    facts = [excerpt(0, "a"), good(1, "abc"), excerpt(2, "a"), excerpt(3, "b"), good(4, "abc")]
    assert told(*facts) == [("new", 1), ("revised", 2), ("bad", None), ("bad", None), ("unchanged", 2)]
    assert fold_article(facts[:4]).state is State.LIVE


def test_a_whole_text_that_comes_late_takes_back_what_excerpts_told() -> None:
    assert told(good(0, "abc"), excerpt(1, "a"), excerpt(2, "b")) == [("new", 1), ("bad", None), ("bad", None)]


def test_a_whole_text_without_a_derivation_in_common_is_not_compared_and_yet_ends_the_excerpts() -> None:
    facts = [excerpt(0, "a"), good(1, "abc", native=NEW), excerpt(2, "b")]
    assert told(*facts) == [("new", 1), ("uncompared", None), ("bad", None)]


def test_an_excerpt_ends_a_suspicion_only_where_it_tells() -> None:
    assert verdicts(good(0, "abc"), gone(1), excerpt(2, "a"), gone(3)) == "new suspected bad gone"
    assert verdicts(excerpt(0, "a"), gone(1), excerpt(2, "a"), gone(3)) == "new suspected returned suspected"


def test_an_excerpt_without_a_text_is_bad() -> None:
    assert verdicts(excerpt(0, None)) == "bad"


# --- rule 3: comparing


def test_unchanged() -> None:
    history = fold_article([good(0, "a"), good(1, "a"), good(2, "a")])
    assert [judged.verdict for judged in history.captures] == ["new", "unchanged", "unchanged"]
    assert [(revision.number, revision.captures) for revision in history.revisions] == [(1, 3)]
    assert history.state is State.LIVE


def test_revised() -> None:
    assert told(good(0, "a"), good(1, "b"), good(2, "c")) == [("new", 1), ("revised", 2), ("revised", 3)]


def test_reverted_to_any_earlier_text() -> None:
    facts = [good(0, "a"), good(1, "b"), good(2, "a"), good(3, "a"), good(4, "b"), good(5, "c")]
    assert told(*facts) == [
        ("new", 1),
        ("revised", 2),
        ("reverted", 1),
        ("unchanged", 1),
        ("reverted", 2),
        ("revised", 3),
    ]
    assert [revision.captures for revision in fold_article(facts).revisions] == [3, 2, 1]


def test_returned_after_evidence_of_deletion() -> None:
    assert verdicts(good(0, "a"), gone(1), good(2, "a")) == "new suspected returned"
    assert verdicts(good(0, "a"), gone(1), gone(2), good(3, "a")) == "new suspected gone returned"


def test_another_text_after_deletion_is_a_revision_or_a_reversion() -> None:
    assert told(good(0, "a"), gone(1), good(2, "b"))[-1] == ("revised", 2)
    assert told(good(0, "a"), good(1, "b"), gone(2), good(3, "a"))[-1] == ("reverted", 1)


def test_returned_only_once() -> None:
    assert verdicts(good(0, "a"), gone(1), good(2, "a"), good(3, "a")) == "new suspected returned unchanged"


# --- rules 3 and 4: derivations


def test_new_derivation_without_rederived_texts_is_uncompared() -> None:
    history = fold_article([good(0, "a"), good(1, "A", native=NEW), good(2, "B", native=NEW)])
    assert [(judged.verdict, judged.revision) for judged in history.captures] == [
        ("new", 1),
        ("uncompared", None),
        ("uncompared", None),
    ]
    assert texts(history) == [{OLD: "a"}]
    assert history.state is State.LIVE


def test_new_derivation_over_an_unchanged_page_adds_no_revision() -> None:
    history = fold_article([good(0, "a", new="A"), good(1, "A", native=NEW)])
    assert [judged.verdict for judged in history.captures] == ["new", "unchanged"]
    assert texts(history) == [{OLD: "a", NEW: "A"}]


def test_new_derivation_over_a_changed_page_is_a_revision() -> None:
    history = fold_article([good(0, "a", new="A"), good(1, "B", native=NEW), good(2, "A", native=NEW)])
    assert [judged.verdict for judged in history.captures] == ["new", "revised", "reverted"]
    assert texts(history) == [{OLD: "a", NEW: "A"}, {NEW: "B"}]


def test_rederived_texts_may_come_late() -> None:
    """Facts that come later make a statement where there was none, and only there."""
    assert verdicts(good(0, "a"), good(1, "A", native=NEW), good(2, "b")) == "new uncompared revised"
    assert verdicts(good(0, "a", new="A"), good(1, "A", native=NEW), good(2, "b")) == "new unchanged revised"


def test_own_derivation_goes_before_others() -> None:
    """Both have texts in both derivations; the capture's own says unchanged, the other one revised."""
    first = good(0, "a", new="A")
    assert verdicts(first, good(1, "A", native=NEW, old="other")) == "new unchanged"
    assert verdicts(first, good(1, "other", native=NEW, old="a")) == "new revised"


def test_smallest_common_derivation_where_the_own_one_is_unknown() -> None:
    first = good(0, "a", b="x", c="y")
    assert verdicts(first, good(1, "z", native="sha256:z", b="x", c="other")) == "new unchanged"
    assert verdicts(first, good(1, "z", native="sha256:z", b="other", c="y")) == "new revised"


def test_first_text_of_a_revision_counts_where_captures_differ() -> None:
    history = fold_article([good(0, "a"), good(1, "a", new="A"), good(2, "a", new="other"), good(3, "A", native=NEW)])
    assert [judged.verdict for judged in history.captures] == ["new", "unchanged", "unchanged", "unchanged"]
    assert texts(history) == [{OLD: "a", NEW: "A"}]


def test_a_capture_with_both_texts_bridges_an_upgrade() -> None:
    """The revision gets its text in the new derivation from a later capture, so no first raw need be derived again."""
    facts = [good(0, "a"), good(1, "a", new="A"), good(2, "A", native=NEW)]
    assert verdicts(*facts) == "new unchanged unchanged"


def test_uncompared_leaves_the_last_revision_as_it_was() -> None:
    facts = [good(0, "a"), good(1, "A", native=NEW), good(2, "a"), good(3, "b")]
    assert told(*facts) == [("new", 1), ("uncompared", None), ("unchanged", 1), ("revised", 2)]


def test_uncompared_ends_a_suspicion() -> None:
    history = fold_article([good(0, "a"), gone(1), good(2, "A", native=NEW), gone(3)])
    assert [judged.verdict for judged in history.captures] == ["new", "suspected", "uncompared", "suspected"]


# --- rule 5: deletion


@pytest.mark.parametrize("status", [404, 410, 451])
def test_deletion_by_status(status: int) -> None:
    history = fold_article([good(0, "a"), gone(1, status), gone(2, status)])
    assert [judged.verdict for judged in history.captures] == ["new", "suspected", "gone"]
    assert history.state is State.GONE


def test_deletion_by_a_page_that_says_so() -> None:
    facts = [good(0, "a"), bad(1, status=200, page_class="soft-404"), gone(2)]
    assert verdicts(*facts) == "new suspected gone"


@pytest.mark.parametrize("status", [None, 200, 301, 401, 403, 429, 500, 503])
def test_other_answers_are_no_evidence(status: int | None) -> None:
    history = fold_article([good(0, "a"), bad(1, status=status), bad(2, status=status)])
    assert [judged.verdict for judged in history.captures] == ["new", "bad", "bad"]
    assert history.state is State.LIVE


def test_twice_in_one_run_is_one_look() -> None:
    facts = [good(0, "a"), gone(1, run="one"), gone(2, run="one"), gone(3, run="two")]
    assert verdicts(*facts[:3]) == "new suspected suspected"
    assert fold_article(facts[:3]).state is State.SUSPECTED
    assert verdicts(*facts) == "new suspected suspected gone"


def test_once_gone_every_look_confirms_it() -> None:
    facts = [good(0, "a"), gone(1, run="one"), gone(2, run="two"), gone(3, run="two"), gone(4, run="one")]
    assert verdicts(*facts) == "new suspected gone gone gone"


def test_a_good_capture_ends_the_row() -> None:
    assert verdicts(good(0, "a"), gone(1), good(2, "a"), gone(3)) == "new suspected returned suspected"


def test_a_failure_between_two_looks_does_not_end_the_row() -> None:
    facts = [good(0, "a"), gone(1), bad(2, status=None), gone(3)]
    assert verdicts(*facts) == "new suspected bad gone"
    assert fold_article(facts[:3]).state is State.SUSPECTED


def test_what_never_was_there_cannot_be_gone() -> None:
    history = fold_article([gone(0), gone(1), bad(2, status=200, page_class="soft-404")])
    assert [judged.verdict for judged in history.captures] == ["bad", "bad", "bad"]
    assert history.state is State.NONE
    assert verdicts(gone(0), gone(1), good(2, "a"), gone(3)) == "bad bad new suspected"


# --- order


def test_order_is_by_time_then_segment_then_number() -> None:
    when = NOON
    facts = [
        CaptureFact(when, segment, n, "run", 200, "article", OLD, {OLD: text})
        for segment, n, text in [("a", 0, "1"), ("a", 1, "2"), ("a", 10, "3"), ("b", 0, "4")]
    ]
    for order in (facts, facts[::-1]):
        assert [judged.fact.texts[OLD] for judged in fold_article(order).captures] == ["1", "2", "3", "4"]


def test_a_late_fact_changes_the_history_as_if_it_had_been_there() -> None:
    before = fold_article([good(0, "a"), good(2, "a")])
    assert [judged.verdict for judged in before.captures] == ["new", "unchanged"]
    assert verdicts(good(0, "a"), good(2, "a"), good(1, "b")) == "new revised reverted"


# --- the seed article


def test_the_seed_article() -> None:
    """2023, edited, 2025 (the first text in another layout), gone, gone again, back."""
    facts = [good(0, "first"), good(1, "edited"), good(2, "first"), gone(3), gone(4), good(5, "first")]
    states = [fold_article(facts[: count + 1]).state for count in range(len(facts))]
    assert told(*facts) == [
        ("new", 1),
        ("revised", 2),
        ("reverted", 1),
        ("suspected", None),
        ("gone", None),
        ("returned", 1),
    ]
    assert states == [State.LIVE, State.LIVE, State.LIVE, State.SUSPECTED, State.GONE, State.LIVE]
    assert [revision.captures for revision in fold_article(facts).revisions] == [3, 1]


# --- what only says that it was not modified


def unmodified(hour: int, of: CaptureFact | None, run: str = "") -> CaptureFact:
    fact = bad(hour, status=304, run=run)
    return replace(fact, revisit_of=None if of is None else of.place)


def test_a_304_has_the_text_of_what_it_refers_to() -> None:
    first, second = good(0, "a"), good(2, "b")
    assert told(first, unmodified(1, first)) == [("new", 1), ("unchanged", 1)]
    assert told(first, second, unmodified(3, first)) == [("new", 1), ("revised", 2), ("reverted", 1)]
    assert told(first, gone(1), unmodified(2, first)) == [("new", 1), ("suspected", None), ("returned", 1)]
    history = fold_article([first, unmodified(1, first)])
    assert [judged.read_at for judged in history.captures] == [None, first.place]
    assert history.revisions[0].captures == 2
    assert history.captures[1].fact.run == "run-1"


def test_a_304_waits_for_what_it_refers_to() -> None:
    first, other = good(0, "a"), good(1, "b")
    assert verdicts(other, unmodified(2, first)) == "new bad"
    assert verdicts(first, other, unmodified(2, first)) == "new revised reverted"
    assert verdicts(first, unmodified(1, None)) == "new bad"


def test_a_304_stands_for_nothing_later_and_for_no_304() -> None:
    first, later = good(0, "a"), good(2, "b")
    assert verdicts(first, unmodified(1, later), later) == "new bad revised"
    again = unmodified(1, first)
    assert verdicts(first, again, unmodified(2, again)) == "new unchanged bad"


def test_a_304_of_a_page_that_was_no_good_is_what_that_page_was() -> None:
    soft, wall = bad(1, status=200, page_class="soft-404"), bad(1, status=200, page_class="consent")
    assert verdicts(good(0, "a"), soft, unmodified(2, soft)) == "new suspected gone"
    assert verdicts(good(0, "a"), wall, unmodified(2, wall)) == "new bad bad"


def test_a_304_makes_no_revision() -> None:
    """Its text was not to be compared when it was there; now that it could be, nobody has it but that capture."""
    strange = good(1, "x", native=NEW)
    edited = good(2, "b", new="y")
    assert told(good(0, "a"), strange, edited, unmodified(3, strange)) == [
        ("new", 1),
        ("uncompared", None),
        ("revised", 2),
        ("uncompared", None),
    ]


# --- evidence and its kinds


def test_what_robots_txt_disallows_is_evidence() -> None:
    blocked = [bad(hour, status=None, page_class="blocked") for hour in (1, 2)]
    assert verdicts(good(0, "a"), *blocked, good(3, "a")) == "new suspected gone returned"
    assert verdicts(*blocked) == "bad bad"


@pytest.mark.parametrize(
    ("status", "page_class", "kind"),
    [
        (404, "error", "404"),
        (410, "error", "410"),
        (451, "error", "451 legal"),
        (404, "soft-404", "soft 404"),
        (200, "soft-404", "soft 404"),
        (304, "soft-404", "soft 404"),
        (302, "soft-404", "redirect to home or section"),
        (None, "blocked", "blocked by robots.txt"),
        (301, "error", None),
        (403, "challenge", None),
        (None, "error", None),
    ],
)
def test_kinds_of_evidence(status: int | None, page_class: str, kind: str | None) -> None:
    assert describe_evidence(status, page_class) == kind
    assert bad(0, status=status, page_class=page_class).deleted == (kind is not None)


# --- metadata


def said(hour: int, by: str, text: str = "a", *, native: str = OLD, **others: str) -> CaptureFact:
    """A page with *text* and, in its native derivation, the metadata *by*; *others*: derivation → metadata."""
    metadata = {f"sha256:{name}": value for name, value in others.items()}
    fact = good(hour, text, native=native, old=text, new=text)
    return replace(fact, metadata=metadata | {native: by})


def changed(*facts: CaptureFact) -> list[bool]:
    return [judged.metadata for judged in fold_article(facts).captures]


def test_metadata_changes_without_the_text_and_with_it() -> None:
    assert changed(said(0, "x"), said(1, "x"), said(2, "y"), said(3, "y", "b")) == [False, False, True, False]
    assert verdicts(said(0, "x"), said(2, "y")) == "new unchanged"
    assert changed(said(0, "x"), said(1, "y", "b"), said(2, "x")) == [False, True, True]


def test_what_is_no_page_says_nothing_of_metadata() -> None:
    assert changed(said(0, "x"), gone(1), bad(2, status=500), said(3, "x"), said(4, "y")) == [False] * 4 + [True]
    first = said(0, "x")
    assert changed(first, said(1, "y"), unmodified(2, first)) == [False, True, True]


def test_metadata_is_compared_within_one_derivation() -> None:
    assert changed(said(0, "x"), said(1, "y", native=NEW), said(2, "z", native=NEW)) == [False, False, True]
    rederived = said(0, "x", new="x2")
    assert changed(rederived, said(1, "x"), said(2, "x2", native=NEW), said(3, "y", native=NEW)) == [
        *(False, False, False),
        True,
    ]
    assert changed(rederived, said(1, "y2", native=NEW)) == [False, True]


def test_an_adopted_text_brings_its_class_only_where_it_was_derived_again() -> None:
    kept = replace(good(0, "one", page_class="soft-404"), classes={OLD: "article"})
    assert [judged.verdict for judged in fold_article([kept], [OLD]).captures] == [Verdict.BAD]
    again = replace(good(0, "one", page_class="soft-404", new="two"), classes={OLD: "soft-404", NEW: "article"})
    assert [judged.verdict for judged in fold_article([again], [NEW]).captures] == [Verdict.NEW]

"""The fold is a function of the set of facts: no order of commits, no split over runs of the program, changes it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from crawler.model import PageClass
from jobs.fold import NOT_MODIFIED, CaptureFact, State, Verdict, fold_article

if TYPE_CHECKING:
    from random import Random

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
DERIVATIONS = ("sha256:a", "sha256:b", "sha256:c")
TEXTS = ("one", "two", "three")
SEGMENTS = ("gazette-1", "gazette-2", "gazette-3")


@st.composite
def capture_facts(draw: st.DrawFn) -> CaptureFact:
    texts: dict[str, str] = draw(st.dictionaries(st.sampled_from(DERIVATIONS), st.sampled_from(TEXTS), max_size=3))
    classes = [*[PageClass.ARTICLE] * 4, *[PageClass.TRUNCATED] * 2]
    classes += [PageClass.SOFT_404, PageClass.BLOCKED, PageClass.ERROR]
    return CaptureFact(
        captured_at=NOON + timedelta(minutes=draw(st.integers(0, 8))),
        segment=draw(st.sampled_from(SEGMENTS)),
        n=draw(st.integers(0, 6)),
        run=draw(st.sampled_from(["run-1", "run-2", "run-3"])),
        status=draw(st.sampled_from([200, 200, 200, 304, 304, 404, 451, 503, None])),
        page_class=draw(st.sampled_from(classes)),
        native=draw(st.sampled_from([*sorted(texts), *sorted(texts), None])),
        texts=texts,
        metadata={name: draw(st.sampled_from(["by one", "by one", "by two"])) for name in texts},
        revisit_of=draw(st.none() | st.tuples(st.sampled_from(SEGMENTS), st.integers(0, 4))),
    )


@st.composite
def list_histories(draw: st.DrawFn) -> list[CaptureFact]:
    """Captures of one article; most of those with status 304 refer to one of the others."""
    facts = draw(st.lists(capture_facts(), max_size=10, unique_by=lambda fact: fact.place))
    return [refer(fact, facts, draw(st.integers(0, 20))) for fact in facts]


def refer(fact: CaptureFact, others: list[CaptureFact], number: int) -> CaptureFact:
    """Return *fact*; an answer of status 304 refers to the capture of that *number* among *others*, round and round."""
    if fact.status != NOT_MODIFIED or not others or number == 20:
        return fact
    return replace(fact, native=None, texts={}, metadata={}, revisit_of=others[number % len(others)].place)


histories = list_histories()


@given(histories, st.randoms(use_true_random=False))
def test_order_of_facts_changes_nothing(facts: list[CaptureFact], random: Random) -> None:
    shuffled = facts.copy()
    random.shuffle(shuffled)
    assert fold_article(shuffled) == fold_article(facts)


@given(histories)
def test_history_holds_together(facts: list[CaptureFact]) -> None:
    history = fold_article(facts)
    assert len(history.captures) == len(facts)
    assert [revision.number for revision in history.revisions] == list(range(1, len(history.revisions) + 1))
    verdicts = [judged.verdict for judged in history.captures]
    assert verdicts.count(Verdict.NEW) == (1 if any(fact.good or fact.excerpt for fact in facts) else 0)
    assert verdicts.count(Verdict.NEW) + verdicts.count(Verdict.REVISED) == len(history.revisions)
    assert (history.state is State.NONE) == (not history.revisions)
    for revision in history.revisions:
        named = [judged for judged in history.captures if judged.revision == revision.number]
        assert len(named) == revision.captures
        assert named[0].fact == revision.first
        assert revision.first.texts.items() <= revision.texts.items()
    for judged in history.captures:
        has_text = judged.verdict in {"new", "revised", "reverted", "unchanged", "returned"}
        assert has_text == (judged.revision is not None)
        if judged.verdict in {"bad", "suspected", "gone"}:
            assert not judged.fact.good
            assert not judged.tells


@given(histories)
def test_no_two_revisions_are_told_apart_by_nothing(facts: list[CaptureFact]) -> None:
    """A text that an article had in the derivation it was judged in never makes a second revision."""
    history = fold_article(facts)
    for number, revision in enumerate(history.revisions):
        for earlier in history.revisions[:number]:
            assert revision.first.texts != earlier.first.texts


@given(histories, capture_facts())
def test_bad_captures_change_no_other_verdict(facts: list[CaptureFact], extra: CaptureFact) -> None:
    noise = CaptureFact(extra.captured_at, "gazette-9", 99, extra.run, 503, PageClass.ERROR, None, {})
    before = {(judged.fact.segment, judged.fact.n): judged for judged in fold_article(facts).captures}
    after = {(judged.fact.segment, judged.fact.n): judged for judged in fold_article([*facts, noise]).captures}
    assert after.pop(("gazette-9", 99)).verdict is Verdict.BAD
    assert after == before

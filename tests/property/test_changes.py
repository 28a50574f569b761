"""Events are a function of the facts alone, and no change of text is told twice or not at all."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from jobs.catalog import Sight
from jobs.changes import What, list_changes
from jobs.changes.alternation import MAX_TEXTS, Flip, find_alternations
from jobs.fold import CaptureFact, fold_article
from tests.property.test_fold import histories


def list_flips(texts: list[int]) -> list[Flip]:
    return [
        Flip(texts[at - 1], texts[at], back=texts[at] in texts[:at])
        for at in range(1, len(texts))
        if texts[at] != texts[at - 1]
    ]


def is_alternation(flips: list[Flip]) -> bool:
    """The rule as it stands in the docstring, in other words."""
    texts = {flips[0].before} | {flip.after for flip in flips}
    came_back = {flip.after for flip in flips if flip.back}
    return len(texts) <= MAX_TEXTS and came_back == texts and flips[-1].back


@given(st.lists(st.integers(1, 6), max_size=14))
def test_alternations_are_the_longest_stretches_in_which_every_text_came_back(texts: list[int]) -> None:
    flips = list_flips(texts)
    found = find_alternations(flips)
    at = 0
    for first, last in found:
        assert at <= first <= last
        for start in range(at, first):  # none begins earlier
            assert not any(is_alternation(flips[start : end + 1]) for end in range(start, len(flips)))
        assert is_alternation(flips[first : last + 1])
        assert not any(is_alternation(flips[first : end + 1]) for end in range(last + 1, len(flips)))
        at = last + 1
    assert not any(is_alternation(flips[s : e + 1]) for s in range(at, len(flips)) for e in range(s, len(flips)))


def see(facts: list[CaptureFact]) -> list[Sight]:
    return [
        Sight(
            j.fact.captured_at, j.fact.segment, j.fact.n, j.fact.run, j.verdict.value, j.revision, j.fact.status, "", ""
        )
        for j in fold_article(facts).captures
        if j.verdict != "bad"
    ]


@given(histories, st.randoms(use_true_random=False))
def test_events_do_not_depend_on_the_order_of_facts(facts: list[CaptureFact], random: object) -> None:
    shuffled = facts.copy()
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert list_changes("gazette", "u", see(shuffled)) == list_changes("gazette", "u", see(facts))


@given(histories)
def test_every_change_of_text_is_told_once(facts: list[CaptureFact]) -> None:
    sights = see(facts)
    changes = list_changes("gazette", "u", sights)
    assert [change.at for change in changes] == sorted(change.at for change in changes)
    flips = [sight for sight in sights if sight.verdict in {"revised", "reverted"}]
    edits = [change for change in changes if change.what in {What.REVISED, What.REVERTED}]
    assert len(edits) + sum(change.times for change in changes if change.what is What.ALTERNATING) == len(flips)
    verdicts = {sight.place: sight.verdict for sight in sights}
    assert all(change.what == verdicts[change.place] for change in edits)
    ids = {change.make_id("0" * 32) for change in changes}
    assert len(ids) == len(changes)


@given(histories)
def test_deletion_and_return_take_turns(facts: list[CaptureFact]) -> None:
    told = [change.what for change in list_changes("gazette", "u", see(facts))]
    presence = [what for what in told if what in {What.SUSPECTED, What.GONE, What.RETURNED}]
    before: What = What.RETURNED
    for what in presence:
        assert (before, what) in {
            (What.RETURNED, What.SUSPECTED),
            (What.SUSPECTED, What.GONE),
            (What.SUSPECTED, What.RETURNED),
            (What.GONE, What.RETURNED),
        }
        before = what

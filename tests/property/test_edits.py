"""For any two states: a report, the same each time; between equal ones, no edit."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from jobs.edits import Edit, EditKind, State, judge_edit, read_state, report_to_json

WORDS = st.sampled_from(
    [
        *("not", "No", "nicht", "Ann", "Lee", "“", "”", '"', "«", "»", "„", "‘", "’", ".", ",", "-", "−", "?", "%"),
        *("3", "3.5", "1,000", "١٠٠٠", "²", "twenty", "five", "million", "third", "half", "Monday", "May", "9" * 40),
        *("王", "小明", "不", "一百", "亿", "表示", "市", "「", "」", "محمد", "لا يزال", "الوزير", "von", "de", "Frau"),
        *("Correction:", "10:30", "cm", "km", "\u0301", "\u200d", "\U0001f468", "\ud800", "İ", "ß", "ǆ", "ﬁ", "\0"),
    ]
)
LINES = st.one_of(st.lists(WORDS, max_size=12).map(" ".join), st.lists(WORDS, max_size=6).map("".join), st.text())
TIMES = st.sampled_from(
    ["2026-01-12T08:00:00+00:00", "2026-01-12", "2026-01-12T08:00:00", "0001-01-01T00:00:00+14:00", "soon", "", 3, None]
)
POSTS = st.lists(
    st.fixed_dictionaries({}, optional={"id": st.integers(0, 3), "time": TIMES, "text": LINES}), max_size=3
)
ANYTHING = st.one_of(st.none(), st.integers(), st.text(), st.lists(st.text()), st.dictionaries(st.text(), st.text()))
PICTURES = st.fixed_dictionaries({}, optional={"url": LINES, "caption": LINES, "credit": ANYTHING})
FIELDS = st.fixed_dictionaries(
    {"language": st.sampled_from(["en", "de", "es-MX", "ru", "ar", "zh", "ja", "", "xx"])},
    optional={
        "published": st.one_of(TIMES, ANYTHING),
        "modified": st.one_of(TIMES, ANYTHING),
        "authors": st.one_of(st.lists(LINES, max_size=3), ANYTHING),
        "tags": ANYTHING,
        "corrections": st.one_of(st.lists(LINES, max_size=3), ANYTHING),
        "access": st.one_of(st.sampled_from(["free", "paid"]), ANYTHING),
        "image": st.one_of(PICTURES, ANYTHING),
        "posts": st.one_of(POSTS, ANYTHING),
    },
)
STATES = st.builds(
    State,
    title=st.one_of(st.none(), LINES),
    lead=st.one_of(st.none(), LINES),
    lines=st.lists(LINES, max_size=5).map(tuple),
    fields=FIELDS,
    page_class=st.sampled_from(["article", "live", "truncated"]),
)
SNAPSHOTS = st.fixed_dictionaries(
    {},
    optional={
        "title": st.one_of(st.none(), LINES),
        "lead": st.one_of(st.none(), LINES),
        "text": LINES,
        "class": st.sampled_from(["article", "live"]),
        "fields": st.dictionaries(st.sampled_from(["language", "modified", "posts", "image"]), ANYTHING),
    },
)


@given(STATES, STATES)
@settings(max_examples=400, deadline=None)
def test_any_two_states_give_a_report_and_the_same_again(before: State, after: State) -> None:
    report = judge_edit(before, after)
    assert report == judge_edit(before, after)
    assert all(isinstance(edit, Edit) and edit.place for edit in report.edits)
    assert report.kinds == sorted(report.kinds, key=list(EditKind).index)
    assert set(report_to_json(report)) == {"edits", "posts", "silent", "backdated"}


@given(STATES)
def test_a_state_beside_itself_has_no_edit(state: State) -> None:
    report = judge_edit(state, state)
    assert (report.edits, report.silent, report.backdated) == ((), False, False)


@given(STATES, STATES)
def test_what_came_one_way_went_the_other(before: State, after: State) -> None:
    there, back = judge_edit(before, after), judge_edit(after, before)
    assert (EditKind.PAYWALL_ON in there.kinds) == (EditKind.PAYWALL_OFF in back.kinds)
    assert (EditKind.HEADLINE in there.kinds) == (EditKind.HEADLINE in back.kinds)
    assert (EditKind.BYLINE in there.kinds) == (EditKind.BYLINE in back.kinds)
    assert not (there.backdated and back.backdated and before.fields.get("published") is None)


@given(SNAPSHOTS)
def test_any_snapshot_has_a_state(snapshot: dict[str, Any]) -> None:
    state = read_state(snapshot)
    assert all(state.lines)
    assert judge_edit(state, state).edits == ()

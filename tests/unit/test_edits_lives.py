"""What was done to a live page, by its posts: which is which, which came, changed, were withdrawn or fell behind."""

from __future__ import annotations

import random
import time
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.diff import Change
from jobs.edits import EditReport, State, judge_edit, report_to_json
from jobs.edits.posts import Post, Timeline, match_posts

EARLY, LATE = "2026-01-12T08:00:00+00:00", "2026-01-12T09:30:00+00:00"
TEXTS = [
    "The gates open at the harbour hall.",
    "Ann Lee speaks first, for two minutes.",
    "Rain delays the second round.",
    "The jury leaves to vote.",
    "Three votes are not valid.",
    "The result is to be read at noon.",
]

Raw = dict[str, str]


def _post(number: int, text: str | None = None, **fields: str) -> Raw:
    at = f"2026-01-12T{number:02}:00:00+00:00"
    return {"id": f"p{number}", "time": at, "text": TEXTS[number % len(TEXTS)] if text is None else text, **fields}


def _page(*posts: Raw, intro: str = "A long day.", **fields: Any) -> State:
    lines = [line for post in posts for line in (post["time"][11:16], *post["text"].split("\n")) if line]
    stated = {"language": "en", "modified": EARLY, "posts": [_folded(post) for post in posts]} | fields
    return State("Live", None, (intro, *lines), stated, "live")


def _folded(post: Raw) -> Raw:
    return post | {"text": post["text"].replace("\n", " ")}


def _tell(report: EditReport) -> dict[str, list[str]]:
    told: dict[str, list[str]] = {"added": [], "changed": [], "removed": []}
    for post in report.posts:
        told[post.change.value].append(post.id)
    return {name: ids for name, ids in told.items() if ids}


def _judge(before: State, after: State) -> tuple[list[str], dict[str, list[str]], bool | None]:
    report = judge_edit(before, after)
    return [kind.value for kind in report.kinds], _tell(report), report.silent


def test_new_posts_alone_are_never_silent_and_no_paragraphs() -> None:
    before, after = _page(_post(9), _post(8)), _page(_post(11), _post(10), _post(9), _post(8))
    assert _judge(before, after) == (["live_append"], {"added": ["p11", "p10"]}, False)


def test_the_lines_of_a_post_with_several_are_no_paragraphs() -> None:
    long = _post(10, "A heading\nOne paragraph, with a full stop.\n“Two,” said Ann Lee.")
    assert _judge(_page(_post(9)), _page(long, _post(9))) == (["live_append"], {"added": ["p10"]}, False)


def test_a_time_before_a_posts_first_words_is_no_change_of_the_frame() -> None:
    before = replace(_page(_post(9)), lines=("A long day.", f"09:00 {_post(9)['text']}"))
    after = replace(_page(_post(9), _post(8)), lines=("A long day.", f"09:00 {_post(9)['text']}", _post(8)["text"]))
    assert _judge(before, after)[:2] == (["live_append"], {"added": ["p8"]})


def test_a_post_that_changed_is_told_with_its_words_and_the_kinds_of_these() -> None:
    before, after = _page(_post(9), _post(8, "Three came.")), _page(_post(9), _post(8, "Five came."))
    report = judge_edit(before, after)
    assert [kind.value for kind in report.kinds] == ["number", "post_changed"]
    assert report.silent is True
    assert [edit.place for edit in report.edits] == ["post p8", "post p8"]
    words = [(words.change, words.text) for words in report.posts[0].words]
    assert words == [(Change.REMOVED, "Three"), (Change.ADDED, "Five"), (Change.SAME, " came.")]
    assert report_to_json(report)["posts"]["changed"] == [
        {
            "id": "p8",
            "time_before": "2026-01-12T08:00:00+00:00",
            "time": "2026-01-12T08:00:00+00:00",
            "before": "Three came.",
            "after": "Five came.",
            "words": [
                {"change": "removed", "text": "Three"},
                {"change": "added", "text": "Five"},
                {"change": "same", "text": " came."},
            ],
        }
    ]


def test_a_post_in_the_middle_that_went_was_withdrawn() -> None:
    before, after = _page(_post(10), _post(9), _post(8)), _page(_post(11), _post(10), _post(8))
    assert _judge(before, after)[1] == {"added": ["p11"], "removed": ["p9"]}
    assert _judge(_page(_post(10), _post(9)), _page(_post(10)))[:2] == (["post_removed"], {"removed": ["p9"]})


@pytest.mark.parametrize("times", [True, False])
def test_what_fell_behind_the_end_was_not_withdrawn(times: bool) -> None:
    def make(*numbers: int, **fields: Any) -> State:
        return _page(*(_post(n) if times else _post(n, time="") for n in numbers), **fields)

    assert _judge(make(10, 9, 8), make(11, 10, 9))[1] == {"added": ["p11"]}
    assert _judge(make(10, 9, 8), make(10, 9, partial=True))[1] == {}
    assert _judge(make(10, 9, 8), make(13, 12, 11, partial=True))[1] == {"added": ["p13", "p12", "p11"]}
    assert _judge(make(10, 9, 8), make(11, 10, 8, partial=True))[1] == {"added": ["p11"], "removed": ["p9"]}


def test_posts_that_were_held_back_did_not_come() -> None:
    before, after = _page(_post(11), _post(10), partial=True), _page(_post(11), _post(10), _post(9), _post(8))
    assert _judge(before, after)[1] == {}
    assert _judge(before, _page(_post(12), _post(11), _post(10), _post(9)))[1] == {"added": ["p12"]}


def test_a_pinned_post_hides_no_end_and_is_one_post() -> None:
    pinned = _post(7, "What we know so far.")
    before = _page(pinned, _post(10), _post(9), _post(8), partial=True)
    after = _page(pinned, _post(11), _post(10), _post(9), partial=True)
    assert _judge(before, after)[1] == {"added": ["p11"]}
    assert _judge(_page(_post(10), _post(9)), _page(_post(9), _post(10), _post(9)))[1] == {}


def test_another_order_is_no_edit_of_a_post() -> None:
    numbers = [11, 10, 9, 8]
    turned = _page(*map(_post, reversed(numbers)))
    assert _judge(_page(*map(_post, numbers)), turned) == ([], {}, False)


def test_a_post_whose_time_changed_is_still_that_post() -> None:
    moved = _post(9) | {"time": "2026-01-12T09:30:00+00:00"}
    kinds, told, _ = _judge(_page(_post(10), _post(9)), _page(_post(10), moved))
    assert (kinds, told) == (["post_changed"], {"changed": ["p9"]})
    assert judge_edit(_page(_post(9)), _page(moved)).edits[0].after == moved["time"]


def test_a_clocks_times_over_midnight_are_in_the_pages_order() -> None:
    late = [_post(n, time=at) for n, at in ((3, "00:20"), (2, "23:50"), (1, "23:10"))]
    assert _judge(_page(*late[1:]), _page(*late[:2]))[1] == {"added": ["p3"]}


def test_ids_that_are_but_places_are_not_believed() -> None:
    def number(posts: list[Raw]) -> State:
        return _page(*(post | {"id": f"item-{place}"} for place, post in enumerate(posts)))

    old = [_post(n) for n in (10, 9, 8)]
    assert _judge(number(old), number([_post(11), *old]))[1] == {"added": ["item-0"]}
    edited = [_post(11), old[0], old[1] | {"text": "The jury stays."}, old[2]]
    assert _judge(number(old), number(edited))[1] == {"added": ["item-0"], "changed": ["item-2"]}


def test_ids_that_are_new_on_each_page_make_no_new_posts() -> None:
    old, new = ([_post(n) | {"id": f"r{seed}{n}"} for n in (10, 9)] for seed in "ab")
    assert _judge(_page(*old), _page(*new))[1] == {}


def test_posts_without_ids_are_told_apart_by_time_and_words() -> None:
    old = [_post(n) | {"id": f"~{n}"} for n in (10, 9, 8)]
    edited = old[1] | {"id": "~other", "text": "Ann Lee speaks last."}
    assert _judge(_page(*old), _page(_post(11) | {"id": "~11"}, old[0], edited, old[2]))[1] == {
        "added": ["~11"],
        "changed": ["~other"],
    }


def test_one_id_that_stands_on_several_posts_confuses_nothing() -> None:
    old = [_post(n) | {"id": "post"} for n in (10, 9, 8)]
    assert _judge(_page(*old), _page(_post(11) | {"id": "post"}, *old))[1] == {"added": ["post"]}
    changed = [old[0], old[1] | {"text": "Nobody speaks."}, old[2]]
    assert _judge(_page(*old), _page(*changed))[1] == {"changed": ["post"]}


def test_the_introduction_is_judged_as_ever() -> None:
    kinds, told, _ = _judge(_page(_post(9)), _page(_post(10), _post(9), intro="A short day."))
    assert (kinds, told) == (["wording", "live_append"], {"added": ["p10"]})
    more = replace(_page(_post(9)), lines=(*_page(_post(9)).lines, "A paragraph that is no post at all."))
    assert _judge(_page(_post(9)), more)[0] == ["paragraph_added"]


def test_a_page_that_shows_no_posts_any_more_is_told_by_its_lines() -> None:
    closed = State("Live", None, ("A long day.", "All is over now."), {"language": "en", "modified": LATE}, "article")
    kinds, told, _ = _judge(_page(_post(9), _post(8)), closed)
    assert told == {}
    assert "paragraph_removed" in kinds


def test_posts_that_stand_in_data_alone_are_told_too() -> None:
    before, after = (replace(page, lines=("A long day.",)) for page in (_page(_post(9)), _page(_post(10), _post(9))))
    assert _judge(before, after) == (["live_append"], {"added": ["p10"]}, False)


POSTS = st.lists(
    st.builds(
        Post,
        st.sampled_from(["", "a", "b", "~c"]),
        st.sampled_from(["", "10:00", EARLY, LATE]),
        st.sampled_from(["", "x", "y z", "y w"]),
    ),
    max_size=6,
)


@given(POSTS, POSTS)
def test_each_post_is_matched_once_and_with_itself_where_it_can(old: list[Post], new: list[Post]) -> None:
    found = match_posts(old, new)
    assert len(set(found.values())) == len(found)
    assert match_posts(old, old).keys() == {*range(len(old))} or len(set(old)) < len(old)
    same = sum(min(old.count(post), new.count(post)) for post in set(old))
    assert sum((old[i].time, old[i].text) == (new[j].time, new[j].text) for i, j in found.items()) >= same


@given(st.lists(st.integers(0, 23), unique=True, min_size=1), st.data())
def test_what_was_done_is_what_is_told(numbers: list[int], data: st.DataObject) -> None:
    numbers.sort(reverse=True)
    gone = data.draw(st.sets(st.sampled_from(numbers), max_size=len(numbers) - 1))
    kept = [n for n in numbers if n not in gone]
    changed = data.draw(st.sets(st.sampled_from(kept)))
    texts = {n: f"Post number {n} says little more." for n in numbers}
    before = _page(*(_post(n, texts[n]) for n in numbers))
    after = _page(*(_post(n, texts[n] + (" Now it does." if n in changed else "")) for n in kept))
    told = _tell(judge_edit(before, after))
    assert set(told.get("removed", [])) == {f"p{n}" for n in gone}
    assert set(told.get("changed", [])) == {f"p{n}" for n in changed}
    assert "added" not in told


@pytest.mark.parametrize("shape", ["edited", "same words", "same times", "one id", "others"])
def test_a_thousand_posts_take_a_moment(shape: str) -> None:
    chance = random.Random(1)
    words = [f"w{n}" for n in range(400)]

    def make(n: int) -> Raw:
        text = "The same words." if shape == "same words" else " ".join(chance.choices(words, k=40))
        at = EARLY if shape == "same times" else f"2026-01-{1 + n // 100:02}T{n % 24:02}:{n % 60:02}:00+00:00"
        return {"id": "x" if shape == "one id" else f"p{n}", "time": at, "text": text}

    posts = [make(n) for n in range(1_000, 0, -1)]
    edited = [post | {"text": post["text"] + " More."} if n % 3 == 0 else post for n, post in enumerate(posts)]
    new = [make(n) for n in range(1_100, 0, -1)] if shape == "others" else edited
    started = time.process_time()
    judge_edit(_page(*posts), _page(*new))
    assert time.process_time() - started < 10


def test_only_so_many_posts_are_looked_at() -> None:
    state = State("t", None, (), {"posts": [{"id": n, "text": str(n)} for n in range(5_000)]})
    assert len(Timeline(state).posts) == 2_000

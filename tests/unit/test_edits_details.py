"""Fields, dates, silent and backdated edits; and a snapshot's state."""

from __future__ import annotations

from typing import Any

import pytest

from crawler.model import Article, PageClass
from crawler.normalise import make_snapshot
from jobs.edits import EditReport, State, judge_edit, read_state, report_to_json
from tests.edits import make_state

EARLY, LATE = "2026-01-12T08:00:00+00:00", "2026-01-12T09:30:00+00:00"


def _judge(before: dict[str, Any], after: dict[str, Any], *, edited: bool = False) -> EditReport:
    text = "The council met today."
    return judge_edit(
        make_state(text, **before), make_state(text.replace("met", "argued") if edited else text, **after)
    )


@pytest.mark.parametrize(
    ("before", "after", "kinds"),
    [
        ({"image": {"url": "https://a.example/1.jpg"}}, {"image": {"url": "https://a.example/2.jpg"}}, ["image"]),
        ({"image": {"url": "https://a.example/1.jpg?w=9"}}, {"image": {"url": "https://a.example/1.jpg?w=8"}}, []),
        ({"image": {"url": "https://a.example/?id=1"}}, {"image": {"url": "https://a.example/?id=2"}}, ["image"]),
        ({"image": {"url": "u", "caption": "A"}}, {"image": {"url": "u", "caption": "B"}}, ["caption"]),
        ({"image": {"url": "u", "credit": "A"}}, {"image": {"url": "u"}}, ["caption"]),
        ({"image": "no picture"}, {"image": None}, []),
        ({"authors": ["Ann Lee"]}, {"authors": ["Ann Lee", "Bo Ray"]}, ["byline"]),
        ({}, {"corrections": ["It was four."]}, ["correction_note"]),
        ({"published": EARLY}, {"published": LATE}, ["date_moved"]),
        ({"published": EARLY}, {"published": "2026-01-12T09:00:00+01:00"}, []),
        ({"published": EARLY}, {"published": "2026-01-12"}, []),
        ({"published": EARLY}, {}, []),
        ({"modified": EARLY}, {"modified": LATE}, ["date_moved"]),
    ],
)
def test_fields(before: dict[str, Any], after: dict[str, Any], kinds: list[str]) -> None:
    report = _judge(before, after)
    assert (report.kinds, report.silent) == (kinds, False)


@pytest.mark.parametrize(
    ("before", "after", "silent"),
    [
        (EARLY, EARLY, True),
        (EARLY, "2026-01-12T09:00:00+01:00", True),
        (EARLY, LATE, False),
        (None, EARLY, False),
        (EARLY, None, None),
        (None, None, None),
        ("2026-01-12", "2026-01-12", None),
        (EARLY, "2026-01-12", None),
        ("2026-01-12", "2026-01-13", False),
    ],
)
def test_silent_is_a_change_of_words_while_the_stated_time_stays(
    before: str | None, after: str | None, silent: bool | None
) -> None:
    report = _judge({"modified": before}, {"modified": after}, edited=True)
    assert (report.kinds, report.silent) == (["wording"], silent)


@pytest.mark.parametrize(
    ("before", "after", "backdated"),
    [
        (LATE, EARLY, True),
        (EARLY, LATE, False),
        (EARLY, "2026-01-12T09:00:00+01:00", False),
        ("2026-01-12", "2026-01-11", True),
        (LATE, "2026-01-12", False),
        (LATE, "2026-01-12T08:00:00", False),
        (LATE, "long ago, as it seems", False),
    ],
)
@pytest.mark.parametrize("name", ["published", "modified"])
def test_backdated_is_a_stated_time_that_went_back(name: str, before: str, after: str, backdated: bool) -> None:
    assert _judge({name: before}, {name: after}).backdated is backdated


def test_a_report_as_json() -> None:
    report = _judge({"modified": EARLY}, {"modified": EARLY}, edited=True)
    assert report_to_json(report) == {
        "edits": [{"kind": "wording", "place": "line 1", "before": "met", "after": "argued"}],
        "posts": {"added": [], "changed": [], "removed": []},
        "silent": True,
        "backdated": False,
    }


def _read(title: str | None, lead: str | None, *blocks: str, **fields: Any) -> State:
    article = Article(PageClass.ARTICLE, "", title, lead, blocks)
    snapshot = make_snapshot(article, "sha256:0")
    row = {"title": snapshot.title, "lead": snapshot.lead, "text": snapshot.text, "class": snapshot.page_class}
    return read_state(row | {"fields": fields})


@pytest.mark.parametrize(
    ("title", "lead", "blocks", "found"),
    [
        ("T", "L", ("a", "b"), ("T", "L", ("a", "b"))),
        ("T", None, ("a",), ("T", None, ("a",))),
        (None, None, ("a",), (None, None, ("a",))),
        (None, "L", ("a",), (None, "L", ("a",))),
        ("T", "L one\nL two", ("a",), ("T", "L one L two", ("a",))),
        ("T", "a", ("a", "b"), ("T", "a", ("b",))),
        ("T", "T", ("a",), ("T", None, ("a",))),
        ("T", "L", (), ("T", "L", ())),
        ("T", None, ("T", "a"), ("T", None, ("a",))),
        (None, None, (), (None, None, ())),
    ],
)
def test_the_state_of_a_snapshot(title: str | None, lead: str | None, blocks: tuple[str, ...], found: object) -> None:
    state = _read(title, lead, *blocks)
    assert (state.title, state.lead, state.lines) == found


def test_fields_of_a_snapshot_are_their_values_and_a_guessed_time_is_none() -> None:
    state = _read(
        "T",
        None,
        language={"value": "de-AT", "from": "guess"},
        published={"value": EARLY, "from": "guess"},
        modified={"value": LATE, "from": "json-ld", "confidence": 0.9},
        damaged=3,
    )
    assert state.fields == {"language": "de-AT", "modified": LATE}
    assert state.language == "de"

"""What `ofrecord diff` says of the kinds of edits between two snapshots."""

from __future__ import annotations

from typing import Any

from jobs.comparison import describe_report, judge_snapshots
from jobs.edits import EditReport

EARLY, LATE = "2026-01-12T08:00:00+00:00", "2026-01-12T09:30:00+00:00"


def _snapshot(text: str, modified: str, derivation: str | None = "sha256:0") -> dict[str, Any]:
    fields = {"modified": {"value": modified, "from": "json-ld"}, "language": {"value": "en", "from": "meta"}}
    lines = f"A title\n{text}"
    return {"title": "A title", "lead": None, "text": lines, "class": "article", "fields": fields} | {
        "derivation": derivation
    }


def test_kinds_and_what_else_is_to_be_known_stand_on_a_line() -> None:
    before = _snapshot("Three people saw it and said “we left”.", EARLY)
    after = _snapshot("Five people saw it and said “we stayed”.", EARLY)
    report = judge_snapshots(before, after, forward=True)
    assert describe_report(report) == "number, quotation · silent"


def test_a_time_that_went_back_is_said_even_if_no_word_changed() -> None:
    before, after = (_snapshot("Three people saw it.", at) for at in (LATE, EARLY))
    assert describe_report(judge_snapshots(before, after, forward=True)) == "date_moved · backdated"


def test_no_kind_is_no_line() -> None:
    snapshot = _snapshot("Three people saw it.", EARLY)
    assert describe_report(judge_snapshots(snapshot, snapshot, forward=True)) == ""
    assert describe_report(EditReport((), silent=True, backdated=False)) == "silent"


def test_texts_that_other_rules_read_are_not_judged() -> None:
    before, after = (_snapshot(f"{word} people saw it.", EARLY, word) for word in ("Three", "Five"))
    report = judge_snapshots(before, after, forward=True)
    assert report is None
    assert "different rules" in describe_report(report)
    assert judge_snapshots({"text": ""}, {"text": ""}, forward=True) is None


def test_back_in_time_nothing_is_silent_or_backdated() -> None:
    before, after = (_snapshot(f"{word} people saw it.", at) for word, at in (("Five", LATE), ("Three", EARLY)))
    report = judge_snapshots(before, after, forward=False)
    assert report is not None
    assert (report.kinds, report.silent, report.backdated) == (["number"], None, False)

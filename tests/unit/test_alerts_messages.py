"""Messages: grouped, the gravest first, short enough for every chat, with nothing in them that acts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from jobs.alerts.changes import Change, Standing
from jobs.alerts.messages import write_message, write_test
from jobs.alerts.texts import clean
from jobs.health import Reason, State

NOW = datetime(2026, 11, 2, 12, tzinfo=UTC)
PLACE = "s3://news/archive"
OK, DEGRADED, SILENT, FAILING, BLOCKED = State


def change(source: str, before: State, after: State, *texts: str) -> Change:
    reasons = tuple(Reason("kind", text, after) for text in texts)
    since = NOW - timedelta(hours=3) if before is not OK else None
    return Change(source=source, before=before, after=after, reasons=reasons, at=NOW, since=since)


def test_one_alarm_is_a_message_that_says_what_and_why() -> None:
    message = write_message([change("gazette", OK, SILENT, "nothing new for 9 hours")], {}, place=PLACE)
    assert (message.title, message.kind) == ("ofrecord: gazette is silent", "warning")
    assert message.body.splitlines()[:2] == [
        "gazette: silent (was well), 2026-11-02T12:00:00Z",
        "  - nothing new for 9 hours [kind]",
    ]
    assert "s3[:]//news/archive" in message.body


def test_changes_of_a_round_are_one_message_with_the_gravest_first() -> None:
    changes = [
        change("b-post", OK, DEGRADED, "fields"),
        change("herald", SILENT, OK),
        change("a-post", DEGRADED, BLOCKED, "challenge"),
    ]
    standings = {
        "tribune": Standing(state=FAILING, since=NOW),
        "well": Standing(state=OK, since=NOW),
        "a-post": Standing(state=BLOCKED, since=NOW),
    }
    message = write_message(changes, standings, place=PLACE)
    assert (message.title, message.kind) == ("ofrecord: 2 sources in trouble, 1 better", "failure")
    heads = [line for line in message.body.splitlines() if " (" in line]
    assert [head.partition(",")[0] for head in heads] == [
        "a-post: blocked (was degraded for 3 hours)",
        "b-post: degraded (was well)",
        "herald: well (was silent for 3 hours)",
    ]
    assert "Still open: tribune" in message.body.splitlines()


def test_what_waited_and_is_over_is_told_as_over() -> None:
    message = write_message([change("gazette", OK, SILENT, "nothing"), change("gazette", SILENT, OK)], {}, place=PLACE)
    assert (message.title, message.kind) == ("ofrecord: gazette is well again", "success")
    assert [line.partition(" (")[0] for line in message.body.splitlines()[:3]] == [
        "gazette: silent",
        "  - nothing [kind]",
        "gazette: well",
    ]


def test_recovery_alone_is_a_success() -> None:
    message = write_message([change("gazette", SILENT, OK)], {}, place=PLACE)
    assert (message.title, message.kind) == ("ofrecord: gazette is well again", "success")


def test_new_reason_in_the_same_state_says_so() -> None:
    message = write_message([change("gazette", DEGRADED, DEGRADED, "fields")], {}, place=PLACE)
    assert "gazette: degraded (still, for another reason)" in message.body


def test_message_of_many_sources_is_bounded_and_says_what_it_left_out() -> None:
    changes = [change(f"source-{number:03}", OK, FAILING, "x" * 240, "y" * 240) for number in range(500)]
    standings = {f"other-{number:03}": Standing(state=SILENT, since=NOW) for number in range(500)}
    message = write_message(changes, standings, place="p" * 5_000, left_out=12)
    assert len(message.body) <= 3_400
    assert "more lines: ofrecord alerts lists all" in message.body
    assert "and 480 more" in message.body
    assert "12 earlier changes" in message.body
    assert message.title == "ofrecord: 500 sources in trouble"


def test_test_message_says_that_it_is_one() -> None:
    message = write_test(PLACE)
    assert (message.title, message.kind) == ("ofrecord: a test", "info")
    assert "Nothing is wrong" in message.body


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain words, 12 %", "plain words, 12 %"),
        ("line\r\nSubject: other\x00\x1b[2J", "line Subject: other [2J"),
        ("\u202egnp.exe\u2066", "gnp.exe"),
        ("<script>alert(1)</script>", "‹script›alert(1)‹/script›"),
        ("<!channel> @here *bold* `code`", "‹!channel› ＠here ∗bold∗ 'code'"),
        (
            "https://me:pw@gazette.example/a?token=abc#x and",
            "https[:]//＊＊＊＠gazette.example/a?… and".replace("＊", "∗"),
        ),
    ],
)
def test_text_is_words_and_nothing_else(text: str, shown: str) -> None:
    assert clean(text) == shown


def test_cleaning_takes_no_longer_for_longer_texts() -> None:
    for text in ("http://" * 400_000, "://" + "a" * 3_000_000, "://?" * 800_000, "@" * 3_000_000):
        assert len(clean(text)) <= 240

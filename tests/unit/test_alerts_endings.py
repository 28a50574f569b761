"""Runs that ended before the archive heard of them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from jobs.alerts.endings import BadEnds
from jobs.health import BAD_ENDS, Reason, SourceHealth, State
from jobs.runs.ending import RunEnded

NOW = datetime(2026, 11, 2, 12, tzinfo=UTC)
WELL = SourceHealth("gazette", State.OK, (), NOW)


def end(code: int, *, killed: str | None = None, error: str | None = None) -> RunEnded:
    return RunEnded("gazette", NOW, NOW, 1.0, code, {"error": error} if error else None, killed)


def judge(*ends: RunEnded, health: SourceHealth = WELL) -> SourceHealth:
    bad = BadEnds()
    for one in ends:
        bad.note(one)
    (judged,) = bad.add_to([health])
    return judged


@pytest.mark.parametrize(
    ("ends", "state"),
    [
        ([], State.OK),
        ([end(0)], State.OK),
        ([end(12)], State.OK),
        ([end(12), end(12)], State.FAILING),
        ([end(12), end(0), end(12)], State.OK),
        ([end(12), end(3), end(12)], State.OK),
        ([end(4)], State.FAILING),
        ([end(13)], State.FAILING),
        ([end(1), end(11), end(1)], State.FAILING),
        ([end(11), end(11), end(11)], State.OK),
        ([end(130), end(130)], State.OK),
        ([end(-9), end(-9)], State.FAILING),
        ([end(-15, killed="stop"), end(-15, killed="stop")], State.OK),
        ([end(0, killed="time"), end(-9, killed="memory")], State.FAILING),
    ],
)
def test_what_counts_as_a_bad_end(ends: list[RunEnded], state: State) -> None:
    assert judge(*ends).state is state


def test_text_says_how_often_how_and_why() -> None:
    (reason,) = judge(end(12, error="denied"), end(12, error="https://news.example/?k=1 denied")).reasons
    assert (reason.kind, reason.since) == (BAD_ENDS, NOW)
    assert reason.text == (
        "of the last 2 runs none ended well; the last one ended with code 12: https[:]//news.example/?… denied"
    )
    told = RunEnded("gazette", NOW, NOW, 1.0, 12, {"run": None, "problems": ["the store is away", "2 segments wait"]})
    assert judge(told, told).reasons[0].text.endswith("ended with code 12: the store is away; 2 segments wait")
    assert judge(end(1), end(-11)).reasons[0].text.endswith("died by signal 11")
    assert judge(end(1), end(-9, killed="memory")).reasons[0].text.endswith("was ended for its memory")


def test_it_stands_among_the_other_reasons_by_its_gravity() -> None:
    blocked, stale = Reason("challenge", "x", State.BLOCKED), Reason("lag", "y", State.DEGRADED)
    health = SourceHealth("gazette", State.BLOCKED, (blocked, stale), NOW)
    judged = judge(end(4), health=health)
    assert (judged.state, [reason.kind for reason in judged.reasons]) == (State.BLOCKED, ["challenge", BAD_ENDS, "lag"])

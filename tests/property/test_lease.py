"""At no instant are two leases of one source valid: seeded schedules of machines that sleep, stutter and die."""

from __future__ import annotations

import pytest

from tests.leases import find_violation, plant, play

PLANTED = {
    "a renewal counts from its answer": ("self._extend(self._tried_at)", "self._extend(answered_at)"),
    "a renewal counts from its last try": ("if self._tried_at is None:", "if True:"),
    "a late renewal counts": ("elif answered_at >= self._valid_until:", "elif answered_at < 0:"),
    "the clock is read after the listing": (
        "_Newest(parsed[0], one, now)",
        "_Newest(parsed[0], one, store.read_clock())",
    ),
    "an acquisition counts from its answer": ("put_at=looked_at", "put_at=boottime()"),
    "others take over early": ("newest.age - SLACK_SECONDS", "newest.age + 8"),
    "released before it has ended": ("self._note_expiry()\n        self.end()\n", "self._note_expiry()\n"),
}
"""Bugs that the schedules must find."""


def test_never_two_holders() -> None:
    counts = play(range(200))
    assert counts["acquired"] > 1_500, counts
    assert counts["renewed"] > 1_000, counts
    assert counts["lost"] > 500, counts
    assert counts["locked"] > 5_000, counts
    assert counts["removed"] > 50, counts


@pytest.mark.soak
@pytest.mark.parametrize("block", range(8))
def test_never_two_holders_at_length(block: int) -> None:
    play(range(1_000 + 500 * block, 1_500 + 500 * block))


@pytest.mark.parametrize("bug", PLANTED)
def test_the_schedules_find_planted_bugs(bug: str) -> None:
    assert find_violation(range(400), plant(*PLANTED[bug])) > 0

"""Our clock against the store's: what is measured, and what is refused."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from config.errors import ClockWrong, ExitCode
from jobs.store.clock import check_clock
from jobs.store.local import LocalStore
from jobs.store.memory import MemoryStore

if TYPE_CHECKING:
    from pathlib import Path

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


class Store(MemoryStore):
    def __init__(self, now: datetime | None) -> None:
        super().__init__()
        self.now = now

    def read_clock(self) -> datetime | None:
        return self.now


@pytest.mark.parametrize("skew", [-60, -1.5, 0, 0.25, 60])
def test_a_small_skew_is_told(skew: float) -> None:
    assert check_clock(Store(NOON), clock=lambda: NOON + timedelta(seconds=skew)) == skew


@pytest.mark.parametrize("skew", [-86_400, -61, 61, 86_400])
def test_a_large_one_is_refused(skew: float) -> None:
    with pytest.raises(ClockWrong, match=f"2026-11-22T12:00:00Z, {abs(skew)} seconds apart.*set this machine's clock"):
        check_clock(Store(NOON), clock=lambda: NOON + timedelta(seconds=skew))


def test_the_message_names_both_times_and_the_code_is_the_stores() -> None:
    with pytest.raises(ClockWrong) as caught:
        check_clock(Store(NOON), clock=lambda: NOON + timedelta(hours=1))
    assert str(caught.value) == (
        "memory:: found this machine's clock at 2026-11-22T13:00:00Z and the store's at 2026-11-22T12:00:00Z, "
        "3600 seconds apart, expected at most 60; set this machine's clock (NTP), or the store's if that is the "
        "wrong one"
    )
    assert caught.value.exit_code is ExitCode.STORE_REFUSED
    assert not caught.value.retryable


@pytest.mark.parametrize("theirs", [0, 100, 200])
def test_a_slow_answer_is_no_skew(theirs: int) -> None:
    readings = iter([NOON, NOON + timedelta(seconds=200)])
    assert check_clock(Store(NOON + timedelta(seconds=theirs)), clock=lambda: next(readings)) == 200 - theirs


def test_a_store_that_tells_no_time() -> None:
    assert check_clock(Store(None)) is None


def test_real_clocks(tmp_path: Path) -> None:
    for store in (MemoryStore(), LocalStore(tmp_path)):
        assert abs(check_clock(store) or 0.0) < 60

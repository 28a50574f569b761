"""Rounds: grouped, once at each address, again where it did not go, and through death and damage of what was told."""

from __future__ import annotations

import errno
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from structlog.testing import capture_logs

from config.addresses import SecretAddress
from config.errors import StoreUnavailable
from config.settings import Settings
from jobs.alerts.delivery import Sender
from jobs.alerts.rounds import RoundReport, Teller
from jobs.alerts.told import Memory
from jobs.health import Reason, SourceHealth, State
from jobs.store.memory import MemoryStore
from tests.sinks import WebSink, serve_web

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from jobs.alerts.messages import Message
    from jobs.store import StoredObject

NOW = datetime(2026, 11, 2, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
OK, DEGRADED, SILENT, FAILING, BLOCKED = State


class Desk:
    """Two real webhooks, and rounds that tell them."""

    def __init__(self, first: WebSink, second: WebSink) -> None:
        self.first, self.second = first, second
        self.store = MemoryStore()
        self.settings = Settings(
            alerts=[SecretAddress(first.address), SecretAddress(second.address)], alerts_settle_seconds=60
        )
        self.teller = self.begin()

    def begin(self, sender: Sender | None = None) -> Teller:
        """A machine's own, as after a start."""
        return Teller(Memory(self.store), self.settings, place="/srv/news", sender=sender)

    def look(self, minute: int, teller: Teller | None = None, /, **states: State) -> RoundReport:
        now = NOW + minute * MINUTE
        healths = [
            SourceHealth(name, state, () if state is OK else (Reason("kind", f"{name} is bad", state),), now)
            for name, state in states.items()
        ]
        return (teller or self.teller).tell(healths, now)


@pytest.fixture
def desk() -> Iterator[Desk]:
    with serve_web() as first, serve_web() as second:
        yield Desk(first, second)


def test_all_changes_of_a_round_are_one_message_at_each_address(desk: Desk) -> None:
    report = desk.look(0, gazette=SILENT, herald=BLOCKED, tribune=OK)
    assert (len(report.changes), len(report.sent), report.failed) == (2, 2, {})
    assert desk.first.titles == desk.second.titles == ["ofrecord: 2 sources in trouble"]
    assert desk.look(1, gazette=SILENT, herald=BLOCKED, tribune=OK) == RoundReport()
    desk.look(2, gazette=OK, herald=BLOCKED, tribune=OK)
    desk.look(3, gazette=OK, herald=BLOCKED, tribune=OK)
    assert desk.first.titles[1:] == ["ofrecord: gazette is well again"]
    assert "Still open: herald" in desk.first.posts[1]["message"]


def test_address_that_refused_gets_it_at_the_next_round_and_the_others_nothing_twice(desk: Desk) -> None:
    desk.second.status = 503
    with capture_logs() as logs:
        report = desk.look(0, gazette=SILENT)
    assert list(report.failed) == ["json://*** (2)"]
    assert [line["event"] for line in logs] == ["sent_alert", "failed_alert"]
    assert "s3cr3t" not in str(logs) + str(report)
    desk.look(1, gazette=SILENT, herald=FAILING)  # the same trouble still
    desk.second.status = 200
    assert desk.look(2, gazette=SILENT, herald=FAILING).sent == ("json://*** (2)",)
    assert desk.first.titles == ["ofrecord: gazette is silent", "ofrecord: herald is failing"]
    assert desk.second.titles == ["ofrecord: 2 sources in trouble"]
    assert desk.look(3, gazette=SILENT, herald=FAILING) == RoundReport()


def test_address_that_keeps_refusing_is_asked_ever_more_seldom(desk: Desk) -> None:
    desk.second.status = 503
    tries = []
    for minute in range(10):
        with capture_logs() as logs:
            assert desk.look(minute, gazette=SILENT).failed, "it is not well while something waits"
        tries += [minute for line in logs if line["event"] == "failed_alert"]
    assert tries == [0, 1, 2, 4, 8]


def test_what_waits_survives_a_start_and_what_was_told_is_not_told_again(desk: Desk) -> None:
    desk.second.status = 503
    desk.look(0, gazette=SILENT)
    desk.second.status = 200
    desk.look(1, desk.begin(), gazette=SILENT)
    assert (len(desk.first.posts), len(desk.second.posts)) == (1, 1)


def test_process_that_dies_while_it_tells_is_followed_by_one_that_tells(desk: Desk) -> None:
    class Dying(Sender):
        def send(self, messages: Sequence[tuple[SecretAddress, Message]]) -> list[str | None]:
            del messages
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        desk.look(0, desk.begin(Dying()), gazette=SILENT)
    assert desk.look(1, desk.begin(), gazette=SILENT) == RoundReport(), "somebody may still be at it"
    assert len(desk.look(2, desk.begin(), gazette=SILENT).sent) == 2
    assert desk.first.titles == ["ofrecord: gazette is silent"]


def test_clock_that_is_set_back_keeps_nobody_from_telling(desk: Desk) -> None:
    class Dying(Sender):
        def send(self, messages: Sequence[tuple[SecretAddress, Message]]) -> list[str | None]:
            del messages
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        desk.look(600_000, desk.begin(Dying()), gazette=SILENT)
    desk.second.status = 503
    for minute in (0, 600_000, 600_001):
        desk.look(minute, gazette=SILENT)
    desk.second.status = 200
    assert desk.look(1, gazette=SILENT).sent == ("json://*** (2)",)


def test_two_that_look_at_the_same_time_tell_once(desk: Desk) -> None:
    class Interrupted(Sender):
        def send(self, messages: Sequence[tuple[SecretAddress, Message]]) -> list[str | None]:
            reasons = super().send(messages)
            desk.look(0, other, gazette=SILENT, herald=FAILING)
            return reasons

    other = desk.begin()
    desk.look(0, desk.begin(Interrupted()), gazette=SILENT)
    assert desk.first.titles == ["ofrecord: gazette is silent"]
    desk.look(1, other, gazette=SILENT, herald=FAILING)
    assert desk.first.titles[1:] == ["ofrecord: herald is failing"]
    assert desk.second.titles == desk.first.titles


def test_lost_memory_tells_what_is_bad_in_one_message(desk: Desk) -> None:
    states = {f"source-{number}": SILENT if number % 2 else OK for number in range(40)}
    desk.look(0, **states)
    desk.store = MemoryStore()
    report = desk.look(1, desk.begin(), **states)
    assert len(report.changes) == 20
    assert desk.first.titles == ["ofrecord: 20 sources in trouble"] * 2


def test_full_disk_keeps_nobody_from_being_told_and_nothing_comes_twice(desk: Desk) -> None:
    class Full(MemoryStore):
        full = True

        def create(self, key: str, data: bytes | Path, *, sha256: str) -> StoredObject:
            if self.full:
                raise OSError(errno.ENOSPC, "No space left on device")
            return super().create(key, data, sha256=sha256)

    desk.store = store = Full()
    teller = desk.begin()
    for minute in range(3):
        desk.look(minute, teller, gazette=SILENT)
    assert desk.first.titles == ["ofrecord: gazette is silent"]
    store.full = False
    desk.look(3, teller, gazette=SILENT)
    assert desk.look(4, desk.begin(), gazette=SILENT) == RoundReport()
    assert len(desk.first.posts) == 1


def test_memory_that_cannot_be_read_tells_nothing_and_says_so(desk: Desk) -> None:
    class Away(MemoryStore):
        def list(self, prefix: str, *, after: str = "") -> Iterator[StoredObject]:
            raise StoreUnavailable(f"{prefix}{after}: not now")

    desk.store = Away()
    with pytest.raises(StoreUnavailable):
        desk.look(0, desk.begin(), gazette=SILENT)
    assert not desk.first.posts


def test_two_that_look_at_sources_of_their_own_share_a_memory(desk: Desk) -> None:
    first, second = desk.begin(), desk.begin()
    desk.look(0, first, gazette=SILENT)
    desk.look(1, second, herald=FAILING)
    for minute in range(2, 20, 2):
        assert desk.look(minute, first, gazette=SILENT) == RoundReport()
        assert desk.look(minute + 1, second, herald=FAILING) == RoundReport()
    assert desk.first.titles == ["ofrecord: gazette is silent", "ofrecord: herald is failing"]
    assert "Still open" not in desk.first.posts[1]["message"]


def test_source_that_nobody_looks_at_any_more_is_forgotten_in_silence(desk: Desk) -> None:
    desk.look(0, gazette=SILENT, herald=SILENT)
    day = 24 * 60
    for minute in range(day, 8 * day, day):
        assert desk.look(minute, herald=SILENT) == RoundReport()
    assert set(Memory(desk.store).read()[1].standings) == {"herald"}
    assert [change.source for change in desk.look(8 * day, gazette=SILENT, herald=SILENT).changes] == ["gazette"]


def test_address_that_is_taken_away_is_waited_for_no_more_and_a_new_one_hears_what_is_new(desk: Desk) -> None:
    desk.second.status = 503
    desk.look(0, gazette=SILENT)
    desk.settings = desk.settings.override(alerts=[SecretAddress(desk.first.address)])
    assert desk.look(1, desk.begin(), gazette=SILENT) == RoundReport()
    assert not Memory(desk.store).read()[1].waiting

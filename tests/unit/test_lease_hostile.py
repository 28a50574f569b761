"""Lease objects that strangers, accidents and later programs left: never free too early, never locked for good."""

from __future__ import annotations

import pytest

from config.errors import DamageFound, FormatTooNew, RunLocked
from jobs.archive.lease_records import lease_key
from tests.lease_clocks import Machine, Store, record


@pytest.fixture
def store() -> Store:
    return Store()


@pytest.fixture
def machine(store: Store) -> Machine:
    return Machine(store)


HOSTILE = {
    "empty": b"",
    "no JSON": b"held",
    "no object": b"[]",
    "not UTF-8": b"\xff\xfe{}",
    "deep": b"[" * 4_000,
    "long": record(holder="x" * 5_000),
    "key twice": b'{"format":"1.0","format":"1.0","holder":"h","run":"r","state":"held","seconds":9}',
    "no holder": record(holder=...),
    "holder a number": record(holder=5),
    "run a list": record(run=[]),
    "state unknown": record(state="given"),
    "state a list": record(state=["released"]),
    "seconds missing": record(seconds=...),
    "seconds text": record(seconds="600"),
    "seconds true": record(seconds=True),
    "seconds zero": record(seconds=0),
    "seconds negative": record(seconds=-600),
    "seconds a year": record(seconds=31_536_000),
    "seconds endless": record().replace(b"600", b"1e999"),
    "seconds NaN": record().replace(b"600", b"NaN"),
    "seconds of 5000 digits": record().replace(b"600", b"9" * 3_000),
    "format missing": record(format=...),
    "format odd": record(format="one"),
    "format old": record(format="0.9"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_an_absurd_object_holds_an_hour_and_no_longer(store: Store, machine: Machine, name: str) -> None:
    store.put(lease_key("gazette", 4, 0), HOSTILE[name])
    store.seconds += 3_602
    with pytest.raises(RunLocked) as caught:
        machine.acquire()
    assert "gazette: is locked by memory:/lease/gazette/000000000004.000000, which cannot be read" in str(caught.value)
    assert "until 2031-05-06T08:08:11Z" in str(caught.value)
    assert "remove memory:/lease/gazette/000000000004.000000" in str(caught.value)
    store.seconds += 1
    assert machine.acquire().epoch == 5


def test_what_a_stranger_wrote_is_printed_harmlessly(store: Store, machine: Machine) -> None:
    store.put(lease_key("gazette", 1, 0), record(holder="\x1b[2J\u202eevil\n" + "x" * 2_000, run="\ud800"))
    with pytest.raises(RunLocked) as caught:
        machine.acquire()
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 1_000


def test_a_lease_of_a_later_format_is_named(store: Store, machine: Machine) -> None:
    store.put(lease_key("gazette", 1, 0), record(format="2.0"))
    with pytest.raises(FormatTooNew, match=r"found format 2\.0, expected 1\.x"):
        machine.acquire()


def test_other_keys_are_passed_over(store: Store, machine: Machine) -> None:
    store.put("lease/gazette/notes.txt", b"x")
    store.put("lease/gazette/000000000009.000000/x", b"x")
    store.put("lease/gazette-two/000000000009.000000", record())
    assert machine.acquire().epoch == 1


@pytest.mark.parametrize("in_log", [True, False])
def test_the_last_epoch_of_all_is_refused(store: Store, machine: Machine, *, in_log: bool) -> None:
    if not in_log:
        store.put(lease_key("gazette", 10**12 - 1, 0), record())
    with pytest.raises(DamageFound, match="take it away"):
        machine.acquire(log_epoch=2**63 - 1 if in_log else 0)


def test_a_store_without_a_clock_cannot_end_a_lease(store: Store, machine: Machine) -> None:
    store.tells_time = False
    machine.acquire()
    store.seconds += 10_000
    with pytest.raises(RunLocked, match="tells no time, so nobody can say until when"):
        machine.acquire()
    assert machine.acquire(released=(1,)).epoch == 2


def test_an_object_from_the_future_is_said(store: Store, machine: Machine) -> None:
    store.seconds = 86_400
    machine.acquire()
    store.seconds = 0
    with pytest.raises(RunLocked, match="younger than the store's clock, which must have been wrong"):
        machine.acquire()

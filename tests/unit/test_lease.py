"""The lease in one process, step by step: what it costs, what keeps it, and what ends it."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest

from config.errors import ExitCode, ObjectExists, RunLocked, StoreRefused, StoreUnavailable
from jobs.archive.lease import Lease, acquire_lease, list_old_leases, read_boottime
from jobs.archive.lease_records import LeaseRecord, lease_key, parse_lease_key, read_record
from jobs.archive.signing import Signer, parse_signatures, split_document
from tests.lease_clocks import Machine, Store, record, refuse


@pytest.fixture
def store() -> Store:
    return Store()


@pytest.fixture
def machine(store: Store) -> Machine:
    return Machine(store)


def wait_for_renewal() -> None:
    for thread in threading.enumerate():
        if thread.name == "lease-gazette":
            thread.join(20)


def test_a_lease_is_one_object_of_the_format(store: Store, machine: Machine) -> None:
    lease = machine.acquire()
    key = "lease/gazette/000000000001.000000"
    assert [one.key for one in store.list("")] == [key]
    assert json.loads(store.get(key)) == {
        "format": "1.0",
        "holder": lease.holder,
        "run": "gazette-run",
        "state": "held",
        "seconds": 600,
    }
    assert (lease.source, lease.epoch) == ("gazette", 1)
    assert lease.valid_until == machine.boottime() + 590
    assert lease.is_valid()


def test_holders_differ_and_tell_no_path(machine: Machine) -> None:
    first, second = machine.acquire(), machine.acquire(released=(1,))
    assert first.holder != second.holder
    assert "/" not in first.holder


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("lease/gazette/000000000012.000003", (12, 3)),
        ("lease/gazette/12.3", None),
        ("lease/gazette/000000000012.0000031", None),
        ("lease/gazette/٠٠٠٠٠٠٠٠٠٠١٢.000003", None),
        ("lease/gazette/x/000000000012.000003", None),
        ("log/gazette/000000000012", None),
    ],
)
def test_keys(text: str, expected: tuple[int, int] | None) -> None:
    assert parse_lease_key(text) == expected
    assert expected is None or lease_key("gazette", *expected) == text


def test_what_it_costs(store: Store, machine: Machine) -> None:
    machine.acquire()
    assert store.requests == {"list": 1, "put": 1}
    store.requests.clear()
    second = machine.acquire(log_epoch=1, released=(1,))
    assert store.requests == {"list": 1, "put": 1}
    store.seconds += 603
    store.requests.clear()
    machine.acquire(log_epoch=1)
    assert store.requests == {"list": 1, "get": 1, "put": 1}
    store.seconds += 3603
    store.requests.clear()
    third = machine.acquire(log_epoch=second.epoch)
    assert store.requests == {"list": 1, "put": 1}
    store.requests.clear()
    for _ in range(299):
        store.seconds += 1
        third.poll()
        third.renew()
    assert store.requests == {}


def test_old_keys_are_not_listed(store: Store, machine: Machine) -> None:
    for epoch in (1, 2, 3):
        store.put(lease_key("gazette", epoch, 0), b"x")
    store.put(lease_key("gazette", 7, 0), record(state="released"))
    assert machine.acquire(log_epoch=5).epoch == 8
    assert store.listed == [lease_key("gazette", 7, 0)]


@pytest.mark.parametrize(("in_log", "in_store", "expected"), [(0, 0, 1), (9, 3, 10), (3, 9, 10), (9, 9, 10)])
def test_a_new_epoch_is_greater_than_all(
    store: Store, machine: Machine, in_log: int, in_store: int, expected: int
) -> None:
    if in_store:
        store.put(lease_key("gazette", in_store, 4), record(state="released"))
    assert machine.acquire(log_epoch=in_log).epoch == expected


def test_who_is_locked_out_learns_by_whom_and_until_when(store: Store, machine: Machine) -> None:
    first = machine.acquire()
    store.seconds += 100
    with pytest.raises(RunLocked) as caught:
        machine.acquire()
    assert caught.value.exit_code is ExitCode.LOCKED
    assert str(caught.value) == (
        f"gazette: is being crawled by {first.holder}, run gazette-run, until 2031-05-06T07:18:11Z if not renewed "
        "(by the store's clock, now 2031-05-06T07:09:49Z); wait, or stop that run"
    )


def test_the_other_holder_gets_two_seconds_more(store: Store, machine: Machine) -> None:
    machine.acquire(seconds=30)
    store.seconds += 32
    with pytest.raises(RunLocked):
        machine.acquire()
    store.seconds += 1
    assert machine.acquire().epoch == 2


def test_renewed_at_half_time(store: Store, machine: Machine) -> None:
    lease = machine.acquire()
    for _ in range(30):
        store.seconds += 60
        lease.poll()
        wait_for_renewal()
        assert lease.is_valid()
        assert lease.valid_until - machine.boottime() > 290
    assert [one.key for one in store.list("")] == [lease_key("gazette", 1, beat) for beat in range(7)]
    with pytest.raises(RunLocked):
        machine.acquire()


def test_a_machine_that_slept_has_lost(store: Store, machine: Machine) -> None:
    lease = machine.acquire()
    store.seconds += 590
    assert not lease.is_valid()
    assert not lease.lost.is_set()
    lease.poll()
    assert lease.lost.is_set()
    store.requests.clear()
    lease.renew()
    lease.release()
    assert store.requests == {}


def test_store_trouble_is_no_loss_until_time_is_up(store: Store, machine: Machine) -> None:
    lease = machine.acquire()
    before = lease.valid_until
    for error in (StoreUnavailable("no answer"), StoreRefused("the session has expired"), OSError(28, "disk full")):
        store.before_create = refuse(error)
        store.seconds += 300 if before == machine.boottime() + 590 else 20
        lease.renew()
        assert lease.is_valid()
        assert lease.valid_until == before
    store.before_create = lambda _: None
    store.seconds += 20
    lease.renew()
    # Counted from the first try, at 300 s: for all we know the object is of that one.
    assert lease.valid_until == before + 300


def test_a_renewal_whose_answer_was_lost_counts_from_its_first_try(store: Store, machine: Machine) -> None:
    lease = machine.acquire()
    store.seconds += 300
    store.after_create = refuse(StoreUnavailable("the answer was lost"))
    lease.renew()
    store.seconds += 200
    lease.renew()
    assert lease.valid_until == machine.boottime() - 200 + 590
    assert len([*store.list("lease/")]) == 2


def test_a_renewal_answered_after_the_end_does_not_count(store: Store, machine: Machine) -> None:
    lease = machine.acquire()
    store.seconds += 300

    def dawdle(_: str) -> None:
        store.seconds += 290

    store.after_create = dawdle
    lease.renew()
    assert lease.lost.is_set()
    assert not lease.is_valid()


def test_another_at_our_key_is_a_loss(store: Store, machine: Machine) -> None:
    lease = machine.acquire()
    store.put(lease_key("gazette", 1, 1), record())
    store.seconds += 300
    lease.renew()
    assert lease.lost.is_set()


def test_a_holder_sees_that_it_was_overtaken(store: Store, machine: Machine) -> None:
    lease = machine.acquire()
    store.seconds += 3_700
    machine.ahead -= 3_400  # the store's clock jumped by an hour
    other = machine.acquire()
    assert (lease.is_valid(), other.is_valid()) == (True, True)
    lease.renew()
    assert (lease.is_valid(), other.is_valid()) == (False, True)


def test_poll_does_not_wait_for_the_store(store: Store, machine: Machine) -> None:
    lease = machine.acquire()
    asked, answered = threading.Event(), threading.Event()

    def block(_: str) -> None:
        asked.set()
        assert answered.wait(20)

    store.before_create = block
    store.seconds += 300
    lease.poll()
    assert asked.wait(20)
    lease.poll()  # while the first is under way
    store.seconds += 290
    lease.poll()
    assert lease.lost.is_set()
    answered.set()
    wait_for_renewal()
    assert not lease.is_valid()
    assert store.requests["put"] == 2


def test_tries_are_spread(store: Store, machine: Machine) -> None:
    lease = machine.acquire()
    store.before_create = refuse(StoreUnavailable("no answer"))
    store.seconds += 300
    store.requests.clear()
    for _ in range(100):
        lease.poll()
        wait_for_renewal()
        store.seconds += 0.1
    assert store.requests["put"] == 2


def test_a_released_lease_is_free_at_once(store: Store, machine: Machine) -> None:
    lease = machine.acquire()
    lease.release()
    lease.release()
    assert not lease.is_valid()
    assert not lease.lost.is_set()
    assert store.requests["put"] == 2
    assert json.loads(store.get(lease_key("gazette", 1, 1)))["state"] == "released"
    assert machine.acquire().epoch == 2


def test_a_lease_that_a_commit_ends_needs_no_beat(store: Store, machine: Machine) -> None:
    lease = machine.acquire()
    lease.end()
    assert not lease.is_valid()
    with pytest.raises(RunLocked):
        machine.acquire(log_epoch=1)
    assert machine.acquire(log_epoch=1, released=(1,)).epoch == 2
    assert store.requests["put"] == 2


def test_release_after_a_beat_whose_answer_was_lost(store: Store, machine: Machine) -> None:
    lease = machine.acquire()
    store.seconds += 300
    store.after_create = refuse(StoreUnavailable("the answer was lost"))
    lease.renew()
    store.after_create = lambda _: None
    lease.release()
    assert json.loads(store.get(lease_key("gazette", 1, 2)))["state"] == "released"
    assert machine.acquire().epoch == 2


def test_release_while_a_renewal_is_under_way(store: Store, machine: Machine) -> None:
    lease = machine.acquire()
    asked, answered = threading.Event(), threading.Event()

    def block(_: str) -> None:
        store.before_create = lambda _: None
        asked.set()
        assert answered.wait(20)

    store.before_create = block
    store.seconds += 300
    lease.poll()
    assert asked.wait(20)
    lease.release()
    answered.set()
    wait_for_renewal()
    assert not lease.is_valid()
    assert not lease.lost.is_set()
    assert machine.acquire().epoch == 2


def test_release_says_nothing_where_the_store_does_not_answer(store: Store, machine: Machine) -> None:
    lease = machine.acquire()
    store.before_create = refuse(StoreUnavailable("no answer"))
    lease.release()
    assert not lease.is_valid()


def test_an_acquisition_whose_answer_was_lost(store: Store, machine: Machine) -> None:
    def lose_once(_: str) -> None:
        store.after_create = lambda _: None
        raise StoreUnavailable("the answer was lost")

    store.after_create = lose_once
    lease = machine.acquire()
    assert lease.epoch == 2
    assert lease.is_valid()
    with pytest.raises(RunLocked):
        machine.acquire()


def test_a_put_that_the_client_itself_repeated(store: Store, machine: Machine) -> None:
    store.after_create = refuse(ObjectExists("is there already"))
    assert machine.acquire().epoch == 1


def test_a_store_that_stays_away_is_given_up(store: Store, machine: Machine) -> None:
    store.before_create = refuse(StoreUnavailable("no answer"))
    with pytest.raises(StoreUnavailable, match="no answer"):
        machine.acquire()
    assert store.requests["put"] == 2


def test_who_took_too_long_looks_again(store: Store, machine: Machine) -> None:
    def dawdle(_: str) -> None:
        store.seconds += 61
        store.after_create = lambda _: None

    store.after_create = dawdle
    lease = machine.acquire()
    assert lease.epoch == 2
    assert lease.valid_until == machine.boottime() + 590


def test_no_lease_is_handed_out_that_has_run_out(store: Store, machine: Machine) -> None:
    def dawdle(_: str) -> None:
        store.seconds += 3

    store.after_create = dawdle
    with pytest.raises(StoreUnavailable, match="too slow"):
        machine.acquire(seconds=3)


def test_who_comes_second_is_locked_out(store: Store, machine: Machine) -> None:
    def be_faster(key: str) -> None:
        store.before_create = lambda _: None
        store.put(key, record(holder="other process 7 00"))

    store.before_create = be_faster
    with pytest.raises(RunLocked, match="other process 7 00"):
        machine.acquire()


@pytest.mark.parametrize("seconds", [0, -1, 3_601, float("nan"), float("inf")])
def test_seconds_are_bounded(machine: Machine, seconds: float) -> None:
    with pytest.raises(ValueError, match="at most 3600"):
        machine.acquire(seconds=seconds)


def test_old_leases(store: Store) -> None:
    store.put(lease_key("gazette", 1, 0), b"x")
    store.put(lease_key("gazette", 2, 0), b"x")
    store.put(lease_key("gazette", 2, 1), b"x")
    store.seconds += 86_300
    store.put(lease_key("gazette", 3, 0), b"x")
    store.put(lease_key("gazette", 4, 0), b"x")
    store.put(lease_key("gazette", 4, 1), b"x")
    store.put("lease/gazette/notes.txt", b"x")
    assert list_old_leases(store, "gazette") == ()
    store.seconds += 101
    old = (lease_key("gazette", 1, 0), lease_key("gazette", 2, 0), lease_key("gazette", 2, 1))
    assert list_old_leases(store, "gazette") == old
    store.seconds += 86_400
    assert list_old_leases(store, "gazette") == (*old, lease_key("gazette", 3, 0))
    store.tells_time = False
    assert list_old_leases(store, "gazette") == ()
    assert list_old_leases(store, "observer") == ()


def test_boot_time_is_that_of_the_machine() -> None:
    up = float(Path("/proc/uptime").read_text(encoding="ascii").split()[0])
    assert 0 <= read_boottime() - up < 60


def test_a_signed_lease_names_its_key_and_is_read_like_any_other(store: Store) -> None:
    signer = Signer.generate()
    lease = take(store, signer)
    key = lease_key("gazette", lease.epoch, 0)
    line, signatures = split_document(store.get(key), key, "a lease", 4_096)
    assert json.loads(line)["key"] == key
    assert signer.public.has_signed(line + b"\n", parse_signatures(signatures)[0])
    found = read_record(store, key)
    assert found is not None
    assert (found.holder, found.run, found.state, found.seconds) == (lease.holder, "run-1", "held", 60.0)
    lease.release()
    assert store.get(lease_key("gazette", lease.epoch, 1)).splitlines()[1].startswith(b"ed25519 ")


def test_a_signed_lease_of_another_holds(store: Store) -> None:
    key = lease_key("gazette", 1, 0)
    store.put(key, LeaseRecord("other", None, "held", 60.0).encode(key, Signer.generate()))
    with pytest.raises(RunLocked, match="is being crawled by other"):
        take(store, None)


def take(store: Store, signer: Signer | None) -> Lease:
    never = lambda _: False  # noqa: E731
    return acquire_lease(store, "gazette", run="run-1", seconds=60, log_epoch=0, is_released=never, signer=signer)

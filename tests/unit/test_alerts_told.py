"""What was told outlasts everything: kept whole, one number at a time, and a lost one is no storm."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from structlog.testing import capture_logs

from config.addresses import SecretAddress
from config.errors import StoreRefused, StoreUnavailable
from jobs.alerts.changes import Change, Standing
from jobs.alerts.told import Memory, Told, Waiting, identify
from jobs.health import Reason, State
from jobs.store.local import LocalStore
from jobs.store.memory import MemoryStore

if TYPE_CHECKING:
    from pathlib import Path

NOW = datetime(2026, 11, 2, 12, tzinfo=UTC)
TOLD = Told(
    standings={"gazette": Standing(state=State.SILENT, since=NOW, kinds=("silent",), alarms=2)},
    waiting={
        "abc": Waiting(
            changes=(
                Change(
                    source="gazette",
                    before=State.OK,
                    after=State.SILENT,
                    reasons=(Reason("silent", "nothing new", State.SILENT),),
                    at=NOW,
                ),
            )
        )
    },
    telling_until=NOW,
)


def list_keys(store: LocalStore | MemoryStore) -> list[str]:
    return [stored.key for stored in store.list("")]


def make_change(number: int) -> Change:
    return Change(source=f"s{number}", before=State.OK, after=State.SILENT, reasons=(), at=NOW)


def test_nothing_was_told_where_nothing_is_kept(tmp_path: Path) -> None:
    assert Memory(LocalStore(tmp_path)).read() == (0, Told())


def test_folder_that_is_not_there_is_no_empty_one(tmp_path: Path) -> None:
    with pytest.raises(StoreRefused):  # a volume that is not mounted must not look like a new machine
        Memory(LocalStore(tmp_path / "not" / "mounted")).read()


def test_what_was_told_is_read_back_and_the_old_one_goes(tmp_path: Path) -> None:
    store = LocalStore(tmp_path)
    memory = Memory(store)
    assert memory.write(Told(), 0) == 1
    assert memory.write(TOLD, 1) == 2
    assert memory.read() == (2, TOLD)
    assert len(list_keys(store)) == 1


def test_of_two_at_the_same_time_one_is_told_that_it_came_late(tmp_path: Path) -> None:
    first, second = Memory(LocalStore(tmp_path)), Memory(LocalStore(tmp_path))
    assert first.write(TOLD, 0) == 1
    assert second.write(Told(), 0) is None
    assert second.read() == (1, TOLD)
    assert first.write(TOLD, 0) == 1, "its own earlier try, whose answer was lost"


@pytest.mark.parametrize(
    "data", [b"", b"{", b'{"version":2}', b'{"standings":{"gazette":{"state":"odd","since":"x"}}}', b"\xff" * 9]
)
def test_damaged_memory_is_said_and_passed_over(tmp_path: Path, data: bytes) -> None:
    store = LocalStore(tmp_path)
    Memory(store).write(TOLD, 0)
    (tmp_path / list_keys(store)[0]).chmod(0o600)
    (tmp_path / list_keys(store)[0]).write_bytes(data)
    with capture_logs() as logs:
        assert Memory(store).read() == (1, Told())
    assert [line["event"] for line in logs] == ["ignored_told"]
    assert Memory(store).write(TOLD, 1) == 2
    assert Memory(store).read() == (2, TOLD)


def test_strange_files_beside_it_are_left_alone(tmp_path: Path) -> None:
    for name in ("table.json", "t1.json", "t00000000000x.json", "t0000000000001.json"):
        (tmp_path / name).write_text("{}", "utf-8")
    memory = Memory(LocalStore(tmp_path))
    assert memory.read() == (0, Told())
    assert memory.write(TOLD, 0) == 1
    assert memory.read() == (1, TOLD)
    assert len(list(tmp_path.glob("t*"))) == 5


def test_old_one_that_cannot_be_deleted_is_taken_away_by_the_next() -> None:
    class Stubborn(MemoryStore):
        stubborn = True

        def delete(self, key: str) -> None:
            if self.stubborn:
                raise StoreUnavailable("not now")
            super().delete(key)

    store = Stubborn()
    memory = Memory(store)
    for number in range(3):
        assert memory.write(TOLD, number) == number + 1
    assert len(list_keys(store)) == 3
    assert memory.read() == (3, TOLD)
    store.stubborn = False
    assert memory.write(Told(), 3) == 4
    assert list_keys(store) == ["t000000000004.json"]


def test_what_waits_is_bounded_and_what_was_left_out_is_counted() -> None:
    waiting = Waiting()
    for number in range(600):
        waiting = waiting.add((make_change(number),))
    assert (len(waiting.changes), waiting.left_out) == (500, 100)
    assert waiting.changes[-1].source == "s599"


def test_what_came_while_a_message_went_out_still_waits() -> None:
    sent = Waiting(changes=(make_change(1), make_change(2)))
    later = make_change(3).model_copy(update={"at": NOW + timedelta(minutes=1)})
    assert sent.add((later,)).without(sent) == Waiting(changes=(later,))


def test_addresses_are_not_kept() -> None:
    address = SecretAddress("slack://secret-token/x")
    assert "secret" not in identify(address)
    assert identify(address) == identify(SecretAddress("slack://secret-token/x"))
    assert identify(address) != identify(SecretAddress("slack://secret-token/y"))

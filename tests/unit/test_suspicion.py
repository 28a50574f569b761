"""When an article that seems to be gone is looked at again, where what follows is no evidence of anything."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from jobs.rechecks import RecheckPolicy
from tests.machines import SOURCE, START, Look, Machine

if TYPE_CHECKING:
    from jobs.archive.identity import ArchiveInfo
    from jobs.store.memory import MemoryStore
    from tests.unit.conftest import MakeCatalog

POLICY = RecheckPolicy((3_600,), second_look_seconds=60)
BROKEN = Look("a", None, 500)


def test_looks_that_tell_nothing_come_ever_more_seldom(
    store: MemoryStore, info: ArchiveInfo, catalogs: MakeCatalog
) -> None:
    machine = Machine(store, info, catalogs("first"))
    looks = [
        (0, Look("a"), None),
        (10, Look("a", None, 404), 11),
        (11, BROKEN, 12),
        (20, BROKEN, 30),
        (40, BROKEN, 70),
        (41, Look("a"), None),
        (100, Look("a", None, 404), 101),  # another suspicion: the first one is over
    ]
    for number, (minute, look, due) in enumerate(looks, 1):
        machine.commit([look], number=number, opened=START + timedelta(minutes=minute))
        for seconds, expected in ((-1, False), (1, True)):
            if due is not None:
                now = START + timedelta(minutes=due, seconds=seconds)
                assert bool(list(machine.catalog.list_due(SOURCE, POLICY, now))) is expected, (minute, seconds)

"""When the uploader tries, and when it gives up: a clock that the test sets, a store that does as it is told."""

from __future__ import annotations

import errno
import random
import threading
from typing import TYPE_CHECKING

import pytest
import structlog

from config.errors import DamageFound, ObjectDiffers, StoreRefused, StoreUnavailable
from jobs.runs.pressure import Pressure
from jobs.runs.uploading import LONGEST_SECONDS, REFUSED_SECONDS, Patience, Uploader
from jobs.spool_use import SpoolUse, measure_spool

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

MIB = 1 << 20


class Scene:
    """A spool and a store, as far as an uploader sees them."""

    def __init__(self, grace_seconds: float = 30.0) -> None:
        self.now = 0.0
        self.waiting = 0
        self.error: Exception | None = None
        self.tries: list[float] = []
        self.uploader = Uploader(
            self.bring,
            lambda: self.waiting > 0,
            grace_seconds=grace_seconds,
            patience=Patience(chance=lambda: 0.0),
            clock=lambda: self.now,
        )

    def bring(self) -> Generator[bool, None, None]:
        self.tries.append(self.now)
        while self.waiting:
            if self.error is not None:
                raise self.error
            self.waiting -= 1
            yield True

    def run_until(self, instant: float) -> bool:
        """Take steps ten times a second; return whether the uploader would go on."""
        while self.now < instant:
            if not self.uploader.step():
                return False
            self.now += 0.1
        return True


def test_the_first_step_looks_at_everything_and_later_ones_wait_for_work() -> None:
    scene = Scene()
    assert scene.run_until(10)
    assert scene.tries == [0.0]
    scene.waiting = 3
    assert scene.run_until(20)
    assert len(scene.tries) == 2
    assert scene.uploader.committed == 3
    assert scene.uploader.caught_up.is_set()


def test_passing_trouble_is_tried_again_ever_more_rarely_and_for_as_long_as_the_run_goes_on() -> None:
    scene = Scene()
    scene.waiting, scene.error = 2, StoreUnavailable("no answer")
    assert scene.run_until(600)
    pauses = [later - earlier for earlier, later in zip(scene.tries, scene.tries[1:], strict=False)]
    assert pauses[:5] == pytest.approx([2, 4, 8, 16, 32], abs=0.2)
    assert set(map(round, pauses[5:])) == {round(LONGEST_SECONDS)}
    scene.error = None
    assert scene.run_until(700)
    assert (scene.uploader.committed, scene.uploader.trouble) == (2, None)
    scene.waiting, scene.error = 1, StoreUnavailable("no answer")
    count = len(scene.tries)
    assert scene.run_until(703)
    assert len(scene.tries) == count + 2  # after a success it begins with short pauses again


def test_trouble_at_the_end_is_tried_again_though_no_work_is_seen() -> None:
    scene = Scene()
    assert scene.run_until(1)
    failing = [OSError(errno.EIO, "the disk"), None]

    def bring() -> Generator[bool, None, None]:
        error = failing.pop(0)
        if error is not None:
            raise error
        yield True

    scene.uploader._bring = bring
    scene.uploader.finish()
    assert not scene.run_until(60)
    assert not failing
    assert (scene.uploader.committed, scene.uploader.trouble) == (1, None)


def test_no_two_machines_come_back_at_once() -> None:
    patience = Patience(random.Random(4).random)
    pauses = [patience.note_failure(StoreUnavailable("busy")) for _ in range(200)]
    assert all(1.0 <= pause <= 2.0 for pause in pauses[:1])
    assert all(LONGEST_SECONDS / 2 <= pause <= LONGEST_SECONDS for pause in pauses[10:])
    assert len(set(pauses[10:])) > 150


@pytest.mark.parametrize("error", [StoreRefused("access denied"), ObjectDiffers("other bytes"), DamageFound("x")])
def test_a_refusal_is_not_hammered_and_told_once(error: Exception) -> None:
    scene = Scene()
    scene.waiting, scene.error = 1, error
    with structlog.testing.capture_logs() as logs:
        assert scene.run_until(3 * REFUSED_SECONDS + 1)
    assert len(scene.tries) == 4
    assert [entry["event"] for entry in logs] == ["failed_upload"]
    scene.error = None
    assert scene.run_until(4 * REFUSED_SECONDS + 2)
    assert scene.uploader.committed == 1


def test_what_was_committed_before_the_trouble_counts() -> None:
    scene = Scene()

    def bring() -> Generator[bool, None, None]:
        yield True
        yield False
        raise StoreUnavailable("gone")

    scene.uploader._bring = bring
    scene.uploader.step()
    assert scene.uploader.committed == 1
    assert isinstance(scene.uploader.trouble, StoreUnavailable)


def test_the_end_brings_what_is_left_and_looks_at_it_all_once_more() -> None:
    scene = Scene()
    assert scene.run_until(1)
    scene.waiting = 2
    scene.uploader.finish()
    assert not scene.run_until(5)
    assert scene.uploader.committed == 2
    again = Scene()
    assert again.run_until(1)
    again.uploader.finish()
    assert not again.run_until(5)
    assert len(again.tries) == 2  # a child that died may have left what no folder shows


def test_passing_trouble_at_the_end_gets_the_grace_time_and_a_try_at_once() -> None:
    scene = Scene(grace_seconds=30)
    scene.waiting, scene.error = 1, StoreUnavailable("no answer")
    assert scene.run_until(200)
    scene.uploader.finish()
    assert not scene.run_until(1000)
    assert 200 <= scene.now <= 230
    last = [instant for instant in scene.tries if instant >= 200]
    assert last == pytest.approx([200, 202, 206, 214], abs=0.5)
    assert isinstance(scene.uploader.trouble, StoreUnavailable)


def test_a_refusal_at_the_end_is_not_waited_for() -> None:
    scene = Scene(grace_seconds=30)
    scene.waiting, scene.error = 1, StoreRefused("access denied")
    assert scene.run_until(10)
    scene.uploader.finish()
    assert not scene.run_until(1000)
    assert scene.now < 11
    assert len(scene.tries) == 1


def test_a_store_that_comes_back_within_the_grace_time_gets_everything() -> None:
    scene = Scene(grace_seconds=30)
    scene.waiting, scene.error = 5, StoreUnavailable("no answer")
    scene.run_until(10)
    scene.uploader.finish()
    assert scene.run_until(15)
    scene.error = None
    assert not scene.run_until(1000)
    assert (scene.uploader.committed, scene.uploader.trouble) == (5, None)


def test_a_full_disk_passes_like_a_store_that_is_away() -> None:
    scene = Scene()
    scene.waiting, scene.error = 1, OSError(errno.ENOSPC, "no space left on device")
    assert scene.run_until(10)
    assert len(scene.tries) > 2


def test_a_fault_of_ours_is_raised_where_the_run_is_watched() -> None:
    scene = Scene()
    scene.waiting, scene.error = 1, ZeroDivisionError("a bug")
    scene.uploader.start()
    assert scene.uploader.over.wait(10)
    with pytest.raises(ZeroDivisionError, match="a bug"):
        scene.uploader.require_sound()


def test_an_abandoned_uploader_ends_after_the_segment_that_is_under_way() -> None:
    begun, go_on = threading.Event(), threading.Event()

    def bring() -> Generator[bool, None, None]:
        for _ in range(100):
            begun.set()
            assert go_on.wait(10)
            yield True

    uploader = Uploader(bring, lambda: True, grace_seconds=0)
    uploader.start()
    assert begun.wait(10)
    uploader.abandon()
    assert not uploader.over.is_set()
    go_on.set()
    assert uploader.over.wait(10)
    uploader.join(10)
    assert uploader.committed == 1


def use(size_bytes: int = 0, *, free_bytes: int = 100_000 * MIB, disk_bytes: int = 200_000 * MIB) -> SpoolUse:
    return SpoolUse(1, size_bytes, free_bytes, disk_bytes)


def test_a_long_spool_pauses_and_goes_on_below_four_fifths() -> None:
    pressure = Pressure(max_bytes=100, min_free_bytes=0)
    told = []
    for size in (0, 100, 101, 100, 81, 80, 100, 101):
        pressure.update(use(size))
        told.append(pressure.paused)
    assert told == [False, False, True, True, True, False, False, True]
    assert not pressure.disk_is_full
    assert pressure.reason is not None
    assert "spool_max_bytes" in pressure.reason


def test_a_disk_that_gets_full_pauses_and_goes_on_with_a_quarter_more() -> None:
    pressure = Pressure(max_bytes=1 << 40, min_free_bytes=100 * MIB)
    told = []
    for free in (100, 99, 100, 124, 125, 100):
        pressure.update(use(free_bytes=free * MIB))
        told.append(pressure.disk_is_full)
        assert pressure.paused == pressure.disk_is_full
    assert told == [False, True, True, True, False, False]


def test_a_small_disk_needs_a_twentieth_of_itself_free_and_none_where_that_is_switched_off() -> None:
    pressure = Pressure(max_bytes=1 << 40, min_free_bytes=256 * MIB)
    paused = []
    for free_bytes in (11 * MIB, MIB - 1):
        pressure.update(use(free_bytes=free_bytes, disk_bytes=20 * MIB))
        paused.append(pressure.paused)
    assert paused == [False, True]
    careless = Pressure(max_bytes=1 << 40, min_free_bytes=0)
    careless.update(use(free_bytes=0))
    assert not careless.paused


def test_the_spool_is_what_waits_and_nothing_else(tmp_path: Path) -> None:
    assert measure_spool(tmp_path).segments == 0
    for folder, size in (("open/a", 10), ("closed/b", 200), ("sealed/c", 3000), ("gone/d", 4), ("damaged/e", 5)):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "records.warc.gz").write_bytes(bytes(size))
    (tmp_path / "open" / "being-made").mkdir()
    (tmp_path / "plan.json").write_bytes(b"{}")
    found = measure_spool(tmp_path)
    assert (found.segments, found.size_bytes) == (3, 3210)
    assert 0 < found.free_bytes < found.disk_bytes

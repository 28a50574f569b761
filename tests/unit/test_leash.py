"""The leash between parent and child: what a word allows, and how a host's slot holds its requests back."""

from __future__ import annotations

import time

import pytest

from crawler.leash import Leash, Word
from crawler.slots import ASK_AGAIN_SECONDS, HostSlot
from crawler.throttle import DelayBounds, Pace


class Clock:
    """Stands still until it is set."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def is_held(leash: Leash) -> bool:
    return leash.held


def test_a_word_outlives_whoever_said_it_until_its_time_is_over() -> None:
    clock = Clock()
    leash = Leash(Word(valid_until=1010.0), clock=clock)
    assert not is_held(leash)
    clock.now = 1009.9
    assert not is_held(leash)
    clock.now = 1010.0
    assert leash.lapsed
    assert is_held(leash)
    leash.obey(Word(valid_until=1020.0))
    assert not is_held(leash)
    clock.now = 1e9  # the machine slept
    assert is_held(leash)


def test_a_pause_is_no_lapse_and_a_full_disk_holds_by_itself() -> None:
    leash = Leash()
    assert not is_held(leash)
    leash.obey(Word(paused=True))
    assert is_held(leash)
    assert not leash.lapsed
    leash.obey(Word())
    leash.without_room += 2
    leash.without_room -= 1
    assert is_held(leash)
    leash.without_room -= 1
    assert not is_held(leash)


@pytest.mark.parametrize("word", [Word(), Word(paused=True), Word(valid_until=12.5), Word(True, 1e6)])
def test_a_word_travels_as_one_line(word: Word) -> None:
    line = word.encode()
    assert line.count(b"\n") == 1
    assert line.endswith(b"\n")
    assert Word.decode(line) == word


def test_keys_of_a_later_version_are_passed_over() -> None:
    assert Word.decode(b'{"paused": true, "valid_until": null, "colour": "red"}\n') == Word(paused=True)


@pytest.mark.parametrize(
    "line",
    [
        b"\n",
        b"{}\n",
        b"[]\n",
        b'{"paused": 1}\n',
        b'{"paused": true, "valid_until": "soon"}\n',
        b'{"paused": true, "valid_until": NaN}\n',
        b'{"paused": tr',
    ],
)
def test_what_is_no_word_is_not_guessed_at(line: bytes) -> None:
    with pytest.raises(ValueError, match=r"found|Expecting"):
        Word.decode(line)


def test_a_slot_asks_again_while_the_leash_is_held_and_keeps_its_pace_afterwards() -> None:
    leash, pace = Leash(), Pace(DelayBounds(least=5.0))
    slot = HostSlot(1, pace, leash)
    slot.lastseen = time.monotonic() - 1000
    assert slot.download_delay() == 5.0
    leash.obey(Word(paused=True))
    before = time.monotonic()
    wait = slot.lastseen + slot.download_delay() - before
    assert ASK_AGAIN_SECONDS <= wait < ASK_AGAIN_SECONDS + 5
    leash.obey(Word())
    assert slot.download_delay() == 5.0


def test_a_stopped_run_is_held_by_nothing() -> None:
    pace = Pace(DelayBounds(least=0.0))
    slot = HostSlot(1, pace, Leash(Word(paused=True)))
    assert slot.download_delay() > 0
    pace.halted = True
    assert slot.download_delay() == 0.0

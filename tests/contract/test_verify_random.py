"""Archives of random shape: sound ones give no false alarm, and a fault planted anywhere is found and named.

Both kinds are decided by a seed, which stands in each failure's message.
"""

from __future__ import annotations

import random
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from jobs.archive.commit import decode_commit
from jobs.segments.pages import DerivingLimits
from jobs.verify import verify_archive
from tests.archives import commit_keys, copy_store, file_keys, read_blocks, read_lines, rechain
from tests.faults import FAULTS, NEEDS_PAGES, WARC, damage, damaged_keys
from tests.real_archives import MAX_BODY_BYTES, PACK_EVERY, build_random

if TYPE_CHECKING:
    from pathlib import Path

    from jobs.store.memory import MemoryStore

LIMITS = DerivingLimits(
    workers=1, page_seconds=60.0, page_cpu_seconds=60.0, memory_bytes=1 << 30, max_inflated_bytes=MAX_BODY_BYTES
)
SEED = 20261122
SHAPES = 40
"""Archives that faults are planted in."""
REDERIVED_EVERY = 8
"""One archive in so many has its texts made anew."""


@pytest.fixture(autouse=True)
def _short_packs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("jobs.verify.packs.PACK_COMMITS", PACK_EVERY)


@pytest.fixture
def shapes(tmp_path: Path) -> list[MemoryStore]:
    return [build_random(tmp_path / str(number), SEED + number) for number in range(SHAPES)]


def _check_sound(folder: Path, seed: int, *, rederive: bool) -> Counter[str]:
    store = build_random(folder / str(seed), seed)
    report = verify_archive(store, full=True, rederive=LIMITS if rederive else None)
    assert damage(report) == [], seed
    assert damage(verify_archive(store, full=False)) == [], seed
    rechain(store)
    assert damage(verify_archive(store, full=True)) == [], seed
    seen = Counter({"packs": report.counts.packs, "rederived": report.counts.rederived})
    for key in file_keys(store, WARC):
        seen["several records"] += len(read_blocks(store, key)) > 1
    for key in commit_keys(store):
        commit = decode_commit(store.get(key), key).commit
        seen["since"] += bool(commit.since)
        seen["since a checkpoint"] += bool(commit.since and commit.checkpoint)
    for row in (row for key in file_keys(store, WARC) for row in read_lines(store, key)):
        seen[row["type"]] += 1
        seen["revisits"] += bool(row.get("revisit_of"))
        seen["secured"] += bool((row.get("warc") or {}).get("metadata"))
        seen["unanswered"] += bool(row.get("error"))
        seen["derived again"] += bool(row.get("of"))
        seen["not modified"] += row.get("status") == 304
        seen["withheld"] += row.get("class") == "noarchive"
        seen["cut"] += bool(row.get("truncated"))
    return seen


def _check_sound_ones(folder: Path, count: int) -> None:
    seen: Counter[str] = Counter()
    for number in range(count):
        seen += _check_sound(folder, SEED + number, rederive=number % REDERIVED_EVERY == 0)
    wanted = {"revisits", "secured", "unanswered", "derived again", "not modified", "withheld", "cut", "packs"}
    wanted |= {"several records", "since", "since a checkpoint"}
    assert {name for name in (*wanted, "rederived") if not seen[name]} == set()


def _plant(shapes: list[MemoryStore], count: int) -> Counter[str]:
    planted: Counter[str] = Counter()
    seed = SEED
    while sum(planted.values()) < count:
        seed += 1
        rng = random.Random(seed)
        store = copy_store(rng.choice(shapes))
        name = rng.choice([*FAULTS, *NEEDS_PAGES]) if seed % REDERIVED_EVERY == 0 else rng.choice(list(FAULTS))
        keys = (FAULTS | NEEDS_PAGES)[name](store, rng)
        if keys is None:
            continue
        planted[name] += 1
        report = verify_archive(store, full=True, rederive=LIMITS if name in NEEDS_PAGES else None)
        assert damaged_keys(report) & keys, f"seed {seed}: {name}: expected one of {sorted(keys)}"
    return planted


def test_a_seed_decides_an_archive_to_the_last_byte(tmp_path: Path) -> None:
    one, two = (build_random(tmp_path / name, SEED) for name in ("one", "two"))
    assert {item.key: one.get(item.key) for item in one.list("")} == {
        item.key: two.get(item.key) for item in two.list("")
    }


def test_sound_archives_give_no_false_alarm(tmp_path: Path) -> None:
    _check_sound_ones(tmp_path, 16)


def test_random_faults_are_found(shapes: list[MemoryStore]) -> None:
    _plant(shapes, 160)


@pytest.mark.soak
def test_200_sound_archives_give_no_false_alarm(tmp_path: Path) -> None:
    _check_sound_ones(tmp_path, 200)


@pytest.mark.soak
def test_2000_random_faults_are_found(shapes: list[MemoryStore]) -> None:
    planted = _plant(shapes, 2_000)
    assert planted.keys() == (FAULTS | NEEDS_PAGES).keys()

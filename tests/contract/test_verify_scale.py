"""Large checks: in several processes as in one, in parts, since a time, and on after kill -9."""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from config.errors import ArchiveError, ConfigError
from jobs.archive.commit import commit_key, digest
from jobs.archive.identity import create_archive
from jobs.store.local import LocalStore
from jobs.verify import Depth, Plan, VerifyReport, parse_part, verify_archive
from tests.archives import NOON, SOURCE, build_archive, copy_store, file_keys, put, rechain
from tests.faults import FAULTS, WARC, damage, damaged_keys, flip
from tests.machines import CountingStore
from tests.real_archives import build_revisited

if TYPE_CHECKING:
    from jobs.store.memory import MemoryStore

READ = Plan(depth=Depth.READ)


def said(report: VerifyReport) -> list[Any]:
    return [*report.findings, report.counts, report.uncommitted, report.heads]


def spill(store: MemoryStore, folder: Path) -> LocalStore:
    local = LocalStore(folder)
    for item in store.list(""):
        data = store.get(item.key)
        local.create(item.key, data, sha256=digest(data))
    return local


def fetched(store: CountingStore) -> list[str]:
    return [line.removeprefix("GET ") for line in store.asked if line.startswith("GET segments/")]


# --- several processes


@pytest.fixture(scope="module")
def spoilt(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[str, MemoryStore]]:
    """Archives with many faults each."""
    whole = build_revisited(tmp_path_factory.mktemp("spool")).store
    made = []
    for seed in range(2):
        store, rng = copy_store(whole), random.Random(seed)
        planted = []
        for name in sorted(rng.sample(sorted(FAULTS), 8), key=lambda one: "covered" not in one):
            with contextlib.suppress(ArchiveError, OSError, ValueError, LookupError):  # it is too broken for that one
                if FAULTS[name](store, rng):
                    planted.append(name)
        made.append((", ".join(planted), store))
    return made


def test_processes_find_what_one_finds_in_the_same_order(
    spoilt: list[tuple[str, MemoryStore]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jobs.verify.reading.PARALLEL_BYTES", 0)
    for planted, store in spoilt:
        alone = said(verify_archive(store, plan=READ))
        assert alone[0], planted
        assert said(verify_archive(store, plan=Plan(depth=Depth.READ, workers=2))) == alone, planted


@pytest.mark.soak
@pytest.mark.parametrize("name", sorted(FAULTS))
def test_processes_find_each_fault(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("jobs.verify.reading.PARALLEL_BYTES", 0)
    store = build_revisited(tmp_path / "spool").store
    FAULTS[name](store, random.Random(name))
    alone = said(verify_archive(store, plan=READ))
    assert said(verify_archive(store, plan=Plan(depth=Depth.READ, workers=3))) == alone


def test_little_to_read_starts_no_process(store: MemoryStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("jobs.verify.reading.ProcessPoolExecutor", None)
    assert damage(verify_archive(store, plan=Plan(depth=Depth.READ, workers=2))) == []


# --- depth, part, time


def test_quick_asks_for_no_file(store: MemoryStore, tmp_path: Path) -> None:
    counting = CountingStore(spill(store, tmp_path / "archive"))
    report = verify_archive(counting, plan=Plan(depth=Depth.QUICK))
    assert (damage(report), report.counts.files) == ([], 3)
    assert not [line for line in counting.asked if "segments/" in line and not line.startswith("LIST")]
    key = file_keys(store, WARC)[1]
    put(store, key, store.get(key)[:-1])
    assert damaged_keys(verify_archive(store, plan=Plan(depth=Depth.QUICK))) == {key}
    store.delete(key)
    assert damaged_keys(verify_archive(store, plan=Plan(depth=Depth.QUICK))) == {key}


def test_parts_read_everything_once(tmp_path: Path) -> None:
    memory = build_archive(tmp_path / "spool", segments=6)
    keys = file_keys(memory, WARC)
    found: list[str] = []
    for number in range(1, 4):
        store = CountingStore(memory)
        report = verify_archive(store, plan=Plan(depth=Depth.READ, part=parse_part(f"{number}/3")))
        assert damage(report) == []
        assert report.files_read == len(fetched(store))
        found += fetched(store)
    assert sorted(found) == sorted(keys)
    for key in keys:  # each bit of each is seen by one part
        whole = memory.get(key)
        put(memory, key, flip(whole, len(whole) * 4))
        seen = [
            key in damaged_keys(verify_archive(memory, plan=Plan(depth=Depth.READ, part=parse_part(f"{number}/3"))))
            for number in range(1, 4)
        ]
        put(memory, key, whole)
        assert any(seen), key  # a store that proves digests tells the others, too


def test_part_asks_no_unread_segment_for_its_captures(tmp_path: Path) -> None:
    store = build_revisited(tmp_path / "spool").store
    for number in range(1, 6):
        assert damage(verify_archive(store, plan=Plan(depth=Depth.READ, part=parse_part(f"{number}/5")))) == []


def test_since_reads_what_was_committed_later_and_walks_the_whole_chain(store: MemoryStore) -> None:
    times = [NOON + timedelta(hours=number) for number in range(3)]
    rechain(store, {number: {"committed": time} for number, time in enumerate(times, 1)})
    keys = file_keys(store, WARC)
    counting = CountingStore(store)
    report = verify_archive(counting, plan=Plan(depth=Depth.READ, since=times[1]))
    assert (damage(report), fetched(counting), report.counts.commits) == ([], keys[1:], 3)
    put(store, commit_key(SOURCE, 1), store.get(commit_key(SOURCE, 1)).replace(b"gazette", b"gazettE", 1))
    assert commit_key(SOURCE, 1) in damaged_keys(verify_archive(store, plan=Plan(since=NOON + timedelta(days=400))))


# --- on after a kill


def test_resumes_after_kill_9_without_reading_again(tmp_path: Path) -> None:
    memory = build_archive(tmp_path / "spool", segments=5)
    spill(memory, tmp_path / "archive")
    memory_folder = tmp_path / "check"
    script = (
        "import os, signal, sys\n"
        "from pathlib import Path\n"
        "from jobs.store.local import LocalStore\n"
        "from jobs.verify import Depth, Plan, verify_archive\n"
        "def tell(step):\n"
        "    if step.files == 3: os.kill(os.getpid(), signal.SIGKILL)\n"
        "plan = Plan(depth=Depth.READ, resume=Path(sys.argv[2]))\n"
        "verify_archive(LocalStore(Path(sys.argv[1])), plan=plan, progress=tell)\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path / "archive"), str(memory_folder)], check=False, timeout=60
    )
    assert ended.returncode == -signal.SIGKILL
    kept = sorted(path.name for path in memory_folder.glob("*.sound"))
    assert len(kept) == 2, "the third was read, and nothing was written down of it yet"
    store = CountingStore(LocalStore(tmp_path / "archive"))
    alone = verify_archive(store.store, plan=READ)
    steps: list[Any] = []
    plan = Plan(depth=Depth.READ, resume=memory_folder)
    report = verify_archive(store, plan=plan, progress=steps.append)
    assert said(report) == said(alone)
    assert fetched(store) == file_keys(memory, WARC)[2:]
    assert report.resumed == 2
    assert report.resumed_since is not None
    assert report.to_json()["resumed_since"].endswith("Z")
    assert (steps[-1].bytes, steps[-1].files) == (report.counts.bytes, 5)
    assert steps[-1].bytes_resumed == sum(len(memory.get(key)) for key in file_keys(memory, WARC)[:2])
    assert list(memory_folder.iterdir()) == [], "the check has come to its end"


def interrupt(store: MemoryStore, folder: Path, *, after: int) -> None:
    """Begin a check that ends after so many files."""

    def tell(step: Any) -> None:
        if step.files == after:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        verify_archive(store, plan=Plan(depth=Depth.READ, resume=folder), progress=tell)


def test_what_was_damaged_or_open_is_read_again(tmp_path: Path) -> None:
    """And revisits of captures in segments that were not read again are judged as ever."""
    store = build_revisited(tmp_path / "spool").store
    keys = file_keys(store, WARC)
    put(store, keys[0], flip(store.get(keys[0]), 4_000))
    alone = said(verify_archive(store, plan=READ))
    interrupt(store, tmp_path / "check", after=len(keys))
    counting = CountingStore(store)
    report = verify_archive(counting, plan=Plan(depth=Depth.READ, resume=tmp_path / "check"))
    assert said(report) == alone
    assert keys[0] in fetched(counting)
    assert report.resumed == len(keys) - len(fetched(counting)) - 0


def test_memory_of_another_archive_or_place_is_refused(store: MemoryStore, tmp_path: Path) -> None:
    interrupt(store, tmp_path / "check", after=2)
    other = LocalStore(tmp_path / "other")
    create_archive(other, single_writer=False, now=NOON)
    with pytest.raises(ConfigError, match="remembers a check of archive"):
        verify_archive(other, plan=Plan(depth=Depth.READ, resume=tmp_path / "check"))
    copy = spill(store, tmp_path / "copy")
    with pytest.raises(ConfigError, match=r"expected .* at .*copy"):
        verify_archive(copy, plan=Plan(depth=Depth.READ, resume=tmp_path / "check"))
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter.txt").write_text("of a person")
    with pytest.raises(ConfigError, match="found other files"):
        verify_archive(store, plan=Plan(depth=Depth.READ, resume=tmp_path / "mine"))


def test_memory_is_believed_only_of_the_same_commit_and_as_it_was_written(store: MemoryStore, tmp_path: Path) -> None:
    folder = tmp_path / "check"
    interrupt(store, folder, after=3)
    first, second = sorted(folder.glob("*.sound"))
    first.write_bytes(first.read_bytes()[:-1])
    head, _, rest = second.read_bytes().partition(b"\n")
    second.write_bytes(json.dumps({**json.loads(head), "of": digest(b"another")}).encode() + b"\n" + rest)
    counting = CountingStore(store)
    report = verify_archive(counting, plan=Plan(depth=Depth.READ, resume=folder))
    assert (damage(report), report.resumed, len(fetched(counting))) == ([], 0, 3)


def test_another_version_of_the_program_begins_anew(
    store: MemoryStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    interrupt(store, tmp_path / "check", after=3)
    monkeypatch.setattr("jobs.verify.resuming.writer_name", lambda: "ofrecord/9.9")
    report = verify_archive(store, plan=Plan(depth=Depth.READ, resume=tmp_path / "check"))
    assert report.resumed == 0


# --- processes end with the check


def test_no_process_stays_when_the_check_is_killed(tmp_path: Path) -> None:
    spill(build_archive(tmp_path / "spool", segments=2), tmp_path / "archive")
    script = (
        "import sys, time\nfrom pathlib import Path\n"
        "import jobs.verify.reading as reading\n"
        "from jobs.store.local import LocalStore\n"
        "from jobs.verify import Depth, Plan, verify_archive\n"
        "if __name__ == '__main__':\n"
        "    reading.PARALLEL_BYTES = 0\n"
        "    def tell(step):\n"
        "        if step.files: print('reading', flush=True); time.sleep(60)\n"
        "    verify_archive(LocalStore(Path(sys.argv[1])), plan=Plan(depth=Depth.READ, workers=2), progress=tell)\n"
    )
    path = tmp_path / "check.py"
    path.write_text(script)
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    with subprocess.Popen(
        [sys.executable, str(path), str(tmp_path / "archive")], stdout=subprocess.PIPE, env=environment
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"reading\n"
        children = [
            int(word)
            for task in Path(f"/proc/{process.pid}/task").glob("*/children")
            for word in task.read_text().split()
        ]
        assert children
        process.kill()
    deadline = time.monotonic() + 20
    while any(Path(f"/proc/{pid}/exe").exists() for pid in children) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not any(Path(f"/proc/{pid}/exe").exists() for pid in children)

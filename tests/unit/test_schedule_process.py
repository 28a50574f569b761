"""A run's processes: what they hold, how they are ended, and what is read of what they print. Real processes."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from typing import TYPE_CHECKING

import pytest

from config.settings import Settings
from crawler.family import Family, read_process, read_processes
from jobs.schedule.limits import RunLimits, drain_seconds, shorten_grace
from jobs.schedule.process import Launch, RunProcess
from tests.crawls import wait_until
from tests.daemons import NOON

if TYPE_CHECKING:
    from pathlib import Path

    from jobs.runs.ending import RunEnded

FREE = RunLimits(seconds=3_600, memory_bytes=1 << 40, grace_seconds=1.0)
SLEEPER = "import time; time.sleep(600)"
STUBBORN = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); "
FAMILY = f"""
import subprocess, sys
children = [subprocess.Popen([sys.executable, "-c", {STUBBORN + SLEEPER!r}], start_new_session=True) for _ in range(2)]
print(*(child.pid for child in children), file=open(sys.argv[1] + ".new", "w"), flush=True)
import os; os.rename(sys.argv[1] + ".new", sys.argv[1])
"""


def python(code: str, *words: str) -> list[str]:
    return [sys.executable, "-S", "-c", code, *words]


def run(launch: Launch, limits: RunLimits = FREE, *, watch: float = 0.1, stop_after: float | None = None) -> RunEnded:
    """Carry *launch* out, looking at its limits as the daemon does."""

    async def go() -> RunEnded:
        one = RunProcess("gazette", NOON, NOON, limits)
        going = asyncio.create_task(one.carry_out(launch))
        began = time.monotonic()
        while not going.done():
            await asyncio.sleep(watch)
            one.check(read_processes())
            if stop_after is not None and time.monotonic() - began > stop_after:
                one.stop("stop")
        return going.result()

    return asyncio.run(go())


def is_alive(pid: int) -> bool:
    return read_process(pid) is not None


def read_pids(path: Path) -> list[int]:
    return [int(word) for word in path.read_text().split()]


def test_the_last_line_is_the_report() -> None:
    lines = "import sys; sys.stdout.write('x' * 200_000 + chr(10)); print('{\"run\": \"a\"}')"
    ended = run(Launch(python(lines)))
    assert (ended.exit_code, ended.report, ended.killed, ended.slot) == (0, {"run": "a"}, None, NOON)


@pytest.mark.parametrize("printed", ["", "no JSON", "[1]", "{"])
def test_what_is_no_report_is_none(printed: str) -> None:
    ended = run(Launch(["/bin/sh", "-c", f"echo '{printed}'; exit 3"]))
    assert (ended.exit_code, ended.report) == (3, None)


def test_an_assignment_longer_than_a_pipe_comes_whole() -> None:
    code = 'import sys; line = sys.stdin.readline(); print(\'{"run": "%d"}\' % len(line))'
    ended = run(Launch(python(code), b"x" * 1_000_000 + b"\n"))
    assert ended.report == {"run": "1000001"}


def test_who_reads_no_assignment_harms_nobody() -> None:
    assert run(Launch(["/bin/true"], b"x" * 1_000_000)).exit_code == 0


def test_what_cannot_be_started() -> None:
    with pytest.raises(FileNotFoundError):
        run(Launch(["/no/such/thing"]))


def test_a_run_that_takes_too_long_is_asked_and_then_made_to_end(tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    limits = RunLimits(seconds=1.5, memory_bytes=1 << 40, grace_seconds=0.5)
    ended = run(Launch(python(STUBBORN + FAMILY + SLEEPER, str(pids))), limits)
    assert (ended.exit_code, ended.killed) == (-signal.SIGKILL, "time")
    assert 1.5 < ended.seconds < 30
    assert not any(map(is_alive, read_pids(pids)))


def test_memory_is_counted_for_the_whole_family(tmp_path: Path) -> None:
    hog = "held = bytearray(150_000_000); held[::4096] = b'x' * len(held[::4096]); " + SLEEPER
    code = f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', {hog!r}], start_new_session=True).wait()"
    ended = run(Launch(python(code)), RunLimits(3_600, 140_000_000, 1.0))
    assert (ended.exit_code, ended.killed) == (-signal.SIGTERM, "memory")
    assert not list(tmp_path.iterdir())


def test_a_crash_leaves_none_of_the_family(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("jobs.schedule.process.ORPHAN_SECONDS", 1.0)
    pids = tmp_path / "pids"
    code = FAMILY + "import time; time.sleep(1); os.kill(os.getpid(), 9)"
    ended = run(Launch(python(code, str(pids))))
    assert (ended.exit_code, ended.killed, ended.report) == (-signal.SIGKILL, None, None)
    assert not any(map(is_alive, read_pids(pids)))


def test_a_stop_is_in_good_order() -> None:
    code = "import signal, sys; signal.signal(15, lambda *_: (print('{}'), sys.exit(0))); " + SLEEPER
    ended = run(Launch(python(code)), stop_after=0.5)
    assert (ended.exit_code, ended.killed, ended.report) == (0, "stop", {})


def test_a_family_is_found_after_its_head_is_dead(tmp_path: Path) -> None:
    import subprocess

    pids = tmp_path / "pids"
    head = subprocess.Popen(python(FAMILY + SLEEPER, str(pids)), start_new_session=True)
    family = Family(head.pid)
    wait_until(pids.exists)
    assert {one.pid for one in family.find(read_processes())} == {head.pid, *read_pids(pids)}
    head.kill()
    head.wait()
    assert {one.pid for one in family.find(read_processes())} == set(read_pids(pids))
    assert os.getpid() not in {one.pid for one in family.find(read_processes())}
    while family.kill():
        time.sleep(0.05)
    assert not any(map(is_alive, read_pids(pids)))


def test_limits_by_the_settings() -> None:
    limits = RunLimits.of(Settings(workers=2, max_run_seconds=100, grace_seconds=30))
    assert limits == RunLimits(130, 2 * 1024**3, 35)
    assert limits.find_excess(130, 0) is None
    assert limits.find_excess(131, 0) == "time"
    assert limits.find_excess(131, 3 * 1024**3) == "memory"
    assert (limits.patience("time"), limits.patience("memory")) == (35, 10)


@pytest.mark.parametrize(("grace", "of_a_run", "of_the_daemon"), [(30, 25, 30), (5, 0, 5), (0, 0, 5)])
def test_a_run_has_said_what_it_did_before_its_daemon_s_patience_ends(
    grace: float, of_a_run: float, of_the_daemon: float
) -> None:
    settings = Settings(grace_seconds=grace)
    assert shorten_grace(settings).grace_seconds == of_a_run
    assert drain_seconds(settings) == of_the_daemon


def test_a_browser_has_memory_beside_that_of_its_run() -> None:
    settings = Settings(run_memory_bytes=1 << 30, render_memory_bytes=3 << 30)
    assert RunLimits.of(settings).memory_bytes == 1 << 30
    assert RunLimits.of(settings, rendering=True).memory_bytes == 4 << 30

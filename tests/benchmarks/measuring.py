"""What a command costs: seconds, CPU and memory of all its processes, bytes on disk. Linux only."""

from __future__ import annotations

import ctypes
import json
import os
import resource
import subprocess
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
_SAMPLE_SECONDS = 0.1
_ADOPT = 36  # prctl: PR_SET_CHILD_SUBREAPER


@dataclass(frozen=True, slots=True)
class Cost:
    """What one run of a command took."""

    seconds: float
    """By the wall, from before its start until its end."""
    cpu_seconds: float
    """Of all its processes, user and system."""
    peak_bytes: int
    """Resident, the most that a sum over its processes came to; what they share counts for each."""
    disk_bytes: int
    """Below its folder."""
    code: int
    output: str

    def result(self) -> dict[str, object]:
        """Return the last line of its output as JSON. Raises ValueError if it is none."""
        found = json.loads((self.output.strip().splitlines() or [""])[-1])
        if not isinstance(found, dict):
            raise ValueError(f"found {found!r}, expected an object")  # noqa: TRY004 - as json's own errors
        return found


def measure(
    command: Sequence[str], folder: Path, *, log: Path, environment: Mapping[str, str], timeout_seconds: float = 600
) -> Cost:
    """Run *command*, which writes below *folder*; its stderr goes to *log*. Raises TimeoutExpired.

    CPU is what the kernel accounts to the children that this process has waited for: nothing else may be started
    meanwhile. Processes that the command leaves behind come to this one, so that they are counted, too.
    """
    ctypes.CDLL(None).prctl(_ADOPT, 1, 0, 0, 0)
    peak, over = [0], threading.Event()
    before, started = _cpu_of_children(), time.perf_counter()
    with log.open("wb") as errors:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=errors, text=True, env=environment
        )

    def sample() -> None:
        while not over.wait(_SAMPLE_SECONDS):
            peak[0] = max(peak[0], sum(map(_resident, list_processes(process.pid))))

    sampler = threading.Thread(target=sample)
    sampler.start()
    try:
        output, _ = process.communicate(timeout=timeout_seconds)
        seconds = time.perf_counter() - started
    except BaseException:
        process.kill()
        raise
    finally:
        over.set()
        sampler.join()
    _reap()
    used = _cpu_of_children() - before
    return Cost(seconds, used, peak[0], count_bytes(folder), process.returncode, output)


def list_processes(pid: int) -> list[int]:
    """Return *pid* and its descendants as they are now."""
    found = [pid]
    for one in found:
        try:
            for children in Path(f"/proc/{one}/task").glob("*/children"):
                found += map(int, children.read_text("ascii").split())
        except OSError:
            continue  # it has ended
    return found


def count_bytes(folder: Path) -> int:
    """Return the size of all files below *folder*."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _resident(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/statm").read_text("ascii").split()[1]) * _PAGE_BYTES
    except OSError:
        return 0


def _cpu_of_children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _reap() -> None:
    """Wait for what was left behind and has ended."""
    time.sleep(0.1)
    while True:
        try:
            pid, _ = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if not pid:
            return

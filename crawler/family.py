"""A process and all that it started, by /proc: how much memory they hold, and an end that spares none of them.

A run's own child begins a session of its own, and so may others: who was once seen to belong stays one of the family.
"""

from __future__ import annotations

import os
import signal
from dataclasses import dataclass, field

_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True, slots=True)
class Process:
    """One process as it is now."""

    pid: int
    parent: int
    session: int
    started: int
    """In ticks since the machine's start: with the pid, no other's."""
    rss_bytes: int


def read_processes() -> dict[int, Process]:
    """Return the processes that can be seen and are no zombies, by pid: one look at each, some 15 µs."""
    found = {}
    for name in os.listdir("/proc"):  # noqa: PTH208 - paths are dear
        if name.isdigit() and (process := read_process(int(name))) is not None:
            found[process.pid] = process
    return found


def read_process(pid: int) -> Process | None:
    """Return the process of that *pid*; `None`: there is none, or it is over and nobody has asked for its end."""
    try:
        file = os.open(f"/proc/{pid}/stat", os.O_RDONLY)  # as bare as can be: hundreds of them, every two seconds
        try:
            text = os.read(file, 4_096)
        finally:
            os.close(file)
    except OSError:
        return None
    fields = text[text.rindex(b")") + 2 :].split()  # a name may hold blanks and brackets
    if fields[0] in {b"Z", b"X"}:
        return None
    return Process(pid, int(fields[1]), int(fields[3]), int(fields[19]), int(fields[21]) * _PAGE_BYTES)


@dataclass(slots=True)
class Family:
    """The process *root*, which leads a session of its own, and all that descends from it."""

    root: int
    _known: dict[int, int] = field(default_factory=dict)
    """pid → when it was started."""

    def find(self, processes: dict[int, Process]) -> list[Process]:
        """Return who of *processes* belongs to it, and remember them."""
        children: dict[int, list[Process]] = {}
        for process in processes.values():
            children.setdefault(process.parent, []).append(process)
        members = {one.pid: one for one in processes.values() if self._is_known(one)}
        ahead = list(members.values())
        while ahead:
            for child in children.get(ahead.pop().pid, ()):
                if child.pid not in members:
                    members[child.pid] = child
                    ahead.append(child)
        self._known |= {process.pid: process.started for process in members.values()}
        return list(members.values())

    def kill(self) -> bool:
        """Send SIGKILL to all there are; tell whether there were any. To be called until there are none."""
        found = self.find(read_processes())
        for process in found:
            now = read_process(process.pid)
            if now is not None and now.started == process.started:
                try:
                    os.kill(process.pid, signal.SIGKILL)
                except ProcessLookupError:
                    continue
        return bool(found)

    def _is_known(self, process: Process) -> bool:
        if self.root in {process.pid, process.session}:
            return True
        if self._known.get(process.pid) == process.started:
            return True
        return process.session in self._known and process.session != process.pid

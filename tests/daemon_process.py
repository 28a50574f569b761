"""The real daemon as a process, and what can be seen of it: log events, its runs, what the ledger says."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import yaml

from crawler.family import read_process, read_processes
from tests.crawls import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.installation import Ofrecord

DRAIN_SECONDS = 40
"""Of `grace_seconds`, with what a loaded machine adds."""


class DaemonProcess:
    """`ofrecord daemon`, logging into a file."""

    def __init__(self, ofrecord: Ofrecord, log: Path, *words: str | Path) -> None:
        self._log = log
        with log.open("ab") as file:
            self.process = subprocess.Popen(
                ofrecord.command("daemon", "--log-format", "json", *words),
                env=ofrecord.variables(),
                stdin=subprocess.DEVNULL,
                stderr=file,
                start_new_session=True,
                cwd=log.parent,  # where an operator is: beside a folder `config`, which is not our package
            )

    def events(self, *names: str) -> list[dict[str, Any]]:
        """Return what was logged by the daemon and its runs, by those names if any are given."""
        lines = self._log.read_text("utf-8").splitlines()
        events = [json.loads(line) for line in lines if line.startswith("{") and line.endswith("}")]
        return [event for event in events if not names or event["event"] in names]

    def wait_for(self, name: str, count: int = 1, seconds: float = 60) -> list[dict[str, Any]]:
        """Wait until an event was logged so many times; return them."""
        try:
            wait_until(lambda: len(self.events(name)) >= count or self.process.poll() is not None, seconds)
        except AssertionError as error:
            raise AssertionError(self._log.read_text("utf-8")) from error
        found = self.events(name)
        assert len(found) >= count, self._log.read_text("utf-8")
        return found

    def run_pids(self) -> list[int]:
        """Return the processes of runs that go on: children of the daemon."""
        return [one.pid for one in read_processes().values() if one.parent == self.process.pid]

    def signal(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def stop(self) -> float:
        """Stop it in good order; return how many seconds it took."""
        began = time.monotonic()
        self.signal(signal.SIGTERM)
        code = self.process.wait(DRAIN_SECONDS)
        assert code == 0, self._log.read_text("utf-8")
        assert "Traceback" not in self._log.read_text("utf-8")
        return time.monotonic() - began

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


@contextmanager
def run_daemon(ofrecord: Ofrecord, folder: Path, *words: str | Path) -> Iterator[DaemonProcess]:
    """Start a daemon; whatever happens, leave none, and no run of it."""
    daemon = DaemonProcess(ofrecord, folder / "daemon.log", *words)
    try:
        yield daemon
    finally:
        pids = daemon.run_pids()
        daemon.kill()
        for pid in pids:
            wait_for_death(pid)


def wait_for_death(pid: int, seconds: float = DRAIN_SECONDS) -> None:
    """Wait until that process is over: it saw that its owner is dead."""
    deadline = time.monotonic() + seconds
    while read_process(pid) is not None:
        if time.monotonic() > deadline:
            os.kill(pid, signal.SIGKILL)
            raise AssertionError(f"process {pid} goes on without an owner")
        time.sleep(0.05)


def change_source(ofrecord: Ofrecord, name: str = "gazette", **keys: Any) -> None:
    """Set *keys* in the file of a source; one that there is not yet begins as the gazette's."""
    folder = ofrecord.config / "sources"
    path = folder / f"{name}.yaml"
    values = yaml.safe_load((path if path.exists() else folder / "gazette.yaml").read_text("utf-8"))
    path.write_text(yaml.safe_dump({**values, **keys}, sort_keys=False), "utf-8")

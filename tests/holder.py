"""A process that holds leases at its parent's word: `python -m tests.holder PLACE ENDPOINT SOURCE`.

Each line of stdin is a command, each is answered by one JSON line: `acquire SECONDS`, `look`, `renew`, `release`.
Times are CLOCK_BOOTTIME, which all processes of a machine share.
"""

from __future__ import annotations

import json
import logging
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import structlog

from config.errors import RunLocked
from config.settings import Settings
from jobs.archive.lease import Lease, acquire_lease, read_boottime
from jobs.store import open_store

if TYPE_CHECKING:
    from collections.abc import Iterator


class Holder:
    """The parent's end of one such process."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process

    def tell(self, *words: object) -> None:
        """Send a command and do not wait."""
        assert self.process.stdin is not None
        self.process.stdin.write(" ".join(map(str, words)) + "\n")
        self.process.stdin.flush()

    def hear(self) -> dict[str, Any]:
        """Wait for an answer."""
        assert self.process.stdout is not None
        answer: dict[str, Any] = json.loads(self.process.stdout.readline())
        return answer

    def ask(self, *words: object) -> dict[str, Any]:
        """Send a command and wait for its answer."""
        self.tell(*words)
        return self.hear()


@contextmanager
def start_holders(place: str, endpoint: str, source: str, *, count: int) -> Iterator[list[Holder]]:
    """Run *count* of them for the length of the block."""
    command = [sys.executable, "-m", "tests.holder", place, endpoint, source]
    processes: list[subprocess.Popen[str]] = []
    try:
        processes.extend(
            subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1)
            for _ in range(count)
        )
        yield [Holder(process) for process in processes]
    finally:
        for process in processes:
            process.kill()
            process.communicate()


def main() -> None:
    """Answer until stdin ends."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    place, endpoint, source = sys.argv[1:]
    store = open_store(place, Settings(s3_endpoint_url=endpoint or None, s3_path_style=True))
    lease: Lease | None = None
    for line in sys.stdin:
        command, *arguments = line.split()
        answer: dict[str, Any] = {"before": read_boottime()}
        if command == "acquire":
            try:
                lease = acquire_lease(
                    store, source, run=None, seconds=float(arguments[0]), log_epoch=0, is_released=lambda _: False
                )
            except RunLocked as error:
                lease, answer["locked"] = None, str(error)
        elif lease is not None and command == "renew":
            lease.renew()
        elif lease is not None and command == "release":
            lease.release()
        if lease is not None:
            answer.update(epoch=lease.epoch, holder=lease.holder, until=lease.valid_until)
            answer.update(valid=lease.is_valid(), lost=lease.lost.is_set())
        sys.stdout.write(json.dumps({**answer, "after": read_boottime()}) + "\n")
        sys.stdout.flush()
    store.close()


if __name__ == "__main__":
    main()

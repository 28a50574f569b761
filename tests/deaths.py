"""The real command, killed with SIGKILL right before one of its steps that change something: a file, or a request.

Steps are audit events of Python. A `sitecustomize` on the path of the process counts them, writes each down, and kills
its own process at the one that is asked for: as a power cut would, and at the same moment again each time.
"""

from __future__ import annotations

import signal
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from tests.installation import Ofrecord

_HOOK = """
import os, signal, sys

_STEPS = {"os.link", "os.mkdir", "os.remove", "os.rename", "os.rmdir"}
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT
_told = os.open(os.environ["STEPS_FILE"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
_left = int(os.environ["STEPS_LEFT"])

def _changes(event, arguments):
    if event == "http.client.send":
        return not bytes(arguments[1][:5]).startswith((b"GET ", b"HEAD "))
    return event in _STEPS or (event == "open" and arguments[2] & _WRITING)

def _take(event, arguments):
    global _left
    if _changes(event, arguments):
        os.write(_told, f"{event} {str(arguments)[:500]!a}\\n".encode())
        if _left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        _left -= 1

sys.addaudithook(_take)
"""


@dataclass(frozen=True)
class Deaths:
    """The command *ofrecord*, with a folder of its own for what it takes to kill it."""

    ofrecord: Ofrecord
    folder: Path

    def measure(self, *words: str) -> int:
        """Run the command to its end; return how many steps it took."""
        return len(self._run(words, -1, 0))

    def kill(self, words: tuple[str, ...], step: int) -> str:
        """Run the command until it is killed before step number *step*, from 0 on; return which that was."""
        return f"{' '.join(words)}: killed before step {step}: {self._run(words, step, -signal.SIGKILL)[-1]}"

    def _run(self, words: tuple[str, ...], step: int, code: int) -> list[str]:
        self.folder.mkdir(exist_ok=True)
        (self.folder / "sitecustomize.py").write_text(_HOOK)
        told = self.folder / "steps"
        hooked = {"PYTHONPATH": str(self.folder), "STEPS_FILE": str(told), "STEPS_LEFT": str(step)}
        done = subprocess.run(
            self.ofrecord.command(*words),
            env={**self.ofrecord.variables(), **hooked, "PYTHONDONTWRITEBYTECODE": "1"},
            capture_output=True,
            encoding="utf-8",
            timeout=self.ofrecord.timeout_seconds,
            check=False,
        )
        steps = told.read_text("utf-8").splitlines()
        assert done.returncode == code, (step, steps[-3:], done.stdout, done.stderr[-4000:])
        return steps

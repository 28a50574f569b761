"""A real terminal for the real command, and what a person sees on it: never more than the sequences we mean to send."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import termios
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from jobs.diff.cells import measure_sign, split_signs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

_TOKEN = re.compile(r"\x1b\[(?P<code>[0-9;]*)(?P<verb>[A-Za-z])|(?P<move>[\r\n\x07])|(?P<text>[^\x1b\r\n\x07]+)")


class Screen:
    """The lines of a terminal that knows carriage return, new line, erasing to the line's end, and colours."""

    def __init__(self) -> None:
        self.lines = [""]
        self.frames: list[str] = []
        """What stood in the last line each time that something was about to be written there or below."""
        self.colours = 0
        self._column = 0

    def feed(self, text: str) -> None:
        at = 0
        while at < len(text):
            token = _TOKEN.match(text, at)
            assert token, f"not a sequence that we send: {text[at : at + 20]!r}"
            at = token.end()
            if token["text"]:
                line = self.lines[-1].ljust(self._column)
                self.lines[-1] = line[: self._column] + token["text"] + line[self._column + len(token["text"]) :]
                self._column += len(token["text"])
            elif token["verb"] == "K":
                assert token["code"] == ""
                self.lines[-1] = self.lines[-1][: self._column]
            elif token["verb"]:
                assert token["verb"] == "m", f"not a sequence that we send: {token[0]!r}"
                self.colours += 1
            elif token["move"] == "\r":
                self._note()
                self._column = 0
            elif token["move"] == "\n":
                self._note()
                self.lines.append("")
                self._column = 0

    @property
    def text(self) -> str:
        return "\n".join(line.rstrip() for line in self.lines)

    def _note(self) -> None:
        if self.lines[-1].strip() and self.lines[-1:] != self.frames[-1:]:
            self.frames.append(self.lines[-1])


@dataclass
class Watched:
    """A command whose stderr is a terminal."""

    process: subprocess.Popen[str]
    master: int
    slave: int
    raw: str = ""
    screen: Screen = field(default_factory=Screen)

    def resize(self, columns: int) -> None:
        resize(self.slave, columns)

    def type(self, text: str) -> None:
        os.write(self.master, text.encode())

    def read_until(self, condition: Callable[[Screen], bool], seconds: float = 60) -> None:
        deadline = time.monotonic() + seconds
        while not condition(self.screen):
            assert time.monotonic() < deadline, self.raw
            self._read(0.05)

    def finish(self, seconds: float = 60) -> tuple[int, str]:
        """Return exit code and stdout."""
        deadline = time.monotonic() + seconds
        while self.process.poll() is None:
            assert time.monotonic() < deadline, self.raw
            self._read(0.05)
        while self._read(0.05):
            pass
        assert self.process.stdout is not None
        return self.process.returncode, self.process.stdout.read()

    def _read(self, seconds: float) -> bool:
        if not select.select([self.master], [], [], seconds)[0]:
            return False
        data = os.read(self.master, 65536).decode().replace("\r\n", "\n")  # as the terminal itself writes a new line
        self.raw += data
        self.screen.feed(data)
        return True


def resize(terminal: int, columns: int) -> None:
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))


@contextmanager
def watch(
    command: list[str], environment: Mapping[str, str], *, columns: int = 120, typed: bool = False
) -> Iterator[Watched]:
    """Start *command* in a session of its own with a terminal for stderr; whatever goes wrong, none is left over.

    *typed*: the terminal is its stdin, too.
    """
    master, slave = pty.openpty()
    resize(slave, columns)
    process = subprocess.Popen(
        command,
        stdin=slave if typed else subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=slave,
        env={"TERM": "xterm", "LANG": "C.UTF-8", **environment},
        encoding="utf-8",
        start_new_session=True,
    )
    try:
        yield Watched(process, master, slave)
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()
        os.close(slave)
        os.close(master)


def measure_cells(text: str) -> int:
    """Return the columns that *text* takes on a terminal."""
    return sum(map(measure_sign, split_signs(text)))

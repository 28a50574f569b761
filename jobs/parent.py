"""What a child process says to its parent over standard output, one line each, whether or not anybody still hears."""

from __future__ import annotations

import os
import select
import sys


def tell_parent(line: bytes) -> bool:
    """Write *line*; tell whether the parent was there to take it."""
    try:
        sys.stdout.buffer.write(line)
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # Python tries again at the end
        return False
    return True


def hint_parent(line: bytes) -> None:
    """Write *line*, at most PIPE_BUF bytes, if the pipe takes it: a parent that hangs must not hold this process up."""
    if select.select([], [1], [], 0)[1]:
        try:
            os.write(1, line)  # whole: a pipe that select lets through has room for PIPE_BUF
        except OSError:
            return  # a parent that is dead is found out over standard input

"""How much CPU time the work at hand may still take: the kernel ends a process that takes more, even inside a C parser.

CPU time, not the clock's: a loaded machine makes honest pages slow, but no dearer.
"""

from __future__ import annotations

import signal

OVERDRAWN = signal.SIGPROF
"""What such a process is ended by."""


def grant(seconds: float) -> None:
    """Let this process take *seconds* more of CPU time, and no longer what was granted before."""
    signal.signal(OVERDRAWN, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_PROF, seconds)


def revoke() -> None:
    """Take back what was granted: the process has no limit, since nothing is at work."""
    signal.setitimer(signal.ITIMER_PROF, 0)


def extend(seconds: float) -> None:
    """Let it take *seconds* more than what is left of the grant, if there is one: for what is not the page's doing."""
    left, _ = signal.setitimer(signal.ITIMER_PROF, 0)
    if left:
        signal.setitimer(signal.ITIMER_PROF, left + seconds)

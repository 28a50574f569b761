"""A visit's own process (`python -m jobs.visits.child`): its order is the first line of standard input.

Has no storage credentials and opens no archive. When standard input ends, the parent is dead, and the visit stops.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from typing import TYPE_CHECKING, Any

from config.errors import ArchiveError, ExitCode
from config.logs import configure_logging
from jobs.parent import hint_parent, tell_parent
from jobs.visits.programs import load_program
from jobs.visits.words import VisitOrder, VisitStep, encode_error, encode_result, encode_step

if TYPE_CHECKING:
    from typing import BinaryIO


def main() -> int:
    """Carry out the order on standard input; return an exit code: 130 where the parent died meanwhile."""
    words = open(0, "rb", closefd=False)  # noqa: SIM115 - it lasts as long as the process
    order = VisitOrder.decode(words.readline())
    configure_logging(**order.logging)
    threading.Thread(target=_watch_parent, args=(words,), daemon=True).start()
    try:
        line, code = encode_result(_visit(order)), ExitCode.DONE
    except ArchiveError as error:
        line, code = encode_error(error), error.exit_code
    return code if tell_parent(line) else ExitCode.INTERRUPTED


def _visit(order: VisitOrder) -> Any:  # noqa: ANN401 - JSON data
    from crawler.workers.pool import make_pool  # noqa: PLC0415 - the parent, who imports this package, has no use for it

    pool = make_pool(order.settings)
    try:
        pool.launch()  # the workers load their parsers while we load Scrapy, which takes as long
        from crawler.visiting import carry_out  # noqa: PLC0415 - in this process only, after logging is set up

        program = load_program(order.program)
        return carry_out(
            program, order.parameters, order.source, order.settings, order.limits, pool=pool, tell=_tell_step
        )
    finally:
        pool.kill()


def _tell_step(requests: int, url: str) -> None:
    hint_parent(encode_step(VisitStep(requests, url)))


def _watch_parent(words: BinaryIO) -> None:
    words.read()
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    code = main()
    sys.stderr.flush()
    os._exit(code)  # all is closed and told; to take a thousand modules apart would take 60 ms

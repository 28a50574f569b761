"""The crawl's own process (`python -m jobs.runs.child PLAN`): runs Scrapy, writes segments, prints its run row.

Has no storage credentials, opens the catalog read-only. Its parent's words come over standard input, one a line;
when that ends, the parent is dead, and the child stops. With `-` as PLAN the first line says which file that is, and
until it comes all is loaded: see jobs.runs.readying.
"""

from __future__ import annotations

import gc

if __name__ == "__main__":
    gc.disable()  # until all is loaded: nothing of that is ever garbage

import json
import os
import signal
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter

from config.errors import ArchiveError, ExitCode
from config.logs import configure_logging
from config.settings import Settings
from config.sources import Source
from crawler.leash import Leash, Word
from crawler.model import CrawlPlan
from crawler.rows import RunRow, encode_row
from crawler.spool import BROKEN, FULL
from jobs.catalog import Catalog, SourceVersions
from jobs.parent import hint_parent, tell_parent
from jobs.runs.readying import AHEAD

if TYPE_CHECKING:
    from collections.abc import Callable

    from crawler.progress import CrawlProgress

OBJECTS_PER_COLLECTION = 10_000
"""Python's own 700 has the collector look through all that Scrapy loads again and again: 0.2 s of each 1,000 pages."""
_PLANS: TypeAdapter[CrawlPlan] = TypeAdapter(CrawlPlan)


def encode_assignment(
    plan: object,
    source: Source,
    settings: Settings,
    *,
    catalog: Path,
    logging: dict[str, Any],
    word: Word,
    progress: bool = False,
) -> str:
    """Return what the parent writes into the plan file. *plan*: of a crawl, or of what else a child does.

    *word*: the first; others come over standard input. *progress*: whether it wants to be told how far the run is.
    """
    return json.dumps(
        {
            "plan": json.loads(TypeAdapter(type(plan)).dump_json(plan)),
            "source": json.loads(source.model_dump_json(by_alias=True, exclude_unset=True)),
            "settings": json.loads(settings.model_dump_json()),
            "catalog": str(catalog),
            "logging": logging,
            "word": word.encode().decode(),
            "progress": progress,
        }
    )


def main(argv: list[str], work: Callable[[dict[str, Any], Leash], RunRow] | None = None) -> int:
    """Carry out the assignment in file *argv*[0]; return an exit code: 130 where the parent died meanwhile.

    *work*: what is done with the assignment; by default a crawl.
    """
    try:
        file = _await_assignment() if argv[0] == AHEAD else argv[0]
        return ExitCode.INTERRUPTED if file is None else _carry_out(Path(file), work or _crawl)
    except (ArchiveError, OSError) as error:
        return tell_failure(error)


def _carry_out(file: Path, work: Callable[[dict[str, Any], Leash], RunRow]) -> int:
    assignment: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    configure_logging(**assignment["logging"])
    leash = Leash(Word.decode(assignment["word"].encode()))
    threading.Thread(target=_obey_parent, args=(leash,), daemon=True).start()
    row = work(assignment, leash)
    return ExitCode.DONE if tell_parent(encode_row(row)) else ExitCode.INTERRUPTED


def tell_failure(error: ArchiveError | OSError) -> int:
    """Say what ended a child process; return its exit code. Raises *error* again if nobody has words for it."""
    if isinstance(error, ArchiveError):
        code, words = error.exit_code, str(error)
    elif error.errno in BROKEN:
        code, words = ExitCode.FAILED, f"the disk fails: {error}; check it; the next run goes on"
    elif error.errno in FULL:
        code, words = ExitCode.DISK_FULL, f"the disk is full: {error}"
    else:
        raise error
    print(f"ofrecord: {words}", file=sys.stderr)  # noqa: T201
    return code


def tell_progress(progress: CrawlProgress) -> None:
    """Print *progress* if the parent has room for it."""
    hint_parent(progress.encode())


def _await_assignment() -> str | None:
    """Load what a crawl needs; return the file that the parent then names, `None` if it died or has no use for one."""
    import crawler.process  # noqa: PLC0415 - a process that waits for nothing launches its workers before
    import crawler.workers.pool  # noqa: F401, PLC0415

    with open(0, "rb", buffering=0, closefd=False) as words:  # what comes after the first line is for others to read
        line = words.readline()
    if not line.endswith(b"\n"):
        return None
    told = json.loads(line)
    os.environ.update(told["environment"])
    return str(told["assignment"])


def _crawl(assignment: dict[str, Any], leash: Leash) -> RunRow:
    from crawler.workers.pool import make_pool  # noqa: PLC0415 - the parent, who imports this module, has no use for it

    plan = _PLANS.validate_python(assignment["plan"])
    source = Source.model_validate(assignment["source"])
    settings = Settings(**assignment["settings"])
    wanted = plan.count_workers(settings.workers)
    pool = make_pool(settings, wanted)
    try:
        if wanted:
            pool.launch()  # the workers load their parsers while we load Scrapy, which takes as long
        from crawler.process import crawl  # noqa: PLC0415 - in this process only, after logging is set up

        gc.freeze()
        gc.set_threshold(OBJECTS_PER_COLLECTION)
        gc.enable()
        tell = tell_progress if assignment["progress"] else None
        with Catalog.open(Path(assignment["catalog"]), read_only=True) as catalog:
            return crawl(plan, source, settings, SourceVersions(catalog, source.id), pool=pool, leash=leash, tell=tell)
    finally:
        pool.kill()


def _obey_parent(leash: Leash) -> None:
    """Take in the parent's words until there are no more, or one that is none: then end this process in good order."""
    try:
        with open(0, "rb", closefd=False) as words:
            for line in words:
                leash.obey(Word.decode(line))
    finally:
        os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    code = main(sys.argv[1:])
    sys.stderr.flush()
    os._exit(code)  # all is closed and told; to take a thousand modules apart would take 60 ms

"""The import's own process (`python -m jobs.imports.child ASSIGNMENT SOCKET`): parses what strangers wrote.

Has no credentials and opens no network: files come as open descriptors from its parent, which also holds locks and
leases, uploads what is closed, and fetches committed records that are asked for. When the parent is gone, it ends.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import sys
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from config.errors import ArchiveError, ExitCode
from config.logs import configure_logging
from config.settings import SECRETS, Settings
from config.sources import Source
from crawler.imports.flows import Position
from crawler.imports.selection import Selection
from crawler.imports.taking import ForeignFile, Taker
from crawler.intake import Intake, open_intake
from crawler.leash import Leash, Word
from crawler.workers.pool import WorkerPool, make_pool
from jobs.catalog import Catalog, SourceVersions
from jobs.imports.channel import receive, send
from jobs.runs.child import tell_failure

if TYPE_CHECKING:
    from collections.abc import Sequence

    from crawler.imports.report import FileReport
    from crawler.model import RecordReference

_SECRET_SETTINGS = {"proxy", *SECRETS}
JOBS_PER_WORKER = 3
"""Pages that are in work at a time: each may be as long as max_body_bytes."""


def encode_assignment(
    sources: Sequence[Source],
    settings: Settings,
    *,
    catalog: Path,
    archive: str,
    logging: dict[str, Any],
    any_page: bool,
    only_named: bool,
) -> str:
    """Return what the parent writes into the assignment's file."""
    return json.dumps(
        {
            "sources": [json.loads(one.model_dump_json(by_alias=True, exclude_unset=True)) for one in sources],
            "settings": json.loads(settings.model_dump_json(exclude=_SECRET_SETTINGS)),
            "catalog": str(catalog),
            "archive": archive,
            "logging": logging,
            "any_page": any_page,
            "only_named": only_named,
        }
    )


class _Parent:
    """The other end of the socket: crawler.imports.taking.Home."""

    def __init__(
        self, end: socket.socket, assignment: dict[str, Any], settings: Settings, catalog: Catalog, pool: WorkerPool
    ) -> None:
        self._end = end
        self._assignment = assignment
        self._settings = settings
        self._catalog = catalog
        self._pool = pool
        self._asked = 0
        self._answers: dict[int, asyncio.Future[tuple[dict[str, Any], int | None]]] = {}
        self.leash = Leash()
        self.files: asyncio.Queue[tuple[dict[str, Any], int] | None] = asyncio.Queue()
        """To be taken in; `None` when there are no more."""
        self.stopping = False
        self.gone = False

    def listen(self) -> None:
        """Take in one message, of which there is one, or the end."""
        received = receive(self._end)
        if received is None:
            self.gone = self.stopping = True
            asyncio.get_running_loop().remove_reader(self._end)
            self.files.put_nowait(None)
            for waiting in self._answers.values():
                if not waiting.done():
                    waiting.set_result(({}, None))
            return
        message, descriptor = received
        if "file" in message and descriptor is not None:
            self.files.put_nowait((message["file"], descriptor))
        elif "word" in message:
            self.leash.obey(Word.decode(message["word"].encode()))
        elif "answer" in message:
            self._answers.pop(message["answer"]).set_result((message, descriptor))
        elif "end" in message:
            self.files.put_nowait(None)
        elif "stop" in message:
            self.stopping = True
            self.files.put_nowait(None)

    def send(self, message: dict[str, Any]) -> None:
        """Tell the parent; if it is gone, that is found out elsewhere."""
        with suppress(BrokenPipeError, ConnectionResetError):
            send(self._end, message)

    async def _ask(self, message: dict[str, Any]) -> tuple[dict[str, Any], int | None]:
        self._asked += 1
        answer = self._answers[self._asked] = asyncio.get_running_loop().create_future()
        self.send({**message, "id": self._asked})
        if self.gone:
            return {}, None
        found: tuple[dict[str, Any], int | None] = await answer
        return found

    async def open_intake(self, source: Source) -> Intake | str:
        """Return an intake of *source*, or why there is none now."""
        described = json.loads(source.model_dump_json(by_alias=True, exclude_unset=True))
        configured = any(one["id"] == source.id for one in self._assignment["sources"])
        answer, _ = await self._ask({"ask": "open", "source": source.id, "made": None if configured else described})
        if "run" not in answer:
            return str(answer.get("refused", "the import was stopped"))
        return open_intake(
            source,
            self._settings,
            spool=Path(answer["spool"]),
            run=answer["run"],
            trigger="import",
            archive=self._assignment["archive"],
            pool=self._pool,
            known=SourceVersions(self._catalog, source.id),
            epoch=answer["epoch"],
            raw_only=False,  # a later crawl would fetch the page of today for its text
        )

    async def settle(self) -> None:
        """Return when all closed segments are committed and the catalog knows."""
        await self._ask({"ask": "settle"})

    async def fetch_record(self, source: str, reference: RecordReference) -> bytes | None:
        """Return the gzip member of a committed response record, if it can be had."""
        question = {"ask": "record", "source": source, "segment": reference.segment, "n": reference.n}
        answer, descriptor = await self._ask(question)
        if descriptor is None:
            return None
        with os.fdopen(descriptor, "rb") as file:
            file.seek(0)
            return file.read() if "size_bytes" in answer else None

    def tell(self, report: FileReport, part: str, position: Position, read_bytes: int) -> None:
        """Tell the parent how far the file is."""
        counts = {name: getattr(report, name) for name in ("records", "captures", "known", "faulty")}
        self.send({"tell": {**counts, "part": part, "position": asdict(position), "read_bytes": read_bytes}})


async def _import(
    assignment: dict[str, Any], settings: Settings, end: socket.socket, catalog: Catalog, pool: WorkerPool
) -> int:
    parent = _Parent(end, assignment, settings, catalog, pool)
    asyncio.get_running_loop().add_reader(end, parent.listen)
    selection = Selection(
        [Source.model_validate(one) for one in assignment["sources"]],
        any_page=assignment["any_page"],
        only_named=assignment["only_named"],
        max_sites=settings.import_max_sites,
    )
    taker = Taker(
        selection, settings, parent, parent.leash, settings.workers * JOBS_PER_WORKER, lambda: parent.stopping
    )
    try:
        return await _take_files(parent, taker, pool)
    finally:
        await pool.close()


async def _take_files(parent: _Parent, taker: Taker, pool: WorkerPool) -> int:
    await pool.start()
    while (given := await parent.files.get()) is not None and not parent.stopping:
        described, descriptor = given
        with os.fdopen(descriptor, "rb", buffering=1 << 16) as file:
            report = await taker.take(
                ForeignFile(
                    described["name"],
                    file,
                    zipped=described["zipped"],
                    part=described["part"],
                    start=Position(**described["position"]),
                    begins_at=described["begins_at"],
                )
            )
        parent.send({"done": {**report.to_json(), "whole": not parent.stopping}})
    reason = "stopped" if parent.stopping else "finished"
    rows = {name: intake.finish(reason).counts for name, intake in taker.intakes.items()}
    parent.send({"ended": rows})
    return ExitCode.INTERRUPTED if parent.gone else ExitCode.DONE


def main(argv: list[str]) -> int:
    """Carry out the assignment in file *argv*[0], speaking over the socket of descriptor *argv*[1]."""
    assignment: dict[str, Any] = json.loads(Path(argv[0]).read_text(encoding="utf-8"))
    configure_logging(**assignment["logging"])
    end = socket.socket(fileno=int(argv[1]))
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a person's Ctrl-C is for the parent, who says so
    settings = Settings(**assignment["settings"])
    pool = make_pool(settings)
    try:
        pool.launch()
        with Catalog.open(Path(assignment["catalog"]), read_only=True) as catalog:
            return asyncio.run(_import(assignment, settings, end, catalog, pool))
    except (ArchiveError, OSError) as error:
        return tell_failure(error)
    finally:
        pool.kill()


if __name__ == "__main__":
    code = main(sys.argv[1:])
    sys.stderr.flush()
    os._exit(code)

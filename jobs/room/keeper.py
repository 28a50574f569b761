"""The room's other process (`python -m jobs.room.keeper`): the only one that writes catalog and index.

Its first line of standard input is what to do, any other that a reader could not read what is kept; when that pipe
ends, its parent is dead, and it ends too. After each look at the store it prints a line of JSON. What the store has
against a look is told, and the next look tries again.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from config.errors import ArchiveError, ExitCode
from config.logs import configure_logging, describe_logging
from config.settings import SECRETS, Settings
from crawler.spool import FULL
from jobs.archive.identity import list_sources, read_info
from jobs.context import CATALOG_FILE, open_archive
from jobs.rechecks import RecheckPolicy
from jobs.room.files import identify_files
from jobs.search.index import INDEX_FILE, SearchIndex
from jobs.search.schema import remove

if TYPE_CHECKING:
    from collections.abc import Mapping

    from config.sources import Source
    from jobs.context import OpenArchive

_CHUNK_BYTES = 65_536
_NICENESS = 5
"""Readers come first."""


def encode_assignment(settings: Settings, sources: Mapping[str, Source]) -> bytes:
    """Return the line that tells a keeper what to do: log as this process does, and look as *settings* say.

    *sources*: as configured; of them it must know when their articles are looked at again.
    """
    given = {
        "settings": json.loads(settings.model_dump_json(exclude=set(SECRETS))),
        "logging": describe_logging(),
        "policies": {name: asdict(RecheckPolicy.of(one, settings)) for name, one in sources.items()},
    }
    return json.dumps(given).encode() + b"\n"


def main() -> int:
    """Look for news until the parent is gone; return an exit code, of errors that another look would not mend."""
    assignment = _take_assignment()
    if assignment is None:
        return ExitCode.INTERRUPTED
    configure_logging(**assignment["logging"])
    os.nice(_NICENESS)
    settings = Settings(**assignment["settings"])
    policies = {name: _read_policy(told) for name, told in assignment["policies"].items()}
    doubted = threading.Event()
    threading.Thread(target=_obey_parent, args=(doubted,), name="parent", daemon=True).start()
    doubtful = False
    try:
        while True:
            doubtful = _keep(settings, policies, doubted, doubtful=doubtful)
    except ArchiveError as error:
        return _fail(str(error), error.exit_code)
    except OSError as error:
        if error.errno not in FULL:
            raise
        return _fail(f"{error.strerror}: {error.filename}", ExitCode.DISK_FULL)


def _keep(
    settings: Settings, policies: Mapping[str, RecheckPolicy], doubted: threading.Event, *, doubtful: bool
) -> bool:
    """Look for news as long as catalog and index are the files that were opened; return whether a reader doubts them.

    *doubtful*: look first whether they are whole. An index that is not is taken away; of a catalog it is told, since
    whoever else writes it has it open.
    """
    with open_archive(settings) as archive, SearchIndex.open(archive.state / INDEX_FILE) as index:
        trouble: dict[str, str] = {}
        if doubtful and not index.is_whole():
            remove(archive.state / INDEX_FILE)
            return False
        if doubtful and not archive.catalog.is_whole():
            trouble = {"": f"{archive.state / CATALOG_FILE}: damaged; ofrecord index --rebuild makes this cache anew"}
        files = identify_files(archive.state)
        while None not in files and identify_files(archive.state) == files:
            began = time.monotonic()
            told = look(archive, index, policies)
            _say({"trouble": told["trouble"] | trouble})
            if doubted.wait(max(0.0, settings.room_refresh_seconds - (time.monotonic() - began))):
                doubted.clear()
                return True
    return False


def _fail(message: str, code: ExitCode) -> ExitCode:
    _say({"failed": message, "exit_code": int(code)})
    return code


def look(archive: OpenArchive, index: SearchIndex, policies: Mapping[str, RecheckPolicy]) -> dict[str, Any]:
    """Bring catalog and index to the ends of all logs; return what is to be told: what went wrong, by source.

    So are the counts that health is judged by and, of sources with a policy, the plan of rechecks: readers cannot.
    """
    trouble: dict[str, str] = {}
    now = datetime.now(UTC)
    try:
        read_info(archive.store)  # a disk that is not there any more lists nothing, and fails in nothing
        sources = list_sources(archive.store)
    except ArchiveError as error:
        return {"trouble": {"": str(error)}}
    for number, source in enumerate(sources, 1):
        _say({"step": f"{source} ({number} of {len(sources)})"})
        try:
            archive.refresh(source)
            archive.catalog.tally_health(source, now)  # who only reads the catalog cannot count
            if source in policies:
                archive.catalog.plan_rechecks(source, policies[source])
        except ArchiveError as error:
            trouble[source] = str(error)
    if index.holds_redacted(archive.catalog):
        return {"trouble": trouble}  # its file was taken away: the next look makes another
    index.fold(archive.catalog, archive.info.archive, tell=lambda number: _say({"step": f"article {number}"}))
    return {"trouble": trouble}


def _read_policy(told: dict[str, Any]) -> RecheckPolicy:
    return RecheckPolicy(**told | {"ages": tuple(told["ages"])})


def _say(told: dict[str, Any]) -> None:
    try:
        sys.stdout.write(json.dumps(told) + "\n")
        sys.stdout.flush()
    except BrokenPipeError:
        os._exit(ExitCode.INTERRUPTED)  # nobody is left to hear


def _take_assignment() -> dict[str, Any] | None:
    line = bytearray()
    while not line.endswith(b"\n"):
        data = os.read(0, _CHUNK_BYTES)
        if not data:
            return None
        line += data
    found: dict[str, Any] = json.loads(line)
    return found


def _obey_parent(doubted: threading.Event) -> None:
    """End this process when standard input ends: what it writes is in transactions, so it may end anywhere."""
    while os.read(0, _CHUNK_BYTES):
        doubted.set()
    os._exit(ExitCode.INTERRUPTED)


if __name__ == "__main__":
    sys.exit(main())

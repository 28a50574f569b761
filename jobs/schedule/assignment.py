"""What a daemon hands to a run over its standard input: the source and the settings as the daemon knows them.

So a run needs no configuration files, which may be broken by now, and reads one source in place of five hundred. What
comes after that line is nothing; when the pipe ends, the daemon is dead.
"""

from __future__ import annotations

import json
import os
import signal
import threading
from typing import Any

from config.settings import Settings
from config.sources import Source

_CHUNK_BYTES = 65_536


def encode_assignment(source: Source, settings: Settings) -> bytes:
    """Return the line that tells a run of *source* what to do."""
    given = {
        "source": json.loads(source.model_dump_json(by_alias=True, exclude_unset=True)),
        "settings": json.loads(settings.model_dump_json()),
    }
    return json.dumps(given).encode() + b"\n"


def take_assignment(pipe: int = 0) -> tuple[Source, Settings]:
    """Return what the first line from *pipe* says. Raises EOFError if the owner died before it had said it."""
    line = bytearray()
    while not line.endswith(b"\n"):
        data = os.read(pipe, _CHUNK_BYTES)
        if not data:
            raise EOFError("the daemon that started this run is dead")
        line += data
    given: dict[str, Any] = json.loads(line)
    return Source.model_validate(given["source"]), Settings(**given["settings"])


def obey_owner(pipe: int = 0) -> None:
    """From now on end this process in good order, by SIGTERM, when *pipe* ends: its owner is dead."""

    def wait() -> None:
        while os.read(pipe, _CHUNK_BYTES):  # not by way of sys.stdin: Python could not end while that is being read
            pass
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=wait, name="owner", daemon=True).start()

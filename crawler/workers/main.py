"""The worker's side of the pool: jobs from a socket, answers back.

Run as `python -m crawler.workers.main SECONDS BYTES`; the socket is standard input. Loads our own code,
limits itself, then reads one page after the other until the socket ends. Knows no secrets; once limited, which is
before the first page, it writes no files.
"""

from __future__ import annotations

import ctypes
import errno
import gc
import json
import logging
import math
import os
import resource
import signal
import socket
import struct
import sys
import warnings
from importlib import import_module
from typing import TYPE_CHECKING, Any

from pydantic_core import PydanticSerializationError, to_json

from config.errors import ExtractError
from crawler import allowance

if TYPE_CHECKING:
    from io import BufferedRWPair

FRAME_HEAD = struct.Struct(">II")
"""Bytes of JSON, bytes of raw data."""
_ANSWER = b'{"answer":'
OUT_OF_MEMORY = 97
"""Exit code of a worker that met its memory limit."""
_ALARM_SLACK_SECONDS = 10
_OBJECTS_PER_COLLECTION = 200_000
"""More than a page of usual size makes. At 700, Python's own, a quarter of a page's time goes into looking."""
_JOBS_PER_TRIM = 20
"""After so many the C library gives back what it holds of memory that was freed: a tenth of a worker's 85 MB."""
_PR_SET_PDEATHSIG = 1


def encode_frame(data: dict[str, Any] | bytes, body: bytes = b"") -> bytes:
    """Return one frame: the lengths of both parts, JSON, raw bytes. *data*: JSON or what is to become it."""
    text = data if isinstance(data, bytes) else _encode(data)
    return b"".join([FRAME_HEAD.pack(len(text), len(body)), text, body])


def _encode(data: dict[str, Any]) -> bytes:
    try:
        return to_json(data)
    except PydanticSerializationError:  # half a surrogate pair
        return json.dumps(data).encode()


def read_answer(text: bytes) -> bytes:
    """Return the JSON of the answer in a frame that a worker sent. Raises ExtractError if it says that it failed."""
    if text.startswith(_ANSWER) and text.endswith(b"}"):
        return text[len(_ANSWER) : -1]
    try:
        reason = json.loads(text)["failed"]
    except (ValueError, RecursionError, TypeError, KeyError) as error:
        raise ExtractError("the worker's answer is no JSON object that holds one, or says why it failed") from error
    raise ExtractError(str(reason))


def serve(stream: BufferedRWPair, *, deadline_seconds: float) -> None:
    """Answer jobs from *stream* until it ends; the kernel ends one that takes more time, or the CPU time it grants."""
    # the parent, who imports this module, needs no parsers
    from crawler.workers.calls import perform  # noqa: PLC0415
    from crawler.workers.task import warm_up  # noqa: PLC0415

    warm_up()
    # what is loaded by now stays; a page's tree is taken apart after use, so there is hardly anything to collect
    gc.freeze()
    gc.set_threshold(_OBJECTS_PER_COLLECTION)
    gc.enable()
    _send(stream, {"ready": True})
    trim, done = getattr(ctypes.CDLL(None), "malloc_trim", None), 0
    while head := stream.read(FRAME_HEAD.size):
        text_size, body_size = FRAME_HEAD.unpack(head)
        data = json.loads(stream.read(text_size))
        body = stream.read(body_size)
        # should the parent be unable to kill us, the kernel does, even inside a C parser
        signal.alarm(math.ceil(deadline_seconds) + _ALARM_SLACK_SECONDS)
        allowance.grant(data.pop("cpu_seconds"))
        try:
            answer, records = perform(data.pop("call"), data, body)
        except MemoryError:
            raise
        except Exception as error:  # noqa: BLE001 - a page may break a parser in any way; the answer says how
            _send(stream, {"failed": f"{type(error).__name__}: {error}"[:1_000]})
        else:
            _send(stream, b"%b%b}" % (_ANSWER, answer), records)
        done += 1
        if trim is not None and done % _JOBS_PER_TRIM == 0:
            trim(0)
        allowance.revoke()
        signal.alarm(0)


def main(argv: list[str]) -> int:
    """Run one worker; *argv*: the deadline in seconds, the address space in bytes."""
    deadline_seconds, memory_bytes = float(argv[0]), int(argv[1])
    _die_with_parent()
    for number in (signal.SIGINT, signal.SIGTERM):  # meant for the parent, who closes our socket when it is done
        signal.signal(number, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    logging.disable()
    warnings.simplefilter("ignore")
    try:
        import_module("crawler.workers.calls")  # our own code, and no page yet: what Python compiles of it, it may keep
        _forbid_writing()
        with socket.socket(fileno=0) as channel, channel.makefile("rwb") as stream:
            serve(stream, deadline_seconds=deadline_seconds)
    except (MemoryError, SystemError):  # CPython turns some failed allocations into the second
        os._exit(OUT_OF_MEMORY)
    except ImportError as error:
        if "failed to map segment" not in str(error):  # so the loader says that a library found no room
            raise
        os._exit(OUT_OF_MEMORY)
    except ConnectionError:
        return 0  # the parent is gone or has no more use for us
    except OSError as error:
        if error.errno != errno.ENOMEM:
            raise
        os._exit(OUT_OF_MEMORY)
    return 0


def _send(stream: BufferedRWPair, data: dict[str, Any] | bytes, body: bytes = b"") -> None:
    stream.write(encode_frame(data, body))
    stream.flush()


def _forbid_writing() -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    sys.dont_write_bytecode = True  # parsers that a page loads late must not even try


def _die_with_parent() -> None:
    parent = os.getppid()
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        sys.exit(1)


if __name__ == "__main__":
    gc.disable()  # until all is loaded: see serve
    sys.exit(main(sys.argv[1:]))

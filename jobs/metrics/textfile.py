"""What one `crawl` or `job` came to, in a file for node_exporter's textfile collector: whole or not at all.

Several commands may leave theirs in one file: what it said of other sources stays. A run that failed is told like any
other, and when its source last succeeded is carried on from the file before.
"""

from __future__ import annotations

import fcntl
import os
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from prometheus_client import CollectorRegistry, Gauge, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from jobs.metrics.instruments import LastRuns

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from prometheus_client.samples import Sample

MAX_BYTES = 16 * 1024 * 1024
"""Of an earlier file that is read; ours are 3 KB a source."""
_MODE = 0o644
"""node_exporter runs as another user."""


@dataclass(frozen=True, slots=True)
class RunTold:
    """A run that is over, as the file tells it."""

    source: str
    exit_code: int
    ended: float
    """Seconds since 1970."""
    seconds: float
    """How long it took."""
    report: dict[str, Any] | None


def write_textfile(
    path: Path, runs: Iterable[RunTold], *, exit_code: int, ended: float, sources: frozenset[str] | None
) -> None:
    """Bring *path* up to date with what a command came to. Raises OSError.

    *runs*: of the command; *exit_code*: its own, and when it *ended*, in seconds since 1970. *sources*: ids of all that
    are configured, the others leave the file; `None`: nobody knows, so all stay.
    """
    with _lock_folder(path.parent):
        registry = CollectorRegistry()
        last = LastRuns(registry, live=False)
        last.restore(_read_samples(path), sources)
        for run in runs:
            last.note(run.source, run.exit_code, run.report, ended=run.ended, seconds=run.seconds)
        Gauge("ofrecord_command_exit_code", "Exit code of the last crawl or job.", registry=registry).set(exit_code)
        Gauge(
            "ofrecord_command_timestamp_seconds",
            "When the last crawl or job ended, in seconds since 1970.",
            registry=registry,
        ).set(ended)
        _replace(path, generate_latest(registry))


def _read_samples(path: Path) -> list[Sample]:
    """Return what an earlier file says; nothing if there is none or it is not to be understood."""
    try:
        with path.open("rb") as file:
            text = file.read(MAX_BYTES).decode("utf-8")
        return [sample for family in text_string_to_metric_families(text) for sample in family.samples]
    except FileNotFoundError:
        return []
    except (ValueError, KeyError, IndexError):  # somebody else's, or cut: the new one says what is known
        return []


def _replace(path: Path, data: bytes) -> None:
    """Put *data* in place of the file; the collector reads names that end with `.prom` only, so never a half of it."""
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".tmp", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fchmod(file.fileno(), _MODE)
            os.fsync(file.fileno())
        os.replace(name, path)  # noqa: PTH105 - a name of tempfile's
    except BaseException:
        os.unlink(name)  # noqa: PTH108
        raise


@contextmanager
def _lock_folder(folder: Path) -> Iterator[None]:
    """Let one command at a time read the file and replace it."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)

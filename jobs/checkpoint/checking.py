"""What layers hold, compared with the log that they sum up: the log is folded anew, step by step. For verify."""

from __future__ import annotations

import tempfile
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

from config.errors import ArchiveError, DamageFound, FormatTooNew, ObjectMissing, RecordError, StoreError
from jobs.archive.identity import list_sources, read_info
from jobs.archive.log import Log
from jobs.archive.replacing import Replacements
from jobs.catalog import Catalog
from jobs.checkpoint.layer import OtherFold
from jobs.checkpoint.reading import fetch_thin, open_stack, read_facts, read_thin
from jobs.checkpoint.writing import find_touched_after, list_thin
from jobs.verify.report import Notes
from jobs.verify.unreadable import note_unreadable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from jobs.checkpoint.layer import LayerReference
    from jobs.checkpoint.reading import Stack
    from jobs.store import ObjectStore
    from jobs.verify import VerifyReport

_ALL_OF_A_ROW = {"adoption", "article", "capture", "commit", "revision", "run", "slot"}
"""Lines of a thin part that have each column that is set; of others some are left out."""


_LATER = {"reading", "unread", "not_modified", "certificates", "replaced"}
"""Columns that not every writer of this format knows, so that its lines may lack them."""
_COUNTED = {"article", "revision"}
"""Whose captures a job without state counts only as far as it knows them."""


def check_layers(store: ObjectStore, report: VerifyReport, *, sources: Iterable[str] | None = None) -> None:
    """Check the layers that each log's newest checkpoint stands on: that they are there; in a full check, all they say.

    Damage goes to *report*. Of a log that cannot be read only as much is compared as can. Raises StoreError.
    """
    try:
        info = read_info(store)
    except ArchiveError:
        return  # told by verify_archive
    for source in list_sources(store) if sources is None else sources:
        log = Log(store, info, source)
        try:
            end = log.find_end()
        except (DamageFound, FormatTooNew, StoreError):
            continue  # told by verify_archive
        if end is not None and end.commit.checkpoint is not None:
            try:
                _check_stack(store, log, end.commit.checkpoint, report)
            except StoreError as error:
                note_unreadable(store, Notes(report, f"checkpoint/{source}/"), error)


def _check_stack(store: ObjectStore, log: Log, named: dict[str, Any], report: VerifyReport) -> None:
    notes = Notes(report, str(named.get("key")))
    try:
        stack = open_stack(store, log.archive, log.source, named)
    except ObjectMissing:
        return  # told by verify_archive
    except OtherFold as error:
        notes.notice(f"not compared with the log: {error}; the next checkpoint is made anew")
        return
    except (DamageFound, FormatTooNew) as error:
        notes.damage(f"cannot be used: {error}")
        return
    stack.newest.close()
    missing = [one for one in stack.layers if not _is_there(store, one, report)]
    if missing or not report.full:
        return
    with (
        tempfile.TemporaryDirectory(prefix="ofrecord-verify-") as folder,
        Catalog.open(Path(folder) / "log.sqlite") as folded,
        Catalog.open(Path(folder) / "layers.sqlite") as restored,
    ):
        if _fold(store, log, stack, folded, report) and _restore(store, log, stack, restored, report):
            _compare_facts(log.source, stack, folded, restored, report)


def _is_there(store: ObjectStore, layer: LayerReference, report: VerifyReport) -> bool:
    try:
        found = store.stat(layer.key).size_bytes
    except ObjectMissing:
        Notes(report, layer.key).damage("missing; the newest checkpoint of this log stands on it")
        return False
    if found != layer.size_bytes:
        Notes(report, layer.key).damage(f"found {found} bytes, the layers above say {layer.size_bytes}")
    return found == layer.size_bytes


def _fold(store: ObjectStore, log: Log, stack: Stack, folded: Catalog, report: VerifyReport) -> bool:
    """Fold the log up to the end of *stack*; compare each thin part at the commit where it was made.

    Returns whether all of it could be folded.
    """
    ends = {layer.seq: number for number, layer in enumerate(stack.layers)}
    ahead = Replacements(log)
    try:
        for stored in log.read(packs=False):
            folded.add_commit(store, stored, ahead=ahead)
            number = ends.get(stored.commit.seq)
            if number is not None:
                _compare_thin(store, log, stack.layers[: number + 1], folded, report)
            if stored.commit.seq == stack.seq:
                break
    except (DamageFound, FormatTooNew, RecordError, StoreError) as error:
        Notes(report, stack.layers[-1].key).notice(f"not compared with the log, which cannot be read: {error}")
        return False
    return True


def _compare_thin(
    store: ObjectStore, log: Log, layers: tuple[LayerReference, ...], folded: Catalog, report: VerifyReport
) -> None:
    """Hold the thin part of the last of *layers* against what *folded* would write at this commit."""
    layer, source = layers[-1], log.source
    notes = Notes(report, layer.key)
    expected = {_name(line): line for line in list_thin(folded, source, find_touched_after(layers[:-1], layer.level))}
    try:
        stack = open_stack(store, log.archive, source, layer.to_json())
        stack.newest.close()
        if stack.head != folded.head(source)[1]:
            notes.damage(f"names {stack.head} as commit {layer.seq}, the log has {folded.head(source)[1]}")
        for line in read_thin(fetch_thin(store, layer), layer, log.archive, source):
            expected.pop(_name(line), None)
            row = folded.find_row(source, line)
            fault = "the log has no such thing" if row is None else _find_difference(line, row)
            if fault is not None:
                notes.damage(f"thin part: {_show(_name(line))}: {fault}")
    except (DamageFound, FormatTooNew, ObjectMissing, RecordError) as error:
        notes.damage(f"cannot be read: {error}")
        return
    for name in expected:
        notes.damage(f"thin part: {_show(name)}: is missing, though the log has it and a crawl needs it")


def _restore(store: ObjectStore, log: Log, stack: Stack, restored: Catalog, report: VerifyReport) -> bool:
    """Take in all facts of the layers, as a reader would; return whether that could be done."""
    source = log.source
    lines = chain.from_iterable(read_facts(store, one, log.archive, source) for one in stack.layers)
    try:
        restored.restore_full(source, stack.seq, stack.head, stack.to_json(), lines)
    except (DamageFound, FormatTooNew, ObjectMissing, RecordError) as error:
        Notes(report, stack.layers[-1].key).damage(f"facts of this layer and those below it: {error}")
        return False
    return True


def _compare_facts(source: str, stack: Stack, folded: Catalog, restored: Catalog, report: VerifyReport) -> None:
    """Hold all facts of the layers against those of the log; what differs is told of the layer that has its commit."""
    notes = [(one.seq, Notes(report, one.key)) for one in stack.layers]
    for name, seq, fault in _merge(folded.walk_facts(source), restored.walk_facts(source)):
        place = next((one for last, one in notes if seq <= last), notes[-1][1])
        place.damage(f"facts: {_show(name)} of commit {seq}: {fault}")


_Fact = tuple[tuple[Any, ...], int, dict[str, Any]]


def _merge(log: Iterator[_Fact], layers: Iterator[_Fact]) -> Iterator[tuple[tuple[Any, ...], int, str]]:
    """Yield where two walks differ: what it is, its commit, and how."""
    one, other = next(log, None), next(layers, None)
    while one is not None or other is not None:
        if one is not None and (other is None or one[0] < other[0]):
            yield one[0], one[1], "is missing, though the log has it"
            one = next(log, None)
        elif other is not None and (one is None or other[0] < one[0]):
            yield other[0], other[1], "the log has no such thing"
            other = next(layers, None)
        elif one is not None and other is not None:
            fault = _find_difference(other[2], one[2], whole=True)
            if fault is not None:
                yield one[0], one[1], fault
            one, other = next(log, None), next(layers, None)


def _find_difference(line: dict[str, Any], row: dict[str, Any], *, whole: bool = False) -> str | None:
    """Return how *line* of a layer contradicts *row* of the log. Unless *whole*, some lines may leave columns out."""
    complete = whole or line.get("type") in _ALL_OF_A_ROW
    for name, expected in row.items():
        if name == "source" or ((not complete or name in _LATER) and line.get(name) is None):
            continue
        if name == "captures" and not whole and line.get("type") in _COUNTED and line[name] <= expected:
            continue
        if line.get(name) != expected:
            return f"{name}: found {str(line.get(name))[:100]!a}, the log says {str(expected)[:100]!a}"
    return None


_NAMES = {
    "adoption": ("seq", "number"),
    "article": ("url",),
    "capture": ("segment", "n"),
    "commit": ("seq",),
    "revision": ("url", "number"),
    "run": ("run",),
    "segment": ("segment",),
    "slot": ("slot", "outcome", "through", "slots", "run", "reason", "schedule"),
    "snapshot": ("segment", "n", "derivation"),
}


def _name(line: dict[str, Any]) -> tuple[Any, ...]:
    return (line["type"], *(line[name] for name in _NAMES.get(line["type"], ())))


def _show(name: tuple[Any, ...]) -> str:
    return " ".join(str(part)[:120] for part in name)

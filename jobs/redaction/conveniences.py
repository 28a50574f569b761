"""What is made from segments and holds their texts: written anew without what was redacted, and older versions purged.

Checkpoints, tables, feeds, files below `raw/` and `clean/`, and copies of segments that no commit names: FORMAT.md
§ 12. By what the catalog says was redacted, so it may be repeated at any time, and finds what came in between.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import structlog

from config.errors import StoreRefused
from jobs.archive.commit import Commit, writer_name
from jobs.archive.replacing import collect_replacements
from jobs.checkpoint.layer import layer_key
from jobs.deletion import read_withdrawing
from jobs.feeds.withdrawing import withdraw_entries
from jobs.segments.objects import object_prefix
from jobs.store.clock import measure_skew

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from jobs.archive.replacing import ReplacementIndex
    from jobs.context import OpenArchive
    from jobs.store import ObjectStore

log = structlog.get_logger()

REDACT = "redact"


@dataclass(slots=True)
class ClearReport:
    """What became of the conveniences of one source."""

    source: str
    purged: list[str] = field(default_factory=list)
    """Keys of which every version, or of feeds every older one, was removed."""
    written: list[str] = field(default_factory=list)
    """Feeds that were written without entries, and the new checkpoint."""
    kept: dict[str, str] = field(default_factory=dict)
    """Key, or what was to be listed → why the store keeps it."""

    def to_json(self) -> dict[str, Any]:
        """Return the report as JSON data."""
        return {name: getattr(self, name) for name in ClearReport.__slots__}


def clear_conveniences(archive: OpenArchive, source: str, *, bypass: bool = False) -> ClearReport:
    """Clear all but tables of what was redacted of *source*, as far as the catalog, which is up to date, knows.

    *bypass*: also where governance retention holds it. Raises DamageFound, StoreError; safe to repeat.
    """
    report = ClearReport(source)
    urls = {one.url for one in archive.catalog.list_redacted(source)}
    index = collect_replacements(read_withdrawing(archive, source))
    last = max((one.seq for one, _ in index.segments.values() if one.kind == REDACT), default=0)
    if not last:
        return report
    clearing = _Clearing(archive.store, report, bypass=bypass)
    clearing.purge(_list_old_layers(clearing, source, last))
    named = {file.key for one in archive.log(source).read() for file in one.commit.files}
    clearing.purge(_list_twins(clearing, source, index, named))
    for url in sorted(urls):
        clearing.purge(_list_objects(archive, clearing, source, url))
    try:
        written, purged = withdraw_entries(
            archive.store, archive.info.archive, archive.settings, source, urls, bypass=bypass
        )
        report.written += written
        report.purged += purged
    except StoreRefused as error:
        report.kept[f"feeds/{source}"] = str(error)
    _renew_checkpoint(archive, source, report)
    log.info("cleared_conveniences", source=source, purged=len(report.purged), kept=len(report.kept))
    return report


class _Clearing:
    """Removes keys and takes down what became of them."""

    def __init__(self, store: ObjectStore, report: ClearReport, *, bypass: bool) -> None:
        self._store = store
        self._report = report
        self._bypass = bypass

    def list_keys(self, prefix: str) -> set[str]:
        """Return all keys below *prefix* of which the store has any version."""
        try:
            return {one.key for one in self._store.list_versions(prefix)}
        except StoreRefused as error:
            self._report.kept[prefix] = f"older versions cannot be looked for: {error}"
            return {one.key for one in self._store.list(prefix)}

    def purge(self, keys: Iterable[str]) -> None:
        """Remove every version of *keys*; what the store refuses to remove is told."""
        for key in sorted(keys):
            try:
                gone = self._store.purge(key, bypass=self._bypass)
            except StoreRefused as error:
                self._report.kept[key] = str(error)
            else:
                self._report.purged += [key] if gone else []


def _list_old_layers(clearing: _Clearing, source: str, last: int) -> set[str]:
    """Return the checkpoints that may know what commit *last*, or one before it, took out."""
    end = layer_key(source, last)
    return {key for key in clearing.list_keys(f"checkpoint/{source}/") if key < end}


def _list_twins(clearing: _Clearing, source: str, index: ReplacementIndex, named: set[str]) -> Iterator[str]:
    """Yield other objects of segments that were redacted, which no commit names: uploads of before, put again since."""
    for key in clearing.list_keys(f"segments/{source}/"):
        found = index.segments.get(key.rpartition("/")[2].partition(".")[0])
        if found is not None and found[0].kind == REDACT and key not in named:
            yield key


def _list_objects(archive: OpenArchive, clearing: _Clearing, source: str, url: str) -> set[str]:
    """Return the files below `raw/` and `clean/` of the redacted captures of *url*."""
    captures = [one for one in archive.catalog.list_captures(source, url) if one.page_class == "redacted"]
    return {
        key
        for folder in ("raw", "clean")
        for one in captures
        for key in clearing.list_keys(object_prefix(folder, source, url, one.captured_at))
    }


def _renew_checkpoint(archive: OpenArchive, source: str, report: ClearReport) -> None:
    """Put the checkpoint that the redaction made due, if the log is long enough for one, and commit its name."""
    seq, head = archive.catalog.head(source)  # before it: others may redact meanwhile
    named = archive.sum_up(source)
    if "checkpoint" not in named:
        return
    draft = Commit(
        source,
        "ledger",
        datetime.now(UTC).replace(microsecond=0),
        archive.info.archive,
        id=secrets.token_hex(16),
        clock_skew_seconds=measure_skew(archive.store),
        writer=writer_name(),
        **named,
    )
    stored, others = archive.log(source).append(draft, after=seq, head=head)
    for one in (*others, stored):
        archive.catalog.add_commit(archive.store, one)
    report.written.append(str(named["checkpoint"]["key"]))

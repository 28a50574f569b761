"""Tables after a redaction: the touched days made anew, and every file that no manifest lists removed for good."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from config.errors import StoreRefused
from jobs.redaction.conveniences import ClearReport
from jobs.tables.manifest import read_newest
from jobs.tables.rollup import build_tables
from jobs.tables.schema import TABLES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from jobs.context import OpenArchive
    from jobs.store import StoredVersion

_DAY = timedelta(days=1)
"""So long may anybody read what an earlier manifest lists: FORMAT.md § 10. What was redacted may go at once."""


def withdraw_tables(archive: OpenArchive, *, bypass: bool = False) -> ClearReport:
    """Make the days anew that a redaction touched, and purge the files that the newest manifest does not list.

    At once where they are of days that changed now or hold captures that were redacted, else if they are a day old.
    *bypass*: as `ObjectStore.purge`. Nothing is done where there are no tables. Raises DamageFound, StoreError.
    """
    report = ClearReport("tables")
    previous = read_newest(archive.store, archive.info)
    if previous is None:
        return report
    if build_tables(archive).wrote:
        report.written.append("tables")
    newest = read_newest(archive.store, archive.info) or previous
    live = {file.key for file in newest.manifest.files}
    touched = {file.day for file in previous.manifest.files if file.key not in live} | _list_redacted_days(archive)
    now = archive.store.read_clock() or datetime.now(UTC)
    doomed = set()
    for one in _list_files(archive, report):
        day = one.key.split("/")[2].removeprefix("day=") if one.key.count("/") > 1 else ""
        old = one.modified is not None and now - one.modified > _DAY
        if one.key not in live and (day in touched or old):
            doomed.add(one.key)
    for key in sorted(doomed):
        try:
            report.purged += [key] if archive.store.purge(key, bypass=bypass) else []
        except StoreRefused as error:
            report.kept[key] = str(error)
    return report


def _list_files(archive: OpenArchive, report: ClearReport) -> Iterator[StoredVersion]:
    """Yield every version of the tables' files."""
    for name in TABLES:
        try:
            yield from archive.store.list_versions(f"tables/{name}/")
        except StoreRefused as error:
            report.kept[f"tables/{name}/"] = f"older versions cannot be looked for: {error}"


def _list_redacted_days(archive: OpenArchive) -> set[str]:
    catalog = archive.catalog
    return {
        day
        for source, _, _ in catalog.list_heads()
        for one in catalog.list_redacted(source)
        for day in catalog.list_capture_days(source, one.url)
    }

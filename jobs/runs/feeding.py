"""The change feeds at the end of a run: in a thread of their own, so that a store that hangs holds up nobody."""

from __future__ import annotations

import contextvars
import threading
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import structlog

from jobs.catalog import Catalog
from jobs.context import CATALOG_FILE

if TYPE_CHECKING:
    from jobs.context import OpenArchive

log = structlog.get_logger()

LONGEST_SECONDS = 30.0


def publish_changes(archive: OpenArchive, source: str, *, after: int, seconds: float) -> list[str]:
    """Write the feeds if commits of *source* beyond number *after* brought changes; return what went wrong.

    Takes *seconds* at most, and LONGEST_SECONDS. Raises nothing: no run fails for a feed.
    """
    changed = archive.catalog.list_changed_after(source, after, metadata=False)
    if not archive.settings.feeds or next(changed, None) is None:
        return []
    limit = min(seconds, LONGEST_SECONDS)
    if limit <= 0:
        return [f"no time was left for the change feeds; the next run that finds a change of {source} writes them"]
    problems: list[str] = []

    def publish() -> None:
        try:
            from jobs.feeds import write_feeds  # noqa: PLC0415 - loads the judging of edits, which quiet runs are spared

            # a catalog of this thread's own: SQLite's connections are not shared
            with Catalog.open(archive.state / CATALOG_FILE) as catalog:
                problems.extend(
                    write_feeds(
                        catalog,
                        archive.store,
                        archive.info.archive,
                        archive.settings,
                        source,
                        after=after,
                        now=datetime.now(UTC),
                    ).problems
                )
        except Exception as error:
            log.exception("failed_feed", source=source)
            problems.append(f"the change feeds were not written: {type(error).__name__}: {error}")

    thread = threading.Thread(target=contextvars.copy_context().run, args=(publish,), name="feeds", daemon=True)
    thread.start()
    thread.join(limit)
    if thread.is_alive():
        return [f"the change feeds were not written within {limit:.0f} s: the store does not answer"]
    return problems

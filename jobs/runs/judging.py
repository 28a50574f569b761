"""How a run ended: its reason, its exit code, and what is wrong with it, in words. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from config.errors import ArchiveError, ExitCode
from config.units import count
from crawler.spool import FULL

if TYPE_CHECKING:
    from pathlib import Path

    from crawler.rows import RunRow
    from jobs.runs.supervision import CrawlProcess
    from jobs.spool_use import SpoolUse

_NO_TIME = (
    "nothing was fetched: preparing, and committing what earlier runs had left, took the time there was"
    " (option --max-seconds); the next run goes on"
)


def judge_run(
    row: RunRow | None, child: CrawlProcess | None, max_failed: float, disk_full: str | None
) -> tuple[str, ExitCode, list[str]]:
    """Return how a run ended, its exit code and what is wrong with it, if anything. *child*: `None`: none was begun."""
    if child is None:
        return "limit", ExitCode.DONE, [_NO_TIME]
    reason = row.reason if row else "died"
    if disk_full is not None:
        return reason, ExitCode.DISK_FULL, [disk_full]
    code = child.returncode
    if code in {ExitCode.DISK_FULL, ExitCode.USAGE}:
        return reason, ExitCode(code), ["the crawl's process ended early; its message stands above"]
    if row is None:
        problem = f"the crawl's process ended with {code}; what it had recorded is kept"
        return ("stopped", ExitCode.DONE, []) if child.ended_unbegun else (reason, ExitCode.FAILED, [problem])
    if reason == "lease":
        problem = "the lease could not be renewed in time, so fetching ended; the next run goes on"
        return reason, ExitCode.LOCKED, [problem]
    if failure := _judge_counts(row, max_failed):
        return reason, ExitCode.CRAWL_FAILED, [failure]
    return reason, ExitCode.DONE, []


def judge_waiting(use: SpoolUse, spool: Path, trouble: ArchiveError | OSError | None) -> tuple[ExitCode, str]:
    """Return the exit code of a run whose segments are not all in the store, and where they wait."""
    code = ExitCode.STORE_REFUSED
    if isinstance(trouble, OSError):
        code = ExitCode.DISK_FULL if trouble.errno in FULL else ExitCode.FAILED
    elif trouble is not None:
        code = trouble.exit_code
    reason = trouble or "the time to commit them was over (setting grace_seconds, option --max-seconds)"
    full = "the disk is full: " if code is ExitCode.DISK_FULL else ""
    number = f"{count(use.segments, 'segment')} {'waits' if use.segments == 1 else 'wait'}"
    return code, f"{full}{reason}; {number} in {spool} ({use.size_bytes} bytes); the next run commits what is there"


def _judge_counts(row: RunRow, max_failed: float) -> str | None:
    if row.discovery and all(seed.get("error") for seed in row.discovery):
        first = row.discovery[0]
        return f"discovery failed: none of {len(row.discovery)} seeds could be read; {first['url']}: {first['error']}"
    articles, failed = row.counts.get("articles", 0), row.counts.get("failed", 0)
    if articles and failed / articles > max_failed:
        return f"{failed} of {articles} article captures failed; at most {max_failed:.0%} may (setting max_failed)"
    return None

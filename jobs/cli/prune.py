"""The command prune: takes out of an archive what nobody needs any more."""

from __future__ import annotations

from dataclasses import asdict

import click

from config.units import count
from jobs.cli.options import Invocation, archive_options, enter_archive, reading_codes
from jobs.diff import make_safe
from jobs.prune import KINDS, PruneReport, prune_archive

_NOUNS = {
    "leases": "lease object",
    "checkpoints": "superseded checkpoint",
    "tables": "superseded table file",
    "uncommitted": "upload that no commit ever named",
    "probes": "left-over of a probe",
}


@click.command(epilog=reading_codes())
@click.option("--dry-run", is_flag=True, help="Say what would be removed and remove nothing.")
@archive_options
def prune(invocation: Invocation, *, dry_run: bool) -> int:
    """Remove what nobody needs any more: a day after it was superseded, uploads that no commit names after 30 days.

    No commit, no segment that a commit names, and nothing that proves anything is ever removed. It needs the right to
    delete: deploy/policy-maintenance.json. Crawls do not depend on it. Of a source with damage nothing is removed; the
    others are seen to.
    """
    with enter_archive(invocation) as archive:
        report = prune_archive(archive, dry_run=dry_run)
    invocation.print_result(asdict(report), describe_prune(report))
    return report.exit_code


def describe_prune(report: PruneReport) -> str:
    """Return what was removed, for people."""
    verb = "would remove" if report.dry_run else "removed"
    lines = [
        f"problem: {name}: {make_safe(why)}; nothing of it was removed: run ofrecord verify"
        for name, why in report.left_out.items()
    ]
    lines += [f"{verb} {count(report.removed[kind], _NOUNS[kind])}" for kind in KINDS if report.removed[kind]]
    if report.kept:
        lines.append(f"kept {count(report.kept, 'upload')} that no commit names: a run may be at work")
    return "\n".join(lines or [f"nothing to remove{' (looked only)' if report.dry_run else ''}"])

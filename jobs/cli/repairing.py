"""What `verify --repair-from` does once the check is over: puts back what is damaged, from a copy, and says so."""

from __future__ import annotations

from typing import TYPE_CHECKING

from config.errors import ConfigError
from config.units import count
from jobs.archive.identity import read_info
from jobs.archive.signing import read_signer
from jobs.archive.writing import require_signer
from jobs.cli.progress import show_size, show_sources
from jobs.context import KEY_FILE, find_state
from jobs.diff import make_safe
from jobs.repair import RepairReport, repair_archive
from jobs.store import open_store
from jobs.verify import Severity

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jobs.cli.options import Invocation
    from jobs.verify import VerifyReport


def mend_archive(
    invocation: Invocation,
    place: str,
    report: VerifyReport,
    *,
    names: Sequence[str],
    heads: Sequence[tuple[str, int, str]],
    dry_run: bool,
) -> RepairReport:
    """Put back what *report* says is damaged, from the archive at *place*; of all sources or those of *names*."""
    settings = invocation.settings
    store, copy = open_store(str(settings.archive), settings), open_store(place, settings)
    if store.place == copy.place:
        raise ConfigError(f"--repair-from: {copy.url} is the archive itself, expected a copy of it")
    info = read_info(copy)
    signer = read_signer(settings)

    def require() -> None:
        if not dry_run:
            require_signer(store, info, signer, find_state(settings, store, info.archive) / KEY_FILE)

    with show_sources(wanted=not invocation.as_json) as tell:
        return repair_archive(
            store,
            copy,
            damaged={one.key for one in report.findings if one.severity is Severity.DAMAGE},
            sources=names or None,
            heads=heads,
            signer=signer,
            dry_run=dry_run,
            require_signer=require,
            tell=tell,
        )


def describe_repair(repaired: RepairReport) -> str:
    """Return for people what was put back, and what was not and why."""
    done = "would be put back" if repaired.dry_run else "put back"
    lines = [
        f"{done}: {make_safe(one.key)} ({show_size(one.size_bytes)}; was {make_safe(one.was)})"
        for one in repaired.mended
    ]
    lines += [f"left: {make_safe(one.key)}: {make_safe(one.why)}" for one in repaired.left]
    lines += [f"let go by a later commit, so not brought back: {make_safe(key)}" for key in repaired.released]
    lines.append(f"{count(len(repaired.mended), 'object')} {done} from {repaired.origin}")
    for source, numbers in repaired.commits.items():
        lines.append(f"  {source}: said by commit {', '.join(map(str, numbers))}")
    return "\n".join(lines)

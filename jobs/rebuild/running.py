"""A rebuild of one source from plan to report, and on request to the commits that adopt it."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import structlog

from config.errors import RecordError
from jobs.context import lock_folder
from jobs.derived import FOLDER, PARTS, discard_parts
from jobs.rebuild.adopting import Adopter
from jobs.rebuild.comparing import ComparisonReport
from jobs.rebuild.deriving import derive_parts
from jobs.rebuild.parts import PartsFolder
from jobs.rebuild.planning import Rules, StretchTask, plan_tasks
from jobs.segments.pages import DerivingLimits

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from config.sources import Source
    from jobs.context import OpenArchive
    from jobs.rebuild.parts import Part
    from jobs.shards import Shard

log = structlog.get_logger()


class Runner(Protocol):
    """Who derives: this process, or a cluster."""

    def derive(self, tasks: Iterable[StretchTask]) -> Iterator[Part]:
        """Yield what each of *tasks* came to, in any order."""
        ...


class LocalRunner:
    """Derives on this machine, with as many workers as a crawl has."""

    def __init__(self, archive: OpenArchive) -> None:
        self._archive = archive

    def derive(self, tasks: Iterable[StretchTask]) -> Iterator[Part]:
        """Yield what each of *tasks* came to."""
        return derive_parts(self._archive.store, tasks, DerivingLimits.of(self._archive.settings))


@dataclass(frozen=True, slots=True)
class RebuildOptions:
    """What a person asks for."""

    adopt: bool = False
    again: bool = False
    """Derive also what has a text of these rules: shows that the same comes again, and adopts none of it."""
    shard: Shard | None = None
    """Derive the segments of this shard alone, and compare nothing."""
    parts: Path | None = None
    """Folder of the parts, if several machines share one; `None`: in the state folder."""
    samples: int = 5


@dataclass(frozen=True, slots=True)
class Rebuild:
    """What a rebuild of one source came to."""

    source: str
    derivation: str
    derived: int
    """Parts that were made now."""
    found: int
    """Parts that were there."""
    skipped: int
    """Captures that have a text of these rules, and were not derived again."""
    report: ComparisonReport | None
    """`None`: of a shard."""
    adopted_rows: int = 0
    commits: int = 0
    decided: bool = False
    """Whether these rules decide now, by a commit of this rebuild."""
    folder: Path = Path()
    """Where the parts are."""


def rebuild_source(
    archive: OpenArchive,
    source: Source,
    options: RebuildOptions,
    runner: Runner | None = None,
    *,
    tell: Callable[[int, int], None] | None = None,
) -> Rebuild:
    """Derive *source* anew as far as *options* say, compare, and adopt where that is asked for.

    The catalog must be at the log's end. *runner*: who derives. *tell*: told how many parts are done, of how many.
    Raises RunLocked while another does this here; StoreError, ExtractError, OSError.
    """
    rules = Rules.of(source)
    place = archive.state / FOLDER / source.id
    root = options.parts / archive.info.archive / source.id if options.parts else place / PARTS
    folder = PartsFolder(root / rules.derivation.digest.removeprefix("sha256:"))
    work = _Work(archive, source.id, rules, options, folder)
    taken = f"{source.id}: another process rebuilds it with this state folder; wait for it"
    with lock_folder(place, taken):
        adopter = Adopter(archive, source.id, rules, place / "spool")
        discard_parts(root, source.id, archive.catalog)
        if options.adopt:
            archive.require_signer()
            adopter.finish_left()
        total, have = archive.catalog.count_derivable(source.id, rules.derivation.digest)
        derived = work.derive_missing(runner or LocalRunner(archive), total if options.again else total - have, tell)
        report = work.compare() if options.shard is None else None
        decided = options.adopt and work.adopt(adopter)
    log.info("rebuilt_source", source=source.id, derived=derived, found=work.found, adopted=adopter.rows)
    return Rebuild(
        source=source.id,
        derivation=rules.derivation.digest,
        derived=derived,
        found=work.found,
        skipped=0 if options.again else have,
        report=report,
        adopted_rows=adopter.rows,
        commits=adopter.commits,
        decided=decided,
        folder=folder.path,
    )


@dataclass(slots=True)
class _Work:
    """The steps of a rebuild of one source."""

    archive: OpenArchive
    source: str
    rules: Rules
    options: RebuildOptions
    folder: PartsFolder
    found: int = 0
    """Parts that were there."""

    def derive_missing(self, runner: Runner, total: int, tell: Callable[[int, int], None] | None) -> int:
        """Make the parts that are not there, and return how many; *total*: pages that there are in all."""
        made = done = 0
        tasks = self._list_missing()
        first = next(tasks, None)
        for part in () if first is None else runner.derive(chain((first,), tasks)):  # workers take a while to start
            self.folder.write(part)
            made += 1
            done += len(part.rows) + len(part.without)
            if tell is not None:
                tell(done, total)
        return made

    def _list_missing(self) -> Iterator[StretchTask]:
        shard = self.options.shard
        for task in plan_tasks(self.archive.catalog, self.source, self.rules, again=self.options.again):
            if shard is not None and not shard.has(task.segment):
                continue
            if self.folder.read(task) is None:
                yield task
            else:
                self.found += 1

    def compare(self) -> ComparisonReport:
        """Compare all parts with what decides now."""
        report = ComparisonReport(self.source, self.rules.derivation.digest, self.options.samples)
        for task, part in self._walk_parts(again=self.options.again):
            report.add(self.archive.catalog, task, part)
        return report

    def adopt(self, adopter: Adopter) -> bool:
        """Commit what is not committed; return whether the derivation decides by a commit made here."""
        adopter.commit_rows(row for _, part in self._walk_parts(again=False) for row in part.rows)
        return adopter.decide() is not None

    def _walk_parts(self, *, again: bool) -> Iterator[tuple[StretchTask, Part]]:
        """Yield each task with its part. Raises RecordError where one was taken away meanwhile."""
        for task in plan_tasks(self.archive.catalog, self.source, self.rules, again=again):
            part = self.folder.read(task)
            if part is None:
                raise RecordError(f"{self.folder.path / task.name}: was there and is not any more: run this again")
            yield task, part

"""The command changes: what happened to articles, by time, and as it is committed."""

from __future__ import annotations

import difflib
from collections import OrderedDict
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from config.errors import ArchiveError, ConfigError, ExitCode
from config.units import count
from crawler.rows import format_time
from jobs.archive.identity import list_sources
from jobs.changes import ChangeLister, EditReporter, What
from jobs.cli.events import describe_change, find_title, render_change
from jobs.cli.options import (
    Invocation,
    archive_options,
    enter_archive,
    iterate_json,
    reading_codes,
)
from jobs.cli.reading import find_article
from jobs.cli.stopping import stop_on_signals
from jobs.cli.times import A_TIME, read_time
from jobs.edits import EditKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from jobs.changes import Change, EditSummary
    from jobs.cli.stopping import StopRequest
    from jobs.context import OpenArchive

DEFAULT_SINCE, DEFAULT_INTERVAL = "1 day", 30.0
MAX_TOLD = 100_000
"""Events that `--follow` remembers, so that it tells none twice."""


@click.command(epilog=reading_codes())
@click.option("--since", help=f"From then on: {A_TIME}. Default: {DEFAULT_SINCE}; with --url, ever.")
@click.option("--until", help="Up to then, in the same forms, and as things looked then.")
@click.option("--source", help="Only of this source.")
@click.option("--url", help="Only of this article.")
@click.option("--what", multiple=True, help=f"Only these: {', '.join(What)}. May be repeated.")
@click.option("--class", "kinds", multiple=True, metavar="KIND", help="Only edits of this kind. May be repeated.")
@click.option("--silent", is_flag=True, help="Only edits that the page's own time of change does not own up to.")
@click.option("--limit", type=click.IntRange(min=1), help="Only the newest so many.")
@click.option("--follow", is_flag=True, help="Go on as commits come, until Ctrl-C.")
@click.option(
    "--interval",
    type=click.FloatRange(min=1, max=86_400),
    help=f"Seconds between two looks at the log with --follow. Default: {DEFAULT_INTERVAL:.0f}.",
)
@archive_options
def changes(
    invocation: Invocation,
    *,
    since: str | None,
    until: str | None,
    source: str | None,
    url: str | None,
    what: tuple[str, ...],
    kinds: tuple[str, ...],
    silent: bool,
    limit: int | None,
    follow: bool,
    interval: float | None,
) -> int:
    """Show what happened to articles: edits and their kinds, reverts, deletions, returns; the oldest first.

    A text that goes back and forth between the same few is one event, alternating, at its last change.
    """
    now = datetime.now(UTC)
    begin = read_time("--since", since or (None if url else DEFAULT_SINCE), now)
    end = read_time("--until", until, now)
    if begin and end and end < begin:
        raise ConfigError(f"--until: found {format_time(end)}, expected a time after --since, {format_time(begin)}")
    if end and follow:
        raise ConfigError("--until: found beside --follow, which has no end; leave one of them out")
    if interval is not None and not follow:
        raise ConfigError("--interval: found without --follow, which it belongs to")
    wanted = _Filter(
        frozenset(check_words("--what", what, list(What))),
        frozenset(check_words("--class", kinds, list(EditKind))),
        silent,
    )
    with enter_archive(invocation) as archive:
        article = find_article(archive, url, source) if url else None
        if article is None:
            archive.refresh(source)
        heads = {one: archive.catalog.head(one)[0] for one in archive.catalog.list_logs()}
        told = _Teller(invocation, archive, wanted)
        for event in told.list_past(_Span(begin, end, limit), source, article):
            told.tell(*event)
        told.reporter.flush()
        if not follow:
            if not (told.any or invocation.as_json):
                after = f" since {format_time(begin)}" if begin else ""
                click.echo(f"ofrecord: no such change in {count(len(heads), 'source')}{after}", err=True)
            return ExitCode.DONE
        with stop_on_signals() as stop:
            while not stop.wait(interval or DEFAULT_INTERVAL):
                told.poll(source, article, heads, stop)
        return ExitCode.INTERRUPTED if stop.interrupted else ExitCode.DONE


@dataclass(frozen=True, slots=True)
class _Filter:
    """Which events are asked for."""

    what: frozenset[str]
    kinds: frozenset[str]
    silent: bool

    def admits_what(self, change: Change) -> bool:
        return not self.what or change.what in self.what

    def admits_edit(self, summary: EditSummary | None) -> bool:
        if self.kinds and not (summary and self.kinds.intersection(summary.kinds)):
            return False
        return not self.silent or bool(summary and summary.silent)


@dataclass(frozen=True, slots=True)
class _Span:
    """Of which time events are asked for; `None`: no bound."""

    since: datetime | None
    until: datetime | None
    newest: int | None
    """Only so many."""


class _Teller:
    """Finds events and prints them, each once."""

    def __init__(self, invocation: Invocation, archive: OpenArchive, wanted: _Filter) -> None:
        self.reporter = EditReporter(archive.catalog)
        self._invocation = invocation
        self._archive = archive
        self._wanted = wanted
        self._told: OrderedDict[tuple[str, str], None] = OrderedDict()
        self._troubles: set[str] = set()

    @property
    def any(self) -> bool:
        """Whether an event was printed."""
        return bool(self._told)

    def list_past(
        self, span: _Span, source: str | None, article: tuple[str, str] | None
    ) -> Iterable[tuple[Change, EditSummary | None]]:
        """Yield the events that are committed, the oldest first."""
        lister = ChangeLister(self._archive.catalog, until=span.until)
        newest_first = span.newest is not None
        if article is not None:
            found: Iterable[Change] = [
                change for change in lister.list_article(*article) if span.since is None or change.at >= span.since
            ]
            found = reversed(list(found)) if newest_first else found
        else:
            sources = [source] if source else self._archive.catalog.list_logs()
            found = lister.walk(sources, since=span.since, newest_first=newest_first)
        chosen = self._choose(found)
        if not newest_first:
            return chosen
        return reversed([event for event, _ in zip(chosen, range(span.newest or 0), strict=False)])

    def poll(
        self, source: str | None, article: tuple[str, str] | None, heads: dict[str, int], stop: StopRequest
    ) -> None:
        """Look at the logs and tell what commits brought since; *heads*: source → the last one that was looked at."""
        catalog = self._archive.catalog
        try:
            for one in [source] if source else list_sources(self._archive.store):
                if stop.is_set():
                    return
                self._archive.refresh(one)
                found = list(ChangeLister(catalog).list_committed(one, after=heads.get(one, 0)))
                if article is not None:
                    found = [change for change in found if (change.source, change.url) == article]
                for event in self._choose(sorted(found, key=lambda change: change.at)):
                    self.tell(*event)
                heads[one] = catalog.head(one)[0]
        except ArchiveError as error:
            if not error.retryable:
                raise
            if str(error) not in self._troubles:  # once: it may be away for hours
                self._troubles.add(str(error))
                click.echo(f"ofrecord: {error}; trying again", err=True)
        self.reporter.flush()

    def tell(self, change: Change, summary: EditSummary | None) -> None:
        """Print an event, unless it was printed before."""
        key = change.make_id(self._archive.info.archive), change.what.value
        if key in self._told:
            return
        self._told[key] = None
        if len(self._told) > MAX_TOLD:
            self._told.popitem(last=False)
        title = find_title(self._archive.catalog, change)
        if self._invocation.as_json:
            data = describe_change(self._archive.catalog, change, summary, title=title)
            line = next(iterate_json(iter([{"id": key[0]} | data])))
            click.echo(line.encode("utf-8", "backslashreplace").decode())
        else:
            click.echo("\n".join(render_change(change, summary, title=title)))

    def _choose(self, found: Iterable[Change]) -> Iterator[tuple[Change, EditSummary | None]]:
        for change in found:
            if self._wanted.admits_what(change):
                summary = self.reporter.summarise(change)
                if self._wanted.admits_edit(summary):
                    yield change, summary


def check_words(option: str, given: Iterable[str], known: list[Any]) -> list[str]:
    """Return *given*, each one of *known*. Raises ConfigError naming the nearest."""
    names = [str(one) for one in known]
    words = [word.strip().replace("-", "_") for word in given]
    for word in words:
        if word not in names:
            near = difflib.get_close_matches(word, names, n=1)
            hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(names)}"
            raise ConfigError(f"{option}: found {word[:80]!r}; {hint}")
    return words

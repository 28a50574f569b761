"""The command sources check: the same look as at a new site, at a source that is there."""

from __future__ import annotations

import difflib
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from config.editing import check_text, edit_text
from config.errors import ArchiveMissing, ConfigError, ExitCode
from config.sources import find_source_file
from config.units import count
from crawler.rows import format_time
from crawler.survey.proposal import propose
from jobs.archive.identity import list_sources
from jobs.catalog.tallies import FIELDS
from jobs.cli.options import Invocation, archive_options, enter_archive, exit_codes, printable
from jobs.cli.surveying import MAX_REQUESTS, look_at
from jobs.health import State, read_health
from jobs.surveys import Finding, find_changes, read_memory, remember, write_memory

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from config.editing import Edit
    from config.sources import Source
    from crawler.survey.facts import Survey
    from jobs.surveys import CheckMemory

_BESIDE = 20
"""Requests beside those for the source's own listings, where it has many."""
_LEAST_SECONDS, _SECONDS_A_REQUEST = 120.0, 5.0
_TEXTS = 500
"""So many of the newest texts tell which fields are usual."""


@click.command(epilog=exit_codes(ExitCode.UNWELL, ExitCode.STORE_REFUSED, ExitCode.DAMAGE))
@click.argument("source")
@click.option("--diff", "diff_only", is_flag=True, help="Write the edit alone, for `patch FILE`.")
@click.option(
    "--delay", type=click.FloatRange(0, 3_600), metavar="SECONDS", help="Between two requests; else as the file says."
)
@click.option(
    "--max-requests",
    type=click.IntRange(5, 1_000),
    help="That the look may make; default: 40, and at least 20 beside those for its own listings.",
)
@archive_options
def check(
    invocation: Invocation, *, source: str, diff_only: bool, delay: float | None, max_requests: int | None
) -> int:
    """Look at the site of SOURCE as `sources add` does, and say what is otherwise than its file and its past say.

    Feeds that are dead, sections that moved, articles that the patterns miss, other pages that they take, fields that
    are lost, what the archive has against it; and the edit of the file that would mend it, as a diff. Nothing is
    archived or edited; what was seen is kept in the state folder, for the next check. Needs no archive.

    Ends with 5 if something needs a hand.
    """
    (one,) = invocation.pick_sources((source,))
    path = find_source_file(invocation.config_dir / "sources", one.id)
    state = invocation.settings.resolve_state_dir()
    before = read_memory(state, one.id)
    shares, reasons = read_archive(invocation, one)
    survey = look_again(invocation, one, delay=delay, max_requests=max_requests)
    found = [*find_changes(one, survey, propose(survey), before, shares), *reasons]
    if before is None or survey.listings or survey.samples:  # a site that is down is no reason to forget what was there
        write_memory(state, one.id, remember(survey, one.is_article))
    diff, left = make_diff(path, one.id, found)
    if diff_only:
        click.echo(diff, nl=False)
    else:
        data = describe_check(one, survey, before, found, diff=diff, left=left)
        invocation.print_result(data, "\n".join(show_check(data)))
    return ExitCode.UNWELL if any(finding.hand for finding in found) else ExitCode.DONE


def look_again(invocation: Invocation, source: Source, *, delay: float | None, max_requests: int | None) -> Survey:
    """Return what a look at *source* saw, its own listings first. Raises ConfigError, FetchError, ExtractError."""
    if delay is not None:
        if delay < 1 and source.network == "public":
            raise ConfigError(f"--delay {delay:g}: at least 1 (less only with network: private)")
        source = source.model_copy(update={"politeness": source.politeness.model_copy(update={"delay_seconds": delay})})
    requests = max_requests or max(MAX_REQUESTS, len(source.discover) + _BESIDE)
    seconds = _LEAST_SECONDS + requests * max(source.politeness.delay_seconds, _SECONDS_A_REQUEST)
    listings = [(entry.kind, entry.url) for entry in source.discover]
    return look_at(invocation, source, requests=requests, seconds=seconds, listings=listings)


def read_archive(invocation: Invocation, source: Source) -> tuple[dict[str, tuple[int, int]], list[Finding]]:
    """Return what the archive, if there is one, has: texts with each field, and why the source is not well."""
    if not invocation.settings.archive:
        return {}, []
    try:
        with enter_archive(invocation) as archive:
            if source.id not in list_sources(archive.store):
                return {}, []
            archive.prepare(source.id)
            now = datetime.now(UTC)
            tally = archive.catalog.tally_health(source.id, now)
            (health,) = read_health(archive.catalog, [source], archive.settings, now, spools=archive.state / "spool")
    except ArchiveMissing:
        return {}, []
    reasons = [
        Finding(reason.kind, f"in the archive: {reason.text}", hand=reason.state.gravity >= State.DEGRADED.gravity)
        for reason in health.reasons
        if reason.state is not State.OK
    ]
    return count_fields([counts for _, counts in sorted(tally.days.items(), reverse=True)]), reasons


def count_fields(days: Sequence[Counter[str]]) -> dict[str, tuple[int, int]]:
    """Return, by field, how many texts there are and how many have it, of the newest of *days* that tell enough."""
    texts, having = 0, dict.fromkeys(FIELDS, 0)
    for counts in days:
        if texts >= _TEXTS:
            break
        texts += counts["text"]
        for name in FIELDS:
            having[name] += counts[f"has {name}"]
    return {name: (texts, number) for name, number in having.items()}


def make_diff(path: Path, source_id: str, found: Sequence[Finding]) -> tuple[str, list[str]]:
    """Return the edits of all findings as a unified diff of the file *path*, and why some cannot be made.

    Findings are taken one by one: what does not leave a sound file is left out. Raises ConfigError if none is there.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            text = file.read()
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read ({error.strerror})") from error
    edits: list[Edit] = []
    edited, left = text, []
    for finding in found:
        if not finding.edits:
            continue
        try:
            trial = edit_text(text, [*edits, *finding.edits])
            check_text(trial, source_id)
        except ConfigError as error:
            left.append(f"{finding.kind}: {str(error).splitlines()[0]}")
            continue
        edits += finding.edits
        edited = trial
    lines = difflib.unified_diff(
        text.splitlines(keepends=True), edited.splitlines(keepends=True), str(path), str(path), n=2
    )
    return "".join(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines), left


def describe_check(
    source: Source, survey: Survey, before: CheckMemory | None, found: Sequence[Finding], *, diff: str, left: list[str]
) -> dict[str, Any]:
    """Return as JSON data what was found."""
    return {
        "source": source.id,
        "looked_at": format_time(survey.looked_at),
        "last_check": format_time(before.looked_at) if before else None,
        "requests": survey.requests,
        "complete": survey.complete,
        "needs_hand": any(finding.hand for finding in found),
        "findings": [
            {"kind": one.kind, "text": one.text, "hand": one.hand, "url": one.url, "edit": bool(one.edits)}
            for one in found
        ],
        "diff": diff or None,
        "edits_left": left,
    }


def show_check(data: dict[str, Any]) -> Iterator[str]:
    """Yield for people what `describe_check` says."""
    hands = sum(one["hand"] for one in data["findings"])
    said = f"{count(hands, 'thing')} {'needs' if hands == 1 else 'need'} a hand" if hands else "nothing needs a hand"
    last = f"last check {data['last_check'][:10]}" if data["last_check"] else "never checked before"
    partly = "" if data["complete"] else "; not all that was to be looked at"
    yield f"{data['source']}: {said} ({count(data['requests'], 'request')}, {last}{partly})"
    for one in data["findings"]:
        yield printable(f"{'!' if one['hand'] else '·'} {one['text']}")
    for text in data["edits_left"]:
        yield printable(f"· to be edited by hand: {text}")
    if data["diff"]:
        yield ""
        yield from map(printable, data["diff"].splitlines())

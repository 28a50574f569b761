"""The command that compares two texts of an article. Apart from its like, since it loads the extractor."""

from __future__ import annotations

import shutil
from dataclasses import replace
from typing import Any

import click

from config.errors import ConfigError
from config.rules import readable_url
from jobs.articles import read_comparable
from jobs.cli.options import Invocation, archive_options, enter_archive, printable, reading_codes, want_colour
from jobs.cli.reading import find_article, pick_revision, tell_missing
from jobs.comparison import Comparison, compare_snapshots, describe_report, list_units, render_page, tell_units
from jobs.diff import diff_texts, diff_to_json, render_diff, render_side
from jobs.edits import EditReport, report_to_json
from jobs.withdrawal import Withdrawals

_UNTOLD: dict[str, Any] = {"edits": None, "posts": None, "silent": None, "backdated": None}
_COLUMNS = 120
"""Of `--side` where no terminal says how wide it is."""


@click.command(epilog=reading_codes())
@click.argument("url")
@click.argument("before", type=click.IntRange(min=1), required=False)
@click.argument("after", type=click.IntRange(min=1), required=False)
@click.option("--source", help="Where two sources have that URL.")
@click.option("--side", is_flag=True, help="Both texts side by side, as wide as the terminal.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["words", "json", "html"]),
    default="words",
    help="Words that changed; JSON, as --json; or one page of HTML that needs nothing else.",
)
@archive_options
def diff(
    invocation: Invocation,
    *,
    url: str,
    before: int | None,
    after: int | None,
    source: str | None,
    side: bool,
    form: str,
) -> None:
    """Show what changed in an article between two of its texts (default: the last two): kinds of edits, then words."""
    if invocation.as_json and form == "html":
        raise ConfigError("--json and --format html: one of them")
    if side and form == "html":
        raise ConfigError("--side goes with words: the page of --format html has both views")
    invocation = replace(invocation, as_json=invocation.as_json or form == "json")
    with enter_archive(invocation) as archive:
        owner, article = find_article(archive, url, source)
        newest = archive.catalog.list_revisions(owner, article)
        if len(newest) < 2 and before is None and form != "html":
            nothing = {"url": article, "changes": []} | report_to_json(EditReport((), silent=False, backdated=False))
            if not newest:
                raise ConfigError(tell_missing(archive, owner, article, None, 0))
            withdrawn = Withdrawals(archive.catalog, archive.store)
            found = withdrawn.find_latest(archive.catalog.list_captures(owner, article))
            others = f"; others were {printable(str(found))}" if found else ""
            invocation.print_result(nothing, f"one text only: nothing to compare{others}")
            return
        new = pick_revision(archive, owner, article, after or len(newest))
        old = pick_revision(archive, owner, article, before or max(new.number - 1, 1))
        first, second = read_comparable(archive.catalog, old, new)
        sides = (old.number, old.captured_at), (new.number, new.captured_at)
        comparison = compare_snapshots(first, second, sides, url=article, source=owner)
        data: dict[str, Any] = {"url": article, "source": owner, "before": old.number, "after": new.number}
        data |= diff_to_json(diff_texts(first["text"], second["text"]))
        data |= report_to_json(comparison.report) if comparison.report else _UNTOLD
        invocation.print_result(data, render_page(comparison) if form == "html" else _tell(comparison, side=side))


def _tell(comparison: Comparison, *, side: bool) -> str:
    """Return *comparison* for people, in colour on a terminal."""
    colour = want_colour()
    titles = [f"text {one.number} ({one.captured_at:%Y-%m-%d %H:%M}Z)" for one in (comparison.before, comparison.after)]
    lines = [readable_url(comparison.url)]
    if not side:
        lines.append(" → ".join(titles))
    lines += [describe_report(comparison.report), tell_units(comparison.report)]
    units = list_units(comparison.report)
    if side:
        columns = shutil.get_terminal_size((_COLUMNS, 24)).columns
        lines.append(render_side(comparison.diff, columns=columns, colour=colour, titles=(titles[0], titles[1])))
        lines.append(render_side(units, columns=columns, colour=colour))
    else:
        lines += [render_diff(comparison.diff, colour=colour), render_diff(units, colour=colour)]
    return "\n".join(line for line in lines if line)

"""The command that compares two texts of an article. Apart from its like, since it loads the extractor."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from config.rules import readable_url
from jobs.cli.options import Invocation, archive_options, enter_archive, reading_codes, want_colour
from jobs.cli.reading import find_article, pick_revision
from jobs.diff import diff_texts, diff_to_json, render_diff
from jobs.edits import EditReport, judge_edit, read_state, report_to_json

if TYPE_CHECKING:
    from jobs.catalog import StoredRevision
    from jobs.context import OpenArchive

_UNTOLD: dict[str, Any] = {"edits": None, "silent": None, "backdated": None}


@click.command(epilog=reading_codes())
@click.argument("url")
@click.argument("before", type=click.IntRange(min=1), required=False)
@click.argument("after", type=click.IntRange(min=1), required=False)
@click.option("--source", help="Where two sources have that URL.")
@archive_options
def diff(invocation: Invocation, *, url: str, before: int | None, after: int | None, source: str | None) -> None:
    """Show what changed in an article between two of its texts (default: the last two): kinds of edits, then words."""
    with enter_archive(invocation) as archive:
        owner, article = find_article(archive, url, source)
        newest = archive.catalog.list_revisions(owner, article)
        if len(newest) < 2 and before is None:
            nothing = {"url": article, "changes": []} | report_to_json(EditReport((), silent=False, backdated=False))
            invocation.print_result(nothing, "one text only: nothing to compare")
            return
        new = pick_revision(archive, owner, article, after or len(newest))
        old = pick_revision(archive, owner, article, before or max(new.number - 1, 1))
        first, second = read_comparable(archive, old, new)
        result = diff_texts(first["text"], second["text"])
        report = judge_snapshots(first, second, forward=old.captured_at <= new.captured_at)
        data = {"url": article, "source": owner, "before": old.number, "after": new.number} | diff_to_json(result)
        sides = " → ".join(f"text {side.number} ({side.captured_at:%Y-%m-%d %H:%M}Z)" for side in (old, new))
        lines = [readable_url(article), sides, describe_report(report), render_diff(result, colour=want_colour())]
        told = report_to_json(report) if report else _UNTOLD
        invocation.print_result(data | told, "\n".join(line for line in lines if line))


def read_comparable(
    archive: OpenArchive, old: StoredRevision, new: StoredRevision
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return both snapshots, in one derivation where they have one: a change of rules is no change of words."""
    common = sorted(old.texts.keys() & new.texts.keys())
    for derivation in [*common, None]:
        first = archive.catalog.read_snapshot(old.segment, old.n, derivation)
        second = archive.catalog.read_snapshot(new.segment, new.n, derivation)
        if first and second:
            return first, second
    return {"text": ""}, {"text": ""}


def judge_snapshots(before: dict[str, Any], after: dict[str, Any], *, forward: bool) -> EditReport | None:
    """Return what kinds of edits lie between two snapshots; `None` if they were not read by the same rules.

    Not *forward*: *after* was captured earlier. Then nobody did it silently, or dated it back.
    """
    if before.get("derivation") is None or before.get("derivation") != after.get("derivation"):
        return None
    report = judge_edit(read_state(before), read_state(after))
    return report if forward else replace(report, silent=None, backdated=False)


def describe_report(report: EditReport | None) -> str:
    """Return the kinds of edits on a line (`number, quotation · silent`); an empty one if there are none."""
    if report is None:
        return "kinds of edits: not to be told, since different rules read the two texts"
    kinds = ", ".join(report.kinds)
    flags = {"silent": report.silent, "backdated": report.backdated}
    return " · ".join([kinds, *(name for name, is_so in flags.items() if is_so)]).removeprefix(" · ")

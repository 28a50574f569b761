"""The command sources learn: pages in the archive → the file of learned rules beside the source's own."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from config.errors import ConfigError, ExitCode
from config.learned import learned_path, read_learned, update_learned, write_learned
from config.sources import find_source_file
from config.units import count
from jobs.cli.options import Invocation, archive_options, enter_archive, printable, reading_codes
from jobs.learning import learn_rules
from jobs.learning.sampling import ARTICLES, CAPTURES, ArchiveSample

if TYPE_CHECKING:
    from pathlib import Path

    from config.learned import LearnedFile
    from jobs.learning import Lesson

_LEAST_ARTICLES = 3


@click.command(epilog=reading_codes())
@click.argument("source")
@click.option("--dry-run", is_flag=True, help="Say what would be learned and write nothing.")
@click.option(
    "--articles", type=click.IntRange(_LEAST_ARTICLES, 2_000), default=ARTICLES, help="How many, the newest first."
)
@click.option("--captures", type=click.IntRange(1, 20), default=CAPTURES, help="How many of each, the newest first.")
@archive_options
def learn(invocation: Invocation, *, source: str, dry_run: bool, articles: int, captures: int) -> int:
    """Find the boxes of a source by its pages in the archive, and write rules that take them out.

    Boxes are what recurs across articles, or changes between captures of an article whose own text does not. The rules
    go into SOURCE.learned.yaml beside the source's file; rules of yours come before them, and to delete that file is to
    unlearn. Texts made before are derived again for comparison, so no rule looks like an edit.
    """
    (one,) = invocation.pick_sources((source,))
    path = learned_path(find_source_file(invocation.config_dir / "sources", one.id))
    with enter_archive(invocation) as archive:
        archive.refresh(one.id)
        pages = ArchiveSample(archive, one)
        samples = pages.read(articles=articles, captures=captures)
        if len(samples) < _LEAST_ARTICLES:
            seen = count(len(samples), "article")
            raise ConfigError(f"{one.id}: found {seen} with text in this archive, expected {_LEAST_ARTICLES} at least")
        lesson = learn_rules(samples, pages.read_texts)
        known = read_learned(path)
        found = lesson.to_file(archive=archive.info.archive, now=datetime.now(UTC).replace(microsecond=0))
        new = update_learned(known, found)
    if new is not None and not dry_run:
        write_learned(path, new)
    data = describe_lesson(one.id, lesson, new, path, written=new is not None and not dry_run)
    invocation.print_result(data, show_lesson(data))
    return ExitCode.DONE


def describe_lesson(
    source: str, lesson: Lesson, new: LearnedFile | None, path: Path, *, written: bool
) -> dict[str, Any]:
    """Return what was learned as JSON data. *new*: what is to be written, or `None` if the rules are the same."""
    rules = [
        {
            "rule": rule.kind,
            "value": rule.value,
            "basis": rule.basis,
            "seen_in": rule.articles,
            "lines": effect.lines,
            "articles": len(effect.articles),
        }
        for rule, effect in sorted(lesson.rules.items(), key=lambda item: (-item[1].lines, item[0].value))
    ]
    refused = [{"rule": rule.kind, "value": rule.value, "reason": reason} for rule, reason in lesson.refused.items()]
    return {
        "source": source,
        "articles": lesson.articles,
        "captures": lesson.captures,
        "version": new.version if new else None,
        "file": str(path),
        "written": written,
        "rules": rules,
        "refused": refused,
        "lines": lesson.lines,
        "touched_articles": lesson.touched,
        "moved_before": lesson.moved_before,
        "moved_after": lesson.moved_after,
    }


def show_lesson(data: dict[str, Any]) -> str:
    """Return what was learned for people."""
    seen = f"{count(data['articles'], 'article')}, {count(data['captures'], 'capture')}"
    lines = [f"{data['source']}: looked at {seen}"]
    for rule in data["rules"]:
        lost = f"{count(rule['lines'], 'line')} of {count(rule['articles'], 'article')}"
        what = "" if rule["rule"] == "selector" else f"{rule['rule']} "
        lines.append(f"  {rule['basis']:<9} {what}{printable(rule['value'])}  takes {lost}")
    lines += [f"  refused   {printable(rule['value'])}: {rule['reason']}" for rule in data["refused"]]
    moved = f"{data['moved_before']} → {data['moved_after']}"
    lines.append(f"captures whose text is not that of the one before: {moved}")
    if data["written"]:
        lines.append(f"wrote version {data['version']} to {data['file']}")
    else:
        lines.append("nothing new" if data["version"] is None else f"would write version {data['version']}")
    return "\n".join(lines)

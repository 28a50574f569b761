"""The command export: texts and raw records of a selection, as files that other programs read."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from config.errors import ConfigError, ExitCode
from config.units import count
from crawler.model import PageClass
from jobs.cli.changes import check_words
from jobs.cli.options import Invocation, archive_options, print_result, reading_codes
from jobs.cli.progress import show_line
from jobs.cli.reading import find_article
from jobs.cli.selecting import enter_index, make_query, query_options
from jobs.diff import make_safe
from jobs.export import FORMS, Selection, export_texts
from jobs.export.targets import STDOUT

if TYPE_CHECKING:
    from jobs.export import ExportReport

_ENDINGS = {
    ".wacz": "wacz",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".csv": "csv",
    ".parquet": "parquet",
}


@click.command(epilog=reading_codes())
@query_options
@click.option("--url", "urls", multiple=True, help="Only this article. May be repeated.")
@click.option(
    "--page-class", "page_classes", multiple=True, metavar="CLASS", help="Only pages of that class: article, live, …"
)
@click.option("--all-revisions", is_flag=True, help="Every text that is found; else of each article the last.")
@click.option(
    "--all-captures", is_flag=True, help="Into a WACZ: all captures of the articles found, not only those of texts."
)
@click.option("--to", required=True, metavar="FILE|FOLDER|-", help="Where to; - is standard output.")
@click.option(
    "--as", "form", type=click.Choice(FORMS), help="In what form; else as the name ends: .wacz .jsonl .csv .parquet."
)
@archive_options
def export(
    invocation: Invocation,
    *,
    urls: tuple[str, ...],
    page_classes: tuple[str, ...],
    all_revisions: bool,
    all_captures: bool,
    to: str,
    form: str | None,
    **asked: Any,  # noqa: ANN401 - the shared options
) -> int:
    """Export texts, and as WACZ the raw records of their pages, for other programs.

    WORDS and filters are those of a search; without any, all is exported. markdown and text make a file for each text,
    in a folder for each source. In CSV, a cell that a spreadsheet would run as a formula begins with an apostrophe.
    Redacted captures are left out and counted. A FILE is there as a whole or not at all; one of that name is replaced.
    """
    form = form or _find_form(to)
    if all_captures and form != "wacz":
        raise ConfigError(f"--all-captures: is for --as wacz, found {form}")
    query = make_query(asked)
    classes = tuple(check_words("--page-class", page_classes, [*PageClass]))
    quiet = to == STDOUT or invocation.as_json
    with enter_index(invocation, query, wanted=not quiet) as (archive, index):
        source = query.sources[0] if len(query.sources) == 1 else None
        articles = tuple(find_article(archive, url, source)[1] for url in urls)
        selection = Selection(query, articles, classes, all_revisions=all_revisions)
        with show_line(wanted=not quiet) as line:
            tell = None if line is None else lambda number: line.show(lambda _: f"exporting · {count(number, 'text')}")
            report = export_texts(archive, index, selection, form, to, every_capture=all_captures, tell=tell)
    if to == STDOUT:
        click.echo(_describe(report), err=True)
    else:
        print_result(asdict(report), _describe(report), as_json=invocation.as_json)
    for fault in report.damaged:
        click.echo(f"ofrecord: left out: {make_safe(fault)}", err=True)
    return ExitCode.DAMAGE if report.left_out or report.missing else ExitCode.DONE


def _find_form(to: str) -> str:
    found = next((form for ending, form in _ENDINGS.items() if to.lower().endswith(ending)), None)
    if found is None:
        raise ConfigError(f"--to {to}: in what form? give --as {', '.join(FORMS)}")
    return found


def _describe(report: ExportReport) -> str:
    told = [count(report.texts, "text"), count(report.articles, "article")]
    if report.form == "wacz":
        told += [count(report.captures, "capture"), count(report.records, "record")]
    if report.redacted:
        told.append(f"{count(report.redacted, 'redacted capture')} left out")
    if report.left_out or report.missing:
        told.append(f"{report.left_out + report.missing} damaged or missing, left out")
    return f"{' · '.join(told)} · {report.form} in {make_safe(report.to)}"

"""An export from beginning to end: a selection, a form, a place → the files, and what is told of them."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING

from config.errors import ConfigError
from jobs.export.archive import Packer
from jobs.export.assets import PageAssets
from jobs.export.flat import write_csv, write_lines
from jobs.export.folders import write_folder, write_joined
from jobs.export.selection import list_texts
from jobs.export.targets import STDOUT, open_file, open_folder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from jobs.context import OpenArchive
    from jobs.export.selection import Selection, Text
    from jobs.search.index import SearchIndex

FORMS = ("wacz", "jsonl", "csv", "markdown", "parquet", "text")
_ENDINGS = {"markdown": "md", "text": "txt"}


@dataclass(slots=True)
class ExportReport:
    """What one export brought."""

    form: str
    to: str
    texts: int = 0
    articles: int = 0
    missing: int = 0
    """Texts that the index has and the catalog has not any more."""
    redacted: int = 0
    """Captures of the sources, URLs and times that are asked for which were taken out on request."""
    captures: int = 0
    """Of a WACZ: those of which it has records; `records` alike."""
    records: int = 0
    left_out: int = 0
    """Of a WACZ: captures whose records are damaged or missing."""
    damaged: list[str] = field(default_factory=list)
    """What is wrong with them, of the first hundred."""


def export_texts(
    archive: OpenArchive,
    index: SearchIndex,
    selection: Selection,
    form: str,
    to: str,
    *,
    every_capture: bool = False,
    tell: Callable[[int], None] | None = None,
) -> ExportReport:
    """Write the texts of *selection* as *form*, one of FORMS, to the file or folder *to* (`-`: standard output).

    *every_capture*: into a WACZ, of the articles found, not only the captures that texts were first seen in. *tell*:
    told of the number of texts so far. Raises ConfigError, QueryError, StoreError, OSError; then nothing has the name.
    """
    report = ExportReport(form, to)
    query = selection.query
    with archive.catalog.frozen():
        report.redacted = archive.catalog.count_redacted(query.sources, selection.urls, query.since, query.until)
        texts = _count(list_texts(index, archive.catalog, selection), report, tell)
        if form in _ENDINGS and to != STDOUT:
            with open_folder(to) as folder:
                write_folder(texts, folder, _ENDINGS[form], numbered=selection.all_revisions)
        else:
            with open_file(to) as file:
                _write(archive, texts, form, file, report, every_capture=every_capture)
    return report


def _write(
    archive: OpenArchive,
    texts: Iterator[Text],
    form: str,
    file: IO[bytes],
    report: ExportReport,
    *,
    every_capture: bool,
) -> None:
    if form == "jsonl":
        write_lines(texts, file)
    elif form == "csv":
        write_csv(texts, file)
    elif form in _ENDINGS:
        write_joined(texts, file, _ENDINGS[form])
    elif form == "parquet":
        from jobs.export.parquet import write_parquet  # noqa: PLC0415 - pyarrow takes a third of a second

        write_parquet(texts, file)
    elif form == "wacz":
        scratch = None if report.to == STDOUT else Path(report.to).absolute().parent
        with closing(PageAssets(archive.store, archive.catalog, archive.settings)) as assets:
            packer = Packer(
                archive.store,
                archive.catalog,
                assets.find,
                archive=archive.info.archive,
                every_capture=every_capture,
                scratch=scratch,
            )
            packed = packer.write(texts, file)
        report.captures, report.records = packed.captures, packed.records
        report.left_out, report.damaged = packed.left_out, packed.damaged
    else:
        raise ConfigError(f"--as: found {form!r}, expected one of {', '.join(FORMS)}")


def _count(texts: Iterator[Text | None], report: ExportReport, tell: Callable[[int], None] | None) -> Iterator[Text]:
    article: tuple[str, str] | None = None
    for text in texts:
        if text is None:
            report.missing += 1
            continue
        report.texts += 1
        if article != (text.found.source, text.found.url):
            article = text.found.source, text.found.url
            report.articles += 1
        if tell is not None:
            tell(report.texts)
        yield text

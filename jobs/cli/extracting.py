"""The command extract: HTML in, JSON lines out, or why they are what they are. Needs no archive."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from config.errors import ConfigError
from config.rules import ExtractRules
from crawler.derivation import derive
from crawler.model import Exchange, Purpose
from crawler.outcome import PageContext
from crawler.workers.batch import explain_pages, run_pages
from jobs.cli.explaining import print_explanation
from jobs.cli.options import Invocation, common_options, exit_codes
from jobs.cli.sources import check_source_rules

if TYPE_CHECKING:
    from collections.abc import Iterator

    from crawler.model import FieldValue
    from crawler.outcome import PageOutcome

_SUFFIXES = {".html", ".htm", ".xhtml"}
_PLAIN_FIELDS = ("authors", "published", "modified", "section", "tags", "language", "canonical_url", "image")


@click.command(epilog=exit_codes())
@click.argument("path", type=click.Path(exists=True, allow_dash=True, path_type=Path))
@click.option("--source", "source_id", help="Apply this source's rules.")
@click.option("--url", help="The page's URL, for one page.")
@click.option(
    "--urls", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="JSON object: file name → URL."
)
@click.option("--explain", is_flag=True, help="Show which blocks were kept or dropped, and by what.")
@click.option("--all", "whole", is_flag=True, help="With --explain: of the whole page, not of the article's part only.")
@common_options
def extract(
    invocation: Invocation,
    *,
    path: Path,
    source_id: str | None,
    url: str | None,
    urls: Path | None,
    explain: bool,
    whole: bool,
) -> None:
    """Extract clean text and fields from HTML: a file, a folder of files, or - for standard input.

    Prints one JSON object a page: file, kind, title, lead, text (lead and body, without the title), published, authors,
    language, …, and under provenance where each field is from, how sure it is, and the zone that was assumed for it.
    Nothing is stored.

    With --explain it prints, for a person who writes a rule, each block with a selector that names it.
    """
    if whole and not explain:
        raise click.UsageError("--all is for --explain")
    source = invocation.pick_sources((source_id,))[0] if source_id else None
    rules = source.extract if source else ExtractRules()
    if source:
        check_source_rules(invocation, source)
    timezone, language = (source.timezone, source.language) if source else (None, None)
    context = PageContext(
        rules=rules,
        timezone=timezone,
        language=language,
        derivation=derive(rules, timezone=timezone, language=language).digest,
        record=False,
    )
    names: list[str] = []

    def read_items() -> Iterator[tuple[Exchange, PageContext]]:
        for name, exchange in _read_pages(path, url, _read_urls(urls)):
            names.append(name)
            yield exchange, context

    settings = invocation.settings
    limits: dict[str, Any] = {
        "count": settings.workers,
        "deadline_seconds": settings.page_seconds,
        "cpu_seconds": settings.page_cpu_seconds,
        "memory_bytes": settings.worker_memory_bytes,
    }
    if explain:
        for number, explanation in enumerate(explain_pages(read_items(), whole=whole, **limits)):
            print_explanation(names[number], explanation, as_json=invocation.as_json)
        return
    for number, outcome in enumerate(run_pages(read_items(), **limits)):
        click.echo(json.dumps(describe_outcome(names[number], outcome), ensure_ascii=False))


def describe_outcome(name: str, outcome: PageOutcome) -> dict[str, Any]:
    """Return what was made of one page as JSON data."""
    data: dict[str, Any] = {"file": name, "kind": str(outcome.page_class), "reason": outcome.class_reason}
    snapshot = outcome.snapshot
    if snapshot is None:
        return data | {"title": None, "lead": None, "text": None, "error": outcome.extraction_error}
    fields = {key: field.value for key, field in snapshot.fields.items()}
    provenance = {key: _describe_origin(field) for key, field in snapshot.fields.items()}
    data |= {"title": snapshot.title, "lead": snapshot.lead, "text": snapshot.body, "text_digest": snapshot.text_digest}
    data |= {key: fields.pop(key, None) for key in _PLAIN_FIELDS}
    data |= {"fields": fields, "provenance": provenance}
    return data | {"confidence": snapshot.confidence, "derivation": snapshot.derivation}


def _describe_origin(field: FieldValue) -> dict[str, Any]:
    """Return where a field is from, how sure it is, and the zone that was assumed for it, as rows have it."""
    origin: dict[str, Any] = {"from": field.origin}
    origin |= {"confidence": field.confidence} if field.confidence is not None else {}
    return origin | ({"assumed_zone": field.assumed_zone} if field.assumed_zone else {})


def _read_pages(path: Path, url: str | None, urls: dict[str, str]) -> Iterator[tuple[str, Exchange]]:
    if str(path) == "-":
        yield "-", _to_exchange(sys.stdin.buffer.read(), url or "")
        return
    files = [path] if path.is_file() else sorted(p for p in path.rglob("*") if p.suffix.lower() in _SUFFIXES)
    if not files:
        raise ConfigError(f"{path}: found no {', '.join(sorted(_SUFFIXES))} file, expected at least one")
    for file in files:
        name = file.name if path.is_file() else str(file.relative_to(path))
        yield name, _to_exchange(file.read_bytes(), url or urls.get(name, ""))


def _read_urls(path: Path | None) -> dict[str, str]:
    if path is None:
        return {}
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ConfigError(f"{path}: expected a JSON object of file name → URL: {error}") from error
    if not isinstance(data, dict):
        raise ConfigError(f"{path}: found {type(data).__name__}, expected a JSON object of file name → URL")
    return {str(key): str(value) for key, value in data.items()}


def _to_exchange(body: bytes, url: str) -> Exchange:
    return Exchange(
        url=url,
        purpose=Purpose.ARTICLE,
        started_at=datetime.now(UTC),
        seconds=0.0,
        request_head=b"",
        status=200,
        response_head=b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n",
        body=body,
    )

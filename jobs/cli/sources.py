"""Commands about sources: add, check, list, schema, validate, learn."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from config.errors import ConfigError, ExitCode
from config.learned import learned_path, read_learned
from config.schema import make_schema
from config.sources import find_source_file
from crawler.extract import check_rules
from jobs.cli.adding import add
from jobs.cli.checking import check
from jobs.cli.learning import learn
from jobs.cli.options import Invocation, common_options, exit_codes

if TYPE_CHECKING:
    from config.learned import LearnedFile
    from config.sources import Source


@click.group()
def sources() -> None:
    """Show and check the configured sources."""


@sources.command("list", epilog=exit_codes())
@common_options
def list_sources(invocation: Invocation) -> None:
    """List the configured sources."""
    for source in invocation.load_sources().values():
        learned = _read_learned(invocation, source)
        data = describe_source(source) | {"learned": learned.version if learned else None}
        seeds = f"{len(source.discover)} seeds"
        schedule = "retired" if source.retired else source.schedule or "no schedule"
        note = f" · learned version {learned.version}" if learned else ""
        invocation.print_result(data, f"{source.id:<24} {schedule:<20} {seeds:<10} {source.name}{note}")


@sources.command("schema", epilog=exit_codes())
@common_options
def schema(invocation: Invocation) -> None:
    """Write the JSON Schema of a source's file, by which editors complete and explain its keys.

    Put it beside the files, as source.schema.json, and name it in their first line, or in the settings of the editor:

    # yaml-language-server: $schema=source.schema.json
    """
    del invocation
    click.echo(json.dumps(make_schema(), ensure_ascii=False, indent=2))


@sources.command("validate", epilog=exit_codes())
@click.argument("source", nargs=-1)
@common_options
def validate(invocation: Invocation, *, source: tuple[str, ...]) -> int:
    """Check the YAML of all sources, or of some, with every selector and expression in it."""
    for one in invocation.pick_sources(source, all_active=False) or invocation.load_sources().values():
        check_source_rules(invocation, one)
        learned = _read_learned(invocation, one)
        data = {"source": one.id, "valid": True, "learned": learned.version if learned else None}
        note = f"; {learned.describe()}" if learned else ""
        invocation.print_result(data, f"{one.id}: valid{note}")
    return ExitCode.DONE


def check_source_rules(invocation: Invocation, source: Source) -> None:
    """Raise ConfigError, naming file and key, where a selector of *source* is no CSS."""
    try:
        check_rules(source.extract)
    except ConfigError as error:
        raise ConfigError(f"{find_source_file(invocation.config_dir / 'sources', source.id)}: {error}") from error


sources.add_command(add)
sources.add_command(check)
sources.add_command(learn)


def _read_learned(invocation: Invocation, source: Source) -> LearnedFile | None:
    return read_learned(learned_path(find_source_file(invocation.config_dir / "sources", source.id)))


def describe_source(source: Source) -> dict[str, Any]:
    """Return a source as JSON data, without its headers."""
    return {
        "source": source.id,
        "name": source.name,
        "home": source.home,
        "language": source.language,
        "schedule": source.schedule,
        "retired": source.retired,
        "seeds": [{entry.kind: entry.url} for entry in source.discover],
    }

"""Commands about the configuration as a whole: what holds and from where, and whether all of it is sound."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import click

from config.document import read_document
from config.errors import ConfigError, ExitCode
from config.evidence import show_place
from config.learned import learned_path, read_learned
from config.loading import Layers, check_settings, mask_secrets
from config.sources import read_sources
from config.units import count
from crawler.extract import find_faults
from jobs.cli.options import Invocation, common_options, exit_codes, print_result, raw_options

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from config.document import Document
    from config.settings import Settings
    from config.sources import Source


@click.group()
def config() -> None:
    """Show and check settings and sources."""


@config.command("show", epilog=exit_codes())
@common_options
def show(invocation: Invocation) -> None:
    """Show each setting with its value and where that came from, then the sources with their files.

    The environment comes before settings.yaml, and that before the defaults. Secrets are masked.
    """
    layers = Layers.read(invocation.config_dir)
    for name, value in list_values(invocation.settings).items():
        origin = layers.find_origin(name)
        data = {
            "setting": name,
            "value": value,
            "from": origin.kind,
            "variable": origin.variable,
            "file": origin.path,
            "line": origin.line,
        }
        invocation.print_result(data, f"{name:<24} {show_value(value):<40} {origin}")
    sources, documents, problems = read_sources(invocation.config_dir / "sources")
    if problems:
        raise ConfigError("\n".join(problems))
    for name, source in sources.items():
        missing = find_missing(source)
        data = {
            "source": name,
            "file": documents[name].path,
            "learned_file": path if (path := learned_path(documents[name].path)).exists() else None,
            "secrets": {variable: variable not in missing for variable in sorted(source.environment_names)},
        }
        note = f" · not in the environment: {', '.join(missing)}" if missing else ""
        invocation.print_result(data, f"source {name:<57} {documents[name].path}{note}")


@config.command("check", epilog=exit_codes())
@raw_options
def check(*, config_dir: Path, as_json: bool) -> int:
    """Check all settings and every source: each mistake is a line with file, line, key and what was meant.

    Values that the environment replaces are checked, too. What is odd but no mistake is a note: a variable that nothing
    reads, a secret that the environment lacks. The exit code is 2 if anything is wrong.
    """
    problems, notes = check_settings(config_dir)
    names: list[str] = []
    try:
        sources, documents, found = read_sources(config_dir / "sources")
    except ConfigError as error:
        problems += str(error).splitlines()
    else:
        names = sorted(documents)
        problems += found
        for name, source in sources.items():
            problems += check_selectors(source, documents[name])
            notes += [
                documents[name].problem(
                    (find_key(source, variable),), f"found no {variable} in the environment; a crawl needs it"
                )
                for variable in find_missing(source)
            ]
    data = {"valid": not problems, "problems": problems, "notes": notes, "sources": names}
    print_result(data, "\n".join(describe(problems, notes, names)), as_json=as_json)
    return ExitCode.USAGE if problems else ExitCode.DONE


def list_values(settings: Settings) -> dict[str, Any]:
    """Return each setting's value as it may be shown: secrets masked, and the state folder as it will be."""
    values = {name: mask_secrets(value) for name, value in settings.model_dump(mode="json").items()}
    values["heads_to"] = [show_place(place) for place in settings.heads_to]
    try:
        values["state_dir"] = str(settings.resolve_state_dir())
    except ConfigError:
        values["state_dir"] = None
    return values


def show_value(value: object) -> str:
    """Return *value* as settings.yaml would have it."""
    if value is None:
        return "null"
    if isinstance(value, list):
        return f"[{', '.join(str(part) for part in value)}]"
    return str(value).lower() if isinstance(value, bool) else str(value)


def find_missing(source: Source) -> list[str]:
    """Return the environment variables that headers and cookies of *source* need and that are not set."""
    return sorted(name for name in source.environment_names if not os.environ.get(name))


def find_key(source: Source, variable: str) -> str:
    """Return which key of *source* needs the environment's *variable*."""
    return "headers" if any(f"${{{variable}}}" in text for text in source.headers.values()) else "cookies"


def check_selectors(source: Source, document: Document) -> Iterator[str]:
    """Yield a line for each selector of *source* that is no CSS that the parser knows."""
    learned = learned_path(document.path)
    for key, number, text in find_faults(source.extract):
        place = () if number is None else (number,)
        part, _, name = key.partition(".")
        if part == "learned" and read_learned(learned):
            yield read_document(learned).problem((name, *place, "selector"), text)
        else:
            yield document.problem(("extract", key, *place), text)


def describe(problems: list[str], notes: list[str], names: list[str]) -> Iterator[str]:
    """Yield what was found, for people: mistakes first."""
    yield from problems
    yield from (f"note: {note}" for note in notes)
    yield f"{count(len(problems), 'mistake')}" if problems else f"valid: settings and {count(len(names), 'source')}"

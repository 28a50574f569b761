"""Options that commands share, and what they make of them: settings, sources, an open archive."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from config.errors import ConfigError, ExitCode
from config.evidence import KEY_ID
from config.loading import load_settings
from config.logfiles import prepare_log_file
from config.logs import FILE_BYTES, FILES, configure_logging, describe_logging
from config.sources import Source, load_sources
from crawler.rows import format_time
from jobs.context import OpenArchive, open_archive
from jobs.schedule.assignment import obey_owner, take_assignment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from config.settings import Settings

MEANINGS = {
    ExitCode.DONE: "done",
    ExitCode.FAILED: "unexpected failure",
    ExitCode.USAGE: "usage or configuration",
    ExitCode.CRAWL_FAILED: "discovery failed or more captures failed than max_failed",
    ExitCode.DISK_FULL: "the disk is full",
    ExitCode.UNWELL: "a source is silent, failing or blocked (--strict: or degraded), or needs a hand",
    ExitCode.NOT_TOLD: "an alert or a head could not be delivered",
    ExitCode.NO_ARCHIVE: "no archive there",
    ExitCode.LOCKED: "this source is already being crawled",
    ExitCode.STORE_REFUSED: "store refused us or cannot be reached",
    ExitCode.DAMAGE: "damage found",
    ExitCode.INTERRUPTED: "interrupted",
}
DEFAULT_CONFIG = Path(__file__).resolve().parents[2] / "config"

_READING = (ExitCode.DISK_FULL, ExitCode.NO_ARCHIVE, ExitCode.STORE_REFUSED, ExitCode.DAMAGE)
_CRAWLING = (
    ExitCode.CRAWL_FAILED,
    ExitCode.DISK_FULL,
    ExitCode.NOT_TOLD,
    ExitCode.NO_ARCHIVE,
    ExitCode.LOCKED,
    ExitCode.STORE_REFUSED,
)


@dataclass(frozen=True, slots=True)
class Invocation:
    """What the shared options said."""

    settings: Settings
    config_dir: Path
    as_json: bool
    given: Source | None = None
    """Of a run that a daemon owns: the one source, which is not read from any file."""

    def load_sources(self) -> dict[str, Source]:
        """Return all configured sources by id. Raises ConfigError."""
        if self.given is not None:
            return {self.given.id: self.given}
        return load_sources(self.config_dir / "sources")

    def pick_sources(self, names: tuple[str, ...], *, all_active: bool = False) -> list[Source]:
        """Return the sources of those ids, or with *all_active* all that are not retired. Raises ConfigError."""
        known = self.load_sources()
        if all_active and not names:
            return [source for source in known.values() if not source.retired]
        return [pick_source(name, known) for name in names]

    def print_result(self, data: dict[str, Any], text: str) -> None:
        """Write one result to stdout: *data* as a JSON line with --json, else *text*."""
        print_result(data, text, as_json=self.as_json)


def print_result(data: dict[str, Any], text: str, *, as_json: bool) -> None:
    """Write one result to stdout: *data* as a JSON line or *text*."""
    line = json.dumps(data, ensure_ascii=False, default=encode_value) if as_json else text
    click.echo(line.encode("utf-8", "backslashreplace").decode())  # a path may be no UTF-8


def pick_source(name: str, known: dict[str, Source]) -> Source:
    """Return the source of id *name*. Raises ConfigError naming the nearest."""
    import difflib  # noqa: PLC0415 - only for the message

    if name in known:
        return known[name]
    near = difflib.get_close_matches(name, known, n=1)
    hint = f"; did you mean {near[0]}?" if near else f"; there are: {', '.join(sorted(known)) or 'none'}"
    raise ConfigError(f"no source {name!r}{hint}")


def common_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add --config, --json and the log options to a command; it gets an `Invocation` as its first argument."""
    return _add_options(function, archive=False)


def archive_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add --archive and --state to the common options."""
    return _add_options(function, archive=True)


def raw_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add the common options to a command that looks at settings itself; it gets config_dir and as_json of them."""

    def wrapper(
        *,
        config: Path | None,
        as_json: bool,
        log_format: str | None,
        log_level: str | None,
        log_file: Path | None,
        **rest: Any,  # noqa: ANN401 - the command's own options
    ) -> Any:  # noqa: ANN401
        _start_logging(log_format, log_level, log_file)
        return function(config_dir=config or DEFAULT_CONFIG, as_json=as_json, **rest)

    return _decorate(wrapper, function, _list_common())


def exit_codes(*codes: ExitCode) -> str:
    """Return the help's last paragraph: the exit codes that a command can end with."""
    listed = sorted({ExitCode.DONE, ExitCode.FAILED, ExitCode.USAGE, *codes, ExitCode.INTERRUPTED})
    return "Exit codes: " + " · ".join(f"{code.value} {MEANINGS[code]}" for code in listed)


def reading_codes() -> str:
    """Return the exit codes of commands that read an archive."""
    return exit_codes(*_READING)


def crawling_codes() -> str:
    """Return the exit codes of commands that crawl."""
    return exit_codes(*_CRAWLING, ExitCode.DAMAGE)


def enter_archive(invocation: Invocation) -> Any:  # noqa: ANN401 - a context manager of OpenArchive
    """Return the context in which the archive is open."""
    return open_archive(invocation.settings)


def iterate_json(items: Iterator[dict[str, Any]]) -> Iterator[str]:
    """Yield *items* as JSON lines."""
    for item in items:
        yield json.dumps(item, ensure_ascii=False, default=encode_value)


def encode_value(value: object) -> str:
    """Return what JSON has no form for: times as everywhere else here, and all else as text."""
    return format_time(value) if isinstance(value, datetime) else str(value)


def printable(text: str) -> str:
    """Return *text* without control characters: what a page says must not steer a terminal."""
    return "".join(char if char.isprintable() else " " for char in text)


def want_colour() -> bool:
    """Whether stdout should be coloured: a terminal, and NO_COLOR is not set."""
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR")


def _add_options(function: Callable[..., Any], *, archive: bool) -> Callable[..., Any]:
    def wrapper(
        *,
        config: Path | None,
        as_json: bool,
        log_format: str | None,
        log_level: str | None,
        log_file: Path | None,
        archive_place: str | None = None,
        state: Path | None = None,
        **rest: Any,  # noqa: ANN401 - the command's own options
    ) -> Any:  # noqa: ANN401
        _start_logging(log_format, log_level)
        given, settings = _take_over() if rest.pop("owned", False) else (None, load_settings(config))
        changes: dict[str, Any] = {}
        if archive_place:
            changes["archive"] = archive_place
        if state:
            changes["state_dir"] = state
        if log_file:
            changes["log_file"] = log_file
        settings = settings.override(**changes) if changes else settings
        if settings.log_file:
            _start_logging(log_format, log_level, settings.log_file, bounds=settings)
        return function(Invocation(settings, config or DEFAULT_CONFIG, as_json, given), **rest)

    decorators = _list_common()
    if archive:
        decorators += [
            click.option(
                "--state",
                type=click.Path(file_okay=False, path_type=Path),
                help="Folder of spool and catalog; else OFRECORD_STATE_DIR.",
            ),
            click.option("--archive", "archive_place", help="A path or s3://BUCKET/PREFIX; else OFRECORD_ARCHIVE."),
        ]
    return _decorate(wrapper, function, decorators)


def _take_over() -> tuple[Source, Settings]:
    """Return what the daemon that owns this run says over standard input; from now on its death ends the run."""
    try:
        assignment = take_assignment()
    except EOFError as error:
        raise KeyboardInterrupt from error  # nobody is left to be told
    obey_owner()
    return assignment


def _start_logging(
    log_format: str | None, log_level: str | None, file: Path | None = None, *, bounds: Settings | None = None
) -> None:
    """Log as the options say. *file*: in place of standard error, within the *bounds*. Raises ConfigError."""
    level = log_level or ("warning" if file is None and sys.stderr.isatty() else "info")
    configure_logging(
        json=None if log_format is None else log_format == "json",
        level=level,
        file=None if file is None else str(prepare_log_file(file)),
        file_bytes=bounds.log_file_bytes if bounds else FILE_BYTES,
        files=bounds.log_files if bounds else FILES,
    )


def list_logging_options() -> list[str]:
    """Return the options with which another `ofrecord` logs as this one does, as far as options say it."""
    chosen = describe_logging()
    form = {True: ["--log-format", "json"], False: ["--log-format", "text"], None: []}[chosen["json"]]
    file = [] if chosen["file"] is None else ["--log-file", chosen["file"]]
    return [*form, "--log-level", chosen["level"], *file]


def _list_common() -> list[Callable[..., Any]]:
    return [
        click.option(
            "--log-level",
            type=click.Choice(["debug", "info", "warning", "error"]),
            help="What is logged; default: warning on a terminal, else info.",
        ),
        click.option(
            "--log-format", type=click.Choice(["text", "json"]), help="Default: text on a terminal, else JSON."
        ),
        click.option(
            "--log-file",
            type=click.Path(dir_okay=False, path_type=Path),
            help="Log lines go to that file in place of standard error; else OFRECORD_LOG_FILE.",
        ),
        click.option("--json", "as_json", is_flag=True, help="Results as JSON, one object a line."),
        click.option(
            "--config",
            type=click.Path(exists=True, file_okay=False, path_type=Path),
            envvar="OFRECORD_CONFIG_DIR",
            help="Folder with settings.yaml and sources/, in place of the bundled one.",
        ),
    ]


def _decorate(
    wrapper: Callable[..., Any], function: Callable[..., Any], decorators: list[Callable[..., Any]]
) -> Callable[..., Any]:
    wrapper.__doc__ = function.__doc__
    wrapper.__name__ = function.__name__
    wrapper.__click_params__ = list(getattr(function, "__click_params__", []))  # type: ignore[attr-defined]
    for decorator in decorators:
        decorator(wrapper)
    return wrapper


__all__ = ["Invocation", "OpenArchive", "archive_options", "common_options", "enter_archive"]


def read_trusted(fingerprints: tuple[str, ...]) -> tuple[str, ...]:
    """Return *fingerprints* as they were given. Raises ConfigError if one is none."""
    for one in fingerprints:
        if not KEY_ID.fullmatch(one):
            raise ConfigError(
                f"--trusted-key: found {one!r}, expected 64 lower-case hex digits as keys list prints them"
            )
    return fingerprints

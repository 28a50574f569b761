"""Log lines: structlog's and those of libraries beneath through one renderer, on stderr or in a file of bounded size.

Every line has its secrets masked last of all. Never writes to stdout.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from config.absence import without
from config.logfiles import LineHandler, LogFile
from config.masks import mask_named, mask_text, may_hold_secret

with without("rich", "twisted"):  # for tracebacks and a logger that we do not use: 70 ms and 10 MB of each process
    import structlog

if TYPE_CHECKING:
    from collections.abc import Mapping

    from structlog.typing import EventDict, Processor, WrappedLogger

EVENTS: frozenset[str] = frozenset(
    {
        "started_run",
        "discovered_links",
        "captured_page",
        "rendered_page",
        "killed_browser",
        "skipped_page",
        "visited_page",
        "rejected_page",
        "finished_run",
        "finished_import",
        "closed_segment",
        "recovered_segment",
        "set_aside_segment",
        "uploaded_object",
        "repaired_source",
        "found_object",
        "committed_segment",
        "redacted_segments",
        "deleted_redacted",
        "lost_race",
        "failed_sweep",
        "registered_key",
        "wrote_head",
        "stamped_head",
        "failed_head",
        "indexed_run",
        "scheduled_source",
        "unscheduled_source",
        "rescheduled_source",
        "reloaded_sources",
        "changed_settings",
        "ignored_settings",
        "failed_reload",
        "missed_run",
        "killed_run",
        "stepped_clock",
        "failed_observer",
        "failed_daemon",
        "received_signal",
        "restarted_worker",
        "killed_worker",
        "acquired_lease",
        "renewed_lease",
        "released_lease",
        "lost_lease",
        "failed_discovery",
        "failed_worker",
        "failed_run",
        "failed_upload",
        "failed_record",
        "dropped_draft",
        "distrusted_validators",
        "paused_fetching",
        "resumed_fetching",
        "failed_lookup",
        "found_waiting_segments",
        "removed_object",
        "removed_index",
        "cleared_conveniences",
        "redacted_waiting",
        "redacted_late",
        "failed_checkpoint",
        "failed_lease",
        "failed_rederivation",
        "failed_objects",
        "failed_report",
        "failed_feed",
        "failed_ledger",
        "wrote_feed",
        "rederived_captures",
        "rebuilt_source",
        "removed_parts",
        "adopted_derivation",
        "ignored_part",
        "wrote_layer",
        "wrote_pack",
        "restored_catalog",
        "ignored_checkpoint",
        "ignored_pack",
        "ignored_redaction",
        "ignored_variable",
        "rolled_up_day",
        "sent_alert",
        "failed_alert",
        "failed_heartbeat",
        "failed_keeper",
        "failed_look",
        "failed_request",
        "failed_asset",
        "ignored_told",
        "failed_told",
        "built_tables",
        "served_metrics",
        "failed_metrics",
    }
)
"""Every event that we log: verb in the past, then what. All else goes into keys."""

FILE_BYTES = 64 * 1024**2
FILES = 5
LEVELS = ("debug", "info", "warning", "error")
_QUIET = {
    "aiohttp": logging.WARNING,
    "apscheduler": logging.WARNING,
    "asyncio": logging.WARNING,
    "boto3": logging.WARNING,
    "botocore": logging.WARNING,
    "charset_normalizer": logging.WARNING,
    "s3transfer": logging.WARNING,
    "scrapy": logging.WARNING,
    "trafilatura": logging.ERROR,
    "twisted": logging.WARNING,
    "urllib3": logging.WARNING,
    "uvicorn": logging.ERROR,
}
_MAX_VALUE = 4_096
_MAX_TRACEBACK = 65_536
_LONG = frozenset({"exception", "stack"})
_HEAD = ("timestamp", "level", "event", "source", "run_id", "url")
"""What a line begins with."""
_ENCODER = json.JSONEncoder(ensure_ascii=False, default=str)
ERASE_LINE = "\x1b[K"
"""From the cursor on."""


_chosen: dict[str, Any] = {"json": None, "level": "info"}


def describe_logging() -> dict[str, Any]:
    """Return the arguments with which `configure_logging` makes a child process log alike, and as part of this run."""
    return {**_chosen, "bound": {**_chosen.get("bound", {}), **structlog.contextvars.get_contextvars()}}


def configure_logging(
    *,
    json: bool | None = None,
    level: str = "info",
    stream: TextIO | None = None,
    file: str | None = None,
    file_bytes: int = FILE_BYTES,
    files: int = FILES,
    bound: Mapping[str, Any] | None = None,
) -> None:
    """Send every log line of this process to *stream* (stderr) or *file*. May be called again; the last call holds.

    *json*: JSON lines, or text; by default text on a terminal. Colour only on a terminal without `NO_COLOR`.
    *level*: one of LEVELS; libraries speak from `warning` on unless it is `debug`. Raises ValueError.
    *file*: its path; at most *file_bytes*, and *files* older ones are kept. What it does not take goes to *stream*.
    *bound*: what stands in every line of this process, whatever thread or task it comes from.
    """
    if level not in LEVELS:
        raise ValueError(f"level: found {level!r}, expected one of {', '.join(LEVELS)}")
    _chosen.clear()
    _chosen.update(json=json, level=level, file=file, file_bytes=file_bytes, files=files, bound=dict(bound or {}))
    target = sys.stderr if stream is None else stream
    terminal = target.isatty()
    as_json = (file is not None or not terminal) if json is None else json
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        *([_Bound(bound)] if bound else []),
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
    ]
    handler: logging.Handler = LineHandler(target)
    handler.setFormatter(
        _make_formatter(shared, as_json=as_json, redraw=can_redraw(target), colours=_want_colours(target))
    )
    if file is not None:
        handler = LogFile(Path(file), max_bytes=file_bytes, kept=files, instead=handler)
        handler.setFormatter(_make_formatter(shared, as_json=as_json, redraw=False, colours=False))
    # what no line of ours says, Python need not find out for each: where in the source, which thread, which process
    logging._srcfile = None  # noqa: SLF001 - as the logging HOWTO has it
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    root = logging.getLogger()
    for old in list(root.handlers):
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(level.upper())
    for name, least in _QUIET.items():
        logging.getLogger(name).setLevel(logging.DEBUG if level == "debug" else max(least, root.level))
    logging.captureWarnings(capture=True)
    _speak_through_logging(shared)


def _speak_through_logging(shared: list[Processor]) -> None:
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )


def can_redraw(stream: TextIO) -> bool:
    """Whether *stream* is a terminal on which a line can be written over."""
    return stream.isatty() and os.environ.get("TERM", "dumb") != "dumb"


def _want_colours(stream: TextIO) -> bool:
    return stream.isatty() and not os.environ.get("NO_COLOR")


def _make_formatter(
    shared: list[Processor], *, as_json: bool, redraw: bool, colours: bool
) -> structlog.stdlib.ProcessorFormatter:
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            _Renderer(as_json=as_json, colours=colours),
            *([_take_line] if redraw else []),
        ],
    )


class _Bound:
    """Puts what holds for the whole process into each line that does not say otherwise."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self._values = dict(values)

    def __call__(self, _logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
        for name, value in self._values.items():
            event.setdefault(name, value)
        return event


class _Renderer:
    """Makes a line of an event, secrets masked and long texts cut. The last that sees the event."""

    def __init__(self, *, as_json: bool, colours: bool) -> None:
        self._traceback: Processor = _TRACEBACKS if as_json else structlog.processors.format_exc_info
        self._as_json = as_json
        self._console = structlog.dev.ConsoleRenderer(colors=colours, exception_formatter=structlog.dev.plain_traceback)

    def __call__(self, logger: WrappedLogger, method: str, event: EventDict) -> str:
        head = {name: event[name] for name in _HEAD if name in event}
        event = {**head, **self._traceback(logger, method, event)}  # type: ignore[dict-item]  # a dict, in our chain
        with contextlib.suppress(Exception):  # of what is logged; what there is of it is shown below
            line = self._write(logger, method, event)
            if len(line) <= _MAX_VALUE and not may_hold_secret(line):  # mostly: to look at each value costs more
                return line
        masked = {_cut(mask_text(str(name))): _mask_value(name, value) for name, value in event.items()}
        return self._write(logger, method, masked)

    def _write(self, logger: WrappedLogger, method: str, event: EventDict) -> str:
        if self._as_json:
            return _ENCODER.encode(event)
        return str(self._console(logger, method, _escape_controls(event)))


_TRACEBACKS = structlog.processors.ExceptionRenderer(structlog.tracebacks.ExceptionDictTransformer(show_locals=False))
"""Without the frames' variables: nobody can tell what is secret in these."""


def _mask_value(name: str, value: Any) -> Any:  # noqa: ANN401 - whatever is logged
    return mask_named(name, value, _cut_traceback if name in _LONG else _cut)


def _cut(text: str) -> str:
    """Cut long texts: a page's title or a server's message can be as long as its author likes."""
    return text if len(text) <= _MAX_VALUE else text[:_MAX_VALUE] + "…"


def _cut_traceback(text: str) -> str:
    return text if len(text) <= _MAX_TRACEBACK else "…" + text[-_MAX_TRACEBACK:]


def _take_line(_logger: WrappedLogger, _method: str, text: EventDict | str) -> str:
    """Begin by taking away a line of progress, which any process on this terminal may have there."""
    return f"\r{ERASE_LINE}{text}"


def _escape_controls(event: EventDict) -> EventDict:
    """Return *event* without what would let a foreign text steer the terminal."""
    escaped: EventDict = {}
    for key, value in event.items():
        if isinstance(value, str) and not value.isprintable():
            kept = "\n\t" if key in _LONG else ""
            value = "".join(char if char.isprintable() or char in kept else f"\\x{ord(char):02x}" for char in value)  # noqa: PLW2901
        escaped[key] = value
    return escaped

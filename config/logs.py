"""Log lines: structlog's and those of the libraries beneath through one renderer, on stderr. Never writes to stdout."""

from __future__ import annotations

import json
import logging
import os
import sys
from typing import TYPE_CHECKING, Any, TextIO

from config.absence import without

with without("rich", "twisted"):  # for tracebacks and a logger that we do not use: 70 ms and 10 MB of each process
    import structlog

if TYPE_CHECKING:
    from collections.abc import Callable

    from structlog.typing import EventDict, Processor, WrappedLogger

EVENTS: frozenset[str] = frozenset(
    {
        "started_run",
        "discovered_links",
        "captured_page",
        "skipped_page",
        "rejected_page",
        "finished_run",
        "closed_segment",
        "recovered_segment",
        "set_aside_segment",
        "uploaded_object",
        "found_object",
        "committed_segment",
        "indexed_run",
        "scheduled_source",
        "missed_run",
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
        "distrusted_validators",
        "paused_fetching",
        "resumed_fetching",
        "failed_lookup",
        "found_waiting_segments",
        "removed_object",
        "failed_checkpoint",
        "failed_lease",
        "failed_rederivation",
        "failed_objects",
        "failed_report",
        "failed_feed",
        "failed_ledger",
        "wrote_feed",
        "rederived_captures",
        "wrote_layer",
        "wrote_pack",
        "restored_catalog",
        "ignored_checkpoint",
        "ignored_pack",
        "ignored_variable",
        "rolled_up_day",
        "sent_alert",
        "failed_alert",
        "failed_heartbeat",
        "failed_look",
        "ignored_told",
        "failed_told",
        "built_tables",
        "served_metrics",
        "failed_metrics",
    }
)
"""Every event that we log: verb in the past, then what. All else goes into keys."""

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
}
_MAX_VALUE = 4_096
_ENCODER = json.JSONEncoder(ensure_ascii=False, default=str)
ERASE_LINE = "\x1b[K"
"""From the cursor on."""


_chosen: dict[str, Any] = {"json": None, "level": "info"}


def describe_logging() -> dict[str, Any]:
    """Return the arguments of the last `configure_logging`, so that a child process can log alike."""
    return dict(_chosen)


def configure_logging(*, json: bool | None = None, level: str = "info", stream: TextIO | None = None) -> None:
    """Send every log line of this process to *stream* (stderr). May be called again; the last call holds.

    *json*: JSON lines, or text; by default text on a terminal. Colour only on a terminal without `NO_COLOR`.
    *level*: one of LEVELS; libraries speak from `warning` on unless it is `debug`. Raises ValueError.
    """
    if level not in LEVELS:
        raise ValueError(f"level: found {level!r}, expected one of {', '.join(LEVELS)}")
    _chosen.update(json=json, level=level)
    target = sys.stderr if stream is None else stream
    terminal = target.isatty()
    as_json = not terminal if json is None else json
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
        _bound_values,
    ]
    handler = logging.StreamHandler(target)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                *_renderers(as_json=as_json, colours=terminal and not os.environ.get("NO_COLOR")),
                *([_take_line] if can_redraw(target) else []),
            ],
        )
    )
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


def _take_line(_logger: WrappedLogger, _method: str, text: EventDict | str) -> str:
    """Begin by taking away a line of progress, which any process on this terminal may have there."""
    return f"\r{ERASE_LINE}{text}"


def _renderers(*, as_json: bool, colours: bool) -> list[Processor]:
    if as_json:
        return [
            structlog.processors.dict_tracebacks,
            structlog.processors.JSONRenderer(serializer=_write_json),
        ]
    renderer: Callable[[WrappedLogger, str, EventDict], str] = structlog.dev.ConsoleRenderer(
        colors=colours, exception_formatter=structlog.dev.plain_traceback
    )
    return [structlog.processors.format_exc_info, _escape_controls, renderer]


def _write_json(event: EventDict, **_: Any) -> str:  # noqa: ANN401 - structlog's own wishes, which we do not share
    return _ENCODER.encode(event)


def _bound_values(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Cut long texts: a page's title or a server's message can be as long as its author likes."""
    for key, value in event.items():
        if isinstance(value, str) and len(value) > _MAX_VALUE and key not in {"exception", "stack"}:
            event[key] = value[:_MAX_VALUE] + "…"
    return event


def _escape_controls(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Keep a foreign text from steering the terminal."""
    for key, value in event.items():
        if isinstance(value, str) and not value.isprintable():
            kept = "\n\t" if key in {"exception", "stack"} else ""
            event[key] = "".join(
                char if char.isprintable() or char in kept else f"\\x{ord(char):02x}" for char in value
            )
    return event

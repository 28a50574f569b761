from __future__ import annotations

import io
import json
import logging
import re
import warnings
from pathlib import Path
from typing import Any

import pytest
import structlog

from config.logs import EVENTS, configure_logging

ROOT = Path(__file__).parents[3]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def lines_of(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_our_lines_and_those_of_libraries_have_one_form() -> None:
    stream = io.StringIO()
    configure_logging(stream=stream)
    structlog.contextvars.bind_contextvars(run_id="gazette-1")
    structlog.get_logger("ours").info("captured_page", url="https://a.example/ó", status=200)
    logging.getLogger("botocore.x").warning("slow %s", "store", extra={"attempt": 2})
    ours, theirs = lines_of(stream)
    assert ours["event"] == "captured_page"
    assert (ours["run_id"], ours["level"], ours["logger"]) == ("gazette-1", "info", "ours")
    assert ours["url"] == "https://a.example/ó"
    assert (theirs["event"], theirs["attempt"], theirs["level"]) == ("slow store", 2, "warning")
    assert set(ours) >= {"timestamp", "event", "level"}
    assert ours["timestamp"].endswith("Z")


@pytest.mark.parametrize("name", ["scrapy.core", "botocore", "apscheduler.scheduler", "aiohttp.client", "twisted"])
def test_libraries_whisper_unless_asked(name: str) -> None:
    stream = io.StringIO()
    configure_logging(stream=stream)
    logging.getLogger(name).info("chatter")
    assert stream.getvalue() == ""
    configure_logging(stream=stream, level="debug")
    logging.getLogger(name).info("chatter")
    assert len(lines_of(stream)) == 1


def test_level_is_kept_and_checked() -> None:
    stream = io.StringIO()
    configure_logging(stream=stream, level="error")
    structlog.get_logger().warning("failed_request")
    assert stream.getvalue() == ""
    with pytest.raises(ValueError, match="expected one of debug"):
        configure_logging(level="loud")


def test_called_twice_writes_once() -> None:
    stream = io.StringIO()
    configure_logging(stream=stream)
    configure_logging(stream=stream)
    structlog.get_logger().info("started_run")
    assert len(lines_of(stream)) == 1


def test_terminal_gets_text_with_colour_unless_told_not_to(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "dumb")
    stream = Terminal()
    configure_logging(stream=stream)
    structlog.get_logger().info("started_run", source="gazette")
    assert "\x1b[" in stream.getvalue()
    assert not stream.getvalue().startswith("{")
    monkeypatch.setenv("NO_COLOR", "1")
    stream = Terminal()
    configure_logging(stream=stream)
    structlog.get_logger().info("started_run", source="gazette")
    assert "\x1b" not in stream.getvalue()
    assert "source=gazette" in stream.getvalue()


@pytest.mark.parametrize("json", [True, False])
def test_a_line_on_a_terminal_takes_away_what_stands_there(monkeypatch: pytest.MonkeyPatch, *, json: bool) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    for term, beginning in (("xterm", "\r\x1b[K"), ("dumb", "")):
        monkeypatch.setenv("TERM", term)
        stream = Terminal()
        configure_logging(stream=stream, json=json)
        structlog.get_logger().info("started_run", source="gazette")
        text = stream.getvalue()
        assert text.startswith(beginning)
        assert text.count("\x1b") == len(beginning) // 4
    monkeypatch.setenv("TERM", "xterm")
    configure_logging(stream=(pipe := io.StringIO()), json=json)
    structlog.get_logger().info("started_run", source="gazette")
    assert "\x1b" not in pipe.getvalue()


@pytest.mark.parametrize("json_lines", [True, False])
def test_hostile_text_neither_steers_the_terminal_nor_breaks_the_line(json_lines: bool) -> None:
    stream = io.StringIO()
    configure_logging(stream=stream, json=json_lines)
    structlog.get_logger().info("rejected_page", reason="\x1b[2J\nforged\x9b" + "a" * 10_000)
    logging.getLogger("scrapy").error("\x1b]0;x\x07\nforged")
    text = stream.getvalue()
    assert "\x1b" not in text
    assert "\x9b" not in text or json_lines
    assert len(text.splitlines()) == 2
    assert len(text) < 6_000


def test_exceptions_are_logged_with_their_traceback() -> None:
    for json_lines in (True, False):
        stream = io.StringIO()
        configure_logging(stream=stream, json=json_lines)
        try:
            raise RuntimeError("broken \x1b[2J")
        except RuntimeError:
            structlog.get_logger().exception("failed_run")
        assert "RuntimeError" in stream.getvalue()
        assert "broken" in stream.getvalue()
        assert "\x1b" not in stream.getvalue()


def test_warnings_of_python_are_lines_too() -> None:
    stream = io.StringIO()
    configure_logging(stream=stream)
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        logging.captureWarnings(capture=False)
        logging.captureWarnings(capture=True)
        warnings.warn("old way", stacklevel=1)
    assert "old way" in lines_of(stream)[0]["event"]


def test_every_event_in_the_code_is_listed() -> None:
    pattern = re.compile(
        r"\b(?:log|logger|_log|_logger|LOG|LOGGER)\.(?:a?(?:debug|info|warning|error|exception))\(\s*f?\"([^\"]*)\""
    )
    unlisted = {
        (path.relative_to(ROOT).as_posix(), event)
        for folder in ("config", "crawler", "jobs")
        for path in (ROOT / folder).rglob("*.py")
        for event in pattern.findall(path.read_text(encoding="utf-8"))
        if event not in EVENTS
    }
    assert unlisted == set()


def test_every_listed_event_is_logged() -> None:
    code = "".join(
        path.read_text(encoding="utf-8")
        for folder in ("config", "crawler", "jobs")
        for path in (ROOT / folder).rglob("*.py")
        if path != ROOT / "config" / "logs.py"
    )
    assert [event for event in sorted(EVENTS) if f'"{event}"' not in code] == []


def test_events_are_verb_noun() -> None:
    assert all(re.fullmatch(r"[a-z]+(_[a-z0-9]+)+", event) for event in EVENTS)

"""Messages and heartbeats handed to the process that sends them, within a time limit."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, ValidationError

from config.addresses import read_addresses
from config.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from config.addresses import SecretAddress
    from config.settings import Settings
    from jobs.alerts.messages import Message

SEND_SECONDS = 60.0
"""For all messages of a round together; a mail server that has not answered by then counts as failed."""
_PASSED = frozenset({"PATH", "HOME", "LANG", "TMPDIR", "TZ", "SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE"})
_PASSED_ALIKE = re.compile(r"LC_\w+|PYTHON\w+|COVERAGE\w+|\w+_proxy", re.ASCII | re.IGNORECASE)
"""Of the environment; the rest may hold keys of the store and of sources, of which a sender has no use."""
_MAX_FILE_BYTES = 256 * 1024


class _Answer(BaseModel):
    model_config = ConfigDict(extra="forbid")

    number: int
    reason: str | None


def list_addresses(settings: Settings) -> list[SecretAddress]:
    """Return where alerts go, each once: by the settings, then by the file that they name. Raises ConfigError."""
    found = list(settings.alerts)
    if settings.alerts_file is not None:
        path = settings.alerts_file
        try:
            with path.open("rb") as file:
                found += read_addresses(file.read(_MAX_FILE_BYTES).decode())
        except OSError as error:
            raise ConfigError(f"alerts_file: {path} cannot be read: {error.strerror}") from error
        except ValueError as error:
            text = "text in UTF-8" if isinstance(error, UnicodeDecodeError) else str(error)
            raise ConfigError(f"alerts_file: {path}: found something else, expected {text}, one a line") from None
    return list({address.get_secret_value(): address for address in found}.values())


class Sender:
    """Sends by a process of its own for each call; `cancel` ends the one that is at work."""

    def __init__(self, seconds: float = SEND_SECONDS) -> None:
        self._seconds = seconds
        self._process: subprocess.Popen[bytes] | None = None
        self._cancelled = False

    def send(self, messages: Sequence[tuple[SecretAddress, Message]]) -> list[str | None]:
        """Return for each message `None` if its service took it, or why not, without secrets. Raises nothing."""
        orders = [
            {"address": address.get_secret_value(), "title": one.title, "body": one.body, "kind": one.kind}
            for address, one in messages
        ]
        return self._order(orders)

    def ping(self, url: SecretAddress) -> str | None:
        """Ask for *url* once; return why that did not go, or `None`."""
        return self._order([{"address": url.get_secret_value()}])[0]

    def cancel(self) -> None:
        """End what is at work, and begin nothing more: what was not told by now did not go."""
        self._cancelled = True
        if self._process is not None:
            self._process.kill()

    def _order(self, orders: list[dict[str, Any]]) -> list[str | None]:
        if self._cancelled or not orders:
            return ["it was told to stop" for _ in orders]
        try:
            output, in_time = self._run(json.dumps(orders).encode())
        except OSError as error:
            return [f"no process for it: {error.strerror}" for _ in orders]
        missing = "the sending process ended early" if in_time else f"no answer within {self._seconds:g} s"
        reasons: list[str | None] = [missing for _ in orders]
        for line in output.splitlines():
            try:
                answer = _Answer.model_validate_json(line)
            except ValidationError:  # killed in the middle of it
                continue
            if 0 <= answer.number < len(orders):
                reasons[answer.number] = answer.reason
        return reasons

    def _run(self, orders: bytes) -> tuple[bytes, bool]:
        environment = {
            key: value for key, value in os.environ.items() if key in _PASSED or _PASSED_ALIKE.fullmatch(key)
        }
        process = self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "jobs.alerts.sending"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,  # libraries say addresses there
            env=environment,
            start_new_session=True,  # a Ctrl-C is ours to obey
        )
        if self._cancelled:
            process.kill()
        try:
            return process.communicate(orders, timeout=self._seconds)[0], True
        except subprocess.TimeoutExpired:
            process.kill()
            return process.communicate()[0], False

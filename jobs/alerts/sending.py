"""The process that sends: `python -m jobs.alerts.sending`. Orders come on stdin, an answer for each goes to stdout.

Apart, since apprise takes 0.7 s and 43 MiB to load and since nothing but the end of a process stops a mail server that
hangs: whoever started this one kills it when the time is up. Only importer of apprise.
"""

from __future__ import annotations

import json
import logging
import os
import re
import signal
import sys
import threading
import urllib.request
from concurrent.futures import ThreadPoolExecutor, as_completed
from typing import Any
from urllib.parse import unquote

_MAX_REASON_CHARS = 300
_SECRET_CHARS = 4
"""Shorter parts of an address are no secrets, and stand in every text."""
_PING_SECONDS = 10
_LONGEST_SECONDS = 300
"""By then this process ends, if whoever started it cannot end it any more."""
_TOLD = frozenset({"WARNING", "ERROR", "CRITICAL"})


class _Complaints(logging.Handler):
    """Keeps what is said of an address that is none."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.messages: dict[int, list[str]] = {}
        """By thread."""

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a message, unless it shows the address: what apprise masks of one still has its ends."""
        if "://" not in (message := record.getMessage()):
            self.messages.setdefault(threading.get_ident(), []).append(message)


complaints = _Complaints()


def main() -> None:
    """Send what stdin orders; answer as each is done; leave at once, whatever still hangs."""
    signal.alarm(_LONGEST_SECONDS)
    orders = json.load(sys.stdin)
    with ThreadPoolExecutor(max(1, min(16, len(orders)))) as pool:
        work = {pool.submit(_obey, order): number for number, order in enumerate(_prepare(orders))}
        for future in as_completed(work):
            sys.stdout.write(json.dumps({"number": work[future], "reason": future.result()}) + "\n")
            sys.stdout.flush()
    os._exit(0)  # a library's threads may be at waiting still


def _prepare(orders: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Load apprise, which is not made for several threads, before there are any."""
    if any("title" in order for order in orders):
        import apprise  # noqa: PLC0415 - a ping needs none

        logger = logging.getLogger("apprise")
        logger.setLevel(logging.DEBUG)  # why a connection failed is told nowhere else
        logger.addHandler(complaints)
        logger.propagate = False
        apprise.Apprise.instantiate("json://127.0.0.1/")  # its plugins, too
    return orders


def _obey(order: dict[str, Any]) -> str | None:
    """Return `None`, or why that did not go, with no part of the address in it."""
    try:
        return _send(order) if "title" in order else _ping(order["address"])
    except Exception as error:  # noqa: BLE001 - a plugin's own; told
        return mask(f"{type(error).__name__}: {error}", order["address"])


def _send(order: dict[str, Any]) -> str | None:
    import apprise  # noqa: PLC0415 - see above

    asset = apprise.AppriseAsset(
        app_id="ofrecord",
        app_desc="ofrecord",
        app_url="",
        storage_mode="memory",
        pgp_autogen=False,
        pem_autogen=False,
        allow_templates=False,
        secure_logging=True,
    )
    service = apprise.Apprise.instantiate(order["address"], asset=asset)
    if service is None:
        said = "; ".join(complaints.messages.pop(threading.get_ident(), []))
        return mask(said or "no address that apprise knows, or one that lacks a part", order["address"])
    sender = apprise.Apprise(asset=asset)
    sender.add(service)
    result = sender.notify(
        title=order["title"],
        body=order["body"],
        notify_type=order["kind"],
        body_format=apprise.NotifyFormat.TEXT,
        log_level=logging.DEBUG,
    )
    if result:
        return None
    told = [entry.message for entry in result.logs() if entry.level in _TOLD or "Exception:" in entry.message]
    return mask("; ".join(told) or "refused", order["address"])


def _ping(url: str) -> str | None:
    request = urllib.request.Request(url, headers={"User-Agent": "ofrecord"})  # noqa: S310 - checked to be http(s)
    with urllib.request.urlopen(request, timeout=_PING_SECONDS) as answer:  # noqa: S310 - the same
        return None if 200 <= answer.status < 300 else f"status {answer.status}"


def mask(text: str, address: str) -> str:
    """Return *text* on one line, cut, without any part of *address*."""
    parts = set(re.split(r"[^\w%.~+-]+", address.partition("://")[2]))
    parts |= {unquote(part) for part in parts}
    for part in sorted(parts, key=len, reverse=True):
        if len(part) >= _SECRET_CHARS:
            text = text.replace(part, "***")
    return " ".join(text.split())[:_MAX_REASON_CHARS]


if __name__ == "__main__":
    main()

"""What a worker can be asked, by name: data and body from the pipe → JSON and raw bytes for it."""

# ruff: noqa: PLC0415 - what few workers are asked for is loaded when it is: they are many, and start for each run

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from config.rules import ExtractRules
from crawler.announcement import encode_links
from crawler.explanation import encode_explanation
from crawler.outcome import PageContext, decode_page, encode_outcome, encode_outline
from crawler.recording import read_beginning
from crawler.workers.listings import discover
from crawler.workers.task import explain_page, outline_page, process_page

if TYPE_CHECKING:
    from collections.abc import Callable

    from crawler.model import Exchange

Answer = tuple[bytes, bytes]
"""JSON and raw bytes."""

_read: list[tuple[dict[str, Any], PageContext]] = []
"""The context that was read last, and the data that it was made from."""


def perform(name: str, data: dict[str, Any], body: bytes) -> Answer:
    """Do the job *name*, of `JOBS`, that the pipe's other end asks. Raises ValueError if there is none such."""
    if name not in JOBS:
        raise ValueError(f"asked for {name!r}, expected {', '.join(JOBS)}")
    return JOBS[name](decode_page(data, body), data)


def _page(exchange: Exchange, data: dict[str, Any]) -> Answer:
    return encode_outcome(process_page(exchange, _read_context(data["context"])))


def _outline(exchange: Exchange, data: dict[str, Any]) -> Answer:
    return encode_outline(outline_page(exchange, _read_context(data["context"]))), b""


def _explain(exchange: Exchange, data: dict[str, Any]) -> Answer:
    explanation = explain_page(exchange, _read_context(data["context"]), whole=data["whole"])
    return json.dumps(encode_explanation(explanation)).encode(), b""


def _still(exchange: Exchange, data: dict[str, Any]) -> Answer:
    from crawler.workers.documents import quiet_page

    del data
    return b"{}", quiet_page(exchange).encode("utf-8", "replace")


def _replay(exchange: Exchange, data: dict[str, Any]) -> Answer:
    from crawler.workers.documents import replay_document

    assets = {url: f"{data['mark']}{number}" for number, url in enumerate(data["assets"])}
    return b"{}", replay_document(exchange, assets).encode("utf-8", "replace")


def _links(exchange: Exchange, data: dict[str, Any]) -> Answer:
    discovery = discover(exchange, data["limit"])
    lines, cut = encode_links(discovery)
    return json.dumps({"error": discovery.error, "truncated": discovery.truncated or cut}).encode(), lines


def _facts(exchange: Exchange, data: dict[str, Any]) -> Answer:
    from crawler.workers.documents import read_facts
    from crawler.workers.transport import encode_page_facts

    return encode_page_facts(read_facts(exchange, data["product"])), b""


def _copies(exchange: Exchange, data: dict[str, Any]) -> Answer:
    from crawler.webarchive import encode_copies
    from crawler.workers.documents import list_copies

    return encode_copies(list_copies(exchange, data["original"])), b""


def _requisites(exchange: Exchange, data: dict[str, Any]) -> Answer:
    from crawler.workers.documents import list_requisites

    return json.dumps({"urls": list_requisites(exchange, data["limit"])}).encode(), b""


def _beginning(exchange: Exchange, data: dict[str, Any]) -> Answer:
    del data
    return json.dumps({"text": read_beginning(exchange)}).encode(), b""


JOBS: dict[str, Callable[[Exchange, dict[str, Any]], Answer]] = {
    "page": _page,
    "outline": _outline,
    "explain": _explain,
    "still": _still,
    "replay": _replay,
    "links": _links,
    "facts": _facts,
    "copies": _copies,
    "requisites": _requisites,
    "beginning": _beginning,
}
"""Name → what does it."""


def _read_context(data: dict[str, Any]) -> PageContext:
    last = _read[0] if _read else None
    if last is None or last[0] != data:  # checking a source's rules takes longer than many a page
        last = data, PageContext(**{**data, "rules": ExtractRules.model_validate(data["rules"])})
        _read[:] = [last]
    return last[1]

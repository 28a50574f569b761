"""What an answer to a robots.txt request stands for: RFC 9309 § 2.3.1."""

from __future__ import annotations

import gzip
from datetime import UTC, datetime

import pytest

from crawler.middlewares import FORBID_ALL, MAX_RULES_BYTES, read_rules
from crawler.model import Exchange, Purpose

RULES = b"User-agent: *\nDisallow: /secret/\n"


def _exchange(status: int | None, body: bytes = RULES, coding: str = "identity") -> Exchange:
    head = f"HTTP/1.1 {status} X\r\nContent-Encoding: {coding}\r\n\r\n".encode() if status else b""
    return Exchange(
        url="https://gazette.example/robots.txt",
        purpose=Purpose.ROBOTS,
        started_at=datetime(2026, 11, 22, tzinfo=UTC),
        seconds=0.1,
        request_head=b"GET /robots.txt HTTP/1.1\r\n\r\n",
        status=status,
        response_head=head,
        body=body,
    )


@pytest.mark.parametrize("status", [500, 502, 503, 599, 429, None])
def test_a_server_in_trouble_forbids_all(status: int | None) -> None:
    assert read_rules(_exchange(status)) == FORBID_ALL


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 301])
def test_rules_that_are_not_there_forbid_nothing(status: int) -> None:
    assert read_rules(_exchange(status)) == b""


def test_rules_are_inflated_and_bounded() -> None:
    assert read_rules(_exchange(200, gzip.compress(RULES), "gzip")) == RULES
    assert len(read_rules(_exchange(200, b"#" * 3 * MAX_RULES_BYTES))) == MAX_RULES_BYTES


def test_rules_that_cannot_be_read_forbid_all() -> None:
    assert read_rules(_exchange(200, b"no gzip at all", "gzip")) == FORBID_ALL
    bomb = gzip.compress(b"\0" * 64 * MAX_RULES_BYTES)
    assert read_rules(_exchange(200, bomb, "gzip")) == FORBID_ALL

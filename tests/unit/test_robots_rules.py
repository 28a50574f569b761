"""What an answer to a robots.txt request stands for: RFC 9309 § 2.3.1."""

from __future__ import annotations

import gzip
from datetime import UTC, datetime
from typing import Any

import pytest
from scrapy.robotstxt import ProtegoRobotParser

from config.errors import ExtractError
from crawler.middlewares import MAX_RULES_BYTES, read_rules
from crawler.model import Exchange, Purpose

RULES = b"User-agent: *\nDisallow: /secret/\n"


def _exchange(status: int | None, body: bytes = RULES, coding: str = "identity", **known: Any) -> Exchange:
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
        **known,
    )


@pytest.mark.parametrize("status", [500, 502, 503, 599, 429])
def test_a_server_in_trouble_forbids_all(status: int) -> None:
    with pytest.raises(ExtractError, match=f"^status {status}$"):
        read_rules(_exchange(status))


def test_no_answer_forbids_all() -> None:
    with pytest.raises(ExtractError, match=r"^the host name has no address$"):
        read_rules(_exchange(None, error="the host name has no address"))


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 301])
def test_rules_that_are_not_there_forbid_nothing(status: int) -> None:
    assert read_rules(_exchange(status)) == b""


def test_rules_are_inflated_and_bounded() -> None:
    assert read_rules(_exchange(200, gzip.compress(RULES), "gzip")) == RULES
    line = b"Disallow: /secret/\n"
    rules = read_rules(_exchange(200, line * 3_000_000))
    assert MAX_RULES_BYTES - len(line) < len(rules) <= MAX_RULES_BYTES
    assert rules == line * (MAX_RULES_BYTES // len(line))  # no half line, which would be another rule
    assert read_rules(_exchange(200, line * 300_000, truncated="length")) == rules


def test_a_byte_order_mark_is_no_part_of_the_rules() -> None:
    rules = ProtegoRobotParser.from_crawler(None, b"\xef\xbb\xbf" + RULES)  # type: ignore[arg-type]
    assert not rules.allowed("https://gazette.example/secret/plan", "ofrecord")


def test_rules_that_cannot_be_read_forbid_all() -> None:
    with pytest.raises(ExtractError, match="damaged gzip"):
        read_rules(_exchange(200, b"no gzip at all", "gzip"))
    with pytest.raises(ExtractError):
        read_rules(_exchange(200, gzip.compress(b"\0" * 64 * MAX_RULES_BYTES), "gzip"))


@pytest.mark.parametrize("cut", ["time", "disconnect", "length"])
def test_rules_that_are_not_all_there_forbid_all(cut: str) -> None:
    with pytest.raises(ExtractError, match=rf"the answer was cut \({cut}\) after 33 bytes"):
        read_rules(_exchange(200, truncated=cut))

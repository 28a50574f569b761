"""Links on their way from a worker: what comes out is what went in, and what is damaged ends the list and is named."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from crawler.announcement import BATCH, LinkStream, encode_links
from crawler.model import Discovery, Link, Purpose

VIA = "https://gazette.example/map.xml"
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


def make_links(number: int) -> tuple[Link, ...]:
    links = (Link(f"https://gazette.example/2026/{one}", VIA) for one in range(number))
    return tuple(
        replace(one, title=f"The „{n}“\n☂", published=NOON, modified=NOON, purpose=Purpose.SECTION) if n % 3 else one
        for n, one in enumerate(links)
    )


@pytest.mark.parametrize("number", [0, 1, BATCH, BATCH + 1, 3 * BATCH - 1])
def test_links_come_as_they_went_some_at_a_time(number: int) -> None:
    links = make_links(number)
    lines, cut = encode_links(Discovery(links))
    assert not cut
    lots = list(LinkStream(lines, via=VIA))
    assert [link for lot in lots for link in lot] == list(links)
    assert all(len(lot) == BATCH for lot in lots[:-1])


def test_what_has_no_room_is_left_out() -> None:
    links = make_links(3 * BATCH)
    whole, _ = encode_links(Discovery(links))
    lines, cut = encode_links(Discovery(links), max_bytes=len(whole) - 1)
    assert cut
    assert [link for lot in LinkStream(lines, via=VIA) for link in lot] == list(links[: 2 * BATCH])
    assert encode_links(Discovery(links), max_bytes=10) == (b"", True)


@pytest.mark.parametrize(
    "damage",
    [
        b"[",
        b"{}",
        b'[{"url": 1}]',
        b'[{"url":"x","purpose":"theft"}]',
        b"[" + b'{"url":"x"},' * BATCH + b'{"url":"y"}]',
    ],
)
def test_a_damaged_answer_ends_the_links_and_is_named(damage: bytes) -> None:
    lines, _ = encode_links(Discovery(make_links(BATCH)))
    stream = LinkStream(lines + b"\n" + damage + b"\n" + lines, via=VIA)
    assert [len(lot) for lot in stream] == [BATCH]
    assert stream.error is not None
    assert stream.error.startswith("a worker's answer is no list of links")

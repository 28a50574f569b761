"""What verify keeps of captures while it reads on: every one found again, in bounded memory."""

from __future__ import annotations

import tracemalloc
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from jobs.segments.pages import RecordPlace
from jobs.verify.captures import CaptureFact, Captures, mark

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


def _fact(n: int, key: str = "one.warc.gz") -> CaptureFact:
    place = RecordPlace(key, 1000 * n, 900)
    return CaptureFact(
        url=mark(f"https://gazette.example/{n}"),
        target=mark(f"https://gazette.example/{n}?x"),
        payload=mark(f"sha256:{n}"),
        captured_at=NOON + timedelta(microseconds=n),
        size_bytes=n,
        record=place,
        body=place,
    )


def test_every_capture_is_found_again() -> None:
    with Captures("gazette", {"one": 1, "two": 2, "three": 3}) as captures:
        captures.begin("one", "one.warc.gz")
        for n in range(5_000):
            captures.add(_fact(n))
        captures.end(whole=True)
        captures.begin("two", "two.warc.gz")
        of = [
            replace(_fact(n, "two.warc.gz"), body=RecordPlace("one.warc.gz", n, 9), is_revisit=True) for n in range(9)
        ]
        bare = replace(_fact(9), record=None, body=None, truncated=True, captured_at=datetime.min.replace(tzinfo=UTC))
        for fact in [*of, bare]:
            captures.add(fact)
        assert [captures.find("one", n) for n in range(5_000)] == [_fact(n) for n in range(5_000)]
        assert [captures.find("two", n) for n in range(10)] == [*of, bare]
        assert [captures.find(*one) for one in (("one", 5_000), ("two", -1), ("two", 10), ("three", 0))] == [None] * 4
        assert (captures.is_whole("one"), captures.is_whole("two"), captures.is_whole("three")) == (True, False, False)
        assert (captures.is_read("two"), captures.is_read("three"), captures.count("three")) == (True, False, 0)


def test_a_segment_that_comes_twice_counts_the_first_time() -> None:
    with Captures("gazette", {"one": 1}) as captures:
        for number in range(2):
            captures.begin("one", f"{number}.warc.gz")
            captures.add(_fact(number, f"{number}.warc.gz"))
            assert captures.find(captures.current, 0) == _fact(number, f"{number}.warc.gz")
            captures.end(whole=True)
        assert captures.find("one", 0) == _fact(0, "0.warc.gz")
        assert captures.count("one") == 1


def test_nothing_is_not_the_same_as_an_empty_text() -> None:
    assert mark(None) != mark("")
    assert mark("\ud800") != mark("\ud801")


@pytest.mark.parametrize("count", [100_000])
def test_memory_does_not_grow_with_the_captures(count: int) -> None:
    fact = _fact(7)
    with Captures("gazette", {}) as captures:
        captures.begin("one", "one.warc.gz")
        tracemalloc.start()
        try:
            for _ in range(count):
                captures.add(fact)
            assert tracemalloc.get_traced_memory()[1] < 1 << 20
        finally:
            tracemalloc.stop()
        assert captures.find("one", count - 1) == fact

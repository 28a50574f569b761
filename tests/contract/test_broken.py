"""Every broken page through the whole way from wire to snapshot: nothing raises, none takes two seconds of CPU time."""

from __future__ import annotations

import time

import pytest

from config.rules import ExtractRules
from crawler.outcome import PageContext
from crawler.workers.task import process_page, warm_up
from tests.hostile.broken import BROKEN
from tests.hostile.case import Hostile, page

MOST_SECONDS = 2.0
CONTEXT = PageContext(ExtractRules(), timezone="Asia/Beirut", language=None, derivation="sha256:0")
_SAMPLE = 10
NAMES = [
    name if number % _SAMPLE == number // 20 % _SAMPLE else pytest.param(name, marks=pytest.mark.soak)
    for number, name in enumerate(BROKEN)
]


@pytest.fixture(scope="module", autouse=True)
def _loaded() -> None:
    """Load what the parsers load late, as a worker does, trafilatura too."""
    warm_up()
    process_page(Hostile("thin", lambda: page("<p>Thin.</p>", story=False)).exchange(), CONTEXT)


def test_there_are_five_hundred() -> None:
    assert len(BROKEN) == 500
    assert BROKEN["cut 3"].build() == BROKEN["cut 3"].build()
    assert BROKEN["cut 3"].build() != BROKEN["cut 4"].build()


@pytest.mark.parametrize("name", NAMES)
def test_a_broken_page_is_read_or_refused_in_words_and_in_time(name: str) -> None:
    exchange = BROKEN[name].exchange()
    begun = time.process_time()
    outcome = process_page(exchange, CONTEXT)
    seconds = time.process_time() - begun

    assert seconds < MOST_SECONDS, outcome.class_reason
    assert outcome.class_reason
    assert (outcome.snapshot is None) or outcome.snapshot.text
    if outcome.snapshot is not None:
        outcome.snapshot.text.encode()
        assert "\0" not in outcome.snapshot.text


def test_most_of_what_is_lightly_broken_is_still_read() -> None:
    kinds = ("stray quotes", "errors inside", "broken data", "surrogates", "unclosed", "islands")
    outcomes = [process_page(BROKEN[f"{kind} {number}"].exchange(), CONTEXT) for kind in kinds for number in range(5)]
    read = [outcome for outcome in outcomes if outcome.snapshot is not None and "library" in outcome.snapshot.text]
    assert len(read) >= 0.6 * len(outcomes)

"""What Scrapy is kept from telling, and what it is not."""

from __future__ import annotations

import asyncio
import inspect
from typing import Any

from scrapy import signals
from scrapy.signalmanager import SignalManager

from crawler.signals import FaultsOnly, HeardSignals


def test_a_signal_reaches_who_connected_to_it() -> None:
    manager = HeardSignals(object())
    heard: list[Any] = []

    def hear(item: str) -> str:
        heard.append(item)
        return "yes"

    assert manager.send_catch_log(signals.item_scraped, item="too early") == []
    manager.connect(hear, signal=signals.item_scraped)
    assert manager.send_catch_log(signals.item_scraped, item="one") == [(hear, "yes")]
    assert asyncio.run(manager.send_catch_log_async(signals.item_scraped, item="two")) == [(hear, "yes")]
    assert manager.send_catch_log(signals.response_received, item="of another signal") == []
    assert heard == ["one", "two"]


def test_scrapy_sends_its_signals_by_the_two_ways_that_we_have_changed() -> None:
    """Should there be a third one, it is only slower than it need be: this says so."""
    senders = {name for name, _ in inspect.getmembers(SignalManager, inspect.isfunction) if name.startswith("send")}
    assert senders == {"send_catch_log", "send_catch_log_async", "send_catch_log_deferred"}


def test_only_faults_are_told() -> None:
    teller = FaultsOnly()
    assert teller.crawled(None, None, None) is None  # type: ignore[arg-type,func-returns-value]
    assert teller.scraped(None, None, None) is None  # type: ignore[arg-type,func-returns-value]
    told = teller.item_error("an item", ValueError("no"), None, None)  # type: ignore[arg-type]
    assert told is not None
    assert "Error processing" in told["msg"]

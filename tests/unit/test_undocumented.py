"""What we use of Scrapy and aiohttp beyond their documentation is there; where it is not, a crawl says so at once."""

from __future__ import annotations

from typing import Any

import aiohttp
import pytest
from aiohttp.connector import Connection
from scrapy.core.downloader import Downloader, Slot
from scrapy.core.engine import ExecutionEngine
from scrapy.core.scraper import Scraper

from config.errors import ConfigError
from crawler.undocumented import require_undocumented


def test_all_is_there() -> None:
    require_undocumented()


@pytest.mark.parametrize(
    ("owner", "name", "told"),
    [
        (Slot, "download_delay", r"scrapy 2\.\S+ has no Slot\.download_delay\(\)"),
        (Downloader, "get_slot_key", r"has no Downloader\.get_slot_key\(request\)"),
        (Scraper, "start_itemproc_async", r"has no Scraper\.start_itemproc_async\(item, response\)"),
        (ExecutionEngine, "close_spider_async", r"has no ExecutionEngine\.close_spider_async\(reason\)"),
        (aiohttp.ClientRequest, "send", r"aiohttp 3\.\S+ has no ClientRequest\.send\(conn\)"),
        (Connection, "transport", r"aiohttp 3\.\S+ has no Connection\.transport"),
    ],
)
def test_what_is_gone_is_named(monkeypatch: pytest.MonkeyPatch, owner: type, name: str, told: str) -> None:
    monkeypatch.delattr(owner, name)
    with pytest.raises(ConfigError, match=told):
        require_undocumented()


def test_a_method_that_takes_something_else_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def send(self: Any, connection: Any) -> None:
        """As a later release might have it."""

    monkeypatch.setattr(aiohttp.ClientRequest, "send", send)
    with pytest.raises(ConfigError, match=r"ClientRequest\.send\(conn\)"):
        require_undocumented()


def test_a_downloader_without_slots_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def __init__(self: Any, crawler: Any) -> None:  # noqa: N807 - in its place
        self.hosts = {"": crawler}

    monkeypatch.setattr(Downloader, "__init__", __init__)
    with pytest.raises(ConfigError, match=r"Downloader\.domain_concurrency; scrapy \S+ has no Downloader\.slots"):
        require_undocumented()

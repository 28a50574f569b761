"""What we use of Scrapy and aiohttp that their documentation does not promise: looked for before each crawl.

Where a release has changed it, a crawl ends with what is missing and not with pages that fail for no visible reason.
What these parts do is tested elsewhere: tests/e2e/test_robots.py (delays), tests/contract/test_wire.py (heads).
"""

from __future__ import annotations

import inspect
from dataclasses import fields

import aiohttp
import scrapy
from aiohttp.connector import Connection
from scrapy.core.downloader import Downloader, Slot
from scrapy.core.engine import ExecutionEngine
from scrapy.core.scraper import Scraper

from config.errors import ConfigError

_SLOT_FIELDS = {"delay", "lastseen", "queue"}
_METHODS: tuple[tuple[str, type, str, tuple[str, ...]], ...] = (
    ("scrapy", Slot, "__init__", ("concurrency", "delay", "jitter")),
    ("scrapy", Slot, "download_delay", ()),
    ("scrapy", Downloader, "get_slot_key", ("request",)),
    ("scrapy", Scraper, "start_itemproc_async", ("item", "response")),
    ("scrapy", ExecutionEngine, "download_async", ("request",)),
    ("scrapy", ExecutionEngine, "close_spider_async", ("reason",)),
    ("aiohttp", aiohttp.ClientRequest, "send", ("conn",)),
    ("aiohttp", aiohttp.ClientSession, "__init__", ("request_class",)),
    ("aiohttp", aiohttp.TCPConnector, "__init__", ("socket_factory",)),
    ("aiohttp", aiohttp.StreamReader, "set_exception", ("exc",)),
    ("aiohttp", aiohttp.StreamReader, "exception", ()),
)
"""Package, class, method, and names of the arguments that it must take."""
_DOWNLOADER_NAMES = {"slots", "domain_concurrency"}


def require_undocumented() -> None:
    """Raise ConfigError, naming package and version, if something that we build on is no longer there."""
    missing = _list_missing()
    if missing:
        raise ConfigError(
            f"this program does not fit what is installed: {'; '.join(missing)}."
            " Install the versions of constraints.txt, and tell us: crawler/undocumented.py"
        )


def _list_missing() -> list[str]:
    versions = {"scrapy": scrapy.__version__, "aiohttp": aiohttp.__version__}
    found = [
        (package, f"{owner.__name__}.{name}({', '.join(wanted)})")
        for package, owner, name, wanted in _METHODS
        if not _takes(getattr(owner, name, None), wanted)
    ]
    names = {field.name for field in fields(Slot)}
    found += [("scrapy", f"Slot.{name}") for name in sorted(_SLOT_FIELDS - names)]
    used = set(Downloader.__init__.__code__.co_names)
    found += [("scrapy", f"Downloader.{name}") for name in sorted(_DOWNLOADER_NAMES - used)]
    found += [] if hasattr(Connection, "transport") else [("aiohttp", "Connection.transport")]
    return [f"{package} {versions[package]} has no {name}" for package, name in found]


def _takes(method: object, names: tuple[str, ...]) -> bool:
    return callable(method) and set(names) <= set(inspect.signature(method).parameters)

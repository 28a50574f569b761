"""Scrapy's settings as a dict: no dangerous default is left, nothing secret is in it, and Scrapy knows every name."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from scrapy.settings import Settings as ScrapySettings
from scrapy.settings import default_settings

from config.settings import Settings
from config.sources import Source
from crawler.settings import fetch_options, product_token, scrapy_settings

ROOT = Path(__file__).parents[2]


def _source(**changes: Any) -> Source:
    known: dict[str, Any] = {
        "id": "gazette",
        "name": "Gazette",
        "home": "https://gazette.example/",
        "discover": [{"feed": "https://gazette.example/rss.xml"}],
        "articles": {"include": ["/2026/"]},
    }
    return Source(**{**known, **changes})


@pytest.fixture
def made() -> dict[str, Any]:
    return scrapy_settings(_source(), Settings(user_agent="ofrecord/9.9 (+https://contact.example)"))


def test_scrapy_knows_every_setting(made: dict[str, Any]) -> None:
    assert set(made) <= set(default_settings.__all__)


def test_nothing_listens_and_nothing_else_is_loaded(made: dict[str, Any]) -> None:
    merged = ScrapySettings(made)
    extensions = merged.get_component_priority_dict_with_base("EXTENSIONS")
    assert {name for name, order in extensions.items() if order is not None} == {"crawler.extensions.RunGuard"}
    assert not merged.getbool("TELNETCONSOLE_ENABLED")
    assert not merged.getbool("REMOTE_CONTROL_ENABLED")
    handlers = merged.getwithbase("DOWNLOAD_HANDLERS")
    assert {scheme for scheme, handler in handlers.items() if handler} == {"http", "https"}


def test_only_robots_and_cookies_stand_between_spider_and_wire(made: dict[str, Any]) -> None:
    merged = ScrapySettings(made)
    middlewares = merged.get_component_priority_dict_with_base("DOWNLOADER_MIDDLEWARES")
    assert {
        getattr(name, "__name__", str(name)).rpartition(".")[2] for name, order in middlewares.items() if order
    } == {
        "RunCookies",
        "RobotsRules",
    }
    assert not merged.getbool("ROBOTSTXT_OBEY")  # by Scrapy: see RobotsRules
    assert merged["ROBOTSTXT_USER_AGENT"] == "ofrecord"
    assert not merged.get_component_priority_dict_with_base("SPIDER_MIDDLEWARES")


def test_politeness_is_the_sources(made: dict[str, Any]) -> None:
    assert (made["DOWNLOAD_DELAY"], made["CONCURRENT_REQUESTS_PER_DOMAIN"]) == (5.0, 1)
    assert made["DOWNLOAD_DELAY_JITTER"] == 0.0
    quick = _source(network="private", politeness={"delay_seconds": 0, "concurrent_requests": 4})
    changed = scrapy_settings(quick, Settings())
    assert (changed["DOWNLOAD_DELAY"], changed["CONCURRENT_REQUESTS_PER_DOMAIN"]) == (0.0, 4)


def test_language_is_asked_for() -> None:
    settings = Settings(user_agent="ofrecord/9.9 (+https://contact.example)")
    plain = dict(fetch_options(_source(), settings).headers)
    assert "Accept-Language" not in plain
    assert plain["User-Agent"] == "ofrecord/9.9 (+https://contact.example)"
    arabic = dict(fetch_options(_source(language="ar"), settings).headers)
    assert arabic["Accept-Language"] == "ar"
    assert arabic["Accept-Encoding"] == "gzip, deflate, br"


def test_secrets_are_in_no_setting() -> None:
    source = _source(headers={"X-Key": "${GAZETTE_KEY}", "Cookie": "session=hush"})
    settings = Settings(proxy="http://user:hush@proxy.example:3128")
    assert "hush" not in repr(scrapy_settings(source, settings))
    options = fetch_options(source, settings)
    assert options.secret_headers == {"x-key", "cookie"}
    assert "hush" not in repr(options)


def test_fetch_options_follow_source_and_settings() -> None:
    settings = Settings(resolve=["gazette.example:443:127.0.0.1:8443"], max_body_bytes=2048)
    options = fetch_options(_source(), settings)
    assert options.places == {("gazette.example", 443): ("127.0.0.1", 8443)}
    assert (options.allow_private, options.max_body_bytes) == (False, 2048)
    assert fetch_options(_source(network="private"), settings).allow_private


@pytest.mark.parametrize(
    ("user_agent", "token"),
    [
        ("ofrecord/0.1 (+https://x.example)", "ofrecord"),
        ("Newsbot", "Newsbot"),
        ("News Bot/1", "News"),
        ("/1", "ofrecord"),
    ],
)
def test_robots_txt_knows_us_by_the_product_token(user_agent: str, token: str) -> None:
    assert product_token(user_agent) == token


def test_the_spider_is_found_from_anywhere(tmp_path: Path) -> None:
    found = subprocess.run(
        [sys.executable, "-m", "scrapy", "list"],
        env={"SCRAPY_SETTINGS_MODULE": "crawler.settings", "PYTHONPATH": str(ROOT), "PATH": ""},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert found.stdout == "news\n", found.stderr

"""Scrapy's settings: every default of Scrapy that is dangerous here turned round, and what one source changes.

Holds no live objects and no secrets: Scrapy copies its settings and prints them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from scrapy.settings import default_settings

from config.endpoints import parse_resolve
from crawler.directives import PRODUCT, product_token
from crawler.network import FetchOptions
from crawler.throttle import HOSTS_AT_A_TIME

if TYPE_CHECKING:
    from config.settings import Settings
    from config.sources import Source

BOT_NAME = PRODUCT
SPIDER_MODULES = ["crawler.spiders"]

# One event loop of asyncio, without Twisted's reactor: signals and clean-up are ours.
TWISTED_REACTOR_ENABLED = False

# Nothing listens, nothing is written but segments, nothing is fetched but pages.
TELNETCONSOLE_ENABLED = False
REMOTE_CONTROL_ENABLED = False
HTTPCACHE_ENABLED = False
FEEDS: dict[str, Any] = {}
JOBDIR = None
STATS_CLASS = "scrapy.statscollectors.DummyStatsCollector"
STATS_DUMP = False
LOG_FORMATTER = "crawler.signals.FaultsOnly"
LOG_ENABLED = False
LOGSTATS_INTERVAL = 0.0
EXTENSIONS_BASE: dict[str, int] = {}  # of Scrapy's own none: even one that is turned off would be loaded at each start
EXTENSIONS = {
    "crawler.extensions.RunGuard": 100,
}

# Our own client, which checks certificates and addresses; no other scheme.
_HANDLER = "crawler.handler.OfrecordDownloadHandler"
DOWNLOAD_HANDLERS_BASE: dict[str, str] = {}
DOWNLOAD_HANDLERS = {"http": _HANDLER, "https": _HANDLER}
DOWNLOAD_VERIFY_CERTIFICATES = True

# robots.txt is obeyed by our own RobotsRules. Where several requests wait for it, Scrapy's middleware (2.19) gives the
# rules to the first and lets the others pass: it has one Deferred made into a Future by each of them.
ROBOTSTXT_OBEY = False

# Every exchange reaches the spider as it was: no retry, no redirect, no decoding, no filter on the way.
COOKIES_ENABLED = True
RETRY_ENABLED = False
REDIRECT_ENABLED = False
METAREFRESH_ENABLED = False
COMPRESSION_ENABLED = False
HTTPPROXY_ENABLED = False
REFERER_ENABLED = False
HTTPERROR_ALLOW_ALL = True
DOWNLOADER_STATS = False
DUPEFILTER_CLASS = "scrapy.dupefilters.BaseDupeFilter"
# Each step that is left out spares a call or a task for every page: 0.4 to 0.5 ms in all.
DOWNLOADER_MIDDLEWARES_BASE: dict[str, int] = {}
DOWNLOADER_MIDDLEWARES = {
    "crawler.middlewares.RobotsRules": 100,
    "crawler.middlewares.RunCookies": 700,
}
SPIDER_MIDDLEWARES_BASE: dict[str, int] = {}
SPIDER_MIDDLEWARES: dict[str, int] = {}
ITEM_PIPELINES = {
    "crawler.pipelines.ExtractPipeline": 100,
    "crawler.pipelines.ComparePipeline": 200,
    "crawler.pipelines.SegmentPipeline": 300,
}

_ASSETS = "crawler.pipelines.AssetPipeline"

# Requests of pages are made when their turn has come; until then a page is a row on disk. See scheduler.py.
SCHEDULER = "crawler.scheduler.FrontierScheduler"

# So many tasks are made for every response, though a page gives one item: 8 cost 0.2 ms a page, Scrapy's 100 over a
# millisecond.
CONCURRENT_ITEMS = 1

# Memory is bounded by bytes in work, not by counts. Workers are slower than the network may be: what waits for them is
# always as much as may wait, 100 pages of usual size.
SCRAPER_SLOT_MAX_ACTIVE_SIZE = 4 * 1024 * 1024

# Exact delays. What a host asks for, and how it answers, makes them longer: see slots.py.
DOWNLOAD_DELAY_JITTER = 0.0

# For sources whose pages are rendered. What a page's scripts ask for waits behind the pages that were asked for before:
# so these are few.
RENDERING: dict[str, Any] = {
    "CONCURRENT_REQUESTS": 2,
    "DOWNLOADER_MIDDLEWARES": {"crawler.rendering.PageRendering": 50, **DOWNLOADER_MIDDLEWARES},
}

ACCEPT = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
ACCEPT_ENCODING = "gzip, deflate, br"


def scrapy_settings(source: Source, settings: Settings) -> dict[str, Any]:
    """Return Scrapy's settings for a crawl of *source*: the constants above and what source and settings change."""
    fixed = {name: value for name, value in globals().items() if name in default_settings.__all__}
    pipelines = ITEM_PIPELINES if source.assets == "none" else {**ITEM_PIPELINES, _ASSETS: 400}
    concurrent = source.politeness.concurrent_requests
    rendering = {} if source.render is None else RENDERING
    return fixed | {
        "ROBOTSTXT_USER_AGENT": product_token(settings.user_agent),
        "ITEM_PIPELINES": pipelines,
        "CONCURRENT_REQUESTS": concurrent * HOSTS_AT_A_TIME,
        "CONCURRENT_REQUESTS_PER_DOMAIN": concurrent,
        "DOWNLOAD_DELAY": source.politeness.delay_seconds,
        "DOWNLOAD_TIMEOUT": settings.request_seconds,
        "DOWNLOAD_MAXSIZE": settings.max_body_bytes,
        **rendering,
    }


def fetch_options(source: Source, settings: Settings) -> FetchOptions:
    """Return what the download handler must know for *source*. Raises ValueError for a bad `resolve` entry."""
    places = {}
    for entry in settings.resolve:
        host, port, address, to_port = parse_resolve(entry)
        places[host, port] = (address, to_port)
    return FetchOptions(
        allow_private=source.network == "private",
        places=places,
        ca_file=settings.ca_file,
        proxy=settings.proxy,
        headers=request_headers(source, settings),
        secret_headers=source.secret_headers,
        max_body_bytes=settings.max_body_bytes,
        max_header_bytes=settings.max_header_bytes,
        request_seconds=settings.request_seconds,
        connect_seconds=settings.connect_seconds,
    )


def request_headers(source: Source, settings: Settings) -> tuple[tuple[str, str], ...]:
    """Return name and value of what every request of a crawl of *source* is sent with."""
    wanted = dict.fromkeys([*([source.language] if source.language else []), *source.languages])
    language = [("Accept-Language", ", ".join(wanted))] if wanted else []
    fixed = [("Accept", ACCEPT), ("Accept-Encoding", ACCEPT_ENCODING)]
    return (*fixed, *language, ("User-Agent", settings.user_agent))

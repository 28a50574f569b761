"""What one would write with Scrapy in an afternoon, in a process of its own: bare, tuned, archiving, extracting inline.

`python -m tests.benchmarks.scrapy_peer URLS OUT [--tuned] [--warc] [--extract resiliparse|trafilatura]`. Ends with a
JSON line that says how many pages there were: answers with status 200. Scrapy's defaults hold but for log,
consoles and concurrency.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

import scrapy
from scrapy.crawler import AsyncCrawlerProcess

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from scrapy.http import Response

COMMON = {
    "LOG_LEVEL": "ERROR",
    "TELNETCONSOLE_ENABLED": False,
    "REMOTE_CONTROL_ENABLED": False,
    "CONCURRENT_REQUESTS": 32,
    "CONCURRENT_REQUESTS_PER_DOMAIN": 8,
}
TUNED = {
    "ASYNCIO_EVENT_LOOP": "uvloop.Loop",
    "CONCURRENT_ITEMS": 1,
    "COOKIES_ENABLED": False,
    "DOWNLOADER_STATS": False,
    "METAREFRESH_ENABLED": False,
    "REDIRECT_ENABLED": False,
    "REFERER_ENABLED": False,
    "RETRY_ENABLED": False,
    "DOWNLOADER_MIDDLEWARES": {
        f"scrapy.downloadermiddlewares.{name}": None
        for name in (
            "downloadtimeout.DownloadTimeoutMiddleware",
            "httpauth.HttpAuthMiddleware",
            "offsite.OffsiteMiddleware",
        )
    },
    "SPIDER_MIDDLEWARES": {
        f"scrapy.spidermiddlewares.{name}": None for name in ("depth.DepthMiddleware", "urllength.UrlLengthMiddleware")
    },
    "EXTENSIONS": {
        f"scrapy.extensions.{name}": None
        for name in ("corestats.CoreStats", "feedexport.FeedExporter", "logstats.LogStats", "memusage.MemoryUsage")
    },
}


class WarcFile:
    """Requests and responses as FastWARC writes them; bodies as Scrapy hands them on, that is inflated."""

    def __init__(self, path: Path) -> None:
        from fastwarc.stream_io import GzipWriter

        self._stream = GzipWriter(str(path))

    def append(self, response: Response) -> None:
        """Write the pair of *response*."""
        from fastwarc.warc import WarcRecordType

        request = response.request
        assert request is not None
        line = f"{request.method} {request.url} HTTP/1.1\r\n".encode()
        self._write(WarcRecordType.request, response, line + request.headers.to_string() + b"\r\n\r\n")
        line = f"HTTP/1.1 {response.status} OK\r\n".encode()
        self._write(
            WarcRecordType.response, response, line + response.headers.to_string() + b"\r\n\r\n" + response.body
        )

    def close(self) -> None:
        """Write what is left."""
        self._stream.close()

    def _write(self, kind: Any, response: Response, content: bytes) -> None:
        from fastwarc.warc import WarcRecord

        record = WarcRecord()
        record.init_headers(record_type=kind)
        record.headers["WARC-Target-URI"] = response.url
        record.set_bytes_content(content)
        record.write(self._stream, checksum_data=True)
        self._stream.finish()  # else the file is one gzip member, and no record can be read by itself


class PeerSpider(scrapy.Spider):
    """Fetches each page once."""

    name = "peer"
    pages = 0

    def __init__(
        self, urls: list[str], warc: WarcFile | None, extract: Callable[[bytes], str] | None, texts: TextIO
    ) -> None:
        super().__init__()
        self._urls, self._warc, self._extract, self._texts = urls, warc, extract, texts

    async def start(self) -> AsyncIterator[scrapy.Request]:
        for url in self._urls:
            yield scrapy.Request(url, dont_filter=True)

    def parse(self, response: Response) -> None:
        PeerSpider.pages += 1
        if self._warc is not None:
            self._warc.append(response)
        if self._extract is not None:
            text = self._extract(response.body)
            row = {"url": response.url, "sha256": hashlib.sha256(text.encode()).hexdigest(), "text": text}
            self._texts.write(json.dumps(row, ensure_ascii=False) + "\n")


def with_resiliparse(body: bytes) -> str:
    """Return the main text, by resiliparse."""
    from resiliparse.extract.html2text import extract_plain_text
    from resiliparse.parse.html import HTMLTree

    return str(extract_plain_text(HTMLTree.parse_from_bytes(body, "utf-8"), main_content=True))


def with_trafilatura(body: bytes) -> str:
    """Return the main text, by trafilatura."""
    import trafilatura

    return trafilatura.extract(body) or ""


EXTRACTORS: dict[str, Callable[[bytes], str]] = {"resiliparse": with_resiliparse, "trafilatura": with_trafilatura}


def main() -> None:
    """Crawl the list and say how many pages there were."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("urls", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--tuned", action="store_true")
    parser.add_argument("--warc", action="store_true")
    parser.add_argument("--extract", choices=EXTRACTORS)
    words = parser.parse_args()
    with ExitStack() as files:
        texts = files.enter_context((words.out / "texts.jsonl").open("w", encoding="utf-8"))
        warc = WarcFile(words.out / "peer.warc.gz") if words.warc else None
        process = AsyncCrawlerProcess(COMMON | (TUNED if words.tuned else {}))
        process.crawl(PeerSpider, words.urls.read_text("utf-8").split(), warc, EXTRACTORS.get(words.extract), texts)
        process.start()
        if warc is not None:
            warc.close()
    sys.stdout.write(json.dumps({"pages": PeerSpider.pages}) + "\n")


if __name__ == "__main__":
    main()

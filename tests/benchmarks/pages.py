"""`make bench`: how many pages a second one core turns into WARC records and clean text, and a whole crawl does.

Figures for this machine, printed; no threshold, since machines differ.
"""

from __future__ import annotations

import gzip
import resource
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from config.sources import load_sources
from crawler.derivation import derive
from crawler.model import Exchange, Purpose
from crawler.task import PageContext, process_page
from tests.installation import SOURCES, Ofrecord, write_config
from tests.site.pages import ENGLISH, SEED_URL, Answer, read_page
from tests.site.server import Site

_CORE_SECONDS = 5.0
_CRAWL_PAGES = 500


def time_core() -> float:
    """Return pages a second of record, parse, extract, normalise and hash in this process."""
    source = load_sources(SOURCES)["almayadeen-english"]
    derivation = derive(source.extract, timezone=source.timezone, language=source.language)
    context = PageContext(source.extract, source.timezone, source.language, derivation.digest)
    exchange = Exchange(
        url=SEED_URL,
        purpose=Purpose.ARTICLE,
        started_at=datetime.now(UTC),
        seconds=0.1,
        request_head=b"GET / HTTP/1.1\r\nHost: english.almayadeen.net\r\n\r\n",
        status=200,
        response_head=b"HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\nContent-Encoding: gzip\r\n\r\n",
        body=gzip.compress(read_page("article-2025.html"), mtime=0),
    )
    pages, started = 0, time.perf_counter()
    while (seconds := time.perf_counter() - started) < _CORE_SECONDS:
        outcome = process_page(exchange, context)
        if outcome.snapshot is None:
            raise AssertionError(f"no text: {outcome.class_reason} {outcome.extraction_error}")
        pages += 1
    return pages / seconds


def time_crawl() -> tuple[float, float]:
    """Return pages a second of a whole crawl by the command, start and commit included, and its peak memory in MB."""
    page = read_page("article-2025.html")
    with tempfile.TemporaryDirectory(prefix="ofrecord-bench-") as scratch, Site() as site:
        folder = Path(scratch)
        urls = [f"https://{ENGLISH}/news/politics/page-of-the-benchmark-{number}" for number in range(_CRAWL_PAGES)]
        site.answers |= {url: Answer(body=page) for url in urls}
        (folder / "urls").write_text("\n".join(urls), "utf-8")
        config = write_config(folder / "config", site, archive=folder / "archive", state=folder / "state")
        ofrecord = Ofrecord(config, home=folder, timeout_seconds=600)
        ofrecord("init")
        started = time.perf_counter()
        report = ofrecord("crawl", "almayadeen-english", "--urls", folder / "urls", "--json").json()
        seconds = time.perf_counter() - started
        if report["new"] != _CRAWL_PAGES:
            raise AssertionError(f"{report['new']} new pages, expected {_CRAWL_PAGES}")
    return _CRAWL_PAGES / seconds, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1000


def main() -> None:
    """Measure and print."""
    sys.stdout.write(f"core   {time_core():7.0f} pages/s in one process\n")
    rate, memory = time_crawl()
    sys.stdout.write(f"crawl  {rate:7.0f} pages/s over {_CRAWL_PAGES} pages · {memory:.0f} MB in the largest process\n")


if __name__ == "__main__":
    main()

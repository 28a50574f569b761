"""A year of rechecks of one source, compacted: bytes after against bytes before, of sites that send pages so and so.

`python -m tests.benchmarks.cold [--articles N] [--days N] [--level N …] [--pages MIB …]`; some minutes. Looks are those
of the real recheck policy; segments are written, sealed and compacted by the code that real ones are.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

import brotli

from config.logs import configure_logging
from crawler.model import Article, Exchange, PageClass, Purpose, RecordReference
from crawler.normalise import make_snapshot
from crawler.rows import CaptureReference, CaptureRow
from crawler.warc import digest_bytes, encode_exchange
from jobs.compaction import dictionary, packing
from jobs.compaction.packing import LocalSegment, pack_segments
from jobs.segments.seal import seal_segment
from tests.archives import DERIVATION, SOURCE, open_segment
from tests.benchmarks import newspaper
from tests.benchmarks.year import DEFAULT
from tests.benchmarks.year_simulation import START, Ledger, QuickYear, Scale, live_by_policy, make_site
from tests.golden.brief_pages import load_briefs

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.golden.brief_pages import Brief
    from tests.machines import Look

CODINGS = ("identity", "gzip", "br")
SITES = ("still", "moving")
"""Whose pages are the same until they are edited, or have other articles in their boxes of links every six hours."""
_HOURS = 6
_NEW = 8
"""Articles that a site publishes in that time, 32 a day; each is in its boxes as long as it is new enough."""


@dataclass(frozen=True, slots=True)
class Crawl:
    """What one crawl looked at."""

    hour: int
    looks: tuple[Look, ...]


@dataclass(frozen=True, slots=True)
class Size:
    """What a year came to."""

    captures: int
    before: int
    after: int
    seconds: float

    @property
    def ratio(self) -> float:
        return self.after / self.before


def live_year(articles: int, days: int, seed: int = 7) -> list[Crawl]:
    """Return what the real policy looks at in a year, crawl by crawl."""
    scale = Scale(articles=articles, per_day=max(1, articles // days), days=days)
    crawls: list[Crawl] = []

    class Noted(QuickYear):
        def take(self, looks: list[Look], hour: int) -> None:
            super().take(looks, hour)
            crawls.append(Crawl(hour, tuple(looks)))

    live_by_policy(Ledger("", make_site(seed, scale), scale.hours), DEFAULT, scale.hours, year=Noted)
    return crawls


def make_body(look: Look, hour: int, site: str) -> bytes:
    """Return the page that a look shows, as UTF-8."""
    number = int(look.path.rpartition("/")[2])
    return _make_page(number, look.words or "", hour // _HOURS if site == "moving" else 0)


@cache
def _find_brief() -> Brief:
    return next(one for one in load_briefs() if one.edition.language == "en" and len(one.text) > 1)


@cache
def _make_boxes(slot: int) -> tuple[str, str]:
    """Return the boxes of links and the script that all pages of a site share for some hours."""
    newest = 175 + slot * _NEW
    boxes = "".join(
        f'<section class="{name}"><ul>{"".join(_make_teaser(newest - n * step) for n in range(32))}</ul></section>'
        for step, name in enumerate(("more", "most-read", "regions", "topics"), 1)
    )
    return boxes, f"<script>window.__STATE__=[{','.join(_make_item(newest - n) for n in range(175))}]</script>"


@cache
def _make_teaser(number: int) -> str:
    """Return the entry of an article in a box of links: the same wherever, and as long as, it is shown."""
    section = newspaper._list_of_links(_find_brief().edition, random.Random(number), "", 1)
    return section[section.index("<li") : section.index("</ul>")]


@cache
def _make_item(number: int) -> str:
    script = newspaper._state(random.Random(number), 1)
    return script[script.index("[") + 1 : script.rindex("]")]


@cache
def _make_page(number: int, words: str, slot: int) -> bytes:
    brief = _find_brief()
    edition, chance = brief.edition, random.Random(number)
    title = f"{brief.title} ({number})"
    boxes, state = _make_boxes(slot)
    return (
        f'<!doctype html><html lang="{edition.language}"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f"{newspaper._metadata(edition, title, START + timedelta(minutes=7 * number))}<style>{newspaper._STYLE}</style>"
        f'{newspaper._state(chance, 20)}</head><body><header><nav class="main-menu">{newspaper._menu(edition, 3)}</nav>'
        f'</header><main><article class="story"><h1>{escape(title)}</h1><div class="story-body">'
        f"{newspaper._text(brief, chance)}<p>{escape(words)}</p></div></article></main>"
        f'<aside class="sidebar">{boxes}</aside><footer>{newspaper._menu(edition, 4)}</footer>{state}</body></html>'
    ).encode()


def encode_body(body: bytes, coding: str) -> bytes:
    """Return *body* as a server sends it."""
    if coding == "gzip":
        return newspaper.compress_page(body)
    return brotli.compress(body, quality=5) if coding == "br" else body


def write_year(folder: Path, crawls: list[Crawl], site: str, coding: str) -> Iterator[tuple[LocalSegment, int]]:
    """Yield the sealed segments of a year, and how many captures each has."""
    known: dict[tuple[str, str], tuple[RecordReference, CaptureReference]] = {}
    for crawl in crawls:
        now = START + timedelta(hours=crawl.hour)
        run = f"{SOURCE}-{now:%Y%m%dT%H%M%SZ}-{crawl.hour:016x}"
        writer = open_segment(folder, source=SOURCE, run=run, archive="0" * 32, now=now)
        for number, look in enumerate(crawl.looks):
            at = now + timedelta(seconds=number, microseconds=125_000)
            body = encode_body(make_body(look, crawl.hour, site), coding) if look.words else b"<p>Gone.</p>"
            before = known.get((look.url, digest_bytes(body)))
            exchange = _make_exchange(look, at, body, coding, before[0] if before else None)
            recorded = encode_exchange(exchange, warcinfo_id=writer.warcinfo_id)
            row = _make_row(look, at, body, recorded.payload_digest, before[1] if before else None)
            snapshot = make_snapshot(_make_article(look), DERIVATION.digest) if look.words else None
            n = writer.append(row, recorded, snapshot)
            if before is None and look.words:
                place = RecordReference(look.url, at, writer.segment, n)
                known[look.url, digest_bytes(body)] = (place, CaptureReference(writer.segment, n))
        sealed = seal_segment(writer.close(now + timedelta(minutes=1)), now=now)
        assert sealed.draft.rows is not None
        path = sealed.local_file(sealed.draft.files[0])
        yield LocalSegment(writer.segment, path, 0, sealed.draft.rows), len(crawl.looks)


def _make_article(look: Look) -> Article:
    return Article(
        title=look.path,
        lead=None,
        blocks=((look.words or "") * 40,),
        page_class=PageClass.ARTICLE,
        class_reason="test",
        confidence=1.0,
    )


def _make_exchange(look: Look, at: datetime, body: bytes, coding: str, before: RecordReference | None) -> Exchange:
    head = f"HTTP/1.1 {look.status} OK\r\nDate: {at:%a, %d %b %Y %H:%M:%S} GMT\r\nServer: nginx/1.26\r\n"
    head += "Content-Type: text/html; charset=utf-8\r\nCache-Control: max-age=60\r\nVary: Accept-Encoding\r\n"
    head += f"X-Request-Id: {random.Random(at.isoformat() + look.path).getrandbits(128):032x}\r\n"
    head += f"Content-Encoding: {coding}\r\n" if coding != "identity" and look.words else ""
    return Exchange(
        url=look.url,
        purpose=Purpose.ARTICLE,
        started_at=at,
        seconds=0.25,
        request_head=f"GET /{look.path} HTTP/1.1\r\nHost: gazette.example\r\nUser-Agent: ofrecord\r\n\r\n".encode(),
        status=look.status,
        response_head=f"{head}Content-Length: {len(body)}\r\n\r\n".encode(),
        body=body,
        peer="192.0.2.1",
        refers_to=before,
    )


def _make_row(look: Look, at: datetime, body: bytes, digest: str | None, before: CaptureReference | None) -> CaptureRow:
    return CaptureRow(
        n=0,
        url=look.url,
        target_uri=look.url,
        captured_at=at,
        purpose="article",
        page_class="article" if look.words else "error",
        class_reason="test",
        status=look.status,
        media_type="text/html",
        payload_digest=digest,
        size_bytes=len(body),
        peer="192.0.2.1",
        revisit_of=before,
    )


def measure(crawls: list[Crawl], site: str, coding: str, *, group_bytes: int) -> Size:
    """Write a year, compact it in objects of so many bytes before, and return what it came to."""
    captures = before = after = 0
    seconds = 0.0
    with tempfile.TemporaryDirectory(prefix="ofrecord-cold-") as name:
        folder = Path(name)
        group: list[LocalSegment] = []
        held = 0

        def pack() -> None:
            nonlocal after, seconds, group, held
            begun = time.process_time()
            target = folder / "packed"
            after += pack_segments(
                group, target, key=f"segments/{SOURCE}/sealed=2026-01-01/x.warc.zst", source=SOURCE, now=START
            ).file.size_bytes
            seconds += time.process_time() - begun
            target.unlink()
            for one in group:
                one.path.unlink()
            group, held = [], 0

        for segment, count in write_year(folder, crawls, site, coding):
            captures += count
            before += segment.path.stat().st_size
            held += segment.path.stat().st_size
            group.append(segment)
            if held >= group_bytes:
                pack()
        if group:
            pack()
    return Size(captures, before, after, seconds)


def main(argv: list[str] | None = None) -> int:
    """Measure, print; return 1 if what identity-coded sites come to is more than half."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.cold", description=__doc__)
    parser.add_argument("--articles", type=int, default=120)
    parser.add_argument("--days", type=int, default=365)
    parser.add_argument("--level", type=int, nargs="+", default=[packing.LEVEL])
    parser.add_argument("--pages", type=float, nargs="+", default=[dictionary.PAGES_BYTES / (1 << 20)])
    parser.add_argument("--object", type=float, default=256.0, help="MiB of segments")
    parser.add_argument("--site", nargs="+", default=SITES)
    parser.add_argument("--coding", nargs="+", default=CODINGS)
    chosen = parser.parse_args(argv)
    configure_logging(level="warning")
    crawls = live_year(chosen.articles, chosen.days)
    fine = True
    for level in chosen.level:
        for pages in chosen.pages:
            packing.LEVEL, dictionary.PAGES_BYTES = level, int(pages * (1 << 20))
            for site in chosen.site:
                for coding in chosen.coding:
                    found = measure(crawls, site, coding, group_bytes=int(chosen.object * (1 << 20)))
                    fine &= coding != "identity" or found.ratio <= 0.5
                    sys.stdout.write(
                        f"| {site} | {coding} | level {level} | {pages:g} MiB | {len(crawls)} segments,"
                        f" {found.captures} captures | {found.before:,} | {found.after:,} | {found.ratio:.3f}"
                        f" | {found.seconds:.0f} s |\n"
                    )
                    sys.stdout.flush()
    return 0 if fine else 1


if __name__ == "__main__":
    sys.exit(main())

"""How much slower a crawl is with 130 hostile pages among 2,000 good ones: whole crawls in pairs, one after the other.

Each pair has the same number of pages: in the one crawl the places of the hostile pages are taken by good ones. Prints
the median of the ratios, once as fast as the machine goes and once at the pace of a polite crawl.
"""

from __future__ import annotations

import resource
import statistics
import sys
import tempfile
import time
from pathlib import Path

from crawler.rows import RunRow, decode_row
from tests.crawls import Answer, page, prepare_crawl, serve_site
from tests.hostile import PAGES, Hostile

_GOOD = 2_000
_BAD = 130
_PAIRS = 3
_DELAYS = {"as fast as it goes": 0.0, "20 requests a second": 0.05}
_BODY = page("Bridge") + b"<p>The council met again, and the bridge was built at last.</p>" * 400


def time_crawl(bad: list[Hostile], delay_seconds: float) -> tuple[float, float]:
    """Return the seconds, by the clock and of CPU time, of a crawl of good pages with *bad* ones among them."""
    with tempfile.TemporaryDirectory(prefix="ofrecord-bench-") as scratch, serve_site() as site:
        every = _GOOD // _BAD
        cases: list[Hostile | None] = []
        for number in range(_BAD):
            cases += [None] * every + [bad[number] if bad else None]
        cases += [None] * (_GOOD - _BAD * every)
        paths = [f"/2026/{number}" for number in range(len(cases))]
        for path, case in zip(paths, cases, strict=True):
            headers = {"Content-Encoding": ", ".join(case.codings)} if case and case.codings else {}
            body = case.build() if case else _BODY.replace(b"Bridge", f"Bridge {path}".encode())
            site.answers[path] = Answer(body, media_type=(case and case.content_type) or "text/html", headers=headers)
        site.announce(*paths)
        with prepare_crawl(site, Path(scratch)) as crawl:
            crawl.settings |= {"workers": 2, "max_failed": 1.0, "request_seconds": 60}
            crawl.source["politeness"] = {"delay_seconds": delay_seconds}
            started, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
            child = crawl.start()
            out, log = child.communicate(timeout=3_600)
            seconds, after = time.perf_counter() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
        row = decode_row(out) if out else None
        if not isinstance(row, RunRow) or row.counts["articles"] != len(paths):
            raise AssertionError(log.decode()[-2_000:])
        return seconds, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    """Measure and print."""
    step = len(PAGES) // _BAD
    bad = PAGES[::step][:_BAD]
    for name, delay_seconds in _DELAYS.items():
        ratios = []
        for _ in range(_PAIRS):
            good, mixed = time_crawl([], delay_seconds), time_crawl(bad, delay_seconds)
            ratios.append(mixed[0] / good[0])
            sys.stdout.write(
                f"{name}: {good[0]:6.1f} s ({good[1]:.1f} of CPU) of {_GOOD + _BAD} good pages,"
                f" {mixed[0]:6.1f} s ({mixed[1]:.1f} of CPU) with {_BAD} hostile\n"
            )
            sys.stdout.flush()
        sys.stdout.write(f"{name}: {statistics.median(ratios):.3f} times as long\n")


if __name__ == "__main__":
    main()

"""What a page costs from bytes to snapshot in one process, and how often trafilatura is asked for its text.

`python -m tests.benchmarks.extract_cost DATA SET…` prints the cost as one line of JSON: run so by `measure_cost`, since
peak memory is of a process.
"""

from __future__ import annotations

import json
import math
import re
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

from config.errors import ExtractError
from config.rules import ExtractRules
from crawler.encoding import decode_html
from crawler.extract.article import find_article
from tests.benchmarks.eval_kit import ROOT, NotMeasuredError, list_pages, read_urls
from tests.benchmarks.extract_adapter import CAPTURED_AT, UNKNOWN_URL, read_page, settle

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_SECONDS = 600


@dataclass(frozen=True, slots=True)
class Cost:
    """Of all pages, each read once."""

    cpu_ms: list[float]
    wall_ms: list[float]
    loading_ms: float
    """CPU time that went into loading libraries which only some pages need: once in a process, in no page's time."""
    rss_mb: float
    """The most memory that the process had."""


@dataclass(frozen=True, slots=True)
class Fallback:
    """How often trafilatura was asked, and its text taken."""

    pages: int
    asked: int
    taken: int


def measure_cost(data: Path, sets: Sequence[str]) -> Cost:
    """Return what the pages of *sets* cost in a fresh process. Raises NotMeasuredError."""
    words = [sys.executable, "-m", __name__, str(data), *sets]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, encoding="utf-8", timeout=_SECONDS, check=False)
    if done.returncode:
        raise NotMeasuredError(f"extract_cost ended with {done.returncode}: {done.stderr[-2_000:]}")
    return Cost(**json.loads(done.stdout))


def read_all(data: Path, sets: Iterable[str]) -> Cost:
    """Return what the pages cost in this process."""
    cpu_ms, wall_ms, loading_ms = [], [], 0.0
    for name in sets:
        urls = read_urls(data, name)
        for path in list_pages(data, name):
            raw, url = path.read_bytes(), urls.get(path.name)
            loaded = len(sys.modules)
            cpu, wall = _time_page(raw, url)
            if len(sys.modules) > loaded:
                first, (cpu, wall) = cpu, _time_page(raw, url)
                loading_ms += first - cpu
            cpu_ms.append(cpu)
            wall_ms.append(wall)
    return Cost(cpu_ms, wall_ms, loading_ms, read_peak_mb())


def count_fallbacks(data: Path, sets: Iterable[str]) -> Fallback:
    """Return on how many pages of *sets* trafilatura is asked, and on how many its text is taken."""
    import trafilatura

    pages = asked = taken = 0
    extract = trafilatura.extract

    def count(*arguments: Any, **options: Any) -> Any:
        nonlocal asked
        asked += 1
        return extract(*arguments, **options)

    with patch.object(trafilatura, "extract", count):
        for name in sets:
            urls = read_urls(data, name)
            for path in list_pages(data, name):
                pages += 1
                taken += _is_taken_over(path.read_bytes(), urls.get(path.name))
    if taken > asked:
        raise NotMeasuredError(f"trafilatura's text is taken on {taken} pages, but it was asked {asked} times")
    return Fallback(pages, asked, taken)


def read_peak_mb() -> float:
    """Return the most memory that this process had; `getrusage` counts what its parent had when it began."""
    (kilobytes,) = re.findall(r"^VmHWM:\s+(\d+) kB$", Path("/proc/self/status").read_text("ascii"), re.MULTILINE)
    return int(kilobytes) / 1024


def find_quantile(values: Sequence[float], share: float) -> float:
    """Return the least of *values* that *share* of them do not exceed."""
    return sorted(values)[max(math.ceil(share * len(values)), 1) - 1]


def _is_taken_over(raw: bytes, url: str | None) -> bool:
    try:
        findings = find_article(
            decode_html(raw, None),
            url=url or UNKNOWN_URL,
            status=None,
            captured_at=CAPTURED_AT,
            timezone=None,
            language=None,
            rules=ExtractRules(),
        )
    except ExtractError:
        return False
    findings.page.release()
    return findings.taken_over


def _time_page(raw: bytes, url: str | None) -> tuple[float, float]:
    """Return milliseconds of CPU time and by the clock."""
    wall, cpu = time.perf_counter(), time.process_time()
    with suppress(ExtractError):  # that it cannot be read has its cost too
        read_page(raw, url)
    return (time.process_time() - cpu) * 1_000, (time.perf_counter() - wall) * 1_000


if __name__ == "__main__":
    settle()
    found = read_all(Path(sys.argv[1]), sys.argv[2:])
    sys.stdout.write(json.dumps({name: getattr(found, name) for name in Cost.__slots__}))

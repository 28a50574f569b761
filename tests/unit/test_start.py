"""What a process loads before it does anything: each library more is paid for by every run of every source."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

LOADED = "import json, sys, {}; print(json.dumps(sorted(name for name in sys.modules if '.' not in name)))"


@pytest.mark.parametrize(
    ("module", "unwanted"),
    [
        ("jobs.cli.crawling", {"rich", "twisted", "scrapy", "selectolax", "pyarrow", "boto3", "charset_normalizer"}),
        ("jobs.runs.child", {"rich", "twisted", "scrapy", "selectolax", "pyarrow", "boto3", "charset_normalizer"}),
        ("jobs.runs.child, crawler.process", {"rich", "selectolax", "pyarrow", "boto3", "trafilatura", "h2"}),
        (
            "crawler.workers.task",
            {"rich", "twisted", "scrapy", "structlog", "trafilatura", "htmldate", "charset_normalizer"},
        ),
    ],
)
def test_no_library_is_loaded_that_is_not_needed(module: str, unwanted: set[str]) -> None:
    done = subprocess.run([sys.executable, "-c", LOADED.format(module)], capture_output=True, text=True, check=True)
    assert not unwanted & set(json.loads(done.stdout))


def test_structlog_finds_what_is_loaded_already_and_nobody_else_loses_anything() -> None:
    """Only what is not there yet is hidden, and only while structlog is loaded."""
    program = "import rich, config.logs, structlog.dev; assert structlog.dev.rich is rich; import twisted"
    subprocess.run([sys.executable, "-c", program], check=True)

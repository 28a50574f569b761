"""A trial: a folder of settings and nothing else, the real command, a site; then a source, a crawl and its score."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import yaml

from tests.installation import Ofrecord, Result
from tests.newcomers.scoring import Score, score_crawl

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tests.newcomers.server import Served

ID = "newcomer"
SECONDS = 400.0
"""After which a command is ended: longer than a look may take by itself."""


def prepare(folder: Path, *, resolve: Sequence[str] = (), **settings: Any) -> Ofrecord:
    """Return the command with an archive and no source, all below *folder*. *settings*: more keys of settings.yaml."""
    (folder / "config" / "sources").mkdir(parents=True)
    (folder / "home").mkdir()
    values = {
        "archive": str(folder / "archive"),
        "state_dir": str(folder / "state"),
        "workers": 1,
        "metrics_listen": "off",
    }
    values |= {"resolve": list(resolve)} if resolve else {}
    (folder / "config" / "settings.yaml").write_text(yaml.safe_dump(values | settings, sort_keys=False), "utf-8")
    ofrecord = Ofrecord(folder / "config", folder / "home", timeout_seconds=SECONDS)
    ofrecord("init")
    return ofrecord


def describe(ofrecord: Ofrecord, source: dict[str, Any]) -> None:
    """Write the source's file by hand."""
    whole = {**source, "network": "private", "politeness": {"delay_seconds": 0, "concurrent_requests": 4}}
    path = ofrecord.config / "sources" / f"{ID}.yaml"
    path.write_text(yaml.safe_dump(whole, sort_keys=False, allow_unicode=True), "utf-8")


def add(ofrecord: Ofrecord, home: str, *words: str, code: int | None = 0) -> Result:
    """Have the source's file written by `sources add`."""
    return ofrecord(
        "sources", "add", home, "--yes", "--id", ID, "--network", "private", "--delay", "0", *words, code=code
    )


def crawl(ofrecord: Ofrecord, served: Served, *, requests: int = 0) -> Score:
    """Crawl the source once and return how that went. *requests*: made before."""
    result = ofrecord("crawl", ID, "--log-format", "json", "--log-level", "info", code=None)
    if result.returncode not in {0, 3}:
        raise AssertionError(str(result))
    return score_crawl(result.events(), served.site.articles, served.site.either, requests=requests)

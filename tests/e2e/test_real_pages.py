"""Real news pages, forty sites of them, through the whole line.

They are their publishers' property and no part of this project: the test runs where the benchmark kit lies beside the
checkout, and builds the sites from it in a temporary folder.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml

from config.settings import Settings
from tests.histories import check_archive, read_histories
from tests.installation import ROOT, Ofrecord

if TYPE_CHECKING:
    from collections.abc import Iterator

KIT = ROOT.parent / "shared" / "bench" / "mirror.py"
PORT = 18491

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not KIT.exists(), reason=f"the kit of real pages is not here: {KIT.name} in ../shared/bench"),
]


@pytest.fixture(scope="module")
def mirror(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Forty small sites on loopback addresses, stopped afterwards; yields the folder of their lists."""
    root = tmp_path_factory.mktemp("mirror")
    kit = [sys.executable, str(KIT)]
    environment = {**os.environ, "BENCH_ROOT": str(root), "BENCH_PORT": str(PORT)}
    subprocess.run([*kit, "build", "--copies", "2"], env=environment, check=True, stdout=subprocess.DEVNULL)
    subprocess.run([*kit, "start", "--minutes", "15"], env=environment, check=True, stdout=subprocess.DEVNULL)
    try:
        yield root / "mirror" / "edition-1"
    finally:
        subprocess.run([*kit, "stop"], env=environment, check=True, stdout=subprocess.DEVNULL)


def write_source(folder: Path, lists: Path) -> Path:
    """Make one source of all forty sites, found by their feeds and sitemaps."""
    sites = json.loads((lists / "sources.json").read_text())
    source = {
        "name": "Forty sites",
        "home": sites[0]["home"],
        "network": "private",
        "politeness": {"delay_seconds": 0, "concurrent_requests": 8},
        "discover": [{kind: site[kind]} for site in sites for kind in ("feed", "sitemap")],
        "articles": {"include": [site["articles"] for site in sites]},
    }
    (folder / "sources").mkdir(parents=True)
    (folder / "sources" / "forty-sites.yaml").write_text(yaml.safe_dump(source))
    return folder


def test_a_thousand_real_pages_are_kept_and_verify_clean(
    mirror: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = write_source(tmp_path / "config", mirror)
    # one real page in twelve asks not to be archived; here nothing is kept for longer than the test
    ofrecord = Ofrecord(config, tmp_path, {"OFRECORD_OBEY_NOARCHIVE": "false"}, timeout_seconds=600)
    archive, state = tmp_path / "archive", tmp_path / "state"
    places = ("--archive", archive, "--state", state)
    ofrecord("init", "--archive", archive)
    report = ofrecord("crawl", "forty-sites", *places, "--json", "--log-level", "warning").json()
    wanted = set((mirror / "urls.txt").read_text().split())
    assert len(wanted) >= 1_000
    assert report["pages"] == len(wanted)
    histories = read_histories(archive, Settings())
    assert {url for _, url in histories} == wanted
    texts = sum(history[0][0] == "new" for history in histories.values())
    assert texts > 0.9 * len(wanted), f"{texts} of {len(wanted)} pages gave a text"
    checked = check_archive(archive)
    assert not checked.damaged, [str(finding) for finding in checked.findings][:20]
    second = ("--recheck", "all", "--limit", "400", "--json", "--log-level", "warning")
    again = ofrecord("crawl", "forty-sites", *places, *second).json()
    assert again["unchanged"] + again["bad"] == 400
    assert again["bad"] <= len(wanted) - texts, "a page that had a text has none now"
    assert not any(again[name] for name in ("new", "revised", "reverted", "suspected", "gone", "uncompared"))
    size = sum(path.stat().st_size for path in archive.rglob("*") if path.is_file())
    with capsys.disabled():
        sys.stdout.write(
            f"\n{report['pages']} real pages, {texts} texts: {report['seconds']} s, then {again['seconds']} s;"
            f" {size} bytes for both crawls\n"
        )

"""An import that is killed at any moment, as a whole or its child alone: run again, it gives the same archive."""

from __future__ import annotations

import json
import os
import random
import signal
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from jobs.store.local import LocalStore
from tests.archives import read_lines
from tests.foreign import HOST, gzipped, gzipped_whole, make_info, make_page, make_request, make_response, plain, zstd
from tests.installation import install

pytestmark = pytest.mark.slow

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.foreign import Record

GAZETTE = {"home": f"{HOST}/", "discover": [{"feed": f"{HOST}/feed.xml"}], "articles": {"include": ["/2019/"]}}
PAGES = 400
SQUEEZED = {"plain": plain, "gzip": gzipped, "one member": gzipped_whole, "zstd": zstd}


def make_records() -> list[Record]:
    records = [make_info()]
    for number in range(PAGES):
        response = make_response(number, body=make_page(number, words=f"word{number} " * 300))
        records += [make_request(response), response]
    return records


def facts(archive: Path) -> list[tuple[Any, ...]]:
    """Return what each capture is, whatever segment it went into."""
    store = LocalStore(archive)
    rows = [row for item in store.list("segments/") for row in read_lines(store, item.key)]
    texts = {row["url"]: row["text_digest"] for row in rows if row["type"] == "snapshot"}
    told = ("url", "captured_at", "payload_digest", "class", "size_bytes", "origin")
    captures = [row for row in rows if row["type"] == "capture"]
    return sorted(
        (*(str(row[name]) for name in told), row["warc"]["request"]["length"], texts[row["url"]]) for row in captures
    )


def read_places(state: Path) -> list[int]:
    """Return how far files were read, as far as it is noted, in inflated bytes."""
    notes = [path for path in state.glob("*/imports/*.json") if not path.name.startswith("assignment")]
    places = [json.loads(path.read_text())["position"]["flat"] for path in notes]
    return [place for place in places if place]


def list_family(pid: int) -> list[int]:
    """Return the processes below *pid*, the nearest first."""
    found = [pid]
    for one in found:
        for path in Path(f"/proc/{one}/task").glob("*/children"):
            try:
                found += map(int, path.read_text().split())
            except OSError:
                continue
    return found[1:]


@pytest.mark.parametrize(
    ("kind", "whole"),
    [
        ("one member", True),
        pytest.param("gzip", True, marks=pytest.mark.soak),
        pytest.param("plain", False, marks=pytest.mark.soak),
        pytest.param("zstd", False, marks=pytest.mark.soak),
    ],
)
def test_an_import_that_is_killed_again_and_again_gives_the_same_archive(
    tmp_path: Path, kind: str, whole: bool
) -> None:
    squeeze: Callable[[list[Record]], bytes] = SQUEEZED[kind]
    (tmp_path / "dump.warc").write_bytes(squeeze(make_records()))
    # segments of 100 KB, so that places to go on from are many
    calm = install(tmp_path / "calm", GAZETTE, segment_bytes=100_000)
    calm("import", tmp_path / "dump.warc")
    troubled = install(tmp_path / "troubled", GAZETTE, segment_bytes=100_000)
    chance = random.Random(kind + str(whole))
    for _ in range(3):
        before = read_places(tmp_path / "troubled" / "state")
        running = troubled.start("import", tmp_path / "dump.warc", "--json", "--log-level", "error")
        while read_places(tmp_path / "troubled" / "state") == before and running.poll() is None:
            time.sleep(0.05)
        time.sleep(chance.uniform(0, 0.5))
        family = list_family(running.pid)
        if whole:
            os.kill(running.pid, signal.SIGKILL)
        for pid in family[:1]:
            os.kill(pid, signal.SIGKILL)
        running.communicate(timeout=60)
        assert running.returncode == (-signal.SIGKILL if whole else 1)
    report = troubled("import", tmp_path / "dump.warc", "--json").json()
    assert report["records"] < 2 * PAGES + 1
    assert facts(tmp_path / "troubled" / "archive") == facts(tmp_path / "calm" / "archive")
    assert len(facts(tmp_path / "calm" / "archive")) == PAGES
    troubled("verify", "--full")


def test_an_import_that_is_stopped_says_so_and_goes_on(tmp_path: Path) -> None:
    (tmp_path / "dump.warc").write_bytes(plain(make_records()))
    gazette = install(tmp_path / "here", GAZETTE, segment_bytes=100_000)
    running = gazette.start("import", tmp_path / "dump.warc", "--json", "--log-level", "error")
    archive = LocalStore(tmp_path / "here" / "archive")
    while not list(archive.list("log/")) and running.poll() is None:
        time.sleep(0.1)
    running.send_signal(signal.SIGTERM)
    stdout, stderr = running.communicate(timeout=60)
    assert running.returncode == 0, stderr
    assert '"files": {"stopped": 1}' in stdout
    left = gazette("import", tmp_path / "dump.warc", "--json").json()
    assert left["files"] == {"done": 1}
    assert 0 < left["captures"] < PAGES
    assert len(facts(tmp_path / "here" / "archive")) == PAGES


def test_nothing_of_a_child_whose_parent_is_killed_goes_on(tmp_path: Path) -> None:
    (tmp_path / "dump.warc").write_bytes(plain(make_records()))
    gazette = install(tmp_path / "here", GAZETTE)
    running = gazette.start("import", tmp_path / "dump.warc", "--log-level", "error")
    deadline = time.monotonic() + 30
    while len(family := list_family(running.pid)) < 2 and time.monotonic() < deadline:  # the child and a worker
        time.sleep(0.05)
    assert len(family) >= 2
    os.kill(running.pid, signal.SIGKILL)
    running.communicate(timeout=60)
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and any(Path(f"/proc/{pid}/cmdline").exists() for pid in family):
        time.sleep(0.2)
    assert not any(Path(f"/proc/{pid}/cmdline").exists() for pid in family)

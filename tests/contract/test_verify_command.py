"""The command verify: what it prints, where, its exit codes, the line of progress, and its end on Ctrl-C."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from config.errors import ExitCode
from jobs.archive.commit import digest
from jobs.cli import main
from jobs.cli.progress import describe_step, show_size
from jobs.store.local import LocalStore
from jobs.verify import Step
from tests.archives import file_keys, read_lines
from tests.faults import WARC
from tests.real_archives import build_revisited
from tests.site.pages import State

if TYPE_CHECKING:
    from jobs.store.memory import MemoryStore
    from tests.installation import Ofrecord
    from tests.site.server import Site

ENGLISH = "almayadeen-english"


@pytest.fixture
def place(tmp_path: Path) -> tuple[Path, MemoryStore]:
    """A sound archive in a folder, and the same in memory."""
    store = build_revisited(tmp_path / "spool").store
    for item in store.list(""):
        data = store.get(item.key)
        LocalStore(tmp_path / "archive").create(item.key, data, sha256=digest(data))
    return tmp_path / "archive", store


def _words(root: Path, *words: str) -> list[str]:
    return ["verify", "--archive", str(root), "--state", str(root.parent / "state"), "--log-format", "json", *words]


def _verify(root: Path, capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    code = main(_words(root, *words))
    out, err = capsys.readouterr()
    return code, out, err


def test_a_sound_archive(place: tuple[Path, MemoryStore], capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = _verify(place[0], capsys, "--rederive")
    assert code == ExitCode.DONE
    assert "clean (every byte read back)" in out
    assert "6 rederived" in out
    assert err == ""
    code, out, _ = _verify(place[0], capsys)
    assert (code, "rederived" in out, "--full reads every byte back" in out) == (ExitCode.DONE, False, True)


def test_json_is_one_object(place: tuple[Path, MemoryStore], capsys: pytest.CaptureFixture[str]) -> None:
    root, store = place
    key = file_keys(store, WARC)[1]
    (root / key).write_bytes(store.get(key)[:-1])
    code, out, err = _verify(root, capsys, "--full", "--json")
    assert code == ExitCode.DAMAGE
    assert out.count("\n") == 1
    data: dict[str, Any] = json.loads(out)
    assert (data["damaged"], data["full"], data["counts"]["rederived"]) == (True, True, 0)
    cut = [one for one in data["findings"] if one["key"] == key and "offset" in one]
    assert cut[0]["record"] == 11
    assert "inside a gzip member" in cut[0]["message"]
    assert err == ""


def test_what_cannot_be_read_is_damage(place: tuple[Path, MemoryStore], capsys: pytest.CaptureFixture[str]) -> None:
    root, store = place
    for key in (file_keys(store, WARC)[0], file_keys(store, WARC)[2]):
        (root / key).rename(root.parent / "elsewhere")
        (root / key).symlink_to(root.parent / "elsewhere")
        code, out, _ = _verify(root, capsys)
        assert code == ExitCode.DAMAGE
        assert f"damage: {key}: cannot be read: " in out


# --- progress


def _run_on_terminal(words: list[str], **environment: str) -> tuple[int, str, str]:
    """Run the command with a terminal for stderr; return its exit code, stdout and what the terminal got."""
    ours, theirs = pty.openpty()
    try:
        done = subprocess.run(
            [sys.executable, "-m", "jobs", *words],
            stdout=subprocess.PIPE,
            stderr=theirs,
            env={**os.environ, "TERM": "xterm", "COLUMNS": "100", **environment},
            encoding="utf-8",
            timeout=60,
            check=False,
        )
    finally:
        os.close(theirs)
    shown = b""
    try:
        while piece := os.read(ours, 65536):
            shown += piece
    except OSError:  # how Linux says that a terminal's other end is closed
        pass
    finally:
        os.close(ours)
    return done.returncode, done.stdout, shown.decode()


def test_a_terminal_shows_how_far_it_is(place: tuple[Path, MemoryStore]) -> None:
    code, out, shown = _run_on_terminal(_words(place[0], "--full"))
    assert (code, "clean" in out) == (0, True)
    assert "gazette: 0/3 files · 0 B/" in shown
    assert "MB/s · no damage" in shown
    assert shown.endswith("damage\x1b[K\r\x1b[K")
    assert _run_on_terminal(_words(place[0], "--full", "--json"))[2] == ""
    assert _run_on_terminal(_words(place[0], "--full"), TERM="dumb")[2] == ""
    assert _run_on_terminal(_words(place[0]))[2] == ""


def test_a_step_in_one_line() -> None:
    step = Step("gazette", "x", 1, 9, 5 << 20, 3 << 30, damages=2)
    assert describe_step(step, seconds=2) == "gazette: 1/9 files · 5.0 MiB/3.0 GiB · 2.6 MB/s · 2 × damage"
    assert [show_size(size) for size in (0, 1023, 1024, 1 << 20)] == ["0 B", "1023 B", "1.0 KiB", "1.0 MiB"]


# --- Ctrl-C


def _children(pid: int) -> list[int]:
    """Return the workers of *pid*, those that are past their start."""
    found = [int(word) for task in Path(f"/proc/{pid}/task").glob("*/children") for word in task.read_text().split()]
    return [child for child in found if b"crawler.workers.main" in Path(f"/proc/{child}/cmdline").read_bytes()]


def test_ctrl_c_ends_it_at_once_and_leaves_nothing(place: tuple[Path, MemoryStore]) -> None:
    """As a terminal does it, though its workers do not answer."""
    with subprocess.Popen(
        [sys.executable, "-m", "jobs", *_words(place[0], "--rederive")],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        start_new_session=True,
    ) as process:
        deadline = time.monotonic() + 30
        while not (workers := _children(process.pid)) and time.monotonic() < deadline and process.poll() is None:
            time.sleep(0.005)
        assert workers
        for pid in workers:  # else a slow test would come when all is done
            os.kill(pid, signal.SIGSTOP)
        started = time.monotonic()
        os.killpg(process.pid, signal.SIGINT)
        out, err = process.communicate(timeout=30)
    assert process.returncode == ExitCode.INTERRUPTED, err
    assert time.monotonic() - started < 10
    assert (out, "ofrecord: interrupted" in err) == ("", True)
    assert not any(Path(f"/proc/{pid}").exists() for pid in workers)


# --- what a real crawl left


def test_real_crawls_verify_clean_and_their_texts_come_of_their_pages(
    ofrecord: Ofrecord, site: Site, config_dir: Path, archive_dir: Path
) -> None:
    """Crawled again, pages are revisits; and with other rules, earlier ones, revisits too, are derived again."""
    ofrecord("init")
    for state in (State(), State(phase="edited", live=2), State(phase="edited", live=2)):
        site.state = state
        ofrecord("crawl", ENGLISH, "--recheck", "all", "--unconditional")
    path = config_dir / "sources" / f"{ENGLISH}.yaml"
    source = yaml.safe_load(path.read_text("utf-8"))
    source.setdefault("extract", {}).setdefault("remove", []).append(".no-such-box")
    path.write_text(yaml.safe_dump(source, allow_unicode=True), "utf-8")
    ofrecord("crawl", ENGLISH, "--recheck", "all", "--unconditional")
    report = ofrecord("verify", "--rederive", "--json").json()
    assert [one for one in report["findings"] if one["severity"] == "damage"] == []
    store = LocalStore(archive_dir)
    rows = [row for key in list_rows(store) for row in read_lines(store, key)]
    texts = [row for row in rows if row["type"] == "snapshot"]
    assert report["counts"]["rederived"] == len(texts) > 30
    assert sum(bool(row.get("of")) for row in texts) > 5
    assert sum(bool(row.get("revisit_of")) for row in rows) > 10


def list_rows(store: LocalStore) -> list[str]:
    return [item.key for item in store.list("segments/") if item.key.endswith(WARC)]

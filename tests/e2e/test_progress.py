"""The line that shows how a crawl goes, as a person sees it: the real command, a real terminal, the real site."""

from __future__ import annotations

import re
import signal
from typing import TYPE_CHECKING

import pytest

from tests.crawls import Answer, page, serve_site
from tests.installation import install
from tests.terminals import watch

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.crawls import Site
    from tests.installation import Ofrecord
    from tests.terminals import Screen

PAGES = 24
WHOLE = re.compile(
    r"gazette · \d+(/\d+\+?)? pages · \d+\.\d/s · \d+ new · \d+ revised · \d+ failed · [\d.]+ (B|KiB|MiB)"
    r" · spool [\d.]+ (B|KiB|MiB) · (\?|\d+ s) left"
)


@pytest.fixture
def slow_site() -> Iterator[Site]:
    """Announces 24 pages, one of which is not to be had."""
    with serve_site() as site:
        site.publish(PAGES)
        site.answers["/2026/5"] = Answer(b"broken", status=500)  # a crawl would slow down for a 503
        yield site


@pytest.fixture
def ofrecord(slow_site: Site, tmp_path: Path) -> Ofrecord:
    return install(tmp_path, slow_site.describe_source(delay_seconds=0.15, concurrent_requests=1))


def test_a_terminal_shows_how_a_crawl_goes_and_is_left_clean(ofrecord: Ofrecord) -> None:
    with watch(ofrecord.command("crawl", "gazette"), ofrecord.variables()) as watched:
        code, out = watched.finish()
    frames = [frame for frame in watched.screen.frames if frame.startswith("gazette · ")]
    assert code == 0, watched.raw
    assert f"{PAGES} pages · {PAGES - 1} new" in out
    assert watched.screen.text == "", watched.screen.lines
    crawling = [frame for frame in frames if WHOLE.fullmatch(frame)]
    assert len(crawling) > 4, frames
    counts = [int(frame.split()[2].partition("/")[0]) for frame in crawling]
    assert counts == sorted(counts)
    assert 0 < counts[-2] <= PAGES
    assert any(f"/{PAGES} pages" in frame and " 1 failed" in frame for frame in crawling), frames
    news = [int(match[1]) for frame in crawling if (match := re.search(r"(\d+) new", frame))]
    assert news[-1] >= counts[-1] - 1 > 5
    assert watched.screen.colours == 0


def test_what_is_logged_stands_above_the_line(ofrecord: Ofrecord) -> None:
    """By the crawl's process and by its parent, both on the same terminal."""
    words = ("crawl", "gazette", "--log-level", "info", "--log-format", "json")
    with watch(ofrecord.command(*words), ofrecord.variables()) as watched:
        code, _ = watched.finish()
    assert code == 0
    *logged, last = watched.screen.lines
    assert last == ""
    assert all(line.startswith('{"') and line.endswith("}") for line in logged), logged
    events = [re.search(r'"event": ?"([a-z_]+)"', line) for line in logged]
    names = [event[1] for event in events if event]
    assert names.count("captured_page") >= PAGES
    assert {"started_run", "finished_run"} <= set(names)
    assert any(WHOLE.fullmatch(frame) for frame in watched.screen.frames)


def test_a_revised_page_and_a_narrow_terminal(ofrecord: Ofrecord, slow_site: Site) -> None:
    ofrecord("crawl", "gazette", code=None)
    slow_site.answers["/2026/0"] = Answer(page("Page /2026/0, corrected"))
    command = ofrecord.command("crawl", "gazette", "--recheck", "all")
    with watch(command, ofrecord.variables(), columns=60) as watched:
        watched.read_until(lambda screen: has_frame(screen, r"\d+/\d+\+? pages · .* · 1 revised · .* left"))
        assert max(map(len, watched.screen.frames)) <= 59
        watched.resize(30)
        seen = len(watched.screen.frames)
        watched.read_until(lambda screen: len(screen.frames) > seen + 2)
        assert max(map(len, watched.screen.frames[seen + 1 :])) <= 29
        watched.resize(200)
        watched.read_until(lambda screen: has_frame(screen, r"gazette · .* · spool .* left"))
        code, _ = watched.finish()
    assert code == 0
    assert watched.screen.text == ""


def test_ctrl_c_leaves_a_clean_terminal(ofrecord: Ofrecord) -> None:
    with watch(ofrecord.command("crawl", "gazette"), ofrecord.variables()) as watched:
        watched.read_until(lambda screen: has_frame(screen, r"gazette · [1-9]\d*/.*"))
        watched.process.send_signal(signal.SIGINT)
        code, out = watched.finish()
    assert code == 130
    assert "was stopped" in out
    assert watched.screen.text == "", watched.screen.lines


def test_a_list_of_pages_is_counted_from_the_start(ofrecord: Ofrecord, slow_site: Site, tmp_path: Path) -> None:
    (tmp_path / "urls").write_text("".join(f"{slow_site.root}/2026/{number}\n" for number in range(PAGES)))
    words = ("crawl", "gazette", "--urls", tmp_path / "urls", "--limit", "20")
    with watch(ofrecord.command(*words), ofrecord.variables()) as watched:
        watched.finish()
    totals = [match[1] for frame in watched.screen.frames if (match := re.search(r"\d+/(\d+\+?) pages", frame))]
    assert set(totals) <= {"20", "20+"}, watched.screen.frames
    assert totals[1:].count("20") > 3


@pytest.mark.parametrize("case", ["json", "dumb", "pipe", "daemon"])
def test_nothing_of_it_elsewhere(ofrecord: Ofrecord, case: str) -> None:
    words = ["crawl", "gazette", "--limit", "3"]
    words += {"json": ["--json"], "daemon": ["--trigger", "daemon"]}.get(case, [])
    if case == "pipe":
        result = ofrecord(*words, code=None)
        raw, out = result.stderr, result.stdout
        assert result.events()
    else:
        variables = ofrecord.variables() | ({"TERM": "dumb"} if case == "dumb" else {})
        with watch(ofrecord.command(*words), variables) as watched:
            _, out = watched.finish()
        raw = watched.raw
        assert watched.screen.frames == []
    assert "pages ·" not in raw
    assert "\x1b" not in raw
    assert "\x1b" not in out


def test_a_terminal_that_is_no_utf_8_gets_what_it_can_show(ofrecord: Ofrecord) -> None:
    variables = ofrecord.variables() | {"PYTHONIOENCODING": "ascii"}
    with watch(ofrecord.command("job", "gazette"), variables) as watched:
        code, _ = watched.finish()
    assert code == 0
    assert any(re.match(r"gazette \| \d+/\d+ pages \| ", frame) for frame in watched.screen.frames)
    assert watched.raw.isascii()


def test_a_rebuild_says_which_source_it_is_at(ofrecord: Ofrecord) -> None:
    ofrecord("crawl", "gazette", "--limit", "3", code=None)
    with watch(ofrecord.command("index", "--rebuild"), ofrecord.variables()) as watched:
        code, out = watched.finish()
    assert (code, "captures" in out) == (0, True)
    assert watched.screen.frames == ["gazette · source 1 of 1"]
    assert watched.screen.text == ""


def has_frame(screen: Screen, pattern: str) -> bool:
    return any(re.fullmatch(pattern, frame) for frame in screen.frames)

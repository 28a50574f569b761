"""`ofrecord changes` and the feeds of real crawls: the command, the site, processes, archive."""

from __future__ import annotations

import json
import signal
import subprocess
from typing import TYPE_CHECKING, Any

import feedparser
import pytest

from tests.crawls import Answer, page, serve_site, wait_until
from tests.histories import check_archive
from tests.installation import Ofrecord, install
from tests.site.pages import SEED_URL

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.crawls import Site as SmallSite
    from tests.site.server import Site

ENGLISH = "almayadeen-english"


def test_the_seed_article_is_edited_reverted_taken_away_and_comes_back(
    ofrecord: Ofrecord, site: Site, archive_dir: Path
) -> None:
    ofrecord("init")
    written = []
    for phase in ("2023", "edited", "2025", "gone", "gone", "2025"):
        site.phase = phase
        report = ofrecord("crawl", ENGLISH, "--recheck", "all", "--json").json()
        assert report["problems"] == []
        feeds = archive_dir / "feeds"
        written.append(len(json.loads((feeds / "all.json").read_bytes())["items"]) if feeds.exists() else None)
    assert written == [None, 1, 2, 3, 4, 5]  # a run that brings no change writes no feed
    events = ofrecord("changes", "--json").rows()
    assert [event["what"] for event in events] == ["revised", "reverted", "suspected", "gone", "returned"]
    assert {event["url"] for event in events} == {SEED_URL}
    edit = events[0]
    assert set(edit["kinds"]) == {"number", "wording", "paragraph_removed"}
    assert (edit["silent"], edit["backdated"]) == (False, False)
    assert (edit["before"]["revision"], edit["after"]["revision"]) == (1, 2)
    assert edit["before"]["captured_at"] < edit["after"]["captured_at"] == edit["at"]
    assert edit["before"]["text_digest"] == events[1]["after"]["text_digest"] != edit["after"]["text_digest"]
    assert edit["title"].startswith("Blinken claims")
    assert events[3]["evidence"].startswith("soft 404")
    assert [event["before"]["revision"] for event in events[2:]] == [1, 1, 1]
    for ending in ("json", "atom"):
        (own, of_all) = ((archive_dir / "feeds" / f"{name}.{ending}").read_bytes() for name in (ENGLISH, "all"))
        assert all(event["id"].encode() in own and event["id"].encode() in of_all for event in events)
    read = feedparser.parse((archive_dir / "feeds" / "all.atom").read_bytes())
    assert not read.bozo
    assert [entry.title.partition(":")[0] for entry in read.entries][::-1] == [
        "Revised",
        "Reverted",
        "Perhaps gone",
        "Gone",
        "Back",
    ]
    shown = ofrecord("changes", "--what", "revised").stdout
    assert "wording" in shown
    assert "[-almost three-]" in shown
    assert "{+two and a half+}" in shown
    assert "text 1 (" in shown
    report = check_archive(archive_dir)
    assert not report.damaged, [str(finding) for finding in report.findings]
    assert not report.uncommitted
    assert not [finding for finding in report.findings if "feeds" in finding.key]


@pytest.fixture
def small(tmp_path: Path) -> Iterator[tuple[SmallSite, Ofrecord]]:
    with serve_site() as small_site:
        small_site.publish(3)
        yield small_site, install(tmp_path, small_site.describe_source())


def set_title(site: SmallSite, path: str, title: str) -> None:
    site.answers[path] = Answer(page(title))


def first_page(site: SmallSite) -> str:
    return next(path for path in sorted(site.answers) if "html" in site.answers[path].media_type)


def test_a_headline_that_flaps_is_one_event(small: tuple[SmallSite, Ofrecord], tmp_path: Path) -> None:
    site, ofrecord = small
    path = first_page(site)
    for title in ("One headline", "Another headline", "One headline", "Another headline", "One headline"):
        set_title(site, path, title)
        ofrecord("crawl", "gazette", "--recheck", "all")
    (event,) = ofrecord("changes", "--json").rows()
    assert (event["what"], event["texts"], event["times"], event["kinds"]) == ("alternating", [1, 2], 4, ["headline"])
    (item,) = json.loads((tmp_path / "archive" / "feeds" / "gazette.json").read_bytes())["items"]
    assert item["id"] == event["id"]
    assert item["summary"].startswith("alternating between texts 1 and 2, 4 times since ")


def test_followers_hear_of_each_change_once(small: tuple[SmallSite, Ofrecord], tmp_path: Path) -> None:
    site, ofrecord = small
    path = first_page(site)
    for title in ("First", "Second"):
        set_title(site, path, title)
        ofrecord("crawl", "gazette", "--recheck", "all")
    elsewhere = Ofrecord(ofrecord.config, ofrecord.home, {"OFRECORD_STATE_DIR": str(tmp_path / "elsewhere")})
    told = tmp_path / "told.jsonl"
    with told.open("wb") as out:
        follower = subprocess.Popen(
            elsewhere.command("changes", "--json", "--follow", "--interval", "1"),
            env=elsewhere.variables(),
            stdout=out,
            stderr=subprocess.PIPE,
        )
    try:
        wait_until(lambda: len(read_lines(told)) == 1)
        for title in ("Third", "Third", "Fourth"):
            set_title(site, path, title)
            ofrecord("crawl", "gazette", "--recheck", "all")
        wait_until(lambda: len(read_lines(told)) == 3)
        follower.send_signal(signal.SIGTERM)
        _, errors = follower.communicate(timeout=30)
    finally:
        follower.kill()
    assert follower.returncode == 0, errors
    lines = read_lines(told)
    assert [line["after"]["revision"] for line in lines] == [2, 3, 4]
    assert lines == elsewhere("changes", "--json").rows()


def read_lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines(keepends=True) if line.endswith("\n")]


def test_what_is_asked_is_what_is_shown(small: tuple[SmallSite, Ofrecord]) -> None:
    site, ofrecord = small
    paths = [path for path in sorted(site.answers) if "html" in site.answers[path].media_type]
    for titles in (("One man", "A bridge"), ("Two men", "A bridge"), ("Two men", "\x1b[31mA \u202ebridge")):
        for path, title in zip(paths, titles, strict=False):
            set_title(site, path, title)
        ofrecord("crawl", "gazette", "--recheck", "all")
    events = ofrecord("changes", "--json").rows()
    assert [event["what"] for event in events] == ["revised", "revised"]
    assert ofrecord("changes", "--json", "--limit", "1").rows() == events[1:]
    assert ofrecord("changes", "--json", "--url", events[0]["url"]).rows() == events[:1]
    assert ofrecord("changes", "--json", "--class", "headline", "--since", "2 hours").rows() == events
    assert ofrecord("changes", "--json", "--class", "paragraph-removed").rows() == []
    assert ofrecord("changes", "--json", "--what", "gone", "--what", "lost", code=2).stdout == ""
    assert ofrecord("changes", "--json", "--until", events[0]["at"], "--since", "2001-01-01").rows() == events[:1]
    nothing = ofrecord("changes", "--silent")
    assert nothing.stdout == ""
    assert "no such change in 1 source since " in nothing.stderr
    assert "no such change" not in ofrecord("changes", "--json", "--silent").stderr
    shown = ofrecord("changes", "--source", "gazette").stdout
    assert "\x1b" not in shown
    assert "\u202e" not in shown


MISTAKES = {
    "--since yesterday": "--since: found 'yesterday', expected a duration such as 6 hours or 1 day",
    "--since 2026-02-30": "--since: found '2026-02-30', expected",
    "--until 2026-11-22 --since 2026-11-23": "--until: found 2026-11-22T00:00:00Z, expected a time after --since",
    "--class headlin": "--class: found 'headlin'; did you mean headline?",
    "--class zzz": "--class: found 'zzz'; there are typo, wording",
    "--what revisd": "--what: found 'revisd'; did you mean revised?",
    "--source gazete": "no source 'gazete' in this archive; did you mean gazette?",
    "--url https://gazette.example/none": "no capture in this archive",
    "--follow --until 1h": "--until: found beside --follow",
    "--interval 5": "--interval: found without --follow",
}


def test_mistakes_are_told(small: tuple[SmallSite, Ofrecord]) -> None:
    _, ofrecord = small
    ofrecord("crawl", "gazette", "--limit", "1")
    for options, said in MISTAKES.items():
        assert said in ofrecord("changes", *options.split(), code=2).stderr


def test_feeds_can_be_turned_off_and_no_run_fails_for_one(small: tuple[SmallSite, Ofrecord], tmp_path: Path) -> None:
    site, ofrecord = small
    off = Ofrecord(ofrecord.config, ofrecord.home, {"OFRECORD_FEEDS": "false"})
    path, feeds = first_page(site), tmp_path / "archive" / "feeds"
    set_title(site, path, "First")
    ofrecord("crawl", "gazette")
    set_title(site, path, "Second")
    assert off("crawl", "gazette", "--recheck", "all", "--json").json()["revised"] == 1
    assert not feeds.exists()
    feeds.write_bytes(b"a file where a folder is needed")
    set_title(site, path, "Third")
    report = ofrecord("crawl", "gazette", "--recheck", "all", "--json").json()
    assert (report["revised"], report["exit_code"]) == (1, 0)
    assert len(report["problems"]) == 1
    assert "feeds/gazette.json: Not a directory: a file" in report["problems"][0]

"""`ofrecord status` by the real command: of real crawls, on a machine that never crawled, over weeks of an archive."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from jobs.archive.identity import read_info
from jobs.catalog import Catalog
from jobs.store.local import LocalStore
from tests.crawls import Answer, Site, page, serve_site
from tests.installation import install
from tests.newsdesks import FEED, HOST, Newsdesk, Seen
from tests.site.pages import ENGLISH as HOST_NAME

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.installation import Ofrecord
    from tests.site.server import Site as NewsSite

ENGLISH = "almayadeen-english"
WALL = (
    b"<!DOCTYPE html><html><head><title>Just a moment...</title></head><body><h1>Just a moment...</h1>"
    b"<p>Checking your browser before accessing the site.</p></body></html>"
)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def look(ofrecord: Ofrecord, *words: str, code: int = 0) -> dict[str, Any]:
    """Return what the command says of its one source."""
    (found,) = ofrecord("status", *words, "--json", code=code).rows()
    assert isinstance(found, dict)
    return found


def kinds(found: dict[str, Any]) -> list[str]:
    return [reason["kind"] for reason in found["reasons"]]


def test_a_machine_that_never_crawled_shows_how_all_sources_stand(crawled: Ofrecord) -> None:
    told = crawled("status")
    lines = told.stdout.splitlines()
    assert lines[0].split()[:3] == ["source", "state", "since"]
    assert [line.split()[:2] for line in lines[1:] if not line.startswith(" ")] == [
        [f"almayadeen-{name}", "ok"] for name in ("arabic", "english", "spanish")
    ]
    assert told.stdout.count("not judged yet: silence is judged after 14 days") == 3
    rows = crawled("status", "--json", "--strict").rows()
    assert [row["source"] for row in rows] == [f"almayadeen-{name}" for name in ("arabic", "english", "spanish")]
    english = rows[1]
    assert (english["state"], english["since"], english["reasons"]) == ("ok", None, [])
    assert english["extraction"] is None or 0 < english["extraction"] <= 1
    assert english["last_run"] < english["last_success"] <= english["judged_at"]
    assert english["spool_segments"] is None
    assert look(crawled, ENGLISH)["source"] == ENGLISH
    wrong = crawled("status", "almayadeen-klingon", code=2)
    assert "no source 'almayadeen-klingon', neither configured nor in this archive" in wrong.stderr


def test_what_is_configured_and_never_crawled_is_ok_and_says_so(ofrecord: Ofrecord) -> None:
    ofrecord("init")
    assert {row["learning"] for row in ofrecord("status", "--json").rows()} == {"never crawled"}


def test_without_an_archive_nobody_can_say(ofrecord: Ofrecord) -> None:
    ofrecord("status", code=10)


def test_a_certificate_that_ends_is_told_and_its_renewal_ends_that(ofrecord: Ofrecord, site: NewsSite) -> None:
    now = datetime.now(UTC)
    site.change_certificates(now + timedelta(days=5, hours=3))
    ofrecord("init")
    ofrecord("crawl", ENGLISH, "--limit", "2")
    found = look(ofrecord, ENGLISH)
    assert (found["state"], kinds(found)) == ("degraded", ["certificate_ends"])
    assert f"the certificate of {HOST_NAME} ends in 5 days" in found["reasons"][0]["text"]
    ofrecord("status", ENGLISH, "--strict", code=5)
    site.change_certificates(now - HOUR)
    ofrecord("crawl", ENGLISH, "--limit", "2", code=None)
    found = look(ofrecord, ENGLISH, code=5)
    assert (found["state"], kinds(found)[0]) == ("failing", "certificate_refused")
    site.change_certificates(now + 80 * DAY)
    ofrecord("crawl", ENGLISH, "--limit", "2")
    assert look(ofrecord, ENGLISH, "--strict")["state"] == "ok"
    assert ofrecord("verify", "--full").returncode == 0


@pytest.fixture
def gazette() -> Iterator[Site]:
    with serve_site() as running:
        running.publish(4)
        yield running


def test_a_robot_check_on_every_page_is_a_block_until_pages_come_again(gazette: Site, tmp_path: Path) -> None:
    ofrecord = install(tmp_path, gazette.describe_source())
    ofrecord("crawl", "gazette")
    assert look(ofrecord)["state"] == "ok"
    pages = {path: one for path, one in gazette.answers.items() if path.startswith("/2026/")}
    gazette.answers |= dict.fromkeys(pages, Answer(WALL, 403))
    for code in (0, 5):
        ofrecord("crawl", "gazette", "--recheck", "all", code=None)
        found = look(ofrecord, code=code)
    assert (found["state"], kinds(found)) == ("blocked", ["challenge"])
    assert "8 of 8 pages (a robot check 8)" in found["reasons"][0]["text"]
    shown = ofrecord("status", code=5).stdout
    assert "  blocked: refused: 8 of 8 pages (a robot check 8) (challenge)\n" in shown
    gazette.answers |= {path: Answer(page("Edited")) for path in pages}
    ofrecord("crawl", "gazette", "--recheck", "all")
    assert (look(ofrecord, "--strict")["state"], look(ofrecord)["since"]) == ("ok", None)


def test_a_robots_txt_that_forbids_all_is_a_block_with_its_rule(gazette: Site, tmp_path: Path) -> None:
    ofrecord = install(tmp_path, gazette.describe_source())
    ofrecord("crawl", "gazette")
    gazette.answers["/robots.txt"] = Answer(b"User-agent: *\nDisallow: /\n", media_type="text/plain")
    for code in (0, 5):
        ofrecord("crawl", "gazette", "--recheck", "all", code=None)
        found = look(ofrecord, code=code)
    assert found["state"] == "blocked"
    assert kinds(found)[0] == "robots_refuses"
    assert "127.0.0.1/robots.txt says Disallow: /" in found["reasons"][0]["text"]


def test_a_site_that_is_down_is_failing(gazette: Site, tmp_path: Path) -> None:
    ofrecord = install(tmp_path, gazette.describe_source())
    ofrecord("crawl", "gazette")
    gazette.stop()
    for code in (0, 5):
        ofrecord("crawl", "gazette", code=3)
        found = look(ofrecord, code=code)
    assert (found["state"], kinds(found)) == ("failing", ["unreachable"])
    assert "nothing could be had in 2 runs" in found["reasons"][0]["text"]


def write_past(folder: Path, *, silent_days: int, fields: tuple[str, ...] | None = None) -> None:
    """Commit four weeks of runs every four hours until now; nothing new in the last *silent_days*."""
    now = datetime.now(UTC).replace(microsecond=0)
    store = LocalStore(folder / "archive")
    with Catalog.open(folder / "past.sqlite") as catalog:
        desk = Newsdesk(store, read_info(store), catalog, sums_up=True)
        for step in range(28 * 6, 0, -1):
            at = now - step * 4 * HOUR
            new = [Seen(f"{at:%Y%m%d%H}-{n}") for n in range(3)] if step > silent_days * 6 else []
            if fields is not None and step <= 6:
                new = [Seen(one.path, fields=fields) for one in new]
            desk.run(at, [*new, Seen("old", wait=90 * DAY)])


@pytest.fixture
def past(tmp_path: Path) -> Ofrecord:
    """The command with an empty archive and a source that is crawled every four hours."""
    source = {"home": HOST, "discover": [{"feed": FEED}], "schedule": "every 4 hours"}
    return install(tmp_path, source)


def test_a_source_that_fell_silent_is_told_from_thin_facts_too(past: Ofrecord, tmp_path: Path) -> None:
    write_past(tmp_path, silent_days=5)
    found = look(past, code=5)
    assert (found["state"], kinds(found)) == ("silent", ["silent"])
    assert found["learning"].startswith("of what was committed before this machine's state began only first sights")
    assert found["expected_articles"] == pytest.approx(126, rel=0.15)
    whole = look(past, "--full", code=5)
    assert (whole["state"], whole["learning"], whole["reasons"]) == ("silent", None, found["reasons"])
    assert whole["new_articles"] == found["new_articles"]
    assert whole["usual_lag_seconds"] == pytest.approx(20 * 60, rel=0.2)


def test_fields_that_vanish_are_told_from_all_facts(past: Ofrecord, tmp_path: Path) -> None:
    write_past(tmp_path, silent_days=0, fields=("section",))
    found = look(past, "--full", "--strict", code=5)
    assert (found["state"], kinds(found)) == ("degraded", ["fields_vanished"])
    assert "an author on 2 of 8 texts, 98 % before" in found["reasons"][0]["text"]  # two are old
    past("status", "gazette")


def test_what_waits_on_this_disk_is_shown(past: Ofrecord, tmp_path: Path) -> None:
    write_past(tmp_path, silent_days=0)
    look(past, "--full")
    (state,) = (path for path in (tmp_path / "state").iterdir() if path.is_dir())
    begun = datetime.now(UTC) - 5 * HOUR
    folder = state / "spool" / "gazette" / "closed" / f"gazette-{begun:%Y%m%dT%H%M%SZ}-0123456789abcdef"
    folder.mkdir(parents=True)
    (folder / "one.warc.gz").write_bytes(b"x" * 1_200)
    found = look(past)
    assert kinds(found) == ["spool_waits"]
    assert (found["spool_segments"], found["spool_bytes"]) == (1, 1_200)
    assert "1 segment, 1,200 bytes, 5 h" in past("status").stdout


def test_what_an_archive_says_cannot_steer_a_terminal(past: Ofrecord, tmp_path: Path) -> None:
    store = LocalStore(tmp_path / "archive")
    now = datetime.now(UTC).replace(microsecond=0)
    with Catalog.open(tmp_path / "past.sqlite") as catalog:
        desk = Newsdesk(store, read_info(store), catalog)
        rule = "https://gazette.example/robots.txt forbids it (Disallow: /\x1b[2J)"
        for hours in (3, 2, 1):
            refused = [Seen(f"{hours}-{n}", "blocked", None, rule) for n in range(4)]
            desk.run(now - hours * HOUR, refused)
    shown = past("status", code=5).stdout
    assert "Disallow: / [2J" in shown
    assert "\x1b" not in shown
    assert json.loads(past("status", "--json", code=5).stdout)["state"] == "blocked"

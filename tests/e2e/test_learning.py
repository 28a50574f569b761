"""A site with boxes that recur and change: crawled, learned from, crawled again, and its texts no longer move."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.crawls import Answer, Site, serve_site
from tests.histories import check_archive, read_texts
from tests.installation import Ofrecord, install

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.slow

ARTICLES = 6
CHOIRS = ("harbour", "castle", "river", "market", "forest", "island", "mill", "valley")
LETTER = "Our letter brings the day to your table, each morning before six."
FOLLOW = "Tell us what you saw: the desk is there for readers day and night."


def page(number: int, turn: int, *, edited: bool = False) -> bytes:
    """A page whose own words stay, unless it is *edited*; every *turn* the strip in its midst says something else."""
    verdict = "refused" if edited else "agreed"
    text = [
        f"<p>On day {day} town {number} met and {verdict} that its {number + day} bridges be mended.</p>"
        for day in range(8)
    ]
    choir = CHOIRS[(turn * 3 + number) % len(CHOIRS)]
    song = f"Tonight the {choir} choir sings in town {turn}, and everyone may come and listen."
    strip = f'<div class="kx-strip"><p>{song}</p></div>'
    letter = f'<div class="kx-slot css-{turn}a9b{number}c"><p>{LETTER}</p></div>'
    body = "".join([*text[:4], strip, *text[4:6], letter, *text[6:], f"<p>{FOLLOW}</p>"])
    title = f"Town {number} mends its bridges at last"
    head = f"<html><head><title>{title}</title></head>"
    return f"{head}<body><article><h1>{title}</h1>{body}</article></body></html>".encode()


@pytest.fixture
def site() -> Iterator[Site]:
    with serve_site() as site:
        site.announce(*(f"/2026/{number}" for number in range(ARTICLES)))
        yield site


@pytest.fixture
def ofrecord(site: Site, tmp_path: Path) -> Ofrecord:
    return install(tmp_path, site.describe_source(delay_seconds=0))


def crawl(ofrecord: Ofrecord, site: Site, turn: int, *, edited: int | None = None) -> dict[str, int]:
    for number in range(ARTICLES):
        site.answers[f"/2026/{number}"] = Answer(page(number, turn, edited=number == edited))
    report: dict[str, int] = ofrecord("crawl", "gazette", "--recheck", "all", "--json").json()
    return report


def test_texts_no_longer_move_once_the_source_was_learned(site: Site, ofrecord: Ofrecord, tmp_path: Path) -> None:
    file = ofrecord.config / "sources" / "gazette.learned.yaml"
    assert crawl(ofrecord, site, 0)["new"] == ARTICLES
    assert crawl(ofrecord, site, 1)["revised"] == ARTICLES  # each only for its strip
    tried = ofrecord("sources", "learn", "gazette", "--dry-run", "--json").json()
    assert not file.exists()
    assert not tried["written"]
    learned = ofrecord("sources", "learn", "gazette", "--json").json()
    assert {(rule["rule"], rule["value"], rule["basis"]) for rule in learned["rules"]} == {
        ("selector", "div.kx-strip", "changing"),
        ("selector", "div.kx-slot", "recurring"),
        ("line", FOLLOW, "recurring"),
    }
    assert (learned["version"], learned["written"], learned["refused"]) == (1, True, [])
    assert (learned["articles"], learned["captures"], learned["touched_articles"]) == (ARTICLES, 2 * ARTICLES, ARTICLES)
    assert (learned["moved_before"], learned["moved_after"]) == (ARTICLES, 0)
    assert "gazette: valid; learned version 1" in ofrecord("sources", "validate", "gazette").stdout
    assert "learned version 1" in ofrecord("sources", "list").stdout

    third = crawl(ofrecord, site, 2, edited=4)
    assert (third["unchanged"], third["revised"]) == (ARTICLES - 1, 1)  # what was edited still shows
    assert third["uncompared"] == third["reverted"] == 0
    shown = ofrecord("show", f"{site.root}/2026/3").stdout  # its text, as the rules of today read it
    assert "choir" not in shown
    assert LETTER not in shown
    fourth = crawl(ofrecord, site, 3, edited=4)
    assert fourth["unchanged"] == ARTICLES
    last = read_texts(tmp_path / "archive")["gazette", f"{site.root}/2026/4"][-1]
    assert "choir" not in last
    assert LETTER not in last
    assert FOLLOW not in last
    assert last.count("refused") == 8
    again = ofrecord("sources", "learn", "gazette").stdout
    assert "nothing new" in again
    assert not check_archive(tmp_path / "archive").damaged
    ofrecord("verify", "--full", "--rederive")
    (commit,) = (tmp_path / "archive" / "log" / "gazette").glob("*3")
    meanings = json.loads(commit.read_bytes().splitlines()[0])["derivations"].values()
    assert [meaning["rules"]["learned"]["remove"] for meaning in meanings if "learned" in meaning["rules"]]

    file.unlink()
    crawl(ofrecord, site, 4, edited=4)
    last = read_texts(tmp_path / "archive")["gazette", f"{site.root}/2026/4"][-1]
    assert all(line in last for line in ("choir", LETTER, FOLLOW))  # unlearned
    assert not check_archive(tmp_path / "archive").damaged


def test_too_few_articles_teach_nothing(site: Site, ofrecord: Ofrecord) -> None:
    site.announce("/2026/0", "/2026/1")
    crawl(ofrecord, site, 0)
    refused = ofrecord("sources", "learn", "gazette", code=2).stderr
    assert "gazette: found 2 articles with text in this archive, expected 3 at least" in refused


def test_rules_that_are_there_do_not_hide_what_they_were_learned_from(site: Site, ofrecord: Ofrecord) -> None:
    crawl(ofrecord, site, 0)
    crawl(ofrecord, site, 1)
    first = ofrecord("sources", "learn", "gazette", "--json").json()
    crawl(ofrecord, site, 2)
    second = ofrecord("sources", "learn", "gazette", "--json").json()
    assert second["version"] is None  # the same rules: no new version, no other derivation
    assert [rule["value"] for rule in second["rules"]] == [rule["value"] for rule in first["rules"]]

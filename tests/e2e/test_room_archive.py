"""The archive that the tests of the reading room share is what they take it for, and the real command serves it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx

from jobs.room import addresses
from tests.rooms import ARABIC_SOURCE, LIVE_URL, PLANTED_TITLE, PLANTED_URL, SOURCE, SPANISH_SOURCE, TRACKER, serve_room
from tests.site.pages import SEED_URL

if TYPE_CHECKING:
    from tests.rooms import Client, Room


def test_it_holds_what_the_tests_read(room_archive: Room) -> None:
    articles = {row["url"]: row for row in room_archive.ofrecord("list", "--json").rows()}
    assert {row["source"] for row in articles.values()} == {SOURCE, ARABIC_SOURCE, SPANISH_SOURCE}
    states = {url: (articles[url]["state"], articles[url]["revisions"]) for url in (SEED_URL, LIVE_URL, PLANTED_URL)}
    assert states == {SEED_URL: ("gone", 2), LIVE_URL: ("live", 2), PLANTED_URL: ("live", 2)}
    assert articles[PLANTED_URL]["title"] == PLANTED_TITLE
    verdicts = [row["verdict"] for row in room_archive.ofrecord("history", SEED_URL, "--json").rows()]
    assert verdicts == ["new", "revised", "reverted", "suspected", "gone"]
    page = room_archive.ofrecord("show", PLANTED_URL, "--format", "html").stdout
    assert f"https://{TRACKER}/script.js" in page


def test_a_client_in_this_process_reads_it(room_client: Client) -> None:
    answer = room_client.get(addresses.article(SOURCE, SEED_URL))
    assert answer.status_code == 200
    assert "Blinken claims US" in answer.text


def test_the_real_command_serves_it(room_archive: Room) -> None:
    with serve_room(room_archive) as base:
        answer = httpx.get(f"{base}{addresses.article(SOURCE, SEED_URL)}", trust_env=False)
    assert answer.status_code == 200
    assert "Blinken claims US" in answer.text

"""What readers compare and follow in the room, over an archive that the real command made."""

from __future__ import annotations

import re
from html import unescape
from typing import TYPE_CHECKING

import pytest

from jobs.room import addresses
from tests.feeds import check_atom, check_json_feed
from tests.rooms import LIVE_URL, MARK, PLANTED_URL, SOURCE, TRACKER
from tests.site.pages import SEED_URL

if TYPE_CHECKING:
    from tests.rooms import Client

WENT = 'He even clashed with Arab leaders when he brought up the idea of "humanitarian pauses"'


def read_page(client: Client, path: str) -> str:
    answer = client.get(path)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")
    return answer.text


@pytest.mark.parametrize("view", ["", "side"])
def test_the_edit_of_the_article_is_one_changed_line_and_a_paragraph_less(room_client: Client, view: str) -> None:
    path = addresses.compare(SOURCE, SEED_URL, 1, 2, view)
    told = room_client.get(path.replace("/compare?", "/compare.json?")).json()
    changed = [line for one in told["stretches"] for line in one["lines"] if line["change"] != "same"]
    assert [line["change"] for line in changed] == ["changed", "removed"]
    assert told["kinds"] == ["wording", "number", "paragraph_removed"]
    page = unescape(read_page(room_client, path))
    assert re.findall(r"<del>([^<]{,20})</del>", page) == ["almost three", "claimed", "was"] * 2  # text and evidence
    assert f"<del>{WENT}" in page
    assert page.count("lines unchanged</summary>") == 1


def test_posts_of_a_live_page_are_compared(room_client: Client) -> None:
    page = unescape(read_page(room_client, addresses.compare(SOURCE, LIVE_URL, 1, 2)))
    assert "The fair closes at <del>20:00</del><ins>22:00, two hours later than planned</ins>." in page


def test_a_page_that_attacks_is_words(room_client: Client) -> None:
    for view in ("inline", "side"):
        page = read_page(room_client, addresses.compare(SOURCE, PLANTED_URL, 1, 2, view))
        assert f"&lt;script&gt;window.{MARK}" in page
        assert f"<script>window.{MARK}" not in page
        assert TRACKER not in page
        scripts = re.findall(r"<script[^>]*>", page)
        assert len(scripts) == 1, scripts


def test_all_that_a_watch_links_to_is_there(room_client: Client) -> None:
    for asked in ({}, {"source": SOURCE, "url": SEED_URL}, {"words": "bridge"}, {"words": '"humanitarian pauses"'}):
        answer = room_client.get(addresses.watch("json", **asked))
        assert answer.headers["content-type"] == "application/feed+json"
        feed = check_json_feed(answer.content)
        atom = room_client.get(addresses.watch("atom", **asked))
        ids = [one.findtext("{*}id") for one in check_atom(atom.content).findall("{*}entry")]
        assert ids == [item["id"] for item in feed["items"]] != []
        links = {feed["home_page_url"], feed["feed_url"], *(item["url"] for item in feed["items"])}
        for link in links:
            assert room_client.get(link).status_code == 200, link
        assert (
            room_client.get(addresses.watch("json", **asked), if_none_match=answer.headers["etag"]).status_code == 304
        )


def test_pages_name_their_watches(room_client: Client) -> None:
    pages = (
        addresses.front(),
        addresses.front(what=["gone"], source=[SOURCE]),
        addresses.search(words="bridge", source=[SOURCE]),
        addresses.article(SOURCE, SEED_URL),
        addresses.compare(SOURCE, SEED_URL, 1, 2),
        addresses.source(SOURCE),
    )
    for path in pages:
        page = read_page(room_client, path)
        found = re.findall(r'<link rel="alternate" type="application/(atom\+xml|feed\+json)" href="([^"]+)"', page)
        assert [kind for kind, _ in found] == ["atom+xml", "feed+json"], path
        for _, link in found:
            answer = room_client.get(unescape(link))
            assert answer.status_code == 200, link

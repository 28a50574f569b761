"""The article page over a real archive: what was captured is what is shown, cited and saved."""

from __future__ import annotations

import json
import re
from hashlib import sha256
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from jobs.room import addresses
from tests.rooms import ARABIC_SOURCE, LIVE_URL, MARK, PLANTED_TITLE, PLANTED_URL, SOURCE, TRACKER

if TYPE_CHECKING:
    from tests.rooms import Client, Room

SEED = "https://english.almayadeen.net/news/politics/blinken-claims-us--working-very-aggressively--to-send-aid-to"


def read(client: Client, path: str) -> Any:
    answer = client.get(path.replace("/article?", "/article.json?"))
    assert answer.status_code == 200, answer.text
    return json.loads(answer.text)


def test_an_article_that_was_edited_and_taken_down(room_client: Client) -> None:
    path = addresses.article(SOURCE, SEED)
    page, told = room_client.get(path).text, read(room_client, path)
    assert told["state"] == "gone"
    assert told["deletion"]
    assert told["revision_count"] == len(told["revisions"]) >= 2
    assert {"new", "revised", "gone"} <= {one["what"] for one in told["changes"]}
    assert "paragraph_removed" in {kind for one in told["changes"] for kind in one["kinds"]}
    for revision in told["revisions"]:
        one = read(room_client, addresses.article(SOURCE, SEED, revision["number"]))["text"]
        assert one["text_digest"] in revision["texts"].values()
        cited = urlsplit(one["url"])
        assert read(room_client, f"{cited.path}?{cited.query}")["text"] == one
        saved = room_client.get(addresses.text(SOURCE, SEED, "txt", revision["number"]))
        assert f"sha256:{sha256(saved.content).hexdigest()}" == one["text_digest"]
        assert saved.headers["content-type"].startswith("text/plain")
        assert saved.headers["content-disposition"].startswith("attachment; ")
        assert f"# {one['title']}" in room_client.get(addresses.text(SOURCE, SEED, "md", revision["number"])).text
    for capture in told["captures"]:
        assert f'href="{addresses.capture(capture["segment"], capture["n"])}"' in page
    assert '<meta property="og:title" content="Blinken claims US' in page
    assert "application/atom+xml" in page


def test_an_article_of_another_language_and_a_live_blog(room_client: Client, room_archive: Room) -> None:
    arabic = room_client.get(addresses.article(ARABIC_SOURCE, room_archive.find_url(ARABIC_SOURCE))).text
    assert '<article class="article-text" dir="rtl" lang="ar">' in arabic
    live = read(room_client, addresses.article(SOURCE, LIVE_URL))
    assert live["text"]["posts"]
    assert not {post["text"] for post in live["text"]["posts"]} & set(live["text"]["body"])
    assert any(capture["not_modified"] for capture in live["captures"]) or live["revision_count"] > 1


def test_a_page_that_attacks_its_reader_is_text(room_client: Client) -> None:
    page = room_client.get(addresses.article(SOURCE, PLANTED_URL)).text
    assert "&lt;script&gt;" in page
    assert "\\u202e" in page
    assert "\u202e" in PLANTED_TITLE
    assert "\u202e" not in page
    assert re.findall(r"<script[^>]*>", page) == re.findall(r'<script src="/static/room[^"]*\.js">', page)
    assert f"<script>window.{MARK}" not in page
    assert "<img" not in page
    assert not re.search(rf'(?:src|href|action)="[^"]*{re.escape(TRACKER)}', page)
    for form in ("txt", "md", "json"):
        saved = room_client.get(addresses.text(SOURCE, PLANTED_URL, form))
        assert saved.status_code == 200
        assert saved.headers["x-content-type-options"] == "nosniff"
        assert "attachment" in saved.headers["content-disposition"]

"""The page of searches and the command search, over an archive that the real command made."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

import pytest

from jobs.room import addresses
from tests.rooms import MARK, SOURCE

if TYPE_CHECKING:
    from tests.rooms import Client, Room


def ask(client: Client, **asked: object) -> dict[str, Any]:
    answer = client.get("/search.json?" + urlencode(asked, doseq=True))
    assert answer.status_code == 200
    found: dict[str, Any] = answer.json()
    return found


def show(runs: list[dict[str, Any]]) -> str:
    return "".join(f"[{run['text']}]" if run["marked"] else run["text"] for run in runs)


def test_the_seed_is_found_by_a_word_of_the_paragraph_that_was_taken_out(room_client: Client) -> None:
    page = room_client.get("/search?words=ceasefire+bloomberg").text
    assert "<mark>ceasefire</mark>" in page
    found = ask(room_client, words="ceasefire bloomberg")
    (hit,) = found["hits"]
    assert (hit["source"], hit["number"], hit["state"]) == (SOURCE, 1, "gone")
    assert addresses.article(SOURCE, hit["url"], 1).replace("&", "&amp;") in page
    edited = ask(room_client, words="blinken", kind="paragraph_removed", deleted="true")
    assert [one["number"] for one in edited["hits"]] == [2]


@pytest.mark.parametrize(("words", "source"), [("مكتبه عامه", "almayadeen-arabic"), ("sequia", "almayadeen-spanish")])
def test_letters_are_folded_and_marked_as_the_page_has_them(room_client: Client, words: str, source: str) -> None:
    (hit,) = ask(room_client, words=words)["hits"]
    assert hit["source"] == source
    assert show(hit["title"]) in {
        'افتتاح [مكتبة] [عامة] جديدة في "صور": عشرة آلاف كتاب وقاعة للأطفال',
        "Lluvias moderadas alivian la [sequía] en el sur: embalses suben al 48 %",
    }


def test_an_address_finds_its_article_however_it_is_written(room_client: Client) -> None:
    (hit,) = ask(room_client, words="sequia")["hits"]
    for url in (hit["url"], hit["url"] + "/", hit["url"].replace("https", "http"), hit["url"] + "#top"):
        assert [one["url"] for one in ask(room_client, words=url)["named"]] == [hit["url"]]
    assert "At this address" in room_client.get("/search?words=" + quote(hit["url"], safe="")).text
    for words in ("https://nowhere.example/", "https://[", "sequia"):
        assert ask(room_client, words=words)["named"] == []


def test_a_form_that_is_sent_empty_asks_for_nothing(room_client: Client) -> None:
    names = ("words", "source", "language", "section", "author", "kind", "since", "until", "silent", "deleted")
    empty = room_client.get("/search?" + "&".join(f"{name}=" for name in names))
    assert empty.status_code == 200
    assert ask(room_client, **dict.fromkeys(names, ""))["hits"] == ask(room_client)["hits"]


def test_what_is_asked_for_stays_in_the_form_and_in_the_links(room_client: Client) -> None:
    asked = {"words": 'the "room"', "source": SOURCE, "language": "en", "since": "2020-01-01", "silent": "false"}
    page = room_client.get("/search?" + urlencode(asked)).text
    assert 'value="the &#34;room&#34;"' in page
    assert f'<option value="{SOURCE}" selected>' in page
    assert '<input type="date" name="since" value="2020-01-01">' in page
    assert "/watch.atom?texts=true&amp;words=the+%22room%22&amp;source=almayadeen-english&amp;language=en" in page
    assert "<details open>" in page


def test_a_mistake_is_told_beside_the_words(room_client: Client) -> None:
    page = room_client.get('/search?words=one+"two')
    assert page.status_code == 200
    assert "character 5: found a phrase without an end" in page.text
    assert 'aria-invalid="true"' in page.text
    assert ask(room_client, words="a*")["problem"]


@pytest.mark.parametrize(
    "query",
    [
        "kind=nonsense",
        "since=yesterday",
        "silent=perhaps",
        "words=a&words=b",
        "nothing=1",
        "after=" + "9" * 41,
        "words=" + "x" * 501,
    ],
)
def test_what_makes_no_sense_is_refused(room_client: Client, query: str) -> None:
    assert room_client.get(f"/search?{query}").status_code == 400
    answer = room_client.get(f"/search.json?{query}")
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"


def test_times_are_taken_in_every_form_and_both_bounds_count(room_client: Client) -> None:
    newest = ask(room_client)["hits"][0]
    at, day = newest["captured_at"], newest["captured_at"][:10]
    for since in (at, day, at.replace("Z", "+00:00")):
        assert newest in ask(room_client, since=since)["hits"]
    assert newest in ask(room_client, until=day)["hits"]
    assert room_client.get(f"/search?since={day}T00:00:00+00:00").status_code == 200
    assert ask(room_client, until="1999-12-31")["hits"] == []


class _Links(HTMLParser):
    """Gathers what a page has that leads somewhere, runs or is loaded."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [tag] if tag in {"script", "img", "iframe", "style", "object", "embed", "base"} else []
        self.found += [f"{name}={value}" for name, value in attrs if name in {"href", "src", "action", "style"}]
        self.found += [name for name, _ in attrs if name.startswith("on")]


def test_what_a_hostile_page_says_is_text(room_client: Client) -> None:
    page = room_client.get("/search?words=" + quote(f"window {MARK}")).text
    assert f"&lt;script&gt;window.<mark>{MARK}" in page.replace("<mark>window</mark>", "window")
    assert "\u202e" not in page
    links = _Links()
    links.feed(page)
    assert links.found.count("script") == 1
    assert all(one == "script" or re.match("(href|src|action)=(#|/(?!/))", one) for one in links.found)


def test_pages_of_hits_follow_one_another(room_client: Client) -> None:
    first = ask(room_client)
    assert first["order"] == "date"
    seen = {(hit["url"], hit["number"]) for hit in first["hits"]}
    assert len(seen) == min(20, first["total"])
    if first["after"] is not None:
        second = ask(room_client, after=first["after"])
        assert not seen & {(hit["url"], hit["number"]) for hit in second["hits"]}


def test_the_command_finds_what_the_page_finds(room_archive: Room, room_client: Client) -> None:
    rows = room_archive.ofrecord("search", "blinken", "--deleted", "--json").rows()
    assert [(row["url"], row["number"]) for row in rows] == [
        (hit["url"], hit["number"]) for hit in ask(room_client, words="blinken", deleted="true")["hits"]
    ]
    text = room_archive.ofrecord("search", "title:library", "--", "-small")
    assert "Renovated public library opens its doors in Saida" in text.stdout
    assert "1 text, the best first" in text.stderr
    assert json.loads(room_archive.ofrecord("search", "sequía", "--json", "--limit", "1").stdout)["language"] == "es"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (['"a'], "found a phrase without an end"),
        (["a", "--class", "nonsense"], "--class: found 'nonsense'"),
        (["a", "--since", "soon"], "--since: found 'soon'"),
        (["a", "--source", "almayadeen-englich"], "did you mean almayadeen-english?"),
    ],
)
def test_the_command_says_what_it_cannot_search_for(room_archive: Room, arguments: list[str], message: str) -> None:
    result = room_archive.ofrecord("search", *arguments, code=2)
    assert message in result.stderr

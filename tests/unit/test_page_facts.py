"""What a page says of itself and where its links stand; hostile pages among them."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from config.errors import ExtractError
from crawler.discover.page_facts import Alternate, SeenLink
from crawler.discover.pages import MAX_PAGE_LINKS
from crawler.model import Exchange, Purpose
from crawler.workers.documents import read_facts
from crawler.workers.pool import WorkerPool
from crawler.workers.transport import MAX_LINKS, decode_page_facts, encode_page_facts
from tests.hostile import ANNOUNCEMENTS, PAGES

if TYPE_CHECKING:
    from crawler.discover.page_facts import PageFacts
    from tests.hostile import Hostile

URL = "https://gazette.example/news/"
SECONDS = 1.2
TRIES = 3
CASES = [*PAGES, *ANNOUNCEMENTS]


def exchange_of(html: str, *headers: str, media_type: str = "text/html; charset=utf-8") -> Exchange:
    lines = ["HTTP/1.1 200 OK", f"Content-Type: {media_type}", *headers, "", ""]
    return Exchange(
        url=URL,
        purpose=Purpose.SECTION,
        started_at=datetime(2026, 11, 27, 12, tzinfo=UTC),
        seconds=0.1,
        request_head=b"",
        status=200,
        response_head="\r\n".join(lines).encode(),
        body=html.encode(),
    )


def read(body: str, *headers: str, head: str = "", html: str = '<html lang="de-AT">') -> PageFacts:
    return read_facts(exchange_of(f"{html}<head>{head}</head><body>{body}</body></html>", *headers), "ofrecord")


def places(body: str) -> dict[str, str]:
    return {link.url.rpartition("/")[2]: link.place for link in read(body).links}


def test_a_link_stands_where_the_nearest_element_says_that_knows() -> None:
    assert places(
        "<header><a href=/a>Logo</a><nav><a href=/b>World</a></nav></header>"
        "<main><header><a href=/c>Of the story</a></header><article><footer><a href=/d>By Jane</a></footer></article>"
        "<aside><article><a href=/e>Read this</a></article></aside></main>"
        '<div class="site-footer"><a href=/f>Imprint</a></div><ul id="main-menu"><li><a href=/g>Sport</a></ul>'
        "<div role=navigation><a href=/h>More</a></div><p><a href=/i>Anything</a></p>"
    ) == {
        **dict.fromkeys("a", "header"),
        **dict.fromkeys("bgh", "nav"),
        **dict.fromkeys("cdi", "main"),
        **dict.fromkeys("e", "aside"),
        **dict.fromkeys("f", "footer"),
    }


def test_headlines_are_told_from_other_links() -> None:
    facts = read("<h2><a href=/a>One</a></h2><a href=/b><div><h3>Two</h3><p>More</p></div></a><p><a href=/c>Three</a>")
    assert [(link.text, link.headline) for link in facts.links] == [("One", True), ("Two More", True), ("Three", False)]


def test_of_links_to_one_page_the_words_are_kept_and_pictures_tell_theirs() -> None:
    facts = read('<a href=/a><img src=x alt="A bridge"></a><a href=/a>The bridge is open again</a><a href="#x">Up</a>')
    assert facts.links == (SeenLink("https://gazette.example/a", "The bridge is open again", "main"),)
    assert read('<a href=/a><img src=x alt="A bridge"></a>').links[0].text == "A bridge"


def test_what_a_page_says_of_itself() -> None:
    facts = read(
        "<p>Text</p><input type=password>",
        "X-Robots-Tag: noai",
        "tdm-reservation: 1",
        head="<title> The\n Gazette </title><meta name=robots content='noarchive, max-snippet:5'>"
        "<meta property=og:site_name content='Gazette'><link rel=canonical href=/c>"
        "<link rel=next href='?page=2'><link rel='alternate home' type='application/RSS+xml; a=b' "
        "href=/feed title=News>"
        "<link rel=alternate hreflang=en href=https://en.gazette.example/><link rel=alternate href=/none>",
    )
    assert (facts.title, facts.site_name, facts.language) == ("The Gazette", "Gazette", "de-AT")
    assert facts.canonical == "https://gazette.example/c"
    assert facts.next_url == "https://gazette.example/news/?page=2"
    assert set(facts.directives) == {"noai", "noarchive", "max-snippet:5"}
    assert facts.tdm_reservation is True
    assert facts.asks_password
    assert facts.alternates == (
        Alternate("https://gazette.example/feed", "application/rss+xml", None, "News"),
        Alternate("https://en.gazette.example/", None, "en", None),
    )


def test_the_papers_name_is_found_in_json_ld() -> None:
    statement = '{"@graph": [{"@type": "NewsArticle", "publisher": {"name": "The \\ud800 Gazette"}}]}'
    facts = read(
        "",
        head=f'<script type="application/ld+json">[]</script><script type="application/ld+json">{statement}</script>',
    )
    assert facts.site_name == "The \ufffd Gazette"
    assert decode_page_facts(encode_page_facts(facts)) == facts


def test_a_base_moves_links_but_not_the_page() -> None:
    facts = read("<a href=a>A</a>", head="<base href='https://other.example/x/'>")
    assert (facts.url, facts.links[0].url) == (URL, "https://other.example/x/a")


def test_a_shell_for_scripts_is_told_from_a_short_page() -> None:
    assert read("<div id=app></div><script src=/app.js></script>").scripted
    assert not read("<p>Nothing here.</p>").scripted
    assert not read(f"<p>{'A long text. ' * 50}</p><script src=/app.js></script>").scripted


def test_what_is_no_page_says_nothing() -> None:
    with pytest.raises(ExtractError, match="application/pdf is no web page"):
        read_facts(exchange_of("%PDF", media_type="application/pdf"), "ofrecord")
    with pytest.raises(ExtractError, match="empty"):
        read_facts(exchange_of(" "), "ofrecord")


def test_links_are_bounded_and_no_worker_is_believed() -> None:
    facts = read("".join([f"<a href=/{number}>{number}</a>" for number in range(MAX_PAGE_LINKS + 10)]))
    assert len(facts.links) == MAX_PAGE_LINKS
    many = replace(facts, links=facts.links[:1] * (MAX_LINKS + 1))
    for text in (b"{}", b"[" * 100_000, encode_page_facts(many)):
        with pytest.raises(ExtractError):
            decode_page_facts(text)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_no_page_keeps_it_busy(case: Hostile) -> None:
    exchange = case.exchange()
    taken = []
    for _ in range(TRIES):
        start = time.process_time()
        try:
            facts: PageFacts | None = read_facts(exchange, "ofrecord")
        except ExtractError:
            facts = None
        taken.append(time.process_time() - start)
        if taken[-1] < SECONDS:
            break
    assert min(taken) < SECONDS
    if facts is not None:
        assert decode_page_facts(encode_page_facts(facts)) == facts


@pytest.mark.slow
def test_a_worker_reads_it() -> None:
    async def ask() -> PageFacts:
        async with WorkerPool(1, 20.0, 1 << 30) as pool:
            with pytest.raises(ExtractError, match="image/png is no web page"):
                await pool.facts(exchange_of("x", media_type="image/png"), "ofrecord")
            return await pool.facts(exchange_of("<html lang=el><a href=/a>Α</a>"), "ofrecord")

    facts = asyncio.run(ask())
    assert (facts.language, facts.links[0].text) == ("el", "Α")

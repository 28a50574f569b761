"""A preview's parts that ask nobody: why links are in or out, what the archive knows, blocks, lines, the page."""

from __future__ import annotations

import html
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from config.sources import Source
from crawler.compare import LastLook
from crawler.explanation import Explanation, Passage
from crawler.model import Exchange, Link, PageClass, Purpose
from crawler.preview.facts import LinkSeen, ListingSeen, PageSeen, Preview, decode_preview, encode_preview
from crawler.preview.judging import judge_by_robots, judge_link, refuse_listing
from crawler.sites import Sites
from jobs.previews import describe_preview, list_lines, mark_known, render_preview
from jobs.previews.blocks import Piece, list_pieces
from tests.versions import NothingKnown

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)
FEED = "https://gazette.example/rss.xml"


def make_source(**keys: Any) -> Source:
    told = {
        "home": "https://gazette.example/",
        "discover": [{"feed": FEED}],
        "articles": {"include": [r"/20\d\d/", "/أخبار/"], "exclude": ["/video/"]},
    }
    return Source(id="gazette", name="Gazette", **{**told, **keys})


def judge(url: str, source: Source | None = None, **link: Any) -> tuple[bool, str]:
    seen = judge_link(source or make_source(), Link(url, via=FEED, **link))
    return seen.wanted, seen.reason


@pytest.mark.parametrize(
    ("url", "wanted", "reason"),
    [
        ("https://gazette.example/2026/bridge", True, r"articles.include has /20\d\d/"),
        ("https://gazette.example/%D8%A3%D8%AE%D8%A8%D8%A7%D8%B1/1", True, "articles.include has /أخبار/"),
        ("https://gazette.example/2026/video/bridge", False, "articles.exclude has /video/"),
        ("https://gazette.example/about", False, "nothing of articles.include is found in it"),
        ("ftp://gazette.example/2026/", False, "no address of a page: not an http or https URL"),
    ],
)
def test_the_expression_that_decides_is_named(url: str, wanted: bool, reason: str) -> None:
    found = judge(url)
    assert found[0] is wanted
    assert found[1].startswith(reason)


@pytest.mark.parametrize("path", ["/2026/a", "/video/2026/a", "/about", "/أخبار/1", "/2026/video/"])
def test_a_link_is_wanted_if_and_only_if_the_source_takes_it(path: str) -> None:
    source = make_source()
    assert judge(f"https://gazette.example{path}", source)[0] is source.is_article(f"https://gazette.example{path}")


def test_sections_and_languages_decide_too() -> None:
    assert judge("https://gazette.example/sport/2026/a", make_source(sections=["/politics"])) == (
        False,
        "in none of the sections; wanted sections: /politics",
    )
    assert judge("https://gazette.example/2026/a", make_source(languages=["en"]), language="fr") == (
        False,
        "announced as in fr; wanted languages: en",
    )


def read_robots(status: int | None, body: bytes = b"", error: str | None = None) -> Exchange:
    return Exchange(
        url="https://gazette.example/robots.txt",
        purpose=Purpose.ROBOTS,
        started_at=NOW,
        seconds=0.1,
        request_head=b"",
        status=status,
        response_head=b"HTTP/1.1 200 OK\r\n\r\n",
        body=body,
        error=error,
    )


def test_robots_txt_puts_links_out() -> None:
    links = [
        judge_link(make_source(), Link(f"https://gazette.example{path}", FEED)) for path in ("/2026/a", "/2026/b", "/c")
    ]
    body = b"User-agent: ofrecord\nDisallow: /2026/b\n"
    first, second, third = judge_by_robots(links, read_robots(200, body), "ofrecord")
    assert first == links[0]
    assert (second.wanted, second.reason) == (False, "robots.txt forbids it (Disallow: /2026/b)")
    assert third == links[2]
    for answer, why in ((read_robots(503), "status 503"), (read_robots(None, error="no route"), "no route")):
        assert [one.reason for one in judge_by_robots(links[:1], answer, "ofrecord")] == [
            f"robots.txt could not be read ({why}), so nothing of this host is fetched"
        ]


def test_listings_are_refused_as_a_run_refuses_them() -> None:
    own = Sites(["https://gazette.example/"])
    here = Sites(["https://feeds.example/all.xml"])
    assert refuse_listing("https://gazette.example/a.xml", here=here, own=own, depth=0, max_depth=3) is None
    assert refuse_listing("https://feeds.example/b.xml", here=here, own=own, depth=0, max_depth=3) is None
    assert "another site" in str(refuse_listing("https://evil.example/", here=here, own=own, depth=0, max_depth=3))
    deep = refuse_listing("https://gazette.example/a.xml", here=here, own=own, depth=3, max_depth=3)
    assert deep == "deeper than max_depth: 3"


# --- beside the archive


class Known(NothingKnown):
    def __init__(self, looks: Mapping[str, LastLook]) -> None:
        self.looks = looks

    def find_looks(self, urls: Sequence[str]) -> Mapping[str, LastLook]:
        assert len(urls) <= 500
        return {url: self.looks[url] for url in urls if url in self.looks}


def make_link(name: str, *, wanted: bool = True, **keys: Any) -> LinkSeen:
    url = f"https://gazette.example/2026/{name}"
    return LinkSeen(url, url, FEED, wanted, "articles.include has /2026/" if wanted else "out", **keys)


def test_what_the_archive_has_is_fetched_only_if_it_was_changed() -> None:
    before = NOW - timedelta(days=1)
    links = (
        make_link("new"),
        make_link("known"),
        make_link("changed", modified=NOW),
        make_link("unread"),
        make_link("out", wanted=False),
    )
    looks = {link.url: LastLook(before) for link in links if not link.url.endswith("/new")}
    looks[links[3].url] = LastLook(before, state="none")
    preview = Preview(NOW, 3, links=links, links_found=9, links_wanted=6)
    found = mark_known(preview, make_source(), Known(looks), now=NOW, raw_only=False)
    assert [link.wanted for link in found.links] == [True, False, True, True, False]
    assert [link.reason.partition(";")[0] for link in found.links] == [
        "new",
        "known: captured at 2026-11-26 12:00Z, and not announced as changed since",
        "announced as changed since it was captured at 2026-11-26 12:00Z",
        "known without a text: captured at 2026-11-26 12:00Z",
        "out",
    ]
    assert found.links_wanted == 5


def test_many_links_are_looked_up_some_at_a_time() -> None:
    links = tuple(make_link(str(number)) for number in range(1_201))
    preview = Preview(NOW, 3, links=links, links_found=1_201, links_wanted=1_201)
    found = mark_known(preview, make_source(), Known({links[1_200].url: LastLook(NOW)}), now=NOW, raw_only=False)
    assert found.links_wanted == 1_200


# --- blocks


def make_page(text: str | None, *passages: Passage, **keys: Any) -> PageSeen:
    explanation = Explanation(PageClass.ARTICLE, "", has_text=text is not None, passages=passages)
    return PageSeen(
        "https://gazette.example/2026/a", True, "in", status=200, text=text, explanation=explanation, **keys
    )


def make_passage(
    text: str, *, kept: bool = True, reason: str = "", selector: str = "p", matches: int | None = 1
) -> Passage:
    return Passage(kept, reason, selector, matches, len(text), 1, text)


def test_dropped_blocks_stand_where_they_stood() -> None:
    page = make_page(
        "Headline\nFirst line of the story, which goes on.\nSecond line.\nThird line.",
        make_passage("Menu", kept=False, reason="furniture"),
        make_passage("Headline", reason="title"),
        make_passage("First line of the story…"),
        make_passage("Read also", kept=False, reason="related"),
        make_passage("Third line."),
        make_passage("Imprint", kept=False, reason="a tag"),
    )
    assert [(piece.kept, piece.text, piece.reason) for piece in list_pieces(page)] == [
        (False, "Menu", "furniture"),
        (True, "Headline", "title"),
        (True, "First line of the story, which goes on.", ""),
        (False, "Read also", "related"),
        (True, "Second line.", ""),
        (True, "Third line.", ""),
        (False, "Imprint", "a tag"),
    ]


@pytest.mark.parametrize("passages", [0, 3, 400])
def test_each_line_of_the_text_is_there_once_whatever_the_blocks_say(passages: int) -> None:
    lines = [f"line {number}" for number in range(200)]
    said = [make_passage(f"line {(7 * number) % 230}", kept=number % 3 > 0) for number in range(passages)]
    pieces = list_pieces(make_page("\n".join(lines), *said))
    assert [piece.text for piece in pieces if piece.kept] == lines


def test_of_a_page_without_text_the_blocks_alone_are_shown() -> None:
    page = make_page(None, make_passage("A list"), make_passage("Menu", kept=False, reason="furniture"))
    assert list_pieces(page) == [
        Piece(True, "A list", "would be text", "p", 6),
        Piece(False, "Menu", "furniture", "p", 4),
    ]
    assert list_pieces(replace(page, explanation=None)) == []


# --- what is told


def make_preview() -> Preview:
    page = make_page(
        "Headline\nThe story.",
        make_passage("Headline", reason="title"),
        make_passage("The story."),
        make_passage("Menu", kept=False, reason="furniture", selector="nav"),
        way=("https://gazette.example/2026/a/",),
        page_class="article",
        class_reason="one block",
        fields={
            "title": {"value": "Headline", "from": "visible", "confidence": 0.9},
            "published": {"value": "2026-11-27T10:00:00+02:00", "from": "meta", "assumed_zone": "Asia/Beirut"},
            "images": {"value": [{"url": "https://gazette.example/a.png"}], "from": "visible"},
        },
        directives=("noai",),
        still="<p>Headline</p>",
    )
    listings = (
        ListingSeen(FEED, "feed", status=200, links=40, articles=12, first=12),
        ListingSeen("https://gazette.example/map.xml", "sitemap", status=404, error="status 404, expected 200"),
        ListingSeen("https://gazette.example/old.xml", "sitemap", unread="no request is left"),
    )
    links = (*(make_link(str(number)) for number in range(30)), *(make_link(f"o{n}", wanted=False) for n in range(9)))
    return Preview(NOW, 5, listings, links, 39, 30, (page,), over="the limit of 5 requests is reached")


def test_people_are_told_what_is_in_and_out_and_why() -> None:
    lines = list(list_lines(make_source(), make_preview(), 3, ["a note"], links=10))
    text = "\n".join(lines)
    assert lines[0] == "gazette · Gazette · 5 requests, nothing is stored"
    assert f"feed         + {FEED}  (40 links, 12 of articles, 12 not seen before)" in lines
    assert "sitemap      - https://gazette.example/map.xml  (status 404, expected 200)" in lines
    assert "sitemap      - https://gazette.example/old.xml  (not looked at: no request is left)" in lines
    assert "note         a note" in lines
    assert "a run would fetch 30 of 39 pages that are announced" in lines
    assert "and look again at 3 articles that it knows: ofrecord plan" in lines
    assert sum(line.startswith("  in   https") for line in lines) == 5
    assert "  in   … and 25 more" in lines
    assert "  out  9 × out" in lines
    assert "  published  2026-11-27T10:00:00+02:00  (meta, zone assumed: Asia/Beirut)" in text
    assert "and 1 more field" in text
    assert "2 kept, 1 dropped" in text
    assert list(list_lines(make_source(), make_preview(), None, [], links=0))


def test_scripts_are_told_everything_but_the_page_itself() -> None:
    first, *rest = describe_preview(make_source(), make_preview(), None, [])
    assert (first["type"], first["wanted"], first["due"], first["over"]) == (
        "preview",
        30,
        None,
        "the limit of 5 requests is reached",
    )
    assert [one["type"] for one in rest].count("link") == 39
    page = rest[-1]
    assert page["type"] == "page"
    assert page["fields"]["published"]["assumed_zone"] == "Asia/Beirut"
    assert "still" not in page


def test_a_preview_comes_through_json_unchanged() -> None:
    preview = make_preview()
    assert decode_preview(encode_preview(preview)) == preview


# --- the page

EVIL = "</style></title><script>alert(1)</script>\"'><img src=x onerror=alert(1)>\u202e"


def make_evil_preview() -> Preview:
    page = make_page(
        EVIL,
        make_passage(EVIL, reason=EVIL, selector=EVIL),
        make_passage(EVIL, kept=False, reason=EVIL, selector="p{}</style>"),
        make_passage("x", kept=False, reason="y", selector="p.ad"),
        title=EVIL,
        fields={EVIL: {"value": [EVIL, {"url": EVIL}], "from": EVIL, "assumed_zone": EVIL}},
        class_reason=EVIL,
        error=EVIL,
        directives=(EVIL,),
        way=(EVIL,),
        still=EVIL,
    )
    link = replace(make_link("a"), title=EVIL, reason=EVIL, url=f"https://gazette.example/{EVIL}")
    listing = ListingSeen(f"https://gazette.example/{EVIL}", "feed", error=EVIL)
    return Preview(
        NOW, 5, (listing,), (link, make_link("b", wanted=False)), 2, 1, (replace(page, url=EVIL),), over=EVIL
    )


def test_nothing_that_a_page_says_becomes_a_tag_of_ours() -> None:
    page = render_preview(make_evil_preview(), source="gazette", name=EVIL)
    outer = re.sub(r'(srcdoc|href)="[^"]*"', "", page)
    assert "<script" not in outer
    assert "<img" not in outer
    assert "\u202e" not in outer
    assert page.count("<iframe ") == 1
    assert page.count("</style>") == 1
    assert page.count("</title>") == 1


def test_what_was_served_stands_in_a_frame_without_scripts_that_loads_nothing() -> None:
    page = render_preview(make_evil_preview(), source="gazette", name="Gazette")
    (frame,) = re.findall(r"<iframe [^>]*>", page)
    assert re.match(r'<iframe sandbox title="[^"]*" srcdoc="', frame)
    (policy,) = set(re.findall(r'<meta http-equiv="Content-Security-Policy" content="([^"]*)">', page))
    assert "default-src 'none'" in policy
    assert not re.search(r"https?:|\*|script-src|img-src|connect-src|frame-src", policy)
    inner = html.unescape(re.findall(r'srcdoc="([^"]*)"', page)[0])
    assert inner.startswith(f'<meta http-equiv="Content-Security-Policy" content="{policy}">')


def test_kept_and_dropped_blocks_are_marked_on_both_sides() -> None:
    page = render_preview(make_preview(), source="gazette", name="Gazette")
    inner = html.unescape(re.findall(r'srcdoc="([^"]*)"', page)[0])
    assert "nav{outline:1px dashed" in inner
    assert "p{" not in inner, "a selector that names two blocks, and one element, is not to be trusted"
    assert '<p class="kept">The story.</p>' in page
    assert re.search(r'<p class="dropped"><span class="why" dir="ltr">furniture · nav</span>Menu</p>', page)
    evil = render_preview(make_evil_preview(), source="gazette", name="Gazette")
    assert re.findall(r"([^\n>]*)\{outline", html.unescape(re.findall(r'srcdoc="([^"]*)"', evil)[0])) == ["p.ad"]

"""Sitemaps as publishers write them, and the work that a document may cost."""

from __future__ import annotations

import gc
from collections import Counter
from datetime import UTC, datetime

import pytest

from crawler.discover import discover_links, finder, markup
from crawler.model import Discovery, Purpose
from crawler.urls import MAX_URL_CHARACTERS

SITE = "https://gazette.example"
SPACES = (
    'xmlns="http://www.sitemaps.org/schemas/sitemap/0.9" xmlns:news="http://www.google.com/schemas/sitemap-news/0.9" '
    'xmlns:image="http://www.google.com/schemas/sitemap-image/1.1" xmlns:xhtml="http://www.w3.org/1999/xhtml" '
    'xmlns:video="http://www.google.com/schemas/sitemap-video/1.1"'
)


def find(body: bytes | str, *, purpose: Purpose = Purpose.SITEMAP, limit: int = 100) -> Discovery:
    raw = body.encode() if isinstance(body, str) else body
    return discover_links(raw, url=f"{SITE}/maps/1.xml", purpose=purpose, media_type="text/plain", limit=limit)


def urls_of(discovery: Discovery) -> list[str]:
    return [link.url.removeprefix(SITE) for link in discovery.links]


ENTRIES = {
    "an address": ("<loc>/1</loc>", "/1"),
    "white space and CDATA": ("<loc>\n <![CDATA[/1?a=1&b=2]]> </loc>", "/1?a=1&b=2"),
    "entities": ("<loc>/1?a=1&amp;b=2&#38;c=&#x33;&apos;</loc>", "/1?a=1&b=2&c=3'"),
    "bare ampersands": ("<loc>/1?a=1&b=2&copy=3</loc>", "/1?a=1&b=2&copy=3"),
    "relative": ("<loc>1</loc>", "/maps/1"),
    "no scheme": ("<loc>gazette.example/1</loc>", "/1"),
    "another host": ("<loc>https://other.example/1</loc>", "https://other.example/1"),
    "a picture's address": ("<image:image><image:loc>/9</image:loc></image:image><loc>/1</loc>", "/1"),
    "a picture's address out of place": ("<image:loc>/9</image:loc>", None),
    "a picture's address without a prefix": ("<image:image><loc>/9</loc></image:image>", None),
    "translations": ("<xhtml:link rel='alternate' hreflang='fr' href='/9'/><loc>/1</loc>", "/1"),
    "a video": ("<loc>/1</loc><video:video><video:content_loc>/9</video:content_loc></video:video>", "/1"),
    "the first of two": ("<loc>/1</loc><loc>/9</loc>", "/1"),
    "none": ("<lastmod>2023-11-07</lastmod>", None),
    "empty": ("<loc/>", None),
    "in capitals": ("<LOC>/1</LOC>", "/1"),
    "within something": ("<x><loc>/9</loc></x>", None),
}


@pytest.mark.parametrize(("entry", "path"), ENTRIES.values(), ids=ENTRIES)
def test_entries(entry: str, path: str | None) -> None:
    found = find(f"<urlset {SPACES}><url>{entry}</url><url><loc>/2</loc></url></urlset>")
    assert urls_of(found) == [*([] if path is None else [path]), "/2"]
    assert found.error is None


def test_what_is_said_of_an_entry() -> None:
    entry = (
        "<loc>/1</loc><lastmod>2023-11-06T12:00:00+02:00</lastmod><image:image><image:title>Picture</image:title>"
        "</image:image><video:video><video:title>Film</video:title><video:publication_date>2001-01-01"
        "</video:publication_date></video:video><news:news><news:publication><news:name>G</news:name>"
        "<news:title>Paper</news:title></news:publication><news:publication_date>2023-11-07</news:publication_date>"
        "<news:title>One &amp;amp; two</news:title></news:news>"
    )
    (link,) = find(f"<urlset {SPACES}><url>{entry}</url></urlset>").links
    assert link.title == "One & two"
    assert link.published == datetime(2023, 11, 7, tzinfo=UTC)
    assert link.modified == datetime(2023, 11, 6, 10, tzinfo=UTC)
    assert link.purpose is Purpose.ARTICLE


@pytest.mark.parametrize(
    ("said", "language"),
    [("EN", "en"), (" zh-tw\n", "zh-tw"), ("English", None), ("", None), ("x" * 50, None)],
)
def test_language_of_an_entry(said: str, language: str | None) -> None:
    news = f"<news:news><news:publication><news:language>{said}</news:language></news:publication></news:news>"
    first, second = find(
        f"<urlset {SPACES}><url><loc>/1</loc>{news}</url><url><loc>/2</loc><xhtml:a><language>fr</language></xhtml:a>"
        "</url></urlset>"
    ).links
    assert (first.language, second.language) == (language, None)


@pytest.mark.parametrize(
    "body",
    [
        "<s:urlset xmlns:s='http://www.sitemaps.org/schemas/sitemap/0.9'><s:url><s:loc>/1</s:loc></s:url></s:urlset>",
        "<urlset xmlns='https://wrong.example/'><url><loc>/1</loc></url></urlset>",
        "<urlset><url><loc>/1</loc></url></urlset>",
        "<URLSET><URL><LOC>/1</LOC></URL></URLSET>",
        "<!DOCTYPE urlset><?xml-stylesheet href='x.xsl'?><urlset><url><loc>/1</loc></url></urlset>",
        "<urlset><url><loc>/1</loc></url></urlset><script>count()</script>",
        "<urlset><url><loc>/1</loc></url></wrong>",
        "<urlset><url><loc>/1</loc></url><url><loc>/2",
    ],
)
def test_forms_of_a_sitemap(body: str) -> None:
    assert urls_of(find(body)) == ["/1"]
    assert urls_of(find(body, purpose=Purpose.FEED)) == ["/1"]


def test_an_index_keeps_its_order_and_may_hold_pages() -> None:
    found = find(
        f"<sitemapindex {SPACES}><sitemap><loc>/b.xml</loc><lastmod>2023-11-06</lastmod></sitemap>"
        "<sitemap><loc>/a.xml</loc><lastmod>2023-11-07</lastmod></sitemap><url><loc>/1</loc></url>"
        "<sitemap><loc>https://other.example/c.xml</loc></sitemap></sitemapindex>"
    )
    assert [(link.url.removeprefix(SITE), link.purpose.value) for link in found.links] == [
        ("/b.xml", "sitemap"),
        ("/a.xml", "sitemap"),
        ("/1", "article"),
        ("https://other.example/c.xml", "sitemap"),
    ]


def test_a_list_of_urls_in_any_shape() -> None:
    text = f"# comment\r\n  {SITE}/1  \r{SITE}/2\n\n{SITE}/2\nftp://x\n{SITE}/é\nHTTPS://GAZETTE.example/3"
    assert urls_of(find(text)) == ["/1", "/2", "/é", "/3"]
    assert urls_of(find(text.encode("utf-16"))) == ["/1", "/2", "/é", "/3"]
    assert (len(find(text, limit=2).links), find(text, limit=2).truncated) == (2, True)


MANY = 3_000
BIG = {
    "items": (Purpose.FEED, "<rss>" + "<item/>" * MANY),
    "elements": (Purpose.FEED, "<rss>" + "<x/>" * MANY),
    "attributes": (Purpose.FEED, "<rss>" + '<x a="" b="" c=""/>' * MANY),
    "links": (Purpose.SITEMAP, "<urlset>" + "<url><loc>/same</loc></url>" * MANY),
    "hosts": (Purpose.SITEMAP, "<urlset>" + "<url><loc>//é.example/</loc></url>" * MANY),
    "no links": (Purpose.SITEMAP, "<urlset>" + "<url><loc>https://[</loc></url>" * MANY),
    "bad dates": (Purpose.SITEMAP, "<urlset>" + "<url><loc>/1</loc><lastmod>yesterday</lastmod></url>" * MANY),
    "bases": (Purpose.FEED, "<rss>" + "<x xml:base='/y/'/>" * MANY),
    "titles": (Purpose.FEED, "<rss>" + f"<item><title>{'&lt;' * 600}</title><link>/1</link></item>" * MANY),
}


@pytest.mark.parametrize(("purpose", "body"), BIG.values(), ids=BIG)
def test_work_is_bounded(purpose: Purpose, body: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(finder, "MAX_WORK", 2_000)
    found = find(body, purpose=purpose)
    kind, _, read = str(found.error).partition(" is too much to read; the first ")
    assert kind == purpose.value
    assert 0 < int(read.removesuffix(" bytes were read")) < len(body)


@pytest.mark.parametrize(
    ("purpose", "body"),
    [
        (Purpose.SITEMAP, "https://gazette.example/é\n" * MANY),
        (Purpose.FEED, '{"items": [' + '{"url": "/1"},' * MANY),
        (Purpose.FEED, '{"items": [' + "{}," * MANY),
        (Purpose.SECTION, '<a href="/é">x</a>' * MANY),
    ],
)
def test_work_without_xml_is_bounded_too(purpose: Purpose, body: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(finder, "MAX_WORK", 2_000)
    assert find(body, purpose=purpose).error == f"the {purpose} is too much to read; only its beginning was"


def test_bytes_beyond_the_limit_are_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    body = "<urlset>" + "".join(f"<url><loc>/{number}</loc></url>" for number in range(50)) + "</urlset>"
    monkeypatch.setattr(markup, "MAX_READ_BYTES", 500)
    found = find(body)
    assert urls_of(found) == [f"/{number}" for number in range(len(found.links))]
    assert 10 < len(found.links) < 30
    assert found.error == "sitemap is too much to read; the first 500 bytes were read"


def test_an_element_with_very_many_attributes_ends_the_reading() -> None:
    crowd = " ".join(f"a{number}='>'" for number in range(markup.MAX_ATTRIBUTES + 1))
    found = find(f"<urlset><url><loc>/1</loc></url><x {crowd}/><url><loc>/2</loc></url></urlset>")
    assert urls_of(found) == ["/1"]
    assert "is too much to read" in str(found.error)


def test_very_many_different_elements_end_the_reading() -> None:
    names = "".join(f"<x{number}/>" for number in range(markup.MAX_NAMES + 1))
    for root, purpose in (("urlset", Purpose.SITEMAP), ("rss", Purpose.FEED)):
        assert "different elements" in str(find(f"<{root}>{names}</{root}>", purpose=purpose).error)


@pytest.mark.parametrize(
    ("purpose", "form"),
    [
        (Purpose.SITEMAP, "<urlset><url><loc>{}</loc></url></urlset>"),
        (Purpose.SITEMAP, "{}\n"),
        (Purpose.FEED, "<rss><item><link>{}</link></item></rss>"),
        (Purpose.FEED, '{{"items": [{{"url": "{}"}}]}}'),
        (Purpose.SECTION, '<a href="{}">x</a>'),
    ],
)
def test_a_url_is_taken_whole_or_not_at_all(purpose: Purpose, form: str) -> None:
    longest = f"{SITE}/".ljust(MAX_URL_CHARACTERS, "x")
    assert [link.url for link in find(form.format(longest), purpose=purpose).links] == [longest]
    for more in (1, 2, 10_000):
        assert find(form.format(longest + "x" * more), purpose=purpose).links == ()


def test_a_hundred_thousand_links() -> None:
    body = "<urlset>" + "".join(f"<url><loc>{SITE}/{n}</loc></url>" for n in range(100_000)) + "</urlset>"
    found = find(body, limit=200_000)
    assert Counter(link.purpose for link in found.links) == {Purpose.ARTICLE: 100_000}
    assert found.error is None


def test_a_document_that_was_read_leaves_nothing_behind() -> None:
    """Reader and parser hold each other while they read; 50,000 links stayed until Python looked for such circles."""
    entries = "".join(f"<url><loc>/{number}</loc></url>" for number in range(500))
    gc.collect()
    gc.disable()
    try:
        assert len(find(f"<urlset>{entries}</urlset>", limit=500).links) == 500
        assert gc.collect() < 100
    finally:
        gc.enable()

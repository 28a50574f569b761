from __future__ import annotations

import gzip
import random
import zlib
from collections import Counter
from datetime import UTC, datetime

import pytest

from crawler.discover import discover_links, unpack
from crawler.model import Discovery, Purpose

SITE = "https://gazette.example"


def find(body: bytes | str, purpose: Purpose, *, url: str = f"{SITE}/feed", limit: int = 100) -> Discovery:
    raw = body.encode() if isinstance(body, str) else body
    return discover_links(raw, url=url, purpose=purpose, media_type=None, limit=limit)


def urls_of(discovery: Discovery) -> list[str]:
    return [link.url for link in discovery.links]


RSS = """<?xml version="1.0" encoding="utf-8"?>
<rss version="2.0"><channel><title>G</title><link>https://gazette.example/</link>
<item><title>One &amp; more</title><link>https://gazette.example/1</link>
<pubDate>Tue, 07 Nov 2023 12:02:00 +0200</pubDate></item>
<item><title>Two</title><link>/2?a=1&amp;b=2</link></item>
<item><title>Three</title><link>//cdn.gazette.example/3</link></item>
<item><title>Four</title><link>gazette.example/4</link></item>
<item><title>Five</title><guid isPermaLink="true">https://gazette.example/5</guid></item>
<item><title>No link</title><guid>tag:1</guid></item>
<item><title>Again</title><link>https://gazette.example/1</link></item>
<item><title>Mail</title><link>mailto:me@gazette.example</link></item>
</channel></rss>"""

ATOM = """<feed xmlns="http://www.w3.org/2005/Atom"><title>G</title>
<entry><title>One</title><link rel="alternate" href="/1"/><link rel="self" href="/1.atom"/>
<published>2023-11-06T16:21:00+02:00</published><updated>2023-11-07T16:21:00Z</updated></entry></feed>"""

JSON_FEED = """{"version": "https://jsonfeed.org/version/1.1", "title": "G", "items": [
{"id": "1", "url": "https://gazette.example/1", "title": "One", "date_published": "2023-11-06T16:21:00+02:00"},
{"id": "https://gazette.example/2"}, {"id": 3}, "four", {"url": 5}]}"""

SITEMAP = """<?xml version="1.0" encoding="utf-8"?>
<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9" xmlns:news="http://www.google.com/schemas/sitemap-news/0.9"
 xmlns:image="http://www.google.com/schemas/sitemap-image/1.1">
<url><loc> https://gazette.example/1 </loc><lastmod>2023-11-06T16:21:00+02:00</lastmod>
<image:image><image:loc>https://gazette.example/1.jpg</image:loc><image:title>Picture</image:title></image:image></url>
<url><loc><![CDATA[https://gazette.example/2?a=1&b=2]]></loc><news:news><news:publication><news:name>G</news:name>
</news:publication><news:publication_date>2023-11-07</news:publication_date><news:title>Two</news:title></news:news></url>
<url><lastmod>2023-11-06</lastmod></url>
</urlset>"""


def test_rss() -> None:
    found = find(RSS, Purpose.FEED)
    assert urls_of(found) == [
        f"{SITE}/1",
        f"{SITE}/2?a=1&b=2",
        "https://cdn.gazette.example/3",
        f"{SITE}/4",
        f"{SITE}/5",
    ]
    first = found.links[0]
    assert (first.title, first.published, first.modified) == (
        "One & more",
        datetime(2023, 11, 7, 10, 2, tzinfo=UTC),
        None,
    )
    assert (first.via, first.purpose) == (f"{SITE}/feed", Purpose.ARTICLE)
    assert (found.error, found.truncated) == (None, False)


def test_atom() -> None:
    (link,) = find(ATOM, Purpose.FEED).links
    assert link.url == f"{SITE}/1"
    assert link.published == datetime(2023, 11, 6, 14, 21, tzinfo=UTC)
    assert link.modified == datetime(2023, 11, 7, 16, 21, tzinfo=UTC)


def test_json_feed() -> None:
    found = find(JSON_FEED, Purpose.FEED)
    assert urls_of(found) == [f"{SITE}/1", f"{SITE}/2"]
    assert found.links[0].published == datetime(2023, 11, 6, 14, 21, tzinfo=UTC)
    assert found.error is None


def test_sitemap_with_news() -> None:
    found = find(SITEMAP, Purpose.SITEMAP)
    assert urls_of(found) == [f"{SITE}/1", f"{SITE}/2?a=1&b=2"]
    assert found.links[0].modified == datetime(2023, 11, 6, 14, 21, tzinfo=UTC)
    assert found.links[0].title is None
    assert found.links[1].published == datetime(2023, 11, 7, tzinfo=UTC)
    assert found.links[1].title == "Two"
    assert found.error is None


def test_sitemap_index() -> None:
    body = f"<sitemapindex><sitemap><loc>{SITE}/a.xml.gz</loc><lastmod>2023-11-07</lastmod></sitemap></sitemapindex>"
    (link,) = find(body, Purpose.SITEMAP).links
    assert (link.purpose, link.modified) == (Purpose.SITEMAP, datetime(2023, 11, 7, tzinfo=UTC))


def test_sitemap_as_a_list_of_urls() -> None:
    for end in ("\r\n", "\n", "\r"):
        found = find(f"\ufeff{SITE}/1{end}{SITE}/2{end}rubbish{end}", Purpose.SITEMAP)
        assert urls_of(found) == [f"{SITE}/1", f"{SITE}/2"]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8-sig", "iso-8859-1"])
@pytest.mark.parametrize("purpose", [Purpose.FEED, Purpose.SITEMAP])
def test_encodings(encoding: str, purpose: Purpose) -> None:
    text = {Purpose.FEED: RSS, Purpose.SITEMAP: SITEMAP}[purpose].replace("gazette.example/1<", "gazette.example/é<")
    text = text.replace("gazette.example/1 <", "gazette.example/é<")
    declared = "utf-8" if encoding == "utf-8-sig" else encoding
    found = find(text.replace('encoding="utf-8"', f'encoding="{declared}"').encode(encoding), purpose)
    assert found.links[0].url == f"{SITE}/é"


@pytest.mark.parametrize(
    ("asked", "body", "count"), [(Purpose.FEED, SITEMAP, 2), (Purpose.SITEMAP, RSS, 5), (Purpose.SITEMAP, ATOM, 1)]
)
def test_a_document_is_read_as_what_it_is(asked: Purpose, body: str, count: int) -> None:
    assert len(find(body, asked).links) == count


@pytest.mark.parametrize(
    "body", ["<!DOCTYPE html><html><body><a href='/1'>x</a>", "\ufeff <!-- hello -->\n<HTML>", "<html><item><link>x"]
)
@pytest.mark.parametrize("purpose", [Purpose.FEED, Purpose.SITEMAP])
def test_html_in_place_of_a_feed_is_an_error(body: str, purpose: Purpose) -> None:
    found = find(body, purpose)
    assert found.error == f"found HTML where a {purpose} should be"
    assert found.links == ()


FEED_LINKS = """<link rel="stylesheet" type="text/css" href="/x.css"><link rel="alternate" hreflang="fr" href="/fr">
<link rel="alternate" type="application/rss+xml" title="All" href="/rss.xml">
<link rel="ALTERNATE home" type="Application/Atom+XML; charset=utf-8" href="https://feeds.example/atom">"""


def test_html_in_place_of_a_feed_is_asked_for_its_feed() -> None:
    page = f"<!doctype html><html><head>{FEED_LINKS}</head><body>Hello"
    found = find(page, Purpose.FEED)
    assert found.links == ()
    assert found.error == f"found HTML where a feed should be; the page names {SITE}/rss.xml as its feed"
    assert find(page, Purpose.SITEMAP).error == "found HTML where a sitemap should be"
    itself = find(page, Purpose.FEED, url=f"{SITE}/rss.xml")
    assert itself.error == "found HTML where a feed should be; the page names https://feeds.example/atom as its feed"


def test_what_the_server_says_of_itself_before_the_document() -> None:
    warning = "<br />\n<b>Warning</b>:  something in <b>/feed</b> on line 7<br />\n"
    for purpose, document in ((Purpose.FEED, RSS), (Purpose.SITEMAP, SITEMAP)):
        assert find(warning + document, purpose) == find(document, purpose)
        assert find("\n \t" + document, purpose) == find(document, purpose)
        assert find("<!-- made by hand -->\n" + document, purpose) == find(document, purpose)
    assert str(find(warning, Purpose.FEED).error).startswith("found HTML")


@pytest.mark.parametrize("body", ["", "  \n", "words", "\x00\x01", "{", "{}", "[1]", '{"items": 5}', "<x/>", "<"])
@pytest.mark.parametrize("purpose", [Purpose.FEED, Purpose.SITEMAP])
def test_what_is_no_feed_is_an_error(body: str, purpose: Purpose) -> None:
    found = find(body, purpose)
    assert found.error
    assert found.links == ()


def test_an_empty_feed_is_no_error() -> None:
    assert find("<rss version='2.0'><channel><title>G</title></channel></rss>", Purpose.FEED) == Discovery()
    assert find("<urlset></urlset>", Purpose.SITEMAP) == Discovery()


def test_what_comes_before_a_cut_counts() -> None:
    cut = RSS[: RSS.index("<link>/2") + 8]
    found = find(cut, Purpose.FEED)
    assert urls_of(found) == [f"{SITE}/1"]
    assert found.error is not None
    assert found.error.startswith("damaged feed")
    cut = SITEMAP[: SITEMAP.index("?a=1")]
    found = find(cut, Purpose.SITEMAP)
    assert urls_of(found) == [f"{SITE}/1"]
    assert found.error is not None
    assert found.error.startswith("damaged sitemap")


def test_bare_ampersand_in_a_sitemap_is_read() -> None:
    body = f"<urlset><url><loc>{SITE}/?a=1&b=2</loc></url><url><loc>{SITE}/?c=1&amp;d=2</loc></url></urlset>"
    found = find(body, Purpose.SITEMAP)
    assert urls_of(found) == [f"{SITE}/?a=1&b=2", f"{SITE}/?c=1&d=2"]
    assert found.error is None


BOMB = '<!DOCTYPE {0} [<!ENTITY a "aaaaaaaaaa">' + "".join(
    f'<!ENTITY {chr(98 + n)} "{"&" + chr(97 + n) + ";"}{("&" + chr(97 + n) + ";") * 9}">' for n in range(12)
)


def test_entities_are_never_expanded() -> None:
    bomb = BOMB.format("urlset") + f"]><urlset><url><loc>{SITE}/&m;</loc></url></urlset>"
    found = find(bomb, Purpose.SITEMAP)
    assert found.links == ()
    assert found.error is not None
    assert "entities" in found.error
    bomb = BOMB.format("rss") + f"]><rss version='2.0'><channel><item><link>{SITE}/&m;</link></item></channel></rss>"
    assert all(len(url) < 200 for url in urls_of(find(bomb, Purpose.FEED)))


@pytest.mark.parametrize("purpose", [Purpose.FEED, Purpose.SITEMAP])
def test_external_entities_are_never_read(purpose: Purpose, tmp_path_factory: pytest.TempPathFactory) -> None:
    secret = tmp_path_factory.mktemp("x") / "secret"
    secret.write_text("hunter2", encoding="utf-8")
    root, item = ("rss", "item><link") if purpose is Purpose.FEED else ("urlset", "url><loc")
    ends = "</link></item>" if purpose is Purpose.FEED else "</loc></url>"
    doctype = f'<!DOCTYPE {root} [<!ENTITY x SYSTEM "{secret.as_uri()}">]>'
    body = f'{doctype}<{root} version="2.0"><{item}>{SITE}/&x;{ends}</{root}>'
    assert "hunter2" not in repr(find(body, purpose))


def test_gzip_files() -> None:
    data = gzip.compress(SITEMAP[:200].encode()) + gzip.compress(SITEMAP[200:].encode())
    assert len(find(data, Purpose.SITEMAP).links) == 2
    found = find(gzip.compress(RSS.encode() + b" " * 200_000)[:-30], Purpose.FEED)
    assert found.error is not None
    assert found.error.startswith("gzip file is cut off")
    assert len(found.links) == 5
    broken = bytearray(gzip.compress(SITEMAP.encode()))
    broken[-3] ^= 1
    found = find(bytes(broken), Purpose.SITEMAP)
    assert "damaged gzip file" in str(found.error)
    assert len(found.links) == 2


def test_gzip_in_gzip_and_with_padding() -> None:
    once = gzip.compress(SITEMAP.encode())
    assert find(gzip.compress(once), Purpose.SITEMAP).error is None
    assert len(find(gzip.compress(once), Purpose.SITEMAP).links) == 2
    assert find(once + b"\0" * 512, Purpose.SITEMAP) == find(once, Purpose.SITEMAP)


def test_gzip_is_read_up_to_its_damage() -> None:
    body = RSS.replace("<item><title>Mail", "<!--" + random.Random(1).randbytes(40_000).hex() + "--><item><title>Mail")
    data = bytearray(gzip.compress(body.encode()))
    data[len(data) * 3 // 4 : len(data) * 3 // 4 + 40] = b"\xff" * 40
    found = find(bytes(data), Purpose.FEED)
    assert "damaged gzip file" in str(found.error)
    assert len(found.links) == 5


def test_many_gzip_members_are_not_all_read() -> None:
    members = gzip.compress(SITEMAP.encode()) + gzip.compress(b" ") * 2_000
    found = find(members, Purpose.SITEMAP)
    assert len(found.links) == 2
    assert "more than 1000 members" in str(found.error)


def test_gzip_bomb_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unpack, "MAX_INFLATED_BYTES", 10_000)
    packer = zlib.compressobj(wbits=31)
    bomb = packer.compress(SITEMAP.encode() + b" " * 1_000_000) + packer.flush()
    found = find(bomb * 3, Purpose.SITEMAP)
    assert "inflates to more than 10000 bytes" in str(found.error)
    assert len(found.links) == 2


@pytest.mark.parametrize("purpose", [Purpose.FEED, Purpose.SITEMAP, Purpose.SECTION])
def test_limit(purpose: Purpose) -> None:
    body = {
        Purpose.FEED: RSS,
        Purpose.SITEMAP: SITEMAP,
        Purpose.SECTION: "".join(f"<a href=/{number}>x</a>" for number in range(9)),
    }[purpose]
    found = find(body, purpose, limit=1)
    assert (len(found.links), found.truncated, found.error) == (1, True, None)


def test_deep_sitemap_is_refused() -> None:
    assert "nested more than" in str(find("<urlset>" + "<url>" * 10_000, Purpose.SITEMAP).error)


def test_deep_json_is_refused() -> None:
    assert find('{"items":' + "[" * 200_000, Purpose.FEED).error is not None
    found = find('{"items":[{"url":"/1"},' + "[" * 200_000, Purpose.FEED)
    assert urls_of(found) == [f"{SITE}/1"]
    assert "damaged JSON Feed" in str(found.error)


@pytest.mark.parametrize("cut", range(len(JSON_FEED) - 30, len(JSON_FEED), 7))
def test_a_json_feed_is_read_up_to_its_cut(cut: int) -> None:
    found = find(JSON_FEED[:cut], Purpose.FEED)
    assert urls_of(found) == [f"{SITE}/1", f"{SITE}/2"]
    assert "damaged JSON Feed" in str(found.error)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32"])
def test_json_feeds_with_a_byte_order_mark(encoding: str) -> None:
    assert urls_of(find(JSON_FEED.encode(encoding), Purpose.FEED)) == [f"{SITE}/1", f"{SITE}/2"]


def test_json_feed_with_odd_values() -> None:
    items = (
        '{"url": 7, "id": "https://gazette.example/1", "title": ["x"], "date_published": 5},'
        '{"url": "mailto:a@b", "external_url": "/2", "title": "<b>Two</b> &amp; a half"},'
        '{"url": "//gazette.example/3", "title": "a\nb\tc"}, null, 1e999, ' + "9" * 5_000 + ","
        '{"url": " ", "id": "tag:4"}, {"url": "gazette.example/5", "date_modified": "2023-11-06T16:21:00Z"}'
    )
    found = find('{"items": [' + items + '], "version": NaN}', Purpose.FEED)
    assert [(link.url, link.title) for link in found.links] == [
        (f"{SITE}/1", None),
        (f"{SITE}/2", "Two & a half"),
        (f"{SITE}/3", "a b c"),
        (f"{SITE}/5", None),
    ]
    assert found.links[3].modified == datetime(2023, 11, 6, 16, 21, tzinfo=UTC)
    assert found.error is None


def test_an_array_is_no_json_feed() -> None:
    found = find('[{"link": "https://gazette.example/1", "url": "https://gazette.example/1"}]', Purpose.FEED)
    assert found.links == ()
    assert found.error == "not a JSON Feed: found an array, expected an object with a list of items"


def test_section_page() -> None:
    page = """<!doctype html><base href="/news/"><link rel=next href="page/2"><a href="/">Home</a>
    <a href="a"><img src=x></a> <a href="a"> A  title </a> <a href="#top">Top</a> <a href="mailto:x@y">Mail</a>
    <a href="http://other.example/b">B</a> <a rel="nofollow NEXT" href="page/2">Next</a> <a>No</a> <a href>Empty</a>
    <a rel=next href="https://evil.example/2">Next</a><svg><a href="c">C</a></svg>
    <template><a href="t">T</a></template>"""
    found = find(page, Purpose.SECTION, url=f"{SITE}/")
    assert [(link.url, link.purpose, link.title) for link in found.links] == [
        (f"{SITE}/news/page/2", Purpose.SECTION, "Next"),
        (f"{SITE}/", Purpose.ARTICLE, "Home"),
        (f"{SITE}/news/a", Purpose.ARTICLE, "A title"),
        ("http://other.example/b", Purpose.ARTICLE, "B"),
        ("https://evil.example/2", Purpose.ARTICLE, "Next"),
        (f"{SITE}/news/c", Purpose.ARTICLE, "C"),
    ]
    assert found.error is None


def test_section_on_a_base_elsewhere() -> None:
    page = '<base href="https://evil.example/x/"><a href="a">A</a><a href="/b">B</a><link rel=next href="2">'
    found = find(page, Purpose.SECTION, url=f"{SITE}/")
    assert urls_of(found) == ["https://evil.example/x/a", "https://evil.example/b"]
    page = '<base href="javascript:x"><a href="a">A</a>'
    assert urls_of(find(page, Purpose.SECTION, url=f"{SITE}/news/")) == [f"{SITE}/news/a"]


def test_section_with_very_many_next_pages() -> None:
    page = "".join(f'<a rel=next href="?page={number}">{number}</a>' for number in range(1_000))
    found = find(page, Purpose.SECTION, limit=5_000)
    assert Counter(link.purpose for link in found.links) == {Purpose.SECTION: 10, Purpose.ARTICLE: 990}


def test_section_that_no_parser_should_see() -> None:
    found = find("<div>" * 100_000 + '<a href="/1">x</a>', Purpose.SECTION)
    assert found.links == ()
    assert "elements open" in str(found.error)
    found = find('<a href="/1">x</a>' * 1_000_000, Purpose.SECTION)
    assert str(found.error).startswith("page: ")


def test_section_page_in_its_own_encoding() -> None:
    page = '<meta charset="windows-1256"><a href="/1">خبر</a>'.encode("windows-1256")
    assert find(page, Purpose.SECTION).links[0].title == "خبر"
    page = '<a href="/1">خبر</a>'.encode("windows-1256")
    found = discover_links(
        page, url=SITE, purpose=Purpose.SECTION, media_type="text/html; charset=windows-1256", limit=9
    )
    assert found.links[0].title == "خبر"


def test_section_without_links_is_an_error() -> None:
    assert find("<p>Nothing here", Purpose.SECTION).error == "found no links in the page"
    assert find(b"", Purpose.SECTION).error is not None


def test_an_article_announces_nothing() -> None:
    assert find("<a href=/1>x</a>", Purpose.ARTICLE).error == "a page fetched as article announces nothing"


@pytest.mark.parametrize("purpose", list(Purpose))
@pytest.mark.parametrize(
    "body",
    [
        b"\xff\xfe\x00\xd8" * 50,
        b"\x1f\x8b" + b"\x00" * 50,
        b"<?xml version='1.0' encoding='no-such-code'?><urlset><url>",
        b"<?xml version='1.0' encoding='base64'?><rss><channel><item>",
        b"<urlset><url><loc>http://[</loc></url></urlset>",
        b"<rss version='2.0'><channel><item><link>http://[</link><pubDate>Tue, 99 Foo 99999 99:99</pubDate></item>",
        b"<urlset><url><loc>http://a.example/</loc><lastmod>0000-00-00T99:99:99+99:99</lastmod></url></urlset>",
        b"<feed><entry><updated>0001-01-01T00:00:00+14:00</updated><link href='/x'/></entry></feed>",
        b"<a href='http://\xed\xa0\x80/'>x</a>",
        b"<!--" * 5_000,
        b"<?" * 5_000,
    ],
)
def test_hostile_bytes_never_raise(body: bytes, purpose: Purpose) -> None:
    found = find(body, purpose)
    assert found.error is None or (found.error and len(found.error) <= 500)

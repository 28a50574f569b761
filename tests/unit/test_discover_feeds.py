"""RSS and Atom as publishers write them: every dialect, every prefix, every encoding, and what they get wrong."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from crawler.discover import discover_links
from crawler.discover.times import parse_time
from crawler.model import Discovery, Purpose

SITE = "https://gazette.example"
FEED = f"{SITE}/news/feed.xml"
NOON = datetime(2023, 11, 7, 12, 0, tzinfo=UTC)


def find(body: bytes | str, *, media_type: str | None = None, limit: int = 100) -> Discovery:
    raw = body.encode() if isinstance(body, str) else body
    return discover_links(raw, url=FEED, purpose=Purpose.FEED, media_type=media_type, limit=limit)


def rss(items: str, attributes: str = "") -> str:
    return f'<rss version="2.0" {attributes}><channel><title>G</title>{items}</channel></rss>'


def urls_of(discovery: Discovery) -> list[str]:
    return [link.url for link in discovery.links]


DIALECTS = {
    "RSS 2.0": rss("<item><title>One</title><link>/1</link><pubDate>Tue, 07 Nov 2023 12:00:00 GMT</pubDate></item>"),
    "RSS 0.91 with its DOCTYPE": '<!DOCTYPE rss PUBLIC "-//Netscape Communications//DTD RSS 0.91//EN" '
    '"http://my.netscape.com/publish/formats/rss-0.91.dtd"><rss version="0.91"><channel><item><title>One</title>'
    "<link>/1</link><pubDate>Tue, 07 Nov 2023 12:00:00 +0000</pubDate></item></channel></rss>",
    "RSS 1.0": '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://purl.org/rss/1.0/" '
    'xmlns:dc="http://purl.org/dc/elements/1.1/"><channel rdf:about="/"><link>/</link><items><rdf:Seq>'
    '<rdf:li resource="/0"/></rdf:Seq></items></channel><item rdf:about="/x"><title>One</title><link>/1</link>'
    "<dc:date>2023-11-07T12:00:00Z</dc:date></item></rdf:RDF>",
    "RSS 1.0 with prefixes": '<r:RDF xmlns:r="http://www.w3.org/1999/02/22-rdf-syntax-ns#" '
    'xmlns:s="http://purl.org/rss/1.0/" xmlns:d="http://purl.org/dc/elements/1.1/"><s:item><s:title>One</s:title>'
    "<s:link>/1</s:link><d:date>2023-11-07T13:00:00+01:00</d:date></s:item></r:RDF>",
    "Atom 1.0": '<feed xmlns="http://www.w3.org/2005/Atom"><link href="/"/><entry><title>One</title><link href="/1"/>'
    "<id>tag:1</id><published>2023-11-07T12:00:00Z</published></entry></feed>",
    "Atom 1.0 with a prefix": '<a:feed xmlns:a="http://www.w3.org/2005/Atom"><a:entry><a:title>One</a:title>'
    '<a:link rel="alternate" href="/1"/><a:published>2023-11-07T12:00:00Z</a:published></a:entry></a:feed>',
    "Atom in a wrong namespace": '<x:feed xmlns:x="https://example.com/atom"><x:entry><x:title>One</x:title>'
    '<x:link href="/1"/><x:published>2023-11-07T12:00:00Z</x:published></x:entry></x:feed>',
    "Atom 0.3": '<feed version="0.3" xmlns="http://purl.org/atom/ns#"><entry><title>One</title>'
    '<link rel="alternate" type="text/html" href="/1"/><issued>2023-11-07T12:00:00Z</issued></entry></feed>',
    "RSS in no channel": "<rss><item><title>One</title><link>/1</link>"
    "<pubDate>7 Nov 2023 12:00:00 GMT</pubDate></item></rss>",
    "in capitals": "<RSS><CHANNEL><ITEM><TITLE>One</TITLE><LINK>/1</LINK>"
    "<PUBDATE>Tue, 07 Nov 2023 12:00:00 GMT</PUBDATE></ITEM></CHANNEL></RSS>",
    "prefixes that nobody declared": rss(
        "<item><dc:title>One</dc:title><atom:link href='/1'/><dc:date>2023-11-07T12:00Z</dc:date></item>"
    ),
}


@pytest.mark.parametrize("body", DIALECTS.values(), ids=DIALECTS)
def test_dialects(body: str) -> None:
    found = find(body)
    assert [(link.url, link.title, link.published) for link in found.links] == [(f"{SITE}/1", "One", NOON)]
    assert found.error is None


LINKS = {
    "a link": ("<link>/1</link>", "/1"),
    "white space": ("<link>\n  /1\n</link>", "/1"),
    "CDATA": ("<link><![CDATA[/1?a=1&b=2]]></link>", "/1?a=1&b=2"),
    "escaped": ("<link>/1?a=1&amp;b=2</link>", "/1?a=1&b=2"),
    "a comment within": ("<link>/<!-- here -->1</link>", "/1"),
    "relative to the document": ("<link>1</link>", "/news/1"),
    "permanent before that": ("<guid>https://gazette.example/9</guid><link>/1</link>", "/1"),
    "a permanent link alone": ("<guid>https://gazette.example/1</guid>", "/1"),
    "an empty link": ("<link></link><guid isPermaLink='true'>https://gazette.example/1</guid>", "/1"),
    "no link to a page": ("<link>mailto:a@b</link><guid>https://gazette.example/1</guid>", "/1"),
    "a false permanent link": ("<guid isPermaLink='false'>https://gazette.example/9</guid>", None),
    "no permanent link": ("<guid>1234</guid>", None),
    "an identifier": ("<id>https://gazette.example/1</id>", "/1"),
    "Atom's link in RSS": ("<a:link rel='self' href='/9'/><a:link rel='alternate' href='/1'/>", "/1"),
    "RSS before Atom's": ("<a:link rel='alternate' href='/9'/><link>/1</link>", "/1"),
    "the first of two": ("<link>/1</link><link>/9</link>", "/1"),
    "a page before other forms": (
        "<link rel='alternate' type='application/pdf' href='/9'/><link rel='alternate' type='text/html' href='/1'/>",
        "/1",
    ),
    "other relations": ("<link rel='enclosure' href='/9'/><link rel='replies' href='/8'/>", None),
    "a relation by its address": ("<link rel='http://www.iana.org/assignments/relation/alternate' href='/1'/>", "/1"),
    "the original before the counter's": (
        "<link>https://feeds.example/~r/1</link><fb:origLink>https://gazette.example/1</fb:origLink>",
        "/1",
    ),
    "a link in another namespace": ("<link>/1</link><media:link>/9</media:link>", "/1"),
    "only in another namespace": ("<media:link>/9</media:link>", None),
    "a link deeper down": ("<source><link>/9</link></source><media:group><link>/8</link></media:group>", None),
    "xml:base": ("<link xml:base='/base/'>1</link>", "/base/1"),
    "xml:base for one element": ("<title xml:base='/base/'>x</title><link>1</link>", "/news/1"),
    "xml:base of nothing": ("<link xml:base='javascript:x'>1</link>", "/news/1"),
    "no scheme": ("<link>//gazette.example/1</link>", "/1"),
    "no scheme and no slashes": ("<link>www.gazette.example/1</link>", "//www.gazette.example/1"),
    "in capitals": ("<link>HTTPS://GAZETTE.EXAMPLE/1</link>", "/1"),
}


@pytest.mark.parametrize(("item", "path"), LINKS.values(), ids=LINKS)
def test_where_an_item_leads(item: str, path: str | None) -> None:
    namespaces = (
        'xmlns:a="http://www.w3.org/2005/Atom" xmlns:media="http://search.yahoo.com/mrss/" '
        'xmlns:fb="http://rssnamespace.org/feedburner/ext/1.0"'
    )
    found = find(rss(f"<item>{item}</item><item><link>/2</link></item>", namespaces))
    expected = [] if path is None else ["https:" + path if path.startswith("//") else SITE + path]
    assert urls_of(found) == [*expected, f"{SITE}/2"]
    assert found.error is None


def test_bases_within_bases() -> None:
    feed = (
        '<feed xml:base="https://a.example/x/"><entry xml:base="y/"><link href="1"/></entry>'
        '<entry><link xml:base="/z/" href="2"/></entry><entry><link href="3"/></entry></feed>'
    )
    assert urls_of(find(feed)) == ["https://a.example/x/y/1", "https://a.example/z/2", "https://a.example/x/3"]


TITLES = {
    "plain": ("<title> One\n two </title>", "One two"),
    "escaped HTML": ("<title>&lt;b&gt;One&lt;/b&gt; &amp;amp; two&amp;#8217;s</title>", "One & two’s"),
    "CDATA": ("<title><![CDATA[<em class='x'>One</em> & two <br/>]]></title>", "One & two"),
    "XHTML": ("<title type='xhtml'><div>One <b>&amp; two</b></div></title>", "One & two"),
    "no HTML, by its own word": ("<title type='text'>Why &lt;b&gt; is bold &amp;amp;</title>", "Why <b> is bold &amp;"),
    "less than": ("<title>5 &lt; 6 and 7 &gt; 3</title>", "5 < 6 and 7 > 3"),
    "the picture's": ("<media:title>Picture</media:title><media:group><title>x</title></media:group>", None),
    "Dublin Core's": ("<dc:title>One</dc:title>", "One"),
    "both": ("<dc:title>Two</dc:title><title>One</title>", "One"),
    "empty": ("<title/>", None),
    "long": (f"<title>{'x' * 9_000}</title>", "x" * 500),
}


@pytest.mark.parametrize(("item", "title"), TITLES.values(), ids=TITLES)
def test_titles(item: str, title: str | None) -> None:
    found = find(rss(f"<item>{item}<link>/1</link></item>", 'xmlns:media="http://search.yahoo.com/mrss/"'))
    assert [link.title for link in found.links] == [title]


def test_dates_of_an_entry() -> None:
    dates = "<created>2020-01-01</created><updated>2023-11-07T12:00:00Z</updated>"
    (link,) = find(f"<feed><entry><link href='/1'/>{dates}</entry></feed>").links
    assert (link.published, link.modified) == (datetime(2020, 1, 1, tzinfo=UTC), NOON)
    (link,) = find(f"<feed><entry><link href='/1'/>{dates}<published>2021-01-01</published></entry></feed>").links
    assert link.published == datetime(2021, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Tue, 07 Nov 2023 12:00:00 GMT", NOON),
        ("Tue,07 Nov 2023 12:00:00 UT", NOON),
        ("7 nov 2023 14:00:00 +02:00", NOON),
        ("Tue, 7 Nov 2023 07:00:00 EST", NOON),
        ("Tue, 07 Nov 23 12:00:00 GMT", NOON),
        ("Tue, 07 Nov 2023 12:00 +0000", NOON),
        ("2023-11-07T12:00:00Z", NOON),
        ("2023-11-07T12:00Z", NOON),
        ("2023-11-07 12:00:00", NOON),
        ("2023-11-07T12:00:00.000000000Z", NOON),
        ("2023-11-07T14:00:00+0200", NOON),
        ("2023-11-07 14:00:00 +0200", NOON),
        ("2023-11-07 12:00:00 UTC", NOON),
        ("2023-11-07", datetime(2023, 11, 7, tzinfo=UTC)),
        ("20231107T120000Z", NOON),
        ("Tue, 07 Nov 2023 12:00:00 +9999", None),
        ("Tue, 31 Feb 2023 12:00:00 GMT", None),
        ("Tue, 07 Foo 2023 12:00:00 GMT", None),
        ("0001-01-01T00:00:00+14:00", None),
        ("yesterday", None),
        ("1699358400", None),
        ("2023-11-07" + " " * 100, None),
        ("", None),
        (None, None),
    ],
)
def test_times(text: str | None, expected: datetime | None) -> None:
    assert parse_time(text) == expected


REPAIRED = {
    "a bare ampersand": ("R&D & more", "R&D & more"),
    "HTML's names": ("a&nbsp;b &mdash; caf&eacute;", "a b — café"),
    "an unknown name": ("a &foo; b", "a &foo; b"),
    "a name without its end": ("a &nbsp b", "a &nbsp b"),
    "impossible characters": ("a&#0;b&#x1F;c&#xD83D;&#55357;d&#x110000;", "a\ufffdb\ufffdc\ufffd\ufffdd\ufffd"),
    "possible ones": ("&#8217;&#x1F600;&#128512;&#65;&#x41;", "’😀😀AA"),
    "control characters": ("a\x00b\x0bc\x1f", "abc"),
    "noncharacters": ("a\ufffeb\uffff", "a\ufffdb\ufffd"),
    "ampersands in CDATA stay": ("<![CDATA[a & b &foo; ]]>& c", "a & b &foo; & c"),
    "ampersands in a comment": ("a<!-- & --> & b", "a & b"),
}


@pytest.mark.parametrize(("text", "title"), REPAIRED.values(), ids=REPAIRED)
def test_common_faults_are_mended(text: str, title: str) -> None:
    found = find(rss(f"<item><title type='text'>{text}</title><link>/1?a&b=&copy;</link></item>"))
    assert [(link.title, link.url) for link in found.links] == [(title, f"{SITE}/1?a&b=©")]
    assert found.error is None


def encoded(text: str, encoding: str, declared: str | None) -> bytes:
    declaration = f'<?xml version="1.0" encoding="{declared}"?>' if declared else ""
    return (declaration + rss(f"<item><title>{text}</title><link>/{text}</link></item>")).encode(encoding)


@pytest.mark.parametrize(
    ("encoding", "declared", "charset", "text"),
    [
        ("utf-8", "utf-8", "utf-8", "خبر"),
        ("utf-8", None, None, "é"),
        ("utf-8-sig", "utf-8", None, "é"),
        ("utf-8", "iso-8859-1", None, "é"),
        ("utf-8", "utf-8", "iso-8859-1", "é"),
        ("utf-8", "utf-16", "utf-16", "é"),
        ("utf-8", "no-such-code", None, "é"),
        ("windows-1252", "windows-1252", None, "é”"),
        ("windows-1252", "iso-8859-1", None, "é”"),
        ("windows-1252", "utf-8", None, "é”"),
        ("windows-1252", "utf-8", "windows-1252", "é”"),
        ("windows-1256", "windows-1256", "utf-8", "خبر"),
        ("windows-1256", "utf-8", "windows-1256", "خبر"),
        ("windows-1256", "windows-1252", "windows-1256", "خبر"),
        ("koi8-r", "KOI8-R", None, "весть"),
        ("shift_jis", "Shift_JIS", None, "新聞"),
        ("euc-kr", "euc-kr", None, "신문"),
        ("gb18030", "gb2312", None, "新闻"),
        ("iso-2022-jp", "iso-2022-jp", None, "新聞"),
        ("utf-16", "utf-16", None, "خبر"),
        ("utf-16-le", "utf-16", None, "خبر"),
        ("utf-16-be", "utf-8", None, "خبر"),
        ("utf-32", "utf-32", None, "خبر"),
    ],
)
def test_encodings(encoding: str, declared: str | None, charset: str | None, text: str) -> None:
    media_type = f"application/rss+xml; charset={charset}" if charset else None
    found = find(encoded(text, encoding, declared), media_type=media_type)
    assert [(link.title, link.url) for link in found.links] == [(text, f"{SITE}/{text}")]
    assert found.error is None


@pytest.mark.parametrize("wrong", [b"\xff", b"\xe9 ", b"\xed\xa0\x80", b"\xf0\x9f\x98"])
def test_one_wrong_byte_loses_no_feed(wrong: bytes) -> None:
    items = "<item><title>é, à, ü and @</title><link>/1</link></item><item><title>ñ</title><link>/2</link></item>"
    body = b'<?xml version="1.0" encoding="utf-8"?>' + rss(items).encode().replace(b"@", wrong)
    found = find(body)
    assert urls_of(found) == [f"{SITE}/1", f"{SITE}/2"]
    assert str(found.links[0].title).startswith("é, à, ü and \ufffd")
    assert found.links[1].title == "ñ"
    assert found.error is None


def test_feedparser_reads_what_breaks_the_rules() -> None:
    items = (
        "<item><title>One</title><link>/1</link></item><item><title>5 < 6 <br> & more</title><link>/2</link></item>"
        "<item><title>Three</title><link>/3</link><pubDate>Tue, 07 Nov 2023 12:00:00 GMT</pubDate></item>"
    )
    found = find(rss(items))
    assert urls_of(found) == [f"{SITE}/1", f"{SITE}/2", f"{SITE}/3"]
    assert found.links[2].published == NOON
    assert str(found.error).startswith("damaged feed: not well-formed")
    assert found.links[:2] == find(rss(items), limit=2).links
    many = "".join(f"<item><title>{number} <br></title><link>/{number}</link></item>" for number in range(9_000))
    found = find(rss(many), limit=10_000)
    assert 100 < len(found.links) < 9_000
    assert urls_of(found)[-1] == f"{SITE}/{len(found.links) - 1}"


def test_a_root_that_breaks_the_rules_loses_no_feed() -> None:
    item = "<item><title>One</title><link>/1</link></item>"
    found = find(f"<rss version=2.0><channel><title>G</title>{item}")
    assert urls_of(found) == [f"{SITE}/1"]
    assert found.error == "damaged feed: not well-formed (invalid token): line 1, column 13"
    assert urls_of(find(f"<list version=2.0>{item}")) == []


def test_what_follows_the_document_does_no_harm() -> None:
    found = find(rss("<item><link>/1</link></item>") + "<script>count()</script>")
    assert urls_of(found) == [f"{SITE}/1"]
    assert str(found.error).startswith("damaged feed: junk after document element")
    assert find(rss("<item><link>/1</link></item>") + "\n<!-- cached -->\n").error is None


def test_an_unfinished_item_gives_no_link() -> None:
    whole = rss("<item><link>/1</link></item><item><guid>https://gazette.example/9</guid><link>/2</link></item>")
    cut = find(whole[: whole.index("</link></item></channel>")])
    assert urls_of(cut) == [f"{SITE}/1"]
    assert str(cut.error).startswith("damaged feed: no element found")


@pytest.mark.parametrize(
    ("declaration", "reason"),
    [
        ('<!ENTITY a "b">', "declares entities"),
        ('<!ENTITY % a "b"> %a;', "declares entities"),
        ('<!ENTITY a SYSTEM "file:///etc/passwd">', "declares entities"),
        ('<!ATTLIST link href CDATA "https://evil.example/">', "declares attributes"),
    ],
)
def test_declarations_are_refused(declaration: str, reason: str) -> None:
    found = find(f"<!DOCTYPE rss [{declaration}]>" + rss("<item><link>/1</link></item>"))
    assert found.links == ()
    assert reason in str(found.error)


def test_a_doctype_without_declarations_is_fine() -> None:
    for doctype in ("<!DOCTYPE rss>", "<!DOCTYPE rss []>", '<!DOCTYPE rss SYSTEM "https://evil.example/x.dtd">'):
        found = find(doctype + rss("<item><title>a&nbsp;b</title><link>/1</link></item>"))
        assert [(link.url, link.title) for link in found.links] == [(f"{SITE}/1", "a b")]
        assert found.error is None

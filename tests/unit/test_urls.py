from __future__ import annotations

import pytest
from scrapy import Request
from surt import surt as reference_surt

from crawler.urls import MAX_URL_CHARACTERS, normalise_url, resolve_link, surt

NORMAL_FORMS = {
    # scheme, host and port
    "https://a.example": "https://a.example/",
    "HTTPS://A.Example:443/Path?Q=1": "https://a.example/Path?Q=1",
    "http://a.example:80/": "http://a.example/",
    "http://a.example:443/": "http://a.example:443/",
    "https://a.example:80/": "https://a.example:80/",
    "http://a.example:/x": "http://a.example/x",
    "http://a.example:0080/x": "http://a.example/x",
    "http://a.example:08080/x": "http://a.example:8080/x",
    "http://a.example:65535/": "http://a.example:65535/",
    "https://a.example./x": "https://a.example/x",
    "https://a.example.:443/x": "https://a.example/x",
    "https:a.example/x": "https://a.example/x",
    "https:/a.example/x": "https://a.example/x",
    "https:////a.example/x": "https://a.example/x",
    "https:\\\\a.example\\x?y=\\": "https://a.example/x?y=%5C",
    "ht\ntps://a.exa\tmple/": "https://a.example/",
    "https://a.example\\@evil.example:x/": "https://a.example/@evil.example:x/",
    "https://localhost/": "https://localhost/",
    "https://a_b.example/": "https://a_b.example/",
    "https://a--b.example/": "https://a--b.example/",
    "https://%61.%65xample/": "https://a.example/",
    # names beyond ASCII
    "https://bücher.example/": "https://xn--bcher-kva.example/",
    "https://BÜCHER.example/": "https://xn--bcher-kva.example/",
    "https://cafe\u0301.example/": "https://xn--caf-dma.example/",
    "https://b%C3%BCcher.example/": "https://xn--bcher-kva.example/",
    "https://xn--bcher-kva.example/": "https://xn--bcher-kva.example/",
    "https://XN--BCHER-KVA.Example/": "https://xn--bcher-kva.example/",
    "https://xn--bcher-kva.bücher.example/": "https://xn--bcher-kva.xn--bcher-kva.example/",
    "https://a_b.bücher.example/": "https://a_b.xn--bcher-kva.example/",
    "https://faß.example/": "https://xn--fa-hia.example/",
    "https://ΑΒΓ.example/": "https://xn--mxacd.example/",
    "https://ｅｘａｍｐｌｅ.com/": "https://example.com/",
    "https://例え。テスト/": "https://xn--r8jz45g.xn--zckzah/",
    "https://خبر.example/": "https://xn--ngblk.example/",
    "https://i❤.example/": "https://xn--i-7iq.example/",
    "https://so\u00adft.example/": "https://soft.example/",
    # addresses
    "http://127.0.0.1/": "http://127.0.0.1/",
    "http://127.0.0.1./": "http://127.0.0.1/",
    "http://[::0001]:8080/": "http://[::1]:8080/",
    "http://[2001:DB8:0:0:0:0:0:1]/": "http://[2001:db8::1]/",
    "http://[1:0:0:2:0:0:0:3]/": "http://[1:0:0:2::3]/",
    "http://[::ffff:127.0.0.1]/": "http://[::ffff:7f00:1]/",
    # path
    "https://a.example/x/": "https://a.example/x/",
    "https://a.example/Case/CASE": "https://a.example/Case/CASE",
    "https://a.example//x//y": "https://a.example//x//y",
    "https://a.example/a/./b/../c": "https://a.example/a/c",
    "https://a.example/a/%2e%2E/b": "https://a.example/b",
    "https://a.example/a/.%2e/b": "https://a.example/b",
    "https://a.example/a/%2E/b": "https://a.example/a/b",
    "https://a.example/../..": "https://a.example/",
    "https://a.example/a/..": "https://a.example/",
    "https://a.example/a//../b": "https://a.example/a/b",
    "https://a.example/a/b/.": "https://a.example/a/b/",
    "https://a.example/a/...": "https://a.example/a/...",
    "https://a.example/.well-known/a..b": "https://a.example/.well-known/a..b",
    "https://a.example/a\\..\\b": "https://a.example/b",
    "https://a.example/%7euser/%41": "https://a.example/~user/A",
    "https://a.example/%c3%b3": "https://a.example/%C3%B3",
    "https://a.example/ó": "https://a.example/%C3%B3",
    "https://a.example/o\u0301": "https://a.example/o%CC%81",  # NFC and NFD are two paths to a server, and stay two
    "https://a.example/%F3": "https://a.example/%F3",  # Latin-1: no UTF-8, and not repaired
    "https://a.example/a b|c": "https://a.example/a%20b%7Cc",
    'https://a.example/"<>`{}^[]': "https://a.example/%22%3C%3E%60%7B%7D%5E%5B%5D",
    "https://a.example/100%": "https://a.example/100%25",
    "https://a.example/%zz%4": "https://a.example/%25zz%254",
    "https://a.example/%2541": "https://a.example/%2541",
    "https://a.example/a%2Fb%2f": "https://a.example/a%2Fb%2F",
    "https://a.example/a%3Fb%23c%26d": "https://a.example/a%3Fb%23c%26d",
    "https://a.example/a+b": "https://a.example/a+b",
    "https://a.example/!$&'()*+,;=:@": "https://a.example/!$&'()*+,;=:@",
    "https://a.example/a;jsessionid=0123?b": "https://a.example/a;jsessionid=0123?b",
    "https://a.example/x\ty": "https://a.example/xy",
    "  https://a.example/x\n": "https://a.example/x",
    "\x00\x1fhttps://a.example/x\x00": "https://a.example/x",
    "https://a.example/x\u00a0": "https://a.example/x%C2%A0",
    # query and fragment
    "https://a.example/x#part": "https://a.example/x",
    "https://a.example/x#!/y?z": "https://a.example/x",
    "https://a.example/x?": "https://a.example/x",
    "https://a.example?a": "https://a.example/?a",
    "https://a.example#a": "https://a.example/",
    "https://a.example/?q=a+b&r=a%20b&s=/?": "https://a.example/?q=a+b&r=a%20b&s=/?",
    "https://a.example/?q=a b": "https://a.example/?q=a%20b",
    "https://a.example/?b=2&a=1&b=1": "https://a.example/?b=2&a=1&b=1",
    "https://a.example/?q=%c3%A9é": "https://a.example/?q=%C3%A9%C3%A9",
    "https://a.example/?a=/../b/./c": "https://a.example/?a=/../b/./c",
    "https://a.example/?a=%26%3D%3f": "https://a.example/?a=%26%3D%3F",
    "https://a.example/?a&&b=": "https://a.example/?a&&b=",
    "https://a.example/?a=%": "https://a.example/?a=%25",
    # parameters that only track
    "https://a.example/?utm_source=x&id=1&FBCLID=y&utm%5Fmedium=z": "https://a.example/?id=1",
    "https://a.example/?gclid=1": "https://a.example/",
    "https://a.example/?gclid": "https://a.example/",
    "https://a.example/?a=1&utm_source=x#utm_source=y": "https://a.example/?a=1",
    "https://a.example/?mc_cid=1&mc_eid=2&mkt_tok=3&_hsenc=4": "https://a.example/",
    "https://a.example/?at_medium=a&at_campaign=b&at_custom1=c&ns_mchannel=d&xtor=RSS-1": "https://a.example/",
    "https://a.example/?pk_campaign=a&mtm_kwd=b&hsa_acc=c&wt_mc=d&WT.mc_id=e": "https://a.example/",
    "https://a.example/?_ga=1&_gl=2&gad_source=3&msclkid=4&ttclid=5&igshid=6": "https://a.example/",
    "https://a.example/?ocid=a&smid=b&ncid=c&wprov=d&guccounter=1": "https://a.example/",
    # parameters that look like those and may choose what is shown
    "https://a.example/?utm=1&ref=2": "https://a.example/?utm=1&ref=2",
    "https://a.example/?pk_id=1&mc_page=2&ns_id=3": "https://a.example/?pk_id=1&mc_page=2&ns_id=3",
    "https://a.example/?xutm_source=1": "https://a.example/?xutm_source=1",
    "https://a.example/?a=utm_source=1": "https://a.example/?a=utm_source=1",
    "https://a.example/?a;utm_source=1": "https://a.example/?a;utm_source=1",
    "https://a.example/?gclid2=1&cid=2&source=3&s=4": "https://a.example/?gclid2=1&cid=2&source=3&s=4",
    "https://a.example/?page=2&id=3&p=4&amp=1": "https://a.example/?page=2&id=3&p=4&amp=1",
}


@pytest.mark.parametrize(("url", "normal"), NORMAL_FORMS.items())
def test_normal_form(url: str, normal: str) -> None:
    assert normalise_url(url) == normal
    assert normalise_url(normal) == normal
    assert resolve_link("https://b.example/", normal) == normal


NO_URLS = [
    "",
    "/path",
    "//a.example/",
    "ftp://a.example/",
    "file:///etc/passwd",
    "javascript:alert(1)",
    "httpx://a.example/",
    "https",
    "https:",
    "https://",
    "https:///",
    "https://?a",
    "https://./",
    # names and secrets
    "https://me@a.example/",
    "https://me:pw@a.example/",
    "https://@a.example/",
    "https://a.example@evil.example/",
    # no host names
    "https://a..example/",
    "https://a.example../",
    "https://-a.example/",
    "https://a b.example/",
    "https://a,b.example/",
    "https://a%2Fb.example/",
    "http://a.example%00.evil.example/",
    "http://%ff.example/",
    "http://%zz.example/",
    "http://xn--bücher.example/",
    "http://\u0301a.example/",
    "http://a\u200d.example/",
    "http://\ud800.example/",
    "http://a.example/\ud800",
    f"http://{'a' * 64}.example/",
    f"http://{'ü' * 60}.example/",
    f"http://{'a.' * 127}example/",
    f"http://{'ü' * 100_000}/",
    # ports
    "https://a.example:0/",
    "https://a.example:00/",
    "https://a.example:65536/",
    "https://a.example:99999999999999999999/",
    "https://a.example:8x/",
    "https://a.example:-1/",
    "https://a.example:٨/",
    "https://a.example:80:80/",
    # addresses that are not written as such
    "http://2130706433/",
    "http://017700000001/",
    "http://0x7f000001/",
    "http://0x7f.1/",
    "http://127.1/",
    "http://127.0.1/",
    "http://0177.0.0.1/",
    "http://127.0.0.0x1/",
    "http://1.2.3.256/",
    "http://1.2.3.4.5/",
    "http://a.example.1/",
    "http://１２７.０.０.１/",
    "http://①②⑦.⓪.⓪.①/",
    "http://127。0。0。1/",
    "http://%31%32%37.0.0.1/",
    "http://[::1/",
    "http://::1/",
    "http://[zz]/",
    "http://[]/",
    "http://[::1]x/",
    "http://[fe80::1%25eth0]/",
    "http://[fe80::1%eth0]/",
    "http://[v1.a]/",
    "https://a.example/" + "x" * MAX_URL_CHARACTERS,
    "https://a.example/" + "漢" * (MAX_URL_CHARACTERS - 100),
]


@pytest.mark.parametrize("url", NO_URLS, ids=[ascii(url)[:60] for url in NO_URLS])
def test_no_url(url: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        normalise_url(url)
    if url.startswith("http") and ":/" in url:
        assert resolve_link("https://b.example/", url) is None


@pytest.mark.parametrize(
    ("href", "expected"),
    [
        ("b", "https://a.example/news/b"),
        ("/b", "https://a.example/b"),
        ("../b?c#d", "https://a.example/b?c"),
        ("?p=2", "https://a.example/news/x?p=2"),
        ("//b.example/c", "https://b.example/c"),
        ("http://b.example/c", "http://b.example/c"),
        ("HTTP://B.example:80/c", "http://b.example/c"),
        ("http:c", "http://c/"),
        ("https:c", "https://a.example/news/c"),
        ("https:/c", "https://a.example/c"),
        ("///b.example/c", "https://b.example/c"),
        ("/\\b.example/c", "https://b.example/c"),
        ("//bücher.example", "https://xn--bcher-kva.example/"),
        (".", "https://a.example/news/"),
        ("..", "https://a.example/"),
        ("../../../b/", "https://a.example/b/"),
        ("b/./c/../d", "https://a.example/news/b/d"),
        ("b/%2E%2e/d", "https://a.example/news/d"),
        ("//b.example/b/../c", "https://b.example/c"),
        ("https://b.example/b/../c", "https://b.example/c"),
        ("?", "https://a.example/news/x?"),
        ("b?", "https://a.example/news/b?"),
        ("?a=\\", "https://a.example/news/x?a=\\"),
        ("b\\c?d\\e#f\\g", "https://a.example/news/b/c?d\\e"),
        ("%7eb/%zz", "https://a.example/news/%7eb/%zz"),
        ("?utm_source=a", "https://a.example/news/x?utm_source=a"),
        ("b c", "https://a.example/news/b%20c"),
        ("b #c", "https://a.example/news/b%20"),
        ("b\x01? #c", "https://a.example/news/b%01?%20"),
        ("b//c", "https://a.example/news/b//c"),
        ("./a:b", "https://a.example/news/a:b"),
        (" /b\n", "https://a.example/b"),
        ("\\b", "https://a.example/b"),
        ("/ó", "https://a.example/ó"),
        ("a:b", None),
        ("", None),
        ("#top", None),
        ("mailto:me@a.example", None),
        ("javascript:void(0)", None),
        ("JAVA\nSCRIPT:void(0)", None),
        ("data:text/html,x", None),
        ("http://", None),
        ("http://[", None),
        ("http://me@b.example/", None),
        ("/" + "x" * MAX_URL_CHARACTERS, None),
    ],
)
def test_links(href: str, expected: str | None) -> None:
    assert resolve_link("https://a.example/news/x?y=/z/", href) == expected


def test_a_link_on_what_is_no_base() -> None:
    for base in ("", "mailto:me@a.example", "https://[", "about:blank"):
        assert resolve_link(base, "b") is None
        assert resolve_link(base, "//b.example/") is None
        assert resolve_link(base, "https://b.example") == "https://b.example/"


@pytest.mark.parametrize(
    ("href", "sent"),
    [
        ("/a b", "/a%20b"),
        ("/é", "/%C3%A9"),
        ("/%7e/%c3%zz/100%", "/%7e/%c3%zz/100%"),
        ("/a%2Fb", "/a%2Fb"),
        ("/a?b=c d&e=é&f='%zz'", "/a?b=c%20d&e=%C3%A9&f=%27%zz%27"),
        ("/a?b=+&utm_source=c", "/a?b=+&utm_source=c"),
        ("/a;b=c//d/", "/a;b=c//d/"),
    ],
)
def test_what_is_asked_for_is_what_a_browser_asks_for(href: str, sent: str) -> None:
    link = resolve_link("https://a.example/", href)
    assert link is not None
    assert Request(link).url == f"https://a.example{sent}"


@pytest.mark.parametrize(
    ("url", "key"),
    [
        ("https://www.Example.com/A/../b//c/?B=2&a=1#x", "com,example)/b/c?a=1&b=2"),
        ("http://example.com", "com,example)/"),
        ("http://example.com:80/?", "com,example)/"),
        ("https://example.com:8443/a%20b/", "com,example:8443)/a%20b"),
        ("http://127.0.0.1:8080/a", "1,0,0,127:8080)/a"),
        ("https://www2.example.co.uk/x?sid=0123456789abcdef0123456789abcdef&x=1", "uk,co,example)/x?x=1"),
        ("http://bücher.example/ß", "example,xn--bcher-kva)/%c3%9f"),
        ("http://e.com/%2541/%zz?%2541", "com,e)/a/%25zz?a"),
        ("http://e.com/../a", "com,e)/../a"),
        ("http://e.com/a?b&a=&&c=d=e", "com,e)/a?&a=&b&c=d=e"),
        ("http://e.com/?a=/b?c", "com,e)/?a=/b?c"),
    ],
)
def test_surt_is_that_of_the_reference(url: str, key: str) -> None:
    assert surt(url) == key
    assert reference_surt(url) == key


def test_surt_needs_a_url() -> None:
    with pytest.raises(ValueError, match="not an http or https URL"):
        surt("dns:example.com")


def test_deeply_escaped_url_takes_no_long_time() -> None:
    assert surt("http://a.example/%" + "25" * 4_000 + "41") == "example,a)/a"

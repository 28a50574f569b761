from __future__ import annotations

import pytest
from surt import surt as reference_surt

from crawler.urls import MAX_URL_CHARACTERS, normalise_url, resolve_link, surt


@pytest.mark.parametrize(
    ("url", "normal"),
    [
        ("https://a.example", "https://a.example/"),
        ("HTTPS://A.Example:443/Path?Q=1", "https://a.example/Path?Q=1"),
        ("http://a.example:80/", "http://a.example/"),
        ("http://a.example:443/", "http://a.example:443/"),
        ("http://a.example:/x", "http://a.example/x"),
        ("https://a.example./x", "https://a.example/x"),
        ("https://a.example/x#part", "https://a.example/x"),
        ("https://a.example/x?", "https://a.example/x"),
        ("https://a.example/x/", "https://a.example/x/"),
        ("https://a.example//x//y", "https://a.example//x//y"),
        ("https://a.example/a/./b/../c", "https://a.example/a/c"),
        ("https://a.example/a/%2e%2E/b", "https://a.example/b"),
        ("https://a.example/../..", "https://a.example/"),
        ("https://a.example/a/..", "https://a.example/"),
        ("https://a.example/a/b/.", "https://a.example/a/b/"),
        ("https://a.example/%7euser/%41", "https://a.example/~user/A"),
        ("https://a.example/%c3%b3", "https://a.example/%C3%B3"),
        ("https://a.example/ó", "https://a.example/%C3%B3"),
        ("https://a.example/a b|c", "https://a.example/a%20b%7Cc"),
        ("https://a.example/100%", "https://a.example/100%25"),
        ("https://a.example/%2541", "https://a.example/%2541"),
        ("https://a.example/a%2Fb", "https://a.example/a%2Fb"),
        ("https://a.example/?q=a+b&r=a%20b&s=/?", "https://a.example/?q=a+b&r=a%20b&s=/?"),
        ("https://a.example/?b=2&a=1&b=1", "https://a.example/?b=2&a=1&b=1"),
        ("https://a.example/?utm_source=x&id=1&FBCLID=y&utm%5Fmedium=z", "https://a.example/?id=1"),
        ("https://a.example/?gclid=1", "https://a.example/"),
        ("https://a.example/?utm=1&ref=2", "https://a.example/?utm=1&ref=2"),
        ("https://bücher.example/", "https://xn--bcher-kva.example/"),
        ("https://faß.example/", "https://xn--fa-hia.example/"),
        ("https://ΑΒΓ.example/", "https://xn--mxacd.example/"),
        ("https://a_b.example/", "https://a_b.example/"),
        ("http://[::0001]:8080/", "http://[::1]:8080/"),
        ("http://127.0.0.1/", "http://127.0.0.1/"),
        ("  https://a.example/x\n", "https://a.example/x"),
        ("https://a.example/x\ty", "https://a.example/xy"),
        ("https:\\\\a.example\\x?y=\\", "https://a.example/x?y=%5C"),
        ("https:a.example/x", "https://a.example/x"),
    ],
)
def test_normal_form(url: str, normal: str) -> None:
    assert normalise_url(url) == normal
    assert normalise_url(normal) == normal


@pytest.mark.parametrize(
    "url",
    [
        "",
        "/path",
        "//a.example/",
        "ftp://a.example/",
        "javascript:alert(1)",
        "https://",
        "https:///",
        "https://me@a.example/",
        "https://me:pw@a.example/",
        "https://a.example@evil.example/",
        "https://a..example/",
        "https://-a.example/",
        "https://a b.example/",
        "https://a.example:0/",
        "https://a.example:65536/",
        "https://a.example:99999999999999999999/",
        "https://a.example:8x/",
        "http://2130706433/",
        "http://0x7f.1/",
        "http://127.1/",
        "http://0177.0.0.1/",
        "http://1.2.3.256/",
        "http://[::1/",
        "http://[zz]/",
        "http://a.example%00.evil.example/",
        "http://%ff.example/",
        "http://\ud800.example/",
        "http://a.example/\ud800",
        f"http://{'a' * 64}.example/",
        f"http://{'a.' * 127}example/",
        "https://a.example/" + "x" * MAX_URL_CHARACTERS,
    ],
)
def test_no_url(url: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        normalise_url(url)


@pytest.mark.parametrize(
    ("href", "expected"),
    [
        ("b", "https://a.example/news/b"),
        ("/b", "https://a.example/b"),
        ("../b?c#d", "https://a.example/b?c"),
        ("?p=2", "https://a.example/news/x?p=2"),
        ("//b.example/c", "https://b.example/c"),
        ("http://b.example/c", "http://b.example/c"),
        ("HTTP://b.example/c", "HTTP://b.example/c"),
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
    assert resolve_link("https://a.example/news/x", href) == expected


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

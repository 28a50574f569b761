"""Feeds, sitemaps, sections and robots.txt that are hostile: bombs, depth, size, and things that are something else."""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING

from crawler.model import Purpose
from tests.hostile.case import MB, Hostile, page
from tests.hostile.markup import MARKUP

if TYPE_CHECKING:
    from collections.abc import Callable

_XML = '<?xml version="1.0" encoding="UTF-8"?>'
_ITEM = (
    "<item><title>News {0}</title><link>https://hostile.example/{0}</link>"
    "<pubDate>Sun, 22 Nov 2026 03:45:00 GMT</pubDate></item>"
)
_URL = "<url><loc>https://hostile.example/{0}</loc><lastmod>2026-11-22</lastmod></url>"
_SITEMAP = '<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">'


def _rss(inside: str, *, doctype: str = "", end: str = "</channel></rss>") -> bytes:
    return f'{_XML}{doctype}<rss version="2.0"><channel><title>News</title>{inside}{end}'.encode()


def _map(inside: str, *, doctype: str = "", end: str = "</urlset>") -> bytes:
    return f"{_XML}{doctype}{_SITEMAP}{inside}{end}".encode()


def _items(form: str, count: int) -> str:
    return "".join([form.format(number) for number in range(count)])


def _laughs() -> str:
    names = "".join([f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 12)])
    return f'<!DOCTYPE rss [<!ENTITY l0 "ha">{names}]>'


_PARAMETERS = (
    "<!DOCTYPE rss [<!ENTITY % a SYSTEM 'http://127.0.0.1:9/x.dtd'><!ENTITY % b \"<!ENTITY &#37; c '%a;'>\"> %b; %c;]>"
)
_FEEDS: dict[str, Callable[[], bytes]] = {
    "a billion laughs": lambda: _rss("<item><title>&l11;</title></item>", doctype=_laughs()),
    "a quadratic entity": lambda: _rss("&a;" * 50_000, doctype=f'<!DOCTYPE rss [<!ENTITY a "{"a" * 50_000}">]>'),
    "an external entity": lambda: _rss(
        "<item><title>&x;</title></item>", doctype='<!DOCTYPE rss [<!ENTITY x SYSTEM "file:///etc/passwd">]>'
    ),
    "parameter entities": lambda: _rss(_items(_ITEM, 1), doctype=_PARAMETERS),
    "a recursive entity": lambda: _rss("&a;", doctype='<!DOCTYPE rss [<!ENTITY a "&b;"><!ENTITY b "&a;">]>'),
    "a document type of 1 MB": lambda: _rss(
        _items(_ITEM, 1), doctype=f"<!DOCTYPE rss [{'<!ELEMENT a ANY>' * 65_000}]>"
    ),
    "entities by the thousand": lambda: _rss(
        "&e1;", doctype="<!DOCTYPE rss [" + _items('<!ENTITY e{0} "x">', 50_000) + "]>"
    ),
    "depth 100000": lambda: _rss("<a>" * 100_000 + "</a>" * 100_000),
    "depth without end": lambda: _rss("<item>" * 300_000, end=""),
    "a text of 10 MB": lambda: _rss(
        f"<item><title>{'word ' * (2 * MB)}</title><link>https://hostile.example/1</link></item>"
    ),
    "a description of 10 MB of HTML": lambda: _rss(f"<item><description>{'&lt;p&gt;' * MB}</description></item>"),
    "100000 items": lambda: _rss(_items(_ITEM, 60_000)),
    "an attribute of 1 MB": lambda: _rss(f'<item a="{"x" * MB}"><link>https://hostile.example/1</link></item>'),
    "100000 attributes": lambda: _rss("<item " + _items('a{0}="1" ', 100_000) + "/>"),
    "100000 name spaces": lambda: _rss("<item " + _items('xmlns:a{0}="urn:{0}" ', 30_000) + "/>"),
    "no end": lambda: _rss(_items(_ITEM, 20_000), end=""),
    "no closed tag": lambda: _rss("<item><title" * 100_000, end=""),
    "a wrong encoding": lambda: b'<?xml version="1.0" encoding="utf-16"?>' + _rss(_items(_ITEM, 100))[38:],
    "an encoding that is none": lambda: b'<?xml version="1.0" encoding="klingon"?>' + _rss(_items(_ITEM, 100))[38:],
    "NULs": lambda: _rss(_items(_ITEM, 100)).replace(b"News", b"Ne\0ws"),
    "controls": lambda: _rss(_items(_ITEM, 1_000)).replace(b"News", b"Ne\x01\x02ws"),
    "ampersands": lambda: _rss(_items(_ITEM, 1_000) + "&" * MB),
    "sections of characters": lambda: _rss("<![CDATA[]]>" * 300_000),
    "comments": lambda: _rss("<!-- -->" * 400_000),
    "instructions": lambda: _rss("<?a b?>" * 400_000),
    "dates of a million digits": lambda: _rss(
        f"<item><pubDate>{'9' * MB}</pubDate><link>https://hostile.example/1</link></item>"
    ),
    "dates without end": lambda: _rss(_items(_ITEM.replace("Sun, 22 Nov 2026", "Sun, " * 30), 5_000)),
    "a page instead": lambda: page("<p>more</p>" * 50_000),
    "angle brackets": lambda: b"<" * (5 * MB),
    "nothing but spaces": lambda: b" " * (5 * MB),
}
_JSON_FEEDS: dict[str, Callable[[], bytes]] = {
    "depth 100000": lambda: b'{"items":' + b"[" * 100_000,
    "200000 items": lambda: b'{"items":[' + b",".join([b'{"url":"/%d"}' % number for number in range(200_000)]) + b"]}",
    "wrong types": lambda: b'{"items":[null,1,[],{"url":[]},{"url":{},"id":1e999},{"title":{},"url":"x"}]}',
    "an item of 5 MB": lambda: b'{"items":[{"url":"https://hostile.example/' + b"a" * (5 * MB) + b'"}]}',
    "a number of a million digits": lambda: b'{"items":' + b"9" * MB + b"}",
    "no end": lambda: b'{"items":[' + b'{"url":"https://hostile.example/a"},' * 100_000,
}
_SITEMAPS: dict[str, Callable[[], bytes]] = {
    "a billion laughs": lambda: _map("<url><loc>&l11;</loc></url>", doctype=_laughs()),
    "200000 addresses": lambda: _map(_items(_URL, 120_000)),
    "a gzip bomb": lambda: gzip.compress(_map("") + b" " * (100 * MB), mtime=0),
    "1000 gzip members": lambda: gzip.compress(_SITEMAP.encode(), mtime=0) + gzip.compress(b"<url/>", mtime=0) * 1_000,
    "100000 gzip members": lambda: gzip.compress(_SITEMAP.encode(), mtime=0) + gzip.compress(b"", mtime=0) * 100_000,
    "gzip cut off": lambda: gzip.compress(_map(_items(_URL, 1_000)), mtime=0)[:-50],
    "depth 100000": lambda: _map("<url>" * 100_000, end=""),
    "an address of 10 MB": lambda: _map(f"<url><loc>https://hostile.example/{'a' * (10 * MB)}</loc></url>"),
    "an index of itself": lambda: _map("<sitemap><loc>/sitemap</loc></sitemap>" * 50_000).replace(
        b"urlset", b"sitemapindex"
    ),
    "bare ampersands": lambda: _map(_items(_URL.replace("{0}", "?a=1&b={0}"), 30_000)),
    "a list of nothing": lambda: b"https://\n" * MB,
    "a page instead": lambda: page("<p>more</p>" * 10_000),
    "a document type of 1 MB": lambda: _map("", doctype=f"<!DOCTYPE urlset [{'<!-- ] > -->' * 90_000}]>"),
}
_ROBOTS: dict[str, Callable[[], bytes]] = {
    "10 MB": lambda: b"User-agent: *\nDisallow: /a*b*c*d*e*f$\n" * 270_000,
    "a line of 10 MB": lambda: b"Disallow: /" + b"*a" * (5 * MB),
    "sitemaps without end": lambda: b"Sitemap: https://hostile.example/s.xml\n" * 200_000,
    "no line ends": lambda: b"sitemap:" * MB,
    "spaces": lambda: b"sitemap" + b" " * (5 * MB),
    "NULs": lambda: bytes(5 * MB),
    "a page instead": lambda: page("<p>more</p>" * 10_000),
}
_SECTIONS = {
    "200000 links", "links in cells in links", "depth of div", "a word of 10 MB", "an address of 5 MB", "40000 links",
    "bases of nonsense", "a script address of 5 MB", "options never closed", "selected content",
    "addresses of nonsense", "formatting never closed",
}  # fmt: skip


def _announced(purpose: Purpose, content_type: str, cases: dict[str, Callable[[], bytes]]) -> list[Hostile]:
    kind = "JSON feed" if content_type.endswith("json") else str(purpose)
    return [Hostile(f"{kind}, {name}", build, purpose, content_type) for name, build in cases.items()]


ANNOUNCEMENTS = [
    *_announced(Purpose.FEED, "application/rss+xml", _FEEDS),
    *_announced(Purpose.FEED, "application/feed+json", _JSON_FEEDS),
    *_announced(Purpose.SITEMAP, "application/xml", _SITEMAPS),
    *_announced(Purpose.ROBOTS, "text/plain", _ROBOTS),
    *(Hostile(f"section, {case.name}", case.build, Purpose.SECTION) for case in MARKUP if case.name in _SECTIONS),
]

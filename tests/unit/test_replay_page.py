"""A page as captured, to be looked at: with what is at hand for it; nothing runs, loads or leads elsewhere."""

from __future__ import annotations

import contextlib
import re
from html.parser import HTMLParser

import pytest

from config.errors import ExtractError
from crawler.prescan import prescan
from crawler.replay import replay_page
from crawler.replay.page import _KEPT, _PAINTS, _TAKEN_OUT
from tests.unit.test_still import HOSTILE

PAGE = "https://gazette.example/2026/a"
PIECES = {
    "handlers": "<p onclick=x() onmouseover='y()' ONLOAD=z()>a</p><body onpageshow=x()>",
    "a handler with a slash": "<img/src=x/onerror=alert(1)>",
    "a script in an address": "<a href='javascript:x()'>a</a>"
    "<a href=' java\nscript:x()'>b</a><iframe src=javascript:x()></iframe>",
    "a refresh": "<meta http-equiv=refresh content='0;url=https://evil.example/'>",
    "hints": "<link rel=preconnect href=//evil.example><link rel=dns-prefetch href=//evil.example>"
    "<link rel='stylesheet prefetch' href=//evil.example>",
    "a policy of its own": "<meta http-equiv=Content-Security-Policy content='report-uri https://evil.example/'>",
    "frames": "<iframe srcdoc='<script>x()</script>'></iframe><frameset><frame src=//evil.example></frameset>",
    "objects": "<object data=//evil.example><embed src=//evil.example></object><applet code=x></applet>",
    "forms": "<form action=//evil.example><input name=q formaction=//evil.example autofocus onfocus=x()></form>",
    "a ping": "<a href=https://evil.example/a ping=https://evil.example/b>a</a>",
    "pictures": "<img src=//evil.example/a srcset='//evil.example/b 2x' data-src=//evil.example/c>"
    "<img lowsrc=//evil.example/d dynsrc=//evil.example/e longdesc=//evil.example/f>",
    "an inline frame of SVG": "<svg><foreignObject><iframe src=//evil.example></iframe></foreignObject></svg>",
    "SVG that changes itself": "<svg><a><animate attributeName=href values=javascript:x() /><text>a</text></a></svg>",
    "SVG that uses another": "<svg><use href='data:image/svg+xml,<svg id=a onload=x()>#a'/>"
    "<use xlink:href=//evil.example/#a /></svg>",
    "SVG's sheets": "<svg><style>@import '//evil.example';</style></svg>",
    "SVG's paints": "<svg><path fill='url(//evil.example/#a)' style='mask:url(//evil.example/#b)'/></svg>",
    "styles": "<p style='background:url(//evil.example)'>a</p>"
    "<style>@import '//evil.example'; p{b:u\\72l(//evil.example)}</style>",
    "films": "<video src=//evil.example poster=//evil.example/b><track src=//evil.example></video>"
    "<audio src=//evil.example></audio>",
    "old pictures": "<body background=//evil.example>"
    "<table background=//evil.example><tr><td background=//evil.example>",
    "a comment for one browser": "<!--[if IE]><script src=//evil.example></script><![endif]-->",
    "a template": "<template shadowrootmode=open><script>x()</script><img src=//evil.example></template>",
    "MathML": "<math href=//evil.example><mtext><a xlink:href=//evil.example>a</a></mtext></math>",
    "words that are no markup": "<xmp><img src=//evil.example></xmp><noembed><img src=//evil.example></noembed>",
    "plain text": "<plaintext><img src=//evil.example>",
    "no scripts": "<noscript><img src=//evil.example><meta http-equiv=refresh content='0;//evil.example'></noscript>",
    "a manifest": "<html manifest=//evil.example profile=//evil.example itemscope itemtype=//evil.example>",
    "popovers": "<button popovertarget=a command=show-modal commandfor=a>a</button><div popover id=a>b</div>",
}
TRICKS = [  # read otherwise, by some browser at some time, than they were written
    '<math><mtext><table><mglyph><style><!--</style><img title="--&gt;&lt;img src=1 onerror=alert(1)&gt;">',
    '<svg></p><style><a id="</style><img src=1 onerror=alert(1)>">',
    '<noscript><p title="</noscript><img src=x onerror=alert(1)>">',
    '<form><math><mtext></form><form><mglyph><svg><mtext><style><path id="</style><img onerror=alert(1) src>">',
    '<svg><desc><style><img title="</style><img src=x onerror=alert(1)>"></style></desc></svg>',
    "<select><template><style><!--</style><a rel=\"--></style></template></select><img id='>' onerror=alert(1)>",
    "<svg><title><![CDATA[</title><img src=x onerror=alert(1)>]]></title></svg>",
    "<!--><img src=x onerror=alert(1)>--><!--!><img onerror=alert(1)--!>",
    "<textarea><!--</textarea><img src=x onerror=alert(1)>--></textarea>",
    "<title><a id='</title><img src=x onerror=alert(1)>'></title>",
    "<style><style/><img src=x onerror=alert(1)></style>",
    "<iframe><img title='</iframe><img src=x onerror=alert(1)>'></iframe>",
    "<table><style><img title='</style><img src=x onerror=alert(1)>'></table>",
    "<a><table><a href=javascript:x()><tr><td></a><b><p></b></table>",
    "<p><svg><p><style><g title='</style><script>x()</script>'>",
    "<br=''/onerror=x() src=x><img src='x'onerror=x()><img\x0csrc=x\x0conerror=x()>",
    "<a href='&#106;avascript:x()'>a</a><a href='&Tab;javascript:x()'>b</a>",
    "\ufeff<\x00script>x()</script><scr\x00ipt>x()</scr\x00ipt>",
]


class Reader(HTMLParser):
    """Python's own reader, a stranger to the parser that made the page."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.comments: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_comment(self, data: str) -> None:
        self.comments.append(data)


def check(html: str) -> None:
    """See that nothing is in *html* but what may be, by two readers."""
    reader = Reader()
    reader.feed(html)
    assert not reader.comments
    for tag, attributes in reader.found:
        assert tag not in _TAKEN_OUT | {"script", "iframe", "base", "meta", "object", "embed", "noscript", "template"}
        for name, value in attributes.items():
            assert not name.startswith("on")
            if name in _KEPT or name.startswith("aria-"):
                continue
            if name in _PAINTS:
                assert not re.search(r"url\((?!\"(?:data:[,i]|asset-|#))", (value or "").lower())
                continue
            assert name in {"src", "href", "xlink:href", "rel", "background", "poster", "disabled"}, (tag, name)
            if name != "rel":
                assert re.match(r"asset-\d|#|data:image/|$", value or ""), (tag, name, value)
    own = {f"https://own.example/{n}": f"asset-{n}" for n in range(3)}
    assert replay_page(html, PAGE, own) == html


@pytest.mark.parametrize("piece", PIECES.values(), ids=PIECES)
def test_nothing_runs_loads_or_leads_elsewhere(piece: str) -> None:
    html = replay_page(f"<!DOCTYPE html><title>t</title><body>{piece}<p>The words stay.", PAGE, {})
    check(html)
    titles = re.sub(r'title="https://evil\.example[^"]*"', "", html)
    assert "evil.example" not in titles
    assert "The words stay." in html or "plaintext" in piece or "frameset" in piece


@pytest.mark.parametrize("trick", TRICKS)
def test_what_is_read_in_two_ways_is_harmless_in_both(trick: str) -> None:
    check(replay_page(trick, PAGE, {}))
    check(replay_page(f"<div>{trick}</div>" * 3, PAGE, {}))


def test_a_page_that_has_it_all() -> None:
    check(replay_page(HOSTILE, PAGE, {}))
    check(replay_page("".join([*PIECES.values(), *TRICKS]), PAGE, {}))


SHOWN = {
    "a picture": ("<img src=a.png alt=A width=3>", '<img src="asset-0" alt="A" width="3">'),
    "a picture by the page's base": ("<base href=/b/><img src=a.png>", '<img src="asset-1">'),
    "one of its sizes": ("<img src=lost.png srcset='lost2.png 1x, a.png 2x'>", '<img src="asset-0">'),
    "one that waits for a script": ("<img src='data:,' data-src=a.png>", '<img src="asset-0">'),
    "one of a choice": (
        "<picture><source srcset=a.png><img src=lost.png></picture>",
        '<picture><img src="asset-0"></picture>',
    ),
    "one that is in its address": ("<img src=data:image/gif;base64,R0lG>", '<img src="data:image/gif;base64,R0lG">'),
    "one of SVG": ("<svg><image href=a.png /></svg>", '<svg><image href="asset-0"></image></svg>'),
    "what is not at hand": ("<img src=lost.png alt=A>", '<img alt="A">'),
    "a sheet": (
        "<link rel=stylesheet href=/s.css media=print integrity=x>",
        '<link rel="stylesheet" href="asset-2" media="print">',
    ),
    "a sheet that is not at hand": ("<link rel=stylesheet href=/t.css>a", "a"),
    "a sheet in the page": (
        "<style>p{background:url(a.png)} q{background:url(lost.png)}</style>",
        '<style>p{background:url("asset-0")} q{background:url("data:,")}</style>',
    ),
    "an attribute": (
        "<p style='background:url(a.png)'>",
        '<p style="background:url(&quot;asset-0&quot;)"></p>',
    ),
    "a film's picture": ("<video poster=a.png src=f controls></video>", '<video poster="asset-0"></video>'),
    "a background": ("<table background=a.png></table>", '<table background="asset-0"></table>'),
    "a link within": ("<a href=#b>a</a><p id=b>", '<a href="#b">a</a><p id="b"></p>'),
    "a link elsewhere": ("<a href=/c>a</a>", '<a title="https://gazette.example/c">a</a>'),
    "an icon within": (
        "<svg viewBox='0 0 1 1'><symbol id=i><path d=M0></symbol><use href=#i /></svg>",
        '<svg viewBox="0 0 1 1"><symbol id="i"><path d="M0"></path></symbol><use href="#i"></use></svg>',
    ),
    "a field": ("<input value=a name=b>", '<input value="a" disabled="">'),
}
ASSETS = {f"https://gazette.example/{path}": f"asset-{n}" for n, path in enumerate(["2026/a.png", "b/a.png", "s.css"])}


@pytest.mark.parametrize(("body", "expected"), SHOWN.values(), ids=SHOWN)
def test_what_is_at_hand_is_shown(body: str, expected: str) -> None:
    html = replay_page(f"<!doctype html><body>{body}", PAGE, ASSETS)
    check(html)
    assert html.startswith("<!DOCTYPE html><html>")
    assert expected in html


def test_a_page_without_doctype_stays_one() -> None:
    assert replay_page("<p>a", PAGE, {}).startswith("<html>")


@pytest.mark.parametrize("html", ["", "<", "<p>" * 2_000, "<!--", "\0", "<svg><style><!--</style>", "<frameset>"])
def test_whatever_it_is_there_is_a_page(html: str) -> None:
    assert "<html>" in replay_page(html, PAGE, {})


def test_a_page_that_is_not_the_same_twice_is_refused_or_harmless() -> None:
    page = "<a href=x>" * 390 + "<p>" * 200
    assert prescan(page.encode()) is None
    with contextlib.suppress(ExtractError):
        check(replay_page(page, PAGE, {}))

"""Pages whose elements are hostile: deep, many, unclosed, misnested, or with too many or too long attributes."""

from __future__ import annotations

from tests.hostile.case import MB, Hostile, page, pages

_DEEP = 100_000
_NESTED = (
    *("div", "span", "b", "a", "table", "svg", "math", "template", "select", "ul", "object", "blockquote", "button"),
    *("font", "section", "h1", "marquee", "ruby"),
)


def _numbered(count: int, form: str) -> str:
    return "".join([form.format(number) for number in range(count)])


def _deep() -> list[Hostile]:
    names = [(f"depth of {name}", lambda name=name: f"<{name}>" * _DEEP + "x") for name in _NESTED]
    mixed = {
        "depth of list items": lambda: "<ul><li>" * _DEEP,
        "depth of table cells": lambda: "<table><tr><td>" * _DEEP,
        "depth of paragraphs in buttons": lambda: "<p><button>" * _DEEP,
        "depth of definitions": lambda: "<dl><dd>" * _DEEP,
        "depth with stray end tags": lambda: "<div></x></span>" * _DEEP,
        "depth closed again": lambda: "<div>" * 50_000 + "</div>" * 50_000,
        "depth just under the limit": lambda: "<div><span>" * 240 + "text of the page" * 500,
        "depth of custom elements": lambda: _numbered(50_000, "<x-{}>"),
        "depth behind tables that close nothing": lambda: "<div><table></div></table>" * 60_000,
        "depth behind cells that close nothing": lambda: "<div><table><tr><td></div></table>" * 40_000,
        "depth behind a comment in a comment": lambda: "<div><!-- <!-- --></div -->" * 40_000,
        "depth behind quoted end tags": lambda: "<div title='</div>'>" * 40_000,
        "depth behind closed paragraphs": lambda: "<p><div></p>" * 40_000,
        "depth behind foreign elements": lambda: "<svg><foreignObject><div></svg>" * 30_000,
        "depth behind templates": lambda: "<template><div></template><div>" * 30_000,
        "depth behind a script in a script": lambda: "<script><!--<script></script>--></script><div>" * 30_000,
        "depth behind select": lambda: "<div><select></div></select>" * 40_000,
        "depth behind frames": lambda: "<div><noscript></div></noscript>" * 40_000,
    }
    return pages([*names, *mixed.items()])


def _misnested() -> list[Hostile]:
    return pages(
        {
            "formatting never closed": lambda: "<b>" * 400 + _numbered(20_000, "<p>a {}"),
            "formatting with attributes in paragraphs": lambda: _numbered(20_000, "<p><b id={}>a"),
            "formatting of all kinds": lambda: "<b><i><u><s><tt><big><small><em><strong><code>a<p>" * 5_000,
            "adoption of blocks": lambda: "<b><p>a</b>" * 30_000,
            "adoption of deep blocks": lambda: "<b>" * 300 + "<div>" * 200 + "</b>" * 300 + "a",
            "adoption again and again": lambda: "<a><b><i><div>x</a></b></i>" * 20_000,
            "links in links": lambda: '<a href="/x">a<div>' * 30_000,
            "links in cells in links": lambda: '<a href="/x">a<table><td>' * 20_000,
            "nobr in nobr": lambda: "<nobr>a<div>" * 30_000,
            "fonts over paragraphs": lambda: "<font color=red>" * 450 + "<p>a</p>" * 20_000,
            "foster parents": lambda: "<table>" * 2_000 + "a<b>c" * 20_000,
            "foster parents of text": lambda: "<table><tr>" + "a<td>b</td>" * 30_000,
            "foster parents of elements": lambda: "<table>" + "<div>a</div>" * 30_000,
            "foster parents of texts between comments": lambda: "<table>" + ("x" * 1_000 + "<!---->") * 4_000,
            "tables in tables": lambda: "<table><tr><td>a" * 20_000 + "</td></tr></table>" * 20_000,
            "end tags alone": lambda: "</div></p></b></x>" * 25_000,
            "end tags of paragraphs": lambda: "</p>" * 80_000,
            "end tags of breaks": lambda: "</br>" * 80_000,
            "bodies in bodies": lambda: _numbered(30_000, "<body a{0}=1><html b{0}=1>"),
            "framesets": lambda: "<frameset><frame></frameset>" * 20_000,
            "options never closed": lambda: "<select>" + "<option>a" * 60_000,
            "selected content": lambda: "<select><button><selectedcontent></button>" + "<option selected>a" * 20_000,
            "ruby never closed": lambda: "<ruby>" + "<rb>a<rt>b" * 30_000,
            "forms in forms": lambda: "<form><div>" * 30_000,
            "headings in headings": lambda: "<h1>a<div>" * 30_000,
        }.items()
    )


def _many() -> list[Hostile]:
    return pages(
        {
            "a million elements": lambda: "<i></i>" * 1_000_000,
            "a million breaks": lambda: "<br>" * 1_000_000,
            "50000 paragraphs": lambda: "<p>text</p>" * 50_000,
            "40000 paragraphs of classes": lambda: _numbered(40_000, "<p class='meta-{0} date' id=n{0}>text</p>"),
            "200000 links": lambda: _numbered(200_000, '<a href="/{}">link</a> '),
            "40000 links": lambda: _numbered(40_000, '<a href="/{}">link and some more words</a> '),
            "500000 texts": lambda: "a<br>" * 500_000,
            "texts parted by rules in one block": lambda: (
                '<div><a href="/x">one</a>' + "word word<hr>" * 20_000 + "</div>"
            ),
            "texts parted by comments": lambda: "a<!---->" * 200_000,
            "100000 times": lambda: '<time class="date">1 November 2026 10:00</time>' * 100_000,
            "25000 dates without a headline": lambda: '<span class="date">32 November 2026</span>' * 25_000,
            "20000 headings": lambda: _numbered(20_000, "<h2>Library opens {}</h2>"),
            "20000 pictures": lambda: _numbered(20_000, "<figure><img src=/{}.jpg><figcaption>a</figcaption></figure>"),
            "pictures in one box": lambda: "<div>" + _numbered(20_000, "<div><img src=/{}.jpg></div>") + "</div>",
            "20000 bylines": lambda: '<span itemprop="author" class="byline">By A and B</span>' * 20_000,
            "20000 posts of a live blog": lambda: (
                '<div class="live-post"><time>10:00</time> It goes on.</div>' * 20_000
            ),
            "live posts in live posts": lambda: (
                '<div class="live-post"><time>10:00</time> It goes on.' * 200 + "x" * MB
            ),
            "quotes in quotes": lambda: '<blockquote class="twitter-tweet"><p>x</p>' * 200 + "word " * 200_000,
            "figures in figures": lambda: (
                '<figure><img src="/a.jpg"><i class="credit">x</i>' * 4_000 + "word " * 200_000
            ),
            "pictures with one caption": lambda: '<div class="caption">x</div>' + '<img src="/a.jpg">' * 40_000,
            "bylines in bylines": lambda: '<div class="byline">' * 200 + ("A. Writer" + "<i> </i>" * 200) * 100,
            "corrections in corrections": lambda: "<div>Correction: it is not so. " * 200 + "word " * 200_000,
            "labels of corrections": lambda: "<p>Correction:</p>" * 40_000,
            "boxes of facts in boxes": lambda: "<aside><h3>Facts</h3><p>They are these.</p>" * 8_000,
            "posts in posts": lambda: '<div data-href="https://x.com/a/status/1"><a href="/x">' * 8_000,
            "authors in authors": lambda: '<div itemprop="author">' * 200 + "word " * 200_000,
            "body in bodies by name": lambda: (
                '<div itemprop="articleBody" class="article-body">' * 200 + "word " * 200_000
            ),
            "pay walls in pay walls": lambda: '<div class="paywall">' * 200 + "to continue " * 80_000,
            "related boxes in related boxes": lambda: '<div class="x"><a href="/x">' * 200 + "word " * 200_000,
            "boxes of boxes": lambda: ('<div class="nav-a">' * 200 + "a" + "</div>" * 200) * 200,
            "broad and deep": lambda: ("<div class=a>" * 200 + "<p>some words</p>" * 20 + "</div>" * 200) * 200,
            "headlines that are nearly the title": lambda: (
                "".join(f"<h2>{'ab' * n}{'ba' * (190 - n)}</h2>" for n in range(190))
                + f'<meta property="og:title" content="{"ba" * 185}"><meta name="twitter:title" content="{"ab" * 185}">'
            ),
        }.items()
    )


def _long() -> list[Hostile]:
    return pages(
        {
            "a line of 10 MB": lambda: "<p>" + "word word word, word. " * (10 * MB // 22),
            "a word of 10 MB": lambda: "<p>" + "x" * (10 * MB),
            "a word of 5 MB": lambda: "<p>" + "x" * (5 * MB),
            "white space of 10 MB": lambda: "<p>a" + " \t\n" * (10 * MB // 3) + "b",
            "no-break spaces of 5 MB": lambda: "<p>a" + "\u00a0" * (5 * MB // 2) + "b",
            "zero width spaces": lambda: "<p>a" + "\u200b\ufeff\u00ad" * 500_000 + "b",
            "lines of 4 MB": lambda: "<pre>" + "a\n" * 2_000_000,
            "200000 attributes": lambda: "<div " + _numbered(200_000, "a{} ") + ">x</div>",
            "200000 attributes of one name": lambda: "<div " + "a=1 " * 200_000 + ">x</div>",
            "attributes parted by slashes": lambda: "<div/" + _numbered(50_000, "a{}=1/") + ">x</div>",
            "attributes in quotes without spaces": lambda: "<div " + _numbered(50_000, 'a{}="1"') + ">x</div>",
            "attributes of quotes": lambda: "<div " + "\"'" * 200_000 + ">x</div>",
            "attributes in an end tag": lambda: "<div>x</div " + _numbered(50_000, "a{} ") + ">",
            "attributes in a tag with <": lambda: "<div " + _numbered(50_000, "a{}< ") + ">x</div>",
            "200000 attributes spread": lambda: _numbered(
                2_000, "<p " + " ".join(f"b{n}" for n in range(100)) + " c={}>x"
            ),
            "30 attributes each": lambda: _numbered(
                30_000, "<i " + " ".join(f"b{n}" for n in range(30)) + " c={}></i>"
            ),
            "an attribute of 10 MB": lambda: f'<img alt="{"x" * (10 * MB)}" src=/a.jpg>',
            "a class of 3 MB": lambda: f'<div class="{"a-" * 1_500_000}">x</div>',
            "a class of 1 MB of words": lambda: f'<div class="{"read more " * 100_000}">x</div>',
            "classes of 4000 characters": lambda: _numbered(1_000, f'<div class="{"read-mor-" * 440} n{{}}">x</div>'),
            "an identifier of capitals": lambda: f'<div id="{"aB" * 500_000}">x</div>',
            "a style of 3 MB": lambda: f'<div style="{"display " * 400_000}">x</div>',
            "a data address of 5 MB": lambda: (
                f'<figure><img src="data:image/png;base64,{"QUJD" * 1_250_000}"></figure>'
            ),
            "a script address of 5 MB": lambda: f'<p>See <a href="javascript:{"alert(1);" * 550_000}">this</a>.</p>',
            "an address of 5 MB": lambda: f'<p>See <a href="/{"a/../" * MB}">this</a>.</p>',
            "addresses of nonsense": lambda: (
                '<a href="http://[::1">a</a><a href="//[">b</a><img src="http://[x]/">' * 5_000
            ),
            "a comment of 10 MB": lambda: f"<!--{'- ' * (5 * MB)}-->",
            "a comment of dashes": lambda: f"<!--{'--' * (2 * MB)}x",
            "a comment that never ends": lambda: "<!-- " + "x" * (3 * MB),
            "comments that never end": lambda: "<!-- " * 300_000,
            "a script that never ends": lambda: "<script>" + "x();" * 700_000,
            "scripts that never end": lambda: "<script>" * 300_000,
            "a style that never ends": lambda: "<style>" + "p{}" * 900_000,
            "a text area that never ends": lambda: "<textarea>" + "</text" * 400_000,
            "a title that never ends": lambda: "<title>" + "</titl" * 400_000,
            "a section of characters that never ends": lambda: "<svg><![CDATA[" + "]]" * MB,
            "a plain text that never ends": lambda: "<plaintext>" + "<p>" * 300_000,
            "a tag that never ends": lambda: "<div " + "a" * (3 * MB),
            "a quote that never ends": lambda: "<div class='" + "<p>" * MB,
            "angle brackets": lambda: "<" * (3 * MB),
            "ampersands": lambda: "&" * (3 * MB),
            "character references": lambda: "&amp;&notit;&#x10ffff;&#0;&CounterClockwiseContourIntegral;" * 50_000,
            "processing instructions": lambda: "<?" * MB,
            "declarations": lambda: "<!DOCTYPE html>" * 150_000,
        }.items()
    )


def _heads() -> list[Hostile]:
    heads = {
        "a title of 10 MB": lambda: f"<title>{'title ' * (10 * MB // 6)}</title>",
        "50000 titles": lambda: "<title>a</title>" * 50_000,
        "refreshing for ever": lambda: '<meta http-equiv=refresh content="0;url=/refreshing-for-ever">' * 5_000,
        "bases of nonsense": lambda: '<base href="http://[:::"><base href="javascript:1"><base href="//">' * 1_000,
    }
    return [Hostile(name, lambda make=make: page("", head=make())) for name, make in heads.items()]  # type: ignore[misc]


MARKUP = [*_deep(), *_misnested(), *_many(), *_long(), *_heads()]

"""A page that is only looked at: nothing in it runs, loads or leads anywhere, and its words stay."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest

from crawler.extract.page.still import MAX_STILL_CHARS, still_page

HOSTILE = """<!DOCTYPE html><html lang="ar" dir="rtl"><head><script>x()</script><base href="http://x.example/">
<meta http-equiv="refresh" content="0;url=http://x.example"><link rel="preconnect" href="//x.example">
<link rel="stylesheet" href="http://x.example/a.css"><style>p { color: red }</style><title>T</title></head>
<body onload="x()" background="http://x.example/b.png"><a href="http://x.example/" ping="/p" class="k">go</a>
<img src="http://x.example/a.png" srcset="b 2x" alt="A" onerror="x()"><video poster="p" src="v"><source src="s"></video>
<svg><use xlink:href="http://x.example/#a"/><image href="http://x.example/q"/><script>x()</script>
<a href="javascript:x()"><text>svg words</text></a></svg><math><mtext href="javascript:x()">m</mtext></math>
<iframe src="http://x.example" srcdoc="&lt;script&gt;x()&lt;/script&gt;"></iframe><object data="http://x.example"></object>
<embed src="http://x.example"><form action="http://x.example"><input formaction="http://x.example"><button>b</button>
</form><template><img src="http://x.example/t"></template><noscript><img src="http://x.example/n"></noscript>
<p id="story" style="color: blue">The words stay.</p></body></html>"""


class Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.names: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.names |= {name for name, _ in attrs}


def test_nothing_runs_loads_or_leads_elsewhere() -> None:
    still = still_page(HOSTILE)
    reader = Reader()
    reader.feed(still)
    assert not {"script", "link", "meta", "base", "iframe", "object", "embed", "template", "noscript"} & set(
        reader.tags
    )
    assert reader.names == {"lang", "dir", "class", "alt", "id", "style"}
    assert "x.example" not in still


def test_words_names_and_looks_stay() -> None:
    still = still_page(HOSTILE)
    assert '<html lang="ar" dir="rtl">' in still
    assert '<p id="story" style="color: blue">The words stay.</p>' in still
    assert '<a class="k">go</a>' in still
    assert "p { color: red }" in still
    assert "svg words" in still


@pytest.mark.parametrize("html", ["", "<", "no page at all", "<p>" * 2_000, "<!--", "\0", "<svg><style><!--</style>"])
def test_whatever_it_is_there_is_a_page(html: str) -> None:
    assert "<html>" in still_page(html) or not html


def test_a_long_page_is_cut() -> None:
    assert len(still_page("<p>" + "a" * (MAX_STILL_CHARS + 1))) == MAX_STILL_CHARS


def test_a_page_that_was_made_still_stays_so() -> None:
    again = still_page(still_page(HOSTILE))
    assert not re.search("x.example|onload|href", again)

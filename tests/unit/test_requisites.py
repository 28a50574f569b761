"""What pages and style sheets are shown with: which addresses, in which order, and that hostile ones cost little."""

from __future__ import annotations

import pytest

from crawler.discover.requisites import find_requisites, find_style_requisites
from crawler.discover.styles import find_style_urls

PAGE = "https://gazette.example/2026/1"
SITE = "https://gazette.example"


def find(body: str, limit: int = 100) -> list[str]:
    return [url.removeprefix(SITE) for url in find_requisites(f"<html>{body}</html>", PAGE, limit)]


NAMED = {
    "a picture": ("<img src=a.gif>", ["/2026/a.gif"]),
    "a relative one with a base": ("<head><base href=/b/></head><img src=a.gif>", ["/b/a.gif"]),
    "another host's": ("<img src=//cdn.example/a.gif>", ["https://cdn.example/a.gif"]),
    "one in the page itself": ("<img src='data:image/gif;base64,R0lG'>", []),
    "an empty one": ("<img src=''><img src='#'>", []),
    "no address": ("<img src='javascript:a()'><img src='ftp://gazette.example/a'>", []),
    "each once": ("<img src=a.gif><img src=a.gif#x>", ["/2026/a.gif"]),
    "sizes": (
        "<img src=a.gif srcset='b.gif 1x, c,d.gif 2x,e.gif'>",
        ["/2026/a.gif", "/2026/b.gif", "/2026/c,d.gif", "/2026/e.gif"],
    ),
    "sizes with commas in their addresses": (
        "<img srcset='/w_300,h_200/a.gif 300w, /w_600,h_400/a.gif 600w'>",
        ["/w_300,h_200/a.gif", "/w_600,h_400/a.gif"],
    ),
    "a choice": ("<picture><source srcset=a.webp><img src=a.gif></picture>", ["/2026/a.gif", "/2026/a.webp"]),
    "a film's sizes": ("<video><source src=a.mp4></video><audio src=b.mp3></audio><iframe src=/c></iframe>", []),
    "a film's poster": ("<video poster=a.gif src=a.mp4></video>", ["/2026/a.gif"]),
    "what scripts show later": ("<img data-src=b.gif data-srcset='c.gif 2x'>", ["/2026/b.gif", "/2026/c.gif"]),
    "sheets, other ones left out": (
        "<link rel=stylesheet href=/a.css><link rel='alternate stylesheet' href=/b.css><link rel=next href=/c>",
        ["/a.css"],
    ),
    "the icon": ("<link rel='shortcut icon' href=/a.ico><link rel=canonical href=/b>", ["/a.ico"]),
    "a sheet within": ("<style>@import '/a.css'; p { background: url(b.gif) }</style>", ["/a.css", "/2026/b.gif"]),
    "a sheet within, in capitals": ("<style>@IMPORT '/a.css'</style>", ["/a.css"]),
    "an attribute": ('<p style="background:url(&quot;a.gif&quot;)">', ["/2026/a.gif"]),
    "in the order of need": (
        """<link rel=icon href=/4><img data-src=/5 srcset=/3><script src=/2></script><img src=/1><style>@import'/0'""",
        ["/0", "/1", "/2", "/3", "/5", "/4"],
    ),
}


@pytest.mark.parametrize(("body", "expected"), NAMED.values(), ids=NAMED)
def test_what_a_page_names(body: str, expected: list[str]) -> None:
    assert find(body) == expected


def test_no_more_than_the_limit() -> None:
    assert find("".join(f"<img src=/{n}>" for n in range(50)) + "<link rel=stylesheet href=/a.css>", 3) == [
        "/a.css",
        "/0",
        "/1",
    ]


SHEETS = {
    "url('a.gif') url( \"b.gif\" ) URL(c.gif)": ["a.gif", "b.gif", "c.gif"],
    "@import 'a.css'; @IMPORT url(b.css) print; @import\n\"c.css\"": ["a.css", "c.css", "b.css"],
    "/* url(a.gif) */ url(b.gif) /* url(c.gif)": ["b.gif"],
    "url(data:image/gif;base64,R0lG) url(#a) url() url('')": [],
    "url(a.gif": [],
    "url('a.gif)": [],
    "url(a b.gif)": [],
    "src: local('a'), url(a.woff2) format('woff2')": ["a.woff2"],
}


@pytest.mark.parametrize(("sheet", "expected"), SHEETS.items(), ids=SHEETS)
def test_what_a_sheet_names(sheet: str, expected: list[str]) -> None:
    assert find_style_urls(sheet) == expected


def test_addresses_in_a_sheet_are_relative_to_it() -> None:
    found = find_style_requisites("url(../a.gif) url(//cdn.example/b.gif) url(javascript:c)", f"{SITE}/style/a.css", 9)
    assert found == (f"{SITE}/a.gif", "https://cdn.example/b.gif")


HOSTILE = ["url(", "url('", 'url("', "@import ", "/*", "url( ", "url(\\", "/**/", "@import '", "@import\n\n\n"]


@pytest.mark.parametrize("part", HOSTILE)
def test_hostile_sheets_are_read_in_one_go(part: str) -> None:
    """Of quadratic work two million characters would take hours: the test's own time-out is the measure."""
    assert len(find_style_urls(part * (2_000_000 // len(part)))) <= 1


@pytest.mark.parametrize("part", ["a", ",", " ", "a ", "a,", ", ", "a 1x ,"])
def test_hostile_sizes(part: str) -> None:
    assert len(find(f"<img srcset='{part * 500_000}'>")) <= 1


@pytest.mark.parametrize("sheet", ["@import '/{}';", "p {{ background: url(/{}) }}"])
def test_a_page_of_many_sheets_of_its_own(sheet: str) -> None:
    assert len(find("".join(f"<style>{sheet.format(n)}</style>" for n in range(200)), 500)) == 50


def test_a_page_of_a_million_pictures() -> None:
    assert len(find("<img src=a.gif srcset='b.gif 1x, c.gif 2x' style='a:url(d.gif)'>" * 20_000)) == 4

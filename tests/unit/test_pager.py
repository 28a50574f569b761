"""The next page of a list by its number: only where it is one."""

from __future__ import annotations

import pytest

from crawler.discover import discover_links
from crawler.discover.pager import find_next
from crawler.model import Purpose

ROOT = "https://gazette.example"


@pytest.mark.parametrize(
    ("here", "links", "found"),
    [
        ("/town", ["/town?page=2", "/town?page=3"], "/town?page=2"),
        ("/town?page=2", ["/town?page=1", "/town?page=3"], "/town?page=3"),
        ("/list.php?c=2", ["/list.php?c=3&p=2", "/list.php?c=2&p=2"], "/list.php?c=2&p=2"),
        ("/town/", ["/town/page/2/"], "/town/page/2/"),
        ("/town/page/9", ["/town/page/8", "/town/page/10"], "/town/page/10"),
        ("/a/b/", ["/a/b/seite-2.html"], "/a/b/seite-2.html"),
        ("/αρχείο", ["/%CE%B1%CF%81%CF%87%CE%B5%CE%AF%CE%BF?page=2"], "/%CE%B1%CF%81%CF%87%CE%B5%CE%AF%CE%BF?page=2"),
        ("/", ["/page/2"], "/page/2"),
        ("/archive/", ["/archive/2/"], "/archive/2/"),
        ("/archive/2/", ["/archive/", "/archive/3/"], "/archive/3/"),
        ("/archive/2", ["/archive/3"], None),
        ("/category/1", ["/category/2", "/"], None),
        ("/2026/11/", ["/2026/11/2"], None),
        ("/town", ["/town?page=3", "/sport?page=2", "https://other.example/town?page=2", "/town?id=2"], None),
        ("/town", ["/town/2026/page/2", "/town/pages", "/town?page=two", "/town?page=20000"], None),
        ("/town", ["http://[", "/town?page=" + "2" * 5_000], None),
    ],
)
def test_which_link_is_the_next_page(here: str, links: list[str], found: str | None) -> None:
    absolute = [link if "://" in link else f"{ROOT}{link}" for link in links]
    assert find_next(f"{ROOT}{here}", absolute) == (found and f"{ROOT}{found}")


def test_a_section_names_it_unless_it_says_itself_what_is_next() -> None:
    anchors = '<a href="/2026/a">A</a><a href="?page=2">2</a><a href="?page=3">3</a>'
    found = discover_links(anchors.encode(), url=f"{ROOT}/town", purpose=Purpose.SECTION, media_type=None, limit=9)
    assert [(link.url, link.purpose, link.numbered) for link in found.links] == [
        (f"{ROOT}/2026/a", Purpose.ARTICLE, False),
        (f"{ROOT}/town?page=2", Purpose.SECTION, True),
        (f"{ROOT}/town?page=3", Purpose.ARTICLE, False),
    ]
    told = f'<link rel=next href="/older">{anchors}'
    found = discover_links(told.encode(), url=f"{ROOT}/town", purpose=Purpose.SECTION, media_type=None, limit=9)
    assert [link.url for link in found.links if link.purpose is Purpose.SECTION] == [f"{ROOT}/older"]
    assert not any(link.numbered for link in found.links)

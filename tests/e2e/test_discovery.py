"""Hostile and broken announcements in whole crawls: loops, bombs, other people's sitemaps, damage on the way."""

from __future__ import annotations

import gzip
import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.crawls import Answer, Crawl, Result, Site, page, serve_site

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def site() -> Iterator[Site]:
    with serve_site() as site:
        yield site


def index(*urls: str) -> Answer:
    return Answer(
        f"<sitemapindex>{''.join(map('<sitemap><loc>{}</loc></sitemap>'.format, urls))}</sitemapindex>".encode()
    )


def urlset(*urls: str) -> Answer:
    return Answer(f"<urlset>{''.join(map('<url><loc>{}</loc></url>'.format, urls))}</urlset>".encode())


def skipped(result: Result) -> list[dict[str, Any]]:
    events = [json.loads(line) for line in result.log.splitlines() if line.startswith("{")]
    return [event for event in events if event["event"] == "skipped_page"]


def test_an_index_that_names_itself_is_read_once(site: Site, crawl: Crawl) -> None:
    site.answers["/a.xml"] = index("/a.xml", "/b.xml", "/a.xml?utm_source=b", "/A/../b.xml", "/rss.xml#x")
    site.answers["/b.xml"] = index("/a.xml", "/b.xml", "/c.xml")
    site.answers["/c.xml"] = index("/a.xml", "/2026/map.xml")
    site.answers["/2026/map.xml"] = urlset("/2026/one", "/a.xml")
    site.answers["/2026/one"] = site.answers["/2026/two"] = Answer(page("One"))
    site.announce("/2026/two")
    crawl.source["discover"] = [{"sitemap": f"{site.root}/a.xml"}, {"feed": f"{site.root}/rss.xml"}]
    result = crawl.run()
    assert max(site.paths.values()) == 1
    maps = {"/a.xml", "/b.xml", "/c.xml", "/2026/map.xml"}
    assert set(site.paths) == maps | {"/robots.txt", "/rss.xml", "/2026/one", "/2026/two"}
    assert result.run is not None
    assert result.run.reason == "finished"
    assert [(seed["links"], seed["error"]) for seed in result.run.discovery] == [(1, None), (1, None)]


def test_pages_that_name_ever_further_pages_end_at_the_depth(site: Site, crawl: Crawl) -> None:
    for number in range(9):
        site.answers[f"/{number}.xml"] = index(f"/{number + 1}.xml")
        body = f'<a rel=next href="/news?page={number + 1}">next</a><a href="/2026/{number}">x</a>'
        site.answers[f"/news?page={number}"] = Answer(body.encode())
    crawl.source["discover"] = [{"sitemap": f"{site.root}/0.xml"}, {"section": f"{site.root}/news?page=0"}]
    crawl.settings["max_depth"] = 3
    result = crawl.run()
    assert {path for path in site.paths if path.endswith(".xml")} == {f"/{number}.xml" for number in range(4)}
    assert {path for path in site.paths if "page" in path} == {f"/news?page={number}" for number in range(4)}
    assert [event["reason"] for event in skipped(result)] == ["deeper than max_depth: 3"] * 2


def test_numbered_pages_are_followed_while_they_have_something_new(site: Site, crawl: Crawl) -> None:
    for number in range(1, 6):
        anchors = "".join(f'<a href="/news?page={other}">{other}</a>' for other in range(1, 6) if other != number)
        site.answers["/news" if number == 1 else f"/news?page={number}"] = Answer(
            f'<a href="/2026/{number}">x</a>{anchors}'.encode()
        )
        site.answers[f"/2026/{number}"] = Answer(page(f"Story {number}"))
    crawl.source["discover"] = [{"section": f"{site.root}/news"}]
    crawl.known = {f"{site.root}/2026/{number}": "2026-11-07T12:00:00+00:00" for number in (3, 4)}
    crawl.run()
    assert {path for path in site.paths if "page" in path} == {"/news?page=2", "/news?page=3"}
    assert {path for path in site.paths if path.startswith("/2026/")} == {"/2026/1", "/2026/2"}
    assert max(site.paths.values()) == 1


def test_an_index_bomb_does_not_hold_the_run(site: Site, crawl: Crawl) -> None:
    site.answers["/bomb.xml"] = index(*(f"/maps/{number}.xml" for number in range(100_000)))
    for number in range(100):
        site.answers[f"/maps/{number}.xml"] = index(*(f"/maps/{number}/{n}.xml" for n in range(1_000)))
    site.announce("/2026/one")
    site.answers["/2026/one"] = Answer(page("One"))
    crawl.source["discover"] = [{"sitemap": f"{site.root}/bomb.xml"}, {"feed": f"{site.root}/rss.xml"}]
    crawl.settings["max_listings"] = 12
    result = crawl.run()
    assert len([path for path in site.paths if path.startswith("/maps/")]) == 10
    assert site.paths["/2026/one"] == 1
    assert result.run is not None
    assert result.run.reason == "limit"
    events = [event for event in skipped(result) if event["reason"] == "more than max_listings: 12"]
    (bomb, *rest) = sorted(events, key=lambda event: -event["pages"])  # it is read while others are
    assert (bomb["via"], bomb["pages"]) == (f"{site.root}/bomb.xml", 100_000 - 10)
    assert len(rest) == 10


def test_seeds_are_fetched_however_many_there_are(site: Site, crawl: Crawl) -> None:
    for number in range(5):
        site.answers[f"/{number}.xml"] = index(f"/{number}/more.xml")
    crawl.source["discover"] = [{"sitemap": f"{site.root}/{number}.xml"} for number in range(5)]
    crawl.settings["max_listings"] = 3
    result = crawl.run()
    assert set(site.paths) == {"/robots.txt", *(f"/{number}.xml" for number in range(5))}
    assert result.run is not None
    assert result.run.reason == "limit"


def test_sitemaps_of_other_sites_are_not_fetched(site: Site, crawl: Crawl) -> None:
    port = site.server.server_port
    home, below, beside, feed = (
        f"http://{host}:{port}"
        for host in ("www.gazette.example", "maps.gazette.example", "gazette.press.example", "feeds.press.example")
    )
    foreign = [f"http://other.example:{port}", f"http://notgazette.example:{port}", f"http://example:{port}", beside]
    site.answers["/index.xml"] = index(
        *(f"{root}/foreign.xml" for root in foreign), f"{below}/below.xml", f"{feed}/own.xml", "/home.xml"
    )
    site.answers["/below.xml"] = index(f"{home}/again.xml")
    site.answers["/own.xml"] = urlset(f"{home}/2026/one", "http://other.example/2026/two", "/2026/three")
    for name in ("one", "three"):
        site.answers[f"/2026/{name}"] = Answer(page(name))
    crawl.source |= {
        "home": f"{home}/",
        "discover": [{"sitemap": f"{home}/index.xml"}, {"feed": f"{feed}/rss.xml"}],
        "articles": {"include": [r"^http://[a-z]+\.(gazette|press)\.example:\d+/2026/"]},
    }
    hosts = ["www.gazette.example", "maps.gazette.example", "feeds.press.example", "other.example", "example"]
    crawl.settings["resolve"] = [f"{host}:{port}:127.0.0.1" for host in hosts]
    result = crawl.run()
    assert {path for path in site.paths if path.endswith(".xml")} == {
        *("/index.xml", "/below.xml", "/own.xml", "/home.xml", "/again.xml", "/rss.xml")
    }
    assert {path for path in site.paths if path.startswith("/2026/")} == {"/2026/one", "/2026/three"}
    (event,) = [event for event in skipped(result) if "another site" in event["reason"]]
    assert (event["url"], event["via"], event["pages"]) == (f"{foreign[0]}/foreign.xml", f"{home}/index.xml", 4)
    assert result.run is not None
    assert result.run.reason == "finished"


def test_damage_costs_only_what_it_hit(site: Site, crawl: Crawl) -> None:
    """Cut gzip with the wrong type, a lying charset, an entity bomb, a web page for a feed: each beside the others."""
    paths = ["/2026/a", "/2026/b", "/2026/c", "/2026/d"]
    for path in paths:
        site.answers[path] = Answer(page(path))
    packed = gzip.compress(urlset(paths[0]).body.replace(b"</urlset>", b" " * 200_000))
    site.answers["/map.xml"] = Answer(packed[:-20], media_type="text/plain")
    coded = gzip.compress(urlset(paths[1]).body.replace(b"</urlset>", b"<!--" + bytes(range(32, 127)) * 3_000))
    site.answers["/coded.xml"] = Answer(coded[:-60], headers={"Content-Encoding": "gzip"})
    latin = f"<rss><item><title>caf\xe9</title><link>{site.root}{paths[2]}</link></item></rss>".encode("latin-1")
    site.answers["/latin.xml"] = Answer(latin, media_type="application/xml; charset=utf-8")
    site.answers["/bomb.xml"] = Answer(
        b'<!DOCTYPE rss [<!ENTITY a "b">]><rss><item><link>/2026/&a;</link></item></rss>'
    )
    site.answers["/page.xml"] = Answer(b'<html><link rel=alternate type="application/rss+xml" href="/latin.xml">hello')
    site.announce(paths[3])
    names = ("map", "coded", "latin", "bomb", "page", "rss")
    crawl.source["discover"] = [{"sitemap": f"{site.root}/{name}.xml"} for name in names[:2]]
    crawl.source["discover"] += [{"feed": f"{site.root}/{name}.xml"} for name in names[2:]]
    result = crawl.run()
    assert {path for path in site.paths if path.startswith("/2026/")} == set(paths)
    assert result.run is not None
    assert [(seed["links"], seed["error"]) for seed in result.run.discovery] == [
        *[(1, None)] * 3,
        (0, "damaged feed: it declares entities, which no feed needs"),
        (0, f"found HTML where a feed should be; the page names {site.root}/latin.xml as its feed"),
        (1, None),
    ]
    errors = [json.loads(line).get("error") for line in result.log.splitlines() if '"failed_discovery"' in line]
    assert [str(error)[:27] for error in errors if error].count("gzip file is cut off; the f") == 2

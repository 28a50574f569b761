"""Which of the places that a look has seen are worth a request."""

from __future__ import annotations

from datetime import UTC, datetime

from crawler.discover.page_facts import Alternate, LinkPlace, PageFacts, SeenLink
from crawler.robots import MAX_SITEMAPS, list_sitemaps
from crawler.survey.candidates import (
    choose_sections,
    iterate_dated,
    join,
    list_common,
    list_named_feeds,
    list_page_numbers,
    order_members,
    unique,
)
from crawler.survey.facts import AnnouncedLink

HOME = "https://gazette.example/"


def link(path: str, text: str = "World", place: LinkPlace = "nav", *, headline: bool = False) -> SeenLink:
    return SeenLink(path if "://" in path else f"https://gazette.example{path}", text, place, headline)


def sections(*links: SeenLink) -> list[str]:
    found = choose_sections(PageFacts(HOME, links=links))
    return [url.removeprefix("https://gazette.example") for url in found]


def test_navigation_comes_before_what_stands_in_the_middle_and_at_the_foot() -> None:
    assert sections(link("/a", place="footer"), link("/b", place="main"), link("/c"), link("/d", place="header")) == [
        "/c",
        "/d",
        "/b",
    ]
    assert sections(link("/a", place="footer"), link("/b", place="main")) == ["/b", "/a"]


def test_what_is_no_section_is_not_asked_for() -> None:
    assert sections(
        link("/"),
        link("/login", "Log in"),
        link("/impressum", "Impressum"),
        link("/tag/bridge", "Bridge"),
        link("/páginas/x", "X"),
        link("/pagina/contacto", "Contacto"),
        link("/author/jane", "Jane"),
        link("/world.pdf", "PDF"),
        link("/2026/11/27/", "Today"),
        link("/the-bridge-is-open-again-today", "The bridge", "main"),
        link("/bridge", "The bridge over the river is open again, says the mayor", "main"),
        link("/headline", "Bridge", "main", headline=True),
        link("https://other.example/world"),
        link("/empty", ""),
    ) == ["/páginas/x".replace("á", "%C3%A1")]


def test_a_section_is_named_once_and_may_be_a_query() -> None:
    assert sections(link("/world", place="footer"), link("/world#top"), link("/index.php?cat=2")) == [
        "/world",
        "/index.php?cat=2",
    ]


def test_feeds_that_a_page_names_come_first_and_none_of_comments() -> None:
    rss = "application/rss+xml"
    page = PageFacts(
        HOME,
        alternates=(
            Alternate(f"{HOME}feed", rss, None, "News"),
            Alternate(f"{HOME}comments/feed", rss, None, "Comments"),
            Alternate(f"{HOME}all", rss, None, "Gazette » Comments Feed"),
            Alternate(f"{HOME}wp-json/oembed", "application/json"),
            Alternate(f"{HOME}en/", None, "en"),
        ),
        links=(link("/rss/sport.xml"), link("/feed"), link("https://other.example/rss"), link("/news")),
    )
    assert list_named_feeds(page) == [f"{HOME}feed", f"{HOME}rss/sport.xml"]


def test_common_places_are_looked_for_below_the_folder_of_the_home_page_too() -> None:
    assert list_common("https://gazette.example/de/index.html", ["/rss"]) == [f"{HOME}de/rss", f"{HOME}rss"]
    assert list_common(HOME, ["/rss", "/rss"]) == [f"{HOME}rss"]


def test_of_a_sitemap_index_the_news_come_first_and_one_of_each_kind() -> None:
    def member(name: str, day: int | None = None) -> AnnouncedLink:
        changed = datetime(2026, 11, day, tzinfo=UTC) if day else None
        return AnnouncedLink(f"{HOME}{name}.xml", modified=changed)

    members = [member("tags"), member("post-1", 2), member("post-2", 27), member("post-10", 1), member("map-2026-10")]
    members += [member("map-2026-9"), member("news")]
    assert [url.removeprefix(HOME) for url in order_members(members)] == [
        *("news.xml", "post-2.xml", "map-2026-10.xml", "tags.xml"),
        *("post-1.xml", "post-10.xml", "map-2026-9.xml"),
    ]


def test_further_pages_of_a_list_are_known_by_their_numbers() -> None:
    page = PageFacts(
        f"{HOME}world/", links=tuple(map(link, ["/world/?page=2", "/world/page/3/", "/world/a", "/x?page=2"]))
    )
    assert [url.removeprefix(HOME) for url in list_page_numbers(page)] == ["world/?page=2", "world/page/3/"]


def test_pages_of_a_day_are_told_from_articles_of_a_day() -> None:
    dated = ["/events/2026-11-27", "/2026/11", "/2026/11/27/", "/calendar?date=x", "/archive/2026"]
    others = ["/2026/11/27/the-bridge-is-open", "/2026/11/1234567", "/news", "/", "/story?id=2026"]
    assert list(iterate_dated([f"https://gazette.example{path}" for path in [*dated, *others]])) == [
        f"https://gazette.example{path}" for path in dated
    ]


def test_sitemaps_are_read_off_robots_txt() -> None:
    text = (
        "Sitemap: /a.xml # all\n SITEMAP : https://gazette.example/b.xml\nsitemap:\nSitemap: /a.xml\nDisallow: /c.xml\n"
    )
    assert list_sitemaps(text.encode("utf-16")) == ["/a.xml", "https://gazette.example/b.xml"]
    many = b"".join(b"Sitemap: /%d\n" % number for number in range(2 * MAX_SITEMAPS))
    assert len(list_sitemaps(many)) == MAX_SITEMAPS


def test_what_is_no_address_is_left_out() -> None:
    assert join(f"{HOME}robots.txt", "/a.xml") == f"{HOME}a.xml"
    assert [join(HOME, url) for url in ("file:///etc/passwd", "http://[", "http://a:b@c/", "x" * 10_000)] == [None] * 4
    assert unique([f"{HOME}a", "javascript:1", f"{HOME}a#b", "https://GAZETTE.example/a"]) == [f"{HOME}a"]

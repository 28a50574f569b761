"""Deep discovery: articles that only old sitemaps and dated or numbered lists still name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.crawls import Answer, Site, page, serve_site
from tests.installation import Ofrecord, install

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

XML = "application/xml"


class OldSite:
    """A paper whose feed has the newest article; the rest stands in lists of which hardly one is announced."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.articles: set[str] = set()
        self._put(
            "/robots.txt",
            f"User-agent: *\nDisallow: /secret\nSitemap: http://[::\nSitemap: {site.root}/sitemap-index.xml\n",
            "text/plain",
        )
        self._list_urls("/sitemap-index.xml", ["/sitemap-2024-03.xml"], root="sitemapindex", item="sitemap")
        for month in ("2024-03", "2024-02", "2024-01", "2023-11"):  # in December nothing was written
            self._list_urls(f"/sitemap-{month}.xml", self._write(f"/story/{month}-a", f"/story/{month}-b"))
        dated = "".join(f'<li><a href="/archive/2022/12/{day}/">{day}</a></li>' for day in (30, 31))
        pages = '<a href="/politics?page=2">2</a>'
        self._put("/", f"<html><body><h1>Gazette</h1><ul>{dated}</ul><a href='/politics'>Politics</a></body></html>")
        for day in (31, 30, 29, 25):
            self._put_list(f"/archive/2022/12/{day}/", self._write(f"/story/day-{day}"))
        self._put_list("/politics", self._write("/story/politics-1"), pages)
        self._put_list("/politics?page=2", self._write("/story/politics-2"))
        self._put_list("/politics?page=3", self._write("/story/politics-3"))
        self._put_list("/politics?page=4", ["/story/politics-3"])
        site.announce(*self._write("/story/newest"))

    def _put(self, path: str, text: str, media_type: str = "text/html") -> None:
        self.site.answers[path] = Answer(text.encode(), media_type=media_type)

    def _put_list(self, path: str, articles: list[str], more: str = "") -> None:
        links = "".join(f'<li><a href="{url}">A story of the year {url}</a></li>' for url in articles)
        self._put(path, f"<html><body><main><h1>Archive</h1><ul>{links}</ul>{more}</main></body></html>")

    def _list_urls(self, path: str, urls: list[str], *, root: str = "urlset", item: str = "url") -> None:
        items = "".join(f"<{item}><loc>{self.site.root}{url}</loc></{item}>" for url in urls)
        self._put(path, f'<{root} xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{items}</{root}>', XML)

    def _write(self, *paths: str) -> list[str]:
        for path in paths:
            self.site.answers[path] = Answer(page(f"Page {path}"))
            self.articles.add(path)
        return list(paths)


@pytest.fixture
def old() -> Iterator[OldSite]:
    with serve_site() as running:
        yield OldSite(running)


def installed(folder: Path, old: OldSite, **source: Any) -> Ofrecord:
    root = old.site.root
    described = old.site.describe_source() | {"articles": {"include": ["/story/"]}}
    discover = [{"feed": f"{root}/rss.xml"}, {"section": f"{root}/politics"}]
    return install(folder, {**described, "discover": discover, **source})


def list_stories(ofrecord: Ofrecord, old: OldSite) -> set[str]:
    return {row["url"].removeprefix(old.site.root) for row in ofrecord("list", "--json").rows()}


def test_old_lists_bring_what_no_feed_names(tmp_path: Path, old: OldSite) -> None:
    ofrecord = installed(tmp_path, old)
    ofrecord("crawl", "gazette")
    before = list_stories(ofrecord, old)
    assert len(before) < 4
    report = ofrecord("backfill", "gazette", "--deep", "--json").json()
    assert list_stories(ofrecord, old) == old.articles
    assert (report["done"], report["waiting"], report["found"]) == (True, 0, len(old.articles) - len(before))
    assert report["lists"] < 60
    assert report["requests"] < 70
    assert all(old.site.paths[path] == 1 for path in old.articles - before)  # none twice
    assert not any(path.startswith("/secret") for path in old.site.paths)
    asked = len(old.site.requests)
    again = ofrecord("backfill", "gazette", "--deep", "--json").json()
    assert (again["run"], again["requests"], len(old.site.requests)) == (None, 0, asked)


def test_a_budget_is_kept_and_the_next_one_goes_on(tmp_path: Path, old: OldSite) -> None:
    ofrecord = installed(tmp_path, old)
    rounds = 0
    while True:
        asked = len(old.site.requests)
        report = ofrecord("backfill", "gazette", "--deep", "--max-requests", "9", "--json").json()
        assert len(old.site.requests) - asked <= 10  # the crawl asks for robots.txt once more
        rounds += 1
        if report["done"] and not report["waiting"]:
            break
        assert rounds < 30
    assert rounds > 3
    assert list_stories(ofrecord, old) == old.articles - {"/story/newest"}  # which only the feed has


def test_at_most_so_many_pages_newest_first(tmp_path: Path, old: OldSite) -> None:
    ofrecord = installed(tmp_path, old)
    ofrecord("backfill", "gazette", "--deep", "--max-pages", "3")
    assert list_stories(ofrecord, old) == {"/story/2024-03-a", "/story/2024-03-b", "/story/politics-1"}


def test_only_lists_of_a_range_of_time(tmp_path: Path, old: OldSite) -> None:
    ofrecord = installed(tmp_path, old)
    ofrecord("backfill", "gazette", "--deep", "--from", "2024-01-01", "--to", "2024-02-29")
    dated = {path for path in list_stories(ofrecord, old) if "20" in path or "day" in path}
    assert dated == {f"/story/2024-0{month}-{letter}" for month in (1, 2) for letter in "ab"}


def test_an_endless_calendar_ends(tmp_path: Path, old: OldSite) -> None:
    class Endless(dict[str, Answer]):
        def get(self, path: str, default: Any = None) -> Any:
            if path.startswith("/archive/"):
                return Answer(b'<html><body><a href="/story/newest">A story that is always there</a></body></html>')
            return super().get(path, default)

    ofrecord = installed(tmp_path, old)
    old.site.answers = Endless(old.site.answers)
    report = ofrecord("backfill", "gazette", "--deep", "--json").json()
    assert report["done"]
    assert 2 < sum(number for path, number in old.site.paths.items() if path.startswith("/archive/")) < 40


def test_options_for_web_archives_are_refused_beside_it(tmp_path: Path, old: OldSite) -> None:
    ofrecord = installed(tmp_path, old)
    for words in (("--every",), ("--below", old.site.root), ("--web-archive", "timemap=https://archive.example/")):
        refused = ofrecord("backfill", "gazette", "--deep", *words, code=2)
        assert "found an option for web archives beside it" in refused.stderr
    assert not old.site.requests

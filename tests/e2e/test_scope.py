"""Which parts a source wants: what an address or a listing tells is not fetched, what only a page tells is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import yaml

from crawler.rows import CaptureRow
from tests.crawls import Answer, Site, serve_site
from tests.histories import check_archive, read_histories, read_segment
from tests.installation import Ofrecord, install

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TEXTS = {
    "en": "The council met on Monday and agreed that the bridge over the river will be built by the spring.",
    "de": "Der Rat trat am Montag zusammen und beschloss, dass die Brücke über den Fluss bis zum Frühjahr gebaut wird.",
}
MAP = '<urlset xmlns:news="http://www.google.com/schemas/sitemap-news/0.9">{}</urlset>'


def write_page(title: str, *, language: str, section: str | None = None, declared: bool = True) -> Answer:
    said = f'<meta property="article:section" content="{section}">' if section else ""
    text = "".join(f"<p>{TEXTS[language]} {number}.</p>" for number in range(12))
    lang = f' lang="{language}"' if declared else ""
    head = f"<head><meta charset=utf-8><title>{title}</title>{said}</head>"
    return Answer(f"<html{lang}>{head}<body><article><h1>{title}</h1>{text}</article></body></html>".encode())


@pytest.fixture
def site() -> Iterator[Site]:
    with serve_site() as running:
        running.answers.update(
            {
                "/politics/2026/1": write_page("One", language="en"),
                "/politics/2026/2": write_page("Two", language="de"),
                "/sport/2026/3": write_page("Three", language="en"),
                "/2026/4": write_page("Four", language="en", section="Science"),
                "/2026/5": write_page("Five", language="en", section="Sport"),
                "/2026/6": write_page("Six", language="de", declared=False),
                "/2026/7": write_page("Seven", language="en"),
            }
        )
        running.announce(*(path for path in running.answers if "/2026/" in path))
        yield running


def installed(folder: Path, site: Site, **source: Any) -> Ofrecord:
    return install(folder, {**site.describe_source(), **source})


def change_source(ofrecord: Ofrecord, **keys: Any) -> None:
    path = ofrecord.config / "sources" / "gazette.yaml"
    path.write_text(yaml.safe_dump({**yaml.safe_load(path.read_text()), **keys}))


def list_captures(folder: Path) -> dict[str, CaptureRow]:
    rows = [row for path in sorted(folder.glob("archive/segments/*/*/*.warc.gz")) for row in read_segment(path)]
    found = [row for row in rows if isinstance(row, CaptureRow) and row.purpose == "article"]
    return {f"/{row.url.split('/', 3)[3]}": row for row in found}


def count_pages(site: Site) -> dict[str, int]:
    return {path: number for path, number in site.paths.items() if "/2026/" in path}


def test_sections_by_address_are_all_that_is_fetched(tmp_path: Path, site: Site) -> None:
    ofrecord = installed(tmp_path, site, sections=["/politics/"])
    assert ofrecord("crawl", "gazette", "--json").json()["new"] == 2
    assert count_pages(site) == {"/politics/2026/1": 1, "/politics/2026/2": 1}


def test_what_only_a_page_tells_is_recorded_once_and_makes_no_article(tmp_path: Path, site: Site) -> None:
    ofrecord = installed(tmp_path, site, sections=["/politics/", "science"], languages=["en"])
    report = ofrecord("crawl", "gazette", "--json").json()
    assert (report["new"], report["bad"], report["failed"], report["exit_code"]) == (3, 4, 0, 0)
    wanted = "wanted sections: /politics/, science; languages: en"
    assert {path: row.class_reason for path, row in list_captures(tmp_path).items() if row.page_class == "outside"} == {
        "/politics/2026/2": f"in de; {wanted}",
        "/2026/5": f"of section Sport; {wanted}",
        "/2026/6": f"in de; {wanted}",
        "/sport/2026/3": f"of section sport; {wanted}",  # as its address has it
    }
    histories = read_histories(tmp_path / "archive")
    assert histories["gazette", f"{site.root}/2026/5"] == (("bad", None, "outside"),)
    assert histories["gazette", f"{site.root}/2026/7"] == (("new", 1, "article"),)  # says neither


def test_nothing_outside_is_looked_at_again_until_more_is_wanted(tmp_path: Path, site: Site) -> None:
    ofrecord = installed(tmp_path, site, languages=["en"])
    first = ofrecord("crawl", "gazette", "--json").json()
    assert (first["new"], first["bad"]) == (5, 2)
    ofrecord("crawl", "gazette")
    assert set(count_pages(site).values()) == {1}

    change_source(ofrecord, languages=["en", "de"])
    assert ofrecord("crawl", "gazette", "--recheck", "none", "--json").json()["new"] == 2
    change_source(ofrecord, languages=["en"])  # what is an article stays one
    assert ofrecord("crawl", "gazette", "--recheck", "all", "--json").json()["unchanged"] == 7
    assert not check_archive(tmp_path / "archive").damaged
    ofrecord("verify", "--full", "--rederive")


def test_pages_that_are_given_are_wanted(tmp_path: Path, site: Site) -> None:
    ofrecord = installed(tmp_path, site, languages=["en"], sections=["/politics/"])
    (tmp_path / "urls").write_text(f"{site.root}/2026/6\n")
    assert ofrecord("crawl", "gazette", "--urls", tmp_path / "urls", "--json").json()["new"] == 1


def test_a_news_sitemap_tells_the_language_before(tmp_path: Path, site: Site) -> None:
    said = {"/politics/2026/1": "en", "/politics/2026/2": "de", "/2026/6": "", "/2026/7": "en-gb"}
    entries = "".join(
        f"<url><loc>{site.root}{path}</loc><news:news><news:publication><news:language>{language}</news:language>"
        "</news:publication></news:news></url>"
        for path, language in said.items()
    )
    site.answers["/map.xml"] = Answer(MAP.format(entries).encode(), media_type="application/xml")
    ofrecord = installed(tmp_path, site, languages=["en"], discover=[{"sitemap": f"{site.root}/map.xml"}])
    report = ofrecord("crawl", "gazette", "--json").json()
    assert (report["new"], report["bad"]) == (2, 1)
    assert "/politics/2026/2" not in site.paths
    headers = dict(site.requests)
    assert headers["/politics/2026/1"]["Accept-Language"] == "en"

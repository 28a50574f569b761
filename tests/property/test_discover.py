from __future__ import annotations

import gzip
import json
from typing import Any
from xml.sax.saxutils import escape

from hypothesis import given
from hypothesis import strategies as st

from crawler.discover import discover_links
from crawler.model import Discovery, Purpose
from crawler.urls import normalise_url

SITE = "https://gazette.example"
TEXT = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Cn"]), max_size=20)
PATHS = st.text("abc/1é?&=%;", max_size=12).map("/a{}".format)
ENTRIES = st.lists(st.tuples(PATHS, TEXT), max_size=6, unique_by=lambda entry: entry[0])
ALL_SCRAPS = (
    "<rss>|<feed>|<urlset>|<url>|<loc>|</loc>|</url>|<item>|</item>|<entry>|<link>|</link>|<link href='/a'/>|<title>"
    "|</title>|<guid>|xmlns:a='b'|xml:base='/c/'|<![CDATA[|]]>|<!--|-->|&|&amp;|&nbsp;|&#0;|<!DOCTYPE rss [|]>|\0|é"
    '|<!ENTITY a \'b\'>|/a|https://|https://gazette.example|<|>|{|}|[|]|"items":|"url":|"/a"|,|<a href=/b>|\ufeff'
    "|<?xml version='1.0' encoding='utf-16'?>|<?xml version='1.0'?>|<html>|<lastmod>2023|\n"
)
SCRAPS = st.sampled_from(ALL_SCRAPS.split("|"))
MIXTURES = st.lists(SCRAPS, max_size=25).map("".join)
ENCODINGS = st.sampled_from(["utf-8", "utf-16", "utf-16-le", "latin-1", "utf-8-sig"])


def find(body: bytes, purpose: Purpose = Purpose.FEED, *, limit: int = 100, media_type: str | None = None) -> Discovery:
    return discover_links(body, url=f"{SITE}/x/", purpose=purpose, media_type=media_type, limit=limit)


def as_rss(entries: list[tuple[str, str]]) -> bytes:
    items = "".join(
        f"<item><guid>{SITE}/wrong</guid><title>{escape(title)}</title><link>{escape(path)}</link></item>"
        for path, title in entries
    )
    return f'<?xml version="1.0"?><rss version="2.0"><channel><link>/</link>{items}</channel></rss>'.encode()


def as_atom(entries: list[tuple[str, str]]) -> bytes:
    items = "".join(
        f"<entry><id>{SITE}/wrong</id><title>{escape(title)}</title><link href='{escape(path)}'/></entry>"
        for path, title in entries
    )
    return f'<feed xmlns="http://www.w3.org/2005/Atom">{items}</feed>'.encode("utf-16")


def as_sitemap(entries: list[tuple[str, str]]) -> bytes:
    urls = "".join(f"<url><x>{escape(title)}</x><loc>{escape(path)}</loc></url>" for path, title in entries)
    return f"<urlset>{urls}</urlset>".encode()


def as_json(entries: list[tuple[str, str]]) -> bytes:
    items: list[dict[str, Any]] = [{"id": f"{SITE}/wrong", "title": title, "url": path} for path, title in entries]
    return json.dumps({"title": "[{", "items": items}, ensure_ascii=False).encode()


FORMS = st.sampled_from([as_rss, as_atom, as_sitemap, as_json])


@given(ENTRIES, FORMS, st.floats(0, 1))
def test_a_cut_document_gives_the_links_before_the_cut(entries: list[tuple[str, str]], form: Any, share: float) -> None:
    whole = form(entries)
    all_links = find(whole)
    assert all_links.error is None
    found = find(whole[: int(share * len(whole))])
    assert found.links == all_links.links[: len(found.links)]


@given(ENTRIES, FORMS, st.floats(0, 1))
def test_a_cut_gzip_file_gives_the_links_before_the_cut(
    entries: list[tuple[str, str]], form: Any, share: float
) -> None:
    whole = form(entries)
    packed = gzip.compress(whole, mtime=0)
    found = find(packed[: max(2, int(share * len(packed)))])
    assert found.links == find(whole).links[: len(found.links)]


@given(ENTRIES, FORMS, st.integers(0, 6))
def test_the_limit_takes_the_first(entries: list[tuple[str, str]], form: Any, limit: int) -> None:
    whole = find(form(entries))
    found = find(form(entries), limit=limit)
    assert found.links == whole.links[:limit]
    assert found.truncated == (len(whole.links) > limit)


@given(ENTRIES)
def test_every_form_says_the_same(entries: list[tuple[str, str]]) -> None:
    urls = [[link.url for link in find(form(entries)).links] for form in (as_rss, as_atom, as_sitemap)]
    assert urls[0] == urls[1] == urls[2]


@given(
    st.binary(max_size=60) | st.builds(str.encode, MIXTURES, ENCODINGS, st.just("replace")),
    st.sampled_from(list(Purpose)),
    st.sampled_from(
        [None, "text/html", "text/xml; charset=utf-16", "application/xml; charset=windows-1256", "a;charset=x"]
    ),
)
def test_nothing_raises_and_links_are_links(body: bytes, purpose: Purpose, media_type: str | None) -> None:
    for data in (body, gzip.compress(body), b"<rss>" + body, b"<urlset><url>" + body):
        found = find(data, purpose, limit=3, media_type=media_type)
        assert found.error is None or 0 < len(found.error) <= 500
        assert "cannot be read" not in (found.error or "")
        assert len(found.links) <= 3
        for link in found.links:
            assert normalise_url(link.url)
            assert link.title is None or 0 < len(link.title) <= 500

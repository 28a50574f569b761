from __future__ import annotations

import re
import string
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from surt import surt as reference_surt

from crawler import urls
from crawler.urls import normalise_url, resolve_link, surt

if TYPE_CHECKING:
    from collections.abc import Iterator

SHORT_CUTS = ("_PLAIN_NORMAL", "_PLAIN_LINK", "_PLAIN_PATH")
TEXT = st.text(st.characters(codec="utf-8"), max_size=60)
NASTY = st.text("ab%25e.F/\\?&=;#:@[]éا \t\n+~", max_size=40)
HOSTS = st.from_regex(r"[a-z][a-z0-9]{0,8}\.(com|example)", fullmatch=True)


@contextmanager
def without_short_cuts() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        for name in SHORT_CUTS:
            patch.setattr(urls, name, re.compile(r"(?!)"))
        yield


def normal(url: str) -> str | None:
    try:
        return normalise_url(url)
    except ValueError:
        return None


@given(st.one_of(TEXT, NASTY, st.builds("https://{}{}".format, HOSTS, NASTY), st.builds("http://{}".format, NASTY)))
@example("http://a.example/%25%34%31")
@example("http://a.example/%%41")
@example("http://a.example/?utm_a&utm_b")
def test_the_normal_form_of_a_normal_form_is_itself(url: str) -> None:
    once = normal(url)
    if once is not None:
        assert normalise_url(once) == once
        assert once.isascii()
        assert once.isprintable()
        assert " " not in once
        assert "#" not in once


PLAIN = st.builds(
    "{}://{}{}".format,
    st.sampled_from(["http", "https", "HTTP"]),
    st.text("a1-.xn_A", max_size=12).map("{}.example".format) | st.sampled_from(["a.example", "1.2", "xn--a.example"]),
    st.lists(st.sampled_from(["/", ".", "..", "%2e", "%2E", "a", "A", "%41", "%zz", "?", "'", "~", "#", ":8080"])).map(
        "".join
    ),
)


@given(PLAIN)
@example("https://a.example/a/../b")
@example("https://a.example/a/%2e%2e")
@example("https://a.example/.?a'b")
@example("https://a.example/a/..")
def test_the_short_cuts_give_what_the_long_way_does(url: str) -> None:
    quickly = normal(url), resolve_link("https://b.example/", url)
    with without_short_cuts():
        assert (normal(url), resolve_link("https://b.example/", url)) == quickly


BASES = [
    "https://b.example/",
    "HTTP://B.example:80",
    "http://127.0.0.1:8080/a/b?c",
    "file:///b",
    "b",
    "http://ü.example/",
]


@given(
    st.sampled_from(BASES),
    st.lists(st.sampled_from([*"/.?#aA' :\\", "..", "%2e", "%2E.", "%41", "%zz", "//"])).map("".join).map("/".__add__),
)
@example("https://b.example/", "/a/../b")
@example("https://b.example/", "/%2e.")
@example("https://b.example/", "//a.example/")
@example("https://b.example/", "/" + "a" * 8_191)
@example("https://b.example/", "/" + "a" * 8_175)
def test_the_short_cut_from_the_root_gives_what_the_long_way_does(base: str, href: str) -> None:
    quickly = resolve_link(base, href)
    with without_short_cuts():
        assert resolve_link(base, href) == quickly


@given(st.builds("https://{}/{}".format, HOSTS, NASTY), TEXT | NASTY | PLAIN)
@example("https://a.com/", "0 #")
def test_a_resolved_link_stays_as_it_is(base: str, href: str) -> None:
    link = resolve_link(base, href)
    if link is not None:
        assert resolve_link("http://c.example/", link) == link
        assert normal(link) == normal(resolve_link(base, link) or "")


@given(st.builds("https://{}/{}".format, HOSTS, NASTY))
def test_escaping_what_needs_none_changes_nothing(url: str) -> None:
    escaped = "".join(
        f"%{ord(char):02x}" if index > url.index("/", 8) and char in string.ascii_letters + "~" else char
        for index, char in enumerate(url)
    )
    if "%" not in url:
        assert normal(escaped) == normal(url)


@given(TEXT | NASTY, TEXT | NASTY | st.builds("https://{}{}".format, st.text("ab1-.xn", max_size=70), NASTY))
def test_links_are_absolute_http_urls_or_nothing(base: str, href: str) -> None:
    for link in (resolve_link(base, href), resolve_link("https://a.example/b/c?d", href)):
        assert link is None or normalise_url(link)


@given(HOSTS, st.text("abAB%41./~+é&=?;", max_size=30), st.text("abAB%41./~+é&=;", max_size=30))
def test_surt_is_that_of_the_reference(host: str, path: str, query: str) -> None:
    url = f"https://www.{host}/{path.replace('?', '')}?{query}"
    assert surt(url) == reference_surt(url)

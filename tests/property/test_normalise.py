"""For all texts: the normal form is its own normal form. For all pages: the extractor answers."""

from __future__ import annotations

import sys
import unicodedata
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from config.rules import ExtractRules
from crawler import normalise
from crawler.encoding import decode_html
from crawler.extract import extract_article
from crawler.normalise import make_snapshot, normalise_line, normalise_text

if TYPE_CHECKING:
    from crawler.model import Article

AT = datetime(2026, 11, 22, tzinfo=UTC)
TRICKY = (
    "\u00ad\u200b\ufeff\u200c\u200d\u200e\u200f\u202a\u202e\u2066\u2069\u00a0\u3000\u2028\x1c\x85\r\t\n\0\ud800\udc00"
)
TRICKY += (
    "e\u0301\u0316\u0323\u0345\u0f71\u0f72\u1100\u1161\u11a8가\u212b\ufb1d\u0958\u2126\u037e\U0001d15e\U0001f468\u093c"
)
MARKS = st.text(alphabet="\u0301\u0316\u0323\u0345\u0344\u0f71\u0f73\u200d\u00ad—", min_size=60, max_size=150)
ANY_TEXT = st.one_of(
    st.text(alphabet=st.characters(), max_size=200),  # lone surrogates too
    st.text(alphabet=TRICKY, max_size=60),
    st.tuples(st.text(alphabet=TRICKY, max_size=3), MARKS, st.text(alphabet=TRICKY, max_size=3)).map("".join),
)
KEPT = "\u200c\u200d\u200e\u200f\u061c\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
"""Joiners and bidirectional marks: part of how a text is read."""
TAG_NAMES = (
    "p div h1 h2 a br ul li table tr td article section figure figcaption blockquote form span time img b title"
    " meta script template svg iframe select option noscript body html main aside"
)
TAGS = st.sampled_from(TAG_NAMES.split())
ATTRIBUTES = st.sampled_from(
    [
        "",
        ' class="related"',
        ' class="article-body"',
        ' id="comments"',
        ' hidden=""',
        ' href="//["',
        ' href="/a"',
        ' style="display:none"',
        ' alt="a "b" c"',
        ' itemprop="articleBody"',
        ' src="http://[::1"',
        ' property="og:title" content="A &quot;title&quot;"',
        ' property="article:published_time" content="2026-99-99T99:99"',
        ' datetime="0000-00-00"',
        ' class="twitter-tweet"',
        ' type="application/ld+json"',
    ]
)
TEXTS = st.one_of(
    st.text(max_size=40),
    st.sampled_from(
        [
            "A sentence, long enough to be counted as prose, with commas, and some more words at its end.",
            '{"@type": "NewsArticle", "headline": ["x"], "author": {"name": {"name": 3}}, "image": [[]], "tags": 5}',
            '{"@graph": [[{"@type": "LiveBlogPosting", "liveBlogUpdate": 3}]], "datePublished": {"a": []}}',
            "— A (@b) 31 February 2023",
            "Page not found",
            "]]><!--",
        ]
    ),
)


def test_what_is_called_steady_is_in_nfc_whatever_stands_beside_it() -> None:
    joins = {
        unicodedata.decomposition(chr(code)).split()[-1:][0] for code in range(sys.maxunicode + 1) if is_pair(code)
    }
    for code in range(0x1_0000):
        char = chr(code)
        if normalise._STEADY.fullmatch(char):
            assert unicodedata.combining(char) == 0
            assert unicodedata.normalize("NFC", char) == char
            assert f"{code:04X}" not in joins


def is_pair(code: int) -> bool:
    """Whether a character is by its canonical decomposition two others."""
    found = unicodedata.decomposition(chr(code)).split()
    return len(found) == 2 and not found[0].startswith("<")


@given(ANY_TEXT)
def test_a_line_is_folded_dropped_from_and_composed(text: str) -> None:
    kept = "".join(
        "\ufffd" if "\ud800" <= char <= "\udfff" else char for char in text if char not in "\xad\u200b\ufeff"
    )
    assert normalise_line(text) == unicodedata.normalize("NFC", " ".join(kept.split()))


@st.composite
def pages(draw: st.DrawFn) -> str:
    pieces = []
    for _ in range(draw(st.integers(0, 25))):
        tag = draw(TAGS)
        opened = f"<{tag}{draw(ATTRIBUTES)}>{draw(TEXTS)}"
        pieces.append(opened + (f"</{tag}>" if draw(st.booleans()) else ""))
    return "".join(pieces)


def read(html: str) -> Article:
    url = "https://www.example.org/news/2026/page.html"
    return extract_article(
        html, url=url, status=200, captured_at=AT, timezone="Asia/Beirut", language=None, rules=ExtractRules()
    )


@given(ANY_TEXT)
def test_the_normal_form_of_a_line_is_its_own(line: str) -> None:
    once = normalise_line(line)
    assert normalise_line(once) == once
    assert unicodedata.is_normalized("NFC", once)
    once.encode()


@given(ANY_TEXT)
def test_no_joiner_and_no_bidirectional_mark_is_lost_or_moved(line: str) -> None:
    normal = normalise_line(line)
    assert [mark for mark in normal if mark in KEPT] == [mark for mark in line if mark in KEPT]


@given(ANY_TEXT)
def test_white_space_and_invisible_characters_are_folded(line: str) -> None:
    normal = normalise_line(line)
    assert normal == normal.strip()
    assert all(character == " " or not character.isspace() for character in normal)
    assert "  " not in normal
    assert not any(dropped in normal for dropped in "\u00ad\u200b\ufeff")
    assert normalise_line(f" \u3000{line}\u00a0") == normal


@given(st.none() | ANY_TEXT, st.none() | ANY_TEXT, st.lists(ANY_TEXT, max_size=8))
def test_the_normal_form_of_a_text_is_its_own(title: str | None, lead: str | None, blocks: list[str]) -> None:
    text = normalise_text(title, lead, blocks)
    assert normalise_text(None, None, text.split("\n")) == text
    assert "\n\n" not in text
    assert text == text.strip()


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(pages())
def test_any_page_gives_an_article_with_a_reason_and_a_text_in_normal_form(html: str) -> None:
    article = read(html)
    assert article == read(html)
    assert article.class_reason
    assert 0.0 <= article.confidence <= 1.0
    snapshot = make_snapshot(article, "sha256:00")
    assert normalise_text(None, None, snapshot.text.split("\n")) == snapshot.text


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=2_000), st.none() | st.text(max_size=30).map(lambda name: f"text/html; charset={name}"))
def test_any_bytes_are_decoded_and_read(body: bytes, content_type: str | None) -> None:
    html = decode_html(body, content_type)
    assert isinstance(html, str)
    assert read(html).class_reason

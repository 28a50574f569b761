"""Characters and writing systems: references, ruby, right to left, lines broken in the source."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from config.rules import ExtractRules
from crawler.extract import extract_article
from crawler.normalise import make_snapshot

TITLE = "The council keeps the old library open"


def read(paragraph: str, title: str = TITLE) -> list[str]:
    article = extract_article(
        f"<html><body><article><h1>{title}</h1><p>{paragraph}</p></article></body></html>",
        url="https://gazette.example/news/library",
        status=200,
        captured_at=datetime(2026, 11, 22, tzinfo=UTC),
        timezone=None,
        language=None,
        rules=ExtractRules(),
    )
    return make_snapshot(article, "sha256:00").text.split("\n")


def read_line(paragraph: str) -> str:
    title, line = read(paragraph)
    assert title == TITLE
    return line


@pytest.mark.parametrize("number", range(128, 160))
def test_references_to_controls_are_what_windows_1252_has_there(number: int) -> None:
    shown = bytes([number]).decode("cp1252", "ignore") or chr(number)
    for reference in (f"&#{number};", f"&#x{number:x};", f"&#0{number}"):
        assert (
            read_line(f"The council voted{reference} on Tuesday night.")
            == f"The council voted{shown} on Tuesday night."
        )


@pytest.mark.parametrize(
    ("reference", "shown"),
    [
        ("&#0;", "\ufffd"),
        ("&#xD800;", "\ufffd"),
        ("&#xDFFF;&#xD83D;", "\ufffd\ufffd"),
        ("&#x110000;", "\ufffd"),
        ("&#99999999999;", "\ufffd"),
        ("&#x1F600;", "😀"),
        ("&eacute;&copy &notit;", "é© ¬it;"),
        ("&amp;amp;", "&amp;"),
        ("&shy;&#8203;&zwnj;&zwj;&lrm;&rlm;", "\u200c\u200d\u200e\u200f"),
        ("&nosuch;", "&nosuch;"),
    ],
)
def test_references_are_read_as_the_standard_says(reference: str, shown: str) -> None:
    assert (
        read_line(f"The council voted {reference}x on Tuesday night.")
        == f"The council voted {shown}x on Tuesday night."
    )


@pytest.mark.parametrize(
    "ruby",
    [
        "<ruby>漢<rp>(</rp><rt>かん</rt><rp>)</rp>字<rp>(</rp><rt>じ</rt><rp>)</rp></ruby>",
        "<ruby>漢字<rt>かんじ</ruby>",
        "<ruby><rb>漢<rb>字<rt>かん<rt>じ</ruby>",
        "<ruby>漢<rp>（<rt>かん<rp>）</ruby>字",
        "<ruby>漢字<rtc><rt>kanji</rt></rtc></ruby>",
    ],
)
def test_ruby_leaves_its_base_alone_in_text_and_title(ruby: str) -> None:
    title, line = read(
        f"市長は式典で{ruby}の歴史を子どもたちに語り、最初のページを読み上げた。",
        f"市長が{ruby}の歴史を語る、図書館の開館式で",
    )
    assert title == "市長が漢字の歴史を語る、図書館の開館式で"
    assert line == "市長は式典で漢字の歴史を子どもたちに語り、最初のページを読み上げた。"


def test_inline_elements_put_no_space_between_letters() -> None:
    assert (
        read_line("新しい<b>市立</b>図書館が<a href='/x'>月曜日</a>に<span>開</span>館した。")
        == "新しい市立図書館が月曜日に開館した。"
    )
    assert (
        read_line("افتُتحت المكت<b>بة</b> العامة يوم الا<i>ثن</i>ين في حي الزيتون.")
        == "افتُتحت المكتبة العامة يوم الاثنين في حي الزيتون."
    )


def test_a_line_broken_in_the_source_is_a_space_in_every_script() -> None:
    """As FORMAT.md § 6 has it for all white space, and as most browsers show it."""
    assert read_line("新しい市立図書館が\n  月曜日に開館した。") == "新しい市立図書館が 月曜日に開館した。"
    assert read_line("The council\r\nvoted on Tuesday night.") == "The council voted on Tuesday night."


def test_marks_of_direction_and_joiners_stay_where_they_are() -> None:
    text = "\u200fقال الوزير \u2067(BBC)\u2069 إن القرار \u202bنهائي\u202c منذ"
    text += " عام \u061c2021، می\u200cخواهم क\u094d\u200dष"
    assert read_line(text) == text


def test_right_to_left_pages_are_read_in_the_order_of_their_source() -> None:
    line = read_line(
        '<bdo dir="rtl">1, 2, 3</bdo> و<bdi>ABC</bdi> في جلسة المجلس البلدي <span dir="ltr">+961 1 234</span>'
        " مساء الاثنين"
    )
    assert line == "1, 2, 3 وABC في جلسة المجلس البلدي +961 1 234 مساء الاثنين"

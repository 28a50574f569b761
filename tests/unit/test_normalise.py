"""The normal form, rule by rule, and what it leaves alone."""

from __future__ import annotations

import hashlib
import random
import time
import unicodedata

import pytest

from crawler.model import Article, FieldValue, PageClass
from crawler.normalise import digest_text, make_snapshot, normalise_line, normalise_text


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("  two \t\n words\u00a0 here ", "two words here"),
        ("soft\u00adhyphen, zero\u200bwidth, \ufeffmark", "softhyphen, zerowidth, mark"),
        ("cafe\u0301", "café"),
        ("\u0644\u0651\u064e", "\u0644\u064e\u0651"),
        ("“curly” 'straight' – — - …", "“curly” 'straight' – — - …"),
        ("می\u200cخواهم \u200f(עברית)\u200e", "می\u200cخواهم \u200f(עברית)\u200e"),
        ("👩\u200d🚒", "👩\u200d🚒"),
        ("half \ud800 pair", "half \ufffd pair"),
        ("\u3000全角　空白\u2028終", "全角 空白 終"),
        ("\u00ad\u200b", ""),
    ],
)
def test_a_line(line: str, expected: str) -> None:
    assert normalise_line(line) == expected


def test_title_lead_and_blocks_are_lines_with_no_newline_at_the_end() -> None:
    assert normalise_text("A title", "The lead.", ["One\ntwo", "  ", "three"]) == "A title\nThe lead.\nOne\ntwo\nthree"


def test_words_that_the_page_shows_twice_stand_once() -> None:
    assert normalise_text("A title", "A title", ["A title", "Text."]) == "A title\nText."
    assert normalise_text("A title", "The lead.", ["The lead.", "Text."]) == "A title\nThe lead.\nText."
    assert normalise_text(None, None, ["Text.", "Text."]) == "Text.\nText."


def test_a_title_of_two_lines_is_one() -> None:
    assert normalise_text("A\ntitle", None, ["Text."]) == "A title\nText."


def test_nothing_gives_an_empty_text() -> None:
    assert normalise_text(None, " ", ["\u00a0"]) == ""


def test_the_digest_is_of_the_bytes() -> None:
    assert digest_text("é") == "sha256:" + hashlib.sha256(b"\xc3\xa9").hexdigest()


def test_a_snapshot_keeps_what_the_article_says() -> None:
    fields = {"section": FieldValue("Politics", "meta")}
    article = Article(PageClass.ARTICLE, "2 blocks", " The  title", "Lead. ", ("Body.",), fields, 0.75)
    snapshot = make_snapshot(article, "sha256:00")
    assert (snapshot.title, snapshot.lead, snapshot.body) == ("The title", "Lead.", "Lead.\nBody.")
    assert snapshot.text_digest == digest_text("The title\nLead.\nBody.")
    assert (snapshot.derivation, snapshot.confidence, snapshot.fields) == ("sha256:00", 0.75, fields)
    assert (snapshot.page_class, snapshot.class_reason) == (PageClass.ARTICLE, "2 blocks")


def test_many_combining_marks_come_to_the_same_form_in_good_time() -> None:
    choose = random.Random(1)
    marks = [chr(number) for number in range(0x300, 0x370)] + list("\u0f73\u0f75\u064b\u05b0“—")
    for size in (3, 70, 200) * 50:
        line = "".join(choose.choice("aéﬁZ") + "".join(choose.choices(marks, k=size)) for _ in range(3))
        assert normalise_line(line) == unicodedata.normalize("NFC", line)
    started = time.process_time()
    assert len(normalise_line("Z" + "\u0301\u0316" * 100_000)) == 200_000  # one mark of which joins the letter
    assert time.process_time() - started < 1  # put in order one by one: 30 s

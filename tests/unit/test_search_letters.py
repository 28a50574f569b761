"""Spellings that people take for the same are the same to the index; words of scripts without spaces are found."""

from __future__ import annotations

import pytest

from jobs.search.letters import MAX_TOKEN_CHARS, fold_words, walk_words


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Málaga", "malaga"),
        ("MÁLAGA", "malaga"),
        ("Ma\u0301laga", "málaga"),
        ("Straße", "strasse"),
        ("STRASSE", "straße"),
        ("İstanbul ılık", "istanbul ilik"),
        ("Łódź", "lodz"),
        ("Ærø", "aero"),
        ("ﬁnance", "finance"),
        ("Ｆｕｌｌ ｗｉｄｔｈ", "full width"),
        ("يوم الأحد", "يوم الاحد"),
        ("مدرسة", "مدرسه"),
        ("مستشفى", "مستشفي"),
        ("مُحَمَّد", "محمد"),
        ("مـحـمـد", "محمد"),
        ("إلى آخر", "الي اخر"),
        ("کتاب", "كتاب"),
        ("عام ١٩٤٨", "عام 1948"),
        ("שָׁלוֹם", "שלום"),
        ("Ёлка", "елка"),
        ("co\u00adoperate", "cooperate"),
        ("don’t", "don't"),
        ("snake_case", "snake case"),
        ("ガス", "か\u3099す".replace("か", "カ").replace("す", "ス")),
    ],
)
def test_two_spellings_of_one_word_are_the_same(one: str, other: str) -> None:
    assert fold_words(one) == fold_words(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [("ขาว", "ข่าว"), ("कि", "की"), ("が", "か"), ("resume", "resumes"), ("1948", "1949"), ("が", "げ")],
)
def test_what_marks_tell_apart_in_other_scripts_stays_apart(one: str, other: str) -> None:
    assert fold_words(one) != fold_words(other)


def test_scripts_without_spaces_are_taken_in_pairs_and_end_with_their_last_letter() -> None:
    assert fold_words("北京大学 is 大") == "北京 京大 大学 学 is 大"
    assert fold_words("iPhone手机") == "iphone 手机 机"
    assert fold_words("ภาษา") == "ภา าษ ษา า"


def test_a_word_without_end_is_cut() -> None:
    assert fold_words("x" * 10_000) == "x" * MAX_TOKEN_CHARS
    assert fold_words("é" * 10_000) == "e" * MAX_TOKEN_CHARS


def test_tokens_are_letters_and_digits_alone_so_that_no_tokenizer_splits_them_further() -> None:
    text = 'a-b "c" (d) e*f: g_h | {i} ^j NEAR(k, 2) \x00 l\ud800m'
    assert fold_words(text).split() == [*"abcdefghij", "near", "k", "2", "l", "m"]


def test_words_are_told_with_their_places() -> None:
    text = "La sequía, «2023»."
    assert [(text[begin:end], tokens) for begin, end, tokens in walk_words(text)] == [
        ("La", ("la",)),
        ("sequía", ("sequia",)),
        ("2023", ("2023",)),
    ]

"""Whether two words are one, spelled otherwise."""

from __future__ import annotations

import pytest

from jobs.edits.spelling import bare, count_edits, is_form, is_respelled, is_slip


@pytest.mark.parametrize(
    ("one", "other", "edits"),
    [("", "", 0), ("abc", "abc", 0), ("abc", "abd", 1), ("abc", "acb", 1), ("abc", "ab", 1), ("kitten", "sitting", 3)],
)
def test_count_edits(one: str, other: str, edits: int) -> None:
    assert count_edits(one, other) == count_edits(other, one) == edits


@pytest.mark.parametrize(
    ("one", "other"),
    [("recieved", "received"), ("Parlament", "Parlamnet"), ("ещё", "еще"), ("مدرسه", "مدرسة"), ("cafe", "café")],
)
def test_a_slip_of_the_pen(one: str, other: str) -> None:
    assert is_respelled(one, other)


@pytest.mark.parametrize(
    ("one", "other"),
    [("house", "houses"), ("cat", "cut"), ("war", "was"), ("a" * 100, "a" * 99 + "b"), ("said", "told")],
)
def test_another_word(one: str, other: str) -> None:
    assert not is_respelled(one, other)


def test_a_single_letter_is_a_slip_in_a_long_word_only() -> None:
    assert is_slip("nciht", "nicht")
    assert not is_slip("eins", "zwei")
    assert not is_slip("no", "so")


def test_two_forms_of_a_word_begin_alike() -> None:
    assert is_form("Ивану", "Иваном")
    assert not is_form("Белова", "Серова")


def test_letters_and_digits_alone() -> None:
    assert bare(" „Co-op“ № 5! ") == bare("coop no5")

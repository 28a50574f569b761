"""Values in words and digits: what is one number in another writing, and what is another number."""

from __future__ import annotations

import pytest

from jobs.edits import EditKind, judge_edit
from jobs.edits.numbers import is_number, list_moments, list_values
from tests.edits import make_state


def _judge(before: str, after: str, language: str) -> list[str]:
    states = (make_state(text, language=language) for text in (before, after))
    return [kind.value for kind in judge_edit(*states).kinds]


@pytest.mark.parametrize(
    ("text", "language"),
    [
        *(("1,000", "en"), ("1.000", "de"), ("1 000", "ru"), ("1\u00a0000", "fr"), ("1’000", "de"), ("١٠٠٠", "ar")),
        *(("١٬٠٠٠", "ar"), ("一千", "zh"), ("1千", "zh"), ("tausend", "de"), ("one thousand", "en"), ("mil", "es")),
    ],
)
def test_a_thousand_in_every_writing(text: str, language: str) -> None:
    assert list_values(text, language) == {"1000": 1}


@pytest.mark.parametrize(
    ("text", "language", "value"),
    [
        ("twenty-five", "en", "25"),
        ("two hundred and six", "en", "206"),
        ("3.5 million", "en", "3500000"),
        ("einundzwanzig", "de", "21"),
        ("zweihundert", "de", "200"),
        ("1,5 Milliarden", "de", "1500000000"),
        ("treinta y cinco", "es", "35"),
        ("vingt et un", "fr", "21"),
        ("двадцать пять", "ru", "25"),
        ("полтора миллиона", "ru", "1500000"),
        ("1,5 млн", "ru", "1500000"),
        ("三万五千", "zh", "35000"),
        ("3.5万", "zh", "35000"),
        ("3千万", "zh", "30000000"),
        ("百分之三十", "zh", "30"),
        ("-3", "en", "−3"),
        ("12:30", "en", "12.3"),
        ("12.30", "de", "12.3"),
        ("05.03.2026", "de", "5.3.2026"),
        ("3.05", "en", "3.05"),
        ("5-7", "en", "5-7"),
        ("third", "en", "3."),
    ],
)
def test_values(text: str, language: str, value: str) -> None:
    assert list_values(text, language) == {value: 1}


@pytest.mark.parametrize("text", ["one or two", "two, three", "nine ten"])
def test_numbers_beside_each_other_are_several(text: str) -> None:
    assert list_values(text, "en").total() == 2


def test_a_hyphen_behind_a_word_is_no_minus() -> None:
    assert list_values("F-16 and page 3-4", "en") == {"16": 1, "3-4": 1}


def test_a_very_long_number_is_compared_as_it_stands() -> None:
    assert list_values("9" * 500 + " million", "en") == {"9" * 500 + "*1000000": 1}


def test_days_and_months() -> None:
    assert list_moments("On Monday, 3 March", "en") == {"day 1": 1, "month 3": 1}
    assert list_moments("в среду", "ru") == list_moments("среда", "ru") == {"day 3": 1}


def test_a_number_and_nothing_else() -> None:
    assert is_number("1,200", "en")
    assert is_number("zwölf", "de")
    assert not is_number("1,200 people", "en")
    assert not is_number("A380", "en")


@pytest.mark.parametrize(
    ("before", "after", "language"),
    [
        ("It cost 1000 crowns to mend.", "It cost 1,000 crowns to mend.", "en"),
        ("It cost two million crowns.", "It cost 2 million crowns.", "en"),
        ("Es kamen zwölf Leute zum Fest.", "Es kamen 12 Leute zum Fest.", "de"),
        ("来了十二个人。", "来了12个人。", "zh"),
        ("Было 12 человек на улице.", "Было двенадцать человек на улице.", "ru"),
    ],
)
def test_another_writing_of_a_number_is_no_other_number(before: str, after: str, language: str) -> None:
    assert _judge(before, after, language) == ["typo"]


@pytest.mark.parametrize(
    ("before", "after", "language"),
    [
        ("Three people died in the fire.", "Five people died in the fire.", "en"),
        ("The rate is 3.05 per cent.", "The rate is 3.5 per cent.", "en"),
        ("It will be -3C at night there.", "It will be 3C at night there.", "en"),
        ("Hail of 30 millimetres fell there.", "Hail of 30 centimetres fell there.", "en"),
        ("Es fielen 30 Zentimeter Schnee.", "Es fielen 30 Millimeter Schnee.", "de"),
        ("She will speak on Monday at noon.", "She will speak on Friday at noon.", "en"),
        ("A flat costs 120, a house 340 there.", "A flat costs 340, a house 120 there.", "en"),
        ("享年九十一歲。", "享年八十九歲。", "zh"),
        ("قتل 3 أشخاص في الحادث.", "قتل 5 أشخاص في الحادث.", "ar"),
    ],
)
def test_another_number(before: str, after: str, language: str) -> None:
    assert _judge(before, after, language) == ["number"]


@pytest.mark.parametrize(
    ("before", "after", "language"),
    [
        ("Er ist ein Schwätzer, sagte sie.", "Er irrt sich, sagte sie.", "de"),
        ("Son bienes de primera necesidad.", "Son bienes básicos.", "es"),
        ("The meeting took an hour in all.", "The talk took an hour in all.", "en"),
    ],
)
def test_an_article_or_an_ordinal_alone_is_no_quantity(before: str, after: str, language: str) -> None:
    assert EditKind.NUMBER.value not in _judge(before, after, language)


def test_a_model_number_is_no_slip() -> None:
    assert "typo" not in _judge("They bought an A12 for the road.", "They bought a B12 for the road.", "en")

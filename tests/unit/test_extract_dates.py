"""Dates as pages write them, in several languages, with and without a zone."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from crawler.extract.times import months
from crawler.extract.times.dates import DateRules, FoundDate, parse_date

AT = datetime(2026, 11, 22, 12, tzinfo=UTC)
BEIRUT = "Asia/Beirut"
RULES = DateRules(AT, BEIRUT)


@pytest.mark.parametrize(
    ("text", "value", "assumed"),
    [
        ("2023-11-06T16:21:00+02:00", "2023-11-06T16:21:00+02:00", None),
        ("2023-11-06T16:21:00.0000000", "2023-11-06T16:21:00+02:00", BEIRUT),
        ("2023-07-06 16:21", "2023-07-06T16:21:00+03:00", BEIRUT),
        ("2023-11-06T14:21:00Z", "2023-11-06T14:21:00+00:00", None),
        ("2023-11-06T14:21:00.123-0530", "2023-11-06T14:21:00-05:30", None),
        ("20231106T142100Z", "2023-11-06T14:21:00+00:00", None),
        ("2023-11-06", "2023-11-06", None),
        ("Mon, 06 Nov 2023 14:21:00 GMT", "2023-11-06T14:21:00+00:00", None),
        ("6 Nov 2023 16:21", "2023-11-06T16:21:00+02:00", BEIRUT),
        ("Published on November 6th, 2023 at 4:21 p.m.", "2023-11-06T16:21:00+02:00", BEIRUT),
        ("Nov. 6, 2023 12:05 AM", "2023-11-06T00:05:00+02:00", BEIRUT),
        ("6. März 2023, 9.15 Uhr", "2023-03-06T09:15:00+02:00", BEIRUT),
        ("le 6 août 2023 à 16h21", "2023-08-06T16:21:00+03:00", BEIRUT),
        ("6 de noviembre de 2023", "2023-11-06", None),
        ("7 تشرين الثاني 2023 10:05", "2023-11-07T10:05:00+02:00", BEIRUT),
        ("14 мая 2025", "2025-05-14", None),
        ("06.11.2023 16:21", "2023-11-06T16:21:00+02:00", BEIRUT),
        ("11/23/2023", "2023-11-23", None),
        ("2023/1/9", "2023-01-09", None),
        ("6.Dezember 2023", "2023-12-06", None),
        ("06-Dec-2023", "2023-12-06", None),
        ("6 d'octubre de 2023", "2023-10-06", None),
        ("12 EKİM 2023", "2023-10-12", None),
        ("6 decembre 2023", "2023-12-06", None),
        ("6. listopada 2023.", "2023-10-06", None),
        ("6 listopada 2023", "2023-11-06", None),
        ("2023. gada 6. novembrī", "2023-11-06", None),
        ("2023. november 6.", "2023-11-06", None),
        ("6 Tháng 11, 2023", "2023-11-06", None),
        ("6 tháng 11 năm 2023", "2023-11-06", None),
        ("2023年11月6日 下午4:21", "2023-11-06T16:21:00+02:00", BEIRUT),
        ("2023. 11. 6. 오후 4:21", "2023-11-06T16:21:00+02:00", BEIRUT),
        ("6. 11. 2023", "2023-11-06", None),
        ("06 | 11 | 2023", "2023-11-06", None),
        ("Mon Nov 06 16:21:09 2023", "2023-11-06T16:21:09+02:00", BEIRUT),
        ("٦ نوفمبر ٢٠٢٣", "2023-11-06", None),
        ("Room 12 2016, then 6 November 2023", "2023-11-06", None),
        ("06.11.2023, 16:21, QUIZ", "2023-11-06T16:21:00+02:00", BEIRUT),
        ("9 May 2022, before November 6, 2023", "2022-05-09", None),
        ("November 6, 2023, not 9 May 2022", "2023-11-06", None),
    ],
)
def test_a_date_is_read(text: str, value: str, assumed: str | None) -> None:
    assert parse_date(text, RULES) == FoundDate(value, assumed)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "yesterday",
        "31 February 2023",
        "2023-13-45",
        "32/32/2023",
        "99:99",
        "2027-01-01",
        "November 2023",
        "28.09.1912:44",
        "²²²",
    ],
)
def test_what_is_no_date_or_lies_ahead_is_none(text: str) -> None:
    assert parse_date(text, RULES) is None


def test_a_clock_a_few_hours_ahead_is_believed() -> None:
    assert parse_date("2026-11-22T20:00:00Z", DateRules(AT, None)) is not None
    assert parse_date("2026-11-24T20:00:00Z", DateRules(AT, None)) is None


def test_utc_is_assumed_where_the_source_names_no_zone() -> None:
    assert parse_date("6 Nov 2023 16:21", DateRules(AT, None)) == FoundDate("2023-11-06T16:21:00+00:00", "UTC")
    assert parse_date("6 Nov 2023 16:21", DateRules(AT, "No/Such")) == FoundDate("2023-11-06T16:21:00+00:00", "UTC")


@pytest.mark.parametrize(("month_first", "value"), [(False, "2023-11-06"), (True, "2023-06-11"), (None, None)])
def test_a_day_that_may_be_read_two_ways_is_read_as_told(month_first: bool | None, value: str | None) -> None:
    found = parse_date("06/11/2023", DateRules(AT, None, month_first))
    assert (found.value if found else None) == value
    assert parse_date("06.11.2023", DateRules(AT, None, month_first)) == FoundDate("2023-11-06")
    assert parse_date("11/11/2023", DateRules(AT, None, month_first)) == FoundDate("2023-11-11")


def test_months_have_one_number_each_in_all_languages() -> None:
    numbers: dict[str, set[int]] = {}
    for row in months.ROWS:
        assert len(row) == 12
        for number, name in enumerate(row, 1):
            numbers.setdefault(name, set()).add(months.read_month(name))
            assert name == "-" or months.read_month(name.upper()) == number
    assert all(len(found) == 1 for found in numbers.values())


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1912-05-01 10:00", "1912-05-01T10:00:00+00:20"),
        ("2023-11-06T10:00:00+01:00:30", "2023-11-06T10:00:00+01:00"),
    ],
)
def test_offsets_have_no_seconds_as_rfc_3339_knows_none(text: str, value: str) -> None:
    found = parse_date(text, DateRules(AT, "Europe/Amsterdam"))
    assert found is not None
    assert found.value == value

"""Dates as pages write them, in several languages, with and without a zone."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from crawler.extract.dates import FoundDate, parse_date

AT = datetime(2026, 11, 22, 12, tzinfo=UTC)
BEIRUT = "Asia/Beirut"


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
    ],
)
def test_a_date_is_read(text: str, value: str, assumed: str | None) -> None:
    assert parse_date(text, zone=BEIRUT, captured_at=AT) == FoundDate(value, assumed)


@pytest.mark.parametrize(
    "text",
    ["", "yesterday", "31 February 2023", "2023-13-45", "32/32/2023", "99:99", "2027-01-01", "November 2023", "²²²"],
)
def test_what_is_no_date_or_lies_ahead_is_none(text: str) -> None:
    assert parse_date(text, zone=BEIRUT, captured_at=AT) is None


def test_a_clock_a_few_hours_ahead_is_believed() -> None:
    assert parse_date("2026-11-22T20:00:00Z", zone=None, captured_at=AT) is not None
    assert parse_date("2026-11-24T20:00:00Z", zone=None, captured_at=AT) is None


def test_utc_is_assumed_where_the_source_names_no_zone() -> None:
    assert parse_date("6 Nov 2023 16:21", zone=None, captured_at=AT) == FoundDate("2023-11-06T16:21:00+00:00", "UTC")
    assert parse_date("6 Nov 2023 16:21", zone="No/Such", captured_at=AT) == FoundDate(
        "2023-11-06T16:21:00+00:00", "UTC"
    )

from __future__ import annotations

import pytest

from config.units import Schedule, count, count_named, parse_duration, parse_schedule, parse_size, read_cron_field


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("1 second", 1),
        ("90 s", 90),
        ("1.5 hours", 5_400),
        ("7days", 604_800),
        ("1 year", 31_536_000),
        ("2 Weeks", 1_209_600),
    ],
)
def test_durations(text: str, seconds: float) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize(
    "text", ["", "5", "hour", "-1 hour", "1 moon", "1 hour 5", "٣ days", "1e9 days", "9" * 50 + " s"]
)
def test_no_durations(text: str) -> None:
    with pytest.raises(ValueError, match="a duration"):
        parse_duration(text)


def test_sizes() -> None:
    assert parse_size("64 MiB") == 64 * 1024**2
    assert parse_size("1.5 kib") == 1_536
    with pytest.raises(ValueError, match="a size"):
        parse_size("64 MB")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("every 30 minutes", Schedule(interval_seconds=1_800)),
        ("every hour", Schedule(interval_seconds=3_600)),
        ("cron */15 * * * *", Schedule(cron="*/15 * * * *")),
        ("cron 0,30 6-22/2 1 JAN-mar mon-fri", Schedule(cron="0,30 6-22/2 1 jan-mar mon-fri")),
        ("cron 30 6 * * MON Europe/Berlin", Schedule(cron="30 6 * * mon", zone="Europe/Berlin")),
        ("cron 0 0 29 feb *", Schedule(cron="0 0 29 feb *")),
    ],
)
def test_schedules(text: str, expected: Schedule) -> None:
    assert parse_schedule(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("every 0.5 seconds", "whole seconds"),
        ("every 61.5 seconds", "whole seconds"),
        ("hourly", "`every 30 minutes`"),
        ("*/15 * * * *", "`every 30 minutes`"),
        ("cron * * * *", "`every 30 minutes`"),
        ("cron 60 * * * *", "cron minute: 0-59, not `60`"),
        ("cron * * 0 * *", "cron day of the month: 1-31"),
        ("cron * * * 13 *", "cron month: 1-12 or names"),
        ("cron * * * * 1", r"cron day of the week: names \(mon-sun\), not `1`"),
        ("cron */0 * * * *", "for a step"),
        ("cron 5/2 * * * *", "for a step"),
        ("cron 9-5 * * * *", "the smaller end first"),
        ("cron 1-2-3 * * * *", "cron minute: 0-59"),
        ("cron x * * * *", "cron minute: 0-59"),
        ("cron * * * * * Europe/Berln", "an IANA time zone after the five fields"),
        ("cron * * * * * *", "an IANA time zone after the five fields"),
        ("cron * * 30,31 feb *", "a day that there is"),
        ("cron * * 31 4,jun *", "a day that there is"),
        ("every 30 minutes Europe/Berlin", "`every 30 minutes`"),
    ],
)
def test_no_schedules(text: str, expected: str) -> None:
    with pytest.raises(ValueError, match=expected):
        parse_schedule(text)


@pytest.mark.parametrize(
    ("number", "value", "expected"),
    [
        (0, "*/20", {0, 20, 40}),
        (1, "6-22/8,3", {3, 6, 14, 22}),
        (2, "*/10", {1, 11, 21, 31}),
        (3, "jan-mar,12", {1, 2, 3, 12}),
        (4, "mon-fri", {1, 2, 3, 4, 5}),
        (4, "*", {1, 2, 3, 4, 5, 6, 7}),
    ],
)
def test_what_a_cron_field_lets_through(number: int, value: str, expected: set[int]) -> None:
    assert read_cron_field(number, value) == expected


def test_plurals() -> None:
    assert [count(number, "page") for number in (0, 1, 2)] == ["0 pages", "1 page", "2 pages"]
    assert count_named({"commits": 1, "files": 2, "rederived": 1}) == "1 commit · 2 files · 1 rederived"

"""Dates that readers do not see: in a page's address, in attributes, in scripts. No more than guesses."""

from __future__ import annotations

import re
from datetime import date
from itertools import islice
from typing import TYPE_CHECKING

from crawler.extract.times.dates import find_dates

if TYPE_CHECKING:
    from collections.abc import Iterable

    from crawler.extract.page.parsing import Page
    from crawler.extract.times.dates import DateRules, FoundDate

FIRST_YEAR = "1994"
"""Of news on the web: a guess does not go back further."""
_MAX_STATED = 50
_MAX_SOURCE_CHARS = 3_000_000
_MAX_PATH_CHARS = 2_000
_MAX_PARTS = 20
_PATH = re.compile(
    r"(?<=[/_.=-])[A-Za-z]{0,3}(?P<year>(?:19|20)\d\d)(?P<mark>[/_.-]?)(?P<month>\d\d)(?P=mark)(?P<day>\d\d)"
    r"(?=[/_.?&-]|$|(?<=\d{8})(?:[01]\d|2[0-3])[0-5]\d)"
    r"|(?<=/)(?P<year2>(?:19|20)\d\d)/(?P<month2>\d{1,2})(?:/(?P<day2>\d{1,2}))?(?=[/?]|$)"
    r"|(?<=[/_-])(?P<day3>\d\d)(?P<mark3>[/_.-])(?P<month3>\d\d)(?P=mark3)(?P<year3>(?:19|20)\d\d)(?=[/_.?-]|$)"
)
_SOURCE = re.compile(
    r"""ubli[sc][A-Za-z_:-]{1,22}\\?["']?\s?(?:[:=,]|\s(?:title|datetime|content|value)=)\s?\\?["']"""
    r"""((?:19|20)\d\d[^"'\\<>]{4,30})"""
)


def find_times(page: Page, rules: DateRules) -> FoundDate | None:
    """Return what `<time>` elements say, if they all say the same day."""
    times = page.root.tree.between("time", 0, page.size, limit=_MAX_STATED)
    dates = [found[0] for time in times for found in islice(find_dates(time.get("datetime"), rules), 1)]
    return dates[0] if is_one_day(dates) else None


def find_in_source(html: str, rules: DateRules) -> FoundDate | None:
    """Return what scripts and attributes of *html* call a date of publication, if all say the same day."""
    if len(html) > _MAX_SOURCE_CHARS:
        return None
    stated = islice(_SOURCE.finditer(html), _MAX_STATED)
    dates = [found[0] for match in stated for found in islice(find_dates(match[1], rules), 1)]
    return dates[0] if is_one_day(dates) else None


def read_address(url: str, rules: DateRules) -> str:
    """Return the day (`2023-11-06`) or month (`2023-11`) in the path of *url*; empty if there is none, or one ahead."""
    path = "/" + url.split("://", 1)[-1].partition("/")[2]
    month = ""
    for match in islice(_PATH.finditer(path[:_MAX_PATH_CHARS]), _MAX_PARTS):
        parts = {name.rstrip("23"): value for name, value in match.groupdict().items() if value}
        if not 1 <= int(parts["month"]) <= 12 or parts["year"] < FIRST_YEAR:
            continue
        if parts["year"] > str(rules.captured_at.year):
            rules.doubt(match[0])
            continue
        if "day" not in parts:
            month = month or f"{parts['year']}-{int(parts['month']):02}"
            continue
        try:
            day = date(int(parts["year"]), int(parts["month"]), int(parts["day"]))
        except ValueError:
            continue
        if day <= rules.captured_at.date() or rules.doubt(match[0]):
            return day.isoformat()
    return month


def is_one_day(dates: Iterable[FoundDate]) -> bool:
    """Return whether *dates* are of one day, and of a year that may be."""
    return len({found.value[:10] for found in dates if found.value >= FIRST_YEAR}) == 1

"""Addresses of lists that belong to a series, by date or by number → the one before, the next. Pure.

Nothing is assumed of a site: whether there is anything at such an address only a request tells.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

Step = Literal["day", "month", "year", "page"]

FIRST_YEAR = 1990
_YEAR = r"(?P<y>(?:19|20)\d\d)"
_QUERY_DAY = r"(?:&(?:d{1,2}|day)=(?P<d>\d{1,2}))?(?!\d)"
_PATTERNS = (
    rf"(?<!\d){_YEAR}(?P<s>[-/_.]?)(?P<m>0[1-9]|1[0-2])(?P=s)(?P<d>0[1-9]|[12]\d|3[01])(?!\d)",
    rf"(?<![A-Za-z])(?:y{{1,4}}|year)={_YEAR}&(?:m{{1,2}}|month)=(?P<m>\d{{1,2}}){_QUERY_DAY}",
    rf"(?<!\d){_YEAR}[-/_.]?(?P<m>0[1-9]|1[0-2])(?![-/_.]?\d)",
    rf"(?<!\d){_YEAR}(?![-/_.]?\d)",
)
_DATES = tuple(re.compile(pattern, re.ASCII) for pattern in _PATTERNS)
"""What an address may have of a date, the most exact first."""
_FILE = r"(?=\.(?:xml|html?|txt)(?:\.gz)?$)"
_PAGES = (
    re.compile(r"[?&](?:page|paged|pg|p|seite|pagina|strana)=(?P<n>\d{1,5})(?![^&#])", re.ASCII),
    re.compile(r"/(?:page|pg|seite|pagina|strana)[/-](?P<n>\d{1,5})(?=/?(?:[?#]|$))", re.ASCII),
    re.compile(rf"(?:sitemap|archive|posts?|news|articles?)[a-z]{{0,20}}[-_]?(?P<n>\d{{1,3}}){_FILE}", re.ASCII),
)
_MISSES: dict[Step, int] = {"day": 14, "month": 3, "year": 1, "page": 0}
"""So many lists in a row may be missing or bring nothing."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where an address stands in its series."""

    step: Step
    newest: date | None
    """The last day that it is of; `None`: it is numbered."""


def find_place(url: str) -> Place | None:
    """Return where *url* stands in its series; `None` if it shows none. A number counts before a date."""
    if _find_page(url) is not None:
        return Place("page", _find_newest(url))
    match = _find_date(url)
    return None if match is None else Place(_step_of(match), _find_newest(url))


def follow_series(url: str, misses: int) -> str | None:
    """Return the address after *url* in its series: the day, month or year before, or the page with the next number.

    *misses*: how many lists of the series in a row, *url* the last of them, brought nothing. `None`: the series ends.
    """
    place = find_place(url)
    if place is None or misses > _MISSES[place.step]:
        return None
    if place.step == "page":
        page = _find_page(url)
        return None if page is None else _put(url, page, {"n": int(page["n"]) + 1})
    match = _find_date(url)
    return None if match is None else _date_before(url, match)


def is_dated_list(url: str) -> bool:
    """Tell whether *url* may be the list of a day, a month or a year, or a page of such: its path ends with a date."""
    match = _find_date(url)
    if match is None:
        return False
    return re.fullmatch(r"/?(?:index\.\w{2,5}|(?:page|seite)/\d{1,5}/?)?(?:[?&].*)?", url[match.end() :]) is not None


def _find_page(url: str) -> re.Match[str] | None:
    return next((match for pattern in _PAGES if (match := pattern.search(url)) is not None), None)


def _find_date(url: str) -> re.Match[str] | None:
    for pattern in _DATES:
        found = None
        for match in pattern.finditer(url, url.find("/", 8)):  # behind the host
            found = match
        if found is not None and _newest_of(found) is not None:
            return found
    return None


def _step_of(match: re.Match[str]) -> Step:
    groups = match.groupdict()
    return "day" if groups.get("d") else "month" if groups.get("m") else "year"


def _find_newest(url: str) -> date | None:
    match = _find_date(url)
    return None if match is None else _newest_of(match)


def _newest_of(match: re.Match[str]) -> date | None:
    groups = match.groupdict()
    year, month, day = (int(groups.get(name) or 0) for name in "ymd")
    try:
        if day or month > 12:
            return date(year, month, day)
        if month:
            return date(year + month // 12, month % 12 + 1, 1) - timedelta(days=1)
        return date(year, 12, 31)
    except ValueError:
        return None


def _date_before(url: str, match: re.Match[str]) -> str | None:
    groups = match.groupdict()
    year, month, day = (int(groups.get(name) or 0) or 1 for name in "ymd")  # there are months and days of number 0
    step = _step_of(match)
    before = date(year, month, day) - timedelta(days=1)
    if step == "year":
        before = date(year - 1, 1, 1)
    if before.year < FIRST_YEAR:
        return None
    return _put(url, match, {"y": before.year, "m": before.month, "d": before.day})


def _put(url: str, match: re.Match[str], numbers: dict[str, int]) -> str:
    """Return *url* with *numbers* in place of the groups of *match*, as wide as these are."""
    for name, number in sorted(numbers.items(), key=lambda item: -_start(match, item[0])):
        if _start(match, name) >= 0:
            begin, end = match.span(name)
            width = end - begin if match[name].startswith("0") or (name != "n" and end - begin == 2) else 0
            url = f"{url[:begin]}{number:0{width}}{url[end:]}"
    return url


def _start(match: re.Match[str], name: str) -> int:
    return match.start(name) if match.groupdict().get(name) is not None else -1

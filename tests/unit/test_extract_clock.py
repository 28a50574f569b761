"""Whether a page comes to the same at any later time: what the time of capture decided is noted."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.rules import ExtractRules
from crawler.extract import extract_article
from tests.unit.test_extract_times import FOOT, MENU, TEXT, URL, page

if TYPE_CHECKING:
    from crawler.model import Article

AT = datetime(2026, 11, 22, 12, tzinfo=UTC)
LATER = [
    timedelta(hours=1),
    timedelta(hours=13),
    timedelta(days=1),
    timedelta(days=2),
    timedelta(days=40),
    timedelta(900),
]
SITE = sorted((Path(__file__).parent.parent / "site" / "hosts").rglob("*.html"))
POST = (
    '<blockquote class="twitter-tweet"><p>A mill.</p>&mdash; Ana One (@ana) <a href="https://twitter.com/ana/status/1">'
    "{}</a></blockquote>"
)


def read(body: str, about: dict[str, str], at: datetime = AT) -> Article:
    return extract_article(
        f"<html lang=en><head>{about.get('head', '')}</head><body>{body}</body></html>",
        url=about.get("url", URL),
        status=200,
        captured_at=at,
        timezone="Europe/London",
        language=None,
        rules=ExtractRules(),
    )


def framed(body: str) -> str:
    return MENU + body + FOOT


def stated(value: str) -> str:
    return f'<meta property="article:published_time" content="{value}">'


BOUND = {
    "a time ahead": {"head": stated("2026-11-25T08:00:00Z")},
    "a day ahead in the address": {"url": "https://gazette.example/2026/11/23/library"},
    "a year ahead in the address": {"url": "https://gazette.example/2027/01/02/library"},
    "today in the mast-head": {"mast": "<p>Sunday, 22 November 2026</p>"},
    "tomorrow's day in the mast-head": {"mast": "<p>24 November 2026 00:30 +1400</p>"},
    "a line ahead": {"below": "<p>Published 30 December 2026</p>"},
    "a post from the future": {"text": TEXT + POST.format("December 24, 2026")},
}


def build(*, above: str = "", below: str = "", text: str = TEXT, mast: str = "") -> str:
    return framed(mast + page(above, below, text=text))


@pytest.mark.parametrize("name", BOUND)
def test_what_the_time_of_capture_decides_is_noted(name: str) -> None:
    about = {key: value for key, value in BOUND[name].items() if key in {"head", "url"}}
    given = {key: value for key, value in BOUND[name].items() if key not in about}
    assert read(build(**given), about).clock_bound
    assert not read(build(**given), about, AT + timedelta(days=60)).clock_bound


@pytest.mark.parametrize(
    ("about", "parts"),
    [
        ({"head": stated("2026-11-22T08:00:00Z")}, {}),
        ({"head": stated("2026-11-23T11:00:00Z")}, {}),
        ({"url": "https://gazette.example/2026/11/22/library"}, {}),
        ({}, {"below": "<p>Published 22 November 2026</p>"}),
        ({}, {"below": "<time datetime='2026-11-22T10:00:00Z'>Today</time>"}),
        ({}, {"text": TEXT + POST.format("November 21, 2026")}),
    ],
)
def test_a_report_of_today_comes_to_the_same_tomorrow(about: dict[str, str], parts: dict[str, str]) -> None:
    now = read(build(**parts), about)
    assert not now.clock_bound
    assert [read(build(**parts), about, AT + later) for later in LATER] == [now] * len(LATER)


DAYS = [AT + timedelta(days=days) for days in (-400, -2, -1, 0, 1, 2, 3, 60)]
FORMS = ("%Y-%m-%d", "%d %B %Y", "%B %d, %Y", "%Y-%m-%dT20:00:00Z", "%d %b %Y 23:30", "%Y-%m-%dT00:30:00+14:00")
lines = st.lists(
    st.builds(lambda day, form: day.strftime(form), st.sampled_from(DAYS), st.sampled_from(FORMS)), max_size=3
)


@given(lines, lines, lines, lines, lines, st.sampled_from([*DAYS, None]), st.sampled_from(LATER))
def test_what_is_not_noted_comes_to_the_same_later(
    mast: list[str],
    above: list[str],
    below: list[str],
    after: list[str],
    meta: list[str],
    day: datetime | None,
    later: timedelta,
) -> None:
    parts = [" ".join(f"<p class=date>{line}</p>" for line in part) for part in (mast, above, below, after)]
    body = framed(parts[0] + page(parts[1], parts[2], parts[3]))
    about = {
        "head": "".join(map(stated, meta)),
        "url": day.strftime("https://gazette.example/%Y/%m/%d/mill") if day else URL,
    }
    first = read(body, about)
    assert first.clock_bound or read(body, about, AT + later) == first


@pytest.mark.parametrize("path", SITE, ids=[path.name[:40] for path in SITE])
def test_pages_of_the_site(path: Path) -> None:
    html = path.read_text("utf-8")
    for year in (2010, 2023, 2026):
        first = read(html, {}, datetime(year, 11, 8, 12, tzinfo=UTC))
        second = read(html, {}, datetime(2031, 1, 1, tzinfo=UTC))
        assert first.clock_bound or replace(second, clock_bound=False) == first

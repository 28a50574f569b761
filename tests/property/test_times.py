"""Of any page: no date of publication or change lies ahead of the capture, and reading them never fails."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from config.rules import ExtractRules
from crawler.extract import extract_article
from crawler.extract.times.dates import DateRules, find_dates, one_line
from crawler.extract.times.unseen_dates import read_address

AT = datetime(2026, 11, 22, 12, tzinfo=UTC)
LAST = AT + timedelta(days=1)
MONTHS = ("Mai", "décembre", "Aralık", "كانون الأول", "listopada", "12", "февраля", "मई", "x" * 20)
PIECES = st.one_of(
    st.integers(0, 99).map(str),
    st.integers(1890, 2110).map(str),
    st.sampled_from(MONTHS),
    st.sampled_from(
        (" ", " ", ".", "/", "-", ", ", ":", "年", "월", "日", "T", "Z", "+02:00", " PM", "午後", "﷽", "²", "٣")
    ),
    st.text(max_size=3),
)
LINES = st.lists(PIECES, max_size=14).map("".join)
FORMS = st.sampled_from(("%Y-%m-%dT%H:%M:%S%z", "%d.%m.%Y", "%B %d, %Y", "%d %b %Y %H:%M", "%Y/%m/%d", "%Y%m%d", "%c"))
DAYS = st.datetimes(datetime(1980, 1, 1), datetime(2098, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001 - a bound
WRITTEN = st.builds(lambda day, form: day.strftime(form), DAYS, FORMS)
ZONES = st.sampled_from((None, "UTC", "Asia/Beirut", "Pacific/Kiritimati", "No/Such", "../etc"))
RULES = st.builds(DateRules, st.just(AT), ZONES, st.sampled_from((None, True, False)))


def moment_of(value: str) -> datetime:
    moment = datetime.fromisoformat(value)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


@given(LINES | WRITTEN, RULES)
def test_dates_in_a_line_lie_where_it_says_and_not_ahead(line: str, rules: DateRules) -> None:
    end = 0
    for found, start, stop in find_dates(line, rules):
        assert end <= start < stop <= len(one_line(line))
        assert moment_of(found.value) <= LAST
        end = stop


@given(st.lists(PIECES | st.sampled_from(("/", "_", "?", "&", "=")), max_size=20).map("".join) | WRITTEN, RULES)
def test_an_address_says_a_day_or_a_month_that_has_come(path: str, rules: DateRules) -> None:
    found = read_address(f"https://gazette.example/{path}", rules)
    assert not found or moment_of(found if len(found) == 10 else f"{found}-01") <= AT


@settings(deadline=None, max_examples=60)
@given(st.lists(LINES | WRITTEN, max_size=8), st.lists(WRITTEN, max_size=3), LINES | WRITTEN, ZONES)
def test_no_date_of_a_page_lies_ahead(lines: list[str], times: list[str], path: str, zone: str | None) -> None:
    shown = "".join(f"<p class=date>{line}</p>" for line in lines)
    stated = "".join(f"<time itemprop=datePublished datetime='{line}'>Published {line}</time>" for line in times)
    source = f"<script>var page = {{'published': '{path}'}}</script>"
    text = "<p>The library in the old mill stays open for one more year, says the council.</p>" * 4
    article = extract_article(
        f"<body>{shown}<h1>The old library</h1>{shown}{text}{source}{stated}</body>",
        url=f"https://gazette.example/{path}",
        status=200,
        captured_at=AT,
        timezone=zone,
        language=None,
        rules=ExtractRules(),
    )
    for name in ("published", "modified"):
        if name in article.fields:
            values = [entry["value"] for entry in article.fields[f"{name}_candidates"].value]
            assert article.fields[name].value in values
            assert all(moment_of(value) <= LAST for value in values)

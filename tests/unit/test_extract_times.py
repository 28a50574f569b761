"""Which of the dates on a page is that of publication, where no metadata says so; pages of ten languages and more."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime

import pytest
import trafilatura.metadata

from config.rules import ExtractRules
from crawler.extract import extract_article
from crawler.extract.times.publication import is_month_first
from crawler.model import FieldValue

AT = datetime(2026, 11, 22, 12, tzinfo=UTC)
URL = "https://gazette.example/city/library"
TEXT = "".join(
    f"<p>The council met for the {number}th time, and the library in the old mill stays open for one more year.</p>"
    for number in range(8)
)
MENU = (
    "<nav><ul>"
    + "".join(f"<li><a href='/{name}'>{name}</a></li>" for name in ("city", "sport", "arts"))
    + "</ul></nav>"
)
FOOT = "<footer><p>© 1998-2026 The Gazette, all rights reserved, 1 January 2026</p></footer>"


def fields_of(
    body: str, *, head: str = "", url: str = URL, lang: str = "", zone: str | None = None, at: datetime = AT
) -> dict[str, FieldValue]:
    attribute = f" lang={lang}" if lang else ""
    article = extract_article(
        f"<html{attribute}><head>{head}</head><body>{MENU}{body}{FOOT}</body></html>",
        url=url,
        status=200,
        captured_at=at,
        timezone=zone,
        language=None,
        rules=ExtractRules(),
    )
    return article.fields


def page(above: str = "", below: str = "", after: str = "", text: str = TEXT) -> str:
    """Return an article with *above* and *below* its headline, and *after* its text."""
    return f"<main><article>{above}<h1>The old library stays open</h1>{below}<div>{text}</div>{after}</article></main>"


def published(body: str, **given: str) -> tuple[object, str] | None:
    field = fields_of(body, **given).get("published")  # type: ignore[arg-type]
    return (field.value, field.origin) if field else None


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("By Ana One | December 3, 2025", "2025-12-03"),
        ("London, Wed 3 Dec 2025 09.15", "2025-12-03T09:15:00+00:00"),
        ("Von Eva Eins, 3. Dezember 2025, 9:15 Uhr", "2025-12-03T09:15:00+00:00"),
        ("Mis en ligne le 3 décembre 2025 à 9h15", "2025-12-03T09:15:00+00:00"),
        ("Madrid - 3 de diciembre de 2025", "2025-12-03"),
        ("3 dicembre 2025 di Ada Uno", "2025-12-03"),
        ("Lisboa, 3 de dezembro de 2025", "2025-12-03"),
        ("Dodano: 3 grudnia 2025, 09:15", "2025-12-03T09:15:00+00:00"),
        ("3 декабря 2025, 09:15", "2025-12-03T09:15:00+00:00"),
        ("نُشر في 3 كانون الأول 2025", "2025-12-03"),
        ("٣ ديسمبر ٢٠٢٥", "2025-12-03"),
        ("2025年12月3日 09:15 来源：本报", "2025-12-03T09:15:00+00:00"),
        ("入力 2025年12月3日 午後3:15", "2025-12-03T15:15:00+00:00"),
        ("입력 2025. 12. 3. 오후 3:15", "2025-12-03T15:15:00+00:00"),
        ("3 Aralık 2025 Çarşamba", "2025-12-03"),
        ("03 दिसंबर 2025", "2025-12-03"),
        ("2025. december 3.", "2025-12-03"),
        ("3 Δεκεμβρίου 2025", "2025-12-03"),
        ("3 בדצמבר 2025", "2025-12-03"),
        ("2025 m. gruodžio 3 d.", "2025-12-03"),
    ],
)
@pytest.mark.parametrize("place", ["above", "below"])
def test_a_line_beside_the_headline_is_read_whatever_it_is_called(line: str, value: str, place: str) -> None:
    body = page(**{place: f"<div class=x1y2><b>{line}</b></div>"})
    assert published(body) == (value, "visible")


@pytest.mark.parametrize(
    "text",
    [
        "<p>BERLIN, 3 December 2025 (Agency) – The library in the old mill stays open for one more year.</p>",
        "<p>Pressemitteilung vom 3. Dezember 2025 | Die Bibliothek in der alten Mühle bleibt ein Jahr lang offen.</p>",
    ],
)
def test_a_dateline_before_the_first_words_is_read(text: str) -> None:
    assert published(page(text=text + TEXT)) == ("2025-12-03", "visible")


def test_a_day_within_a_sentence_or_the_headline_is_none_of_publication() -> None:
    sentence = (
        "<p>The mill had burnt on 3 December 2019, when nobody expected it, and was built again by all of them.</p>"
    )
    assert published(page(text=sentence + TEXT)) is None
    assert published(page().replace("stays open", "opens on 3 May 2025")) is None


def test_a_day_in_a_caption_is_that_of_the_picture() -> None:
    picture = "<figure><img src=/mill.jpg alt=''><figcaption>The mill (3 May 2024)</figcaption></figure>"
    assert published(page(below=picture + "<i>x</i>" * 20 + "<p>3 December 2025</p>")) == ("2025-12-03", "visible")


def test_a_copyright_year_is_none_of_publication() -> None:
    assert published(page(after="<p>Copyright 3 May 2024 The Gazette</p>")) is None


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("2025/12/03/library", "2025-12-03"),
        ("2025-12-03/library.html", "2025-12-03"),
        ("city/library-20251203", "2025-12-03"),
        ("A20251203091500012", "2025-12-03"),
        ("03-12-2025-library", "2025-12-03"),
        ("2025/12/library", None),
        ("2025/12/3-libraries-in-a-mill", None),
        ("2025/13/03/library", None),
        ("2027/12/03/library", None),
        ("20251203091", None),
        ("id-1999120399", None),
        ("1899/12/03/library", None),
    ],
)
def test_the_day_in_the_address_is_a_guess(path: str, value: str | None) -> None:
    assert published(page(), url=f"https://gazette.example/{path}") == ((value, "guess") if value else None)


def test_a_line_that_agrees_with_the_address_is_better_and_one_that_does_not_is_a_candidate() -> None:
    url = "https://gazette.example/2025/12/03/library"
    assert published(page(below="<p>4 December 2025, 0:10</p>"), url=url) == ("2025-12-04T00:10:00+00:00", "visible")
    fields = fields_of(page(below="<p>9 December 2025</p>"), url=url)
    assert fields["published"] == FieldValue("2025-12-03", "guess")
    assert [entry["value"] for entry in fields["published_candidates"].value] == ["2025-12-03", "2025-12-09"]
    both = "<p>9 December 2025</p><p>Library, 3 December 2025</p>"
    assert published(page(below=both), url=url) == ("2025-12-03", "visible")


def test_the_nearest_line_counts_and_not_the_rows_of_a_list() -> None:
    rows = "".join(f"<li class=day>{day} November 2025</li>" for day in (1, 2, 4))
    assert published(page(above=f"<ul>{rows}</ul>" + "<i>x</i>" * 40)) is None
    assert published(page(above=f"<ul>{rows}</ul>", below="<div class=day>3 December 2025</div>")) == (
        "2025-12-03",
        "visible",
    )


@pytest.mark.parametrize("name", ["related-articles", "comments"])
def test_the_dates_of_other_articles_and_of_comments_are_left_out(name: str) -> None:
    boxes = f"<div class={name}><p>Posted on 3 December 2025</p></div>"
    assert published(page(after=boxes)) is None


@pytest.mark.parametrize(
    "line",
    [
        "Posted in the town hall by our desk on 3 December 2025, filed under city",
        "Veröffentlicht am 03.12.2025",
        "Publié le 3 décembre 2025",
        "Опубликовано 3 декабря 2025",
        "تاريخ النشر: 3 ديسمبر 2025",
        "发布时间：2025-12-03",
    ],
)
def test_a_line_below_the_text_that_says_published_is_read(line: str) -> None:
    assert published(page(after=f"<p>5 comments</p><p>{line}</p>")) == ("2025-12-03", "visible")


@pytest.mark.parametrize(
    "line", ["Last updated: 3 December 2025", "Zuletzt geändert am 03.12.2025", "Mis à jour le 3 décembre 2025"]
)
def test_the_day_of_a_change_is_no_more_than_a_guess_at_that_of_publication(line: str) -> None:
    fields = fields_of(page(below=f"<p>{line}</p>"))
    assert fields["modified"] == FieldValue("2025-12-03", "visible")
    assert fields["published"] == FieldValue("2025-12-03", "guess")
    fields = fields_of(page(below=f"<p>{line}</p><p>1 December 2025</p>"))
    assert fields["published"] == FieldValue("2025-12-01", "visible")


def test_what_is_called_published_and_updated_at_once_is_published() -> None:
    line = "<time class='entry-date published updated' datetime='2025-12-03T09:15:00+01:00'>3 December 2025</time>"
    fields = fields_of(page(below=line))
    assert fields["published"] == FieldValue("2025-12-03T09:15:00+01:00", "visible")
    assert "modified" not in fields


def test_a_time_without_a_date_in_its_text_says_it_in_its_attribute() -> None:
    line = "<time datetime='2025-12-03T09:15:00Z'>2 h</time>"
    assert published(page(below=line)) == ("2025-12-03T09:15:00+00:00", "visible")


def test_times_far_from_the_headline_are_a_guess_if_they_agree() -> None:
    times = "<i>x</i>" * 100 + "<time datetime='2025-12-03T09:15:00Z'>at nine</time>"
    assert published(page(after=times)) == ("2025-12-03T09:15:00+00:00", "guess")
    assert published(page(after=times + "<time datetime='2025-12-01'>then</time>")) is None


@pytest.mark.parametrize(
    "source",
    [
        '<script>var page = {"published_at": "2025-12-03T09:15:00+01:00", "updated_at": "2025-12-09"}</script>',
        r'<script>self.push("{\"publishDate\":\"2025-12-03T09:15:00+01:00\"}")</script>',
        "<abbr class='published' title='2025-12-03T09:15:00+01:00'>at nine</abbr>",
    ],
)
def test_what_scripts_and_attributes_call_published_is_a_guess_if_they_agree(source: str) -> None:
    assert published(page(after=source)) == ("2025-12-03T09:15:00+01:00", "guess")
    assert published(page(after=source + '<script>var next = {"published": "2025-11-30"}</script>')) is None


def test_the_day_of_reading_in_the_mast_head_is_none_of_publication() -> None:
    clock = "<header><div>Sunday, 22 November 2026</div></header>"
    assert published(clock + page()) is None
    assert published(clock + page(below="<p>20 November 2026</p>")) == ("2026-11-20", "visible")
    assert published(clock + page(above="<p>22 November 2026</p>")) == ("2026-11-22", "visible")


def test_what_lies_ahead_is_never_published() -> None:
    ahead = "<p>3 December 2026</p>"
    source = "<script>var page = {'published': '2026-12-03'}</script><time datetime='2026-12-03'>x</time>"
    url = "https://gazette.example/2026/12/03/library"
    assert published(page(below=ahead, after=f"<p>Published on 3 December 2026</p>{source}"), url=url) is None


@pytest.mark.parametrize(
    ("lang", "zone", "value"),
    [
        ("de", None, "2025-04-03"),
        ("en-GB", None, "2025-04-03"),
        ("en-US", None, "2025-03-04"),
        ("en", "America/New_York", "2025-03-04"),
        ("en", "Europe/London", "2025-04-03"),
        ("", "Asia/Beirut", "2025-04-03"),
        ("en", None, None),
        ("", None, None),
        ("en-US", "Asia/Kolkata", None),
    ],
)
def test_days_that_are_written_two_ways_are_read_where_the_way_is_known(
    lang: str, zone: str | None, value: str | None
) -> None:
    field = fields_of(page(below="<p>03/04/2025</p>"), lang=lang, zone=zone).get("published")
    assert (field.value if field else None) == value
    assert published(page(below="<p>13/04/2025</p>"), lang=lang) == ("2025-04-13", "visible")


def test_canada_has_both_ways() -> None:
    assert is_month_first("en-ca", None) is None
    assert is_month_first("en_CA", "America/Toronto") is None


def test_a_day_is_told_more_exactly_by_a_time_of_it_and_a_moment_by_its_own_zone() -> None:
    meta = '<meta name="date" content="2025-12-03">'
    assert fields_of(page(below="<time>3 December 2025, 9:15</time>"), head=meta)["published"] == FieldValue(
        "2025-12-03T09:15:00+00:00", "visible", "UTC"
    )
    assert published(page(below="<time>9 December 2025, 9:15</time>"), head=meta) == ("2025-12-03", "meta")
    meta = '<meta property="article:published_time" content="2025-12-03T23:30:12Z">'
    local = "<time datetime='2025-12-04T00:30:00+01:00'>4 December</time>"
    assert published(page(below=local), head=meta) == ("2025-12-04T00:30:00+01:00", "visible")
    assert published(page(below=local.replace("00:30", "03:30")), head=meta) == ("2025-12-03T23:30:12+00:00", "meta")


def test_trafilatura_is_asked_for_no_date(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []
    monkeypatch.setattr(trafilatura.metadata, "find_date", lambda *given, **_: asked.append(given))
    link = '<p>The mayor says that books are here. <a href="/x">one long text of a link after the other</a></p>'
    assert "published" not in fields_of(f"<div>{link * 4}</div>")
    assert not asked


@pytest.mark.parametrize(
    "line", ["<p>" + "2019 31.31.2019 " * 7 + "</p>", "<div><p class=date>May 99, 2019 2019/99/99 12:99 2020</p></div>"]
)
def test_lines_full_of_years_are_looked_at_in_good_time(line: str) -> None:
    started = time.process_time()
    assert published(page(above=line * 60, below=line * 60, text=line * 5_000, after=line * 500)) is None
    assert time.process_time() - started < 1.5


@pytest.mark.parametrize(
    ("shown", "stated", "expected"),
    [
        ("19 November 2026, 08:15", "2026-11-19T08:15:00+01:00", "2026-11-19T08:15:00+01:00"),
        ("19 November 2026, 08:15", "2026-11-19T07:15:00Z", "2026-11-19T07:15:00+00:00"),
        ("19 November 2026", "2026-11-19T07:15:00Z", "2026-11-19T07:15:00+00:00"),
    ],
)
def test_a_zone_that_an_element_states_is_not_assumed(shown: str, stated: str, expected: str) -> None:
    fields = fields_of(page(below=f'<time datetime="{stated}">{shown}</time>'))
    assert (fields["published"].value, fields["published"].assumed_zone) == (expected, None)
    assert fields["published_text"].value == shown


def test_a_film_was_published_when_it_was_uploaded() -> None:
    film = {"@type": "VideoObject", "name": "The flood", "uploadDate": "2026-11-19T08:15:00+01:00"}
    head = f'<script type="application/ld+json">{json.dumps(film)}</script>'
    field = fields_of(page(below="<p>19 November 2026, 08:15</p>"), head=head)["published"]
    assert (field.value, field.origin) == ("2026-11-19T08:15:00+01:00", "json-ld")


def test_a_film_beside_an_article_says_nothing_of_its_day() -> None:
    film = {"@type": "VideoObject", "name": "The flood", "uploadDate": "2025-01-19T08:15:00+01:00"}
    data = [{"@type": "NewsArticle", "headline": "The old library stays open"}, film]
    head = f'<script type="application/ld+json">{json.dumps(data)}</script>'
    assert fields_of(page(below="<p>19 November 2026</p>"), head=head)["published"].value == "2026-11-19"
    head = f'<script type="application/ld+json">{json.dumps([{"@type": "WebPage", "name": "A"}, film])}</script>'
    assert fields_of(page(below="<p>19 November 2026</p>"), head=head)["published"].value == "2026-11-19"

"""What a page is, and the reason in words."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from config.rules import ExtractRules
from crawler.extract import extract_article
from crawler.model import Article, PageClass

TITLE = "The council keeps the old library open"
PROSE = "The council voted on Tuesday to keep the old library open, after a debate of more than four hours. "


def read(body: str, head: str = "", *, status: int = 200, data: dict[str, Any] | None = None) -> Article:
    if data is not None:
        head += f'<script type="application/ld+json">{json.dumps(data)}</script>'
    return extract_article(
        f"<html><head>{head}</head><body>{body}</body></html>",
        url="https://gazette.example/news/library",
        status=status,
        captured_at=datetime(2026, 11, 22, tzinfo=UTC),
        timezone=None,
        language=None,
        rules=ExtractRules(),
    )


def test_a_short_article_is_an_article() -> None:
    data = {"@type": "NewsArticle", "headline": TITLE, "datePublished": "2026-03-05T10:00:00Z"}
    article = read(f"<h1>{TITLE}</h1><p>The vote was 12 to 9.</p>", data=data)
    assert (article.page_class, article.blocks) == (PageClass.ARTICLE, ("The vote was 12 to 9.",))


@pytest.mark.parametrize(
    ("title", "text"),
    [
        ("Page not found", "Sorry, what you are looking for is not here."),
        ("404", "Oops."),
        ("Seite nicht gefunden", "Die Seite wurde verschoben."),
        ("Página no encontrada", "La página ha cambiado de lugar."),
        ("الصفحة غير موجودة", "عذراً"),
        ("Страница не найдена", "Вернитесь на главную."),
    ],
)
def test_a_page_that_says_that_nothing_is_here(title: str, text: str) -> None:
    article = read(f"<h1>{title}</h1><p>{text}</p>", f"<title>{title} - The Gazette</title>")
    assert article.page_class is PageClass.SOFT_404
    assert repr(title) in article.class_reason
    assert (article.title, article.blocks) == (None, ())


@pytest.mark.parametrize(
    ("title", "text"),
    [
        ("Not Found", "The requested URL was not found on this server."),
        ("Oops! Not found", "Sorry about that."),
        ("Article not found", "It may have been deleted, or the link may be old. Try the search."),
        ("Artikel nicht gefunden", "Möglicherweise wurde er gelöscht, vielleicht hilft dir unsere Suche weiter."),
        ("We cannot find that", "The page you are looking for has moved, or never was. Go to the front page instead."),
        ("記事が見つかりません", "お探しの記事は削除された可能性があります。"),
    ],
)
def test_a_page_that_says_so_in_other_words(title: str, text: str) -> None:
    page = read(f"<h1>{title}</h1><p>{text}</p>", f"<title>{title} | The Gazette</title>")
    assert page.page_class is PageClass.SOFT_404


@pytest.mark.parametrize(
    ("title", "text"),
    [
        ("Missing boat not found, search ends", "Two aircraft had looked for it since Friday, the coastguard said."),
        (
            "Vermisster nicht gefunden, Suche geht weiter",
            "Am Montag soll ein Hubschrauber das Gebiet abfliegen, so die Polizei.",
        ),
        ("Bus 404 returns in December", "There will be four buses a day, the county said on Monday morning."),
        ("Access denied to press at hearing", "The judge said on Thursday that the rules left her no choice at all."),
        (
            "Cookies for the mayor",
            "A baker sells cookies like the mayor. Cookies cost 2 crowns, and partners may share the cookies.",
        ),
    ],
)
def test_a_short_report_is_an_article_whatever_it_says_in_passing(title: str, text: str) -> None:
    page = read(f"<h1>{title}</h1><p>{text}</p>", f"<title>{title} | The Gazette</title>")
    assert (page.page_class, page.title, page.blocks) == (PageClass.ARTICLE, title, (text,))


def test_an_article_about_a_missing_page_is_an_article() -> None:
    data = {"@type": "NewsArticle", "headline": "Page not found: a history"}
    article = read(f"<h1>Page not found: a history</h1><p>{PROSE}</p><p>{PROSE}</p>", data=data)
    assert article.page_class is PageClass.ARTICLE


@pytest.mark.parametrize(
    "body",
    [
        "<h1>gazette.example</h1><h2>Checking your browser before accessing</h2><p>Ray ID: <code>7f</code></p>",
        '<h1>Are you a robot?</h1><div class="g-recaptcha"></div>',
        "<h1>Access Denied</h1><p>You don't have permission to access this on this server.</p>",
        "<p>Please enable JS and disable any ad blocker</p>",
        "<h1>Attention Required!</h1><p>One more step before you go on.</p>",
        "<h2>Just a moment...</h2><p>The page opens in a few seconds.</p>",
        "<h1>Security check</h1><p>We noticed unusual activity from your network.</p>",
    ],
)
@pytest.mark.parametrize("status", [200, 403, 503])
def test_a_robot_check(body: str, status: int) -> None:
    assert read(body, status=status).page_class is PageClass.CHALLENGE


def test_a_consent_wall() -> None:
    text = (
        "We and our partners use cookies to store and access information on your device. You may accept or reject all."
    )
    article = read(f'<div class="consent-form"><h1>The Gazette</h1><p>{text}</p><button>Accept all</button></div>')
    assert article.page_class is PageClass.CONSENT


def test_a_consent_banner_on_an_article_changes_nothing() -> None:
    banner = '<div id="cookie-banner"><p>We and our partners use cookies and need your consent.</p></div>'
    assert read(f"{banner}<h1>{TITLE}</h1><p>{PROSE}</p><p>{PROSE * 2}</p>").page_class is PageClass.ARTICLE


def test_a_list_of_teasers() -> None:
    link = '<a href="/n/{n}">A bridge in the north is closed, number {n}</a>'
    card = f"<li>{link}<p>Drivers take the long way round.</p></li>"
    cards = "".join(card.format(n=n) for n in range(12))
    article = read(f"<h1>World</h1><ul>{cards}</ul>", '<meta property="og:type" content="website">')
    assert article.page_class is PageClass.LISTING


def test_an_article_behind_a_wall() -> None:
    wall = '<div class="paywall"><p>This article is for subscribers only. Subscribe now to continue reading.</p></div>'
    data = {"@type": "NewsArticle", "headline": TITLE, "isAccessibleForFree": False}
    article = read(f"<article><h1>{TITLE}</h1><p>{PROSE}</p>{wall}</article>", data=data)
    assert article.page_class is PageClass.TRUNCATED
    assert "not free" in article.class_reason
    assert "for subscribers" in article.class_reason
    assert article.blocks == (PROSE.strip(),)
    assert article.fields["access"].value == "paid"


def test_a_whole_article_with_an_offer_at_its_end_is_an_article() -> None:
    offer = '<div class="offer"><p>Already a subscriber? Log in. Subscribe to read more such stories.</p></div>'
    body = "".join(f"<p>{PROSE * 4}</p>" for _ in range(10))
    data = {"@type": "NewsArticle", "headline": TITLE, "isAccessibleForFree": "False"}
    assert read(f"<article><h1>{TITLE}</h1>{body}{offer}</article>", data=data).page_class is PageClass.ARTICLE


def test_live_posts_are_known_by_their_times() -> None:
    posts = "".join(
        f'<div class="liveblog-entry" id="p{n}"><time>1{n}:00</time><p>The debate goes on, part {n}.</p></div>'
        for n in range(5)
    )
    article = read(f"<main><h1>{TITLE}</h1>{posts}</main>")
    assert article.page_class is PageClass.LIVE
    assert article.fields["posts"].value[0] == {"id": "p0", "time": "10:00", "text": "The debate goes on, part 0."}


@pytest.mark.parametrize("status", [401, 404, 410, 500])
def test_an_error_status_is_an_error(status: int) -> None:
    article = read(f"<h1>{TITLE}</h1><p>{PROSE * 5}</p>", status=status)
    assert (article.page_class, article.class_reason, article.blocks) == (PageClass.ERROR, f"status {status}", ())


@pytest.mark.parametrize("html", ["", "<html></html>", "<p>ok</p>", "\0\0\0"])
def test_nothing_is_an_error(html: str) -> None:
    assert read(html).page_class is PageClass.ERROR

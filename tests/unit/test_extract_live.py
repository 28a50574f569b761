"""The posts of a live page: their ids, which stay when others come, and whether the page holds older ones back."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from config.rules import ExtractRules
from crawler.extract import extract_article
from crawler.model import Article, PageClass

TITLE = "Live: the vote in the harbour hall"
TEXTS = [
    "The gates open, and the first people come in.",
    "Ann Lee speaks first, for two minutes.",
    "Rain delays the second round by an hour.",
    "The jury leaves the hall to vote.",
    "Three of the votes are not valid.",
]


def _read(body: str, *, head: str = "", updates: list[dict[str, Any]] | None = None) -> Article:
    data = {"@type": "LiveBlogPosting", "headline": TITLE} | ({"liveBlogUpdate": updates} if updates else {})
    head += f'<script type="application/ld+json">{json.dumps(data)}</script>'
    article = extract_article(
        f"<html><head>{head}</head><body><main><h1>{TITLE}</h1>{body}</main></body></html>",
        url="https://gazette.example/live/vote",
        status=200,
        captured_at=datetime(2026, 11, 22, tzinfo=UTC),
        timezone=None,
        language=None,
        rules=ExtractRules(),
    )
    assert article.page_class is PageClass.LIVE
    return article


def _post(number: int, *, attributes: str = "", inner: str = "", text: str | None = None) -> str:
    time = f'<time datetime="2026-11-20T1{number}:00Z">1{number}:00</time>'
    return f'<div class="live-post" {attributes}>{time}{inner}<p>{text or TEXTS[number]}</p></div>'


def _posts(*numbers: int) -> str:
    return f'<div class="stream">{"".join(map(_post, numbers))}</div>'


def _ids(article: Article) -> list[str]:
    return [post["id"] for post in article.fields["posts"].value]


def _is_partial(article: Article) -> bool:
    return "partial" in article.fields and article.fields["partial"].value is True


def test_ids_that_are_made_stay_when_posts_come() -> None:
    before, after = _ids(_read(_posts(3, 2, 1))), _ids(_read(_posts(4, 3, 2, 1)))
    assert after[1:] == before
    assert len(set(after)) == 4
    assert all(name.startswith("~") for name in after)


def test_made_ids_stay_when_the_end_of_a_post_changes_and_tell_authors_apart() -> None:
    long = "The jury leaves the hall to vote, and nobody knows for how long"
    one, other = (_ids(_read(_post(1, text=long + end)))[0] for end in (".", " it may be."))
    assert one == other
    names = [f'<span class="byline">{name}</span>' for name in ("Ann Lee", "Bo Hall")]
    made = [_read(_post(1, inner=name)) for name in names]
    assert [article.fields["posts"].value[0]["author"] for article in made] == ["Ann Lee", "Bo Hall"]
    assert _ids(made[0]) != _ids(made[1])


@pytest.mark.parametrize(
    ("attributes", "inner"),
    [
        ('id="e77"', ""),
        ('data-post-id="e77"', ""),
        ('data-id="e77"', ""),
        ('itemid="e77"', ""),
    ],
)
def test_the_pages_own_ids_are_taken(attributes: str, inner: str) -> None:
    assert _ids(_read(_post(1, attributes=attributes, inner=inner) + _post(0)))[0] == "e77"


def test_the_link_round_a_posts_time_names_it() -> None:
    post = '<div class="live-post"><a href="/live/vote#e77"><time>11:00</time></a><p>Ann Lee speaks first.</p></div>'
    assert _ids(_read(post)) == ["e77"]


def test_posts_may_be_stated_by_microdata_alone() -> None:
    posts = "".join(
        f'<article itemprop="liveBlogUpdate" itemscope><time>1{n}:00</time><p>{TEXTS[n]}</p></article>' for n in (1, 0)
    )
    assert [post["text"] for post in _read(posts).fields["posts"].value] == [TEXTS[1], TEXTS[0]]


def test_posts_in_json_ld_have_ids_too() -> None:
    updates: list[dict[str, Any]] = [
        {"@id": "https://gazette.example/live/vote#u2", "datePublished": "2026-11-20T11:00Z", "articleBody": TEXTS[1]},
        {"datePublished": "2026-11-20T10:00Z", "articleBody": TEXTS[0], "author": {"name": "Ann Lee"}, "headline": 3},
    ]
    first, second = _read("<p>All day long we tell what happens.</p>", updates=updates).fields["posts"].value
    assert first["id"].endswith("#u2")
    assert second["id"].startswith("~")
    assert (second["author"], second["title"]) == ("Ann Lee", None)


BUTTONS = [
    '<button class="load-more">…</button>',
    "<button>Load more</button>",
    '<a href="?page=2">Show older posts</a>',
    "<button>Ältere Beiträge anzeigen</button>",
    "<button>Mehr laden</button>",
    "<button>Afficher plus</button>",
    "<button>Ver más</button>",
    "<button>Показать ещё</button>",
    "<button>Предыдущие события</button>",
    "<button>تحميل المزيد</button>",
    "<a href='?p=2'>الأحداث السابقة</a>",
    "<button>加载更多</button>",
    "<button>更早的消息</button>",
    "<button>もっと見る</button>",
    "<button>더 보기</button>",
    '<button data-next-page="2">⌄</button>',
    '<a rel="next" href="?page=2">2</a>',
    '<a rel="next" href="https://gazette.example/live/vote/page/2">2</a>',
]


@pytest.mark.parametrize("button", BUTTONS)
def test_a_page_that_offers_more_is_partial(button: str) -> None:
    canonical = '<link rel="canonical" href="https://gazette.example/live/vote">'
    assert _is_partial(_read(_posts(4, 3, 2, 1) + button, head=canonical))


def test_a_stream_whose_script_knows_of_more_is_partial() -> None:
    posts = _posts(4, 3, 2, 1)
    assert _is_partial(_read(posts.replace('class="stream"', 'class="stream" data-has-more="true"')))
    assert not _is_partial(_read(posts.replace('class="stream"', 'class="stream" data-has-more="false"')))


def test_a_page_that_shows_fewer_posts_than_it_states_is_partial() -> None:
    updates = [{"datePublished": f"2026-11-20T1{n}:00Z", "articleBody": text} for n, text in enumerate(TEXTS)]
    assert _is_partial(_read(_posts(4, 3), updates=updates))
    assert not _is_partial(_read(_posts(4, 3, 2, 1, 0), updates=updates))
    assert not _is_partial(_read(_posts(4, 3, 2, 1, 0), updates=updates[:3]))


NO_MORE = [
    "",
    "<button>Share</button>",
    '<a href="/news/more">More news from the harbour and what it means for you</a>',
    '<a rel="next" href="https://gazette.example/news/another-article">The next article</a>',
    "<button>مشاركة</button>",
    '<button data-id="7">✕</button>',
]


@pytest.mark.parametrize("button", NO_MORE)
def test_other_buttons_hold_nothing_back(button: str) -> None:
    canonical = '<link rel="canonical" href="https://gazette.example/live/vote">'
    assert not _is_partial(_read(_posts(4, 3, 2, 1) + button, head=canonical))


def test_a_button_within_a_post_is_of_that_post() -> None:
    assert not _is_partial(_read(_post(2) + _post(1, inner='<button class="show-more">Show more</button>') + _post(0)))


def test_the_next_article_of_a_site_is_no_further_page() -> None:
    head = '<link rel="canonical" href="https://gazette.example/live/vote">'
    assert not _is_partial(
        _read(_posts(2, 1), head=head + '<link rel="next" href="https://gazette.example/live/other">')
    )
    assert _is_partial(
        _read(_posts(2, 1), head=head + '<link rel="next" href="https://gazette.example/live/vote?p=2">')
    )

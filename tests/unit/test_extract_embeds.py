"""Posts of social networks as data: which network, where, who, when, and their words."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from config.rules import ExtractRules
from crawler.extract import extract_article

TEXT = "<p>The council voted on Tuesday to keep the old library open, after a debate of more than four hours.</p>" * 3


def embeds_of(body: str, url: str = "https://gazette.example/politics/library") -> list[dict[str, Any]]:
    fields = extract_article(
        f"<body><article><h1>The old library stays open</h1>{TEXT}{body}{TEXT}</article></body>",
        url=url,
        status=200,
        captured_at=datetime(2026, 11, 22, tzinfo=UTC),
        timezone=None,
        language=None,
        rules=ExtractRules(),
    ).fields
    return fields["embeds"].value if "embeds" in fields else []


@pytest.mark.parametrize(
    ("body", "platform", "url"),
    [
        (
            (
                '<blockquote class="twitter-tweet"><p>We stay open</p>'
                '<a href="https://x.com/lib/status/12345?s=1">May 1</a>'
                "</blockquote>"
            ),
            "x",
            "https://x.com/lib/status/12345",
        ),
        (
            '<iframe src="https://platform.twitter.com/embed/Tweet.html?dnt=1&id=1234567"></iframe>',
            "x",
            "https://twitter.com/i/status/1234567",
        ),
        ('<amp-twitter data-tweetid="1234567"></amp-twitter>', "x", "https://twitter.com/i/status/1234567"),
        (
            (
                '<blockquote class="instagram-media"'
                ' data-instgrm-permalink="https://www.instagram.com/p/Ab1/?utm=x"><p>We stay open'
                "</p></blockquote>"
            ),
            "instagram",
            "https://www.instagram.com/p/Ab1/",
        ),
        ('<amp-instagram data-shortcode="Ab1"></amp-instagram>', "instagram", "https://www.instagram.com/p/Ab1"),
        (
            (
                '<blockquote class="tiktok-embed" cite="https://www.tiktok.com/@lib/video/99">'
                "<section>We stay open</section>"
                "</blockquote>"
            ),
            "tiktok",
            "https://www.tiktok.com/@lib/video/99",
        ),
        (
            '<div class="fb-post" data-href="https://www.facebook.com/lib/posts/77"><p>We stay open</p></div>',
            "facebook",
            "https://www.facebook.com/lib/posts/77",
        ),
        (
            (
                "<iframe"
                ' src="https://www.facebook.com/plugins/post.php?href=https%3A%2F%2Fwww.facebook.com%2Flib%2Fposts%2F7"></iframe>'
            ),
            "facebook",
            "https://www.facebook.com/plugins/post.php?href=https%3A%2F%2Fwww.facebook.com%2Flib%2Fposts%2F7",
        ),
        ('<iframe src="https://t.me/library/42?embed=1"></iframe>', "telegram", "https://t.me/library/42"),
        (
            (
                '<blockquote class="bluesky-embed"'
                ' data-bluesky-uri="at://did:plc:x/app.bsky.feed.post/3k"><p>We stay open</p>'
                '<a href="https://bsky.app/profile/lib.example/post/3k?ref_src=embed">May 1</a></blockquote>'
            ),
            "bluesky",
            "https://bsky.app/profile/lib.example/post/3k",
        ),
        (
            '<iframe src="https://social.example/@lib/110000001/embed"></iframe>',
            "mastodon",
            "https://social.example/@lib/110000001",
        ),
        (
            '<iframe src="https://truthsocial.com/@lib/110000001/embed"></iframe>',
            "truth-social",
            "https://truthsocial.com/@lib/110000001/embed",
        ),
        (
            '<iframe src="https://www.youtube.com/embed/abcdefg?rel=0"></iframe>',
            "youtube",
            "https://www.youtube.com/embed/abcdefg",
        ),
        ('<amp-youtube data-videoid="abcdefg"></amp-youtube>', "youtube", "https://www.youtube.com/watch?v=abcdefg"),
    ],
)
def test_posts_of_each_network(body: str, platform: str, url: str) -> None:
    [post] = embeds_of(body)
    assert (post["platform"], post["url"]) == (platform, url)
    assert post.get("text", "We stay open") == "We stay open"


@pytest.mark.parametrize(
    "body",
    [
        "<p>We stay open pic.twitter.com/Ab1</p>— City Library (@citylib) May 1, 2026",
        "<p>We stay open pic.twitter.com/Ab1 — City Library (@citylib) May 1, 2026</p>",
    ],
)
def test_who_posted_and_when_stands_apart_from_the_words(body: str) -> None:
    assert embeds_of(f'<blockquote class="twitter-tweet">{body}</blockquote>') == [
        {
            "platform": "x",
            "text": "We stay open pic.twitter.com/Ab1",
            "author": "City Library",
            "handle": "citylib",
            "date_text": "May 1, 2026",
            "date": "2026-05-01",
            "media_link": "pic.twitter.com/Ab1",
        }
    ]


@pytest.mark.parametrize(
    "body",
    [
        '<iframe src="https://www.facebook.com/plugins/like.php?href=https%3A%2F%2Fgazette.example"></iframe>',
        '<div class="fb-page" data-href="https://www.facebook.com/lib"><blockquote>City Library</blockquote></div>',
        "<blockquote><p>We stay open, said the mayor.</p></blockquote>",
        '<div class="box"><a href="https://twitter.com/lib/status/12345">a post</a></div>',
        '<iframe src="https://maps.example/embed?x=1"></iframe>',
        '<iframe src="http://["></iframe>',
    ],
)
def test_buttons_pages_and_quotes_are_no_posts(body: str) -> None:
    assert embeds_of(body) == []


def test_a_post_that_is_shown_twice_is_one() -> None:
    post = '<iframe src="https://t.me/library/42?embed=1"></iframe>'
    assert len(embeds_of(post + "<p>And once more, in other words, for those who did not hear.</p>" + post)) == 1


@pytest.mark.parametrize(
    ("href", "page", "url"),
    [
        ("//x.com/lib/status/12345", "https://gazette.example/a", "https://x.com/lib/status/12345"),
        ("/\t/x.com/lib/status/12345", "https://gazette.example/a", "https://x.com/lib/status/12345"),
        ("ht\ntps://x.com/lib/status/12345", "https://gazette.example/a", "https://x.com/lib/status/12345"),
        ("/lib/status/12345", "https://x.com/lib", "https://x.com/lib/status/12345"),
        ("/lib/status/12345", "https://gazette.example/a", None),
    ],
)
def test_a_link_is_to_a_post_however_it_is_written(href: str, page: str, url: str | None) -> None:
    quote = f'<blockquote class="twitter-tweet"><p>We stay open</p><a href="{href}">May 1</a></blockquote>'
    assert [post.get("url") for post in embeds_of(quote, page)] == [url]

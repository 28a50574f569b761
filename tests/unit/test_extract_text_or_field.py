"""What is text, what is a field and what is neither, FORMAT.md § 6: a page for each statement there."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from config.rules import ExtractRules, LearnedRules
from crawler.extract import extract_article

if TYPE_CHECKING:
    from crawler.model import Article

TITLE = "The old library stays open"
TEXT = "".join(
    f"<p>The council met for the {number}th time on Tuesday, and the library in the mill stays open.</p>"
    for number in range(4)
)
DAY = "<time>3 March 2026</time>"
TWEET = '<p>MARK</p>&mdash; A (@a) <a href="https://x.com/a/status/1">May 3, 2026</a>'
OLD = "It holds 40,000 books, and two of them are very old indeed, she said."
FERRY = '<a href="/2">MARK, and a ferry in winter</a>'
TAG = '<a href="/t/1">MARK</a>'
GALLERY = "".join(
    f'<figure><img src="/{n}.jpg"><figcaption>MARK, picture {n} of the flood.</figcaption></figure>' for n in range(4)
)


def read(body: str, *, head: str = "", rules: ExtractRules | None = None) -> Article:
    return extract_article(
        f"<html><head>{head}</head><body><article><h1>{TITLE}</h1>{body}</article></body></html>",
        url="https://gazette.example/city/library",
        status=200,
        captured_at=datetime(2026, 11, 22, tzinfo=UTC),
        timezone=None,
        language=None,
        rules=rules or ExtractRules(),
    )


def text_of(article: Article) -> str:
    return "\n".join([article.title or "", article.lead or "", *article.blocks])


@pytest.mark.parametrize(
    "body",
    [
        f'<p class="standfirst">MARK: what it is about.</p>{TEXT}',
        f"{TEXT}<h2>MARK</h2>{TEXT}",
        f"{TEXT}<p><strong>MARK</strong></p>{TEXT}",
        f"{TEXT}<blockquote><p>We shall keep it, MARK.</p></blockquote>{TEXT}",
        f"{TEXT}<ul><li>Item one</li><li>MARK</li></ul>{TEXT}",
        f"{TEXT}<dl><dt>A term</dt><dd>MARK is what it means</dd></dl>{TEXT}",
        f"{TEXT}<table><tr><th>Year</th><td>MARK</td></tr></table>{TEXT}",
        f'{TEXT}<p>Read next: <a href="/2">MARK about a ferry in winter</a></p>{TEXT}',
        f"<p>潮見<ruby>港<rt>こう</rt></ruby>で事故があった。MARK</p>{TEXT}",
    ],
)
def test_text(body: str) -> None:
    text = text_of(read(body))
    assert "MARK" in text
    assert "こう" not in text


@pytest.mark.parametrize(
    ("name", "body", "value"),
    [
        ("byline", f'<p class="byline">By Mark MARK</p>{TEXT}', "By Mark MARK"),
        ("authors", f"<p>By Mark MARK</p>{TEXT}", ["Mark MARK"]),
        ("byline", f"<p>By Mark MARK</p>{TEXT}", "By Mark MARK"),
        ("authors", f'<div class="x">By <a href="/m">Mark MARK</a></div>{TEXT}', ["Mark MARK"]),
        ("authors", f'<div class="x">Von <a href="/m">Mark MARK</a></div>{TEXT}', ["Mark MARK"]),
        (
            "authors",
            f"<div><span>Por Mark MARK y Ana Uno</span>{DAY}</div>{TEXT}",
            ["Mark MARK", "Ana Uno"],
        ),
        ("authors", f"{TEXT}<p>By Mark MARK</p>", ["Mark MARK"]),
        ("authors", f"{TEXT}<p><em>Von Mark MARK und Ana Uno</em></p>", ["Mark MARK", "Ana Uno"]),
        ("image", f'<figure><img src="/a.jpg"><figcaption>MARK (AP)</figcaption></figure>{TEXT}', None),
        ("images", f'{TEXT}<figure><img src="/a.jpg"><figcaption>MARK</figcaption></figure>{TEXT}', None),
        ("tags", f'{TEXT}<ul class="tags"><li>{TAG}</li><li><a>Mills</a></li></ul>', ["MARK", "Mills"]),
        ("tags", f'{TEXT}<div class="article-tags"><b>Topics</b>{TAG}</div>', ["MARK"]),
        ("tags", f'{TEXT}<p>Tags: {TAG}, <a href="/t/2">Old mills</a></p>', ["MARK", "Old mills"]),
        ("tags", f'{TEXT}<p>Schlagwörter: {TAG} <a href="/t/2">Mühlen</a></p>', ["MARK", "Mühlen"]),
        ("tags", f'{TEXT}<p>タグ：{TAG}、<a href="/t/2">図書館</a></p>', ["MARK", "図書館"]),
        ("fact_boxes", f"{TEXT}<aside><h3>The mill</h3><p>MARK: built in 1910. {OLD}</p></aside>{TEXT}", None),
        (
            "fact_boxes",
            f'{TEXT}<div class="info-box"><h3>Mill</h3><ul><li>MARK: of 1910.</li><li>{OLD}</li></ul></div>{TEXT}',
            None,
        ),
        (
            "fact_boxes",
            f'{TEXT}<section class="article-factbox"><b>Mill</b><p>MARK: built in 1910. {OLD}</p></section>{TEXT}',
            None,
        ),
        (
            "corrections",
            f"{TEXT}<aside><p>Correction: MARK stood for Mark.</p></aside>",
            ["Correction: MARK stood for Mark."],
        ),
        ("corrections", f'{TEXT}<div class="correction"><p>MARK stood here for Mark.</p></div>', None),
        ("related_links", f'{TEXT}<div class="related">{FERRY}</div>{TEXT}', None),
        ("related_links", f"{TEXT}<div><b>Read also</b><ul><li>{FERRY}</li></ul></div>{TEXT}", None),
    ],
)
def test_fields_that_are_no_text(name: str, body: str, value: object) -> None:
    article = read(body)
    assert "MARK" not in text_of(article)
    assert "MARK" in str(article.fields[name].value)
    if value is not None:
        assert article.fields[name].value == value


@pytest.mark.parametrize(
    "box",
    [
        "<nav><a href='/'>MARK</a></nav>",
        "<div class='ad'>MARK, buy this now</div>",
        "<div class='newsletter'><p>MARK each morning in your inbox</p></div>",
        "<div><p>MARK each morning in your inbox</p><form><input type='email'><button>Go</button></form></div>",
        "<div class='paywall'><p>Subscribe to continue reading MARK</p></div>",
        "<div class='share-tools'><a href='/s'>MARK</a></div>",
        "<section id='comments'><p>MARK, says a reader</p></section>",
        "<footer><p>MARK, all rights reserved</p></footer>",
    ],
)
def test_neither(box: str) -> None:
    article = read(TEXT + box)
    assert "MARK" not in text_of(article)
    assert not [name for name, field in article.fields.items() if "MARK" in str(field.value)]


def test_a_date_is_no_text() -> None:
    article = read(f"<p>3 March 2026</p>{TEXT}")
    assert article.fields["published"].value == "2026-03-03"
    assert "2026" not in text_of(article)


def test_captions_are_the_text_of_a_gallery() -> None:
    head = '<script type="application/ld+json">{"@type": "ImageGallery", "name": "The flood"}</script>'
    assert read(f'<div class="gallery">{GALLERY}</div>', head=head).blocks[2] == "MARK, picture 2 of the flood."


def test_learned_rules_take_out_what_leads_elsewhere() -> None:
    rules = ExtractRules(learned=LearnedRules(labels=["Read next:"]))
    body = f'{TEXT}<p>Read next: <a href="/2">MARK about a ferry in winter</a></p>{TEXT}'
    assert "MARK" not in text_of(read(body, rules=rules))


@pytest.mark.parametrize(
    ("name", "body"),
    [
        (
            "embeds",
            f'<blockquote class="twitter-tweet">{TWEET}</blockquote>',
        ),
        ("corrections", "<p>Correction: MARK stood for Mark.</p>"),
        ("corrections", '<p class="correction">Correction: MARK stood for Mark.</p>'),
    ],
)
def test_both(name: str, body: str) -> None:
    article = read(TEXT + body)
    assert "MARK" in text_of(article)
    assert "MARK" in str(article.fields[name].value)


def test_a_standfirst_in_the_element_of_the_body_is_the_lead() -> None:
    for name in ("standfirst", "article__lead", "intro"):
        article = read(f'<p class="{name}">MARK: what it is all about.</p>{TEXT}')
        assert article.lead == "MARK: what it is all about."
        assert article.fields["lead"].origin == "visible"
        assert len(article.blocks) == 4


@pytest.mark.parametrize(
    "line",
    [
        "By noon all was over",
        "By Tuesday the mayor had changed her mind",
        "Von hier an gilt das neue Recht",
        "Por eso no hubo acuerdo",
        "Tags: they are what the shops in the mill sell most of",
        "Topics of the evening: the mill, the roof and the bill",
    ],
)
def test_lines_of_the_text_that_begin_like_fields(line: str) -> None:
    article = read(f"{TEXT}<p>{line}</p>{TEXT}")
    assert line in article.blocks
    fields: dict[str, Any] = {name: field.value for name, field in article.fields.items()}
    assert not {"authors", "tags"} & fields.keys()
    assert line in read(f"{TEXT}<p>{line}</p>").blocks


SHARE = (
    '<a href="https://www.facebook.com/sharer/sharer.php?u=x">Facebook</a><a href="https://x.com/intent/post?url=x">X</a>'
    '<a href="whatsapp://send?text=x">WhatsApp</a>'
)


@pytest.mark.parametrize(
    "row",
    [
        f'<div class="flex"><span>Compartir</span>{SHARE}</div>',
        f"<div><p>Share this story with your friends and neighbours</p>{SHARE}</div>",
        f"<p>共有：{SHARE}</p>",
        '<ul><li>Teilen</li><li><a href="mailto:?a">Mail</a></li><li><a href="https://t.me/share/url?a">T</a></li></ul>',
    ],
)
def test_links_to_share_by_are_no_text_whatever_they_are_called(row: str) -> None:
    article = read(f"{row}{TEXT}{row}")
    assert article.blocks == read(TEXT).blocks


def test_a_head_that_holds_links_to_share_by_is_more_than_these() -> None:
    lead = "It takes the council four hours, and then one more, to save the old mill for the readers."
    assert lead in text_of(read(f"<div><p>{lead}</p><ul><li>Teilen</li><li>{SHARE}</li></ul></div>{TEXT}"))


def test_a_paragraph_with_a_link_to_share_by_is_text() -> None:
    line = "The council asks all to share its "
    text = f'<p>{line}<a href="https://www.facebook.com/sharer/sharer.php?u=x">letter</a> with their neighbours.</p>'
    assert f"{line}letter with their neighbours." in read(TEXT + text).blocks


@pytest.mark.parametrize(
    ("who", "post", "time", "rest"),
    [
        (
            "Por <a>Inés Carballo Rueda</a>",
            "Corresponsal en el puerto",
            "20 de noviembre de 2025, 08:15",
            "Actualizado: ayer a las 9",
        ),
        (
            "Autor: Agnieszka Wrzos",
            "Reporterka działu Region",
            "20 listopada 2025, 08:15",
            "Aktualizacja: 2 godziny temu",
        ),
    ],
)
def test_who_and_when_in_one_line_with_more_is_no_text(who: str, post: str, time: str, rest: str) -> None:
    line = f"<span>{who}</span> <span>{post}</span><time>{time}</time> <span>{rest}</span>"
    article = read(f'<div class="flex text-sm">{line}</div>{TEXT}')
    assert article.blocks == read(TEXT).blocks
    assert len(article.fields["authors"].value) == 1
    assert str(article.fields["published"].value).startswith("2025-11-20")


def test_a_first_sentence_with_a_time_in_it_is_text() -> None:
    first = "On <time>20 November 2025</time> the council met for the first time in the new hall by the old mill."
    assert read(f"<p>{first}</p>{TEXT}").blocks[0] == first.replace("<time>", "").replace("</time>", "")


AGES = [
    "3 hours ago",
    "Updated 3 hours ago",
    "Updated: 12 mins ago",
    "vor 3 Stunden",
    "Aktualisiert vor 5 Min.",
    "hace 3 horas",
    "Actualizado: hace 3 horas",
    "il y a 3 heures",
    "há 3 horas",
    "3 ore fa",
    "3 uur geleden",
    "för 3 timmar sedan",
    "3 godziny temu",
    "3 часа назад",
    "3 saat önce",
    "πριν 3 ώρες",
    "قبل 3 ساعات",
    "منذ ٣ ساعات",
    "آخر تحديث: قبل ساعتين",
    "לפני 3 שעות",
    "3 घंटे पहले",
    "3 ঘণ্টা আগে",
    "3時間前",
    "更新：3 小时前",
    "3시간 전",
    "3 jam yang lalu",
    "3 giờ trước",
]


@pytest.mark.parametrize("age", AGES)
@pytest.mark.parametrize("shape", ["<p>{}</p>", "<div><span>{}</span></div>"])
def test_how_long_ago_is_no_text_for_it_is_another_at_each_capture(age: str, shape: str) -> None:
    assert read(shape.format(age) + TEXT).blocks == read(TEXT).blocks
    assert read(TEXT + shape.format(age) + TEXT).blocks == read(TEXT + TEXT).blocks


@pytest.mark.parametrize("time", ["12:10", "5 minutes ago", "20 Nov 2025 12:10", "12h10", "vor 3 Minuten"])
def test_the_time_of_a_post_is_in_posts_and_no_text(time: str) -> None:
    stamp = '<time datetime="2025-11-20T12:1{0}:00Z">{1}</time>'
    post = f'<div class="live-post" id="p{{0}}">{stamp}<h3>Part {{0}}</h3><p>A bus came.</p></div>'
    article = read("".join(post.format(number, time) for number in range(5)))
    assert article.blocks[:4] == ("Part 0", "A bus came.", "Part 1", "A bus came.")
    assert article.fields["posts"].value[0]["time"] == "2025-11-20T12:10:00Z"


@pytest.mark.parametrize(
    "line",
    [
        "<h2>20 years ago</h2>",
        "<h3>3 days ago</h3>",
        "<p>The bus left 3 hours ago.</p>",
        "<p><time>1914</time></p>",
        "<p><time>3 March 1914</time></p>",
        "<p><time>3.11.1914</time></p>",
        "<p>Vor 3 Stunden ging der Bus.</p>",
    ],
)
def test_times_that_are_text(line: str) -> None:
    assert len(read(TEXT + line + TEXT).blocks) == len(read(TEXT + TEXT).blocks) + 1

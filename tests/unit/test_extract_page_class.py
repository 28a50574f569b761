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


MENU = "".join(f'<a href="/{name}">{name}</a> ' for name in ("World", "Region", "Sport", "Culture", "Weather"))
COOKIES = (
    "<p>We and our 812 partners use cookies to store and access information. You may accept or reject.</p>"
    "<button>Accept all</button>"
)


@pytest.mark.parametrize(
    "banner",
    [
        f'<div id="cmp-banner" class="cmp" hidden>{COOKIES}</div>',
        f'<div class="cmp" style="display:none">{COOKIES}</div>',
        f'<div class="gdpr">{COOKIES}</div>',
        f"<div hidden>{COOKIES * 3}</div>",
    ],
)
def test_a_banner_makes_no_consent_wall_of_a_page_without_paragraphs(banner: str) -> None:
    card = '<article class="teaser"><h2><a href="/n/{n}">A bridge in the north is closed, {n}</a></h2></article>'
    cards = "".join(card.format(n=n) for n in range(8))
    head = '<meta property="og:type" content="website">'
    assert read(f"{banner}<nav>{MENU}</nav><h1>Region</h1>{cards}", head).page_class is PageClass.LISTING
    links = f"<nav>{MENU * 3}</nav><footer>{MENU * 3}</footer>"
    assert read(f"{banner}{links}", head).page_class is PageClass.ERROR


@pytest.mark.parametrize(
    ("title", "text"),
    [
        ("500", "Internal Server Error. Please come back later."),
        ("Internal Server Error", "The server had a problem and could not answer. We are looking into it."),
        ("502 Bad Gateway", "nginx"),
        ("503 Service Temporarily Unavailable", "The server is under maintenance, please try again in a few minutes."),
        ("Error establishing a database connection", ""),
        ("Something went wrong", "Please try again later, or go back to the front page of the paper."),
        ("Error interno del servidor", "Se ha producido un error. Vuelva a intentarlo más tarde."),
        ("Interner Serverfehler", "Bitte versuchen Sie es in einigen Minuten noch einmal."),
        ("Erreur interne du serveur", "Une erreur est survenue, merci de réessayer plus tard."),
        ("Wewnętrzny błąd serwera", "Wystąpił błąd. Spróbuj ponownie później."),
        ("Внутренняя ошибка сервера", "Произошла ошибка. Попробуйте ещё раз позже."),
        ("خطأ داخلي في الخادم", "حدث خطأ. يرجى المحاولة لاحقاً."),
        ("आंतरिक सर्वर त्रुटि", "एक त्रुटि हुई है। कृपया बाद में पुनः प्रयास करें।"),
        ("サーバーエラー", "エラーが発生しました。しばらくしてからもう一度お試しください。"),
    ],
)
def test_a_failure_that_is_answered_with_200(title: str, text: str) -> None:
    page = read(f"<h1>{title}</h1><p>{text}</p>", f"<title>{title}</title>")
    assert page.page_class is PageClass.ERROR
    assert repr(title) in page.class_reason or text in page.class_reason


@pytest.mark.parametrize(
    ("title", "text"),
    [
        ("Server error stops trams for two hours", "Nobody was hurt when the trams stopped, the city said on Monday."),
        ("What went wrong", "The council looked into the fire on Monday and found that three doors had been locked."),
        ("500 march for the library", "They sang in front of the town hall until the mayor came out to speak to them."),
        ("Service unavailable in three valleys", "Snow broke the line on Friday, and 4,000 homes have no telephone."),
    ],
)
def test_a_report_of_a_failure_is_an_article(title: str, text: str) -> None:
    page = read(f"<h1>{title}</h1><p>{text}</p>", f"<title>{title} | The Gazette</title>")
    assert (page.page_class, page.blocks) == (PageClass.ARTICLE, (text,))


@pytest.mark.parametrize(
    ("title", "text"),
    [
        ("पृष्ठ नहीं मिला", "क्षमा करें, आप जो पृष्ठ खोज रहे हैं वह उपलब्ध नहीं है या हटा दिया गया है।"),
        ("पेज नहीं मिला", "यह लिंक पुराना हो सकता है। कृपया मुखपृष्ठ पर जाएँ और वहाँ से ख़बर खोजें।"),
        ("পৃষ্ঠাটি পাওয়া যায়নি", "আপনি যে পৃষ্ঠাটি খুঁজছেন তা সরানো হয়েছে অথবা আর নেই।"),
        ("صفحه مورد نظر یافت نشد", "ممکن است این صفحه پاک شده باشد یا نشانی آن تغییر کرده باشد."),
        ("صفحہ نہیں ملا", "معذرت، آپ جو صفحہ تلاش کر رہے ہیں وہ ہٹا دیا گیا ہے یا موجود نہیں ہے۔"),
        ("הדף לא נמצא", "ייתכן שהדף שחיפשתם הוסר או שהכתובת שלו שונתה. אפשר לחזור לדף הבית."),
        ("Η σελίδα δεν βρέθηκε", "Η σελίδα που ζητήσατε ίσως έχει μεταφερθεί ή διαγραφεί από την εφημερίδα."),
        ("Pagina nu a fost găsită", "Ne pare rău, pagina pe care o căutați a fost mutată sau ștearsă între timp."),
        ("Az oldal nem található", "A keresett oldalt időközben eltávolították, vagy megváltozott a címe."),
        ("Stránka nebyla nalezena", "Omlouváme se, hledaná stránka byla odstraněna nebo má jinou adresu."),
        ("Halaman tidak ditemukan", "Maaf, halaman yang Anda cari sudah dipindahkan atau tidak tersedia lagi."),
        ("Không tìm thấy trang", "Trang bạn tìm có thể đã bị xóa hoặc đã được chuyển sang địa chỉ khác."),
        ("ไม่พบหน้าที่คุณต้องการ", "หน้านี้อาจถูกลบหรือย้ายไปแล้ว กรุณากลับไปที่หน้าแรก"),
        ("找不到頁面", "您要找的頁面可能已被移除或更改網址,請返回首頁,或使用搜尋功能。"),
        ("페이지를 찾을 수 없습니다", "요청하신 페이지가 삭제되었거나 주소가 변경되었을 수 있습니다."),
    ],
)
def test_a_page_that_says_that_nothing_is_here_in_other_languages(title: str, text: str) -> None:
    page = read(f"<h1>{title}</h1><p>{text}</p>", f"<title>{title} | ABC</title>")
    assert page.page_class is PageClass.SOFT_404


def test_a_page_that_its_own_machine_calls_missing_needs_no_words() -> None:
    html = '<html><head><meta property="og:type" content="website"><title>Ħasra | Gazzetta</title></head>'
    html += '<body class="error404 no-sidebar"><h1>Ħasra!</h1><p>Din il-paġna ma nstabitx, jekk jogħġbok mur lura '
    html += "fil-paġna ewlenija u fittex mill-ġdid.</p></body></html>"
    page = extract_article(
        html,
        url="https://gazette.example/x",
        status=200,
        captured_at=datetime(2026, 11, 22, tzinfo=UTC),
        timezone=None,
        language=None,
        rules=ExtractRules(),
    )
    assert (page.page_class, page.class_reason.count("error404")) == (PageClass.SOFT_404, 1)


@pytest.mark.parametrize(
    ("title", "text", "accept"),
    [
        ("आपकी गोपनीयता", "हम और हमारे 640 साझेदार विज्ञापन के लिए कुकीज़ का उपयोग करते हैं। आपकी सहमति आवश्यक है।", "स्वीकार करें"),
        ("خصوصيتك تهمنا", "نستخدم نحن وشركاؤنا ملفات تعريف الارتباط، ونحتاج إلى موافقتك على ذلك.", "قبول الكل"),
        (
            "Szanujemy Twoją prywatność",
            "My i nasi partnerzy używamy plików cookie. Możesz wyrazić zgodę lub odmówić.",
            "Akceptuję",
        ),
        ("プライバシーを尊重します", "当社とパートナーは、お使いの端末にクッキーを保存します。", "すべて同意する"),
        ("Gizliliğinize önem veriyoruz", "Biz ve ortaklarımız çerezler kullanıyoruz; onayınız gerekir.", "Kabul et"),
        ("Мы ценим вашу приватность", "Мы и наши партнёры используем файлы cookie с вашего согласия.", "Принять все"),
        ("Votre vie privée", "Nous et nos partenaires utilisons des cookies avec votre consentement.", "J’accepte"),
        ("A sua privacidade", "Nós e os nossos parceiros usamos cookies com o seu consentimento.", "Aceitar tudo"),
    ],
)
@pytest.mark.parametrize("name", ["consent-page", "page"])
def test_a_consent_wall_in_other_languages(title: str, text: str, accept: str, name: str) -> None:
    page = read(f'<div class="{name}"><h1>{title}</h1><p>{text}</p><form><button>{accept}</button></form></div>')
    assert page.page_class is PageClass.CONSENT


@pytest.mark.parametrize(
    "wall",
    [
        "यह लेख केवल सदस्यों के लिए है। आगे पढ़ने के लिए सदस्यता लें।",
        "هذا المحتوى للمشتركين فقط. اشترك لمتابعة القراءة.",
        "この記事は有料会員限定です。続きを読むには購読が必要です。",
        "Artykuł dostępny tylko dla prenumeratorów. Wykup dostęp, aby czytać dalej.",
        "Статья доступна только по подписке. Оформите подписку, чтобы читать дальше.",
        "Yazının devamı aboneler için. Okumaya devam etmek için abone olun.",
    ],
)
def test_a_wall_is_read_in_other_languages(wall: str) -> None:
    page = read(
        f"<article><h1>{TITLE}</h1><p>{PROSE}</p><p>Then the mayor…</p><div class='paywall'>{wall}</div></article>"
    )
    assert page.page_class is PageClass.TRUNCATED


def test_words_are_counted_where_no_spaces_part_them() -> None:
    text = "潮見市港湾局は二十日、南岸壁を支える柱に亀裂が見つかったとして、岸壁への立ち入りを禁止した。" * 8
    data = {"@type": "NewsArticle", "headline": "南岸壁を閉鎖", "isAccessibleForFree": False, "wordCount": 400}
    page = read(f"<article><h1>南岸壁を閉鎖</h1><p>{text}</p></article>", data=data)
    assert page.page_class is PageClass.ARTICLE
    assert (
        read(f"<article><h1>南岸壁を閉鎖</h1><p>{text[:47]}</p></article>", data=data).page_class is PageClass.TRUNCATED
    )


PICTURES = "".join(
    f'<li><figure><img src="/{n}.jpg" alt=""><figcaption>The flood from the north bridge, picture {n}.</figcaption>'
    "</figure></li>"
    for n in range(5)
)


@pytest.mark.parametrize(
    "body",
    [
        "<article><header><h1>{}</h1><p>{}</p></header><ul class='gallery'>{}</ul></article>",
        "<main><header><h1>{}</h1><p>{}</p></header><ul class='gallery'>{}</ul></main>",
        "<article><div><div><h1>{}</h1></div><p>{}</p></div><section><ul class='gallery'>{}</ul></section></article>",
    ],
)
def test_pictures_beside_the_head_of_an_article_are_its_gallery(body: str) -> None:
    lead = "The river rose by four metres overnight, and the old town stands in water."
    page = read(body.format(TITLE, lead, PICTURES), data={"@type": "ImageGallery", "name": TITLE})
    assert page.page_class is PageClass.GALLERY
    assert page.blocks[-1] == "The flood from the north bridge, picture 4."


@pytest.mark.parametrize("name", ["infographic", "infografia", "infographie", "infografika"])
def test_a_picture_beside_the_head_of_an_article_may_be_all_of_it(name: str) -> None:
    body = f"<article><header><h1>{TITLE}</h1><div class='meta'>By Ann Lee</div></header>"
    body += f"<figure class='{name}'><img src='/info.png' alt=''><figcaption>Graphic: Ann Lee</figcaption></figure>"
    body += "</article>"
    page = read(body, data={"@type": "NewsArticle", "headline": TITLE})
    assert page.page_class is PageClass.INFOGRAPH


def test_a_post_is_its_text_without_the_buttons_on_it() -> None:
    post = (
        '<article class="live-post" id="p{0}"><header><time datetime="2026-11-20T1{0}:00Z">1{0}:00</time>'
        "<h2>Part {0}</h2></header><p>The debate goes on.</p><p>Nobody leaves.</p>"
        '<div class="share-tools"><a href="#">X</a><a href="#">Mail</a></div></article>'
    )
    page = read(f"<main><h1>{TITLE}</h1>{''.join(map(post.format, range(5)))}</main>")
    assert page.fields["posts"].value[1] == {
        "id": "p1",
        "time": "2026-11-20T11:00Z",
        "text": "Part 1 The debate goes on. Nobody leaves.",
    }

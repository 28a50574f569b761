"""The language that a page declares, and the one that its words are in."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from config.rules import ExtractRules
from crawler.extract import extract_article
from crawler.extract.fields.language import detect_language
from crawler.languages import is_alike
from crawler.model import FieldValue

SENTENCES = {
    "en": "The council voted on Tuesday to keep the old library open, and it will be repaired in the spring.",
    "de": (
        "Der Rat hat am Dienstag beschlossen, dass die alte Bibliothek"
        " nicht geschlossen wird, sondern bis zum Frühjahr."
    ),
    "fr": (
        "Le conseil a décidé mardi que la vieille bibliothèque ne sera pas"
        " fermée et qu'elle est ouverte pour les enfants."
    ),
    "es": (
        "El consejo decidió el martes que la vieja biblioteca no se cierra y que los niños pueden entrar por la puerta."
    ),
    "pt": (
        "O conselho decidiu na terça-feira que a velha biblioteca não fecha"
        " e que as crianças também podem entrar pela porta."
    ),
    "it": (
        "Il consiglio ha deciso martedì che la vecchia biblioteca non chiude"
        " e che i bambini possono entrare anche dalla porta."
    ),
    "nl": "De raad heeft dinsdag besloten dat de oude bibliotheek niet dicht gaat en dat het gebouw wordt hersteld.",
    "sv": (
        "Rådet beslutade på tisdagen att det gamla biblioteket inte ska"
        " stängas och att det är öppet för barn från och med nu."
    ),
    "da": (
        "Rådet besluttede tirsdag, at det gamle bibliotek ikke bliver lukket, og at børn også kan komme efter skole."
    ),
    "fi": (
        "Neuvosto päätti tiistaina, että vanha kirjasto ei ole suljettu, mutta se on auki myös lapsille kuin ennen."
    ),
    "pl": (
        "Rada zdecydowała we wtorek, że stara biblioteka nie będzie"
        " zamknięta i że dzieci są tam mile widziane przez cały rok."
    ),
    "cs": (
        "Rada v úterý rozhodla, že stará knihovna se nezavře a že bude otevřena pro děti, které jsou po škole také tam."
    ),
    "hu": "A tanács kedden úgy döntött, hogy a régi könyvtár nem zár be, és az épület már tavasszal is nyitva lesz.",
    "ro": (
        "Consiliul a decis marți că vechea bibliotecă nu se închide și că"
        " este deschisă pentru copii după ore, în fiecare zi."
    ),
    "tr": (
        "Meclis salı günü eski kütüphanenin kapanmayacağını ve çocuklar için"
        " de açık olacağını, bu yıl da bir okul ile duyurdu."
    ),
    "id": (
        "Dewan pada hari Selasa memutuskan bahwa perpustakaan tua itu tidak akan ditutup dan juga bisa untuk anak-anak."
    ),
    "vi": "Hội đồng đã quyết định vào thứ Ba rằng thư viện cũ không đóng cửa và những trẻ em được vào đọc trong năm.",
    "sq": (
        "Këshilli vendosi të martën që biblioteka e vjetër nuk do të"
        " mbyllet dhe se fëmijët mund të hyjnë në të për një vit."
    ),
    "zu": (
        "Umkhandlu uthe umtapo wezincwadi omdala ngeke uvalwe futhi kusho"
        " ukuthi abantu bazokwazi ukungena kanye nezingane."
    ),
    "ru": "Совет решил во вторник, что старая библиотека не закроется и что она будет открыта для детей после школы.",
    "uk": (
        "Рада вирішила у вівторок, що стара бібліотека не зачиниться і що"
        " вона також буде відкрита для дітей після школи."
    ),
    "bg": (
        "Съветът реши във вторник, че старата библиотека няма да се"
        " затвори и че ще бъде отворена за децата след училище."
    ),
    "ar": "قرر المجلس يوم الثلاثاء أن تبقى المكتبة القديمة مفتوحة وأن يجري ترميمها في الربيع المقبل بعد نقاش طويل",
    "fa": "شورا روز سه‌شنبه تصمیم گرفت که کتابخانه قدیمی باز بماند و در بهار آینده پس از گفت‌وگوی طولانی تعمیر شود",
    "ur": "کونسل نے منگل کو فیصلہ کیا کہ پرانی لائبریری کھلی رہے گی اور اگلے موسم بہار میں اس کی مرمت کی جائے گی",
    "he": "המועצה החליטה ביום שלישי שהספרייה הישנה תישאר פתוחה ושהיא תשופץ באביב לאחר דיון ארוך של ארבע שעות",
    "el": "Το συμβούλιο αποφάσισε την Τρίτη ότι η παλιά βιβλιοθήκη θα μείνει ανοιχτή και θα επισκευαστεί την άνοιξη",
    "hi": "परिषद ने मंगलवार को तय किया कि पुराना पुस्तकालय खुला रहेगा और वसंत में उसकी मरम्मत की जाएगी यह कहा गया है",
    "ja": (
        "市議会は火曜日、古い図書館を開いたままにし、春に修理することを四"
        "時間を超える議論の末に決めたと発表した。来年度の予算に盛り込む。"
    ),
    "zh": (
        "市议会周二决定，旧图书馆将继续开放，并在明年春天进行维修，这一"
        "决定是在四个多小时的辩论之后作出的，市民表示欢迎和支持这个决定。"
    ),
    "ko": (
        "시의회는 화요일 오래된 도서관을 계속 열고 봄에 수리하기로 네 시간이 넘는"
        " 토론 끝에 결정했다고 밝혔다 시민들은 환영했다"
    ),
    "th": ("สภาเมืองมีมติเมื่อวันอังคารให้ห้องสมุดเก่าเปิดต่อไปและจะซ่อมแซมในฤดูใบไม้ผลิหลังจากอภิปรายนานกว่าสี่ชั่วโมง"),
}


@pytest.mark.parametrize("code", SENTENCES)
def test_a_few_sentences_tell_the_language(code: str) -> None:
    found, confidence = detect_language(SENTENCES[code] + " " + SENTENCES[code])
    assert found is not None
    assert is_alike(found, code)
    assert confidence > 0.4


@pytest.mark.parametrize("text", ["", "Ok.", "12345 67890 " * 50, "Xyzzy plugh frotz gnusto rezrov " * 10])
def test_what_says_too_little_is_of_no_language(text: str) -> None:
    assert detect_language(text) == (None, 0.0)


def fields_of(body: str, *, head: str = "", attributes: str = "", language: str | None = None) -> dict[str, FieldValue]:
    return extract_article(
        f"<html {attributes}><head>{head}</head><body><article><h1>{body[:40]}</h1><p>{body * 3}</p></article></body>",
        url="https://gazette.example/a/b",
        status=200,
        captured_at=datetime(2026, 11, 22, tzinfo=UTC),
        timezone=None,
        language=language,
        rules=ExtractRules(),
    ).fields


def test_declared_and_detected_stand_apart() -> None:
    fields = fields_of(SENTENCES["de"], attributes='lang="de-AT"')
    assert fields["language"] == fields["language_declared"] == FieldValue("de-at", "meta")
    assert fields["language_detected"] == FieldValue("de", "guess")


def test_a_declaration_that_the_text_plainly_contradicts_is_kept_and_not_believed() -> None:
    fields = fields_of(SENTENCES["zu"], attributes='lang="en"')
    assert fields["language"] == FieldValue("zu", "guess")
    assert fields["language_declared"] == FieldValue("en", "meta")


def test_languages_too_near_to_tell_contradict_nothing() -> None:
    assert fields_of(SENTENCES["da"], attributes='lang="nb"')["language"].value == "nb"


def test_what_stands_nearest_to_the_text_declares_first() -> None:
    page = fields_of(SENTENCES["fr"], attributes='lang="en"', head='<meta property="og:locale" content="fr_CA">')
    assert page["language_declared"].value == "en"
    html = (
        f'<html lang="en"><body><article lang="fr"><h1>Bonjour à tous</h1><p>{SENTENCES["fr"] * 3}</p></article></body>'
    )
    fields = extract_article(
        html,
        url="https://gazette.example/a/b",
        status=200,
        captured_at=datetime(2026, 11, 22, tzinfo=UTC),
        timezone=None,
        language=None,
        rules=ExtractRules(),
    ).fields
    assert fields["language_declared"].value == fields["language"].value == "fr"


def test_no_declaration_leaves_the_text_and_after_it_the_source() -> None:
    assert fields_of(SENTENCES["pl"], language="en")["language"] == FieldValue("pl", "guess")
    assert fields_of("Xyzzy plugh frotz gnusto rezrov. ", language="fr")["language"] == FieldValue("fr", "guess")

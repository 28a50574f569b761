"""Which encoding a page is in, by the tables and the order of the standards, and what its bytes say in it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from config.rules import ExtractRules
from crawler.charset import GUESSED_CODECS, LEGACY_CODECS, decode, find_encoding, read_declaration, read_header
from crawler.encoding import decode_html, find_html_encoding
from crawler.model import Exchange, Purpose
from crawler.outcome import PageContext
from crawler.workers.task import process_page

RUSSIAN = "Сообщается, что новая библиотека открыта для всех жителей города каждый день."
JAPANESE = "新しい図書館が月曜日に開館し、市長が最初のページを読み上げた。"


@pytest.mark.parametrize(
    ("label", "encoding"),
    [
        ("UTF8", "utf-8"),
        (" utf-8\n", "utf-8"),
        ("iso-8859-1", "cp1252"),
        ("us-ascii", "cp1252"),
        ("ISO-8859-9", "cp1254"),
        ("iso-8859-11", "cp874"),
        ("gb2312", "gb18030"),
        ("gbk", "gb18030"),
        ("big5-hkscs", "big5hkscs"),
        ("x-sjis", "cp932"),
        ("Shift_JIS", "cp932"),
        ("euc-kr", "cp949"),
        ("ks_c_5601-1987", "cp949"),
        ("iso_8859-1:1987", "cp1252"),
        ("iso-8859-8-i", "iso8859-8"),
        ("utf-16", "utf-16-le"),
        ("hz-gb-2312", "replacement"),
        ("iso-2022-kr", "replacement"),
        ("x-user-defined", "x-user-defined"),
        ("utf-7", None),
        ("utf-32", None),
        ("hex", None),
        ("cp037", None),
        ("'utf-8'", None),
        ("\u212aoi8-r", None),  # the sign of kelvin, a k only to those who fold too much
        ("", None),
        (None, None),
    ],
)
def test_labels_mean_what_the_standard_says(label: str | None, encoding: str | None) -> None:
    assert find_encoding(label) == encoding


@pytest.mark.parametrize("codec", LEGACY_CODECS)
def test_every_legacy_codec_reads_any_byte(codec: str) -> None:
    assert decode(bytes(range(128)), codec) == bytes(range(128)).decode("ascii")
    assert isinstance(decode(bytes(range(256)) * 3, codec), str)


@pytest.mark.parametrize(
    ("content_type", "encoding"),
    [
        ("text/html;charset=windows-1251", "cp1251"),
        ('text/html; Charset = "koi8-r"', "koi8-r"),
        ("text/html; boundary=x; charset=gbk; charset=utf-8", "gb18030"),
        ('text/html; x="; charset=gbk"; charset=utf-8', "utf-8"),
        ("text/html; charset=utf-8, text/html", "utf-8"),
        ("text/html; charset=iso_8859-1:1987", "cp1252"),
        ("text/html; xcharset=utf-8", None),
        ("text/html; charset=klingon", None),
        ("text/html; charset=", None),
        (";;;charset==;", None),
        (None, None),
    ],
)
def test_the_header_states_an_encoding(content_type: str | None, encoding: str | None) -> None:
    assert read_header(content_type) == encoding


LONG_HEAD = b"<!doctype html><head><script>" + b"x = '<'; " * 400 + b"</script><title>A</title>"


@pytest.mark.parametrize(
    ("page", "encoding"),
    [
        (b'<meta charset="koi8-r">', "koi8-r"),
        (b"<META/CHARSET=koi8-r/>", None),  # the label is `koi8-r/`
        (b"<meta charset = 'koi8-r' >", "koi8-r"),
        (b"<meta charset=klingon><meta charset=koi8-r>", "koi8-r"),
        (b'<meta http-equiv=Content-Type content="text/html; charset=gb2312">', "gb18030"),
        (b'<meta content="text/html; charset = \'gb2312\'" http-equiv="content-type">', "gb18030"),
        (b'<meta content="text/html; charset=gb2312">', None),
        (b'<meta name="charset" content="gb2312">', None),
        (b'<meta data-x="a > b" charset="gb2312">', "gb18030"),
        (b"<metacharset=koi8-r>", None),
        (b"<!-- <meta charset=koi8-r> --><meta charset=big5>", "big5hkscs"),
        (b"<!--><meta charset=big5><!-- -->", "big5hkscs"),
        (b"<p title='<meta charset=koi8-r>'>", None),
        (b"<script>'<meta charset=koi8-r>'</script><meta charset=big5>", "big5hkscs"),
        (b"<meta charset=utf-16le>", "utf-8"),
        (b"<meta charset=x-user-defined>", "cp1252"),
        (b"<meta charset=hz-gb-2312>", "replacement"),
        (b'<?xml version="1.0" encoding="windows-1251"?><html>', "cp1251"),
        (b'<?xml version="1.0" encoding="windows-1251"?><html><meta charset=utf-8>', "utf-8"),
        (b"<body><meta charset=koi8-r>", "koi8-r"),
        (LONG_HEAD + b"<meta charset=koi8-r>", "koi8-r"),
        (LONG_HEAD + b"</head><body><meta charset=koi8-r>", None),
        (b"<body>" + LONG_HEAD + b"<meta charset=koi8-r>", None),
        ('<?xml version="1.0"?>'.encode("utf-16-le"), "utf-16-le"),
        ('<?xml version="1.0"?>'.encode("utf-16-be"), "utf-16-be"),
        (b"", None),
    ],
)
def test_the_page_declares_an_encoding(page: bytes, encoding: str | None) -> None:
    assert read_declaration(page) == encoding


@pytest.mark.parametrize(
    ("data", "label", "text"),
    [
        (b"\x93it\x92s\x94 \x80 \x81", "iso-8859-1", "“it’s” € \x81"),
        (b"\xca\xd9", "windows-1255", "\u05ba\ufffd"),
        (b"\x80 \xd6\xd0\x81<b>", "gb2312", "€ 中\ufffd<b>"),
        ("① ㈱ 〜 − 髙".encode("cp932"), "shift_jis", "① ㈱ 〜 − 髙".replace("〜", "～").replace("−", "－")),
        (b"\xad\xa1 \xad\xea \xa1\xc1 \xa1\xdd \xb0\xec\xb0", "euc-jp", "① ㈱ ～ － 一\ufffd"),
        ("똠방각하".encode("cp949"), "euc-kr", "똠방각하"),
        ("碁銹".encode("big5hkscs"), "big5", "碁銹"),
        (b"a\xff", "x-user-defined", "a\uf7ff"),
        (b"whatever", "hz-gb-2312", "\ufffd"),
        (b"", "hz-gb-2312", ""),
        (b"a\0b\0c", "utf-16", "ab\ufffd"),
        (b"\xed\xa0\x80", "utf-8", "\ufffd\ufffd\ufffd"),
    ],
)  # fmt: skip
def test_bytes_are_read_as_browsers_read_them(data: bytes, label: str, text: str) -> None:
    encoding = find_encoding(label)
    assert encoding is not None
    assert decode(data, encoding) == text.replace("〜", "～").replace("−", "－")


@pytest.mark.parametrize(
    ("body", "content_type", "encoding"),
    [
        (b"\xef\xbb\xbf<meta charset=koi8-r>", "text/html; charset=gbk", "utf-8"),
        (b"<meta charset=koi8-r>\xc1", "text/html; charset=gbk", "gb18030"),
        (b"<meta charset=koi8-r>\xc1", "text/html; charset=klingon", "koi8-r"),
        (b"<meta charset=koi8-r>\xc1", None, "koi8-r"),
        (b"<meta charset=koi8-r>\xd0\xb0", None, "utf-8"),
        (b"<meta charset=koi8-r>\xd0\xb0", "text/html; charset=koi8-r", "koi8-r"),
        (b"<p>\xd0\xb0", None, "utf-8"),
        (b"<p>plain", None, "utf-8"),
        (JAPANESE.encode("iso2022_jp"), None, "iso2022_jp"),
        (JAPANESE.encode("iso2022_jp"), "text/html; charset=utf-8", "utf-8"),
    ],
)
def test_mark_before_header_before_declaration_before_the_bytes(
    body: bytes, content_type: str | None, encoding: str
) -> None:
    assert find_html_encoding(body, content_type)[0] == encoding


@pytest.mark.parametrize("codec", ["cp1251", "koi8-r"])
def test_markup_and_scripts_say_nothing_of_an_undeclared_encoding(codec: str) -> None:
    page = LONG_HEAD * 12 + b"<p>" + (RUSSIAN * 8).encode(codec) + b"</p>"
    assert RUSSIAN in decode_html(page, None)


def test_a_guess_is_an_encoding_of_the_web() -> None:
    for seed in range(0, 256, 5):
        guessed, _ = find_html_encoding(bytes((seed + number * 37) % 256 for number in range(300)) + b"\xff", None)
        assert guessed in GUESSED_CODECS


@pytest.mark.parametrize("content_type", ["text/html; charset=utf-16", "text/html; charset=utf-16be"])
def test_utf_16_without_a_mark_is_read_where_the_header_says_so(content_type: str) -> None:
    page = f"<html><body><article><h1>図書館</h1><p>{JAPANESE * 4}</p></article></body></html>"
    exchange = Exchange(
        url="https://gazette.example/2026/library",
        purpose=Purpose.ARTICLE,
        started_at=datetime(2026, 11, 22, tzinfo=UTC),
        seconds=0.1,
        request_head=b"",
        status=200,
        response_head=f"HTTP/1.1 200 OK\r\nContent-Type: {content_type}\r\n\r\n".encode(),
        body=page.encode("utf-16-be" if content_type.endswith("be") else "utf-16-le"),
    )
    outcome = process_page(exchange, PageContext(ExtractRules(), timezone=None, language=None, derivation="sha256:0"))
    assert outcome.snapshot is not None
    assert outcome.snapshot.text == f"図書館\n{JAPANESE * 4}"


@pytest.mark.parametrize(
    ("language", "codec", "text"),
    [
        ("tr", "cp1254", "Çınarlı'da kütüphane pazartesi günü açıldı."),
        ("fr", "cp1252", "La bibliothèque rouvre lundi, a annoncé la maire, Solène Quérard."),
        ("pl", "cp1250", "Biblioteka została otwarta w poniedziałek, książki są bezpłatne."),
        ("lt", "cp1257", "Biblioteka atidaryta pirmadienį, knygų skaičius išaugo."),
    ],
)
def test_a_few_accents_are_read_as_the_stated_language_writes_them(language: str, codec: str, text: str) -> None:
    page = f'<!doctype html><html lang="{language}-XX"><p>{text}</p>'.encode(codec)
    assert find_html_encoding(page, None) == (codec, 0)


def test_signs_alone_are_those_of_windows() -> None:
    assert decode_html(b"<html><p>\x93It\x92s the season\x94 \x96 so she said \x85", None).endswith(
        "“It’s the season” – so she said …"
    )


def test_a_stated_language_does_not_speak_against_the_bytes() -> None:
    page = b'<html lang="en"><p>' + (RUSSIAN * 3).encode("cp1251")
    assert RUSSIAN in decode_html(page, None)

"""Five hundred broken pages, each made by seeded code: what servers, editors, proxies and bad luck do to honest pages.

Twenty of each kind. `HOSTILE` is what is made to stop a crawler; these are merely broken, in every way at once.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from tests.hostile.case import MB, STORY, Hostile, page

if TYPE_CHECKING:
    from collections.abc import Callable

EACH = 20
_HTML = "text/html"
_WORDS = (
    "The council opened the new library on Monday",
    "Größe, naïveté, “quotes” – and a dash…",
    "Сообщается, что библиотека открыта для всех",
    "新しい図書館が月曜日に開館した。",
    "افتُتحت المكتبة العامة يوم الاثنين",
    "404 not found, cookies, access denied",
)
_TAGS = (
    *("p", "div", "span", "b", "i", "a", "table", "tr", "td", "ul", "li", "h1", "h2", "article", "section", "form"),
    *("svg", "math", "template", "select", "option", "button", "iframe", "script", "style", "title", "textarea"),
    *(
        "noscript",
        "figure",
        "blockquote",
        "nav",
        "aside",
        "ruby",
        "rt",
        "body",
        "html",
        "head",
        "frameset",
        "plaintext",
    ),
)
_ENCODINGS = (
    *("utf-8", "windows-1251", "shift_jis", "gbk", "euc-kr", "big5", "iso-8859-1", "koi8-r", "windows-1256", "utf-16"),
    *("utf-7", "iso-2022-jp", "hz-gb-2312", "x-user-defined", "klingon", "utf-32", "", "'utf-8'"),
)
_CODECS = (
    "utf-8",
    "cp1251",
    "cp932",
    "gb18030",
    "cp949",
    "big5hkscs",
    "cp1252",
    "koi8-r",
    "cp1256",
    "utf-16",
    "utf-32",
)


def _text(rng: random.Random, sentences: int = 3) -> str:
    return " ".join(rng.choice(_WORDS) for _ in range(sentences))


def _honest(rng: random.Random) -> bytes:
    paragraphs = "".join(f"<p>{_text(rng)}</p>" for _ in range(rng.randint(1, 12)))
    boxes = (
        f'<div class="related"><ul><li><a href="/a">{_text(rng, 1)}</a></ul></div><table><tr><td>{_text(rng)}</table>'
    )
    data = '<script type="application/ld+json">{"@type": "NewsArticle", "headline": "Library opens"}</script>'
    return page(paragraphs + boxes, head=data)


def _cut(rng: random.Random) -> bytes:
    whole = _honest(rng)
    return whole[: rng.randrange(1, len(whole))]


def _flipped(rng: random.Random) -> bytes:
    whole = bytearray(_honest(rng))
    for _ in range(rng.randint(1, 400)):
        whole[rng.randrange(len(whole))] = rng.randrange(256)
    return bytes(whole)


def _holes(rng: random.Random) -> bytes:
    whole = _honest(rng)
    for _ in range(rng.randint(1, 20)):
        at = rng.randrange(len(whole))
        whole = whole[:at] + whole[at + rng.randint(1, 300) :]
    return whole


def _shuffled(rng: random.Random) -> bytes:
    pieces = _honest(rng).split(b"<")
    rng.shuffle(pieces)
    return b"<".join(pieces)


def _binary(rng: random.Random) -> bytes:
    magic = rng.choice(
        [b"\x89PNG\r\n\x1a\n", b"%PDF-1.7\n", b"PK\x03\x04", b"\xff\xd8\xff\xe0", b"<html>", b"\x1f\x8b", b""]
    )
    return magic + rng.randbytes(rng.randint(10, 60_000))


def _binary_without_nul(rng: random.Random) -> bytes:
    return b"<html><body><p>" + rng.randbytes(rng.randint(10, 60_000)).replace(b"\0", b"<")


def _huge(rng: random.Random) -> bytes:
    filler = rng.choice(
        [b"<p>" + _text(rng).encode(), b"x", b"<", b"\xc3", b"<!--", b"&amp", b"<p a=b>", "長".encode()]
    )
    size = rng.choice([5, 9, 20]) * MB
    return page("") + filler * (size // len(filler))


def _deep(rng: random.Random) -> bytes:
    tags = [rng.choice(_TAGS) for _ in range(rng.randint(50, 20_000))]
    return page("".join(f"<{tag}>" for tag in tags) + _text(rng))


def _wrong_charset(rng: random.Random) -> bytes:
    declared = f'<meta charset="{rng.choice(_ENCODINGS)}">'
    whole = page(f"<p>{_text(rng, 30)}</p>", head=declared).decode()
    return whole.encode(rng.choice(_CODECS), "replace")


def _mixed_charsets(rng: random.Random) -> bytes:
    parts = [f"<p>{_text(rng)}</p>".encode(rng.choice(_CODECS), "replace") for _ in range(rng.randint(2, 30))]
    return b"<html><body>" + STORY.encode() + b"".join(parts)


def _interleaved(rng: random.Random) -> bytes:
    pieces = []
    for _ in range(rng.randint(20, 1_500)):
        tag = rng.choice(_TAGS)
        pieces.append(rng.choice([f"<{tag}>", f"</{tag}>", _text(rng, 1)]))
    return page("".join(pieces))


def _nuls(rng: random.Random) -> bytes:
    whole = bytearray(_honest(rng))
    for _ in range(rng.randint(1, 200)):
        whole.insert(rng.randrange(len(whole)), 0)
    return bytes(whole)


def _surrogates(rng: random.Random) -> bytes:
    numbers = [rng.choice([0xD800, 0xDFFF, 0x110000, 0xFFFE, 0, 128, 159, 0x80000000, rng.randrange(0x120000)])
               for _ in range(rng.randint(1, 2_000))]  # fmt: skip
    forms = ["&#{};", "&#{}", "&#x{:x};", "&#X{:X}", "&#00{};"]
    return page("<h2>" + _text(rng, 1) + "</h2><p>" + "".join(rng.choice(forms).format(number) for number in numbers))


def _unclosed(rng: random.Random) -> bytes:
    opened = rng.choice(
        ["<table><tr><td>", "<a href=/x>", "<template>", "<b>", "<select><option>", "<ul><li>", "<font>", "<p><table>"]
    )
    return page((opened + _text(rng)) * rng.randint(1, 600))


def _attributes(rng: random.Random) -> bytes:
    number = rng.randint(200, 30_000)
    marks = rng.choice(["a{0}={0} ", "a{0} ", "class=c{0} ", "a{0}='{0}", 'data-{0}="&quot;{0}" '])
    return page("<div " + "".join(marks.format(n) for n in range(number)) + f">{_text(rng)}</div>")


def _islands(rng: random.Random) -> bytes:
    pieces = []
    for _ in range(rng.randint(1, 200)):
        island = rng.choice(["svg", "math"])
        inner = rng.choice(
            [
                "<title>t</title>",
                "<foreignObject><p>x",
                "<mi>x",
                "<![CDATA[ <p> ]]>",
                "<desc><div>",
                "<p>",
                "<style><a>",
            ]
        )
        pieces.append(f"<{island}>{inner}{_text(rng, 1)}" + (f"</{island}>" if rng.random() < 0.6 else ""))
    return page("".join(pieces))


def _bodies(rng: random.Random) -> bytes:
    again = [
        f"<body class=b{n} onload=x><html lang=l{n}><head><title>{_text(rng, 1)}</title>"
        for n in range(rng.randint(1, 300))
    ]
    return page("".join(again) + f"<p>{_text(rng)}")


def _glued(rng: random.Random) -> bytes:
    return b"".join(_honest(rng) for _ in range(rng.randint(2, 12)))


def _escaped_twice(rng: random.Random) -> bytes:
    whole = _honest(rng).decode()
    for _ in range(rng.randint(1, 3)):
        whole = whole.replace("&", "&amp;").replace("<", "&lt;")
    return b"<html><body><article><h1>Library opens</h1>" + whole.encode() + b"</article>"


def _quotes(rng: random.Random) -> bytes:
    whole = _honest(rng).decode()
    at = sorted(rng.randrange(len(whole)) for _ in range(rng.randint(1, 60)))
    for place in reversed(at):
        whole = (
            whole[:place]
            + rng.choice(["'", '"', "<", ">", "=", "<!--", "-->", "]]>", "<!", "</", "<?", "&"])
            + whole[place:]
        )
    return whole.encode()


def _data(rng: random.Random) -> bytes:
    scripts = [
        '{"@type": ["NewsArticle"',
        '{"@graph": [{"@type": "NewsArticle", "articleBody": 3, "author": [[]]}]}',
        '{"@type": "NewsArticle", "headline": "\\ud800", "datePublished": "2026-13-45"}',
        *("[[[[", "\0", "{}" * 50),
    ]
    data = f'<script type="application/ld+json">{rng.choice(scripts)}</script>'
    return page(f"<p>{_text(rng)}", head=data * rng.randint(1, 60))


def _templates_unfilled(rng: random.Random) -> bytes:
    marks = [
        "{{ article.title }}",
        "<%= body %>",
        "${lead}",
        "[object Object]",
        "undefined",
        "null",
        "NaN",
        "<?php echo $x ?>",
    ]
    return page(
        "".join(f"<p>{rng.choice(marks)} {_text(rng, 1)}</p>" for _ in range(rng.randint(1, 200))),
        story=rng.random() < 0.5,
    )


def _repeated(rng: random.Random) -> bytes:
    return page(f"<article><h1>Library opens</h1><p>{_text(rng)}</p></article>" * rng.randint(2, 1_500))


def _lines(rng: random.Random) -> bytes:
    return page(
        rng.choice(["<br>", "<hr>", "<wbr>", "\u2028", "\r", "&nbsp;", "\u200f", "\u200d"]) * rng.randint(100, 100_000)
        + _text(rng)
    )


def _error_inside(rng: random.Random) -> bytes:
    whole = _honest(rng)
    fault = b"<br />\n<b>Fatal error</b>: Uncaught Exception in <b>/var/www/index.php</b> on line <b>404</b><br />"
    at = rng.randrange(len(whole))
    return whole[:at] + fault + (whole[at:] if rng.random() < 0.5 else b"")


_KINDS: dict[str, Callable[[random.Random], bytes]] = {
    "cut": _cut,
    "flipped": _flipped,
    "holes": _holes,
    "shuffled": _shuffled,
    "binary": _binary,
    "binary without NUL": _binary_without_nul,
    "huge": _huge,
    "deep": _deep,
    "wrong charset": _wrong_charset,
    "mixed charsets": _mixed_charsets,
    "interleaved": _interleaved,
    "NULs": _nuls,
    "surrogates": _surrogates,
    "unclosed": _unclosed,
    "attributes": _attributes,
    "islands": _islands,
    "bodies": _bodies,
    "glued": _glued,
    "escaped twice": _escaped_twice,
    "stray quotes": _quotes,
    "broken data": _data,
    "unfilled templates": _templates_unfilled,
    "repeated": _repeated,
    "lines": _lines,
    "errors inside": _error_inside,
}


def _case(kind: str, number: int) -> Hostile:
    def build() -> bytes:
        return _KINDS[kind](random.Random(f"{kind} {number}"))

    stated = random.Random(f"header of {kind} {number}").choice(
        [_HTML, _HTML, *(f"{_HTML}; charset={name}" for name in _ENCODINGS)]
    )
    return Hostile(f"{kind} {number}", build, content_type=stated)


BROKEN = {case.name: case for kind in _KINDS for number in range(EACH) for case in [_case(kind, number)]}
"""By name, `kind number`."""

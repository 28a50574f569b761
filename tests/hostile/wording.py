"""Pages whose words are what our regular expressions look for, again and again, and nearly but not quite."""

from __future__ import annotations

from tests.hostile.case import Hostile, page

_WORDS = {
    "cookie": "cookie ",
    "consent": "we and our partners store and access ",
    "digits": "1",
    "digits and dots": "1.",
    "days of months": "12 ",
    "numeric dates": "12.12.",
    "years": "2026 ",
    "years and dashes": "2026-",
    "months": "1 january ",
    "slashed dates": "2026/1/",
    "hours": "12:12 ",
    "dashes": "-",
    "spaced dashes": " - ",
    "bars": " | ",
    "quotes": '"',
    "apostrophes": "don't ",
    "commas": ",",
    "brackets": "(",
    "bracketed names": "(a b c) ",
    "credits": "photo: ",
    "copyrights": "copyright ",
    "bylines": "by ",
    "names": "A and B, ",
    "sources": "source: ",
    "minutes": "1 min ",
    "not found": "page not ",
    "pay walls": "this article is only ",
    "subscriptions": "subscribe now to ",
    "challenges": "please enable javascript and ",
    "related labels": "more from ",
    "furniture lines": "follow us on x ",
    "share lines": "share this article on ",
    "attributions": "— A (@a) ",
    "media links": "pic.twitter.com/",
    "infographs": "infogra",
    "at signs": "@",
    "angle brackets as text": "&lt;a ",
    "dotted capitals": "İ",
    "sharp letters": "ß",
    "Arabic": "اقرأ ",
    "Chinese": "找不",
    "class signs": "read-more article-links ",
    "camel case": "aA",
}
_CHARS = 200_000


def _build(word: str) -> bytes:
    long = word * (_CHARS // len(word))
    lines = [word * max(1, size // len(word)) for size in (20, 50, 80, 140, 300)]
    lists = "".join([f"<p>{line}</p><li class=date>{line}</li>" for line in lines]) * 150
    quote = f'<blockquote class="twitter-tweet"><p>x</p>{long}</blockquote>'
    figure = f"<figure><img src=/a.jpg><figcaption>{long}</figcaption></figure>"
    attribute = long.replace('"', "&quot;")
    head = (
        f'<title>{long}</title><meta name=description content="{attribute}"><meta name=author content="{attribute}">'
        f'<meta name=date content="{attribute}"><meta property="og:site_name" content="{attribute}">'
    )
    named = f'<div class="{attribute[:20_000]}" id="{attribute[:20_000]}">x</div>'
    body = f"<h1>{long}</h1><h2>{long[:390]}</h2><p class=byline>{long}</p>{named}<div class=paywall>{long}</div>"
    return page(body + lists + quote + figure, head=head, story=False)


WORDING = [Hostile(f"words, {name}", lambda word=word: _build(word)) for name, word in _WORDS.items()]  # type: ignore[misc]

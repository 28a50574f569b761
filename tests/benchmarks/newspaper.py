"""Article pages as long as real ones, for benchmarks: text of the project's own briefs among menus, lists and scripts.

A number makes a page, and always the same one. Sizes are spread as those of 1,500 real news pages are: on average 170
KB, 34 KB gzipped, 970 elements; a twentieth has twice as many, and more.
"""

from __future__ import annotations

import gzip
import json
import random
import re
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from functools import cache
from html import escape
from typing import TYPE_CHECKING

from tests.golden.brief_pages import load_briefs

if TYPE_CHECKING:
    from tests.golden.brief_pages import Brief, Edition

SITES = 8
"""Each with an address of its own, so that clients may fetch from several hosts at once."""
_BEGINNING = datetime(2026, 1, 1, tzinfo=UTC)
_SENTENCE = re.compile(r"(?<=[.!?。؟])\s*")
_STYLE = "".join(
    f".g{n}{{display:grid;grid-template-columns:repeat({n % 12 + 1},1fr);gap:{n}px;margin:0 {n % 7}px {n % 5}px}}"
    f"@media(max-width:{320 + 8 * n}px){{.g{n}{{display:block;padding:{n % 9}px}}}}"
    for n in range(120)
)


def path_of(number: int) -> str:
    """Return the path of page *number* on its site."""
    return f"/2026/{number % 12 + 1:02}/story-{number:06}.html"


def site_of(number: int) -> int:
    """Return on which site page *number* stands."""
    return number % SITES


def make_page(number: int) -> bytes:
    """Return page *number* as UTF-8."""
    chance = random.Random(number)
    articles = [brief for brief in load_briefs() if len(brief.text) > 1]
    brief = articles[number % len(articles)]
    edition = brief.edition
    time = _BEGINNING + timedelta(minutes=7 * number)
    title = f"{brief.title} ({number})"
    many, long = (min(8.0, chance.lognormvariate(0, spread)) for spread in (0.55, 0.75))
    boxes = ("most-read", "more", "regions", "topics")
    lists = "".join(_list_of_links(edition, chance, name, int(32 * many)) for name in boxes)
    return (
        f'<!doctype html><html lang="{edition.language}"><head><meta charset="utf-8">'
        f"<title>{escape(title)} - {escape(edition.site)}</title>{_metadata(edition, title, time)}"
        f"<style>{_STYLE}</style>{_state(chance, int(175 * long))}</head><body>"
        f'<header><nav class="main-menu">{_menu(edition, 3)}</nav></header><main>'
        f'<article class="story"><h1>{escape(title)}</h1>'
        f'<div class="byline"><time datetime="{time.isoformat()}">{time:%d.%m.%Y %H:%M}</time></div>'
        f'<div class="story-body">{_text(brief, chance)}</div></article></main>'
        f'<aside class="sidebar">{lists}</aside>'
        f"<footer><p>{escape(edition.footer)}</p>{_menu(edition, 4)}</footer>{_state(chance, int(175 * long))}"
        "</body></html>"
    ).encode()


def compress_page(page: bytes) -> bytes:
    """Return *page* as a server sends it."""
    return gzip.compress(page, 6, mtime=0)


@cache
def _sentences() -> dict[str, list[str]]:
    found: dict[str, list[str]] = defaultdict(list)
    for brief in load_briefs():
        for paragraph in brief.text:
            found[brief.edition.language] += [part for part in _SENTENCE.split(paragraph) if len(part) > 10]
    return found


def _text(brief: Brief, chance: random.Random) -> str:
    sentences = _sentences()[brief.edition.language]
    space = "" if brief.edition.language == "ja" else " "
    paragraphs = [space.join(chance.sample(sentences, k=min(len(sentences), chance.randint(2, 4)))) for _ in range(22)]
    return "".join(f"<p>{escape(text)}</p>" for text in [*brief.text, *paragraphs[: chance.randint(8, 22)]])


def _metadata(edition: Edition, title: str, time: datetime) -> str:
    data = {
        "@context": "https://schema.org",
        "@type": "NewsArticle",
        "headline": title,
        "datePublished": time.isoformat(),
        "publisher": {"@type": "Organization", "name": edition.site},
    }
    return (
        f'<meta property="og:type" content="article"><meta property="og:title" content="{escape(title)}">'
        f'<script type="application/ld+json">{json.dumps(data)}</script>'
    )


def _menu(edition: Edition, times: int) -> str:
    entries = "".join(
        f'<li class="menu-item g{n}"><a href="/{n}/{part}/"><span>{escape(name)}</span></a></li>'
        for part in range(times)
        for n, name in enumerate(edition.menu)
    )
    return f"<ul>{entries}</ul>"


def _list_of_links(edition: Edition, chance: random.Random, name: str, length: int) -> str:
    words = " ".join([*edition.teasers, *edition.menu]).split() or edition.teasers
    entries = []
    for _ in range(length):
        key, text = f"{chance.getrandbits(64):016x}", " ".join(chance.choices(words, k=8))
        entries.append(
            f'<li class="teaser g{chance.randrange(120)}" data-id="{key}">'
            f'<a href="/2026/{key}.html" class="teaser-link">'
            f'<img src="/img/{key}.jpg?w=320" alt="" loading="lazy" width="320" height="180">'
            f'<span class="teaser-kicker">{escape(chance.choice(edition.menu))}</span>'
            f'<span class="teaser-title">{escape(text)}</span></a></li>'
        )
    return f'<section class="{name}"><h2>{escape(edition.label)}</h2><ul>{"".join(entries)}</ul></section>'


def _state(chance: random.Random, length: int) -> str:
    """Return a script with what sites keep there: the same words over and over, and ids."""
    items: list[dict[str, object]] = []
    for _ in range(length):
        item: dict[str, object] = {
            "id": chance.getrandbits(32),
            "type": "teaser",
            "url": f"/img/{chance.getrandbits(256):064x}.jpg",
        }
        item |= {"width": 320, "height": 180, "tracking": {"channel": "home", "position": len(items)}, "premium": False}
        items.append(item)
    return f"<script>window.__STATE__={json.dumps(items, separators=(',', ':'))}</script>"

"""Short news articles in ten languages (briefs/*.yaml, all invented) set in pages as news sites have them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from collections.abc import Callable

_CHARSETS = {"ar": "windows-1256", "ru": "windows-1251", "ja": "shift_jis", "tr": "iso-8859-9"}
_CODECS = {"iso-8859-1": "cp1252", "iso-8859-9": "cp1254", "shift_jis": "cp932"}


@dataclass(frozen=True, slots=True)
class Edition:
    """What all pages of one site have in common."""

    language: str
    site: str
    menu: list[str]
    cookies: str
    accept: str
    footer: str
    label: str
    teasers: list[str]
    share: str
    newsletter: str


@dataclass(frozen=True, slots=True)
class Brief:
    """One article."""

    edition: Edition
    number: int
    title: str
    text: list[str]
    time: datetime
    lead: str | None = None
    byline: str | None = None
    agency: str | None = None
    caption: str | None = None
    credit: str | None = None

    @property
    def name(self) -> str:
        """Language and number."""
        return f"{self.edition.language}{self.number}"

    @property
    def url(self) -> str:
        """Where it would stand."""
        return f"https://www.{self.edition.language}-news.example/2026/11/{self.time:%d}/brief-{self.number}.html"

    @property
    def expected(self) -> str:
        """Its text in normal form."""
        return "\n".join([self.title, *([self.lead] if self.lead else []), *self.text])


@cache
def load_briefs() -> list[Brief]:
    """Return all articles."""
    briefs = []
    for path in sorted(Path(__file__).with_name("briefs").glob("*.yaml")):
        data: dict[str, Any] = yaml.safe_load(path.read_text("utf-8"))
        articles = data.pop("articles")
        edition = Edition(**data)
        for number, article in enumerate(articles, 1):
            article["time"] = datetime.fromisoformat(article["time"])
            briefs.append(Brief(edition, number, **article))
    return briefs


def _paragraphs(brief: Brief, name: str = "") -> str:
    stated = f' class="{name}"' if name else ""
    return "\n".join(f"<p{stated}>{escape(text)}</p>" for text in brief.text)


def _menu(edition: Edition) -> str:
    return (
        "<ul>"
        + "".join(f'<li><a href="/{n}/">{escape(name)}</a></li>' for n, name in enumerate(edition.menu))
        + "</ul>"
    )


def _teasers(edition: Edition, tag: str = "h3") -> str:
    return "".join(
        f'<div class="teaser"><{tag}><a href="/2026/11/t{n}.html">{escape(text)}</a></{tag}></div>'
        for n, text in enumerate(edition.teasers)
    )


def _links(edition: Edition) -> str:
    return (
        "<ul>" + "".join(f'<li><a href="/t{n}">{escape(t)}</a></li>' for n, t in enumerate(edition.teasers)) + "</ul>"
    )


def _author(brief: Brief) -> str:
    return escape(brief.byline or brief.agency or "")


def _time(brief: Brief) -> str:
    return f'<time datetime="{brief.time.isoformat()}">{brief.time:%d.%m.%Y}</time>'


def _figure(brief: Brief) -> str:
    if not brief.caption:
        return ""
    caption = f'{escape(brief.caption)} <span class="credit">{escape(brief.credit or "")}</span>'
    return f'<figure><img src="/p/{brief.number}.jpg" alt=""><figcaption>{caption}</figcaption></figure>'


def _head(brief: Brief, more: str = "", charset: str = "utf-8") -> str:
    title = f"<title>{escape(brief.title)} - {escape(brief.edition.site)}</title>"
    direction = ' dir="rtl"' if brief.edition.language == "ar" else ""
    begin = f'<!doctype html><html lang="{brief.edition.language}"{direction}>'
    return f'{begin}<head><meta charset="{charset}">{title}{more}</head>'


def _published(brief: Brief) -> str:
    return f'<meta property="article:published_time" content="{brief.time.isoformat()}">'


def _social(brief: Brief) -> str:
    title = f'<meta property="og:title" content="{escape(brief.title)}">'
    return f'{title}<meta property="og:type" content="article">'


def _stated(brief: Brief) -> str:
    data: dict[str, Any] = {"@context": "https://schema.org", "@type": "NewsArticle", "headline": brief.title}
    data["datePublished"] = brief.time.isoformat()
    data["publisher"] = {"@type": "NewsMediaOrganization", "name": brief.edition.site}
    meta = {"og:type": "article", "og:title": brief.title, "og:url": brief.url, "og:site_name": brief.edition.site}
    tags = "".join(f'<meta property="{name}" content="{escape(value)}">' for name, value in meta.items())
    ld = json.dumps(data, ensure_ascii=False)
    return f'{tags}<link rel="canonical" href="{brief.url}"><script type="application/ld+json">{ld}</script>'


def _page_stated(brief: Brief) -> str:
    """A page of today that says all of itself."""
    edition = brief.edition
    lead = f'<p class="standfirst">{escape(brief.lead)}</p>' if brief.lead else ""
    return f"""{_head(brief, _stated(brief))}<body><div id="cookie-banner" role="dialog"><p>{edition.cookies}</p>
<button>{edition.accept}</button></div><header><a href="/">{edition.site}</a><nav>{_menu(edition)}</nav></header>
<main><article><header><h1>{escape(brief.title)}</h1>{lead}<div class="byline">{_author(brief)}</div>
{_time(brief)}</header>{_figure(brief)}
<div class="article-body">{_paragraphs(brief)}</div>
<div class="share-bar"><button>{edition.share}</button></div></article>
<form class="newsletter"><p>{edition.newsletter}</p><input type="email"></form></main>
<aside><h2>{edition.label}</h2>{_teasers(edition)}</aside>
<footer><p>{edition.footer}</p>{_menu(edition)}</footer></body></html>"""


def _page_bare(brief: Brief) -> str:
    """A small site's own work: no statement but the title."""
    edition = brief.edition
    lead = f"<p><b>{escape(brief.lead)}</b></p>" if brief.lead else ""
    return f"""{_head(brief)}<body><div id="wrap"><div id="top"><a href="/">{edition.site}</a>{_menu(edition)}</div>
<div id="left"><h1>{escape(brief.title)}</h1><p class="date">{brief.time:%d.%m.%Y}</p>{lead}{_paragraphs(brief)}</div>
<div id="right"><h4>{edition.label}</h4>{_links(edition)}</div>
<div id="bottom">{edition.footer}</div></div></body></html>"""


def _page_lines(brief: Brief) -> str:
    """An agency's ticker: one element, its paragraphs parted by line breaks."""
    edition = brief.edition
    text = "<br><br>".join(escape(text) for text in ([brief.lead] if brief.lead else []) + brief.text)
    stated = f'<meta property="og:type" content="article">{_published(brief)}'
    return f"""{_head(brief, stated)}<body><nav>{_menu(edition)}</nav>
<div class="news-item"><span class="time">{brief.time:%H:%M}</span>
<h1 class="news-title">{escape(brief.title)}</h1><div class="news-text">{text}</div>
<div class="source">{_author(brief)}</div></div>
<div class="other-news"><h2>{edition.label}</h2>{_teasers(edition, "h4")}</div>
<footer>{edition.footer}</footer></body></html>"""


def _page_table(brief: Brief) -> str:
    """A page of twenty years ago, in the encoding of its language."""
    edition = brief.edition
    lead = f"<p><b>{escape(brief.lead)}</b>" if brief.lead else ""
    text = "".join(f"<p>{escape(text)}\n" for text in brief.text)
    picture = '<table align=right width=200><tr><td><img src="/p/1.jpg"></table>' if brief.caption else ""
    menu = "<br>".join(f'<a href="/{n}/">{name}</a>' for n, name in enumerate(edition.menu))
    return f"""{_head(brief, charset=charset_of(brief))}<body bgcolor=white><table width=100%><tr><td colspan=2>
<a href="/">{edition.site}</a><tr><td width=150 valign=top>{menu}
<td valign=top><font face=verdana size=4><b><h2>{escape(brief.title)}</h2></b></font>
<font face=verdana size=2>{picture}{lead}{text}</font>
<tr><td colspan=2><small>{edition.footer}</small></table></body></html>"""


def _page_microdata(brief: Brief) -> str:
    """A page with microdata, its picture above the headline."""
    edition = brief.edition
    lead = f'<h2 itemprop="description">{escape(brief.lead)}</h2>' if brief.lead else ""
    return f"""{_head(brief)}<body><div class="topbar">{_menu(edition)}</div>
<div itemscope itemtype="https://schema.org/NewsArticle">
{_figure(brief)}<h1 itemprop="headline">{escape(brief.title)}</h1>{lead}
<p class="meta"><span itemprop="author">{_author(brief)}</span>
<meta itemprop="datePublished" content="{brief.time.isoformat()}"></p>
<div itemprop="articleBody">{_paragraphs(brief)}</div></div>
<div class="related"><h3>{edition.label}</h3>{_teasers(edition)}</div>
<div class="subscribe-box"><p>{edition.newsletter}</p></div>
<div class="site-footer"><p>{edition.footer}</p></div></body></html>"""


def _page_walled(brief: Brief) -> str:
    """A page behind a wall of consent that a reader clicks away; names made by a machine."""
    edition = brief.edition
    lead = f'<p class="sc-1a2 lead">{escape(brief.lead)}</p>' if brief.lead else ""
    return f"""{_head(brief, _social(brief))}<body class="css-9f3">
<div class="cmp-root consent-overlay"><div><h2>{edition.site}</h2>
<p>{edition.cookies}</p><p>{edition.cookies}</p><button>{edition.accept}</button></div></div>
<div class="css-k1"><div class="css-k2">{_menu(edition)}</div>
<section class="css-k3"><h1 class="css-k4">{escape(brief.title)}</h1>{lead}
<div class="css-k5"><span>{_author(brief)}</span> {_time(brief)}</div>
{_figure(brief)}<div class="css-k6">{_paragraphs(brief, "css-k7")}</div></section>
<section class="css-k8"><h2>{edition.label}</h2>{_teasers(edition)}</section>
<footer class="css-k9">{edition.footer}</footer></div></body></html>"""


def _page_blog(brief: Brief) -> str:
    """A page of the most used publishing program, with tags, the author's box and a form for comments."""
    edition = brief.edition
    lead = f"<p><strong>{escape(brief.lead)}</strong></p>" if brief.lead else ""
    box = f'<div class="author-box"><h4>{_author(brief)}</h4></div>' if brief.byline else ""
    return f"""{_head(brief, _published(brief))}<body class="single single-post">
<header id="masthead"><nav class="main-navigation">{_menu(edition)}</nav></header>
<article class="post type-post hentry"><h1 class="entry-title">{escape(brief.title)}</h1>
<div class="entry-meta"><span class="posted-on">{_time(brief)}</span></div>{_figure(brief)}
<div class="entry-content">{lead}{_paragraphs(brief)}</div>
<div class="tags-links"><a href="/tag/1">{edition.menu[1]}</a></div>{box}</article>
<div class="related-posts"><h3>{edition.label}</h3>{_teasers(edition, "h4")}</div>
<div id="comments"><form><textarea></textarea></form></div>
<aside class="widget-area">{_links(edition)}</aside>
<footer class="site-footer">{edition.footer}</footer></body></html>"""


def _page_cards(brief: Brief) -> str:
    """A page whose teasers have more text than the brief itself, with the latest news by the clock beside it."""
    edition = brief.edition
    others = [other for other in load_briefs() if other.edition == edition and other != brief]
    cards = "\n".join(
        f'<article class="card"><a href="{other.url}"><img src="/p/{other.number}.jpg" alt=""></a>'
        f'<h3><a href="{other.url}">{escape(other.title)}</a></h3><p>{escape(other.text[0])}</p></article>'
        for other in others[:4]
    )
    latest = "\n".join(
        f'<li><span>{other.time:%H:%M}</span> <a href="{other.url}">{escape(other.title)}</a></li>' for other in others
    )
    lead = f'<p class="intro">{escape(brief.lead)}</p>' if brief.lead else ""
    return f"""{_head(brief, _social(brief))}<body><header><a href="/">{edition.site}</a>{_menu(edition)}</header>
<div class="page"><div class="main-column">
<h1>{escape(brief.title)}</h1><p class="byline">{_author(brief)} {_time(brief)}</p>
{lead}{_figure(brief)}<div class="text">{_paragraphs(brief)}</div>
<div class="cards"><h2>{edition.label}</h2>{cards}</div></div>
<div class="side-column"><ul class="latest">{latest}</ul></div></div>
<footer>{edition.footer}</footer></body></html>"""


PAGES: dict[str, Callable[[Brief], str]] = {
    "stated": _page_stated,
    "bare": _page_bare,
    "lines": _page_lines,
    "table": _page_table,
    "microdata": _page_microdata,
    "walled": _page_walled,
    "blog": _page_blog,
    "cards": _page_cards,
}


def charset_of(brief: Brief) -> str:
    """Return the label of the encoding that old pages of the brief's language are in."""
    return _CHARSETS.get(brief.edition.language, "iso-8859-1")


def build_page(brief: Brief, kind: str) -> bytes:
    """Return the page of *kind* with *brief* in it, as it is served."""
    charset = charset_of(brief) if kind == "table" else "utf-8"
    return PAGES[kind](brief).encode(_CODECS.get(charset, charset), "xmlcharrefreplace")

"""How the pages of a site look: articles in four layouts, lists, and what every page has around it."""

from __future__ import annotations

import json
import random
from dataclasses import dataclass, field
from html import escape
from typing import TYPE_CHECKING, Literal

from tests.newcomers.prose import load_tongue, write_paragraphs

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tests.newcomers.prose import Story, Tongue

Layout = Literal["schema", "plain", "semantic", "divs"]
Anchor = tuple[str, str]
"""Address and words."""


@dataclass
class Frame:
    """What all pages of a site have in common."""

    name: str
    tongue: Tongue
    layout: Layout
    menu: list[Anchor] = field(default_factory=list)
    footer: list[Anchor] = field(default_factory=list)
    head: str = ""
    """More elements of each page's head."""
    language: str | None = None
    """As each page declares it; `None`: by the text's."""

    def whole(self, title: str, body: str, *, head: str = "", aside: str = "", language: str | None = None) -> bytes:
        """Return a page of that *body* among menu, banner and footer."""
        name, declared = escape(self.name), language or self.tongue.language
        start = (
            f'<!doctype html><html lang="{declared}"><head><meta charset="utf-8">'
            f"<title>{escape(title)} | {name}</title>"
            f'<meta name="viewport" content="width=device-width">{self.head}{head}</head><body>'
        )
        return f"{start}{self._surround(body, aside)}</body></html>".encode()

    def _surround(self, body: str, aside: str) -> str:
        words, name = self.tongue.words, escape(self.name)
        menu = "".join(f'<li class="item"><a href="{escape(url)}">{escape(text)}</a></li>' for url, text in self.menu)
        footer = " · ".join(f'<a href="{escape(url)}">{escape(text)}</a>' for url, text in self.footer)
        footer += f"<p>© 2026 {name}. {escape(words['rights'])}</p>"
        banner = f'<div class="cookie-banner" role="dialog"><p>{escape(words["cookies"])}</p></div>'
        match self.layout:
            case "plain":
                return (
                    f'<table width="980"><tr><td class="top"><font size="5">{name}</font><ul>{menu}</ul></td></tr>'
                    f'<tr><td class="content">{body}</td><td class="right">{aside}</td></tr>'
                    f'<tr><td class="bottom footer">{footer}</td></tr></table>'
                )
            case "divs":
                return (
                    f'{banner}<div class="c-header x1"><div class="c-nav x2" role="navigation">'
                    f"<ul>{menu}</ul></div></div>"
                    f'<div class="l-wrap x3"><div class="l-main x4">{body}</div>'
                    f'<div class="l-side x5">{aside}</div></div>'
                    f'<div class="c-footer x6" role="contentinfo">{footer}</div>'
                )
            case _:
                beside = f"<aside>{aside}</aside>" if aside else ""
                return (
                    f'{banner}<header><a class="logo" href="/">{name}</a><nav><ul>{menu}</ul></nav></header>'
                    f"<main>{body}</main>{beside}<footer>{footer}</footer>"
                )

    def article(
        self,
        story: Story,
        url: str,
        *,
        head: str = "",
        related: Sequence[Anchor] = (),
        after: str = "",
        aside: str = "",
    ) -> bytes:
        """Return the page of *story* at *url*; *after*: what follows its text."""
        words = load_tongue(story.language).words
        box = (
            f'<section class="related"><h3>{words["related"]}</h3><ul>{linked(related)}</ul></section>'
            if related
            else ""
        )
        body = self._tell(story) + box + after
        own = self._describe(story, url) + head
        return self.whole(story.title, body, head=own, aside=aside, language=story.language)

    def _describe(self, story: Story, url: str) -> str:
        """Return what the head of an article's page says of it."""
        title, address, moment = escape(story.title), escape(url), story.published.isoformat()
        match self.layout:
            case "plain":
                return ""
            case "schema":
                data = {
                    "@context": "https://schema.org",
                    "@type": "NewsArticle",
                    "headline": story.title,
                    "datePublished": moment,
                    "author": {"@type": "Person", "name": story.author},
                    "publisher": {"@type": "Organization", "name": self.name},
                    "mainEntityOfPage": url,
                }
                return (
                    f'<meta property="og:type" content="article"><meta property="og:title" content="{title}">'
                    f'<link rel="canonical" href="{address}">'
                    f'<script type="application/ld+json">{json.dumps(data)}</script>'
                )
            case "semantic":
                return (
                    f'<meta name="author" content="{escape(story.author)}"><link rel="canonical" href="{address}">'
                    f'<meta name="description" content="{escape(story.lead)}">'
                )
            case "divs":
                return (
                    f'<meta property="og:type" content="article"><meta property="og:url" content="{address}">'
                    f'<meta property="article:published_time" content="{moment}">'
                )

    def _tell(self, story: Story) -> str:
        """Return the article itself."""
        by = load_tongue(story.language).words["by"]
        text = "".join(f"<p>{escape(paragraph)}</p>" for paragraph in story.text)
        title, lead, author = escape(story.title), escape(story.lead), escape(story.author)
        moment, shown = story.published.isoformat(), f"{story.published:%d.%m.%Y %H:%M}"
        match self.layout:
            case "schema":
                return (
                    f'<article><h1>{title}</h1><p class="lead">{lead}</p><div class="byline">{by} {author} · '
                    f'<time datetime="{moment}">{shown}</time></div><div class="article-body">{text}</div></article>'
                )
            case "plain":
                head = f'<h2 class="head">{title}</h2><i>{shown}</i><br><b>{lead}</b>'
                return f'{head}{text}<p align="right">{author}</p>'
            case "semantic":
                return (
                    '<article itemscope itemtype="https://schema.org/NewsArticle"><header>'
                    f'<h1 itemprop="headline">{title}</h1><address rel="author">{author}</address>'
                    f'<time itemprop="datePublished" datetime="{moment}">{shown}</time></header>'
                    f'<p class="standfirst">{lead}</p><div itemprop="articleBody">{text}</div></article>'
                )
            case "divs":
                return (
                    f'<div class="c-story x9"><h1 class="c-story__title x7">{title}</h1>'
                    f'<div class="c-story__lead x8">{lead}</div>'
                    f'<div class="c-story__meta x2">{author} <span>{shown}</span></div>'
                    f'<div class="c-story__text x1">{text}</div></div>'
                )

    def listing(
        self,
        title: str,
        stories: Iterable[tuple[Story, str]],
        *,
        next_url: str | None = None,
        intro: str = "",
        head: str = "",
        more: Sequence[Anchor] = (),
        aside: str = "",
        language: str | None = None,
        leads: bool = True,
        rel: str = ' rel="next"',
    ) -> bytes:
        """Return a list of stories with their addresses.

        *next_url*: where it goes on, said by *rel*; *more*: other links.
        """
        words = self.tongue.words
        items = "".join(self._tease(story, url, lead=leads) for story, url in stories)
        on = f'<div class="pager"><a{rel} href="{escape(next_url)}">{words["next"]}</a></div>' if next_url else ""
        others = f"<ul>{linked(more)}</ul>" if more else ""
        body = f"<h1>{escape(title)}</h1>{intro}{items}{others}{on}"
        return self.whole(title, body, head=head, aside=aside, language=language)

    def _tease(self, story: Story, url: str, *, lead: bool) -> str:
        title, address, words = escape(story.title), escape(url), self.tongue.words
        about = f"<p>{escape(story.lead)}</p>" if lead else ""
        match self.layout:
            case "plain":
                return f'<p>{story.published:%d.%m.%Y} <a href="{address}">{title}</a></p>'
            case "divs":
                link = f'<a class="c-card__link" href="{address}"><span>{title}</span></a>'
                return f'<div class="c-card x4">{link}{about}</div>'
            case _:
                when = f'<time datetime="{story.published.isoformat()}">{story.published:%d.%m.%Y}</time>'
                more = f'<a class="more" href="{address}">{words["more"]}</a>'
                return f'<article class="teaser"><h3><a href="{address}">{title}</a></h3>{about}{when}{more}</article>'

    def house(self, title: str, *, seed: int) -> bytes:
        """Return a page about the house itself: prose too, but no news."""
        paragraphs = write_paragraphs(self.tongue, random.Random(f"{title}{seed}"), 5)
        return self.whole(title, f"<h1>{escape(title)}</h1>" + "".join(f"<p>{escape(text)}</p>" for text in paragraphs))


def linked(anchors: Iterable[Anchor]) -> str:
    """Return *anchors* as items of a list."""
    return "".join(f'<li><a href="{escape(url)}">{escape(text)}</a></li>' for url, text in anchors)

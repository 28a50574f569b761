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
        words, declared = self.tongue.words, language or self.tongue.language
        menu = "".join(
            f'<li class="menu-item"><a href="{escape(url)}">{escape(text)}</a></li>' for url, text in self.menu
        )
        footer = " · ".join(f'<a href="{escape(url)}">{escape(text)}</a>' for url, text in self.footer)
        start = (
            f'<!doctype html><html lang="{declared}"><head><meta charset="utf-8"><title>{escape(title)} | {escape(self.name)}</title>'
            f'<meta name="viewport" content="width=device-width">{self.head}{head}</head><body>'
        )
        banner = f'<div class="cookie-banner" role="dialog"><p>{escape(words["cookies"])}</p></div>'
        rights = f"<p>© 2026 {escape(self.name)}. {escape(words['rights'])}</p>"
        match self.layout:
            case "plain":
                whole = (
                    f'<table width="980"><tr><td class="top"><font size="5">{escape(self.name)}</font><ul class="menu">{menu}</ul></td></tr>'
                    f'<tr><td class="content">{body}</td><td class="right">{aside}</td></tr><tr><td class="bottom footer">{footer}{rights}</td></tr></table>'
                )
            case "divs":
                whole = (
                    f'{banner}<div class="c-header x1"><div class="c-nav x2" role="navigation"><ul>{menu}</ul></div></div>'
                    f'<div class="l-wrap x3"><div class="l-main x4">{body}</div><div class="l-side x5">{aside}</div></div>'
                    f'<div class="c-footer x6" role="contentinfo">{footer}{rights}</div>'
                )
            case _:
                whole = (
                    f'{banner}<header><a class="logo" href="/">{escape(self.name)}</a><nav><ul>{menu}</ul></nav></header>'
                    f"<main>{body}</main>{f'<aside>{aside}</aside>' if aside else ''}<footer><nav>{footer}</nav>{rights}</footer>"
                )
        return f"{start}{whole}</body></html>".encode()

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
        text = "".join(f"<p>{escape(paragraph)}</p>" for paragraph in story.text)
        title, lead, author = escape(story.title), escape(story.lead), escape(story.author)
        moment, shown = story.published.isoformat(), f"{story.published:%d.%m.%Y %H:%M}"
        links = linked(related)
        box = f'<section class="related"><h3>{words["related"]}</h3><ul>{links}</ul></section>' if related else ""
        match self.layout:
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
                meta = f'<meta property="og:type" content="article"><meta property="og:title" content="{title}"><link rel="canonical" href="{escape(url)}"><script type="application/ld+json">{json.dumps(data)}</script>'
                body = f'<article><h1>{title}</h1><p class="lead">{lead}</p><div class="byline">{words["by"]} {author} · <time datetime="{moment}">{shown}</time></div><div class="article-body">{text}</div></article>{box}'
            case "plain":
                meta = ""
                body = f'<h2 class="head">{title}</h2><i>{shown}</i><br><b>{lead}</b>{text}<p align="right">{author}</p>{box}'
            case "semantic":
                meta = f'<meta name="author" content="{author}"><meta name="description" content="{lead}"><link rel="canonical" href="{escape(url)}">'
                body = f'<article itemscope itemtype="https://schema.org/NewsArticle"><header><h1 itemprop="headline">{title}</h1><address rel="author">{author}</address><time itemprop="datePublished" datetime="{moment}">{shown}</time></header><p class="standfirst">{lead}</p><div itemprop="articleBody">{text}</div></article>{box}'
            case "divs":
                meta = f'<meta property="og:type" content="article"><meta property="og:url" content="{escape(url)}"><meta property="article:published_time" content="{moment}">'
                body = f'<div class="c-story x9"><h1 class="c-story__title x7">{title}</h1><div class="c-story__lead x8">{lead}</div><div class="c-story__meta x2">{author} <span>{shown}</span></div><div class="c-story__text x1">{text}</div></div>{box}'
        return self.whole(story.title, body + after, head=meta + head, aside=aside, language=story.language)

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
    ) -> bytes:
        """Return a list of stories with their addresses. *next_url*: where it goes on (`rel=next`); *more*: other links."""
        words = self.tongue.words
        items = []
        for story, url in stories:
            lead = f"<p>{escape(story.lead)}</p>" if leads else ""
            when = f'<time datetime="{story.published.isoformat()}">{story.published:%d.%m.%Y}</time>'
            title_html = f'<h3><a href="{escape(url)}">{escape(story.title)}</a></h3>'
            match self.layout:
                case "plain":
                    items.append(f'<p>{story.published:%d.%m.%Y} <a href="{escape(url)}">{escape(story.title)}</a></p>')
                case "divs":
                    items.append(
                        f'<div class="c-card x4"><a class="c-card__link" href="{escape(url)}"><span>{escape(story.title)}</span></a>{lead}</div>'
                    )
                case _:
                    items.append(
                        f'<article class="teaser">{title_html}{lead}{when}<a class="more" href="{escape(url)}">{words["more"]}</a></article>'
                    )
        on = f'<div class="pager"><a rel="next" href="{escape(next_url)}">{words["next"]}</a></div>' if next_url else ""
        others = f"<ul>{linked(more)}</ul>" if more else ""
        return self.whole(
            title,
            f"<h1>{escape(title)}</h1>{intro}{''.join(items)}{others}{on}",
            head=head,
            aside=aside,
            language=language,
        )

    def house(self, title: str, *, seed: int) -> bytes:
        """Return a page about the house itself: prose too, but no news."""
        paragraphs = write_paragraphs(self.tongue, random.Random(f"{title}{seed}"), 5)
        return self.whole(title, f"<h1>{escape(title)}</h1>" + "".join(f"<p>{escape(text)}</p>" for text in paragraphs))


def linked(anchors: Iterable[Anchor]) -> str:
    """Return *anchors* as items of a list."""
    return "".join(f'<li><a href="{escape(url)}">{escape(text)}</a></li>' for url, text in anchors)

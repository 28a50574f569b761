"""Sites on which much looks like an article and is none, or leads away from where one is."""

from __future__ import annotations

import random
import re
from html import escape
from typing import TYPE_CHECKING

from tests.newcomers import announcements as write
from tests.newcomers.desk import RSS, XML, Desk, Newcomer
from tests.newcomers.pages import linked
from tests.newcomers.prose import Story, write_paragraphs, write_stories

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.newcomers.pages import Anchor


def heavy_links(root: str) -> Newcomer:
    """Thirty related links on each page, partners' links among them; comments, print and AMP of each article."""
    desk = Desk(
        "Daily Thornwick",
        root,
        "en",
        "divs",
        60,
        21,
        lambda story: f"/story/{story.slug}-{story.key * 40_503 % 2**24:06x}",
    )
    sections = desk.frame.tongue.sections
    desk.frame.menu = [(f"/{key}/", text) for key, text in sections.items()] + [
        ("/video/", "Video"),
        ("/puzzles/", "Puzzles"),
    ]
    desk.frame.head = '<link rel="alternate" type="application/rss+xml" href="/feeds/latest.xml">'
    desk.put_house("/info/{}".format)
    partners = _partners(desk)
    desk.put_articles(
        related=30,
        after=lambda _, url: _toolbar(url) + partners,
        head='<meta name="robots" content="max-image-preview:large">',
    )
    for story, url in desk.entries:
        desk.put(
            f"{url}/comments",
            desk.frame.whole("Comments", f"<h1>{escape(story.title)}</h1><p>Nobody has written anything yet.</p>"),
        )
        desk.put(f"{url}/print", desk.frame.article(story, url))
        desk.put(f"{url}/amp", desk.frame.article(story, url))
    videos = [(url, "Watch") for url in _put_videos(desk)]
    desk.put_list("/", "Daily Thornwick", desk.entries, size=15, more=videos[:4], aside=partners)
    desk.put("/video/", desk.frame.listing("Video", [], more=videos))
    desk.put(
        "/puzzles/",
        desk.frame.listing("Puzzles", [], more=[(f"/puzzles/{n}", f"Crossword {n}") for n in range(900, 920)]),
    )
    for n in range(900, 920):
        desk.put(f"/puzzles/{n}", desk.frame.whole(f"Crossword {n}", f"<h1>Crossword {n}</h1><canvas></canvas>"))
    for key, text in sections.items():
        desk.put_list(f"/{key}/", text, desk.of_section(key), size=5, page=f"/{key}/page/{{}}/", aside=partners)
    desk.put("/feeds/latest.xml", write.write_rss("Daily Thornwick", root, desk.entries[:25]), RSS)
    desk.put_robots("Disallow: /go", "Disallow: /*/print$")
    return desk.finish(
        {"feed": "/feeds/latest.xml"},
        *({"section": f"/{key}/"} for key in sections),
        include=[rf"^{re.escape(root)}/story/[^/]+-[0-9a-f]{{6}}$"],
    )


def _toolbar(url: str) -> str:
    return (
        f'<div class="tools"><a href="{url}/comments">Comments</a> <a href="{url}/print">Print</a> '
        f'<a href="{url}/amp">AMP</a>'
        "</div>"
    )


def _partners(desk: Desk) -> str:
    """Return a box of links that are paid for; put what is promoted on the site itself."""
    anchors: list[Anchor] = []
    for story in write_stories("en", 6, seed=2_121):
        anchors.append((f"http://offers.example/{story.slug}", story.title))
        anchors.append((f"/go?to=http%3A%2F%2Foffers.example%2F{story.key}", story.title))
        url = desk.put(f"/sponsored/{story.slug}", desk.frame.article(story, f"/sponsored/{story.slug}"))
        desk.site.either.add(url)
        anchors.append((url, story.title))
    return f'<div class="promoted"><h4>Promoted</h4><ul>{linked(anchors)}</ul></div>'


def _put_videos(desk: Desk) -> list[str]:
    urls = []
    for story in desk.stories[::6]:
        body = (
            f'<h1>{escape(story.title)}</h1><video src="/v/{story.key}.mp4" controls>'
            f"</video><p>{escape(story.lead)}</p>"
        )
        urls.append(desk.put(f"/video/{story.slug}", desk.frame.whole(story.title, body)))
    desk.site.either.update(urls)
    return urls


def tag_pages(root: str) -> Newcomer:
    """Pages of topics and people have a text, say that they are articles, and stand where articles stand."""
    desk = Desk("La Encina", root, "es", "schema", 75, 22, lambda story: f"/{story.section}/{story.slug}-a{story.key}")
    sections, chance = desk.frame.tongue.sections, random.Random(22)
    desk.frame.menu = [(f"/{key}/", text) for key, text in sections.items()]
    desk.frame.head = '<link rel="alternate" type="application/rss+xml" href="/rss/ultimas.xml">'
    house = desk.put_house("/corporativo/{}".format)
    desk.put_articles()
    hubs = []
    for number, name in enumerate([*desk.frame.tongue.things, *desk.frame.tongue.places, *desk.frame.tongue.people]):
        kind, section = "tp"[number >= 24], list(sections)[number % len(sections)]
        told = [(story, url) for story, url in desk.entries if name in story.tags or name == story.author][:6]
        intro = "".join(f"<p>{escape(text)}</p>" for text in write_paragraphs(desk.frame.tongue, chance, 3))
        claim = f'<meta property="og:type" content="article"><meta property="og:title" content="{escape(name)}">'
        words = "-".join(re.findall(r"[a-z]+", name.lower()))
        hubs.append(
            desk.put(
                f"/{section}/todo-sobre-{words}-{kind}{9_000 + number}",
                desk.frame.listing(name, told, intro=intro, head=claim),
            )
        )
    names: list[Anchor] = [(url, "Tema") for url in hubs[:12]]
    desk.put("/", desk.frame.listing("La Encina", desk.entries[:20], more=names))
    for key, text in sections.items():
        desk.put(f"/{key}/", desk.frame.listing(text, desk.of_section(key), more=names[:6]))
    desk.put("/rss/ultimas.xml", write.write_rss("La Encina", root, desk.entries[:20]), RSS)
    everything: list[tuple[Story | None, str]] = [*desk.entries, *((None, url) for url in [*hubs, *house])]
    chance.shuffle(everything)
    desk.put("/sitemap.xml", write.write_sitemap(everything), XML)
    desk.put_robots(f"Sitemap: {root}/sitemap.xml")
    return desk.finish(
        {"feed": "/rss/ultimas.xml"}, {"sitemap": "/sitemap.xml"}, include=[rf"^{re.escape(root)}/[a-z]+/[^/]+-a\d+$"]
    )


MUDDLED: list[Callable[[str], Newcomer]] = [heavy_links, tag_pages]

"""Sites whose articles feeds and sitemaps announce: one kind each, or what goes wrong with one."""

from __future__ import annotations

import json
import re
from itertools import groupby
from typing import TYPE_CHECKING

from tests.newcomers import announcements as write
from tests.newcomers.desk import HTML, RSS, TEXT, XML, Answer, Desk, Newcomer

if TYPE_CHECKING:
    from collections.abc import Callable

_ATOM = "application/atom+xml; charset=utf-8"
_JSON = "application/feed+json; charset=utf-8"


def _link(media_type: str, path: str, title: str) -> str:
    return f'<link rel="alternate" type="{media_type}" title="{title}" href="{path}">'


def feed_only(root: str) -> Newcomer:
    """A blog system's site: one feed with all posts, one of comments; no robots.txt, no sitemap, no lists."""
    desk = Desk(
        "Kieselblatt", root, "de", "semantic", 40, 1, lambda story: f"/{story.published:%Y/%m}/{story.slug}/", a_day=2
    )
    desk.frame.head = (
        '<meta name="generator" content="WordPress 6.8">'
        + _link("application/rss+xml", "/feed/", "Kieselblatt » Feed")
        + _link("application/rss+xml", "/comments/feed/", "Kieselblatt » Kommentar-Feed")
        + '<link rel="https://api.w.org/" href="/wp-json/">'
        + '<link rel="alternate" type="application/json" href="/wp-json/wp/v2/pages/2">'
    )
    desk.put_house("/{}/".format)
    desk.put_articles(after=lambda _, url: f'<p><a href="{url}#respond">Kommentar schreiben</a></p>')
    desk.put("/", desk.frame.listing("Kieselblatt", desk.entries[:6]))
    desk.put("/feed/", write.write_rss("Kieselblatt", root, desk.entries), RSS)
    comments = [(story, f"{url}#comment-{story.key}") for story, url in desk.entries[:10]]
    desk.put("/comments/feed/", write.write_rss("Kommentare", root, comments), RSS)
    return desk.finish({"feed": "/feed/"}, include=[rf"^{re.escape(root)}/\d{{4}}/\d{{2}}/[^/]+/$"])


def sitemap_only(root: str) -> Newcomer:
    """A big paper's site: sitemaps by month, one of pages and one of tags; the home page shows hardly anything."""
    desk = Desk(
        "The Tolmere Courier",
        root,
        "en",
        "schema",
        120,
        2,
        lambda story: f"/news/{story.section}/{story.slug}-{story.key}",
    )
    desk.frame.menu = [(f"/news/{key}", text) for key, text in desk.frame.tongue.sections.items()]
    house = desk.put_house()
    desk.put_articles()
    desk.put(
        "/",
        desk.frame.listing("The Tolmere Courier", desk.entries[:5], more=[("/search", "Search"), ("/login", "Log in")]),
    )
    for key, text in desk.frame.tongue.sections.items():
        desk.put(f"/news/{key}", desk.frame.listing(text, desk.of_section(key)[:5]))
    tags = desk.put_tags(lambda tag: f"/topic/{tag.replace(' ', '-')}")
    maps = [
        desk.put(f"/sitemaps/articles-{month}.xml", write.write_sitemap(list(entries)), XML)
        for month, entries in groupby(desk.entries, lambda entry: f"{entry[0].published:%Y-%m}")
    ]
    maps.insert(
        0, desk.put("/sitemaps/pages.xml", write.write_sitemap((None, url) for url in [desk.url("/"), *house]), XML)
    )
    maps.append(desk.put("/sitemaps/topics.xml", write.write_sitemap((None, url) for url in tags), XML))
    desk.put("/sitemaps/index.xml", write.write_sitemap_index(maps), XML)
    desk.put_robots("Disallow: /search", "Disallow: /login", "", f"Sitemap: {root}/sitemaps/index.xml")
    return desk.finish({"sitemap": "/sitemaps/index.xml"}, include=[rf"^{re.escape(root)}/news/[a-z]+/[^/]+-\d+$"])


def no_dates(root: str) -> Newcomer:
    """Articles at the root, beside the pages of the house; one sitemap for everything there is."""
    desk = Desk("Penny Cross Post", root, "en", "divs", 60, 3, lambda story: f"/{story.slug}")
    desk.frame.menu = [(f"/category/{key}", text) for key, text in desk.frame.tongue.sections.items()]
    desk.frame.head = _link("application/rss+xml", "/rss", "Penny Cross Post")
    house = desk.put_house()
    desk.put_articles()
    lists = desk.put_list("/", "Penny Cross Post", desk.entries, size=9)
    for key, text in desk.frame.tongue.sections.items():
        lists += desk.put_list(f"/category/{key}", text, desk.of_section(key))
    writers = sorted({story.author for story in desk.stories})
    for writer in writers:
        own = [(story, url) for story, url in desk.entries if story.author == writer]
        lists.append(desk.put(f"/author/{writer.lower().replace(' ', '-')}", desk.frame.listing(writer, own[:8])))
    desk.put("/rss", write.write_rss("Penny Cross Post", root, desk.entries[:20]), RSS)
    everything = [*((None, url) for url in [*lists, *house]), *desk.entries]
    desk.put("/sitemap.xml", write.write_sitemap(everything), XML)
    desk.put_robots("Allow: /", f"Sitemap: {root}/sitemap.xml")
    excluded = [f"^{re.escape(url)}$" for url in house]
    return desk.finish(
        {"feed": "/rss"},
        {"sitemap": "/sitemap.xml"},
        include=[rf"^{re.escape(root)}/[a-z0-9]+(?:-[a-z0-9]+){{3,}}$"],
        exclude=excluded,
    )


def ids(root: str) -> Newcomer:
    """Numbers for addresses, of articles, photographs and categories alike; the sitemap is packed."""
    desk = Desk("青波新聞", root, "ja", "schema", 80, 4, lambda story: f"/articles/{story.key}")
    desk.frame.menu = [(f"/categories/{n}", text) for n, text in enumerate(desk.frame.tongue.sections.values(), 1)]
    desk.frame.head = _link("application/atom+xml", "/atom.xml", "青波新聞")
    desk.put_house()
    desk.put_articles()
    photos = []
    for story in desk.stories[::4]:
        page = desk.frame.whole(
            f"写真: {story.title}",
            (
                f'<h1>写真</h1><figure><img src="/img/{story.key}.jpg" alt=""><figcaption>{story.title}</figcaption>'
                "</figure>"
            ),
        )
        photos.append(desk.put(f"/photos/{story.key}", page))
    pictures = [(url, "写真") for url in photos]
    desk.put("/", desk.frame.listing("青波新聞", desk.entries[:20], more=pictures[:8]))
    for n, (key, text) in enumerate(desk.frame.tongue.sections.items(), 1):
        desk.put(f"/categories/{n}", desk.frame.listing(text, desk.of_section(key)))
    desk.put("/atom.xml", write.write_atom("青波新聞", root, desk.entries[:20]), _ATOM)
    pages = desk.put("/sitemap-articles.xml.gz", write.pack(write.write_sitemap(desk.entries)), "application/gzip")
    other = desk.put(
        "/sitemap-photos.xml.gz", write.pack(write.write_sitemap((None, url) for url in photos)), "application/gzip"
    )
    desk.put("/sitemap.xml", write.write_sitemap_index([pages, other]), XML)
    desk.put_robots("Disallow: /admin/", f"Sitemap: {root}/sitemap.xml")
    return desk.finish(
        {"feed": "/atom.xml"}, {"sitemap": "/sitemap.xml"}, include=[rf"^{re.escape(root)}/articles/\d+$"]
    )


def json_feed(root: str) -> Newcomer:
    """A magazine of one person: a JSON Feed and nothing else, short notes beside the articles."""
    desk = Desk("Slow Water", root, "en", "semantic", 36, 5, lambda story: f"/p/{story.slug}", a_day=0.5)
    desk.frame.head = _link("application/feed+json", "/feed.json", "Slow Water")
    desk.frame.menu = [("/", "Home"), ("/notes/", "Notes"), ("/about", "About")]
    desk.put("/about", desk.frame.house("About", seed=5))
    desk.put_articles(related=0)
    notes = []
    for story in desk.stories[:20]:
        page = desk.frame.whole(
            "Note", f'<div class="note"><p>{story.lead}</p><a href="/notes/{story.key}">#</a></div>'
        )
        notes.append((desk.put(f"/notes/{story.key}", page), story.lead))
    desk.put("/notes/", desk.frame.listing("Notes", [], more=notes))
    desk.put("/", desk.frame.listing("Slow Water", desk.entries[:5], more=notes[:3]))
    desk.put("/feed.json", write.write_json_feed("Slow Water", root, desk.entries), _JSON)
    desk.put_robots()
    return desk.finish({"feed": "/feed.json"}, include=[rf"^{re.escape(root)}/p/[^/]+$"])


def broken_feed(root: str) -> Newcomer:
    """A feed that no XML parser takes, another that is gone, and lists of the newest in each section."""
    desk = Desk("El Lirio", root, "es", "plain", 45, 6, lambda story: f"/noticia/{story.key}/{story.slug}")
    desk.frame.menu = [(f"/seccion/{key}", text) for key, text in desk.frame.tongue.sections.items()]
    desk.frame.head = _link("application/rss+xml", "/rss/portada.xml", "Portada") + _link(
        "application/rss+xml", "/rss.xml", "Todo"
    )
    desk.put_house("/pagina/{}".format)
    desk.put_articles()
    desk.put("/", desk.frame.listing("El Lirio", desk.entries[:12]))
    for key, text in desk.frame.tongue.sections.items():
        desk.put_list(f"/seccion/{key}", text, desk.of_section(key), size=5, page=f"/seccion/{key}/{{}}")
    relative = [(story, url.removeprefix(root)) for story, url in desk.entries]
    desk.put("/rss.xml", write.write_broken_feed("El Lirio", relative), "text/xml")
    desk.put("/robots.txt", Answer(b"<html>no</html>", 404))
    return desk.finish({"feed": "/rss.xml"}, include=[rf"^{re.escape(root)}/noticia/\d+/"])


def scripted_shell(root: str) -> Newcomer:
    """Scripts fill every page but the articles', and each unknown path answers with the same shell."""
    desk = Desk(
        "Nordlicht",
        root,
        "de",
        "schema",
        50,
        7,
        lambda story: f"/artikel/{story.slug}-{story.key * 2_654_435_761 % 2**32:08x}",
    )
    shell = (
        '<!doctype html><html lang="de"><head><meta charset="utf-8"><title>Nordlicht</title>'
        + _link("application/rss+xml", "/api/feed.xml", "Nordlicht")
        + (
            '<script src="/static/app.4f1c.js" defer></script></head><body><div id="root">'
            "</div><noscript>Bitte JavaScript einschalten.</noscript>"
        )
        + f"<script>window.__STATE__={json.dumps({f'k{n}': n for n in range(400)})}</script></body></html>"
    ).encode()
    desk.put_articles()
    desk.put("/", shell)
    desk.put("/api/feed.xml", write.write_rss("Nordlicht", root, desk.entries), RSS)
    desk.put_robots("Disallow: /api/user")
    desk.site.otherwise = lambda _: Answer(shell, media_type=HTML)
    return desk.finish({"feed": "/api/feed.xml"}, include=[rf"^{re.escape(root)}/artikel/[^/]+$"])


def old_design(root: str) -> Newcomer:
    """A site of twenty years ago: tables, RSS 1.0, a list of URLs for a sitemap, a page of each day."""
    desk = Desk(
        "सोनघाटी समाचार",
        root,
        "hi",
        "plain",
        60,
        8,
        lambda story: f"/{story.published:%Y/%m/%d}/{story.section}/{story.key}.shtml",
    )
    desk.frame.menu = [(f"/{key}.shtml", text) for key, text in desk.frame.tongue.sections.items()]
    house = desk.put_house("/{}.shtml".format)
    desk.put_articles(related=0)
    desk.put("/", desk.frame.listing("सोनघाटी समाचार", desk.entries[:10]))
    for key, text in desk.frame.tongue.sections.items():
        desk.put(f"/{key}.shtml", desk.frame.listing(text, desk.of_section(key)[:8]))
    for day, entries in groupby(desk.entries, lambda entry: f"{entry[0].published:/%Y/%m/%d/}"):
        desk.put(day, desk.frame.listing(day, list(entries)))
    desk.put("/index.rdf", write.write_rdf("सोनघाटी समाचार", root, desk.entries[:15]), "application/rdf+xml")
    desk.frame.head = _link("application/rss+xml", "/index.rdf", "RSS")
    lines = "\n".join([*house, *(url for _, url in desk.entries)])
    desk.put("/sitemap.txt", lines.encode(), TEXT)
    desk.put_robots("Disallow: /cgi-bin/", f"Sitemap: {root}/sitemap.txt")
    return desk.finish(
        {"sitemap": "/sitemap.txt"}, include=[rf"^{re.escape(root)}/\d{{4}}/\d\d/\d\d/[a-z]+/\d+\.shtml$"]
    )


ANNOUNCED: list[Callable[[str], Newcomer]] = [
    feed_only,
    sitemap_only,
    no_dates,
    ids,
    json_feed,
    broken_feed,
    scripted_shell,
    old_design,
]

"""Sites whose articles are found in sections and archives, page by page, and sites of several hosts or languages."""

from __future__ import annotations

import re
from itertools import islice
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from tests.newcomers import announcements as write
from tests.newcomers.desk import RSS, XML, Answer, Desk, Newcomer
from tests.newcomers.pages import Frame
from tests.newcomers.prose import load_tongue, write_stories

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.newcomers.prose import Story


def sections_only(root: str) -> Newcomer:
    """No feed and no sitemap: sections, each of several pages."""
    desk = Desk("Le Valmorin", root, "fr", "schema", 96, 11, lambda story: f"/{story.section}/{story.slug}.html")
    sections = desk.frame.tongue.sections
    desk.frame.menu = [(f"/{key}/", text) for key, text in sections.items()]
    desk.put_house("/{}.html".format)
    desk.put_articles()
    desk.put_list("/", "Le Valmorin", desk.entries, size=12)
    for key, text in sections.items():
        desk.put_list(f"/{key}/", text, desk.of_section(key), size=6, page=f"/{key}/?page={{}}")
    desk.put_robots("Disallow: /recherche", "Crawl-delay: 0")
    return desk.finish(
        *({"section": f"/{key}/"} for key in sections),
        include=[rf"^{re.escape(root)}/(?:{'|'.join(sections)})/[^/?]+\.html$"],
    )


def query_string(root: str) -> Newcomer:
    """One program answers everything, by its query: articles, lists, the house, comments, printing."""
    desk = Desk(
        "Заречинский вестник", root, "ru", "plain", 70, 12, lambda story: f"/index.php?view=article&id={story.key}"
    )
    sections = desk.frame.tongue.sections
    places = {key: f"/index.php?view=list&cat={n}" for n, key in enumerate(sections, 1)}
    desk.frame.menu = [(places[key], text) for key, text in sections.items()]
    desk.frame.head = '<link rel="alternate" type="application/rss+xml" href="/rss.php">'
    desk.put_house("/index.php?view=page&id={}".format)
    desk.put_articles(
        after=lambda story, url: (
            f'<p><a href="/index.php?view=comments&amp;id={story.key}">Комментарии</a> '
            f'<a href="{url}&amp;print=1">Печать</a>'
            "</p>"
        )
    )
    for story, url in desk.entries:
        desk.put(f"{url}&print=1", desk.frame.article(story, url))
        desk.put(
            f"/index.php?view=comments&id={story.key}",
            desk.frame.whole("Комментарии", f"<h1>{story.title}</h1><p>Пока никто ничего не написал.</p>"),
        )
    talk = [(f"/index.php?view=comments&id={story.key}", "Комментарии") for story in desk.stories[:10]]
    desk.put("/", desk.frame.listing("Заречинский вестник", desk.entries[:10], more=talk))
    desk.put("/index.php", desk.frame.listing("Заречинский вестник", desk.entries[:10]))
    for key, text in sections.items():
        place = places[key]
        desk.put_list(place, text, desk.of_section(key), size=8, page=f"{place}&page={{}}", more=talk[:4])
    desk.put("/rss.php", write.write_rss("Вестник", root, desk.entries[:30]), RSS)
    desk.put_robots("Disallow: /admin.php")
    return desk.finish(
        {"feed": "/rss.php"},
        *({"section": place} for place in places.values()),
        include=[rf"^{re.escape(root)}/index\.php\?(?:id=\d+&view=article|view=article&id=\d+)$"],
    )


def non_latin(root: str) -> Newcomer:
    """Arabic paths, escaped in feeds and plain in pages; tags and sections look alike."""
    desk = Desk("بوابة الوادي", root, "ar", "schema", 64, 13, lambda story: f"/أخبار/{story.section}/{story.slug}")
    sections = desk.frame.tongue.sections
    desk.frame.menu = [(f"/أخبار/{key}", text) for key, text in sections.items()]
    desk.frame.head = '<link rel="alternate" type="application/rss+xml" href="/feed.rss">'
    desk.put_house("/صفحات/{}".format)
    desk.put_articles(
        after=lambda story, _: "".join(
            f'<a rel="tag" href="/وسم/{tag.replace(" ", "-")}">{tag}</a> ' for tag in story.tags
        )
    )
    desk.put_tags(lambda tag: f"/وسم/{tag.replace(' ', '-')}")
    plain = [(story, desk.path(story)) for story in desk.stories]
    desk.put("/", desk.frame.listing("بوابة الوادي", plain[:12]))
    for key, text in sections.items():
        own = [(story, path) for story, path in plain if story.section == key]
        desk.put_list(f"/أخبار/{key}", text, own, size=5, page=f"/أخبار/{key}?page={{}}")
    desk.put("/feed.rss", write.write_rss("بوابة الوادي", root, desk.entries[:15]), RSS)
    desk.put("/news-sitemap.xml", write.write_news_sitemap("بوابة الوادي", desk.entries[:12]), XML)
    desk.put_robots("Disallow: /بحث", f"Sitemap: {root}/news-sitemap.xml")
    return desk.finish(
        {"feed": "/feed.rss"},
        *({"section": f"/أخبار/{key}"} for key in sections),
        include=[rf"^{re.escape(root)}/أخبار/[^/?]+/[^/?]+$"],
    )


def subdomains(root: str) -> Newcomer:
    """A host for each section, with a feed of its newest and a list of all."""
    host = urlsplit(root).netloc.removeprefix("www.")
    desk = Desk(
        "Tres Ríos",
        root,
        "es",
        "divs",
        72,
        14,
        lambda story: f"http://{story.section}.{host}/{story.published:%Y/%m/%d}/{story.slug}",
    )
    sections = dict(islice(desk.frame.tongue.sections.items(), 4))
    desk.stories = [one for one in write_stories("es", 108, seed=14) if one.section in sections]
    desk.frame.menu = [(f"http://{key}.{host}/", text) for key, text in sections.items()]
    desk.put_house(f"{root}/{{}}".format)
    desk.put_articles()
    desk.put("/", desk.frame.listing("Tres Ríos", desk.entries[:16]))
    for key, text in sections.items():
        base, own = f"http://{key}.{host}", desk.of_section(key)
        alternate = f'<link rel="alternate" type="application/rss+xml" href="{base}/rss">'
        desk.put_list(f"{base}/", text, own, size=6, page=f"{base}/pagina/{{}}", head=alternate)
        desk.put(f"{base}/rss", write.write_rss(text, base, own[:6]), RSS)
        desk.put(f"{base}/robots.txt", b"User-agent: *\nDisallow: /buscar\n", "text/plain")
    desk.put_robots("Disallow: /buscar")
    return desk.finish(
        *({"section": f"http://{key}.{host}/"} for key in sections),
        include=[rf"^http://[a-z]+\.{re.escape(host)}/\d{{4}}/\d\d/\d\d/[^/]+$"],
    )


def paged_archive(root: str) -> Newcomer:
    """The one way to older articles is an archive of nine pages."""
    desk = Desk("Το Αρχείο", root, "el", "semantic", 90, 15, lambda story: f"/arthra/{story.key}-{story.slug}")
    desk.frame.menu = [("/", "Αρχική"), ("/archeio/", "Αρχείο"), ("/epikoinonia", "Επικοινωνία")]
    desk.put_house()
    desk.put_articles()
    desk.put("/", desk.frame.listing("Το Αρχείο", desk.entries[:8]))
    desk.put_list("/archeio/", "Αρχείο", desk.entries, page="/archeio/{}/", leads=False)
    desk.put_robots()
    return desk.finish({"section": "/archeio/"}, include=[rf"^{re.escape(root)}/arthra/\d+-"])


def numbered_pages(root: str) -> Newcomer:
    """Sections of several pages, and nothing but a number says which is the next."""
    desk = Desk(
        "Post von Ostwinkel", root, "de", "divs", 84, 18, lambda story: f"/{story.section}/meldung-{story.key}.html"
    )
    sections = desk.frame.tongue.sections
    desk.frame.menu = [(f"/{key}/", text) for key, text in sections.items()]
    desk.put_house("/{}.html".format)
    desk.put_articles()
    desk.put("/", desk.frame.listing("Post von Ostwinkel", desk.entries[:12]))
    for key, text in sections.items():
        desk.put_list(f"/{key}/", text, desk.of_section(key), size=5, page=f"/{key}/seite/{{}}", rel="")
    desk.put_robots()
    return desk.finish(
        *({"section": f"/{key}/"} for key in sections), include=[rf"^{re.escape(root)}/[a-z]+/meldung-\d+\.html$"]
    )


def weekly_issues(root: str) -> Newcomer:
    """A weekly: each issue is a page that lists its articles and leads to the issue before."""
    desk = Desk(
        "Il Settimanale",
        root,
        "it",
        "semantic",
        72,
        16,
        lambda story: f"/numero/{47 - story.number // 9}/{story.slug}",
        a_day=1.3,
    )
    desk.frame.menu = [("/", "In edicola"), ("/numeri/", "Tutti i numeri"), ("/chi-siamo", "Chi siamo")]
    desk.put_house()
    desk.put_articles(related=2)
    issues = range(47, 39, -1)
    for issue in issues:
        own = desk.entries[(47 - issue) * 9 :][:9]
        following = desk.url(f"/numero/{issue - 1}/") if issue > 40 else None
        desk.put(f"/numero/{issue}/", desk.frame.listing(f"Numero {issue}", own, next_url=following))
    desk.put(
        "/numeri/",
        desk.frame.listing("Tutti i numeri", [], more=[(f"/numero/{issue}/", f"Numero {issue}") for issue in issues]),
    )
    desk.put("/", desk.frame.listing("In edicola: numero 47", desk.entries[:9], more=[("/numero/47/", "Numero 47")]))
    desk.put_robots()
    return desk.finish({"section": "/numero/47/"}, include=[rf"^{re.escape(root)}/numero/\d+/[^/]+$"])


def mixed_languages(root: str) -> Newcomer:
    """One house, three languages, each with feed and sitemap of its own; the home page leads to one of them."""
    desk = Desk(
        "Seenland",
        root,
        "de",
        "schema",
        0,
        17,
        lambda story: f"/{story.language}/{story.section}/{story.slug}-{story.key}",
    )
    names = {"de": "Seenland", "fr": "Pays des lacs", "it": "Terra dei laghi"}
    maps: list[str] = []
    every: list[Story] = []
    for language, name in names.items():
        stories = write_stories(language, 24, seed=17)
        every += stories
        desk.stories, desk.frame = stories, Frame(name, load_tongue(language), "schema")
        sections = desk.frame.tongue.sections
        desk.frame.menu = [(f"/{language}/{key}/", text) for key, text in sections.items()]
        desk.frame.menu += [(f"/{other}/", other.upper()) for other in names if other != language]
        desk.frame.head = f'<link rel="alternate" type="application/rss+xml" href="/{language}/rss.xml">'
        desk.frame.head += "".join(
            f'<link rel="alternate" hreflang="{other}" href="{root}/{other}/">' for other in names
        )
        desk.put_house(f"/{language}/{{}}".format)
        desk.put_articles()
        desk.put(f"/{language}/", desk.frame.listing(name, desk.entries[:8]))
        for key, text in sections.items():
            desk.put(f"/{language}/{key}/", desk.frame.listing(text, desk.of_section(key)))
        desk.put(f"/{language}/rss.xml", write.write_rss(name, root, desk.entries[:10]), RSS)
        maps.append(desk.put(f"/{language}/sitemap.xml", write.write_sitemap(desk.entries), XML))
    desk.stories = every
    desk.put("/sitemap.xml", write.write_sitemap_index(maps), XML)
    desk.put("/", Answer(b"", 302, headers=(("Location", "/de/"),)))
    desk.put_robots(f"Sitemap: {root}/sitemap.xml")
    return desk.finish({"sitemap": "/sitemap.xml"}, include=[rf"^{re.escape(root)}/(?:de|fr|it)/[^/]+/[^/]+-\d+$"])


LISTED: list[Callable[[str], Newcomer]] = [
    sections_only,
    query_string,
    non_latin,
    subdomains,
    paged_archive,
    numbered_pages,
    weekly_issues,
    mixed_languages,
]

"""Sites by the dice: any way of writing addresses with any way of announcing articles, so that none is tuned for.

A number makes a site, and always the same one. What is the same for all: every article is announced somewhere, and an
expression tells their addresses from all others.
"""

from __future__ import annotations

import random
import re
from dataclasses import dataclass
from html import escape
from itertools import groupby
from typing import TYPE_CHECKING

from tests.newcomers import announcements as write
from tests.newcomers.desk import RSS, TEXT, XML, Desk, Newcomer

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tests.newcomers.announcements import Entry
    from tests.newcomers.pages import Layout
    from tests.newcomers.prose import Story

LANGUAGES = ("en", "de", "fr", "es", "it", "ru", "ar", "el", "ja", "hi")
LAYOUTS: tuple[Layout, ...] = ("schema", "plain", "semantic", "divs")
LATIN = frozenset({"en", "de", "fr", "es", "it", "ru"})


@dataclass(frozen=True)
class Addresses:
    """How a site writes the addresses of its articles."""

    path: Callable[[Story], str]
    pattern: str
    """Of them and of no other page, after the root."""
    latin: bool = False
    """Whether they need letters of ASCII."""


def _code(story: Story, bits: int = 32) -> int:
    return int(story.key * 2_654_435_761 % 2**bits)


ADDRESSES = (
    Addresses(lambda s: f"/{s.published:%Y/%m/%d}/{s.slug}/", r"/\d{4}/\d\d/\d\d/[^/?]+/$"),
    Addresses(lambda s: f"/{s.published:%Y/%m/%d}/{s.section}/{s.key}.html", r"/\d{4}/\d\d/\d\d/[^/]+/\d+\.html$"),
    Addresses(lambda s: f"/{s.published:%Y-%m-%d}-{s.slug}", r"/\d{4}-\d\d-\d\d-[^/?]+$"),
    Addresses(lambda s: f"/{s.section}/{s.published:%Y%m%d}/{s.slug}", r"/[^/]+/\d{8}/[^/?]+$"),
    Addresses(lambda s: f"/{s.section}/{s.slug}", r"/[^/?]+/[^/?-]+(?:-[^/?-]+){3,}$", latin=True),
    Addresses(lambda s: f"/{s.section}/{s.slug}-{s.key}", r"/[^/?]+/[^/?]+-\d{7}$"),
    Addresses(lambda s: f"/{s.section}/{s.slug},{s.key}.html", r"/[^/?]+/[^/?]+,\d{7}\.html$"),
    Addresses(lambda s: f"/artikel/{s.key}", r"/artikel/\d+$"),
    Addresses(lambda s: f"/{s.key}/{s.slug}.html", r"/\d{7}/[^/?]+\.html$"),
    Addresses(lambda s: f"/?p={s.key}", r"/\?p=\d+$"),
    Addresses(lambda s: f"/article.php?id={s.key}", r"/article\.php\?id=\d+$"),
    Addresses(lambda s: f"/read?story={s.slug}", r"/read\?story=[^&]+$", latin=True),
    Addresses(lambda s: f"/{s.section}/a/{_code(s):08x}/{s.slug}", r"/[^/]+/a/[0-9a-f]{8}/[^/?]+$"),
    Addresses(lambda s: f"/s/{_code(s):08x}-{_code(s, 16):04x}-4c1d-9a2b-{_code(s, 48):012x}", r"/s/[0-9a-f-]{36}$"),
    Addresses(lambda s: f"/{s.slug}-{_code(s, 24):06x}", r"/[^/?]+-[0-9a-f]{6}$"),
    Addresses(
        lambda s: f"/{s.section}/{s.published:%Y}/{s.published:%m}/{s.slug}.html", r"/[^/]+/\d{4}/\d\d/[^/?]+\.html$"
    ),
    Addresses(lambda s: f"/news/{s.section}/regional/{s.slug}/", r"/news/[^/]+/regional/[^/?]+/$"),
    Addresses(lambda s: f"/node/{s.key}", r"/node/\d+$"),
)
SECTIONS = ("/{}/", "/{}", "/category/{}/", "/sections/{}", "/c/{}/", "/list.php?section={}")
PAGES = ("{}?page={{}}", "{}page/{{}}/", "{}{{}}.html")
FEEDS = ("/feed/", "/rss.xml", "/feeds/all.rss", "/atom.xml", "/index.php?format=feed", "/feed.json", "/news.rdf")


def make_varied(seed: int) -> Callable[[str], Newcomer]:
    """Return what makes the site of that number."""

    def make(root: str) -> Newcomer:
        return _Dice(seed, root).throw()

    make.__name__ = f"varied_{seed}"
    return make


class _Dice:
    """Puts one site together, choice by choice."""

    def __init__(self, seed: int, root: str) -> None:
        self.chance = chance = random.Random(seed)
        language = chance.choice(LANGUAGES)
        fitting = [one for one in ADDRESSES if language in LATIN or not one.latin]
        self.addresses = chance.choice(fitting)
        count, a_day = chance.randrange(30, 121), chance.choice([0.7, 3, 12])
        layout = chance.choice(LAYOUTS)
        self.desk = Desk(f"Varied {seed}", root, language, layout, count, seed, self.addresses.path, a_day)
        self.root = root
        self.others: list[str] = []
        """Pages that are no articles."""
        self.robots: list[str] = ["Disallow: /search"]
        self.found_by: list[dict[str, str]] = []

    def throw(self) -> Newcomer:
        """Return the site."""
        desk, chance = self.desk, self.chance
        complete = chance.choice(["feed", "sitemap", "sections"])
        feed = complete == "feed" or chance.random() < 0.6
        if feed:
            self._announce_by_feed(None if complete == "feed" else chance.choice([10, 15, 30]))
        house = chance.choice(["/{}", "/{}/", "/info/{}.html", "/pages/{}"])
        self.others += desk.put_house(house.format)
        sections = self._choose_sections()
        self._put_distractions()
        desk.put_articles(related=chance.choice([0, 3, 12]))
        self._put_sections(sections, paged=complete == "sections")
        if complete == "sitemap" or chance.random() < 0.3:
            self._announce_by_sitemap(whole=complete == "sitemap")
        if chance.random() < 0.8:
            desk.put_robots(*self.robots)
        root = re.escape(self.root)
        return desk.finish(*self.found_by, include=[f"^{root}{self.addresses.pattern}"], exclude=self._exclusions())

    def _exclusions(self) -> list[str]:
        return [f"^{re.escape(url)}$" for url in self.others if re.search(self.addresses.pattern, url)]

    def _announce_by_feed(self, newest: int | None) -> None:
        desk, chance = self.desk, self.chance
        path = chance.choice(FEEDS)
        kinds: dict[str, tuple[Callable[[str, str, Sequence[Entry]], bytes], str]] = {
            "/atom.xml": (write.write_atom, "application/atom+xml"),
            "/feed.json": (write.write_json_feed, "application/feed+json"),
            "/news.rdf": (write.write_rdf, "application/rdf+xml"),
        }
        writer, media_type = kinds.get(path, (write.write_rss, RSS))
        desk.put(path, writer(desk.name, self.root, desk.entries[:newest]), media_type)
        self.found_by.append({"feed": path})
        if path not in {"/feed/", "/rss.xml", "/atom.xml", "/feed.json"} or chance.random() < 0.7:
            kind = media_type.partition(";")[0].replace("rdf", "rss")
            desk.frame.head += f'<link rel="alternate" type="{kind}" href="{escape(path)}">'

    def _choose_sections(self) -> dict[str, str]:
        """Return section → path, and put them into the menu."""
        keys = self.desk.frame.tongue.sections
        form = self.chance.choice(SECTIONS)
        places = {key: form.format(key) for key in keys}
        self.desk.frame.menu = [(places[key], text) for key, text in keys.items()]
        return places

    def _put_sections(self, places: dict[str, str], *, paged: bool) -> None:
        desk, chance = self.desk, self.chance
        size = chance.choice([6, 10, 15])
        self.others += desk.put_list("/", desk.name, desk.entries, size=chance.choice([8, 20]))
        for key, place in places.items():
            own = desk.of_section(key)
            page = None
            if paged:
                page = f"{place}&page={{}}" if "?" in place else chance.choice(PAGES).format(place.rstrip("/") + "/")
            self.others += desk.put_list(place, desk.frame.tongue.sections[key], own, size=size, page=page)
        if paged:
            self.found_by += [{"section": place} for place in places.values()]

    def _announce_by_sitemap(self, *, whole: bool) -> None:
        """Put a sitemap: of all pages or of articles alone, by month or in one, as XML, packed or as a list."""
        desk, chance = self.desk, self.chance
        entries = desk.entries
        if not whole:
            place = desk.put("/news-sitemap.xml", write.write_news_sitemap(desk.name, entries[:12]), XML)
            self.robots.append(f"Sitemap: {place}")
            return
        kind = chance.choice(["one", "months", "text", "packed"])
        mixed = [*((None, url) for url in self.others), *entries]
        match kind:
            case "one":
                place = desk.put("/sitemap.xml", write.write_sitemap(mixed), XML)
            case "text":
                place = desk.put("/sitemap.txt", "\n".join(url for _, url in mixed).encode(), TEXT)
            case "packed":
                place = desk.put("/sitemap.xml.gz", write.pack(write.write_sitemap(entries)), "application/x-gzip")
            case _:
                months = groupby(entries, lambda entry: f"{entry[0].published:%Y-%m}")
                maps = [
                    desk.put(f"/maps/{month}.xml", write.write_sitemap(list(group)), XML) for month, group in months
                ]
                maps.append(desk.put("/maps/pages.xml", write.write_sitemap((None, url) for url in self.others), XML))
                place = desk.put("/sitemap.xml", write.write_sitemap_index(maps), XML)
        if kind in {"text", "packed"} or chance.random() < 0.7:
            self.robots.append(f"Sitemap: {place}")
        self.found_by.append({"sitemap": place.removeprefix(self.root)})
        if kind in {"text", "packed"}:
            desk.put_robots(*self.robots)  # nobody guesses these

    def _put_distractions(self) -> None:
        """Put tags, writers, pictures and pages of comments: some of them, linked from everywhere."""
        desk, chance = self.desk, self.chance
        if chance.random() < 0.6:
            form = chance.choice(["/tag/{}", "/topics/{}/", "/thema/{}", "/tags.php?t={}"])
            tags = desk.put_tags(lambda tag: form.format(tag.replace(" ", "-")))
            self.others += tags
            desk.frame.footer += [(url, "#") for url in tags[:5]]
        if chance.random() < 0.5:
            form = chance.choice(["/author/{}", "/people/{}.html", "/autor/{}/"])
            for number, writer in enumerate(desk.frame.tongue.people):
                own = [(story, url) for story, url in desk.entries if story.author == writer][:6]
                place = desk.put(form.format(f"{number}-{writer.replace(' ', '-')}"), desk.frame.listing(writer, own))
                self.others.append(place)
                desk.frame.footer.append((place, writer))
        if chance.random() < 0.4:
            for story in desk.stories[::5]:
                body = f'<h1>{escape(story.title)}</h1><img src="/i/{story.key}.jpg" alt="">'
                place = desk.put(f"/gallery/{story.key}", desk.frame.whole(story.title, body))
                desk.site.either.add(place)
                self.others.append(place)
            desk.frame.menu.append((desk.put("/gallery", desk.frame.listing("Gallery", [])), "Gallery"))
            self.others.append(desk.url("/gallery"))

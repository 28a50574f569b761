"""Sites on which a look may go wrong: what must be said of each, and what may come of it."""

from __future__ import annotations

import gzip
import re
from dataclasses import dataclass, field
from datetime import date, timedelta
from html import escape
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

from tests.newcomers import announcements as write
from tests.newcomers.desk import HTML, RSS, TEXT, XML, Answer, Desk, Newcomer

if TYPE_CHECKING:
    from collections.abc import Callable

GIGABYTE = 1024**3


@dataclass(frozen=True)
class Ground:
    """A hostile site, and what is expected of a look at it."""

    make: Callable[[str], Newcomer]
    problems: frozenset[str] = frozenset()
    """Kinds that are to be told, beside any others."""
    writes: bool = False
    """Whether a source comes of it."""
    most_bytes: int = 64 * 1024**2
    """That the server may have sent."""
    settings: dict[str, Any] = field(default_factory=dict)
    """Keys of settings.yaml, so that no test waits for hours."""

    @property
    def name(self) -> str:
        """Of the site."""
        return self.make.__name__


def _paper(root: str, count: int = 30) -> Desk:
    """A decent paper with a feed, for what is added to it."""
    desk = Desk("Oldhaven Herald", root, "en", "schema", count, 91, lambda story: f"/news/{story.slug}")
    desk.frame.head = '<link rel="alternate" type="application/rss+xml" href="/rss.xml">'
    desk.put_articles()
    desk.put("/", desk.frame.listing("Oldhaven Herald", desk.entries[:12]))
    desk.put("/rss.xml", write.write_rss("Oldhaven Herald", root, desk.entries), RSS)
    desk.put_robots()
    return desk


def robots_out_of_order(root: str) -> Newcomer:
    """robots.txt answers 503, so nothing may be fetched."""
    desk = _paper(root)
    desk.put("/robots.txt", Answer(b"try again", 503, TEXT))
    return desk.site


def robots_forbids_all(root: str) -> Newcomer:
    """robots.txt wants no crawler."""
    desk = _paper(root)
    desk.put_robots("Disallow: /")
    return desk.site


def endless_calendar(root: str) -> Newcomer:
    """Beside the news a calendar whose every day leads to the next, for ever."""
    desk = _paper(root)
    desk.frame.menu = [("/events/2026-11-20", "Events"), ("/", "News")]
    desk.put(
        "/",
        desk.frame.listing(
            "Oldhaven Herald",
            desk.entries[:12],
            more=[(f"/events/2026-11-{n}", f"{n} November") for n in range(10, 31)],
        ),
    )

    def show(url: str) -> Answer:
        found = re.fullmatch(r"/events/(\d{4}-\d\d-\d\d)", urlsplit(url).path)
        if not found:
            return Answer(b"<h1>404</h1>", 404)
        day = date.fromisoformat(found[1])
        days = [(f"/events/{day + timedelta(step)}", f"{day + timedelta(step)}") for step in range(-7, 8)]
        return Answer(desk.frame.listing(f"Events on {day}", [], more=days, next_url=f"/events/{day + timedelta(1)}"))

    desk.site.otherwise = show
    return desk.site


def login_wall(root: str) -> Newcomer:
    """Every page leads to a form for a password."""
    desk = Desk("Private Post", root, "en", "semantic", 1, 92, lambda story: f"/{story.slug}")
    form = (
        '<h1>Log in</h1><form method="post" action="/login"><input name="user"><input type="password" name="password">'
        "<button>Log in</button></form>"
    )
    desk.put("/login", desk.frame.whole("Log in", form))
    desk.put_robots()

    def show(url: str) -> Answer:
        parts = urlsplit(url)
        return (
            desk.site.pages[desk.url("/login")]
            if parts.path == "/login"
            else Answer(b"", 302, headers=(("Location", f"/login?next={quote(parts.path)}"),))
        )

    desk.site.otherwise = show
    return desk.site


def redirect_loop(root: str) -> Newcomer:
    """The home page leads in a circle; robots.txt leads on and on."""
    site = Newcomer("redirect_loop", f"{root}/")

    def show(url: str) -> Answer:
        path = urlsplit(url).path
        target = {"/": "/a", "/a": "/b", "/b": "/"}.get(path, f"{path}0")
        return Answer(b"", 302, headers=(("Location", target),))

    site.otherwise = show
    return site


def private_addresses(root: str) -> Newcomer:
    """Feed, sitemap, sections and articles are at addresses of a cloud's metadata and of other networks."""
    desk = _paper(root)
    away = [f"http://169.254.169.254/latest/meta-data/iam/{n}" for n in range(5)]
    desk.put_robots(
        "Sitemap: http://169.254.169.254/sitemap.xml",
        "Sitemap: http://[fe80::1]/sitemap.xml",
        "Sitemap: file:///etc/passwd",
    )
    desk.frame.head = (
        '<link rel="alternate" type="application/rss+xml" href="http://169.254.169.254/feed">'
        '<link rel="alternate" type="application/rss+xml" href="file:///etc/passwd">'
    )
    desk.put(
        "/",
        desk.frame.listing(
            "Oldhaven Herald",
            [],
            more=[(url, "Budget") for url in away] + [("javascript:alert(1)", "Alert"), ("/rss.xml", "RSS")],
        ),
    )
    desk.put(
        "/rss.xml",
        write.write_rss("Oldhaven Herald", root, [(story, away[story.number % 5]) for story in desk.stories]),
        RSS,
    )
    desk.site.articles.clear()
    desk.put("/feed", Answer(b"", 302, headers=(("Location", "http://169.254.169.254/feed"),)))
    return desk.site


def led_away(root: str) -> Newcomer:
    """The home page leads to where a cloud keeps its keys."""
    site = Newcomer("led_away", f"{root}/")
    site.pages[f"{root}/robots.txt"] = Answer(b"User-agent: *\nDisallow:\n", media_type=TEXT)
    site.otherwise = lambda _: Answer(b"", 302, headers=(("Location", "http://169.254.169.254/latest/meta-data/"),))
    return site


def endless_feed(root: str) -> Newcomer:
    """A feed of a gigabyte; the sitemap is one, too."""
    desk = _paper(root)
    item = "".join(
        f"<item><title>{escape(story.title)}</title><link>{url}</link></item>" for story, url in desk.entries
    ).encode()
    start = b'<?xml version="1.0"?><rss version="2.0"><channel><title>Endless</title>'
    desk.put("/rss.xml", Answer(item, media_type=RSS, repeat=GIGABYTE // len(item), start=start))
    entry = "".join(f"<url><loc>{url}</loc></url>" for _, url in desk.entries).encode()
    begin = b'<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">'
    desk.put("/sitemap.xml", Answer(entry, media_type=XML, repeat=GIGABYTE // len(entry), start=begin))
    return desk.site


def packed_bombs(root: str) -> Newcomer:
    """A home page, a feed and a sitemap that are small on the way and very large once unpacked."""
    desk = _paper(root)
    coded = (("Content-Encoding", "gzip"),)
    bomb = gzip.compress(b"<rss><channel>" + b"<item><title>A</title>" * 4_000_000, 9)
    desk.put("/rss.xml", Answer(bomb, media_type=RSS, headers=coded))
    desk.put("/sitemap.xml", Answer(gzip.compress(bytes(200_000_000), 9), media_type=XML, headers=coded))
    desk.put("/", Answer(gzip.compress(b"<div>" * 20_000_000, 9), headers=coded))
    return desk.site


def look_alike(root: str) -> Newcomer:
    """The home page says that it is at another name, whose letters look the same, and announces articles there."""
    desk = _paper(root)
    port = urlsplit(root).port
    other = f"http://xn--ldhaven-8ig.example:{port}"  # оldhaven with a Cyrillic о
    moved = [(story, f"{other}/news/{story.slug}") for story in desk.stories]
    desk.frame.head = f'<link rel="canonical" href="{other}/">'
    desk.frame.head += f'<link rel="alternate" type="application/rss+xml" href="{other}/rss.xml">'
    for home in ("/", f"{other}/"):
        desk.put(home, desk.frame.listing("Oldhaven Herald", moved[:12]))
    desk.put("/rss.xml", write.write_rss("Oldhaven Herald", other, moved), RSS)
    desk.put(f"{other}/rss.xml", write.write_rss("Oldhaven Herald", other, moved), RSS)
    desk.put(f"{other}/robots.txt", b"User-agent: *\nDisallow:\n", TEXT)
    for story, url in moved:
        desk.put(url, desk.frame.article(story, url))
    desk.site.articles.clear()
    return desk.site


def moved_to_look_alike(root: str) -> Newcomer:
    """The home page leads to a name whose letters look the same."""
    site = look_alike(root)
    port = urlsplit(root).port
    site.pages[site.home] = Answer(b"", 301, headers=(("Location", f"http://xn--ldhaven-8ig.example:{port}/"),))
    return site


def answers_everything(root: str) -> Newcomer:
    """Whatever is asked for is there, and leads to twenty further pages."""
    desk = Desk("Anything", root, "en", "schema", 20, 93, lambda story: f"/{story.slug}")

    def show(url: str) -> Answer:
        path = urlsplit(url).path.rstrip("/")
        return Answer(desk.frame.listing("Anything", [(story, f"{path}/{story.slug}") for story in desk.stories]))

    desk.site.otherwise = show
    return desk.site


def says_no_with_200(root: str) -> Newcomer:
    """Whatever is not there is a page that says so, with status 200; robots.txt and feeds are such pages."""
    desk = Desk("Marlock Mail", root, "en", "divs", 40, 94, lambda story: f"/story/{story.key}/{story.slug}")
    desk.frame.menu = [("/latest", "Latest")]
    desk.put_articles()
    desk.put("/", desk.frame.listing("Marlock Mail", desk.entries[:10]))
    desk.put_list("/latest", "Latest", desk.entries, page="/latest/{}")
    missing = desk.frame.whole(
        "Page not found", "<h1>Page not found</h1><p>Sorry, the page that you were looking for does not exist.</p>"
    )
    desk.site.otherwise = lambda _: Answer(missing)
    return desk.site


def sitemap_bomb(root: str) -> Newcomer:
    """An index of fifty thousand sitemaps, each of which is such an index."""
    desk = _paper(root)
    desk.put_robots(*(f"Sitemap: {root}/maps/{n}.xml" for n in range(500)))
    index = write.write_sitemap_index(f"{root}/maps/{n}.xml" for n in range(50_000))
    desk.site.otherwise = lambda url: Answer(index, media_type=XML) if "/maps/" in url else Answer(b"<h1>404</h1>", 404)
    return desk.site


def slow_to_let(root: str) -> Newcomer:
    """robots.txt asks for an hour between two requests."""
    desk = _paper(root)
    desk.put_robots("Crawl-delay: 3600", "Disallow:")
    return desk.site


def poisoned_words(root: str) -> Newcomer:
    """Titles, names and addresses that would harm a YAML file, a terminal, a pattern or a shell that trusts them."""
    desk = Desk("Herald", root, "en", "schema", 30, 95, lambda story: f"/n'{{}}/(a+)+$/{story.slug}%0Aid:%20evil")
    evil = (
        'Herald"\nnetwork: private\nheaders: {Authorization: ${AWS_SECRET_ACCESS_KEY}}\n# '
        "\x1b[2J\x1b]0;owned\x07 \u202e\u2028 !!python/object:os.system {} [x]"
    )
    desk.frame.name = evil
    feed = "/rss.xml?a=%0Ab:%20c&d=%27%22"
    alternate = f'<link rel="alternate" type="application/rss+xml" title="{escape(evil)}" href="{escape(feed)}">'
    desk.frame.head = f'<meta property="og:site_name" content="{escape(evil)}">{alternate}'
    desk.put_articles()
    desk.put("/", desk.frame.listing(evil, desk.entries[:12]))
    clean = "".join(letter for letter in evil if letter.isprintable() or letter == "\n")
    desk.put(feed, write.write_rss(clean, root, desk.entries), RSS)
    desk.put_robots()
    return desk.site


def nothing_there(root: str) -> Newcomer:
    """An empty page."""
    site = Newcomer("nothing_there", f"{root}/")
    site.pages[site.home] = Answer(b"", media_type=HTML)
    return site


def hangs(root: str) -> Newcomer:
    """Takes requests and answers none."""
    site = Newcomer("hangs", f"{root}/")
    site.otherwise = lambda _: Answer(b"late", seconds=600)
    return site


HOSTILE = [
    Ground(robots_out_of_order, frozenset({"robots_refuses"})),
    Ground(robots_forbids_all, frozenset({"robots_refuses"})),
    Ground(endless_calendar, frozenset({"endless_calendar"}), writes=True),
    Ground(login_wall, frozenset({"login_wall"})),
    Ground(redirect_loop, frozenset({"redirect_loop"})),
    Ground(private_addresses, frozenset({"private_address", "no_articles"})),
    Ground(led_away, frozenset({"private_address"})),
    Ground(endless_feed, frozenset({"cut"}), writes=True, settings={"max_body_bytes": 4 * 1024**2}),
    Ground(packed_bombs, frozenset({"missing", "no_articles"})),
    Ground(look_alike, frozenset({"look_alike", "no_articles"})),
    Ground(moved_to_look_alike, frozenset({"other_site"})),
    Ground(answers_everything, frozenset({"answers_everything", "no_articles"})),
    Ground(says_no_with_200, frozenset({"answers_everything"}), writes=True),
    Ground(sitemap_bomb, frozenset({"endless_sitemaps"}), writes=True),
    Ground(slow_to_let, writes=True, settings={"max_crawl_delay_seconds": 0.2}),
    Ground(poisoned_words, writes=True),
    Ground(nothing_there, frozenset({"missing", "no_articles"})),
    Ground(hangs, frozenset({"robots_refuses"}), settings={"request_seconds": 3}),
]

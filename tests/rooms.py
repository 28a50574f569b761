"""An archive to be read in the room: three sources of tests/site over the real command, an article that was edited,
restored and taken away, a live blog that moved on, and pages that attack whoever shows them. And the room, served.

The fixtures are in tests/conftest.py, made once a test process: `room_archive` (only to be read), `room_library`,
`room_client`.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from html import escape
from typing import TYPE_CHECKING
from urllib.parse import quote

import httpx
import yaml

from config.loading import load_settings
from config.settings import Settings
from config.sources import load_sources
from crawler.workers.batch import SharedPool
from jobs.context import open_archive
from jobs.room.desk import Desk
from jobs.room.library import Library
from jobs.room.reading_store import OnlyReading
from jobs.search.index import INDEX_FILE, SearchIndex
from tests.installation import Ofrecord, write_config
from tests.site.pages import ENGLISH, LIVE_PATH, Answer, Phase, answer
from tests.site.server import Site

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from starlette.types import ASGIApp

    from config.sources import Source
    from jobs.archive.identity import ArchiveInfo
    from jobs.catalog import Catalog
    from jobs.store import ObjectStore

BASE = "http://127.0.0.1:8460"
SOURCE, ARABIC_SOURCE, SPANISH_SOURCE = "almayadeen-english", "almayadeen-arabic", "almayadeen-spanish"
LIVE_URL = f"https://{ENGLISH}{LIVE_PATH}"
TRACKER = "tracker.example"
"""A host that the planted page names, and that nobody may ask."""
MARK = "pwned"
"""What the planted scripts would set: `window.pwned`, `document.title`."""
PLANTED_TITLE = (
    f"<script>window.{MARK}=1</script><img src=x onerror=window.{MARK}=2> \u202eesrever\u202c & \"quoted\" 'it'"
)
_PLANTED_NAME = quote(f'"><script>window.{MARK}()<', safe="()")
PLANTED_URL = f"https://{ENGLISH}/news/politics/{_PLANTED_NAME}"
"""As the archive has it: with its markup percent-encoded."""
PIXEL = bytes.fromhex("47494638396101000100800000000000ffffff21f90401000000002c00000000010001000002024401003b")
SHEET_URL, PICTURE_URL, DRAWING_URL = (
    f"https://{ENGLISH}/planted/{name}" for name in ("style.css", "picture.gif", "drawing.svg")
)
"""Recorded as assets of the planted page."""


@dataclass(frozen=True)
class Room:
    """An archive with its configuration and the command that reads it."""

    folder: Path
    ofrecord: Ofrecord

    @property
    def archive(self) -> Path:
        """Folder of the archive."""
        return self.folder / "archive"

    def find_url(self, source: str) -> str:
        """Return the URL of the first article of *source*."""
        return str(self.ofrecord("list", "--source", source, "--json").rows()[0]["url"])

    def load_settings(self, state: Path | None = None) -> Settings:
        """Return the settings of the command. *state*: another folder of local state."""
        settings = load_settings(self.ofrecord.config)
        return settings if state is None else settings.override(state_dir=state)


def make_room(folder: Path) -> Room:
    """Make the archive below *folder*."""
    with Site() as site:
        room = _install(folder, site)
        room.ofrecord("init")
        plant(site, "The council met and agreed that the bridge will be built.")
        room.ofrecord("crawl", SOURCE, ARABIC_SOURCE, SPANISH_SOURCE)
        plant(site, f"The council met again, and <em>{escape(PLANTED_TITLE)}</em> will be built.")
        site.live = 2
        for phase in _LATER:
            site.phase = phase
            room.ofrecord("crawl", SOURCE, "--recheck", "all")
    return room


_LATER: tuple[Phase, ...] = ("edited", "2025", "gone", "gone")


def _install(folder: Path, site: Site) -> Room:
    closed = [f"{host}:443:127.0.0.1:9" for host in (TRACKER, *_NOBODY)]
    config = write_config(
        folder / "config",
        site,
        archive=folder / "archive",
        state=folder / "state",
        resolve=[*site.resolve, *closed],
        workers=1,
        page_seconds=60,
    )
    path = config / "sources" / f"{SOURCE}.yaml"
    source = yaml.safe_load(path.read_text("utf-8"))
    few = [one for one in source["discover"] if one.get("section", "").count("/") in {0, 3, 5}]
    path.write_text(yaml.safe_dump({**source, "discover": few, "assets": "page"}, sort_keys=False), "utf-8")
    (folder / "home").mkdir()
    return Room(folder, Ofrecord(config, folder / "home"))


_NOBODY = (
    "pixel.example.invalid",
    "media.example.invalid",
    "securepubads.example.invalid",
    "platform.twitter.com",
    "www.youtube.com",
)
"""Hosts that the site's pages name: nobody may be asked for them, not even a name server."""


def plant(site: Site, words: str) -> None:
    """Have the English feed announce a page that attacks whoever shows it, and that says *words* (HTML)."""
    item = f"<item><title>Planted</title><link>{PLANTED_URL}</link></item>".encode()
    feed = answer(ENGLISH, "/feed.rss", site.state)
    pages = {
        f"https://{ENGLISH}/feed.rss": replace(feed, body=feed.body.replace(b"<item>", item + b"<item>", 1)),
        PLANTED_URL.replace("()", "%28%29"): Answer(  # as the site looks for it
            body=make_planted(words).encode(), headers=(("X-Planted", f"<script>window.{MARK}=4</script>"),)
        ),
        SHEET_URL: Answer(body=_SHEET.encode(), media_type="text/css"),
        PICTURE_URL: Answer(body=PIXEL, media_type="image/gif"),
        DRAWING_URL: Answer(body=_DRAWING.encode(), media_type="image/svg+xml"),
    }
    site.answers.update(pages)


def make_planted(words: str) -> str:
    """Return the page: all that is hostile in one that reads like an article."""
    title = escape(PLANTED_TITLE)
    paragraphs = "".join(f"<p>{words} Day {day} of the talks, as the speaker said.</p>" for day in range(6))
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title>
<base href="https://{TRACKER}/base/">
<meta http-equiv="refresh" content="0;url=https://{TRACKER}/refresh">
<meta property="og:title" content="{title}">
<meta name="author" content="&lt;script&gt;window.{MARK}=5&lt;/script&gt;">
<meta property="article:published_time" content="2023-11-07T11:30:00Z">
<link rel="canonical" href="{PLANTED_URL}">
<link rel="stylesheet" href="{SHEET_URL}">
<link rel="stylesheet" href="https://{TRACKER}/style.css">
<link rel="preconnect" href="https://{TRACKER}"><link rel="dns-prefetch" href="//{TRACKER}">
<link rel="icon" href="https://{TRACKER}/favicon.ico">
<script>window.{MARK}=6;document.title="{MARK}";top.{MARK}=6;fetch("https://{TRACKER}/fetch")</script>
<script src="https://{TRACKER}/script.js"></script>
<style>@import url("https://{TRACKER}/import.css"); body {{ background: url(https://{TRACKER}/css.gif) }}</style>
</head><body onload="window.{MARK}=7" background="https://{TRACKER}/background.gif">
<main class="container"><div class="details-white-box">
<h1>{title}</h1>
<ul class="details-list"><li class="author">By &lt;script&gt;window.{MARK}=8&lt;/script&gt;</li></ul>
<p class="summary">{title}</p>
<figure class="main-image"><img src="{PICTURE_URL}" srcset="{PICTURE_URL} 1x, https://{TRACKER}/2x.gif 2x"
 alt="A bridge" onerror="window.{MARK}=9" onload="window.{MARK}=10"></figure>
<div class="p-content">
{paragraphs}
<img src="{DRAWING_URL}" alt="A drawing">
<img src="https://{TRACKER}/pixel.gif?id=1" width="1" height="1" alt="" style="background:url(https://{TRACKER}/style.gif)">
<p><a href="javascript:window.{MARK}=11">a link</a> <a href="https://{TRACKER}/link" ping="https://{TRACKER}/ping">another</a></p>
<form action="https://{TRACKER}/form" method="post"><input name="word"><button formaction="https://{TRACKER}/button">Send</button></form>
<iframe src="https://{TRACKER}/frame"></iframe><iframe srcdoc="&lt;script&gt;top.{MARK}=12&lt;/script&gt;"></iframe>
<object data="https://{TRACKER}/object"></object><embed src="https://{TRACKER}/embed">
<video src="https://{TRACKER}/film.mp4" poster="https://{TRACKER}/poster.gif" autoplay></video>
<svg><script>window.{MARK}=13</script><a xlink:href="javascript:window.{MARK}=14"><text>x</text></a>
<image href="https://{TRACKER}/svg.gif"/></svg>
<math><mtext><table><mglyph><style><img src=x onerror="window.{MARK}=15"></style></mglyph></table></mtext></math>
</div></div></main></body></html>
"""


_SHEET = f"""@import "https://{TRACKER}/sheet-import.css";
h1 {{ color: rgb(1, 2, 3); background: url("https://{TRACKER}/sheet.gif") }}
p {{ background: url(picture.gif) }}
"""
_DRAWING = f"""<svg xmlns="http://www.w3.org/2000/svg" width="10" height="10" onload="window.{MARK}=16">
<script>window.{MARK}=17</script><image href="https://{TRACKER}/drawing.gif" width="1" height="1"/></svg>
"""


@contextmanager
def lend_library(room: Room, state: Path) -> Iterator[Library]:
    """Lend what a room in this process reads in. *state*: an empty folder for catalog and index."""
    settings = room.load_settings(state)
    with ExitStack() as stack:
        archive = stack.enter_context(open_archive(settings))
        archive.refresh()
        for source in archive.catalog.list_logs():
            archive.catalog.tally_health(source, datetime.now(UTC))
        with SearchIndex.open(archive.state / INDEX_FILE) as index:
            index.fold(archive.catalog, archive.info.archive)
        sources = load_sources(room.ofrecord.config / "sources")
        library = Library(archive.store, archive.info, settings, sources, archive.state)
        stack.callback(library.close)
        yield library


def lay_desk(
    catalog: Catalog,
    index: SearchIndex,
    store: ObjectStore,
    info: ArchiveInfo,
    state: Path,
    now: datetime,
    *,
    sources: Mapping[str, Source] | None = None,
    settings: Settings | None = None,
    base: str = BASE,
) -> Desk:
    """Return a desk over what a test made, for views that ask no worker: its pool is never started."""
    return Desk(
        catalog=catalog,
        index=index,
        store=OnlyReading(store),
        info=info,
        settings=settings or Settings(),
        sources=sources or {},
        state=state,
        now=now,
        base=base,
        pool=SharedPool(1, 1.0, 1 << 30),
    )


class Client:
    """Asks an application in this process, without a socket; raises what it raises."""

    def __init__(self, app: ASGIApp, base: str = BASE) -> None:
        self._app = app
        self._base = base

    def get(self, path: str, **headers: str) -> httpx.Response:
        """Return the answer to GET. *headers*: `if_none_match=…`."""
        return self.ask("GET", path, {name.replace("_", "-"): value for name, value in headers.items()})

    def ask(self, method: str, path: str, headers: Mapping[str, str] | None = None) -> httpx.Response:
        """Return the answer."""
        return asyncio.run(self._ask(method, path, headers or {}))

    async def _ask(self, method: str, path: str, headers: Mapping[str, str]) -> httpx.Response:
        transport = httpx.ASGITransport(self._app)
        async with httpx.AsyncClient(transport=transport, base_url=self._base) as client:
            return await client.request(method, path, headers=headers)


@contextmanager
def serve_room(room: Room, *words: str | Path) -> Iterator[str]:
    """Run the real `ofrecord serve` on a free port; yield its address, without a slash at the end.

    *words*: more of its options. What it printed on standard error is raised if it does not start.
    """
    log = room.folder / "serve.jsonl"  # a pipe that nobody reads would fill
    process = room.ofrecord.start("serve", "--listen", "127.0.0.1:0", "--json", "--log-file", log, *words)
    try:
        if process.stdout is None:
            raise RuntimeError("no pipe")
        line = process.stdout.readline()
        if not line:
            raise AssertionError(f"ofrecord serve ended with {process.wait()}: {process.communicate()[1][-2000:]}")
        yield json.loads(line)["url"].rstrip("/")
    finally:
        process.terminate()
        try:
            process.communicate(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()

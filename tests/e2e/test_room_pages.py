"""All pages of the room in real Chromium, signed in by the form: nobody is shut out by them, their HTML is sound, they
work without scripts and on a telephone, nothing in them runs or leads outside, whatever the archive says.
"""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urljoin

import feedparser
import httpx
import pytest
import yaml
from playwright.sync_api import expect
from selectolax.lexbor import LexborHTMLParser

from jobs.room import addresses
from jobs.room.endpoints import Page as PageEndpoint
from jobs.room.views import ENDPOINTS
from tests.browsers import needs_browser
from tests.readers import count_knocks, find_barriers, find_errors, needs_axe, needs_validator, picture
from tests.rooms import (
    ARABIC_SOURCE,
    DRAWING_URL,
    LIVE_URL,
    MARK,
    PLANTED_TITLE,
    PLANTED_URL,
    SOURCE,
    SPANISH_SOURCE,
    TRACKER,
    Room,
    serve_room,
)
from tests.site.pages import SEED_URL

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, BrowserContext, Dialog, Page

    from tests.readers import Doorbell

pytestmark = [needs_browser, pytest.mark.slow]
SECRET = "correct-horse-battery-staple"
NAME = f"<script>window.{MARK}=20</script><img src=x onerror=window.{MARK}=21>"
"""What a source of this room is called."""
ATTACK = f'"><script>window.{MARK}=22</script><img src=x onerror=window.{MARK}=23>'
"""What a reader is led to ask for."""
PICTURED = {"front", "search", "article", "arabic", "live", "compare", "side", "capture", "source", "ledger", "sources"}


@dataclass
class Shelf:
    """The room that is served, and a path of each kind of page in it."""

    base: str
    client: httpx.Client
    """Of a program that knows the secret."""
    arabic: str = ""
    """URL of the Arabic article."""
    pages: dict[str, str] = field(default_factory=dict)

    def ask(self, path: str) -> httpx.Response:
        """Return the answer to that program."""
        return self.client.get(self.base + path)

    def tell(self, path: str) -> Any:
        """Return the twin of the page at *path*."""
        front, mark, asked = path.partition("?")
        return self.ask(f"{'/index' if front == '/' else front}.json{mark}{asked}").raise_for_status().json()

    def find_url(self, source: str) -> str:
        """Return the URL of the newest article of *source*."""
        return str(self.tell(addresses.search(source=source))["hits"][0]["url"])

    def find_capture(self, url: str, verdict: str) -> str:
        """Return the path of a capture of *url* that came to *verdict*."""
        captures = self.tell(addresses.article(SOURCE, url))["captures"]
        one = next(one for one in captures if one["verdict"] == verdict)
        return addresses.capture(one["segment"], one["n"])


def list_pages(shelf: Shelf) -> dict[str, str]:
    """Return name → path: every kind of page, full and empty, tame and planted."""
    first = shelf.tell(addresses.source(SOURCE, "runs"))["runs"][-1]
    return {
        "front": addresses.front(),
        "front-all": addresses.front(what="all"),
        "front-none": addresses.front(source=SPANISH_SOURCE, silent="true", since="2020-01-01", until="2020-01-02"),
        "about": addresses.about(),
        "search": addresses.search(words="humanitarian"),
        "search-all": addresses.search(),
        "search-none": addresses.search(words=ATTACK, section=ATTACK, author=ATTACK),
        "search-wrong": addresses.search(words='"'),
        "sources": addresses.sources(),
        "source": addresses.source(SOURCE),
        "source-planted": addresses.source(SPANISH_SOURCE),
        "runs": addresses.source(SOURCE, "runs"),
        "run": addresses.run(SOURCE, first["run"]),
        "ledger": addresses.source(SOURCE, "ledger"),
        "ledger-day": addresses.source(SOURCE, "ledger", day=first["started"][:10]),
        "rechecks": addresses.source(SOURCE, "rechecks"),
        "commits": addresses.source(SOURCE, "commits", check="true"),
        "article": addresses.article(SOURCE, SEED_URL),
        "article-before": addresses.article(SOURCE, SEED_URL, 1),
        "arabic": addresses.article(ARABIC_SOURCE, shelf.arabic),
        "live": addresses.article(SOURCE, LIVE_URL),
        "planted": addresses.article(SOURCE, PLANTED_URL),
        "compare": addresses.compare(SOURCE, SEED_URL, 1, 2),
        "side": addresses.compare(SOURCE, SEED_URL, 1, 2, "side"),
        "compare-live": addresses.compare(SOURCE, LIVE_URL, 1, 2),
        "compare-planted": addresses.compare(SOURCE, PLANTED_URL, 1, 2, "side"),
        "capture": shelf.find_capture(SEED_URL, "new"),
        "capture-gone": shelf.find_capture(SEED_URL, "gone"),
        "capture-planted": shelf.find_capture(PLANTED_URL, "revised"),
        "not-there": f"/{quote(ATTACK, safe='')}",
        "no-article": addresses.article(SOURCE, ATTACK),
        "login": f"/login?to={quote(f'/search?words={ATTACK}', safe='')}",
    }


@pytest.fixture(scope="module")
def shelf(room_archive: Room, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shelf]:
    folder = tmp_path_factory.mktemp("pages")
    config = shutil.copytree(room_archive.ofrecord.config, folder / "config")
    path = config / "sources" / f"{SPANISH_SOURCE}.yaml"
    path.write_text(yaml.safe_dump({**yaml.safe_load(path.read_text("utf-8")), "name": NAME}), "utf-8")
    (folder / "secret").write_text(SECRET, "utf-8")
    (folder / "secret").chmod(0o600)
    room = Room(folder, replace(room_archive.ofrecord, config=config))
    headers = {"Authorization": f"Bearer {SECRET}"}
    with (
        serve_room(room, "--token-file", folder / "secret", "--state", folder / "state") as base,
        httpx.Client(headers=headers, trust_env=False, timeout=30) as client,
    ):
        shelf = Shelf(base, client)
        shelf.arabic = shelf.find_url(ARABIC_SOURCE)
        shelf.pages = list_pages(shelf)
        yield shelf


@dataclass
class Seen:
    """What a browser did on its pages."""

    asked: list[str] = field(default_factory=list)
    noise: list[str] = field(default_factory=list)
    dialogs: list[str] = field(default_factory=list)

    def note_dialog(self, dialog: Dialog) -> None:
        """Keep what *dialog* says, and close it."""
        self.dialogs.append(dialog.message)
        dialog.dismiss()


def open_reader(browser: Browser, shelf: Shelf, **options: Any) -> tuple[BrowserContext, Page, Seen]:
    """Return a page of a reader who has just signed in."""
    context = browser.new_context(**options)
    page = context.new_page()
    seen = Seen()
    page.on("request", lambda request: seen.asked.append(request.url))
    page.on("pageerror", lambda error: seen.noise.append(f"{page.url}: {error}"))
    page.on("dialog", seen.note_dialog)
    page.on("console", lambda told: seen.noise.append(f"{page.url}: {told.text}") if told.type == "error" else None)
    page.goto(f"{shelf.base}/sources")
    page.get_by_label("Secret of this room").fill(SECRET)
    page.get_by_role("button", name="Come in").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Sources")
    assert page.url == f"{shelf.base}/sources"
    seen.noise.clear()  # that it was turned away at first
    return context, page, seen


def test_no_kind_of_page_is_left_out(shelf: Shelf) -> None:
    known = {one.name for one in ENDPOINTS if isinstance(one, PageEndpoint)}
    assert known == {name.partition("-")[0] for name in shelf.pages} & known


@needs_validator
def test_html_is_sound(shelf: Shelf, tmp_path: Path) -> None:
    pages = {name: shelf.ask(path).text for name, path in shelf.pages.items()}
    assert all(text.startswith("<!DOCTYPE html>") for text in pages.values())
    broken = pages["front"].replace("</main>", "<button><a href=x>two in one</a></button></main>")
    errors = find_errors({**pages, "broken": broken}, tmp_path)
    assert errors
    assert [one for one in errors if not one.startswith("broken:")] == []


def test_every_link_leads_somewhere(shelf: Shelf) -> None:
    """In the room, down to the place in a page; outside, to the publisher's own page alone."""
    answers: dict[str, httpx.Response] = {}
    dead: list[str] = []
    for name, path in shelf.pages.items():
        answers[path] = shelf.ask(path)
        for link in LexborHTMLParser(answers[path].content).css("[href], iframe"):
            target = urljoin(shelf.base + path, link.attributes.get("href") or link.attributes.get("src") or "")
            inside, _, place = target.removeprefix(shelf.base).partition("#")
            if not inside.startswith("/"):
                assert link.attributes.get("href", "") in {SEED_URL, LIVE_URL, PLANTED_URL, shelf.arabic}, name
                continue
            if inside not in answers:
                answers[inside] = shelf.ask(inside)
            if inside not in shelf.pages.values() and answers[inside].status_code >= 400:
                dead.append(f"{name}: {inside}: {answers[inside].status_code}")
            elif place and LexborHTMLParser(answers[inside].content).css_first(f'[id="{place}"]') is None:
                dead.append(f"{name}: {inside}: no {place}")
    assert len(answers) > 200
    assert dead == []


@needs_axe
def test_no_page_shuts_anyone_out_and_all_fit_a_telephone(browser: Browser, shelf: Shelf) -> None:
    context, page, seen = open_reader(browser, shelf, color_scheme="light", reduced_motion="reduce")
    barriers: list[str] = []
    too_wide: list[str] = []
    for name, path in shelf.pages.items():
        page.goto(shelf.base + path)
        barriers += [f"{name}: {one}" for one in find_barriers(page)]
        page.emulate_media(color_scheme="dark")
        barriers += [f"{name}, dark: {one}" for one in find_barriers(page, "color-contrast")]
        page.emulate_media(color_scheme="light")
        page.set_viewport_size({"width": 320, "height": 800})
        width = page.evaluate("() => document.documentElement.scrollWidth")
        if width > 320:
            too_wide.append(f"{name}: {width}")
        page.set_viewport_size({"width": 1280, "height": 800})
        if name in PICTURED:
            picture(page, name)
            page.set_viewport_size({"width": 1280, "height": 800})
    assert barriers == []
    assert too_wide == []
    assert [one for one in seen.noise if "status of 40" not in one] == []
    page.goto(shelf.base)
    page.evaluate(
        "() => { const main = document.querySelector('main'); main.innerHTML = '<img src=/mark.svg><p>faint</p>';"
        " main.lastChild.style.color = '#ddd'; }"
    )
    assert {one.partition(":")[0] for one in find_barriers(page)} >= {"image-alt", "color-contrast"}
    context.close()


def test_pages_tell_the_same_without_scripts(browser: Browser, shelf: Shelf) -> None:
    lively, moved, _ = open_reader(browser, shelf)
    still, left, _ = open_reader(browser, shelf, java_script_enabled=False)
    for name, path in shelf.pages.items():
        told: list[str] = []
        for page in (moved, left):
            page.goto(shelf.base + path)
            told.append(re.sub("[0-9]+", "0", page.locator("main").inner_text()))  # a plan begins at this minute
        assert told[0].replace("\nCopy", "") == told[1], name
        assert told[1]
        assert moved.locator("main [hidden]").count() == 0, name
        assert left.locator("main button.copy:visible").count() == 0, name
    lively.close()
    still.close()


def test_nothing_the_archive_says_runs_or_leads_outside(browser: Browser, bell: Doorbell, shelf: Shelf) -> None:
    """Not even without the policy that pages are sent with: the texts themselves are harmless."""
    context, page, seen = open_reader(browser, shelf, bypass_csp=True)
    bell.knocks.clear()
    for name, path in shelf.pages.items():
        page.goto(shelf.base + path)
        marks = [one.evaluate(f"() => window.{MARK}") for one in page.frames]
        assert marks == [None] * len(page.frames), name
        assert page.evaluate(f"() => !document.title.startsWith('{MARK}')"), name
        written = page.evaluate(
            "() => [...document.querySelectorAll('*')].flatMap((one) => [...one.attributes])"
            ".filter((one) => /^(on|style$|srcdoc$|ping$|formaction$)/i.test(one.name)"
            " || /^\\s*(javascript|data):/i.test(one.value)).map((one) => one.name + '=' + one.value)"
        )
        assert written == [], name
    page.wait_for_timeout(500)
    assert page.evaluate(f"() => {{ window.{MARK} = 1; return window.{MARK}; }}") == 1
    assert seen.dialogs == []
    assert [url for url in seen.asked if not url.startswith((f"{shelf.base}/", "data:"))] == []
    assert [one for one in bell.knocks if TRACKER.encode() in one] == []
    context.close()


def test_what_was_planted_is_told_letter_by_letter(browser: Browser, shelf: Shelf) -> None:
    """Title, text, address, header, name of a source, words of a search: as text, where a reader looks for it."""
    context, page, seen = open_reader(browser, shelf)
    title = PLANTED_TITLE.replace("\u202e", "\\u202e").replace("\u202c", "\\u202c")
    told = {
        "planted": [title, "The council met again"],
        "compare-planted": [title, f"<script>window.{MARK}=1</script>"],
        "capture-planted": [f"X-Planted: <script>window.{MARK}=4</script>", PLANTED_URL],
        "source-planted": [NAME],
        "sources": [NAME],
        "front": [title, NAME],
        "search-all": [title],
    }
    for name, texts in told.items():
        page.goto(shelf.base + shelf.pages[name])
        main = page.locator("main").inner_text()
        for text in texts:
            assert text in main, name
    page.goto(shelf.base + shelf.pages["search-none"])
    assert page.locator("main input[name=words]").input_value() == ATTACK
    assert "Content Security Policy" not in "".join(seen.noise), "nothing came so far that the policy had to stop it"
    context.close()


def test_feeds_do_no_harm_where_they_are_read(browser: Browser, bell: Doorbell, shelf: Shelf) -> None:
    """In a reader of feeds that takes titles and contents for HTML, without any policy."""
    atom = feedparser.parse(shelf.ask(addresses.watch("atom")).content, sanitize_html=False)
    assert not atom.bozo
    written = [one.value for entry in atom.entries for one in entry.get("content", [])]
    written += [
        one["content_html"] for one in shelf.ask(addresses.watch("json")).json()["items"] if "content_html" in one
    ]
    written += [entry.title for entry in atom.entries if entry.title_detail.type.endswith("html")]
    assert any("pwned" in one for one in written)
    page = browser.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    bell.knocks.clear()
    page.set_content("<!doctype html><title>Feeds</title>" + "<hr>".join(written))
    page.wait_for_timeout(500)
    assert page.evaluate(f"() => window.{MARK}") is None
    assert page.locator("script, img, iframe, [style], [onerror], [onload]").count() == 0
    assert asked == []
    assert [one for one in bell.knocks if TRACKER.encode() in one] == []  # others are the browser's own
    page.close()


def test_raw_pages_and_pictures_opened_by_themselves_run_nothing(
    browser: Browser, bell: Doorbell, shelf: Shelf
) -> None:
    context, page, seen = open_reader(browser, shelf)
    bell.knocks.clear()
    capture = shelf.pages["capture-planted"]
    stamp = shelf.tell(capture)["captured_at"]
    digits = "".join(filter(str.isdigit, stamp))[:14]
    for path in (
        f"{capture}/page",
        f"{capture}/asset?url={quote(DRAWING_URL, safe='')}",
        addresses.memento(digits, PLANTED_URL),
    ):
        answer = page.goto(shelf.base + path)
        assert answer is not None
        assert answer.status == 200, path
        page.wait_for_timeout(300)
        assert page.evaluate(f"() => window.{MARK}") is None, path
        assert page.evaluate("() => self.origin") == "null", path
        assert page.evaluate("() => { try { return document.cookie; } catch { return 'refused'; } }") == "refused"
    assert seen.dialogs == []
    assert [url for url in seen.asked if not url.startswith((f"{shelf.base}/", "data:"))] == []
    assert [one for one in bell.knocks if TRACKER.encode() in one] == []
    context.close()


def test_an_asset_is_fetched_from_nowhere(shelf: Shelf) -> None:
    with count_knocks() as bell:
        here = f"http://127.0.0.1:{bell.port}/x.png"
        for url in (here, f"https://{TRACKER}/style.css", "file:///etc/passwd", f"//127.0.0.1:{bell.port}/"):
            answer = shelf.ask(f"{shelf.pages['capture-planted']}/asset?url={quote(url, safe='')}")
            assert answer.status_code in {400, 404}, url
            assert "root:" not in answer.text
    assert bell.knocks == []

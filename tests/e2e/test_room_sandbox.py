"""A real browser looks at a page that attacks: nothing runs, nobody is connected to, and what was recorded is seen."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from jobs.room import addresses
from jobs.room.raw.showing import HEADERS
from tests.browsers import needs_browser
from tests.crawls import Answer, serve_site
from tests.rooms import MARK, PLANTED_URL, SOURCE, TRACKER, Room, make_planted, serve_room

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Dialog, Frame, Page

    from jobs.room.library import Library
    from tests.readers import Doorbell

pytestmark = [needs_browser, pytest.mark.slow]
_QUIET_MILLISECONDS = 1_000


@pytest.fixture(scope="module")
def page(browser: Browser) -> Page:
    return browser.new_page()


def look(page: Page, url: str, bell: Doorbell, *, click: bool = True) -> dict[str, Any]:
    """Return what became of *url*, of its frames too, once it has been quiet for a while."""
    page.goto("about:blank")
    page.wait_for_timeout(_QUIET_MILLISECONDS)
    bell.knocks.clear()
    asked: list[str] = []
    dialogs: list[str] = []
    page.on("request", lambda request: asked.append(request.url))

    def note_dialog(dialog: Dialog) -> None:
        dialogs.append(dialog.message)
        dialog.dismiss()

    page.on("dialog", note_dialog)
    page.goto(url, wait_until="load")
    if click:
        _click_all(page.frames[-1])
    page.wait_for_timeout(_QUIET_MILLISECONDS)
    return {
        "asked": asked,
        "dialogs": dialogs,
        "url": page.url,
        "knocks": [one for one in bell.knocks if TRACKER.encode() in one],
    }


def _click_all(frame: Frame) -> None:
    """Follow every link and press every button, as a reader might."""
    frame.evaluate(
        "() => document.querySelectorAll('a, button').forEach((one) => one.dispatchEvent(new MouseEvent('click')))"
    )


def read_marks(page: Page) -> list[Any]:
    """Return what scripts of the page would have set. Playwright's own scripts run where the page's may not."""
    return [frame.evaluate(f"() => window.{MARK}") for frame in page.frames]


def test_the_wall_holds_by_itself(page: Page, bell: Doorbell) -> None:
    """Whatever slips through when a page is tidied: here nothing is, but for hints and frames.

    For these Chromium connects whatever the policy says, and only then refuses to load.
    """
    with serve_site() as site:
        planted = make_planted("The council met.")
        body = re.sub("<link rel=.(preconnect|dns-prefetch)[^>]*>|<iframe [^>]*>", "", planted).encode()
        site.answers["/frame"] = Answer(body, media_type="text/html; charset=utf-8", headers=dict(HEADERS))
        site.answers["/bare"] = Answer(body, media_type="text/html; charset=utf-8")
        walled = look(page, f"{site.root}/frame", bell, click=False)
        assert walled["url"] == f"{site.root}/frame"
        assert walled["knocks"] == []
        assert walled["dialogs"] == []
        assert read_marks(page) == [None] * len(page.frames)
        assert "The council met." in page.locator("main").inner_text()
        assert site.paths["/frame"] == 1
        assert set(site.paths) <= {"/frame", "/favicon.ico"}
        # last, since a browser remembers whom a site had it connect to
        bare = look(page, f"{site.root}/bare", bell, click=False)
        assert bare["knocks"], "the page does no harm without the wall: this test would tell nothing"


def test_a_planted_page_is_seen_and_does_nothing(
    page: Page, bell: Doorbell, room_archive: Room, room_library: Library
) -> None:
    with room_library.lend("") as desk:
        capture = desk.catalog.list_captures(SOURCE, PLANTED_URL)[0]
    with serve_room(room_archive) as base:
        for path in (
            addresses.capture(capture.segment, capture.n),
            addresses.capture(capture.segment, capture.n, "page"),
            addresses.memento(f"{capture.captured_at:%Y%m%d%H%M%S}", PLANTED_URL),
        ):
            seen = look(page, base + path, bell)
            assert seen["url"] == base + path
            assert seen["knocks"] == []
            assert seen["dialogs"] == []
            assert all(url.startswith((f"{base}/", "data:")) for url in seen["asked"])
            assert read_marks(page) == [None] * len(page.frames)
            frame = page.frames[-1]
            assert frame.evaluate("() => self.origin") == "null"
            assert frame.locator("h1").evaluate("one => getComputedStyle(one).color") == "rgb(1, 2, 3)"
            assert frame.locator("img[alt='A bridge']").evaluate("one => one.naturalWidth") == 1
            assert "The council met" in frame.locator("body").inner_text()


def test_a_page_that_is_looked_at_again_has_its_wall_still(
    page: Page, room_archive: Room, room_library: Library
) -> None:
    """The browser has it, and is told that nothing changed: of its headers, too."""
    with room_library.lend("") as desk:
        capture = desk.catalog.list_captures(SOURCE, PLANTED_URL)[0]
    with serve_room(room_archive) as base:
        for path in (
            addresses.capture(capture.segment, capture.n),
            addresses.capture(capture.segment, capture.n, "page"),
        ):
            for _ in range(3):
                page.goto("about:blank")
                page.goto(base + path, wait_until="load")
                page.frames[-1].locator("h1").wait_for(state="attached")
                assert page.frames[-1].evaluate("() => self.origin") == "null"
                assert "The council met" in page.frames[-1].locator("body").inner_text()
                tag = httpx.get(base + path).headers["ETag"]
                assert httpx.get(base + path, headers={"If-None-Match": tag}).status_code == 304

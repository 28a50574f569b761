"""The front page in a real browser: what happened to the site's articles, at any width, with and without scripts."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import pytest

from tests.browsers import needs_browser
from tests.rooms import SOURCE
from tests.site.pages import SEED_URL

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Page

    from tests.rooms import Client

pytestmark = pytest.mark.slow
_TIMELINE = """document.addEventListener("DOMContentLoaded", () => {
  const line = document.createElement("p");
  line.dataset.walk = "";
  for (const name of ["a", "b", "c"]) {
    const link = document.createElement("a");
    link.href = `#${name}`;
    link.id = name;
    link.textContent = name;
    line.append(link);
  }
  document.querySelector("main").append(line);
})"""


@contextmanager
def open_page(browser: Browser, **context: Any) -> Iterator[Page]:
    with browser.new_context(**context) as opened:
        yield opened.new_page()


def test_it_tells_what_happened_to_the_article(room_client: Client) -> None:
    told = room_client.get("/index.json").json()
    groups = {group["key"]: group["events"] for group in told["groups"]}
    seen = {key: [event["what"] for event in events if event["url"] == SEED_URL] for key, events in groups.items()}
    assert seen["changed"] == ["reverted", "revised"]
    assert seen["removed"] == ["gone", "suspected"]
    assert set(seen) == {"changed", "removed", "new"}
    # which of a crawl's articles are the last that it met is chance, and the front page has the newest alone
    (new,) = room_client.get("/index.json?what=new").json()["groups"]
    assert SEED_URL in {event["url"] for event in new["events"]}
    edit = next(event for event in groups["changed"] if event["what"] == "revised" and event["url"] == SEED_URL)
    assert "paragraph_removed" in edit["kinds"]
    assert any(kind == "removed" for line in edit["words"] for kind, _ in line)
    sources = {one["source"]: one for one in told["sources"]}
    assert len(sources) == told["source_count"] == 3
    assert sources[SOURCE]["captures"][-1] > 0 or sources[SOURCE]["captures"][-2] > 0  # midnight may have passed


@needs_browser
@pytest.mark.parametrize("path", ["/", "/?what=all", "/about", "/nowhere"])
@pytest.mark.parametrize("width", [320, 1280, 2560])
def test_no_page_is_wider_than_its_window(base: str, browser: Browser, path: str, width: int) -> None:
    with open_page(browser, viewport={"width": width, "height": 900}) as page:
        page.goto(base + path)
        assert page.evaluate("document.documentElement.scrollWidth") == width


@needs_browser
def test_colours_are_those_of_the_reader(base: str, browser: Browser) -> None:
    papers = []
    for scheme in ("light", "dark"):
        with open_page(browser, color_scheme=scheme) as page:
            page.goto(base)
            papers.append(page.evaluate("getComputedStyle(document.documentElement).backgroundColor"))
            page.emulate_media(media="print")
            papers.append(page.evaluate("getComputedStyle(document.documentElement).backgroundColor"))
    assert papers == ["rgb(252, 251, 248)", "rgb(255, 255, 255)", "rgb(23, 24, 26)", "rgb(255, 255, 255)"]


@needs_browser
def test_it_works_without_scripts_and_asks_nobody_else(base: str, browser: Browser) -> None:
    asked: list[str] = []
    with open_page(browser, java_script_enabled=False) as page:
        page.on("request", lambda request: asked.append(request.url))
        page.goto(base)
        assert not page.locator("button.theme").is_visible()
        page.get_by_role("link", name="Taken down or back", exact=True).click()
        page.locator(".narrow summary").click()
        page.locator("select[name=source]").select_option(SOURCE)
        page.get_by_role("button", name="Show", exact=True).click()
        query = urlencode({"what": "removed", "source": SOURCE, "kind": "", "since": "", "until": ""})
        assert page.url == f"{base}/?{query}"
        assert page.locator(".line .badge").all_text_contents()[:2] == ["Taken down", "Perhaps gone"]
        page.keyboard.press("Tab")
        page.locator("a.skip").focus()
        page.keyboard.press("Enter")
        assert page.url.endswith("#main")
    assert asked
    assert all(url.startswith(f"{base}/") for url in asked)


@needs_browser
def test_scripts_are_a_little_better(base: str, browser: Browser) -> None:
    problems: list[str] = []
    with open_page(browser, color_scheme="light") as page:
        page.on("console", lambda message: problems.append(message.text))
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.add_init_script(_TIMELINE)
        page.goto(base)
        page.keyboard.press("/")
        assert page.evaluate("document.activeElement.id") == "find"
        page.keyboard.press("/")
        assert page.locator("#find").input_value() == "/"
        page.locator("button.theme").click()
        assert page.evaluate("getComputedStyle(document.documentElement).colorScheme") == "dark"
        page.reload()
        assert page.evaluate("getComputedStyle(document.documentElement).colorScheme") == "dark"
        page.locator("#a").focus()
        for key, expected in (
            ("ArrowRight", "b"),
            ("End", "c"),
            ("ArrowRight", "c"),
            ("ArrowLeft", "b"),
            ("Home", "a"),
        ):
            page.keyboard.press(key)
            assert page.evaluate("document.activeElement.id") == expected
        assert page.locator(".line time").first.get_attribute("title")
        page.goto(f"{base}/about")
        assert page.locator("button.copy").first.is_visible()
    assert problems == []

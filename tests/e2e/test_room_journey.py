"""A reader in real Chromium, with scripts and without: finds, compares, looks at the raw page, follows the feed."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import feedparser
import pytest
from playwright.sync_api import expect

from jobs.room import addresses
from tests.browsers import needs_browser
from tests.rooms import ARABIC_SOURCE, MARK, PLANTED_URL, SOURCE
from tests.site.pages import SEED_URL

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

    from tests.readers import Doorbell

pytestmark = [needs_browser, pytest.mark.slow]
PARAGRAPH = "He even clashed with Arab leaders when he brought up the idea"
"""Of the first text; the edited one has it not."""


def find_seed(page: Page, base: str, *, scripts: bool) -> None:
    """From the front page to the article, by a word of it."""
    page.goto(f"{base}/")
    box = page.get_by_role("searchbox", name="Search all texts")
    if scripts:
        page.keyboard.press("/")
        expect(box).to_be_focused()
    box.fill("humanitarian")
    box.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Search")
    hit = page.locator(".hits li, ol li").filter(has_text="text 1 of 2").filter(has_text="Blinken").first
    assert hit.locator("mark").count()
    hit.get_by_role("heading").get_by_role("link").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Blinken claims US")
    expect(page.locator("article")).to_contain_text(PARAGRAPH)


def compare_by_timeline(page: Page, *, scripts: bool) -> None:
    """Walk along the timeline by keyboard, to the text of the edit and to what it changed."""
    links = page.locator(".article-timeline a")
    labels = [one.locator("title").text_content() or "" for one in links.all()]
    assert len(labels) >= 5
    assert any("Taken down" in one for one in labels)
    links.first.focus()
    page.keyboard.press("ArrowRight" if scripts else "Tab")
    expect(links.nth(1)).to_be_focused()
    page.locator("select[name=before]").select_option("1")
    page.locator("select[name=after]").select_option("2")
    page.get_by_role("button", name="Compare").click()
    changed, removed = page.locator(".text .changed"), page.locator(".text .removed")
    assert (changed.count(), removed.count(), page.locator(".text .added").count()) == (1, 1, 0)
    assert changed.locator("del").all_inner_texts() == ["almost three", "claimed", "was"]
    assert changed.locator("ins").all_inner_texts() == ["two and a half", "said", "is"]
    expect(removed.locator("del")).to_contain_text(PARAGRAPH)
    page.get_by_role("link", name="Side by side").click()
    row = page.locator(".sides tr.removed")
    expect(row.locator("td").first).to_contain_text(PARAGRAPH)
    expect(row.locator("td").last).to_have_text("")


def look_at_raw_page(page: Page, base: str) -> None:
    """From the planted article to its page as captured, in the sandbox: seen, and nothing in it ran."""
    page.goto(base + addresses.article(SOURCE, PLANTED_URL))
    page.get_by_role("link", name="The page as it was").click()
    frame = page.frame_locator("iframe.page")
    page.locator("iframe.page").scroll_into_view_if_needed()
    expect(frame.locator("h1")).to_contain_text(f"<script>window.{MARK}=1</script>")
    expect(frame.locator("body")).to_contain_text("The council met")
    assert [one.evaluate(f"() => window.{MARK}") for one in page.frames] == [None] * len(page.frames)
    assert len(page.frames) > 1
    expect(page.get_by_text("All digests were computed anew just now and agree.")).to_be_visible()


def read_arabic(page: Page, base: str) -> None:
    """From the list of sources to an article that is set from right to left."""
    page.goto(f"{base}/")
    page.get_by_role("link", name="Sources").first.click()
    page.get_by_role("link", name="شبكة الميادين").click()
    page.get_by_role("link", name="Its articles").click()
    page.locator("ol li h3 a").first.click()
    assert f"/sources/{ARABIC_SOURCE}/article" in page.url
    article = page.locator("article")
    assert article.evaluate("one => getComputedStyle(one).direction") == "rtl"
    assert article.get_attribute("lang") == "ar"
    text, heading = (
        article.bounding_box(),
        article.locator("h1").evaluate(
            "one => { const range = document.createRange(); range.selectNodeContents(one);"
            " return [...range.getClientRects()].map((line) => line.right); }"
        ),
    )
    assert text is not None
    assert all(abs(right - (text["x"] + text["width"])) < 2 for right in heading), "lines begin at the right edge"


def follow_feed(page: Page, base: str) -> None:
    """From the article to its feed, and from an entry of the feed back into the room."""
    page.goto(base + addresses.article(SOURCE, SEED_URL))
    href = page.get_by_role("link", name="Watch this article").get_attribute("href")
    answer = page.request.get(f"{base}{href}")
    assert answer.headers["content-type"].startswith("application/atom+xml")
    feed = feedparser.parse(answer.body())
    assert not feed.bozo
    titles = [entry.title for entry in feed.entries]
    assert len(titles) >= 4
    edit = next(one for one in feed.entries if "before=1" in one.link)
    assert edit.link.startswith(base)
    page.goto(edit.link)
    expect(page.get_by_text("What changed", exact=True)).to_be_visible()


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without scripts"])
def test_a_reader_finds_compares_and_follows(browser: Browser, bell: Doorbell, base: str, *, scripts: bool) -> None:
    context = browser.new_context(java_script_enabled=scripts)
    page = context.new_page()
    page.set_default_timeout(20_000)
    asked: list[str] = []
    noise: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda told: noise.append(told.text) if told.type in {"error", "warning"} else None)
    page.on("pageerror", lambda error: noise.append(str(error)))
    bell.knocks.clear()
    find_seed(page, base, scripts=scripts)
    compare_by_timeline(page, scripts=scripts)
    look_at_raw_page(page, base)
    read_arabic(page, base)
    follow_feed(page, base)
    page.wait_for_timeout(500)
    assert len(asked) > 20
    assert [url for url in asked if not re.match(rf"{re.escape(base)}/|data:", url)] == []
    assert not [one for one in bell.knocks if b"example" in one or b"almayadeen" in one]
    assert [one for one in noise if "sandbox" not in one] == []
    context.close()

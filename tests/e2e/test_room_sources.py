"""Pages of sources in the real room: every way between them leads somewhere, and a calendar is walked by keys."""

from __future__ import annotations

import re
from collections import Counter
from html import unescape
from typing import TYPE_CHECKING

import httpx
import pytest

from tests.browsers import needs_browser
from tests.rooms import ARABIC_SOURCE, SOURCE

if TYPE_CHECKING:
    from playwright.sync_api import Browser


pytestmark = pytest.mark.slow
KINDS = ("runs", "runs/…", "ledger", "rechecks", "commits")
_LINK = re.compile(r'<a [^>]*href="(/sources[^"#]*)')
_ALIKE = 4
"""So many pages of one kind, asked for by the same parameters, are looked at."""


def name_kind(path: str) -> str:
    part = path.partition("?")[0].removeprefix("/sources").strip("/").partition("/")[2]
    return re.sub(r"^runs/.+", "runs/…", part)


def name_shape(path: str) -> tuple[str, ...]:
    return name_kind(path), *sorted(re.findall(r"[?&](\w+)=", path))


def test_every_way_from_the_list_of_sources_leads_to_a_page(base: str) -> None:
    seen: dict[str, str] = {}
    waiting, alike = ["/sources"], Counter[tuple[str, ...]]()
    with httpx.Client(base_url=base, timeout=30) as client:
        while waiting:
            path = waiting.pop(0)
            alike[name_shape(path)] += path not in seen
            if path in seen or name_kind(path) in {"article", "compare", "text"} or alike[name_shape(path)] > _ALIKE:
                continue
            answer = client.get(path)
            assert answer.status_code == 200, path
            seen[path] = page = answer.text
            assert not re.search(r"\sstyle=|\son[a-z]+=|<script>|javascript:", page), path
            ids = re.findall(r'\sid="([^"]+)"', page)
            assert len(ids) == len(set(ids)), path
            where, mark, query = path.partition("?")
            assert client.get(f"{where}.json{mark}{query}").json(), path
            waiting += [
                one for one in map(unescape, _LINK.findall(page)) if not one.partition("?")[0].endswith(".json")
            ]
    assert {name_kind(path) for path in seen} == {"", *KINDS}
    assert {f"/sources/{SOURCE}", f"/sources/{ARABIC_SOURCE}"} <= seen.keys()
    checked = [page for path, page in seen.items() if "check=true" in path]
    assert checked
    assert all("none of" in page for page in checked)
    assert "What is asked for" in seen[f"/sources/{SOURCE}/rechecks"]  # the keeper worked it out


def test_parameters_that_make_no_sense_are_refused(base: str) -> None:
    with httpx.Client(base_url=f"{base}/sources/{SOURCE}", timeout=30) as client:
        for path in (
            "/ledger?day=yesterday",
            "/ledger?until=0001-01-01",
            "/rechecks?hours=0",
            "/rechecks?hours=1000000",
            "/commits?before=0",
            "/commits?before=99999999999999999999999",
            "/runs?after=../../etc/passwd",
            "/runs/x?show=<b>",
        ):
            assert client.get(path).status_code == 400, path
        assert client.get("/runs/..%2f..%2fetc").status_code == 404
        assert client.get("/ledger?day=2500-01-01").status_code == 200


@needs_browser
def test_a_calendar_is_walked_by_keys_and_fits_a_small_window(browser: Browser, base: str) -> None:
    with browser.new_context(viewport={"width": 320, "height": 700}) as context:
        page = context.new_page()
        requests: list[str] = []
        page.on("request", lambda request: requests.append(request.url))
        for path in (f"/sources/{SOURCE}", f"/sources/{SOURCE}/runs", f"/sources/{SOURCE}/commits"):
            page.goto(base + path)
            assert page.evaluate("document.documentElement.scrollWidth") <= 320, path
        page.goto(f"{base}/sources/{SOURCE}/ledger")
        page.get_by_role("link", name="Skip the calendar").focus()
        assert page.get_by_role("link", name="Skip the calendar").bounding_box() is not None
        page.locator("svg.calendar a").last.focus()
        page.keyboard.press("Enter")
        page.wait_for_url("**/ledger?day=*")
        assert page.get_by_role("row").filter(has_text="Beside the schedule").count() == 5
        assert all(url.startswith(base) for url in requests)


@needs_browser
def test_without_scripts_a_day_is_asked_for_by_a_form(browser: Browser, base: str) -> None:
    with browser.new_context(java_script_enabled=False) as context:
        page = context.new_page()
        page.goto(f"{base}/sources/{SOURCE}/ledger")
        page.get_by_label("All of a day").fill("2026-01-01")
        page.get_by_role("button", name="Show").click()
        assert page.get_by_text("Nothing on that day").is_visible()
        page.get_by_text("The same as a table, by month").click()
        assert page.get_by_role("columnheader", name="Missed").is_visible()

"""Every link of every page in the room leads somewhere, and only its own pages are led to without leaving it."""

from __future__ import annotations

import re
from collections import Counter
from html import unescape
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit

import pytest

from jobs.room import addresses
from tests.rooms import BASE

if TYPE_CHECKING:
    from tests.rooms import Client

_LINK = re.compile(r'<(\w+)[^>]*?\s(href|src|action)="([^"]*)"')
MOST_OF_A_KIND = 4
"""Pages of one route that are looked at: the others are alike."""


@pytest.fixture(scope="module")
def walked(room_client: Client) -> dict[str, tuple[int, str, str]]:
    """Return path → status, where it was linked, and the page, of all that is found from the front page on."""
    waiting = {addresses.front(): "nowhere"}
    found: dict[str, tuple[int, str, str]] = {}
    kinds: Counter[str] = Counter()
    while waiting:
        path, via = waiting.popitem()
        kind = name_kind(path)
        kinds[kind] += 1
        if kinds[kind] > MOST_OF_A_KIND:
            continue
        answer = room_client.get(path)
        if answer.is_redirect:
            waiting.setdefault(urljoin(path, answer.headers["location"]), via)
        page = answer.text if answer.headers.get("content-type", "").startswith("text/html") else ""
        found[path] = (answer.status_code, via, "" if path.startswith("/captures/") and "/page" in path else page)
        for _, attribute, link in _LINK.findall(found[path][2]):
            if attribute == "action":
                continue  # what its form adds is not known here
            target = urljoin(f"{BASE}{path}", unescape(link)).partition("#")[0]
            if target.startswith(f"{BASE}/") and target.removeprefix(BASE) not in found:
                waiting.setdefault(target.removeprefix(BASE), path)
    return found


def name_kind(path: str) -> str:
    """Return what pages alike have in common: their path without what names a source, a run, a capture or a URL."""
    parts = urlsplit(path)
    names = "&".join(sorted({pair.partition("=")[0] for pair in parts.query.split("&")}))
    if parts.path.startswith(("/timegate/", "/timemap/", "/memento/")):
        return parts.path.split("/")[1]
    path = re.sub(r"/(sources|runs|captures)/[^/]+", r"/\1/…", parts.path)
    return re.sub(r"/\d+(?=[/.]|$)", "/n", path) + f"?{names}"


def test_every_link_leads_somewhere(walked: dict[str, tuple[int, str, str]]) -> None:
    dead = {path: (status, via) for path, (status, via, _) in walked.items() if status not in {200, 302}}
    assert not dead
    kinds = {name_kind(path).partition("?")[0] for path in walked}
    assert len(walked) > 100
    assert {"/", "/search", "/about", "/sources", "/sources/…", "/sources/…/article", "/sources/…/compare"} <= kinds


def test_links_within_a_page_lead_to_a_place_on_it(walked: dict[str, tuple[int, str, str]]) -> None:
    for path, (_, _, page) in walked.items():
        for name in re.findall(r'href="#([^"]+)"', page):
            assert len(re.findall(rf'\sid="{re.escape(name)}"', page)) == 1, (path, name)


def test_no_page_asks_anybody_else(walked: dict[str, tuple[int, str, str]]) -> None:
    """A link to the publisher is followed by who clicks it; all else is the room's own."""
    for path, (_, _, page) in walked.items():
        for element, attribute, link in _LINK.findall(page):
            if element != "a" and not urljoin(f"{BASE}{path}", unescape(link)).startswith(f"{BASE}/"):
                raise AssertionError(f"{path}: <{element} {attribute}={link}>")

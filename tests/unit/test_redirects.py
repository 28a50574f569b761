"""Redirects that lead away from an article, and those that lead to it."""

from __future__ import annotations

import pytest

from crawler.redirects import leads_away

ARTICLE = "https://gazette.example/politics/2026/05/budget-passes"


@pytest.mark.parametrize(
    "target",
    [
        "https://gazette.example/",
        "https://gazette.example",
        "http://www.gazette.example/",
        "https://gazette.example/?from=gone",
        "https://gazette.example/index.html",
        "https://gazette.example/politics",
        "https://gazette.example/politics/",
    ],
)
def test_home_and_sections_lead_away(target: str) -> None:
    assert leads_away(ARTICLE, target)


@pytest.mark.parametrize(
    "target",
    [
        ARTICLE + "/",
        "https://www.gazette.example/politics/2026/05/budget-passes",
        "https://gazette.example/politics/2026/05/budget-fails",
        "https://gazette.example/economy",
        "https://gazette.example/politic",
        "https://gazette.example/politics/2026",
        "https://other.example/",
        "https://login.other.example/?next=/politics/2026/05/budget-passes",
        "https://[gazette/",
    ],
)
def test_all_else_may_lead_to_it(target: str) -> None:
    assert not leads_away(ARTICLE, target)


def test_a_short_address_is_no_section() -> None:
    assert not leads_away("https://gazette.example/story/4711/budget", "https://gazette.example/story/4711")


def test_a_home_page_that_leads_home_is_no_deletion() -> None:
    assert not leads_away("http://gazette.example/", "https://gazette.example/")
    assert not leads_away("https://gazette.example/index.php", "https://gazette.example/")

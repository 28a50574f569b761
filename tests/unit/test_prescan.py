"""What is refused before a parser sees it, and what must not be."""

from __future__ import annotations

import pytest

from crawler.prescan import prescan

REFUSED = {
    "nested divs": ("<div>" * 100_000, "elements open"),
    "stray end tags between": ("<div></x>" * 10_000, "elements open"),
    "unknown elements": ("".join(f"<x{n}>" for n in range(5_000)), "elements open"),
    "formatting in paragraphs": ("".join(f"<p><b id={n}>" for n in range(5_000)), "formatting elements open"),
    "upper case": ("<P><FONT>" * 5_000, "formatting elements open"),
    "attributes": ("<div " + " ".join(f"a{n}" for n in range(20_000)) + ">", "attributes"),
    "attributes parted by slashes": ("<div/" + "/".join(f"a{n}=1" for n in range(20_000)) + ">", "attributes"),
    "tags": ("<br>" * 1_000_001, "more than 1000000 tags"),
}
PASSED = {
    "nothing": "",
    "text": "5 < 6 & 7 > 3 " * 100_000,
    "a long list without end tags": "<ul>" + "<li>one" * 50_000,
    "a long table without end tags": "<table>" + "<tr><td>one<td>two" * 20_000,
    "paragraphs without end tags": "<p>one" * 50_000,
    "many closed elements": "<div><b class=x>one</b></div>" * 20_000,
    "tags in a script": "<script>" + "'<div><b>'" * 10_000 + "</script>",
    "tags in a comment": "<!--" + "<div><b>" * 10_000 + "-->",
    "a picture in an attribute": '<img src="data:image/png;base64,' + "QUJD" * 100_000 + '">',
    "a long style": '<div style="' + "color: red; " * 1_000 + '">',
}


@pytest.mark.parametrize(("page", "reason"), REFUSED.values(), ids=REFUSED)
def test_what_parsers_crawl_on_is_refused(page: str, reason: str) -> None:
    assert reason in (prescan(page.encode()) or "")


@pytest.mark.parametrize("page", PASSED.values(), ids=PASSED)
def test_what_people_write_is_not(page: str) -> None:
    assert prescan(page.encode()) is None

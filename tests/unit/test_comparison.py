"""One page of HTML on two texts: all that is to be known, in the right direction, and nothing that a text may do."""

from __future__ import annotations

import re
from base64 import b64encode
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.comparison import Comparison, compare_snapshots, list_units, render_page, tell_units
from jobs.diff import render_diff
from jobs.diff.budget import MAX_READ

AT = datetime(2026, 1, 12, 8, 30, tzinfo=UTC)
EARLY, LATE = "2026-01-12T08:00:00+00:00", "2026-01-12T09:30:00+00:00"
DIGEST = "sha256:" + "ab" * 32
VOID = {"meta", "input"}


def _snapshot(text: str, title: str = "A title", language: str = "en", **fields: Any) -> dict[str, Any]:
    found = {"language": language, "modified": EARLY, **fields}
    stated = {name: {"value": value, "from": "json-ld"} for name, value in found.items()}
    known = {"derivation": "sha256:0", "text_digest": DIGEST, "class": "live" if "posts" in fields else "article"}
    return {"title": title, "lead": None, "text": f"{title}\n{text}", "fields": stated} | known


def _compare(before: dict[str, Any], after: dict[str, Any]) -> Comparison:
    sides = (3, AT), (4, AT + timedelta(hours=5))
    return compare_snapshots(before, after, sides, url="https://gazette.example/a?b=1&c=2", source="gazette")


class _Reader(HTMLParser):
    """Elements with their attributes, and the text of those that changed; fails where one is not closed."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.said: dict[str, list[str]] = {"ins": [], "del": [], "title": [], "h1": [], "style": []}
        self.feed(page)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)
        if tag in self.said:
            self.said[tag].append("")

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        for tag in self.open:
            if tag in self.said:
                self.said[tag][-1] += data


def test_the_page_says_all_that_is_to_be_known() -> None:
    before, after = _snapshot("Two people saw it.\nGone.", published=LATE), _snapshot("Three people saw it.")
    after["fields"]["published"] = {"value": EARLY, "from": "json-ld"}
    page = render_page(_compare(before, after))
    for said in ("Text 3", "Text 4", "2026-01-12 08:30:00 UTC", "2026-01-12 13:30:00 UTC", DIGEST, EARLY, "gazette"):
        assert said in page
    for kind in ("number", "paragraph removed", "silent", "backdated"):
        assert re.search(f"<li[^>]*>{kind}</li>", page)
    assert 'href="https://gazette.example/a?b=1&amp;c=2"' in page
    reader = _Reader(page)
    assert {"Two", "Gone."} <= set(reader.said["del"])
    assert "Three" in reader.said["ins"]


def test_the_page_asks_for_nothing_and_runs_nothing() -> None:
    page = render_page(_compare(_snapshot("One."), _snapshot("Two.")))
    reader = _Reader(page)
    assert not {tag for tag, _ in reader.elements} & {"script", "link", "img", "iframe", "object", "form", "base"}
    assert not {name for _, attributes in reader.elements for name in attributes} & {"src", "srcset", "style"}
    style = reader.said["style"][0]
    assert "url(" not in style
    assert "@import" not in style
    policy = next(a["content"] for _, a in reader.elements if a.get("http-equiv") == "Content-Security-Policy")
    assert policy is not None
    assert policy.startswith("default-src 'none'; ")
    assert f"'sha256-{b64encode(sha256(style.encode()).digest()).decode()}'" in policy


@pytest.mark.parametrize(
    ("language", "text", "direction"),
    [
        ("ar", "افتتحت بلدية المدينة اليوم مكتبة", "rtl"),
        ("zh-hans", "北京今天下雨。", "ltr"),
        ("en", "It rains.", "ltr"),
    ],
)
def test_what_the_article_says_has_its_language_and_direction(language: str, text: str, direction: str) -> None:
    page = render_page(_compare(_snapshot(text, text, language), _snapshot(text + " 2", text, language)))
    reader = _Reader(page)
    marked = [(tag, a) for tag, a in reader.elements[1:] if a.get("lang") == language and "dir" in a]
    assert {tag for tag, _ in marked} >= {"h1", "div", "td"}
    assert {a["dir"] for tag, a in marked if tag != "summary"} == {direction}
    assert reader.elements[0] == ("html", {"lang": "en"})


def test_a_paragraph_that_moved_is_not_shown_as_changed() -> None:
    before = "One paragraph stands.\nAnother one stands.\nThis one moves."
    after = "This one moves.\nOne paragraph stands.\nAnother one stands."
    page = render_page(_compare(_snapshot(before), _snapshot(after)))
    reader = _Reader(page)
    assert reader.said["ins"] == reader.said["del"] == []
    assert "moved from here" in page
    assert "moved here" in page


def test_unchanged_lines_are_folded_with_their_number() -> None:
    lines = "\n".join(f"Line {n}." for n in range(9))
    page = render_page(_compare(_snapshot(f"{lines}\nOne."), _snapshot(f"{lines}\nTwo.")))
    assert ">9 lines unchanged</summary>" in page


def test_equal_texts_and_unknown_kinds_are_said() -> None:
    assert "No word changed." in render_page(_compare(_snapshot("One."), _snapshot("One.")))
    page = render_page(_compare(_snapshot("One."), _snapshot("Two.") | {"derivation": "sha256:1"}))
    assert "different rules read the two texts" in page


def test_words_that_were_not_compared_are_said() -> None:
    before, after = ("\n".join(f"{letter} " * MAX_READ for letter in letters) for letters in ("ab", "cd"))
    page = render_page(_compare(_snapshot(before), _snapshot(after)))
    assert "The words within 4 lines that came or went were not compared: that is too much" in page
    assert "not compared" not in render_page(_compare(_snapshot("One."), _snapshot("Two.")))


HOSTILE = [
    "</title><script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "'><style>*{display:none}</style>",
    "<!-- ",
    "]]>",
    "&lt;b&gt;",
    "\u202egnp.exe\u2066",
    "\x1b[2J\x00\ud800",
    "$style $policy ${title}",
]


@pytest.mark.parametrize("hostile", HOSTILE)
def test_hostile_words_are_words_wherever_they_stand(hostile: str) -> None:
    post = {"id": hostile, "time": hostile, "text": hostile}
    before = _snapshot(f"A {hostile} line.\n{hostile}", hostile, hostile, modified=hostile, posts=[post])
    after = _snapshot(f"A {hostile} word.", hostile + "2", hostile, posts=[post | {"text": hostile + "x"}])
    before["text_digest"] = hostile
    sides = (1, AT), (2, AT)
    page = render_page(compare_snapshots(before, after, sides, url=f"javascript:{hostile}", source=hostile))
    plain = render_page(_compare(_snapshot("A line.\nB."), _snapshot("A word.")))
    known = {tag for tag, _ in _Reader(plain).elements}
    known |= {"article", "span", "details", "summary", "strong", "ins", "del"}
    reader = _Reader(page)
    assert {tag for tag, _ in reader.elements} <= known
    assert not [name for _, attributes in reader.elements for name in attributes if name.startswith("on")]
    assert not [a for _, a in reader.elements if (a.get("href") or "https:").startswith("javascript")]
    assert not [c for c in page if c in "\u202e\u2066\x1b\x00\ud800"]
    page.encode()


@given(st.text(max_size=80), st.text(max_size=80), st.text(max_size=20), st.text(max_size=8))
def test_any_text_makes_a_page_that_is_whole(before: str, after: str, title: str, language: str) -> None:
    page = render_page(_compare(_snapshot(before, title, language), _snapshot(after, title, language)))
    _Reader(page)
    page.encode()


def _post(number: int, text: str) -> dict[str, str]:
    return {"id": f"p{number}", "time": f"2026-01-12T{number:02}:00:00+00:00", "text": text}


def _live(*posts: dict[str, str]) -> dict[str, Any]:
    lines = [line for post in posts for line in (post["time"][11:16], post["text"])]
    return _snapshot("\n".join(["All day long.", *lines]), posts=list(posts))


def test_a_live_page_is_told_by_its_posts() -> None:
    before = _live(_post(11, "The bridge is closed."), _post(10, "Three people came."), _post(9, "It begins."))
    after = _live(_post(12, "It is over."), _post(11, "The bridge is closed."), _post(9, "It began."))
    comparison = _compare(before, after)
    assert tell_units(comparison.report) == "posts: 1 added · 1 changed · 1 removed"
    assert not comparison.diff.changed
    assert render_diff(list_units(comparison.report), colour=False).split("\n") == [
        "+ 2026-01-12T12:00:00+00:00 · It is over.",
        "- 2026-01-12T09:00:00+00:00 · It [-begins-].",
        "+ 2026-01-12T09:00:00+00:00 · It {+began+}.",
        "- 2026-01-12T10:00:00+00:00 · Three people came.",
    ]
    page = render_page(comparison)
    assert [tag for tag, _ in _Reader(page).elements].count("article") == 3
    assert "Beside the posts, no line changed." in page


def test_a_post_whose_time_alone_changed_shows_both_times() -> None:
    late = _post(10, "Three people came.") | {"id": "p9"}
    comparison = _compare(_live(_post(9, "Three people came.")), _live(late))
    assert [line.change.value for line in list_units(comparison.report).lines] == ["changed"]
    shown = render_diff(list_units(comparison.report), colour=False)
    assert "[-2026-01-12T09:00:00+00:00 · -]Three people came." in shown
    assert "{+2026-01-12T10:00:00+00:00 · +}Three people came." in shown

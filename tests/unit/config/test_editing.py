"""Edits of a source's file keep its comments, its order and all else; what cannot be edited is said."""

from __future__ import annotations

import difflib

import pytest
import yaml

from config.editing import Addition, Edit, Replacement, Withdrawal, check_text, edit_text
from config.errors import ConfigError

BLOCK = r"""# The gazette, since 1900
name: Example Gazette    # as its readers know it
home: https://gazette.example/

discover:
  # the newest
  - feed: https://gazette.example/rss.xml   # 30 entries
  # news
  - section: "https://gazette.example/news/"

articles:
  include:
    # dated ones
    - '^https://gazette\.example/\d{4}/'   # all of them
politeness: {delay_seconds: 5}
"""
FLOW = r"""name: Example Gazette
home: https://gazette.example/
discover: [{feed: https://gazette.example/rss.xml}, {section: https://gazette.example/news/}]
articles: {include: ['/\d{4}/'], exclude: '/video/'}
"""


def changed(text: str, *edits: Edit) -> list[str]:
    edited = edit_text(text, edits)
    check_text(edited, "gazette")
    lines = difflib.ndiff(text.splitlines(), edited.splitlines())
    return [line for line in lines if line[:2] in {"+ ", "- "}]


def test_a_url_is_replaced() -> None:
    assert changed(BLOCK, Replacement(("discover", 0, "feed"), "https://gazette.example/atom.xml")) == [
        "-   - feed: https://gazette.example/rss.xml   # 30 entries",
        "+   - feed: https://gazette.example/atom.xml   # 30 entries",
    ]
    assert changed(BLOCK, Replacement(("discover", 1, "section"), "https://gazette.example/all/")) == [
        '-   - section: "https://gazette.example/news/"',
        "+   - section: https://gazette.example/all/",
    ]


def test_an_entry_is_made_a_comment() -> None:
    assert changed(BLOCK, Withdrawal(("discover", 0), "status 404")) == [
        "-   - feed: https://gazette.example/rss.xml   # 30 entries",
        "+   # - feed: https://gazette.example/rss.xml  # status 404   # 30 entries",
    ]
    assert changed(BLOCK, Withdrawal(("discover", 1), "gone")) == [
        '-   - section: "https://gazette.example/news/"',
        '+   # - section: "https://gazette.example/news/"  # gone',
    ]


def test_entries_are_added_at_the_end() -> None:
    assert changed(
        BLOCK,
        Addition(("articles", "include"), "'/story/'", "12 articles"),
        Addition(("articles", "include"), "'/report/'"),
        Addition(("discover",), "feed: https://gazette.example/b.xml"),
    ) == [
        "+   - feed: https://gazette.example/b.xml",
        "+     # 12 articles",
        "+     - '/story/'",
        "+     - '/report/'",
    ]


def test_a_list_is_begun_where_there_is_none() -> None:
    edits = [Addition(("articles", "exclude"), text) for text in ("'/tag/'", "'/author/'")]
    assert changed(BLOCK, *edits) == ["+   exclude:", "+     - '/tag/'", "+     - '/author/'"]


def test_lists_on_one_line_and_single_texts() -> None:
    edited = edit_text(
        FLOW,
        [
            Addition(("discover",), "{feed: https://gazette.example/b.xml}"),
            Addition(("articles", "include"), "'/story/'"),
            Addition(("articles", "exclude"), "'/live/'"),
        ],
    )
    check_text(edited, "gazette")
    data = yaml.safe_load(edited)
    assert len(data["discover"]) == 3
    assert data["articles"] == {"include": [r"/\d{4}/", "/story/"], "exclude": ["/video/", "/live/"]}


def test_a_file_without_a_last_line_break() -> None:
    text = BLOCK.rstrip("\n").removesuffix("\npoliteness: {delay_seconds: 5}")
    edited = edit_text(text, [Addition(("articles", "include"), "'/story/'")])
    assert edited.endswith("# all of them\n    - '/story/'")
    check_text(edited, "gazette")


@pytest.mark.parametrize(
    ("text", "edit"),
    [
        (FLOW, Withdrawal(("discover", 0), "gone")),
        (BLOCK, Withdrawal(("discover", 7), "gone")),
        (BLOCK, Replacement(("extract", "title"), "h1")),
        (BLOCK, Addition(("politeness", "hosts"), "a")),
    ],
)
def test_what_cannot_be_edited_is_said(text: str, edit: Edit) -> None:
    with pytest.raises(ConfigError, match=r"by hand|found no"):
        edit_text(text, [edit])


def test_what_is_no_source_any_more_is_refused() -> None:
    edits = [Withdrawal(("discover", 0), "gone"), Withdrawal(("discover", 1), "gone")]
    with pytest.raises(ConfigError, match="discover"):
        check_text(edit_text(BLOCK, edits), "gazette")

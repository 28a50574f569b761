"""What hostile pages cost: no step over a page takes time that grows with the square of its size."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from config.errors import ExtractError
from config.rules import ExtractRules, LearnedRules
from crawler.extract import explain_article
from crawler.extract.body.blocks import read_blocks, trim_blocks
from crawler.extract.body.learned import drop_learned_lines
from crawler.extract.explain import MAX_PASSAGES
from crawler.extract.outline import read_outline
from crawler.extract.page.metadata import read_metadata
from crawler.extract.page.parsing import parse_page
from crawler.model import PageClass

if TYPE_CHECKING:
    from collections.abc import Callable

GIVEN: dict[str, Any] = {
    "url": "https://gazette.example/news/library",
    "status": 200,
    "captured_at": datetime(2026, 11, 22, tzinfo=UTC),
    "timezone": None,
    "language": None,
    "rules": ExtractRules(),
}
LABELLED = "Read also: <a href='/2'>the ferry stops</a> and more<hr>"


def seconds_of(work: Callable[[], object]) -> float:
    """Return the CPU time that *work* takes."""
    started = time.process_time()
    work()
    return time.process_time() - started


def test_lines_with_links_in_one_element_are_looked_at_for_labels_in_good_time() -> None:
    html = f"<body><div>{LABELLED * 3_000}</div></body>"
    blocks = read_blocks([parse_page(html).body])
    assert len(blocks) == 3_000
    learned = LearnedRules(labels=["See too:"])
    assert seconds_of(lambda: drop_learned_lines(blocks, learned)) < 0.5  # 5 s when each looked through all links
    assert seconds_of(lambda: read_outline(html, None, PageClass.ARTICLE)) < 1.5


def test_short_lines_in_one_element_are_looked_at_for_an_author_in_good_time() -> None:
    verse = "A line of verse with some more than forty letters<hr>"
    html = f"<body><div>{verse * 6_000}<b itemprop='author'>A. Writer</b></div></body>"
    blocks = read_blocks([parse_page(html).body])
    assert seconds_of(lambda: trim_blocks(blocks, None)) < 0.7  # 3 s when each walked through the element


def test_short_lines_are_not_the_author_because_one_stands_in_their_element() -> None:
    lines = [f"Line {number} of a poem" for number in range(30)]
    blocks = read_blocks([parse_page(f"<div>{'<hr>'.join(lines)}<hr><b itemprop='author'>A. W.</b></div>").body])
    assert [block.text for block in trim_blocks(blocks, None)][:30] == lines


def test_lists_of_lists_in_json_ld_are_read_in_good_time_and_in_order() -> None:
    nested = "[" * 180 + '{"name": "a"}' + ("," + "0," * 4_900 + '{"name": "b"}]') * 180
    page = parse_page(f'<head><script type="application/ld+json">{nested}</script></head><body>text</body>')
    started = time.process_time()
    found = read_metadata(page)
    assert time.process_time() - started < 2  # 44 s when each item moved all that follow
    assert [item["name"] for item in found.objects] == ["a"] + ["b"] * 180


def test_graphs_in_lists_are_read_in_page_order() -> None:
    source = '[{"name": 1, "@graph": [{"name": 2}, [{"name": 3}]], "mainEntity": {"@type": "Article", "name": 4}}, '
    source += '{"name": 5}]'
    page = parse_page(f'<head><script type="application/ld+json">{source}</script></head><body>text</body>')
    assert [item["name"] for item in read_metadata(page).objects] == [1, 4, 2, 3, 5]


def test_a_deep_page_of_many_paragraphs_is_explained_in_good_time() -> None:
    classes = " ".join(f"css-{number}a9b8c7" for number in range(40))
    html = f"<div class='{classes}'>" * 300 + "<p>A paragraph with a few words in it, and a full stop.</p>" * 3_000
    started = time.process_time()
    found = explain_article(html, **GIVEN, whole=True)
    assert time.process_time() - started < 5  # 17 s when each name was found anew
    assert len(found.passages) == MAX_PASSAGES
    assert any(note.endswith("more blocks are not shown") for note in found.notes)


def test_class_names_beyond_the_limit_are_not_read() -> None:
    html = f"<div class='{' '.join(f'related-{number}' for number in range(700_000))}'>text"
    started = time.process_time()
    with pytest.raises(ExtractError, match="characters of class names"):
        parse_page(html)
    assert time.process_time() - started < 0.5  # 0.8 s when they were


def test_how_deep_json_ld_is_read_does_not_hang_on_who_asks() -> None:
    source = '{"a":' * 400 + "1" + "}" * 400 + ";"
    page = parse_page(f'<head><script type="application/ld+json">{source}</script></head><body>text</body>')

    def read(calls: int) -> list[dict[str, Any]]:
        return read(calls - 1) if calls else read_metadata(page).objects

    assert read(0) == read(700)

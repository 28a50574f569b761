"""The expressions that a redactor is told to paste leave out the one URL, whatever is in it."""

from __future__ import annotations

import yaml
from hypothesis import given
from hypothesis import strategies as st

from config.rules import ArticlePatterns
from crawler.urls import find_normal
from jobs.cli.excluding import describe_wanted, exclude_url

_HOSTILE = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)


@given(_HOSTILE, _HOSTILE)
def test_it_is_left_out_and_nothing_else(path: str, query: str) -> None:
    url = find_normal(f"https://gazette.example/{path}?{query}")
    if url is None:
        return
    lines = list(describe_wanted({"gazette": [exclude_url(url)]}))[1:-1]
    pasted = yaml.safe_load("\n".join(lines))["articles"]["exclude"]
    patterns = ArticlePatterns(include=["."], exclude=pasted)
    assert not patterns.match(url)
    assert patterns.match(f"{url}x")

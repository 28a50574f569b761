"""Which CSS selectors and RE2 expressions a source may have: none that takes for ever on some page or URL."""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime

import pytest
from pydantic import ValidationError

from config.rules import ArticlePatterns, ExtractRules
from crawler.extract import check_rules, extract_article
from tests.hostile import STORY

REFUSED = {
    "": "a CSS selector",
    "p)": "`)` closes nothing",
    "p[a": "`[` is not closed",
    "p 'x": "`'` is not closed",
    "p { color: red }": "`{` has no place in one",
    "* * * * * *": "at most 4 elements before a blank or `~` that have no class, id or attribute, not 5",
    "div div div div div > p p": "not 5",
    "p ~ p ~ p ~ p ~ p ~ p": "not 5",
    ".x, div div div div div p": "not 5",
    ":not(div div div div div p)": "not 5",
    " ".join([".a"] * 11): "at most 10 elements in one another, not 11",
    ":has(:HAS(p))": "no `:has()` in another",
    "div:has(p:not(:has(a)))": "no `:has()` in another",
    "div:has(p):has(a):has(b)": "at most 2 `:has()`, not 3",
    ":not(:is(:not(:is(:not(p)))))": "at most 4 brackets in one another",
    ".x" * 600: "at most 1000 characters",
}
PASSED = (
    ".article-body", "main article > p", "#a .b .c .d .e .f p", "body > div > main p", 'a[href*=","]:not([rel])',
    "div:has(> p):not(:has(nav))", "p:nth-child(2n + 1), p:last-of-type", ":is(.a, .b) :where(.c)", r".w-1\/2",
    'p[title="a > b > c > d > e > f"]', "[data-x='(']", "h1 + p", "ul li ol li a",
    "html > body > main > div:nth-child(2) > div > section > article > p", "[data-a=':has(:has(']:has(p)",
)  # fmt: skip


@pytest.mark.parametrize(("selector", "reason"), REFUSED.items())
def test_what_is_no_selector_or_too_dear_is_refused(selector: str, reason: str) -> None:
    with pytest.raises(ValidationError, match=re.escape(reason)):
        ExtractRules(remove=[selector])


@pytest.mark.parametrize("selector", PASSED)
def test_what_people_write_is_taken(selector: str) -> None:
    check_rules(ExtractRules(remove=[selector]))


def test_a_thousand_selectors_are_too_many() -> None:
    with pytest.raises(ValidationError, match="at most 200 items"):
        ExtractRules(remove=[f".a{number}" for number in range(1_000)])


def test_the_dearest_rules_end_in_time_on_a_deep_page() -> None:
    rules = ExtractRules(
        include=["article"],
        remove=["x div div div p", ":not(:has(*)) b", "div:has(x):has(y)", ".a .a .a x", *["*.x"] * 190],
        title="h1",
    )
    deep = ("<div class=a>" * 40 + "<p>some words</p>" * 4 + "</div>" * 40) * 60
    started = time.process_time()
    article = extract_article(
        f"<html><body>{STORY}{deep}</body></html>",
        url="https://gazette.example/a",
        status=200,
        captured_at=datetime(2026, 11, 22, tzinfo=UTC),
        timezone=None,
        language=None,
        rules=rules,
    )
    assert len(article.blocks) == 5
    assert time.process_time() - started < 2


@pytest.mark.parametrize("expression", [r"(?i)(\pL|\pN){300}", "a{1000}" * 40, r"(?:\pL{60}.{30}){4}"])
def test_an_expression_that_compiles_to_too_much_is_refused(expression: str) -> None:
    with pytest.raises(ValidationError, match=r"an RE2 expression of at most 20000 instructions, not \d+: repeat less"):
        ArticlePatterns(include=[expression])


@pytest.mark.parametrize("expression", [r"\pL{1000}", r"(a)\1", "(?=a)", "a{1001}"])
def test_what_re2_cannot_do_is_refused(expression: str) -> None:
    with pytest.raises(ValidationError, match="an RE2 expression; "):
        ArticlePatterns(include=[expression])


@pytest.mark.parametrize(
    "expression",
    ["(x+x+)+y", "(a+)+$", "(a|aa)+b", "(a?){400}a{400}b", "(.*)(.*)(.*)(.*)b", r"(\w+\s?)*!", "[ab]{0,1000}c"],
)
def test_catastrophic_expressions_take_time_in_proportion_to_the_url(expression: str) -> None:
    patterns = ArticlePatterns(include=[expression])
    for letters in ("a" * 8_000, "x" * 8_000, "ab" * 4_000):
        started = time.process_time()
        patterns.match(f"https://gazette.example/{letters}")
        assert time.process_time() - started < 0.5

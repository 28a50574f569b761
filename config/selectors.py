"""Is a CSS selector well formed, and cheap on any page? Selectors that a parser would try for hours are refused.

The extractor, which has a CSS parser, is the one who really knows what is CSS.
"""

from __future__ import annotations

import re

MAX_PARTS = 10
"""Elements that one selector names, one within or beside the other."""
MAX_WIDE = 4
"""Of these, before a blank or `~`, without class, id or attribute: a parser tries each combination of their matches."""
MAX_HAS = 2
MAX_NESTED = 4
"""Brackets in brackets."""

_FAR = frozenset({"", "~"})
"""Combinators with many candidates at each step; `>` and `+` have one."""
_TEXT = re.compile(r"\"[^\"]*\"|'[^']*'")
_CLOSES = {")": "(", "]": "["}
_COMBINATOR = re.compile(r"\s*[>+~]\s*|\s+")


def check_selector(value: str) -> str:
    """Return *value*. Raises ValueError, saying what is expected, if it can be no CSS selector or is too dear."""
    groups = _split_groups(value)
    if not value.strip():
        raise ValueError("a CSS selector")
    for group in groups:
        for selector in group.split(","):
            _check_parts(selector.strip(" >+~"))
    _check_has(_without_texts(value))
    return value


def _split_groups(value: str) -> list[str]:
    """Return what stands at the top and in each bracket, without texts, attributes and inner brackets."""
    open_groups: list[list[str]] = [[]]
    stack: list[str] = []
    groups: list[str] = []
    quote, escaped = "", False
    for char in value:
        if escaped or char == "\\":
            escaped = not escaped
            open_groups[-1].append("x")
        elif quote:
            quote = "" if char == quote else quote
        elif char in "\"'":
            quote = char
        elif char in "([":
            stack.append(char)
            open_groups[-1].append(char)
            open_groups.append([])
        elif char in ")]":
            if not stack or stack.pop() != _CLOSES[char]:
                raise ValueError(f"a CSS selector; `{char}` closes nothing")
            group = "".join(open_groups.pop())
            groups += [group] if char == ")" else []
        elif char in "{};<@" and not stack:
            raise ValueError(f"a CSS selector; `{char}` has no place in one")
        else:
            open_groups[-1].append(char)
        if len(stack) > MAX_NESTED:
            raise ValueError(f"a CSS selector with at most {MAX_NESTED} brackets in one another")
    if quote or stack:
        raise ValueError(f"a CSS selector; `{quote or stack[-1]}` is not closed")
    return [*groups, "".join(open_groups[0])]


def _check_parts(selector: str) -> None:
    parts = _COMBINATOR.split(selector)
    combinators = [found[0].strip() for found in _COMBINATOR.finditer(selector)]
    if len(parts) > MAX_PARTS:
        raise ValueError(f"a CSS selector of at most {MAX_PARTS} elements in one another, not {len(parts)}")
    wide = sum(
        1
        for part, combinator in zip(parts, combinators, strict=False)
        if combinator in _FAR and not {".", "#", "["} & set(part)
    )
    if wide > MAX_WIDE:
        raise ValueError(
            f"a CSS selector with at most {MAX_WIDE} elements before a blank or `~` that have no class, id or"
            f" attribute, not {wide}"
        )


def _without_texts(value: str) -> str:
    return _TEXT.sub("", value).lower()


def _check_has(value: str) -> None:
    places = [found.end() for found in re.finditer(r":has\(", value)]
    if len(places) > MAX_HAS:
        raise ValueError(f"a CSS selector with at most {MAX_HAS} `:has()`, not {len(places)}")
    for place in places:
        level = 1
        for at in range(place, len(value)):
            level += {"(": 1, ")": -1}.get(value[at], 0)
            if level == 0:
                break
            if value.startswith(":has(", at):
                raise ValueError("a CSS selector with no `:has()` in another")

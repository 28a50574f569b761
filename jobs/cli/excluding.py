"""What a source's file must say so that no run captures an article again that was taken out: the lines to be pasted."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from config.drafts import quote_expression
from config.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from jobs.cli.options import Invocation


def find_wanted(invocation: Invocation, redacted: dict[str, Iterable[str]]) -> dict[str, list[str]]:
    """Return source → expressions for `articles.exclude` of those of its *redacted* URLs that its file still wants.

    A source that has no file here, or none that can be read, counts as one that wants all: it may have one elsewhere.
    """
    try:
        known = invocation.load_sources()
    except ConfigError:
        known = {}
    found: dict[str, list[str]] = {}
    for name, urls in redacted.items():
        source = known.get(name)
        if source is not None and source.retired:
            continue
        if wanted := [exclude_url(url) for url in sorted(urls) if source is None or source.is_article(url)]:
            found[name] = wanted
    return found


def exclude_url(url: str) -> str:
    """Return the expression that finds *url*, in normal form, and no other."""
    return f"^{re.escape(url)}$"


def describe_wanted(wanted: dict[str, list[str]]) -> Iterator[str]:
    """Yield what a person should read, and paste."""
    for name, expressions in sorted(wanted.items()):
        yield f"{name}: the next run captures it again if it still finds it. If it shall not, paste into {name}.yaml:"
        yield from ("articles:", "  exclude:")
        yield from (f"    - {quote_expression(one)}" for one in expressions)
    if wanted:
        yield "(where articles or exclude is there, only the lines below it; listings that tell of it stay captured)"

"""What the expressions of articles let in besides → expressions that keep it out."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

from crawler.survey.places import MAX_WORDS, alternate, escape, is_sound
from crawler.survey.shapes import Kind, Parts, kind_of, read_parts
from crawler.survey.words import GUARD_WORDS, LISTING_WORDS, TAIL_WORDS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from crawler.survey.templates import Template

MAX_EXCLUDES = 20
_MAX_TRIED = 100
_MAX_EXACT = 30
_MEDIA = r"\.(?:jpe?g|png|gif|webp|svg|mp3|mp4|pdf|xml|json|zip)$"
_TOKEN = re.compile(r"[^\W\d_]{2,20}[-_:]")


def list_excludes(
    templates: list[Template], articles: list[Parts], others: list[Parts], seen: list[Parts]
) -> Iterator[str]:
    """Yield expressions that keep out what *templates* let in and that is no article, none of which costs an article.

    *others*: what is known to be no article. *seen*: those and the URLs of which nobody knows what they are.
    """
    kept_out: dict[str, re.Pattern[str]] = {}
    tried: set[str] = set()

    def add(expression: str) -> bool:
        full = len(kept_out) >= MAX_EXCLUDES or len(tried) >= _MAX_TRIED
        if full or expression in tried or not is_sound(expression):
            return False
        tried.add(expression)
        compiled = re.compile(expression, re.ASCII)
        if any(compiled.search(parts.url) for parts in articles):
            return False
        kept_out[expression] = compiled
        return True

    for expression in _guard(templates, articles, seen):
        if add(expression):
            yield expression
    for template in templates:
        for describe in (_exclude_numbers, _exclude_words, _exclude_beginnings, _exclude_values, _exclude_each):
            caught = [
                parts
                for parts in template.matching(others)
                if not any(one.search(parts.url) for one in kept_out.values())
            ]
            for expression in describe(template, caught) if caught else ():
                if add(expression):
                    yield expression


def _guard(templates: list[Template], articles: list[Parts], seen: list[Parts]) -> Iterator[str]:
    """Yield what keeps out lists and files that nobody may have seen yet, if an expression would let them in."""
    used = {word for parts in articles for word in parts.segments}
    local = Counter(
        word for parts in seen for word in parts.segments[:-1] if word.lower() in LISTING_WORDS and word not in used
    )
    likely = [word for word in GUARD_WORDS if word not in used] + [word for word, _ in local.most_common(MAX_WORDS)]
    tails = [word for word in TAIL_WORDS if word not in used]
    words = [word for word in dict.fromkeys(likely) if any(_lets_in_list(one, word) for one in templates)]
    words += [word for word in tails if any(_lets_in_tail(one, word) for one in templates)]
    if words:
        yield f"/{alternate(set(words))}(?:[/?]|$)"
    if any(_lets_in(one, len(one.places) - 1, "photo-of-a-long-title-1234567.jpg") for one in templates):
        yield _MEDIA


def _lets_in_list(template: Template, word: str) -> bool:
    places = template.places
    if len(places) == 1:
        return _lets_in(template, 0, word)
    return any(_lets_in(template, at, word) for at in range(len(places) - 1))


def _lets_in_tail(template: Template, word: str) -> bool:
    return len(template.places) > 1 and _lets_in(template, len(template.places) - 1, word)


def _lets_in(template: Template, at: int, text: str) -> bool:
    """Tell whether the template matches one of its own URLs with *text* in place of what stands at *at*."""
    member = template.members[0]
    if not 0 <= at < len(member.segments):
        return False
    segments = (*member.segments[:at], text, *member.segments[at + 1 :])
    suffix = f".{member.suffix}" if member.suffix else ""
    query = member.url.partition("?")[2]
    url = f"{member.scheme}://{member.host}/{'/'.join(segments)}{suffix}" + (f"?{query}" if query else "")
    parts = read_parts(url)
    return parts is not None and template.match(parts)


def _exclude_numbers(template: Template, caught: list[Parts]) -> Iterator[str]:
    """Pages of a list: a bare number where articles have words."""
    for at, place in enumerate(template.places):
        wordy = place.role in {"category", "varied"} and not any(kind_of(text) is Kind.NUMBER for text in place.words)
        if wordy and any(kind_of(parts.segments[at]) is Kind.NUMBER for parts in caught):
            yield template.prefix(at) + r"\d+" + (r"/?$" if at == len(template.places) - 1 else "/")


def _exclude_words(template: Template, caught: list[Parts]) -> Iterator[str]:
    """Words that stand where sections do, and in no article's URL."""
    for at, place in enumerate(template.places[:-1]):
        words = {parts.segments[at] for parts in caught} - place.words
        if place.role in {"category", "varied"} and words:
            for some in _chunks(sorted(words), MAX_WORDS):
                yield f"{template.prefix(at)}{alternate(set(some))}/"


def _exclude_beginnings(template: Template, caught: list[Parts]) -> Iterator[str]:
    """What titles of lists begin with: `topic-…`."""
    for at, place in enumerate(template.places):
        if place.role != "varied":
            continue
        texts = [parts.segments[at] for parts in caught]
        tokens = Counter(match[0] for text in texts if (match := _TOKEN.match(text)))
        chosen = {
            token
            for token, number in tokens.items()
            if (number >= 3 or token[:-1].lower() in LISTING_WORDS)
            and not any(w.startswith(token) for w in place.words)
        }
        if chosen:
            yield template.prefix(at) + alternate(chosen)


def _exclude_values(template: Template, caught: list[Parts]) -> Iterator[str]:
    """Values of the query that no article has: `mode=list`; and names, `page=2`."""
    if not any(parts.query for parts in caught):
        return
    own = {pair for parts in template.members for pair in parts.query}
    names = {name for name, _ in own}
    strange = {name for parts in caught for name, _ in parts.query} - names
    if strange:
        yield rf"[?&]{alternate(strange)}="
    pairs = Counter(pair for parts in caught for pair in set(parts.query) - own if kind_of(pair[1]) is Kind.WORD)
    for (name, value), _ in pairs.most_common(3):
        yield rf"[?&]{escape(name)}={escape(value)}(?:&|$)"


def _exclude_each(template: Template, caught: list[Parts]) -> Iterator[str]:
    """What nothing else keeps out, one by one, as long as that is a list that people read."""
    if len(caught) > _MAX_EXACT:
        return
    above: dict[tuple[str, ...], list[Parts]] = {}
    for parts in caught:
        if parts.segments and not parts.query:
            above.setdefault(parts.segments[:-1], []).append(parts)
    for segments, group in above.items():
        names = {f"{parts.segments[-1]}{'.' if parts.suffix else ''}{parts.suffix}" for parts in group}
        path = "".join(f"/{escape(segment)}" for segment in segments)
        yield f"^https?://{template.hosts}{path}/{alternate(names)}/?$"


def _chunks(items: list[str], size: int) -> Iterator[list[str]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]

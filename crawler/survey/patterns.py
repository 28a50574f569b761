"""URLs of articles and of other pages → RE2 expressions that tell them apart, for `articles.include` and `.exclude`.

An include says what the URLs of one kind of article have in common, from the scheme to the end; an exclude names what
such an expression would let in besides. A part that differs from article to article is described by its form, and a
word is kept only where it never changes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

from crawler.survey.exclusion import list_excludes
from crawler.survey.places import MAX_WORDS, is_sound
from crawler.survey.shapes import MAX_URLS, Kind, Parts, find_hint, read_parts
from crawler.survey.templates import Template, make_templates
from crawler.survey.words import LISTING_WORDS, STATIC_WORDS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

MAX_PATTERNS = 12
"""Who needs more than so many has a site that no expressions describe."""
_STRAY = 0.02
"""A kind of URL that fewer of the articles have is left out if something else speaks against it."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """One expression and what it is good for."""

    expression: str
    """RE2, searched for in the normalised URL, as it is or with its letters readable."""
    matches: int
    """Of the URLs at hand: for an include the articles, for an exclude what is no article."""
    example: str | None = None
    """One of them, readable."""


@dataclass(frozen=True, slots=True)
class LearnedPatterns:
    """Expressions and how well they do on the URLs that they were learned from."""

    include: tuple[Pattern, ...] = ()
    exclude: tuple[Pattern, ...] = ()
    articles: int = 0
    covered: int = 0
    """Articles that are matched."""
    others: int = 0
    caught: int = 0
    """Other pages that are matched all the same: should be none."""
    unknown: int = 0
    taken: int = 0
    """URLs of which nobody knows what they are, and that are matched."""


def learn_patterns(
    articles: Iterable[str], others: Iterable[str] = (), unknown: Iterable[str] = (), *, home: str | None = None
) -> LearnedPatterns:
    """Return expressions that match *articles* and what is published next, and none of *others*.

    A URL that is in both counts as an article. *unknown*: other URLs of the site, of which nobody knows what they are.
    *home*: URL of the front page; hosts below its own are the site's. At most 20,000 URLs of each are looked at.
    """
    sought = _read(articles)
    avoided = {url: parts for url, parts in _read(others).items() if url not in sought}
    open_ones = {url: parts for url, parts in _read(unknown).items() if url not in sought and url not in avoided}
    words = {word for parts in sought.values() for word in parts.segments}
    hinted = {url: parts for url, parts in open_ones.items() if find_hint(parts) and _tells(parts, words)}
    lists = {parts.url: parts for parts in _list_ancestors(sought.values()) if parts.url not in sought}
    kept_out = list({**lists, **hinted, **avoided}.values())
    rest = [parts for url, parts in open_ones.items() if url not in hinted]
    front = read_parts(home) if home else None

    templates = _choose_templates(list(sought.values()), kept_out, rest, front.host if front else None)
    include = [template.expression for template in templates]
    exclude = list(list_excludes(templates, list(sought.values()), kept_out, [*kept_out, *rest]))
    return _sum_up(include, exclude, list(sought.values()), list(avoided.values()), list(open_ones.values()))


def _read(urls: Iterable[str]) -> dict[str, Parts]:
    found: dict[str, Parts] = {}
    for url in islice(urls, MAX_URLS):
        parts = read_parts(url)
        if parts is not None:
            found.setdefault(parts.url, parts)
    return found


def _list_ancestors(articles: Iterable[Parts]) -> Iterator[Parts]:
    """Yield what stands above articles: sections, archives of months, the front page."""
    seen: set[tuple[str, tuple[str, ...]]] = set()
    for parts in articles:
        for depth in range(len(parts.segments)):
            key = parts.host, parts.segments[:depth]
            if key not in seen:
                seen.add(key)
                url = f"{parts.scheme}://{parts.host}/" + "".join(f"{segment}/" for segment in key[1])
                above = read_parts(url)
                if above is not None:
                    yield above


def _tells(parts: Parts, words: set[str]) -> bool:
    """Tell whether the word that hints at a list stands in no article's URL."""
    told = [word for word in parts.segments if word.lower() in LISTING_WORDS | STATIC_WORDS]
    return not told or any(word not in words for word in told)


def _choose_templates(
    articles: list[Parts], others: list[Parts], unknown: list[Parts], home: str | None
) -> list[Template]:
    """Return what describes the articles, by groups of alike ones, the largest first."""
    found: list[Template] = []
    templates = make_templates(articles, home)
    for template in templates:
        left = [parts for parts in template.members if not any(one.match(parts) for one in found)]
        if len(found) >= MAX_PATTERNS or not left or _is_stray(template, len(articles)):
            continue
        chosen = _tighten(_widen(template, templates, others, unknown), others)
        if is_sound(chosen.expression):
            found.append(chosen)
    for template in reversed(found):  # what a larger group's expression lets in needs none of its own
        rest = [one for one in found if one is not template]
        if all(any(one.match(parts) for one in rest) for parts in template.members):
            found = rest
    return found


def _is_stray(template: Template, total: int) -> bool:
    """Tell whether so few articles look like that that a link to something else explains them as well."""
    members = template.members
    if total < 25 or len(members) > max(1, total * _STRAY):
        return False
    plain = all(set(parts.kinds) <= {Kind.WORD} and not parts.query for parts in members)
    return plain or len(members) == 1 or any(find_hint(parts) for parts in members)


def _widen(template: Template, beside: list[Template], others: list[Parts], unknown: list[Parts]) -> Template:
    """Let other sections in where one word is all that was seen, and other articles or links have more at that place.

    *beside*: the templates of all articles.
    """
    for at, place in enumerate(template.places[:-1]):
        if place.role != "fixed":
            continue
        wider = template.widen(at)
        shared = any(
            one.hosts == template.hosts
            and at < len(one.places) - 1
            and one.places[at].role == "category"
            and len(one.places[at].words) > 1
            for one in beside
        )
        if not shared:
            seen = [parts for parts in wider.matching(unknown) if parts.segments[at] not in place.words]
            telling = [parts for parts in seen if parts.kinds[-1] in {Kind.SLUG, Kind.CODE, Kind.NUMBER}]
            if len({parts.segments[at] for parts in telling}) < 2 or len(telling) * 5 < len(seen) * 4:
                continue
        plain = [parts for parts in others if find_hint(parts) is None]  # tags and the like are kept out by their words
        if len(_tighten(wider, plain).matching(plain)) <= len(_tighten(template, plain).matching(plain)):
            template = wider
    return template


def _tighten(template: Template, others: list[Parts]) -> Template:
    """Ask for as many words in titles as keeps most other pages out, and costs no article."""
    for at in reversed(range(len(template.places))):
        place, best = template.places[at], template
        if place.role == "category" and len(place.options) > 1:
            strange = {parts.segments[at] for parts in template.matching(others)} - place.words
            template = template.tighten(at, 1) if len(strange) > MAX_WORDS else template
        if place.role != "varied":
            continue
        fewest = len(template.matching(others))
        for option in range(1, len(place.options)):
            tighter = template.tighten(at, option)
            if not fewest or not all(map(tighter.match, template.members)):
                break
            if (number := len(tighter.matching(others))) < fewest:
                best, fewest = tighter, number
        template = best
    return template


def _sum_up(
    include: list[str], exclude: list[str], articles: list[Parts], others: list[Parts], unknown: list[Parts]
) -> LearnedPatterns:
    def count(expression: str, urls: list[Parts]) -> Pattern:
        hits = [parts.url for parts in urls if re.search(expression, parts.url, re.ASCII)]
        return Pattern(expression, len(hits), hits[0] if hits else None)

    wanted = [re.compile(expression, re.ASCII) for expression in include]
    unwanted = [re.compile(expression, re.ASCII) for expression in exclude]

    def passing(urls: list[Parts]) -> int:
        return sum(_is_found(wanted, parts) and not _is_found(unwanted, parts) for parts in urls)

    return LearnedPatterns(
        include=tuple(count(expression, articles) for expression in include),
        exclude=tuple(count(expression, others + unknown) for expression in exclude),
        articles=len(articles),
        covered=passing(articles),
        others=len(others),
        caught=passing(others),
        unknown=len(unknown),
        taken=passing(unknown),
    )


def _is_found(expressions: Sequence[re.Pattern[str]], parts: Parts) -> bool:
    return any(expression.search(parts.url) for expression in expressions)

"""A survey → what to write into the file of a source, each part with its reason."""

from __future__ import annotations

import re
from collections import Counter
from datetime import datetime
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from config.rules import ArticlePatterns
from config.scope import LANGUAGE
from crawler.survey.choices import Weighed, choose_listings, weigh_listings
from crawler.survey.labels import Labels, is_article, label_urls
from crawler.survey.patterns import LearnedPatterns, learn_patterns
from crawler.survey.proposed import Choice, Proposal, Reasoned
from crawler.survey.rates import propose_schedule, sum_up_rates
from crawler.survey.zones import guess_zone
from crawler.urls import find_normal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from crawler.discover.page_facts import PageFacts
    from crawler.survey.facts import SampleFacts, Survey

__all__ = ["Choice", "Proposal", "Reasoned", "propose"]

DEFAULT_DELAY_SECONDS = 5.0
_MAX_DELAY_SECONDS = 3_600.0
_SAMPLES = 3
_MAX_NAME = 100
_BETWEEN_NAMES = re.compile(r"\s+[|·–—:»-]\s+|\s*\|\s*")
_TERMS = ("noarchive", "noai", "noimageai", "noindex", "nosnippet")
_HOME_NAMES = "home homepage startseite inicio accueil início strona główna anasayfa главная الرئيسية 首页"
_HOME_WORDS = frozenset(_HOME_NAMES.split())


def propose(survey: Survey) -> Proposal:
    """Return what a source for the site of *survey* would say."""
    labels = label_urls(survey)
    patterns = learn_patterns(labels.articles, labels.others, labels.unknown, home=survey.home)
    accept = make_filter(patterns)
    weighed = weigh_listings(survey, accept)
    discover, left = choose_listings(survey, weighed, accept)
    kept = {choice.url for choice in discover}
    samples = [sample for sample in survey.samples if is_article(sample) and _accepts(accept, sample.url)]
    languages = _count_languages(samples, survey)
    per_day = _measure(survey, weighed)
    delay, delay_why = _choose_delay(survey)
    spans = [one.span.total_seconds() for one in weighed if one.facts.kind == "feed" and one.facts.url in kept]
    return Proposal(
        name=_find_name(survey),
        home=survey.home,
        discover=tuple(discover),
        left=tuple(left),
        patterns=patterns,
        languages=languages,
        language=Reasoned(languages[0], _explain_language(samples)) if languages else None,
        timezone=guess_zone(survey.home, languages, list(_list_times(samples))),
        articles_per_day=per_day,
        schedule=propose_schedule(per_day, spans),
        delay_seconds=delay,
        delay_why=delay_why,
        samples=tuple(sample.url for sample in sorted(samples, key=_rate_sample, reverse=True)[:_SAMPLES]),
        hints=tuple(_list_hints(survey, labels, patterns, samples)),
        sound=bool(discover and patterns.include and (samples or not survey.samples) and _is_open(survey)),
    )


def make_filter(patterns: LearnedPatterns) -> Callable[[str], bool]:
    """Return what tells whether a normalised URL is an article by *patterns*."""
    if not patterns.include:
        return lambda _: False
    include = [pattern.expression for pattern in patterns.include]
    exclude = [pattern.expression for pattern in patterns.exclude]
    return ArticlePatterns(include=include, exclude=exclude).match


def _accepts(accept: Callable[[str], bool], url: str) -> bool:
    normal = find_normal(url)
    return normal is not None and accept(normal)


def _is_open(survey: Survey) -> bool:
    """Whether robots.txt of the site lets us in at all."""
    home = urlsplit(survey.home).netloc
    return not any(one.forbids_all for one in survey.robots if urlsplit(one.url).netloc == home)


def _find_name(survey: Survey) -> str:
    page = survey.pages[0] if survey.pages else None
    host = (urlsplit(survey.home).hostname or survey.home).removeprefix("www.")
    if page is None:
        return host
    named = page.site_name or _name_of(page.title)
    return " ".join((named or host).split())[:_MAX_NAME] or host


def _name_of(title: str | None) -> str | None:
    """Return the name in the title of a home page: its first part that is no `Home`."""
    parts = [part.strip() for part in _BETWEEN_NAMES.split(title or "")]
    named = [part for part in parts if part and part.lower() not in _HOME_WORDS]
    return named[0] if named else None


def _count_languages(samples: Sequence[SampleFacts], survey: Survey) -> tuple[str, ...]:
    said = [str(sample.fields["language"]["value"]) for sample in samples if "language" in sample.fields]
    if not said:
        said = [page.language for page in survey.pages[:5] if page.language]
    tags = Counter(tag for tag in map(_clean_tag, said) if tag)
    total = sum(tags.values())
    return tuple(tag for tag, number in tags.most_common(10) if number * 10 >= total)


def _clean_tag(tag: str) -> str | None:
    main, *rest = tag.strip().replace("_", "-")[:40].split("-")
    cleaned = "-".join([main.lower(), *(part.upper() if len(part) == 2 else part for part in rest)])
    return cleaned if LANGUAGE.fullmatch(cleaned) else None


def _explain_language(samples: Sequence[SampleFacts]) -> str:
    if not samples:
        return "as the site's pages say"
    return f"of most of {len(samples)} articles that were looked at"


def _list_times(samples: Sequence[SampleFacts]) -> Iterator[datetime]:
    for sample in samples:
        for name in ("published", "modified"):
            found = sample.fields.get(name, {})
            if "T" in str(found.get("value")) and not found.get("assumed_zone"):
                try:
                    yield datetime.fromisoformat(str(found["value"]))
                except ValueError:
                    continue


def _measure(survey: Survey, weighed: Sequence[Weighed]) -> float | None:
    times: dict[str, datetime] = {}
    own: list[list[datetime]] = []
    for one in weighed:
        if one.facts.kind != "section":
            past = {url: time for url, time in one.times.items() if time <= survey.looked_at}
            own.append(list(past.values()))
            times = past | times
    return sum_up_rates(own, list(times.values()))


def _choose_delay(survey: Survey) -> tuple[float, str]:
    asked = max((one.crawl_delay for one in survey.robots if one.crawl_delay is not None), default=None)
    if asked is not None and asked > DEFAULT_DELAY_SECONDS:
        delay = min(float(asked), _MAX_DELAY_SECONDS)
        return delay, f"robots.txt asks for {asked:g} seconds between two requests"
    return DEFAULT_DELAY_SECONDS, "the default; robots.txt asks for no more"


def _rate_sample(sample: SampleFacts) -> tuple[int, float, int]:
    return len({"title", "published", "authors"} & sample.fields.keys()), sample.confidence, min(sample.chars, 3_000)


def _list_hints(
    survey: Survey, labels: Labels, patterns: LearnedPatterns, samples: Sequence[SampleFacts]
) -> Iterator[str]:
    yield from (problem.text for problem in survey.problems)
    pages: list[PageFacts | SampleFacts] = [*survey.pages, *survey.samples]
    for term in _TERMS:
        number = sum(term in page.directives for page in pages)
        if number:
            yield f"{number} of {len(pages)} pages say `{term}` to robots"
    if any(page.tdm_reservation for page in pages):
        yield "the publisher reserves text and data mining: see the site's terms"
    walled = sum(sample.page_class == "truncated" for sample in samples)
    if walled:
        yield f"{walled} of {len(samples)} articles that were looked at end at a wall; what is before it is archived"
    if patterns.caught:
        yield f"{patterns.caught} of {patterns.others} pages that are no articles look like articles; see `exclude`"
    if patterns.articles and patterns.covered < patterns.articles:
        yield f"{patterns.articles - patterns.covered} of {patterns.articles} articles are of other forms, and left out"
    foreign = sum(labels.elsewhere.values())
    if foreign:
        host = max(labels.elsewhere, key=lambda host: labels.elsewhere[host])
        yield f"feeds and sitemaps have {foreign} links to other sites, as {host or 'unnamed hosts'}; left out"
    if not survey.complete:
        yield "the look ended before all was seen"

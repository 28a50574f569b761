"""A look at a site, and what it found, as JSON data and for people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from config.units import count
from crawler.rows import format_time
from crawler.survey.transport import decode_survey
from crawler.visit import VisitLimits
from jobs.cli.options import printable
from jobs.cli.progress import show_line
from jobs.visits import make_visit

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from config.sources import Source
    from crawler.discover.page_facts import PageFacts
    from crawler.survey.facts import SampleFacts, Survey
    from crawler.survey.patterns import LearnedPatterns
    from crawler.survey.proposal import Choice, Proposal, Reasoned
    from jobs.cli.options import Invocation
    from jobs.visits import VisitStep

MAX_REQUESTS = 40
"""Of a look, where nobody says otherwise."""
_BODY_BYTES = 8 * 1024**2
_LABEL = 12
_VALUE_CHARS = 160
_TEXT_CHARS = 400
_SHOWN_FIELDS = (
    *("title", "lead", "authors", "published", "modified", "section", "tags", "source", "language", "site_name"),
    *("canonical_url", "image", "reading_time"),
)
"""That say whether a page was read well; the others are in the JSON data."""
_MAX_LEFT = 12
"""Listings that were not kept, of each kind, that are shown to people."""


def look_at(
    invocation: Invocation, source: Source, *, requests: int, seconds: float, listings: Iterable[tuple[str, str]] = ()
) -> Survey:
    """Return what a look at the site of *source* saw, within so many requests and seconds.

    *listings*: kind and URL of those that are known, which are read first. Raises ConfigError, FetchError,
    ExtractError.
    """
    limits = VisitLimits(requests, seconds, min(invocation.settings.max_body_bytes, _BODY_BYTES))
    with show_line(wanted=not invocation.as_json) as line:

        def tell(step: VisitStep) -> None:
            if line is not None:
                line.show(lambda _: f"{step.requests} of at most {requests} requests · {printable(step.url)}")

        parameters = {"url": source.home, "listings": [list(one) for one in listings]}
        return decode_survey(make_visit("survey", parameters, source, invocation.settings, limits, tell=tell))


def describe_look(survey: Survey, proposal: Proposal) -> dict[str, Any]:
    """Return as JSON data what was seen and what is proposed."""
    best = {sample.url: sample for sample in survey.samples}
    return {
        "asked": survey.asked,
        "home": survey.home,
        "looked_at": format_time(survey.looked_at),
        "requests": survey.requests,
        "complete": survey.complete,
        "sound": proposal.sound,
        "name": proposal.name,
        "listings": [_describe_choice(one) for one in (*proposal.discover, *proposal.left)],
        "articles_per_day": proposal.articles_per_day,
        "languages": list(proposal.languages),
        "language": _describe_reasoned(proposal.language),
        "timezone": _describe_reasoned(proposal.timezone),
        "schedule": _describe_reasoned(proposal.schedule),
        "delay": {"seconds": proposal.delay_seconds, "why": proposal.delay_why},
        "patterns": _describe_patterns(proposal.patterns),
        "robots": [
            {
                "url": one.url,
                "status": one.status,
                "error": one.error,
                "crawl_delay": one.crawl_delay,
                "forbids_all": one.forbids_all,
                "sitemaps": list(one.sitemaps),
            }
            for one in survey.robots
        ],
        "terms": _describe_terms(survey),
        "samples": [_describe_sample(best[url]) for url in proposal.samples if url in best],
        "looked_at_pages": [
            {"url": one.url, "status": one.status, "class": one.page_class, "reason": one.class_reason}
            for one in survey.samples
        ],
        "problems": [{"kind": one.kind, "text": one.text, "url": one.url} for one in survey.problems],
        "hints": list(proposal.hints),
    }


def _describe_choice(choice: Choice) -> dict[str, Any]:
    return {
        "kind": choice.kind,
        "url": choice.url,
        "kept": choice.kept,
        "why": choice.why,
        "articles": choice.articles,
        "newest": format_time(choice.newest) if choice.newest else None,
        "per_day": choice.per_day,
    }


def _describe_reasoned(one: Reasoned | None) -> dict[str, str] | None:
    return None if one is None else {"value": one.value, "why": one.why}


def _describe_patterns(patterns: LearnedPatterns) -> dict[str, Any]:
    def listed(kind: str) -> list[dict[str, Any]]:
        return [
            {"expression": one.expression, "matches": one.matches, "example": one.example}
            for one in getattr(patterns, kind)
        ]

    counts = {name: getattr(patterns, name) for name in ("articles", "covered", "others", "caught", "unknown", "taken")}
    return {"include": listed("include"), "exclude": listed("exclude"), **counts}


def _describe_terms(survey: Survey) -> dict[str, Any]:
    """Return what pages say to robots and of text mining, and how many of them do."""
    pages: list[PageFacts | SampleFacts] = [*survey.pages[:1], *survey.samples]
    directives: dict[str, int] = {}
    for page in pages:
        for word in page.directives:
            directives[word] = directives.get(word, 0) + 1
    reserved = [page.tdm_reservation for page in pages if page.tdm_reservation is not None]
    return {"pages": len(pages), "directives": directives, "tdm_reservation": any(reserved) if reserved else None}


def _describe_sample(sample: SampleFacts) -> dict[str, Any]:
    return {
        "url": sample.url,
        "status": sample.status,
        "class": sample.page_class,
        "reason": sample.class_reason,
        "title": sample.title,
        "lead": sample.lead,
        "text": sample.text,
        "chars": sample.chars,
        "confidence": sample.confidence,
        "fields": sample.fields,
        "directives": list(sample.directives),
    }


def show_look(data: dict[str, Any]) -> str:
    """Return for people what `describe_look` says, with `problem`: why nothing can be written, or `None`."""
    return "\n".join(printable(line) for line in _list_lines(data))


def _list_lines(data: dict[str, Any]) -> Iterator[str]:
    partly = "" if data["complete"] else ", not all that was to be looked at"
    yield f"{data['home']} · {data['name']} · {count(data['requests'], 'request')}{partly}"
    yield from _list_robots(data)
    for kind in ("feed", "sitemap", "section"):
        yield from _list_choices(kind, [one for one in data["listings"] if one["kind"] == kind])
    if data["sound"]:
        yield from _list_expectations(data)
    for number, sample in enumerate(data["samples"], 1):
        yield from _list_sample(number, sample)
    told = [one["text"] for one in data["problems"]]
    found = [text for text in told if text not in (data["problem"] or "")]  # that is said in the end
    yield from (_label("found" if not number else "", text) for number, text in enumerate(found))
    yield from (_label("note", hint) for hint in data["hints"] if hint not in told)


def _list_robots(data: dict[str, Any]) -> Iterator[str]:
    for one in data["robots"]:
        said = [one["error"] or f"status {one['status']}"]
        if one["crawl_delay"] is not None:
            said.append(f"asks for {one['crawl_delay']:g} s between two requests")
        if one["forbids_all"]:
            said.append("nothing may be fetched")
        if one["sitemaps"]:
            said.append(f"names {count(len(one['sitemaps']), 'sitemap')}")
        yield _label("robots.txt", f"{one['url']}: {'; '.join(said)}")
    terms = data["terms"]
    said = [f"{word} on {number} of {count(terms['pages'], 'page')}" for word, number in terms["directives"].items()]
    if terms["tdm_reservation"] is not None:
        said.append(f"text and data mining {'' if terms['tdm_reservation'] else 'not '}reserved")
    if said:
        yield _label("terms", "; ".join(said))


def _list_choices(kind: str, choices: list[dict[str, Any]]) -> Iterator[str]:
    kept = [one for one in choices if one["kept"]]
    left = [one for one in choices if not one["kept"]]
    if not choices:
        yield _label(f"{kind}s", "none found")
    for number, one in enumerate([*kept, *left[:_MAX_LEFT]]):
        mark = "+" if one["kept"] else "-"
        yield _label(f"{kind}s" if not number else "", f"{mark} {one['url']}  ({one['why']})")
    if len(left) > _MAX_LEFT:
        yield _label("", f"- and {len(left) - _MAX_LEFT} more that are of no use")


def _list_expectations(data: dict[str, Any]) -> Iterator[str]:
    rate = data["articles_per_day"]
    yield _label(
        "expected", "how many articles a day is not told" if rate is None else f"about {rate:.3g} articles a day"
    )
    yield _label("languages", ", ".join(data["languages"]) or "not told")
    for key in ("language", "timezone", "schedule"):
        if data[key] is not None:
            yield _label(key, f"{data[key]['value']}  ({data[key]['why']})")
    yield _label("delay", f"{data['delay']['seconds']:g} s  ({data['delay']['why']})")
    patterns = data["patterns"]
    for kind in ("include", "exclude"):
        yield from _list_expressions(kind, patterns[kind])
    yield _label(
        "",
        f"match {patterns['covered']} of {count(patterns['articles'], 'article')}, {patterns['caught']} of "
        f"{count(patterns['others'], 'other page')}, {patterns['taken']} of {patterns['unknown']} that may be either",
    )


def _list_expressions(kind: str, expressions: Iterable[dict[str, Any]]) -> Iterator[str]:
    for number, one in enumerate(expressions):
        example = f"  (as {one['example']})" if one["example"] else ""
        yield _label(kind if not number else "", f"{one['expression']}{example}")


def _list_sample(number: int, sample: dict[str, Any]) -> Iterator[str]:
    yield ""
    yield _label(f"sample {number}", f"{sample['url']}: {sample['class']}, confidence {sample['confidence']:g}")
    if sample["title"] and "title" not in sample["fields"]:
        yield _label("  title", sample["title"])
    shown = [name for name in _SHOWN_FIELDS if name in sample["fields"]]
    for name in shown:
        found = sample["fields"][name]
        sure = f", {found['confidence']:g}" if found.get("confidence") is not None else ""
        zone = f", zone assumed: {found['assumed_zone']}" if found.get("assumed_zone") else ""
        yield _label(f"  {name}", f"{_show_value(found['value'])}  ({found['from']}{sure}{zone})")
    if len(sample["fields"]) > len(shown):
        yield _label("  more", f"{count(len(sample['fields']) - len(shown), 'field')}: --json")
    text = " ".join(sample["text"].split())
    yield _label("  text", f"{_cut(text, _TEXT_CHARS)}  ({sample['chars']} characters)")


def _show_value(value: object) -> str:
    if isinstance(value, dict):
        value = value.get("url") or value.get("name") or value
    text = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
    return _cut(" ".join(text.split()), _VALUE_CHARS)


def _cut(text: str, size: int) -> str:
    return text if len(text) <= size else f"{text[: size - 1]}…"


def _label(name: str, text: str) -> str:
    return f"{name.ljust(_LABEL)}  {text}".rstrip()

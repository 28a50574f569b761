"""A source, a survey of its site, the last check, the archive → what changed, with the edit that mends it. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from config.drafts import clean_remark, quote_expression, quote_url
from config.editing import Addition, Replacement, Withdrawal
from config.rules import ArticlePatterns, readable_url
from config.units import count
from crawler.survey.choices import weigh_listings
from crawler.survey.labels import is_article, label_urls
from crawler.survey.proposal import make_filter
from crawler.survey.shapes import read_parts
from crawler.urls import find_normal
from jobs.catalog.tallies import FIELDS
from jobs.surveys.memory import count_field, good_samples

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from config.editing import Edit
    from config.sources import Source
    from crawler.survey.choices import Weighed
    from crawler.survey.facts import Survey
    from crawler.survey.proposed import Choice, Proposal
    from jobs.surveys.memory import CheckMemory, ListingMemory

_GONE = frozenset({401, 403, 404, 410, 451})
_STALE, _FRESH = timedelta(days=60), timedelta(days=14)
_LEAST_MISSED = 3
_MISSED, _CAUGHT = 0.05, 0.2
_GAIN = 0.2
"""Another listing is worth telling of if it has so many more articles than those that are configured."""
_USUAL, _LOST = 0.8, 0.25
_LEAST_TEXTS, _LEAST_SAMPLES = 30, 3
_MINOR = frozenset({"look_alike", "budget_spent", "endless_calendar", "answers_everything", "cut", "scripted"})
_WORDS = {"published": "a time of publication", "title": "a title", "authors": "an author", "section": "a section"}


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is otherwise than the source's file, or its past, says."""

    kind: str
    """`dead_feed`, `moved_section`, `patterns_miss`, `field_lost`, …"""
    text: str
    """What was found, on one line for a person."""
    hand: bool
    """Whether somebody must do something; else it is good to know."""
    url: str | None = None
    edits: tuple[Edit, ...] = ()
    """Of the source's file, that would mend it."""


def find_changes(
    source: Source,
    survey: Survey,
    proposal: Proposal,
    before: CheckMemory | None = None,
    shares: Mapping[str, tuple[int, int]] | None = None,
) -> list[Finding]:
    """Return what changed, what needs a hand first.

    *before*: the last check. *shares*: by field, how many texts the archive has and how many of them have it.
    """
    judge = _Judge(source, survey, proposal, before)
    found = [*judge.judge_site(), *judge.judge_listings(), *judge.judge_patterns(), *judge.judge_samples(shares or {})]
    return sorted(found, key=lambda finding: not finding.hand)


class _Judge:
    def __init__(self, source: Source, survey: Survey, proposal: Proposal, before: CheckMemory | None) -> None:
        self.source, self.survey, self.proposal, self.before = source, survey, proposal, before
        self.labels = label_urls(survey)
        self.weighed = weigh_listings(survey, source.is_article)
        self.by_url: dict[str | None, Weighed] = {}
        for one in self.weighed:
            self.by_url.setdefault(_address(one), one)
        self.configured = [find_normal(entry.url) for entry in source.discover]
        proposed = make_filter(proposal.patterns)
        self.either = weigh_listings(survey, lambda url: source.is_article(url) or proposed(url))
        """The same by the file's patterns or by those that would be learned now."""

    def _is_configured(self, one: Weighed) -> bool:
        return _address(one) in self.configured

    def judge_site(self) -> Iterator[Finding]:
        """Yield what stands in the way of everything, and a home that moved."""
        listings = {find_normal(one.facts.url) for one in self.weighed}
        for problem in self.survey.problems:
            if problem.url is None or find_normal(problem.url) not in listings:  # of listings more is said below
                yield Finding(problem.kind, problem.text, problem.kind not in _MINOR, problem.url)
        home = self.survey.home
        away = any(problem.kind == "other_site" for problem in self.survey.problems)
        if not away and self.survey.pages and find_normal(home) != find_normal(self.source.home):
            edit = Replacement(("home",), quote_url(readable_url(home)))
            yield Finding("moved_home", f"the home page {self.source.home} leads to {home}", False, home, (edit,))
        asked = max((one.crawl_delay for one in self.survey.robots if one.crawl_delay is not None), default=0.0)
        if asked > self.source.politeness.delay_seconds:
            own = self.source.politeness.delay_seconds
            text = f"robots.txt asks for {asked:g} seconds between two requests, and gets them; the file says {own:g}"
            yield Finding("longer_delay", text, False)

    def judge_listings(self) -> Iterator[Finding]:
        """Yield what became of each listing that is configured, and others that have more."""
        others = self._list_others()
        pages = {find_normal(page.url) for page in self.survey.pages}
        dead = 0
        for number, entry in enumerate(self.source.discover):
            one = self.by_url.get(find_normal(entry.url))
            if one is None:
                if not self.survey.problems and find_normal(entry.url) not in pages:
                    yield Finding(
                        f"unread_{entry.kind}",
                        f"{entry.kind} {entry.url}: not looked at within the budget",
                        False,
                        entry.url,
                    )
                continue
            finding = self._judge_listing(number, one, others)
            if finding is not None:
                dead += finding.kind.startswith("dead")
                yield finding
        for choice, better in others:
            if better:
                yield self._suggest(choice, needed=dead == len(self.source.discover))

    def _judge_listing(self, number: int, one: Weighed, others: list[tuple[Choice, bool]]) -> Finding | None:
        entry, facts = self.source.discover[number], one.facts
        was = self._recall(entry.url)
        here = ("discover", number)
        name = f"{entry.kind} {entry.url}"
        past = f"; at the last check it had {count(was.articles, 'article')}" if was and was.articles else ""
        astray = facts.asked is not None and find_normal(facts.url) == find_normal(self.survey.home) != find_normal(
            entry.url
        )
        if facts.error or astray:
            reason = facts.error or "leads to the home page: it is gone"
            lasting = (
                astray or facts.status in _GONE or facts.status == 200 or (was is not None and was.error is not None)
            )
            if not lasting:
                return Finding(
                    f"failing_{entry.kind}", f"{name}: {reason}{past}; if that stays, it is dead", False, entry.url
                )
            edits: tuple[Edit, ...] = (Withdrawal(here, clean_remark(f"{reason} on {self.survey.looked_at:%Y-%m-%d}")),)
            instead = next((one for one in others if one[0].kind == entry.kind), None)
            if instead is not None:
                others.remove(instead)
                edits = (Replacement((*here, entry.kind), quote_url(readable_url(instead[0].url))),)
                reason += f"; {instead[0].url} has {count(instead[0].articles, 'article')}"
            return Finding(f"dead_{entry.kind}", f"{name}: {reason}{past}", True, entry.url, edits)
        if facts.asked is not None and find_normal(facts.url) != find_normal(entry.url):
            edit = Replacement((*here, entry.kind), quote_url(readable_url(facts.url)))
            return Finding(f"moved_{entry.kind}", f"{name}: moved to {facts.url}", False, entry.url, (edit,))
        if not one.articles and facts.total and not one.is_index and not self._has_others(entry.url):
            text = f"{name}: none of its {count(facts.total, 'link')} is an article by the patterns{past}"
            return Finding(f"barren_{entry.kind}", text, entry.kind == "feed" or bool(was and was.articles), entry.url)
        return self._judge_age(one, name, entry.url)

    def _has_others(self, url: str) -> bool:
        """Whether the listing at *url* has articles that only the file's patterns do not take: that is said below."""
        return any(one.articles for one in self.either if _address(one) == find_normal(url))

    def _judge_age(self, one: Weighed, name: str, url: str) -> Finding | None:
        now = self.survey.looked_at
        newest = max((other.newest for other in self.weighed if other.newest), default=None)
        if one.facts.kind != "feed" or one.newest is None or newest is None:
            return None
        if now - one.newest < _STALE or now - newest > _FRESH:
            return None
        text = f"{name}: its newest article is of {one.newest:%Y-%m-%d}, while others are of {newest:%Y-%m-%d}"
        return Finding("stale_feed", text, True, url)

    def _recall(self, url: str) -> ListingMemory | None:
        if self.before is None:
            return None
        return next(
            (one for known, one in self.before.listings.items() if find_normal(known) == find_normal(url)), None
        )

    def _list_others(self) -> list[tuple[Choice, bool]]:
        """Return feeds and sitemaps that are not configured, and whether they have much that nothing configured has."""
        announced = {url for one in self.either if self._is_configured(one) for url in one.articles}
        others = {one.facts.url: one for one in self.either if not self._is_configured(one)}
        found: list[tuple[Choice, bool]] = []
        for choice in self.proposal.discover:
            one = others.get(choice.url)
            if one is not None and choice.kind != "section" and find_normal(choice.url) not in self.configured:
                more = len(set(one.articles) - announced)
                found.append((choice, more > 0 and more >= _GAIN * len(announced)))
        return found

    def _suggest(self, choice: Choice, *, needed: bool) -> Finding:
        edit = Addition(
            ("discover",), f"{choice.kind}: {quote_url(readable_url(choice.url))}", clean_remark(choice.why)
        )
        text = f"{choice.kind} {choice.url}: has articles that nothing configured announces ({choice.why})"
        return Finding(f"new_{choice.kind}", text, needed, choice.url, (edit,))

    def judge_patterns(self) -> Iterator[Finding]:
        """Yield articles that the patterns do not take, and other pages that they do."""
        labels = self.labels
        wide = ArticlePatterns(include=self.source.articles.include)  # what is excluded is left out by a person's will
        missed = [url for url in labels.articles if not self.source.is_article(url) and not wide.match(url)]
        total = len(labels.articles)
        if len(missed) >= max(_LEAST_MISSED, _MISSED * total):
            usual = self.before is not None and self.before.articles and self.before.matched / self.before.articles
            fell = bool(usual) and (total - len(missed)) / total < usual - _MISSED
            bad = fell or (not usual and len(missed) * 2 >= total)
            edits = tuple(self._add_includes(missed)) if bad else ()
            past = f"; at the last check they took {usual:.0%}" if usual else ""
            taken, example = f"{total - len(missed)} of {count(total, 'article')}", readable_url(missed[0])
            text = f"the patterns take {taken}{past}; not, for example, {example}"
            yield Finding("patterns_miss", text, bad, missed[0], edits)
        accepted = [sample for sample in self.survey.samples if self.source.is_article(find_normal(sample.url) or "")]
        others = set(labels.others)
        wrong = [
            one for one in accepted if not is_article(one) and one.status == 200 and find_normal(one.url) in others
        ]
        if len(wrong) >= 2 and len(wrong) >= _CAUGHT * len(accepted):
            taken, example = count(len(accepted), "page"), f"{wrong[0].url} ({wrong[0].class_reason})"
            text = f"{len(wrong)} of {taken} that the patterns took for articles are none, as {example}"
            narrower = tuple(self._narrow([one.url for one in wrong], labels.articles))
            yield Finding("patterns_catch", text, True, wrong[0].url, narrower)

    def _add_includes(self, missed: Sequence[str]) -> Iterator[Edit]:
        for pattern in self.proposal.patterns.include:
            hits = [url for url in missed if _is_found(pattern.expression, url)]
            if hits:
                remark = clean_remark(f"{count(len(hits), 'article')}, as {readable_url(hits[0])}")
                yield Addition(("articles", "include"), quote_expression(pattern.expression), remark)

    def _narrow(self, wrong: Sequence[str], articles: Sequence[str]) -> Iterator[Edit]:
        """Yield what keeps *wrong* out: learned excludes, or learned includes in place of what lets them in."""
        own, learned = self.source.articles, self.proposal.patterns
        fitting = [one.expression for one in learned.exclude if any(_is_found(one.expression, url) for url in wrong)]
        proposed = make_filter(learned)
        if fitting:
            for expression in fitting:
                if expression not in own.exclude:
                    yield Addition(("articles", "exclude"), quote_expression(expression))
        elif learned.include and all(proposed(url) for url in articles if self.source.is_article(url)):
            wide = [n for n, one in enumerate(own.include) if any(map(ArticlePatterns(include=[one]).match, wrong))]
            for number, expression in zip(wide, [one.expression for one in learned.include], strict=False):
                yield Replacement(("articles", "include", number), quote_expression(expression))
            for pattern in learned.include[len(wide) :]:
                yield Addition(("articles", "include"), quote_expression(pattern.expression))

    def judge_samples(self, shares: Mapping[str, tuple[int, int]]) -> Iterator[Finding]:
        """Yield fields that articles had and have no more, and what pages newly say to robots."""
        samples = good_samples(self.survey, self.labels.articles, self.source.is_article)
        for name in FIELDS if len(samples) >= _LEAST_SAMPLES else ():
            found = count_field(samples, name)
            for texts, having, where in self._list_pasts(name, shares):
                if having >= _USUAL * texts and found <= _LOST * len(samples):
                    text = (
                        f"{found} of {count(len(samples), 'article')} have {_WORDS[name]}; {having} of {texts} {where}"
                    )
                    yield Finding("field_lost", text, True, samples[0].url)
                    break
        if self.before is not None:
            said = {term for sample in self.survey.samples for term in sample.directives}
            for term in sorted(said - set(self.before.terms)):
                yield Finding("new_terms", f"pages say `{term}` to robots, as they did not at the last check", False)

    def _list_pasts(self, name: str, shares: Mapping[str, tuple[int, int]]) -> Iterator[tuple[int, int, str]]:
        texts, having = shares.get(name, (0, 0))
        if texts >= _LEAST_TEXTS:
            yield texts, having, "in the archive"
        if self.before is not None and self.before.samples >= _LEAST_SAMPLES:
            yield self.before.samples, self.before.fields.get(name, 0), "at the last check"


def _is_found(expression: str, url: str) -> bool:
    parts = read_parts(url)
    return parts is not None and re.search(expression, parts.url, re.ASCII) is not None


def _address(one: Weighed) -> str | None:
    """Return the normal form of what was asked for."""
    return find_normal(one.facts.asked or one.facts.url)

"""What `sources learn` gains: articles of one publisher, crawled three times while what is around them changes.

Each publisher's pages make a source of their own, whose boxes have the same places and names in all articles, as a
template's have. They are served on loopback, crawled and learned from by the real command; then other variants of the
same articles, drawn by another seed, are read with the rules and without.
"""

from __future__ import annotations

import os
import random
import re
import subprocess
import sys
import tempfile
from collections import defaultdict
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Any

from config.errors import ConfigError, ExtractError
from config.learned import read_learned
from config.rules import ExtractRules
from tests.benchmarks.eval_kit import ROOT, NotMeasuredError
from tests.benchmarks.extract_adapter import describe_page, read_page
from tests.crawls import Answer, serve_site
from tests.installation import OFRECORD, install

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from tests.benchmarks.eval_kit import Kit

LEAST_ARTICLES = 3
_MOST_ARTICLES = 14
_SEEDS = (101, 102, 103)
"""Of the three times at which a source is crawled."""
_TESTED = 201
_KINDS = 8
"""Kinds of change that a source has, as stability.py draws for a page."""
_HOST = re.compile(r"https?://(?:www\.)?([^/:\"\s]+)")
_PROCESSES = 2


@dataclass(slots=True)
class Counts:
    """Variants of one source's articles that were read as they should be: [so many, of so many]."""

    stable: list[int] = field(default_factory=lambda: [0, 0])
    recrawl: list[int] = field(default_factory=lambda: [0, 0])
    detected: list[int] = field(default_factory=lambda: [0, 0])
    f1: list[float] = field(default_factory=list)
    """Token F1 of each base page."""
    faults: list[str] = field(default_factory=list)

    def add(self, other: Counts) -> None:
        """Count what *other* counts too."""
        for mine, theirs in (
            (self.stable, other.stable),
            (self.recrawl, other.recrawl),
            (self.detected, other.detected),
        ):
            mine[0] += theirs[0]
            mine[1] += theirs[1]
        self.f1 += other.f1

    @property
    def mean_f1(self) -> float:
        """Of the base pages."""
        return sum(self.f1) / len(self.f1)


@dataclass(frozen=True, slots=True)
class Learned:
    """One source before and after."""

    name: str
    articles: int
    rules: int
    before: Counts
    after: Counts


def measure_learning(kit: Kit, *, sources: int | None = None) -> list[Learned]:
    """Return what learning did to the kit's publishers with the most articles, at most so many *sources*."""
    _require_own_command()
    groups = group_pages(_load_pages(kit), sources)
    if not groups:
        raise NotMeasuredError(f"no publisher has {LEAST_ARTICLES} pages in the kit")
    _SOURCES[:] = [_Source(kit, name, pages, number) for number, (name, pages) in enumerate(groups)]
    with ProcessPoolExecutor(_PROCESSES, mp_context=get_context("fork")) as pool:  # lxml's trees can only be inherited
        return list(pool.map(_measure_source, range(len(_SOURCES))))


def group_pages(pages: Iterable[Any], most: int | None = None) -> list[tuple[str, list[Any]]]:
    """Return publisher → its pages, the largest first; those of one set only, since a set is of one time."""
    groups: dict[str, list[Any]] = defaultdict(list)
    for page in pages:
        if host := find_host(page):
            groups[f"{page.set}/{host}"].append(page)
    large = [(name, found[:_MOST_ARTICLES]) for name, found in groups.items() if len(found) >= LEAST_ARTICLES]
    return sorted(large, key=lambda group: (-len(group[1]), group[0]))[:most]


def find_host(page: Any) -> str | None:
    """Return the host that the page is of: that of its URL, else what it states; of archived pages the original."""
    stated = page.root.xpath('//link[@rel="canonical"]/@href|//meta[@property="og:url"]/@content')
    for url in (page.url or "", *stated):
        if hosts := _HOST.findall(url):
            return str(hosts[-1])
    return None


def show_learning(found: Sequence[Learned]) -> str:
    """Return a line a source."""
    width = max(len(one.name) for one in found)
    lines = [f"{'source':{width}}  articles  rules  A before → after  recrawl         B               token F1"]
    for one in found:
        pairs = [(one.before.stable, one.after.stable), (one.before.recrawl, one.after.recrawl)]
        pairs.append((one.before.detected, one.after.detected))
        cells = "  ".join(f"{share(before):5.1f} → {share(after):5.1f}" for before, after in pairs)
        f1 = f"{one.before.mean_f1:.4f} → {one.after.mean_f1:.4f}"
        lines.append(f"{one.name:{width}}  {one.articles:8}  {one.rules:5}  {cells}  {f1}")
        lines += [f"    {fault}" for fault in one.after.faults]
    return "\n".join(lines)


def share(count: Sequence[int]) -> float:
    """Return a count in per cent."""
    return 100 * count[0] / count[1] if count[1] else 100.0


@dataclass(frozen=True, slots=True)
class _Source:
    kit: Kit
    name: str
    pages: list[Any]
    number: int

    def prepare(self) -> None:
        """Give all articles the same kinds of boxes, under the same names and at the same places at all times."""
        chrome = self.kit.load("variants").CHROME
        kinds = [chrome[(self.number * _KINDS + at) % len(chrome)] for at in range(_KINDS)]
        for page in self.pages:
            page.kinds = kinds
            page.rnd = self._draw(page)

    def _draw(self, page: Any) -> Callable[..., random.Random]:
        def rnd(*words: Any) -> random.Random:
            drawn = (self.name, *words) if words[0] == "place" else (page.seed, page.file, *words)
            return random.Random(":".join(map(str, drawn)))

        return rnd

    def make(self, page: Any, kind: str, seed: int) -> bytes | None:
        page.seed = seed
        made = page.make(kind)
        return bytes(made[0]) if made else None


_SOURCES: list[_Source] = []
"""For the processes that are forked."""


def _load_pages(kit: Kit) -> list[Any]:
    return list(kit.load("stability").pages(str(kit.data), "all", 1_000_000, 1))


def _require_own_command() -> None:
    """Raise NotMeasuredError if the installed command runs the code of another checkout than this process."""
    words = [sys.executable, "-P", "-c", "import jobs; print(jobs.__file__)"]
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    found = subprocess.run(words, env=environment, cwd="/", capture_output=True, encoding="utf-8", check=False).stdout
    if Path(found.strip()).parent.parent != ROOT:
        raise NotMeasuredError(f"{OFRECORD} runs {found.strip() or 'nothing'}, not {ROOT}: install that, editable")


def _measure_source(number: int) -> Learned:
    source = _SOURCES[number]
    source.prepare()
    rules = _learn(source)
    before, after = Counts(), Counts()
    for page in source.pages:
        _count(source, page, ExtractRules(), before)
        _count(source, page, rules, after)
    learned = rules.learned
    count = sum(map(len, (learned.remove, learned.links, learned.lines, learned.labels)))
    return Learned(source.name, len(source.pages), count, before, after)


def _learn(source: _Source) -> ExtractRules:
    """Crawl the source at three times and return its rules with those that `sources learn` finds."""
    with tempfile.TemporaryDirectory(prefix="ofrecord-bench-") as scratch, serve_site() as site:
        paths = [f"/2026/{number}" for number in range(len(source.pages))]
        site.announce(*paths)
        described = {**site.describe_source(delay_seconds=0)}
        ofrecord = install(Path(scratch), described, obey_noarchive=False, max_failed=1.0)
        for turn, seed in enumerate(_SEEDS):
            for path, page in zip(paths, source.pages, strict=True):
                body = source.make(page, "recrawl" if turn else "base", seed)
                site.answers[path] = Answer(body or b"", media_type="text/html")
            report = ofrecord("crawl", "gazette", "--recheck", "all", "--json").json()
            if report["pages"] < len(paths):
                raise NotMeasuredError(f"{source.name}: {report['pages']} pages of {len(paths)} were crawled")
        ofrecord("sources", "learn", "gazette")
        try:
            learned = read_learned(ofrecord.config / "sources" / "gazette.learned.yaml")
        except ConfigError as error:
            raise NotMeasuredError(f"{source.name}: {error}") from error
    return ExtractRules() if learned is None else ExtractRules(learned=learned.rules)


def _count(source: _Source, page: Any, rules: ExtractRules, counts: Counts) -> None:
    variants = source.kit.load("variants")
    score = source.kit.load("score")
    base_page = source.make(page, "base", _TESTED)
    if base_page is None:
        raise NotMeasuredError(f"{page.file}: no base page")
    base, text = _read(base_page, page, rules)
    counts.f1.append(score.page_f1(score.token_tpfpfn(page.text, text)))
    groups = (("recrawl",), counts.recrawl), (page.kinds, counts.stable), (variants.EDITS, counts.detected)
    for kinds, count in groups:
        for kind in kinds:
            variant = source.make(page, kind, _TESTED)
            if variant is None or variant == base_page:
                continue  # the page has nothing of that kind
            document, _ = _read(variant, page, rules)
            right = bool(text) and (document == base) is not (kind in variants.EDITS)
            count[0] += right
            count[1] += 1
            if not right:
                counts.faults.append(_describe_fault(page.file, kind, base, document))


def _read(raw: bytes, page: Any, rules: ExtractRules) -> tuple[str, str]:
    """Return title with text, as stability.py compares documents, and the text alone."""
    try:
        found = describe_page(*read_page(raw, page.url, rules))
    except ExtractError:
        return "\n", ""
    return f"{found['title'] or ''}\n{found['text']}", found["text"]


def _describe_fault(file: str, kind: str, before: str, after: str) -> str:
    old, new = before.split("\n"), after.split("\n")
    lines = [f"- {line[:80]}" for line in old if line not in new] + [
        f"+ {line[:80]}" for line in new if line not in old
    ]
    return f"{file} {kind}: {' | '.join(lines[:2]) or 'nothing moved'}"

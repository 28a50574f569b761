"""Builds an archive of several newspapers, of rows alone: texts of 2 KB of words as often as words are in languages.

Some articles are edited, some taken down. Everything comes of one seed, so two libraries of a size are the same.
"""

from __future__ import annotations

import random
from bisect import bisect
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import accumulate
from typing import TYPE_CHECKING, Any

from jobs.archive.identity import create_archive
from tests.machines import START, Look, Machine

if TYPE_CHECKING:
    from collections.abc import Iterator

    from jobs.catalog import Catalog
    from jobs.store import ObjectStore

PER_COMMIT = 500
DAYS = 730
"""Over so many days before START the articles are seen."""
EDITED, GONE = 0.15, 0.01
VOCABULARY = 40_000
TEXT_CHARS = 2_000
_SECTIONS = ("Politics", "Business", "Culture", "Science", "Sport", "Opinion", "World", "Local")
_LATIN = "etaoinshrdlucmfwygpbvk"
_SPANISH = _LATIN + "áéíóúñ"
_ARABIC = "ابتثجحخدذرزسشصضطظعغفقكلمنهويأإآةى"
_CHINESE = "".join(chr(0x4E00 + step * 7) for step in range(2_000))


@dataclass(frozen=True, slots=True)
class Paper:
    """A newspaper of the library."""

    source: str
    language: str
    letters: str
    share: float
    spaced: bool = True


PAPERS = (
    Paper("gazette", "en", _LATIN, 0.4),
    Paper("courier", "en-GB", _LATIN, 0.2),
    Paper("observer", "en-US", _LATIN, 0.15),
    Paper("cronica", "es", _SPANISH, 0.1),
    Paper("sahifa", "ar", _ARABIC, 0.1),
    Paper("ribao", "zh", _CHINESE, 0.05, spaced=False),
)


@dataclass(slots=True)
class Words:
    """The words of a language, the first ones most often (Zipf)."""

    paper: Paper
    chance: random.Random
    words: list[str] = field(default_factory=list)
    _weights: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        lengths = (1, 2) if not self.paper.spaced else (3, 11)
        letters = self.paper.letters
        found: dict[str, None] = {}
        while len(found) < VOCABULARY:
            length = self.chance.randint(*lengths)
            found["".join(self.chance.choices(letters, k=length))] = None
        self.words = list(found)
        self._weights = list(accumulate(1 / (rank + 2.7) for rank in range(VOCABULARY)))

    def take(self, number: int) -> list[str]:
        """Return so many words."""
        total, weights, words, draw = self._weights[-1], self._weights, self.words, self.chance.random
        return [words[bisect(weights, draw() * total)] for _ in range(number)]

    def write(self, chars: int) -> str:
        """Return about so many characters of paragraphs."""
        words = self.take(max(1, chars // (6 if self.paper.spaced else 2)))
        if not self.paper.spaced:
            return "。\n".join("".join(words[at : at + 60]) for at in range(0, len(words), 60))
        return ".\n".join(" ".join(words[at : at + 60]).capitalize() for at in range(0, len(words), 60))

    def write_title(self) -> str:
        """Return a headline."""
        return ("" if not self.paper.spaced else " ").join(self.take(8)).capitalize()[:60].strip()


def build_library(
    store: ObjectStore, catalog: Catalog, articles: int, *, seed: int = 7
) -> tuple[str, dict[str, Words]]:
    """Commit so many articles; return the archive's id, and the words of each source."""
    info = create_archive(store, single_writer=False, now=START)
    words: dict[str, Words] = {}
    for paper in PAPERS:
        words[paper.source] = Words(paper, random.Random(f"{seed} {paper.source}"))
        machine = Machine(store, info, catalog, sums_up=False, source=paper.source)
        _write_paper(machine, words[paper.source], round(articles * paper.share))
    return info.archive, words


def _write_paper(machine: Machine, words: Words, articles: int) -> None:
    commits = max(1, -(-articles // PER_COMMIT))
    step = timedelta(days=DAYS) / commits
    later: list[Look] = []
    again: list[Look] = []
    for number in range(commits):
        opened = START - step * (commits - number)
        share = min(PER_COMMIT, articles - number * PER_COMMIT)
        minutes = max(1, round(step.total_seconds() / 60 / max(1, share)))
        looks = [Look("rss.xml", f"feed {number}", purpose="feed"), *later, *again]
        fresh = [_write_article(words, number * PER_COMMIT + at, at * minutes) for at in range(share)]
        machine.commit([*looks, *fresh], number=number, opened=opened)
        gone = [Look(one.path, None, 404) for one in later if one.words is None]
        later, again = list(_change(words, fresh)), gone
    machine.commit([*later, *again], number=commits, opened=START)


def _write_article(words: Words, number: int, minutes: int) -> Look:
    chance = words.chance
    title = words.write_title()
    stated: dict[str, Any] = {
        "language": {"value": words.paper.language, "from": "meta", "confidence": 0.95},
        "section": {"value": _SECTIONS[number % len(_SECTIONS)], "from": "meta", "confidence": 0.9},
        "authors": {"value": [f"{words.words[number % 400]} {words.words[400]}"], "from": "meta", "confidence": 0.9},
        "published": {"value": "2026-05-01T10:00:00Z", "from": "meta", "confidence": 0.9},
    }
    body = words.write(max(200, int(chance.gauss(TEXT_CHARS, TEXT_CHARS / 4))))
    return Look(f"{number % 365}/{number}", f"{title}\n{body}", minutes=minutes, fields=stated)


def _change(words: Words, looks: list[Look]) -> Iterator[Look]:
    """Yield how some articles look the next time: edited, or not there."""
    for look in looks:
        drawn = words.chance.random()
        if drawn < GONE:
            yield Look(look.path, None, 404)
        elif drawn < GONE + EDITED and look.words is not None:
            lines = look.words.split("\n")
            at = words.chance.randrange(1, len(lines))
            lines[at] = words.write(len(lines[at])).replace("\n", " ")
            yield Look(look.path, "\n".join(lines), fields=look.fields)

"""Invented news in ten languages (tongues/*.yaml): a number makes a story, and always the same one."""

from __future__ import annotations

import random
import re
import unicodedata
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import yaml

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
"""When the newest story of each site appeared."""
_CYRILLIC = dict(zip("абвгдезийклмнопрстуфцыэё", "abvgdezijklmnoprstufcyee", strict=True)) | {
    "ж": "zh",
    "х": "h",
    "ч": "ch",
    "ш": "sh",
    "щ": "sch",
    "ъ": "",
    "ь": "",
    "ю": "yu",
    "я": "ya",
}


@dataclass(frozen=True, slots=True)
class Tongue:
    """What is written in one language."""

    language: str
    words: dict[str, str]
    """Of menus and buttons."""
    sections: dict[str, str]
    """Part of a path → name."""
    about: dict[str, str]
    """Pages of the house, likewise."""
    places: list[str]
    people: list[str]
    things: list[str]
    days: list[str]
    headlines: list[str]
    leads: list[str]
    sentences: list[str]
    space: str = " "


@dataclass(frozen=True, slots=True)
class Story:
    """One article, wherever it stands."""

    number: int
    """From 0, the newest, on."""
    language: str
    title: str
    lead: str
    text: tuple[str, ...]
    author: str
    section: str
    """Part of a path."""
    tags: tuple[str, ...]
    published: datetime

    @property
    def key(self) -> int:
        """An id as a database gives it: the newer, the higher, with gaps."""
        return 1_048_576 - self.number * 7 - self.number % 3

    @property
    def slug(self) -> str:
        """The title as a part of a path, in ASCII where its letters are."""
        return make_slug(self.title)


@cache
def load_tongue(language: str) -> Tongue:
    """Return the words of that language."""
    data: dict[str, Any] = yaml.safe_load(
        Path(__file__).with_name("tongues").joinpath(f"{language}.yaml").read_text("utf-8")
    )
    return Tongue(language, **data)


def make_slug(title: str) -> str:
    """Return *title* as a part of a path: Latin and Cyrillic letters in ASCII, others as they are."""
    text = "".join(_CYRILLIC.get(letter, letter) for letter in title.lower().replace("ß", "ss"))
    if re.search("[a-z]", text):
        text = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return "-".join(re.findall(r"\w[\w\u0300-\u036f\u064b-\u0652\u0900-\u0963]*", text))[:90].strip("-")


def write_stories(language: str, count: int, *, seed: int, a_day: float = 4) -> list[Story]:
    """Return *count* stories with titles of their own, newest first."""
    tongue, chance = load_tongue(language), random.Random(f"{language}{seed}")
    found: list[Story] = []
    titles: set[str] = set()
    published = NOW
    while len(found) < count:
        title = fill(tongue, chance.choice(tongue.headlines), chance)
        if make_slug(title) in titles:
            continue
        titles.add(make_slug(title))
        lead = fill(tongue, chance.choice(tongue.leads), chance)
        section = list(tongue.sections)[len(found) % len(tongue.sections)]
        tags = tuple(chance.sample(tongue.things, 2))
        text = tuple(write_paragraphs(tongue, chance, chance.randint(4, 9)))
        author = chance.choice(tongue.people)
        found.append(Story(len(found), language, title, lead, text, author, section, tags, published))
        published -= timedelta(minutes=chance.randint(40, int(2 * 1_440 / a_day) - 40))
    return found


def write_paragraphs(tongue: Tongue, chance: random.Random, count: int) -> list[str]:
    """Return paragraphs of two or three sentences, no sentence twice in a row."""
    paragraphs, before = [], [""]
    for _ in range(count):
        chosen = chance.sample([one for one in tongue.sentences if one not in before], chance.randint(2, 3))
        paragraphs.append(tongue.space.join(fill(tongue, sentence, chance) for sentence in chosen))
        before = chosen
    return paragraphs


def fill(tongue: Tongue, sentence: str, chance: random.Random) -> str:
    """Return *sentence* with names and numbers in its gaps."""
    return sentence.format(
        place=chance.choice(tongue.places),
        person=chance.choice(tongue.people),
        thing=chance.choice(tongue.things),
        day=chance.choice(tongue.days),
        number=chance.randint(3, 97),
    )

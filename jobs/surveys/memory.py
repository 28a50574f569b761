"""What the last check of a source saw, kept beside the local state: a file that may be lost."""

from __future__ import annotations

import contextlib
import os
import tempfile
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from pydantic import TypeAdapter, ValidationError

from config.errors import ConfigError
from crawler.survey.choices import weigh_listings
from crawler.survey.labels import is_article, label_urls
from crawler.urls import find_normal
from jobs.catalog.tallies import FIELDS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from crawler.survey.facts import SampleFacts, Survey

FOLDER = "checks"


@dataclass(frozen=True, slots=True)
class ListingMemory:
    """A listing as it was."""

    articles: int
    """Links that the source's patterns took for articles."""
    error: str | None = None
    newest: datetime | None = None


@dataclass(frozen=True, slots=True)
class CheckMemory:
    """What a check saw."""

    looked_at: datetime
    listings: dict[str, ListingMemory] = field(default_factory=dict)
    """By the URL that was asked for."""
    articles: int = 0
    """URLs of articles that were seen."""
    matched: int = 0
    """Of these, that the source's patterns matched."""
    samples: int = 0
    """Articles that were looked at."""
    fields: dict[str, int] = field(default_factory=dict)
    """Of these, that had the field."""
    terms: tuple[str, ...] = ()
    """What pages said to robots."""


_MEMORIES: TypeAdapter[CheckMemory] = TypeAdapter(CheckMemory)


def remember(survey: Survey, match: Callable[[str], bool]) -> CheckMemory:
    """Return what is to be kept of *survey*. *match*: whether a normalised URL is an article by the source's file."""
    weighed = weigh_listings(survey, match)
    articles = label_urls(survey).articles
    samples = good_samples(survey, articles, match)
    return CheckMemory(
        looked_at=survey.looked_at,
        listings={
            one.facts.asked or one.facts.url: ListingMemory(len(one.articles), one.facts.error, one.newest)
            for one in weighed[:1_000]
        },
        articles=len(articles),
        matched=sum(map(match, articles)),
        samples=len(samples),
        fields={name: count_field(samples, name) for name in FIELDS},
        terms=tuple(sorted({term for page in survey.samples for term in page.directives})[:50]),
    )


def good_samples(survey: Survey, articles: Iterable[str], match: Callable[[str], bool]) -> list[SampleFacts]:
    """Return the pages that were looked at and are articles, by their address as well: house pages only read so.

    *articles*: normalised URLs that are labelled so.
    """
    known = set(articles)

    def fits(url: str) -> bool:
        normal = find_normal(url)
        return normal is not None and (normal in known or match(normal))

    return [sample for sample in survey.samples if is_article(sample) and fits(sample.url)]


def count_field(samples: Sequence[SampleFacts], name: str) -> int:
    """Return how many of *samples* have the field *name*, of those that health is judged by."""
    return sum(bool(sample.title) if name == "title" else name in sample.fields for sample in samples)


def read_memory(state: Path, source: str) -> CheckMemory | None:
    """Return what the last check of *source* saw; `None` if there was none, or nobody can read what it left."""
    try:
        return _MEMORIES.validate_json((state / FOLDER / f"{source}.json").read_bytes())
    except (OSError, ValidationError):
        return None


def write_memory(state: Path, source: str, memory: CheckMemory) -> None:
    """Keep *memory*, in place of the one before. Raises ConfigError if it cannot be written."""
    folder = state / FOLDER
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=folder, prefix=".", delete=False) as file:
            try:
                file.write(_MEMORIES.dump_json(memory, indent=1))
                file.flush()
                os.fsync(file.fileno())
                os.replace(file.name, folder / f"{source}.json")  # noqa: PTH105 - the name of an open file
            except BaseException:
                with contextlib.suppress(OSError):
                    os.unlink(file.name)  # noqa: PTH108
                raise
    except OSError as error:
        raise ConfigError(f"{folder}: cannot keep what was seen ({error.strerror}); give --state DIR") from error

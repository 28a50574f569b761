"""URLs → shapes: what those of one kind of page have in common, told from the URLs alone.

`https://gazette.example/2026/11/27/a-long-title` and `…/2026/11/26/another-title-here` are of the shape
`gazette.example/<year>/<month>/<day>/<slug>`.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Literal

from config.rules import readable_url
from crawler.survey.words import LISTING_WORDS, MEDIA_SUFFIXES, STATIC_WORDS
from crawler.urls import normalise_url

MAX_URLS = 20_000
"""That are looked at; what comes later is left out."""
MAX_SEGMENTS = 12
"""Of a path; what is deeper is no URL that anybody wants to describe."""
MAX_QUERY = 12
HTML = frozenset({"html", "htm"})
_FEW_WORDS = 12
"""So many different words at one place are names of sections; more may be anything, and only frequent ones count."""

_HEAD = re.compile(r"(https?)://([^/?#]+)(/[^?#]*)?(?:\?([^#]*))?", re.DOTALL)
_SUFFIX = re.compile(r"(?s)(.+)\.([A-Za-z][A-Za-z0-9]{0,5})")
_YEAR = re.compile(r"(?:19|20)[0-9]{2}")
_MONTH = re.compile(r"(?:0?[1-9]|1[0-2])")
_MONTH_NAME = re.compile(
    r"(?:jan|feb|mar|apr|may|jun|jul|aug|sept?|oct|nov|dec)"
    r"|january|february|march|april|june|july|august|september|october|november|december",
    re.IGNORECASE,
)
_DAY = re.compile(r"(?:0?[1-9]|[12][0-9]|3[01])")
_DATE = re.compile(r"(?:19|20)[0-9]{2}([-_.]?)(?:0[1-9]|1[0-2])(?:\1(?:0[1-9]|[12][0-9]|3[01]))?")
_NUMBER = re.compile(r"[0-9]{1,40}")
_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-?[0-9a-fA-F]{4}){3}-?[0-9a-fA-F]{12}")
_MIXED = re.compile(r"(?=[A-Za-z]*[0-9])(?=[0-9]*[A-Za-z])[A-Za-z0-9]{6,64}")
"""Letters and digits without anything between them."""
_NAMED_NUMBER = re.compile(r"[A-Za-z]{1,12}[-_.~:]?[0-9]{2,20}")
"""`a123456`, `article-1234`, `id_77`."""
_BETWEEN_WORDS = re.compile(r"[-_+~, ]+|%20")
_UNSPACED = re.compile("[\u3040-\u30ff\u3400-\u9fff\u0e00-\u0e7f]")
"""Scripts that put nothing between words: Japanese, Chinese, Thai."""
_LONG_TITLE = 24


class Kind(StrEnum):
    """What a part of a path, or a value of a query, looks like."""

    YEAR = "year"
    MONTH = "month"
    DAY = "day"
    DATE = "date"
    """A whole one, or year and month, in one part."""
    NUMBER = "number"
    CODE = "id"
    """An id that has letters: hexadecimal, UUID, `a123456`."""
    SLUG = "slug"
    """Three words at least, or as long as that."""
    WORD = "word"


TEXT_KINDS = frozenset({Kind.CODE, Kind.SLUG, Kind.WORD})
DATED_KINDS = frozenset({Kind.YEAR, Kind.MONTH, Kind.DAY, Kind.DATE})


@dataclass(frozen=True, slots=True)
class Parts:
    """A URL taken apart, its letters readable."""

    url: str
    """Normalised and readable: what expressions are written for."""
    scheme: str
    host: str
    """With its port, where that is not the scheme's own."""
    segments: tuple[str, ...]
    """Of the path; the suffix of the last one is cut off."""
    kinds: tuple[Kind, ...]
    suffix: str
    """`html` of `/title.html`; empty where there is none."""
    slash: bool
    """Whether the path ends with one."""
    query: tuple[tuple[str, str], ...]
    """As they stand."""

    @property
    def keys(self) -> tuple[str, ...]:
        """The names in the query, each once, in order of the alphabet."""
        return tuple(sorted({name for name, _ in self.query}))

    @property
    def family(self) -> str:
        """The suffix; one for `html` and `htm`, which stand beside each other on many a site."""
        return "html" if self.suffix.lower() in HTML else self.suffix

    @property
    def path(self) -> str:
        """The path, without the slash at its end."""
        return "/" + "/".join(self.segments) + (f".{self.suffix}" if self.suffix else "")


@dataclass(frozen=True, slots=True)
class Shape:
    """What URLs of one kind have in common."""

    host: str
    segments: tuple[str, ...]
    """Words as they stand; `<slug>` and the like for what differs."""
    suffix: str
    query: tuple[str, ...]
    """`id=<number>`, by name."""
    hint: Literal["listing", "static", "media"] | None = None
    """What the words in it say that it is, in whatever language: no article."""

    def __str__(self) -> str:
        """Return it as people read it: `gazette.example/news/<slug>.html?id=<number>`."""
        path = "".join(f"/{segment}" for segment in self.segments) or "/"
        return f"{self.host}{path}{'.' if self.suffix else ''}{self.suffix}{'?' if self.query else ''}" + "&".join(
            self.query
        )


@lru_cache(maxsize=MAX_URLS)
def read_parts(url: str) -> Parts | None:
    """Take *url* apart; `None` if it is no http(s) URL, or one of more parts than anybody describes."""
    try:
        readable = readable_url(normalise_url(url))
    except ValueError:
        return None
    match = _HEAD.fullmatch(readable)
    if match is None:
        return None
    path, query = match[3] or "/", match[4] or ""
    if path.count("/") > MAX_SEGMENTS or query.count("&") >= MAX_QUERY:
        return None
    segments = [segment for segment in path.split("/") if segment]
    suffix = ""
    if segments and not path.endswith("/") and (cut := _SUFFIX.fullmatch(segments[-1])):
        segments[-1], suffix = cut[1], cut[2]
    pairs = tuple((name, value) for name, _, value in (part.partition("=") for part in query.split("&") if part))
    return Parts(
        url=readable,
        scheme=match[1],
        host=match[2],
        segments=tuple(segments),
        kinds=tuple(_read_kinds(segments)),
        suffix=suffix,
        slash=path.endswith("/") and bool(segments),
        query=pairs,
    )


def kind_of(text: str) -> Kind:
    """Return what *text* looks like, by itself: never a month or a day, which only a year before it makes."""
    if _YEAR.fullmatch(text):
        return Kind.YEAR
    if _DATE.fullmatch(text):
        return Kind.DATE
    if _NUMBER.fullmatch(text):
        return Kind.NUMBER
    if _UUID.fullmatch(text) or _MIXED.fullmatch(text) or _NAMED_NUMBER.fullmatch(text):
        return Kind.CODE
    if count_words(text) >= 3 or len(text) >= _LONG_TITLE or (len(text) >= 8 and _UNSPACED.search(text)):
        return Kind.SLUG
    return Kind.WORD


def count_words(text: str) -> int:
    """Return how many words *text* has: letters and digits between hyphens and their like."""
    return sum(bool(word) for word in _BETWEEN_WORDS.split(text))


def group_by_shape(urls: Iterable[str]) -> Mapping[Shape, tuple[str, ...]]:
    """Group *urls* by shape, most first; each URL once and as given, what is no URL left out.

    A word that stands at one place in several URLs is part of the shape; what differs from URL to URL is not. So the
    shapes of the same URLs may differ with what is seen beside them.
    """
    alike: dict[tuple[object, ...], list[tuple[str, Parts]]] = defaultdict(list)
    for url in list(dict.fromkeys(urls))[:MAX_URLS]:
        parts = read_parts(url)
        if parts is not None:
            alike[_coarse(parts)].append((url, parts))
    shapes: dict[Shape, list[str]] = defaultdict(list)
    for members in alike.values():
        words = _find_fixed([parts for _, parts in members])
        for url, parts in members:
            shapes[_shape(parts, words)].append(url)
    largest_first = sorted(shapes.items(), key=lambda item: (-len(item[1]), str(item[0])))
    return {shape: tuple(found) for shape, found in largest_first}


def _coarse(parts: Parts) -> tuple[object, ...]:
    kinds = tuple("text" if kind in TEXT_KINDS else kind.value for kind in parts.kinds)
    return parts.host, kinds, parts.family, parts.keys


def _read_kinds(segments: list[str]) -> Iterable[Kind]:
    before: Kind | None = None
    for segment in segments:
        if before is Kind.YEAR and (_MONTH.fullmatch(segment) or _MONTH_NAME.fullmatch(segment)):
            before = Kind.MONTH
        elif before is Kind.MONTH and _DAY.fullmatch(segment):
            before = Kind.DAY
        else:
            before = kind_of(segment)
        yield before


def _find_fixed(members: list[Parts]) -> list[set[str]]:
    """Return, place by place, the words that are part of a shape; the last place has none, and each key comes after."""
    fixed: list[set[str]] = []
    for at in range(len(members[0].segments)):
        values = Counter(parts.segments[at] for parts in members)
        last = at == len(members[0].segments) - 1 and not members[0].query
        fixed.append(set() if last else _choose_fixed(values))
    pairs = [pair for parts in members for pair in parts.query]
    fixed += [_choose_fixed(Counter(value for name, value in pairs if name == key)) for key in members[0].keys]
    return fixed


def _choose_fixed(values: Counter[str]) -> set[str]:
    words = {value for value in values if kind_of(value) is Kind.WORD}
    if len(words) <= _FEW_WORDS:
        return words | {value for value, number in values.items() if number >= 3 and kind_of(value) is Kind.SLUG}
    return {value for value in words if values[value] >= 3 or value.lower() in LISTING_WORDS}


def _shape(parts: Parts, fixed: list[set[str]]) -> Shape:
    segments = tuple(
        segment if segment in words else f"<{kind}>"
        for segment, kind, words in zip(parts.segments, parts.kinds, fixed, strict=False)
    )
    values = dict(parts.query)
    query = tuple(
        f"{key}={values[key] if values[key] in words else f'<{kind_of(values[key])}>'}"
        for key, words in zip(parts.keys, fixed[len(segments) :], strict=True)
    )
    return Shape(parts.host, segments, parts.family, query, find_hint(parts))


def find_hint(parts: Parts) -> Literal["listing", "static", "media"] | None:
    """Return what the words of a URL say that it is, if that is no article."""
    if parts.suffix.lower() in MEDIA_SUFFIXES:
        return "media"
    words = [segment.lower() for segment in parts.segments]
    if any(word in LISTING_WORDS for word in words[:-1]):
        return "listing"
    if words and (words[-1] in LISTING_WORDS or words[0] in STATIC_WORDS or words[-1] in STATIC_WORDS):
        return "listing" if words[-1] in LISTING_WORDS else "static"
    return None

"""URLs of alike articles → a template: host, places, suffix and query, each with the expression that describes it."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from crawler.survey.places import ANY, Place, alternate, escape, read_place
from crawler.survey.shapes import HTML, TEXT_KINDS, Kind, Parts, kind_of

_ADDRESS = re.compile(r"[0-9.]+|\[.*\]")
_DECORATED = 0.9
"""A path that is another one for so many URLs names the article by itself; what the query says does not matter then."""


@dataclass(frozen=True, slots=True)
class Template:
    """What the URLs of one group of articles have in common, and how tightly that is taken."""

    hosts: str
    """An expression."""
    places: tuple[Place, ...]
    suffix: str
    """An expression with its dot, or what ends a path without one."""
    query: tuple[tuple[str, Place], ...]
    exact_query: bool
    """Whether the query has these names in this order and no others."""
    free_query: bool
    """Whether any query may follow."""
    members: tuple[Parts, ...]
    tightness: tuple[int, ...] = field(default=())
    """By place: which of its options is taken."""

    @property
    def expression(self) -> str:
        """RE2, anchored at both ends."""
        path = "".join(f"/{self._option(at)}" for at in range(len(self.places))) or "/"
        return f"^https?://{self.hosts}{path}{self.suffix}{self._describe_query()}$"

    def match(self, parts: Parts) -> bool:
        """Tell whether a URL is of this template."""
        return re.search(self.expression, parts.url, re.ASCII) is not None

    def matching(self, urls: Iterable[Parts]) -> list[Parts]:
        """Return those of *urls* that are of this template."""
        search = re.compile(self.expression, re.ASCII).search
        return [parts for parts in urls if search(parts.url)]

    def prefix(self, at: int) -> str:
        """Return the expression of all that stands before place *at*, with the slash before it."""
        return f"^https?://{self.hosts}" + "".join(f"/{self._option(place)}" for place in range(at)) + "/"

    def tighten(self, at: int, option: int) -> Template:
        """Return this template with another option of place *at*."""
        tightness = [*self.tightness, *[0] * (len(self.places) - len(self.tightness))]
        tightness[at] = option
        return replace(self, tightness=tuple(tightness))

    def widen(self, at: int) -> Template:
        """Return this template with any word at place *at*."""
        place = Place("category", self.places[at].values, (ANY, *self.places[at].options))
        return replace(self, places=(*self.places[:at], place, *self.places[at + 1 :]))

    def _option(self, at: int) -> str:
        return self.places[at].options[self.tightness[at] if at < len(self.tightness) else 0]

    def _describe_query(self) -> str:
        if self.free_query:
            return r"(?:\?.*)?"
        if not self.query:
            return ""
        pairs = [f"{escape(name)}={place.options[0]}" for name, place in self.query]
        if self.exact_query:
            return r"\?" + "&".join(pairs)
        return r"\?(?:.*&)?" + "&(?:.*&)?".join(pairs) + "(?:&.*)?"


def make_templates(articles: Iterable[Parts], home: str | None = None) -> list[Template]:
    """Return a template for each group of alike articles, those of most articles first.

    *home*: the host of the home page; names below it, without its `www.`, are the site's own.
    """
    alike: dict[tuple[object, ...], list[Parts]] = defaultdict(list)
    for parts in articles:
        kinds = tuple(map(_sort_text, parts.segments, parts.kinds))
        alike[kinds, parts.family].append(parts)
    groups = [part for members in alike.values() for part in _split_by_query(members)]
    groups.sort(key=lambda group: -len(group[0]))
    return [_make(members, identifying, home) for members, identifying in groups]


def _sort_text(segment: str, kind: Kind) -> str:
    """Return what may stand at one place: an id may look like a year or a day, and is a number all the same."""
    if kind in TEXT_KINDS:
        return "text"
    return "digits" if segment.isdigit() else kind.value


def _split_by_query(members: list[Parts]) -> list[tuple[list[Parts], tuple[str, ...] | None]]:
    """Return the group in parts by what in the query names the article; `None`: the path does, whatever follows."""
    asking = [parts for parts in members if parts.query]
    if not asking:
        return [(members, ())]
    if len({parts.path for parts in asking}) > _DECORATED * len(asking) and (len(asking) > 1 or len(members) > 1):
        bare = {(parts.host, parts.path) for parts in members if not parts.query}
        rest = [parts for parts in asking if (parts.host, parts.path) not in bare]
        plain = [parts for parts in members if not parts.query]
        return [(members, None)] if len(rest) * 10 > len(members) else [(plain, ())]
    groups = [([parts for parts in members if not parts.query], ())] if len(asking) < len(members) else []
    alike: dict[tuple[str, ...], list[Parts]] = defaultdict(list)
    for parts in asking:
        alike[parts.segments].append(parts)
    by_names: dict[tuple[str, ...], list[Parts]] = defaultdict(list)
    for same in alike.values():
        names = _find_identifying(same)
        for parts in same:
            by_names[tuple(dict.fromkeys(name for name, _ in parts.query if name in names))].append(parts)
    return [*groups, *((found, names) for names, found in by_names.items())]


def _find_identifying(members: Sequence[Parts]) -> tuple[str, ...]:
    """Return the names of the query that all have and that are needed to tell their articles apart, or never change."""
    queries = [dict(parts.query) for parts in members]
    common = [
        name for name in dict.fromkeys(name for name, _ in members[0].query) if all(name in one for one in queries)
    ]
    different = {name: len({one[name] for one in queries}) for name in common}
    most = max(different.values(), default=0)
    return tuple(name for name in common if different[name] * 2 > most or different[name] == 1 < len(members))


def _make(members: list[Parts], identifying: tuple[str, ...] | None, home: str | None) -> Template:
    count = len(members[0].segments)
    places = tuple(
        read_place(
            [parts.segments[at] for parts in members],
            {parts.kinds[at] for parts in members},
            last=at == count - 1 and not identifying,
        )
        for at in range(count)
    )
    query: list[tuple[str, Place]] = []
    for name in identifying or ():
        texts = [dict(parts.query)[name] for parts in members]
        query.append((name, _read_value(texts)))
    orders = {tuple(name for name, _ in parts.query) for parts in members}
    exact = orders == {tuple(name for name, _ in query)}
    return Template(
        hosts=describe_hosts({parts.host for parts in members}, home),
        places=places,
        suffix=_describe_suffix(members),
        query=tuple(query),
        exact_query=exact,
        free_query=identifying is None,
        members=tuple(members),
    )


def _read_value(texts: list[str]) -> Place:
    kinds = {Kind.NUMBER if text.isdigit() and text.isascii() else kind_of(text) for text in texts}
    return read_place(texts, kinds if kinds == {Kind.NUMBER} else kinds - {Kind.NUMBER}, last=False, stop="&")


def _describe_suffix(members: list[Parts]) -> str:
    suffixes = {parts.suffix for parts in members}
    if suffixes <= HTML and suffixes:
        return r"\.html?"
    if suffixes != {""}:
        return rf"\.{alternate(suffixes)}"
    if not members[0].segments:
        return ""
    return "/?"


def describe_hosts(names: set[str], home: str | None = None) -> str:
    """Return an expression for the hosts *names*: with and without `www.`; any name below the site's own if two are."""
    bare = {name.removeprefix("www.") for name in names}
    parents = {name for name in (*bare, (home or "").removeprefix("www.")) if _has_names_below(name)}
    parent = next(
        (name for name in sorted(parents, key=len) if all(_is_right_below(host, name) for host in bare)), None
    )
    if len(bare) == 1 or parent is None:
        host = alternate(bare)
        with_www = sum(name.startswith("www.") for name in names)
        return (rf"www\.{host}" if with_www == len(names) else rf"(?:www\.)?{host}") if with_www else host
    return (r"(?:[a-z0-9-]+\.)?" if parent in bare else r"[a-z0-9-]+\.") + escape(parent)


def _has_names_below(host: str) -> bool:
    name = host.partition(":")[0]
    return "." in name and not _ADDRESS.fullmatch(name)


def _is_right_below(host: str, parent: str) -> bool:
    return host == parent or host.partition(".")[2] == parent

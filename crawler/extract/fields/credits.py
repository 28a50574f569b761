"""What a byline says → who is credited: people, with what they did, and agencies. Reads texts, knows no page."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from crawler.extract.fields.agencies import AGENCIES, DOMAIN, NEWSROOM, TITLED_AGENCIES
from crawler.extract.fields.roles import (
    DEGREE,
    FOR_PAPER,
    JOB,
    NO_NAME,
    OTHER_WORK,
    PICTURE,
    POSTED,
    TITLED,
    WRITTEN,
    WRITTEN_ELSEWHERE,
)
from crawler.extract.page.words import bare

if TYPE_CHECKING:
    from collections.abc import Container, Iterable

MAX_NAMES = 50
_MAX_CHARS = 4_000
"""Of all texts of one place together."""
_MAX_NAME_CHARS = 80
_MAX_WORDS = 8
_SHORT = 4
_SEGMENT = re.compile(r" ?[;|•·] ?| [-–—] | (?=(?:with|avec|mit) )")
_AND = re.compile(r" ?[,،、] ?| (?:&|\+|[Aa]nd|AND|und|UND|et|y|e|en|och|og|ja|i|ve|и|та|és|dan|và) ")
_LINK = re.compile(
    r"&|\+|and|und|et|y|e|en|och|og|ja|i|ve|и|та|és|dan|và|ו|و|am|on|at|um|vor|le|el|in|aus|from|the", re.IGNORECASE
)
"""Words that stand between names, alone where links and lines part them."""
_BRACKETED = re.compile(r"\(([^()]*)\)")
_INITIALS = re.compile(r"[a-zäöüß./]{1,6}")
_DATED = re.compile(r"\s+(?:am|on|um|vor|vom|at)\s.*$|\s+\d.*$")
_OTHERS = re.compile(r"\s*외\s*\d+명$")
_URL = re.compile(r"^(?:https?:)?//|^www\.\S+/|@")
_WORDS = re.compile(r"[\W_]+")
_ENDS = " .,;:|-–—·*→…»«\"“”'"


@dataclass(slots=True)
class Credit:
    """Somebody whom a page names as having made the article."""

    name: str
    role: str | None = None
    """A post (*Political correspondent*) or a share in the work (*Photographs*), as stated."""
    agency: bool = False
    """Whether it is a news agency, a newsroom or the publisher, and no person."""
    wrote: bool = True
    """Whether the role is no other than that of an author."""


def read_credits(texts: Iterable[str], sites: Container[str] = (), *, shown: bool = False) -> list[Credit]:
    """Return whom *texts* credit, each once: *By A and B; photographs by C* are three; addresses go.

    *sites*: what the site and its publisher are called, as `bare` has it. *shown*: the texts stand as bylines.
    """
    reader = _Reader(sites, shown=shown)
    room = _MAX_CHARS
    for text in texts:
        reader.read(text[:room])
        room -= len(text)
        if room <= 0 or len(reader.found) >= MAX_NAMES:
            break
    return list(reader.found.values())[:MAX_NAMES]


def is_byline(text: str) -> bool:
    """Whether *text* says by whom, rather than only name somebody."""
    return WRITTEN.match(text) is not None or WRITTEN_ELSEWHERE.match(text) is not None


def is_agency(name: str, sites: Container[str] = ()) -> bool:
    """Whether *name* is an agency's, a newsroom's or the site's own."""
    key = " ".join(_WORDS.sub(" ", name.casefold()).split())
    if key in AGENCIES:
        return len(name) > _SHORT or name.isupper() or name.islower() or not name.isascii() or key in TITLED_AGENCIES
    return bare(name) in sites or NEWSROOM.search(name) is not None or DOMAIN.fullmatch(name) is not None


class _Reader:
    def __init__(self, sites: Container[str], *, shown: bool) -> None:
        self.found: dict[str, Credit] = {}
        self._sites = sites
        self._shown = shown
        self._last: Credit | None = None
        self._role: str | None = None
        """What a label at the end of a segment says of the names of the next."""

    def read(self, text: str) -> None:
        self._last = self._role = None
        line = POSTED.sub("", " ".join(text.split()))
        for number, segment in enumerate(_SEGMENT.split(line)):
            asides = _BRACKETED.findall(segment)
            self._read_segment(_BRACKETED.sub(" ", segment) if asides else segment, first=not number)
            for aside in asides:
                self._read_aside(aside.strip())

    def _read_segment(self, segment: str, *, first: bool) -> None:
        role, self._role = self._role, None
        for part in _AND.split(segment):
            text = part.strip()
            if not text or _LINK.fullmatch(text):
                self._role = role
                continue
            if other := OTHER_WORK.match(text):
                role, text = other["role"] or other["help"], text[other.end() :]
            elif label := self._match_label(text):
                role, text = None, text[label.end() :]
            self._role = None if text else role
            self._read_name(text, role, first=first)
            first = False

    def _match_label(self, text: str) -> re.Match[str] | None:
        found = WRITTEN.match(text) or (WRITTEN_ELSEWHERE.match(text) if self._shown else None)
        return found if found and found.end() else None

    def _read_aside(self, text: str) -> None:
        """Read what stands in brackets behind a name: an agency, helpers, a post; initials and pictures go."""
        if is_agency(text, self._sites):
            self._add(Credit(text, agency=True))
        elif OTHER_WORK.match(text) and not PICTURE.match(text):
            self._read_segment(text, first=False)
        elif self._last is not None and JOB.search(text) and not _INITIALS.fullmatch(text):
            self._last.role = self._last.role or text

    def _read_name(self, text: str, role: str | None, *, first: bool) -> None:
        name = FOR_PAPER.sub(r"\1", _OTHERS.sub("", text)).strip(_ENDS)
        if any(character.isdigit() for character in name) and " " in name:
            name = _DATED.sub("", name).strip(_ENDS) if first else ""
        else:
            name = _DATED.sub("", name)
        if not 1 < len(name) <= 2 * _MAX_NAME_CHARS or _URL.search(name) or DEGREE.fullmatch(name):
            return
        if titled := TITLED.match(name):
            groups = titled.groupdict()
            self._add(Credit(groups["name"] or groups["name2"], groups["role"] or groups["role2"]))
        elif is_agency(name, self._sites):
            self._add(Credit(name, agency=True, wrote=role is None))
        elif "/" in name:
            self._read_parts(name, role)
        elif job := JOB.search(name):
            self._read_job(name, job)
        elif self._is_name(name):
            self._add(Credit(name, role, wrote=role is None))
        elif self._last is not None and not self._last.agency and name.count(" ") > 2 and not NO_NAME.search(name):
            self._last.role = self._last.role or name

    def _read_parts(self, name: str, role: str | None) -> None:
        """Read *Ana One/AP* as two, and *dpa/lno* as the one name of an agency that it is."""
        parts = [part.strip(_ENDS) for part in name.split("/")]
        known = [is_agency(part, self._sites) for part in parts]
        if not any(known) or any(" " in part for part in parts) or all(known):
            for part, agency in zip(parts, known, strict=True):
                if agency or self._is_name(part):
                    self._add(Credit(part, None if agency else role, agency, wrote=role is None))
        else:
            self._add(Credit(name, agency=True))

    def _read_job(self, name: str, job: re.Match[str]) -> None:
        """Read a post: of whom was named before, of who is named behind it, or of somebody who stays unnamed."""
        rest = name[job.end() :].strip(_ENDS)
        if self._last is not None and not self._last.agency:
            self._last.role = self._last.role or name
        elif rest.count(" ") in {1, 2} and rest.istitle():
            self._add(Credit(rest, name[: job.end()]))
        else:
            self._add(Credit(name, agency=True))

    def _is_name(self, name: str) -> bool:
        words = name.split()
        if len(name) > _MAX_NAME_CHARS or len(words) > _MAX_WORDS or NO_NAME.search(name):
            return False
        if self._last is not None and self._last.agency and len(words) == 1:
            return False  # AFP, Manila
        return sum(word[0].islower() for word in words) <= 3 and any(map(str.isalpha, name))

    def _add(self, credit: Credit) -> None:
        known = self.found.setdefault(bare(credit.name), credit)
        known.role = known.role or credit.role
        self._last = known

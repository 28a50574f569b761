"""A text of an article → how to cite it: BibTeX, a note as Chicago has it, Wikipedia's template.

Each is escaped for what reads it: nothing that a page says can end a field, call a macro or a template, begin a link.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING
from urllib.parse import quote

from jobs.diff import make_safe

if TYPE_CHECKING:
    from collections.abc import Mapping

MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)
MAX_AUTHORS = 20
_MAX_CHARS = 500
"""Of a title or a name."""
_NOTE_AUTHORS = 3
"""Of more, a note names the first alone."""
_DAY = re.compile(r"(\d{4})-(\d{2})-(\d{2})", re.ASCII)
_LATEX: Mapping[str, str] = {
    "\\": r"\textbackslash{}",
    "{": r"\textbraceleft{}",  # BibTeX counts braces, those behind a backslash too
    "}": r"\textbraceright{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    '"': "{''}",
    **{one: f"\\{one}" for one in "&%$#_"},
}
_WIKI = {"|": "{{!}}", **{one: f"&#{ord(one)};" for one in "[]{}<>&'~_*#:;="}}
"""Words, quotation marks and the like stay as they are; what begins anything of MediaWiki's becomes a character
reference."""


@dataclass(frozen=True, slots=True)
class Citable:
    """What is cited: a text of an article as it was captured."""

    url: str
    """The publisher's."""
    archive_url: str
    """Where the text is kept, by its digest."""
    captured_at: datetime
    text_digest: str
    site: str
    """The publication's name."""
    source: str
    title: str | None = None
    authors: tuple[str, ...] = ()
    published: str | None = None
    """As the page states it: RFC 3339, or a day."""
    language: str = ""
    gone: bool = False
    """Whether the publisher has taken it away."""


def write_bibtex(what: Citable) -> str:
    """Return an entry of BibTeX, for LaTeX that reads UTF-8."""
    day = _read_day(what.published)
    key = "-".join([what.source, *([day[0]] if day else []), what.text_digest.partition(":")[2][:8]])
    kept = f"\\url{{{_quote_url(what.archive_url)}}}, text {_escape_latex(what.text_digest)}"
    fields = {
        "author": " and ".join(f"{{{_escape_latex(one)}}}" for one in what.authors[:MAX_AUTHORS]),
        "title": f"{{{_escape_latex(_title_of(what))}}}",
        "howpublished": _escape_latex(what.site),
        "year": day[0] if day else "",
        "month": day[1].lstrip("0") if day else "",
        "day": day[2].lstrip("0") if day else "",
        "language": _escape_latex(what.language),
        "url": _quote_url(what.url),
        "urldate": f"{what.captured_at:%Y-%m-%d}",
        "note": f"Archived {what.captured_at:%Y-%m-%d %H:%M} UTC: {kept}",
    }
    lines = "".join(f"  {name} = {{{value}}},\n" for name, value in fields.items() if value)
    return f"@misc{{{re.sub(r'[^A-Za-z0-9-]', '', key)},\n{lines}}}"


def write_chicago(what: Citable) -> str:
    """Return a note in plain text; marks of quotation within the title become single ones."""
    title = _clean(_title_of(what)).rstrip(".").translate({ord("“"): "‘", ord("”"): "’", ord('"'): "'"})
    names = [_clean(one) for one in what.authors[:MAX_AUTHORS]]
    authors = f"{names[0]} et al." if len(names) > _NOTE_AUTHORS else _join_names(names)
    day = _read_day(what.published)
    parts = [authors, f"“{title},”", f"{_clean(what.site)},", f"{_spell_day(*day)}," if day else ""]
    said = " ".join(f"{part}," if part is authors and part else part for part in parts if part)
    at = what.captured_at
    archived = f"{MONTHS[at.month - 1]} {at.day}, {at.year}, {at:%H:%M} UTC"
    return f"{said} {_quote_url(what.url)}, archived {archived}, {_quote_url(what.archive_url)}."


def write_wikipedia(what: Citable) -> str:
    """Return Wikipedia's template `cite web`."""
    names = what.authors[:MAX_AUTHORS]
    day = _read_day(what.published)
    fields = {
        **{f"author{number if len(names) > 1 else ''}": _escape_wiki(one) for number, one in enumerate(names, 1)},
        "title": _escape_wiki(_title_of(what)),
        "url": _quote_url(what.url),
        "website": _escape_wiki(what.site),
        "date": "-".join(day) if day else "",
        "language": what.language,
        "archive-url": _quote_url(what.archive_url),
        "archive-date": f"{what.captured_at:%Y-%m-%d}",
        "url-status": "dead" if what.gone else "live",
    }
    return "{{cite web" + "".join(f" |{name}={value}" for name, value in fields.items() if value) + "}}"


def _title_of(what: Citable) -> str:
    return what.title or what.url


def _clean(text: str) -> str:
    """Return *text* on one line, with what cannot be seen written out; long ones cut."""
    found = make_safe(" ".join(text.split()))
    return found if len(found) <= _MAX_CHARS else found[: _MAX_CHARS - 1] + "…"


def _escape_latex(text: str) -> str:
    return "".join(_LATEX.get(one, one) for one in _clean(text))


def _escape_wiki(text: str) -> str:
    return "".join(_WIKI.get(one, one) for one in _clean(text))


def _quote_url(url: str) -> str:
    """Return *url* with nothing in it that ends it, in any of the three forms."""
    quoted = quote(make_safe(url), safe="/:?&=%+,;@!$()*~#")
    return quoted.replace("~~", "~%7E").replace("__", "_%5F")  # of several, MediaWiki makes signatures and switches


def _read_day(stated: str | None) -> tuple[str, str, str] | None:
    found = _DAY.match(stated or "")
    return (found[1], found[2], found[3]) if found and "01" <= found[2] <= "12" else None


def _spell_day(year: str, month: str, day: str) -> str:
    return f"{MONTHS[int(month) - 1]} {int(day)}, {year}"


def _join_names(names: list[str]) -> str:
    if len(names) < 2:
        return "".join(names)
    return f"{', '.join(names[:-1])}{',' if len(names) > 2 else ''} and {names[-1]}"

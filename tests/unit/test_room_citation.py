"""Citations: what they say, and that nothing of a page can leave its place in them."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from jobs.citation import Citable, write_bibtex, write_chicago, write_wikipedia
from jobs.room.citation import cite

DIGEST = "sha256:" + "0a" * 32
WHAT = Citable(
    url="https://gazette.example/2026/tax",
    archive_url=f"https://room.example/sources/gazette/article?url=https://gazette.example/2026/tax&digest={DIGEST}",
    captured_at=datetime(2026, 11, 27, 16, 59, tzinfo=UTC),
    text_digest=DIGEST,
    site="The Gazette",
    source="gazette",
    title="The tax will rise",
    authors=("Ada Byron", "Research and Markets"),
    published="2023-11-07T10:00:00+02:00",
    language="en",
)
SIGNS = (
    *("{", "}", "{{", "}}", "|", "[[", "]]", "\\", "\\end{x}", "~~~~", "''", '"', "<ref>", "&lt;", "=", "\n", "%", "$"),
    *("#", "^", "_", "__TOC__", "-->", "\u202e", "@", ",", "http://x.example", " and ", "{{!}}"),
)
HOSTILE = st.one_of(st.text(max_size=60), st.lists(st.sampled_from(SIGNS), max_size=9).map("".join))


def test_bibtex_says_it() -> None:
    assert write_bibtex(WHAT) == (
        "@misc{gazette-2023-0a0a0a0a,\n"
        "  author = {{Ada Byron} and {Research and Markets}},\n"
        "  title = {{The tax will rise}},\n"
        "  howpublished = {The Gazette},\n"
        "  year = {2023},\n"
        "  month = {11},\n"
        "  day = {7},\n"
        "  language = {en},\n"
        "  url = {https://gazette.example/2026/tax},\n"
        "  urldate = {2026-11-27},\n"
        f"  note = {{Archived 2026-11-27 16:59 UTC: \\url{{{WHAT.archive_url}}}, text {DIGEST}}},\n"
        "}"
    )


def test_a_note_says_it() -> None:
    assert write_chicago(replace(WHAT, title="Who said “yes”?", authors=("A", "B", "C"))) == (
        "A, B, and C, “Who said ‘yes’?,” The Gazette, November 7, 2023, https://gazette.example/2026/tax,"
        f" archived November 27, 2026, 16:59 UTC, {WHAT.archive_url}."
    )
    assert write_chicago(replace(WHAT, authors=("A", "B", "C", "D"), published=None)).startswith(
        "A et al., “The tax will rise,” The Gazette, https://gazette.example"
    )
    assert write_chicago(replace(WHAT, authors=())).startswith("“The tax")


def test_the_template_says_it() -> None:
    assert write_wikipedia(WHAT) == (
        "{{cite web |author1=Ada Byron |author2=Research and Markets |title=The tax will rise"
        " |url=https://gazette.example/2026/tax |website=The Gazette |date=2023-11-07 |language=en"
        f" |archive-url={WHAT.archive_url} |archive-date=2026-11-27 |url-status=live}}}}"
    )
    assert "|url-status=dead" in write_wikipedia(replace(WHAT, gone=True))
    assert "|author=Ada Byron |title" in write_wikipedia(replace(WHAT, authors=("Ada Byron",)))


def test_an_article_without_a_title_is_cited_by_its_address() -> None:
    told = cite(replace(WHAT, title=None, published="2023-13-45"))
    assert "title=https&#58;//gazette.example/2026/tax " in told.wikipedia
    assert "year" not in told.bibtex
    assert "date=" not in told.wikipedia.replace("archive-date=", "")


@given(HOSTILE, HOSTILE, HOSTILE)
def test_nothing_leaves_its_field_in_bibtex(title: str, author: str, site: str) -> None:
    entry = write_bibtex(replace(WHAT, title=title, authors=(author,), site=site))
    depth = 0
    ends = []
    for place, sign in enumerate(entry):
        depth += {"{": 1, "}": -1}.get(sign, 0)
        assert depth >= 0
        if depth == 0 and sign == "}":
            ends.append(place)
    assert ends == [len(entry) - 1]
    assert {line.partition(" = ")[0].strip() for line in entry.splitlines()[1:-1]} <= {
        *("author", "title", "howpublished", "year", "month", "day", "language", "url", "urldate", "note"),
    }
    macros = set(re.findall(r"\\([A-Za-z]+)", entry))
    assert macros <= {"url", "textbackslash", "textbraceleft", "textbraceright", "textasciitilde", "textasciicircum"}
    assert not re.search(r"(?<!\\)[%$#&_^~]", re.sub(r"(url = |\\url)\{[^}]*\}", "", entry))


@given(HOSTILE, HOSTILE, HOSTILE)
def test_nothing_leaves_its_field_in_the_template(title: str, author: str, site: str) -> None:
    told = write_wikipedia(replace(WHAT, title=title, authors=(author,), site=site))
    inside = told.removeprefix("{{cite web |").removesuffix("}}").replace("{{!}}", "")
    assert not re.search(r"[{}\[\]<>\n]|''|~~|__", inside.replace(WHAT.archive_url, ""))
    names = [part.partition("=")[0] for part in inside.split("|")]
    assert set(names) <= {
        *("author", "title", "url", "website", "date", "language", "archive-url", "archive-date", "url-status"),
    }
    assert len(names) == len(set(names))


@given(st.text(alphabet=st.characters(codec="utf-8"), max_size=40))
def test_no_address_ends_before_its_end(path: str) -> None:
    told = cite(replace(WHAT, url=f"https://gazette.example/{path}"))
    assert re.search(r" \|url=https://gazette\.example/[^ |\[\]{}<>\"'\\]* \|website=", told.wikipedia)
    assert re.search(r"  url = \{https://gazette\.example/[^ {}\\]*\},\n", told.bibtex)
    assert not re.search(r"~~|__", told.wikipedia)

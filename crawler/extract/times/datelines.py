"""Dates that a page shows: beside its headline, above and below its text. Which of them is the article's.

What may as well be the date of something else is left out: no date is better than a wrong one.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from itertools import islice
from typing import TYPE_CHECKING

from crawler.extract.page.signs import COMMENT, DATE, MODIFIED, RELATED
from crawler.extract.times.dates import FoundDate, find_dates, one_line
from crawler.extract.times.unseen_dates import FIRST_YEAR, is_one_day

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from crawler.extract.page.parsing import Page
    from crawler.extract.page.tree import Element
    from crawler.extract.times.dates import DateRules

_MAX_LINE_CHARS = 120
_MAX_PARAGRAPH_CHARS = 3_000
_MAX_REST = 60
"""Characters that may stand beside the date: a name, a place, a section, a count of comments."""
_BEFORE, _AFTER = 60, 80
"""Elements before and after the headline among which its date is looked for."""
_PROSE_CHARS, _MOST_PROSE = 80, 500
"""What stands below so much running text is not beside the headline."""
_ROWS = 3
"""So many days in elements of the same name are rows of a list, or comments."""
_ELSEWHERE, _IN_ROW, _IN_LINK, _UNNAMED = 45, 40, 12, 6
"""What it costs to stand in a box of other articles, in a row, in a link, or without a name: elements of distance."""
_MOST = 100
"""What costs more is no longer beside the headline."""
_BELOW, _FURTHER = 25, 150
"""Elements after the text among which its date is looked for; around its ends, a line that says what date it is."""
_NAMED_TAGS = frozenset({"li", "span", "p", "div"})
_MAX_TRIES = 400
"""Lines with what may be a year that are read."""
_HINT = re.compile(r"19\d\d|20\d\d|[٠-٩۰-۹०-९০-৯]{4}")
# words are looked for in small letters: many times quicker than to pass over their case
_CHANGED = re.compile(
    r"updat|modif|änder|\bstand\b|überarbeit|bearbeit|editiert|\bedited|\bmis à jour|mise à jour|\bmàj\b|a[ck]tuali[sz]"
    r"|atuali[sz]|aggiorna|bijgewerkt|gewijzigd|opdatere|oppdatert|ändra|päivite|muoka|güncel|обнов|измен|оновл"
    r"|промен|تحديث|تعديل|به‌روز|עודכן|עדכון|更新|修正|수정|cập nhật|diperbarui|frissít|módos|ενημέρ"
)
_PUBLISHED = re.compile(
    r"veröffentlich|publi[scékz]|pubbli|\bposted|erstellt|geschrieben|mise? en ligne|geplaatst|gepubli|udgivet|julkais"
    r"|dodano|zveřejn|vydáno|objav|megjelen|közzé|yayın|δημοσι|публик|опубл|نشر|منتشر|פורסם|发布|發布|发表|發表|刊登"
    r"|掲載|公開|配信|등록|입력|게재|đăng|diterbitkan|ditayangkan|प्रकाशित|প্রকাশ"
)
_DATELINE = re.compile(r"(.{0,60}?\b(?:19|20)\d\d\b.{0,20}?)\s?(?:[–—|•:]|-\s|\s/)")
"""*London, 6 November 2023 (Agency) –*, before the first words of a text."""
_COPYRIGHT = re.compile(r"©|\(c\)|copyright|all rights reserved")


@dataclass(frozen=True, slots=True)
class Dateline:
    """A date that the page shows."""

    date: FoundDate
    text: str
    rest: int
    """Characters of the text beside the date."""
    element: Element
    changed: bool
    """Whether it is said to be the day of a change."""
    published: bool
    """Whether it is said to be that of publication."""


def find_datelines(
    page: Page, title: Element | None, text_at: int, *, hint: str, rules: DateRules, named: bool
) -> list[Dateline]:
    """Return the dates beside the headline and above the text, the likeliest first.

    *text_at*: order of the element where the text begins. *hint*: the day or month that the address says. *named*: only
    from `<time>`, and from elements whose names say that they hold a date.
    """
    starts = (title.order, text_at) if title is not None else (text_at,)
    near = _near(page, title, text_at)
    if named:
        near = [e for e in near if e.tag == "time" or (e.signs & DATE and e.tag in _NAMED_TAGS)]
    lines = list(_read(near, rules))
    if not named:
        lines += _read_first_words(near, rules)
    lines = _without_clock(lines, page, starts, rules)
    rows = _count_rows(lines)
    costs = {line: _cost(line, starts) + (_IN_ROW if rows[_name(line)] >= _ROWS else 0) for line in lines}
    likely = [line for line in lines if costs[line] <= _MOST]
    return sorted(likely, key=lambda line: (not line.date.value.startswith(hint), costs[line]))


def find_said(page: Page, start: int, end: int, rules: DateRules) -> tuple[Dateline | None, Dateline | None]:
    """Return the lines where the text begins and ends that say when it was published, and when it was changed.

    *start*, *end*: order of the elements where the text begins, and after it.
    """
    elements = page.root.tree.elements
    last = max(start + _FURTHER, end - _FURTHER)
    around = [*elements[start : start + _FURTHER], *elements[last : end + _FURTHER]]
    unlinked = (element for element in around if element.link_chars < element.chars)
    lines = list(_read(unlinked, rules, most_rest=_MAX_LINE_CHARS))
    published = [line for line in lines if line.published and not line.changed]
    return _only(published), _only([line for line in lines if line.changed])


def find_last_line(page: Page, end: int, rules: DateRules) -> Dateline | None:
    """Return the date below the text, if there is but one day. *end*: order of the element after the text."""
    return _only(
        [line for line in _read(page.root.tree.elements[end : end + _BELOW], rules) if not line.element.linked]
    )


def _near(page: Page, title: Element | None, text_at: int) -> list[Element]:
    """Return the elements around headline and beginning of the text."""
    elements = page.root.tree.elements
    first = max(page.body.order, text_at - _BEFORE)
    if title is None:
        return [*elements[first:text_at], *_cut(elements[text_at : text_at + _AFTER])]
    around = [
        *elements[max(page.body.order, title.order - _BEFORE) : title.order],
        *(element for element in elements[title.order + 1 : title.end] if _is_named(element)),
        *_cut(elements[title.end : title.end + _AFTER]),
    ]
    last = around[-1].order if around else title.order
    if last < text_at:
        around += elements[max(last + 1, first) : text_at]
    elif text_at < title.order - _BEFORE:
        around = [*elements[first:text_at], *around]
    return around


def _is_named(element: Element) -> bool:
    return element.tag == "time" or (element.signs & DATE != 0 and element.tag in _NAMED_TAGS)


def _is_elsewhere(element: Element, starts: tuple[int, ...] = ()) -> bool:
    """Whether it stands in a box of other articles, comments or a caption that does not hold one of *starts* too."""
    return any(
        (one.signs & (RELATED | COMMENT) or one.tag == "figcaption")
        and not any(one.order <= start < one.end for start in starts)
        for one in (element, *element.ancestors())
    )


def _only(lines: list[Dateline]) -> Dateline | None:
    """Return the first of *lines* that are the article's, if they all say the same day."""
    lines = [line for line in lines if not _is_elsewhere(line.element)]
    return lines[0] if is_one_day(line.date for line in lines) else None


def _cut(elements: list[Element]) -> Iterator[Element]:
    """Yield *elements* up to where the text is under way."""
    prose = 0
    for element in elements:
        if element.tag == "p" and element.chars >= _PROSE_CHARS:
            prose += element.chars
            if prose > _MOST_PROSE:
                return
        yield element


def _read(elements: Iterable[Element], rules: DateRules, most_rest: int = _MAX_REST) -> Iterator[Dateline]:
    """Yield the lines that are little more than a date; of elements in each other, the innermost."""
    last: Dateline | None = None
    for element, text in islice(_find_hints(elements), _MAX_TRIES):
        line = _read_line(element, text, rules, most_rest)
        if line is None:
            continue
        if last is not None and element.order < last.element.end and last.date.value[:10] == line.date.value[:10]:
            last = _join(last, line)
            continue
        if last is not None:
            yield last
        last = line
    if last is not None:
        yield last


def _find_hints(elements: Iterable[Element]) -> Iterator[tuple[Element, str]]:
    """Yield the short texts in which a year may stand."""
    for element in elements:
        if 5 < element.chars <= _MAX_LINE_CHARS and _HINT.search(text := element.text()):
            yield element, text
        if element.tag == "time" and _HINT.search(text := element.get("datetime")):
            yield element, text


def _read_first_words(elements: Iterable[Element], rules: DateRules) -> Iterator[Dateline]:
    """Yield the dates that stand before the first words of paragraphs."""
    for element in elements:
        if element.tag == "p" and _MAX_REST < element.chars < _MAX_PARAGRAPH_CHARS:
            begin = _DATELINE.match(element.text())
            if begin and (line := _read_line(element, begin[1], rules, _MAX_REST)):
                yield line


def _read_line(element: Element, text: str, rules: DateRules, most_rest: int) -> Dateline | None:
    found = next(find_dates(text, rules), None)
    if found is None or found[0].value < FIRST_YEAR:
        return None
    day, start, end = found
    plain = one_line(text).lower()
    rest = len(plain) - (end - start)
    if rest > most_rest or _COPYRIGHT.search(plain):
        return None
    published = _PUBLISHED.search(plain) is not None
    changed = _CHANGED.search(plain, 0, start) is not None
    if element.signs & MODIFIED and not _PUBLISHED.search(element.get("class").lower()):
        changed = not published
    return Dateline(day, text, rest, element, changed, published)


def _join(outer: Dateline, inner: Dateline) -> Dateline:
    """Return what two lines say together of which one stands in the other, or of which both are one element's."""
    return Dateline(
        max(outer.date, inner.date, key=_precision),
        outer.text if outer.element is inner.element else inner.text,
        min(outer.rest, inner.rest),
        inner.element,
        outer.changed or inner.changed,
        outer.published or inner.published,
    )


def _precision(found: FoundDate) -> int:
    return len(found.value)


def _without_clock(lines: list[Dateline], page: Page, starts: tuple[int, ...], rules: DateRules) -> list[Dateline]:
    """Leave out the day on which the page was read, where it stands above all that holds headline and text."""
    if not lines:
        return lines
    first_day, last_day = ((rules.captured_at + timedelta(days=days)).date().isoformat() for days in (-1, 1))
    if all(line.date.value[:10] < first_day for line in lines):
        return lines
    first = page.root.tree.elements[min(starts)]
    around = [element for element in (first, *first.ancestors()) if max(starts) < element.end]
    scope = around[0] if around else page.root
    kept = []
    for line in lines:
        if line.element.order <= scope.order and line.date.value[:10] >= first_day:
            rules.doubt(line.text)
            if line.date.value[:10] <= last_day:
                continue
        kept.append(line)
    return kept


def _name(line: Dateline) -> tuple[str, str]:
    return (line.element.tag, line.element.get("class"))


def _count_rows(lines: list[Dateline]) -> dict[tuple[str, str], int]:
    """Return how many days the lines of each name of elements say."""
    days: dict[tuple[str, str], set[str]] = {}
    for line in lines:
        days.setdefault(_name(line), set()).add(line.date.value[:10])
    return {name: len(found) for name, found in days.items()}


def _cost(line: Dateline, starts: tuple[int, ...]) -> float:
    """Return how far *line* is from the nearest of *starts*, and more for what else speaks against it."""
    element = line.element
    at = element.order
    cost = min(float(at - start) if at >= start else 1.5 * (start - at) for start in starts)
    if _is_elsewhere(element, starts):
        cost += _ELSEWHERE if at < max(starts) else 2 * _ELSEWHERE  # above the text, the name is less to be believed
    cost += _IN_LINK * element.linked
    return cost if _is_named(element) else cost + _UNNAMED + line.rest / 4

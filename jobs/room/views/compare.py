"""Two texts of an article compared: the words that came and went, and what kind of edit that is."""

from __future__ import annotations

from datetime import datetime
from itertools import groupby
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from jobs.articles import read_comparable
from jobs.comparison import compare_snapshots
from jobs.diff import Change, runs_to_left
from jobs.diff.render import find_near, tell_uncompared
from jobs.room.endpoints import Asked, NotThere, Page, Told

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from jobs.catalog import StoredRevision
    from jobs.comparison import Comparison, Side
    from jobs.diff import Line, TextDiff, Words
    from jobs.edits import Edit, PostEdit
    from jobs.room.desk import Desk

CONTEXT_LINES = 1
FOLDED_LINES = 2
"""Fewer unchanged lines in a row are shown: a fold would take as much room."""
MAX_CHOICES = 400
"""Texts to choose from; of more, the newest."""
MAX_LINES = 3_000
"""That are told; no article has so many, but a page may."""
_SAMPLE_CHARS = 2_000


class CompareAsked(Asked):
    """Which two texts of which article: the last two if nothing is said."""

    source: str
    url: str
    before: int | None = Field(default=None, ge=1)
    after: int | None = Field(default=None, ge=1)
    """Number of the other text; it may be the earlier one."""
    view: Literal["inline", "side"] = "inline"
    """How the page shows it; the same is told."""


class Piece(Told):
    """A run of words of a line."""

    change: str
    """same, removed, added."""
    text: str


class LineTold(Told):
    """A line of either text or, if it is the same or changed, of both."""

    change: str
    """same, removed, added, changed; moved_from, moved_to: it stands elsewhere in the other text, word for word."""
    before_line: int | None
    """Its number in the earlier text, from 1."""
    after_line: int | None
    other_line: int | None
    """Of one that moved: its number in the other text."""
    headline: bool
    pieces: tuple[Piece, ...]


class Stretch(Told):
    """Lines that stand together."""

    folded: bool
    """Whether they are the same in both texts, and away from every change."""
    lines: tuple[LineTold, ...]


class SideTold(Told):
    """One of the two texts."""

    number: int
    captured_at: datetime
    segment: str
    n: int
    """The capture that first showed it."""
    text_digest: str | None
    published: str | None
    """As the page states it; `modified` alike."""
    modified: str | None


class EditTold(Told):
    """One thing that an edit did, with its evidence."""

    kind: str
    place: str
    """`title`, `lead`, `text`, a field's name, `line N`, or of a live page `post ID`."""
    before: str | None
    after: str | None


class PostTold(Told):
    """A post of a live page that came, changed or was withdrawn."""

    change: str
    """added, changed, removed."""
    id: str
    time_before: str | None
    """As the page states it."""
    time_after: str | None
    pieces: tuple[Piece, ...]


class Choice(Told):
    """A text that may be chosen."""

    number: int
    captured_at: datetime


class CompareTold(Told):
    """What lies between two texts."""

    source: str
    url: str
    title: str | None
    language: str
    """A tag; empty if it is not known."""
    direction: str
    """ltr, rtl."""
    view: str
    before: SideTold
    after: SideTold
    latest: int
    """Number of the article's latest text."""
    judged: bool
    """Whether kinds and flags are known: not where different rules read the two texts."""
    kinds: tuple[str, ...]
    silent: bool | None
    """`null`: words changed, and the page states no time of its last change."""
    backdated: bool
    edits: tuple[EditTold, ...]
    posts: tuple[PostTold, ...]
    """Of a live page; its posts are not among the lines."""
    changes: int
    """Lines that came, went or changed, those that moved left out."""
    stretches: tuple[Stretch, ...]
    left_out: int
    """Lines beyond those that are told."""
    uncompared: int
    """Lines told as removed and added whole, since comparing the words within them is too much for one request."""
    choices: tuple[Choice, ...]

    @property
    def unread(self) -> str:
        """What the page says of the lines whose words were not compared; an empty text if there are none."""
        return "".join(tell_uncompared(self.uncompared))

    @property
    def differs(self) -> bool:
        """Whether any line came, went, changed or moved."""
        return bool(self.changes) or any(
            line.change != Change.SAME for stretch in self.stretches for line in stretch.lines
        )

    @property
    def told_changes(self) -> int:
        """How many of the changes are among the lines that are told."""
        lines = (line for stretch in self.stretches for line in stretch.lines)
        return sum(line.change in {Change.REMOVED, Change.ADDED, Change.CHANGED} for line in lines)


def view_compare(desk: Desk, asked: CompareAsked) -> CompareTold:
    """Return what lies between two texts. Raises NotThere."""
    revisions = desk.catalog.list_revisions(asked.source, asked.url)
    if not revisions:
        raise NotThere(f"{asked.url}: no text of it from {asked.source} in this archive")
    after = _pick(revisions, asked.after or len(revisions))
    before = _pick(revisions, asked.before or max(after.number - 1, 1))
    old, new = read_comparable(desk.catalog, before, after)
    if "text_digest" not in old:
        raise NotThere(f"{asked.url}: texts {before.number} and {after.number} are not both in the catalog")
    sides = (before.number, before.captured_at), (after.number, after.captured_at)
    comparison = compare_snapshots(old, new, sides, url=asked.url, source=asked.source)
    report = comparison.report
    moved = comparison.diff.moved
    return CompareTold(
        source=asked.source,
        url=asked.url,
        title=comparison.title,
        language=comparison.language if comparison.language.replace("-", "").isalnum() else "",
        direction=_find_direction(comparison),
        view=asked.view,
        before=_tell_side(comparison.before, before),
        after=_tell_side(comparison.after, after),
        latest=revisions[-1].number,
        judged=report is not None,
        kinds=tuple(report.kinds) if report else (),
        silent=report.silent if report else None,
        backdated=report is not None and report.backdated,
        edits=tuple(_tell_edit(edit) for edit in report.edits) if report else (),
        posts=tuple(_tell_post(post) for post in report.posts) if report else (),
        changes=_count_changes(comparison.diff, moved),
        stretches=tuple(_list_stretches(comparison, moved)),
        left_out=max(0, len(comparison.diff.lines) - MAX_LINES),
        uncompared=comparison.diff.uncompared,
        choices=tuple(Choice(number=one.number, captured_at=one.captured_at) for one in revisions[-MAX_CHOICES:]),
    )


def _pick(revisions: Sequence[StoredRevision], number: int) -> StoredRevision:
    if number > len(revisions):
        raise NotThere(f"text {number}: this article has {len(revisions)}")
    return revisions[number - 1]


def _count_changes(diff: TextDiff, moved: frozenset[str]) -> int:
    return sum(line.change is not Change.SAME and line.whole not in moved for line in diff.lines)


def _find_direction(comparison: Comparison) -> str:
    lines = comparison.diff.lines[:20]
    sample = "\n".join([comparison.title or "", *(line.after or line.before or "" for line in lines)])
    return "rtl" if runs_to_left(sample[:_SAMPLE_CHARS]) else "ltr"


def _tell_side(side: Side, revision: StoredRevision) -> SideTold:
    return SideTold(
        number=side.number,
        captured_at=side.captured_at,
        segment=revision.segment,
        n=revision.n,
        text_digest=side.digest,
        published=side.published,
        modified=side.modified,
    )


def _tell_edit(edit: Edit) -> EditTold:
    return EditTold(kind=edit.kind.value, place=edit.place, before=edit.before, after=edit.after)


def _tell_post(post: PostEdit) -> PostTold:
    pieces = tuple(_tell_words(post.words))
    if not pieces and post.before == post.after:
        pieces = (Piece(change=Change.SAME.value, text=post.after or ""),)
    elif not pieces:
        both = ((Change.REMOVED, post.before), (Change.ADDED, post.after))
        pieces = tuple(Piece(change=change.value, text=text) for change, text in both if text)
    return PostTold(
        change=post.change.value, id=post.id, time_before=post.time_before, time_after=post.time_after, pieces=pieces
    )


def _list_stretches(comparison: Comparison, moved: frozenset[str]) -> Iterator[Stretch]:
    lines = comparison.diff.lines[:MAX_LINES]
    told = list(_tell_lines(comparison, moved))
    near = find_near(lines, CONTEXT_LINES)
    waiting: list[LineTold] = []
    for wanted, group in groupby(range(len(lines)), key=lambda place: near[place]):
        stretch = [told[place] for place in group]
        if wanted or len(stretch) < FOLDED_LINES:
            waiting += stretch
            continue
        if waiting:
            yield Stretch(folded=False, lines=tuple(waiting))
        yield Stretch(folded=True, lines=tuple(stretch))
        waiting = []
    if waiting:
        yield Stretch(folded=False, lines=tuple(waiting))


def _tell_lines(comparison: Comparison, moved: frozenset[str]) -> Iterator[LineTold]:
    wanted = moved.intersection(line.whole for line in comparison.diff.lines[:MAX_LINES])
    both = [line for line in comparison.diff.lines if line.whole in wanted] if wanted else []
    went = _number_texts((line.before, line.before_number) for line in both if line.change is Change.REMOVED)
    came = _number_texts((line.after, line.after_number) for line in both if line.change is Change.ADDED)
    for line in comparison.diff.lines[:MAX_LINES]:
        change, other = line.change.value, None
        if line.whole in moved and line.change is Change.REMOVED:
            change, other = "moved_from", came[line.before or ""]
        elif line.whole in moved:
            change, other = "moved_to", went[line.after or ""]
        first = {line.before_number, line.after_number} <= {1, None}
        yield LineTold(
            change=change,
            before_line=line.before_number,
            after_line=line.after_number,
            other_line=other,
            headline=first and comparison.title in {line.before, line.after},
            pieces=tuple(_tell_pieces(line)),
        )


def _number_texts(lines: Iterable[tuple[str | None, int | None]]) -> dict[str, int]:
    """Return text → the number of the first line that says it."""
    numbers: dict[str, int] = {}
    for text, number in lines:
        if text and number:
            numbers.setdefault(text, number)
    return numbers


def _tell_pieces(line: Line) -> Iterable[Piece]:
    if line.words:
        return _tell_words(line.words)
    return (Piece(change=line.change.value, text=(line.before if line.after is None else line.after) or ""),)


def _tell_words(words: Iterable[Words]) -> Iterator[Piece]:
    return (Piece(change=one.change.value, text=one.text) for one in words)


ENDPOINTS = (
    Page("compare", "/sources/{source}/compare", CompareAsked, CompareTold, view_compare, "Two texts of an article"),
)

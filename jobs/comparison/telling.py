"""Two snapshots → what is told of them: the lines that differ, the posts, the kinds of edits, the two sides."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from jobs.diff import Change, Line, TextDiff, Words, diff_texts
from jobs.edits import EditReport, LivePage, PostChange, PostEdit, judge_edit, read_state

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime


@dataclass(frozen=True, slots=True)
class Side:
    """One of both texts."""

    number: int
    captured_at: datetime
    digest: str | None
    """Of the text, labelled; as far as it is known."""
    published: str | None
    modified: str | None
    """As the page states them."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two texts of one article."""

    url: str
    source: str
    title: str | None
    """Of the later text or, if it has none, of the earlier."""
    language: str
    """A language tag; empty if it is not known."""
    before: Side
    after: Side
    diff: TextDiff
    """Of a live page, without its posts: those are in the report."""
    report: EditReport | None
    """`None` if the texts were not read by the same rules."""


def compare_snapshots(
    before: dict[str, Any],
    after: dict[str, Any],
    sides: tuple[tuple[int, datetime], tuple[int, datetime]],
    *,
    url: str,
    source: str,
) -> Comparison:
    """Return what is told of two snapshots; *sides*: the number and time of capture of each."""
    forward = sides[0][1] <= sides[1][1]
    report = judge_snapshots(before, after, forward=forward)
    old, new = (str(snapshot.get("text") or "").split("\n") for snapshot in (before, after))
    if report and report.posts:
        old, new = map(list, LivePage(read_state(before), read_state(after)).list_frames(old, new))
    one, other = (_read_side(*side, snapshot) for side, snapshot in zip(sides, (before, after), strict=True))
    return Comparison(
        url=url,
        source=source,
        title=after.get("title") or before.get("title"),
        language=str(_read_field(after, "language") or _read_field(before, "language") or ""),
        before=one,
        after=other,
        diff=diff_texts("\n".join(old), "\n".join(new)),
        report=report,
    )


def judge_snapshots(before: dict[str, Any], after: dict[str, Any], *, forward: bool) -> EditReport | None:
    """Return what kinds of edits lie between two snapshots; `None` if they were not read by the same rules.

    Not *forward*: *after* was captured earlier. Then nobody did it silently, or dated it back.
    """
    if before.get("derivation") is None or before.get("derivation") != after.get("derivation"):
        return None
    report = judge_edit(read_state(before), read_state(after))
    return report if forward else replace(report, silent=None, backdated=False)


def describe_report(report: EditReport | None) -> str:
    """Return the kinds of edits on a line (`number, quotation · silent`); an empty one if there are none."""
    if report is None:
        return "kinds of edits: not to be told, since different rules read the two texts"
    kinds = ", ".join(report.kinds)
    flags = {"silent": report.silent, "backdated": report.backdated}
    return " · ".join([kinds, *(name for name, is_so in flags.items() if is_so)]).removeprefix(" · ")


def tell_units(report: EditReport | None) -> str:
    """Return how many posts of a live page came, changed and went on a line; an empty one if none did."""
    counts = Counter(post.change for post in report.posts) if report else Counter()
    told = [f"{counts[change]} {change.value}" for change in PostChange if counts[change]]
    return f"posts: {' · '.join(told)}" if told else ""


def list_units(report: EditReport | None) -> TextDiff:
    """Return the posts that came, changed and went as lines, each after its time."""
    return TextDiff(tuple(_make_line(post) for post in report.posts) if report else ())


def _make_line(post: PostEdit) -> Line:
    before, after = (
        None if text is None else _lead_in(time) + _join(text)
        for time, text in ((post.time_before, post.before), (post.time_after, post.after))
    )
    if post.change is not PostChange.CHANGED:
        change = Change.ADDED if post.change is PostChange.ADDED else Change.REMOVED
        return Line(change, before, after, None, None)
    words = post.words or ((Words(Change.SAME, post.after or ""),) if post.before == post.after else ())
    told = tuple(Words(one.change, _join(one.text)) for one in (*_pair_times(post), *words) if one.text)
    return Line(Change.CHANGED, before, after, None, None, told if words else ())


def _pair_times(post: PostEdit) -> Iterator[Words]:
    old, new = _lead_in(post.time_before), _lead_in(post.time_after)
    if old == new:
        yield Words(Change.SAME, old)
    else:
        yield Words(Change.REMOVED, old)
        yield Words(Change.ADDED, new)


def _lead_in(time: str | None) -> str:
    return f"{time} · " if time else ""


def _join(text: str) -> str:
    return text.replace("\n", " ")


def _read_side(number: int, captured_at: datetime, snapshot: dict[str, Any]) -> Side:
    published, modified = (_read_field(snapshot, name) for name in ("published", "modified"))
    digest = snapshot.get("text_digest")
    return Side(number, captured_at, digest if isinstance(digest, str) else None, published, modified)


def _read_field(snapshot: dict[str, Any], name: str) -> str | None:
    found = (snapshot.get("fields") or {}).get(name)
    value = found.get("value") if isinstance(found, dict) and found.get("from") != "guess" else None
    return None if value is None else str(value)

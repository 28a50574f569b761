"""What of a segment must go for an article's sake: a pure function of its rows, and of records as they are asked for.

For committed segments and for those that wait in a spool alike.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from config.errors import RecordError
from crawler.model import PageClass
from crawler.rows import CaptureRow, CdxjRow, EndRow, LinkRow, SnapshotRow
from crawler.warc import read_member, read_response
from jobs.redaction.needles import Needles, read_answer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from crawler.rows import Extent, Row
    from jobs.fold import Place

_COUNTED = frozenset({"captures", "articles", "errors", "snapshots", "rederived", "links"})
_WORDLESS = ("image/jp", "image/png", "image/gif", "image/webp", "image/avif", "video/", "audio/", "font/")
_TOLD = frozenset({"article", "asset", "feed", "sitemap", "section"})
"""Purposes of captures that may hold words of an article."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to go."""

    urls: frozenset[str]
    """Of articles, in normal form."""
    needles: Needles = field(default_factory=Needles)
    """Their words."""
    mentions: bool = False
    """Whether pages of other articles, and what they were put together from, go where they have these."""


@dataclass(slots=True)
class Touched:
    """What of one segment goes."""

    segment: str
    captures: dict[int, bool] = field(default_factory=dict)
    """Number → whether it is an article's."""
    offsets: set[int] = field(default_factory=set)
    """Of the records that become tombstones."""
    extents: list[Extent] = field(default_factory=list)
    """The same, with their lengths."""
    snapshots: int = 0
    titles: int = 0
    """Links that lose theirs."""
    mentions: list[str] = field(default_factory=list)
    """URLs of other pages that have words of the article, and stay."""

    def __bool__(self) -> bool:
        """Whether the segment must be written anew."""
        return bool(self.captures or self.snapshots or self.titles)


def find_touched(
    segment: str, rows: Iterable[Row], read: Callable[[Extent], bytes] | None, wanted: Wanted, gone: set[Place]
) -> Touched:
    """Return what of *segment*, with these *rows*, must go.

    *read*: returns the gzip member of a record; `None`: only rows are looked at. *gone*: the captures that went in
    segments committed before; those that go here are added. Raises RecordError, and what *read* raises.
    """
    touched = Touched(segment)
    for row in rows:
        if isinstance(row, CaptureRow):
            if _must_go(row, read, wanted, gone, touched):
                _take(row, touched)
                gone.add((segment, row.n))
        elif isinstance(row, SnapshotRow):
            touched.snapshots += _goes_with(segment, row, wanted, gone)
        elif isinstance(row, LinkRow):
            touched.titles += row.title is not None and _is_told(row, wanted)
    return touched


def change_row(
    row: Row, touched: Touched, wanted: Wanted, gone: set[Place], *, reason: str, names: tuple[str, str]
) -> Row | None:
    """Return *row* as it is where its segment is written anew; `None`: it goes.

    *names*: of the segment's object, before and after. The `end` row's counts are for the caller.
    """
    if isinstance(row, CaptureRow):
        return _withdraw(row, reason) if row.n in touched.captures else row
    if isinstance(row, SnapshotRow):
        return None if _goes_with(touched.segment, row, wanted, gone) else row
    if isinstance(row, LinkRow):
        return replace(row, title=None) if row.title is not None and _is_told(row, wanted) else row
    return _rename(row, touched, names) if isinstance(row, CdxjRow) else row


def count_row(row: Row, counts: dict[str, int]) -> None:
    """Add *row* to what an `end` row says in `counts`."""
    names = []
    if isinstance(row, CaptureRow):
        names = ["captures", *["articles"] * (row.purpose == "article"), *["errors"] * (row.error is not None)]
    elif isinstance(row, SnapshotRow):
        names = ["snapshots" if row.of is None else "rederived"]
    elif isinstance(row, LinkRow):
        names = ["links"]
    for name in names:
        counts[name] = counts.get(name, 0) + 1


def recount(end: EndRow, counts: dict[str, int]) -> EndRow:
    """Return *end* with *counts* in the place of those that it has."""
    return replace(
        end, counts={name: counts.get(name, 0) if name in _COUNTED else number for name, number in end.counts.items()}
    )


def _must_go(
    row: CaptureRow,
    read: Callable[[Extent], bytes] | None,
    wanted: Wanted,
    gone: set[Place],
    touched: Touched,
) -> bool:
    if row.page_class == PageClass.REDACTED or row.purpose not in _TOLD:
        return False
    if row.revisit_of is not None and (row.revisit_of.segment, row.revisit_of.n) in gone:
        return True
    if row.url in wanted.urls:
        return True
    if read is None or not wanted.needles or not any(map(wanted.needles.are_in, _list_texts(row, read))):
        return False
    if row.purpose != "article" or wanted.mentions:
        return True
    touched.mentions.append(row.url)
    return False


def _list_texts(row: CaptureRow, read: Callable[[Extent], bytes]) -> Iterator[str]:
    """Yield what a capture's records hold as text: the answer, and the page as rendered. Pictures have none."""
    if row.warc is None or (row.media_type or "").startswith(_WORDLESS):
        return
    where = f"capture {row.n}, {row.url[:200]}"
    if row.warc.response is not None and row.revisit_of is None:
        yield read_answer(read_response(read(row.warc.response), where=where))
    if row.warc.rendered is not None:
        yield read_member(read(row.warc.rendered), where=where).block.decode("utf-8", "replace")


def _take(row: CaptureRow, touched: Touched) -> None:
    touched.captures[row.n] = row.purpose == "article"
    places = () if row.warc is None else (row.warc.response, row.warc.rendered, row.warc.request, row.warc.metadata)
    for place in places:
        if place is not None and place.offset not in touched.offsets:
            touched.offsets.add(place.offset)
            touched.extents.append(place)


def _goes_with(segment: str, row: SnapshotRow, wanted: Wanted, gone: set[Place]) -> bool:
    place = (row.of.segment, row.of.n) if row.of is not None else (segment, row.n)
    return row.url in wanted.urls or place in gone


def _is_told(row: LinkRow, wanted: Wanted) -> bool:
    return row.url in wanted.urls or wanted.needles.are_in(row.title or "")


def _withdraw(row: CaptureRow, reason: str) -> CaptureRow:
    article = row.purpose == "article"
    return CaptureRow(
        n=row.n,
        url=row.url,
        target_uri=row.target_uri,
        captured_at=row.captured_at,
        purpose=row.purpose,
        page_class=PageClass.REDACTED if article else row.page_class,
        class_reason=f"redacted: {reason}",
        via=row.via,
        status=row.status,
        media_type=row.media_type,
        seconds=row.seconds,
        peer=row.peer,
        origin=row.origin,
    )


def _rename(row: CdxjRow, touched: Touched, names: tuple[str, str]) -> CdxjRow | None:
    try:
        key, stamp, rest = row.line.split(" ", 2)
        fields = json.loads(rest)
        if int(fields["offset"]) in touched.offsets:
            return None
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise RecordError(f"segment {touched.segment}: an index line that is none: {row.line[:100]!a}") from error
    if fields.get("filename") == names[0]:
        fields["filename"] = names[1]
    return CdxjRow(f"{key} {stamp} {json.dumps(fields)}")

"""A change → an entry of a feed: bounded, printable, and such that it can be read back from a JSON feed.

What a page says is hostile to feed readers and to XML: all text goes through `clean`.
"""

from __future__ import annotations

import re
import uuid
from datetime import UTC, datetime
from html import escape
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

from jobs.changes import What
from jobs.diff import make_safe

if TYPE_CHECKING:
    from jobs.changes import Change, EditSummary

MAX_TITLE_CHARS, MAX_EVIDENCE_CHARS = 300, 300
MAX_RUNS, MAX_LINES, MAX_RUN_CHARS, MAX_KINDS = 40, 5, 240, 50
_FORBIDDEN = re.compile("[\ufffe\uffff]")
"""Beside what `make_safe` escapes: characters that XML 1.0 has no place for."""
_VERBS: dict[str, str] = {
    What.REVISED: "Revised",
    What.REVERTED: "Reverted",
    What.ALTERNATING: "Alternating",
    What.SUSPECTED: "Perhaps gone",
    What.GONE: "Gone",
    What.RETURNED: "Back",
    What.METADATA: "Metadata changed",
    What.MOVED: "Moved",
}


def clean(text: str, limit: int) -> str:
    """Return *text* with what could reorder it, steer a reader or break XML as escapes; at most *limit* long."""
    safe = _FORBIDDEN.sub("\ufffd", make_safe(text))
    return safe if len(safe) <= limit else safe[: limit - 1] + "…"


def _to_utc(value: datetime) -> datetime:
    return value.astimezone(UTC)


Time = Annotated[AwareDatetime, AfterValidator(_to_utc)]
Word = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z_]{0,39}\z")]
Number = Annotated[int, Field(ge=0, le=10**9)]
Run = tuple[
    Literal["same", "removed", "added"], Annotated[str, StringConstraints(max_length=8 * MAX_RUN_CHARS, strict=True)]
]


class Told(BaseModel):
    """What a feed's entry says beyond the words for people: `_ofrecord` in JSON feeds."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    source: Annotated[str, StringConstraints(pattern=r"^[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?\z")]
    what: Word
    """A `What`, or what a later version tells."""
    at: Time
    """When the capture was made that shows it; of an alternation, the latest."""
    since: Time
    """Of an alternation: the first."""
    headline: Annotated[str, StringConstraints(max_length=MAX_TITLE_CHARS)] | None = None
    before: Number | None = None
    """Number of the text before; `after` alike."""
    after: Number | None = None
    texts: Annotated[tuple[Number, ...], Field(max_length=8)] = ()
    times: Number = 0
    evidence: Annotated[str, StringConstraints(max_length=MAX_EVIDENCE_CHARS)] | None = None
    kinds: Annotated[tuple[Word, ...], Field(max_length=MAX_KINDS)] | None = None
    """`None`: what kind of edit it was is not known here."""
    silent: bool | None = None
    backdated: bool = False
    words: Annotated[
        tuple[Annotated[tuple[Run, ...], Field(max_length=MAX_RUNS)], ...], Field(max_length=MAX_LINES)
    ] = ()
    more: Number = 0


class FeedItem(BaseModel):
    """One entry of a feed."""

    model_config = ConfigDict(frozen=True, extra="ignore", populate_by_name=True)

    id: Annotated[str, StringConstraints(pattern=r"^urn:uuid:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\z")]
    url: Annotated[str, StringConstraints(pattern=r"^https?://[!-~]+\z", max_length=4_096)]
    told: Told = Field(alias="_ofrecord")

    @property
    def title(self) -> str:
        """What happened, and to which article."""
        told = self.told
        words = [_VERBS.get(told.what, told.what.capitalize()), *(["silently"] if told.silent else [])]
        return f"{' '.join(words)}: {clean(told.headline or self.url, MAX_TITLE_CHARS)}"

    @property
    def tags(self) -> list[str]:
        """What happened, the kinds of edits, and how they were made."""
        return [self.told.what, *(self.told.kinds or ()), *self._flags]

    @property
    def summary(self) -> str:
        """What happened, in one line."""
        return " · ".join(part for part in [self._describe(), ", ".join(self.told.kinds or ()), *self._flags] if part)

    @property
    def html(self) -> str:
        """The summary and the words that changed, with no markup but our own."""
        lines = [f"<li>{''.join(_mark(kind, text) for kind, text in runs)}</li>" for runs in self.told.words]
        if self.told.more:
            lines.append(f"<li>… {self.told.more} more</li>")
        return f"<p>{escape(self.summary, quote=False)}</p>" + (f"<ul>{''.join(lines)}</ul>" if lines else "")

    @property
    def _flags(self) -> list[str]:
        return [name for name in ("silent", "backdated") if getattr(self.told, name)]

    def _describe(self) -> str:
        told = self.told
        if told.what == What.ALTERNATING:
            numbers = [str(number) for number in told.texts]
            listed = f"{', '.join(numbers[:-1])} and {numbers[-1]}" if len(numbers) > 1 else "".join(numbers)
            return f"alternating between texts {listed}, {told.times} times since {told.since:%Y-%m-%d %H:%M}Z"
        if told.evidence:
            return f"{told.what}: {clean(told.evidence, MAX_EVIDENCE_CHARS)}"
        if told.before and told.after and told.before != told.after:
            return f"{told.what}: text {told.before} → text {told.after}"
        return told.what


def make_item(change: Change, summary: EditSummary | None, *, headline: str | None, archive: str) -> FeedItem | None:
    """Return the entry for *change*; `None` for an article whose URL no feed can link to."""
    words = (
        [[(kind, clean(text, MAX_RUN_CHARS)) for kind, text in runs[:MAX_RUNS]] for runs in summary.words]
        if summary
        else []
    )
    told = {
        "source": change.source,
        "what": change.what.value,
        "at": change.at,
        "since": change.since,
        "headline": clean(headline, MAX_TITLE_CHARS) if headline else None,
        "before": change.before.revision if change.before else None,
        "after": change.after.revision if change.after else None,
        "texts": change.texts,
        "times": change.times,
        "evidence": clean(change.evidence, MAX_EVIDENCE_CHARS) if change.evidence else None,
        "kinds": tuple(summary.kinds) if summary else None,
        "silent": summary.silent if summary else None,
        "backdated": bool(summary and summary.backdated),
        "words": words[:MAX_LINES],
        "more": summary.more if summary else 0,
    }
    try:
        return FeedItem.model_validate({"id": change.make_id(archive), "url": change.url, "_ofrecord": told})
    except ValueError:
        return None


def make_news(
    source: str, url: str, at: datetime, place: tuple[str, int], *, headline: str | None, archive: str
) -> FeedItem | None:
    """Return the entry for an article that was seen for the first time, by the capture at *place*; `None` as above."""
    name = f"{source} {place[0]} {place[1]} new {url}"
    told = {
        "source": source,
        "what": "new",
        "at": at,
        "since": at,
        "headline": clean(headline, MAX_TITLE_CHARS) if headline else None,
        "after": 1,
    }
    try:
        return FeedItem.model_validate({"id": uuid.uuid5(uuid.UUID(archive), name).urn, "url": url, "_ofrecord": told})
    except ValueError:
        return None


def make_text(
    source: str,
    url: str,
    at: datetime,
    text_digest: str,
    *,
    number: int,
    headline: str,
    words: str,
    kinds: tuple[str, ...],
    silent: bool,
    archive: str,
) -> FeedItem | None:
    """Return the entry for a text of an article, whatever it was found by; `None` as above.

    *words*: what of the text is to be read in the entry.
    """
    name = f"{source} text {text_digest} {url}"
    told = {
        "source": source,
        "what": "new" if number == 1 else What.REVISED.value,
        "at": at,
        "since": at,
        "headline": clean(headline, MAX_TITLE_CHARS) if headline else None,
        "after": number,
        "kinds": kinds[:MAX_KINDS],
        "silent": silent,
        "words": [[("same", clean(words, MAX_RUN_CHARS))]] if words else [],
    }
    try:
        return FeedItem.model_validate({"id": uuid.uuid5(uuid.UUID(archive), name).urn, "url": url, "_ofrecord": told})
    except ValueError:
        return None


def _mark(kind: str, text: str) -> str:
    shown = escape(clean(text, MAX_RUN_CHARS), quote=False)
    return {"removed": f"<del>{shown}</del>", "added": f"<ins>{shown}</ins>"}.get(kind, shown)

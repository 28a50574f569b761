"""A snapshot and its article's last version in, a guess of the verdict out. The fold alone decides verdicts."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Protocol

from crawler.model import PageClass

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from crawler.model import Link, RecordReference, Snapshot
    from crawler.validators import Validators

DELETION_STATUSES = frozenset({404, 410, 451})
"""Statuses that are evidence of deletion: FORMAT.md § 7."""

_AHEAD = timedelta(days=1)
"""So far a site's clock or zone may be wrong."""
_DELETED = frozenset({PageClass.SOFT_404, PageClass.BLOCKED})


@dataclass(frozen=True, slots=True)
class LastVersion:
    """What is known of an article before this run."""

    captured_at: datetime
    """Of the last capture; aware UTC."""
    texts: Mapping[str, str] = field(default_factory=dict)
    """Derivation → text digest of the last revision; empty if there was none."""
    state: str = "live"
    """`live`, `suspected`, `gone` or `none`."""
    excerpt: bool = False
    """Whether that revision is what a pay wall left of the text."""


@dataclass(frozen=True, slots=True)
class LastLook:
    """When an article was captured last, and how it stood then."""

    captured_at: datetime
    """Aware UTC."""
    state: str = "live"
    """`live`, `suspected`, `gone` or `none`."""
    unread: bool = False
    """Whether that capture was only recorded, and its text is still to be had."""
    outside: str | None = None
    """Why its source did not want it then, see `crawler.scope`; `None`: it did."""

    def is_had(self, *, raw_only: bool, scope: str = "") -> bool:
        """Whether there is what a run wants of the article: its text or, to one that is *raw_only*, its record.

        So it is with a page that was not wanted, as long as *scope*, what its source wants in words, is the same.
        """
        if self.outside is not None and scope and self.outside.endswith(scope):
            return True
        return self.unread or self.state != "none" if raw_only else not self.unread and self.state != "none"


@dataclass(frozen=True, slots=True)
class LastAsset:
    """When an asset was asked for last."""

    captured_at: datetime
    """Aware UTC."""
    had: bool
    """Whether it was answered with something, be it that it lies elsewhere."""


@dataclass(frozen=True, slots=True)
class KnownReading:
    """What the last capture of an article came to, for the same payload to come to again."""

    captured_at: datetime
    """Aware UTC."""
    read_with: Mapping[str, Sequence[str]]
    """As in `crawler.outcome.describe_reading`."""
    directives: tuple[str, ...]
    snapshot: Snapshot


class LastVersions(Protocol):
    """Looks up articles; jobs/ fulfils it from the catalog."""

    def last(self, url: str) -> LastVersion | None:
        """Return what is known of the article at the normalised *url*, or `None`."""

    def find_looks(self, urls: Sequence[str]) -> Mapping[str, LastLook]:
        """Return the last look at those of the normalised *urls* that are known: some hundreds at a time."""

    def find_record(self, target_uri: str, payload_digest: str) -> RecordReference | None:
        """Return a committed, whole response record of *target_uri* with that payload, or `None`."""

    def find_validators(self, urls: Sequence[str], *, raw_only: bool = False) -> Mapping[str, Validators]:
        """Return what to ask those articles with whose last answer is good, whole, and held; live ones only.

        *urls*: normalised, some fifty at a time. A page that was only recorded counts as good if the run is *raw_only*.
        """

    def find_listing(self, url: str, rules: str) -> Validators | None:
        """Return what to ask the listing at the normalised *url* with, or `None`.

        `None` too unless the run that had its last answer found nothing in it to fetch, by the same *rules*.
        """

    def find_assets(self, urls: Sequence[str]) -> Mapping[str, LastAsset]:
        """Return the last captures, as assets, of those of the normalised *urls* that have any: some hundreds."""

    def find_reading(self, url: str, target_uri: str, payload_digest: str, derivation: str) -> KnownReading | None:
        """Return what the last capture of the article at the normalised *url* came to under *derivation*.

        `None` unless it had that payload, from *target_uri*, and would come to the same at any later time.
        """


def guess_verdict(
    snapshot: Snapshot | None,
    page_class: PageClass,
    status: int | None,
    last: LastVersion | None,
    *,
    confirmed: bool = False,
) -> str:
    """Return the verdict that the fold will most likely come to for this capture of an article.

    *confirmed*: its server was asked whether the page is as it was, and says so.

    `new`, `revised`, `unchanged`, `returned`, `uncompared`, `suspected`, `gone` or `bad`; `unread` where no text was
    asked for. A reverted text shows as
    `revised`, for only the last one is known here.
    """
    if confirmed:
        return "unread" if page_class is PageClass.UNREAD else "unchanged"
    known = last is not None and last.state != "none"
    counts = page_class.good or (page_class is PageClass.TRUNCATED and (last is None or not known or last.excerpt))
    if counts and snapshot is not None:
        if last is None or not known or not last.texts:
            return "new"
        text = last.texts.get(snapshot.derivation)
        if text is None:
            return "uncompared"
        if text != snapshot.text_digest:
            return "revised"
        return "unchanged" if last.state == "live" else "returned"
    if page_class is PageClass.UNREAD:
        return "unread"
    if last is not None and known and (status in DELETION_STATUSES or page_class in _DELETED):
        return "suspected" if last.state == "live" else "gone"
    return "bad"


def is_wanted(link: Link, last: LastLook | None, *, now: datetime, raw_only: bool = False, scope: str = "") -> bool:
    """Tell whether to fetch an announced article: never had (*last* is `None`), or changed since by its own word.

    A change announced for more than a day after *now* is none: it would be wanted by each run, for ever. *scope*: what
    the source wants, in words.
    """
    if last is None or not last.is_had(raw_only=raw_only, scope=scope):
        return True
    return link.modified is not None and last.captured_at < link.modified <= now + _AHEAD


def may_fill(link: Link, gaps: Sequence[tuple[datetime, datetime]]) -> bool:
    """Tell whether an announced article may have been published in one of *gaps*, from and until; if none, it may.

    So may what says nothing of its times, and what says only that it was changed, in a gap or after it.
    """
    if not gaps or (link.published is None and link.modified is None):
        return True
    if link.published is None:
        return any(link.modified is not None and begin <= link.modified for begin, _ in gaps)
    return any(begin <= link.published <= end for begin, end in gaps)


@dataclass(slots=True)
class AnnouncementBudget:
    """How many known articles a run may still fetch for what is announced of them: sitemaps say *now* of every page."""

    left: int | None
    """`None`: any number."""
    scope: str = ""
    """What the source wants, in words."""

    def take(self, last: LastLook | None, *, raw_only: bool) -> bool:
        """Tell whether an article may be fetched; what is not had yet costs nothing. *last*: the look at it."""
        if self.left is None or last is None or not last.is_had(raw_only=raw_only, scope=self.scope):
            return True
        self.left -= 1
        return self.left >= 0

"""What a person asks of one article: which of its texts, read by which rules, and what is said otherwise about it.

Asks the catalog alone. For the commands and the reading room alike.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from jobs.fold import Verdict
from jobs.metadata import list_changed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jobs.catalog import Catalog, StoredCapture, StoredRevision

GOOD_VERDICTS = frozenset(
    {Verdict.NEW, Verdict.REVISED, Verdict.REVERTED, Verdict.UNCHANGED, Verdict.RETURNED, Verdict.UNCOMPARED}
)
"""Of captures that have a text that counts."""


def list_variants(url: str) -> list[str]:
    """Return what a person may have meant by *url*: the other scheme, a slash more or less at the end."""
    scheme, _, rest = url.partition("://")
    schemes = ("https", "http") if scheme == "http" else ("http", "https")
    ends = (rest, rest.rstrip("/"), rest + "/")
    return [f"{one}://{end}" for one in schemes for end in ends if f"{one}://{end}" != url]


def find_latest(captures: Sequence[StoredCapture]) -> int | None:
    """Return the number of the text that an article was seen with last; `None`: it never had one."""
    return next((one.revision for one in reversed(captures) if one.revision), None)


def read_revision(
    catalog: Catalog, revision: StoredRevision, captures: Sequence[StoredCapture]
) -> dict[str, Any] | None:
    """Return the snapshot of a revision: of its first capture, or of its last if better rules read that one.

    *captures*: all of its article, in the order of the fold. `None`: the catalog has thin facts alone of both.
    """
    last = next((one for one in reversed(captures) if one.revision == revision.number), None)
    first = catalog.read_snapshot(revision.segment, revision.n)
    place = (revision.segment, revision.n) if last is None else last.read_at or last.place
    latest = first if place == (revision.segment, revision.n) else catalog.read_snapshot(*place)
    if first is None or latest is None:
        return first or latest
    return first if first["derivation"] == latest["derivation"] else latest


def read_comparable(
    catalog: Catalog, old: StoredRevision, new: StoredRevision
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return both snapshots, in one derivation where they have one: a change of rules is no change of words."""
    common = sorted(old.texts.keys() & new.texts.keys())
    for derivation in [*common, None]:
        first = catalog.read_snapshot(old.segment, old.n, derivation)
        second = catalog.read_snapshot(new.segment, new.n, derivation)
        if first and second:
            return first, second
    return {"text": ""}, {"text": ""}


def list_metadata_changes(
    catalog: Catalog, capture: StoredCapture, earlier: Sequence[StoredCapture]
) -> list[dict[str, Any]]:
    """Return what is said otherwise than at the last of the *earlier* good captures, within one derivation."""
    after = catalog.read_fields(capture.read_at or capture.place)
    for one in reversed(earlier):
        before = dict(catalog.read_fields(one.read_at or one.place))
        common = [(before[derivation], fields) for derivation, fields in after if derivation in before]
        if common:
            return list_changed(*common[0])
    return []

"""A change of text → what kinds of edits it was and which words changed, kept in the catalog once it was worked out.

The texts come from the catalog or, where that has thin facts only, from the segment that they were committed in.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import structlog

from config.errors import ArchiveError
from crawler.rows import SegmentRow, SnapshotRow
from jobs.archive.facts import fetch_rows, read_rows
from jobs.catalog import ReportKey
from jobs.changes.events import What
from jobs.changes.words import ShortLine, shorten_diff
from jobs.edits import EDIT_RULES, EditKind, judge_edit, read_state, report_to_json
from jobs.metadata import list_changed

if TYPE_CHECKING:
    from jobs.archive.commit import RowsPlace
    from jobs.catalog import Catalog
    from jobs.changes.events import Change, TextSeen
    from jobs.fold import Place
    from jobs.store import ObjectStore

log = structlog.get_logger()

SHORT_RULES = 3
"""The version of how a report is cut down here (jobs/changes/words.py too)."""
_RULES = EDIT_RULES * 1_000 + SHORT_RULES
MAX_EDITS, MAX_EVIDENCE_CHARS = 50, 500
MAX_FETCHED_BYTES = 64 * 1024**2
"""Rows of one segment that are fetched for a text that the catalog has not."""
_KEPT = 500
"""Reports that are held before they are written down."""


@dataclass(frozen=True, slots=True)
class EditSummary:
    """What is told of an edit."""

    edits: list[dict[str, Any]]
    """As `ofrecord diff --json` has them, long evidence cut."""
    silent: bool | None
    backdated: bool
    digests: tuple[str, str]
    """Of the texts that were compared, within one derivation."""
    words: list[ShortLine] = field(default_factory=list)
    metadata: list[dict[str, Any]] = field(default_factory=list)
    """What is said otherwise about the article: `name`, `before`, `after`."""
    more: int = 0
    """Changed lines that are not among `words`."""
    posts: dict[str, int] = field(default_factory=dict)
    """Of a live page: how many posts were `added`, `changed` or `removed`; only what is not none."""

    @property
    def kinds(self) -> list[str]:
        """Every kind once, in the order of `EditKind`, as `ofrecord diff` has them."""
        found = {edit["kind"] for edit in self.edits}
        return [kind.value for kind in EditKind if kind in found]


class EditReporter:
    """Says of changes what kinds of edits they are. `flush` writes down what was worked out.

    *store*: where texts are fetched that the catalog has not, of *fetches* segments at the most; `None`: nowhere.
    """

    def __init__(self, catalog: Catalog, store: ObjectStore | None = None, *, fetches: int = 0) -> None:
        self._catalog = catalog
        self._store = store
        self._fetches = fetches
        self._waiting: list[tuple[ReportKey, dict[str, Any]]] = []
        self._held: tuple[RowsPlace, bytes] | None = None
        self.worked_out = 0
        """Reports that were not in the catalog."""

    def summarise(self, change: Change) -> EditSummary | None:
        """Return what kind of edit *change* was.

        `None` for what is no edit of a text, where no derivation has both texts, and where a text cannot be had.
        """
        if change.before is None or change.after is None or change.what in {What.SUSPECTED, What.GONE, What.RETURNED}:
            return None
        pair = self._find_pair(change.before, change.after)
        if pair is None:
            return None
        key = replace(pair, source=change.source)
        kept = self._catalog.find_report(key)
        if kept is None:
            kept = self._work_out(key)
        # nobody who edits sets a text back and forth: an alternation says nothing of how an edit was made
        forward = key.after == change.place and change.what is not What.ALTERNATING
        return None if kept is None else _to_summary(kept, key.texts, forward=forward)

    def flush(self) -> None:
        """Write down what was worked out since."""
        waiting, self._waiting = self._waiting, []
        self._catalog.keep_reports(waiting)

    def _find_pair(self, before: TextSeen, after: TextSeen) -> ReportKey | None:
        """Return two snapshots that one derivation made, as the fold compared them (FORMAT.md § 7 (3)); no source."""
        for place in after.places:
            texts = self._catalog.list_snapshot_texts(place)
            if not texts:
                continue
            own = self._catalog.find_own(place)
            for derivation in sorted(texts, key=lambda one: (one != own, one)):
                for other in before.places:
                    text = self._catalog.list_snapshot_texts(other).get(derivation)
                    if text is not None:
                        return ReportKey("", other, place, derivation, (text, texts[derivation]), _RULES)
            return None
        return None

    def _work_out(self, key: ReportKey) -> dict[str, Any] | None:
        before, after = (self._read(place, key.derivation) for place in (key.before, key.after))
        if before is None or after is None:
            return None
        report = report_to_json(judge_edit(read_state(before), read_state(after)))
        edits = [_cut_edit(edit) for edit in _choose_edits(report["edits"])]
        words, more = shorten_diff(before["text"], after["text"])
        changed = [_cut_value(one) for one in list_changed(before["fields"], after["fields"])]
        posts = {name: len(of) for name, of in report["posts"].items() if of}
        made = report | {"edits": edits, "words": words, "more": more, "metadata": changed, "posts": posts}
        self.worked_out += 1
        self._waiting.append((key, made))
        if len(self._waiting) >= _KEPT:
            self.flush()
        return made

    def _read(self, place: Place, derivation: str) -> dict[str, Any] | None:
        """Return a snapshot with its text, or `None` if it cannot be had."""
        found = self._catalog.read_snapshot(*place, derivation)
        if found is not None or self._store is None:
            return found
        rows = self._catalog.find_snapshot_rows(place, derivation)
        data = self._fetch(rows) if rows is not None and rows.size_bytes <= MAX_FETCHED_BYTES else None
        if rows is None or data is None:
            return None
        try:
            return _find_snapshot(data, rows.key, place, derivation)
        except ArchiveError as error:
            log.warning("failed_report", error=str(error))
            return None

    def _fetch(self, rows: RowsPlace) -> bytes | None:
        """Return a segment's rows as they are stored; the last one's are held, since edits come together."""
        if self._held is not None and self._held[0] == rows:
            return self._held[1]
        if self._store is None or self._fetches <= 0:
            return None
        self._fetches -= 1
        try:
            data = fetch_rows(self._store, rows)
        except ArchiveError as error:
            log.warning("failed_report", error=str(error))
            return None
        self._held = rows, data
        return data


def _find_snapshot(data: bytes, where: str, place: Place, derivation: str) -> dict[str, Any] | None:
    segment = ""
    for _, row in read_rows(data, where):
        if isinstance(row, SegmentRow):
            segment = row.segment
        if not isinstance(row, SnapshotRow) or row.derivation != derivation:
            continue
        of = (row.of.segment, row.of.n) if row.of is not None else (segment, row.n)
        if of == place:
            return {
                "derivation": row.derivation,
                "text_digest": row.text_digest,
                "title": row.title,
                "lead": row.lead,
                "class": row.page_class,
                "fields": row.fields,
                "text": row.text,
            }
    return None


def _choose_edits(edits: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return MAX_EDITS of *edits* in their order: the first of each kind, since kinds are asked for, and the first."""
    firsts = {edit["kind"]: at for at, edit in reversed(list(enumerate(edits)))}
    chosen = list(dict.fromkeys([*sorted(firsts.values()), *range(len(edits))]))[:MAX_EDITS]
    return [edits[at] for at in sorted(chosen)]


def _cut_edit(edit: dict[str, Any]) -> dict[str, Any]:
    return {
        name: value[: MAX_EVIDENCE_CHARS - 1] + "…"
        if isinstance(value, str) and len(value) > MAX_EVIDENCE_CHARS
        else value
        for name, value in edit.items()
    }


def _cut_value(changed: dict[str, Any]) -> dict[str, Any]:
    """Return a change of metadata whose values are texts where they are too long as what they are."""
    sides = {name: json.dumps(changed[name], ensure_ascii=False) for name in ("before", "after")}
    cut = {name: text[: MAX_EVIDENCE_CHARS - 1] + "…" for name, text in sides.items() if len(text) > MAX_EVIDENCE_CHARS}
    return changed | cut


def _to_summary(kept: dict[str, Any], digests: tuple[str, str], *, forward: bool) -> EditSummary:
    """*forward*: the later text is of the later capture, and an edit. Else nobody did it silently, or dated it back."""
    return EditSummary(
        edits=kept["edits"],
        silent=kept["silent"] if forward else None,
        backdated=bool(kept["backdated"] and forward),
        digests=digests,
        words=[[(kind, text) for kind, text in line] for line in kept["words"]],
        metadata=kept["metadata"],
        more=kept["more"],
        posts=kept["posts"],
    )

"""One source's log and an article's URL → new objects without it, and `redact` commits that say so. Safe to repeat.

First all that is touched is found, then listings are written anew, then what was captured of the article itself, by
whose words listings are found: so one that was broken off finds the rest when it is begun again.
"""

from __future__ import annotations

import secrets
import tempfile
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import structlog

from config.errors import DamageFound, LogMoved, RecordError, StoreUnavailable
from crawler.ids import new_id
from crawler.rows import format_time
from jobs.archive.commit import SEGMENT_KINDS, Commit, RowsPlace, warc_key, writer_name
from jobs.archive.replacing import MAX_FILES, ReplacementIndex, name_article
from jobs.redaction.needles import Needles
from jobs.redaction.rewriting import LocalSegment, rewrite_segment
from jobs.redaction.tombstones import Inscription
from jobs.redaction.touching import Touched, Wanted, find_touched
from jobs.segments.seal import hash_file
from jobs.segments.upload import put_file
from jobs.store.clock import measure_skew

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from jobs.archive.commit import CommittedFile, StoredCommit
    from jobs.context import OpenArchive
    from jobs.fold import Place

log = structlog.get_logger()

MAX_RACES = 20
BEFORE_FIRST = timedelta(days=7)
"""So long before its first capture nothing can have told of an article."""


@dataclass(frozen=True, slots=True)
class RedactRequest:
    """What is asked for."""

    source: str
    urls: frozenset[str]
    """In normal form."""
    reason: str
    """One line; stands in the log for good."""
    grace: timedelta
    mentions: bool = False
    """Other pages that have words of it go, too."""
    dry_run: bool = False


@dataclass(slots=True)
class RedactReport:
    """What was found, and done."""

    source: str
    urls: list[str]
    captures: int = 0
    """Of these URLs, and of others that stood for them."""
    listings: int = 0
    """Captures of feeds, sitemaps, sections and assets that told of them."""
    snapshots: int = 0
    titles: int = 0
    """Links that lost theirs."""
    mentions: Counter[str] = field(default_factory=Counter)
    """URL of another page that has words of them, and stays → captures."""
    segments: list[str] = field(default_factory=list)
    """Written anew."""
    replaced: list[str] = field(default_factory=list)
    """Keys of the objects before."""
    commits: list[int] = field(default_factory=list)
    delete_after: datetime | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the report as JSON data."""
        data = {name: getattr(self, name) for name in RedactReport.__slots__}
        return {**data, "delete_after": format_time(self.delete_after) if self.delete_after else None}


def redact_articles(
    archive: OpenArchive, request: RedactRequest, tell: Callable[[str, int, int], None] | None = None
) -> RedactReport:
    """Take the articles of *request* out of its source; do nothing but look if it is a dry run.

    *tell*: told what is being done, how much of it, and of how much. What is not in segments is not touched here.
    Raises ConfigError, DamageFound, RecordError and StoreError; what was done by then stands.
    """
    archive.require_signer()
    archive.refresh(request.source)
    work = _Redaction(archive, request, tell or (lambda _what, _number, _of: None))
    for _ in range(MAX_RACES):
        try:
            while work.run():
                archive.refresh(request.source)  # what others committed meanwhile
        except LogMoved as error:
            log.info("lost_race", source=request.source, error=str(error))
            archive.refresh(request.source)
            work.start_over()
            continue
        archive.catalog.sweep()
        return work.report
    raise StoreUnavailable(f"{archive.store.url}: others replaced segments {MAX_RACES} times meanwhile; try again")


@dataclass(frozen=True, slots=True)
class _Segment:
    """A segment as it lies now."""

    name: str
    file: CommittedFile
    rows: RowsPlace
    closed: datetime | None


class _Redaction:
    """The work on one log."""

    def __init__(self, archive: OpenArchive, request: RedactRequest, tell: Callable[[str, int, int], None]) -> None:
        self.report = RedactReport(request.source, sorted(request.urls))
        self._archive = archive
        self._request = request
        self._now = datetime.now(UTC).replace(microsecond=0)
        self._tell = tell
        self._wanted = _make_wanted(archive, request)
        self._since = _find_since(archive, request)
        self._gone: set[Place] = set()
        self._looked: set[str] = set()

    def run(self) -> bool:
        """Take out what is in segments that were not looked into as yet; return whether there were any.

        Raises LogMoved where another says that one of them lies elsewhere.
        """
        with tempfile.TemporaryDirectory(prefix="ofrecord-redact-") as folder:
            chosen = [one for one in self._list_chosen() if one.name not in self._looked]
            found = self._find(chosen, Path(folder))
            if not self._request.dry_run:
                # whose words are looked for goes last
                ordered = sorted(found, key=lambda one: any(one[1].captures.values()) or one[1].snapshots > 0)
                for first in range(0, len(ordered), MAX_FILES):
                    self._commit(ordered[first : first + MAX_FILES], Path(folder), first, len(ordered))
            self._looked |= {one.name for one in chosen}
        return bool(chosen)

    def start_over(self) -> None:
        """Look into everything again."""
        self._looked.clear()
        self._gone.clear()
        self.report = RedactReport(
            self.report.source, self.report.urls, commits=self.report.commits, replaced=self.report.replaced
        )

    def _find(self, chosen: list[_Segment], folder: Path) -> list[tuple[_Segment, Touched]]:
        report, found = self.report, []
        for number, segment in enumerate(chosen, 1):
            self._tell("looked into", number, len(chosen))
            local = self._fetch(segment, folder)
            touched = find_touched(segment.name, local.list_rows(), local.read, self._wanted, self._gone)
            local.path.unlink()
            report.mentions.update(touched.mentions)
            if not touched:
                continue
            found.append((segment, touched))
            own = sum(touched.captures.values())
            report.captures += own
            report.listings += len(touched.captures) - own
            report.snapshots += touched.snapshots
            report.titles += touched.titles
            report.segments.append(segment.name)
        return found

    def _list_chosen(self) -> Iterator[_Segment]:
        """Yield the segments that may have anything of the articles, in the order of the log."""
        source, catalog = self._request.source, self._archive.catalog
        touching = {name for url in self._request.urls for name in catalog.list_touching(source, url)}
        since = self._since
        for segment in _list_segments(self._archive, source):
            if segment.name in touching or since is None or segment.closed is None or segment.closed >= since:
                yield segment

    def _fetch(self, segment: _Segment, folder: Path) -> LocalSegment:
        path = folder / segment.name
        if not segment.file.key.endswith(".warc.gz"):
            raise RecordError(
                f"{segment.file.key}: was compacted, and its dictionary may hold the text, too: bring its segments out"
                f" by ofrecord compact --restore --grace 0 {self._request.source}, twice, so that it is deleted; then"
                " redact"
            )
        self._archive.store.fetch(segment.file.key, path)
        found = hash_file(path)
        if found != segment.file.sha256:
            raise DamageFound(
                f"{self._archive.store.url}/{segment.file.key}: found {found}, expected {segment.file.sha256}:"
                " run ofrecord verify, and mend it first"
            )
        return LocalSegment(segment.name, path, segment.file, segment.rows)

    def _commit(self, group: Sequence[tuple[_Segment, Touched]], folder: Path, done: int, total: int) -> None:
        """Put the segments of *group* without what goes, and commit that."""
        request, store = self._request, self._archive.store
        said = Inscription(self._now, secrets.token_hex(16), request.reason, self._archive.signer)
        files, moved = [], []
        for number, (segment, touched) in enumerate(group, done + 1):
            self._tell("written anew", number, total)
            local = self._fetch(segment, folder)
            key = warc_key(request.source, self._now, new_id(request.source, self._now))
            new = rewrite_segment(
                local, folder / "new", key, touched=touched, wanted=self._wanted, gone=self._gone, said=said
            )
            put_file(store, new.file, new.path)
            files.append(new.file)
            moved.append(
                {"segment": segment.name, "rows": {one: getattr(new.rows, one) for one in RowsPlace.__slots__}}
            )
            new.path.unlink()
            local.path.unlink()
        delete_after = self._now + request.grace
        draft = Commit(
            request.source,
            "redact",
            datetime.now(UTC).replace(microsecond=0),
            self._archive.info.archive,
            id=said.commit_id,
            requires=("redact",),
            clock_skew_seconds=measure_skew(store),
            writer=writer_name(),
            segment=files[0].key.rpartition("/")[2].partition(".")[0],
            files=tuple(files),
            replaces=tuple({"key": one.file.key, "sha256": one.file.sha256} for one, _ in group),
            detail={
                "reason": request.reason,
                "articles": sorted(name_article(request.source, url) for url in request.urls),
                "segments": moved,
                "delete_after": format_time(delete_after),
            },
        )
        stored = self._append(draft, group)
        self._archive.catalog.add_commit(store, stored)
        self.report.commits.append(stored.commit.seq)
        self.report.replaced += [one.file.key for one, _ in group]
        self.report.delete_after = delete_after
        log.info("redacted_segments", source=request.source, seq=stored.commit.seq, segments=len(group))

    def _append(self, draft: Commit, group: Sequence[tuple[_Segment, Touched]]) -> StoredCommit:
        """Commit *draft* behind whatever others commit, as long as the segments of *group* lie where they lay."""
        archive, source = self._archive, self._request.source
        while True:
            seq, head = archive.catalog.head(source)
            try:
                return archive.log(source).append(draft, after=seq, head=head, alone=True)[0]
            except LogMoved:
                archive.refresh(source)
                if any(archive.catalog.find_rows_key(one.name) != one.rows.key for one, _ in group):
                    raise


def _find_since(archive: OpenArchive, request: RedactRequest) -> datetime | None:
    """Return from when on anything can tell of the articles; `None`: that is not known."""
    captures = (archive.catalog.list_captures(request.source, url)[:1] for url in request.urls)
    firsts = [one.captured_at for found in captures for one in found]
    return min(firsts) - BEFORE_FIRST if firsts else None


def _make_wanted(archive: OpenArchive, request: RedactRequest) -> Wanted:
    titles: set[str] = set()
    texts: set[str] = set()
    for url in request.urls:
        of_url = archive.catalog.read_words(request.source, url)
        titles |= of_url[0]
        texts |= of_url[1]
    return Wanted(request.urls, Needles(titles=titles, texts=texts), request.mentions)


def _list_segments(archive: OpenArchive, source: str) -> list[_Segment]:
    """Return the segments of a log, in its order, where they lie as far as the catalog has folded it."""
    index = ReplacementIndex()
    found: dict[str, _Segment] = {}
    last = archive.catalog.head(source)[0]
    for stored in archive.log(source).read():
        commit = stored.commit
        if commit.seq > last:
            break
        index.take(commit)
        name, rows = commit.segment, commit.rows
        if name is None or rows is None or commit.kind not in SEGMENT_KINDS or name in found:
            continue
        file = next(one for one in commit.files if one.key == rows.key)
        found[name] = _Segment(name, file, rows, commit.closed)
    for name, (by, moved) in index.segments.items():
        found[name] = _Segment(name, by.find_file(moved), moved.rows, found[name].closed)
    return list(found.values())

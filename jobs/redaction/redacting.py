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
from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import structlog

from config.errors import LogMoved, StoreUnavailable
from crawler.ids import new_id
from crawler.rows import format_time
from jobs.archive.commit import Commit, RowsPlace, warc_key, writer_name
from jobs.archive.places import find_places
from jobs.archive.ranges import COMPACTED
from jobs.archive.replacing import MAX_FILES, name_article
from jobs.compaction.choosing import MAX_SEGMENTS
from jobs.compaction.packing import LocalSegment as LaidSegment
from jobs.compaction.packing import describe_segment, pack_segments
from jobs.compaction.proving import require_equal
from jobs.redaction.fetching import Fetching
from jobs.redaction.needles import Needles
from jobs.redaction.rewriting import rewrite_segment
from jobs.redaction.tombstones import Inscription
from jobs.redaction.touching import Wanted, find_touched
from jobs.segments.upload import put_file
from jobs.store.clock import measure_skew

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from jobs.archive.commit import CommittedFile, StoredCommit
    from jobs.archive.places import PlacedSegment, Places
    from jobs.context import OpenArchive
    from jobs.fold import Place
    from jobs.redaction.rewriting import LocalSegment
    from jobs.redaction.touching import Touched

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


@dataclass(slots=True)
class _Unit:
    """An object that is to be written anew."""

    segments: Sequence[PlacedSegment]
    """All that lie in it, in order."""
    touched: dict[str, Touched] = field(default_factory=dict)

    @property
    def holds_words(self) -> bool:
        """Whether it has captures or texts of the articles, by which others are found."""
        return any(any(one.captures.values()) or one.snapshots > 0 for one in self.touched.values())


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
        with tempfile.TemporaryDirectory(prefix="ofrecord-redact-") as name:
            folder = Path(name)
            places = self._find_places()
            fetching = Fetching(self._archive.store, folder)
            chosen = [one for one in self._list_chosen(places) if one.segment not in self._looked]
            found = self._find(chosen, fetching)
            if not self._request.dry_run:
                units = _list_units(places, found)
                # whose words are looked for goes last
                for group in _group(sorted(units, key=lambda one: one.holds_words)):
                    self._commit(group, places, fetching, folder)
            self._looked |= {one.segment for one in chosen}
        return bool(chosen)

    def start_over(self) -> None:
        """Look into everything again."""
        self._looked.clear()
        self._gone.clear()
        self.report = RedactReport(
            self.report.source, self.report.urls, commits=self.report.commits, replaced=self.report.replaced
        )

    def _find(self, chosen: list[PlacedSegment], fetching: Fetching) -> dict[str, Touched]:
        """Return what must go of *chosen*, by segment, and count it."""
        report, found = self.report, {}
        for number, segment in enumerate(chosen, 1):
            self._tell("looked into", number, len(chosen))
            local = fetching.fetch(segment)
            touched = find_touched(segment.segment, local.list_rows(), local.read, self._wanted, self._gone)
            local.path.unlink()
            report.mentions.update(touched.mentions)
            if not touched:
                continue
            found[segment.segment] = touched
            own = sum(touched.captures.values())
            report.captures += own
            report.listings += len(touched.captures) - own
            report.snapshots += touched.snapshots
            report.titles += touched.titles
            report.segments.append(segment.segment)
        return found

    def _find_places(self) -> Places:
        """Return where segments lie, as far as the catalog has folded the log."""
        source = self._request.source
        last = self._archive.catalog.head(source)[0]
        return find_places(takewhile(lambda one: one.commit.seq <= last, self._archive.log(source).read()))

    def _list_chosen(self, places: Places) -> Iterator[PlacedSegment]:
        """Yield the segments that may have anything of the articles, in the order of the log."""
        source, catalog = self._request.source, self._archive.catalog
        touching = {name for url in self._request.urls for name in catalog.list_touching(source, url)}
        since = self._since
        for segment in places.segments.values():
            if segment.segment in touching or since is None or segment.closed is None or segment.closed >= since:
                yield segment

    def _commit(self, group: list[_Unit], places: Places, fetching: Fetching, folder: Path) -> None:
        """Put the objects of *group* without what goes, and commit that."""
        request, store = self._request, self._archive.store
        said = Inscription(self._now, secrets.token_hex(16), request.reason, self._archive.signer)
        files, moved = [], []
        for number, unit in enumerate(group, 1):
            self._tell("written anew", number, len(group))
            new, laid = self._rewrite(unit, said, fetching, folder)
            put_file(store, new, folder / "new")
            (folder / "new").unlink()
            files.append(new)
            moved += laid
        delete_after = self._now + request.grace
        replaces = _list_replaced(group, places, delete_after)
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
            replaces=tuple({"key": one.key, "sha256": one.sha256} for one in replaces),
            detail={
                "reason": request.reason,
                "articles": sorted(name_article(request.source, url) for url in request.urls),
                "segments": moved,
                "delete_after": format_time(delete_after),
            },
        )
        stored = self._append(draft, [one for unit in group for one in unit.segments])
        self._archive.catalog.add_commit(store, stored)
        self.report.commits.append(stored.commit.seq)
        self.report.replaced += [one.key for one in replaces]
        self.report.delete_after = delete_after
        log.info("redacted_segments", source=request.source, seq=stored.commit.seq, segments=len(moved))

    def _rewrite(
        self, unit: _Unit, said: Inscription, fetching: Fetching, folder: Path
    ) -> tuple[CommittedFile, list[dict[str, Any]]]:
        """Write the object of *unit* into a new file without what goes; return it and where its segments lie then."""
        source, target = self._request.source, folder / "new"
        key = warc_key(source, self._now, new_id(source, self._now))
        if not unit.segments[0].is_compacted:
            new = self._rewrite_segment(fetching.fetch(unit.segments[0]), unit, target, key, said)
            rows = {one: getattr(new.rows, one) for one in RowsPlace.__slots__}
            return new.file, [{"segment": new.segment, "rows": rows}]
        laid = []
        for number, segment in enumerate(unit.segments):
            if segment.segment in unit.touched:
                local = fetching.fetch(segment)
                path = folder / f"{number}.warc.gz"
                new = self._rewrite_segment(local, unit, path, local.file.key, said)
                laid.append(LaidSegment(segment.segment, path, 0, new.rows))
            else:
                laid.append(fetching.lay(segment))
        key = key.removesuffix(".warc.gz") + COMPACTED
        packed = pack_segments(laid, target, key=key, source=source, now=self._now)
        require_equal(packed, target)
        for path in folder.glob("*.warc.gz"):
            path.unlink()
        return packed.file, [
            {**describe_segment(packed, one), "redacted": one.segment in unit.touched} for one in packed.segments
        ]

    def _rewrite_segment(
        self, local: LocalSegment, unit: _Unit, target: Path, key: str, said: Inscription
    ) -> LocalSegment:
        touched = unit.touched[local.segment]
        new = rewrite_segment(local, target, key, touched=touched, wanted=self._wanted, gone=self._gone, said=said)
        local.path.unlink()
        return new

    def _append(self, draft: Commit, group: list[PlacedSegment]) -> StoredCommit:
        """Commit *draft* behind whatever others commit, as long as the segments of *group* lie where they lay."""
        archive, source = self._archive, self._request.source
        while True:
            seq, head = archive.catalog.head(source)
            try:
                return archive.log(source).append(draft, after=seq, head=head, alone=True)[0]
            except LogMoved:
                archive.refresh(source)
                if any(archive.catalog.find_rows_key(one.segment) != one.rows.key for one in group):
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


def _list_units(places: Places, found: dict[str, Touched]) -> list[_Unit]:
    """Return the objects that have anything of *found*, in the order of the log."""
    units: dict[str, _Unit] = {}
    for name, touched in found.items():
        segment = places.segments[name]
        for one in (places.find_object(segment), *places.list_left(segment)):
            if one.file.key not in units:
                units[one.file.key] = _Unit(one.segments)
        units[segment.file.key].touched[name] = touched
    return list(units.values())


def _group(units: list[_Unit]) -> Iterator[list[_Unit]]:
    """Yield as many of *units* at a time as one commit can name."""
    group: list[_Unit] = []
    segments = 0
    for unit in units:
        if group and (len(group) == MAX_FILES or segments + len(unit.segments) > MAX_SEGMENTS):
            yield group
            group, segments = [], 0
        group.append(unit)
        segments += len(unit.segments)
    if group:
        yield group


def _list_replaced(group: list[_Unit], places: Places, delete_after: datetime) -> list[CommittedFile]:
    """Return the objects that nobody needs any more, and those of before that shall go no later than they.

    Such are objects that segments lay in before they were compacted, or when something else was taken out of them.
    """
    found = {unit.segments[0].file.key: unit.segments[0].file for unit in group}
    for unit in group:
        for name in unit.touched:
            for file in places.segments[name].earlier:
                by = places.replaced.objects.get(file.key)
                if by is not None and (
                    by.kind != "redact" or (by.delete_after is not None and by.delete_after > delete_after)
                ):
                    found[file.key] = file
    return list(found.values())

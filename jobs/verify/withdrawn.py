"""What a log says was written anew or taken out: which file of a segment is to be looked into, what is no damage."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING

from config.errors import DamageFound
from jobs.archive.commit import SEGMENT_KINDS, commit_key
from jobs.archive.replacing import ReplacementIndex, name_article
from jobs.verify.report import Notes

if TYPE_CHECKING:
    from crawler.rows import CaptureRow
    from jobs.archive.commit import Commit, CommittedFile
    from jobs.verify.files import CommittedFiles
    from jobs.verify.report import VerifyReport

_WARC = ".warc.gz"


class Withdrawn:
    """The replacements of one source's log."""

    def __init__(self, source: str, report: VerifyReport) -> None:
        self._source = source
        self._report = report
        self._index = ReplacementIndex()
        self._segments: set[str] = set()

    def take(self, commit: Commit) -> bool:
        """Take in what *commit* says; commits in the order of the log. Return whether it lets go what it replaces."""
        if commit.segment is not None and commit.kind in SEGMENT_KINDS:
            self._segments.add(commit.segment)
        key = commit_key(self._source, commit.seq)
        try:
            found = self._index.take(commit)
        except DamageFound as error:
            Notes(self._report, key).damage(str(error).removeprefix(f"{key}: "))
            return False
        for moved in found.segments if found else ():
            if moved.segment not in self._segments:
                Notes(self._report, key).damage(f"replaces segment {moved.segment}, which no commit before it brought")
        return found is not None

    def tell(self) -> None:
        """Take down what was taken out, once the whole log was taken in."""
        word = ""
        if self._report.unsigned:
            word = "; the archive is unsigned, so this cannot be told from a forgery by whoever may write to the store"
        for segment, by in sorted(self._index.redacted.items()):
            _, now = self._index.segments[segment]
            Notes(self._report, now.rows.key).redacted(
                f"segment {segment} was written anew by commit {by.seq}, without what was to go:"
                f" {by.reason or 'no reason is given'}{word}"
            )

    def arrange(self, commits: list[Commit], files: CommittedFiles) -> list[Commit]:
        """Return *commits* so that of each segment the file is read in which it lies now, in its own place in the log.

        The files before are read, as far as they are there, for their digests alone.
        """
        shared = Counter(moved.rows.key for _, moved in self._index.segments.values())
        moved_to: set[str] = set()
        others: dict[int, list[CommittedFile]] = defaultdict(list)
        arranged: list[Commit] = []
        for commit in commits:
            found = self._index.segments.get(commit.segment or "") if commit.kind in SEGMENT_KINDS else None
            key = found[1].rows.key if found else ""
            if found is None or shared[key] > 1 or not key.endswith(_WARC) or key in moved_to:
                arranged.append(commit)
            elif files.assign(key, commit.seq):
                by, moved = found
                moved_to.add(key)
                others[by.seq] += [file for file in commit.files if files.assign(file.key, by.seq)]
                arranged.append(replace(commit, files=(by.find_file(moved),), rows=moved.rows, counts={}))
        return [
            replace(one, files=(*(file for file in one.files if file.key not in moved_to), *others[one.seq]))
            if one.seq in others
            else one
            for one in arranged
        ]

    def allow(self, commit: Commit, row: CaptureRow) -> bool:
        """Whether *row*, of the segment that *commit* brings, may be of a capture that was taken out."""
        redacted = commit.segment in self._index.redacted
        return redacted or name_article(self._source, row.url) in self._index.articles
